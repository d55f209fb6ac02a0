//! What a report is made of: figures of a whole journal, gathered in one pass through its rows and otherwise from the
//! counters that each change keeps.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension as _, Row};

use super::number::Numbers;
use super::query::HAS_ROWS;
use super::{Calls, Journal, JournalError};
use crate::model::{MemberId, SpaceId, Span, State, Timestamp, Undertaking};

/// One run of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFigures {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it goes on, or after it was cut off.
    pub ended_at: Option<Timestamp>,
    /// How it ended, in words.
    pub outcome: Option<String>,
    /// Which version of this program it was.
    pub version: String,
    /// Its calls.
    pub calls: Calls,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFigures {
    /// Its path.
    pub path: String,
    /// When it was read last.
    pub read_at: Timestamp,
    /// Lines with a row on them.
    pub rows: u64,
    /// Of these, lines that repeat another.
    pub duplicates: u64,
    /// Of these, lines that are no row, and in whose place no mended one stands.
    pub invalid: u64,
}

/// The rows of one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceFigures {
    /// Which.
    pub id: SpaceId,
    /// `spaces/AAAA`.
    pub name: String,
    /// What people call it, if that is known.
    pub title: Option<String>,
    /// How many rows are in each state, by its code.
    pub states: [u64; 5],
    /// When it was completed, as far as this journal knows.
    pub completed_at: Option<Timestamp>,
    /// Why Chat does not complete it.
    pub complete_error: Option<String>,
}

impl SpaceFigures {
    /// How many rows are in a state.
    pub fn of(&self, state: State) -> u64 {
        self.states.get(state as usize).copied().unwrap_or(0)
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.states.iter().sum()
    }
}

/// A channel that becomes a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFigures {
    /// What the input calls it.
    pub name: String,
    /// The display name that its space has, or would get.
    pub made_as: String,
    /// What became of it.
    pub state: State,
    /// The space.
    pub space: Option<String>,
    /// When Chat deletes the space unless it is completed by then, if Chat has told it.
    pub expires_at: Option<Timestamp>,
    /// Whether the space is known to be completed. This journal does not know: whoever completes it has another.
    pub completed: bool,
}

/// A refused row, as an example of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The space, or what the channel is called; `None` for a line that is no row.
    pub space: Option<String>,
    /// What people call the space, if that is known.
    pub title: Option<String>,
    /// The member, if it names one.
    pub member: Option<String>,
    /// Its times.
    pub span: Span,
    /// The file it came from, and its line there.
    pub origin: (String, u64),
    /// Why.
    pub error: String,
}

/// A reason as rows are counted by it: its kind, and the HTTP status if there was a call.
pub type RejectReason = (String, Option<u16>);

/// Memberships of each year: those that were held at any time of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct YearFigures {
    /// Of rows that are done,
    pub done: u64,
    /// and of all others.
    pub others: u64,
}

/// What a pass through all rows yields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFigures {
    /// How many rows are in each state, by its code: counted, not as the counters have it.
    pub states: [u64; 5],
    /// Memberships by year; rows that name no time are in none. Without a gap.
    pub years: BTreeMap<i16, YearFigures>,
    /// The same of some spaces, done or not.
    pub spaces: HashMap<SpaceId, BTreeMap<i16, u64>>,
    /// Rows that name no time.
    pub timeless: u64,
    /// The first and the last time that any row names.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// Years that are told apart: whatever is earlier or later counts to the first or the last of them.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2099;

