//! One row: from its raw texts to a tenure, or to all that is wrong with it. Pure.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::model::{
    EARLIEST, MemberName, NameError, Role, SpaceName, Tenure, TimeError, Timestamp, is_unseen,
};

use super::columns::Key;
use super::maps::{SpaceMap, UserMap};
use super::names::Naming;
use super::problem::{ProblemKind, printable};
use super::suggest::{calendar_of, date_of, is_near, plain, unit_of};

/// How times are written (`--time-format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// RFC 3339, e.g. `2021-03-05T09:30:00Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, with or without a fraction.
    EpochS,
    /// Milliseconds since 1970, with or without a fraction.
    EpochMs,
}

impl TimeFormat {
    /// The name that `--time-format` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            TimeFormat::Rfc3339 => "rfc3339",
            TimeFormat::EpochS => "epoch-s",
            TimeFormat::EpochMs => "epoch-ms",
        }
    }
}

impl FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [TimeFormat::Rfc3339, TimeFormat::EpochS, TimeFormat::EpochMs];
        let found = all.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| "it is neither rfc3339, epoch-s nor epoch-ms".to_owned())
    }
}

/// Reads the times of an input.
#[derive(Debug, Clone, Default)]
pub struct TimeReader {
    /// How they are written.
    pub format: TimeFormat,
    /// Where the clocks stood for RFC 3339 times without a zone (`--timezone`).
    pub zone: Option<TimeZone>,
}

impl TimeReader {
    /// Reads one.
    ///
    /// # Errors
    /// Says what is missing or malformed.
    pub fn read(&self, text: &str) -> Result<Timestamp, TimeError> {
        match self.format {
            TimeFormat::Rfc3339 => Timestamp::parse(text, self.zone.as_ref()),
            TimeFormat::EpochS => Timestamp::parse_epoch_s(text),
            TimeFormat::EpochMs => Timestamp::parse_epoch_ms(text),
        }
    }
}

/// Says why somebody cannot be made a member, if so.
pub type CannotJoin = Arc<dyn Fn(&MemberName) -> Option<String> + Send + Sync>;

/// What rows are to become.
#[derive(Clone, Default)]
pub enum Becoming {
    /// Memberships that have ended, in spaces in import mode; those that have not wait.
    #[default]
    History,
    /// Members of today, in spaces that are not in import mode. The function says why somebody cannot be made one.
    Today(CannotJoin),
    /// Members no more: whose, and where, is all that counts.
    Gone {
        /// Whether rows with a role are to get it, instead.
        promotes: bool,
    },
    /// Members with the role that the row names.
    Roles,
}

impl fmt::Debug for Becoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Becoming::History => "History",
            Becoming::Today(_) => "Today",
            Becoming::Gone { .. } => "Gone",
            Becoming::Roles => "Roles",
        })
    }
}

/// What rows are held against.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What they are to become.
    pub becoming: Becoming,
    /// How times are written.
    pub times: TimeReader,
    /// `--spaces`.
    pub spaces: Option<SpaceMap>,
    /// `--users`.
    pub users: Option<UserMap>,
    /// The organisation's domains, in lower case; empty: not told. People from elsewhere are no problem of a row by itself.
    pub domains: Vec<String>,
    /// The present: no membership begins or ends after it.
    pub now: Timestamp,
}

impl Rules {
    /// RFC 3339 with zones, no maps.
    pub fn new(now: Timestamp) -> Self {
        Rules {
            becoming: Becoming::History,
            times: TimeReader::default(),
            spaces: None,
            users: None,
            domains: Vec::new(),
            now,
        }
    }
}

/// The texts of a row, by [`Key`]; an empty one is absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields<'a>(pub(super) [&'a str; 5]);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: Key) -> &'a str {
        self.0[key as usize]
    }
}

