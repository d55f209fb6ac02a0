//! Files that hold keys or addresses: for their owner's eyes only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::EmulatorError;

/// Opens a file with mode 0600, whatever mode it had.
pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Writes a whole file, mode 0600.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), EmulatorError> {
    let written = open_private(OpenOptions::new().write(true).create(true).truncate(true), path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| EmulatorError::Write { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_whatever_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        std::fs::write(&path, "old and longer than nothing").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let error = write_private(folder.path(), "new").unwrap_err().to_string();
        assert!(error.starts_with("cannot write "), "{error}");
    }
}
