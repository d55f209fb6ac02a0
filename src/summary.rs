//! What a person reads at the end of a run, or when asking where it stands: pure text.

use std::fmt::Write as _;
use std::time::Duration;

use crate::chat::Cause;
use crate::credentials::TokenFailure;
use crate::engine::{Finish, Stop};
use crate::journal::{RejectKind, RolledBack, Stays, Tally};
use crate::model::Undertaking;
use crate::remedy::rejects::of_rejects;
use crate::wording::{many, one_line, quoted, sentence, shorten, span, wrapped};

/// How many reasons of rejection are listed.
const KINDS_MAX: usize = 6;
/// How wide the margin is.
const MARGIN: usize = 10;
/// How wide the margin of a reason is, and of what to do about it.
const REASON_MARGIN: usize = 14;
/// How much of an example is shown where reasons are merely counted.
const EXAMPLE_CHARS_MAX: usize = 100;

/// Everything that a summary is made of.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// What the rows are for.
    pub undertaking: Undertaking,
    /// The journal as the operator named it.
    pub journal: &'a str,
    /// Whether it was a rehearsal.
    pub rehearsal: bool,
    /// Where things stand.
    pub tally: &'a Tally,
    /// Why rows were rejected.
    pub kinds: &'a [RejectKind],
    /// What a rollback has done, if it is one.
    pub rolled_back: Option<RolledBack>,
    /// Spaces completed in this run.
    pub completed: u64,
    /// Rows settled in this run, and how long it took.
    pub settled: u64,
    /// How long the run took.
    pub elapsed: Duration,
    /// How it ended.
    pub finish: &'a Finish,
    /// What to do, if anything.
    pub remedy: Option<&'a str>,
    /// The command that goes on.
    pub resume: &'a str,
    /// The commands that come after a run that has reached its end, in order.
    pub next: &'a [String],
    /// How wide what is laid out here becomes, in columns.
    pub columns: usize,
}

/// The end of an import.
pub fn of_run(summary: &Summary<'_>) -> String {
    let Summary { tally, journal, .. } = summary;
    let mut text = String::new();
    let place = if summary.rehearsal { " (rehearsal: nothing has left this machine)" } else { "" };
    let stay = match summary.rolled_back.map_or(0, |rolled_back| rolled_back.stays.count()) {
        0 => String::new(),
        1 => " 1 membership stays in Chat.".to_owned(),
        stay => format!(" {} stay in Chat.", many(stay, "membership")),
    };
    match summary.finish {
        Finish::Complete if summary.settled + summary.completed == 0 => {
            let _ = writeln!(text, "Nothing was left to {}{place}.{stay}", summary.undertaking.verb());
        }
        Finish::Complete => {
            let _ = writeln!(text, "Done: {} in {}{place}.{stay}", done(summary), span(summary.elapsed));
        }
        Finish::Stopped(stop) => {
            let _ = writeln!(text, "Stopped{place}: {}", sentence(&stop_story(stop)));
        }
    }
    text.push('\n');
    text += &counts(summary.undertaking, tally, summary.kinds, summary.rolled_back.as_ref());
    text.push('\n');
    let _ = writeln!(text, "journal   {journal}");
    let stopped = matches!(summary.finish, Finish::Stopped(_));
    text += &before_going_on(summary.remedy, stopped.then_some(summary.resume), summary.columns);
    let next = if stopped { &[] } else { summary.next };
    text + &what_next(tally, journal, next)
}

/// How to see why rows were refused, and the commands that come next, in order.
pub fn what_next(tally: &Tally, journal: &str, next: &[String]) -> String {
    let why = (tally.rejected > 0).then(|| format!("tenure rejects {} --reasons", quoted(journal)));
    let next: Vec<&String> = next.iter().filter(|command| why.as_ref() != Some(*command)).collect();
    let mut text = String::new();
    for (word, command) in
        why.iter().map(|why| ("see why", why)).chain(["next", "then"].into_iter().zip(next))
    {
        let _ = writeln!(text, "{word:MARGIN$}{command}");
    }
    text
}