/// What is wrong with one value; where it stands in which file only the caller knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) key: Option<Key>,
    pub(super) kind: ProblemKind,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Flaw {
    pub(super) fn new(key: impl Into<Option<Key>>, kind: ProblemKind, message: impl Into<String>) -> Self {
        Flaw { key: key.into(), kind, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A name that was read: of one admitted before nothing is left to be checked.
#[derive(Debug)]
pub(super) enum Name<K, N> {
    Known(K),
    New(N),
}

/// A row in order, whose names are not admitted yet.
pub(super) type Checked<N> =
    Tenure<Name<<N as Naming>::Space, SpaceName>, Name<<N as Naming>::Member, MemberName>>;

/// Which names of a row were found by their texts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) space: bool,
    pub(super) member: bool,
}

impl Found {
    pub(super) fn in_row<N: Naming>(checked: &Checked<N>) -> Found {
        Found {
            space: matches!(checked.space, Name::Known(_)),
            member: matches!(checked.member, Name::Known(_)),
        }
    }
}

/// Admits the names of a row that is in order as a whole.
pub(super) fn admit<N: Naming>(checked: Checked<N>, names: &mut N) -> Tenure<N::Space, N::Member> {
    let Tenure { space, member, create_time, delete_time, role } = checked;
    let space = match space {
        Name::Known(space) => space,
        Name::New(space) => names.space(space),
    };
    let member = match member {
        Name::Known(member) => member,
        Name::New(member) => names.member(member),
    };
    Tenure { space, member, create_time, delete_time, role }
}

/// Checks a row.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn check<N: Naming>(
    fields: &Fields<'_>,
    rules: &Rules,
    names: &N,
) -> Result<Checked<N>, Vec<Flaw>> {
    if fields.0.iter().all(|text| text.is_empty()) {
        let flaw = Flaw::new(None, ProblemKind::BlankRow, "it has neither space nor member nor times");
        return Err(vec![flaw.help("fill it in, or delete the line")]);
    }
    let mut flaws = Vec::new();
    let space = space(fields.get(Key::Space), rules, names).map_err(|flaw| flaws.push(flaw));
    let member = member(fields.get(Key::Member), rules, names).map_err(|flaw| flaws.push(flaw));
    // Who is to go or to have another role is named by space and member alone, so that a list of memberships will do.
    let (counts, role_counts) = match rules.becoming {
        Becoming::History | Becoming::Today(_) => (true, true),
        Becoming::Roles => (false, true),
        Becoming::Gone { promotes } => (false, promotes),
    };
    let mut a_time = |key| match counts {
        true => time(key, fields, rules).map_err(|flaw| flaws.push(flaw)),
        false => Ok(None),
    };
    let (create, delete) = (a_time(Key::CreateTime), a_time(Key::DeleteTime));
    let role = match role_counts {
        true => role(fields.get(Key::Role)).map_err(|flaw| flaws.push(flaw)),
        false => Ok(None),
    };
    if let (Ok(create), Ok(delete)) = (create, delete) {
        flaws.extend(order(create, delete));
    }
    if let Becoming::Today(cannot_join) = &rules.becoming {
        if delete.is_ok_and(|delete| delete.is_some()) {
            flaws.push(ended());
        }
        let reason = match &member {
            Ok(Name::New(member)) => cannot_join(member),
            _ => None,
        };
        flaws.extend(reason.map(|reason| Flaw::new(Key::Member, ProblemKind::CannotJoin, reason)));
    }
    if let Becoming::Roles = rules.becoming {
        if role == Ok(None) {
            let flaw = Flaw::new(Key::Role, ProblemKind::MissingValue, "it is missing");
            flaws.push(flaw.help("write ROLE_MEMBER, ROLE_MANAGER or ROLE_ASSISTANT_MANAGER"));
        }
        if let Ok(Name::New(member)) = &member
            && (member.is_group() || member.is_app())
        {
            flaws.push(Flaw::new(
                Key::Member,
                ProblemKind::CannotJoin,
                "only people have a role that can be changed",
            ));
        }
    }
    match (space, member, create, delete, role) {
        (Ok(space), Ok(member), Ok(create_time), Ok(delete_time), Ok(role)) if flaws.is_empty() => {
            Ok(Tenure { space, member, create_time, delete_time, role })
        }
        _ => Err(flaws),
    }
}

/// The map first; else `spaces/ID`; else, without a map, a bare id.
fn space<N: Naming>(text: &str, rules: &Rules, names: &N) -> Result<Name<N::Space, SpaceName>, Flaw> {
    let key = Key::Space;
    if text.is_empty() {
        return Err(
            Flaw::new(key, ProblemKind::MissingValue, "it is missing").help("fill it in, or delete the row")
        );
    }
    if let Some(space) = rules.spaces.as_ref().and_then(|map| map.get(text)) {
        return Ok(Name::New(space.clone()));
    }
    if let Some(map) = rules.spaces.as_ref().filter(|_| !text.starts_with("spaces/")) {
        unreadable(key, text)?;
        let flaw = Flaw::new(key, ProblemKind::UnknownSpace, format!("it is not in {}", map.file()));
        return Err(flaw.help(match (map.get(text.trim()), map.meant(text)) {
            (Some(_), _) => "remove the blanks around it".to_owned(),
            (None, Some(meant)) => format!("did you mean \"{}\"?", printable(&meant)),
            (None, None) => format!("add a line for it to {}, or write spaces/{{id}} here", map.file()),
        }));
    }
    if let Some(known) = names.known_space(text) {
        return Ok(Name::Known(known));
    }
    SpaceName::parse(text).map(Name::New).or_else(|error| {
        unreadable(key, text)?;
        let flaw = Flaw::new(key, ProblemKind::BadSpace, error.to_string());
        Err(flaw.help(if SpaceName::parse(text.trim()).is_ok() {
            "remove the blanks around it"
        } else if text.starts_with("spaces/") {
            "an id has only letters, digits, - and _"
        } else {
            "to use other names, give --spaces MAP.csv with the columns name,space; `tenure spaces create` makes the spaces and that map"
        }))
    })
}

/// The map first; else `users/…`, `groups/…` or an address.
fn member<N: Naming>(text: &str, rules: &Rules, names: &N) -> Result<Name<N::Member, MemberName>, Flaw> {
    let key = Key::Member;
    if text.is_empty() {
        return Err(
            Flaw::new(key, ProblemKind::MissingValue, "it is missing").help("fill it in, or delete the row")
        );
    }
    if let Some(member) = rules.users.as_ref().and_then(|map| map.get(text)) {
        return Ok(Name::New(member.clone()));
    }
    if let Some(known) = names.known_member(text) {
        return Ok(Name::Known(known));
    }
    MemberName::parse(text).map(Name::New).or_else(|error| {
        unreadable(key, text)?;
        let trimmed = text.trim();
        let blanks = trimmed.len() < text.len();
        let is_name = text.contains('@') || text.starts_with("users/") || text.starts_with("groups/");
        Err(match &rules.users {
            Some(map) if !is_name => {
                let flaw = Flaw::new(key, ProblemKind::UnknownUser, format!("it is not in {}", map.file()));
                flaw.help(if blanks && (map.get(trimmed).is_some() || MemberName::parse(trimmed).is_ok()) {
                    "remove the blanks around it".to_owned()
                } else {
                    format!("add a line for it to {}, or write an e-mail address here", map.file())
                })
            }
            _ => {
                let is_half = matches!(error, NameError::NotAnAddress(_));
                let message = match error {
                    // The value stands before the message already.
                    NameError::NotAnAddress(_) => "it is not an e-mail address".to_owned(),
                    other => other.to_string(),
                };
                let flaw = Flaw::new(key, ProblemKind::BadMember, message);
                if blanks && MemberName::parse(trimmed).is_ok() {
                    flaw.help("remove the blanks around it")
                } else if let Some(address) = bare_address(text) {
                    flaw.help(format!("it is a link: write the address alone, {address}"))
                } else if is_half {
                    flaw.help("write the whole address, name@domain.example, or users/ and its number")
                } else if is_name {
                    flaw.help("write users/ and a number or an e-mail address, or groups/ and the id of a Google group")
                } else {
                    flaw.help("to use other ids, give --users MAP.csv with the columns id,member")
                }
            }
        })
    })
}

/// The address that a link to it holds.
fn bare_address(text: &str) -> Option<&str> {
    let (scheme, address) = text.split_once(':')?;
    (scheme.eq_ignore_ascii_case("mailto") && MemberName::parse(address).is_ok()).then_some(address)
}

/// Explains a name that cannot be read for the characters in it.
fn unreadable(key: Key, text: &str) -> Result<(), Flaw> {
    if text.contains('\u{fffd}') {
        let flaw =
            Flaw::new(key, ProblemKind::BadCharacter, "it contains U+FFFD, where a character was lost");
        return Err(
            flaw.help("export it again as UTF-8; the lost character cannot be brought back from this file")
        );
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        let message = format!("it contains the control character U+{:04X}", u32::from(c));
        return Err(Flaw::new(key, ProblemKind::BadCharacter, message).help("remove it"));
    }
    if let Some((before, c)) = text.chars().enumerate().find(|(_, c)| is_unseen(*c)) {
        let (code, place) = (u32::from(c), before + 1);
        let message = format!("it contains U+{code:04X} as character {place}, which cannot be seen");
        let help = "remove it: delete the value and type it anew; it mostly comes from copying out of a web page or a mail";
        return Err(Flaw::new(key, ProblemKind::BadCharacter, message).help(help));
    }
    Ok(())
}

/// Reads a time, and holds it against 2000 and the present.
fn time(key: Key, fields: &Fields<'_>, rules: &Rules) -> Result<Option<Timestamp>, Flaw> {
    let text = fields.get(key);
    if text.is_empty() {
        return Ok(None);
    }
    let format = rules.times.format;
    let time = rules.times.read(text).map_err(|error| {
        let kind = match error {
            TimeError::NoZone => ProblemKind::TimeWithoutZone,
            TimeError::BareNumber => ProblemKind::BareNumber,
            _ => ProblemKind::BadTime,
        };
        let flaw = Flaw::new(key, kind, error.to_string());
        match (error, format) {
            (TimeError::NoZone, _) => flaw.help(WITH_A_ZONE),
            (TimeError::BareNumber, _) => flaw.help(unit_of(text).unwrap_or_else(|| NO_UNIT.to_owned())),
            (TimeError::Malformed, TimeFormat::Rfc3339) => {
                flaw.help(date_of(text).unwrap_or(as_it_is_left(key)))
            }
            (TimeError::NoSuchTime, _) => flaw.help(calendar_of(text)),
            (TimeError::OutOfRange, TimeFormat::EpochS) => flaw.help(IN_MILLISECONDS),
            // The end of time stands for "never" in some systems.
            (TimeError::OutOfRange, _) if key == Key::DeleteTime => flaw.help(STILL_A_MEMBER),
            (TimeError::NotANumber(_), _) if Timestamp::parse(text, None).is_ok() => {
                flaw.help("it is RFC 3339: leave --time-format away")
            }
            _ => flaw,
        }
    })?;
    // Without createTime Chat takes deleteTime - 1 µs, so a deleteTime alone needs that much more.
    let least = if key == Key::DeleteTime && fields.get(Key::CreateTime).is_empty() {
        time.just_before()
    } else {
        time
    };
    if least < EARLIEST {
        let message = format!("it is {time}, but Chat takes nothing before {EARLIEST}");
        let flaw = Flaw::new(key, ProblemKind::TimeTooEarly, message);
        return Err(flaw.help(if format == TimeFormat::EpochMs {
            IN_SECONDS
        } else {
            "if it stands for \"unknown\", write the day on which the channel began, or leave the row out"
        }));
    }
    if time > rules.now {
        let now = Timestamp::from_micros(rules.now.as_micros() / 1_000_000 * 1_000_000);
        let message = format!("it is {time}, which is still to come (it is {now} now)");
        let flaw = Flaw::new(key, ProblemKind::TimeInFuture, message);
        return Err(match (format, key) {
            (TimeFormat::EpochS, _) => flaw.help(IN_MILLISECONDS),
            (_, Key::DeleteTime) => flaw.help(STILL_A_MEMBER),
            _ => flaw.help("correct it, or leave the row out until then"),
        });
    }
    Ok(Some(time))
}

/// What else there is for a time that cannot be read.
const fn as_it_is_left(key: Key) -> &'static str {
    match key {
        Key::DeleteTime => "write it so, or leave it empty for somebody who is still a member",
        _ => "write it so, or leave it empty where nobody knows it",
    }
}

