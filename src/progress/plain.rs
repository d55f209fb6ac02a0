//! A calm line every ten seconds, for logs and pipes.

use std::io::Write;
use std::time::{Duration, Instant};

use super::Display;
use super::meter::Meter;
use crate::engine::{Now, Snapshot};
use crate::intake::Reading;
use crate::verify::Looking;
use crate::wording::{harmless, many, rate, span};

const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Plain<W> {
    out: W,
    reading_since: Option<Instant>,
    next: Duration,
    meter: Meter,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W) -> Self {
        Plain { out, reading_since: None, next: EVERY, meter: Meter::default() }
    }
}

impl<W: Write> Display for Plain<W> {
    fn reading(&mut self, reading: &Reading<'_>) {
        let since = *self.reading_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= EVERY {
            self.reading_since = Some(Instant::now());
            let share = match reading.bytes_total {
                Some(total) if total > 0 => format!(" ({} %)", reading.bytes * 100 / total),
                _ => String::new(),
            };
            self.say(&format!("reading {}: {} rows{share}", reading.file, reading.rows));
        }
    }

    fn reading_done(&mut self, rows: u64) {
        self.say(&format!("read {}", many(rows, "row")));
    }

    fn say(&mut self, line: &str) {
        // Nobody reads it when standard error is gone.
        let _ = writeln!(self.out, "{}", harmless(line));
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        self.meter.note(now.elapsed, snapshot.settled());
        if now.elapsed >= self.next {
            self.next = now.elapsed + EVERY;
            let line = progress_line(&self.meter, snapshot);
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

fn progress_line(meter: &Meter, snapshot: &Snapshot) -> String {
    let (settled, goal) = (snapshot.settled(), snapshot.goal());
    let mut line = format!("{settled} of {goal} rows settled");
    if let Some(per_second) = meter.per_second() {
        line += &format!(", {}", rate(per_second));
        // What waits for another try does not come at this rate.
        if let Some(left) = meter.left(goal - settled).filter(|_| goal - settled > snapshot.waiting as u64) {
            line += &format!(", {} left", span(left));
        }
    }
    for reason in snapshot.pace.reasons() {
        line += &format!(", {reason}");
    }
    line += &format!(", {} rejected, {} throttled", snapshot.rejected, snapshot.calls.throttled);
    if !snapshot.paused.is_zero() {
        let what = if snapshot.throttled { "quota" } else { "connection" };
        line += &format!(", waiting {} for the {what}", span(snapshot.paused));
    } else if snapshot.failures_in_a_row > 0 {
        line += &format!(", {} in a row", many(snapshot.failures_in_a_row.into(), "failure"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Calls;
    use crate::model::Timestamp;

    #[test]
    fn a_line_every_ten_seconds_and_no_more() {
        let mut plain = Plain::new(Vec::new());
        for tenth in 0..=250u64 {
            let now = Now { elapsed: Duration::from_millis(tenth * 100), wall: Timestamp::from_micros(0) };
            let snapshot = Snapshot {
                total: 1000,
                done: tenth * 2,
                rejected: 1,
                calls: Calls { throttled: 3, ..Calls::default() },
                ..Snapshot::default()
            };
            plain.tick(now, &snapshot);
        }
        let text = String::from_utf8(plain.out).unwrap();
        assert_eq!(
            text,
            "201 of 1000 rows settled, 20/s, 40 s left, 1 rejected, 3 throttled\n\
             401 of 1000 rows settled, 20/s, 30 s left, 1 rejected, 3 throttled\n"
        );
    }
}
