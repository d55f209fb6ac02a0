//! `tenure import`, the main job, and its kin: `remove` and `update`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Zoned;

use super::read_with::{self, ReadWith};
use super::{Usage, again, check, confirm, inputs, new_journal, note, probed, send, stints, tell, watched};
use crate::chat::Access;
use crate::cli::{ImportArgs, RetryArgs, StintArgs};
use crate::exit::Exit;
use crate::intake::{Inputs, Intake, IntakeError};
use crate::journal::{JOURNALED, Journal, JournalError, Loader, Lock, sibling};
use crate::model::{Policy, SpaceName, Timestamp, Undertaking};
use crate::plan;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::wording::{many, quoted};

/// What `remove` adds to an import, and what an import has beyond it.
#[derive(Debug, Default)]
pub(super) struct Manner {
    /// Before it deletes.
    pub(super) asks: bool,
    /// Rows with a role are to get it.
    pub(super) promotes: bool,
    /// What `import` itself adds.
    pub(super) history: StintArgs,
    /// What was refused and is to be tried again.
    pub(super) retry: RetryArgs,
}

/// Reads input into a journal and does with its rows what it is for.
pub(super) async fn run(args: ImportArgs, undertaking: Undertaking, manner: Manner) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let path = journal_path(&args)?;
    let mut settings = Settings { undertaking, ..Settings::default() }.with(&args.send)?;
    if path.exists() {
        // One that cannot be opened here says why where it is opened to be written.
        let journal = Journal::open_read_only(&path);
        if let Ok(journal) = &journal {
            read_with::expect_same(journal, &args, &path)?;
        }
        if settings.says_nothing_of_where() {
            let journal = journal.map_err(|error| error.at(&path))?;
            settings = settings.going_where(send::last_settings(&journal).map_err(|error| error.at(&path))?);
        }
    }
    if undertaking == Undertaking::Update && settings.access == Access::Import {
        // In import mode nobody has a role yet.
        settings.access = Access::User;
    }
    let typed = manner.history;
    let policy = stints::policy(typed, &settings)?;
    let sends = !(args.journal_only || args.dry_run);
    if sends
        && !settings.is_rehearsal()
        && let Some(ended) = send::expect_credentials(&settings, &path).await?
    {
        return Ok(ended);
    }
    let (signals, stops) = Signals::listen()?;
    let inputs = match inputs::resolve(
        &args.input.inputs,
        &args.input.read,
        &settings,
        manner.promotes,
        args.skip_invalid || again::skips_invalid(&manner.retry, &path)?,
        now,
    ) {
        Ok(inputs) => inputs,
        Err(problems) => {
            inputs::show(&problems);
            tell(&format!("{} in the maps; nothing was sent.\n", inputs::count(&problems)))?;
            return Ok(Exit::BadInput);
        }
    };
    let mut progress = Progress::new(args.send.output.progress);
    if args.dry_run {
        let history = History { typed, policy };
        return dry_run(&path, &settings, &inputs, history, progress, &signals, now);
    }
    let watch = watched::open(&args.send.watch, &path, &watched::read_by(&args.input))?;
    let mut lock = Lock::take(&path).map_err(|error| error.at(&path))?;
    if path.exists() && manner.retry.retry_rejected.is_some() {
        let journal = Journal::open_read_only(&path).map_err(|error| error.at(&path))?;
        again::expect(&journal, &manner.retry, &path)?;
    }
    let remembered = sibling(&path, "emulator");
    if settings.is_rehearsal() && !path.exists() && remembered.exists() {
        progress.say(&format!(
            "the emulator remembers an earlier rehearsal; remove {} to begin anew",
            remembered.display()
        ));
    }
    if let Some(other) = journal_elsewhere(&args, &path) {
        progress.say(&format!(
            "a new journal is begun here; there is one beside the input already: did you mean --journal {}?",
            quoted(&other.display().to_string())
        ));
    }
    let reading = read_in(&path, &settings, &inputs, History { typed, policy }, &mut progress, &signals, now);
    let (mut journal, intake) = match reading {
        Ok(read) => read,
        Err(Refused::Problems(intake)) => {
            progress.finish();
            inputs::show(&intake.problems);
            let advice = if intake.problems.is_fatal() {
                ""
            } else {
                ", or add --skip-invalid to leave those rows out"
            };
            let them = if intake.problems.total() == 1 { "it" } else { "them" };
            let rows = match intake.rows {
                0 => String::new(),
                rows => format!(" in {}", many(rows, "row")),
            };
            tell(&format!(
                "{}{rows}; nothing was sent. Mend {them}{advice}.\n",
                inputs::count(&intake.problems)
            ))?;
            return Ok(Exit::BadInput);
        }
        Err(Refused::Interrupted) => {
            progress.finish();
            tell(&format!("{}\n", inputs::INTERRUPTED))?;
            return Ok(Exit::Signal(signals.received().unwrap_or(2)));
        }
        Err(Refused::Journal(error)) => return Err(error.at(&path)),
        Err(Refused::History(error)) => return Err(error),
        Err(Refused::Reading(error)) => return Err(error.into()),
    };
    // A new journal is there only now.
    lock.hold(&path).map_err(|error| error.at(&path))?;
    if intake.replaced > 0 {
        progress.say(&format!("{} replaced by what was fed back", many(intake.replaced, "refused row")));
    }
    if intake.invalid > 0 {
        let journal = quoted(&path.display().to_string());
        progress.say(&format!(
            "{} skipped; `tenure rejects {journal}` shows why",
            many(intake.invalid, "invalid row")
        ));
    }
    inputs::say_unread_columns(&intake.warnings, &mut progress);
    if let Some(said) = inputs::likely_refused(&intake.warnings) {
        progress.say(&said);
    }
    if undertaking == Undertaking::Import
        && let Some(doubts) = probed::doubts(Some(settings.target.as_str()), || journal.several_stints())
            .map_err(|error| error.at(&path))?
    {
        progress.say(&doubts);
    }
    if let Some(map) = &inputs.rules.spaces {
        let ages = map.ages().filter_map(|(space, age)| {
            Some((SpaceName::parse(space).ok()?, age.create_time, age.expire_time))
        });
        journal.note_ages(ages).map_err(|error| error.at(&path))?;
    }
    journal.note_titles(&intake.titles).map_err(|error| error.at(&path))?;
    ReadWith::of(&args.input.read).keep(&mut journal).map_err(|error| error.at(&path))?;
    again::retry(&mut journal, &manner.retry, &path, &mut progress).map_err(|error| error.at(&path))?;
    if args.journal_only {
        progress.finish();
        send::begin_run(&mut journal, &settings, send::RESUME, now).map_err(|error| error.at(&path))?;
        journal.end_run(JOURNALED, None, Timestamp::now()).map_err(|error| error.at(&path))?;
        let tally = journal.tally().map_err(|error| error.at(&path))?;
        let name = path.display().to_string();
        tell(&format!(
            "{} journaled in {name}, {} to send.\nSend them with: tenure resume {}{}\n",
            many(tally.total, "row"),
            tally.pending,
            quoted(&name),
            settings.resume_needs()
        ))?;
        return Ok(if tally.rejected > 0 { Exit::Rejects } else { Exit::Done });
    }
    let tally = journal.tally().map_err(|error| error.at(&path))?;
    if undertaking.removes() && tally.pending + tally.in_flight > 0 && manner.asks {
        let plan = format!(
            "{} to delete in {}, {}.\n",
            many(tally.pending + tally.in_flight, "membership"),
            many(tally.spaces - tally.spaces_settled, "space"),
            if settings.is_rehearsal() { "in a rehearsal" } else { settings.target.as_str() }
        );
        let name = quoted(&path.display().to_string());
        progress.finish();
        send::begin_run(&mut journal, &settings, send::RESUME, now).map_err(|error| error.at(&path))?;
        journal.end_run(JOURNALED, None, Timestamp::now()).map_err(|error| error.at(&path))?;
        let kept = format!(
            "Nothing was deleted. The rows are journaled in {name}; delete them with: tenure resume {name}{}",
            settings.resume_needs()
        );
        signals.set_farewell(kept.clone());
        let waiting = signals.leave_if_stuck();
        if !confirm::ask(&plan, "Delete them?")? {
            tell(&format!("{kept}\n"))?;
            return Ok(Exit::Stopped);
        }
        drop(waiting);
        progress = Progress::new(args.send.output.progress);
    }
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

