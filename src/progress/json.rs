//! One JSON object a line, for programs. Keys are stable; new ones may be added.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::Display;
use super::figures::{Kinds, going, left, note};
use super::meter::{Going, Meter};
use crate::diagnostics::{Severity, listed};
use crate::engine::{Event, Now, Snapshot};
use crate::input::Problems;
use crate::intake::{Counted, Reading};
use crate::model::SpaceName;
use crate::verify::Looking;
use crate::wording::harmless;

const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Json<W> {
    pub(super) out: W,
    read_last: Option<Instant>,
    next: Duration,
    last: Option<(Now, Snapshot, Kinds)>,
    meter: Meter,
}

/// An event as it is written, with the end of its line.
pub fn line(event: &Value) -> String {
    harmless(&event.to_string()).into_owned() + "\n"
}

/// Something that a person should read.
pub fn message(text: &str) -> Value {
    json!({ "event": "message", "message": text })
}

/// Why the program fails.
pub fn error(story: &str) -> Value {
    json!({ "event": "error", "message": story })
}

/// What is wrong with the input, an event a kind.
pub fn problems(problems: &Problems, severity: Severity) -> Vec<Value> {
    let event = |mut kind: Value| {
        kind["event"] = "problem".into();
        kind
    };
    listed(problems, severity).into_iter().map(event).collect()
}

impl<W: Write> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Json { out, read_last: None, next: Duration::ZERO, last: None, meter: Meter::default() }
    }

    fn write(&mut self, value: &Value) {
        // Nobody reads it when standard error is gone.
        let _ = self.out.write_all(line(value).as_bytes());
    }

    fn progress(&mut self, now: Now, snapshot: &Snapshot, kinds: &Kinds) {
        let going = going(&self.meter, snapshot);
        let per_second = if let Going::At(per_second) = going { Some(per_second) } else { None };
        let left = left(going, snapshot);
        let why: Vec<&str> = snapshot.why().iter().map(|why| why.word).collect();
        let rejects: Map<String, Value> =
            kinds.most().into_iter().map(|(kind, rows)| (kind.to_owned(), rows.into())).collect();
        self.write(&json!({
            "event": "progress",
            "at": now.wall.to_string(),
            "elapsed": now.elapsed.as_secs_f64(),
            "total": snapshot.goal(),
            "done": snapshot.done,
            "rejected": snapshot.rejected,
            "open": snapshot.open,
            "under_way": snapshot.under_way,
            "waiting": snapshot.waiting,
            "paused": snapshot.paused.as_secs_f64(),
            "per_second": per_second,
            "left": left.map(|left| left.as_secs_f64()),
            "ends_at": left.map(|left| now.wall.after(left).to_whole_seconds().to_string()),
            "why": why,
            "pace": snapshot.pace,
            "answer_time": snapshot.answer_time.as_secs_f64(),
            "listing": snapshot.listing,
            "rejects": rejects,
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
            let Reading { file, bytes, bytes_total, .. } = reading;
            self.write(&match reading.counted {
                Counted::Rows { rows, problems } => json!({
                    "event": "reading", "file": file, "bytes": bytes, "bytes_total": bytes_total,
                    "rows": rows, "problems": problems,
                }),
                Counted::Messages(messages) => json!({
                    "event": "converting", "file": file, "bytes": bytes, "bytes_total": bytes_total,
                    "messages": messages,
                }),
            });
        }
    }

    fn reading_done(&mut self, rows: u64) {
        self.write(&json!({ "event": "read", "rows": rows }));
    }

    fn say(&mut self, line: &str) {
        self.write(&message(line));
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

    fn tick(&mut self, now: Now, snapshot: &Snapshot, kinds: &Kinds) {
        note(&mut self.meter, now, snapshot);
        self.last = Some((now, snapshot.clone(), kinds.clone()));
        if now.elapsed >= self.next {
            self.next = now.elapsed + EVERY;
            self.progress(now, snapshot, kinds);
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
        if let Some((now, snapshot, kinds)) = self.last.take() {
            self.progress(now, &snapshot, &kinds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::documented;
    use super::super::figures::tests::{at, job, troubled};
    use super::*;
    use crate::engine::Stop;
    use crate::input::{Problem, ProblemKind};
    use crate::journal::Note;

    const DOCUMENT: &str = include_str!("../../docs/progress-json.md");

    /// Everything that can be told.
    fn told() -> Vec<Value> {
        let mut json = Json::new(Vec::new());
        for counted in [Counted::Rows { rows: 3, problems: 0 }, Counted::Messages(3)] {
            json.read_last = None;
            json.reading(&Reading { file: "a.csv", bytes: 1, bytes_total: Some(2), counted });
        }
        json.reading_done(3);
        json.say("something");
        json.write(&error("something"));
        let mut found = Problems::new();
        found.push(Problem::new(&"a.csv".into(), 2, ProblemKind::BadMember, "it is no address"));
        problems(&found, Severity::Error).iter().for_each(|event| json.write(event));
        let (space, story, wait) = (|| SpaceName::parse("A").unwrap(), || "no".to_owned(), EVERY);
        let note = Note { http_status: Some(403), kind: "PERMISSION_DENIED".to_owned(), error: story() };
        let events = [
            Event::Done { job: job(), existed: false },
            Event::Rejected { job: job(), note },
            Event::Retry { job: job(), wait, story: story() },
            Event::Throttled { space: None, wait },
            Event::Throttled { space: Some(space()), wait },
            Event::Unreachable { wait, story: story() },
            Event::Looking { space: space(), rows: 1 },
            Event::SpaceRefused { space: space(), rows: 3, story: story() },
            Event::Created { name: "Sales".to_owned(), space: space() },
            Event::NotCreated { name: "Sales".to_owned(), story: story() },
            Event::Completed { space: space(), rows: 1 },
            Event::NotCompleted { space: space(), story: story() },
            Event::Left { space: space(), stays: Some(story()) },
            Event::Stopping { stop: Stop::Asked, under_way: 0 },
        ];
        for event in &events {
            json.event(at(1), event);
        }
        let (snapshot, kinds) = troubled();
        json.tick(at(1), &Snapshot { done: snapshot.done - 25, ..snapshot.clone() }, &kinds);
        json.tick(at(6), &snapshot, &kinds);
        json.finish();
        json.looking(wait * 9, &Looking { spaces: 1, spaces_total: 2, listed: 3, differences: 0 });
        let text = String::from_utf8(json.out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_event_is_as_documented() {
        let told = told();
        for value in &told {
            documented::expect(DOCUMENT, value["event"].as_str().unwrap(), value);
        }
        for name in documented::names(DOCUMENT) {
            assert!(told.iter().any(|value| value["event"] == name), "nothing tells {name}");
        }
    }

    #[test]
    fn one_glance() {
        let told = told();
        let last = told.iter().rfind(|value| value["event"] == "progress").unwrap();
        insta::assert_snapshot!("json", serde_json::to_string_pretty(last).unwrap());
    }
}
