//! Sending what a journal holds: what `import` does after reading, and `resume` at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Zoned;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{columns, connect, note, spaces_age, tell};
use crate::aside;
use crate::chat::Access;
use crate::credentials::{CredentialError, Identity};
use crate::emulator::quota::Limits;
use crate::emulator::{self, Emulator};
use crate::engine::{Completion, Config, DriveError, Engine, Finish, SPACE_REFUSED, Stop, drive};
use crate::exit::Exit;
use crate::journal::{COMPLETE, Change, Journal, JournalError, LastEnd, Lock, Note, Tally, Work, sibling};
use crate::model::{Timestamp, Undertaking, told};
use crate::plan;
use crate::progress::{Doing, Progress};
use crate::remedy::Setup;
use crate::settings::{Settings, Target};
use crate::signals::Signals;
use crate::summary::{self, Summary};
use crate::watch::Watch;
use crate::wording::{many, quoted};

/// The command that goes on with a journal's rows,
pub(super) const RESUME: &str = "resume";
/// and the one that goes on with those of a rollback.
const ROLLBACK: &str = "rollback";

/// How long requests under way may take to finish after Ctrl-C.
const GRACE: Duration = Duration::from_secs(10);

/// Everything that sending needs.
pub(super) struct Sending<'a> {
    pub(super) journal: Journal,
    /// The journal's own.
    pub(super) lock: Lock,
    pub(super) path: &'a Path,
    pub(super) settings: Settings,
    pub(super) signals: Signals,
    pub(super) stops: UnboundedReceiver<Stop>,
    pub(super) progress: Progress,
    /// Who else looks on.
    pub(super) watch: Watch,
    /// Spaces are completed, these; else what is pending is sent.
    pub(super) completion: Option<(Completion, Work)>,
}

/// The settings of the journal's last run.
pub(super) fn last_settings(journal: &Journal) -> Result<Settings, JournalError> {
    let settings: Settings = match journal.last_settings()? {
        Some(json) => serde_json::from_str(&json)
            .map_err(|error| JournalError::Content(format!("settings: {error}")))?,
        None => Settings::default(),
    };
    // An import may have become a rollback since.
    Ok(Settings { undertaking: journal.undertaking()?, ..settings })
}

/// Notes in the journal that a run begins, and which command goes on with it.
pub(super) fn begin_run(
    journal: &mut Journal,
    settings: &Settings,
    command: &str,
    now: Timestamp,
) -> Result<(), JournalError> {
    let json = serde_json::to_string(settings).map_err(|error| JournalError::Content(error.to_string()))?;
    journal.begin_run(&json, command, now)
}