/// `--journal`, else the input's name with `.journal.db` behind it, in the current folder.
fn journal_path(args: &ImportArgs) -> Result<PathBuf, Usage> {
    if let Some(path) = &args.journal {
        return Ok(path.clone());
    }
    match args.input.inputs.as_slice() {
        [input] if input.as_os_str() != "-" => {
            let mut name = input.file_name().unwrap_or(input.as_os_str()).to_owned();
            name.push(".journal.db");
            Ok(PathBuf::from(name))
        }
        [_] => Err(Usage(
            "standard input has no name: say with --journal FILE where to keep the journal".to_owned(),
        )),
        _ => Err(Usage(
            "several inputs share one journal: say with --journal FILE where to keep it".to_owned(),
        )),
    }
}

/// A journal of this input beside the input, when a new one is about to be begun in another folder.
fn journal_elsewhere(args: &ImportArgs, path: &Path) -> Option<PathBuf> {
    let [input] = args.input.inputs.as_slice() else { return None };
    let other = input.with_file_name(path.file_name()?);
    (args.journal.is_none() && !path.exists() && other.exists()).then_some(other)
}

/// What is typed about history, and what a new journal makes of it.
#[derive(Debug, Clone, Copy)]
struct History {
    typed: StintArgs,
    policy: Policy,
}

