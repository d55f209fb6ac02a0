//! Why a run is not faster than it is. Pure.

use std::time::Duration;

use super::event::Snapshot;
use crate::model::{PaceReason, Why};
use crate::wording::{many, span};

impl Snapshot {
    /// Why it is not faster, the most important first; never empty while rows are left.
    pub fn why(&self) -> Vec<Why> {
        let mut why = Vec::new();
        if self.settled() >= self.goal() {
            return why;
        }
        if !self.paused.is_zero() {
            let wait = span(self.paused);
            why.push(if self.asked_to_wait {
                Why::new("asked_to_wait", format!("waiting {wait} as Chat asked (Retry-After)"))
            } else if self.throttled {
                Why::new("quota_used_up", format!("waiting {wait} for the quota"))
            } else {
                Why::new("unreachable", format!("waiting {wait} for the connection"))
            });
        }
        if why.is_empty() && self.pace.why == PaceReason::Unreachable {
            why.push(Why::new("unreachable", "nothing is reached at the moment"));
        }
        why.extend(self.pace.reasons());
        let braked = !why.is_empty();
        if self.under_way >= self.under_way_max && !self.answer_time.is_zero() {
            why.push(Why::new(
                "slow_answers",
                format!(
                    "answers take {}: {} under way, the most at once",
                    short(self.answer_time),
                    many(self.under_way as u64, "request")
                ),
            ));
        }
        if self.goal() - self.settled() <= self.waiting as u64 {
            why.push(Why::new("retries", "all that is left waits for another try"));
        }
        if self.listing > 0 {
            why.push(Why::new("listing", format!("listing {}", many(self.listing as u64, "space"))));
        }
        if why.is_empty() || (!braked && why.iter().all(|why| why.word == "listing")) {
            why.push(match (self.pace.why, self.pace.configured) {
                (PaceReason::Configured, 0) => Why::new("configured", "no limit configured"),
                (_, configured) => Why::new("configured", format!("as configured ({configured} writes/min)")),
            });
        }
        why
    }
}

/// A short time with a digit behind the point.
fn short(time: Duration) -> String {
    if time < Duration::from_secs(10) { format!("{:.1} s", time.as_secs_f64()) } else { span(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Pace, SlowedSpace};

    fn sending() -> Snapshot {
        Snapshot {
            total: 100,
            done: 10,
            under_way: 2,
            under_way_max: 20,
            answer_time: Duration::from_millis(400),
            pace: Pace { writes_per_minute: 300, configured: 300, ..Pace::default() },
            ..Snapshot::default()
        }
    }

    #[track_caller]
    fn expect(snapshot: &Snapshot, expected: &[(&str, &str)]) {
        let why = snapshot.why();
        let why: Vec<_> = why.iter().map(|why| (why.word, why.text.as_str())).collect();
        assert_eq!(why, expected);
    }

    #[test]
    fn as_fast_as_it_may() {
        expect(&sending(), &[("configured", "as configured (300 writes/min)")]);
        let pace = Pace::default();
        expect(&Snapshot { pace, ..sending() }, &[("configured", "no limit configured")]);
        expect(
            &Snapshot { listing: 3, ..sending() },
            &[("listing", "listing 3 spaces"), ("configured", "as configured (300 writes/min)")],
        );
        expect(&Snapshot { done: 100, ..sending() }, &[]);
    }

    #[test]
    fn whatever_everything_waits_for() {
        let paused = Snapshot { paused: Duration::from_secs(43), ..sending() };
        expect(&paused, &[("unreachable", "waiting 43 s for the connection")]);
        let pace = Pace { why: PaceReason::Unreachable, ..sending().pace };
        expect(&Snapshot { pace, ..sending() }, &[("unreachable", "nothing is reached at the moment")]);
        let throttled = Snapshot { throttled: true, ..paused };
        expect(&throttled, &[("quota_used_up", "waiting 43 s for the quota")]);
        let asked = Snapshot { asked_to_wait: true, ..throttled };
        expect(&asked, &[("asked_to_wait", "waiting 43 s as Chat asked (Retry-After)")]);
    }

    #[test]
    fn what_slows_it() {
        let slowest = SlowedSpace { space: "spaces/A".to_owned(), writes_per_minute: 30 };
        let pace = Pace {
            writes_per_minute: 200,
            configured: 300,
            why: PaceReason::ProjectQuota,
            slowed_spaces: 1,
            slowest: Some(slowest),
        };
        expect(
            &Snapshot { pace, ..sending() },
            &[
                ("project_quota", "throttled by project quota to 200/min"),
                ("space_slowed", "spaces/A slowed to 30/min"),
            ],
        );
        expect(
            &Snapshot { under_way: 20, answer_time: Duration::from_millis(4230), ..sending() },
            &[("slow_answers", "answers take 4.2 s: 20 requests under way, the most at once")],
        );
        expect(
            &Snapshot { done: 98, waiting: 2, under_way: 0, ..sending() },
            &[("retries", "all that is left waits for another try")],
        );
    }
}
