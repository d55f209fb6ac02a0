//! `tenure rollback`: delete what an import has created, and only that.

use std::fmt::Write as _;

use super::{confirm, note, send, tell, watched};
use crate::cli::RollbackArgs;
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, Lock, RollbackPlan};
use crate::model::{Timestamp, Undertaking};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::summary;
use crate::wording::many;

pub(super) async fn run(args: RollbackArgs) -> anyhow::Result<Exit> {
    let path = args.journal;
    let at = |error: JournalError| error.at(&path);
    if !path.exists() {
        return Err(at(JournalError::Missing));
    }
    if args.dry_run {
        let journal = Journal::open_read_only(&path).map_err(at)?;
        expect_import(&journal).map_err(at)?;
        tell(&format!("{}Nothing was deleted.\n", story(&journal.rollback_plan().map_err(at)?)))?;
        return Ok(Exit::Done);
    }
    let lock = Lock::take(&path).map_err(at)?;
    let mut journal = Journal::open(&path).map_err(at)?;
    expect_import(&journal).map_err(at)?;
    let before = send::last_settings(&journal).map_err(at)?;
    let undertaking = before.undertaking;
    let mut settings = before.with(&args.send)?;
    journal.set_out_for(settings.destination()).map_err(at)?;
    settings.undertaking = Undertaking::Rollback;
    let plan = journal.rollback_plan().map_err(at)?;
    if undertaking != Undertaking::Rollback && plan.to_delete + plan.unsent > 0 {
        if !args.yes && !confirm::ask(&story(&plan), "Delete them?")? {
            tell("Nothing was deleted.\n")?;
            return Ok(Exit::Stopped);
        }
        if args.yes {
            note(story(&plan).trim_end());
        }
        if plan.in_flight > 0 {
            // What a process that was cut off has sent must have arrived before it can be deleted.
            tokio::time::sleep(crate::engine::LATE_WRITE).await;
        }
        journal.begin_rollback(Timestamp::now()).map_err(at)?;
    }
    let (signals, stops) = Signals::listen()?;
    let watch = watched::open(&args.send.watch, &path, &[])?;
    let progress = Progress::new(args.send.output.progress);
    send::send(send::Sending {
        journal,
        lock,
        path: &path,
        settings,
        signals,
        stops,
        progress,
        watch,
        completion: None,
    })
    .await
}

fn expect_import(journal: &Journal) -> Result<(), JournalError> {
    match journal.undertaking()? {
        Undertaking::Import | Undertaking::Rollback => Ok(()),
        other => Err(JournalError::OtherUndertaking { journal: other, run: Undertaking::Rollback }),
    }
}

/// What would be deleted, and what would stay.
fn story(plan: &RollbackPlan) -> String {
    let mut text = format!(
        "{} that this journal has created to delete, in {}.\n",
        many(plan.to_delete, "membership"),
        many(plan.spaces, "space")
    );
    let mut line = |count: u64, noun: &str, about: &str| {
        if count > 0 {
            let _ = writeln!(text, "  {} {about}", many(count, noun));
        }
    };
    line(
        plan.in_flight,
        "row",
        "of these: not known whether Chat has made them; they are deleted if they are there",
    );
    line(plan.unsent, "row", "not sent yet, and not sent any more");
    line(plan.begun, "membership", "still to delete: a rollback was begun before");
    for (count, why) in summary::staying(&plan.stays) {
        line(count, "membership", why);
    }
    line(plan.taken_back, "membership", "deleted already");
    text
}
