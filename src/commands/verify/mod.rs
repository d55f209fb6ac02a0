//! `tenure verify`: what Chat lists, held against what the journal says.

mod keep;
mod selected;
mod walk;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use tokio::sync::mpsc::unbounded_channel;

use super::{Usage, connect, note, table_columns, tell};
use crate::aside;
use crate::chat::{Access, HttpChat};
use crate::cli::{CapacityArgs, VerifyArgs};
use crate::credentials::{CredentialError, Credentials, Identity};
use crate::emulator::quota::Limits;
use crate::emulator::{self, Emulator};
use crate::exit::Exit;
use crate::journal::{Destination, Journal, JournalError, Lock, SpaceHeld, sibling};
use crate::model::{Timestamp, Undertaking};
use crate::progress::Progress;
use crate::settings::{Settings, TARGET_EMULATOR, Target};
use crate::signals::Signals;
use crate::verify::{self, About, Ending, Looker, Patience, ReadPace, Report, View};
use walk::Walk;
use writing::Writing;

/// A space that is to be looked at.
struct LookAt {
    space: SpaceHeld,
    view: View,
    access: Access,
}

pub(super) async fn run(args: VerifyArgs) -> anyhow::Result<Exit> {
    let path = args.journal.clone();
    let at = |error: JournalError| error.at(&path);
    let to_stdout = args.csv.as_deref().is_some_and(|file| file == Path::new("-"));
    if args.json && to_stdout {
        return Err(Usage(
            "--json and --csv - would both go to standard output: name a file for one".to_owned(),
        )
        .into());
    }
    let journal = Journal::open_read_only(&path).map_err(at)?;
    let undertaking = journal.undertaking().map_err(at)?;
    if undertaking != Undertaking::Import {
        anyhow::bail!(
            "{}: this journal is of a {undertaking}, and only what was imported can be verified",
            path.display()
        );
    }
    let spaces = selected::selected(&journal, &args.spaces, &path)?;
    let (settings, targets) = resolve(&journal, &args, spaces, &path)?;
    let (began, stand) = (Timestamp::now(), journal.stand().map_err(at)?);
    let running = Lock::holder(&path).is_some();
    let mut report = Report::new(About {
        journal: path.display().to_string(),
        rehearsal: settings.is_rehearsal(),
        needs: args.spaces.is_empty().then(|| settings.resume_needs()),
        running,
        rejected: journal.tally().map_err(at)?.rejected,
        spaces_total: targets.len() as u64,
        titles: journal.titles().map_err(at)?,
        sources: journal.source_paths().map_err(at)?.into_iter().collect(),
        csv: args.csv.is_some(),
    });
    let (signals, stops) = Signals::listen()?;
    signals.set_farewell("left at once; nothing was changed".to_owned());
    let begin = Instant::now();
    let mut progress = Progress::new(args.output.progress);
    let (ending, mut writing) = if targets.is_empty() {
        (Ending::Whole, Writing::begin(&args, &settings, &report)?)
    } else {
        let (chat, identity, emulator) = match open(&journal, &settings, &path).await {
            Ok(opened) => opened,
            // Nothing was looked at; with other credentials it can be.
            Err(error) if error.is::<CredentialError>() => {
                progress.finish();
                aside::error(&format!("{error:#}"));
                note("Nothing was looked at. Give other credentials: --credentials KEY.json");
                return Ok(Exit::Stopped);
            }
            Err(error) => return Err(error),
        };
        let mut writing = Writing::begin(&args, &settings, &report)?;
        let mut looking = Walk {
            journal: &journal,
            path: &path,
            begun_at: journal.created_at().map_err(at)?,
            identity,
            elsewhere: settings.elsewhere().map(str::to_owned),
            typed: is_typed(&args.connection.capacity),
            targets,
            report: &mut report,
            writing: &mut writing,
            progress: &mut progress,
        };
        let (say, said) = unbounded_channel();
        let looker = Looker::new(
            chat,
            ReadPace::new(settings.reads_per_minute),
            Patience(Duration::from_millis(settings.give_up_after_ms)),
            StdRng::try_from_rng(&mut SysRng)?,
            say,
        );
        let ending = looking.walk(Arc::new(looker), stops, said, begin).await;
        if let Some((emulator, _copy)) = emulator {
            emulator.stop().await;
        }
        (ending?, writing)
    };
    progress.finish();
    report.about.running |= Lock::holder(&path).is_some();
    // Closing its file later would give up the locks of whoever writes to it here.
    drop(journal);
    // Of some spaces only, it says nothing of the journal.
    let found = args
        .spaces
        .is_empty()
        .then(|| verify::kept(&report, &ending, (began, Timestamp::now()), stand))
        .flatten();
    if (found.is_some() || !report.missing().is_empty())
        && let Err(error) = keep::keep(&path, report.missing(), found.as_ref())
    {
        note(&keep::not_kept(&error));
    }
    writing.end(&report, &ending)?;
    if !args.json {
        let text = verify::text(&report, &ending, begin.elapsed(), table_columns());
        // Where the CSV goes, nothing else does.
        if to_stdout { note(text.trim_end()) } else { tell(&text)? }
    }
    Ok(match &ending {
        Ending::Interrupted => Exit::Signal(signals.received().unwrap_or(2)),
        Ending::Stopped(_) => Exit::Stopped,
        Ending::Whole if report.any_failed() => Exit::Stopped,
        Ending::Whole if report.differs() => Exit::Rejects,
        Ending::Whole => Exit::Done,
    })
}

