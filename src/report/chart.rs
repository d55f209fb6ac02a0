//! Charts as inline SVG. Each has a title and a description for those who do not see it, and the page says the same in a
//! table.

use std::fmt;
use std::time::Duration;

use super::course::Sitting;
use super::html::Html;
use super::wording::{formatted, thousands};
use crate::model::Timestamp;

/// The width of all charts in their own units; on the page they are as wide as there is room.
const WIDTH: f64 = 720.0;
/// Room for the scale on the left, and above and below the columns.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 24.0;
/// Lines of the scale above zero, about.
const LINES: f64 = 3.0;
/// Labels below a chart of times, at most.
const LABELS_MAX: i64 = 6;

/// A coordinate: a tenth of a unit is finer than a screen.
struct Px(f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.1}", self.0);
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

/// One column of a chart: its parts from the bottom up, and what is said of it when somebody points at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// How high each part is, and the class that gives it its colour.
    pub(super) parts: Vec<(f64, &'static str)>,
    pub(super) about: String,
}

/// A chart of columns side by side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    /// Tells it from the other charts of the page.
    pub(super) id: String,
    /// What it shows, in a few words,
    pub(super) title: String,
    /// and in a sentence: what somebody would read off it.
    pub(super) description: String,
    /// What is counted; stands above the scale.
    pub(super) unit: String,
    /// How high it is.
    pub(super) height: f64,
    pub(super) columns: Vec<Column>,
    /// What stands below: where, from 0 at the left to 1 at the right.
    pub(super) labels: Vec<(f64, String)>,
    /// A line across, and what it is.
    pub(super) line: Option<(f64, String)>,
}

impl Columns {
    fn highest(&self) -> f64 {
        let column = |column: &Column| column.parts.iter().map(|(part, _)| part).sum::<f64>();
        self.columns.iter().map(column).fold(0.0, f64::max)
    }

    pub(super) fn draw(&self, html: &mut Html) {
        let (bottom, top) = (self.height - BOTTOM, TOP);
        // A line that is far above all columns would only press them down.
        let highest = self.highest();
        let line = self.line.as_ref().filter(|(at, _)| *at <= highest * 2.0 && *at > 0.0);
        let step = nice_step(line.map_or(highest, |(at, _)| at.max(highest)));
        let lines = (line.map_or(highest, |(at, _)| at.max(highest)) / step).ceil().max(1.0);
        let y = |value: f64| bottom - value / (step * lines) * (bottom - top);
        let (title, description) = (format!("{}-t", self.id), format!("{}-d", self.id));
        let width = (WIDTH - LEFT - RIGHT) / self.columns.len().max(1) as f64;
        html.element(
            "svg",
            &[
                ("viewBox", &format!("0 0 {} {}", Px(WIDTH), Px(self.height))),
                ("role", &"img"),
                ("aria-labelledby", &format!("{title} {description}")),
            ],
            |html| {
                html.leaf("title", &[("id", &title)], &self.title);
                html.leaf("desc", &[("id", &description)], &self.description);
                for number in 0..=lines as u32 {
                    let value = f64::from(number) * step;
                    rule(html, if number == 0 { "base" } else { "grid" }, y(value));
                    write(html, (LEFT - 8.0, y(value) + 4.0), "end", &figure(value, step));
                }
                write(html, (0.0, 10.0), "start", &self.unit);
                for (place, column) in self.columns.iter().enumerate() {
                    let x = LEFT + place as f64 * width;
                    draw_column(html, column, x, width, y);
                }
                for (at, label) in &self.labels {
                    let x = LEFT + at * (WIDTH - LEFT - RIGHT);
                    let anchor = if *at > 0.97 { "end" } else { "middle" };
                    write(html, (x, self.height - 6.0), anchor, label);
                }
                if let Some((at, label)) = line {
                    rule(html, "limit", y(*at));
                    write(html, (WIDTH - RIGHT, y(*at) - 5.0), "end", label);
                }
            },
        );
    }
}

