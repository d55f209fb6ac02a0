//! What the audit log tells of one member of one channel, put in order. Pure.
//!
//! An entry that was filled in later (`backfilled`) has a time that is too late, and a number that is far too high; the
//! last message that was there before it (`event_last_message_id`) puts it where it belongs.

use crate::model::Timestamp;

/// An entry of the audit log about a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The channel.
    pub(super) stream: i64,
    /// Whose subscription it is.
    pub(super) user: i64,
    /// The entry's number.
    pub(super) id: i64,
    /// The newest message when it was written; -1: there was none.
    pub(super) last_message: Option<i64>,
    /// When, or by when.
    pub(super) time: Timestamp,
    /// What.
    pub(super) act: Act,
    /// Whether it was done by the member.
    pub(super) by_oneself: bool,
}

/// What became of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// It began (301), or began again (302).
    Joined,
    /// It had begun by then: written down when it had been forgotten, or by an import.
    JoinedBy,
    /// It ended (303).
    Left,
}

/// Finds what an import has written, and says that it tells no more than "by then": in one moment several people have all
/// subscribed themselves, for an import knows no times and has nobody who does it. Puts entries in order by member.
pub(super) fn sort(log: &mut [Entry]) {
    log.sort_unstable_by_key(|entry| entry.time);
    for moment in log.chunk_by_mut(|one, other| one.time == other.time) {
        let imported = |entry: &Entry| entry.act == Act::Joined && entry.by_oneself;
        let mut users = moment.iter().filter(|entry| imported(entry)).map(|entry| entry.user);
        let first = users.next();
        if users.any(|user| Some(user) != first) {
            moment.iter_mut().filter(|entry| imported(entry)).for_each(|entry| entry.act = Act::JoinedBy);
        }
    }
    log.sort_unstable_by_key(|entry| (entry.stream, entry.user, entry.time, entry.id));
    log.chunk_by_mut(|one, other| (one.stream, one.user) == (other.stream, other.user)).for_each(in_order);
}

/// Puts the entries of one member in the order in which things happened, and times in that order, too.
fn in_order(entries: &mut [Entry]) {
    if entries.iter().all(|entry| entry.last_message.is_some()) {
        entries.sort_unstable_by_key(|entry| (entry.last_message, entry.id));
    }
    // "By then" is too late if something came after it before then.
    let mut next: Option<Timestamp> = None;
    for entry in entries.iter_mut().rev() {
        if let Some(next) = next
            && entry.act == Act::JoinedBy
            && next <= entry.time
        {
            entry.time = next.just_before();
        }
        next = Some(next.map_or(entry.time, |next| next.min(entry.time)));
    }
    let mut before: Option<Timestamp> = None;
    for entry in entries {
        entry.time = before.map_or(entry.time, |before| before.max(entry.time));
        before = Some(entry.time);
    }
}

/// The leaves that archiving a channel meant, which old servers did not write down: whoever subscribes again, or has no
/// subscription in a channel that is back (`ended`), had none from then on. `archivings` in their order.
pub(super) fn leaves_by_archiving(
    entries: &[Entry],
    archivings: &[Timestamp],
    ended: bool,
) -> Vec<Timestamp> {
    let nexts = entries.iter().skip(1).map(Some).chain([None]);
    entries
        .iter()
        .zip(nexts)
        .filter(|(entry, _)| entry.act != Act::Left)
        .filter_map(|(entry, next)| {
            let until = match next {
                Some(next) if next.act != Act::Left => Some(next.time),
                None if ended => None,
                _ => return None,
            };
            let archived = archivings.iter().find(|time| **time > entry.time)?;
            until.is_none_or(|until| *archived < until).then_some(*archived)
        })
        .collect()
}

/// When a message tells something of membership. Anybody may write in public channels, subscribed or not, so it does only
/// where the log is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    /// Up to then.
    pub(super) until: Option<Timestamp>,
    /// From then on.
    pub(super) since: Option<Timestamp>,
}

impl Window {
    /// Always: the log tells nothing.
    pub(super) const ALWAYS: Window = Window { until: Some(Timestamp::from_micros(i64::MAX)), since: None };

