//! `tenure status`: where a run stands, once or again and again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use console::Term;
use jiff::Zoned;
use serde_json::{Value, json};

use super::{columns, on, print_on, send, tell};
use crate::cli::StatusArgs;
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, LastRun, Lock, RejectKind, RolledBack, Stand, Tally, Verified};
use crate::model::{Pace, PaceReason, Timestamp, Undertaking};
use crate::progress::{Going, Meter, draws_anew, least, time_left};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::summary;
use crate::verify;
use crate::wording::{self, NOTHING_MOVES, fitted, rate, shorten, span, when, wrapped};

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<Exit> {
    let path = &args.journal;
    let at = |error: JournalError| error.at(path);
    let look = || Look::at(path).map_err(at);
    let Some(every) = args.watch else {
        let look = look()?;
        if args.json {
            print_on(&look.json())?;
        } else {
            tell(&look.text(None, &Zoned::now(), columns()))?;
        }
        return Ok(Exit::Done);
    };
    let (signals, mut stops) = Signals::listen()?;
    let (begin, mut meter) = (Instant::now(), Meter::default());
    let mut screen = Screen::default();
    loop {
        let look = look()?;
        let now = begin.elapsed();
        meter.note(now, look.tally.done + look.tally.rejected);
        meter.note_answers(now, look.tally.calls.ok);
        let ends = look.running.is_none();
        let is_read = match (args.json, screen.draws_anew()) {
            (true, _) => print_on(&look.json())?,
            (false, true) => screen.draw(&look.text(Some(&meter), &Zoned::now(), columns()), ends)?,
            (false, false) => print_on(&look.line(&meter, &Zoned::now()))?,
        };
        if ends || !is_read {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stops.recv() => return Ok(Exit::Signal(signals.received().unwrap_or(2))),
        }
    }
}

/// Where a run stands at one moment.
struct Look {
    journal: String,
    operation: Undertaking,
    target: String,
    /// Whether a process works with it, and which.
    running: Option<Option<u32>>,
    last: Option<LastRun>,
    credentials: Option<String>,
    /// What has to be typed again to resume.
    needs: &'static str,
    /// Whether that is how its spaces are, until they are completed.
    in_import_mode: bool,
    pace: Option<Pace>,
    tally: Tally,
    kinds: Vec<RejectKind>,
    /// What a rollback has done, if it is one.
    rolled_back: Option<RolledBack>,
    /// How the last looks at Chat's lists came out,
    verified: Vec<Verified>,
    /// and where the journal stands now.
    stand: Stand,
}

/// How far what follows a word at the left is from it.
const MARGIN: usize = 10;

impl Look {
    fn at(path: &Path) -> Result<Look, JournalError> {
        let journal = Journal::open_read_only(path)?;
        let running = Lock::holder(path);
        // Whatever the settings are, the rows can be counted.
        let settings: Option<Settings> =
            journal.last_settings()?.and_then(|json| serde_json::from_str(&json).ok());
        let operation = journal.undertaking()?;
        let is_rollback = operation == Undertaking::Rollback;
        Ok(Look {
            journal: path.display().to_string(),
            operation,
            rolled_back: is_rollback.then(|| journal.rolled_back()).transpose()?,
            target: journal.target()?,
            last: journal.last_run()?,
            credentials: settings.as_ref().and_then(Settings::credentials_story),
            needs: settings.as_ref().map_or("", Settings::resume_needs),
            in_import_mode: !journal.is_standard()?,
            // What it was before the end says nothing about a run that is over.
            pace: if running.is_some() { journal.last_pace()? } else { None },
            tally: journal.tally()?,
            kinds: journal.reject_kinds()?,
            verified: journal.verified()?,
            stand: journal.stand()?,
            running,
        })
    }

