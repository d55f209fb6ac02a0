//! A calm line every ten seconds, for logs and pipes, and for terminals that cannot draw.

use std::io::Write;
use std::time::{Duration, Instant};

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::figures::{Figures, Kinds, figures, local, note};
use super::meter::Meter;
use super::{Display, Doing};
use crate::engine::{Now, Snapshot};
use crate::intake::{Counted, Reading};
use crate::verify::Looking;
use crate::wording::{fitted, harmless, many, span};

const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Plain<W> {
    pub(super) out: W,
    /// How wide lines may be, where somebody looks at them on a terminal.
    columns: fn() -> Option<usize>,
    reading_since: Option<Instant>,
    next: Duration,
    meter: Meter,
    zone: TimeZone,
    doing: Doing,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W, columns: fn() -> Option<usize>, zone: TimeZone) -> Self {
        Plain {
            out,
            columns,
            reading_since: None,
            next: EVERY,
            meter: Meter::default(),
            zone,
            doing: Doing::default(),
        }
    }
}

impl<W: Write> Display for Plain<W> {
    fn begin(&mut self, doing: Doing) {
        self.doing = doing;
    }

    fn reading(&mut self, reading: &Reading<'_>) {
        let since = *self.reading_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= EVERY {
            self.reading_since = Some(Instant::now());
            let share = match reading.bytes_total {
                Some(total) if total > 0 => format!(" ({} %)", reading.bytes * 100 / total),
                _ => String::new(),
            };
            let (count, noun) = match reading.counted {
                Counted::Rows { rows, .. } => (rows, "row"),
                Counted::Messages(messages) => (messages, "message"),
            };
            self.say(&format!("reading {}: {}{share}", reading.file, many(count, noun)));
        }
    }

    fn reading_done(&mut self, rows: u64) {
        self.say(&format!("read {}", many(rows, "row")));
    }

    fn say(&mut self, line: &str) {
        let line = harmless(line);
        let line = match (self.columns)() {
            Some(columns) => fitted(&line, columns).into(),
            None => line,
        };
        // Nobody reads it when standard error is gone.
        let _ = writeln!(self.out, "{line}");
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot, kinds: &Kinds) {
        note(&mut self.meter, now, snapshot);
        if now.elapsed >= self.next {
            self.next = now.elapsed + EVERY;
            let line = progress_line(self.doing, &self.meter, &local(now, &self.zone), snapshot, kinds);
            self.say(&line);
        }
    }

    fn looking(&mut self, elapsed: Duration, looking: &Looking) {
        self.meter.note(elapsed, looking.spaces);
        if elapsed >= self.next {
            self.next = elapsed + EVERY;
            let Looking { spaces, spaces_total, listed, differences, .. } = looking;
            let left = match self.meter.left(spaces_total - spaces) {
                Some(left) => format!(", {} left", span(left)),
                None => String::new(),
            };
            self.say(&format!(
                "{spaces} of {spaces_total} spaces compared, {} listed, {}{left}",
                many(*listed, "membership"),
                many(*differences, "difference")
            ));
        }
    }

    fn finish(&mut self) {}
}

/// The time of day in a column of its own, how far, how fast, why not faster, and what went wrong, one after the other.
fn progress_line(doing: Doing, meter: &Meter, now: &Zoned, snapshot: &Snapshot, kinds: &Kinds) -> String {
    let (settled, goal) = (snapshot.settled(), snapshot.goal());
    let Figures { speed, why, trouble } = figures(meter, now, snapshot, kinds);
    let share = (settled * 100).checked_div(goal).unwrap_or(100);
    let mut far = vec![format!("{share} %"), format!("{settled} of {goal} {}s settled", doing.noun)];
    far.extend(speed);
    let parts: Vec<String> =
        [far, why, trouble].iter().filter(|part| !part.is_empty()).map(|part| part.join(", ")).collect();
    format!("{}  {}", now.strftime("%H:%M:%S"), parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::{at, berlin, troubled};
    use super::*;
    use crate::journal::Calls;

    #[test]
    fn a_line_every_ten_seconds_and_no_more() {
        let mut plain = Plain::new(Vec::new(), || None, berlin());
        for second in 0..=25 {
            let snapshot = Snapshot {
                total: 1000,
                done: second * 20,
                rejected: 1,
                under_way_max: 20,
                calls: Calls { throttled: 3, ..Calls::default() },
                ..Snapshot::default()
            };
            plain.tick(at(second), &snapshot, &Kinds::default());
        }
        let text = String::from_utf8(plain.out).unwrap();
        assert_eq!(
            text,
            "20:00:10  20 %, 201 of 1000 rows settled, 20/s, 40 s left, ends today 20:00; no limit configured; \
             1 rejected, 3 throttled\n\
             20:00:20  40 %, 401 of 1000 rows settled, 20/s, 30 s left, ends today 20:00; no limit configured; \
             1 rejected, 3 throttled\n"
        );
    }

    #[test]
    fn everything_goes_wrong() {
        let (snapshot, kinds) = troubled();
        let mut plain = Plain::new(Vec::new(), || None, berlin());
        plain.tick(at(0), &Snapshot { done: snapshot.done - 50, ..snapshot.clone() }, &kinds);
        plain.tick(at(10), &snapshot, &kinds);
        insta::assert_snapshot!("plain", String::from_utf8(plain.out).unwrap());
    }

    #[test]
    fn a_narrow_terminal() {
        let (snapshot, kinds) = troubled();
        let mut plain = Plain::new(Vec::new(), || Some(60), berlin());
        plain.tick(at(10), &snapshot, &kinds);
        plain.say(
            "spaces/AAQA7: Chat refuses the whole space (the space is not there); its 31 rows are rejected",
        );
        insta::assert_snapshot!("plain_narrow", String::from_utf8(plain.out).unwrap());
    }
}