enum Refused {
    Problems(Box<Intake>),
    History(anyhow::Error),
    Interrupted,
    Journal(JournalError),
    Reading(IntakeError),
}

impl From<JournalError> for Refused {
    fn from(error: JournalError) -> Self {
        Refused::Journal(error)
    }
}

/// Reads all input into the journal, or leaves the journal as it was. A new one appears only when it is whole.
fn read_in(
    path: &Path,
    settings: &Settings,
    inputs: &Inputs,
    history: History,
    progress: &mut Progress,
    signals: &Signals,
    now: Timestamp,
) -> Result<(Journal, Box<Intake>), Refused> {
    if path.exists() {
        let mut journal = Journal::open(path)?;
        journal.set_out_for(settings.destination())?;
        let policy = stints::kept(&journal, history.typed, path).map_err(Refused::History)?;
        let intake = fill(&mut journal, inputs, policy, progress, signals, now)?;
        return Ok((journal, intake));
    }
    new_journal::create(path, settings.destination(), now, |journal| {
        fill(journal, inputs, history.policy, progress, signals, now)
    })
}

fn fill(
    journal: &mut Journal,
    inputs: &Inputs,
    policy: Policy,
    progress: &mut Progress,
    signals: &Signals,
    now: Timestamp,
) -> Result<Box<Intake>, Refused> {
    let mut loader = journal.loader_by(policy, now)?;
    let intake = match inputs::read(&mut loader, inputs, progress, signals) {
        Ok(intake) => Box::new(intake),
        Err(IntakeError::Interrupted) => return Err(Refused::Interrupted),
        Err(IntakeError::Journal(error)) => return Err(error.into()),
        Err(error) => return Err(Refused::Reading(error)),
    };
    if intake.is_refused(inputs.skip_invalid) {
        return Err(Refused::Problems(intake));
    }
    loader.commit()?;
    Ok(intake)
}

fn dry_run(
    path: &Path,
    settings: &Settings,
    inputs: &Inputs,
    history: History,
    mut progress: Progress,
    signals: &Signals,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    let target = settings.target.as_str();
    let mut policy = history.policy;
    let journal = if path.exists() {
        let journal = Journal::open_read_only(path).map_err(|error| error.at(path))?;
        journal.expect_destination(settings.destination()).map_err(|error| error.at(path))?;
        policy = stints::kept(&journal, history.typed, path)?;
        Some(journal)
    } else {
        None
    };
    let mut loader = match &journal {
        Some(journal) => journal.rehearsal_by(policy, now).map_err(|error| error.at(path))?,
        None => Loader::nowhere(settings.destination().operation(), now).by(policy),
    };
    let mut intake = match inputs::read(&mut loader, inputs, &mut progress, signals) {
        Ok(intake) => intake,
        Err(IntakeError::Interrupted) => {
            progress.finish();
            tell(&format!("{}\n", inputs::INTERRUPTED))?;
            return Ok(Exit::Signal(signals.received().unwrap_or(2)));
        }
        Err(error) => return Err(error).context("reading"),
    };
    progress.finish();
    let outlook = loader.outlook();
    inputs::show(&intake.problems);
    let several = || {
        let (members, stints) = journal.as_ref().map_or(Ok((0, 0)), Journal::several_stints)?;
        Ok(outlook.several(members, stints))
    };
    let doubts = match settings.undertaking {
        Undertaking::Import => probed::beforehand(Some(target), policy, &intake, outlook, several)?,
        _ => None,
    };
    let doubts = check::with_doubts(&mut intake, policy, doubts);
    inputs::warn(&intake.warnings);
    if let Some(doubts) = doubts {
        note(&doubts);
    }
    let mut text = check::verdict(&intake, outlook, inputs.skip_invalid);
    if let Some(line) =
        plan::estimate(&outlook.pending, &settings.rates(), &Zoned::now(), settings.undertaking)
    {
        text += &format!("{line}.\n");
    }
    text += "This was a dry run: nothing was written, nothing was sent.\n";
    tell(&text)?;
    Ok(if intake.is_refused(inputs.skip_invalid) {
        Exit::BadInput
    } else if intake.invalid > 0 {
        Exit::Rejects
    } else {
        Exit::Done
    })
}