    /// For a member of whom the log tells this. `end_unknown`: the subscription is over, and nothing says since when.
    pub(super) fn beside(entries: &[Entry], end_unknown: bool) -> Option<Self> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Some(Window::ALWAYS);
        };
        let until = (first.act != Act::Joined).then_some(first.time);
        let since = (last.act != Act::Left && end_unknown).then_some(last.time);
        (until.is_some() || since.is_some()).then_some(Window { until, since })
    }

    /// Whether a message at this time tells something.
    pub(super) fn has(&self, time: Timestamp) -> bool {
        self.until.is_some_and(|until| time <= until) || self.since.is_some_and(|since| since <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn entry(id: i64, second: i64, last_message: Option<i64>, act: Act) -> Entry {
        Entry { stream: 1, user: 1, id, last_message, time: at(second), act, by_oneself: false }
    }

    fn shown(log: &[Entry]) -> Vec<(i64, i64)> {
        log.iter().map(|entry| (entry.id, entry.time.as_micros())).collect()
    }

    #[test]
    fn what_was_filled_in_later_comes_where_it_belongs() {
        let mut log = [
            entry(5, 100, Some(50), Act::Left),
            entry(9, 900, Some(10), Act::JoinedBy),
            entry(7, 200, Some(70), Act::Joined),
        ];
        sort(&mut log);
        assert_eq!(shown(&log), [(9, 99_999_999), (5, 100_000_000), (7, 200_000_000)]);
        // Without the messages there are only the times.
        let mut log = [entry(9, 900, None, Act::JoinedBy), entry(5, 100, Some(50), Act::Joined)];
        sort(&mut log);
        assert_eq!(shown(&log), [(5, 100_000_000), (9, 900_000_000)]);
        // A clock that was set back.
        let mut log = [entry(2, 90, Some(51), Act::Left), entry(1, 100, Some(50), Act::Joined)];
        sort(&mut log);
        assert_eq!(shown(&log), [(1, 100_000_000), (2, 100_000_000)]);
    }

    #[test]
    fn several_people_who_subscribe_themselves_in_one_moment_were_imported() {
        let of =
            |user, second, by_oneself| Entry { user, by_oneself, ..entry(user, second, None, Act::Joined) };
        let mut log = [
            of(1, 5, true),
            of(2, 5, true),
            of(3, 5, false),
            of(4, 6, true),
            of(5, 7, false),
            of(6, 7, false),
        ];
        sort(&mut log);
        let acts: Vec<Act> = log.iter().map(|entry| entry.act).collect();
        use Act::{Joined, JoinedBy};
        assert_eq!(acts, [JoinedBy, JoinedBy, Joined, Joined, Joined, Joined]);
    }

    #[test]
    fn archiving_ends_subscriptions_where_nothing_else_does() {
        let joined = |second| entry(second, second, None, Act::Joined);
        let left = |second| entry(second, second, None, Act::Left);
        let archived = [at(20), at(50)];
        assert_eq!(leaves_by_archiving(&[joined(10), joined(30)], &archived, false), [at(20)]);
        assert_eq!(leaves_by_archiving(&[joined(10), left(30)], &archived, false), []);
        assert_eq!(leaves_by_archiving(&[joined(30)], &archived, true), [at(50)]);
        assert_eq!(leaves_by_archiving(&[joined(60)], &archived, true), []);
    }

    #[test]
    fn messages_count_where_the_log_is_silent() {
        let joined = entry(1, 10, None, Act::Joined);
        assert_eq!(Window::beside(&[joined], false), None);
        let since = Window::beside(&[joined], true).unwrap();
        assert!(since.has(at(10)) && !since.has(at(9)));
        let until = Window::beside(&[entry(1, 10, None, Act::Left)], true).unwrap();
        assert!(until.has(at(10)) && !until.has(at(11)));
        assert!(Window::beside(&[], false).unwrap().has(at(1_000_000)));
    }

    proptest! {
        #[test]
        fn times_never_go_back(
            events in prop::collection::vec((0i64..50, prop::option::of(0i64..20), 0usize..3, any::<bool>()), 0..20),
        ) {
            let mut log: Vec<Entry> = (0..)
                .zip(events)
                .map(|(id, (second, last_message, act, by_oneself))| Entry {
                    user: id % 3,
                    by_oneself,
                    ..entry(id, second, last_message, [Act::Joined, Act::JoinedBy, Act::Left][act])
                })
                .collect();
            let before = log.len();
            sort(&mut log);
            prop_assert_eq!(log.len(), before);
            for pair in log.windows(2).filter(|pair| pair[0].user == pair[1].user) {
                prop_assert!(pair[0].time <= pair[1].time);
            }
        }
    }
}
