//! The files of an export, in a folder, in an archive (ZIP, tar), or one file alone, read one after the other and never
//! written anywhere.
//!
//! Nothing in an export is believed: names are compared and never opened as they stand, links are not followed, and what
//! an archive unpacks to is held against its size.

mod tar;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::input::{Fault, Problem, ProblemKind, Problems};
use crate::wording::many;

/// How many bytes of text a byte of an archive may yield, all its files together. Chat exports shrink to a tenth or a
/// thirtieth; bombs whose files share their bytes are found by this too.
const RATIO_MAX: u64 = 200;

/// Bytes of text that any archive may yield.
const FREE_BYTES: u64 = 64 * 1024 * 1024;

/// What the names of archives of tar end in that are packed.
const TARS: [&str; 2] = [".tar.gz", ".tgz"];

/// Files of an export, at most. Twenty thousand channels with a file for each day of a year are seven million.
const FILES_MAX: usize = 10_000_000;

/// What the names of files that are read end in.
const DATA: [&str; 8] = [".json", ".jsonl", ".ndjson", ".csv", ".xml", ".bson", ".gz", "/events"];

/// What a ZIP archive begins with, or what is left of one.
const ZIP: &[u8] = b"PK";

/// Bytes at the beginning of a file that tell what it is.
const BEGINNING_BYTES: u64 = 512;

/// How deep folders may lie in one another.
const DEPTH_MAX: usize = 16;

/// Bytes of a file's path, at most.
const PATH_BYTES_MAX: usize = 4096;

/// An opened export.
pub struct Export {
    name: Arc<str>,
    held: Held,
    /// The number of each file in the archive, by its path: the order in which they lie there.
    files: BTreeMap<String, usize>,
    bytes_total: u64,
    /// Bytes of text read so far.
    text_bytes: u64,
    /// What was not taken in on opening.
    problems: Problems,
}

