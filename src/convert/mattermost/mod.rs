//! Mattermost's exports: the bulk export, the table ChannelMemberHistory as CSV, and the compliance export as CSV and as
//! Actiance XML. Which of them a file is, its content tells.
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod actiance;
mod bulk;
mod compliance;
mod directory;
mod history;
mod kind;
mod lines;
mod notices;
mod period;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use self::directory::Directory;
use self::kind::{HEAD_BYTES, Kind, is_candidate};
use self::period::Periods;
use super::Seen;
use super::export::Export;
use super::fact::{Fact, What};
use super::flaw::unreadable;
use super::gather::Gathered;
use crate::input::{Problem, ProblemKind, Problems};
use crate::model::Timestamp;

/// How Mattermost's exports are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take direct messages between two people, too.
    pub dms: bool,
}

/// Bytes between two calls that tell how far it is.
const BYTES_BETWEEN: u64 = 1024 * 1024;

/// Reads exports of one server, one after the other: what one of them says of ids and names holds for the later ones.
#[derive(Debug)]
pub struct Reader {
    directory: Directory,
}

/// Where the formats put what they find.
struct Taking<'a> {
    gathered: &'a mut Gathered,
    directory: &'a mut Directory,
    problems: &'a mut Problems,
    /// Messages and rows so far.
    messages: &'a Cell<u64>,
    /// Who is a member of which channel now, as this export has it.
    rosters: &'a mut HashMap<u32, BTreeSet<u32>>,
}

/// What somebody did in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Joined,
    Left,
    Wrote,
    /// Was a member then.
    Listed,
}

impl Reader {
    /// Before the first export.
    pub fn new(reading: Reading) -> Self {
        Reader { directory: Directory::new(reading.dms) }
    }

    /// Reads an export into what was gathered. What is wrong with a line or a file is a problem, and the rest goes on.
    ///
    /// # Errors
    /// When it is no export of Mattermost, or one that would say what is not true.
    pub fn read(
        &mut self,
        export: &mut Export,
        gathered: &mut Gathered,
        watch: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Problems, Problems> {
        gathered.next_export();
        let mut problems = export.problems();
        let found = find(export, &mut problems);
        if found.is_empty() {
            problems.push(nothing_found(export).fatal());
            return Err(problems);
        }
        let messages = Cell::new(0);
        let mut rosters = HashMap::new();
        let mut refused = false;
        for Found { kind, path, head } in found {
            let file = export.file_name(&path);
            let periods = match kind {
                Kind::Compliance => Periods::beside(export, &path).unwrap_or_else(|problem| {
                    problems.push(*problem);
                    Periods::default()
                }),
                Kind::History | Kind::Actiance | Kind::Bulk => Periods::default(),
            };
            let bytes = export.bytes_read();
            let (name, bytes_total) = (Arc::clone(export.name()), export.bytes_total());
            let mut taking = Taking {
                gathered: &mut *gathered,
                directory: &mut self.directory,
                problems: &mut problems,
                messages: &messages,
                rosters: &mut rosters,
            };
            let done = export.read(&path, |reader| {
                let mut told = 0;
                let mut reader = Watched {
                    inner: reader,
                    bytes: 0,
                    watch: |read| {
                        if read >= told + BYTES_BETWEEN {
                            told = read;
                            let bytes = (bytes + read).min(bytes_total);
                            watch(Seen { export: &name, bytes, bytes_total, messages: messages.get() });
                        }
                    },
                };
                match kind {
                    Kind::History => history::read(&file, &mut reader, &head, &mut taking),
                    Kind::Compliance => compliance::read(&file, &mut reader, &head, &periods, &mut taking),
                    Kind::Actiance => actiance::read(&file, &mut reader, &mut taking),
                    Kind::Bulk => bulk::read(&file, &mut reader, &mut taking),
                }
            });
            match done.unwrap_or_else(|error| Err(Stop::Here(unreadable(&file, &error).into()))) {
                Ok(()) => {}
                Err(Stop::Here(problem)) => problems.push(Problem { fatal: false, ..*problem }),
                Err(Stop::Refused(problem)) => {
                    refused = true;
                    problems.push(problem.fatal());
                }
            }
            watch(Seen { export: &name, bytes: export.bytes_read(), bytes_total, messages: messages.get() });
        }
        self.directory.tell(&rosters, gathered);
        if refused { Err(problems) } else { Ok(problems) }
    }
}

/// Why a file was not read to its end.
enum Stop {
    /// It is broken there; what was read of it counts.
    Here(Box<Problem>),
    /// What it says is not true.
    Refused(Box<Problem>),
}

impl Taking<'_> {
    /// Somebody did something in a channel, unless it is one that is left out.
    fn event(&mut self, channel: u32, person: u32, time: Timestamp, deed: Deed) {
        if self.directory.left_out(channel).is_some() {
            return;
        }
        self.directory.lives(channel);
        let who = self.directory.person_key(person);
        let what = match deed {
            Deed::Joined => What::Joined(who),
            Deed::Left => What::Left(who),
            Deed::Wrote => What::Present(who),
            Deed::Listed => What::Listed(who),
        };
        self.gathered.take(Fact::Event { channel: self.directory.channel_key(channel), time, what });
    }

    fn ignore(&mut self, why: &'static str) {
        self.gathered.take(Fact::Ignored(why));
    }

    /// One more message or row was read.
    fn count(&self) {
        self.messages.set(self.messages.get() + 1);
    }
}

/// A file that is part of an export.
struct Found {
    kind: Kind,
    path: String,
    /// Its beginning.
    head: Vec<u8>,
}

/// The files that are in one of the formats, in the order in which they are to be read.
fn find(export: &mut Export, problems: &mut Problems) -> Vec<Found> {
    let alone = export.paths().count() == 1;
    let paths: Vec<String> =
        export.paths().filter(|path| alone || is_candidate(path)).map(str::to_owned).collect();
    let mut found = Vec::new();
    for path in paths {
        let mut head = Vec::new();
        let read = export.read(&path, |reader| reader.take(HEAD_BYTES as u64).read_to_end(&mut head));
        if let Err(error) = read.and_then(|read| read) {
            problems.push(unreadable(&export.file_name(&path), &error));
        }
        if let Some(kind) = Kind::of(&head) {
            // Its first line is enough, and there may be thousands of files.
            head.truncate(head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len()));
            found.push(Found { kind, path, head });
        }
    }
    found.sort_unstable_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.path.cmp(&b.path)));
    found
}

fn nothing_found(export: &Export) -> Problem {
    let has = |end: &str| export.paths().any(|path| path.to_ascii_lowercase().ends_with(end));
    let (message, help) = if has(".eml") {
        (
            "it is a compliance export in the format of Global Relay, which is not read",
            "export once more as CSV or as Actiance XML",
        )
    } else if has(".zip") {
        (
            "there are only archives in it, and archives within an export are not opened",
            "name them one by one, the oldest first: tenure convert mattermost FOLDER/*.zip",
        )
    } else {
        (
            "none of Mattermost's formats is in it: no bulk export (JSON lines), no table ChannelMemberHistory as CSV, no \
             compliance export as CSV or Actiance XML",
            "docs/converting.md says how to make each of them",
        )
    };
    Problem::new(export.name(), 0, ProblemKind::MissingFile, message).help(help)
}

/// Tells how many bytes were read.
struct Watched<R, W> {
    inner: R,
    bytes: u64,
    watch: W,
}

impl<R: Read, W: FnMut(u64)> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        (self.watch)(self.bytes);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