    /// Whether it runs, and how the last run ended if it does not; times stand on the clocks of `now`.
    fn goes_on(&self, now: &Zoned) -> Vec<String> {
        let moment = |time: Timestamp| wording::moment(&time.in_zone(now.time_zone()));
        let ended = match (self.running, &self.last) {
            (Some(Some(pid)), _) => return vec![format!("running (pid {pid})")],
            (Some(None), _) => return vec!["running".to_owned()],
            (None, None) => return vec!["nothing was sent yet".to_owned()],
            (None, Some(LastRun { ended_at: Some(ended_at), outcome: Some(outcome), .. })) => {
                format!("the last run ended {}: {outcome}", moment(*ended_at))
            }
            (None, Some(LastRun { begun_at, .. })) => format!("the run of {} was cut off", moment(*begun_at)),
        };
        vec!["not running".to_owned(), ended]
    }

    /// What is to be done before it goes on, if anything.
    fn remedy(&self) -> Option<&str> {
        let last = self.last.as_ref().filter(|_| self.running.is_none())?;
        last.remedy.as_deref()
    }

    /// The command that goes on, where there is something left: a completion that was stopped may have spaces left and no
    /// rows.
    fn resume(&self) -> Option<String> {
        if self.running.is_some() {
            return None;
        }
        let stopped = self.last.as_ref().filter(|last| !last.is_over() && last.command != send::RESUME);
        let has_rows = self.tally.pending + self.tally.in_flight > 0;
        let command = stopped.map(|last| last.command.as_str()).or(has_rows.then_some(send::RESUME))?;
        Some(summary::go_on(command, &self.journal, self.needs))
    }

    /// What is typed next, in order, where nothing is left to be sent.
    fn next(&self) -> Vec<String> {
        if self.running.is_some() || self.resume().is_some() || self.operation != Undertaking::Import {
            return Vec::new();
        }
        let verified = self.verified.last().filter(|found| found.stand == self.stand && found.is_whole());
        match verified.filter(|_| !summary::adds_only(&self.tally)) {
            // Which they are is kept nowhere.
            Some(found) if found.differences() > 0 => {
                vec![summary::go_on("verify", &self.journal, self.needs)]
            }
            Some(_) => {
                let completed = !self.in_import_mode || self.tally.spaces_completed == self.tally.spaces;
                vec![verify::next_command(completed, self.tally.rejected, &self.journal, self.needs)]
            }
            None => summary::after_import(&self.tally, &self.journal, self.needs, self.in_import_mode),
        }
    }

    /// How it goes, as far as was seen: nothing moves where nothing can be reached.
    fn going(&self, meter: Option<&Meter>) -> Going {
        match (&self.pace, meter) {
            (Some(Pace { why: PaceReason::Unreachable, .. }), _) => Going::Still,
            (_, None) => Going::Unknown,
            (pace, Some(meter)) => meter.going(pace.as_ref().map_or(0, |pace| pace.writes_per_minute)),
        }
    }

    /// How fast it goes, and when it ends at that speed: as measured, or else as the pace would have it. A pace that Chat's
    /// refusals hold down may be paused just now, so the rest takes longer than it says.
    fn forecast(&self, meter: Option<&Meter>, now: &Zoned) -> Vec<String> {
        let rest = self.tally.pending + self.tally.in_flight;
        if self.running.is_none() || rest == 0 {
            return Vec::new();
        }
        let paced = self.pace.as_ref().filter(|pace| pace.writes_per_minute > 0);
        let about = |per_second| {
            let left = time_left(rest, per_second);
            let ends = left.and_then(|left| when(now, left)).map(|when| format!("ends {when}"));
            let left = left.map(|left| format!("about {} left", span(left)));
            [Some(rate(per_second)), left, ends].into_iter().flatten().collect()
        };
        let held_down = paced.and_then(|pace| least(rest, pace));
        match (self.going(meter), paced) {
            (Going::Still, _) => [Some(NOTHING_MOVES.to_owned()), held_down].into_iter().flatten().collect(),
            (Going::At(per_second), _) => about(per_second),
            (Going::Unknown, None) => Vec::new(),
            (Going::Unknown, Some(pace)) => {
                let per_second = f64::from(pace.writes_per_minute) / 60.0;
                held_down.map_or_else(|| about(per_second), |held_down| vec![held_down])
            }
        }
    }

