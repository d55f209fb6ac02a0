//! The five columns of the contract, and how a CSV header is held against them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::problem::{Problem, ProblemKind, printable};
use super::problems::Problems;
use super::suggest::{is_near, plain};

/// Columns of a CSV file, at most.
pub const COLUMNS_MAX: usize = 1000;

/// Columns that say what people call a row's space, without what people get wrong in them.
const TITLE_COLUMNS: [&str; 5] = ["spacename", "channel", "channelname", "legacychannel", "roomname"];

/// Whether a column says what people call the row's space: `spaceName`, `channel`, `channelName`, `legacyChannel`,
/// `roomName`, however they are capitalised and joined.
pub fn is_title_column(name: &str) -> bool {
    TITLE_COLUMNS.contains(&plain(name).as_str())
}

/// A column of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Which space. Required.
    Space,
    /// Who. Required.
    Member,
    /// From when.
    CreateTime,
    /// Until when.
    DeleteTime,
    /// As what.
    Role,
}

impl Key {
    /// Every column, in the contract's order.
    pub const ALL: [Key; 5] = [Key::Space, Key::Member, Key::CreateTime, Key::DeleteTime, Key::Role];

    /// Google's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Key::Space => "space",
            Key::Member => "member",
            Key::CreateTime => "createTime",
            Key::DeleteTime => "deleteTime",
            Key::Role => "role",
        }
    }

    /// The column of a name: in Google's spelling or in snake case, nothing else.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "space" => Some(Key::Space),
            "member" => Some(Key::Member),
            "createTime" | "create_time" => Some(Key::CreateTime),
            "deleteTime" | "delete_time" => Some(Key::DeleteTime),
            "role" => Some(Key::Role),
            _ => None,
        }
    }

    const fn is_required(self) -> bool {
        matches!(self, Key::Space | Key::Member)
    }

    /// What legacy systems call it.
    const fn also_called(self) -> &'static [&'static str] {
        match self {
            Key::Space => {
                &["spaceid", "spacename", "channel", "channelid", "channelname", "room", "roomid", "roomname"]
            }
            Key::Member => &[
                "memberid",
                "membername",
                "user",
                "userid",
                "username",
                "useremail",
                "email",
                "emailaddress",
                "mail",
                "person",
            ],
            Key::CreateTime => &["membersince", "datejoined", "dateadded"],
            Key::DeleteTime => &["memberuntil", "dateleft", "dateremoved"],
            Key::Role => &["memberrole", "userrole", "channelrole", "roomrole", "rolename"],
        }
    }

    /// Words that say it in names of several words, too: `joined_at`, `Left on`.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Key::Space | Key::Member | Key::Role => &[],
            Key::CreateTime => &[
                "added", "began", "begin", "begins", "create", "created", "creation", "entered", "from",
                "join", "joined", "joins", "since", "start", "started", "starts",
            ],
            Key::DeleteTime => &[
                "delete", "deleted", "deletion", "end", "ended", "ends", "exit", "exited", "leave", "leaves",
                "left", "remove", "removed", "til", "till", "to", "until",
            ],
        }
    }
}

/// A header that has everything: where each column of the contract stands.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// As in the input, in its order.
    pub(super) names: Vec<String>,
    /// For each field of a line: the column it is.
    pub(super) keys: Vec<Option<Key>>,
    /// For each of [`Key::ALL`]: its field.
    pub(super) places: [Option<usize>; 5],
}

