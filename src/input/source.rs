//! From a path to UTF-8 text: opens, decompresses, decodes. Streams: nothing is held but small buffers.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::bounds::Bounded;
use super::fault::Fault;
use super::problem::{Problem, ProblemKind};
use super::secret::Discreet;
use super::utf16::Utf16Reader;
use super::zstd::ZstdReader;
use crate::wording::quoted;

/// Bytes of the buffers between the layers.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Byte order marks at the beginning that are passed over: programs that copy texts have put in some of their own.
const MARKS_MAX: usize = 16;

/// How a database of SQLite begins (its file format, 1.3): a journal is one.
const DATABASE: &[u8; 16] = b"SQLite format 3\0";

/// How problems call standard input.
pub const STDIN: &str = "<stdin>";

/// How far the reading of a source is. Cheap to clone and to ask from another thread.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// Bytes taken from the file or pipe so far, as stored (compressed when it is compressed).
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes in the file; `None` for pipes and the like.
    pub fn bytes_total(&self) -> Option<u64> {
        self.total
    }
}

/// An opened input: a stream of UTF-8 text (unless the file's bytes are not) without byte order mark.
pub struct Source {
    pub(super) file: Arc<str>,
    pub(super) text: Peeked,
    progress: Progress,
}

impl Source {
    /// Opens a file, or standard input for `-`. gzip and zstd are recognised by their first bytes, whatever the name.
    ///
    /// # Errors
    /// When there is nothing to read: no such file, a folder, no permission, empty, a broken archive, no text.
    pub fn open(path: &Path) -> Result<Self, Box<Problem>> {
        if path.as_os_str() == "-" {
            return Source::from_reader(STDIN, io::stdin());
        }
        let name: Arc<str> = path.to_string_lossy().into();
        let refused = |error: &io::Error| {
            let problem = |kind, message: String| Problem::new(&name, 0, kind, message).fatal();
            Box::new(match error.kind() {
                io::ErrorKind::NotFound => {
                    problem(ProblemKind::MissingFile, "there is no such file".to_owned())
                        .help("check the path; relative paths start in the current folder")
                }
                io::ErrorKind::PermissionDenied => {
                    problem(ProblemKind::UnreadableFile, "you have no permission to read it".to_owned())
                        .help("ask its owner, or see the file's mode with ls -l")
                }
                _ => problem(ProblemKind::UnreadableFile, format!("it cannot be opened: {error}")),
            })
        };
        let file = File::open(path).map_err(|error| refused(&error))?;
        let meta = file.metadata().map_err(|error| refused(&error))?;
        if meta.is_dir() {
            let problem = Problem::new(&name, 0, ProblemKind::IsAFolder, "it is a folder, not a file");
            return Err(Box::new(problem.help("name the files in it, e.g. FOLDER/*.csv").fatal()));
        }
        Source::with_total(name, file, meta.is_file().then_some(meta.len()))
    }

    /// Reads from anything; `name` is what problems call it, and what tells the format.
    ///
    /// # Errors
    /// As [`Source::open`], from the first bytes on.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<Self, Box<Problem>> {
        Source::with_total(name.into(), reader, None)
    }

    fn with_total(
        file: Arc<str>,
        reader: impl Read + Send + 'static,
        total: Option<u64>,
    ) -> Result<Self, Box<Problem>> {
        let progress = Progress { read: Arc::default(), total };
        let mut stored = Peeked::new(Box::new(Counted { inner: reader, read: Arc::clone(&progress.read) }));
        match stored.peek(DATABASE.len()) {
            Ok(head) if head == DATABASE => return Err(Box::new(database(&file))),
            Ok(_) => {}
            Err(error) => return Err(Box::new(Fault::of(error).problem(&file))),
        }
        match to_text(stored, &progress) {
            Ok(text) => Ok(Source { file, text, progress }),
            Err(error) => Err(Box::new(Fault::of(error).problem(&file))),
        }
    }

    /// What problems call it.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// How far its reading is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// What to say of a journal that was named for an input.
fn database(file: &Arc<str>) -> Problem {
    let name = quoted(file);
    Problem::new(file, 0, ProblemKind::NotText, "it is a journal, or another database of SQLite, and no table of rows")
        .help(format!(
            "a journal holds its rows already: `tenure resume {name}` goes on with them, `tenure status {name}` says where they \
             stand"
        ))
        .fatal()
}

