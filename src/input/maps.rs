//! The maps from a legacy system's names to Google's: `--spaces MAP.csv` and `--users MAP.csv`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::model::{MemberName, NameError, SpaceName, SpaceTitles, Timestamp};

use super::csv::{Line, Table};
use super::problem::{Problem, ProblemKind, printable};
use super::problems::Problems;
use super::source::Source;
use super::suggest::{is_near, plain, slip_of};

/// What a map may take of the memory, in bytes.
const MAP_BYTES_MAX: usize = 512 * 1024 * 1024;
/// What an entry takes beside its texts, roughly.
const ENTRY_BYTES: usize = 150;

/// Up to so many names are also held as they sound, for [`NameMap::sounding`].
const MEANT_MAX: usize = 200_000;
/// How many names are compared with missing ones, at most: a moment's work.
const LOOKS_MAX: usize = 2_000_000;

/// A map from any name to a resource name, with the file it comes from.
#[derive(Debug, Clone)]
pub struct NameMap<N> {
    file: Arc<str>,
    /// The value and the line it stands on.
    entries: HashMap<String, (N, u64)>,
    /// What the map tells of the values' times, by value.
    ages: HashMap<String, Age>,
    /// What it says that people call the values, by value.
    titles: HashMap<String, String>,
    /// Its names without what people get wrong, made when the first name is missed.
    plain: OnceLock<HashMap<String, String>>,
    /// Names that were looked for as slips, and what they are slips of.
    asked: Arc<Mutex<HashMap<String, Option<String>>>>,
}

/// What a map of spaces tells of one: `createTime` and `importModeExpireTime`, as `spaces create` writes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Age {
    /// When it began.
    pub create_time: Option<Timestamp>,
    /// When Chat deletes it, unless it is completed by then.
    pub expire_time: Option<Timestamp>,
}

/// Other names of spaces: the CSV columns `name` and `space`.
pub type SpaceMap = NameMap<SpaceName>;

/// Other ids of members: the CSV columns `id` and `member`.
pub type UserMap = NameMap<MemberName>;

/// How a kind of map is written.
struct Spelling<N> {
    columns: [&'static str; 2],
    /// Of times, where the map may tell them.
    times: Option<[&'static str; 2]>,
    /// Of what people call it, where the map may tell that.
    title: Option<&'static str>,
    /// Whether values may be missing: a line without one counts as if it were not there, and no line need be there.
    may_lack: bool,
    parse: fn(&str) -> Result<N, NameError>,
    kind: ProblemKind,
}

impl NameMap<SpaceName> {
    /// Reads a map of spaces: CSV with the columns `name` (anything) and `space` (`spaces/ID` or a bare id), and, if it
    /// tells them, `createTime`, `importModeExpireTime` and `displayName`. Other columns are passed over.
    ///
    /// # Errors
    /// With all that is wrong in it: a map with a wrong line would send rows to the wrong place.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        Self::read(Source::open(path).map_err(|problem| *problem)?)
    }

    /// The same from an opened source.
    ///
    /// # Errors
    /// As [`SpaceMap::open`].
    pub fn read(source: Source) -> Result<Self, Problems> {
        let spelling = Spelling {
            columns: ["name", "space"],
            times: Some(["createTime", "importModeExpireTime"]),
            title: Some("displayName"),
            may_lack: false,
            parse: SpaceName::parse,
            kind: ProblemKind::BadSpace,
        };
        read(source, &spelling, MAP_BYTES_MAX)
    }

    /// What it tells of a space, however that is named.
    pub fn age(&self, space: &SpaceName) -> Option<Age> {
        self.ages.get(space.as_str()).copied()
    }

    /// What it tells of all spaces.
    pub fn ages(&self) -> impl Iterator<Item = (&str, Age)> {
        self.ages.iter().map(|(space, age)| (space.as_str(), *age))
    }

    /// What people call its spaces: by their display names, and else as the first of their names has it.
    pub fn titles(&self) -> SpaceTitles {
        let mut named: Vec<(&str, &SpaceName, u64)> =
            self.entries.iter().map(|(name, (space, line))| (name.as_str(), space, *line)).collect();
        // What is said last stays: the first line.
        named.sort_unstable_by_key(|(_, _, line)| std::cmp::Reverse(*line));
        let mut titles = SpaceTitles::default();
        for (name, space, _) in named {
            titles.insert(space, self.titles.get(space.as_str()).map_or(name, String::as_str));
        }
        titles
    }
}

impl NameMap<MemberName> {
    /// Reads a map of users: CSV with the columns `id` (anything) and `member` (as in the input). Other columns are
    /// passed over. It is what `convert --missing` writes: a header alone when nobody is missing, and the lines of people
    /// without any account stay without a member, which says nothing of them.
    ///
    /// # Errors
    /// With all that is wrong in it.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        Self::read(Source::open(path).map_err(|problem| *problem)?)
    }

