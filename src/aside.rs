//! What is said beside the result, on standard error: lines for people, or, with `--progress json`, events for the program
//! that watches. It goes for the whole process, since whoever parses a stream cannot have anything else on it.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use serde_json::Value;

use crate::diagnostics::{Screen, Severity, screen};
use crate::input::Problems;
use crate::progress::json;
use crate::wording::{fitted, harmless};

static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// From now on a program reads standard error.
pub fn speak_to_programs() {
    FOR_PROGRAMS.store(true, Ordering::Relaxed);
}

fn is_for_programs() -> bool {
    FOR_PROGRAMS.load(Ordering::Relaxed)
}

/// Says something that a person should read.
pub fn note(line: &str) {
    if is_for_programs() {
        return event(&json::message(line));
    }
    let line = harmless(line);
    let place = Term::stderr();
    let line = if place.is_term() { fitted(&line, usize::from(place.size().1)) } else { line.into_owned() };
    write(&format!("{line}\n"));
}

/// Says why the program fails.
pub fn error(story: &str) {
    if is_for_programs() { event(&json::error(story)) } else { note(&format!("error: {story}")) }
}

/// Says what the parser has to say of what was typed: `laid_out` as it stands for people.
pub fn mistyped(laid_out: &str) {
    if is_for_programs() {
        let story = laid_out.trim();
        event(&json::error(story.strip_prefix("error: ").unwrap_or(story)));
    } else {
        write(laid_out);
    }
}

/// Asks, leaving the answer the rest of the line.
pub fn question(text: &str) {
    if is_for_programs() { note(text.trim_end()) } else { write(text) }
}

/// Says the last thing before the process leaves at once, below whatever is on the line.
pub fn farewell(line: &str) {
    if is_for_programs() { note(line) } else { write(&format!("\n{line}\n")) }
}

/// Shows what is wrong with the input, or may not be what was meant.
pub fn problems(problems: &Problems, severity: Severity) {
    if is_for_programs() {
        return json::problems(problems, severity).iter().for_each(event);
    }
    let terminal = Term::stderr();
    let columns = terminal.is_term().then(|| usize::from(terminal.size().1));
    let colour = terminal.is_term() && console::colors_enabled_stderr();
    write(&screen(problems, severity, Screen { columns, colour }));
}

fn event(value: &Value) {
    write(&json::line(value));
}

fn write(text: &str) {
    // The exit code tells if standard error is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}
