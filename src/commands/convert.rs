//! `tenure convert`: a legacy system's export into input for the rest.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;

use super::rejects::{create, is_broken_pipe};
use super::{Usage, inputs, note, print, tell};
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
    // Before an hour of reading, not after it.
    let files = [Some(&args.output).filter(|_| !to_stdout), Some(&args.channels), args.missing.as_ref()];
    for file in files.into_iter().flatten() {
        if file.symlink_metadata().is_ok() {
            anyhow::bail!("{} is there already; name another file, or remove it first", file.display());
        }
    }
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
    let mut written = vec![("memberships", args.output.display().to_string())];
    if to_stdout {
        let mut out = BufWriter::new(std::io::stdout().lock());
        match write_memberships(&mut out, &converted, &gathered).map_err(anyhow::Error::from) {
            Err(error) if is_broken_pipe(&error) => {}
            done => done.context("standard output cannot be written")?,
        }
    } else {
        to_file(&args.output, |out| write_memberships(out, &converted, &gathered))?;
    }
    to_file(&args.channels, |out| write_channels(out, &converted))?;
    written.push(("channels", args.channels.display().to_string()));
    if let Some(file) = &args.missing {
        to_file(file, |out| write_missing(out, &converted))?;
        written.push((NO_ADDRESS, file.display().to_string()));
    }
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

fn to_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(create(path)?);
    write(&mut out).and_then(|()| out.flush()).with_context(|| format!("{}", path.display()))
}