    /// The same from an opened source.
    ///
    /// # Errors
    /// As [`UserMap::open`].
    pub fn read(source: Source) -> Result<Self, Problems> {
        let spelling = Spelling {
            columns: ["id", "member"],
            times: None,
            title: None,
            may_lack: true,
            parse: MemberName::parse,
            kind: ProblemKind::BadMember,
        };
        read(source, &spelling, MAP_BYTES_MAX)
    }
}

impl<N> NameMap<N> {
    /// What the map has for a name, spelled exactly so.
    pub fn get(&self, name: &str) -> Option<&N> {
        self.entries.get(name).map(|(value, _)| value)
    }

    /// The name of the map that a missing one most likely is: the same but for case, blanks, `_`, `-`, dots and a `#` before
    /// it, or else a slip of it; of several the first by letters. However many names are missing, and however often, it
    /// costs a look each, and [`LOOKS_MAX`] in all for those that are slips.
    pub(super) fn meant(&self, name: &str) -> Option<String> {
        self.sounding(name).map(str::to_owned).or_else(|| self.slip(name))
    }

    fn slip(&self, name: &str) -> Option<String> {
        // Whoever panicked with it left a text that is for a message only.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get(name) {
            return known.clone();
        }
        if (asked.len() + 1).saturating_mul(self.entries.len()) > LOOKS_MAX {
            return None;
        }
        let meant = slip_of(name, self.entries.keys().map(String::as_str)).map(str::to_owned);
        asked.insert(name.to_owned(), meant.clone());
        meant
    }

    fn sounding(&self, name: &str) -> Option<&str> {
        let bare = |name: &str| plain(name.trim_start_matches('#'));
        let known = self.plain.get_or_init(|| {
            let mut known: HashMap<String, String> = HashMap::new();
            for name in self.entries.keys().take_while(|_| self.entries.len() <= MEANT_MAX) {
                let held = known.entry(bare(name)).or_insert_with(|| name.clone());
                if name < held {
                    held.clone_from(name);
                }
            }
            known
        });
        known.get(&bare(name)).map(String::as_str)
    }

    /// The file, as the user named it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// How many names it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn read<N: PartialEq + std::fmt::Display>(
    source: Source,
    spelling: &Spelling<N>,
    bytes_max: usize,
) -> Result<NameMap<N>, Problems> {
    let mut table = Table::open(source)?;
    let file = Arc::clone(&table.file);
    let [from, to] = places(&table, &spelling.columns)?;
    let times = spelling
        .times
        .map(|times| times.map(|name| (name, table.header.iter().position(|column| column == name))));
    let title = spelling.title.and_then(|name| table.header.iter().position(|column| column == name));
    let mut ages: HashMap<String, Age> = HashMap::new();
    let mut titles: HashMap<String, String> = HashMap::new();
    let mut entries: HashMap<String, (N, u64)> = HashMap::new();
    let mut problems = Problems::new();
    let mut held_bytes = 0;
    loop {
        let (line, record) = match table.next() {
            Ok(Some(Line::Fields(line, record))) => (line, record),
            Ok(Some(Line::Bad(problem, _))) => {
                problems.push(problem.fatal());
                continue;
            }
            Ok(None) => break,
            Err(problem) => {
                problems.push(*problem);
                break;
            }
        };
        let text = |place: usize| record.get(place);
        let wrong = |column: usize, kind, message: String| {
            Problem::new(&file, line, kind, message).column(spelling.columns[column]).fatal()
        };
        if text(from).is_empty() {
            problems.push(wrong(0, ProblemKind::MissingValue, "it is empty".to_owned()));
            continue;
        }
        let value = match (spelling.parse)(text(to)) {
            Ok(value) => value,
            Err(_) if spelling.may_lack && text(to).trim().is_empty() => continue,
            Err(NameError::Empty) => {
                problems.push(wrong(1, ProblemKind::MissingValue, "it is empty".to_owned()));
                continue;
            }
            Err(error) => {
                problems.push(wrong(1, spelling.kind, error.to_string()).value(text(to)));
                continue;
            }
        };
        if let Some(times) = times {
            let [create, expire] =
                times.map(|(name, place)| (name, place.map_or("", |place| record.get(place))));
            let mut time = |(column, text): (&'static str, &str)| match text {
                "" => None,
                text => Timestamp::parse(text, None)
                    .map_err(|error| {
                        let problem = Problem::new(&file, line, ProblemKind::BadTime, error.to_string());
                        problems.push(problem.column(column).value(text).fatal());
                    })
                    .ok(),
            };
            let age = Age { create_time: time(create), expire_time: time(expire) };
            if age != Age::default() {
                ages.insert(value.to_string(), age);
            }
        }
        held_bytes += ENTRY_BYTES + text(from).len() + text(to).len();
        if let Some(title) = title.map(text).filter(|title| !title.is_empty()) {
            held_bytes += ENTRY_BYTES + title.len();
            titles.entry(value.to_string()).or_insert_with(|| title.to_owned());
        }
        if held_bytes > bytes_max {
            let message =
                format!("up to here it takes {} MiB of memory, and there is more of it", bytes_max >> 20);
            let problem = Problem::new(&file, line, ProblemKind::MapTooLarge, message);
            problems.push(problem.help("keep only the names that the rows have").fatal());
            break;
        }
        match entries.entry(text(from).to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert((value, line));
            }
            Entry::Occupied(entry) => {
                let (first, first_line) = entry.get();
                if *first != value {
                    let message = format!("it is {value} here, but {first} on line {first_line}");
                    let problem = wrong(0, ProblemKind::MapConflict, message).value(text(from));
                    problems.push(problem.help("keep the right one"));
                }
            }
        }
    }
    if entries.is_empty() && !spelling.may_lack && problems.is_empty() {
        let message = "it has a header, but no line below it";
        problems.push(Problem::new(&file, table.header_line, ProblemKind::NoRows, message).fatal());
    }
    if problems.is_empty() {
        Ok(NameMap { file, entries, ages, titles, plain: OnceLock::new(), asked: Arc::default() })
    } else {
        Err(problems)
    }
}