impl Columns {
    /// Takes a header line apart.
    ///
    /// All that is wrong with it is found at once; each problem is fatal, since no row can be read without a header.
    pub(super) fn of_header(file: &Arc<str>, line: u64, header: &[String]) -> Result<Self, Problems> {
        let mut problems = header_problems(file, line, header);
        if header.len() > COLUMNS_MAX {
            return Err(problems);
        }
        let keys: Vec<Option<Key>> = header.iter().map(|name| Key::of(name)).collect();
        let place = |key| keys.iter().position(|k| *k == Some(key));
        let missing = |key| place(key).is_none();

        for key in Key::ALL {
            let indexes: Vec<usize> = (0..keys.len()).filter(|index| keys[*index] == Some(key)).collect();
            if let [first, second, ..] = indexes[..]
                && header[first] != header[second]
            {
                let message =
                    format!("{} and {} are the same column in two spellings", header[first], header[second]);
                let problem =
                    Problem::new(file, line, ProblemKind::DoubledColumn, message).help("keep one of them");
                problems.push(problem.fatal());
            }
        }
        for key in Key::ALL.into_iter().filter(|key| missing(*key)) {
            let near =
                header.iter().zip(&keys).find(|(name, known)| known.is_none() && is_near(name, key.as_str()));
            if let (Some((name, _)), false) = (near, key.is_required()) {
                let message = format!(
                    "it is nearly {key}, but not quite, so it would be passed over",
                    key = key.as_str()
                );
                let problem =
                    Problem::new(file, line, ProblemKind::SimilarColumn, message).column(name.clone());
                problems.push(
                    problem.help(format!("rename it to {}, or to something unlike it", key.as_str())).fatal(),
                );
            }
        }
        let absent: Vec<Key> =
            Key::ALL.into_iter().filter(|key| key.is_required() && missing(*key)).collect();
        for key in absent {
            let message = format!("there is no column named {}", key.as_str());
            let problem = Problem::new(file, line, ProblemKind::MissingColumn, message).fatal();
            problems.push(match meant(key, header) {
                Some(name) => problem.value(name).help(format!(
                    "did you mean the column \"{}\"? rename it to {}",
                    printable(name),
                    key.as_str()
                )),
                None => problem.help(missing_help(header)),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Columns { names: header.to_vec(), places: Key::ALL.map(place), keys })
    }

    /// The column's name as the input spells it; Google's when the input does not have it.
    pub(super) fn spelling(&self, key: Key) -> Cow<'static, str> {
        match self.places[key as usize] {
            Some(place) => self.names[place].clone().into(),
            None => key.as_str().into(),
        }
    }
}

/// What is wrong with a header whatever its columns mean: too many of them, names that are absent, doubled or
/// unreadable.
pub(super) fn header_problems(file: &Arc<str>, line: u64, header: &[String]) -> Problems {
    let mut problems = Problems::new();
    if header.len() > COLUMNS_MAX {
        let message = format!("it names {} columns, and {COLUMNS_MAX} is the most", header.len());
        let problem = Problem::new(file, line, ProblemKind::TooManyColumns, message);
        problems.push(problem.help("delete the columns that do not belong to a row of memberships").fatal());
        return problems;
    }
    let mut first_places: HashMap<&str, usize> = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        if name.trim().is_empty() {
            let message = format!("column {} has no name", index + 1);
            let problem = Problem::new(file, line, ProblemKind::UnnamedColumn, message);
            problems.push(problem.help("name it, or delete the column").fatal());
        } else if let Some(first) = first_places.get(name.as_str()) {
            let message = format!("it stands twice, as columns {} and {}", first + 1, index + 1);
            let problem = Problem::new(file, line, ProblemKind::DoubledColumn, message).column(name.clone());
            problems.push(problem.help("keep one of them, or rename one").fatal());
        } else {
            first_places.insert(name, index);
        }
    }
    problems
}

/// The column that was most likely meant.
fn meant(key: Key, header: &[String]) -> Option<&String> {
    let unknown = || header.iter().filter(|name| Key::of(name).is_none());
    unknown()
        .find(|name| is_near(name, key.as_str()))
        .or_else(|| unknown().find(|name| key.also_called().contains(&plain(name).as_str())))
}

/// The column that most likely says what this one of ours would say, of those that are none of ours.
pub fn lookalike(key: Key, columns: &[String]) -> Option<&str> {
    let means = |name: &&String| {
        let words = words(name);
        // Who made a row or how that is known, and not when.
        let says_who = words.last().is_some_and(|last| last == "by" || last == "evidence");
        let says_so = words.iter().any(|word| key.words().contains(&word.as_str()));
        key.also_called().contains(&plain(name).as_str()) || (says_so && !says_who)
    };
    columns.iter().filter(|name| Key::of(name).is_none()).find(means).map(String::as_str)
}

