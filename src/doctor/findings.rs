//! What a probe has found out: how Google's Chat does what Google does not document.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::wording::{many, trouble};

/// Where findings are kept: in the working folder, where `check` and `import` look for them.
pub const FINDINGS_FILE: &str = "tenure.probe.json";

/// What came of a second stint of one member in one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Second {
    /// It stands beside the first.
    Kept,
    /// It was refused.
    Refused,
    /// It was accepted, and the first is gone.
    ReplacesTheFirst,
    /// It was accepted, and is not to be seen.
    Lost,
    /// It was accepted, and no list tells what became of it.
    Untold,
}

/// What came of the same create, made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// It was refused.
    Refused,
    /// It was accepted, and made nothing new.
    Same,
    /// It made a second membership.
    Doubled,
    /// It was accepted, and no list tells what became of it.
    Untold,
}

/// What one probe has found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// The Chat API that was asked.
    pub endpoint: String,
    /// When (RFC 3339).
    pub probed_at: String,
    /// A second stint.
    pub second_stint: Second,
    /// Its refusal, as Chat put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_stint_answer: Option<String>,
    /// A repeated create.
    pub repeated_create: Repeat,
    /// Its refusal, as Chat put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated_create_answer: Option<String>,
    /// Whether `members.list` shows historical memberships.
    pub list_shows_history: bool,
    /// Whether it shows their times as they were given.
    pub list_echoes_times: bool,
    /// Whether the answer to `members.create` does.
    pub create_echoes_times: bool,
    /// Whether the answer to `spaces.create` has `importModeExpireTime`.
    pub expire_time_told: bool,
}

/// Findings that cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// The file.
    #[error("{path}: {story}", path = .path.display(), story = trouble(.error))]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// What is in it.
    #[error("{path}: this is not what `tenure doctor --probe` wrote ({story}); remove it, and probe again", path = .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        story: String,
    },
}

impl Findings {
    /// Reads findings, if there are any.
    ///
    /// # Errors
    /// When there is a file and it cannot be read.
    pub fn read(path: &Path) -> Result<Option<Findings>, FindingsError> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| FindingsError::Content { path: path.to_owned(), story: error.to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FindingsError::File { path: path.to_owned(), error }),
        }
    }

    /// Keeps them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), FindingsError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| FindingsError::Content { path: path.to_owned(), story: error.to_string() })?;
        fs::write(path, text + "\n").map_err(|error| FindingsError::File { path: path.to_owned(), error })
    }

    /// What they say, line by line.
    pub fn lines(&self) -> Vec<String> {
        let because = |answer: &Option<String>| {
            answer.as_ref().map(|answer| format!(" ({answer})")).unwrap_or_default()
        };
        let yes_no = |yes: bool, one: &str, other: &str| if yes { one } else { other }.to_owned();
        vec![
            match self.second_stint {
                Second::Kept => {
                    "a second stint of one member in one space is kept beside the first".to_owned()
                }
                Second::Refused => format!(
                    "a second stint of one member in one space is refused{}",
                    because(&self.second_stint_answer)
                ),
                Second::ReplacesTheFirst => {
                    "a second stint of one member in one space takes the place of the first, which is lost"
                        .to_owned()
                }
                Second::Lost => {
                    "a second stint of one member in one space is accepted, and not to be seen afterwards"
                        .to_owned()
                }
                Second::Untold => {
                    "a second stint of one member in one space is accepted; no list tells what becomes of it"
                        .to_owned()
                }
            },
            match self.repeated_create {
                Repeat::Refused => {
                    format!("a repeated create is refused{}", because(&self.repeated_create_answer))
                }
                Repeat::Same => "a repeated create is accepted and makes nothing new".to_owned(),
                Repeat::Untold => {
                    "a repeated create is accepted; no list tells what becomes of it".to_owned()
                }
                Repeat::Doubled => "a repeated create makes a second membership".to_owned(),
            },
            yes_no(
                self.list_shows_history,
                "members.list shows historical memberships",
                "members.list does not show historical memberships: a lost answer cannot be cleared up",
            ),
            yes_no(
                self.list_echoes_times,
                "it shows their times",
                "it does not show their times as they were given",
            ),
            yes_no(
                self.create_echoes_times,
                "members.create answers with the times",
                "members.create does not answer with the times",
            ),
            yes_no(
                self.expire_time_told,
                "spaces.create tells when import mode ends",
                "spaces.create does not tell when import mode ends: the 90 days count from the call",
            ),
        ]
    }

    /// What an input with several stints of one member should know before anything is sent; `members` is how many are
    /// concerned, `rows` how many of their rows are behind the first.
    pub fn on_stints(&self, members: u64, rows: u64) -> Option<String> {
        if members == 0 {
            return None;
        }
        let becomes = match self.second_stint {
            Second::Kept => return None,
            Second::Refused => "refuses such rows: they will be rejects",
            Second::ReplacesTheFirst => "drops the first stint when the second comes: history would be lost",
            Second::Untold => "accepts such rows, and no list tells what becomes of them",
            Second::Lost => "accepts such rows and does not show them: they would be lost",
        };
        let (who, these) =
            if members == 1 { ("member has", "this is") } else { ("members have", "these are") };
        Some(format!(
            "{members} {who} several stints in one space ({} behind the first); {these} in doubt: {} {becomes} (probed \
             {}); --stints merge sends one membership for them all",
            many(rows, "row"),
            self.endpoint,
            self.probed_at
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        Findings {
            endpoint: "https://chat.googleapis.com/".to_owned(),
            probed_at: "2026-11-24T12:00:00Z".to_owned(),
            second_stint: Second::Refused,
            second_stint_answer: Some("409 ALREADY_EXISTS".to_owned()),
            repeated_create: Repeat::Doubled,
            repeated_create_answer: None,
            list_shows_history: true,
            list_echoes_times: false,
            create_echoes_times: true,
            expire_time_told: false,
        }
    }

    #[test]
    fn they_read_back_and_say_what_they_mean() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FINDINGS_FILE);
        assert_eq!(Findings::read(&path).unwrap(), None);
        findings().write(&path).unwrap();
        assert_eq!(Findings::read(&path).unwrap(), Some(findings()));
        fs::write(&path, "{}").unwrap();
        assert!(Findings::read(&path).unwrap_err().to_string().contains("probe again"));
        let lines = findings().lines().join("\n");
        assert!(
            lines.contains("is refused (409 ALREADY_EXISTS)") && lines.contains("count from the call"),
            "{lines}"
        );
    }

    #[test]
    fn only_stints_that_are_in_doubt_are_spoken_of() {
        assert!(findings().on_stints(0, 0).is_none());
        assert!(findings().on_stints(2, 3).unwrap().contains("2 members have"));
        assert!(Findings { second_stint: Second::Kept, ..findings() }.on_stints(2, 3).is_none());
    }
}
