//! Finds out what is built: the commit, the profile and the target for `tenure --version`, and the day to which manual
//! pages are dated.
//!
//! Whoever builds can give commit and day: `TENURE_COMMIT`, `SOURCE_DATE_EPOCH`. An archive that git has made has both in
//! `packaging/archived`. Of a checkout they are looked up only for releases, so that committing does not build everything
//! anew in development: the commit in the checkout's files, its day by git, as it lies packed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The commit in full and its time in seconds since 1970, once git has filled it in (`.gitattributes`).
const ARCHIVED: &str = "packaging/archived";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let profile = of("PROFILE");
    let archived = watched(Path::new(ARCHIVED)).unwrap_or_default();
    let (archived, archived_at) = archived.split_once(' ').unwrap_or_default();
    let checked_out = if profile == "release" { commit(Path::new(".git")) } else { None };
    let unknown = match profile.as_str() {
        "release" => "unknown (built from neither a checkout nor an archive of one)",
        _ => "unknown (a development build)",
    };
    let commit = given("TENURE_COMMIT").or_else(|| short(archived)).or_else(|| checked_out.clone());
    let epoch = given("SOURCE_DATE_EPOCH")
        .or_else(|| short(archived).map(|_| archived_at.to_owned()))
        .or_else(|| checked_out.as_deref().and_then(made_at));
    println!("cargo::rustc-env=TENURE_BUILD_COMMIT={}", commit.as_deref().unwrap_or(unknown));
    println!("cargo::rustc-env=TENURE_BUILD_EPOCH={}", epoch.unwrap_or_default());
    println!("cargo::rustc-env=TENURE_BUILD_PROFILE={profile}");
    println!("cargo::rustc-env=TENURE_BUILD_TARGET={}", of("TARGET"));
}

/// What whoever builds has said.
fn given(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// When a commit was made, in seconds since 1970. Where there is no git, nobody knows.
fn made_at(commit: &str) -> Option<String> {
    let output = Command::new("git").args(["show", "-s", "--format=%ct", commit]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}

/// The commit that is checked out, in 12 digits, as git's own files have it.
fn commit(git: &Path) -> Option<String> {
    // In a further worktree it is a file that says where the folder is.
    let folder = match fs::read_to_string(git) {
        Ok(text) => PathBuf::from(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => git.to_owned(),
    };
    let common = match fs::read_to_string(folder.join("commondir")) {
        Ok(text) => folder.join(text.trim()),
        Err(_) => folder.clone(),
    };
    let head = watched(&folder.join("HEAD"))?;
    let Some(branch) = head.strip_prefix("ref:").map(str::trim) else { return short(&head) };
    if let Some(commit) = watched(&common.join(branch)) {
        return short(&commit);
    }
    // The next commit puts it there.
    println!("cargo::rerun-if-changed={}", common.join("refs/heads").display());
    let packed = watched(&common.join("packed-refs"))?;
    packed.lines().find_map(|line| short(line.strip_suffix(branch)?.trim_end()))
}

/// What is in a file, which is looked at again before the next build.
fn watched(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Some(text.trim().to_owned())
}

fn short(commit: &str) -> Option<String> {
    let is_one = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| commit[..12].to_owned())
}
