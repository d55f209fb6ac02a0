//! Bars on a terminal.

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Display;
use super::meter::Meter;
use crate::engine::{Now, Snapshot};
use crate::intake::Reading;
use crate::verify::Looking;
use crate::wording::{harmless, many, rate, span, thousands, wrapped};

/// One bar for reading, then one for importing.
pub(super) struct Bars {
    all: MultiProgress,
    reading: Option<(String, ProgressBar)>,
    /// The bar, and the line of figures below it.
    importing: Option<(ProgressBar, ProgressBar)>,
    spacer: Option<ProgressBar>,
    meter: Meter,
}

/// Fits 60 columns.
const READING: &str = "  Reading  [{bar:24}] {percent:>3} %  {wide_msg}";
const READING_STREAM: &str = "  Reading  {spinner} {bytes}  {wide_msg}";
const LOOKING: &str = "Comparing  [{bar:24}] {percent:>3} %  {wide_msg}";
const IMPORTING: &str = "Importing  [{bar:24}] {percent:>3} %  {wide_msg}";
/// An empty line above the bar. The terminal echoes `^C` behind the last line, which indicatif fills to the edge, so the
/// echo wraps and the topmost line stays behind when the bars are drawn anew: let it be this one.
const SPACER: &str = " ";
const FIGURES: &str = "           {msg}";
const FIGURES_INDENT: usize = 11;
const FIGURES_MARGIN: usize = 4;
const CHARS: &str = "=> ";

impl Bars {
    pub(super) fn new() -> Self {
        Bars {
            all: MultiProgress::new(),
            reading: None,
            importing: None,
            spacer: None,
            meter: Meter::default(),
        }
    }

    fn add(&self, bar: ProgressBar, template: &str) -> ProgressBar {
        // A template that cannot be parsed leaves indicatif's own style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars(CHARS));
        }
        self.all.add(bar)
    }
}

impl Display for Bars {
    fn reading(&mut self, reading: &Reading<'_>) {
        if self.reading.as_ref().is_none_or(|(file, _)| file != reading.file) {
            if let Some((_, bar)) = self.reading.take() {
                bar.finish();
            }
            let bar = match reading.bytes_total {
                Some(total) => self.add(ProgressBar::new(total), READING),
                None => self.add(ProgressBar::new_spinner(), READING_STREAM),
            };
            self.reading = Some((reading.file.to_owned(), bar));
        }
        if let Some((file, bar)) = &self.reading {
            bar.set_position(reading.bytes);
            let problems = match reading.problems {
                0 => String::new(),
                problems => format!(", {}", many(problems, "problem")),
            };
            bar.set_message(format!("{} rows{problems}  {}", thousands(reading.rows), tail(&harmless(file))));
        }
    }

    fn reading_done(&mut self, _rows: u64) {
        if let Some((_, bar)) = self.reading.take() {
            bar.finish();
            // What is drawn from now on does not know of these lines, and leaves them alone.
            self.all = MultiProgress::new();
        }
    }

    fn say(&mut self, line: &str) {
        // Without bars there is nothing to print above of; indicatif would count the line as one of theirs.
        let bars = self.importing.is_some() || self.reading.is_some();
        // A line that wraps by itself would be counted as one.
        let line = harmless(line);
        let lines = wrapped(&line, usize::from(console::Term::stderr().size().1).saturating_sub(1));
        if !bars || self.all.is_hidden() || self.all.println(lines).is_err() {
            // Nobody reads it when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        if self.importing.is_none() {
            self.spacer = Some(self.add(ProgressBar::new(1), SPACER));
            let bar = self.add(ProgressBar::new(snapshot.goal()), IMPORTING);
            let figures = self.add(ProgressBar::new(1), FIGURES);
            self.importing = Some((bar, figures));
        }
        self.meter.note(now.elapsed, snapshot.settled());
        if let Some((bar, below)) = &self.importing {
            bar.set_position(snapshot.settled());
            let (settled, goal) = (thousands(snapshot.settled()), thousands(snapshot.goal()));
            bar.set_message(format!("{settled} / {goal} rows"));
            if let Some(spacer) = &self.spacer {
                spacer.tick();
            }
            let columns = usize::from(console::Term::stderr().size().1);
            let room = columns.saturating_sub(FIGURES_INDENT + FIGURES_MARGIN);
            below.set_message(fitting(&figures(&self.meter, snapshot), room));
        }
    }

