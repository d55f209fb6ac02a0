//! How long sending takes at the quotas, and when it ends.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Zoned;

use crate::engine::Rates;
use crate::model::Undertaking;
use crate::wording::{many, span};

/// From here on an end is told as a date.
const LONG: Duration = Duration::from_secs(1800);
/// 85 days: what is left of import mode's 90 when something goes wrong (import-data guide).
pub(super) const IMPORT_MODE: Duration = Duration::from_secs(85 * 86_400);

/// How long it takes to send so many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// At least so long: when nothing is refused.
    pub takes: Duration,
    /// Whether the space with the most rows takes longest, at what one space may take.
    pub by_space: bool,
}

/// The time that writes take, where there is a quota. `spaces` holds the rows to send of each space: the largest one may
/// take longer than all of them together.
pub fn timing(spaces: &[u64], rates: &Rates) -> Option<Timing> {
    let (quota, each) = (u64::from(rates.writes_per_minute), u64::from(rates.writes_per_minute_per_space));
    let rows: u64 = spaces.iter().sum();
    if rows == 0 || quota == 0 {
        return None;
    }
    let seconds_at = |rows: u64, rate: u64| rows.saturating_mul(60).div_ceil(rate);
    let all = seconds_at(rows, quota);
    let largest = spaces.iter().max().filter(|_| each > 0).map_or(0, |rows| seconds_at(*rows, each));
    Some(Timing { takes: Duration::from_secs(all.max(largest)), by_space: largest > all })
}

/// When it ends: day, time, and the zone's own word for itself.
pub(super) fn end(now: &Zoned, takes: Duration) -> Option<Zoned> {
    now.checked_add(takes).ok()
}

/// How long sending takes at the quota, and when it ends if that is not soon. `None` without a quota.
pub fn estimate(spaces: &[u64], rates: &Rates, now: &Zoned, undertaking: Undertaking) -> Option<String> {
    let Timing { takes, by_space } = timing(spaces, rates)?;
    let rows = spaces.iter().sum();
    let why = match by_space {
        true => format!(", and {} in any one space", rates.writes_per_minute_per_space),
        false => String::new(),
    };
    let quota = rates.writes_per_minute;
    let what = format!("{} to {}", many(rows, undertaking.noun()), undertaking.verb());
    let mut text = format!("{what}: about {} at {quota} writes a minute{why}", span(takes));
    if let Some(end) = end(now, takes).filter(|_| takes >= LONG) {
        let _ = write!(text, ", until {}", end.strftime("%A %Y-%m-%d %H:%M %Z"));
    }
    if takes >= IMPORT_MODE {
        text +=
            "; a space is deleted 90 days after it was created in import mode: ask Google for a larger quota";
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn how_long_it_takes() {
        let now: Zoned = "2026-11-20T18:00:00+01:00[Europe/Berlin]".parse().unwrap();
        let estimate = |pending: u64, quota| {
            let spaces = vec![pending / 10; 10];
            let rates = Rates { writes_per_minute: quota, ..Rates::default() };
            estimate(&spaces, &rates, &now, Undertaking::Import)
        };
        assert_eq!(estimate(520, 6000).unwrap(), "520 rows to send: about 6 s at 6000 writes a minute");
        assert_eq!(
            estimate(400_000, 300).unwrap(),
            "400000 rows to send: about 22 h 13 min at 300 writes a minute, until Saturday 2026-11-21 16:13 CET"
        );
        assert!(estimate(38_000_000, 300).unwrap().contains("larger quota"));
        assert_eq!((estimate(0, 300), estimate(10, 0)), (None, None));
        assert_eq!(
            estimate(9000, 30_000).unwrap(),
            "9000 rows to send: about 1 min 0 s at 30000 writes a minute, and 900 in any one space"
        );
    }

    proptest! {
        #[test]
        fn a_larger_quota_never_takes_longer(
            spaces in prop::collection::vec(0u64..1_000_000, 1..20),
            quota in 1u32..100_000,
            more in 0u32..100_000,
            each in 0u32..5000,
        ) {
            let rates = |writes_per_minute| Rates {
                writes_per_minute,
                writes_per_minute_per_space: each,
                ..Rates::default()
            };
            let (slow, fast) = (timing(&spaces, &rates(quota)), timing(&spaces, &rates(quota + more)));
            prop_assert_eq!(slow.is_none(), spaces.iter().all(|rows| *rows == 0));
            if let (Some(slow), Some(fast)) = (slow, fast) {
                prop_assert!(fast.takes <= slow.takes);
                // No minute takes more than the quota.
                let rows: u64 = spaces.iter().sum();
                prop_assert!(slow.takes.as_secs() * u64::from(quota) >= rows * 60);
            }
        }
    }
}