impl Journal {
    /// Every run, in order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn runs(&self) -> Result<Vec<RunFigures>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT id, started_at, ended_at, outcome, version, sent, ok, throttled, failed FROM runs ORDER BY id",
        )?;
        let runs = statement.query_map([], |row| {
            Ok(RunFigures {
                id: row.get(0)?,
                started_at: Timestamp::from_micros(row.get(1)?),
                ended_at: time(row, 2)?,
                outcome: row.get(3)?,
                version: row.get(4)?,
                calls: Calls {
                    sent: count(row, 5)?,
                    ok: count(row, 6)?,
                    throttled: count(row, 7)?,
                    failed: count(row, 8)?,
                },
            })
        })?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    /// Every file that was read, in order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn sources(&self) -> Result<Vec<SourceFigures>, JournalError> {
        let mut statement =
            self.conn.prepare("SELECT path, read_at, rows, duplicates, invalid FROM sources ORDER BY id")?;
        let sources = statement.query_map([], |row| {
            Ok(SourceFigures {
                path: row.get(0)?,
                read_at: Timestamp::from_micros(row.get(1)?),
                rows: count(row, 2)?,
                duplicates: count(row, 3)?,
                invalid: count(row, 4)?,
            })
        })?;
        Ok(sources.collect::<Result<_, _>>()?)
    }

    /// Every space that rows are in, in the order in which the input named them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn space_figures(&self) -> Result<Vec<SpaceFigures>, JournalError> {
        let mut statement = self.conn.prepare(&format!(
            "SELECT id, name, pending, in_flight, done, rejected, open, completed_at, complete_error, title
               FROM spaces WHERE {HAS_ROWS} ORDER BY id"
        ))?;
        let spaces = statement.query_map([], |row| {
            let mut states = [0; 5];
            for (place, state) in states.iter_mut().enumerate() {
                *state = count(row, 2 + place)?;
            }
            Ok(SpaceFigures {
                id: SpaceId(row.get(0)?),
                name: row.get(1)?,
                states,
                completed_at: time(row, 7)?,
                complete_error: row.get(8)?,
                title: row.get(9)?,
            })
        })?;
        Ok(spaces.collect::<Result<_, _>>()?)
    }

    /// Every channel, in the order of the input.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn channel_figures(&self) -> Result<Vec<ChannelFigures>, JournalError> {
        let mut statement =
            self.conn.prepare("SELECT name, made_as, state, space, expires_at FROM channels ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut channels = Vec::new();
        while let Some(row) = rows.next()? {
            let code = row.get(2)?;
            channels.push(ChannelFigures {
                name: row.get(0)?,
                made_as: row.get(1)?,
                state: State::of_code(code)
                    .ok_or_else(|| JournalError::Content(format!("a channel in state {code}")))?,
                space: row.get(3)?,
                expires_at: time(row, 4)?,
                completed: false,
            });
        }
        Ok(channels)
    }

    /// Passes once through all rows that count. What is still held is counted until `now`; `spaces` says of which the years are
    /// wanted one by one.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn row_figures(&self, spaces: &[SpaceId], now: Timestamp) -> Result<RowFigures, JournalError> {
        let begins = year_begins();
        let mut figures = RowFigures::default();
        let (mut done, mut others) = (Tides::new(&begins), Tides::new(&begins));
        let mut wanted: HashMap<SpaceId, Tides> =
            spaces.iter().map(|space| (*space, Tides::new(&begins))).collect();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let bridges = self.bridges()?;
        let mut statement =
            self.conn.prepare("SELECT id, state, create_time, delete_time FROM rows WHERE state <> ?1")?;
        let mut rows = statement.query([State::Replaced.code()])?;
        while let Some(row) = rows.next()? {
            let state: usize = row.get::<_, i64>(1)?.try_into().unwrap_or(usize::MAX);
            *figures
                .states
                .get_mut(state)
                .ok_or_else(|| JournalError::Content(format!("a row in state {state}")))? += 1;
            let (create, delete): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let Some(begin) = create.or(delete) else {
                figures.timeless += 1;
                continue;
            };
            let end = delete.unwrap_or_else(|| now.as_micros().max(begin));
            (first, last) = (first.min(begin), last.max(delete.unwrap_or(begin)));
            let mut years = (year_of(&begins, begin), year_of(&begins, end));
            let id: i64 = row.get(0)?;
            if delete.is_none()
                && let Some(until) = bridges.get(&Numbers::parts(id))
            {
                // Its history is a row of its own: one stretch, counted there until it ends.
                years.0 = years.0.max(year_of(&begins, *until) + 1);
                if years.0 > years.1 {
                    continue;
                }
            }
            if state == State::Done as usize {
                done.add(years)
            } else {
                others.add(years)
            }
            if let Some(tides) = wanted.get_mut(&Numbers::parts(id).0) {
                tides.add(years);
            }
        }
        if first <= last {
            figures.span = Some((Timestamp::from_micros(first), Timestamp::from_micros(last)));
        }
        let both: Vec<_> = done.held().zip(others.held()).enumerate().collect();
        let is_empty = |(_, (done, others)): &(usize, (u64, u64))| done + others == 0;
        let from = both.iter().position(|year| !is_empty(year)).unwrap_or(both.len());
        let to = both.iter().rposition(|year| !is_empty(year)).map_or(0, |year| year + 1);
        let year = |place: usize| YEARS.start() + place as i16;
        for (place, (done, others)) in both.get(from..to).unwrap_or_default() {
            figures.years.insert(year(*place), YearFigures { done: *done, others: *others });
        }
        for (space, tides) in wanted {
            let held = tides.held().enumerate().filter(|(_, held)| *held > 0);
            figures.spaces.insert(space, held.map(|(place, held)| (year(place), held)).collect());
        }
        Ok(figures)
    }

    /// Where the histories of open rows end, by whose they are.
    fn bridges(&self) -> Result<HashMap<(SpaceId, MemberId), i64>, JournalError> {
        let mut statement =
            self.conn.prepare("SELECT row, max(until) FROM parts WHERE until IS NOT NULL GROUP BY row")?;
        let bridges = statement.query_map([], |row| Ok((Numbers::parts(row.get(0)?), row.get(1)?)))?;
        Ok(bridges.collect::<Result<_, _>>()?)
    }

    /// Refused rows, or channels, of each reason, so many at most, the first in the journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn reject_samples(
        &self,
        each_max: usize,
    ) -> Result<HashMap<RejectReason, Vec<Sample>>, JournalError> {
        let of_channels = self.undertaking()? == Undertaking::Spaces;
        let table = if of_channels { "channels" } else { "rows" };
        let mut statement = self.conn.prepare(&format!(
            "SELECT id, ifnull(kind, 'unknown'), http_status FROM {table} WHERE state = 3 ORDER BY id"
        ))?;
        let mut rows = statement.query([])?;
        let mut kept: HashMap<RejectReason, Vec<i64>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let samples = kept.entry((row.get(1)?, row.get(2)?)).or_default();
            if samples.len() < each_max {
                samples.push(row.get(0)?);
            }
        }
        let sample = |id| if of_channels { self.refused_channel(id) } else { self.refused_row(id) };
        kept.into_iter()
            .map(|(reason, ids)| Ok((reason, ids.into_iter().map(sample).collect::<Result<_, _>>()?)))
            .collect()
    }

    fn refused_channel(&self, id: i64) -> Result<Sample, JournalError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT name, create_time, source, line, ifnull(error, '') FROM channels WHERE id = ?1",
        )?;
        Ok(statement.query_row([id], |row| {
            Ok(Sample {
                space: row.get(0)?,
                title: None,
                member: None,
                span: Span { create_time: time(row, 1)?, delete_time: None },
                origin: (row.get(2)?, count(row, 3)?),
                error: row.get(4)?,
            })
        })?)
    }

    fn refused_row(&self, id: i64) -> Result<Sample, JournalError> {
        let (SpaceId(space), MemberId(member)) = Numbers::parts(id);
        let name = |name: &str, id: i64| -> rusqlite::Result<Option<String>> {
            let mut statement = self.conn.prepare_cached(&format!("SELECT {name} WHERE id = ?1"))?;
            Ok(statement.query_row([id], |row| row.get(0)).optional()?.flatten())
        };
        // A line that is no row has a number in which neither is.
        let is_row = id > Numbers::INVALID.last;
        let mut statement = self.conn.prepare_cached(
            "SELECT create_time, delete_time, path, line, ifnull(error, '')
               FROM rows JOIN sources ON sources.id = rows.source WHERE rows.id = ?1",
        )?;
        let mut sample = statement.query_row([id], |row| {
            Ok(Sample {
                space: if is_row { name("name FROM spaces", space)? } else { None },
                title: if is_row { name("title FROM spaces", space)? } else { None },
                member: if is_row { name("name FROM members", member)? } else { None },
                span: Span { create_time: time(row, 0)?, delete_time: time(row, 1)? },
                origin: (row.get(2)?, count(row, 3)?),
                error: row.get(4)?,
            })
        })?;
        sample.error = self.titled(&sample.error)?;
        Ok(sample)
    }
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros))
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// When each of the years begins, in microseconds since 1970.
fn year_begins() -> Vec<i64> {
    YEARS
        .map(|year| {
            let begin = jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC);
            begin.map_or(i64::MAX, |begin| begin.timestamp().as_microsecond())
        })
        .collect()
}

/// In which of the years a moment is.
fn year_of(begins: &[i64], micros: i64) -> usize {
    begins.partition_point(|begin| *begin <= micros).saturating_sub(1)
}

/// How many begin with each year and how many have ended before it: what is held in it is their sum up to it.
#[derive(Debug)]
struct Tides(Vec<i64>);

impl Tides {
    fn new(begins: &[i64]) -> Tides {
        Tides(vec![0; begins.len() + 1])
    }

    /// One more is held from the first of these years to the last.
    fn add(&mut self, (first, last): (usize, usize)) {
        self.0[first] += 1;
        self.0[last + 1] -= 1;
    }

    fn held(&self) -> impl Iterator<Item = u64> {
        let years = self.0.len() - 1;
        self.0[..years].iter().scan(0, |held, change| {
            *held += change;
            Some((*held).max(0).cast_unsigned())
        })
    }
}
