//! `tenure convert`: a legacy system's export into input for the rest.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::rejects::is_broken_pipe;
use super::{Usage, inputs, note, print, tell, whole};
use crate::cli::{
    ConvertArgs, ConvertCommand, ConvertMatrixArgs, ConvertMattermostArgs, ConvertRocketchatArgs,
    ConvertSlackArgs, ConvertTeamsArgs, ConvertZulipArgs,
};
use crate::convert::{
    Choices, Export, Gathered, NO_ADDRESS, People, Report, Seen, convert, matrix, mattermost, rocketchat,
    slack, teams, write_channels, write_memberships, write_missing, zulip,
};
use crate::exit::Exit;
use crate::input::{Problems, UserMap};
use crate::intake::{Counted, Reading};
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::signals::{Parting, Signals};

/// What whoever has to leave says once all files are there.
const CUT_SHORT: &str = "Interrupted; all files are written, only the report is cut short.";

/// What is said on Ctrl-C: what is not there, for which files. Standard output may hold some of the rows already.
fn interrupted(files: &[&Path], to_stdout: bool) -> String {
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let (what, rows) = if to_stdout {
        ("no file was written, and standard output may hold a part", "all rows, and ")
    } else {
        ("nothing was written", "")
    };
    format!("Interrupted; {what}. Run the same command again for {rows}{}.", names.join(", "))
}

pub(super) fn run(command: &ConvertCommand) -> anyhow::Result<Exit> {
    match command {
        ConvertCommand::Slack(ConvertSlackArgs { convert, dms }) => {
            let reading = slack::Reading { dms: *dms };
            one("slack", convert, |export, gathered, watch| slack::read(export, reading, gathered, watch))
        }
        ConvertCommand::Mattermost(ConvertMattermostArgs { convert, dms }) => {
            let mut reader = mattermost::Reader::new(mattermost::Reading { dms: *dms });
            one("mattermost", convert, |export, gathered, watch| reader.read(export, gathered, watch))
        }
        ConvertCommand::Teams(ConvertTeamsArgs { convert, dms, meetings }) => {
            let reading = teams::Reading { dms: *dms, meetings: *meetings };
            one("teams", convert, |export, gathered, watch| teams::read(export, reading, gathered, watch))
        }
        ConvertCommand::Zulip(ConvertZulipArgs { convert, dms }) => {
            let reading = zulip::Reading { dms: *dms };
            one("zulip", convert, |export, gathered, watch| zulip::read(export, reading, gathered, watch))
        }
        ConvertCommand::Matrix(ConvertMatrixArgs { convert, dms }) => {
            let homes = convert.domain.iter().map(|rule| rule.old.clone()).collect();
            let reading = matrix::Reading { dms: *dms, homes };
            let rooms = RefCell::new(matrix::Rooms::new(Timestamp::now()));
            let to_read = Cell::new(convert.exports.len());
            one("matrix", convert, |export, gathered, watch| {
                let mut rooms = rooms.borrow_mut();
                let problems = matrix::read(export, &mut rooms, watch)?;
                to_read.set(to_read.get() - 1);
                if to_read.get() == 0 {
                    rooms.tell(&reading, gathered);
                }
                Ok(problems)
            })
        }
        ConvertCommand::Rocketchat(ConvertRocketchatArgs { convert, dms }) => {
            let reading = rocketchat::Reading { dms: *dms };
            one("rocketchat", convert, |export, gathered, watch| {
                rocketchat::read(export, reading, gathered, watch)
            })
        }
    }
}

