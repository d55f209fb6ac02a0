//! How fast one quota of the project lets calls go: found out from what is refused, where it is less than configured.
//!
//! What the server counts with (a sliding window, a fixed one, a bucket of tokens) is unknown, so nothing is built on it.
//! What holds for all three: at a 429, the calls that were let through within the last 60 s are about what a minute
//! holds, or more. So that is what a minute is believed to hold from then on. The rate follows CUBIC's shape (RFC 9438):
//! a dip, a concave return, a plateau, a careful look beyond it, and a convex climb once more was let through than ever
//! was refused.
//!
//! ```text
//!          refused                    more let through than was known
//! Free ──────────────▶ Steady ──30 s──▶ Probing ──────────────────────▶ Climbing ──all of it──▶ Free
//!                        ▲                 │ refused                        │ refused
//!                        └─────────────────┴────────────────────────────────┘
//! ```
//!
//! After a refusal everything waits, and then one call goes ahead alone, until one is answered well.

use std::time::Duration;

use super::window::{MINUTE, Window};

/// How much slower than the quota calls leave. Within a minute those of 60.48 s may arrive: so different may their ways
/// be before the server sees a call too many.
pub(super) const MARGIN: f64 = 0.008;
/// How much of what was refused is used from then on: what is left of a minute lets a bucket of tokens recover.
const CAUTION: f64 = 0.988;
/// Another refusal so soon says that the belief is still too high ...
const STREAK: Duration = Duration::from_secs(20);
/// ... and by this it is lowered, though never below what has got through since.
const DECREASE: f64 = 0.85;
/// A minute that holds this share of what it is believed to is full. When it is not, and a call is refused all the same,
/// the server minds haste: what was missed is not made up for any more, and the belief is lowered by a little.
const FULL: f64 = 0.94;
const DECREASE_OF_HASTE: f64 = 0.97;
/// With fewer calls in the last minute their number says nothing, and the belief is halved.
const INFORMATIVE: u64 = 20;
/// Below this many a minute no quota is believed to be, for there would be too few calls to find out that it is not.
const BELIEF_MIN: f64 = 30.0;
/// How deep the rate dips after a refusal, and how long it takes to be back: the slack of half a second that this makes
/// bears the different ways of calls.
const DIP: f64 = 0.2;
const DIP_LENGTH: Duration = Duration::from_secs(10);
/// What was missed may be made up for at this rate above the plateau, over so many seconds.
const CATCH_UP: f64 = 0.1;
const CATCH_UP_SECONDS: f64 = 20.0;
/// How long the plateau lasts at least before more is tried ...
const PROBE_AFTER: Duration = Duration::from_secs(25);
/// ... and in calls for each that the last probe made be refused, so that they stay about one in a hundred; but not for
/// ever.
const CALLS_PER_REFUSAL: f64 = 75.0;
const PROBE_AFTER_MAX: Duration = Duration::from_secs(120);
/// How much faster a probe is, if answers take so long at most, and else less: what is under way when the first refusal
/// comes back will be refused as well.
const PROBE_RATE: f64 = 0.1;
const PROBE_LATENCY: Duration = Duration::from_millis(1200);
/// How many more than was known a probe lets into a minute, and how many are proof that there is more to be had: both
/// are a share and a few calls.
const PROBE_CALLS: (f64, f64) = (0.02, 2.0);
const PROOF_CALLS: (f64, f64) = (0.012, 1.0);
/// After so long, or after eight answers where those take longer, a climb has doubled the rate; it grows with the third
/// power of time.
const CLIMB_DOUBLES: Duration = Duration::from_secs(8);
/// The first wait after a refusal, the longest within the minute that any quota of Google's is about, and the longest
/// (limits guide: 64 s).
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_IN_MINUTE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(64);
/// The one that goes ahead is followed by another if it is not back by then.
const CANARY_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// As fast as configured.
    Free,
    /// At what is believed.
    Steady { since: Duration },
    /// A little above it, to see whether it still holds.
    Probing,
    /// It does not hold: faster and faster, from this many a second on.
    Climbing { since: Duration, from: f64 },
}

