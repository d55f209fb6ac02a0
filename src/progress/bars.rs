//! Bars on a terminal.

use std::io::Write as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::figures::{Figures, Kinds, figures, fitting, local, note};
use super::meter::Meter;
use super::{Display, Doing};
use crate::engine::{Now, Snapshot};
use crate::intake::{Counted, Reading};
use crate::verify::Looking;
use crate::wording::{counted, fitted, harmless, many, shorten, span, thousands, width};

/// One bar for reading, then one for what is done.
pub(super) struct Bars {
    all: MultiProgress,
    reading: Option<(String, ProgressBar)>,
    working: Option<Working>,
    meter: Meter,
    zone: TimeZone,
    doing: Doing,
}

/// The bar, and the lines of figures below it.
struct Working {
    /// An empty line above the bar. The terminal echoes `^C` behind the last line, which indicatif fills to the edge, so the
    /// echo wraps and the topmost line stays behind when the bars are drawn anew: let it be this one.
    spacer: ProgressBar,
    title: &'static str,
    bar: ProgressBar,
    lines: Vec<ProgressBar>,
    /// How wide the terminal was when it was drawn last.
    columns: usize,
}

const READING: &str = "Reading";
const READING_STREAM: &str = "  Reading  {spinner} {bytes}  {wide_msg}";
const COMPARING: &str = "Comparing";
const SPACER: &str = " ";
const FIGURES: &str = "{msg}";
const CHARS: &str = "=> ";
/// Below this a terminal is narrow: the bar is short, and the figures begin at its left.
const NARROW_COLUMNS: usize = 76;
const FIGURES_INDENT_NARROW: usize = 2;
/// How wide a title is, and what stands between it and the figures.
const TITLE_COLUMNS: usize = 9;
const TITLE_GAP: usize = 2;
/// The last column stays empty, so that no line wraps.
const MARGIN: usize = 1;

/// How much of a file's name is shown, at most, and fewer columns than which show nothing of it.
const NAME_MAX: usize = 24;
const NAME_MIN: usize = 8;

fn bar_columns(columns: usize) -> usize {
    if columns < NARROW_COLUMNS { 12 } else { 24 }
}

/// A bar with its title, as wide as fits.
fn template(title: &str, columns: usize) -> String {
    let bar = bar_columns(columns);
    format!("{title:>TITLE_COLUMNS$}  [{{bar:{bar}}}] {{percent:>3}} %  {{wide_msg}}")
}

/// What is left beside such a bar.
fn beside_bar(columns: usize) -> usize {
    columns.saturating_sub("  Reading  [] 100 %  ".len() + bar_columns(columns) + MARGIN)
}

/// What is left where the size of what is read is not known.
fn beside_stream(columns: usize) -> usize {
    columns.saturating_sub("  Reading  . 1023.99 MiB  ".len() + MARGIN)
}

/// How far the reading is, and of which file, in so many columns.
fn reading_message(reading: &Reading<'_>, room: usize) -> String {
    let found = match reading.counted {
        Counted::Rows { rows, problems: 0 } => counted(rows, "row"),
        Counted::Rows { rows, problems } => {
            format!("{}, {}", counted(rows, "row"), many(problems, "problem"))
        }
        Counted::Messages(messages) => counted(messages, "message"),
    };
    let left = room.saturating_sub(width(&found) + 2);
    if left < NAME_MIN {
        return shorten(&found, room);
    }
    format!("{found}  {}", tail(&harmless(reading.file), left.min(NAME_MAX)))
}

fn set_template(bar: &ProgressBar, template: &str) {
    // A template that cannot be parsed leaves indicatif's own style.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars(CHARS));
    }
}

/// The lines below a bar with its title, as wide as fits.
fn below(figures: &Figures, title: &str, columns: usize) -> [String; 3] {
    let indent = match columns {
        ..NARROW_COLUMNS => FIGURES_INDENT_NARROW,
        _ => title.len().max(TITLE_COLUMNS) + TITLE_GAP,
    };
    let room = columns.saturating_sub(indent + MARGIN);
    let calm = ["nothing went wrong so far".to_owned()];
    let trouble = if figures.trouble.is_empty() { &calm[..] } else { &figures.trouble[..] };
    [&figures.speed[..], &figures.why[..], trouble]
        .map(|figures| format!("{:indent$}{}", "", fitting(figures, room)))
}

