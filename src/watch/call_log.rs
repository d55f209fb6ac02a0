//! `--log`: every call as a line of JSON, appended to a file (`docs/call-log.md`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::{Called, Now};
use crate::model::{Origin, Timestamp};
use crate::wording::trouble_making;

/// How long a line waits to be written, at most.
const EVERY: Duration = Duration::from_secs(1);

/// The log. It fails once, and is silent from then on.
#[derive(Debug)]
pub(super) struct CallLog {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    /// Why it was given up, until that is told.
    trouble: Option<String>,
    /// The files that rows came from, by their numbers in the journal.
    sources: HashMap<i64, String>,
    flushed: Duration,
    /// A run has begun; where nothing is left to do, none does.
    begun: bool,
}

impl CallLog {
    /// Opens the file, and lets nobody but its owner read it: it holds addresses. One that is there is gone on with only if
    /// it is such a log.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if holds_something_else(path) {
            anyhow::bail!(
                "--log {}: that file is there already, and it is no log of calls, so nothing was added to it; nothing was sent; \
                 give the log a file of its own, e.g. --log calls.jsonl",
                path.display()
            );
        }
        let file = appended(path).map_err(|error| {
            anyhow::anyhow!(
                "--log {}: no log of calls can be kept there: {}; nothing was sent; name another file, or leave out --log",
                path.display(),
                trouble_making(&error)
            )
        })?;
        Ok(CallLog {
            path: path.to_owned(),
            out: Some(BufWriter::with_capacity(1 << 16, file)),
            trouble: None,
            sources: HashMap::new(),
            flushed: Duration::ZERO,
            begun: false,
        })
    }

    pub(super) fn begin(
        &mut self,
        journal: &Path,
        target: &str,
        sources: Vec<(i64, String)>,
        now: Timestamp,
    ) {
        self.sources = sources.into_iter().collect();
        (self.flushed, self.begun) = (Duration::ZERO, true);
        self.write(&json!({
            "at": now.to_string(),
            "event": "begin",
            "journal": journal.display().to_string(),
            "target": target,
            "version": env!("CARGO_PKG_VERSION"),
        }));
        self.flush();
    }

    pub(super) fn called(&mut self, now: Now, called: &Called) {
        let line = line(now.wall, called, |origin| self.line_of(origin));
        self.write(&line);
    }

    pub(super) fn end(&mut self, outcome: &str, now: Timestamp) {
        if self.begun {
            self.write(&json!({ "at": now.to_string(), "event": "end", "outcome": outcome }));
            self.flush();
        }
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Now) {
        if now.elapsed >= self.flushed + EVERY {
            self.flushed = now.elapsed;
            self.flush();
        }
    }

    /// Why it was given up, once.
    pub(super) fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn line_of(&self, origin: Origin) -> Option<String> {
        self.sources.get(&origin.source).map(|path| format!("{path}:{}", origin.line))
    }

    fn write(&mut self, value: &Value) {
        let written = self.out.as_mut().map_or(Ok(()), |out| writeln!(out, "{value}"));
        self.give_up_if(written);
    }

    fn flush(&mut self) {
        let written = self.out.as_mut().map_or(Ok(()), Write::flush);
        self.give_up_if(written);
    }

    fn give_up_if(&mut self, written: io::Result<()>) {
        let Err(error) = written else { return };
        let path = self.path.display();
        self.trouble =
            Some(format!("{path}: the log cannot be written ({error}); the run goes on without it"));
        // What is still to be written would be tried once more.
        drop(self.out.take().map(BufWriter::into_parts));
    }
}

fn line(at: Timestamp, called: &Called, line_of: impl Fn(Origin) -> Option<String>) -> Value {
    let label = &called.label;
    json!({
        "at": at.to_string(),
        "event": "call",
        "method": label.method,
        "space": label.space,
        "member": label.member,
        "line": label.origin.and_then(line_of),
        "attempt": label.attempt,
        "status": called.http_status,
        "took_ms": u64::try_from(called.took.as_millis()).unwrap_or(u64::MAX),
        "outcome": called.outcome.as_str(),
        "kind": called.kind,
        "reason": called.reason,
    })
}

/// How every line of a log begins.
const BEGIN: &[u8] = b"{\"at\":\"";

/// Whether a file has anything in it that is no log. What cannot be read is left to whoever writes it.
fn holds_something_else(path: &Path) -> bool {
    let mut head = Vec::new();
    // Devices and pipes hold nothing, and to read one would wait for somebody.
    let is_read = path.is_file()
        && File::open(path).and_then(|file| file.take(BEGIN.len() as u64).read_to_end(&mut head)).is_ok();
    is_read && !BEGIN.starts_with(&head)
}

/// Opens a file at its end, on a line of its own.
fn appended(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        if metadata.len() > 0 && !ends_a_line(path)? {
            // Of one that was cut off.
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{CallLabel, CallOutcome};
    use crate::progress::documented;

    const DOCUMENT: &str = include_str!("../../docs/call-log.md");

    fn called(label: CallLabel, outcome: CallOutcome) -> Called {
        Called {
            label,
            took: Duration::from_micros(48_900),
            outcome,
            http_status: Some(403),
            kind: Some("PERMISSION_DENIED".to_owned()),
            reason: Some("no".to_owned()),
        }
    }

    fn label() -> CallLabel {
        CallLabel {
            method: "spaces.members.create",
            space: "spaces/A".to_owned(),
            member: Some("users/a@example.com".to_owned()),
            origin: Some(Origin { source: 1, line: 14 }),
            attempt: Some(2),
        }
    }

    fn now(seconds: u64) -> Now {
        let elapsed = Duration::from_secs(seconds);
        Now { elapsed, wall: Timestamp::from_micros(0).after(elapsed) }
    }

    #[test]
    fn every_line_is_as_documented() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        std::fs::write(&path, "{\"at\":\"2026-").unwrap();
        let mut log = CallLog::open(&path).unwrap();
        log.begin(Path::new("j.db"), "emulator", vec![(1, "rows.csv".to_owned())], now(0).wall);
        log.called(now(1), &called(label(), CallOutcome::Refused));
        let listing = CallLabel { member: None, origin: None, attempt: None, ..label() };
        log.called(now(2), &called(listing, CallOutcome::Ok));
        log.tick(now(3));
        log.end("complete", now(4).wall);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        insta::assert_snapshot!("call_log", lines.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
        for line in lines {
            let value: Value = serde_json::from_str(line).unwrap();
            documented::expect(DOCUMENT, value["event"].as_str().unwrap(), &value);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn every_outcome_has_a_line_in_the_document() {
        for outcome in CallOutcome::ALL {
            assert!(DOCUMENT.contains(&format!("\n| `{}` | ", outcome.as_str())), "{outcome:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_of_once() {
        let mut log = CallLog::open(Path::new("/dev/full")).unwrap();
        log.begin(Path::new("j.db"), "emulator", Vec::new(), now(0).wall);
        let trouble = log.take_trouble().unwrap();
        assert!(trouble.contains("/dev/full: the log cannot be written"), "{trouble}");
        log.called(now(1), &called(label(), CallOutcome::Ok));
        log.end("complete", now(2).wall);
        assert_eq!(log.take_trouble(), None);
    }
}
