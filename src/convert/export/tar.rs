//! Archives of tar, packed or not: what is in one, and its files one after the other. Nothing of them is held, and a file
//! before the last one read means to begin from the front.
//!
//! The formats: ustar and pax (POSIX.1-2017, `pax`), and long names and large sizes as GNU's tar writes them.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

/// Bytes of a block: everything begins at a multiple of them.
const BLOCK: u64 = 512;

/// Bytes of what extends a header, at most: a path and some times.
const EXTENSION_BYTES_MAX: u64 = 1024 * 1024;

/// Where the magic stands in a header.
const MAGIC: std::ops::Range<usize> = 257..263;

/// What an archive lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it stands there.
    pub(super) path: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Where its content begins, in bytes of the unpacked archive.
    pub(super) offset: u64,
    /// Bytes of content.
    pub(super) bytes: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, a device, or a file with holes.
    Other,
}

/// How a file that begins like this is packed, if it can be an archive of tar.
pub(super) fn packing(beginning: &[u8]) -> Option<Packing> {
    if beginning.starts_with(b"\x1f\x8b") {
        Some(Packing::Gzip)
    } else if beginning.get(MAGIC).is_some_and(|magic| magic.starts_with(b"ustar")) {
        Some(Packing::Plain)
    } else {
        None
    }
}

/// Whether a file that is packed so is an archive of tar, as far as its first block tells. What cannot be unpacked may be
/// one, and is refused where it is listed.
pub(super) fn begins(path: &Path, packing: Packing) -> bool {
    let mut block = Vec::new();
    let read = Stream::open(path, packing).and_then(|stream| stream.take(BLOCK).read_to_end(&mut block));
    packing == Packing::Plain || read.is_err() || Header::read(&mut block.as_slice(), 0).is_ok()
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Plain,
}

/// An archive that is read from the front, and from the front again.
pub(super) struct Stream {
    path: PathBuf,
    packing: Packing,
    /// The unpacked bytes, from `at` on.
    reader: Box<dyn Read + Send>,
    at: u64,
}

impl Stream {
    pub(super) fn open(path: &Path, packing: Packing) -> io::Result<Self> {
        let file = BufReader::with_capacity(64 * 1024, File::open(path)?);
        let reader: Box<dyn Read + Send> = match packing {
            Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
            Packing::Plain => Box::new(file),
        };
        Ok(Stream { path: path.to_owned(), packing, reader, at: 0 })
    }

    /// The bytes of one of its files.
    pub(super) fn file(&mut self, offset: u64, bytes: u64) -> io::Result<impl Read> {
        if offset < self.at {
            *self = Stream::open(&self.path, self.packing)?;
        }
        let before = offset - self.at;
        skip(self, before)?;
        Ok(Exactly { left: bytes, inner: self })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A part of a stream, which has to be there.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut buffer[..wanted])?;
        self.left -= count as u64;
        if count == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within this file"));
        }
        Ok(count)
    }
}

fn skip(reader: &mut impl Read, bytes: u64) -> io::Result<()> {
    match io::copy(&mut reader.take(bytes), &mut io::sink())? == bytes {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a file")),
    }
}

/// Names everything that an archive lists, in its order, until `take` has had enough.
///
/// # Errors
/// When it is cut off or no archive: what was named until then is in it.
pub(super) fn list(mut reader: impl Read, mut take: impl FnMut(Entry) -> bool) -> io::Result<()> {
    let mut at = 0;
    let mut extended = Extended::default();
    while let Some(header) = Header::read(&mut reader, at)? {
        at += BLOCK;
        let bytes = extended.bytes.unwrap_or(header.bytes()?);
        let padded = bytes.checked_next_multiple_of(BLOCK).ok_or_else(|| damaged(at))?;
        match header.kind() {
            b'L' | b'x' => {
                if bytes > EXTENSION_BYTES_MAX {
                    return Err(damaged(at));
                }
                let mut text = Vec::new();
                (&mut reader).take(bytes).read_to_end(&mut text)?;
                skip(&mut reader, padded - text.len() as u64)?;
                match header.kind() {
                    b'L' => extended.path = Some(text_of(&text)),
                    _ => extended.pax(&text),
                }
            }
            // Long targets of links, and what is said of all files at once.
            b'K' | b'g' => skip(&mut reader, padded)?,
            kind => {
                let kind = match kind {
                    b'0' | b'7' | 0 => Kind::File,
                    b'5' => Kind::Folder,
                    // More headers may follow it.
                    b'S' => return Err(io::Error::other("it has a file with holes, which is not read")),
                    _ => Kind::Other,
                };
                let path = std::mem::take(&mut extended).path.unwrap_or_else(|| header.path());
                if !take(Entry { path, kind, offset: at, bytes }) {
                    return Ok(());
                }
                skip(&mut reader, padded)?;
            }
        }
        at += padded;
    }
    Ok(())
}

fn damaged(at: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is no tar archive, or damaged, at byte {at}"))
}

/// What entries before a header say of it.
#[derive(Default)]
struct Extended {
    path: Option<String>,
    bytes: Option<u64>,
}