/// What to do, if anything, and the command that goes on then, in so many columns.
pub fn before_going_on(remedy: Option<&str>, resume: Option<&str>, columns: usize) -> String {
    let mut text = String::new();
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "do        {}", below(remedy, MARGIN, columns));
    }
    if let Some(resume) = resume {
        let _ = writeln!(text, "go on     {resume}");
    }
    text
}

/// The command line of a command with its options, such as `complete --leave`, for a journal. `needs` is what has to be
/// typed again.
pub fn go_on(command: &str, journal: &str, needs: &str) -> String {
    let (command, options) = command.split_at(command.find(' ').unwrap_or(command.len()));
    format!("tenure {command} {}{needs}{options}", quoted(journal))
}

/// What is typed after an import, in order: its spaces are looked at while their history can still be taken back, and
/// completed then, if they are in import mode and no row is still to be mended. Whoever was left for spaces that are all
/// completed is added first. `needs` is what has to be typed again.
pub fn after_import(tally: &Tally, journal: &str, needs: &str, in_import_mode: bool) -> Vec<String> {
    let verify = tally.done > 0;
    let complete = in_import_mode
        && tally.rejected == 0
        && tally.spaces_completed < tally.spaces
        && tally.done + tally.open > 0;
    let mut commands = [("verify", verify), ("complete", complete)];
    if adds_only(tally) {
        commands = [("complete", true), ("verify", true)];
    }
    let commands = commands.into_iter().filter(|(_, is_due)| *is_due);
    commands.map(|(command, _)| go_on(command, journal, needs)).collect()
}

/// Whether all that is left is to add members of today, to spaces that are completed.
pub fn adds_only(tally: &Tally) -> bool {
    tally.open > 0 && tally.spaces_completed == tally.spaces && tally.pending + tally.in_flight == 0
}

/// What is typed after spaces were completed: rows that are left are sent, and what Chat lists now is looked at once all
/// are. What was refused stands against the rest, and that is told with the reasons.
pub fn after_completion(tally: &Tally, journal: &str, needs: &str) -> Vec<String> {
    let command = if tally.pending + tally.in_flight > 0 {
        "resume"
    } else if tally.spaces > 0 && tally.spaces_completed == tally.spaces {
        "verify"
    } else {
        return Vec::new();
    };
    vec![go_on(command, journal, needs)]
}

/// What a run has done.
fn done(summary: &Summary<'_>) -> String {
    let spaces = (summary.completed > 0).then(|| format!("{} completed", many(summary.completed, "space")));
    let rows = (summary.settled > 0)
        .then(|| format!("{} settled", many(summary.settled, summary.undertaking.noun())));
    spaces.into_iter().chain(rows).collect::<Vec<_>>().join(", ")
}

fn plural_rows(count: u64) -> &'static str {
    if count == 1 { "row" } else { "rows" }
}

/// Memberships that no rollback deletes: how many, and why.
pub fn staying(stays: &Stays) -> impl Iterator<Item = (u64, &'static str)> {
    let why = [
        (stays.existed, "stay: Chat held them before"),
        (stays.shared, "stay: the member had another one there before, which would be deleted with it"),
        (stays.completed, "stay: their space is completed, so nobody can delete its history"),
    ];
    why.into_iter().filter(|(count, _)| *count > 0)
}

/// What became of the rows of a rollback that are done: how many, and how.
pub fn taken_back(rolled_back: &RolledBack) -> Vec<(u64, &'static str)> {
    let deleted = [
        (rolled_back.deleted, "deleted"),
        (rolled_back.gone, "gone already"),
        (rolled_back.unsent, "never sent, so Chat never held them"),
    ];
    let deleted = deleted.into_iter().filter(|(count, _)| *count > 0);
    deleted.chain(staying(&rolled_back.stays)).collect()
}