enum Held {
    Folder(PathBuf),
    /// A file alone; whether it is packed by itself.
    Alone(PathBuf, bool),
    Tar {
        stream: tar::Stream,
        places: Vec<(u64, u64)>,
    },
    Zip {
        archive: Box<ZipArchive<BufReader<File>>>,
        bytes: u64,
    },
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("name", &self.name)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl Export {
    /// Opens a folder, an archive (ZIP; tar, plain or packed by gzip), or any other file, packed or not, as an export of
    /// one file.
    ///
    /// # Errors
    /// When it cannot be read, or is an archive that is broken.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        let name: Arc<str> = path.to_string_lossy().into();
        let refused = |error: &io::Error| {
            let problem = match error.kind() {
                io::ErrorKind::NotFound => {
                    Problem::new(&name, 0, ProblemKind::MissingFile, "there is no such file or folder")
                        .help("check the path; relative paths start in the current folder")
                }
                _ => Problem::new(
                    &name,
                    0,
                    ProblemKind::UnreadableFile,
                    format!("it cannot be opened: {error}"),
                ),
            };
            Problems::from(problem.fatal())
        };
        let meta = fs::metadata(path).map_err(|error| refused(&error))?;
        let mut export = Export {
            name: Arc::clone(&name),
            held: Held::Folder(path.to_owned()),
            files: BTreeMap::new(),
            bytes_total: 0,
            text_bytes: 0,
            problems: Problems::new(),
        };
        if meta.is_dir() {
            export.walk(path, "", 0);
            return export.bounded();
        }
        let mut file = File::open(path).map_err(|error| refused(&error))?;
        let mut beginning = Vec::new();
        let begun = (&mut file).take(BEGINNING_BYTES).read_to_end(&mut beginning);
        begun.and_then(|_| file.rewind()).map_err(|error| refused(&error))?;
        if let Some(problem) = mistaken(&name, &beginning) {
            return Err(problem.fatal().into());
        }
        let packing = tar::packing(&beginning);
        if let Some(packing) = packing
            && (tar::begins(path, packing) || TARS.iter().any(|ending| name.ends_with(ending)))
        {
            let stream = tar::Stream::open(path, packing).map_err(|error| refused(&error))?;
            return export.unrolled(stream, meta.len())?.bounded();
        }
        if meta.is_file() && !beginning.starts_with(ZIP) {
            let alone = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            export.held = Held::Alone(path.to_owned(), packing.is_some());
            export.files.insert(alone, 0);
            export.bytes_total = meta.len();
            return Ok(export);
        }
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let problem = Problem::new(
                &name,
                0,
                ProblemKind::BrokenArchive,
                format!("it is neither a folder nor a ZIP archive that can be read: {error}"),
            );
            let help = "give the export as it was downloaded, or the folder it unpacks to; if it is a ZIP, is it complete?";
            Problems::from(problem.help(help).fatal())
        })?;
        export.held = Held::Zip { archive: Box::new(archive), bytes: meta.len() };
        export.list()?;
        export.bounded()
    }

    fn bounded(self) -> Result<Self, Problems> {
        if self.files.len() >= FILES_MAX {
            let message = format!("it has more than {FILES_MAX} files, which no export has");
            let problem = Problem::new(&self.name, 0, ProblemKind::EndlessText, message);
            return Err(problem.help("look into it; give the export's own folder").fatal().into());
        }
        Ok(self)
    }

    /// What problems call it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its files' paths, in their order, with `/` between folders.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The same, in the order in which they are read fastest.
    pub fn paths_as_stored(&self) -> Vec<String> {
        let mut files: Vec<(&String, usize)> =
            self.files.iter().map(|(path, number)| (path, *number)).collect();
        files.sort_unstable_by_key(|(_, number)| *number);
        files.into_iter().map(|(path, _)| path.clone()).collect()
    }

    /// Whether it has a file with this path.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Bytes of text in all of its files, as it says itself.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Bytes of text read so far.
    pub fn bytes_read(&self) -> u64 {
        self.text_bytes
    }

    /// What was not taken in on opening; they are handed out once.
    pub fn problems(&mut self) -> Problems {
        std::mem::take(&mut self.problems)
    }

    /// What problems call one of its files.
    pub fn file_name(&self, path: &str) -> Arc<str> {
        match self.held {
            Held::Alone(..) => Arc::clone(&self.name),
            _ => format!("{}/{path}", self.name.trim_end_matches('/')).into(),
        }
    }

    /// Reads one of its files, unpacked if it is `.gz`.
    ///
    /// # Errors
    /// When it cannot be opened. What `read` itself meets, it says itself.
    pub fn read<T>(&mut self, path: &str, read: impl FnOnce(&mut dyn Read) -> T) -> io::Result<T> {
        let Some(index) = self.files.get(path) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        match &mut self.held {
            Held::Folder(folder) => {
                from_disk(&folder.join(path), is_packed(path), &mut self.text_bytes, read)
            }
            Held::Alone(alone, packed) => from_disk(alone, *packed, &mut self.text_bytes, read),
            Held::Tar { stream, places } => {
                let (offset, bytes) = places.get(*index).copied().ok_or(io::ErrorKind::NotFound)?;
                // What it unpacks to as a whole was bounded when it was listed.
                let file = counted(stream.file(offset, bytes)?, &mut self.text_bytes);
                Ok(unpacked(is_packed(path), bytes, file, read))
            }
            Held::Zip { archive, bytes } => {
                let file = archive.by_index(*index).map_err(io::Error::from)?;
                let packed = file.size();
                let bytes_max = unpacked_max(*bytes);
                let file = Counted { inner: file, bytes: &mut self.text_bytes, bytes_max };
                Ok(unpacked(is_packed(path), packed, file, read))
            }
        }
    }

    /// Takes in a folder and what is in it.
    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let trouble = |export: &mut Export, message: String| {
            let file = export.file_name(prefix);
            export.problems.push(Problem::new(&file, 0, ProblemKind::UnreadableFile, message));
        };
        let entries = match fs::read_dir(folder) {
            Ok(entries) if depth < DEPTH_MAX => entries,
            Ok(_) => {
                return trouble(
                    self,
                    format!("folders lie more than {DEPTH_MAX} deep here; it is passed over"),
                );
            }
            Err(error) => return trouble(self, format!("the folder cannot be read: {error}")),
        };
        for entry in entries {
            let (entry, meta) = match entry.and_then(|entry| entry.metadata().map(|meta| (entry, meta))) {
                Ok(both) => both,
                Err(error) => {
                    trouble(self, format!("the folder cannot be read to its end: {error}"));
                    continue;
                }
            };
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                trouble(
                    self,
                    format!("the name of {} is not UTF-8; it is passed over", name.to_string_lossy()),
                );
                continue;
            };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if meta.is_dir() {
                self.walk(&entry.path(), &path, depth + 1);
            } else if meta.is_file() {
                self.add(path, 0, meta.len());
            } else if is_data(&path) {
                let file = self.file_name(&path);
                let message = "it is a link, or no file; links in an export are not followed";
                self.problems.push(
                    Problem::new(&file, 0, ProblemKind::UnreadableFile, message)
                        .help("put the file itself there, if it belongs to the export"),
                );
            }
            if self.files.len() >= FILES_MAX {
                return;
            }
        }
    }

    /// Takes in what an archive lists.
    fn list(&mut self) -> Result<(), Problems> {
        let Held::Zip { archive, .. } = &mut self.held else { return Ok(()) };
        let mut locked = 0;
        let mut found = Vec::new();
        let mut wrong: Vec<(String, String)> = Vec::new();
        for index in 0..archive.len().min(FILES_MAX) {
            match archive.by_index_raw(index) {
                Ok(file) => {
                    let path = name_of(file.name_raw(), || file.name().ok().map(Cow::into_owned));
                    if file.is_dir() {
                    } else if !is_inside(&path) {
                        wrong.push((path, "its path leads out of the archive; it is passed over".to_owned()));
                    } else if file.is_symlink() {
                        if is_data(&path) {
                            wrong
                                .push((path, "it is a link; links in an export are not followed".to_owned()));
                        }
                    } else {
                        locked += u64::from(file.encrypted() && is_data(&path));
                        found.push((path, index, file.size()));
                    }
                }
                Err(error) => {
                    wrong.push((format!("entry {}", index + 1), format!("it cannot be read: {error}")))
                }
            }
        }
        if locked > 0 {
            let message =
                format!("it is encrypted: {} in it can only be read with its password", many(locked, "file"));
            let problem = Problem::new(&self.name, 0, ProblemKind::UnreadableFile, message);
            return Err(problem.help("unpack it with its password, and give the folder").fatal().into());
        }
        for (path, index, bytes) in found {
            self.add(path, index, bytes);
        }
        for (path, message) in wrong {
            let file = self.file_name(&path);
            self.problems.push(Problem::new(&file, 0, ProblemKind::BrokenArchive, message));
        }
        Ok(())
    }

    /// Takes in what an archive of tar has, `packed` bytes long as it lies there.
    fn unrolled(mut self, mut stream: tar::Stream, packed: u64) -> Result<Self, Problems> {
        let mut places = Vec::new();
        let mut wrong: Vec<(String, &str)> = Vec::new();
        let mut unpacked = 0;
        let bounded = Counted { inner: &mut stream, bytes: &mut unpacked, bytes_max: unpacked_max(packed) };
        let listed = tar::list(bounded, |entry| {
            let path = entry.path.trim_start_matches("./").to_owned();
            match entry.kind {
                tar::Kind::Folder => {}
                _ if !is_inside(&path) => {
                    wrong.push((path, "its path leads out of the archive; it is passed over"))
                }
                tar::Kind::File => {
                    self.add(path, places.len(), entry.bytes);
                    places.push((entry.offset, entry.bytes));
                }
                tar::Kind::Other if is_data(&path) => {
                    wrong.push((path, "it is a link, or no file; links in an export are not followed"));
                }
                tar::Kind::Other => {}
            }
            self.files.len() < FILES_MAX
        });
        for (path, message) in wrong {
            let file = self.file_name(&path);
            self.problems.push(Problem::new(&file, 0, ProblemKind::BrokenArchive, message));
        }
        if let Err(error) = listed {
            let message = format!("it cannot be read to its end: {error}");
            let help = Fault::within(&error).map_or(
                "is it complete? give the export as it was made, or the folder it unpacks to",
                |fault| fault.help,
            );
            let problem = Problem::new(&self.name, 0, ProblemKind::BrokenArchive, message).help(help);
            if places.is_empty() {
                return Err(problem.fatal().into());
            }
            self.problems.push(problem);
        }
        self.held = Held::Tar { stream, places };
        Ok(self)
    }

    fn add(&mut self, path: String, index: usize, bytes: u64) {
        if is_of_macos(&path) {
            return;
        }
        if is_data(&path) {
            self.bytes_total = self.bytes_total.saturating_add(bytes);
        }
        self.files.insert(path, index);
    }
}

