//! How fast it goes and how long it takes: pure arithmetic on what was seen.

use std::collections::VecDeque;
use std::time::Duration;

/// The span over which the rate is measured that is shown.
const WINDOW: Duration = Duration::from_secs(30);
/// The one that holds that down, so that no burst between two pauses is taken for the speed.
const LONG_WINDOW: Duration = Duration::from_secs(180);
/// What was seen for less than this tells no speed: that is a burst, or when answers happened to come.
const SEEN_MIN: Duration = Duration::from_secs(5);
/// After so long without anything finished or answered nothing moves.
const STILL: Duration = Duration::from_secs(10);
/// Of a slow pace that is after so many times what lies between two writes.
const GAPS: u32 = 2;
const MINUTE: Duration = Duration::from_secs(60);
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
        // One that is older stays, so that whoever looks seldom still has something to measure from.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= self.window) {
            self.samples.pop_front();
        }
    }

    /// Measures from what was noted last.
    fn begin_there(&mut self) {
        self.samples.clear();
        self.samples.push_back(self.latest);
    }

    fn per_second(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (*self.samples.front()?, self.latest);
        let seen = to.saturating_sub(from);
        (seen >= SEEN_MIN && after > before).then(|| (after - before) as f64 / seen.as_secs_f64())
    }
}

/// How it goes, as far as was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Going {
    /// Too little was seen yet, or it goes on with what is not counted, such as the lists of spaces.
    Unknown,
    /// So many things a second.
    At(f64),
    /// Nothing moves.
    Still,
}

/// How long the rest takes at so many things a second.
pub fn time_left(rest: u64, per_second: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(rest as f64 / per_second).ok()
}

/// Measures how fast things are finished.
#[derive(Debug)]
pub struct Meter {
    recent: Gauge,
    steady: Gauge,
    moved: Stir,
    /// Whether anything was finished since the first look.
    begun: bool,
    /// The same of what Chat answered.
    answered: Stir,
    noted: Duration,
}

/// When a count was last another one, and which it has been since.
#[derive(Debug, Clone, Copy, Default)]
struct Stir(Option<(Duration, u64)>);

impl Stir {
    fn note(&mut self, now: Duration, count: u64) {
        if self.0.is_none_or(|(_, before)| before != count) {
            self.0 = Some((now, count));
        }
    }

    /// Whether it is known to be the same for so long.
    fn rests(self, now: Duration, patience: Duration) -> bool {
        self.0.is_some_and(|(at, _)| now.saturating_sub(at) >= patience)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Meter {
            recent: Gauge::over(WINDOW),
            steady: Gauge::over(LONG_WINDOW),
            moved: Stir::default(),
            begun: false,
            answered: Stir::default(),
            noted: Duration::ZERO,
        }
    }
}

impl Meter {
    /// Notes that `count` things were finished by `now`.
    pub fn note(&mut self, now: Duration, count: u64) {
        self.recent.note(now, count);
        self.steady.note(now, count);
        self.noted = now;
        self.begun |= self.moved.0.is_some_and(|(_, before)| before != count);
        self.moved.note(now, count);
    }

    /// Notes that Chat had answered so many calls by `now`, whatever they were about. Before anything is finished these are
    /// lists, and the time that they take is none that rows take.
    pub fn note_answers(&mut self, now: Duration, count: u64) {
        self.answered.note(now, count);
        if !self.begun {
            self.recent.begin_there();
            self.steady.begin_there();
        }
    }

    /// Things a second, once there is something to measure: of late, or over a longer while if that is less.
    fn per_second(&self) -> Option<f64> {
        match (self.recent.per_second(), self.steady.per_second()) {
            (Some(recent), Some(steady)) => Some(recent.min(steady)),
            (recent, steady) => recent.or(steady),
        }
    }

    /// How it goes, where so many things a minute may be begun (0 = no limit). Never faster than that: what goes beyond it is
    /// a burst, or was settled without a write, and the rest does not come like this.
    pub fn going(&self, per_minute: u32) -> Going {
        let patience = MINUTE.checked_div(per_minute).map_or(STILL, |gap| STILL.max(gap * GAPS));
        if !self.moved.rests(self.noted, patience) {
            let most = if per_minute == 0 { f64::INFINITY } else { f64::from(per_minute) / 60.0 };
            return self.per_second().map_or(Going::Unknown, |seen| Going::At(seen.min(most)));
        }
        let hears_nothing = self.answered.0.is_none() || self.answered.rests(self.noted, patience);
        if hears_nothing { Going::Still } else { Going::Unknown }
    }