    fn looking(&mut self, elapsed: Duration, looking: &Looking) {
        if self.importing.is_none() {
            self.spacer = Some(self.add(ProgressBar::new(1), SPACER));
            let bar = self.add(ProgressBar::new(looking.spaces_total), LOOKING);
            let figures = self.add(ProgressBar::new(1), FIGURES);
            self.importing = Some((bar, figures));
        }
        self.meter.note(elapsed, looking.spaces);
        if let Some((bar, below)) = &self.importing {
            bar.set_position(looking.spaces);
            let (spaces, total) = (thousands(looking.spaces), thousands(looking.spaces_total));
            bar.set_message(format!("{spaces} / {total} spaces"));
            if let Some(spacer) = &self.spacer {
                spacer.tick();
            }
            let mut figures: Vec<Cow<'static, str>> =
                vec![format!("{} memberships", thousands(looking.listed)).into()];
            if let Some(left) = self.meter.left(looking.spaces_total - looking.spaces) {
                figures.push(format!("{} left", span(left)).into());
            }
            if looking.differences > 0 {
                figures.push(many(looking.differences, "difference").into());
            }
            let columns = usize::from(console::Term::stderr().size().1);
            below.set_message(fitting(&figures, columns.saturating_sub(FIGURES_INDENT + FIGURES_MARGIN)));
        }
    }

    fn finish(&mut self) {
        if let Some((bar, below)) = self.importing.take() {
            // The line below the bar stays empty, between the bar and the summary.
            below.set_message("");
            below.abandon();
            self.spacer.take();
            bar.abandon();
        }
        if let Some((_, bar)) = self.reading.take() {
            bar.abandon();
        }
    }
}

/// As many of the figures as fit, the first ones first.
fn fitting(figures: &[Cow<'_, str>], room: usize) -> String {
    let mut line = String::new();
    for figure in figures {
        let comma = if line.is_empty() { "" } else { ", " };
        if line.chars().count() + comma.len() + figure.chars().count() > room {
            break;
        }
        line += comma;
        line += figure;
    }
    line
}

/// The line below the bar: how fast, how long, and what went wrong so far.
fn figures(meter: &Meter, snapshot: &Snapshot) -> Vec<Cow<'static, str>> {
    let rest = snapshot.goal() - snapshot.settled();
    let mut parts: Vec<Cow<'static, str>> = Vec::new();
    if !snapshot.paused.is_zero() {
        let what = if snapshot.throttled { "quota" } else { "connection" };
        parts.push(format!("waiting for the {what}: {}", span(snapshot.paused)).into());
    }
    if let Some(per_second) = meter.per_second().filter(|_| rest > 0) {
        parts.push(rate(per_second).into());
        // What waits for another try does not come at this rate.
        if let Some(left) = meter.left(rest).filter(|_| rest > snapshot.waiting as u64) {
            parts.push(format!("{} left", span(left)).into());
        }
    }
    parts.extend(snapshot.pace.reasons().into_iter().map(Cow::from));
    if snapshot.rejected > 0 {
        parts.push(format!("{} rejected", snapshot.rejected).into());
    }
    if snapshot.waiting > 0 {
        parts.push(format!("{} to be retried", snapshot.waiting).into());
    }
    if snapshot.calls.throttled > 0 {
        parts.push(format!("{} throttled", snapshot.calls.throttled).into());
    }
    if snapshot.failures_in_a_row > 1 {
        parts.push(format!("{} in a row", many(snapshot.failures_in_a_row.into(), "failure")).into());
    }
    parts
}

/// The end of a path: that is where its name is.
fn tail(path: &str) -> String {
    let skip = path.chars().count().saturating_sub(24);
    if skip == 0 {
        path.to_owned()
    } else {
        format!("…{}", path.chars().skip(skip + 1).collect::<String>())
    }
}
