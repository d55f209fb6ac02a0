//! How the page names what a journal is about, and how it writes figures and times.

use std::time::Duration;

use crate::model::{Timestamp, Undertaking};
pub(super) use crate::wording::{counted as many, sentence, thousands};

/// The words for what the rows of a journal are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// What the page is about.
    pub(super) heading: &'static str,
    /// What a row is.
    pub(super) noun: &'static str,
    /// What is said of one that is done,
    pub(super) is_done: &'static str,
    /// and of several.
    pub(super) are_done: &'static str,
    /// The same in a word.
    pub(super) done: &'static str,
    /// What is said of those that were done before.
    pub(super) existed: &'static str,
}

impl Words {
    pub(super) const fn of(undertaking: Undertaking) -> Words {
        match undertaking {
            Undertaking::Import => Words {
                heading: "Membership history for Google Chat",
                noun: "membership",
                is_done: "is in Google Chat",
                are_done: "are in Google Chat",
                done: "Moved",
                existed: "were there before",
            },
            Undertaking::Rollback => Words {
                heading: "An import into Google Chat, taken back",
                noun: "membership",
                is_done: "is taken back",
                are_done: "are taken back",
                done: "Taken back",
                existed: "were gone already",
            },
            Undertaking::Remove => Words {
                heading: "Memberships removed from Google Chat",
                noun: "membership",
                is_done: "is removed",
                are_done: "are removed",
                done: "Removed",
                existed: "were gone already",
            },
            Undertaking::Update => Words {
                heading: "Roles changed in Google Chat",
                noun: "membership",
                is_done: "has its new role",
                are_done: "have their new role",
                done: "Changed",
                existed: "had it already",
            },
            Undertaking::Spaces => Words {
                heading: "Spaces made in Google Chat",
                noun: "channel",
                is_done: "is a space",
                are_done: "are spaces",
                done: "Made",
                existed: "were there before",
            },
        }
    }

    /// The same for a rehearsal, which has done nothing of it.
    pub(super) const fn rehearsed(self) -> Words {
        Words { is_done: "was rehearsed", are_done: "were rehearsed", done: "Rehearsed", ..self }
    }

    /// `1 membership`, `12,000 memberships`.
    pub(super) fn many(self, count: u64) -> String {
        many(count, self.noun)
    }
}

/// A part of a whole in percent. Only all of it is 100 %, and only nothing is 0 %.
pub(super) fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return "100 %".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.1 {
        "under 0.1 %".to_owned()
    } else if percent > 99.9 {
        "over 99.9 %".to_owned()
    } else if !(10.0..=90.0).contains(&percent) {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A day: `5 March 2021`.
pub(super) fn day(time: Timestamp) -> String {
    formatted(time, "%-d %B %Y")
}

/// A minute: `5 March 2021, 09:30`.
pub(super) fn minute(time: Timestamp) -> String {
    formatted(time, "%-d %B %Y, %H:%M")
}

/// From when to when, without saying the same day twice.
pub(super) fn from_to(from: Timestamp, to: Timestamp) -> String {
    if minute(from) == minute(to) {
        format!("on {}", minute(from))
    } else if day(from) == day(to) {
        format!("on {}, between {} and {}", day(from), formatted(from, "%H:%M"), formatted(to, "%H:%M"))
    } else {
        format!("between {} and {}", minute(from), minute(to))
    }
}

/// In UTC, which the page says once.
pub(super) fn formatted(time: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros())
        .map_or_else(|_| time.to_string(), |time| time.strftime(format).to_string())
}

/// How long it is from one moment to another; nothing if the clock was set back.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(to.as_micros().saturating_sub(from.as_micros())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let shares = [(0, 5), (5, 5), (1, 100_000), (99_999, 100_000), (1, 2), (1, 20), (0, 0)];
        assert_eq!(
            shares.map(|(part, whole)| share(part, whole)),
            ["0 %", "100 %", "under 0.1 %", "over 99.9 %", "50 %", "5.0 %", "0 %"]
        );
    }

    #[test]
    fn times() {
        let at = |text: &str| Timestamp::parse(text, None).unwrap();
        let begin = at("2026-11-20T18:02:40Z");
        assert_eq!(from_to(begin, begin), "on 20 November 2026, 18:02");
        assert_eq!(
            from_to(begin, at("2026-11-20T21:00:00Z")),
            "on 20 November 2026, between 18:02 and 21:00"
        );
        assert_eq!(
            from_to(begin, at("2026-11-22T04:10:00Z")),
            "between 20 November 2026, 18:02 and 22 November 2026, 04:10"
        );
        assert_eq!(between(at("2026-11-20T18:02:40Z"), at("2026-11-20T18:02:39Z")), Duration::ZERO);
    }
}
