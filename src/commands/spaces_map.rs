//! The map from channels to spaces, which `tenure spaces create` writes and `import --spaces` takes. People add lines to it
//! by hand, so what is not this journal's stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Usage, whole};
use crate::input::disarmed;
use crate::journal::MadeSpace;
use crate::wording::{many, quoted, trouble};

/// The columns; those of earlier versions had no display names.
const COLUMNS: [&str; 5] = ["name", "space", "createTime", "importModeExpireTime", "displayName"];
const EARLIER_COLUMNS: usize = 4;

/// A map that may be there already, by its cells.
pub(super) struct SpacesMap {
    lines: Vec<Vec<String>>,
}

impl SpacesMap {
    /// Reads what is there.
    ///
    /// # Errors
    /// When it is no map of spaces, so that nothing else is ever written over.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let Ok(text) = fs::read_to_string(path) else { return Ok(SpacesMap { lines: Vec::new() }) };
        let header = text.lines().next().unwrap_or_default();
        if ![EARLIER_COLUMNS, COLUMNS.len()].iter().any(|columns| header == COLUMNS[..*columns].join(",")) {
            return Err(Usage(format!(
                "{} is there already, and no map of spaces: name another with --map",
                path.display()
            ))
            .into());
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let lines = reader.records().map(|line| Ok(line?.iter().map(str::to_owned).collect()));
        let lines = lines.collect::<Result<_, csv::Error>>().map_err(|error| {
            Usage(format!("{}: {error}: mend the map, or name another with --map", path.display()))
        })?;
        Ok(SpacesMap { lines })
    }

    /// Says whether channels that no journal knows have spaces here already: they are another list's, or the journal that
    /// made them is not at hand, and each would get a second space.
    ///
    /// # Errors
    /// When there are some.
    pub(super) fn expect_new<'a>(
        &self,
        path: &Path,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), Usage> {
        let mapped: BTreeMap<&str, &str> = self
            .lines
            .iter()
            .filter_map(|line| Some((line.first()?.as_str(), line.get(1)?.as_str())))
            .collect();
        let taken: Vec<(&str, &str)> =
            names.filter_map(|name| Some((name, *mapped.get(disarmed(name).as_str())?))).collect();
        let Some((name, space)) = taken.first() else { return Ok(()) };
        let path = quoted(&path.display().to_string());
        Err(Usage(format!(
            "{path} has a space for {} already, first {space} for {name:?}, and the journal of this list is not here: with \
             --journal FILE name the one that made {}; if other spaces are wanted, name another map with --map",
            many(taken.len() as u64, "channel"),
            if taken.len() == 1 { "it" } else { "them" },
        )))
    }

    /// Writes the spaces that were made, and behind them what else was there; whole or not at all. Gives the names whose
    /// lines tell of another space than the one that was made; they are left as they were.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub(super) fn write(mut self, path: &Path, made: &[MadeSpace]) -> anyhow::Result<Vec<String>> {
        let mut other = Vec::new();
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        csv.write_record(COLUMNS)?;
        for space in made {
            let name = disarmed(&space.name);
            let place = self.lines.iter().position(|line| line.first() == Some(&name));
            match place.map(|place| self.lines.remove(place)) {
                Some(line) if line.get(1).is_some_and(|told| told != space.space.as_str()) => {
                    other.push(space.name.clone());
                    csv.write_record(padded(line))?;
                }
                _ => {
                    let create = space.create_time.map(|time| time.to_string()).unwrap_or_default();
                    csv.write_record([
                        name.as_str(),
                        space.space.as_str(),
                        &create,
                        &space.expire_time.to_string(),
                        disarmed(&space.display_name).as_str(),
                    ])?;
                }
            }
        }
        for line in self.lines {
            csv.write_record(padded(line))?;
        }
        let failed = |error: std::io::Error| {
            anyhow::anyhow!("{}: {}; run it again to write the map", path.display(), trouble(&error))
        };
        whole::replace(path, &csv.into_inner()?).map_err(failed)?;
        Ok(other)
    }
}

fn padded(mut line: Vec<String>) -> Vec<String> {
    line.resize(line.len().max(COLUMNS.len()), String::new());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpaceName, Timestamp};

    fn made(name: &str, space: &str) -> MadeSpace {
        MadeSpace {
            name: name.to_owned(),
            display_name: name.to_owned(),
            space: SpaceName::parse(space).unwrap(),
            create_time: None,
            expire_time: Timestamp::from_micros(1_700_000_000_000_000),
        }
    }

    #[test]
    fn lines_that_were_added_by_hand_stay() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("m.spaces.csv");
        SpacesMap::read(&path).unwrap().write(&path, &[made("=a", "AAA")]).unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("by hand,spaces/HHH\nb,spaces/OTHER\n");
        fs::write(&path, &text).unwrap();
        let map = SpacesMap::read(&path).unwrap();
        let refused = map.expect_new(&path, ["c", "=a"].into_iter()).unwrap_err().to_string();
        assert!(refused.contains("a space for 1 channel already, first spaces/AAA for \"=a\""), "{refused}");
        let other = map.write(&path, &[made("=a", "AAA"), made("b", "BBB"), made("c", "CCC")]).unwrap();
        assert_eq!(other, ["b"]);
        let text = fs::read_to_string(&path).unwrap();
        let spaces: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(spaces, ["spaces/AAA", "spaces/OTHER", "spaces/CCC", "spaces/HHH"], "{text}");
        assert!(
            text.starts_with("name,space,createTime,importModeExpireTime,displayName\n'=a,spaces/AAA,"),
            "{text}"
        );
    }
}
