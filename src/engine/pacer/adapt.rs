//! How fast one quota of the project lets calls go: found out from what is refused, where it is less than configured.
//!
//! What the server counts with (a sliding window, a fixed one, a bucket of tokens) is unknown, so nothing is built on it.
//! What holds for all of them: a pace that is too high by one in a hundred costs one refusal in a hundred calls, however
//! long answers take, as long as nothing else is done about it. So the pace stays slightly above what a minute is known
//! to hold: that finds the limit again and again, and tells when there is more.
//!
//! ```text
//!          refused                    a whole minute held more than was known
//! Free ──────────────▶ Held, creeping ───────────────────────────────────────▶ Held, climbing ──all of it──▶ Free
//!                        ▲                                                        │ refused
//!                        └────────────────────────────────────────────────────────┘
//! ```
//!
//! When much is refused, a sample of what left after the first refusal says by how much the pace is too high. If that
//! stops soon, what was lost comes back in half a minute. When nothing passes, everything waits.

use std::time::Duration;

use super::closed::{Closed, PAUSE_FIRST, Why};
use super::sample::{Sample, Shown, blur};
use super::window::{MINUTE, Window};

/// How much slower than the configured quota calls leave. Within a minute those of 60.48 s may arrive: so different may
/// their ways be before the server sees a call too many.
pub(super) const MARGIN: f64 = 0.008;
/// How exactly the last minute is counted.
const SLOT: Duration = Duration::from_millis(250);
/// What the count of up to a slot beyond the minute is allowed for.
const BEYOND: f64 = 0.001;
/// How much more than is known may leave in a minute (a share and a few calls): this is what is refused all the time.
const CREEP: (f64, f64) = (0.005, 1.0);
/// How much more than was known a minute must have held to prove that there is more.
const PROOF: (f64, f64) = (0.001, 0.5);
/// With how much a climb begins, and how long it takes to double that, or a quarter more than an answer takes.
const CLIMB: (f64, f64) = (0.03, 1.0);
const CLIMB_DOUBLES: Duration = Duration::from_secs(3);
/// What the last minute misses is made up for by so much at most.
const CATCH_UP: f64 = 0.07;
/// A minute that holds this share of what it is believed to is full, and its count is what the server allows.
const FULL: f64 = 0.985;
/// How much of the excess that a sample shows is taken back: what is left shows in the next.
const TAKE_BACK: f64 = 0.83;
/// With such a share of refusals nothing passes.
const NOTHING_PASSES: f64 = 0.9;
/// Another sample so soon says that the last minute's count is not what the server goes by.
const STREAK: Duration = Duration::from_secs(20);
/// So many that went ahead and were let through, though the last minute was full, say the same.
const AGAINST: u32 = 3;
/// After a part was refused and then nothing for so long, the reason may have gone (another program has stopped): then
/// what was lost comes back, by such a share of what was known before in a second.
const RETURN_AFTER: Duration = Duration::from_secs(15);
const RETURN: f64 = 0.02;
/// So much of it is enough to have tried.
const RETURN_TRIED: f64 = 1.01;
/// Below this many a minute no quota is believed to be, for there would be too few calls to find out that it is not.
const KNOWN_MIN: f64 = 30.0;
/// More a minute than anybody can send.
const NO_LIMIT: f64 = 1e8;

/// Slower than configured.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// What a minute holds, as far as that was found out.
    known: f64,
    /// When the last call left that was refused.
    since: Duration,
    /// What the minute before had let through, if that is not more.
    used: f64,
    /// What was known before a part was refused, as long as that has not been tried again.
    before: f64,
    /// How many whole minutes nothing has been refused since.
    minutes: u32,
    /// Since when it is proven that a minute holds more.
    climbs: Option<Duration>,
}

/// What is known of one quota of the project.
#[derive(Debug, Clone)]
pub(super) struct Adaptive {
    /// Calls a minute as configured; infinite for no limit.
    ceiling: f64,
    /// `None`: as fast as configured.
    held: Option<Held>,
    sample: Option<Sample>,
    closed: Option<Closed>,
    /// When the last call left that was refused.
    refused_at: Duration,
    /// When the pace was last changed by more than a call: refusals of what left before say nothing new.
    changed_at: Option<Duration>,
    log: Window,
    /// How many went ahead and were let through though the last minute was full, and until when its count does not matter.
    against: u32,
    uncounted_until: Duration,
    /// How long answers take.
    latency: Duration,
}

