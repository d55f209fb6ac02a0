//! The course of a journal's runs, cut into what can be drawn: sittings, each in equal steps.

use std::time::Duration;

use crate::journal::Stretch;
use crate::model::Timestamp;

/// A pause that is longer than this parts two sittings.
const PAUSE: Duration = Duration::from_secs(30 * 60);
/// The steps of a sitting at most: more are no longer told apart on a page.
const STEPS_MAX: u64 = 96;
/// How long a step may be, in minutes: what a clock or a calendar is read in.
const STEP_MINUTES: [u64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];

/// A time of work without a long pause, in one run or in several.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sitting {
    /// When it began.
    pub(super) begun_at: Timestamp,
    /// How long each step is.
    pub(super) step: Duration,
    /// What was counted in each.
    pub(super) steps: Vec<Step>,
    /// The runs that it is made of, by their numbers.
    pub(super) runs: Vec<i64>,
}

/// What was counted in a step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Step {
    /// Rows settled, done or refused.
    pub(super) settled: u64,
    /// Calls that were refused for the quota.
    pub(super) throttled: u64,
}

impl Sitting {
    /// When a step begins; the one behind the last says when the sitting ends.
    pub(super) fn at(&self, step: usize) -> Timestamp {
        self.begun_at.after(self.step * u32::try_from(step).unwrap_or(u32::MAX))
    }

    pub(super) fn length(&self) -> Duration {
        self.step * u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn sum(&self, of: impl Fn(&Step) -> u64) -> u64 {
        self.steps.iter().map(of).sum()
    }

    /// So many a minute, of what was counted in one step.
    pub(super) fn per_minute(&self, count: u64) -> f64 {
        count as f64 * 60.0 / self.step.as_secs_f64().max(1.0)
    }
}

/// The sittings, in order. Whatever the stretches counted is in one step of one sitting.
pub(super) fn sittings(stretches: &[Stretch]) -> Vec<Sitting> {
    let mut stretches = stretches.to_vec();
    stretches.sort_by_key(|stretch| stretch.begun_at);
    // Each with when it ends.
    let mut groups: Vec<(Timestamp, Vec<Stretch>)> = Vec::new();
    for stretch in stretches {
        match groups.last_mut() {
            Some((until, group)) if stretch.begun_at <= until.after(PAUSE) => {
                *until = end(&stretch).max(*until);
                group.push(stretch);
            }
            _ => groups.push((end(&stretch), vec![stretch])),
        }
    }
    groups.iter().map(|(until, group)| sitting(*until, group)).collect()
}

fn end(stretch: &Stretch) -> Timestamp {
    stretch.begun_at.after(stretch.length)
}

fn sitting(ended_at: Timestamp, group: &[Stretch]) -> Sitting {
    let minute = 60_000_000;
    let begun_at = group.first().map_or(ended_at, |stretch| stretch.begun_at);
    let micros = ended_at.as_micros().saturating_sub(begun_at.as_micros()).max(1).cast_unsigned();
    let longest = group.iter().map(|stretch| stretch.length.as_micros() as u64).max().unwrap_or(minute);
    let fits = |minutes: &u64| micros.div_ceil(minutes * minute) <= STEPS_MAX && minutes * minute >= longest;
    let days = || 1440 * micros.div_ceil(STEPS_MAX * 1440 * minute);
    let step = STEP_MINUTES.into_iter().find(fits).unwrap_or_else(days) * minute;
    let mut steps = vec![Step::default(); micros.div_ceil(step) as usize];
    let mut runs = Vec::new();
    for stretch in group {
        let offset = stretch.begun_at.as_micros().saturating_sub(begun_at.as_micros()).cast_unsigned();
        let counted = &mut steps[(offset / step) as usize];
        counted.settled += stretch.done + stretch.rejected;
        counted.throttled += stretch.calls.throttled;
        if !runs.contains(&stretch.run) {
            runs.push(stretch.run);
        }
    }
    Sitting { begun_at, step: Duration::from_micros(step), steps, runs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Calls;
    use proptest::prelude::*;

    fn stretch(run: i64, minute: i64, minutes: u64, settled: u64) -> Stretch {
        Stretch {
            run,
            begun_at: Timestamp::from_micros(1_700_000_000_000_000 + minute * 60_000_000),
            length: Duration::from_secs(60 * minutes),
            calls: Calls { throttled: settled / 3, ..Calls::default() },
            done: settled,
            rejected: 1,
        }
    }

    #[test]
    fn a_long_pause_parts_two_sittings() {
        let course = [stretch(1, 0, 1, 5), stretch(1, 1, 1, 5), stretch(2, 20, 1, 5), stretch(3, 60, 1, 5)];
        let sittings = sittings(&course);
        assert_eq!(sittings.len(), 2);
        assert_eq!((sittings[0].steps.len(), &sittings[0].runs), (21, &vec![1, 2]));
        assert_eq!(sittings[0].steps[1], Step { settled: 6, throttled: 1 });
        assert_eq!(sittings[1].steps.len(), 1);
    }

    #[test]
    fn steps_are_no_finer_than_what_was_counted() {
        let sittings = sittings(&[stretch(1, 0, 60, 600), stretch(1, 60, 60, 600)]);
        assert_eq!((sittings[0].step, sittings[0].steps.len()), (Duration::from_secs(3600), 2));
        assert!((sittings[0].per_minute(600) - 10.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(course in proptest::collection::vec((0i64..200_000, 0usize..3, 0u64..50), 0..60)) {
            let course: Vec<Stretch> =
                course.iter().map(|(at, length, settled)| stretch(1, *at, [1, 10, 60][*length], *settled)).collect();
            let sittings = sittings(&course);
            let settled: u64 = sittings.iter().map(|sitting| sitting.sum(|step| step.settled)).sum();
            prop_assert_eq!(settled, course.iter().map(|stretch| stretch.done + stretch.rejected).sum::<u64>());
            let throttled: u64 = sittings.iter().map(|sitting| sitting.sum(|step| step.throttled)).sum();
            prop_assert_eq!(throttled, course.iter().map(|stretch| stretch.calls.throttled).sum::<u64>());
            prop_assert!(sittings.iter().all(|sitting| sitting.steps.len() as u64 <= STEPS_MAX));
        }
    }
}
