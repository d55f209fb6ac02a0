//! With which options a journal's input was read: without them the same lines are other rows.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use super::Usage;
use crate::cli::{ImportArgs, InputTimeFormat, ReadArgs};
use crate::input::SpaceMap;
use crate::intake::{shown, source_name};
use crate::journal::{Journal, JournalError};
use crate::wording::quoted;

/// What was given, as it was typed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ReadWith {
    #[serde(skip_serializing_if = "Option::is_none")]
    spaces: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
}

impl ReadWith {
    pub(super) fn of(args: &ReadArgs) -> Self {
        let format = Some(args.time_format).filter(|format| *format != InputTimeFormat::Rfc3339);
        ReadWith {
            spaces: args.spaces.clone(),
            users: args.users.clone(),
            time_format: format.and_then(|format| Some(format.to_possible_value()?.get_name().to_owned())),
            timezone: args.timezone.as_ref().and_then(|zone| zone.iana_name().map(str::to_owned)),
        }
    }

    /// What a journal knows of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn kept(journal: &Journal) -> Result<Self, JournalError> {
        let known = journal.read_with()?;
        Ok(known.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    /// The map of spaces, if it is still to be found.
    pub(super) fn space_map(&self) -> Option<SpaceMap> {
        SpaceMap::open(self.spaces.as_deref()?).ok()
    }

    /// Keeps it for the next reading.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, journal: &mut Journal) -> Result<(), JournalError> {
        if *self == ReadWith::default() {
            return Ok(());
        }
        let json = serde_json::to_string(self).map_err(|error| JournalError::Content(error.to_string()))?;
        journal.note_read_with(&json)
    }

    /// The options, as they are to be typed again, each behind a blank.
    pub(super) fn options(&self) -> String {
        let file = |path: &Option<PathBuf>| path.as_ref().map(|path| quoted(&path.display().to_string()));
        let all = [
            ("--spaces", file(&self.spaces)),
            ("--users", file(&self.users)),
            ("--time-format", self.time_format.clone()),
            ("--timezone", self.timezone.clone()),
        ];
        all.into_iter().filter_map(|(option, value)| Some(format!(" {option} {}", value?))).collect()
    }
}

/// Says whether the journal that is there already goes with what is to be read now.
///
/// # Errors
/// When it is another input's, taken only because the files have the same name, or when a map that its input was read
/// with is missing.
pub(super) fn expect_same(journal: &Journal, args: &ImportArgs, path: &Path) -> anyhow::Result<()> {
    let at = |error: JournalError| error.at(path);
    let sources = journal.layouts().map_err(at)?;
    let name = quoted(&path.display().to_string());
    if let ([input], None, [(first, _), ..]) =
        (args.input.inputs.as_slice(), &args.journal, sources.as_slice())
    {
        let input = source_name(input);
        if sources.iter().all(|(source, _)| *source != input) {
            return Err(Usage(format!(
                "{name} is there already, and has the rows of {}, not of {}: name another journal with --journal FILE; if \
                 all of them belong together, say --journal {name}",
                quoted(&shown(first)),
                quoted(&shown(&input)),
            ))
            .into());
        }
    }
    let kept = ReadWith::kept(journal).map_err(at)?;
    let read = &args.input.read;
    let maps = [
        ("--spaces", &kept.spaces, &read.spaces, "spaces/{id}"),
        ("--users", &kept.users, &read.users, "an address or users/{id}"),
    ];
    for (option, before, now, full) in maps {
        if let (Some(map), None) = (before, now) {
            return Err(Usage(format!(
                "the input of {name} was read with {option} {map} before, and without it the same lines are other rows: \
                 give it again; lines that have {full} need nothing in it",
                map = quoted(&map.display().to_string()),
            ))
            .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_typed_again() {
        let read = ReadWith {
            spaces: Some("my map.csv".into()),
            users: None,
            time_format: Some("epoch-s".to_owned()),
            timezone: None,
        };
        assert_eq!(read.options(), " --spaces 'my map.csv' --time-format epoch-s");
        let mut journal = Journal::scratch("emulator", crate::model::Timestamp::now()).unwrap();
        assert_eq!(ReadWith::kept(&journal).unwrap(), ReadWith::default());
        read.keep(&mut journal).unwrap();
        ReadWith::default().keep(&mut journal).unwrap();
        assert_eq!(ReadWith::kept(&journal).unwrap(), read);
    }
}
