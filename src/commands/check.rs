//! `tenure check`: read everything, send nothing, say what is wrong.

use super::{inputs, note, print, probed};
use crate::cli::CheckArgs;
use crate::exit::Exit;
use crate::intake::{Intake, IntakeError};
use crate::journal::{Journal, Tally};
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::settings::{Settings, Target};
use crate::signals::Signals;
use crate::wording::many;

pub(super) async fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let (signals, _stops) = Signals::listen()?;
    let settings = Settings { target: Target::Emulator, ..Settings::default() }.capable(&args.capacity);
    let inputs = match inputs::resolve(&args.input.inputs, &args.input.read, settings.becoming(), false, now)
    {
        Ok(inputs) => inputs,
        Err(problems) => {
            inputs::show(&problems);
            print(&format!("{} in the maps; no input was read.\n", inputs::count(&problems)))?;
            return Ok(Exit::BadInput);
        }
    };
    let mut progress = Progress::new(args.output.progress);
    let mut journal = Journal::scratch(None, settings.destination(), now)?;
    let mut loader = journal.loader(now)?;
    let intake = match inputs::read(&mut loader, &inputs, &mut progress, &signals) {
        Ok(intake) => intake,
        Err(IntakeError::Interrupted) => {
            progress.finish();
            print(&format!("{}\n", inputs::INTERRUPTED))?;
            return Ok(Exit::Signal(signals.received().unwrap_or(2)));
        }
        Err(IntakeError::Journal(error)) => return Err(error.into()),
    };
    loader.commit()?;
    progress.finish();
    let tally = journal.tally()?;
    inputs::show(&intake.problems);
    if let Some(doubts) = probed::doubts(&journal, None)? {
        note(&doubts);
    }
    print(&verdict(&intake, &tally))?;
    Ok(if intake.problems.is_empty() { Exit::Done } else { Exit::BadInput })
}

/// What was read and whether it may be sent.
pub(super) fn verdict(intake: &Intake, tally: &Tally) -> String {
    let mut text = String::new();
    if intake.rows > 0 {
        text += &format!("{} read: {} to send", many(intake.rows, "row"), tally.pending);
        if tally.open > 0 {
            text += &format!(", {} open (still members)", tally.open);
        }
        if intake.duplicates > 0 {
            text += &format!(", {} repeating another", intake.duplicates);
        }
        text += &format!("; {}.\n", many(tally.spaces, "space"));
    }
    text += &match intake.problems.total() {
        0 => "No problems.\n".to_owned(),
        1 => "1 problem; nothing may be sent before it is mended.\n".to_owned(),
        total => format!("{total} problems; nothing may be sent before they are mended.\n"),
    };
    text
}