/// What is wrong with a file that is not even what its name says.
fn mistaken(name: &Arc<str>, beginning: &[u8]) -> Option<Problem> {
    let (kind, message, help) = if beginning.is_empty() {
        (
            ProblemKind::EmptyFile,
            "it is empty",
            "did the export finish, and was there room on the disk? make it or fetch it once more",
        )
    } else if name.to_ascii_lowercase().ends_with(".zip")
        && !beginning.starts_with(ZIP)
        && tar::packing(beginning).is_none()
    {
        (
            ProblemKind::BrokenArchive,
            "it is no ZIP archive, although its name says so",
            "look into it: of a download that failed, often a page is left that says why; fetch the export once more",
        )
    } else {
        return None;
    };
    Some(Problem::new(name, 0, kind, message).help(help))
}

/// Attachments are of no interest, wherever they point.
fn is_data(path: &str) -> bool {
    DATA.iter().any(|ending| path.ends_with(ending)) && !is_of_macos(path)
}

/// What macOS puts beside each file, in archives and on foreign disks, to keep its attributes (AppleDouble): it has the
/// file's name, and nothing of what is in it.
fn is_of_macos(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with("._"))
        || path.split('/').any(|part| part == "__MACOSX")
}

/// Whether a file of an export is packed by itself, as its name tells.
fn is_packed(path: &str) -> bool {
    path.ends_with(".gz")
}