/// Reads one export: what is wrong with some of its files, or with all of it.
type Read<'a> =
    dyn FnMut(&mut Export, &mut Gathered, &mut dyn FnMut(Seen<'_>)) -> Result<Problems, Problems> + 'a;

fn one(
    system: &'static str,
    args: &ConvertArgs,
    mut read: impl FnMut(&mut Export, &mut Gathered, &mut dyn FnMut(Seen<'_>)) -> Result<Problems, Problems>,
) -> anyhow::Result<Exit> {
    let to_stdout = args.output.as_os_str() == "-";
    if to_stdout && args.json {
        return Err(Usage(
            "the memberships and the report cannot both go to standard output: give -o FILE".to_owned(),
        )
        .into());
    }
    let files = [Some(&args.output).filter(|_| !to_stdout), Some(&args.channels), args.missing.as_ref()];
    let files: Vec<&Path> = files.into_iter().flatten().map(PathBuf::as_path).collect();
    let (signals, _stops) = Signals::listen()?;
    let interrupted = interrupted(&files, to_stdout);
    signals.set_farewell(interrupted.clone());
    // Before an hour of reading, not after it.
    whole::expect_new(files.into_iter(), signals.parting())?;
    // Whatever was begun goes with whoever leaves.
    let waiting = signals.leave_if_stuck();
    let now = Timestamp::now();
    let mut gathered = Gathered::new(now);
    let (people, problems) = match everything(args, &mut gathered, &mut read) {
        Ok(both) => both,
        Err(problems) => {
            inputs::show(&problems);
            note("Nothing was written.");
            return Ok(Exit::BadInput);
        }
    };
    let choices = Choices {
        only_recorded: args.only_recorded,
        start: args.inferred_start.into(),
        end: args.inferred_end.into(),
    };
    let converted = convert(&gathered, &people, &choices, now);
    let memberships = |out: &mut dyn Write| write_memberships(out, &converted, &gathered);
    let channels = |out: &mut dyn Write| write_channels(out, &converted);
    let missing = |out: &mut dyn Write| write_missing(out, &converted);
    let mut outputs: Vec<Output<'_>> = Vec::new();
    if !to_stdout {
        outputs.push(Output { what: "memberships", path: &args.output, write: &memberships });
    }
    outputs.push(Output { what: "channels", path: &args.channels, write: &channels });
    if let Some(path) = &args.missing {
        outputs.push(Output { what: NO_ADDRESS, path, write: &missing });
    }
    let is_stopped = || signals.received().is_some();
    let drafts = write_all(&outputs, to_stdout.then_some(&memberships), signals.parting(), &is_stopped);
    // From here on it is a matter of a moment.
    drop(waiting);
    if let Some(signal) = signals.received() {
        note(&interrupted);
        return Ok(Exit::Signal(signal));
    }
    drafts
        .and_then(|drafts| whole::place_all(drafts, signals.parting(), CUT_SHORT.to_owned()))
        .context("nothing was written")?;
    let of_stdout = to_stdout.then(|| ("memberships", "-".to_owned()));
    let of_files = outputs.iter().map(|output| (output.what, output.path.display().to_string()));
    let written = of_stdout.into_iter().chain(of_files).collect();
    inputs::show(&problems);
    let report =
        Report { system, gathered: &gathered, converted: &converted, problems: problems.total(), written };
    if args.json {
        print(&format!("{:#}\n", report.json()))?;
    } else if to_stdout {
        note(report.text().trim_end());
    } else {
        tell(&report.text())?;
    }
    Ok(if report.is_partial() { Exit::Rejects } else { Exit::Done })
}

/// Reads the maps and all exports.
fn everything(
    args: &ConvertArgs,
    gathered: &mut Gathered,
    read: &mut Read<'_>,
) -> Result<(People, Problems), Problems> {
    let users = args.users.as_deref().map(UserMap::open).transpose()?;
    let mut progress = Progress::new(args.shown.progress);
    let mut problems = Problems::new();
    let mut messages = 0;
    let mut result = Ok(());
    for path in &args.exports {
        let mut seen = 0;
        let outcome = Export::open(path).and_then(|mut export| {
            read(&mut export, gathered, &mut |at| {
                seen = at.messages;
                progress.reading(&Reading {
                    file: at.export,
                    bytes: at.bytes,
                    bytes_total: Some(at.bytes_total),
                    counted: Counted::Messages(messages + at.messages),
                });
            })
        });
        messages += seen;
        match outcome {
            Ok(found) => problems.absorb(found),
            Err(found) => {
                problems.absorb(found);
                result = Err(());
                break;
            }
        }
    }
    progress.finish();
    match result {
        Ok(()) => Ok((People { users, domains: args.domain.clone(), bots: args.bots }, problems)),
        Err(()) => Err(problems),
    }
}

/// Writes all of a list.
type Fill<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + 'a;

/// A file that comes of a conversion.
struct Output<'a> {
    what: &'static str,
    path: &'a Path,
    write: &'a Fill<'a>,
}

/// Writes all of them, and then what goes to standard output; nothing is in its place yet.
///
/// # Errors
/// When something cannot be written, or somebody has asked to stop.
fn write_all(
    outputs: &[Output<'_>],
    to_stdout: Option<&Fill<'_>>,
    parting: &Parting,
    is_stopped: &dyn Fn() -> bool,
) -> anyhow::Result<Vec<whole::Draft>> {
    let mut drafts = Vec::new();
    for output in outputs {
        let mut draft = whole::Draft::begin(output.path, parting)?;
        draft.fill(is_stopped, output.write)?;
        drafts.push(draft);
    }
    if let Some(write) = to_stdout {
        let mut out = BufWriter::new(whole::Heeding { out: io::stdout().lock(), is_stopped });
        match write(&mut out).map_err(anyhow::Error::from) {
            Err(error) if is_broken_pipe(&error) => {}
            done => done.context("standard output cannot be written")?,
        }
    }
    Ok(drafts)
}
