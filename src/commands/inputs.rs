//! Input as `check` and `import` read it.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::ReadArgs;
use crate::input::{Becoming, Problems, Rules, SpaceMap, TimeReader, UserMap};
use crate::intake::{Inputs, Intake, IntakeError, take_in};
use crate::journal::Loader;
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::wording::{harmless, many};

/// What is said when a signal ends the reading.
pub(super) const INTERRUPTED: &str = "Interrupted while reading; nothing of it was journaled, nothing was sent. \
    Run the same command again to begin anew.";

/// Opens the maps and puts everything together.
///
/// # Errors
/// All that is wrong with the maps.
pub(super) fn resolve(
    paths: &[PathBuf],
    args: &ReadArgs,
    becoming: Becoming,
    skip_invalid: bool,
    now: Timestamp,
) -> Result<Inputs, Problems> {
    let mut problems = Problems::new();
    let mut note = |found: Problems| problems.absorb(found);
    let spaces = args.spaces.as_deref().and_then(|path| SpaceMap::open(path).map_err(&mut note).ok());
    let users = args.users.as_deref().and_then(|path| UserMap::open(path).map_err(&mut note).ok());
    if !problems.is_empty() {
        return Err(problems);
    }
    let times = TimeReader { format: args.time_format.into(), zone: args.timezone.clone() };
    Ok(Inputs {
        paths: paths.to_vec(),
        format: args.format.map(Into::into),
        rules: Arc::new(Rules { becoming, times, spaces, users, now }),
        skip_invalid,
    })
}

/// Reads, showing how far it is, until it is done or somebody interrupts.
///
/// # Errors
/// When the journal fails, or a signal came.
pub(super) fn read(
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    progress: &mut Progress,
    signals: &Signals,
) -> Result<Intake, IntakeError> {
    signals.set_farewell(INTERRUPTED.to_owned());
    let stuck = tokio::spawn(signals.clone().leave_if_stuck());
    let intake = tokio::task::block_in_place(|| {
        take_in(loader, inputs, |reading| {
            progress.reading(&reading);
            if signals.received().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    stuck.abort();
    let intake = intake?;
    // A pipe whose writer was interrupted as well has ended somewhere in the middle.
    if signals.received().is_some() {
        return Err(IntakeError::Interrupted);
    }
    progress.reading_done(intake.rows);
    for notice in &intake.notices {
        progress.say(notice);
    }
    Ok(intake)
}

/// Prints what is wrong: on standard error, since it is not what a script reads.
pub(super) fn show(problems: &Problems) {
    // The exit code tells if standard error is gone.
    let _ = write!(std::io::stderr(), "{}", harmless(&problems.render()));
}

/// `3 problems`, `1 problem`.
pub(super) fn count(problems: &Problems) -> String {
    many(problems.total(), "problem")
}
