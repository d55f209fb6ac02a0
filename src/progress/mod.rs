//! Showing how far a run is: consumers of the engine's events and of the reading's progress.

mod bars;
#[cfg(test)]
pub(crate) mod documented;
mod figures;
pub mod json;
mod meter;
mod plain;

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::cli::ProgressMode;
use crate::engine::{Event, Now, Observer, Snapshot, Stop};
use crate::intake::Reading;
use crate::journal::RejectKind;
use crate::logging;
use crate::model::{SpaceName, SpaceTitles, Undertaking};
use crate::verify::Looking;
use crate::wording::many;

pub use figures::{Kinds, least};
pub use meter::{Going, Meter, time_left};

/// What a run does, as whoever watches is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doing {
    /// In a word.
    pub title: &'static str,
    /// What is counted.
    pub noun: &'static str,
}

impl Default for Doing {
    fn default() -> Self {
        Doing::of(Undertaking::Import, false)
    }
}

impl Doing {
    /// What a run of a journal does: spaces are completed, or what the journal is about is done.
    pub const fn of(undertaking: Undertaking, completes: bool) -> Self {
        let title = match undertaking {
            _ if completes => "Completing",
            Undertaking::Import => "Importing",
            Undertaking::Rollback => "Deleting",
            Undertaking::Remove => "Removing",
            Undertaking::Update => "Updating",
            Undertaking::Spaces => "Creating",
        };
        Doing { title, noun: undertaking.noun() }
    }
}

/// Somebody who shows progress.
pub trait Display {
    /// A run begins.
    fn begin(&mut self, _doing: Doing) {}
    /// Input is being read.
    fn reading(&mut self, reading: &Reading<'_>);
    /// All input is read.
    fn reading_done(&mut self, rows: u64);
    /// Something worth a line of its own happened.
    fn say(&mut self, line: &str);
    /// Something happened.
    fn event(&mut self, _now: Now, _event: &Event) {}
    /// Time passes; `kinds` are all rejects so far.
    fn tick(&mut self, now: Now, snapshot: &Snapshot, kinds: &Kinds);
    /// Time passes while lists are held against the journal.
    fn looking(&mut self, elapsed: Duration, looking: &Looking);
    /// Nothing more will be shown.
    fn finish(&mut self);
}

/// The display for `--progress`.
pub struct Progress {
    display: Box<dyn Display>,
    /// Said already, and nothing has succeeded since.
    unreachable: bool,
    kinds: Kinds,
    titles: SpaceTitles,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

impl Progress {
    /// Chooses.
    pub fn new(mode: ProgressMode) -> Self {
        let zone = TimeZone::system();
        let display: Box<dyn Display> = match mode {
            ProgressMode::Auto if draws_anew(&stderr()) && !logging::is_on() => {
                Box::new(bars::Bars::new(zone))
            }
            ProgressMode::Bar => Box::new(bars::Bars::new(zone)),
            ProgressMode::Auto | ProgressMode::Plain => {
                Box::new(plain::Plain::new(stderr(), columns_of_terminal, zone))
            }
            ProgressMode::Json => Box::new(json::Json::new(stderr())),
            ProgressMode::None => Box::new(Silent),
        };
        Progress { display, unreachable: false, kinds: Kinds::default(), titles: SpaceTitles::default() }
    }

    /// A run begins: what it does, what was rejected before, and what people call the spaces.
    pub fn begin(&mut self, doing: Doing, kinds: &[RejectKind], titles: SpaceTitles) {
        self.kinds = Kinds::of(kinds);
        self.titles = titles;
        self.display.begin(doing);
    }

    /// Input is being read.
    pub fn reading(&mut self, reading: &Reading<'_>) {
        self.display.reading(reading);
    }

    /// All input is read.
    pub fn reading_done(&mut self, rows: u64) {
        self.display.reading_done(rows);
    }

    /// Lists are being held against the journal.
    pub fn looking(&mut self, elapsed: Duration, looking: &Looking) {
        self.display.looking(elapsed, looking);
    }

    /// Something worth a line of its own.
    pub fn say(&mut self, line: &str) {
        self.display.say(line);
    }