/// Where a run stands; `rolled_back` if it is a rollback.
pub fn counts(
    undertaking: Undertaking,
    tally: &Tally,
    kinds: &[RejectKind],
    rolled_back: Option<&RolledBack>,
) -> String {
    let mut text = String::new();
    let mut line = |name: &str, count: u64, about: &str| {
        let about = if about.is_empty() { String::new() } else { format!("   {about}") };
        let _ = writeln!(text, "  {name:<10}{count:>9}{about}");
    };
    let existed = match tally.existed {
        0 => String::new(),
        // Told below, each by itself.
        _ if rolled_back.is_some() => String::new(),
        some => match undertaking {
            Undertaking::Import | Undertaking::Update | Undertaking::Spaces => {
                format!("{some} of them were there already")
            }
            Undertaking::Remove | Undertaking::Rollback => format!("{some} of them were gone already"),
        },
    };
    line("done", tally.done, &existed);
    for (count, how) in rolled_back.map(taken_back).unwrap_or_default() {
        line("", count, how);
    }
    line("rejected", tally.rejected, "");
    for kind in kinds.iter().take(KINDS_MAX) {
        line("", kind.count, &reason(kind, &shorten(&one_line(&kind.example), EXAMPLE_CHARS_MAX)));
    }
    if kinds.len() > KINDS_MAX {
        let more = kinds[KINDS_MAX..].iter().map(|kind| kind.count).sum();
        line("", more, "for other reasons");
    }
    if tally.pending > 0 {
        let about = match undertaking {
            Undertaking::Rollback => "still to be deleted",
            _ => "still to be sent",
        };
        line("pending", tally.pending, about);
    }
    if tally.in_flight > 0 {
        line("in flight", tally.in_flight, "sent, and not known yet what became of it");
    }
    if tally.open > 0 {
        line("open", tally.open, "still members: added once their space is completed");
    }
    line("total", tally.total, "");
    if tally.duplicate > 0 {
        line("duplicate", tally.duplicate, "lines that repeat another: sent once");
    }
    if tally.merged > 0 {
        line("merged", tally.merged, &format!("{} merged into others", plural_rows(tally.merged)));
    }
    if tally.bridged > 0 {
        line("bridged", tally.bridged, "open rows that also have their history until today");
    }
    let unsettled = tally.spaces - tally.spaces_settled;
    let to_do = match undertaking {
        Undertaking::Rollback => "memberships left to delete",
        _ => "rows left to send",
    };
    let left = (unsettled > 0).then(|| format!("{unsettled} of them with {to_do}"));
    let completed =
        (tally.spaces_completed > 0).then(|| format!("{} of them completed", tally.spaces_completed));
    let spaces: Vec<String> = left.into_iter().chain(completed).collect();
    let spaces = spaces.join(", ");
    line("spaces", tally.spaces, &spaces);
    text
}

/// Why rows were refused, with an example of what Chat said.
fn reason(kind: &RejectKind, example: &str) -> String {
    let status = kind.http_status.map(|status| format!("{status} ")).unwrap_or_default();
    let such_as = if kind.alike { "" } else { ", e.g." };
    format!("{status}{}{such_as}: {example}", kind.kind)
}

/// The text behind a margin: what goes on stands below it.
fn below(text: &str, margin: usize, columns: usize) -> String {
    let lines = wrapped(text, columns.saturating_sub(margin));
    lines.replace('\n', &format!("\n{:margin$}", ""))
}

/// Why rows were refused, in full, and what to do: reasons with the same remedy together, in so many columns.
pub fn reasons(kinds: &[RejectKind], columns: usize) -> String {
    let mut remedies: Vec<(&str, Vec<&RejectKind>)> = Vec::new();
    for kind in kinds {
        let remedy = of_rejects(kind);
        match remedies.iter_mut().find(|(known, _)| *known == remedy) {
            Some((_, alike)) => alike.push(kind),
            None => remedies.push((remedy, vec![kind])),
        }
    }
    let mut text = String::new();
    for (remedy, alike) in remedies {
        for kind in alike {
            let reason = reason(kind, &one_line(&kind.example));
            let _ = writeln!(text, "  {:>9}   {}", kind.count, below(&reason, REASON_MARGIN, columns));
        }
        let _ = writeln!(
            text,
            "{:REASON_MARGIN$}do: {}",
            "",
            below(remedy, REASON_MARGIN + "do: ".len(), columns)
        );
    }
    text
}

