//! How fast: one pace per quota of the project, and two of its own for each space.
//!
//! `bucket` is governor's, with the time handed in; `window` counts what the last minute has seen; `adapt` decides how
//! fast a bucket of the project runs, with `sample` for what refusals show and `closed` for when everything waits;
//! `space` does the same for one space, and `blame` tells whose limit a 429 is about.

mod adapt;
mod blame;
mod bucket;
mod closed;
mod sample;
mod space;
#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chat::Refusal;
use crate::model::{Pace, PaceReason, SpaceId};
use adapt::Adaptive;
use blame::{Blame, Whose, told};
pub(crate) use bucket::{Bucket, ToldClock};
pub(super) use space::SpaceBuckets;
use space::SpacePace;

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
    /// Spaces of the project created, changed or completed (limits guide: 60; completeImport is in no row of it).
    pub space_writes_per_minute: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Rates {
            writes_per_minute: 300,
            reads_per_minute: 3000,
            writes_per_minute_per_space: 900,
            reads_per_minute_per_space: 900,
            space_writes_per_minute: 60,
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
    /// The number. `Auto` is what the rate needs when an answer takes 4 s, and at most what fits some 100 MiB; so many
    /// there are only when answers take that long. Without a rate it is 64.
    pub fn limit(self, writes_per_minute: u32) -> usize {
        let number = match (self, writes_per_minute) {
            (InFlight::Exactly(0), _) => u32::from(u16::MAX),
            (InFlight::Exactly(number), _) => number,
            (InFlight::Auto, 0) => 64,
            (InFlight::Auto, rate) => (rate / 15).clamp(16, 4096),
        };
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

/// Which quota a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `members.create`, `members.delete`.
    Write,
    /// `members.list`.
    Read,
    /// Of a space itself.
    Space,
}

/// A call that was answered: against which quota it counts, when it left, and for which space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) space: SpaceId,
    pub(super) at: Duration,
}

/// What a refusal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    /// How long its like waits now.
    pub(super) wait: Duration,
    /// Whether that is the space's alone, rather than everybody's.
    pub(super) only_space: bool,
    /// Whether it is the first of its kind; else it left before anything was known.
    pub(super) is_news: bool,
}

/// A quota of the project: its bucket and what is known of it, and the pause that a lost network imposes.
#[derive(Debug)]
struct Tap {
    bucket: Bucket,
    adaptive: Adaptive,
    blame: Blame,
    paused_until: Duration,
    setbacks_in_a_row: u32,
}

impl Tap {
    fn new(per_minute: u32, clock: &ToldClock) -> Self {
        let mut adaptive = Adaptive::new(per_minute);
        Tap {
            bucket: Bucket::new(adaptive.rate(Duration::ZERO), clock),
            adaptive,
            blame: Blame::default(),
            paused_until: Duration::ZERO,
            setbacks_in_a_row: 0,
        }
    }

    fn is_unreachable(&self, now: Duration) -> bool {
        now < self.paused_until
    }
}

/// The project's pace.
#[derive(Debug)]
pub(super) struct Pacer {
    clock: ToldClock,
    rates: Rates,
    writes: Tap,
    reads: Tap,
    spaces: Tap,
}

impl Pacer {
    pub(super) fn new(rates: Rates) -> Self {
        let clock = ToldClock::default();
        let (writes, reads) =
            (Tap::new(rates.writes_per_minute, &clock), Tap::new(rates.reads_per_minute, &clock));
        let spaces = Tap::new(rates.space_writes_per_minute, &clock);
        Pacer { writes, reads, spaces, rates, clock }
    }

    /// Without a limit for the project there is none for a space either.
    pub(super) fn space(&self) -> SpaceBuckets {
        let limit = |project, space| if project == 0 { 0 } else { space };
        let rates = &self.rates;
        SpaceBuckets {
            writes: SpacePace::new(
                limit(rates.writes_per_minute, rates.writes_per_minute_per_space),
                &self.clock,
            ),
            reads: SpacePace::new(
                limit(rates.reads_per_minute, rates.reads_per_minute_per_space),
                &self.clock,
            ),
            // One a second (limits guide): as fast as all of them together.
            changes: SpacePace::new(rates.space_writes_per_minute, &self.clock),
        }
    }

    /// The time. Rates follow it.
    pub(super) fn tell(&mut self, now: Duration) {
        self.clock.tell(now);
        for tap in [&mut self.writes, &mut self.reads, &mut self.spaces] {
            let rate = tap.adaptive.rate(now);
            tap.bucket.set_rate(rate);
        }
    }

    fn tap(&mut self, kind: Kind) -> &mut Tap {
        match kind {
            Kind::Write => &mut self.writes,
            Kind::Read => &mut self.reads,
            Kind::Space => &mut self.spaces,
        }
    }

    /// Whether the project may make a call of this kind now; else when to ask again.
    pub(super) fn ready(&mut self, kind: Kind, now: Duration) -> Result<(), Duration> {
        let tap = self.tap(kind);
        if now < tap.paused_until {
            return Err(tap.paused_until);
        }
        tap.adaptive.ready(now)?;
        tap.bucket.ready()
    }

    /// Spends the project's permit: the call leaves. [`Pacer::ready`] comes first.
    pub(super) fn leave(&mut self, kind: Kind, now: Duration) {
        let tap = self.tap(kind);
        tap.bucket.spend();
        tap.adaptive.leave(now);
    }

