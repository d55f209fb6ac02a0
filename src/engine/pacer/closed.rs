//! Everything waits, and then one call goes ahead alone, until one is let through.

use std::time::Duration;

/// The first wait when nothing passes, the longest within the minute that any quota of Google's is about, and the longest
/// (limits guide: 64 s).
pub(super) const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_IN_MINUTE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(64);
/// The first wait when the own count of the last minute is the reason; it has no bound but the longest.
const PAUSE_COUNT: Duration = Duration::from_secs(1);
/// The one that goes ahead is followed by another if it is not back by then.
const CANARY_PATIENCE: Duration = Duration::from_secs(5);

/// Why everything waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing passes.
    Refused,
    /// A refusal asks for it.
    Asked,
    /// The last minute has seen as many as it is believed to hold. Whether the server counts like that is unknown, so
    /// one goes ahead here as well.
    Count,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    pub(super) why: Why,
    since: Duration,
    until: Duration,
    pause: Duration,
    /// When the one that goes ahead left.
    canary: Option<Duration>,
}

impl Closed {
    pub(super) fn new(why: Why, now: Duration, wait: Duration) -> Self {
        let pause = if why == Why::Count { PAUSE_COUNT } else { PAUSE_FIRST };
        Closed { why, since: now, until: now + pause.max(wait), pause, canary: None }
    }

    /// When the next may go ahead.
    pub(super) fn until(&self) -> Duration {
        self.canary.map_or(self.until, |left| self.until.max(left + CANARY_PATIENCE))
    }

    pub(super) fn leave(&mut self, now: Duration) {
        self.canary = Some(now);
    }

    pub(super) fn is_canary(&self, asked_at: Duration) -> bool {
        self.canary == Some(asked_at)
    }

    /// A call did not reach the server.
    pub(super) fn not_sent(&mut self, asked_at: Duration) {
        self.canary = self.canary.filter(|left| *left != asked_at);
    }

    /// A call was refused, and `asked` is to be waited at least. Whether it is the one that went ahead; then the wait
    /// doubles. `share` (0..1) spreads the waits.
    pub(super) fn refused(&mut self, now: Duration, asked_at: Duration, asked: Duration, share: f64) -> bool {
        self.until = self.until.max(now + asked);
        if !self.is_canary(asked_at) {
            return false;
        }
        let is_in_minute = self.why != Why::Count && now < self.since + PAUSE_MAX;
        self.pause = (self.pause * 2).min(if is_in_minute { PAUSE_IN_MINUTE } else { PAUSE_MAX });
        self.until = self.until.max(now + self.pause.mul_f64(1.0 + share));
        self.canary = None;
        if self.why == Why::Asked {
            self.why = Why::Refused;
        }
        true
    }

    /// How much longer it lasts; not for the own count, which thins all the time.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        if self.why == Why::Count { Duration::ZERO } else { self.until.saturating_sub(now) }
    }
}
