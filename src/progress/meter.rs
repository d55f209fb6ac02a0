//! How fast it goes and how long it takes: pure arithmetic on what was seen.

use std::collections::VecDeque;
use std::time::Duration;

/// The span over which the rate is measured that is shown.
const WINDOW: Duration = Duration::from_secs(30);
/// The one that the end is told by, so that a pause of a minute does not move it about.
const LONG_WINDOW: Duration = Duration::from_secs(180);
const SAMPLES_MAX: usize = 64;

/// Measures a rate over the last while. However long it goes on, it holds few samples.
#[derive(Debug)]
struct Gauge {
    window: Duration,
    samples: VecDeque<(Duration, u64)>,
    latest: (Duration, u64),
}

impl Gauge {
    fn over(window: Duration) -> Self {
        Gauge { window, samples: VecDeque::new(), latest: (Duration::ZERO, 0) }
    }

    fn note(&mut self, now: Duration, count: u64) {
        self.latest = (now, count);
        let spacing = self.window / SAMPLES_MAX as u32;
        if self.samples.back().is_none_or(|(last, _)| now.saturating_sub(*last) >= spacing) {
            self.samples.push_back((now, count));
        }
        while self.samples.len() > 1
            && self.samples.front().is_some_and(|(at, _)| now.saturating_sub(*at) > self.window)
        {
            self.samples.pop_front();
        }
    }

    fn per_second(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (*self.samples.front()?, self.latest);
        let seconds = to.saturating_sub(from).as_secs_f64();
        (seconds >= 0.5 && after > before).then(|| (after - before) as f64 / seconds)
    }
}

/// Measures how fast things are finished: of late, and for long enough to tell the end by it.
#[derive(Debug)]
pub struct Meter {
    recent: Gauge,
    steady: Gauge,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { recent: Gauge::over(WINDOW), steady: Gauge::over(LONG_WINDOW) }
    }
}

impl Meter {
    /// Notes that `count` things were finished by `now`.
    pub fn note(&mut self, now: Duration, count: u64) {
        self.recent.note(now, count);
        self.steady.note(now, count);
    }

    /// Things a second of late, once there is something to measure.
    pub fn per_second(&self) -> Option<f64> {
        self.recent.per_second()
    }

    /// How long the rest takes.
    pub fn left(&self, rest: u64) -> Option<Duration> {
        Duration::try_from_secs_f64(rest as f64 / self.steady.per_second()?).ok()
    }

    /// How much it holds.
    #[cfg(test)]
    pub(super) fn samples(&self) -> usize {
        self.recent.samples.len() + self.steady.samples.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate() {
        let mut meter = Meter::default();
        assert_eq!(meter.per_second(), None);
        for tenth in 0..1000 {
            meter.note(Duration::from_millis(tenth * 100), tenth);
        }
        let rate = meter.per_second().unwrap();
        assert!((9.5..10.5).contains(&rate), "{rate}");
        assert_eq!(meter.left(100).map(|left| left.as_secs()), Some(10));
    }

    #[test]
    fn what_happened_long_ago_does_not_count() {
        let mut meter = Meter::default();
        for second in 0..100 {
            meter.note(Duration::from_secs(second), second * 100);
        }
        for second in 100..200 {
            meter.note(Duration::from_secs(second), 10_000 + second);
        }
        assert!(meter.per_second().unwrap() < 2.0);
    }

    #[test]
    fn a_pause_does_not_hide_the_end() {
        let mut meter = Meter::default();
        for second in 0..=160 {
            meter.note(Duration::from_secs(second), second.min(100) * 5);
        }
        assert_eq!(meter.per_second(), None);
        assert_eq!(meter.left(500).map(|left| left.as_secs()), Some(160));
    }

    #[test]
    fn nothing_finished_is_no_rate() {
        let mut meter = Meter::default();
        for second in 0..10 {
            meter.note(Duration::from_secs(second), 5);
        }
        assert_eq!(meter.left(10), None);
    }
}
