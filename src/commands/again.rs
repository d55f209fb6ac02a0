//! `--retry-rejected`: rows that were refused are tried again as they are.

use std::path::Path;

use super::Usage;
use crate::cli::RetryArgs;
use crate::config::switch;
use crate::input::is_near;
use crate::journal::{Journal, JournalError, Retried};
use crate::progress::Progress;
use crate::wording::{many, quoted};

/// What is tried again: all that was refused, or what was for one reason. A file and the environment, where an option without
/// a value cannot be written, say it as of a switch.
fn asked(args: &RetryArgs) -> Option<Option<&str>> {
    let kind = args.retry_rejected.as_ref()?.as_deref();
    match kind.map(switch) {
        Some(Ok(is_on)) => is_on.then_some(None),
        _ => Some(kind),
    }
}

/// Refuses a reason that no row was refused for: it is misspelt.
///
/// # Errors
/// Then; the message lists those that there are.
pub(super) fn expect(journal: &Journal, args: &RetryArgs, path: &Path) -> anyhow::Result<()> {
    let Some(Some(kind)) = asked(args) else { return Ok(()) };
    let kinds = journal.rejects_by_kind().map_err(|error| error.at(path))?;
    if kinds.iter().any(|(known, _)| *known == kind) {
        return Ok(());
    }
    Err(Usage(unknown(kind, &kinds)).into())
}

/// Whether invalid rows are left out once more: those of this journal were, and whoever tries the others again means no
/// less than then.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn skips_invalid(args: &RetryArgs, path: &Path) -> anyhow::Result<bool> {
    if asked(args).is_none() || !path.exists() {
        return Ok(false);
    }
    let journal = Journal::open_read_only(path).map_err(|error| error.at(path))?;
    journal.left_out().map_err(|error| error.at(path))
}

/// What is said of a reason that there is not.
pub(super) fn unknown(kind: &str, kinds: &[(String, u64)]) -> String {
    if kinds.is_empty() {
        return format!("no row was refused for {kind}, nor for anything else");
    }
    let meant = kinds.iter().find(|(known, _)| is_near(kind, known));
    let meant = meant.map_or_else(|| ".".to_owned(), |(known, _)| format!("; did you mean {known}?"));
    let list: String = kinds.iter().map(|(kind, rows)| format!("\n  {rows:>9}  {kind}")).collect();
    format!("no row was refused for {kind}{meant} What rows were refused for:{list}")
}

/// Puts them back to what is to be sent.
///
/// # Errors
/// When the journal cannot be written; then nothing is.
pub(super) fn retry(
    journal: &mut Journal,
    args: &RetryArgs,
    path: &Path,
    progress: &mut Progress,
) -> Result<(), JournalError> {
    let Some(kind) = asked(args) else { return Ok(()) };
    let retried = journal.retry_rejected(kind)?;
    for line in story(&retried, &quoted(&path.display().to_string())) {
        progress.say(&line);
    }
    Ok(())
}

fn story(retried: &Retried, journal: &str) -> Vec<String> {
    let Retried { rows, of_the_line, open_questions, not_taken_back } = *retried;
    let mut lines = vec![match rows {
        0 => "no refused row is tried again".to_owned(),
        1 => "1 refused row is tried again".to_owned(),
        rows => format!("{rows} refused rows are tried again"),
    }];
    let mut stay = |rows: u64, why: String| {
        let verb = if rows == 1 { "stays" } else { "stay" };
        lines.extend((rows > 0).then(|| format!("{} {verb} refused: {why}", many(rows, "row"))));
    };
    stay(
        of_the_line,
        format!(
            "what is wrong is in the line itself; mend it and feed it back (tenure rejects {journal} -o FILE.csv)"
        ),
    );
    stay(
        open_questions,
        format!(
            "Chat may hold the membership, and could hold it twice then; look at the space, and feed back what it lacks \
             (tenure rejects {journal} --reasons)"
        ),
    );
    stay(not_taken_back, "an import that was rolled back does not send it any more".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_with_what_there_is() {
        let kinds = [("INVALID_ARGUMENT".to_owned(), 10), ("NOT_FOUND".to_owned(), 2)];
        assert_eq!(
            unknown("NOT_FUOND", &kinds),
            "no row was refused for NOT_FUOND; did you mean NOT_FOUND? What rows were refused for:\n         10  \
             INVALID_ARGUMENT\n          2  NOT_FOUND"
        );
        assert_eq!(
            unknown("X", &kinds[..1]),
            "no row was refused for X. What rows were refused for:\n         10  INVALID_ARGUMENT"
        );
        assert_eq!(unknown("X", &[]), "no row was refused for X, nor for anything else");
    }

    #[test]
    fn what_is_tried_again_and_what_stays() {
        let retried = Retried { rows: 12, of_the_line: 1, open_questions: 2, not_taken_back: 3 };
        insta::assert_snapshot!("retried", story(&retried, "j.db").join("\n"));
    }
}