    /// How long the rest takes, where single things may take long.
    pub fn left(&self, rest: u64) -> Option<Duration> {
        time_left(rest, self.per_second()?)
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
    fn the_first_seconds_are_no_faster_than_the_quota() {
        let mut meter = Meter::default();
        for tenth in 0..300 {
            // Two leave together, then five a second.
            let count = if tenth == 0 { 0 } else { 2 + tenth / 2 };
            meter.note(Duration::from_millis(tenth * 100), count);
            let expected = if tenth < 50 { Going::Unknown } else { Going::At(5.0) };
            assert_eq!(meter.going(300), expected, "{tenth}");
        }
        // Without a limit it is what was seen, and a slow run stays slow.
        assert!(matches!(meter.going(0), Going::At(seen) if seen > 5.0));
        assert!(matches!(paused(2, 60, 0).going(300), Going::At(seen) if seen < 2.1));
    }

    /// A meter of so many a second, and of a pause behind that.
    fn paused(per_second: u64, seconds: u64, pause: u64) -> Meter {
        let mut meter = Meter::default();
        for second in 0..=seconds + pause {
            meter.note(Duration::from_secs(second), second.min(seconds) * per_second);
        }
        meter
    }

    #[test]
    fn nothing_moves_in_a_pause() {
        assert!(matches!(paused(5, 100, 9).going(300), Going::At(_)));
        assert_eq!(paused(5, 100, 10).going(300), Going::Still);
        assert_eq!(paused(5, 100, 1000).going(0), Going::Still);
        // At six a minute ten seconds lie between two.
        assert!(matches!(paused(5, 100, 19).going(6), Going::At(_)));
        assert_eq!(paused(5, 100, 20).going(6), Going::Still);
        assert_eq!(paused(0, 0, 5).going(300), Going::Unknown);
        assert_eq!(paused(0, 0, 10).going(300), Going::Still);
    }

    #[test]
    fn what_is_answered_moves() {
        // Lists for twenty seconds, after which nobody answers any more.
        let going = |seconds: u64| {
            let mut meter = Meter::default();
            for second in 0..=seconds {
                meter.note(Duration::from_secs(second), 7);
                meter.note_answers(Duration::from_secs(second), second.min(20) * 3);
            }
            meter.going(300)
        };
        assert_eq!([5, 10, 20, 29].map(going), [Going::Unknown; 4]);
        assert_eq!([30, 300].map(going), [Going::Still; 2]);
    }

    #[test]
    fn lists_before_the_first_row_do_not_slow_what_comes_then() {
        let mut meter = Meter::default();
        for second in 0..=40 {
            let now = Duration::from_secs(second);
            meter.note(now, 7 + second.saturating_sub(20) * 4);
            meter.note_answers(now, second * 4);
            let expected = if second < 25 { Going::Unknown } else { Going::At(4.0) };
            assert_eq!(meter.going(300), expected, "{second}");
        }
    }

    #[test]
    fn a_burst_between_pauses_is_not_the_speed() {
        let mut meter = Meter::default();
        let mut count = 0;
        for second in 0..=180 {
            // Ten seconds of ten a second in each minute.
            count += if second % 60 < 10 { 10 } else { 0 };
            meter.note(Duration::from_secs(second), count);
            if second > 120
                && let Going::At(per_second) = meter.going(0)
            {
                assert!(per_second < 2.5, "{second}: {per_second}");
            }
        }
    }

    #[test]
    fn whoever_looks_seldom_measures_too() {
        for every in [31, 60, 600] {
            let mut meter = Meter::default();
            meter.note(Duration::ZERO, 7);
            assert_eq!(meter.going(300), Going::Unknown);
            for look in 1..9 {
                meter.note(Duration::from_secs(look * every), 7 + look * every * 2);
                assert_eq!(meter.going(300), Going::At(2.0), "{every}");
                assert!(meter.samples() < 20);
            }
        }
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
