//! The spaces and who is in them; changed only by applying a [`Change`], live or from the store's log.

use std::collections::{BTreeMap, HashMap};

use super::change::{Change, MembershipRecord, SpaceRecord};
use super::ids;
use crate::model::{Role, Timestamp};

/// Import mode ends by itself, with the space, 90 days after `spaces.create` (import-data guide).
const IMPORT_MODE_MICROS: i64 = 90 * 24 * 3600 * 1_000_000;

/// Where a member stands in a roster: a scrambled order that is the same in every process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) mix: u64,
    /// `users/{id}`, `users/app` or `groups/{id}`.
    pub(crate) id: Box<str>,
}

impl Key {
    pub(crate) fn new(id: &str) -> Key {
        Key { mix: ids::scramble(id), id: id.into() }
    }
}

/// One tenure of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stint {
    pub(crate) create_time: Timestamp,
    pub(crate) delete_time: Option<Timestamp>,
    pub(crate) role: Option<Role>,
    pub(crate) invited: bool,
}

impl Stint {
    /// What `Membership.state` shows. For historical memberships Google documents none: as if nobody had left.
    pub(crate) fn state(&self) -> &'static str {
        if self.invited { "INVITED" } else { "JOINED" }
    }
}

/// A member with all tenures, in the order in which they were created.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Member {
    pub(crate) address: Option<Box<str>>,
    pub(crate) stints: Vec<Stint>,
}

pub(crate) type Roster = BTreeMap<Key, Member>;

/// A space and its memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) record: SpaceRecord,
    pub(crate) in_import_mode: bool,
    pub(crate) deleted: bool,
    /// Memberships that have ended: what import mode is for.
    pub(crate) history: Roster,
    /// Members of now. Empty in import mode.
    pub(crate) current: Roster,
    /// How many of the current members are ROLE_MANAGER.
    pub(crate) managers: usize,
}

impl Space {
    pub(crate) fn import_mode_expire_time(&self) -> Timestamp {
        Timestamp::from_micros(self.record.created.as_micros().saturating_add(IMPORT_MODE_MICROS))
    }

    /// Deleted, by hand or by outliving import mode.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.deleted || self.in_import_mode && now >= self.import_mode_expire_time()
    }

    pub(crate) fn role_of(&self, member: &str) -> Option<Role> {
        self.current.get(&Key::new(member))?.stints.first()?.role
    }

    /// Whether somebody has joined; the invited have not.
    pub(crate) fn is_member(&self, member: &str) -> bool {
        let member = self.current.get(&Key::new(member));
        member.and_then(|member| member.stints.first()).is_some_and(|stint| !stint.invited)
    }
}

/// Everything that Chat holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) spaces: BTreeMap<String, Space>,
    pub(crate) by_request_id: HashMap<String, String>,
    pub(crate) by_display_name: HashMap<String, String>,
}

/// A change that fits nothing: only a damaged store has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It is about a space that never was.
    #[error("there is no space {0}")]
    NoSpace(String),
    /// It is about a membership that never was.
    #[error("there is no membership {0}")]
    NoMembership(String),
    /// A name that is none.
    #[error("{0:?} is not a membership's name")]
    BadName(String),
}

/// `spaces/{space}` and the last part, of a membership's name.
fn split(name: &str) -> Result<(&str, &str), ChangeError> {
    name.split_once("/members/").ok_or_else(|| ChangeError::BadName(name.to_owned()))
}

impl State {
    /// Makes a change.
    ///
    /// # Errors
    /// When it does not fit; nothing is changed then.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        match change {
            Change::Space(record) => {
                self.put(record);
                Ok(())
            }
            Change::Membership(record) => self.join(record),
            Change::Role(record) => {
                let (space, part) = split(&record.name)?;
                let space = self.space(space)?;
                let key =
                    current_key(space, part).ok_or_else(|| ChangeError::NoMembership(record.name.clone()))?;
                let mut managers = space.managers;
                if let Some(stint) = space.current.get_mut(&key).and_then(|m| m.stints.first_mut()) {
                    managers -= usize::from(stint.role == Some(Role::Manager));
                    stint.role = record.role;
                    managers += usize::from(stint.role == Some(Role::Manager));
                }
                space.managers = managers;
                Ok(())
            }
            Change::DeletedMembership(name) => {
                let (space, part) = split(name)?;
                let space = self.space(space)?;
                let missing = || ChangeError::NoMembership(name.clone());
                if let Some(key) = current_key(space, part) {
                    let member = space.current.remove(&key).ok_or_else(missing)?;
                    let managed = member.stints.iter().any(|stint| stint.role == Some(Role::Manager));
                    space.managers -= usize::from(managed);
                    return Ok(());
                }
                let key = candidates(part).find(|key| space.history.contains_key(key)).ok_or_else(missing)?;
                space.history.remove(&key);
                Ok(())
            }
            Change::CompletedSpace(name) => {
                self.space(name)?.in_import_mode = false;
                Ok(())
            }
            Change::DeletedSpace(name) => {
                let space = self.space(name)?;
                space.deleted = true;
                space.history = Roster::new();
                space.current = Roster::new();
                space.managers = 0;
                Ok(())
            }
        }
    }

    fn space(&mut self, name: &str) -> Result<&mut Space, ChangeError> {
        self.spaces.get_mut(name).ok_or_else(|| ChangeError::NoSpace(name.to_owned()))
    }

    fn put(&mut self, record: &SpaceRecord) {
        if let Some(id) = &record.request_id {
            self.by_request_id.insert(id.clone(), record.name.clone());
        }
        if !record.display_name.is_empty() {
            self.by_display_name.insert(record.display_name.clone(), record.name.clone());
        }
        if let Some(space) = self.spaces.get_mut(&record.name) {
            if space.record.display_name != record.display_name {
                self.by_display_name.remove(&space.record.display_name);
            }
            space.record = record.clone();
            return;
        }
        let space = Space {
            in_import_mode: record.import_mode,
            record: record.clone(),
            deleted: false,
            history: Roster::new(),
            current: Roster::new(),
            managers: 0,
        };
        self.spaces.insert(record.name.clone(), space);
    }

    fn join(&mut self, record: &MembershipRecord) -> Result<(), ChangeError> {
        let (space, _) = split(&record.name)?;
        let space = self.space(space)?;
        let historical = record.delete_time.is_some();
        let roster = if historical { &mut space.history } else { &mut space.current };
        let member = roster.entry(Key::new(&record.member)).or_default();
        if member.address.is_none() {
            member.address = record.address.as_deref().map(Into::into);
        }
        member.stints.push(Stint {
            create_time: record.create_time,
            delete_time: record.delete_time,
            role: record.role,
            invited: record.invited,
        });
        space.managers += usize::from(!historical && record.role == Some(Role::Manager));
        Ok(())
    }
}

/// The members whose membership may end in this part: a user, or a group.
pub(crate) fn candidates(part: &str) -> impl Iterator<Item = Key> + use<> {
    [format!("users/{part}"), format!("groups/{part}")].into_iter().map(|id| Key::new(&id))
}

fn current_key(space: &Space, part: &str) -> Option<Key> {
    candidates(part).find(|key| space.current.contains_key(key))
}
