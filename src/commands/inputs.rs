//! Input as `check` and `import` read it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::{note, tell};
use crate::aside;
use crate::cli::{InputArgs, ReadArgs};
use crate::diagnostics::Severity;
use crate::input::{Format, ProblemKind, Problems, Rules, SpaceMap, TimeReader, UserMap, quote_again};
use crate::intake::{Inputs, Intake, IntakeError, take_in};
use crate::journal::Loader;
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::wording::{many, thousands};

/// What is said when a signal ends the reading.
pub(super) const INTERRUPTED: &str = "Interrupted while reading; nothing of it was journaled, nothing was sent. \
    Run the same command again to begin anew.";

/// Opens the maps and puts everything together. `promotes` says whether rows with a role are to get it.
///
/// # Errors
/// All that is wrong with the maps.
pub(super) fn resolve(
    paths: &[PathBuf],
    args: &ReadArgs,
    settings: &Settings,
    promotes: bool,
    skip_invalid: bool,
    now: Timestamp,
) -> Result<Inputs, Problems> {
    let mut problems = Problems::new();
    let mut note = |found: Problems| problems.absorb(found);
    let spaces = args.spaces.as_deref().and_then(|path| SpaceMap::open(path).map_err(&mut note).ok());
    let users = args.users.as_deref().and_then(|path| UserMap::open(path).map_err(&mut note).ok());
    if !problems.is_empty() {
        for path in [&args.spaces, &args.users].into_iter().flatten() {
            quote_again(&mut problems, path, Some(Format::Csv));
        }
        return Err(problems);
    }
    let times = TimeReader { format: args.time_format.into(), zone: args.timezone.clone() };
    Ok(Inputs {
        paths: paths.to_vec(),
        format: args.format.map(Into::into),
        rules: Arc::new(Rules {
            becoming: settings.becoming(promotes),
            times,
            spaces,
            users,
            domains: settings.domains.clone(),
            now,
        }),
        skip_invalid,
    })
}

/// All of the input, read for nothing but to look at it.
pub(super) struct Looked {
    /// How it was read.
    pub(super) inputs: Inputs,
    /// What came of it.
    pub(super) intake: Intake,
    /// All rows put together.
    pub(super) loader: Loader<'static>,
}

/// Why nothing was looked at.
pub(super) enum NotLooked {
    /// What is wrong with the maps.
    Maps(Problems),
    /// The signal that came.
    Interrupted(u8),
}

/// Reads everything, and keeps none of it. `loader` says by what policy.
///
/// # Errors
/// When the rows cannot be put in order for want of room.
pub(super) fn look(
    args: &InputArgs,
    settings: &Settings,
    now: Timestamp,
    mut loader: Loader<'static>,
    mut progress: Progress,
    signals: &Signals,
) -> anyhow::Result<Result<Looked, NotLooked>> {
    let inputs = match resolve(&args.inputs, &args.read, settings, false, false, now) {
        Ok(inputs) => inputs,
        Err(problems) => return Ok(Err(NotLooked::Maps(problems))),
    };
    let read = read(&mut loader, &inputs, &mut progress, signals);
    progress.finish();
    match read {
        Ok(intake) => Ok(Ok(Looked { inputs, intake, loader })),
        Err(IntakeError::Interrupted) => Ok(Err(NotLooked::Interrupted(signals.received().unwrap_or(2)))),
        Err(error) => Err(error.into()),
    }
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
    let waiting = signals.leave_if_stuck();
    let intake = take_in(loader, inputs, |reading| {
        progress.reading(&reading);
        if signals.received().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(waiting);
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
    aside::problems(problems, Severity::Error);
}

/// Prints what may not be what was meant.
pub(super) fn warn(warnings: &Problems) {
    aside::problems(warnings, Severity::Warning);
}

/// Says that a signal came; on standard error where a script reads the other.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn interrupted(to_script: bool) -> std::io::Result<()> {
    if to_script {
        note(INTERRUPTED);
        return Ok(());
    }
    tell(&format!("{INTERRUPTED}\n"))
}

/// Says in a line each which columns are passed over that most likely should not be.
pub(super) fn say_unread_columns(warnings: &Problems, progress: &mut Progress) {
    for problem in warnings.only(ProblemKind::UnreadColumn).kept() {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        progress.say(&format!("warning: {problem}{help}"));
    }
}

/// What to say of rows that Chat will most likely refuse, before they are sent.
pub(super) fn likely_refused(warnings: &Problems) -> Option<String> {
    let kinds = [
        ProblemKind::OutsideDomain,
        ProblemKind::BeforeSpace,
        ProblemKind::ExpiredSpace,
        ProblemKind::CrowdedSpace,
    ];
    let found: Vec<(ProblemKind, u64)> = warnings.counts().filter(|(kind, _)| kinds.contains(kind)).collect();
    let named: Vec<String> =
        found.iter().map(|(kind, count)| format!("{kind}: {}", thousands(*count))).collect();
    (!found.is_empty()).then(|| {
        format!(
            "Chat will most likely refuse some rows ({}); `tenure check`, of the same input, shows which",
            named.join(", ")
        )
    })
}

/// `3 problems`, `1 problem`.
pub(super) fn count(problems: &Problems) -> String {
    many(problems.total(), "problem")
}