/// Opens the credentials before anything is read: what is wrong with them is better known before hours of reading than
/// after. A journal that is there is a run that can be resumed; then this is how the program ends.
///
/// # Errors
/// When there are none, or nothing was begun yet that could go on with others.
pub(super) async fn expect_credentials(settings: &Settings, path: &Path) -> anyhow::Result<Option<Exit>> {
    match connect::credentials(settings).await {
        Ok(_) => Ok(None),
        Err(error) if path.exists() && error.is::<CredentialError>() => {
            aside::error(&format!("{error:#}"));
            note(
                "Nothing was sent. The same command goes on when that is mended, or with other credentials: \
                 --credentials KEY.json",
            );
            Ok(Some(Exit::Stopped))
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn send(sending: Sending<'_>) -> anyhow::Result<Exit> {
    let Sending { lock, journal, path, mut settings, signals, stops, mut progress, mut watch, completion } =
        sending;
    // The lock comes first, so that it goes last.
    let (lock, mut journal) = (Arc::new(lock), journal);
    let begin = Instant::now();
    let last_end = take_over(&lock, &mut journal).map_err(|error| error.at(path))?;
    if let LastEnd::CommitsLost { commits } = last_end {
        progress.say(&format!(
            "the journal has lost what it was told last ({}): every space is listed anew before anything is sent to it",
            many(commits, "commit")
        ));
    }
    let command = match &completion {
        Some((completion, _)) => format!("complete{}", completion.flags()),
        None if settings.undertaking == Undertaking::Rollback => ROLLBACK.to_owned(),
        None => RESUME.to_owned(),
    };
    let name = quoted(&path.display().to_string());
    let resume = summary::go_on(&command, &path.display().to_string(), settings.resume_needs());
    signals.set_farewell(format!("left at once; go on with: {resume}"));
    if settings.access == Access::Import
        && settings.undertaking != Undertaking::Spaces
        && completion.is_none()
    {
        reject_expired(&mut journal, &name, settings.resume_needs(), &mut progress)
            .map_err(|error| error.at(path))?;
        let late = journal.refuse_late_history(Timestamp::now()).map_err(|error| error.at(path))?;
        if late > 0 {
            let rows = many(late, "row");
            progress.say(&format!(
                "{rows} of history not sent: the space is completed, and Chat takes none there"
            ));
        }
    }
    let before = journal.tally().map_err(|error| error.at(path))?;
    let is_large = !journal.is_examined();
    let mut identity = Identity::default();
    let completes = completion.is_some();
    let idle = match &completion {
        Some((_, work)) => work.spaces.is_empty(),
        None => before.pending + before.in_flight == 0,
    };
    let finish = if idle {
        begin_run(&mut journal, &settings, &command, Timestamp::now()).map_err(|error| error.at(path))?;
        Ok(Finish::Complete)
    } else {
        let emulator = match settings.target {
            Target::Emulator => Some(rehearsal(&journal, path, &settings).await?),
            Target::Endpoint(_) => None,
        };
        let opened = match &emulator {
            Some(emulator) => connect::rehearsal_credentials(&settings, emulator).await,
            None => connect::credentials(&settings).await,
        };
        let credentials = match opened {
            Ok(credentials) => Arc::new(credentials),
            // The journal is as it was, so this is a run that can be resumed.
            Err(error) if error.is::<CredentialError>() => {
                progress.finish();
                aside::error(&format!("{error:#}"));
                let again = summary::go_on(&command, &path.display().to_string(), " --credentials KEY.json");
                note(&format!("Nothing was sent. With other credentials: {again}"));
                return Ok(Exit::Stopped);
            }
            Err(error) => return Err(error),
        };
        for warning in credentials.warnings() {
            progress.say(warning);
        }
        if credentials.is_person() {
            settings.impersonate = None;
        }
        identity = credentials.identity().clone();
        let chat = connect::chat(&settings, emulator.as_ref(), credentials)?;
        // Only now: what has no credentials has not begun.
        begin_run(&mut journal, &settings, &command, Timestamp::now()).map_err(|error| error.at(path))?;
        let config = Config {
            access: settings.access,
            rates: settings.rates(),
            in_flight_max: settings.max_in_flight.limit(settings.writes_per_minute),
            give_up_after: Duration::from_millis(settings.give_up_after_ms),
            cut_off: last_end != LastEnd::InOrder,
            sets_roles: settings.undertaking == Undertaking::Import && settings.access == Access::Import,
            suffixes: settings.suffixes,
            completion: completion.as_ref().map(|(completion, _)| completion.clone()),
            grace: GRACE,
        };
        let work = match completion {
            Some((_, work)) => work,
            None => journal.work().map_err(|error| error.at(path))?,
        };
        let rates = settings.rates();
        if let Some(line) = plan::estimate(&work.pending(), &rates, &Zoned::now(), settings.undertaking) {
            progress.say(&line);
        }
        let titles = journal.titles().map_err(|error| error.at(path))?;
        let doing = Doing::of(settings.undertaking, completes);
        progress.begin(doing, &journal.reject_kinds().map_err(|error| error.at(path))?, titles);
        watch.begin(&journal, path, &mut progress).map_err(|error| error.at(path))?;
        lock.settle(false);
        let guard = tokio::spawn(stop_when_gone(Arc::clone(&lock), path.to_owned(), signals.clone()));
        if is_large {
            let (path, signals) = (path.to_owned(), signals.clone());
            std::thread::Builder::new()
                .name("examining".to_owned())
                .spawn(move || stop_when_damaged(&path, &signals))?;
        }
        let engine = Engine::new(config, work, &before, StdRng::try_from_rng(&mut SysRng)?);
        let (returned, result) =
            drive(engine, journal, Arc::new(chat), stops, &mut watch.over(&mut progress)).await;
        guard.abort();
        if let Some(emulator) = emulator {
            emulator.stop().await;
        }
        journal = returned.ok_or(DriveError::ThreadEnded)?;
        result
    };
    progress.finish();
    // What SQLite complains of when its file is not there any more says less.
    if matches!(finish, Ok(Finish::Stopped(Stop::JournalGone))) || !lock.is_in_place(path) {
        return Err(anyhow::anyhow!(
            "{}: {}. If `tenure status {name}` can read it, go on with `{resume}`; else put it back with its -wal file, or begin \
             a new one: what Chat holds already counts as done then",
            path.display(),
            summary::stop_story(&Stop::JournalGone)
        ));
    }
    let finish = match finish {
        Ok(finish) => finish,
        Err(DriveError::Journal(error)) => {
            // It may still be able to say so; if not, the missing end says it.
            let _ = journal.end_run(&format!("the journal failed: {error}"), None, Timestamp::now());
            return Err(error.at(path));
        }
        Err(error) => return Err(error.into()),
    };
    let outcome = match &finish {
        Finish::Complete => COMPLETE.to_owned(),
        Finish::Stopped(stop) => summary::stop_story(stop),
    };
    watch.end(&outcome, &mut progress);
    let kinds = journal.reject_kinds().map_err(|error| error.at(path))?;
    let setup = Setup { identity: &identity, access: settings.access, elsewhere: settings.elsewhere() };
    let remedy = match &finish {
        Finish::Stopped(stop) => setup.of_stop(stop),
        Finish::Complete if kinds.iter().any(|kind| kind.kind == SPACE_REFUSED) => {
            Some(setup.of_refused_spaces())
        }
        Finish::Complete => None,
    };
    journal.end_run(&outcome, remedy.as_deref(), Timestamp::now()).map_err(|error| error.at(path))?;
    let tally = journal.tally().map_err(|error| error.at(path))?;
    if finish == Finish::Complete && !completes && tally.pending + tally.in_flight > 0 {
        // The counters and the rows disagree: nobody but this program should write to the journal.
        return Err(JournalError::Content(format!(
            "{} rows are said to be left, and none is to be found",
            tally.pending + tally.in_flight
        ))
        .at(path));
    }
    let is_rollback = settings.undertaking == Undertaking::Rollback;
    let rolled_back =
        is_rollback.then(|| journal.rolled_back()).transpose().map_err(|error| error.at(path))?;
    // Who has interrupted a run with a large journal does not wait until all of that is read again.
    let whole = !is_large || signals.received().is_none();
    is_kept(journal, path, &tally, whole).map_err(|error| error.at(path))?;
    lock.settle(true);
    let journal = path.display().to_string();
    let needs = settings.resume_needs();
    let next = match settings.undertaking {
        Undertaking::Import if completes => summary::after_completion(&tally, &journal, needs),
        Undertaking::Import => {
            summary::after_import(&tally, &journal, needs, settings.access == Access::Import)
        }
        _ => Vec::new(),
    };
    tell(&summary::of_run(&Summary {
        undertaking: settings.undertaking,
        journal: &journal,
        rehearsal: settings.is_rehearsal(),
        tally: &tally,
        kinds: &kinds,
        rolled_back,
        completed: tally.spaces_completed.saturating_sub(before.spaces_completed),
        settled: (tally.done + tally.rejected).saturating_sub(before.done + before.rejected),
        elapsed: begin.elapsed(),
        finish: &finish,
        remedy: remedy.as_deref(),
        resume: &resume,
        next: &next,
        columns: columns(),
    }))?;
    Ok(match finish {
        Finish::Complete if rolled_back.map_or(tally.rejected, |rolled_back| rolled_back.refused) > 0 => {
            Exit::Rejects
        }
        Finish::Complete => Exit::Done,
        Finish::Stopped(Stop::Asked) => Exit::Signal(signals.received().unwrap_or(2)),
        Finish::Stopped(_) => Exit::Stopped,
    })
}

/// Warns of spaces whose time in import mode runs out, and rejects the rows of those where it is over. `name` is what
/// the journal is called in a command, `needs` what has to be typed again with it.
fn reject_expired(
    journal: &mut Journal,
    name: &str,
    needs: &str,
    progress: &mut Progress,
) -> Result<(), JournalError> {
    let now = Timestamp::now();
    let ages = journal.space_ages()?;
    let (warning, late) = spaces_age::look(&ages, now, &format!("{name}{needs}"));
    if let Some(warning) = warning {
        progress.say(&warning);
    }
    let work = if late.is_empty() { Work::default() } else { journal.work()? };
    for space in work.spaces.iter().filter(|space| !space.completed) {
        let Some(age) = late.iter().find(|age| age.space == space.name) else { continue };
        let until = age.expire_time.map(|time| time.to_string()).unwrap_or_default();
        let story = |space: &str, journal: &str| {
            format!(
                "{space} could be in import mode until {until}, and nothing is sent in the last half hour of that: create its \
                 space anew (tenure spaces create CHANNELS), and feed these rows back with the new map (tenure rejects {journal})"
            )
        };
        progress.say(&story(&told(space.name.as_str(), age.name.as_deref()), name));
        let error = story(space.name.as_str(), "JOURNAL");
        let note = Note { http_status: None, kind: "SPACE_EXPIRED".to_owned(), error };
        journal.apply(&[Change::SpaceRejected { space: space.id, at: now, note }])?;
    }
    Ok(())
}

/// Goes on after the last process on this journal, however it ended.
fn take_over(lock: &Lock, journal: &mut Journal) -> Result<LastEnd, JournalError> {
    let last_end = lock.last_end(journal)?;
    if last_end != LastEnd::InOrder && !journal.is_standard()? {
        journal.doubt(matches!(last_end, LastEnd::CommitsLost { .. }))?;
    }
    lock.follow(journal)?;
    Ok(last_end)
}

/// Makes sure that the next process will find in the file what this one has in memory; if `whole`, by reading all of it.
fn is_kept(journal: Journal, path: &Path, tally: &Tally, whole: bool) -> Result<(), JournalError> {
    journal.close()?;
    let journal = Journal::open_read_only(path)?;
    if whole {
        journal.examine()?;
    }
    if journal.tally()? == *tally {
        Ok(())
    } else {
        Err(JournalError::Damaged("it does not hold what was written to it".to_owned()))
    }
}

/// Reads a journal whole that was too large for that before its run. What is wrong with it is found again, and told, when
/// the run has stopped.
fn stop_when_damaged(path: &Path, signals: &Signals) {
    let examined = Journal::open_read_only(path).and_then(|journal| journal.examine());
    if examined.is_err_and(|error| error.is_damage()) {
        signals.stop(Stop::Asked);
    }
}

/// Watches over the journal's file: nobody could go on from one that was deleted.
async fn stop_when_gone(lock: Arc<Lock>, path: PathBuf, signals: Signals) {
    while lock.is_in_place(&path) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    signals.stop(Stop::JournalGone);
}

/// A Chat of this process's own. What it holds lies beside the journal, so that a rehearsal too can be interrupted.
async fn rehearsal(journal: &Journal, path: &Path, settings: &Settings) -> anyhow::Result<Emulator> {
    let config = emulator::Config {
        limits: Limits {
            writes_per_minute: settings.writes_per_minute,
            reads_per_minute: settings.reads_per_minute,
            ..Limits::default()
        },
        store: Some(sibling(path, "emulator")),
        ..emulator::Config::default()
    };
    let emulator = Emulator::start(config).await.context("the emulator cannot be started")?;
    let spaces = journal.space_names().map_err(|error| error.at(path))?;
    let made = if settings.access == Access::Import {
        emulator.ensure_spaces(&spaces)
    } else {
        emulator.ensure_standard_spaces(&spaces, connect::REHEARSAL_SUBJECT)
    };
    made.context("the emulator cannot make the spaces of the input")?;
    Ok(emulator)
}
