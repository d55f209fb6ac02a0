//! The pace of one space, which Chat may hold to less than others ("additional rate limit checks on the backend", limits
//! guide). Nothing is known of such limits, so it is additive increase, multiplicative decrease, and hardly finer.

use std::time::Duration;

use super::bucket::{Bucket, ToldClock};
use super::window::{MINUTE, Window};

/// How much is counted to see how fast a space has been.
const LOOK_BACK: Duration = Duration::from_secs(10);
/// After a refusal it goes at this share of what has got through.
const DECREASE: f64 = 0.85;
/// Once slowed, no slower than this share of what it was held to before.
const FALL: f64 = 0.7;
/// For so long, and then faster by this share of that every second.
const HOLD: Duration = Duration::from_secs(10);
const INCREASE: f64 = 0.01;
/// If nothing is refused for long, the third power of time takes over, and doubles it by then.
const DOUBLES: Duration = Duration::from_secs(60);
/// No slower than so many a second: there would be nothing to learn from.
const RATE_MIN: f64 = 0.1;
/// The first wait after a refusal, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(64);
/// A space without a limit of its own is as fast as others again after so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// What a refusal has done to a space.
#[derive(Debug, Clone, Copy)]
struct Slowed {
    /// When the first refusal came, and the last that counted.
    since: Duration,
    cut_at: Duration,
    /// Calls a second from then on.
    rate: f64,
    paused_until: Duration,
    pause: Duration,
}

/// One quota of one space.
#[derive(Debug)]
pub(super) struct SpacePace {
    bucket: Bucket,
    /// Calls a second as configured; infinite for no limit.
    ceiling: f64,
    log: Window,
    first: Option<Duration>,
    slowed: Option<Slowed>,
}

impl SpacePace {
    pub(super) fn new(per_minute: u32, clock: &ToldClock) -> Self {
        let ceiling =
            if per_minute == 0 { f64::INFINITY } else { f64::from(per_minute) / MINUTE.as_secs_f64() };
        let log = Window::new(Duration::from_secs(1));
        SpacePace { bucket: Bucket::new(ceiling, clock), ceiling, log, first: None, slowed: None }
    }

    /// Calls a second, if it is slowed. `void` is a time whose refusals turned out to be the project's.
    pub(super) fn slowed(&mut self, now: Duration, void: Option<(Duration, Duration)>) -> Option<f64> {
        let slowed = self.slowed?;
        let since = now.saturating_sub(slowed.cut_at + HOLD).as_secs_f64();
        let rate = slowed.rate * (1.0 + INCREASE * since + (since / DOUBLES.as_secs_f64()).powi(3));
        let mistaken = void.is_some_and(|(from, to)| slowed.since >= from && slowed.cut_at <= to);
        let forgotten = self.ceiling.is_infinite() && now >= slowed.cut_at + FORGOTTEN_AFTER;
        if mistaken || forgotten || rate >= self.ceiling {
            self.slowed = None;
            self.bucket.set_rate(self.ceiling);
            return None;
        }
        self.bucket.set_rate(rate);
        Some(rate)
    }

    /// Takes a permit, or says when there will be one.
    pub(super) fn take(&mut self, now: Duration, void: Option<(Duration, Duration)>) -> Result<(), Duration> {
        if self.slowed(now, void).is_some()
            && let Some(slowed) = self.slowed
            && now < slowed.paused_until
        {
            return Err(slowed.paused_until);
        }
        self.bucket.ready()?;
        self.bucket.spend();
        self.log.add(now);
        self.first.get_or_insert(now);
        Ok(())
    }

    /// A call of it was let through.
    pub(super) fn let_through(&mut self, asked_at: Duration) {
        if let Some(slowed) = self.slowed.as_mut().filter(|slowed| asked_at > slowed.cut_at) {
            slowed.pause = PAUSE_FIRST;
        }
    }

    /// A call of it was refused for the project's sake.
    pub(super) fn take_out(&mut self, asked_at: Duration) {
        self.log.take_out(asked_at);
    }

    /// A call of it was refused for its own sake: how long it waits, and whether that is news.
    pub(super) fn refused(
        &mut self,
        now: Duration,
        asked_at: Duration,
        asked: Duration,
        share: f64,
    ) -> (Duration, bool) {
        self.log.take_out(asked_at);
        if let Some(slowed) = self.slowed.as_mut().filter(|slowed| asked_at <= slowed.cut_at) {
            slowed.paused_until = slowed.paused_until.max(now + asked);
            return (slowed.paused_until.saturating_sub(now).max(asked), false);
        }
        let span =
            LOOK_BACK.min(asked_at.saturating_sub(self.first.unwrap_or(now))).max(Duration::from_secs(1));
        let got_through = self.log.before(asked_at, span) as f64 / span.as_secs_f64();
        let pause = self.slowed.map_or(PAUSE_FIRST, |slowed| (slowed.pause * 2).min(PAUSE_MAX));
        let until = now + PAUSE_FIRST.max(pause / 2).mul_f64(1.0 + share).max(asked);
        // How little got through may be for want of its turn, so that is no reason to fall far.
        let least = self.slowed.map_or(RATE_MIN, |slowed| (slowed.rate * FALL).max(RATE_MIN));
        let rate = (got_through.min(self.ceiling) * DECREASE).max(least).min(self.ceiling);
        let since = self.slowed.map_or(now, |slowed| slowed.since);
        self.slowed = Some(Slowed { since, cut_at: now, rate, paused_until: until, pause });
        self.bucket.be_even();
        self.bucket.set_rate(rate);
        (until - now, true)
    }
}

/// The two quotas of one space.
#[derive(Debug)]
pub(in crate::engine) struct SpaceBuckets {
    pub(super) writes: SpacePace,
    pub(super) reads: SpacePace,
    pub(super) changes: SpacePace,
}
