//! `tenure complete`: the end of a migration, space by space.

use std::fmt::Write as _;
use std::path::Path;

use super::connect::REHEARSAL_SUBJECT;
use super::spaces_age::LAST_CALL;
use super::{Usage, confirm, neighbours, note, send, tell, watched};
use crate::cli::CompleteArgs;
use crate::engine::Completion;
use crate::exit::Exit;
use crate::journal::{CompletionPlan, Journal, JournalError, Lock, Unfit};
use crate::model::{MemberName, SpaceTitles, Timestamp, Undertaking};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::summary;
use crate::wording::{many, quoted, thousands};

/// How many spaces of a kind are named.
const NAMED_MAX: usize = 5;

pub(super) async fn run(args: CompleteArgs) -> anyhow::Result<Exit> {
    let path = args.journal;
    let at = |error: JournalError| error.at(&path);
    if !path.exists() {
        return Err(at(JournalError::Missing));
    }
    let last_call = Timestamp::now().after(LAST_CALL);
    if args.dry_run {
        let journal = Journal::open_read_only(&path).map_err(at)?;
        expect_import(&journal).map_err(at)?;
        let plan = journal.completion_plan(args.accept_rejects, args.leave, last_call).map_err(at)?;
        let titles = journal.titles().map_err(at)?;
        let before = send::last_settings(&journal).map_err(at)?;
        let story = story(&plan, &titles, &path, before.resume_needs());
        let target = journal.target().map_err(at)?;
        let others = awaited(&path, &target, &plan).unwrap_or_default();
        tell(&format!("{story}{others}Nothing was done.\n"))?;
        return Ok(Exit::Done);
    }
    let lock = Lock::take(&path).map_err(at)?;
    let mut journal = Journal::open(&path).map_err(at)?;
    expect_import(&journal).map_err(at)?;
    let before = send::last_settings(&journal).map_err(at)?;
    let settings = before.with(&args.send)?;
    journal.set_out_for(settings.destination()).map_err(at)?;
    if settings.destination().standard {
        return Err(
            Usage("these spaces are not in import mode, so there is nothing to complete".to_owned()).into()
        );
    }
    let leaver = args.leave.then(|| leaver(&settings)).transpose()?;
    let mut plan = journal.completion_plan(args.accept_rejects, args.leave, last_call).map_err(at)?;
    let leaves = leaver.filter(|_| !plan.stays);
    let titles = journal.titles().map_err(at)?;
    let story = story(&plan, &titles, &path, settings.resume_needs());
    if plan.work.spaces.is_empty() {
        let (tally, name) = (journal.tally().map_err(at)?, path.display().to_string());
        let next = summary::after_completion(&tally, &name, settings.resume_needs());
        let next = summary::what_next(&tally, &name, &next);
        let gap = if next.is_empty() { "" } else { "\n" };
        let ended = exit(&plan, 0);
        let said = if ended == Exit::Done { "Nothing is left to be done." } else { "Nothing was done." };
        tell(&format!("{story}{said}\n{gap}{next}"))?;
        return Ok(ended);
    }
    if let Some(others) = awaited(&path, settings.target.as_str(), &plan) {
        tell(&format!("{story}{others}Nothing was done.\n"))?;
        return Ok(Exit::Rejects);
    }
    if plan.to_complete > 0 && !args.yes && !confirm::ask(&story, "Complete them? That cannot be undone.")? {
        tell("Nothing was done.\n")?;
        return Ok(Exit::Stopped);
    }
    if args.yes || plan.to_complete == 0 {
        note(story.trim_end());
    }
    journal.open_completed(&mut plan.work.spaces).map_err(at)?;
    let (signals, stops) = Signals::listen()?;
    let watch = watched::open(&args.send.watch, &path, &[])?;
    let progress = Progress::new(args.send.output.progress);
    let work = std::mem::take(&mut plan.work);
    let completion = Some((Completion { leaves, accepts_rejects: args.accept_rejects }, work));
    let ended = send::send(send::Sending {
        journal,
        lock,
        path: &path,
        settings,
        signals,
        stops,
        progress,
        watch,
        completion,
    })
    .await?;
    let refused = Journal::open_read_only(&path).and_then(|journal| journal.not_completed()).map_err(at)?;
    for (space, error) in &refused {
        note(&format!("{} is not completed: {error}", titles.tell(space)));
    }
    Ok(match ended {
        Exit::Done => exit(&plan, refused.len()),
        ended => ended,
    })
}

