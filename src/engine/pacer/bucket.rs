//! Governor's buckets, run by a clock that is told the time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// A clock that shows what it was last told.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToldClock(Arc<AtomicU64>);

impl ToldClock {
    pub(crate) fn tell(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn told(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for ToldClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, ToldClock, NoOpMiddleware<Nanos>>;

/// The share of a second that may leave at once: a timer that fires late must not lose what it missed.
pub(super) const BURSTS_PER_SECOND: f64 = 20.0;
/// Even at a slow rate two may leave together, for the same reason.
pub(super) const BURST_MIN: u32 = 2;
/// By how much a rate has to change before the bucket is built anew.
const CHANGE_MIN: f64 = 0.005;

/// A bucket, with the one permit that was taken out of it and not used yet.
#[derive(Debug)]
pub(crate) struct Bucket {
    limiter: Option<Limiter>,
    /// Permits a second; infinite without a limit.
    rate: f64,
    /// How many may always leave together.
    burst_min: u32,
    in_hand: bool,
    /// When the last permit was taken.
    taken_at: Duration,
    clock: ToldClock,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: f64, clock: &ToldClock) -> Self {
        let limiter = limiter(rate, BURST_MIN, clock).map(|(limiter, _)| limiter);
        Bucket {
            limiter,
            rate,
            burst_min: BURST_MIN,
            in_hand: false,
            taken_at: Duration::ZERO,
            clock: clock.clone(),
        }
    }

    /// Another rate from now on. What has come together since the last permit is reckoned at the new rate, so that a
    /// change is no gift of a burst.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        let is_close =
            rate.is_finite() && self.rate.is_finite() && (rate - self.rate).abs() <= CHANGE_MIN * self.rate;
        if is_close || rate == self.rate {
            return;
        }
        let now = self.clock.told();
        self.clock.tell(self.taken_at.min(now));
        self.limiter = limiter(rate, self.burst_min, &self.clock).map(|(limiter, burst)| {
            // Emptied: of a bucket that is full there are always so many.
            let _ = limiter.check_n(burst);
            limiter
        });
        self.clock.tell(now);
        self.rate = rate;
    }

    /// From the next rate on no two leave together at a slow one.
    pub(crate) fn be_even(&mut self) {
        self.burst_min = 1;
    }

    /// Takes a permit in hand, or says when there will be one.
    pub(crate) fn ready(&mut self) -> Result<(), Duration> {
        if self.in_hand {
            return Ok(());
        }
        if let Some(limiter) = &self.limiter {
            limiter.check().map_err(|not_until| {
                Duration::from(not_until.earliest_possible().duration_since(Nanos::from(0)))
            })?;
        }
        self.taken_at = self.clock.told();
        self.in_hand = true;
        Ok(())
    }

    pub(crate) fn spend(&mut self) {
        self.in_hand = false;
    }
}

fn limiter(rate: f64, burst_min: u32, clock: &ToldClock) -> Option<(Limiter, NonZeroU32)> {
    let period = Duration::try_from_secs_f64(1.0 / rate).ok()?;
    let burst = NonZeroU32::new(((rate / BURSTS_PER_SECOND) as u32).max(burst_min))?;
    let quota = Quota::with_period(period)?.allow_burst(burst);
    Some((RateLimiter::direct_with_clock(quota, clock.clone()), burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_rate_gives_no_burst_and_loses_no_time() {
        let clock = ToldClock::default();
        let mut bucket = Bucket::new(10.0, &clock);
        let mut now = Duration::ZERO;
        let mut sent = 0;
        while now < Duration::from_secs(60) {
            clock.tell(now);
            // As often as the rate is looked at.
            bucket.set_rate(if sent % 2 == 0 { 1.0 } else { 1.02 });
            while bucket.ready().is_ok() {
                bucket.spend();
                sent += 1;
            }
            now += Duration::from_millis(50);
        }
        assert!((57..=63).contains(&sent), "{sent}");
    }

    #[test]
    fn after_a_standstill_there_is_a_small_burst_at_most() {
        let clock = ToldClock::default();
        let mut bucket = Bucket::new(100.0, &clock);
        clock.tell(Duration::from_secs(3600));
        for rate in [100.0, 50.0, 200.0] {
            bucket.set_rate(rate);
            let mut burst = 0;
            while bucket.ready().is_ok() {
                bucket.spend();
                burst += 1;
            }
            assert!(burst <= 10, "{burst} at {rate}");
        }
    }
}
