//! Finds out what is built: the commit, the profile and the target, for `tenure --version`.
//!
//! The commit is read from the files of the checkout, not asked of git, and only for releases, so that committing does
//! not build everything anew in development. Outside of a checkout it comes from `TENURE_COMMIT`, or is not known.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TENURE_COMMIT");
    let of = |name: &str| env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let profile = of("PROFILE");
    let told = env::var("TENURE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let found = || if profile == "release" { commit(Path::new(".git")) } else { None };
    let commit = told.or_else(found).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=TENURE_BUILD_COMMIT={commit}");
    println!("cargo::rustc-env=TENURE_BUILD_PROFILE={profile}");
    println!("cargo::rustc-env=TENURE_BUILD_TARGET={}", of("TARGET"));
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
