//! Files that are written whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

/// Puts a file in the place of what is there, readable by its owner alone. Whoever reads it meets the one or the other.
///
/// # Errors
/// Then what was there is there still.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays, and leads to the new file.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
