//! `tenure spaces`: the beginning of a migration.

use std::path::{Path, PathBuf};

use comfy_table::{Table, presets};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use serde_json::json;

use super::connect::Connection;
use super::spaces_map::SpacesMap;
use super::{Usage, confirm, inputs, neighbours, new_journal, note, print, send, tell, watched};
use crate::chat::{Access, Call};
use crate::cli::{NameClash, SpacesCommand, SpacesCompleteArgs, SpacesCreateArgs, SpacesListArgs};
use crate::exit::Exit;
use crate::input::{Problems, quote_again, read_channels};
use crate::journal::{Journal, JournalError, Lock, SpaceAge};
use crate::model::{Channel, SpaceName, Timestamp, Undertaking};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::wording::{many, quoted};

pub(super) async fn run(command: SpacesCommand) -> anyhow::Result<Exit> {
    match command {
        SpacesCommand::Create(args) => create(args).await,
        SpacesCommand::List(args) => list(&args),
        SpacesCommand::Complete(args) => complete(args).await,
    }
}

async fn create(args: SpacesCreateArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let mut settings =
        Settings { undertaking: Undertaking::Spaces, ..Settings::default() }.with(&args.send)?;
    settings.suffixes = args.on_name_clash == NameClash::Suffix;
    if settings.access != Access::Import {
        return Err(Usage(
            "spaces are created in import mode: leave --standard-spaces and the like away".to_owned(),
        )
        .into());
    }
    let (path, map) = places(&args)?;
    let files = match read(&args.inputs, now) {
        Ok(files) => files,
        Err(problems) => {
            inputs::show(&problems);
            tell(&format!("{}; nothing was created.\n", inputs::count(&problems)))?;
            return Ok(Exit::BadInput);
        }
    };
    let total: usize = files.iter().map(|(_, channels)| channels.len()).sum();
    if let Some(said) = without_time(&files) {
        note(&said);
    }
    if args.dry_run {
        tell(&format!(
            "{} in order. This was a dry run: nothing was written, nothing was created.\n",
            many(total as u64, "channel")
        ))?;
        return Ok(Exit::Done);
    }
    if !settings.is_rehearsal()
        && let Some(ended) = send::expect_credentials(&settings, &path).await?
    {
        return Ok(ended);
    }
    let earlier = SpacesMap::read(&map)?;
    if !path.exists() {
        let names =
            files.iter().flat_map(|(_, channels)| channels.iter().map(|(_, channel)| channel.name.as_str()));
        earlier.expect_new(&map, names)?;
    }
    let channels = args.inputs.iter().map(|path| ("a list of channels", path.as_path()));
    let needed: Vec<_> = channels.chain([("the map of spaces", map.as_path())]).collect();
    let watch = watched::open(&args.send.watch, &path, &needed)?;
    let at = |error: JournalError| error.at(&path);
    let mut lock = Lock::take(&path).map_err(at)?;
    let mut journal = if path.exists() {
        let mut journal = Journal::open(&path).map_err(at)?;
        journal.set_out_for(settings.destination()).map_err(at)?;
        journal
    } else {
        new_journal::create(&path, settings.destination(), now, |_| Ok::<_, JournalError>(())).map_err(at)?.0
    };
    lock.hold(&path).map_err(at)?;
    let mut random = StdRng::try_from_rng(&mut SysRng)?;
    for (source, channels) in &files {
        let request_id = || format!("{:032x}", random.random::<u128>());
        if let Err(changed) = journal.add_channels(source, channels, request_id).map_err(at)? {
            for channel in &changed {
                note(&format!(
                    "{source}:{}: the channel {:?} says something else than before, and its space was asked for already: \
                     leave the line as it was; for another space, whose createTime cannot be changed later, give the line \
                     another name and displayName",
                    channel.line, channel.name
                ));
            }
            tell("Nothing was created.\n")?;
            return Ok(Exit::BadInput);
        }
    }
    let (signals, stops) = Signals::listen()?;
    let progress = Progress::new(args.send.output.progress);
    let ended = send::send(send::Sending {
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
    .await?;
    let made = Journal::open_read_only(&path).and_then(|journal| journal.made_spaces()).map_err(at)?;
    if !made.is_empty() {
        // What was added while the run was going on stays, too.
        let other = SpacesMap::read(&map)?.write(&map, &made)?;
        let name = quoted(&map.display().to_string());
        if let Some(first) = other.first() {
            note(&format!(
                "{name} names other spaces for {} than were made for them, first {first:?}; these lines were left as they \
                 were: `tenure spaces list` shows what was made",
                many(other.len() as u64, "channel")
            ));
        }
        tell(&format!("map       {name}   {}\n", many(made.len() as u64, "space")))?;
        if ended == Exit::Done {
            tell(&format!("next      tenure check MEMBERSHIPS --spaces {name}\n"))?;
        }
    }
    Ok(ended)
}

/// What Chat does with channels of which the list does not say since when they are there.
fn without_time(files: &[(String, Vec<(u64, Channel)>)]) -> Option<String> {
    let all = files.iter().flat_map(|(source, channels)| channels.iter().map(move |line| (source, line)));
    let timeless: Vec<_> = all.filter(|(_, (_, channel))| channel.create_time.is_none()).collect();
    let (source, (line, channel)) = timeless.first()?;
    Some(format!(
        "{} without a createTime, first {source}:{line}, {:?}: such a space begins today, Chat takes no history from before \
         that, and it cannot be changed later",
        many(timeless.len() as u64, "channel"),
        channel.name
    ))
}

/// Where the journal is, and the map.
fn places(args: &SpacesCreateArgs) -> Result<(PathBuf, PathBuf), Usage> {
    let only = match args.inputs.as_slice() {
        [input] if input.as_os_str() != "-" => Some(input),
        _ => None,
    };
    let named = |given: &Option<PathBuf>, option: &str, name: &dyn Fn(&Path) -> String| match (given, only) {
        (Some(path), _) => Ok(path.clone()),
        (None, Some(input)) => Ok(PathBuf::from(name(input))),
        (None, None) => {
            Err(Usage(format!("several inputs share one: say with {option} FILE where to keep it")))
        }
    };
    let base = |input: &Path| input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let journal = named(&args.journal, "--journal", &|input| format!("{}.journal.db", base(input)))?;
    let map = named(&args.map, "--map", &|input| {
        let name = base(input);
        let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        format!("{stem}.spaces.csv")
    })?;
    Ok((journal, map))
}

type Files = Vec<(String, Vec<(u64, Channel)>)>;

fn read(paths: &[PathBuf], now: Timestamp) -> Result<Files, Problems> {
    let mut problems = Problems::new();
    let mut files = Vec::new();
    for path in paths {
        match read_channels(path, now) {
            Ok(channels) => files.push((path.display().to_string(), channels)),
            Err(mut found) => {
                quote_again(&mut found, path, None);
                problems.absorb(found);
            }
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

fn list(args: &SpacesListArgs) -> anyhow::Result<Exit> {
    let path = &args.journal;
    let at = |error: JournalError| error.at(path);
    let journal = Journal::open_read_only(path).map_err(at)?;
    let mut ages = journal.space_ages().map_err(at)?;
    if journal.undertaking().map_err(at)? == Undertaking::Spaces {
        // Whoever completes a space has another journal than whoever makes it.
        let completed = neighbours::completed(path, &journal.target().map_err(at)?);
        for age in &mut ages {
            age.completed = completed.contains(age.space.as_str());
        }
    }
    let now = Timestamp::now();
    if args.json {
        let lines: String = ages
            .iter()
            .map(|age| {
                let line = json!({
                    "name": age.name, "space": age.space.as_str(),
                    "createTime": age.create_time.map(|time| time.to_string()),
                    "importModeExpireTime": age.expire_time.map(|time| time.to_string()),
                    "completed": age.completed, "daysLeft": age.days_left(now),
                });
                format!("{line}\n")
            })
            .collect();
        print(&lines)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["space", "name", "import mode"]);
    for age in &ages {
        table.add_row([age.space.to_string(), age.name.clone().unwrap_or_default(), left(age, now)]);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    let lines: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    tell(&lines)?;
    Ok(Exit::Done)
}

/// How long a space has.
fn left(age: &SpaceAge, now: Timestamp) -> String {
    match (age.completed, age.days_left(now)) {
        (true, _) => "completed".to_owned(),
        (false, None) => "not known until when".to_owned(),
        (false, Some(days)) if days < 0 => "expired: Chat has deleted it".to_owned(),
        (false, Some(days)) if days < super::spaces_age::WARN_DAYS => {
            format!("{days} days left: complete it soon")
        }
        (false, Some(days)) => format!("{days} days left"),
    }
}

async fn complete(args: SpacesCompleteArgs) -> anyhow::Result<Exit> {
    let settings = Settings::default().connected(&args.connection)?;
    let spaces = args
        .spaces
        .iter()
        .map(|name| SpaceName::parse(name).map_err(|error| Usage(format!("{name:?}: {error}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let plan = format!("{} to complete: {}.", many(spaces.len() as u64, "space"), args.spaces.join(", "));
    if !args.yes && !confirm::ask(&plan, "Complete them? That cannot be undone.")? {
        tell("Nothing was done.\n")?;
        return Ok(Exit::Stopped);
    }
    let connection = Connection::open(&settings).await?;
    for space in spaces {
        connection
            .caller
            .call(Call::CompleteImport(space.clone()))
            .await
            .map_err(|failure| connection.explain(&format!("{space} was not completed"), &failure))?;
        tell(&format!("completed {space}\n"))?;
    }
    Ok(Exit::Done)
}
