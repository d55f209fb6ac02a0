use std::fs;
use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn text(bytes: &[u8]) -> Result<String, String> {
    let source = Source::from_reader("a.csv", Cursor::new(bytes.to_vec())).map_err(|p| format!("{p:#}"))?;
    let (file, mut source) = (Arc::clone(source.file()), source.text);
    let mut text = Vec::new();
    match source.read_to_end(&mut text) {
        Ok(_) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => Err(format!("{:#}", Fault::of(error).problem(&file))),
    }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Text that does not compress to nothing.
fn plenty() -> Vec<u8> {
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + (seed >> 60) as u8
    };
    (0..300_000).map(|_| next()).collect()
}

#[test]
fn compressed_and_encoded_texts_are_read() {
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let utf_16: Vec<u8> = "\u{feff}aü".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, expected) in [
        (b"a\xc3\xbc".to_vec(), "aü"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa".to_vec(), "a"),
        (b"a\xff".to_vec(), "a\u{fffd}"),
        (utf_16.clone(), "aü"),
        (gz(&utf_16), "aü"),
        ([gz(b"a"), gz(b""), gz(b"b")].concat(), "ab"),
        ([zst(b"a"), skippable.clone(), zst(b"b")].concat(), "ab"),
        ([skippable, zst(&utf_16)].concat(), "aü"),
    ] {
        assert_eq!(text(&bytes).as_deref(), Ok(expected), "{bytes:x?}");
    }
    let plenty = plenty();
    for bytes in [gz(&plenty), zst(&plenty)] {
        assert!(text(&bytes).unwrap().as_bytes() == plenty);
    }
}

#[test]
fn broken_archives_are_told_from_broken_disks() {
    let help = "\n  help: copy or export it again, and compare its size with the original's";
    let plenty = plenty();
    for (name, whole) in [("gzip", gz(&plenty)), ("zstd", zst(&plenty))] {
        for length in [5, 12, whole.len() / 2, whole.len() - 1] {
            let expected = format!("a.csv: the {name} archive is cut off{help}");
            assert_eq!(text(&whole[..length]), Err(expected), "{length}");
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() - 3;
        damaged[middle] ^= 0x55;
        let said = text(&damaged).unwrap_err();
        assert!(said.starts_with(&format!("a.csv: the {name} archive is damaged: ")), "{said}");
        let trailing = text(&[&whole[..], b"and more of it"].concat()).unwrap_err();
        assert!(trailing.starts_with(&format!("a.csv: the {name} archive is damaged: ")), "{trailing}");
    }

    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is on fire")),
                count => Ok(count),
            }
        }
    }
    for whole in [gz(&plenty), zst(&plenty), plenty] {
        let half = Failing(Cursor::new(whole[..whole.len() / 2].to_vec()));
        let problem = match Source::from_reader("a.csv", half) {
            Ok(mut source) => {
                let error = io::copy(&mut source.text, &mut io::sink()).unwrap_err();
                Fault::of(error).problem(&source.file)
            }
            Err(problem) => *problem,
        };
        assert_eq!(
            format!("{problem:#}"),
            "a.csv: reading it failed: the disk is on fire\n  help: check the disk or the pipe it comes from, then try again"
        );
    }
}

#[test]
fn a_window_takes_memory_and_has_a_bound() {
    // The header of a frame with a window of 2^27 or 2^28 bytes, and a block of nothing (RFC 8878, 3.1.1).
    let frame = |window: u8| text(&[0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0]).unwrap_err();
    assert_eq!(frame(17 << 3), "a.csv: it is empty\n  help: check that the export finished");
    let expected = "a.csv: the zstd archive takes a window of more than 128 MiB of memory
  help: pack it with --long=27 at most, or give the unpacked text";
    assert_eq!(frame(18 << 3), expected);
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| {
        let problem = Source::open(path).map(|_| ()).unwrap_err();
        assert!(problem.fatal);
        format!("{problem:#}").replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(
        said(&folder.path().join("none.csv")),
        "DIR/none.csv: there is no such file\n  help: check the path; relative paths start in the current folder"
    );
    assert_eq!(
        said(folder.path()),
        "DIR: it is a folder, not a file\n  help: name the files in it, e.g. FOLDER/*.csv"
    );
    let path = folder.path().join("a.csv");
    fs::write(&path, "").unwrap();
    assert_eq!(said(&path), "DIR/a.csv: it is empty\n  help: check that the export finished");

    fs::write(&path, plenty()).unwrap();
    let mut source = Source::open(&path).unwrap();
    assert_eq!(source.progress().bytes_total(), Some(300_000));
    io::copy(&mut source.text, &mut io::sink()).unwrap();
    assert_eq!(source.progress().bytes_read(), 300_000);
}
