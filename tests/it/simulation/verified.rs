//! `verify` at the end of every migration: what it makes of Chat's lists, where what really happened is known.

use std::collections::{BTreeSet, HashMap, HashSet};

use tenure::journal::JournalError;
use tenure::model::{Span, Timestamp};
use tenure::verify::{Compared, Known, LeftOut, Listed, ListedRole, View, compare};

use super::verdict::OPEN_QUESTIONS;
use super::world::{BEGIN, Simulation};

impl Simulation {
    /// Chat and the journal agree, but for what a reject has left open.
    pub(super) fn check_verified(&self) {
        let mut open: BTreeSet<String> = BTreeSet::new();
        self.journal
            .rejects(|row| -> Result<(), JournalError> {
                let space = row.space.unwrap();
                // What was there before is held, whatever Chat says of it now.
                let before = self.before.contains(&self.key_of(&space, &row.member.unwrap(), row.span));
                if before || OPEN_QUESTIONS.contains(&row.kind.as_str()) {
                    open.insert(space);
                }
                Ok(())
            })
            .unwrap();
        for space in self.journal.spaces_held().unwrap() {
            let name = space.name.as_str();
            if self.service.world.import_mode_of(name, self.own_wall()).is_none() {
                continue;
            }
            let (rows, found) = self.journal.holdings(space.id).unwrap();
            let listed = self.listed(name);
            let named = |listed: &Listed| {
                let names = self.journal.names_of(&listed.holder).unwrap();
                Some((listed.holder.to_string(), names.into_iter().next()?))
            };
            let rowed: HashSet<&str> = rows.iter().filter_map(|row| row.holder()).collect();
            let elsewhere = listed.iter().filter(|listed| !rowed.contains(&*listed.holder));
            let names: HashMap<String, String> = elsewhere.filter_map(named).collect();
            let mut known = Known {
                view: if self.is_standard() { View::Standard } else { View::History },
                rows,
                found,
                names,
                // Whoever was there before came at the very beginning.
                begun_at: Timestamp::from_micros(BEGIN.as_micros() + 1),
                left_out: LeftOut::default(),
                not_members: HashSet::new(),
                completer_left: false,
            };
            let certain = !open.contains(name) && self.losses == 0;
            expect_agreement(name, &compare(&known, &listed), certain);
            // Who is asked for by address is told.
            let asked: HashMap<Box<str>, Option<Box<str>>> = known
                .to_ask_for(&listed)
                .into_iter()
                .map(|member| (member.clone(), self.id_of(name, &member)))
                .collect();
            known.told(&asked);
            let compared = compare(&known, &listed);
            expect_agreement(name, &compared, certain);
            if self.is_standard() {
                assert_eq!(compared.counts.row_untold, 0, "{name}: {compared:?}");
            }
        }
    }

    /// Who a member is by Chat's name, if they are one.
    fn id_of(&self, space: &str, member: &str) -> Option<Box<str>> {
        let mut memberships = self.service.world.memberships().filter(|held| held.space == space);
        let is_it = |address: &str| format!("users/{address}") == member;
        memberships.find(|held| held.address.is_some_and(is_it)).map(|held| held.member.into())
    }

    /// What a space's list shows.
    fn listed(&self, space: &str) -> Vec<Listed> {
        let told = self.service.world.rules().times_echoed;
        let memberships = self.service.world.memberships().filter(|held| held.space == space);
        memberships
            .map(|held| Listed {
                holder: held.member.into(),
                span: match told {
                    true => Span { create_time: Some(held.create_time), delete_time: held.delete_time },
                    false => Span::default(),
                },
                role: held.role.map_or(ListedRole::Untold, ListedRole::Known),
                invited: false,
                app: false,
            })
            .collect()
    }
}

/// Nothing that is done is missing or different; nothing differs at all where nothing was left open.
fn expect_agreement(space: &str, compared: &Compared, certain: bool) {
    let counts = &compared.counts;
    assert_eq!((counts.missing, counts.different), (0, 0), "{space}: {compared:?}");
    assert!(!certain || counts.differences() == 0, "{space}: {compared:?}");
}