/// Whether somebody has said that the spaces are not in import mode.
fn is_typed(capacity: &CapacityArgs) -> bool {
    capacity.standard_spaces || capacity.admin_access || capacity.as_app
}

/// The settings, and how each space is looked at: as the journal has it, unless it is said that none is in import mode.
fn resolve(
    journal: &Journal,
    args: &VerifyArgs,
    spaces: Vec<SpaceHeld>,
    path: &Path,
) -> anyhow::Result<(Settings, Vec<LookAt>)> {
    let at = |error: JournalError| error.at(path);
    let mut before: Settings = match journal.last_settings().map_err(at)? {
        Some(json) => serde_json::from_str(&json)
            .map_err(|error| JournalError::Content(format!("settings: {error}")).at(path))?,
        None => Settings::default(),
    };
    let target = journal.target().map_err(at)?;
    before.target = match target.as_str() {
        TARGET_EMULATOR => Target::Emulator,
        url => Target::Endpoint(url.to_owned()),
    };
    let standard = journal.is_standard().map_err(at)?;
    let typed = is_typed(&args.connection.capacity);
    let in_import_mode = |space: &SpaceHeld| !standard && !typed && space.completed_at.is_none();
    let any_import = spaces.iter().any(in_import_mode);
    // What an import was made with does not show members of today.
    before.access = match before.access {
        _ if any_import => Access::Import,
        Access::Import => Access::User,
        access => access,
    };
    let mut settings = before.connected(&args.connection)?;
    if args.emulator {
        settings.target = Target::Emulator;
    }
    if let Some(reads_per_minute) = args.reads_per_minute {
        settings.reads_per_minute = reads_per_minute;
    }
    if let Some(patience) = args.give_up_after {
        settings.give_up_after_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    }
    let destination =
        Destination { target: settings.target.as_str(), standard, undertaking: Undertaking::Import };
    journal.expect_destination(destination).map_err(at)?;
    let present = if settings.access == Access::Import { Access::User } else { settings.access };
    let targets = spaces.into_iter().map(|space| {
        let (view, access) = match space.completed_at {
            _ if in_import_mode(&space) => (View::History, Access::Import),
            _ if standard => (View::Standard, present),
            completed_at => (View::Completed(completed_at), present),
        };
        LookAt { space, view, access }
    });
    let targets = targets.collect();
    Ok((settings, targets))
}

/// A Chat of this process's own, and the file that it has read.
type Rehearsal = (Emulator, tempfile::NamedTempFile);
type Opened = (HttpChat<Credentials>, Identity, Option<Rehearsal>);

/// A Chat that can be asked.
async fn open(journal: &Journal, settings: &Settings, path: &Path) -> anyhow::Result<Opened> {
    let emulator = match settings.target {
        Target::Emulator => Some(rehearsal(journal, path, settings).await?),
        Target::Endpoint(_) => None,
    };
    let credentials = match &emulator {
        Some((emulator, _)) => connect::rehearsal_credentials(settings, emulator).await?,
        None => connect::credentials(settings).await?,
    };
    for warning in credentials.warnings() {
        note(warning);
    }
    let identity = credentials.identity().clone();
    let own = emulator.as_ref().map(|(emulator, _)| emulator);
    let chat = connect::chat(settings, own, Arc::new(credentials))?;
    Ok((chat, identity, emulator))
}

/// A Chat of this process's own that holds what the rehearsal has left: a copy, since the rehearsal may go on meanwhile.
async fn rehearsal(journal: &Journal, path: &Path, settings: &Settings) -> anyhow::Result<Rehearsal> {
    // What the journal says is older than the copy, so all of that is in it.
    journal.hold_still().map_err(|error| error.at(path))?;
    let held = sibling(path, "emulator");
    let copy = tempfile::NamedTempFile::new().context("no copy of what the rehearsal holds can be made")?;
    if held.exists() {
        std::fs::copy(&held, copy.path()).with_context(|| format!("{}", held.display()))?;
    }
    let config = emulator::Config {
        limits: Limits { reads_per_minute: settings.reads_per_minute, ..Limits::default() },
        store: Some(copy.path().to_owned()),
        ..emulator::Config::default()
    };
    let emulator = Emulator::start(config).await.context("the emulator cannot be started")?;
    let spaces = journal.space_names().map_err(|error| error.at(path))?;
    let made = if journal.is_standard().map_err(|error| error.at(path))? {
        emulator.ensure_standard_spaces(&spaces, connect::REHEARSAL_SUBJECT)
    } else {
        emulator.ensure_spaces(&spaces)
    };
    made.context("the emulator cannot make the spaces of the journal")?;
    Ok((emulator, copy))
}
