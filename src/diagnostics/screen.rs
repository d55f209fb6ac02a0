//! Problems on a terminal, in the manner of rustc: what is wrong, where, the line itself, and how to mend it.

use console::Style;

use super::line::fit;
use super::{Severity, calm, rest};
use crate::input::{Excerpt, Fold, Problem, Problems};
use crate::wording::wrapped;

/// What it is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns of the terminal; `None` where it is none: lines of text are as long as they are then.
    pub columns: Option<usize>,
    /// Whether it is coloured.
    pub colour: bool,
}

/// Columns of a line of input where nothing tells how wide the screen is.
const COLUMNS: usize = 120;
/// Fewer columns than these would show nothing.
const COLUMNS_MIN: usize = 40;

/// All problems, sort by sort.
pub fn screen(problems: &Problems, severity: Severity, screen: Screen) -> String {
    let paint = Paint::new(severity, screen.colour);
    let columns = screen.columns.map(|columns| columns.max(COLUMNS_MIN));
    let mut text = String::new();
    for mut fold in problems.folds() {
        if severity == Severity::Warning {
            fold.shorten(1);
        }
        one_sort(&fold, severity, columns, &paint, &mut text);
    }
    text
}

fn one_sort(fold: &Fold<'_>, severity: Severity, columns: Option<usize>, paint: &Paint, text: &mut String) {
    let rest = rest(fold);
    for (number, problem) in fold.first.iter().enumerate() {
        let gutter = problem.excerpt.as_ref().map_or(1, |excerpt| excerpt.line.to_string().len());
        let word = format!("{}[{}]", severity.as_str(), fold.kind);
        let said = filled(&format!("{word}: {}", calm(&problem.title())), columns, 4);
        let (word, said) = said.split_at(word.len());
        *text += &format!("{}{}\n", paint.severe.apply_to(word), paint.title(said));
        let blank = " ".repeat(gutter);
        *text += &format!("{blank}{} {}\n", paint.frame.apply_to("-->"), calm(&place(problem)));
        if let Some(excerpt) = &problem.excerpt {
            source(excerpt, gutter, columns.unwrap_or(COLUMNS), paint, text);
        }
        let mut note = |word: &str, style: &Style, said: &str| {
            let said = filled(&calm(said), columns, gutter + word.len() + 5);
            *text += &format!("{blank} {} {}: {said}\n", paint.frame.apply_to("="), style.apply_to(word));
        };
        if let Some(help) = &problem.help {
            note("help", &paint.help, help);
        }
        if let Some(rest) = rest.as_ref().filter(|_| number + 1 == fold.first.len()) {
            note("note", &paint.note, rest);
        }
        text.push('\n');
    }
}

/// `rows.csv:14:38`, as far as it is known.
fn place(problem: &Problem) -> String {
    match (problem.excerpt.as_deref(), problem.line) {
        (Some(Excerpt { line, column, .. }), _) => format!("{}:{line}:{column}", problem.file),
        (None, 0) => problem.file.to_string(),
        (None, line) => format!("{}:{line}", problem.file),
    }
}

fn source(excerpt: &Excerpt, gutter: usize, columns: usize, paint: &Paint, text: &mut String) {
    let shown = fit(excerpt, columns.saturating_sub(gutter + 4));
    let bar = paint.frame.apply_to("|");
    let number = paint.frame.apply_to(format!("{:>gutter$}", excerpt.line));
    let blank = " ".repeat(gutter);
    let [before, value, after] = &shown.parts;
    let underline = "^".repeat(shown.length);
    *text += &format!("{blank} {bar}\n");
    *text += &format!("{number} {bar} {}\n", format!("{before}{value}{after}").trim_end());
    *text += &format!("{blank} {bar} {}{}\n", " ".repeat(shown.indent), paint.severe.apply_to(underline));
}

/// The text in lines that fit, all but the first indented.
fn filled(text: &str, columns: Option<usize>, indent: usize) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let lines = wrapped(text, columns.saturating_sub(indent + 1));
    lines.replace('\n', &format!("\n{}", " ".repeat(indent)))
}

/// The colours that rustc uses.
struct Paint {
    severe: Style,
    bold: Style,
    frame: Style,
    help: Style,
    note: Style,
}

impl Paint {
    fn new(severity: Severity, colour: bool) -> Self {
        let style = |style: Style| style.force_styling(colour);
        let severe = match severity {
            Severity::Error => Style::new().red().bold(),
            Severity::Warning => Style::new().yellow().bold(),
        };
        Paint {
            severe: style(severe),
            bold: style(Style::new().bold()),
            frame: style(Style::new().blue().bright().bold()),
            help: style(Style::new().cyan().bold()),
            note: style(Style::new().green().bold()),
        }
    }

    fn title(&self, text: &str) -> String {
        self.bold.apply_to(text).to_string()
    }
}