fn draw_column(html: &mut Html, column: &Column, x: f64, width: f64, y: impl Fn(f64) -> f64) {
    let gap = (width * 0.2).min(6.0);
    html.element("g", &[], |html| {
        html.leaf("title", &[], &column.about);
        let mut below = 0.0;
        for (part, class) in column.parts.iter().filter(|(part, _)| *part > 0.0) {
            let (from, to) = (y(below), y(below + part));
            below += part;
            html.element(
                "rect",
                &[
                    ("class", class),
                    ("x", &Px(x + gap / 2.0)),
                    ("y", &Px(to)),
                    ("width", &Px(width - gap)),
                    // What is there is seen.
                    ("height", &Px((from - to).max(0.6))),
                ],
                |_| {},
            );
        }
    });
}

/// A bar of parts side by side that make a whole.
pub(super) fn bar(html: &mut Html, title: &str, parts: &[(u64, &'static str, String)]) {
    let whole: u64 = parts.iter().map(|(count, ..)| count).sum();
    let height = 14.0;
    let about: Vec<&str> = parts.iter().map(|(_, _, about)| about.as_str()).collect();
    html.element(
        "svg",
        &[
            ("class", &"bar"),
            ("viewBox", &format!("0 0 {} {}", Px(WIDTH), Px(height))),
            ("preserveAspectRatio", &"none"),
            ("role", &"img"),
            ("aria-labelledby", &"bar-t bar-d"),
        ],
        |html| {
            html.leaf("title", &[("id", &"bar-t")], title);
            html.leaf("desc", &[("id", &"bar-d")], about.join("; "));
            let mut x = 0.0;
            for (width, (_, class, about)) in widths(parts, whole).into_iter().zip(parts) {
                if width > 0.0 {
                    html.element("g", &[], |html| {
                        html.leaf("title", &[], about);
                        html.element(
                            "rect",
                            &[
                                ("class", class),
                                ("x", &Px(x)),
                                ("y", &0),
                                ("width", &Px((width - 1.0).max(0.5))),
                                ("height", &Px(height)),
                            ],
                            |_| {},
                        );
                    });
                }
                x += width;
            }
        },
    );
}

/// How wide each part is: in proportion, but whatever there is is seen.
fn widths(parts: &[(u64, &'static str, String)], whole: u64) -> Vec<f64> {
    const NARROWEST: f64 = 4.0;
    let wide = |count: u64| count as f64 / whole.max(1) as f64 * WIDTH;
    let narrow = |count: u64| count > 0 && wide(count) < NARROWEST;
    let lent: f64 =
        parts.iter().filter(|(count, ..)| narrow(*count)).map(|(count, ..)| NARROWEST - wide(*count)).sum();
    let lenders: f64 =
        parts.iter().filter(|(count, ..)| !narrow(*count)).map(|(count, ..)| wide(*count)).sum();
    parts
        .iter()
        .map(|(count, ..)| match *count {
            0 => 0.0,
            count if narrow(count) => NARROWEST,
            count => wide(count) * (1.0 - lent / lenders.max(1.0)),
        })
        .collect()
}

fn rule(html: &mut Html, class: &'static str, y: f64) {
    let line: [(&str, &dyn fmt::Display); 5] =
        [("class", &class), ("x1", &Px(LEFT)), ("x2", &Px(WIDTH - RIGHT)), ("y1", &Px(y)), ("y2", &Px(y))];
    html.element("line", &line, |_| {});
}

fn write(html: &mut Html, (x, y): (f64, f64), anchor: &'static str, text: &str) {
    html.leaf("text", &[("x", &Px(x)), ("y", &Px(y)), ("text-anchor", &anchor)], text);
}

/// The step of a scale: 1, 2 or 5 and noughts, so that about three of them reach as high as the highest column.
fn nice_step(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let rough = highest / LINES;
    let power = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|nice| nice * power >= rough * 0.999);
    nice.unwrap_or(10.0) * power
}

/// A figure of the scale, as exact as its step.
fn figure(value: f64, step: f64) -> String {
    if step >= 1.0 {
        return thousands(value.round() as u64);
    }
    let digits = (-step.log10()).ceil().clamp(1.0, 4.0) as usize;
    format!("{value:.digits$}")
}

/// Labels below a sitting: times of the clock or days of the calendar, a few of them.
pub(super) fn times(sitting: &Sitting) -> Vec<(f64, String)> {
    const DAY: i64 = 1440;
    let minutes = |time: Timestamp| time.as_micros().div_euclid(60_000_000);
    let (begin, length) = (minutes(sitting.begun_at), (sitting.length().as_secs() / 60).max(1) as i64);
    let intervals = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, DAY, 2 * DAY, 5 * DAY, 10 * DAY, 20 * DAY];
    let interval = intervals
        .into_iter()
        .find(|interval| length / interval < LABELS_MAX)
        .unwrap_or(length / LABELS_MAX + 1);
    let format = if interval >= DAY {
        "%-d %b"
    } else if length > DAY {
        "%-d %b %H:%M"
    } else {
        "%H:%M"
    };
    let mut labels = Vec::new();
    // When it began is told by the clock; the calendar speaks for itself.
    if interval < DAY {
        labels.push((0.0, formatted(sitting.begun_at, format)));
    }
    let nearest = if labels.is_empty() { 0.02 } else { 0.09 };
    let mut at = begin.div_euclid(interval) * interval + interval;
    while at < begin + length {
        let place = (at - begin) as f64 / length as f64;
        if place > nearest && place < 0.985 {
            let time = Timestamp::from_micros(at * 60_000_000);
            labels.push((place, formatted(time, format)));
        }
        at += interval;
    }
    labels
}

/// `minute`, `5 minutes`, `hour`: what a step is.
pub(super) fn step_in_words(step: Duration) -> String {
    let minutes = step.as_secs() / 60;
    let of = |count: u64, noun: &str| if count == 1 { noun.to_owned() } else { format!("{count} {noun}s") };
    match minutes {
        _ if minutes > 0 && minutes.is_multiple_of(1440) => of(minutes / 1440, "day"),
        _ if minutes > 0 && minutes.is_multiple_of(60) => of(minutes / 60, "hour"),
        _ => of(minutes, "minute"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::Step;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scales_are_read_easily() {
        for (highest, step) in [(0.0, 1.0), (300.0, 100.0), (301.0, 200.0), (7.0, 5.0), (0.4, 0.2)] {
            assert!((nice_step(highest) - step).abs() < 1e-9, "{highest}: {}", nice_step(highest));
        }
        assert_eq!((figure(1500.0, 500.0), figure(0.4, 0.2)), ("1,500".to_owned(), "0.4".to_owned()));
    }

    #[test]
    fn labels_are_times_of_the_clock() {
        let sitting = |minutes: u64, step: u64| Sitting {
            begun_at: Timestamp::parse("2026-11-20T18:02:40Z", None).unwrap(),
            step: Duration::from_secs(60 * step),
            steps: vec![Step::default(); (minutes / step) as usize],
            runs: Vec::new(),
        };
        let labels = |minutes, step| {
            let labels = times(&sitting(minutes, step)).into_iter().map(|(_, label)| label);
            labels.collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(labels(90, 1), "18:02 | 18:30 | 19:00 | 19:30");
        assert_eq!(labels(3, 1), "18:02 | 18:03 | 18:04");
        assert_eq!(labels(4 * 1440, 60), "21 Nov | 22 Nov | 23 Nov | 24 Nov");
        let steps = [60, 300, 3600, 86_400, 172_800].map(|s| step_in_words(Duration::from_secs(s)));
        assert_eq!(steps, ["minute", "5 minutes", "hour", "day", "2 days"]);
    }

    proptest! {
        #[test]
        fn parts_fill_the_bar_and_none_is_hidden(counts in proptest::collection::vec(0u64..1_000_000, 1..6)) {
            let parts: Vec<_> = counts.iter().map(|count| (*count, "done", String::new())).collect();
            let whole: u64 = counts.iter().sum();
            let widths = widths(&parts, whole);
            for (count, width) in counts.iter().zip(&widths) {
                prop_assert!((*count == 0) == (*width == 0.0) && *width >= 0.0);
                prop_assert!(*count == 0 || *width >= 3.0, "{counts:?} {widths:?}");
            }
            prop_assert!(whole == 0 || (widths.iter().sum::<f64>() - WIDTH).abs() < 1e-6);
        }
    }
}