    /// Takes a permit of the space, or says when it will have one.
    pub(super) fn take(
        &mut self,
        kind: Kind,
        space: &mut SpaceBuckets,
        now: Duration,
    ) -> Result<(), Duration> {
        let void = self.tap(kind).blame.void();
        space.of(kind).take(now, void)
    }

    /// How many writes may be made ready before they may leave: what leaves within a quarter of a second, so that the
    /// journal's commits hold nothing up; `None` without a limit.
    pub(super) fn writes_ahead(&mut self, now: Duration) -> Option<usize> {
        let rate = self.writes.adaptive.rate(now);
        rate.is_finite().then(|| (rate / 4.0) as usize + 2)
    }

    /// How much longer all calls of this kind wait, for the quota or the network.
    pub(super) fn wait(&self, kind: Kind, now: Duration) -> Duration {
        let tap = match kind {
            Kind::Write => &self.writes,
            Kind::Read => &self.reads,
            Kind::Space => &self.spaces,
        };
        tap.paused_until.saturating_sub(now).max(tap.adaptive.wait(now))
    }

    /// Whether writes wait for the quota, rather than for the network.
    pub(super) fn waits_for_quota(&self, now: Duration) -> bool {
        !self.writes.is_unreachable(now) && !self.writes.adaptive.wait(now).is_zero()
    }

    /// There is no network: until when everything of this kind waits already, or else how many times in a row that is.
    pub(super) fn unreachable(&mut self, asked: Asked, now: Duration) -> Result<Duration, u32> {
        let tap = self.tap(asked.kind);
        tap.adaptive.not_sent(asked.at);
        if tap.is_unreachable(now) {
            // One of those that left before the pause began.
            return Ok(tap.paused_until);
        }
        tap.setbacks_in_a_row += 1;
        Err(tap.setbacks_in_a_row)
    }

    /// How much longer calls that are no writes wait for the network; `None` when the last of them got through.
    pub(super) fn lost(&self, now: Duration) -> Option<Duration> {
        let lost = [&self.reads, &self.spaces].into_iter().filter(|tap| tap.setbacks_in_a_row > 0);
        lost.map(|tap| tap.paused_until.saturating_sub(now)).max()
    }

    /// Lets all calls of this kind wait.
    pub(super) fn pause(&mut self, kind: Kind, until: Duration) {
        let tap = self.tap(kind);
        tap.paused_until = tap.paused_until.max(until);
    }

    /// A call was let through by every quota, whatever became of it then. Answers that come in during a pause say nothing
    /// about what follows it.
    pub(super) fn let_through(&mut self, asked: Asked, space: Option<&mut SpaceBuckets>, now: Duration) {
        let tap = self.tap(asked.kind);
        if now >= tap.paused_until {
            tap.setbacks_in_a_row = 0;
        }
        tap.adaptive.let_through(now, asked.at);
        tap.blame.let_through(asked.space, asked.at);
        if let Some(space) = space {
            space.of(asked.kind).let_through(asked.at);
        }
    }

    /// A call met a 429. `wait` is what the answer asks for, `share` (0..1) spreads the waits.
    pub(super) fn refused(
        &mut self,
        asked: Asked,
        space: Option<&mut SpaceBuckets>,
        refusal: &Refusal,
        wait: Duration,
        share: f64,
        now: Duration,
    ) -> Refused {
        let tap = self.tap(asked.kind);
        let mut space = space.map(|space| space.of(asked.kind));
        let is_slowed = space.as_mut().is_some_and(|space| space.slowed(now, tap.blame.void()).is_some());
        let expected = !tap.adaptive.is_free();
        let whose = tap.blame.find(now, asked.at, asked.space, refusal, is_slowed, expected);
        match (whose, space) {
            (Whose::Space, Some(space)) => {
                tap.adaptive.not_sent(asked.at);
                let (wait, is_news) = space.refused(now, asked.at, wait, share);
                Refused { wait, only_space: true, is_news }
            }
            (_, space) => {
                if let Some(space) = space {
                    space.take_out(asked.at);
                }
                let (wait, is_news) = tap.adaptive.refused(now, asked.at, wait, told(refusal), share);
                Refused { wait, only_space: false, is_news }
            }
        }
    }

    /// Writes a minute of a space that is slowed.
    pub(super) fn slowed(&self, space: &mut SpaceBuckets, now: Duration) -> Option<u32> {
        space.writes.slowed(now, self.writes.blame.void()).map(|rate| (rate * 60.0).round() as u32)
    }

    /// How fast writes leave, and why.
    pub(super) fn pace(&self, now: Duration) -> Pace {
        let tap = &self.writes;
        let why = if tap.is_unreachable(now) {
            PaceReason::Unreachable
        } else if tap.adaptive.is_free() {
            PaceReason::Configured
        } else {
            PaceReason::ProjectQuota
        };
        let believed = tap.adaptive.believed();
        Pace {
            writes_per_minute: if believed.is_finite() { believed.round() as u32 } else { 0 },
            configured: self.rates.writes_per_minute,
            why,
            ..Pace::default()
        }
    }
}

impl SpaceBuckets {
    fn of(&mut self, kind: Kind) -> &mut SpacePace {
        match kind {
            Kind::Write => &mut self.writes,
            Kind::Read => &mut self.reads,
            Kind::Space => &mut self.changes,
        }
    }
}
