//! What is to be said of rows that are in order: nothing is wrong with them, but they may not be what was meant, or Chat may
//! refuse them for a reason that only it knows for sure. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::input::{Becoming, COLUMNS_MAX, Key, ProblemKind, Problems, Rules, lookalike};
use crate::model::{MemberName, Names, SpaceName, Tenure, Timestamp};

/// As many of a kind as are kept; of more nothing is said but that they are there.
const SAID_MAX: u64 = (Problems::KEPT_MAX + Problems::PLACES_MAX) as u64;

/// Looks at rows as they come.
pub(super) struct Remarks {
    rules: Arc<Rules>,
    /// Whether a member is from outside the organisation, by number; `None` where nobody has looked.
    outside: Vec<Option<bool>>,
    /// When a space begins, by number, as far as that is known.
    began: Vec<Option<Option<Timestamp>>>,
    /// When the time of a space in import mode was over, by number, if it is.
    expired: Vec<Option<Option<Timestamp>>>,
    /// How much was said of each kind.
    said: [u64; 4],
    /// Keys of objects that are none of ours: which of ours they most likely say, and whether that was said.
    unread: HashMap<String, (Option<Key>, bool)>,
}

/// Message and help; `None` where it was said of others often enough.
pub(super) type Words = Option<(String, &'static str)>;

impl Remarks {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Remarks {
            rules,
            outside: Vec::new(),
            began: Vec::new(),
            expired: Vec::new(),
            said: [0; 4],
            unread: HashMap::new(),
        }
    }

    /// Says what there is to be said of a row, each with the column that it is about.
    pub(super) fn on(
        &mut self,
        row: &Tenure<u32, u32>,
        names: &Names,
        mut say: impl FnMut(ProblemKind, Key, Words),
    ) {
        let is_history = match self.rules.becoming {
            Becoming::History => true,
            Becoming::Today(_) => false,
            // Somebody who is to go or to change a role is there already.
            Becoming::Gone { .. } | Becoming::Roles => return,
        };
        if is_history && row.delete_time.is_none() {
            let words = self.often(0).then(|| {
                let message = "it has no end: this is somebody who is still a member, and is added once the space is \
                               completed";
                (message.to_owned(), "`tenure complete` does that; for somebody who has left, fill in deleteTime")
            });
            say(ProblemKind::OpenRow, Key::DeleteTime, words);
        }
        // Whoever is still a member is added without times, and as anybody is.
        let ended = is_history && row.delete_time.is_some();
        if (ended || !is_history) && self.is_outside(row.member, names) {
            let words = self.often(1).then(|| {
                let message = format!("it is nobody of {}", self.rules.domains.join(", "));
                let help = match is_history {
                    true => "Chat takes history of the organisation's own people only: expect that it refuses this row",
                    false => "Chat adds people from outside only where the space lets them in",
                };
                (message, help)
            });
            say(ProblemKind::OutsideDomain, Key::Member, words);
        }
        if is_history && let Some(expired) = self.expired(row.space, names) {
            let words = self.often(3).then(|| {
                let file = self.rules.spaces.as_ref().map_or("", |map| map.file());
                let message = format!("Chat has deleted this space at {expired}, unless it was completed before ({file})");
                (message, "create it anew with `tenure spaces create`, and use the new map; a completed space takes no history")
            });
            say(ProblemKind::ExpiredSpace, Key::Space, words);
        }
        if let Some((begins, key)) = begins(row).filter(|_| ended)
            && let Some(began) = self.began(row.space, names).filter(|began| begins < *began)
        {
            let words = self.often(2).then(|| {
                let file = self.rules.spaces.as_ref().map_or("", |map| map.file());
                let message = format!("it is before its space begins, {began} ({file})");
                (message, "Chat refuses such a row, and it becomes a reject: mend it, or make the space with an earlier createTime")
            });
            say(ProblemKind::BeforeSpace, key, words);
        }
    }

    /// Says which key of an object, `given` as JSON, most likely tells a time that the row lacks, and whether that key was not
    /// said before. A file with a header is looked at once, with its header.
    pub(super) fn on_keys(
        &mut self,
        row: &Tenure<u32, u32>,
        given: Option<&str>,
        mut say: impl FnMut(&str, Key, bool),
    ) {
        let lacks = |key| match key {
            Key::CreateTime => row.create_time.is_none(),
            Key::DeleteTime => row.delete_time.is_none(),
            Key::Space | Key::Member | Key::Role => false,
        };
        let is_history = matches!(self.rules.becoming, Becoming::History);
        if !is_history || !(lacks(Key::CreateTime) || lacks(Key::DeleteTime)) {
            return;
        }
        let Some(Ok(keys)) = given.map(serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>) else {
            return;
        };
        for (name, value) in &keys {
            // Whoever is still a member may well have no `left`.
            if matches!(value.get(), "null" | "\"\"") {
                continue;
            }
            let Some((Some(key), is_said)) = self.meaning(name) else { continue };
            if lacks(*key) {
                say(name, *key, !std::mem::replace(is_said, true));
            }
        }
    }

    /// Whether that was said of a key.
    pub(super) fn has_said(&self, name: &str) -> bool {
        self.unread.get(name).is_some_and(|(_, is_said)| *is_said)
    }

    /// Which of ours a key most likely says; `None` when there were too many to remember.
    fn meaning(&mut self, name: &str) -> Option<&mut (Option<Key>, bool)> {
        if !self.unread.contains_key(name) {
            if self.unread.len() >= COLUMNS_MAX {
                return None;
            }
            let names = [name.to_owned()];
            let key =
                [Key::DeleteTime, Key::CreateTime].into_iter().find(|key| lookalike(*key, &names).is_some());
            self.unread.insert(name.to_owned(), (key, false));
        }
        self.unread.get_mut(name)
    }

    /// Whether there is still to be said in full.
    fn often(&mut self, kind: usize) -> bool {
        self.said[kind] += 1;
        self.said[kind] <= SAID_MAX
    }

    fn is_outside(&mut self, member: u32, names: &Names) -> bool {
        let domains = &self.rules.domains;
        !domains.is_empty()
            && *known(&mut self.outside, member, || {
                let name = MemberName::parse(&names.member_name(member)).ok();
                let address = name.as_ref().and_then(MemberName::address);
                let domain = address.and_then(|address| address.rsplit('@').next());
                domain.is_some_and(|domain| !domains.iter().any(|own| own == domain))
            })
    }

    fn expired(&mut self, space: u32, names: &Names) -> Option<Timestamp> {
        let (map, now) = (self.rules.spaces.as_ref()?, self.rules.now);
        *known(&mut self.expired, space, || {
            let age = SpaceName::parse(&names.space_name(space)).ok().and_then(|name| map.age(&name))?;
            age.expire_time.filter(|time| *time <= now)
        })
    }

    fn began(&mut self, space: u32, names: &Names) -> Option<Timestamp> {
        let map = self.rules.spaces.as_ref()?;
        *known(&mut self.began, space, || {
            SpaceName::parse(&names.space_name(space)).ok().and_then(|name| map.age(&name)?.create_time)
        })
    }
}

