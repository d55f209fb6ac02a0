//! Standard channels: their members are their team's, and who comes to the team or goes is told in one of them alone. Pure.

use crate::model::Timestamp;

/// What somebody did in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Joined,
    /// Was a member by then.
    JoinedBy,
    Left,
    Present,
}

/// What is told of somebody in the standard channels of a team.
#[derive(Debug, Default)]
pub(super) struct Life<'a> {
    /// Joins (true) and leaves, in the order of their times, each with the channel that tells it.
    pub(super) events: Vec<(Timestamp, bool, &'a str)>,
    /// The first message and the last.
    pub(super) seen: Option<(Timestamp, Timestamp)>,
}

impl Life<'_> {
    /// What that means for a channel which is there since `created`, beside what it tells itself.
    pub(super) fn within(&self, channel: &str, created: Option<Timestamp>) -> Vec<(Timestamp, Act)> {
        let elsewhere = self.events.iter().filter(|(.., of)| *of != channel);
        let events: Vec<(Timestamp, bool)> = elsewhere.map(|(time, joined, _)| (*time, *joined)).collect();
        let act = |(time, joined): (Timestamp, bool)| (time, if joined { Act::Joined } else { Act::Left });
        let messages = self.seen.into_iter().flat_map(|(first, last)| [first, last]);
        let Some(created) = created else {
            return events.into_iter().map(act).chain(messages.map(|time| (time, Act::Present))).collect();
        };
        let later = events.partition_point(|(time, _)| *time <= created);
        let at_first = match (&events[..later], self.seen) {
            // The channel was made when the member was there already.
            ([.., (_, true)], _) => Some((created, Act::Joined)),
            ([], Some((first, _))) if first < created && events.first().is_none_or(|(_, joined)| !joined) => {
                Some((created, Act::JoinedBy))
            }
            _ => None,
        };
        let then = events[later..].iter().copied().map(act);
        let messages = messages.filter(|time| *time > created).map(|time| (time, Act::Present));
        at_first.into_iter().chain(then).chain(messages).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_life_in_a_team_means_for_a_channel() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let shown = |events: &[(i64, bool)], seen: Option<(i64, i64)>, created| {
            let events = events.iter().map(|(second, joined)| (at(*second), *joined, "general")).collect();
            let life = Life { events, seen: seen.map(|(a, b)| (at(a), at(b))) };
            assert!(life.within("general", None).iter().all(|(_, act)| *act == Act::Present));
            let acts = life.within("hulls", Option::map(created, at));
            let acts: Vec<String> = acts
                .into_iter()
                .map(|(time, act)| format!("{}{act:?}", time.as_micros() / 1_000_000))
                .collect();
            acts.join(" ")
        };
        assert_eq!(shown(&[(5, true), (20, false)], Some((7, 12)), Some(10)), "10Joined 20Left 12Present");
        assert_eq!(shown(&[(5, true), (8, false), (20, true)], None, Some(10)), "20Joined");
        assert_eq!(shown(&[(15, true)], None, Some(10)), "15Joined");
        assert_eq!(shown(&[(20, false)], Some((7, 12)), Some(10)), "10JoinedBy 20Left 12Present");
        // When they came back nobody knows.
        assert_eq!(shown(&[(20, true)], Some((7, 8)), Some(10)), "20Joined");
        assert_eq!(shown(&[(5, true)], Some((7, 7)), None), "5Joined 7Present 7Present");
        assert_eq!(shown(&[], None, Some(10)), "");
    }
}
