//! The compliance export as CSV: a row for each post, and rows for who was in the channels of its period.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use super::directory::{Someone, Somewhere, Sort};
use super::period::{Members, Periods, epoch_ms};
use super::{Deed, Stop, Taking};
use crate::convert::fact::Standing;
use crate::input::{ForeignLine, ForeignTable, Problem, ProblemKind};

struct Columns {
    time: Option<usize>,
    team: Option<usize>,
    channel: Option<usize>,
    name: Option<usize>,
    title: Option<usize>,
    sort: Option<usize>,
    user: Option<usize>,
    address: Option<usize>,
    username: Option<usize>,
    post: Option<usize>,
    message: Option<usize>,
    kind: Option<usize>,
    user_type: Option<usize>,
}

/// What was read of a file so far.
struct Sheet<'a> {
    file: &'a Arc<str>,
    columns: Columns,
    periods: &'a Periods,
    members: BTreeMap<u32, Members>,
    /// Channels with posts.
    posted: BTreeSet<u32>,
    /// Channels with rows of members, and who is in these rows.
    entered: BTreeSet<u32>,
    people: BTreeSet<u32>,
    /// The id of the post before.
    post: String,
}

/// Reads one.
pub(super) fn read(
    file: &Arc<str>,
    reader: impl Read,
    head: &[u8],
    periods: &Periods,
    taking: &mut Taking<'_>,
) -> Result<(), Stop> {
    let mut table = ForeignTable::read(file, reader, head).map_err(Stop::Here)?;
    let columns = Columns {
        time: table.column(&["postcreationtime"]),
        team: table.column(&["teamname"]),
        channel: table.column(&["channelid"]),
        name: table.column(&["channelname"]),
        title: table.column(&["channeldisplayname"]),
        sort: table.column(&["channeltype"]),
        user: table.column(&["userid"]),
        address: table.column(&["useremail"]),
        username: table.column(&["username"]),
        post: table.column(&["postid"]),
        message: table.column(&["postmessage"]),
        kind: table.column(&["posttype"]),
        user_type: table.column(&["usertype"]),
    };
    // The writers that have this column give the true time of joins before the period; older ones give its beginning.
    let exact = table.column(&["postupdatetime"]).is_some();
    let mut sheet = Sheet {
        file,
        columns,
        periods,
        members: BTreeMap::new(),
        posted: BTreeSet::new(),
        entered: BTreeSet::new(),
        people: BTreeSet::new(),
        post: String::new(),
    };
    let mut broken = None;
    loop {
        match table.next_line() {
            Ok(None) => break,
            Ok(Some(line)) => {
                taking.count();
                if let Err(problem) = line.and_then(|line| sheet.take(&line, taking)) {
                    taking.problems.push(*problem);
                }
            }
            Err(problem) => {
                broken = Some(problem);
                break;
            }
        }
    }
    if sheet.is_on_one_channel() {
        return Err(Stop::Refused(one_channel(file)));
    }
    for (channel, members) in &sheet.members {
        for (person, time, deed) in members.settle(exact) {
            taking.event(*channel, person, time, deed);
        }
    }
    broken.map_or(Ok(()), |problem| Err(Stop::Here(problem)))
}

impl Sheet<'_> {
    fn take(&mut self, line: &ForeignLine<'_>, taking: &mut Taking<'_>) -> Result<(), Box<Problem>> {
        let columns = &self.columns;
        let wrong = |kind, column: &'static str, text: &str, message: &str| {
            Box::new(Problem::new(self.file, line.number, kind, message).column(column).value(text))
        };
        let text = line.get(columns.time);
        let Some(time) = epoch_ms(text) else {
            let message = "it is no time in milliseconds since 1970; the row is left out";
            return Err(wrong(ProblemKind::BadTime, "Post Creation Time", text, message));
        };
        let id = line.get(columns.channel);
        let said = Somewhere {
            id,
            team: line.get(columns.team),
            name: line.get(columns.name),
            title: line.get(columns.title),
            sort: Sort::of(line.get(columns.sort)),
            ..Somewhere::default()
        };
        let channel = taking.directory.channel(&said).filter(|_| !id.is_empty());
        let Some(channel) = channel else {
            let message = "it is empty; the row is left out";
            return Err(wrong(ProblemKind::MissingValue, "Channel Id", "", message));
        };
        let person = taking.directory.person(&Someone {
            id: line.get(columns.user),
            username: line.get(columns.username),
            address: line.get(columns.address),
            standing: (line.get(columns.user_type) == "bot").then_some(Standing::Bot),
            ..Someone::default()
        });
        let Some(person) = person else {
            taking.ignore("messages without an author");
            return Ok(());
        };
        let kind = line.get(columns.kind);
        let period = self.periods.of(id);
        let members = self.members.entry(channel).or_insert_with(|| Members { period, ..Members::default() });
        match kind {
            "enter" | "previously-joined" | "leave" => {
                let list = match kind {
                    "enter" => &mut members.entered,
                    "leave" => &mut members.left,
                    _ => &mut members.before,
                };
                list.push((person, time));
                self.entered.insert(channel);
                self.people.insert(person);
                return Ok(());
            }
            "attachment" | "deleted attachment" => {
                taking.ignore("attachments");
                return Ok(());
            }
            _ => {}
        }
        self.posted.insert(channel);
        let says_left = matches!(kind, "system_leave_channel" | "system_remove_from_channel");
        members.post(time, says_left);
        let post = line.get(columns.post);
        // Of a post that was deleted, older writers give a second row with the time of its deletion.
        let deleted =
            !post.is_empty() && post == self.post && line.get(columns.message).starts_with("delete ");
        post.clone_into(&mut self.post);
        match kind {
            _ if deleted => taking.ignore("deletions of messages"),
            "message" | "" | "me" => {
                members.authors.insert(person);
                taking.event(channel, person, time, Deed::Wrote);
            }
            kind if kind.starts_with("system_") => {
                taking.ignore("notices, whose joins and leaves have rows of their own");
            }
            _ => taking.ignore("messages of apps"),
        }
        Ok(())
    }

    /// Old writers have put all members of all channels on one id.
    fn is_on_one_channel(&self) -> bool {
        self.entered.len() == 1 && self.people.len() > 1 && self.posted.len() > 1
    }
}

fn one_channel(file: &Arc<str>) -> Box<Problem> {
    let message = "it puts the members of all its channels into a single one, a fault of the servers of its time: what it \
                   says of joins and leaves is not true";
    let help = "leave it out; export the period again with a newer server, or take the table ChannelMemberHistory \
                (docs/converting.md)";
    Box::new(Problem::new(file, 0, ProblemKind::Contradiction, message).help(help))
}