/// Everything waits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Closed {
    since: Duration,
    until: Duration,
    pause: Duration,
    /// When the one that goes ahead left.
    canary: Option<Duration>,
    /// How many had been let through within a minute when the last one was refused; `None` before it was.
    used: Option<u64>,
}

/// What is known of one quota of the project.
#[derive(Debug, Clone)]
pub(super) struct Adaptive {
    /// Calls a minute as configured; infinite for no limit.
    ceiling: f64,
    /// What a minute holds, as far as that was found out.
    known: f64,
    phase: Phase,
    closed: Option<Closed>,
    /// When the belief was last lowered: refusals of what left before belong to the same signal.
    cut_at: Option<Duration>,
    /// Whether what was missed is made up for.
    hurries: bool,
    log: Window,
    /// When the first call left.
    begin: Option<Duration>,
    /// Calls a minute that had got through at the last refusal, if that came within the first minute.
    young: Option<f64>,
    /// How many were refused since the last probe began; `None` after a refusal that no probe has made.
    cost: Option<u32>,
    /// How long answers take.
    latency: Duration,
}

impl Adaptive {
    /// Nothing is known against the configured rate; 0 is no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        let ceiling = if per_minute == 0 { f64::INFINITY } else { f64::from(per_minute) };
        Adaptive {
            ceiling,
            known: ceiling,
            phase: Phase::Free,
            closed: None,
            cut_at: None,
            hurries: true,
            log: Window::new(Duration::from_millis(250)),
            begin: None,
            young: None,
            cost: None,
            latency: Duration::ZERO,
        }
    }

    /// Whether it goes as fast as configured.
    pub(super) fn is_free(&self) -> bool {
        self.phase == Phase::Free && self.closed.is_none()
    }

    /// What a minute is believed to hold; infinite for no limit.
    pub(super) fn believed(&self) -> f64 {
        match self.phase {
            Phase::Free => self.ceiling,
            Phase::Steady { .. } | Phase::Probing => self.known * CAUTION,
            Phase::Climbing { .. } => self.known,
        }
    }

    fn plateau(&self) -> f64 {
        self.believed().min(self.ceiling) * (1.0 - MARGIN) / MINUTE.as_secs_f64()
    }

    /// Calls a second that may leave now; infinite for no limit. Moves on to the next phase when it is time.
    pub(super) fn rate(&mut self, now: Duration) -> f64 {
        let top = self.ceiling * (1.0 - MARGIN) / MINUTE.as_secs_f64();
        if let Phase::Steady { since } = self.phase {
            let calls = f64::from(self.cost.unwrap_or(0)) * CALLS_PER_REFUSAL;
            let after = Duration::try_from_secs_f64(calls / self.plateau()).unwrap_or(PROBE_AFTER_MAX);
            if now >= since + after.clamp(PROBE_AFTER, PROBE_AFTER_MAX) && self.closed.is_none() {
                (self.phase, self.cost) = (Phase::Probing, Some(0));
            }
        }
        let rate = match self.phase {
            Phase::Free => top,
            Phase::Steady { since } if now < since + DIP_LENGTH => {
                let left = 1.0 - (now - since).as_secs_f64() / DIP_LENGTH.as_secs_f64();
                self.plateau() * (1.0 - DIP * left.powi(3))
            }
            Phase::Steady { .. } if !self.hurries => self.plateau(),
            Phase::Steady { .. } => {
                let full = self.plateau() * MINUTE.as_secs_f64();
                let missed = full - self.log.count(now) as f64;
                self.plateau() + (missed / CATCH_UP_SECONDS).clamp(0.0, self.plateau() * CATCH_UP)
            }
            Phase::Probing => {
                let slower = PROBE_LATENCY.as_secs_f64() / self.latency.max(PROBE_LATENCY).as_secs_f64();
                self.plateau() * (1.0 + PROBE_RATE * slower)
            }
            Phase::Climbing { since, from } => {
                let doubles = CLIMB_DOUBLES.max(self.latency * 8);
                from * (1.0 + ((now - since).as_secs_f64() / doubles.as_secs_f64()).powi(3))
            }
        };
        if rate >= top && matches!(self.phase, Phase::Climbing { .. }) {
            (self.phase, self.known) = (Phase::Free, self.ceiling);
        }
        rate.min(top)
    }

    /// Whether a call may leave as far as the last minute is concerned; else when to ask again.
    pub(super) fn ready(&mut self, now: Duration) -> Result<(), Duration> {
        if let Some(closed) = &self.closed {
            if now < closed.until {
                return Err(closed.until);
            }
            if let Some(left) = closed.canary
                && now < left + CANARY_PATIENCE
            {
                return Err(left + CANARY_PATIENCE);
            }
            // Its own count would keep it from finding out that the server counts in another way.
            return Ok(());
        }
        let most = match self.phase {
            Phase::Free | Phase::Climbing { .. } => self.ceiling,
            Phase::Steady { .. } => self.known * CAUTION,
            Phase::Probing => above(self.known, PROBE_CALLS).min(self.ceiling),
        };
        if (self.log.count(now) as f64) < most.max(1.0) {
            return Ok(());
        }
        Err(self.log.thins_at())
    }

    /// A call leaves.
    pub(super) fn leave(&mut self, now: Duration) {
        self.log.add(now);
        self.begin.get_or_insert(now);
        if let Some(closed) = &mut self.closed {
            closed.canary = Some(now);
        }
    }

    /// A call that left at `asked_at` did not reach the server.
    pub(super) fn not_sent(&mut self, asked_at: Duration) {
        self.log.take_out(asked_at);
        if let Some(closed) = &mut self.closed
            && closed.canary == Some(asked_at)
        {
            closed.canary = None;
        }
    }

    /// A call that left at `asked_at` was let through, whatever became of it then.
    pub(super) fn let_through(&mut self, now: Duration, asked_at: Duration) {
        if self.cut_at.is_some_and(|cut| asked_at <= cut) {
            return;
        }
        let took = now.saturating_sub(asked_at);
        self.latency = if self.latency.is_zero() { took } else { (self.latency * 7 + took) / 8 };
        if let Some(closed) = self.closed.take() {
            self.reopened(now, asked_at, &closed);
        }
        match self.phase {
            Phase::Probing => {
                let through = self.log.before(asked_at, MINUTE) as f64;
                if through >= above(self.known, PROOF_CALLS).min(self.ceiling * (1.0 - 2.0 * MARGIN)) {
                    self.known = through;
                    self.phase = Phase::Climbing { since: now, from: self.plateau() };
                }
            }
            Phase::Climbing { .. } => {
                self.known = self.known.max(self.log.before(asked_at, MINUTE) as f64);
            }
            Phase::Free | Phase::Steady { .. } => {}
        }
    }

    /// The one that went ahead was let through.
    fn reopened(&mut self, now: Duration, asked_at: Duration, closed: &Closed) {
        if self.phase == Phase::Free {
            return;
        }
        match (closed.used, self.young) {
            // At the first try, and the run is younger than a minute: no window is full, so it is the haste that was
            // refused, and what has got through until then tells what there is.
            (None, Some(got_through)) => {
                self.known = self.known.max(got_through * DECREASE).min(self.ceiling)
            }
            // A sliding window had too many in it when the last was refused, and now it has not.
            (Some(used), None) => {
                let middle = (used + self.log.before(asked_at, MINUTE)) as f64 / 2.0;
                let known = if used >= INFORMATIVE { self.known.min(middle) } else { self.known / 2.0 };
                self.known = known.max(BELIEF_MIN.min(self.ceiling));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        if closed.used.is_some() {
            self.phase = Phase::Steady { since: now };
        }
    }

    /// A call that left at `asked_at` was refused for this quota, and is to be waited for `asked` at least. `told` is what
    /// a minute holds, if the refusal says so; `share` (0..1) spreads the waits. How long everything waits now, and
    /// whether that is news.
    pub(super) fn refused(
        &mut self,
        now: Duration,
        asked_at: Duration,
        asked: Duration,
        told: Option<u32>,
        share: f64,
    ) -> (Duration, bool) {
        self.log.take_out(asked_at);
        self.cost = self.cost.map(|cost| cost.saturating_add(1));
        if self.cut_at.is_some_and(|cut| asked_at <= cut) {
            // One of those that were under way then. It makes the wait no longer unless it says so.
            if let Some(closed) = &mut self.closed {
                closed.until = closed.until.max(now + asked);
            }
            return (self.wait(now).max(asked), false);
        }
        let used = self.log.before(asked_at, MINUTE);
        let (since, pause) = match &self.closed {
            Some(closed) => {
                let longest = if now < closed.since + PAUSE_MAX { PAUSE_IN_MINUTE } else { PAUSE_MAX };
                (closed.since, (closed.pause * 2).min(longest))
            }
            None => {
                self.cut(now, asked_at, used, told);
                (now, PAUSE_FIRST)
            }
        };
        let again = self.closed.is_some();
        let until = now + pause.mul_f64(1.0 + share).max(asked);
        self.closed = Some(Closed { since, until, pause, canary: None, used: Some(used).filter(|_| again) });
        (until - now, true)
    }

    fn cut(&mut self, now: Duration, asked_at: Duration, used: u64, told: Option<u32>) {
        let before = self.cut_at.replace(now);
        let age = asked_at.saturating_sub(self.begin.unwrap_or_default());
        self.young = (age < MINUTE).then(|| used as f64 / age.as_secs_f64().max(1.0) * MINUTE.as_secs_f64());
        let streak = before.map(|cut| asked_at.saturating_sub(cut)).filter(|gap| *gap < STREAK);
        if self.ceiling.is_infinite() && self.phase == Phase::Free && streak.is_none() {
            // Nothing was to be a limit: one refusal alone does not make one.
            return;
        }
        if let Phase::Free | Phase::Steady { .. } = self.phase {
            self.cost = None;
        }
        let most = match self.phase {
            Phase::Free | Phase::Steady { .. } => self.known,
            Phase::Probing | Phase::Climbing { .. } => self.ceiling,
        };
        let mut known = match used {
            INFORMATIVE.. => most.min(used as f64),
            _ if self.known.is_infinite() => INFORMATIVE as f64,
            _ => self.known / 2.0,
        };
        if let Phase::Steady { .. } | Phase::Probing = self.phase {
            let got_through = |gap: Duration| {
                let through = self.log.before(asked_at, gap) as f64;
                through / gap.as_secs_f64().max(1.0) * MINUTE.as_secs_f64()
            };
            let is_full = used as f64 >= self.plateau() * MINUTE.as_secs_f64() * FULL;
            match streak {
                Some(gap) => known = (self.known * DECREASE).max(got_through(gap).min(self.known)),
                // The minute was not full: it is the haste that was refused.
                None if !is_full => known = self.known * DECREASE_OF_HASTE,
                None => {}
            }
            self.hurries &= is_full;
        }
        if let Some(told) = told.filter(|told| *told > 0) {
            known = known.min(told.into());
        }
        self.known = known.max(BELIEF_MIN.min(self.ceiling));
        self.phase = Phase::Steady { since: now };
    }

    /// How much longer everything waits.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        self.closed.map_or(Duration::ZERO, |closed| closed.until.saturating_sub(now))
    }

    /// Whether a refusal is what has to be expected now.
    pub(super) fn is_near_its_limit(&mut self, now: Duration) -> bool {
        let full = self.plateau() * MINUTE.as_secs_f64() * (1.0 - 2.0 * MARGIN);
        self.closed.is_some()
            || match self.phase {
                Phase::Free => false,
                Phase::Probing | Phase::Climbing { .. } => true,
                Phase::Steady { .. } => self.log.count(now) as f64 >= full,
            }
    }
}

fn above(known: f64, (share, calls): (f64, f64)) -> f64 {
    known * (1.0 + share) + calls
}
