//! A space in import mode: its list shows memberships that have ended, each with its times as far as Chat tells them.
//!
//! What is listed is put into groups of the same holder and times. Each row whose member's id is known goes to the group
//! that it is in, exactly or, where the list does not tell all times, perhaps; then each group is settled by counting.
//! Rows whose member's id is not known are told by their times alone, from groups of holders of whom the journal knows
//! nothing.

use std::collections::{BTreeMap, HashMap};

use super::{Compared, Finding, Kind, Known, Listed, ordered};
use crate::journal::Holding;
use crate::model::{Span, State, Timestamp};

/// Times as they are compared.
type Times = (Option<Timestamp>, Option<Timestamp>);

const BY_TIMES: &str = "the member's id is not known, so it was looked for by its times";
const ONE_OF_THEM: &str = "others have the same times, and which of them are the rows' is not told";
const NO_TIMES: &str = "the list does not tell its times: by member and count only";
const OTHER_STINT: &str = "the list tells no times: the same once more, or another stint";
const ALSO_REJECTED: &str = "a refused row asks for it too";

/// Memberships that the list cannot tell apart.
struct Group<'a> {
    listed: &'a Listed,
    times: Times,
    copies: u64,
    /// How often it was there before.
    before: u64,
    done: Vec<&'a Holding>,
    unsettled: u64,
    rejected: Vec<&'a Holding>,
}

impl Group<'_> {
    /// How many of its times are told.
    fn told(&self) -> u8 {
        u8::from(self.times.0.is_some()) + u8::from(self.times.1.is_some())
    }

    fn fits(&self, asked: Times) -> bool {
        let fits = |asked: Option<Timestamp>, listed: Option<Timestamp>| listed.is_none() || asked == listed;
        fits(asked.0, self.times.0) && fits(asked.1, self.times.1)
    }
}

fn asked(span: Span) -> Times {
    (span.start(), span.delete_time)
}

/// What all of a space is settled with.
struct Settling<'a> {
    names: &'a HashMap<String, String>,
    /// Everybody who is known by id and has a row in this space, and what the input calls them.
    rowed: HashMap<&'a str, &'a str>,
    /// Whether no call has left for this space: whatever is there was there before.
    untouched: bool,
    out: Compared,
}

pub(super) fn compare(known: &Known, listed: &[Listed]) -> Compared {
    let mut settling = Settling {
        names: &known.names,
        rowed: HashMap::new(),
        untouched: known.rows.iter().all(|row| !row.sent),
        out: Compared::default(),
    };
    let counts = &mut settling.out.counts;
    counts.rows = known.rows.len() as u64;
    counts.listed = listed.len() as u64;
    let mut groups = grouped(known, listed);
    for group in groups.values().flatten() {
        counts.silent += if group.told() < 2 { group.copies } else { 0 };
        counts.unended += if group.times.0.is_some() && group.times.1.is_none() { group.copies } else { 0 };
    }
    let mut unplaced: BTreeMap<&str, Vec<&Holding>> = BTreeMap::new();
    let mut nameless: BTreeMap<Times, Nameless<'_>> = BTreeMap::new();
    for row in &known.rows {
        counts.roles_later += u64::from(row.role.is_some() && row.state != State::Rejected);
        match (row.state, row.span.delete_time) {
            (State::Pending | State::InFlight, _) => counts.unsettled += 1,
            (State::Rejected | State::Replaced, _) => counts.rejected += 1,
            (State::Open, _) | (State::Done, None) => counts.open += 1,
            (State::Done, Some(_)) => {}
        }
        let holder = row.holder();
        if let Some(holder) = holder {
            settling.rowed.entry(holder).or_insert(&row.member);
        }
        if row.span.delete_time.is_none() {
            continue;
        }
        match holder {
            Some(holder) => {
                let placed = groups.get_mut(holder).is_some_and(|groups| place(groups, row));
                if !placed && row.state == State::Done {
                    unplaced.entry(holder).or_default().push(row);
                }
            }
            None => nameless.entry(asked(row.span)).or_default().push(row),
        }
    }
    // What is left of the groups, to be paired with rows of the same holder.
    let mut left: BTreeMap<&str, Vec<(Group<'_>, u64)>> = BTreeMap::new();
    let mut strangers = Strangers::default();
    for (holder, groups) in groups {
        if !settling.rowed.contains_key(holder) && !known.names.contains_key(holder) {
            strangers.take(groups);
            continue;
        }
        for group in groups {
            if let Some(surplus) = settling.settle(&group) {
                left.entry(holder).or_default().push((group, surplus));
            }
        }
    }
    for (holder, rows) in unplaced {
        let surplus = left.remove(holder).unwrap_or_default();
        settling.pair(rows, surplus);
    }
    for (group, copies) in left.into_values().flatten() {
        settling.surprise(group.listed, copies, None);
    }
    for (times, same) in nameless {
        strangers.settle_told(&mut settling, times, same);
    }
    strangers.settle_silent(&mut settling);
    strangers.rest(&mut settling);
    settling.out.sorted()
}

fn grouped<'a>(known: &'a Known, listed: &'a [Listed]) -> BTreeMap<&'a str, Vec<Group<'a>>> {
    let mut before: HashMap<(&str, Times), u64> = HashMap::new();
    for found in &known.found {
        let times = (found.span.create_time, found.span.delete_time);
        *before.entry((&found.user, times)).or_default() += found.copies;
    }
    let times = |listed: &Listed| (listed.span.create_time, listed.span.delete_time);
    let mut groups: BTreeMap<&str, Vec<Group<'_>>> = BTreeMap::new();
    for listed in ordered(listed) {
        let of_holder = groups.entry(&listed.holder).or_default();
        match of_holder.last_mut().filter(|group| group.times == times(listed)) {
            Some(group) => group.copies += 1,
            None => of_holder.push(Group {
                listed,
                times: times(listed),
                copies: 1,
                before: before.get(&(&*listed.holder, times(listed))).copied().unwrap_or(0),
                done: Vec::new(),
                unsettled: 0,
                rejected: Vec::new(),
            }),
        }
    }
    groups
}

