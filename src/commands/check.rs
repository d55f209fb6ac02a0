//! `tenure check`: read everything, send nothing, say what is wrong.

use serde_json::json;

use super::inputs::{self, Looked, NotLooked};
use super::{note, print, probed, stints, tell};
use crate::cli::CheckArgs;
use crate::diagnostics::{Severity, annotations, listed};
use crate::exit::Exit;
use crate::input::ProblemKind;
use crate::intake::Intake;
use crate::journal::{Loader, Outlook};
use crate::model::{Policy, Stints, Timestamp};
use crate::progress::Progress;
use crate::settings::{Settings, Target};
use crate::signals::Signals;
use crate::wording::many;

pub(super) async fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let (signals, _stops) = Signals::listen()?;
    let settings = Settings { target: Target::Emulator, ..Settings::default() }.capable(&args.capacity);
    let policy = stints::policy(args.stints, &settings)?;
    let progress = Progress::new(args.output.progress);
    let loader = Loader::nowhere(settings.destination().operation(), now).by(policy);
    let looked = inputs::look(&args.input, &settings, now, loader, progress, &signals)?;
    let (mut intake, outlook, in_maps) = match looked {
        Ok(Looked { intake, loader, .. }) => (intake, loader.outlook().clone(), false),
        Err(NotLooked::Maps(problems)) => {
            (Intake { problems, ..Intake::default() }, Outlook::default(), true)
        }
        Err(NotLooked::Interrupted(signal)) => {
            inputs::interrupted(args.json || args.github)?;
            return Ok(Exit::Signal(signal));
        }
    };
    let doubts = probed::beforehand(None, policy, &intake, &outlook, || Ok(outlook.several(0, 0)))?;
    let doubts = with_doubts(&mut intake, policy, doubts);
    if args.json {
        print(&format!("{:#}\n", object(&intake, &outlook)))?;
    } else if args.github {
        print(&annotations(&intake.problems, Severity::Error))?;
        print(&annotations(&intake.warnings, Severity::Warning))?;
        note(verdict(&intake, &outlook, false).trim_end());
    } else {
        inputs::show(&intake.problems);
        inputs::warn(&intake.warnings);
        if let Some(doubts) = doubts {
            note(&doubts);
        }
        let maps = format!("{} in the maps; no input was read.\n", inputs::count(&intake.problems));
        tell(&if in_maps { maps } else { verdict(&intake, &outlook, false) })?;
    }
    Ok(if intake.problems.is_empty() { Exit::Done } else { Exit::BadInput })
}

/// Puts what there is to be said about members with several stints to the warning about them, if there is one; else gives it
/// back to be said by itself.
pub(super) fn with_doubts(intake: &mut Intake, policy: Policy, doubts: Option<String>) -> Option<String> {
    let mut left = doubts.clone();
    if policy.stints == Stints::Each && doubts.is_some() {
        intake.warnings.each_kept(|warning| {
            if warning.kind == ProblemKind::SeveralStints {
                warning.help.clone_from(&doubts);
                left = None;
            }
        });
    }
    left
}

/// What was read and whether it may be sent; `skip_invalid` says whether rows with problems are left out.
pub(super) fn verdict(intake: &Intake, outlook: &Outlook, skip_invalid: bool) -> String {
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
    let warnings = match intake.warnings.total() {
        0 => String::new(),
        1 => " 1 warning, which stops nothing.".to_owned(),
        some => format!(" {some} warnings, which stop nothing."),
    };
    text += &match intake.problems.total() {
        0 => "No problems.".to_owned(),
        total if !intake.is_refused(skip_invalid) => {
            let them = if total == 1 { "its row is" } else { "their rows are" };
            format!("{}; {them} left out, as --skip-invalid says.", many(total, "problem"))
        }
        1 => "1 problem; nothing may be sent before it is mended.".to_owned(),
        total => format!("{total} problems; nothing may be sent before they are mended."),
    };
    let unseen =
        if intake.rows == 0 && intake.problems.is_fatal() { " No row was looked at yet." } else { "" };
    text + unseen + &warnings + "\n"
}

/// The same and all that was found, for a script. `docs/check.md` describes it.
fn object(intake: &Intake, outlook: &Outlook) -> serde_json::Value {
    let mut kinds = listed(&intake.problems, Severity::Error);
    kinds.extend(listed(&intake.warnings, Severity::Warning));
    json!({
        "rows": {
            "read": intake.rows,
            "to_send": outlook.to_send(),
            "open": outlook.open,
            "duplicate": intake.duplicates,
            "merged": outlook.merged_more,
            "bridged": outlook.bridged_more,
        },
        "spaces": outlook.spaces,
        "errors": intake.problems.total(),
        "warnings": intake.warnings.total(),
        "kinds": kinds,
    })
}