/// Bytes of text that an archive of so many bytes may yield.
fn unpacked_max(packed: u64) -> u64 {
    FREE_BYTES.saturating_add(packed.saturating_mul(RATIO_MAX))
}

/// Whether a path of an archive stays below where it would be unpacked.
fn is_inside(path: &str) -> bool {
    path.len() <= PATH_BYTES_MAX
        && !path.starts_with('/')
        && !path.contains('\0')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A name in an archive. Slack writes UTF-8 without the flag that says so (APPNOTE 4.4.4, bit 11); whatever is not UTF-8
/// is as the archive's own rules have it (code page 437). Archivers of Windows have parted folders with `\`.
fn name_of(raw: &[u8], otherwise: impl FnOnce() -> Option<String>) -> String {
    let name = match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => otherwise().unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()),
    };
    name.replace('\\', "/")
}

/// What is bounded already.
fn counted<R>(file: R, bytes: &mut u64) -> Counted<'_, R> {
    Counted { inner: file, bytes, bytes_max: u64::MAX }
}

/// Reads a file of the disk, which takes as long as its size tells.
fn from_disk<T>(
    file: &Path,
    is_packed: bool,
    bytes: &mut u64,
    read: impl FnOnce(&mut dyn Read) -> T,
) -> io::Result<T> {
    let file = File::open(file)?;
    let packed = file.metadata()?.len();
    Ok(unpacked(is_packed, packed, counted(file, bytes), read))
}

/// Reads what is in a file that is packed by itself (gzip), and any other as it is.
fn unpacked<T>(
    is_packed: bool,
    packed: u64,
    mut file: impl Read,
    read: impl FnOnce(&mut dyn Read) -> T,
) -> T {
    if !is_packed {
        return read(&mut file);
    }
    let mut bytes = 0;
    let inner = MultiGzDecoder::new(BufReader::new(file));
    read(&mut Counted { inner, bytes: &mut bytes, bytes_max: unpacked_max(packed) })
}

