//! How fast: one bucket per quota of the project, and two of its own for each space.
//!
//! Governor's buckets decide; the time is handed in, so that a simulation can run them at any speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use serde::{Deserialize, Serialize};

/// Limits; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Membership writes of the project (limits guide: 300).
    pub writes_per_minute: u32,
    /// Membership reads of the project (limits guide: 3000).
    pub reads_per_minute: u32,
    /// Membership writes in one space. Google documents none; this spreads a raised quota over the spaces.
    pub writes_per_minute_per_space: u32,
    /// Reads of one space (limits guide: 15 a second).
    pub reads_per_minute_per_space: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Rates {
            writes_per_minute: 300,
            reads_per_minute: 3000,
            writes_per_minute_per_space: 900,
            reads_per_minute_per_space: 900,
        }
    }
}

/// How many requests may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InFlight {
    /// As the rate asks for.
    Auto,
    /// Exactly so many; 0 = no limit.
    Exactly(u32),
}

impl InFlight {
    /// The number. `Auto` is what the rate needs when an answer takes 4 s; without a rate it is 64.
    pub fn limit(self, writes_per_minute: u32) -> usize {
        let number = match (self, writes_per_minute) {
            (InFlight::Exactly(0), _) => u32::from(u16::MAX),
            (InFlight::Exactly(number), _) => number,
            (InFlight::Auto, 0) => 64,
            (InFlight::Auto, rate) => (rate / 15).clamp(16, 1024),
        };
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

/// A clock that shows what it was last told.
#[derive(Debug, Clone, Default)]
struct ToldClock(Arc<AtomicU64>);

impl ToldClock {
    fn tell(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Clock for ToldClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, ToldClock, NoOpMiddleware<Nanos>>;

/// A bucket, with the one permit that was taken out of it and not used yet.
#[derive(Debug)]
pub(super) struct Bucket {
    limiter: Option<Limiter>,
    in_hand: bool,
}

/// How much slower than the quota calls leave: those that reach Chat a little sooner than others after leaving would
/// otherwise make a minute of 301.
const MARGIN: f64 = 1.002;
/// The share of a second that may leave at once: a timer that fires late must not lose what it missed.
const BURSTS_PER_SECOND: u32 = 50;

impl Bucket {
    fn new(per_minute: u32, clock: &ToldClock) -> Self {
        let limiter = (per_minute > 0)
            .then(|| Quota::with_period((Duration::from_secs(60) / per_minute).mul_f64(MARGIN)))
            .flatten()
            .map(|quota| {
                let burst = (per_minute / 60 / BURSTS_PER_SECOND).max(1);
                let quota =
                    quota.allow_burst(std::num::NonZeroU32::new(burst).unwrap_or(std::num::NonZeroU32::MIN));
                RateLimiter::direct_with_clock(quota, clock.clone())
            });
        Bucket { limiter, in_hand: false }
    }

    /// Takes a permit in hand, or says when there will be one.
    fn ready(&mut self) -> Result<(), Duration> {
        if let (false, Some(limiter)) = (self.in_hand, &self.limiter) {
            limiter.check().map_err(|not_until| {
                Duration::from(not_until.earliest_possible().duration_since(Nanos::from(0)))
            })?;
        }
        self.in_hand = true;
        Ok(())
    }

    fn spend(&mut self) {
        self.in_hand = false;
    }
}

/// A quota of the project: its bucket, and the pause that a 429 or a lost network imposes.
#[derive(Debug)]
struct Tap {
    bucket: Bucket,
    paused_until: Duration,
    /// Whether the quota is the reason, rather than the network.
    throttled: bool,
    setbacks_in_a_row: u32,
}

/// The two buckets of one space.
#[derive(Debug)]
pub(super) struct SpaceBuckets {
    writes: Bucket,
    reads: Bucket,
}

/// Which quota a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Read,
}

/// The project's pace.
#[derive(Debug)]
pub(super) struct Pacer {
    clock: ToldClock,
    rates: Rates,
    writes: Tap,
    reads: Tap,
}

impl Pacer {
    pub(super) fn new(rates: Rates) -> Self {
        let clock = ToldClock::default();
        let tap = |per_minute| Tap {
            bucket: Bucket::new(per_minute, &clock),
            paused_until: Duration::ZERO,
            throttled: false,
            setbacks_in_a_row: 0,
        };
        Pacer { writes: tap(rates.writes_per_minute), reads: tap(rates.reads_per_minute), rates, clock }
    }

    /// Without a limit for the project there is none for a space either.
    pub(super) fn space(&self) -> SpaceBuckets {
        let limit = |project, space| if project == 0 { 0 } else { space };
        SpaceBuckets {
            writes: Bucket::new(
                limit(self.rates.writes_per_minute, self.rates.writes_per_minute_per_space),
                &self.clock,
            ),
            reads: Bucket::new(
                limit(self.rates.reads_per_minute, self.rates.reads_per_minute_per_space),
                &self.clock,
            ),
        }
    }

    pub(super) fn tell(&self, now: Duration) {
        self.clock.tell(now);
    }

    fn tap(&mut self, kind: Kind) -> &mut Tap {
        match kind {
            Kind::Write => &mut self.writes,
            Kind::Read => &mut self.reads,
        }
    }

    /// Whether the project may make a call of this kind now; else when to ask again.
    pub(super) fn ready(&mut self, kind: Kind, now: Duration) -> Result<(), Duration> {
        let tap = self.tap(kind);
        if now < tap.paused_until {
            return Err(tap.paused_until);
        }
        tap.bucket.ready()
    }

    /// Spends a permit of the project and of the space, or says when the space has one. [`Pacer::ready`] comes first.
    pub(super) fn spend(&mut self, kind: Kind, space: &mut SpaceBuckets) -> Result<(), Duration> {
        let bucket = match kind {
            Kind::Write => &mut space.writes,
            Kind::Read => &mut space.reads,
        };
        bucket.ready()?;
        bucket.spend();
        self.tap(kind).bucket.spend();
        Ok(())
    }

    /// Until when all calls of this kind wait, if they do.
    pub(super) fn paused_until(&self, kind: Kind, now: Duration) -> Option<Duration> {
        let tap = match kind {
            Kind::Write => &self.writes,
            Kind::Read => &self.reads,
        };
        Some(tap.paused_until).filter(|until| now < *until)
    }

    /// Whether writes wait, or last waited, for the quota.
    pub(super) fn waits_for_quota(&self) -> bool {
        self.writes.throttled
    }

    /// A call of this kind met a 429, or no network: how many times in a row that is.
    pub(super) fn set_back(&mut self, kind: Kind, throttled: bool) -> u32 {
        let tap = self.tap(kind);
        tap.throttled = throttled;
        tap.setbacks_in_a_row += 1;
        tap.setbacks_in_a_row
    }

    /// Lets all calls of this kind wait.
    pub(super) fn pause(&mut self, kind: Kind, until: Duration) {
        let tap = self.tap(kind);
        tap.paused_until = tap.paused_until.max(until);
    }

    /// A call of this kind was answered. Answers that come in during a pause say nothing about what follows it.
    pub(super) fn flowing(&mut self, kind: Kind, now: Duration) {
        let tap = self.tap(kind);
        if now >= tap.paused_until {
            tap.setbacks_in_a_row = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Takes every write that it gets within `seconds` of virtual time, over `spaces` spaces.
    fn writes(rates: Rates, seconds: u64, spaces: usize) -> Vec<Duration> {
        let mut pacer = Pacer::new(rates);
        let mut buckets: Vec<SpaceBuckets> = (0..spaces).map(|_| pacer.space()).collect();
        let mut sent = Vec::new();
        let mut now = Duration::ZERO;
        while now < Duration::from_secs(seconds) {
            pacer.tell(now);
            let mut wake = Duration::MAX;
            'now: loop {
                if let Err(until) = pacer.ready(Kind::Write, now) {
                    wake = wake.min(until);
                    break;
                }
                for space in &mut buckets {
                    match pacer.spend(Kind::Write, space) {
                        Ok(()) => {
                            sent.push(now);
                            continue 'now;
                        }
                        Err(until) => wake = wake.min(until),
                    }
                }
                break;
            }
            now = wake.max(now + Duration::from_nanos(1));
        }
        sent
    }

    #[test]
    fn five_minutes_at_the_default_quota() {
        let sent = writes(Rates::default(), 300, 3);
        assert!((1490..=1500).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn one_space_is_held_to_its_own_limit() {
        let rates = Rates { writes_per_minute: 60_000, ..Rates::default() };
        assert!((895..=900).contains(&writes(rates, 60, 1).len()));
        assert!((8950..=9000).contains(&writes(rates, 60, 10).len()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_minute_holds_more_than_the_quota_and_a_burst(per_minute in 30u32..8000) {
            let rates = Rates { writes_per_minute: per_minute, writes_per_minute_per_space: 0, ..Rates::default() };
            let sent = writes(rates, 130, 1);
            let burst = (per_minute / 60 / BURSTS_PER_SECOND).max(1) as usize;
            let mut oldest = 0;
            for (newest, at) in sent.iter().enumerate() {
                while sent[oldest] + Duration::from_secs(60) <= *at {
                    oldest += 1;
                }
                let within = newest - oldest + 1;
                prop_assert!(within <= per_minute as usize + burst, "{within} in a minute");
            }
        }
    }

    #[test]
    fn a_pause_holds_and_ends() {
        let mut pacer = Pacer::new(Rates::default());
        let second = Duration::from_secs(1);
        assert_eq!(pacer.set_back(Kind::Write, true), 1);
        pacer.pause(Kind::Write, second);
        assert_eq!(pacer.ready(Kind::Write, second / 2), Err(second));
        assert_eq!(pacer.ready(Kind::Read, second / 2), Ok(()), "reads have a quota of their own");
        pacer.flowing(Kind::Write, second / 2);
        assert_eq!(pacer.ready(Kind::Write, second), Ok(()));
        assert_eq!(pacer.set_back(Kind::Write, true), 2, "an answer during the pause did not count");
        pacer.flowing(Kind::Write, second);
        assert_eq!(pacer.set_back(Kind::Write, true), 1);
    }
}
