//! Ends a text that has no end of its own worth reading: an archive of a few bytes that unpacks to gigabytes, and blank
//! lines without end.
//!
//! A file that is read as it stands needs no bound: it takes as long as its size tells, and memory does not grow with it.
//! An archive's size tells nothing, and what it unpacks to may end up in the journal, row by row. So it is held against
//! the bytes read of it. Blank lines yield no row, and whoever waits for one could not be interrupted.

use std::io::{self, Read};

use super::fault::Fault;
use super::guard::RECORD_BYTES_MAX;
use super::problem::ProblemKind;
use super::source::Progress;

/// How many bytes of text a byte of an archive may yield. Rows shrink to a tenth or a thirtieth; gzip allows a thousand,
/// zstd any number.
const RATIO_MAX: u64 = 200;

/// Bytes of text that any archive may yield.
const FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Passes a text through as long as it is within bounds.
pub(super) struct Bounded<R> {
    inner: R,
    /// How far the archive is read; `None` for what is none.
    archive: Option<Progress>,
    text_bytes: u64,
    /// Bytes since the last one that is no blank.
    blank_bytes: usize,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R, archive: Option<Progress>) -> Self {
        Bounded { inner, archive, text_bytes: 0, blank_bytes: 0 }
    }

    fn check(&self) -> Result<(), Fault> {
        let swollen = |archive: &Progress| self.text_bytes > FREE_BYTES + RATIO_MAX * archive.bytes_read();
        if self.archive.as_ref().is_some_and(swollen) {
            return Err(Fault::whole_file(
                ProblemKind::EndlessText,
                format!(
                    "the archive unpacks to more than {RATIO_MAX} times its size, which no table of rows does"
                ),
                "look into it, e.g. with zcat FILE | head; if it is sound, unpack it and give the text itself",
            ));
        }
        if self.blank_bytes > RECORD_BYTES_MAX {
            return Err(Fault::whole_file(
                ProblemKind::EndlessText,
                "it has nothing but blanks and blank lines for 1 MiB",
                "did the export finish? delete the blank lines",
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.text_bytes += count as u64;
        match buffer[..count].iter().rposition(|byte| !byte.is_ascii_whitespace()) {
            Some(last) => self.blank_bytes = count - last - 1,
            None => self.blank_bytes += count,
        }
        self.check().map_err(Fault::into_io)?;
        Ok(count)
    }
}
