//! The list of channels that become spaces: CSV or JSONL.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::csv::{Line, Table};
use super::format::Format;
use super::guard::RECORD_BYTES_MAX;
use super::json_object::{ParseError, explain};
use super::problem::{Problem, ProblemKind};
use super::problems::Problems;
use super::source::Source;
use super::suggest::is_near;
use crate::model::{Channel, DISPLAY_NAME_CHARS_MAX, EARLIEST, Timestamp};

/// Its columns, in Google's spelling but for the first, which is the key of the map.
pub const CHANNEL_COLUMNS: [&str; 6] =
    ["name", "displayName", "spaceType", "createTime", "description", "externalUserAllowed"];

/// Reads a list of channels, each with its line. Columns that are not known are passed over.
///
/// # Errors
/// With all that is wrong in it: a space that is created wrongly cannot be mended.
pub fn read_channels(path: &Path, now: Timestamp) -> Result<Vec<(u64, Channel)>, Problems> {
    let format = Format::of_name(&path.display().to_string()).unwrap_or(Format::Csv);
    read_channels_from(Source::open(path).map_err(|problem| *problem)?, format, now)
}

/// The same from an opened source.
///
/// # Errors
/// As [`read_channels`].
pub fn read_channels_from(
    source: Source,
    format: Format,
    now: Timestamp,
) -> Result<Vec<(u64, Channel)>, Problems> {
    let mut reading = Reading {
        file: Arc::clone(source.file()),
        now,
        channels: Vec::new(),
        names: HashMap::new(),
        problems: Problems::new(),
    };
    match format {
        Format::Csv => reading.csv(source)?,
        Format::Jsonl => reading.jsonl(source),
    }
    reading.end()
}

struct Reading {
    file: Arc<str>,
    now: Timestamp,
    channels: Vec<(u64, Channel)>,
    /// The line of each name.
    names: HashMap<String, u64>,
    problems: Problems,
}

impl Reading {
    fn csv(&mut self, source: Source) -> Result<(), Problems> {
        let mut table = Table::open(source)?;
        let mut problems = table.header_problems();
        let place = |column: &str| table.header.iter().position(|name| same(name, column));
        let places = CHANNEL_COLUMNS.map(place);
        if places[0].is_none() {
            let near = table.header.iter().find(|name| is_near(name, CHANNEL_COLUMNS[0]));
            let help = match near {
                Some(name) => format!("did you mean the column {name:?}? rename it to name"),
                None => format!("a list of channels has the columns {}", CHANNEL_COLUMNS.join(", ")),
            };
            let problem = Problem::new(
                &self.file,
                table.header_line,
                ProblemKind::MissingColumn,
                "there is no column named name",
            );
            problems.push(problem.help(help).fatal());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        loop {
            let (line, texts) = match table.next() {
                Ok(Some(Line::Fields(line, record))) => (
                    line,
                    places.map(|place| place.map_or(String::new(), |place| record.get(place).to_owned())),
                ),
                Ok(Some(Line::Bad(problem, _))) => {
                    self.problems.push(problem);
                    continue;
                }
                Ok(None) => return Ok(()),
                Err(problem) => {
                    self.problems.push(*problem);
                    return Ok(());
                }
            };
            self.row(line, &texts);
        }
    }

    fn jsonl(&mut self, source: Source) {
        let mut text = BufReader::new(source.text);
        for number in 1.. {
            let mut line = Vec::new();
            let most = RECORD_BYTES_MAX as u64 + 1;
            let wrong = |kind, message: String| Problem::new(&self.file, number, kind, message);
            match text.by_ref().take(most).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(read) if read as u64 == most => {
                    let message = format!("the line is longer than {RECORD_BYTES_MAX} bytes");
                    self.problems.push(wrong(ProblemKind::BrokenJson, message).fatal());
                    return;
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => match serde_json::from_slice::<Map<String, Value>>(&line) {
                    Ok(object) => {
                        let texts = CHANNEL_COLUMNS.map(|column| {
                            let found = object.iter().find(|(name, _)| same(name, column));
                            match found.map(|(_, value)| value) {
                                None | Some(Value::Null) => String::new(),
                                Some(Value::String(text)) => text.clone(),
                                Some(other) => other.to_string(),
                            }
                        });
                        self.row(number, &texts);
                    }
                    Err(error) => {
                        let text = String::from_utf8_lossy(&line);
                        let ParseError { kind, message, help } = explain(text.trim_end(), &error);
                        let mut problem = wrong(kind, message);
                        problem.help = help;
                        self.problems.push(problem);
                    }
                },
                Err(error) => {
                    self.problems.push(wrong(ProblemKind::UnreadableFile, error.to_string()).fatal());
                    return;
                }
            }
        }
    }

    fn row(&mut self, line: u64, texts: &[String; 6]) {
        let [name, display_name, space_type, create_time, description, external] = texts;
        let before = self.problems.total();
        let file = Arc::clone(&self.file);
        let wrong = |column: &'static str, kind, message: String| {
            Problem::new(&file, line, kind, message).column(column)
        };
        if name.is_empty() {
            self.problems.push(wrong("name", ProblemKind::MissingValue, "it is empty".to_owned()));
        } else if let Some(first) = self.names.insert(name.clone(), line) {
            let message = format!("it stands on line {first} already");
            self.problems.push(
                wrong("name", ProblemKind::MapConflict, message)
                    .value(name)
                    .help("each channel becomes one space"),
            );
        }
        let space_type = if space_type.is_empty() { "SPACE" } else { space_type };
        if !["SPACE", "GROUP_CHAT"].contains(&space_type) {
            let message = "it is neither SPACE nor GROUP_CHAT, which are all that can be imported into";
            self.problems
                .push(wrong("spaceType", ProblemKind::BadSpace, message.to_owned()).value(space_type));
        }
        let display_name = match (display_name.trim(), space_type) {
            ("", "SPACE") => name.trim(),
            (text, _) => text,
        };
        if display_name.chars().count() > DISPLAY_NAME_CHARS_MAX {
            let message = format!(
                "it has {} characters, and Chat takes {DISPLAY_NAME_CHARS_MAX}",
                display_name.chars().count()
            );
            self.problems.push(
                wrong("displayName", ProblemKind::BadSpace, message).value(display_name).help("shorten it"),
            );
        }
        let create_time = match create_time.trim() {
            "" => None,
            text => match Timestamp::parse(text, None) {
                Ok(time) if time < EARLIEST || time > self.now => {
                    let message = format!("it is not between {EARLIEST} and now");
                    self.problems.push(wrong("createTime", ProblemKind::BadTime, message).value(text));
                    None
                }
                Ok(time) => Some(time),
                Err(error) => {
                    self.problems
                        .push(wrong("createTime", ProblemKind::BadTime, error.to_string()).value(text));
                    None
                }
            },
        };
        let external_user_allowed = match external.trim().to_ascii_lowercase().as_str() {
            "" | "false" | "0" | "no" => false,
            "true" | "1" | "yes" => true,
            _ => {
                let message = "it is neither true nor false".to_owned();
                self.problems
                    .push(wrong("externalUserAllowed", ProblemKind::WrongType, message).value(external));
                false
            }
        };
        if self.problems.total() > before {
            return;
        }
        self.channels.push((
            line,
            Channel {
                name: name.clone(),
                display_name: display_name.to_owned(),
                space_type: space_type.to_owned(),
                create_time,
                description: Some(description.trim().to_owned()).filter(|text| !text.is_empty()),
                external_user_allowed,
            },
        ));
    }