/// When a row that has ended begins, and the column that says so: without createTime Chat takes deleteTime - 1 µs.
fn begins(row: &Tenure<u32, u32>) -> Option<(Timestamp, Key)> {
    let created = row.create_time.map(|time| (time, Key::CreateTime));
    created.or_else(|| row.delete_time.map(|time| (time.just_before(), Key::DeleteTime)))
}

/// What is known of a number, looked up when it is first asked for.
fn known<T: Clone>(all: &mut Vec<Option<T>>, number: u32, look: impl FnOnce() -> T) -> &T {
    let place = number as usize;
    if all.len() <= place {
        all.resize(place + 1, None);
    }
    all[place].get_or_insert_with(look)
}

/// The spaces in which more members than so many would stay: each one's number, and how many. `staying` has a figure a
/// space, from number 1 on.
pub(super) fn crowded(staying: &[u64], members_max: u64) -> Vec<(u32, u64)> {
    (1..).zip(staying.iter().copied()).filter(|(_, members)| *members > members_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Source, SpaceMap};

    fn remarks(rules: Rules, rows: &[(&str, &str, Option<&str>, Option<&str>)]) -> Vec<String> {
        let (mut names, mut remarks) = (Names::new(), Remarks::new(Arc::new(rules)));
        let time = |text: &str| Timestamp::parse(text, None).unwrap();
        let mut said = Vec::new();
        for (space, member, create, delete) in rows {
            let row = Tenure {
                space: names.space_number(&SpaceName::parse(space).unwrap()),
                member: names.member_number(&MemberName::parse(member).unwrap()),
                create_time: create.map(time),
                delete_time: delete.map(time),
                role: None,
            };
            remarks.on(&row, &names, |kind, key, words| {
                said.push(format!(
                    "{kind} {key:?}: {}",
                    words.map_or("…".to_owned(), |(message, _)| message)
                ));
            });
        }
        said
    }

    fn rules() -> Rules {
        let map = "name,space,createTime\n#a,spaces/A,2020-01-01T00:00:00Z\n#b,spaces/B,\n";
        let map = SpaceMap::read(Source::from_reader("map.csv", map.as_bytes()).unwrap()).unwrap();
        let now = Timestamp::parse("2026-01-01T00:00:00Z", None).unwrap();
        Rules { spaces: Some(map), domains: vec!["example.com".to_owned()], ..Rules::new(now) }
    }

    #[test]
    fn what_is_said_of_history() {
        let said = remarks(
            rules(),
            &[
                ("A", "a@example.com", Some("2020-01-01T00:00:00Z"), Some("2021-01-01T00:00:00Z")),
                ("A", "a@example.com", Some("2019-12-31T23:59:59Z"), Some("2021-01-01T00:00:00Z")),
                ("A", "a@example.com", None, Some("2020-01-01T00:00:00Z")),
                // Whoever stays is added without times, from wherever they are.
                ("A", "a@elsewhere.org", Some("2019-01-01T00:00:00Z"), None),
                ("B", "a@elsewhere.org", Some("2019-01-01T00:00:00Z"), Some("2021-01-01T00:00:00Z")),
                ("B", "users/123", Some("2019-01-01T00:00:00Z"), Some("2021-01-01T00:00:00Z")),
            ],
        );
        assert_eq!(
            said,
            [
                "before-space CreateTime: it is before its space begins, 2020-01-01T00:00:00Z (map.csv)",
                "before-space DeleteTime: it is before its space begins, 2020-01-01T00:00:00Z (map.csv)",
                "open-row DeleteTime: it has no end: this is somebody who is still a member, and is added once the space \
                 is completed",
                "outside-domain Member: it is nobody of example.com",
            ]
        );
    }

    #[test]
    fn what_is_said_of_members_of_today() {
        let today = Rules { becoming: Becoming::Today(Arc::new(|_| None)), ..rules() };
        let rows = [("A", "a@elsewhere.org", None, None), ("A", "a@example.com", None, None)];
        assert_eq!(remarks(today, &rows), ["outside-domain Member: it is nobody of example.com"]);
        assert!(remarks(Rules { becoming: Becoming::Roles, ..rules() }, &rows).is_empty());
    }

    #[test]
    fn of_many_only_the_first_are_described() {
        let rows = vec![("A", "a@example.com", None, None); 20];
        let said = remarks(rules(), &rows);
        assert_eq!((said.len(), said.iter().filter(|said| said.ends_with('…')).count()), (20, 7));
    }

    #[test]
    fn spaces_that_would_be_too_full() {
        assert_eq!(crowded(&[400, 401, 0, 500], 400), [(2, 401), (4, 500)]);
    }

    #[test]
    fn keys_that_most_likely_tell_a_time_that_the_row_lacks() {
        let mut remarks = Remarks::new(Arc::new(rules()));
        let time = Timestamp::parse("2020-01-01T00:00:00Z", None).ok();
        let mut said = Vec::new();
        for (create_time, delete_time, given) in [
            (time, None, r#"{"left":null,"note":"left"}"#),
            (time, None, r#"{"left":"","deleteEvidence":"roster","legacyMember":"U1"}"#),
            (time, None, r#"{"left":"2021"}"#),
            (time, None, r#"{"left":"2022","Left on":{"a":[1]}}"#),
            (None, time, r#"{"left":"2022","joined_at":"2019"}"#),
            (time, time, r#"{"left":"2022","joined_at":"2019"}"#),
        ] {
            let row = Tenure { space: 1, member: 1, create_time, delete_time, role: None };
            remarks
                .on_keys(&row, Some(given), |name, key, first| said.push(format!("{name} {key:?} {first}")));
        }
        assert_eq!(
            said,
            [
                "left DeleteTime true",
                "Left on DeleteTime true",
                "left DeleteTime false",
                "joined_at CreateTime true"
            ]
        );
    }
}