fn columns() -> usize {
    usize::from(console::Term::stderr().size().1)
}

impl Bars {
    pub(super) fn new(zone: TimeZone) -> Self {
        let (all, meter) = (MultiProgress::new(), Meter::default());
        Bars { all, reading: None, working: None, meter, zone, doing: Doing::default() }
    }

    fn add(&self, bar: ProgressBar, template: &str) -> ProgressBar {
        set_template(&bar, template);
        self.all.add(bar)
    }

    /// Draws how far it is, with so many lines below.
    fn draw(&mut self, title: &'static str, done: u64, goal: u64, message: String, below: &[String]) {
        let columns = columns();
        if self.working.is_none() {
            self.working = Some(Working {
                spacer: self.add(ProgressBar::new(1), SPACER),
                title,
                bar: self.add(ProgressBar::new(goal), &template(title, columns)),
                lines: below.iter().map(|_| self.add(ProgressBar::new(1), FIGURES)).collect(),
                columns,
            });
        }
        let Some(working) = &mut self.working else { return };
        if std::mem::replace(&mut working.columns, columns) != columns {
            set_template(&working.bar, &template(working.title, columns));
        }
        // Completing a space adds its open rows to what there is to do.
        working.bar.set_length(goal);
        working.bar.set_position(done);
        working.bar.set_message(shorten(&message, beside_bar(columns)));
        working.spacer.tick();
        for (line, text) in working.lines.iter().zip(below) {
            line.set_message(text.clone());
        }
    }
}

impl Display for Bars {
    fn begin(&mut self, doing: Doing) {
        self.doing = doing;
    }

