//! One JSON object a line, for programs. Keys are stable; new ones may be added.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Display;
use crate::engine::{Event, Now, Snapshot};
use crate::intake::Reading;
use crate::model::SpaceName;
use crate::verify::Looking;
use crate::wording::harmless;

const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Json<W> {
    out: W,
    read_last: Option<Instant>,
    next: Duration,
    last: Option<Snapshot>,
    elapsed: Duration,
}

impl<W: Write> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Json { out, read_last: None, next: Duration::ZERO, last: None, elapsed: Duration::ZERO }
    }

    fn write(&mut self, value: &Value) {
        // Nobody reads it when standard error is gone.
        let _ = writeln!(self.out, "{}", harmless(&value.to_string()));
    }

    fn progress(&mut self, now: Duration, snapshot: &Snapshot) {
        self.write(&json!({
            "event": "progress",
            "elapsed": now.as_secs_f64(),
            "total": snapshot.goal(),
            "done": snapshot.done,
            "rejected": snapshot.rejected,
            "open": snapshot.open,
            "under_way": snapshot.under_way,
            "waiting": snapshot.waiting,
            "paused": snapshot.paused.as_secs_f64(),
            "pace": snapshot.pace,
            "requests": {
                "sent": snapshot.calls.sent,
                "ok": snapshot.calls.ok,
                "throttled": snapshot.calls.throttled,
                "failed": snapshot.calls.failed,
            },
        }));
    }
}

impl<W: Write> Display for Json<W> {
    fn reading(&mut self, reading: &Reading<'_>) {
        if self.read_last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.read_last = Some(Instant::now());
            self.write(&json!({
                "event": "reading",
                "file": reading.file,
                "bytes": reading.bytes,
                "bytes_total": reading.bytes_total,
                "rows": reading.rows,
                "problems": reading.problems,
            }));
        }
    }

    fn reading_done(&mut self, rows: u64) {
        self.write(&json!({ "event": "read", "rows": rows }));
    }

    fn say(&mut self, line: &str) {
        self.write(&json!({ "event": "message", "message": line }));
    }

    fn event(&mut self, now: Now, event: &Event) {
        let at = now.wall.to_string();
        let value = match event {
            Event::Done { .. } | Event::Looking { .. } | Event::Stopping { .. } => return,
            Event::Rejected { job, note } => json!({
                "event": "rejected", "at": at, "space": job.space_name.as_str(), "member": job.member_name.as_str(),
                "status": note.http_status, "kind": note.kind, "error": note.error,
            }),
            Event::Retry { job, wait, story } => json!({
                "event": "retry", "at": at, "space": job.space_name.as_str(), "member": job.member_name.as_str(),
                "wait": wait.as_secs_f64(), "error": story,
            }),
            Event::Throttled { space, wait } => json!({
                "event": "throttled", "at": at, "space": space.as_ref().map(SpaceName::as_str),
                "wait": wait.as_secs_f64(),
            }),
            Event::Unreachable { wait, story, .. } => json!({
                "event": "unreachable", "at": at, "wait": wait.as_secs_f64(), "error": story,
            }),
            Event::SpaceRefused { space, rows, story } => json!({
                "event": "space_refused", "at": at, "space": space.as_str(), "rows": rows, "error": story,
            }),
            Event::Created { name, space } => json!({
                "event": "created", "at": at, "name": name, "space": space.as_str(),
            }),
            Event::NotCreated { name, story } => json!({
                "event": "not_created", "at": at, "name": name, "error": story,
            }),
            Event::Completed { space, rows } => json!({
                "event": "completed", "at": at, "space": space.as_str(), "rows": rows,
            }),
            Event::NotCompleted { space, story } => json!({
                "event": "not_completed", "at": at, "space": space.as_str(), "error": story,
            }),
            Event::Left { space, stays } => json!({
                "event": "left", "at": at, "space": space.as_str(), "stays": stays,
            }),
        };
        self.write(&value);
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        (self.last, self.elapsed) = (Some(snapshot.clone()), now.elapsed);
        if now.elapsed >= self.next {
            self.next = now.elapsed + EVERY;
            self.progress(now.elapsed, snapshot);
        }
    }

    fn looking(&mut self, elapsed: Duration, looking: &Looking) {
        if elapsed >= self.next {
            self.next = elapsed + EVERY;
            self.write(&json!({
                "event": "looking",
                "elapsed": elapsed.as_secs_f64(),
                "spaces": looking.spaces,
                "spaces_total": looking.spaces_total,
                "listed": looking.listed,
                "differences": looking.differences,
            }));
        }
    }

    fn finish(&mut self) {
        if let Some(last) = self.last.take() {
            self.progress(self.elapsed, &last);
        }
    }
}
