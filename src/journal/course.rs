//! The course of a run: how many calls were answered and rows settled in each stretch of it. Written with the counters, in
//! the transaction of what it counts, so the two always agree.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::Connection;

use super::{Calls, Journal, JournalError};
use crate::model::Timestamp;

const MINUTE_MICROS: i64 = 60_000_000;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// A run as it goes on: its number, and when it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) id: i64,
    pub(super) begun_at: Timestamp,
}

impl Run {
    /// The stretch of the run that a moment falls in, in microseconds: where it begins and how long it is. A minute on the
    /// first day, ten minutes up to the tenth day, an hour from then on: 90 days are 4656 stretches.
    fn stretch(self, at: Timestamp) -> (i64, i64) {
        // A clock that was set back is taken for the run's beginning.
        let offset = at.as_micros().saturating_sub(self.begun_at.as_micros()).max(0);
        let length = match offset / DAY_MICROS {
            0 => MINUTE_MICROS,
            1..10 => 10 * MINUTE_MICROS,
            _ => HOUR_MICROS,
        };
        (self.begun_at.as_micros() + offset / length * length, length)
    }
}

/// What was counted in one stretch of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Number of the run.
    pub run: i64,
    /// When it begins.
    pub begun_at: Timestamp,
    /// How long it is; of the run's last one only the beginning may have been used.
    pub length: Duration,
    /// Calls that were answered in it.
    pub calls: Calls,
    /// Rows that became done.
    pub done: u64,
    /// Rows that were refused for good.
    pub rejected: u64,
}

/// What a batch of changes adds to the course of its run.
#[derive(Debug, Default)]
pub(super) struct Course(BTreeMap<Timestamp, Counted>);

#[derive(Debug, Default)]
struct Counted {
    calls: Calls,
    done: u64,
    rejected: u64,
}

impl Course {
    fn at(&mut self, at: Timestamp) -> &mut Counted {
        // The second is fine enough to find the stretch by, and keeps a batch's entries few.
        self.0.entry(at.to_whole_seconds()).or_default()
    }

    pub(super) fn calls(&mut self, at: Timestamp, calls: Calls) {
        self.at(at).calls += calls;
    }

    pub(super) fn done(&mut self, at: Timestamp) {
        self.at(at).done += 1;
    }

    pub(super) fn rejected(&mut self, at: Timestamp, rows: u64) {
        self.at(at).rejected += rows;
    }

    pub(super) fn write(self, conn: &Connection, run: Option<Run>) -> Result<(), JournalError> {
        let Some(run) = run else { return Ok(()) };
        let mut stretches: BTreeMap<(i64, i64), Counted> = BTreeMap::new();
        for (at, counted) in self.0 {
            let stretch = stretches.entry(run.stretch(at)).or_default();
            stretch.calls += counted.calls;
            stretch.done += counted.done;
            stretch.rejected += counted.rejected;
        }
        for ((begun_at, length), Counted { calls, done, rejected }) in stretches {
            conn.prepare_cached(
                "INSERT INTO stretches (run, begun_at, length, sent, ok, throttled, failed, done, rejected)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, ok = ok + excluded.ok,
                        throttled = throttled + excluded.throttled, failed = failed + excluded.failed,
                        done = done + excluded.done, rejected = rejected + excluded.rejected",
            )?
            .execute((
                run.id,
                begun_at,
                length,
                calls.sent as i64,
                calls.ok as i64,
                calls.throttled as i64,
                calls.failed as i64,
                done as i64,
                rejected as i64,
            ))?;
        }
        Ok(())
    }
}

impl Journal {
    /// The course of all runs, in order. Runs of a tenure that kept none have no stretches.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn stretches(&self) -> Result<Vec<Stretch>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT run, begun_at, length, sent, ok, throttled, failed, done, rejected FROM stretches
              ORDER BY run, begun_at",
        )?;
        let stretches = statement.query_map([], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Stretch {
                run: row.get(0)?,
                begun_at: Timestamp::from_micros(row.get(1)?),
                length: Duration::from_micros(count(2)?),
                calls: Calls { sent: count(3)?, ok: count(4)?, throttled: count(5)?, failed: count(6)? },
                done: count(7)?,
                rejected: count(8)?,
            })
        })?;
        Ok(stretches.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RUN: Run = Run { id: 1, begun_at: Timestamp::from_micros(1_700_000_012_345_678) };

    #[test]
    fn a_run_of_ninety_days_stays_small() {
        let stretches: BTreeSet<(i64, i64)> =
            (0..90 * 24 * 60).map(|minute| RUN.stretch(RUN.begun_at.after(minutes(minute)))).collect();
        assert_eq!(stretches.len(), 1440 + 9 * 144 + 80 * 24);
        // One behind the other, without a gap.
        let ends: Vec<i64> = stretches.iter().map(|(begun_at, length)| begun_at + length).collect();
        let begins: Vec<i64> = stretches.iter().map(|(begun_at, _)| *begun_at).collect();
        assert_eq!(begins[0], RUN.begun_at.as_micros());
        assert_eq!(begins[1..], ends[..ends.len() - 1]);
    }

    #[test]
    fn a_clock_that_was_set_back() {
        let before = Timestamp::from_micros(RUN.begun_at.as_micros() - 5);
        assert_eq!(RUN.stretch(before), RUN.stretch(RUN.begun_at));
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }
}
