//! Asking before something that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::{Usage, note};
use crate::aside;
use crate::wording::shorten;

/// How much of an answer is shown again.
const ANSWER_CHARS_MAX: usize = 40;

/// Shows what is going to happen and asks; only a written-out yes is one.
///
/// # Errors
/// When nobody is there to be asked: then `--yes` has to say it.
pub(super) fn ask(plan: &str, question: &str) -> anyhow::Result<bool> {
    note(plan.trim_end());
    if !io::stdin().is_terminal() {
        return Err(Usage(
            "nobody is there to say yes to that: run it in a terminal, or add --yes".to_owned(),
        )
        .into());
    }
    aside::question(&format!("{question} Type yes to go on: "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        // The end of what is typed leaves the line as it is.
        note("");
    }
    let answer = answer.trim();
    let agreed = answer.eq_ignore_ascii_case("yes");
    if !agreed {
        note(&unlike_yes(answer));
    }
    Ok(agreed)
}

/// What was answered, and what would have been taken for a yes.
fn unlike_yes(answer: &str) -> String {
    match answer.to_lowercase().as_str() {
        "" => "No answer was given; to go on, type yes, in full.".to_owned(),
        "n" | "no" => "The answer was no.".to_owned(),
        _ => format!("The answer was {:?}; only yes, in full, goes on.", shorten(answer, ANSWER_CHARS_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_no_yes() {
        assert_eq!(unlike_yes("y"), "The answer was \"y\"; only yes, in full, goes on.");
        assert_eq!(unlike_yes(""), "No answer was given; to go on, type yes, in full.");
        assert_eq!(unlike_yes("No"), "The answer was no.");
    }
}
