//! What is installed beside the program: all of it, wherever it is installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::Room;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TENURE: &str = env!("CARGO_BIN_EXE_tenure");

/// Runs one of `packaging/`, on the program under test.
fn run(script: &str, into: &Path) {
    let script = format!("{ROOT}/packaging/{script}");
    let output = Command::new(&script).arg(TENURE).arg(into).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files
}

#[test]
fn everything_has_its_place() {
    let room = Room::new();
    run("place", &room.file("usr"));
    let placed = files(&room.file("usr"));
    let (pages, rest): (BTreeSet<_>, BTreeSet<_>) =
        placed.into_iter().partition(|file| file.starts_with("share/man/man1/tenure"));
    let expected = [
        "bin/tenure",
        "share/bash-completion/completions/tenure",
        "share/fish/vendor_completions.d/tenure.fish",
        "share/zsh/site-functions/_tenure",
    ];
    assert_eq!(rest, expected.map(str::to_owned).into());
    assert!(pages.contains("share/man/man1/tenure-spaces-create.1") && pages.len() > 30, "{pages:?}");
}

/// The Debian package's list has everything that is made for it, and nothing that is not there.
#[test]
fn the_package_is_whole() {
    let room = Room::new();
    run("pages", &room.file("pages"));
    let manifest = std::fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap();
    let (_, list) = manifest.split_once("\nassets = [\n").unwrap();
    let (list, _) = list.split_once("\n]").unwrap();
    let assets = list.lines().map(|line| {
        let [from, _, _]: [String; 3] = serde_json::from_str(line.trim().trim_end_matches(',')).unwrap();
        from
    });
    let assets: Vec<String> = assets.collect();
    // As far as the first star, and behind the last.
    let fits = |pattern: &str, file: &str| match pattern.split_once('*') {
        Some((begin, rest)) => file.starts_with(begin) && file.ends_with(rest.rsplit('*').next().unwrap()),
        None => pattern == file,
    };
    let made: BTreeSet<String> =
        files(&room.file("pages")).iter().map(|file| format!("target/pages/{file}")).collect();
    for file in &made {
        assert!(assets.iter().any(|pattern| fits(pattern, file)), "no asset of the package is {file}");
    }
    for pattern in assets.iter().filter(|pattern| *pattern != "target/release/tenure") {
        let is_there = if pattern.starts_with("target/pages/") {
            made.iter().any(|file| fits(pattern, file))
        } else {
            let (folder, _) = pattern.split('*').next().unwrap().rsplit_once('/').unwrap_or((".", ""));
            let names = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
            let mut files = names.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().display()));
            files.any(|file| fits(pattern, file.trim_start_matches("./")))
        };
        assert!(is_there, "the package's {pattern} is not there");
    }
}