/// Why a run stopped, in words and without a full stop: people read it behind others, and programs as a value.
pub fn stop_story(stop: &Stop) -> String {
    match stop {
        Stop::Asked => "interrupted".to_owned(),
        Stop::JournalGone => {
            "the journal or its -wal file was deleted, cut short or replaced while the run was going on"
                .to_owned()
        }
        Stop::NoToken(TokenFailure::Refused(refusal)) => format!("Google gives {refusal}"),
        Stop::NoToken(failure) => failure.to_string(),
        Stop::NotOffered(not_offered) => not_offered.to_string(),
        Stop::Unauthorized(story) => format!("Chat refuses a token that was fetched just now: {story}"),
        Stop::NotSetUp(refusal) => match refusal.cause() {
            Cause::ScopeMissing => format!("the access token lacks a scope: {refusal}"),
            Cause::ApiDisabled => format!("the Chat API is not enabled in the Cloud project: {refusal}"),
            _ => format!("the Cloud project has no Chat app: {refusal}"),
        },
        Stop::EverySpaceRefused { space, story, spaces: 1, .. } => {
            format!("Chat refuses {space}, and no other space was reached: {story}")
        }
        Stop::EverySpaceRefused { space, story, spaces, .. } => {
            format!("Chat refuses every space that was tried ({spaces}), such as {space}: {story}")
        }
        Stop::NoSpaceCreated { story } => format!("Chat lets nobody create a space like this: {story}"),
        Stop::GaveUp { after, last, throttled: true } => {
            format!("for {} Chat has answered only that the quota is used up: {last}", span(*after))
        }
        Stop::GaveUp { after, last, throttled: false } => {
            format!("nothing has succeeded for {}; the last failure: {last}", span(*after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_an_import() {
        let next = |tally: &Tally, in_import_mode| after_import(tally, "a b.db", " --x", in_import_mode);
        let (verify, complete) = ("tenure verify 'a b.db' --x", "tenure complete 'a b.db' --x");
        let tally = Tally { done: 3, open: 2, spaces: 2, ..Tally::default() };
        assert_eq!(next(&tally, true), [verify, complete]);
        assert_eq!(next(&Tally { rejected: 1, ..tally }, true), [verify], "they can be mended as yet");
        assert_eq!(next(&tally, false), [verify]);
        let completed = Tally { spaces_completed: 2, ..tally };
        assert_eq!(next(&completed, true), [complete, verify], "to add them");
        assert_eq!(next(&Tally { rejected: 1, ..completed }, true), [complete, verify]);
        assert_eq!(next(&Tally { open: 0, ..completed }, true), [verify]);
        assert_eq!(next(&Tally { done: 0, ..tally }, true), [complete]);
        assert!(next(&Tally { done: 0, open: 0, ..tally }, true).is_empty());
    }

    #[test]
    fn what_comes_after_a_completion() {
        let next = |tally: &Tally| after_completion(tally, "a b.db", " --x");
        let tally = Tally { done: 3, spaces: 2, spaces_completed: 2, ..Tally::default() };
        assert_eq!(next(&tally), ["tenure verify 'a b.db' --x"]);
        assert_eq!(next(&Tally { rejected: 1, ..tally }), ["tenure verify 'a b.db' --x"]);
        let some = Tally { spaces_completed: 1, ..tally };
        assert_eq!(next(&Tally { pending: 1, ..some }), ["tenure resume 'a b.db' --x"]);
        assert!(next(&Tally { rejected: 1, ..some }).is_empty());
        // Once is enough.
        let why = "see why   tenure rejects j.db --reasons\n";
        let rejects = ["tenure rejects j.db --reasons".to_owned()];
        assert_eq!(what_next(&Tally { rejected: 1, ..some }, "j.db", &rejects), why);
    }

    #[test]
    fn what_goes_on() {
        assert_eq!(go_on("resume", "a b.db", ""), "tenure resume 'a b.db'");
        let line = go_on("complete --leave --accept-rejects", "j.db", " --x");
        assert_eq!(line, "tenure complete j.db --x --leave --accept-rejects");
    }

    #[test]
    fn reasons_are_values() {
        let gave_up =
            Stop::GaveUp { after: Duration::from_secs(90), last: "429".to_owned(), throttled: true };
        for stop in [Stop::Asked, Stop::JournalGone, gave_up] {
            assert!(!stop_story(&stop).ends_with('.'), "{stop:?}");
        }
        assert_eq!(stop_story(&Stop::Asked), "interrupted");
    }
}