impl Extended {
    /// Lines `<length> <key>=<value>`, whose length counts all of it.
    fn pax(&mut self, mut text: &[u8]) {
        while let Some(space) = text.iter().position(|byte| *byte == b' ') {
            let length = std::str::from_utf8(&text[..space]).ok().and_then(|digits| digits.parse().ok());
            let Some((line, rest)) = length.and_then(|length| text.split_at_checked(length)) else { return };
            let Some(line) = line.get(space + 1..) else { return };
            if let Some(path) = line.strip_prefix(b"path=") {
                self.path = Some(text_of(path));
            } else if let Some(bytes) = line.strip_prefix(b"size=") {
                self.bytes = text_of(bytes).parse().ok();
            }
            text = rest;
        }
    }
}

/// A text, up to the byte that ends it.
fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| matches!(byte, 0 | b'\n')).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

struct Header([u8; BLOCK as usize]);

impl Header {
    /// The next one; `None` at the end of the archive.
    fn read(reader: &mut impl Read, at: u64) -> io::Result<Option<Self>> {
        let mut block = Vec::with_capacity(BLOCK as usize);
        reader.take(BLOCK).read_to_end(&mut block)?;
        let Ok(block) = <[u8; BLOCK as usize]>::try_from(block.as_slice()) else {
            // Some are not closed by the two empty blocks that should.
            return if block.is_empty() && at > 0 { Ok(None) } else { Err(damaged(at)) };
        };
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let header = Header(block);
        let sum: u64 = (0..)
            .zip(block)
            .map(|(at, byte)| match at {
                // It is summed up as if it were blank.
                148..156 => u64::from(b' '),
                _ => u64::from(byte),
            })
            .sum();
        if header.number(148..156) == Some(sum) { Ok(Some(header)) } else { Err(damaged(at)) }
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn bytes(&self) -> io::Result<u64> {
        self.number(124..136)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a size in it is no number"))
    }

    fn path(&self) -> String {
        let name = text_of(&self.0[..100]);
        // GNU's own format has other things where ustar has the beginning of the path.
        let prefix = if &self.0[MAGIC] == b"ustar\0" { text_of(&self.0[345..500]) } else { String::new() };
        if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
    }

    /// Octal digits; or, of what does not fit, bytes with the first bit set.
    fn number(&self, place: std::ops::Range<usize>) -> Option<u64> {
        let field = &self.0[place];
        if field[0] & 0x80 != 0 {
            let (first, rest) = (u64::from(field[0] & 0x7f), &field[1..]);
            return rest
                .iter()
                .try_fold(first, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)));
        }
        let text = std::str::from_utf8(field).ok()?.trim_matches(|c| matches!(c, ' ' | '\0'));
        if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An entry as ustar has it.
    pub(in crate::convert::export) fn entry(path: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..path.len()].copy_from_slice(path.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[148..156].fill(b' ');
        block[156] = kind;
        block[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block.extend(content);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }

    fn listed(bytes: &[u8]) -> (Vec<Entry>, io::Result<()>) {
        let mut entries = Vec::new();
        let done = list(bytes, |entry| {
            entries.push(entry);
            true
        });
        (entries, done)
    }

    #[test]
    fn names_of_every_format() {
        let long = "x/".repeat(100) + "realm.json";
        let line = format!(" path={long}\n");
        let line = format!("{}{line}", line.len() + 3);
        let archive = [
            entry("a/", b'5', b""),
            entry("a/realm.json", b'0', b"{}"),
            entry("././@LongLink", b'L', format!("{long}\0").as_bytes()),
            entry("short", b'0', &[b'x'; 600]),
            entry("PaxHeader/x", b'x', line.as_bytes()),
            entry("short", b'0', b"y"),
            entry("link", b'2', b""),
            vec![0; 1024],
        ]
        .concat();
        let (entries, done) = listed(&archive);
        done.unwrap();
        let shown: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.kind, e.bytes)).collect();
        assert_eq!(
            shown,
            [
                ("a/", Kind::Folder, 0),
                ("a/realm.json", Kind::File, 2),
                (long.as_str(), Kind::File, 600),
                (long.as_str(), Kind::File, 1),
                ("link", Kind::Other, 0),
            ]
        );
        for Entry { offset, bytes, .. } in entries.iter().filter(|entry| entry.bytes > 0) {
            assert!(b"{xy".contains(&archive[*offset as usize]), "{offset} {bytes}");
        }
        let (entries, cut) = listed(&archive[..archive.len() / 2]);
        assert!(!entries.is_empty() && cut.unwrap_err().to_string().contains("ends within"));
        assert!(listed(b"no archive").1.unwrap_err().to_string().contains("no tar archive"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
            changed in prop::collection::vec((0usize..1536, any::<u8>()), 0..8),
        ) {
            let _ = listed(&bytes);
            let mut archive = [entry("a", b'x', b"9 size=1\n"), entry("b", b'0', b"y")].concat();
            for (place, byte) in changed {
                archive[place] = byte;
            }
            let _ = listed(&archive);
        }
    }
}