/// What to say if journals beside this one still have rows for spaces that are to be completed: none could be sent any more.
fn awaited(path: &Path, target: &str, plan: &CompletionPlan) -> Option<String> {
    let to_complete = plan.work.spaces.iter().filter(|space| !space.completed);
    let spaces = to_complete.map(|space| space.name.as_str());
    let others = neighbours::waiting(path, target, spaces);
    let (first, _) = others.first()?;
    let first = quoted(&first.display().to_string());
    let mut text = String::new();
    for (other, spaces) in &others {
        let other = quoted(&other.display().to_string());
        let _ = writeln!(text, "  {} of them still wait for rows of {other}", thousands(*spaces));
    }
    let _ = writeln!(
        text,
        "History can only be sent before a space is completed. Go on with these first: tenure resume {first}\n\
         If such rows are not to be sent at all, move their journal to another folder.",
    );
    Some(text)
}

/// Spaces that are left are told by the exit code, as rejects are.
fn exit(plan: &CompletionPlan, refused: usize) -> Exit {
    let left: usize = [&plan.unsettled, &plan.missing, &plan.rejected, &plan.doubtful, &plan.expired]
        .map(Vec::len)
        .iter()
        .sum();
    let left = left + refused;
    if left == 0 && !plan.stays { Exit::Done } else { Exit::Rejects }
}

/// Who leaves: whoever the calls are made for.
fn leaver(settings: &Settings) -> Result<MemberName, Usage> {
    let subject = match (&settings.impersonate, settings.is_rehearsal()) {
        (Some(subject), _) => subject.as_str(),
        (None, true) => REHEARSAL_SUBJECT,
        (None, false) => return Err(Usage("--leave needs --impersonate EMAIL: who is to leave?".to_owned())),
    };
    MemberName::parse(subject).map_err(|error| Usage(format!("--impersonate {subject:?}: {error}")))
}

fn expect_import(journal: &Journal) -> Result<(), JournalError> {
    match journal.undertaking()? {
        Undertaking::Import => Ok(()),
        other => Err(JournalError::OtherUndertaking { journal: other, run: Undertaking::Import }),
    }
}

/// What would be done, and what would not; `needs` is what has to be typed again to resume.
fn story(plan: &CompletionPlan, titles: &SpaceTitles, journal: &Path, needs: &str) -> String {
    let journal = quoted(&journal.display().to_string());
    let mut text = format!("{} to complete.\n", many(plan.to_complete, "space"));
    let mut line = |count: u64, noun: &str, about: &str| {
        if count > 0 {
            let _ = writeln!(text, "  {} {about}", many(count, noun));
        }
    };
    line(plan.to_add, "member", "of today to add then");
    line(plan.to_promote, "role", "to set after that");
    line(plan.completed, "space", "completed already");
    line(
        plan.unverified,
        "space",
        "to complete that nobody has verified; whether Chat has every row can be seen only before (tenure verify)",
    );
    let mut unfit = |spaces: &[Unfit], why: &str| {
        if spaces.is_empty() {
            return;
        }
        let named: Vec<String> = spaces
            .iter()
            .take(NAMED_MAX)
            .map(|unfit| {
                let space = titles.tell(unfit.space.as_str());
                if unfit.rows > 0 { format!("{space} ({})", unfit.rows) } else { space }
            })
            .collect();
        let more = spaces.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "  {} {why}: {}{more}", many(spaces.len() as u64, "space"), named.join(", "));
    };
    let unsettled = format!("not completed, with rows left to send (tenure resume {journal}{needs})");
    unfit(&plan.unsettled, &unsettled);
    unfit(
        &plan.missing,
        "not completed, with rows that the last verify did not find in Chat as they are here (tenure verify looks \
         again; with --csv FILE it writes them out, to be imported with another --journal; or --accept-rejects)",
    );
    unfit(
        &plan.lacking,
        "to complete without rows that the last verify did not find in Chat as they are here",
    );
    unfit(&plan.rejected, "not completed, with rows rejected (mend them, or --accept-rejects)");
    let left_out = match plan.left_out {
        1 => "a row was left out when it was read".to_owned(),
        rows => format!("{} were left out when they were read", many(rows, "row")),
    };
    let doubtful = format!(
        "not completed, for {left_out}, and may belong there (mend what was left out, or --accept-rejects; \
         which it is: tenure rejects {journal})"
    );
    unfit(&plan.doubtful, &doubtful);
    unfit(&plan.expired, "not completed, for Chat deletes them within half an hour or has done so");
    if plan.stays {
        let _ = writeln!(
            text,
            "  the migrating account leaves no space, for {left_out} (mend that, or --accept-rejects)"
        );
    }
    text
}
