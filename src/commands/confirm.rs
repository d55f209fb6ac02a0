//! Asking before something that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{Usage, note};

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
    let mut err = io::stderr();
    write!(err, "{question} Type yes to go on: ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