fn places(table: &Table, columns: &[&'static str; 2]) -> Result<[usize; 2], Problems> {
    let mut problems = table.header_problems();
    let mut place = |column: &str| {
        let found = table.header.iter().position(|name| name == column);
        if found.is_none() {
            let message = format!("there is no column named {column}");
            let problem = Problem::new(&table.file, table.header_line, ProblemKind::MissingColumn, message);
            let near = table.header.iter().find(|name| is_near(name, column));
            problems.push(
                problem
                    .help(match near {
                        Some(name) => {
                            format!("did you mean the column \"{}\"? rename it to {column}", printable(name))
                        }
                        None => format!("a map has the columns {} and {}", columns[0], columns[1]),
                    })
                    .fatal(),
            );
        }
        found
    };
    match (place(columns[0]), place(columns[1])) {
        (Some(from), Some(to)) if problems.is_empty() => Ok([from, to]),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces(text: &'static str) -> Result<SpaceMap, String> {
        SpaceMap::read(Source::from_reader("spaces.csv", text.as_bytes()).unwrap()).map_err(|p| p.to_string())
    }

    #[test]
    fn translates_exactly() {
        let map = spaces("team;name;space\nx;#general;spaces/AAA\ny;büro;BBB\nx;#general;AAA\n").unwrap();
        assert_eq!(map.get("#general").unwrap().as_str(), "spaces/AAA");
        assert_eq!(map.get("büro").unwrap().as_str(), "spaces/BBB");
        assert_eq!(map.get("#General"), None);
        assert_eq!((map.len(), map.is_empty(), map.file()), (2, false, "spaces.csv"));
        let users =
            Source::from_reader("users.csv", "id,member\nU1,Maria@Example.com\nU2,\nU3, \n".as_bytes());
        let users = UserMap::read(users.unwrap()).unwrap();
        assert_eq!(users.get("U1").unwrap().as_str(), "users/maria@example.com");
        // Nobody.
        assert_eq!((users.get("U2"), users.get("U3"), users.len()), (None, None, 1));
        let nobody = Source::from_reader("users.csv", "id,member,name,stints\n".as_bytes());
        assert!(UserMap::read(nobody.unwrap()).unwrap().is_empty());
    }

    #[test]
    fn finds_what_was_meant() {
        let map = spaces("name,space\n#general,A\nSales Team,B\n#projects-2020,C\n").unwrap();
        for (name, meant) in [
            ("General", Some("#general")),
            ("sales-team", Some("Sales Team")),
            ("#genreal", Some("#general")),
            ("genreal", Some("#general")),
            ("Sale Team", Some("Sales Team")),
            ("#projects-2021", None),
            ("#marketing", None),
        ] {
            // The second time it is known.
            assert_eq!([map.meant(name), map.meant(name)], [meant; 2].map(|name| name.map(str::to_owned)));
        }
    }

    #[test]
    fn finds_slips_in_large_maps_and_ends_looking() {
        let names: String = (0..=MEANT_MAX).map(|place| format!("room {place},A\n")).collect();
        let text = format!("name,space\n#general,B\n{names}");
        let map =
            SpaceMap::read(Source::from_reader("spaces.csv", std::io::Cursor::new(text)).unwrap()).unwrap();
        for name in ["#genreal", "#general "] {
            assert_eq!(map.meant(name).as_deref(), Some("#general"));
        }
        for place in 0..1000 {
            map.meant(&format!("{place}"));
        }
        assert!(map.asked.lock().unwrap().len() <= LOOKS_MAX / map.len());
        assert_eq!(map.meant("#genreal").as_deref(), Some("#general"), "it stays known");
        assert_eq!(map.meant("#generall"), None);
    }

    #[test]
    fn tells_what_people_call_spaces() {
        let map =
            spaces("name,space,displayName\n#general,A,General\nC123,A,\n#b,B,\nb2,B,\nC,C,\n").unwrap();
        let titles = map.titles();
        let titles = ["spaces/A", "spaces/B", "spaces/C"].map(|space| titles.of(space));
        assert_eq!(titles, [Some("General"), Some("#b"), None]);
        assert_eq!(spaces("name,space\n#a,A\n").unwrap().titles().of("spaces/A"), Some("#a"));
    }

    #[test]
    fn a_map_does_not_fill_the_memory() {
        let text: String = "name,space\n".to_owned() + &"x,spaces/A\n".repeat(10_000);
        let spelling = Spelling {
            columns: ["name", "space"],
            times: None,
            title: None,
            may_lack: false,
            parse: SpaceName::parse,
            kind: ProblemKind::BadSpace,
        };
        let source = Source::from_reader("spaces.csv", std::io::Cursor::new(text)).unwrap();
        let problems = read(source, &spelling, 1 << 20).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "spaces.csv:6596: up to here it takes 1 MiB of memory, and there is more of it
  help: keep only the names that the rows have"
        );
    }

    #[test]
    fn says_what_is_wrong_with_a_map() {
        for (text, expected) in [
            (
                "name,space\n#a,spaces/A\n#a,spaces/B\n,spaces/C\n#d,\n#e,#e\n#f\n",
                "spaces.csv:3: name \"#a\": it is spaces/B here, but spaces/A on line 2
  help: keep the right one
spaces.csv:4: name: it is empty
spaces.csv:5: space: it is empty
spaces.csv:6: space \"#e\": it is neither spaces/{id} nor a bare id
spaces.csv:7: it has 1 field, but the header has 2
  help: are delimiters missing, or is the line cut off? an empty value needs its delimiter too",
            ),
            (
                "Name,channel\nx,y\n",
                "spaces.csv:1: there is no column named name
  help: did you mean the column \"Name\"? rename it to name
spaces.csv:1: there is no column named space
  help: a map has the columns name and space",
            ),
            ("name,space\n", "spaces.csv:1: it has a header, but no line below it"),
            (
                "name,space\n\"a,b",
                "spaces.csv:2: name: a quote opens here and is never closed
  help: close it, or delete it; the rows after it could not be read",
            ),
        ] {
            assert_eq!(spaces(text).unwrap_err(), expected, "{text}");
        }
    }
}