/// Puts a row into the group of its holder that it is in; says whether there is one.
fn place<'a>(groups: &mut [Group<'a>], row: &'a Holding) -> bool {
    let times = asked(row.span);
    let fitting = groups.iter_mut().filter(|group| group.fits(times));
    // The first of those that tell most.
    let Some(group) = fitting.min_by_key(|group| 2 - group.told()) else { return false };
    match row.state {
        State::Done => group.done.push(row),
        State::Rejected => group.rejected.push(row),
        _ => group.unsettled += 1,
    }
    true
}

impl<'a> Settling<'a> {
    /// Settles a group by counting; says how many of it nothing accounts for, if it is not the same once more.
    fn settle(&mut self, group: &Group<'_>) -> Option<u64> {
        let exact = group.told() == 2;
        // Rows that Chat said it held already share what was there: one membership for all that have the same times.
        let (mut old, fresh): (Vec<&Holding>, Vec<&Holding>) = group.done.iter().partition(|row| row.existed);
        old.sort_by_key(|row| asked(row.span));
        let stints = old.chunk_by(|one, other| asked(one.span) == asked(other.span));
        let mut needs: Vec<&[&Holding]> = stints.collect();
        let shared = needs.len() as u64;
        needs.extend(fresh.chunks(1));
        let legitimate = fresh.len() as u64 + shared.max(group.before);
        let held = (needs.len() as u64).min(group.copies);
        self.out.counts.held += held;
        let missing = needs.split_off(held as usize);
        self.out.counts.matching += needs.into_iter().flatten().count() as u64;
        for row in missing.into_iter().flatten() {
            self.out.counts.missing += 1;
            let finding = Finding::new(Kind::Missing).of_row(row);
            self.out.push(if exact { finding } else { finding.noted(NO_TIMES) });
        }
        let before = (group.copies - held).min(legitimate.saturating_sub(held));
        self.was_there(group.listed, before);
        let settling = (group.copies - held - before).min(group.unsettled);
        self.out.counts.unsettled_held += settling;
        let accounted = held + before + settling;
        let mut surplus = group.copies - accounted;
        if surplus > 0 && accounted > 0 && exact {
            self.doubled(group, surplus);
            return None;
        }
        if let Some(row) = group.rejected.first().filter(|_| surplus > 0) {
            self.out.counts.rejected_held += 1;
            let finding = Finding::new(Kind::Rejected).of_listed(group.listed, group.copies).of_row(row);
            self.out.push(if exact { finding } else { finding.noted(NO_TIMES) });
            surplus -= 1;
            if surplus > 0 && exact {
                self.doubled(group, surplus);
                return None;
            }
        }
        (surplus > 0).then_some(surplus)
    }

