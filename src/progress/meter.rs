//! How fast it goes and how long it takes: pure arithmetic on what was seen.

use std::collections::VecDeque;
use std::time::Duration;

/// The span over which the rate is measured.
const WINDOW: Duration = Duration::from_secs(30);
const SAMPLES_MAX: usize = 64;

/// Measures a rate over the last half minute.
#[derive(Debug, Default)]
pub struct Meter {
    samples: VecDeque<(Duration, u64)>,
    latest: (Duration, u64),
}

impl Meter {
    /// Notes that `count` things were finished by `now`.
    pub fn note(&mut self, now: Duration, count: u64) {
        self.latest = (now, count);
        let spacing = WINDOW / SAMPLES_MAX as u32;
        if self.samples.back().is_none_or(|(last, _)| now.saturating_sub(*last) >= spacing) {
            self.samples.push_back((now, count));
        }
        while self.samples.len() > 1
            && self.samples.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Things a second, once there is something to measure.
    pub fn per_second(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (*self.samples.front()?, self.latest);
        let seconds = to.saturating_sub(from).as_secs_f64();
        (seconds >= 0.5 && after > before).then(|| (after - before) as f64 / seconds)
    }

    /// How long the rest takes at this rate.
    pub fn left(&self, rest: u64) -> Option<Duration> {
        Duration::try_from_secs_f64(rest as f64 / self.per_second()?).ok()
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
        assert!(meter.samples.len() <= SAMPLES_MAX + 2);
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
    fn nothing_finished_is_no_rate() {
        let mut meter = Meter::default();
        for second in 0..10 {
            meter.note(Duration::from_secs(second), 5);
        }
        assert_eq!(meter.left(10), None);
    }
}
