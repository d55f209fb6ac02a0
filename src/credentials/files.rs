//! Files with secrets in them: how they are read, written and guarded.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::CredentialError;
use super::error::Wanted;

pub(super) fn read(path: &Path, what: Wanted) -> Result<String, CredentialError> {
    fs::read_to_string(path).map_err(|error| CredentialError::Unread { path: path.to_owned(), what, error })
}

/// A file that only its owner will be able to read, before anything is in it.
pub(super) struct Private {
    file: fs::File,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Private {
    /// Makes sure that there can be such a file; what is there of that name stays until it is replaced.
    pub(super) fn begin(path: &Path) -> Result<Private, CredentialError> {
        let at = |error| CredentialError::File { path: path.to_owned(), error };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at)?;
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Left by a sign-in that was cut off; with another mode perhaps.
        let _ = fs::remove_file(&unfinished);
        let file = options.open(&unfinished).map_err(at)?;
        Ok(Private { file, unfinished, path: path.to_owned() })
    }

    /// Puts the text in, whole or not at all.
    pub(super) fn finish(mut self, text: &str) -> Result<(), CredentialError> {
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.unfinished, &self.path));
        written.map_err(|error| CredentialError::File { path: self.path.clone(), error })
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Not there any more when it was finished.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// What is wrong with a file's mode, if others on this machine can read it.
pub(super) fn warning(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let name = crate::wording::quoted(&path.display().to_string());
            return Some(format!(
                "{} can be read by others on this machine (mode {mode:03o}): chmod 600 {name}",
                path.display()
            ));
        }
    }
    None
}
