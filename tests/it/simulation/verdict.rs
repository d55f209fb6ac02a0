//! What must hold, whatever happens: checked at every step where that is possible, after every life, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use tenure::chat::Call;
use tenure::emulator::world::RepeatedCreate;
use tenure::journal::{Calls, Change, JournalError};
use tenure::model::RowId;

use super::world::{Membership, Simulation};

/// Rejects that Chat may hold, and say so.
pub(super) const OPEN_QUESTIONS: [&str; 3] = ["UNDECIDED", "DOUBLED", "PERHAPS_THERE"];

impl Simulation {
    /// What Chat holds, and how often.
    pub(super) fn held(&self) -> BTreeMap<Membership, u32> {
        let mut held: BTreeMap<Membership, u32> = BTreeMap::new();
        for membership in self.service.world.memberships() {
            // Whoever completed a space is in it.
            if membership.address == Some("admin@example.com") {
                continue;
            }
            let member = match membership.address {
                Some(address) => format!("users/{address}"),
                None => membership.member.to_owned(),
            };
            let create = Some(membership.create_time).filter(|_| membership.delete_time.is_some());
            let key = (membership.space.to_owned(), member, create, membership.delete_time);
            *held.entry(key).or_default() += 1;
        }
        held
    }

    /// No request leaves before its row is durably in flight, and no two rows of one member are out at once.
    pub(super) fn check_in_flight(&self, row: RowId, call: &Call) {
        let work = self.journal.work().unwrap();
        let space = match call {
            Call::CreateMember { space, .. } => space,
            Call::PatchMember(name, _) => name.space(),
            call => panic!("{call:?}"),
        };
        let lane = work.spaces.iter().find(|lane| lane.name == *space).expect("a space with work");
        let in_flight = self.journal.in_flight(lane.id).unwrap();
        let job =
            in_flight.iter().find(|job| job.id == row).expect("a request left before its row was in flight");
        let same = in_flight.iter().filter(|other| other.member == job.member).count();
        assert_eq!(same, 1, "two rows of one member are out at once");
    }