impl Adaptive {
    /// Nothing is known against the configured rate; 0 is no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        let ceiling = if per_minute == 0 { f64::INFINITY } else { f64::from(per_minute) };
        Adaptive {
            ceiling,
            held: None,
            sample: None,
            closed: None,
            refused_at: Duration::ZERO,
            changed_at: None,
            log: Window::new(SLOT),
            against: 0,
            uncounted_until: Duration::ZERO,
            latency: Duration::ZERO,
        }
    }

    /// Whether it goes as fast as configured. If not, a refusal is what has to be expected.
    pub(super) fn is_free(&self) -> bool {
        self.held.is_none() && self.closed.is_none()
    }

    /// What a minute is believed to hold; infinite for no limit.
    pub(super) fn believed(&self) -> f64 {
        self.held.map_or(self.ceiling, |held| held.known)
    }

    fn top(&self) -> f64 {
        self.ceiling * (1.0 - MARGIN)
    }

    /// What a minute is believed to hold by now: ever more while nothing is refused, and soon much more once that is
    /// proven.
    fn known(&mut self, now: Duration) -> f64 {
        let Some(held) = self.held else { return self.top() };
        let rise = above(held.known, CREEP) * minutes(held.since, now).powi(3);
        let doubles = CLIMB_DOUBLES.max(self.latency.mul_f64(1.25));
        let doubled =
            held.climbs.map_or(0.0, |begin| now.saturating_sub(begin).as_secs_f64() / doubles.as_secs_f64());
        let quiet = now.saturating_sub(held.since + RETURN_AFTER).as_secs_f64();
        let back = (held.known + held.before * RETURN * quiet).min(held.before);
        let known = (held.known + rise).max(back) + above(held.known, CLIMB) * (doubled.exp2() - 1.0);
        if known >= self.top().min(NO_LIMIT) {
            self.held = None;
        }
        known.min(self.top())
    }

    /// Calls a second that may leave now; infinite for no limit.
    pub(super) fn rate(&mut self, now: Duration) -> f64 {
        let known = self.known(now);
        let Some(held) = self.held else { return self.top() / MINUTE.as_secs_f64() };
        let pace = (known + above(known, CREEP)).min(self.top()) / MINUTE.as_secs_f64();
        if held.climbs.is_some() {
            return pace;
        }
        let missed = self.most(now) - self.log.count(now) as f64;
        pace + missed.clamp(0.0, pace * CATCH_UP)
    }

    /// How many may leave in a minute.
    fn most(&mut self, now: Duration) -> f64 {
        let known = self.known(now);
        match self.held {
            Some(Held { since, climbs: None, .. }) if now >= self.uncounted_until => {
                let creep = above(known, CREEP) * minutes(since, now).min(1.0);
                (known * (1.0 + BEYOND) + creep).floor().min(self.ceiling)
            }
            _ => self.ceiling,
        }
    }

    /// Whether a call may leave as far as refusals and the last minute are concerned; else when to ask again.
    pub(super) fn ready(&mut self, now: Duration) -> Result<(), Duration> {
        let is_full = self.log.count(now) as f64 >= self.most(now).max(1.0);
        if is_full && self.held.is_none() && self.closed.is_none() {
            return Err(self.log.thins_at());
        }
        let by_count = self.closed.is_none_or(|closed| closed.why == Why::Count);
        if by_count && !is_full {
            self.closed = None;
            return Ok(());
        }
        let until = self.closed.get_or_insert(Closed::new(Why::Count, now, Duration::ZERO)).until();
        if now >= until {
            return Ok(());
        }
        Err(if by_count { until.min(self.log.thins_at()) } else { until })
    }

    /// A call leaves.
    pub(super) fn leave(&mut self, now: Duration) {
        self.log.add(now);
        if let Some(closed) = &mut self.closed {
            closed.leave(now);
        }
    }

    /// A call that left at `asked_at` did not reach the server.
    pub(super) fn not_sent(&mut self, asked_at: Duration) {
        self.log.take_out(asked_at);
        if let Some(closed) = &mut self.closed {
            closed.not_sent(asked_at);
        }
    }

    /// A call that left at `asked_at` was let through, whatever became of it then.
    pub(super) fn let_through(&mut self, now: Duration, asked_at: Duration) {
        let took = now.saturating_sub(asked_at);
        self.latency = if self.latency.is_zero() { took } else { (self.latency * 7 + took) / 8 };
        if let Some(sample) = &mut self.sample {
            sample.let_through(asked_at);
        }
        if let Some(closed) = self.closed {
            self.goes_on(now, asked_at, &closed);
        }
        self.look_for_proof(now, asked_at);
    }

    /// A call was let through while everything waited. Of what left before a refused one that is no surprise.
    fn goes_on(&mut self, now: Duration, asked_at: Duration, closed: &Closed) {
        if closed.why == Why::Count {
            if closed.is_canary(asked_at) {
                self.closed = None;
                self.against += 1;
                if self.against >= AGAINST {
                    self.uncounted_until = now + MINUTE;
                }
            }
            return;
        }
        if asked_at <= self.refused_at {
            return;
        }
        self.closed = None;
        self.changed_at = Some(now);
        let used = self.log.before(self.refused_at, MINUTE) as f64;
        if let Some(held) = &mut self.held {
            held.minutes = 0;
            if closed.why == Why::Refused {
                // A window that was full then has room now.
                held.known = held.known.min(used).max(KNOWN_MIN.min(self.ceiling));
                held.used = held.used.min(used);
                held.before = held.known;
            }
        }
    }

    /// Looks at each whole minute after the last refusal. If the server counts in fixed minutes, a refusal is where one
    /// ends; and for the other ways of counting one minute is as good as another.
    fn look_for_proof(&mut self, now: Duration, asked_at: Duration) {
        let Some(held) = self.held.as_mut().filter(|held| held.climbs.is_none()) else { return };
        let end = held.since + MINUTE * (held.minutes + 1);
        // With the answers to those that left just before.
        if asked_at < end + blur(self.latency) {
            return;
        }
        held.minutes += 1;
        if self.log.before(end, MINUTE) as f64 >= held.used + above(held.used, PROOF) {
            held.climbs = Some(now);
        }
    }

    /// A call that left at `asked_at` was refused for this quota, and is to be waited for `asked` at least. `told` is what
    /// a minute holds, if the refusal says so; `share` (0..1) spreads the waits. How long its like waits now, and whether
    /// that is news.
    pub(super) fn refused(
        &mut self,
        now: Duration,
        asked_at: Duration,
        asked: Duration,
        told: Option<u32>,
        share: f64,
    ) -> (Duration, bool) {
        self.log.take_out(asked_at);
        self.refused_at = self.refused_at.max(asked_at);
        self.against = 0;
        let mut is_news =
            self.closed.as_mut().is_some_and(|closed| closed.refused(now, asked_at, asked, share));
        is_news |= self.learn(now, asked_at, told);
        if self.closed.is_none() && !asked.is_zero() {
            self.closed = Some(Closed::new(Why::Asked, now, asked));
        }
        (self.wait(now).max(PAUSE_FIRST.mul_f64(1.0 + share)).max(asked), is_news)
    }

    /// What a refusal says about the pace; whether that is news.
    fn learn(&mut self, now: Duration, asked_at: Duration, told: Option<u32>) -> bool {
        let known = self.known(now);
        let used = (self.log.before(asked_at, MINUTE) as f64).min(known);
        let before = self.held.map_or(known, |held| {
            let has_tried = known > held.known * RETURN_TRIED;
            if has_tried { held.known } else { held.before }
        });
        let mut held = Held { known, since: self.refused_at, used, before, minutes: 0, climbs: None };
        let is_old = self.changed_at.is_some_and(|changed| asked_at <= changed);
        let waits = self.closed.is_some_and(|closed| closed.why != Why::Count);
        let mut is_news = false;
        if !is_old {
            self.uncounted_until = Duration::ZERO;
            held.known = if used >= known * FULL { used } else { known - 1.0 };
        }
        if let Some(told) = told.map(f64::from).filter(|told| (1.0..held.known).contains(told)) {
            (held.known, held.before) = (told, told);
            (self.changed_at, self.sample) = (Some(now), None);
            is_news = true;
        } else if !is_old && !waits {
            is_news = self.sample.is_none_or(|sample| sample.is_over(asked_at));
            if let Some(shown) = self.look(asked_at, known) {
                self.follow(now, asked_at, &shown, &mut held);
                is_news = true;
            }
        }
        held.known = held.known.max(KNOWN_MIN.min(self.ceiling));
        held.used = held.used.min(held.known);
        if held.before.is_infinite() {
            held.before = held.known;
        }
        // Where nothing was to be a limit, one refusal alone does not make one.
        self.held = Some(held).filter(|held| held.known.is_finite());
        is_news
    }

    fn look(&mut self, asked_at: Duration, known: f64) -> Option<Shown> {
        let pace = (known + above(known, CREEP)).min(self.top());
        let new = Sample::new(asked_at, self.latency, pace);
        let sample = self.sample.get_or_insert(new);
        if sample.is_over(asked_at) {
            *sample = new;
        }
        let shown = sample.refused(asked_at)?;
        self.sample = None;
        Some(shown)
    }

    /// What a minute holds by a sample. A window lets through what a minute holds, however little passes at the moment; a
    /// bucket lets through what passes at the moment, however much it was in the last minute. The more is believed, and
    /// the latter if that is refuted soon.
    fn follow(&mut self, now: Duration, asked_at: Duration, shown: &Shown, held: &mut Held) {
        let is_refuted = self.changed_at.is_some_and(|changed| asked_at < changed + STREAK);
        let passes = (shown.pace * (1.0 - TAKE_BACK * shown.share)).min(held.known);
        let nothing_passes = shown.share > NOTHING_PASSES;
        held.known = if is_refuted && !nothing_passes { passes } else { passes.max(held.used) };
        self.changed_at = Some(now);
        if nothing_passes {
            held.before = held.known;
            self.closed = Some(Closed::new(Why::Refused, now, Duration::ZERO));
        }
    }

    /// How much longer everything waits.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        self.closed.map_or(Duration::ZERO, |closed| closed.wait(now))
    }
}

fn above(number: f64, (share, calls): (f64, f64)) -> f64 {
    number * share + calls
}

fn minutes(since: Duration, now: Duration) -> f64 {
    now.saturating_sub(since).as_secs_f64() / MINUTE.as_secs_f64()
}
