//! Problems of the input as they are told: on a terminal, to a script, to a code review. Pure: text from values.

mod github;
mod json;
mod line;
mod screen;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::input::Fold;
use crate::wording::{disturbs, thousands};

pub use github::annotations;
pub use json::listed;
pub use screen::{Screen, screen};

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing may be sent before it is mended.
    Error,
    /// It stops nothing.
    Warning,
}

impl Severity {
    /// As it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// `and 1,234 more like it: lines 7, 9, 12, …`; nothing when all of them are shown.
fn rest(fold: &Fold<'_>) -> Option<String> {
    let more = fold.count.checked_sub(fold.first.len() as u64).filter(|more| *more > 0)?;
    let file = fold.first.first().map_or("", |first| &*first.file);
    let mut lines: Vec<String> = Vec::new();
    let mut elsewhere: Vec<String> = Vec::new();
    for (other, line) in &fold.more {
        let (places, place) = match (*other == file, *line) {
            (true, 0) => continue,
            (true, line) => (&mut lines, thousands(line)),
            (false, 0) => (&mut elsewhere, (*other).to_owned()),
            (false, line) => (&mut elsewhere, format!("{other}:{line}")),
        };
        if places.last() != Some(&place) {
            places.push(place);
        }
    }
    if more > fold.more.len() as u64 {
        let last = if elsewhere.is_empty() { &mut lines } else { &mut elsewhere };
        if !last.is_empty() {
            last.push("…".to_owned());
        }
    }
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let here = (!lines.is_empty()).then(|| format!("{word} {}", lines.join(", ")));
    let places: Vec<String> = here.into_iter().chain(elsewhere).collect();
    let places = if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) };
    Some(format!("and {} more like it{places}", thousands(more)))
}

/// The text on one line, and with nothing in it that would do something on a terminal.
fn calm(text: &str) -> Cow<'_, str> {
    if !text.contains(disturbs) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match disturbs(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown.into()
}