    /// Rows of one holder that are in no group, and groups of theirs that are nobody's: the same memberships with other
    /// times, as far as they go.
    fn pair(&mut self, mut rows: Vec<&Holding>, mut surplus: Vec<(Group<'_>, u64)>) {
        // Those that share an end belong together sooner than others.
        let shares: [fn(Times, Times) -> bool; 3] =
            [|one, other| one.1 == other.1, |one, other| one.0 == other.0, |_, _| true];
        for share in shares {
            rows.retain(|row| {
                let times = asked(row.span);
                let fitting =
                    surplus.iter_mut().find(|(group, copies)| *copies > 0 && share(times, group.times));
                let Some((group, copies)) = fitting else { return true };
                *copies -= 1;
                self.out.counts.different += 1;
                self.out.push(Finding::new(Kind::Different).of_listed(group.listed, 1).of_row(row));
                false
            });
        }
        for row in rows {
            self.out.counts.missing += 1;
            self.out.push(Finding::new(Kind::Missing).of_row(row));
        }
        for (group, copies) in surplus {
            self.surprise(group.listed, copies, None);
        }
    }

    fn doubled(&mut self, group: &Group<'_>, surplus: u64) {
        self.out.counts.doubled += surplus;
        let mut finding = Finding::new(Kind::Doubled).of_listed(group.listed, group.copies);
        if let Some(row) = group.done.first().or(group.rejected.first()) {
            finding = finding.of_row(row);
        }
        let finding = finding.called(self.name(group.listed).as_ref());
        self.out.push(if group.rejected.is_empty() { finding } else { finding.noted(ALSO_REJECTED) });
    }

    fn was_there(&mut self, listed: &Listed, copies: u64) {
        if copies > 0 {
            self.out.counts.before += copies;
            let finding = Finding::new(Kind::Before).of_listed(listed, copies);
            self.out.push(finding.called(self.name(listed).as_ref()));
        }
    }

    /// What nothing accounts for.
    fn surprise(&mut self, listed: &Listed, copies: u64, note: Option<&'static str>) {
        if self.untouched {
            return self.was_there(listed, copies);
        }
        if copies == 0 {
            return;
        }
        self.out.counts.unexpected += copies;
        let mut finding = Finding::new(Kind::Unexpected).of_listed(listed, copies);
        finding = finding.called(self.name(listed).as_ref());
        let is_silent = listed.span.create_time.is_none() || listed.span.delete_time.is_none();
        finding.note = note.or((is_silent && finding.member.is_some()).then_some(OTHER_STINT));
        self.out.push(finding);
    }

    /// What the input calls them.
    fn name(&self, listed: &Listed) -> Option<String> {
        let rowed = self.rowed.get(&*listed.holder).map(|name| (*name).to_owned());
        rowed.or_else(|| self.names.get(&*listed.holder).cloned())
    }
}

/// Rows with the same times whose members' ids are not known.
#[derive(Default)]
struct Nameless<'a> {
    done: Vec<&'a Holding>,
    unsettled: u64,
    rejected: Vec<&'a Holding>,
}

impl<'a> Nameless<'a> {
    fn push(&mut self, row: &'a Holding) {
        match row.state {
            State::Done => self.done.push(row),
            State::Rejected => self.rejected.push(row),
            _ => self.unsettled += 1,
        }
    }
}

/// Where silent groups stand, once for each copy, by what they tell.
type Places = HashMap<Times, Vec<usize>>;

/// What is listed of holders of whom the journal knows nothing, and the rows that may be theirs.
#[derive(Default)]
struct Strangers<'a> {
    /// Groups that tell both times, by these.
    told: BTreeMap<Times, Vec<Group<'a>>>,
    silent: Vec<Group<'a>>,
    /// Rows that no told times are those of.
    unmet: Vec<(Times, Nameless<'a>)>,
}

impl<'a> Strangers<'a> {
    fn take(&mut self, groups: Vec<Group<'a>>) {
        for group in groups {
            match group.told() {
                2 => self.told.entry(group.times).or_default().push(group),
                _ => self.silent.push(group),
            }
        }
    }