    /// Nothing more will be shown.
    pub fn finish(&mut self) {
        self.display.finish();
    }
}

impl Observer for Progress {
    fn event(&mut self, now: Now, event: &Event) {
        self.kinds.note(event);
        self.display.event(now, event);
        match event {
            Event::Unreachable { .. } if std::mem::replace(&mut self.unreachable, true) => return,
            Event::Done { .. } => self.unreachable = false,
            _ => {}
        }
        if let Some(line) = line(event, &self.titles) {
            self.display.say(&line);
        }
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        self.display.tick(now, snapshot, &self.kinds);
    }
}

/// Whether it is a terminal on which something can be drawn anew: one whose `TERM` is `dumb` or not set cannot move back.
pub fn draws_anew(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !console::is_dumb()
}

/// How wide standard error is, if it is a terminal: asked each time, as it may change.
fn columns_of_terminal() -> Option<usize> {
    console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns))
}

/// What somebody who watches should read at once; the rest is in the figures.
fn line(event: &Event, titles: &SpaceTitles) -> Option<String> {
    let told = |space: &SpaceName| titles.tell(space.as_str());
    match event {
        Event::SpaceRefused { space, rows, story } => {
            let space = told(space);
            Some(format!("{space}: Chat refuses the whole space ({story}); its {rows} rows are rejected"))
        }
        Event::NotCreated { name, story } => Some(format!("{name}: {story}")),
        Event::NotCompleted { space, story } => {
            Some(format!("{}: Chat does not complete it: {story}", told(space)))
        }
        Event::Left { space, stays: Some(why) } => {
            Some(format!("{}: the migrating account stays in it: {why}", told(space)))
        }
        Event::Unreachable { story, .. } => Some(format!("{story}; trying again")),
        Event::Stopping { stop: Stop::Asked, under_way: 0 } => Some("stopping".to_owned()),
        Event::Stopping { stop: Stop::Asked, under_way } => Some(format!(
            "stopping: 10 s for {} under way to finish (again: leave at once)",
            many(*under_way as u64, "request")
        )),
        _ => None,
    }
}

/// Shows nothing.
struct Silent;

impl Display for Silent {
    fn reading(&mut self, _reading: &Reading<'_>) {}
    fn reading_done(&mut self, _rows: u64) {}
    fn say(&mut self, _line: &str) {}
    fn tick(&mut self, _now: Now, _snapshot: &Snapshot, _kinds: &Kinds) {}
    fn looking(&mut self, _elapsed: Duration, _looking: &Looking) {}
    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::figures::tests::{at, berlin, troubled};
    use super::*;
    use crate::journal::Note;

    /// Counts what is written, and keeps nothing of it.
    #[derive(Default)]
    struct Counted {
        lines: u64,
        longest: usize,
    }

    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.longest = self.longest.max(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_run_of_days_holds_no_more_than_one_of_minutes() {
        const DAYS: u64 = 10;
        const TICK: u64 = 20;
        let (snapshot, _) = troubled();
        let (mut meter, mut kinds) = (Meter::default(), Kinds::default());
        let mut plain = plain::Plain::new(Counted::default(), || None, berlin());
        let mut json = json::Json::new(Counted::default());
        let mut ticks = 0;
        for second in (0..DAYS * 86_400).step_by(TICK as usize) {
            let now = at(second);
            // A server that thinks of a new kind each time.
            let note = Note { http_status: None, kind: format!("KIND_{second}"), error: String::new() };
            kinds.note(&Event::Rejected { job: figures::tests::job(), note });
            let snapshot = Snapshot { total: 9_000_000, done: second * 5, ..snapshot.clone() };
            meter.note(now.elapsed, snapshot.settled());
            plain.tick(now, &snapshot, &kinds);
            json.tick(now, &snapshot, &kinds);
            ticks += 1;
        }
        assert!(meter.samples() <= 2 * 66, "{}", meter.samples());
        assert_eq!(kinds.most().len(), 17);
        assert_eq!((plain.out.lines, json.out.lines), (ticks - 1, ticks));
        assert!(plain.out.longest < 400 && json.out.longest < 1500, "{}", json.out.longest);
    }
}
