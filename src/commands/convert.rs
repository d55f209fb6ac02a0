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
use crate::intake::Reading;
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::signals::Signals;

/// What is said on Ctrl-C.
const INTERRUPTED: &str = "Interrupted; nothing was written. Run the same command again.";
/// The same when the rows go to standard output, where some of them may be already.
const INTERRUPTED_PIPE: &str =
    "Interrupted; no file was written, and standard output may hold a part. Run the same command again.";

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
    // Before an hour of reading, not after it.
    whole::expect_new(files.into_iter().flatten().map(PathBuf::as_path))?;
    let (signals, _stops) = Signals::listen()?;
    let interrupted = if to_stdout { INTERRUPTED_PIPE } else { INTERRUPTED };
    signals.set_farewell(interrupted.to_owned());
    // There is nothing to put in order yet: no file is begun before all is known that goes into it.
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
    if to_stdout {
        let mut out = BufWriter::new(io::stdout().lock());
        match memberships(&mut out).map_err(anyhow::Error::from) {
            Err(error) if is_broken_pipe(&error) => {}
            done => done.context("standard output cannot be written")?,
        }
    } else {
        outputs.push(Output { what: "memberships", path: &args.output, write: &memberships });
    }
    outputs.push(Output { what: "channels", path: &args.channels, write: &channels });
    if let Some(path) = &args.missing {
        outputs.push(Output { what: NO_ADDRESS, path, write: &missing });
    }
    drop(waiting);
    if let Some(signal) = write_all(&outputs, &signals).context("nothing was written")? {
        note(interrupted);
        return Ok(Exit::Signal(signal));
    }
    signals.set_farewell(String::new());
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
                    rows: messages + at.messages,
                    noun: "message",
                    problems: 0,
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

/// A file that comes of a conversion.
struct Output<'a> {
    what: &'static str,
    path: &'a Path,
    write: &'a dyn Fn(&mut dyn Write) -> io::Result<()>,
}

/// Writes all of them, or none: then a signal came, and this is its number.
fn write_all(outputs: &[Output<'_>], signals: &Signals) -> anyhow::Result<Option<u8>> {
    let mut drafts = Vec::new();
    for output in outputs {
        let mut draft = whole::Draft::begin(output.path)?;
        draft.fill(output.write)?;
        drafts.push(draft);
    }
    let signal = signals.received();
    if signal.is_none() {
        whole::place_all(drafts)?;
    }
    Ok(signal)
}
