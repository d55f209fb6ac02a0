//! What Chat holds, kept in a file: a log with one change a line, in JSON, that only ever grows.
//!
//! The lines of a request are written with one `write` before its answer leaves, so that killing the process
//! loses nothing that anybody was told. A last line without its end was never answered for: it is cut off.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::files::open_private;
use super::world::{Change, ChangeError, World};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, read, cut or written.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The store.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another emulator", path = path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// A line that is no change.
    #[error("{path}:{line}: this is no entry of an emulator's store: {error}", path = path.display())]
    Unreadable {
        /// The store.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        error: String,
    },
    /// A line that does not follow from those before it.
    #[error("{path}:{line}: {error}", path = path.display())]
    DoesNotFit {
        /// The store.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What it lacks.
        error: ChangeError,
    },
    /// An earlier write failed half-way; what the file holds is behind what Chat holds.
    #[error("{path}: an earlier write failed", path = path.display())]
    Broken {
        /// The store.
        path: PathBuf,
    },
}

/// An open log. One process at a time.
#[derive(Debug)]
pub struct Store {
    file: File,
    path: PathBuf,
    lines: Vec<u8>,
    broken: bool,
}

impl Store {
    /// Opens or makes the file (mode 0600) and replays it into `world`.
    ///
    /// # Errors
    /// When another process has it, or it holds anything but whole changes and perhaps a torn last line.
    pub fn open(path: &Path, world: &mut World) -> Result<Store, StoreError> {
        let io = |error| StoreError::Io { path: path.to_owned(), error };
        let file = open_private(OpenOptions::new().read(true).append(true).create(true), path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let mut reader = BufReader::new(&file);
        let mut text = Vec::new();
        let mut whole_bytes = 0;
        for line in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(io)?;
            if length == 0 {
                break;
            }
            if text.last() != Some(&b'\n') {
                file.set_len(whole_bytes).map_err(io)?;
                break;
            }
            whole_bytes += length as u64;
            let change: Change = serde_json::from_slice(&text).map_err(|error| StoreError::Unreadable {
                path: path.to_owned(),
                line,
                error: error.to_string(),
            })?;
            world.replay(&change).map_err(|error| StoreError::DoesNotFit {
                path: path.to_owned(),
                line,
                error,
            })?;
        }
        Ok(Store { file, path: path.to_owned(), lines: Vec::new(), broken: false })
    }

    /// Appends changes, all with one write. After a failure nothing more is taken: the world has moved on.
    ///
    /// # Errors
    /// When they are not written.
    pub fn append(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::Broken { path: self.path.clone() });
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.lines.clear();
        let mut written = Ok(());
        for change in changes {
            written = written.and(serde_json::to_writer(&mut self.lines, change).map_err(io::Error::from));
            self.lines.push(b'\n');
        }
        written.and_then(|()| self.file.write_all(&self.lines)).map_err(|error| {
            self.broken = true;
            StoreError::Io { path: self.path.clone(), error }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::Rules;
    use super::*;
    use crate::model::{SpaceName, Timestamp};

    fn world() -> World {
        World::new(Rules::default())
    }

    fn space(world: &mut World, name: &str) -> Change {
        world
            .ensure_space(&SpaceName::parse(name).unwrap(), Timestamp::from_micros(1_700_000_000_000_000))
            .unwrap()
    }

    #[test]
    fn what_was_written_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat");
        let mut before = world();
        let mut store = Store::open(&path, &mut before).unwrap();
        assert!(matches!(Store::open(&path, &mut world()), Err(StoreError::InUse { .. })));
        let changes = [space(&mut before, "A"), space(&mut before, "B")];
        store.append(&changes).unwrap();
        let membership = r#"{"membership":{"name":"spaces/A/members/7","member":"users/7","address":"jürgen@example.com","role":"ROLE_MEMBER","createTime":"2020-01-01T00:00:00Z","deleteTime":"2021-01-01T00:00:00.000001Z"}}"#;
        let change: Change = serde_json::from_str(membership).unwrap();
        before.replay(&change).unwrap();
        store.append(&[change]).unwrap();
        drop(store);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().last(), Some(membership), "the format is pinned");
        let mut after = world();
        let store = Store::open(&path, &mut after).unwrap();
        assert_eq!(after, before);
        drop(store);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_torn_last_line_is_cut_off_wherever_it_tore() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat");
        let mut first = world();
        let one = serde_json::to_string(&space(&mut first, "A")).unwrap() + "\n";
        let mut both = world();
        both.replay(&serde_json::from_str(&one).unwrap()).unwrap();
        let two = serde_json::to_string(&space(&mut both, "B")).unwrap() + "\n";
        for cut in 0..=two.len() {
            std::fs::write(&path, format!("{one}{}", &two[..cut])).unwrap();
            let mut read = world();
            let mut store = Store::open(&path, &mut read).unwrap();
            assert_eq!(read, if cut == two.len() { both.clone() } else { first.clone() }, "{cut}");
            let third = space(&mut read, "C");
            store.append(&[third]).unwrap();
            drop(store);
            let mut again = world();
            drop(Store::open(&path, &mut again).unwrap());
            assert_eq!(again, read);
        }
    }

    #[test]
    fn anything_else_is_an_error_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat");
        let good = serde_json::to_string(&space(&mut world(), "A")).unwrap();
        for (line, part) in [
            ("rubbish", "chat:2: this is no entry"),
            (r#"{"deletedSpace":"spaces/B"}"#, "chat:2: there is no space spaces/B"),
            (r#"{"deletedMembership":"spaces/A/members/7"}"#, "chat:2: there is no membership"),
            (r#"{"deletedMembership":"7"}"#, "chat:2: \"7\" is not a membership's name"),
            (r#"{"space":{"name":"spaces/B"}}"#, "chat:2: this is no entry"),
            (r#"{"newer":1}"#, "chat:2: this is no entry"),
            ("", "chat:2: this is no entry"),
        ] {
            std::fs::write(&path, format!("{good}\n{line}\n")).unwrap();
            let error = Store::open(&path, &mut world()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = Store::open(folder.path(), &mut world()).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
    }
}
