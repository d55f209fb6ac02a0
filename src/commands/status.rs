//! `tenure status`: where a run stands.

use serde_json::{Value, json};

use super::print;
use crate::cli::StatusArgs;
use crate::exit::Exit;
use crate::journal::{Journal, Lock, Tally};
use crate::settings::Settings;
use crate::summary;
use crate::wording;

pub(super) fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    let path = &args.journal;
    let at = |error: crate::journal::JournalError| error.at(path);
    let journal = Journal::open_read_only(path).map_err(at)?;
    let tally = journal.tally().map_err(at)?;
    let operation = journal.undertaking().map_err(at)?;
    let target = journal.target().map_err(at)?;
    let running = Lock::holder(path);
    let last = journal.last_run().map_err(at)?;
    // Whatever the settings are, the rows can be counted.
    let settings: Option<Settings> =
        journal.last_settings().map_err(at)?.and_then(|json| serde_json::from_str(&json).ok());
    let credentials = settings.as_ref().and_then(Settings::credentials_story);
    let needs = settings.as_ref().map_or("", Settings::resume_needs);
    // What it was before the end says nothing about a run that is over.
    let pace = if running.is_some() { journal.last_pace().map_err(at)? } else { None };
    if args.json {
        let mut status =
            json(operation.as_str(), &path.display().to_string(), &target, running.is_some(), &tally);
        status["credentials"] = Value::from(credentials);
        status["pace"] = json!(pace);
        print(&format!("{status}\n"))?;
        return Ok(Exit::Done);
    }
    let kinds = journal.reject_kinds().map_err(at)?;
    let goes_on = match (running, &last) {
        (Some(Some(pid)), _) => format!("running (pid {pid})"),
        (Some(None), _) => "running".to_owned(),
        (None, Some((_, Some(outcome)))) => format!("not running; the last run ended: {outcome}"),
        (None, Some((begun, None))) => format!("not running; the run of {begun} was cut off"),
        (None, None) => "nothing was sent yet".to_owned(),
    };
    let mut text = format!("{operation} to {target}: {goes_on}\n");
    if let Some(credentials) = credentials {
        text += &format!("credentials: {credentials}\n");
    }
    if let Some(pace) = pace {
        text += &format!("pace: {}\n", wording::pace(&pace));
    }
    text += &format!("\n{}", summary::counts(operation, &tally, &kinds));
    if running.is_none() && tally.pending + tally.in_flight > 0 {
        text +=
            &format!("\ngo on     tenure resume {}{needs}\n", wording::quoted(&path.display().to_string()));
    }
    print(&text)?;
    Ok(Exit::Done)
}

/// The contract's keys, and `target`, `running`, `merged` and `bridged` besides; `credentials` and `pace` come on top.
fn json(operation: &str, journal: &str, target: &str, running: bool, tally: &Tally) -> Value {
    json!({
        "operation": operation,
        "journal": journal,
        "target": target,
        "running": running,
        "rows": {
            "total": tally.total,
            "done": tally.done,
            "rejected": tally.rejected,
            "pending": tally.pending,
            "in_flight": tally.in_flight,
            "open": tally.open,
            "duplicate": tally.duplicate,
            "merged": tally.merged,
            "bridged": tally.bridged,
        },
        "requests": {
            "sent": tally.calls.sent,
            "ok": tally.calls.ok,
            "throttled": tally.calls.throttled,
            "failed": tally.calls.failed,
        },
        "spaces": {
            "total": tally.spaces,
            "settled": tally.spaces_settled,
            "completed": tally.spaces_completed,
        },
    })
}
