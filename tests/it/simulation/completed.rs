//! `complete` behind every second migration of history: crashes and lost answers go on, a day's other troubles are over.

use std::collections::BTreeMap;

use rand::RngExt;
use tenure::emulator::world::{Principal, Scopes};
use tenure::engine::Completion;
use tenure::journal::JournalError;
use tenure::model::{MemberName, Role};

use super::seed::Troubles;
use super::world::{ADMIN, Simulation};

impl Simulation {
    /// Completes what can be, in as many lives as it takes, and looks what has come of it.
    pub(super) fn complete(&mut self) {
        if self.is_standard() || self.rng.random_bool(0.5) {
            return;
        }
        self.troubles = Troubles::none();
        self.losses_left = 0;
        self.lives_left = self.rng.random_range(0..4);
        self.skew = 0;
        let scopes = Scopes::IMPORT.and(Scopes::MEMBERSHIPS).and(Scopes::BOT);
        self.principal = Principal::new(scopes, Some(ADMIN));
        self.app_may_look = self.rng.random_bool(0.5);
        self.config.sets_roles = true;
        self.config.completion = Some(Completion {
            leaves: self.rng.random_bool(0.5).then(|| MemberName::parse(ADMIN).unwrap()),
            accepts_rejects: true,
        });
        let mut lives = 0;
        while !self.live() {
            lives += 1;
            assert!(lives < 60, "it never ends");
        }
        self.check_completed();
    }

    /// Whatever could be completed is, once; everybody who is a member today is in it, once, with their role.
    fn check_completed(&mut self) {
        self.check_counters();
        let mut rejected: BTreeMap<(String, String), String> = BTreeMap::new();
        self.journal
            .rejects(|row| -> Result<(), JournalError> {
                if row.span.delete_time.is_none() {
                    rejected.insert((row.space.unwrap(), row.member.unwrap()), row.kind);
                }
                Ok(())
            })
            .unwrap();
        let now = self.own_wall();
        let work = self.journal.work().unwrap();
        let unsettled = |name: &str| work.spaces.iter().any(|space| space.name.as_str() == name);
        let mut today: BTreeMap<(String, String), Vec<Option<Role>>> = BTreeMap::new();
        for held in self.service.world.memberships().filter(|held| held.delete_time.is_none()) {
            let member = held.address.map_or(held.member.to_owned(), |address| format!("users/{address}"));
            today.entry((held.space.to_owned(), member)).or_default().push(held.role);
        }
        for name in self.journal.space_names().unwrap() {
            let name = name.as_str();
            match self.service.world.import_mode_of(name, now) {
                Some(true) => assert!(unsettled(name), "{name} could have been completed"),
                Some(false) => {
                    assert!(self.journal.completed(name).unwrap(), "{name} is completed");
                    self.seen.completed += 1;
                }
                None => continue,
            }
        }
        for tenure in self.tenures.iter().filter(|tenure| tenure.delete_time.is_none()) {
            let key = (tenure.space.to_string(), tenure.member.to_string());
            let there = today.get(&key).cloned().unwrap_or_default();
            let done = self.journal.completed(&key.0).unwrap();
            match (done, rejected.get(&key)) {
                _ if self.service.world.import_mode_of(&key.0, now).is_none() => {}
                (false, _) => assert!(there.is_empty(), "added too early: {key:?}"),
                (true, Some(kind)) => {
                    assert!(there.len() <= 1 && kind != "KEPT_FAILING", "{kind} {key:?} {there:?}");
                }
                (true, None) => {
                    let role = Some(tenure.role.unwrap_or(Role::Member));
                    assert_eq!(there, [role], "{key:?}");
                    self.seen.added += 1;
                }
            }
        }
    }
}