    fn reading(&mut self, reading: &Reading<'_>) {
        if self.reading.as_ref().is_none_or(|(file, _)| file != reading.file) {
            if let Some((_, bar)) = self.reading.take() {
                bar.finish();
            }
            let bar = match reading.bytes_total {
                Some(total) => self.add(ProgressBar::new(total), &template(READING, columns())),
                None => self.add(ProgressBar::new_spinner(), READING_STREAM),
            };
            self.reading = Some((reading.file.to_owned(), bar));
        }
        if let Some((_, bar)) = &self.reading {
            let beside = if reading.bytes_total.is_some() { beside_bar } else { beside_stream };
            bar.set_position(reading.bytes);
            bar.set_message(reading_message(reading, beside(columns())));
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
        let bars = self.working.is_some() || self.reading.is_some();
        // A line that wraps by itself would be counted as one.
        let mut line = harmless(line).into_owned();
        if console::Term::stderr().is_term() {
            line = fitted(&line, columns().saturating_sub(MARGIN));
        }
        if !bars || self.all.is_hidden() || self.all.println(&line).is_err() {
            // Nobody reads it when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot, kinds: &Kinds) {
        let (settled, goal) = (snapshot.settled(), snapshot.goal());
        note(&mut self.meter, now, snapshot);
        let figures = figures(&self.meter, &local(now, &self.zone), snapshot, kinds);
        let Doing { title, noun } = self.doing;
        let message = format!("{} / {} {noun}s", thousands(settled), thousands(goal));
        self.draw(title, settled, goal, message, &below(&figures, title, columns()));
    }

    fn looking(&mut self, elapsed: Duration, looking: &Looking) {
        let Looking { spaces, spaces_total, listed, differences } = looking;
        self.meter.note(elapsed, *spaces);
        let mut figures = vec![format!("{} memberships", thousands(*listed))];
        figures.extend(self.meter.left(spaces_total - spaces).map(|left| format!("{} left", span(left))));
        figures.extend((*differences > 0).then(|| many(*differences, "difference")));
        let figures = Figures { speed: figures, ..Figures::default() };
        let [figures, ..] = below(&figures, COMPARING, columns());
        let message = format!("{} / {} spaces", thousands(*spaces), thousands(*spaces_total));
        self.draw(COMPARING, *spaces, *spaces_total, message, &[figures]);
    }

    fn finish(&mut self) {
        if let Some(working) = self.working.take() {
            // One line below the bar stays between the bar and the summary: of a blank, as an empty one is not drawn.
            for (place, line) in working.lines.iter().enumerate().rev() {
                if place > 0 {
                    line.finish_and_clear();
                    self.all.remove(line);
                } else {
                    line.set_message(" ");
                    line.abandon();
                }
            }
            working.bar.abandon();
        }
        if let Some((_, bar)) = self.reading.take() {
            bar.abandon();
        }
    }
}

/// The end of a path, in so many columns: that is where its name is.
fn tail(path: &str, columns: usize) -> String {
    if width(path) <= columns {
        return path.to_owned();
    }
    let mut begins = path.char_indices().map(|(place, _)| place);
    let begin = begins.find(|begin| width(&path[*begin..]) < columns).unwrap_or(path.len());
    format!("…{}", &path[begin..])
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::{at, berlin, troubled};
    use super::*;
    use crate::model::Undertaking;

    /// The lines below the bar a minute into a run, as a terminal of that width shows them.
    fn shown(columns: usize, snapshot: &Snapshot, kinds: &Kinds) -> String {
        let mut meter = Meter::default();
        for second in 0..=60 {
            meter.note(Duration::from_secs(second), snapshot.settled() - (60 - second) * 5);
        }
        let figures = figures(&meter, &local(at(60), &berlin()), snapshot, kinds);
        let lines = below(&figures, "Importing", columns);
        assert!(lines.iter().all(|line| line.chars().count() < columns), "{lines:?}");
        lines.join("\n")
    }

    #[test]
    fn the_title_says_what_is_done() {
        let title = |undertaking, completes| Doing::of(undertaking, completes).title;
        assert_eq!(title(Undertaking::Spaces, false), "Creating");
        assert_eq!(title(Undertaking::Import, true), "Completing");
        let figures = Figures { speed: vec!["5/s".to_owned()], ..Figures::default() };
        for undertaking in Undertaking::ALL {
            for title in [title(undertaking, false), title(undertaking, true)] {
                // The figures stand below the bar.
                let bar = template(title, 80).find('[').unwrap();
                assert_eq!(below(&figures, title, 80)[0].find('5'), Some(bar), "{title}");
            }
        }
    }

    #[test]
    fn what_is_read_stands_beside_its_bar() {
        let reading = |file, counted| Reading { file, bytes: 1, bytes_total: Some(2), counted };
        let rows = |rows, problems| Counted::Rows { rows, problems };
        let shown: Vec<String> = [40, 60, 80, 120]
            .into_iter()
            .flat_map(|columns| {
                [
                    reading("samples/memberships.csv", rows(579, 0)),
                    reading("exports/2026/田中/memberships-of-all-channels.csv", rows(1_234_567, 12)),
                    reading("exports/slack-2026.zip", Counted::Messages(2_000_000)),
                ]
                .map(|reading| {
                    let message = reading_message(&reading, beside_bar(columns));
                    let bar = template(READING, columns)
                        .replace("{wide_msg}", &message)
                        .replace("{percent:>3}", "100")
                        .replace(
                            &format!("{{bar:{}}}", bar_columns(columns)),
                            &"=".repeat(bar_columns(columns)),
                        );
                    assert!(width(&bar) < columns, "{columns}: {bar}");
                    bar
                })
            })
            .collect();
        insta::assert_snapshot!("reading", shown.join("\n"));
    }

    #[test]
    fn narrow_and_wide() {
        let (snapshot, kinds) = troubled();
        let calm = Snapshot { total: snapshot.total, done: snapshot.done, ..Snapshot::default() };
        for columns in [40, 60, 80, 120] {
            insta::assert_snapshot!(format!("figures_{columns}"), shown(columns, &snapshot, &kinds));
        }
        insta::assert_snapshot!("figures_calm", shown(80, &calm, &Kinds::default()));
    }
}
