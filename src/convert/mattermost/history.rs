//! The table ChannelMemberHistory as CSV: every stint of every member, to the millisecond. What it is joined with (names,
//! addresses, ends of accounts and of channels) may stand beside it, as the query in `docs/converting.md` has it.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use super::directory::{Someone, Somewhere, Sort};
use super::period::epoch_ms;
use super::{Deed, Stop, Taking};
use crate::convert::fact::Standing;
use crate::input::{ForeignLine, ForeignTable, Problem, ProblemKind};
use crate::model::Timestamp;

/// Where the columns are; their names without anything but small letters.
struct Columns {
    channel: Option<usize>,
    user: Option<usize>,
    joined: Option<usize>,
    left: Option<usize>,
    team: Option<usize>,
    name: Option<usize>,
    title: Option<usize>,
    about: Option<usize>,
    sort: Option<usize>,
    created: Option<usize>,
    archived: Option<usize>,
    creator: Option<usize>,
    username: Option<usize>,
    address: Option<usize>,
    gone: Option<usize>,
    roles: Option<usize>,
    bot: Option<usize>,
}

impl Columns {
    fn of<R: Read>(table: &ForeignTable<R>) -> Self {
        Columns {
            channel: table.column(&["channelid"]),
            user: table.column(&["userid"]),
            joined: table.column(&["jointime"]),
            left: table.column(&["leavetime"]),
            team: table.column(&["teamname"]),
            name: table.column(&["channelname"]),
            title: table.column(&["channeldisplayname"]),
            about: table.column(&["channelpurpose"]),
            sort: table.column(&["channeltype"]),
            created: table.column(&["channelcreateat"]),
            archived: table.column(&["channeldeleteat"]),
            creator: table.column(&["channelcreatorid"]),
            username: table.column(&["username"]),
            address: table.column(&["useremail", "email"]),
            gone: table.column(&["userdeleteat"]),
            roles: table.column(&["userroles"]),
            bot: table.column(&["isbot"]),
        }
    }

    fn someone<'a>(&self, line: &ForeignLine<'a>) -> Someone<'a> {
        let standing = match line.get(self.bot) {
            "t" | "true" | "TRUE" | "1" => Some(Standing::Bot),
            _ if self.roles.is_some() => Some(standing_of(line.get(self.roles))),
            _ => None,
        };
        Someone {
            id: line.get(self.user),
            username: line.get(self.username),
            address: line.get(self.address),
            name: "",
            standing,
            gone: self.gone.map(|_| epoch_ms(line.get(self.gone))),
        }
    }

    fn somewhere<'a>(&self, line: &ForeignLine<'a>) -> Somewhere<'a> {
        Somewhere {
            id: line.get(self.channel),
            team: line.get(self.team),
            name: line.get(self.name),
            title: line.get(self.title),
            about: line.get(self.about),
            sort: Sort::of(line.get(self.sort)),
            created: epoch_ms(line.get(self.created)),
            archived: self.archived.map(|_| epoch_ms(line.get(self.archived))),
            creator: None,
        }
    }
}

/// What an account's roles make of somebody.
pub(super) fn standing_of(roles: &str) -> Standing {
    if roles.split_whitespace().any(|role| role == "system_guest") {
        Standing::Guest
    } else {
        Standing::Member
    }
}

/// Whether a cell holds what databases write for nothing.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "NULL" | "null" | "\\N" | "0")
}

/// Reads the table.
pub(super) fn read(
    file: &Arc<str>,
    reader: impl Read,
    head: &[u8],
    taking: &mut Taking<'_>,
) -> Result<(), Stop> {
    let mut table = ForeignTable::read(file, reader, head).map_err(Stop::Here)?;
    let columns = Columns::of(&table);
    let mut channels = BTreeSet::new();
    while let Some(line) = table.next_line().map_err(Stop::Here)? {
        taking.count();
        match line.and_then(|line| take(file, &columns, &line, taking)) {
            Ok(channel) => channels.extend(channel),
            Err(problem) => taking.problems.push(*problem),
        }
    }
    let nameless = taking.directory.nameless_channels(&channels);
    if nameless > 0 {
        let message =
            format!("{nameless} of its channels are known by their ids alone, and named after them");
        let help = "take the table together with the names, as the query in docs/converting.md does";
        taking.problems.push(Problem::new(file, 0, ProblemKind::MissingColumn, message).help(help));
    }
    Ok(())
}

/// Takes a line; its channel, unless that is left out.
fn take(
    file: &Arc<str>,
    columns: &Columns,
    line: &ForeignLine<'_>,
    taking: &mut Taking<'_>,
) -> Result<Option<u32>, Box<Problem>> {
    let wrong = |kind, column: &'static str, text: &str, message: &str| {
        Box::new(Problem::new(file, line.number, kind, message).column(column).value(text))
    };
    let time = |place, column| -> Result<Timestamp, Box<Problem>> {
        let text = line.get(place);
        epoch_ms(text).ok_or_else(|| {
            wrong(
                ProblemKind::BadTime,
                column,
                text,
                "it is no time in milliseconds since 1970; the row is left out",
            )
        })
    };
    let joined = time(columns.joined, "JoinTime")?;
    let left = match line.get(columns.left) {
        text if is_null(text) => None,
        _ => Some(time(columns.left, "LeaveTime")?),
    };
    if let Some(left) = left
        && left < joined
    {
        let message = "it is before the row's JoinTime; the row is left out";
        return Err(wrong(ProblemKind::TimesReversed, "LeaveTime", line.get(columns.left), message));
    }
    let missing = |column| wrong(ProblemKind::MissingValue, column, "", "it is empty; the row is left out");
    let said = columns.someone(line);
    let person =
        taking.directory.person(&said).filter(|_| !said.id.is_empty()).ok_or_else(|| missing("UserId"))?;
    let mut said = columns.somewhere(line);
    let creator = Someone { id: line.get(columns.creator), ..Someone::default() };
    said.creator = taking.directory.person(&creator);
    let channel = taking
        .directory
        .channel(&said)
        .filter(|_| !said.id.is_empty())
        .ok_or_else(|| missing("ChannelId"))?;
    taking.event(channel, person, joined, Deed::Joined);
    // The table is the whole of it: whoever has no open row is no member.
    let roster = taking.rosters.entry(channel).or_default();
    match left {
        Some(left) => taking.event(channel, person, left, Deed::Left),
        None => {
            roster.insert(person);
        }
    }
    Ok(Some(channel).filter(|channel| taking.directory.left_out(*channel).is_none()))
}