    /// For people, in so many columns where words can be wrapped.
    fn text(&self, meter: Option<&Meter>, now: &Zoned, columns: usize) -> String {
        let mut text =
            format!("{} to {}: {}\n", self.operation.as_str(), self.target, self.goes_on(now).join("\n"));
        if let Some(credentials) = &self.credentials {
            text += &format!("credentials: {credentials}\n");
        }
        if let Some(pace) = &self.pace {
            text += &format!("pace: {}\n", wording::pace(pace));
        }
        let forecast = self.forecast(meter, now);
        if !forecast.is_empty() {
            text += &format!("speed: {}\n", forecast.join(", "));
        }
        text += &format!(
            "\n{}",
            summary::counts(self.operation, &self.tally, &self.kinds, self.rolled_back.as_ref())
        );
        let going_on = summary::before_going_on(self.remedy(), self.resume().as_deref(), columns);
        let next = match self.running {
            Some(_) => String::new(),
            None => summary::what_next(&self.tally, &self.journal, &self.next()),
        };
        for below in [self.verified(now, columns), going_on + &next] {
            if !below.is_empty() {
                text += &format!("\n{below}");
            }
        }
        text
    }

    /// Whether Chat was seen to hold what the journal says.
    fn verified(&self, now: &Zoned, columns: usize) -> String {
        let mut text = String::new();
        for (place, found) in self.verified.iter().enumerate() {
            let since = if found.stand == self.stand { "" } else { "; the journal has changed since" };
            let told = format!(
                "{} on {}: {}{since}",
                found.shows.as_str(),
                wording::moment(&found.begun_at.in_zone(now.time_zone())),
                verify::in_short(found)
            );
            let word = if place == 0 { "verified" } else { "" };
            let told = wrapped(&told, columns - MARGIN).replace('\n', &format!("\n{:MARGIN$}", ""));
            text += &format!("{word:MARGIN$}{told}\n");
        }
        let tally = &self.tally;
        let is_over = self.running.is_none() && tally.pending + tally.in_flight == 0 && tally.done > 0;
        if text.is_empty() && is_over && self.operation == Undertaking::Import {
            text += &format!("{:MARGIN$}not yet\n", "verified");
        }
        text
    }

    /// The same on one line, for logs and pipes.
    fn line(&self, meter: &Meter, now: &Zoned) -> String {
        let tally = &self.tally;
        let (settled, goal) = (tally.done + tally.rejected, tally.total - tally.open);
        let share = (settled * 100).checked_div(goal).unwrap_or(100);
        let mut far =
            vec![format!("{share} %"), format!("{settled} of {goal} {}s settled", self.operation.noun())];
        far.extend(self.forecast(Some(meter), now));
        let rejected = (tally.rejected > 0).then(|| format!("{} rejected", tally.rejected));
        let pace = self.pace.as_ref().map(wording::pace);
        let remedy = self.remedy().map(|remedy| format!("do: {remedy}"));
        let parts = [Some(far.join(", ")), pace, rejected, Some(self.goes_on(now).join("; ")), remedy];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{} {}\n", now.strftime("%H:%M:%S"), parts.join("; "))
    }

    /// The contract's keys, and `target`, `running`, `merged` and `bridged` besides; `rejects` (rows by
    /// reason), `credentials`, `pace`, `last_run` (how it ended and what to do, or null) `rolled_back` (what
    /// became of the rows of a rollback, or null) and `verified` (how the last look at Chat's lists came out, or null) come on
    /// top.
    fn json(&self) -> String {
        let tally = &self.tally;
        let mut status = json!({
            "operation": self.operation.as_str(),
            "journal": self.journal,
            "target": self.target,
            "running": self.running.is_some(),
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
        });
        let mut rejects: BTreeMap<&str, u64> = BTreeMap::new();
        for reason in &self.kinds {
            *rejects.entry(&reason.kind).or_default() += reason.count;
        }
        status["rejects"] = json!(rejects);
        status["credentials"] = Value::from(self.credentials.clone());
        status["pace"] = json!(self.pace);
        status["last_run"] = json!(self.last.as_ref().map(|last| {
            json!({
                "begun_at": last.begun_at.to_string(),
                "ended_at": last.ended_at.map(|time| time.to_string()),
                "outcome": last.outcome,
                "remedy": last.remedy,
            })
        }));
        status["rolled_back"] = json!(self.rolled_back.map(|rolled_back| {
            let stays = rolled_back.stays;
            json!({
                "deleted": rolled_back.deleted,
                "gone_already": rolled_back.gone,
                "never_sent": rolled_back.unsent,
                "refused": rolled_back.refused,
                "stays": stays.count(),
                "stays_there_before": stays.existed,
                "stays_beside_another": stays.shared,
                "stays_in_completed_spaces": stays.completed,
            })
        }));
        status["verified"] = json!(self.verified.last().map(|found| {
            json!({
                "at": found.begun_at.to_string(),
                "shows": found.shows.as_str(),
                "complete": found.is_whole(),
                "stopped": found.stopped,
                "changed_since": found.stand != self.stand,
                "spaces": found.spaces,
                "spaces_checked": found.checked,
                "rows_expected": found.expected,
                "rows_matching": found.matching,
                "rows_untold": found.untold,
                "differences": found.differences,
                "differences_total": found.differences(),
            })
        }));
        format!("{status}\n")
    }
}