    fn end(mut self) -> Result<Vec<(u64, Channel)>, Problems> {
        if self.channels.is_empty() && self.problems.is_empty() {
            let problem = Problem::new(&self.file, 0, ProblemKind::NoRows, "there is no channel in it");
            self.problems.push(problem.fatal());
        }
        if self.problems.is_empty() { Ok(self.channels) } else { Err(self.problems) }
    }
}

/// Whether a header names a column, in Google's spelling or in snake_case.
fn same(name: &str, column: &str) -> bool {
    name == column || name.replace('_', "").eq_ignore_ascii_case(column) && name.contains('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<(u64, Channel)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_channels(&path, Timestamp::parse("2026-01-01T00:00:00Z", None).unwrap())
            .map_err(|problems| problems.render())
    }

    #[test]
    fn csv_and_jsonl_say_the_same() {
        let csv = "name;display_name;createTime;externalUserAllowed;topic\n#sales;Sales;2020-01-01T00:00:00Z;true;x\n";
        let json = "{\"name\":\"#sales\",\"displayName\":\"Sales\",\"createTime\":\"2020-01-01T00:00:00Z\",\"externalUserAllowed\":true}\n";
        let channels = read("c.csv", csv).unwrap();
        assert_eq!(channels[0].1.display_name, "Sales");
        assert!(channels[0].1.external_user_allowed);
        assert_eq!(channels[0].1.space_type, "SPACE");
        assert_eq!(read("c.jsonl", json).unwrap()[0].1, channels[0].1);
    }

    #[test]
    fn everything_wrong_is_said() {
        let text = "name,displayName,spaceType,createTime,externalUserAllowed\n\
                    a,,DIRECT_MESSAGE,1999-01-01T00:00:00Z,maybe\na,,,,\n";
        let problems = read("c.csv", text).unwrap_err();
        for part in ["DIRECT_MESSAGE", "1999", "maybe", "line 2 already"] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
        assert!(read("c.csv", "name\n").unwrap_err().contains("no channel"));
        assert!(read("c.csv", "titel\nx\n").unwrap_err().contains("no column named name"));
    }
}