    /// Settles the rows with these times by those that the list tells.
    fn settle_told(&mut self, settling: &mut Settling<'_>, times: Times, same: Nameless<'a>) {
        let mut groups = self.told.remove(&times).unwrap_or_default();
        groups.sort_by_key(|group| group.before > 0);
        let all = groups.len();
        let mut old = groups.split_off(groups.partition_point(|group| group.before == 0));
        let mut unmet = Nameless::default();
        let (mut matched, mut claimed) = (Vec::new(), Vec::new());
        // What was there before can only be what Chat said it held already.
        let (existed, fresh): (Vec<&Holding>, Vec<&Holding>) =
            same.done.into_iter().partition(|row| row.existed);
        for row in existed.into_iter().chain(fresh) {
            let group = if row.existed { old.pop() } else { None };
            match group.or_else(|| groups.pop()) {
                Some(group) => {
                    claimed.push(group);
                    matched.push(row);
                }
                None => unmet.done.push(row),
            }
        }
        for _ in 0..same.unsettled {
            match groups.pop() {
                Some(group) => {
                    settling.out.counts.unsettled_held += 1;
                    once_more(settling, &group, 1);
                }
                None => unmet.unsettled += 1,
            }
        }
        // More of them than rows: which are the rows', the times do not tell.
        let ambiguous = !groups.is_empty() && !matched.is_empty();
        let counts = &mut settling.out.counts;
        if ambiguous {
            counts.row_untold += matched.len() as u64;
            counts.listed_untold += claimed.len() as u64;
            for row in matched {
                settling.out.push(Finding::new(Kind::Untold).of_row(row).noted(ONE_OF_THEM));
            }
        } else {
            counts.matching += matched.len() as u64;
            counts.held += claimed.len() as u64;
        }
        for group in &claimed {
            once_more(settling, group, group.before.max(1));
        }
        for row in same.rejected {
            let Some(group) = groups.pop() else {
                unmet.rejected.push(row);
                continue;
            };
            settling.out.counts.rejected_held += 1;
            let finding = Finding::new(Kind::Rejected).of_listed(group.listed, group.copies).of_row(row);
            settling.out.push(finding.noted(if all > 1 { ONE_OF_THEM } else { BY_TIMES }));
            once_more(settling, &group, 1);
        }
        for group in groups {
            settling.surprise(group.listed, group.copies, ambiguous.then_some(ONE_OF_THEM));
        }
        self.told.insert(times, old);
        self.unmet.push((times, unmet));
    }

    /// Rows that were not met by their times may be what is listed without: those that are done first.
    fn settle_silent(&mut self, settling: &mut Settling<'_>) {
        let (mut free, mut old): (Places, Places) = (HashMap::new(), HashMap::new());
        for (place, group) in self.silent.iter().enumerate() {
            let before = group.copies.min(group.before);
            old.entry(group.times).or_default().extend((0..before).map(|_| place));
            free.entry(group.times).or_default().extend((before..group.copies).map(|_| place));
        }
        // What tells most is taken first.
        let take = |places: &mut Places, (create, delete): Times| {
            let fitting = [(create, None), (None, delete), (None, None)];
            fitting.iter().find_map(|times| places.get_mut(times)?.pop())
        };
        for (times, same) in &self.unmet {
            for row in &same.done {
                // What was there before can only be what Chat said it held already.
                let was_there = if row.existed { take(&mut old, *times) } else { None };
                let place = was_there.or_else(|| take(&mut free, *times));
                if let Some(place) = place {
                    self.silent[place].copies -= 1;
                    self.silent[place].before -= u64::from(was_there.is_some());
                    settling.out.counts.listed_untold += 1;
                    settling.out.counts.row_untold += 1;
                    settling.out.push(Finding::new(Kind::Untold).of_row(row).noted(NO_TIMES));
                } else {
                    settling.out.counts.missing += 1;
                    settling.out.push(Finding::new(Kind::Missing).of_row(row).noted(BY_TIMES));
                }
            }
        }
        let mut may_be = |times: Times| {
            let place = take(&mut free, times);
            place.map(|place| self.silent[place].copies -= 1).is_some()
        };
        for (times, same) in &self.unmet {
            let unsettled = (0..same.unsettled).filter(|_| may_be(*times)).count() as u64;
            settling.out.counts.unsettled_held += unsettled;
        }
        for (times, same) in &self.unmet {
            let rejected = same.rejected.iter().filter(|_| may_be(*times)).count() as u64;
            settling.out.counts.listed_untold += rejected;
        }
    }

    /// What no row is about.
    fn rest(self, settling: &mut Settling<'_>) {
        for group in self.told.values().flatten().chain(&self.silent) {
            let before = group.copies.min(group.before);
            settling.was_there(group.listed, before);
            match group.copies - before {
                0 => {}
                surplus if before > 0 && group.told() == 2 => settling.doubled(group, surplus),
                surplus => settling.surprise(group.listed, surplus, None),
            }
        }
    }
}

/// The copies of a group beyond one that is somebody's: as many as there were before, and then the same once more.
fn once_more(settling: &mut Settling<'_>, group: &Group<'_>, accounted: u64) {
    let accounted = accounted.min(group.copies);
    settling.was_there(group.listed, accounted - 1);
    if group.copies > accounted {
        settling.doubled(group, group.copies - accounted);
    }
}
