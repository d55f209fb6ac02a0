//! How many calls the last minute has seen: what every quota of Google's is about (limits guide: "per 60 seconds").

use std::collections::VecDeque;
use std::time::Duration;

/// The span that quotas are about.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// How long calls are remembered beyond the last minute: as long as an answer may take, and what it says is about the
/// minute in which its call left.
const MEMORY: Duration = Duration::from_secs(30);

/// Calls of the last minute by the time of leaving, in slots. A call that was refused is taken out again, for a quota
/// does not count it; one that is not answered yet counts.
#[derive(Debug, Clone)]
pub(super) struct Window {
    slot: Duration,
    /// The newest slot's number; slot `n` begins at `n * slot`.
    newest: u64,
    /// The slots up to the newest, which comes last.
    slots: VecDeque<u32>,
    sum: u64,
}

impl Window {
    pub(super) fn new(slot: Duration) -> Self {
        Window { slot, newest: 0, slots: VecDeque::from([0]), sum: 0 }
    }

    fn number(&self, at: Duration) -> u64 {
        u64::try_from(at.as_nanos() / self.slot.as_nanos()).unwrap_or(u64::MAX)
    }

    /// How many slots a minute needs, with the one that has only just begun.
    fn slots_max(&self) -> u64 {
        self.number(MINUTE) + 1
    }

    fn advance(&mut self, now: Duration) {
        let number = self.number(now);
        let most = self.slots_max() + self.number(MEMORY);
        if number.saturating_sub(self.newest) > most {
            (self.slots, self.sum, self.newest) = (VecDeque::from([0]), 0, number);
        }
        while self.newest < number {
            self.newest += 1;
            self.slots.push_back(0);
            self.sum -=
                u64::from(self.slots.get(self.first_of_minute().wrapping_sub(1)).copied().unwrap_or(0));
            if self.slots.len() as u64 > most {
                self.slots.pop_front();
            }
        }
    }

    /// The place of the minute's oldest slot.
    fn first_of_minute(&self) -> usize {
        self.slots.len().saturating_sub(usize::try_from(self.slots_max()).unwrap_or(usize::MAX))
    }

    fn place(&self, at: Duration) -> Option<usize> {
        let back = self.newest.checked_sub(self.number(at))?;
        (self.slots.len() as u64).checked_sub(back + 1).and_then(|place| usize::try_from(place).ok())
    }

    /// A call leaves.
    pub(super) fn add(&mut self, now: Duration) {
        self.advance(now);
        if let Some(slot) = self.slots.back_mut() {
            *slot += 1;
            self.sum += 1;
        }
    }

    /// A call that left then does not count.
    pub(super) fn take_out(&mut self, at: Duration) {
        let first = self.first_of_minute();
        if let Some(place) = self.place(at)
            && let Some(slot) = self.slots.get_mut(place)
            && *slot > 0
        {
            *slot -= 1;
            self.sum -= u64::from(place >= first);
        }
    }

    /// How many count now: those of the last minute, and of up to a slot before it.
    pub(super) fn count(&mut self, now: Duration) -> u64 {
        self.advance(now);
        self.sum
    }

    /// How many left within `span` before `at`, as far as that is remembered.
    pub(super) fn before(&self, at: Duration, span: Duration) -> u64 {
        let newest = self.number(at);
        let oldest = (newest + 1).saturating_sub(self.number(span));
        let first = self.newest + 1 - self.slots.len() as u64;
        (oldest.max(first)..=newest.min(self.newest))
            .filter_map(|number| self.slots.get(usize::try_from(number - first).ok()?))
            .map(|slot| u64::from(*slot))
            .sum()
    }

    /// When fewer than now will count: when the oldest slot with a call in it is older than a minute.
    pub(super) fn thins_at(&self) -> Duration {
        let first = self.newest + 1 - self.slots.len() as u64;
        let mut minute = self.slots.iter().enumerate().skip(self.first_of_minute());
        let oldest = minute.find(|(_, slot)| **slot > 0).map_or(0, |(place, _)| place as u64) + first;
        let slots = u32::try_from(oldest + self.slots_max()).unwrap_or(u32::MAX);
        self.slot.saturating_mul(slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOT: Duration = Duration::from_millis(250);

    #[test]
    fn a_refused_call_does_not_count() {
        let mut window = Window::new(SLOT);
        let second = Duration::from_secs(1);
        (0..4).for_each(|_| window.add(second));
        window.take_out(second);
        window.take_out(second * 2);
        assert_eq!(window.count(second * 2), 3);
        assert_eq!(window.count(second * 62), 0);
        window.take_out(second);
        assert_eq!(window.count(second * 62), 0);
    }

    proptest! {
        #[test]
        fn it_never_forgets_a_call_of_the_last_minute(gaps in prop::collection::vec(0u64..20_000, 1..200)) {
            let mut window = Window::new(SLOT);
            let mut times: Vec<Duration> = Vec::new();
            let mut now = Duration::ZERO;
            for gap in gaps {
                now += Duration::from_millis(gap);
                window.add(now);
                times.push(now);
                let within = |span: Duration| times.iter().filter(|at| **at + span > now).count() as u64;
                let counted = window.count(now);
                prop_assert!(counted >= within(MINUTE) && counted <= within(MINUTE + SLOT));
                let recent = window.before(now, MINUTE);
                prop_assert!(recent >= within(MINUTE - SLOT) && recent <= within(MINUTE));
                let thins = window.thins_at();
                prop_assert!(thins > now && thins <= now + MINUTE + SLOT);
                prop_assert!(window.clone().count(thins) < counted);
                prop_assert_eq!(window.clone().count(thins - Duration::from_nanos(1)), counted);
            }
        }
    }
}
