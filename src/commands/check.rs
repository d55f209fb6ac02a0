//! `tenure check`: read everything, send nothing, say what is wrong.

use super::{inputs, note, print, probed, stints};
use crate::cli::CheckArgs;
use crate::exit::Exit;
use crate::intake::{Intake, IntakeError};
use crate::journal::{Loader, Outlook};
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::settings::{Settings, Target};
use crate::signals::Signals;
use crate::wording::many;

pub(super) async fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let (signals, _stops) = Signals::listen()?;
    let settings = Settings { target: Target::Emulator, ..Settings::default() }.capable(&args.capacity);
    let policy = stints::policy(args.stints, &settings)?;
    let inputs =
        match inputs::resolve(&args.input.inputs, &args.input.read, settings.becoming(false), false, now) {
            Ok(inputs) => inputs,
            Err(problems) => {
                inputs::show(&problems);
                print(&format!("{} in the maps; no input was read.\n", inputs::count(&problems)))?;
                return Ok(Exit::BadInput);
            }
        };
    let mut progress = Progress::new(args.output.progress);
    let mut loader = Loader::nowhere(settings.destination().operation(), now).by(policy);
    let intake = match inputs::read(&mut loader, &inputs, &mut progress, &signals) {
        Ok(intake) => intake,
        Err(IntakeError::Interrupted) => {
            progress.finish();
            print(&format!("{}\n", inputs::INTERRUPTED))?;
            return Ok(Exit::Signal(signals.received().unwrap_or(2)));
        }
        Err(error) => return Err(error.into()),
    };
    progress.finish();
    let outlook = loader.outlook();
    inputs::show(&intake.problems);
    if let Some(doubts) = probed::beforehand(None, policy, &intake, outlook, || Ok(outlook.several(0, 0)))? {
        note(&doubts);
    }
    print(&verdict(&intake, outlook))?;
    Ok(if intake.problems.is_empty() { Exit::Done } else { Exit::BadInput })
}

/// What was read and whether it may be sent.
pub(super) fn verdict(intake: &Intake, outlook: &Outlook) -> String {
    let mut text = String::new();
    if intake.rows > 0 {
        text += &format!("{} read: {} to send", many(intake.rows, "row"), outlook.to_send());
        if outlook.open > 0 {
            text += &format!(", {} open (still members)", outlook.open);
        }
        if intake.duplicates > 0 {
            text += &format!(", {} repeating another", intake.duplicates);
        }
        if outlook.merged_more > 0 {
            text += &format!(", {} merged into others", outlook.merged_more);
        }
        if outlook.bridged_more > 0 {
            text += &format!(", {} open with their history until today", outlook.bridged_more);
        }
        text += &format!("; {}.\n", many(outlook.spaces, "space"));
    }
    text += &match intake.problems.total() {
        0 => "No problems.\n".to_owned(),
        1 => "1 problem; nothing may be sent before it is mended.\n".to_owned(),
        total => format!("{total} problems; nothing may be sent before they are mended.\n"),
    };
    text
}