    /// Nothing is written down as done that Chat does not hold at that moment, nothing as rejected that it does.
    pub(super) fn check_changes(&self, changes: &[Change]) {
        let settled: Vec<(RowId, bool)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Done { row, .. } => Some((*row, true)),
                Change::Rejected { row, note, .. } if !OPEN_QUESTIONS.contains(&note.kind.as_str()) => {
                    Some((*row, false))
                }
                _ => None,
            })
            .collect();
        if settled.is_empty() {
            return;
        }
        let held = self.held();
        let before: BTreeSet<&Membership> = self.before.iter().collect();
        for (row, done) in settled {
            let key = self.key(&self.tenures[self.rows[&row]]);
            let copies = held.get(&key).or(self.gone.get(&key)).copied().unwrap_or(0);
            if done {
                assert_eq!(copies, 1, "row {row} is written down as done: {key:?}");
            } else if !self.gone.contains_key(&key) {
                let most = u32::from(before.contains(&key));
                assert!(copies <= most, "row {row} is written down as rejected: {key:?}");
            }
        }
    }

    /// The counters are those of the rows.
    pub(super) fn check_counters(&self) {
        let tally = self.journal.tally().unwrap();
        let [pending, in_flight, done, rejected, open] = self.journal.recount().unwrap();
        assert_eq!(
            [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open],
            [pending, in_flight, done, rejected, open]
        );
        assert_eq!(tally.total as usize, self.tenures.len());
        // So are those of its course.
        let (mut calls, mut done, mut rejected) = (Calls::default(), 0, 0);
        for stretch in self.journal.stretches().unwrap() {
            calls += stretch.calls;
            done += stretch.done;
            rejected += stretch.rejected;
        }
        assert_eq!((calls, done, rejected), (tally.calls, tally.done, tally.rejected));
    }

    /// Every row is in exactly one of done, rejected or open, and Chat holds each accepted membership exactly once.
    pub(super) fn check_end(&mut self) {
        self.check_counters();
        let tally = self.journal.tally().unwrap();
        self.seen.done += tally.done;
        self.seen.rejected += tally.rejected;
        let mut held = self.held();
        held.extend(self.gone.iter().map(|(key, copies)| (key.clone(), *copies)));
        let mut kinds: BTreeMap<Membership, String> = BTreeMap::new();
        let mut lost_with_space: BTreeSet<Membership> = BTreeSet::new();
        self.journal
            .rejects(|row| -> Result<(), JournalError> {
                let key = self.key_of(&row.space.unwrap(), &row.member.unwrap(), row.span);
                if row.error.contains("it cannot be looked up") {
                    lost_with_space.insert(key.clone());
                }
                kinds.insert(key, row.kind);
                Ok(())
            })
            .unwrap();
        // Only where every space that is left is refused, something is left.
        let left: BTreeSet<String> = self
            .journal
            .work()
            .unwrap()
            .spaces
            .into_iter()
            .filter(|space| space.pending + space.in_flight > 0)
            .map(|space| space.name.to_string())
            .collect();
        let now = self.own_wall();
        for space in &left {
            let there = self.service.world.import_mode_of(space, now).is_some();
            assert!(!there, "{space} is there, and rows of it are left");
        }
        let rules = self.service.world.rules();
        let (doubles, told) = (rules.repeated_create == RepeatedCreate::Double, rules.times_echoed);
        let mut accounted: BTreeSet<_> = self.before.iter().cloned().collect();
        for tenure in &self.tenures {
            if !self.is_standard() && tenure.delete_time.is_none() {
                continue;
            }
            let key = self.key(tenure);
            let copies = held.get(&key).copied().unwrap_or(0);
            let lost_space = self.gone.keys().any(|other| other.0 == key.0);
            match kinds.get(&key).map(String::as_str) {
                None if left.contains(&key.0) => {}
                None => assert_eq!(copies, 1, "a row that is done is held once: {key:?}"),
                // What was under way when the space went, nobody can tell any more.
                Some(_) if lost_space => {}
                Some(
                    "INVALID_ARGUMENT" | "OTHER_TIMES" | "ALREADY_EXISTS" | "SPACE_REFUSED"
                    | "PERMISSION_DENIED",
                ) => {
                    let before = u32::from(self.before.contains(&key));
                    assert!(copies <= before, "a row that is rejected is not held: {key:?} {kinds:?}");
                }
                Some("DOUBLED") if doubles => {
                    self.seen.doubled += 1;
                    assert!(copies > 1, "a row that is held twice is: {key:?}");
                }
                // Held as often as it was, when it is not sent.
                Some("PERHAPS_THERE") if doubles || !told => {
                    self.seen.held_back += 1;
                    let before = u32::from(self.before.contains(&key));
                    assert!(self.losses > 0 || copies == before, "a row that is not sent is not: {key:?}");
                }
                // A list without times leaves that open, and so does one of members of today. So do times that several
                // rows share, when it is not known any more which of them were sent.
                Some("UNDECIDED") if self.is_standard() || !told || self.losses > 0 => {}
                // A space that is refused cannot be listed.
                Some("UNDECIDED") if lost_with_space.contains(&key) => {}
                Some(kind) => panic!("rejected as {kind}: {key:?}"),
            }
            accounted.insert(key);
        }
        // To find out that Chat makes two takes one that is; whoever has lost that knowledge has to find out again. So
        // has whoever never got it: of a space that went before its list could tell, no row says so, for it is left, or
        // refused with the space.
        let mut doubled = 0;
        let mut untold: BTreeMap<String, u32> = BTreeMap::new();
        for (key, copies) in held {
            let kind = kinds.get(&key).map(String::as_str);
            let more = copies.saturating_sub(1);
            if left.contains(&key.0) || self.gone.contains_key(&key) {
                *untold.entry(key.0.clone()).or_default() += more;
            } else if kind.is_some_and(|kind| OPEN_QUESTIONS.contains(&kind)) {
                // Where no times are listed, a lost answer leaves open what it has made, and the row says so.
                let open = !told && kind == Some("UNDECIDED");
                doubled += if open { 0 } else { more };
            } else {
                assert_eq!(copies, 1, "held twice: {key:?}");
            }
            assert!(accounted.contains(&key), "nobody asked for {key:?}");
        }
        let may_double = u32::from(doubles && !self.is_standard());
        assert!(doubled <= may_double * (1 + self.losses), "{doubled} are doubled");
        for (space, more) in untold {
            assert!(more <= may_double * (1 + self.losses), "{more} are doubled in {space}, which is gone");
        }
        for (existed, held) in self.existed.values() {
            let before = self.before.contains(held);
            // A list without times leaves it open; then it counts as there before, and no rollback will touch it. Of a
            // member of today a repeated call says only that they are there.
            // So does a journal that has lost what it had sent.
            let certain = !self.is_standard() && told && self.losses == 0;
            assert!(*existed == before || (*existed && !certain), "whether it was there before: {held:?}");
            self.seen.existed += u64::from(*existed);
        }
    }
}