/// A terminal on which one text takes the place of the one before.
struct Screen {
    term: Term,
    lines: usize,
}

impl Default for Screen {
    fn default() -> Self {
        Screen { term: Term::stdout(), lines: 0 }
    }
}

impl Screen {
    fn draws_anew(&self) -> bool {
        draws_anew(&std::io::stdout())
    }

    /// Draws; the last text stays as it is. Says whether somebody still reads.
    fn draw(&mut self, text: &str, last: bool) -> anyhow::Result<bool> {
        let (rows, columns) = self.term.size();
        self.term.clear_last_lines(self.lines)?;
        if last {
            return Ok(print_on(&on(&self.term, text))?);
        }
        let shown = fitting(text, usize::from(rows), usize::from(columns));
        self.lines = shown.lines().count();
        Ok(print_on(&shown)?)
    }
}

/// As much of a text as a terminal shows without scrolling or wrapping.
fn fitting(text: &str, rows: usize, columns: usize) -> String {
    let columns = columns.saturating_sub(1);
    let text = fitted(text, columns);
    let lines = text.lines().take(rows.saturating_sub(1));
    lines.map(|line| shorten(line, columns) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::{Calls, Shows};
    use crate::wording::COLUMNS;

    fn look(running: Option<Option<u32>>) -> Look {
        Look {
            journal: "memberships.csv.journal.db".to_owned(),
            operation: Undertaking::Import,
            target: "https://chat.googleapis.com/".to_owned(),
            running,
            last: Some(LastRun {
                begun_at: Timestamp::from_micros(0),
                ended_at: None,
                outcome: None,
                remedy: None,
                command: "resume".to_owned(),
            }),
            credentials: Some("the file key.json, acting for admin@example.com".to_owned()),
            needs: "",
            in_import_mode: true,
            pace: running.map(|_| Pace { writes_per_minute: 300, configured: 300, ..Pace::default() }),
            tally: Tally {
                total: 400_000,
                done: 168_218,
                rejected: 12,
                pending: 231_765,
                in_flight: 5,
                spaces: 240,
                spaces_settled: 96,
                calls: Calls { sent: 168_300, ok: 168_230, ..Calls::default() },
                ..Tally::default()
            },
            kinds: vec![RejectKind {
                kind: "NOT_FOUND".to_owned(),
                http_status: Some(404),
                count: 12,
                example: "no such user".to_owned(),
                alike: true,
                too_late: false,
            }],
            rolled_back: None,
            verified: Vec::new(),
            stand: Stand { commits: 9, readings: 1 },
        }
    }

    #[test]
    fn while_it_runs_and_after() {
        let now: Zoned = "2026-11-27T20:15:00+01:00[Europe/Berlin]".parse().unwrap();
        insta::assert_snapshot!("running", look(Some(Some(4711))).text(None, &now, COLUMNS));
        insta::assert_snapshot!("cut_off", look(None).text(None, &now, COLUMNS));
        let mut meter = Meter::default();
        for second in 0..60 {
            meter.note(Duration::from_secs(second), second * 4);
        }
        insta::assert_snapshot!("line", look(Some(None)).line(&meter, &now));
    }

    #[test]
    fn why_it_stopped_and_what_to_do() {
        let now: Zoned = "2026-11-27T20:15:00+01:00[Europe/Berlin]".parse().unwrap();
        let stopped = |command: &str| {
            LastRun {
            ended_at: Some(Timestamp::from_micros(60_000_000)),
            outcome: Some("Chat refuses a token that was fetched just now: 401".to_owned()),
            remedy: Some(
                "check this machine's clock, and whether the key or the delegation was revoked; `tenure doctor` \
                 tells which"
                    .to_owned(),
            ),
            command: command.to_owned(),
            ..look(None).last.unwrap()
        }
        };
        let looked = Look { last: Some(stopped("resume")), ..look(None) };
        insta::assert_snapshot!(
            "stopped",
            [COLUMNS, 58].map(|columns| looked.text(None, &now, columns)).join("\n")
        );
        assert!(looked.line(&Meter::default(), &now).ends_with("; `tenure doctor` tells which\n"));
        // Spaces are left, and no row.
        let settled = Tally { pending: 0, in_flight: 0, rejected: 0, ..looked.tally };
        let completing =
            Look { last: Some(stopped("complete --leave")), tally: settled, needs: " --x", ..look(None) };
        let text = completing.text(None, &now, COLUMNS);
        assert!(
            text.ends_with("go on     tenure complete memberships.csv.journal.db --x --leave\n"),
            "{text}"
        );
        // While it runs, what was to be done before is done.
        let again = Look { last: Some(stopped("resume")), ..look(Some(None)) };
        assert_eq!((again.remedy(), again.resume()), (None, None));
    }

    #[test]
    fn an_end_is_told_only_while_something_moves() {
        let now: Zoned = "2026-11-27T20:15:00+01:00[Europe/Berlin]".parse().unwrap();
        let paced = |why| {
            let pace = Pace { writes_per_minute: 240, configured: 300, why, ..Pace::default() };
            Look { pace: Some(pace), ..look(Some(None)) }
        };
        // Four rows a second, and then none.
        let watched = |every: u64, until: u64, pause: u64| {
            let mut meter = Meter::default();
            for second in (0..=until + pause).step_by(every as usize) {
                meter.note(Duration::from_secs(second), second.min(until) * 4);
            }
            meter
        };
        let told = |why, meter: Option<Meter>| paced(why).forecast(meter.as_ref(), &now).join(", ");
        let held_down = "at least 16 h 5 min left at 240/min";
        let at_240 = "240/min, about 16 h 5 min left, ends Sat 2026-11-28 12:20";
        for every in [1, 10, 60] {
            assert_eq!(told(PaceReason::Configured, Some(watched(every, 600, 0))), at_240, "{every}");
        }
        for (every, until, pause) in [(1, 60, 10), (60, 600, 60)] {
            let still = |why| told(why, Some(watched(every, until, pause)));
            assert_eq!(still(PaceReason::Configured), "nothing moves at the moment");
            assert_eq!(still(PaceReason::ProjectQuota), format!("nothing moves at the moment, {held_down}"));
        }
        assert_eq!(told(PaceReason::Unreachable, Some(watched(1, 60, 0))), "nothing moves at the moment");
        // Whoever looks once has the pace alone.
        assert_eq!(told(PaceReason::Configured, None), at_240);
        assert_eq!(told(PaceReason::ProjectQuota, None), held_down);
        // Of the first seconds too little was seen.
        assert_eq!(told(PaceReason::ProjectQuota, Some(watched(1, 4, 0))), held_down);
        assert_eq!(told(PaceReason::Configured, Some(watched(1, 4, 0))), at_240);
        assert_eq!(told(PaceReason::Unreachable, None), "nothing moves at the moment");
    }

    #[test]
    fn what_was_verified() {
        let now: Zoned = "2026-11-27T20:15:00+01:00[Europe/Berlin]".parse().unwrap();
        let found = |shows, commits, stopped: Option<&str>| Verified {
            shows,
            begun_at: Timestamp::parse("2026-11-27T18:00:00.5Z", None).unwrap(),
            ended_at: Timestamp::parse("2026-11-27T18:02:00Z", None).unwrap(),
            stopped: stopped.map(str::to_owned),
            spaces: 240,
            checked: if stopped.is_some() { 7 } else { 240 },
            hidden: 0,
            expected: 168_218,
            matching: 168_216,
            untold: 0,
            unsettled: 0,
            past: 0,
            differences: [("missing".to_owned(), 2)].into(),
            stand: Stand { commits, readings: 1 },
        };
        let over = Tally { pending: 0, in_flight: 0, total: 168_230, ..look(None).tally };
        let verified = vec![found(Shows::History, 7, None), found(Shows::Members, 9, Some("interrupted"))];
        let looked = Look { tally: over, kinds: Vec::new(), verified, ..look(None) };
        insta::assert_snapshot!("verified", looked.text(None, &now, COLUMNS));
        let json: Value = serde_json::from_str(&looked.json()).unwrap();
        insta::assert_snapshot!("verified_json", format!("{:#}", json["verified"]));
        let unverified = Look { verified: Vec::new(), ..looked };
        let text = unverified.text(None, &now, COLUMNS);
        assert!(text.contains("\nverified  not yet\n"), "{text}");
        assert!(unverified.json().contains(r#""verified":null"#));
    }

    #[test]
    fn what_comes_next() {
        let found = |commits, missing| Verified {
            shows: Shows::History,
            begun_at: Timestamp::from_micros(0),
            ended_at: Timestamp::from_micros(1),
            stopped: None,
            spaces: 2,
            checked: 2,
            hidden: 0,
            expected: 3,
            matching: 3 - missing,
            untold: 0,
            unsettled: 0,
            past: 0,
            differences: if missing > 0 { [("missing".to_owned(), missing)].into() } else { [].into() },
            stand: Stand { commits, readings: 1 },
        };
        let tally = Tally { total: 4, done: 3, open: 1, spaces: 2, spaces_settled: 2, ..Tally::default() };
        let last = LastRun { outcome: Some("complete".to_owned()), ..look(None).last.unwrap() };
        let settled = |tally: &Tally, verified: &[Verified]| Look {
            journal: "j.db".to_owned(),
            last: Some(last.clone()),
            needs: " --x",
            tally: *tally,
            kinds: Vec::new(),
            verified: verified.to_vec(),
            ..look(None)
        };
        let (verify, complete) = ("tenure verify j.db --x", "tenure complete j.db --x");
        let next = |tally: &Tally, verified: &[Verified]| settled(tally, verified).next();
        assert_eq!(next(&tally, &[]), [verify, complete]);
        assert_eq!(next(&tally, &[found(8, 0)]), [verify, complete], "it has changed since");
        assert_eq!(next(&tally, &[found(9, 0)]), [complete]);
        assert_eq!(next(&tally, &[found(9, 2)]), [verify], "to see which");
        let rejects = Tally { rejected: 1, ..tally };
        assert_eq!(next(&rejects, &[found(9, 0)]), ["tenure rejects j.db --reasons"]);
        let text = settled(&rejects, &[found(9, 0)]).text(None, &Zoned::now(), COLUMNS);
        assert!(text.ends_with("\n\nsee why   tenure rejects j.db --reasons\n"), "{text}");
        let added = Tally { spaces_completed: 2, ..tally };
        assert_eq!(next(&added, &[found(9, 0)]), [complete, verify], "one is to be added");
        let completed = Tally { open: 0, ..added };
        assert_eq!(next(&completed, &[found(8, 0)]), [verify]);
        assert_eq!(next(&completed, &[found(9, 0)]), ["tenure report j.db -o report.html"]);
        // Members of today: nothing is completed.
        let standard = Look { in_import_mode: false, ..settled(&tally, &[found(9, 0)]) };
        assert_eq!(standard.next(), ["tenure report j.db -o report.html"]);
        let going = Look { running: Some(None), ..settled(&tally, &[]) };
        assert!(going.next().is_empty());
        assert!(Look { tally: Tally { pending: 1, ..tally }, ..settled(&tally, &[]) }.next().is_empty());
    }

    #[test]
    fn a_small_terminal() {
        assert_eq!(fitting("one\ntwo is long\nthree\n", 4, 7), "one\ntwo is\nlong\n");
        assert_eq!(fitting("unbreakable\n", 4, 7), "unbre…\n");
    }
}
