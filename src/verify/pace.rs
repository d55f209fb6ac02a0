//! The read quotas: of the project, and of each space.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::{Bucket, ToldClock};

/// Reads of one space in a second (limits guide).
const SPACE_READS_PER_SECOND: f64 = 15.0;

/// The project's quota, which all spaces share, and the wait that a refusal has imposed.
#[derive(Debug)]
pub struct ReadPace {
    begin: Instant,
    project: Mutex<(Bucket, ToldClock)>,
    paused_until: Mutex<Duration>,
}

/// What one space adds to that.
#[derive(Debug)]
pub(super) struct SpacePace {
    bucket: Bucket,
    clock: ToldClock,
}

impl ReadPace {
    /// So many reads a minute in all spaces together; 0 is no limit.
    pub fn new(reads_per_minute: u32) -> Self {
        let rate = match reads_per_minute {
            0 => f64::INFINITY,
            some => f64::from(some) / 60.0,
        };
        let clock = ToldClock::default();
        ReadPace {
            begin: Instant::now(),
            project: Mutex::new((Bucket::new(rate, &clock), clock)),
            paused_until: Mutex::new(Duration::ZERO),
        }
    }

    pub(super) fn of_space() -> SpacePace {
        let clock = ToldClock::default();
        SpacePace { bucket: Bucket::new(SPACE_READS_PER_SECOND, &clock), clock }
    }

    /// Waits until the next read of a space may leave.
    pub(super) async fn turn(&self, space: &mut SpacePace) {
        while let Err(until) = self.take(space, self.begin.elapsed()) {
            // A little later than told, so that it is not asked once more in vain.
            tokio::time::sleep_until(self.begin + until + Duration::from_millis(1)).await;
        }
    }

    /// Lets a read of a space leave, or says when one may.
    fn take(&self, space: &mut SpacePace, now: Duration) -> Result<(), Duration> {
        let paused = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if paused > now {
            return Err(paused);
        }
        space.clock.tell(now);
        space.bucket.ready()?;
        let mut project = self.project.lock().unwrap_or_else(PoisonError::into_inner);
        project.1.tell(now);
        project.0.ready()?;
        project.0.spend();
        space.bucket.spend();
        Ok(())
    }

    /// Lets all wait: the quota that they share is used up.
    pub(super) fn pause(&self, wait: Duration) {
        self.pause_until(self.begin.elapsed() + wait);
    }

    fn pause_until(&self, until: Duration) {
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = until.max(*paused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many reads take of each of so many spaces.
    fn seconds(reads_per_minute: u32, spaces: usize, reads: u32) -> f64 {
        let pace = ReadPace::new(reads_per_minute);
        let mut of_spaces: Vec<_> = (0..spaces).map(|_| (ReadPace::of_space(), reads)).collect();
        let mut now = Duration::ZERO;
        while of_spaces.iter().any(|(_, left)| *left > 0) {
            for (space, left) in &mut of_spaces {
                while *left > 0 && pace.take(space, now).is_ok() {
                    *left -= 1;
                }
            }
            now += Duration::from_millis(2);
        }
        now.as_secs_f64()
    }

    #[test]
    fn a_space_and_a_project() {
        let took = seconds(3000, 1, 150);
        assert!((9.0..11.0).contains(&took), "150 reads of one space take ten seconds, not {took}");
        let took = seconds(0, 1, 150);
        assert!((9.0..11.0).contains(&took), "whatever the project may do: {took}");
        let took = seconds(3000, 10, 50);
        assert!((9.0..11.0).contains(&took), "500 reads of ten spaces take ten seconds, not {took}");
    }

    #[test]
    fn a_refusal_lets_all_wait() {
        let pace = ReadPace::new(0);
        pace.pause_until(Duration::from_secs(5));
        pace.pause_until(Duration::from_secs(1));
        let mut space = ReadPace::of_space();
        assert_eq!(pace.take(&mut space, Duration::from_secs(4)), Err(Duration::from_secs(5)));
        assert_eq!(pace.take(&mut space, Duration::from_secs(5)), Ok(()));
    }
}
