//! What refusals show: of the calls that left after a refused one, how many are refused as well.

use std::time::Duration;

use super::window::MINUTE;

/// So many refusals tell something ...
const ENOUGH: u32 = 5;
/// ... within so long ...
const LENGTH: Duration = Duration::from_secs(10);
/// ... if they are more than this share, which is more than a pace slightly too high can have caused.
const TOO_MANY: f64 = 0.05;

/// The calls that left after a refused one and have been answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// When that one left.
    first: Duration,
    blur: Duration,
    /// Calls a minute that left then; infinite for no limit.
    pace: f64,
    refused: u32,
    through: u32,
}

/// How much later than a refused call others must have left to say more than that one. At the edge of a window, calls of
/// about the same time are refused and let through in any order, since their ways differ.
pub(super) fn blur(latency: Duration) -> Duration {
    Duration::from_millis(50).max(latency.mul_f64(0.3))
}

/// What a sample shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// The share of refusals, 0..1.
    pub(super) share: f64,
    /// Calls a minute that the sample is of.
    pub(super) pace: f64,
}

impl Sample {
    /// Begins with a refused call that left at `first`.
    pub(super) fn new(first: Duration, latency: Duration, pace: f64) -> Self {
        Sample { first, blur: blur(latency), pace, refused: 0, through: 0 }
    }

    /// Whether what left at `asked_at` is of another time.
    pub(super) fn is_over(&self, asked_at: Duration) -> bool {
        asked_at > self.first + LENGTH
    }

    fn counts(&self, asked_at: Duration) -> bool {
        asked_at > self.first + self.blur
    }

    /// A call that left at `asked_at` was let through.
    pub(super) fn let_through(&mut self, asked_at: Duration) {
        self.through += u32::from(self.counts(asked_at));
    }

    /// A call that left at `asked_at` was refused: what is shown by now, if that is enough to go by.
    pub(super) fn refused(&mut self, asked_at: Duration) -> Option<Shown> {
        if !self.counts(asked_at) {
            return None;
        }
        self.refused += 1;
        let calls = f64::from(self.refused + self.through);
        let share = f64::from(self.refused) / calls;
        let seconds = (asked_at - self.first - self.blur).as_secs_f64().max(0.01);
        let pace = if self.pace.is_finite() { self.pace } else { calls / seconds * MINUTE.as_secs_f64() };
        (self.refused >= ENOUGH && share >= TOO_MANY).then_some(Shown { share, pace })
    }
}
