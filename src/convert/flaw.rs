//! What is wrong with a file of an export, in words: what happened, what becomes of the rest, and what to do. Pure.

use std::io;
use std::sync::Arc;

use crate::input::{Fault, Problem, ProblemKind};
use crate::wording::trouble;

/// What becomes of the others.
const ONWARDS: &str = "reading goes on with the next file";

/// A file that cannot be read, or not to its end.
pub(super) fn unreadable(file: &Arc<str>, error: &io::Error) -> Problem {
    let message = format!("it cannot be read: {}; the rest of it is left out, and {ONWARDS}", trouble(error));
    let (kind, help) = match Fault::within(error) {
        Some(fault) => (fault.kind, fault.help),
        None => (
            ProblemKind::UnreadableFile,
            "was it damaged on its way? take it from the export again, and convert once more",
        ),
    };
    Problem::new(file, 0, kind, message).help(help)
}

/// A file that is no JSON, or no such JSON, from some place on.
pub(super) fn broken_json(file: &Arc<str>, error: &serde_json::Error) -> Problem {
    let (line, character) = (error.line() as u64, error.column());
    let message = match character {
        0 if error.is_eof() && line <= 1 => {
            format!("it is broken: there is nothing in it; {ONWARDS}")
        }
        _ => format!(
            "it is broken: at character {character} {}; what stands before that is taken, the rest of this file is left \
             out, and {ONWARDS}",
            in_words(error)
        ),
    };
    let help = if error.is_eof() {
        "it was cut off: is the export complete, was there room on the disk? take this file from it again, and convert once more"
    } else {
        "was it edited? take this file from the export again, and convert once more"
    };
    Problem::new(file, line, ProblemKind::BrokenJson, message).help(help)
}

/// What has happened to JSON, without its place; completes "it is broken: ".
pub(super) fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let said = text.split(" at line ").next().unwrap_or_default();
    match (error.classify(), said.strip_prefix("EOF while parsing ")) {
        (_, Some(within)) => format!("it ends in the middle of {within}"),
        (serde_json::error::Category::Syntax, _) => format!("it is no JSON any more ({said})"),
        (serde_json::error::Category::Data, _) => {
            format!("it holds something else than such a file does ({said})")
        }
        _ => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_json() {
        let says = |text: &str| {
            let error = serde_json::from_str::<Vec<String>>(text).unwrap_err();
            broken_json(&"a.json".into(), &error).to_string()
        };
        for (text, so) in [
            ("", "a.json:1: it is broken: there is nothing in it; reading goes on"),
            (
                "[\"a\",\n\"b",
                "a.json:2: it is broken: at character 2 it ends in the middle of a string; what stands",
            ),
            (
                "[\"a\" \"b\"]",
                "at character 6 it is no JSON any more (expected `,` or `]`); what stands before that is taken",
            ),
            (
                "[7]",
                "at character 2 it holds something else than such a file does (invalid type: integer `7`, expected a string)",
            ),
        ] {
            assert!(says(text).contains(so), "{}", says(text));
        }
        let lost = unreadable(&"a.json".into(), &io::ErrorKind::PermissionDenied.into()).to_string();
        assert!(lost.starts_with("a.json: it cannot be read: you have no permission for that"), "{lost}");
        let fault = Fault::whole_file(ProblemKind::BrokenArchive, "it has no end", "look into it").into_io();
        let endless = crate::input::Problems::from(unreadable(&"a.json".into(), &fault)).render();
        assert!(endless.starts_with("a.json: it cannot be read: it has no end; the rest"), "{endless}");
        assert!(endless.contains("help: look into it"), "{endless}");
    }
}