/// Counts what is read, and ends what has no end.
struct Counted<'a, R> {
    inner: R,
    bytes: &'a mut u64,
    bytes_max: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        *self.bytes += count as u64;
        if *self.bytes > self.bytes_max {
            let message = format!(
                "it unpacks to more than {} MiB, {RATIO_MAX} times its size and {} MiB beyond that, which no export does",
                self.bytes_max >> 20,
                FREE_BYTES >> 20
            );
            let help = "look into it; if it is what it should be, unpack it and give the folder";
            return Err(Fault::whole_file(ProblemKind::BrokenArchive, message, help).into_io());
        }
        Ok(count)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::convert::flaw::unreadable;
    use flate2::write::GzEncoder;
    use std::io::Write as _;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn zipped(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = ZipWriter::new(file.reopen().unwrap());
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
        file
    }

    /// An archive of tar, packed by gzip.
    pub(in crate::convert) fn tarred(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut gzip = GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        for (name, content) in files {
            gzip.write_all(&tar::tests::entry(name, b'0', content)).unwrap();
        }
        gzip.write_all(&[0; 1024]).unwrap();
        gzip.finish().unwrap();
        file
    }

    #[test]
    fn files_of_a_tar_archive_are_read_in_any_order() {
        let names = ["./c.json", "../d.json", "x/a.json", "x/b.json"];
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, name.as_bytes())).collect();
        let file = tarred(&files);
        let mut export = Export::open(file.path()).unwrap();
        assert_eq!(export.paths().collect::<Vec<_>>(), ["c.json", "x/a.json", "x/b.json"]);
        assert_eq!(export.paths_as_stored(), ["c.json", "x/a.json", "x/b.json"]);
        assert!(export.problems().render().contains("../d.json: its path leads out of the archive"));
        for path in ["x/b.json", "c.json", "c.json", "x/a.json"] {
            let text = export.read(path, |file| io::read_to_string(file)).unwrap().unwrap();
            assert!(text.ends_with(path), "{text}");
        }
    }

    #[test]
    fn a_tar_archive_that_is_cut_off_or_swells_is_read_as_far_as_it_goes() {
        let archive =
            [tar::tests::entry("a.json", b'0', b"[]"), tar::tests::entry("b.json", b'0', &[b' '; 4096])]
                .concat();
        let mut found = 0;
        let bounded = Counted { inner: archive.as_slice(), bytes: &mut 0, bytes_max: 2048 };
        let listed = tar::list(bounded, |_| {
            found += 1;
            true
        });
        assert!(listed.unwrap_err().to_string().contains("200 times"));
        assert_eq!(found, 2);
        let whole = fs::read(tarred(&[("a.json", b"[]"), ("b.json", b"[]")]).path()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &whole[..whole.len() - 20]).unwrap();
        let mut export = Export::open(file.path()).unwrap();
        assert!(export.has("a.json"));
        assert!(export.problems().render().contains("is it complete?"));
        fs::write(file.path(), b"\x1f\x8bno gzip").unwrap();
        assert!(Export::open(file.path()).unwrap_err().render().contains("cannot be read to its end"));
    }

    #[test]
    fn paths_that_lead_out_are_named_and_passed_over() {
        let file = zipped(&[
            ("a/b.json", b"[]"),
            ("../c.json", b"[]"),
            ("/d.json", b"[]"),
            ("e\\..\\f.json", b"[]"),
        ]);
        let mut export = Export::open(file.path()).unwrap();
        assert_eq!(export.paths().collect::<Vec<_>>(), ["a/b.json"]);
        let problems = export.problems();
        assert_eq!(problems.total(), 3, "{}", problems.render());
    }

    #[test]
    fn what_swells_beyond_all_measure_is_ended() {
        let file = zipped(&[("a.json", &vec![b' '; 200 << 20])]);
        let mut export = Export::open(file.path()).unwrap();
        let read = export.read("a.json", |file| io::copy(file, &mut io::sink())).unwrap().unwrap_err();
        let said = Problems::from(unreadable(&"a.json".into(), &read)).render();
        assert!(
            said.contains("MiB, 200 times its size") && said.contains("unpack it and give the"),
            "{said}"
        );
        assert!(!said.contains("damaged on its way"), "{said}");
        assert!(export.bytes_read() < 110 << 20);
    }

    #[test]
    fn what_is_encrypted_is_refused_as_that() {
        let file = zipped(&[("a.json", b"[]"), ("b.json", b"[]")]);
        let mut bytes = fs::read(file.path()).unwrap();
        // Bit 0 of the general purpose flags, in headers and in the list (APPNOTE 4.4.4).
        for at in 0..bytes.len() - 9 {
            match &bytes[at..at + 4] {
                b"PK\x03\x04" => bytes[at + 6] |= 1,
                b"PK\x01\x02" => bytes[at + 8] |= 1,
                _ => {}
            }
        }
        fs::write(file.path(), bytes).unwrap();
        let said = Export::open(file.path()).unwrap_err().render();
        assert!(
            said.contains("it is encrypted: 2 files in it") && said.contains("its password, and"),
            "{said}"
        );
    }

    #[test]
    fn what_is_packed_by_itself_is_unpacked_within_bounds() {
        let gzipped = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.bson.gz"), gzipped(b"text")).unwrap();
        fs::write(folder.path().join("b.bson.gz"), gzipped(&vec![0; 1 << 20]).repeat(96)).unwrap();
        let mut export = Export::open(folder.path()).unwrap();
        let mut text = String::new();
        export.read("a.bson.gz", |file| file.read_to_string(&mut text)).unwrap().unwrap();
        assert_eq!(text, "text");
        let read = export.read("b.bson.gz", |file| io::copy(file, &mut io::sink())).unwrap();
        assert!(read.unwrap_err().to_string().contains("200 times"));
        let packed =
            ["a.bson.gz", "b.bson.gz"].map(|name| fs::metadata(folder.path().join(name)).unwrap().len());
        assert_eq!(export.bytes_total(), packed.iter().sum::<u64>());
        assert!(export.bytes_read() <= packed.iter().sum());
    }

    #[test]
    fn what_macos_puts_beside_files_is_passed_over() {
        const BESIDE: &[u8] = b"\0\x05\x16\x07\0\x02\0\0Mac OS X";
        let names = ["a/b.json", "a/._b.json", "._a/c.json", "__MACOSX/a/._b.json", "d/__MACOSX/e.json"];
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, BESIDE)).collect();
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in &files {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), content).unwrap();
        }
        std::os::unix::fs::symlink("/", folder.path().join("._f.json")).unwrap();
        let (zip, tar) = (zipped(&files), tarred(&files));
        for path in [folder.path(), zip.path(), tar.path()] {
            let mut export = Export::open(path).unwrap();
            assert_eq!(export.paths().collect::<Vec<_>>(), ["._a/c.json", "a/b.json"]);
            assert_eq!(export.bytes_total(), 2 * BESIDE.len() as u64);
            assert!(export.problems().is_empty());
        }
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users.json"), "[]").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("channels.json")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("root")).unwrap();
        let mut export = Export::open(folder.path()).unwrap();
        assert_eq!(export.paths().collect::<Vec<_>>(), ["users.json"]);
        assert!(export.problems().render().contains("links in an export are not followed"));
    }

    #[test]
    fn names_without_the_flag_are_utf8_all_the_same() {
        assert_eq!(name_of("チャネル\\a".as_bytes(), || None), "チャネル/a");
        assert_eq!(name_of(b"B\x81ro/a", || Some("Büro/a".to_owned())), "Büro/a");
    }

    #[test]
    fn what_is_no_export_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "PK\u{3}\u{4}nothing").unwrap();
        assert!(Export::open(file.path()).unwrap_err().render().contains("is it complete?"));
        assert!(Export::open(Path::new("/no/such/export")).unwrap_err().render().contains("no such file"));
        let folder = tempfile::tempdir().unwrap();
        for (name, content, says) in [
            ("a.zip", "", "it is empty"),
            ("a.jsonl", "", "it is empty"),
            ("b.ZIP", "<html>Sign in</html>", "it is no ZIP archive, although its name says so"),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
            let refused = Export::open(&folder.path().join(name)).unwrap_err().render();
            assert!(refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn any_other_file_is_an_export_of_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.jsonl");
        fs::write(&path, "{}").unwrap();
        let mut export = Export::open(&path).unwrap();
        assert_eq!(export.paths().collect::<Vec<_>>(), ["export.jsonl"]);
        assert_eq!(&*export.file_name("export.jsonl"), path.to_str().unwrap());
        let mut text = String::new();
        export.read("export.jsonl", |file| file.read_to_string(&mut text)).unwrap().unwrap();
        assert_eq!((text.as_str(), export.bytes_read(), export.bytes_total()), ("{}", 2, 2));
        // Packed, it is the same file, whatever it is called.
        let mut gzip = GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        gzip.write_all(b"{}").unwrap();
        gzip.finish().unwrap();
        let mut export = Export::open(&path).unwrap();
        let text = export.read("export.jsonl", |file| io::read_to_string(file)).unwrap().unwrap();
        assert_eq!(text, "{}");
    }
}