/// The words of a name, in lower case: `joinedAt`, `joined_at` and `Joined at` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let (Some(word), true) = (words.last_mut(), c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn missing_help(header: &[String]) -> String {
    if header.first().is_some_and(|name| name.to_ascii_lowercase().starts_with("sep=")) {
        return "the first line is Excel's own mark: delete it, so that the column names come first"
            .to_owned();
    }
    if header.iter().any(|name| name.contains('@')) {
        return "the first line looks like a row: put a line with the column names above it".to_owned();
    }
    let names: Vec<String> = header.iter().take(12).map(|name| printable(name)).collect();
    let more = if header.len() > names.len() { ", …" } else { "" };
    format!("the first line must name the columns space and member; it names: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Columns, String> {
        let header: Vec<String> = header.split(',').map(str::to_owned).collect();
        Columns::of_header(&"rows.csv".into(), 1, &header).map_err(|problems| problems.to_string())
    }

    #[test]
    fn both_spellings_are_known() {
        let columns = read("notes,member,delete_time,space,createTime").unwrap();
        assert_eq!(columns.places, [Some(3), Some(1), Some(4), Some(2), None]);
        assert_eq!(columns.spelling(Key::DeleteTime), "delete_time");
        assert_eq!(columns.spelling(Key::Role), "role");
        assert_eq!(columns.keys[0], None);
    }

    #[test]
    fn what_is_near_a_known_column_but_there_beside_it_is_another_column() {
        assert!(read("space,spaces,member,Member,role,roles").is_ok());
    }

    #[test]
    fn columns_under_other_names() {
        let found = |key, header: &str| {
            let header: Vec<String> = header.split(',').map(str::to_owned).collect();
            lookalike(key, &header).map(str::to_owned)
        };
        for (header, joined, left) in [
            ("joined,left", Some("joined"), Some("left")),
            ("from,to", Some("from"), Some("to")),
            ("joinedAt,leftAt", Some("joinedAt"), Some("leftAt")),
            ("Date joined,End date", Some("Date joined"), Some("End date")),
            ("START_TS,UNTIL_TS", Some("START_TS"), Some("UNTIL_TS")),
            ("createTime,deleteTime", None, None),
            ("created_by,total,endpoint,fromage", None, None),
        ] {
            assert_eq!(found(Key::CreateTime, header).as_deref(), joined, "{header}");
            assert_eq!(found(Key::DeleteTime, header).as_deref(), left, "{header}");
        }
        assert_eq!(found(Key::Role, "note,Member Role").as_deref(), Some("Member Role"));
    }

    #[test]
    fn problems_of_the_header() {
        for (header, expected) in [
            (
                "Space ,member",
                "rows.csv:1: \"Space \": there is no column named space
  help: did you mean the column \"Space \"? rename it to space",
            ),
            (
                "space,Member ID",
                "rows.csv:1: \"Member ID\": there is no column named member
  help: did you mean the column \"Member ID\"? rename it to member",
            ),
            (
                "a,b",
                "rows.csv:1: there is no column named space
  help: the first line must name the columns space and member; it names: a, b
rows.csv:1: there is no column named member
  help: the first line must name the columns space and member; it names: a, b",
            ),
            (
                "sep=;",
                "rows.csv:1: there is no column named space
  help: the first line is Excel's own mark: delete it, so that the column names come first
rows.csv:1: there is no column named member
  help: the first line is Excel's own mark: delete it, so that the column names come first",
            ),
            (
                "space,member,member,x,x",
                "rows.csv:1: member: it stands twice, as columns 2 and 3
  help: keep one of them, or rename one
rows.csv:1: x: it stands twice, as columns 4 and 5
  help: keep one of them, or rename one",
            ),
            (
                "space,member,createTime,create_time",
                "rows.csv:1: createTime and create_time are the same column in two spellings
  help: keep one of them",
            ),
            (
                "space,member,, ",
                "rows.csv:1: column 3 has no name
  help: name it, or delete the column
rows.csv:1: column 4 has no name
  help: name it, or delete the column",
            ),
            (
                "space,member,Create Time",
                "rows.csv:1: Create Time: it is nearly createTime, but not quite, so it would be passed over
  help: rename it to createTime, or to something unlike it",
            ),
        ] {
            assert_eq!(read(header).unwrap_err(), expected, "{header}");
        }
    }
}