const NO_UNIT: &str = "write it as 2021-03-05T09:30:00Z, or give --time-format epoch-s or epoch-ms if all times are numbers of that";
const WITH_A_ZONE: &str =
    "write it with Z or an offset such as +02:00, or give --timezone, e.g. --timezone Europe/Berlin";
const STILL_A_MEMBER: &str = "leave it empty for somebody who is still a member";
const IN_MILLISECONDS: &str = "is it in milliseconds? give --time-format epoch-ms";
const IN_SECONDS: &str = "is it in seconds? give --time-format epoch-s";

fn order(create: Option<Timestamp>, delete: Option<Timestamp>) -> Option<Flaw> {
    let (create, delete) = (create?, delete?);
    if create < delete {
        return None;
    }
    let flaw = if create == delete {
        Flaw::new(Key::DeleteTime, ProblemKind::TimesReversed, "it is the same as createTime")
            .help("Chat wants createTime < deleteTime: a microsecond apart is enough")
    } else {
        Flaw::new(Key::DeleteTime, ProblemKind::TimesReversed, format!("it is before createTime, {create}"))
            .help("are the two swapped?")
    };
    Some(flaw)
}

fn ended() -> Flaw {
    Flaw::new(
        Key::DeleteTime,
        ProblemKind::Ended,
        "it has ended, and a space that is not in import mode takes members of today only",
    )
    .help("leave such rows out, or import them while the space is in import mode (without --standard-spaces)")
}

fn role(text: &str) -> Result<Option<Role>, Flaw> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|()| {
        let flaw = Flaw::new(
            Key::Role,
            ProblemKind::BadRole,
            "it is neither ROLE_MEMBER, ROLE_MANAGER nor ROLE_ASSISTANT_MANAGER",
        );
        let word = plain(text);
        let near = Role::ALL.into_iter().find(|role| {
            is_near(text, role.as_str()) || is_near(&format!("role{word}"), role.as_str())
        });
        match (word.strip_prefix("role").unwrap_or(&word), near) {
            // Chat's own screens use the words differently from its API.
            ("manager" | "owner" | "admin", _) => flaw.help(
                "Chat shows ROLE_MANAGER as \"owner\" and ROLE_ASSISTANT_MANAGER as \"manager\": write the one you mean",
            ),
            (_, Some(role)) => flaw.help(format!("did you mean {role}?")),
            _ => flaw.help("leave it empty for an ordinary member"),
        }
    })
}

#[cfg(test)]
mod tests;