fn to_text(mut stored: Peeked, progress: &Progress) -> io::Result<Peeked> {
    let magic = stored.peek(4)?;
    let mut archive = Some(progress.clone());
    let mut bytes = match magic {
        [0x1f, 0x8b, ..] => Peeked::new(Box::new(Archive {
            inner: MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, stored)),
            name: "gzip",
        })),
        // A frame, or one of the sixteen kinds of skippable frame (RFC 8878, 3.1).
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let zstd = ZstdReader::new(BufReader::with_capacity(BUFFER_BYTES, stored));
            Peeked::new(Box::new(Archive { inner: zstd, name: "zstd" }))
        }
        [b'P', b'K', 3, 4] => {
            return Err(Fault::whole_file(
                ProblemKind::NotText,
                "it is a ZIP archive or an Excel workbook",
                "unpack it, or save the sheet as CSV UTF-8",
            )
            .into_io());
        }
        _ => {
            archive = None;
            stored
        }
    };
    let text = match bytes.peek(2)? {
        [0xff, 0xfe] => Peeked::new(Box::new(Utf16Reader::new(bytes, false))),
        [0xfe, 0xff] => Peeked::new(Box::new(Utf16Reader::new(bytes, true))),
        [0, _] | [_, 0] => {
            return Err(Fault::whole_file(
                ProblemKind::NotText,
                "it begins with NUL bytes: UTF-16 without a byte order mark, or no text at all",
                "save it as UTF-8",
            )
            .into_io());
        }
        _ => bytes,
    };
    let mut text = Peeked::new(Box::new(Discreet::new(Bounded::new(text, archive))));
    // The csv crate would skip a BOM by itself, unseen by the guard in front of it: none may be left.
    for _ in 0..MARKS_MAX {
        if text.peek(3)? != "\u{feff}".as_bytes() {
            break;
        }
        text.skip(3);
    }
    if text.peek(3)? == "\u{feff}".as_bytes() {
        return Err(Fault::whole_file(
            ProblemKind::NotText,
            format!("it begins with more than {MARKS_MAX} byte order marks"),
            "was it put together from many files? save it as UTF-8 with one mark, or with none",
        )
        .into_io());
    }
    if text.peek(1)?.is_empty() {
        return Err(Fault::whole_file(
            ProblemKind::EmptyFile,
            "it is empty",
            "check that the export finished",
        )
        .into_io());
    }
    Ok(text)
}

/// Counts what is read, and marks the errors of file or pipe, so that a decoder's own errors can be told from them.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.read.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(Fault::of(error).into_io()),
        }
    }
}

/// Turns whatever a decoder complains of into a broken archive.
struct Archive<R> {
    inner: R,
    name: &'static str,
}

impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let from_below = error.get_ref().is_some_and(|inner| inner.is::<Fault>());
            if from_below || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let message = if error.kind() == io::ErrorKind::UnexpectedEof {
                format!("the {} archive is cut off", self.name)
            } else {
                format!("the {} archive is damaged: {error}", self.name)
            };
            let help = "copy or export it again, and compare its size with the original's";
            Fault::whole_file(ProblemKind::BrokenArchive, message, help).into_io()
        })
    }
}

/// A reader whose next bytes can be looked at before they are taken.
pub(super) struct Peeked {
    head: Vec<u8>,
    taken: usize,
    rest: Box<dyn Read + Send>,
}

impl Peeked {
    pub(super) fn new(rest: Box<dyn Read + Send>) -> Self {
        Peeked { head: Vec::new(), taken: 0, rest }
    }

    /// The next `count` bytes, fewer only at the end of the input.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let missing = count.saturating_sub(self.head.len() - self.taken);
        if missing > 0 {
            Read::by_ref(&mut self.rest).take(missing as u64).read_to_end(&mut self.head)?;
        }
        let end = self.head.len().min(self.taken + count);
        Ok(&self.head[self.taken..end])
    }

    fn skip(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.head.len());
    }
}

impl Read for Peeked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut head = &self.head[self.taken..];
        if head.is_empty() {
            self.head = Vec::new();
            self.taken = 0;
            return self.rest.read(buffer);
        }
        let count = head.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
