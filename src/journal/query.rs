//! Reading: where a run stands, what is to be sent next, whose memberships are whose.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Row, params};

use super::number::Numbers;
use super::{Calls, Journal, JournalError};
use crate::model::{
    ChannelJob, Job, MemberId, MemberName, MembershipName, Operation, Origin, Prior, Role, RowId, SpaceId,
    SpaceName, Span, State, Timestamp, Undertaking,
};

/// Where a run stands. `done + rejected + pending + in_flight + open = total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Distinct rows.
    pub total: u64,
    /// Held by Chat.
    pub done: u64,
    /// Of these, there before.
    pub existed: u64,
    /// Refused for good, or invalid.
    pub rejected: u64,
    /// Still to be sent.
    pub pending: u64,
    /// Sent or about to be, answer unknown.
    pub in_flight: u64,
    /// Waiting for their space's completion.
    pub open: u64,
    /// Lines that said what another line had said already.
    pub duplicate: u64,
    /// Rows of the input that went into another.
    pub merged: u64,
    /// Rows of history of those who are still members; some of them may be among the merged.
    pub bridged: u64,
    /// Spaces named.
    pub spaces: u64,
    /// Spaces of which no row is pending or in flight.
    pub spaces_settled: u64,
    /// Spaces completed.
    pub spaces_completed: u64,
    /// Calls of all runs together.
    pub calls: Calls,
}

/// What there is to do in a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceWork {
    /// The space.
    pub id: SpaceId,
    /// Its name.
    pub name: SpaceName,
    /// Rows still to be sent.
    pub pending: u64,
    /// Rows whose answer is unknown.
    pub in_flight: u64,
    /// Whether that which Chat held beforehand is written down, or does not matter.
    pub surveyed: bool,
    /// Whether it is not in import mode any more.
    pub completed: bool,
    /// Rows that wait for that.
    pub open: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Whether the migrating account has left it.
    pub left: bool,
    /// What is to become a space, if it is none yet.
    pub channel: Option<Box<ChannelJob>>,
}

/// What there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Every space with work in it, those with unknown answers first, then by size.
    pub spaces: Vec<SpaceWork>,
    /// A space without work that could be reached before: whether it still can tells a bad space from a bad set-up.
    pub witness: Option<SpaceWork>,
    /// Whether this Chat was seen to make two of a create that is repeated.
    pub doubles: bool,
    /// Whether commits of the journal were lost, so that rows may have been sent of which it does not know.
    pub lost: bool,
}

impl Work {
    /// How many rows are still to be sent, space by space.
    pub fn pending(&self) -> Vec<u64> {
        self.spaces.iter().map(|space| space.pending).collect()
    }
}

/// A membership that Chat lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// `spaces/{space}/members/{member}`.
    pub membership: String,
    /// Canonical `users/{id}`, or `groups/{id}`.
    pub user: String,
    /// Its times as listed.
    pub span: Span,
}

/// What the journal knows of a membership that Chat lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The membership.
    pub held: Held,
    /// Which members of this journal its user is known to be.
    pub owners: Vec<MemberId>,
    /// Whether a row of one of these is done, or perhaps done, in this space.
    pub owner_has_others: bool,
    /// Whether it was there before this journal's first call.
    pub found_beforehand: bool,
    /// Whether the list has it more than once, and tells its times: without times they may be different stints.
    pub twice: bool,
    /// Whether the list has it more often than once or than beforehand.
    pub grown: bool,
}

/// Which rows belong to the steps of a space, in their order; see [`Job::step`].
const STEPS: [&str; 4] = [
    "operation IN (1, 2)",
    "operation = 4 AND role = 'ROLE_MANAGER'",
    "operation = 4 AND role IS NOT 'ROLE_MANAGER'",
    "operation = 3",
];

/// Spaces that rows are in; of others, all rows were replaced.
pub(super) const HAS_ROWS: &str = "pending + in_flight + done + rejected + open > 0";

impl Journal {
    /// Where its rows go: `emulator`, or the endpoint's URL.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn target(&self) -> Result<String, JournalError> {
        Ok(self.conn.query_row("SELECT target FROM journal", [], |row| row.get(0))?)
    }

    /// Whether its spaces are not in import mode.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn is_standard(&self) -> Result<bool, JournalError> {
        Ok(self.conn.query_row("SELECT standard FROM journal", [], |row| row.get(0))?)
    }

    /// What the rows are for.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn undertaking(&self) -> Result<Undertaking, JournalError> {
        let name: String = self.conn.query_row("SELECT operation FROM journal", [], |row| row.get(0))?;
        name.parse().map_err(|()| JournalError::Content(format!("rows for {name:?}")))
    }

    /// Where the run stands, from the counters that each change keeps.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn tally(&self) -> Result<Tally, JournalError> {
        let count = |row: &Row<'_>, column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        // One read transaction, so that the figures belong together while another process writes.
        let tx = if self.conn.is_autocommit() { Some(self.conn.unchecked_transaction()?) } else { None };
        let tx = tx.as_deref().unwrap_or(&self.conn);
        let mut tally = tx.query_row(
            &format!(
                "SELECT total(pending), total(in_flight), total(done), total(rejected), total(open),
                        count(*), total(pending + in_flight = 0), count(completed_at), total(existed)
                   FROM spaces WHERE {HAS_ROWS}"
            ),
            [],
            |row| {
                let sum = |column| row.get::<_, f64>(column).map(|sum| sum as u64);
                Ok(Tally {
                    pending: sum(0)?,
                    in_flight: sum(1)?,
                    done: sum(2)?,
                    rejected: sum(3)?,
                    open: sum(4)?,
                    spaces: count(row, 5)?,
                    spaces_settled: sum(6)?,
                    spaces_completed: count(row, 7)?,
                    existed: sum(8)?,
                    ..Tally::default()
                })
            },
        )?;
        let (duplicate, invalid) = tx.query_row(
            "SELECT ifnull(sum(duplicates), 0), ifnull(sum(invalid), 0) FROM sources",
            [],
            |row| Ok((count(row, 0)?, count(row, 1)?)),
        )?;
        tally.duplicate = duplicate;
        (tally.merged, tally.bridged) = tx.query_row("SELECT merged, bridged FROM journal", [], |row| {
            Ok((count(row, 0)?, count(row, 1)?))
        })?;
        tally.rejected += invalid;
        tally.calls = tx.query_row(
            "SELECT ifnull(sum(sent), 0), ifnull(sum(ok), 0), ifnull(sum(throttled), 0), ifnull(sum(failed), 0) FROM runs",
            [],
            |row| {
                Ok(Calls {
                    sent: count(row, 0)?,
                    ok: count(row, 1)?,
                    throttled: count(row, 2)?,
                    failed: count(row, 3)?,
                })
            },
        )?;
        if self.undertaking()? == Undertaking::Spaces {
            [tally.pending, tally.in_flight, tally.done, tally.rejected] = self.channel_counts()?;
            tally.spaces = tally.done;
            tally.spaces_settled = tally.done;
        }
        tally.total = tally.pending + tally.in_flight + tally.done + tally.rejected + tally.open;
        Ok(tally)
    }

    /// The same figures counted row by row. Slow; it is what [`Journal::tally`] is tested against.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn recount(&self) -> Result<[u64; 5], JournalError> {
        let mut counts = [0; 5];
        if self.undertaking()? == Undertaking::Spaces {
            counts[..4].copy_from_slice(&self.channel_counts()?);
            return Ok(counts);
        }
        let mut statement =
            self.conn.prepare("SELECT state, count(*) FROM rows WHERE state <> ?1 GROUP BY state")?;
        let mut rows = statement.query([State::Replaced.code()])?;
        while let Some(row) = rows.next()? {
            let state: usize = row.get::<_, i64>(0)?.try_into().unwrap_or(usize::MAX);
            let slot = counts
                .get_mut(state)
                .ok_or_else(|| JournalError::Content(format!("a row in state {state}")))?;
            *slot = row.get::<_, i64>(1)?.cast_unsigned();
        }
        Ok(counts)
    }

    /// What there is to do.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn work(&self) -> Result<Work, JournalError> {
        if self.undertaking()? == Undertaking::Spaces {
            return self.channel_work();
        }
        let spaces = self.spaces("pending + in_flight > 0 ORDER BY in_flight > 0 DESC, pending DESC, id")?;
        let witness = self
            .spaces(
                "pending + in_flight = 0 AND (surveyed_at IS NOT NULL OR done > 0)
                 ORDER BY surveyed_at DESC, done DESC LIMIT 1",
            )?
            .pop();
        Ok(Work { spaces, witness, doubles: self.doubles()?, lost: self.has_lost()? })
    }

    pub(super) fn spaces(&self, condition: &str) -> Result<Vec<SpaceWork>, JournalError> {
        let mut statement = self.conn.prepare(&format!(
            "SELECT id, name, pending, in_flight, surveyed_at IS NOT NULL OR (SELECT operation <> 'import' FROM journal),
                    completed_at IS NOT NULL, open, rejected, left_at IS NOT NULL
               FROM spaces WHERE {condition}"
        ))?;
        let mut rows = statement.query([])?;
        let mut spaces = Vec::new();
        while let Some(row) = rows.next()? {
            spaces.push(SpaceWork {
                id: SpaceId(row.get(0)?),
                name: space_name(&row.get::<_, String>(1)?)?,
                pending: row.get::<_, i64>(2)?.cast_unsigned(),
                in_flight: row.get::<_, i64>(3)?.cast_unsigned(),
                surveyed: row.get(4)?,
                completed: row.get(5)?,
                open: row.get::<_, i64>(6)?.cast_unsigned(),
                rejected: row.get::<_, i64>(7)?.cast_unsigned(),
                left: row.get(8)?,
                channel: None,
            });
        }
        Ok(spaces)
    }

    /// Members with several stints in one space, and how many of their rows are behind the first; refused and open rows
    /// aside.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn several_stints(&self) -> Result<(u64, u64), JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT id FROM rows WHERE id > ?1 AND state IN (0, 1, 2) AND delete_time IS NOT NULL ORDER BY id",
        )?;
        let mut rows = statement.query([Numbers::INVALID.last])?;
        let (mut members, mut behind, mut stints, mut last) = (0, 0, 0, None);
        while let Some(row) = rows.next()? {
            let member = Some(Numbers::parts(row.get(0)?));
            stints = if member == last { stints + 1 } else { 1 };
            members += u64::from(stints == 2);
            behind += u64::from(stints > 1);
            last = member;
        }
        Ok((members, behind))
    }

    /// The names of all spaces.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn space_names(&self) -> Result<Vec<SpaceName>, JournalError> {
        let mut statement = self.conn.prepare("SELECT name FROM spaces ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut names = Vec::new();
        while let Some(row) = rows.next()? {
            names.push(space_name(&row.get::<_, String>(0)?)?);
        }
        Ok(names)
    }

    /// Rows of a space that are to be sent, step by step (see [`Job::step`]), and within a step a member's stints one after
    /// the other in the order of their times, from the one behind `after` on. What is taken back goes the other way.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn pending(
        &self,
        space: SpaceId,
        after: Option<&Job>,
        limit: usize,
    ) -> Result<Vec<Job>, JournalError> {
        let Numbers { first, last } = Numbers::of_space(space);
        let backwards = self.undertaking()? == Undertaking::Rollback;
        let (order, ends) = if backwards { ("DESC", (last + 1, first)) } else { ("ASC", (first, last)) };
        let mut jobs = Vec::new();
        let begun = after.map_or(0, |job| usize::from(job.step()));
        for (step, rows) in STEPS.iter().enumerate().skip(begun) {
            let from = after.filter(|_| step == begun).map_or(ends.0, |job| job.id.0);
            let (low, high) = if backwards { (ends.1, from - 1) } else { (from + 1, ends.1) };
            jobs.append(&mut self.jobs(
                "rows_pending",
                &format!(
                    "state = 0 AND rows.id BETWEEN ?1 AND ?2 AND {rows} ORDER BY rows.id {order} LIMIT ?3"
                ),
                params![low, high, (limit - jobs.len()) as i64],
            )?);
            if jobs.len() >= limit {
                break;
            }
        }
        Ok(jobs)
    }

    /// Rows of a space whose answer is unknown.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn in_flight(&self, space: SpaceId) -> Result<Vec<Job>, JournalError> {
        let numbers = Numbers::of_space(space);
        self.jobs(
            "rows_in_flight",
            "state = 1 AND rows.id BETWEEN ?1 AND ?2 ORDER BY rows.id",
            params![numbers.first, numbers.last],
        )
    }

    fn jobs(
        &self,
        index: &str,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Job>, JournalError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT rows.id, operation, spaces.id, spaces.name, members.id, members.name, members.user, create_time,
                    delete_time, attempts, role, membership, source, line
               FROM rows INDEXED BY {index} CROSS JOIN spaces ON spaces.id = rows.id >> 42 CROSS JOIN members ON members.id = rows.id >> 16 & 67108863
              WHERE {condition}"
        ))?;
        let mut rows = statement.query(parameters)?;
        let mut jobs = Vec::new();
        while let Some(row) = rows.next()? {
            let code: i64 = row.get(1)?;
            let operation = Operation::of_code(code)
                .ok_or_else(|| JournalError::Content(format!("a row with operation {code}")))?;
            let member: String = row.get(5)?;
            let (role, membership): (Option<String>, Option<String>) = (row.get(10)?, row.get(11)?);
            jobs.push(Job {
                id: RowId(row.get(0)?),
                operation,
                space: SpaceId(row.get(2)?),
                space_name: space_name(&row.get::<_, String>(3)?)?,
                member: MemberId(row.get(4)?),
                member_name: MemberName::parse(&member)
                    .map_err(|error| JournalError::Content(format!("member {member:?}: {error}")))?,
                user: row.get(6)?,
                span: Span {
                    create_time: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_micros),
                    delete_time: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_micros),
                },
                attempts: row.get(9)?,
                origin: Origin { source: row.get(12)?, line: row.get::<_, i64>(13)?.cast_unsigned() },
                role: role.map(|role| role_of(&role)).transpose()?,
                membership: membership.map(|name| membership_name(&name)).transpose()?,
                prior: Prior::No,
            });
        }
        // Of one space all: where nothing was there before, nothing has to be asked for each.
        let Some(space) = jobs.first().map(|job| job.space) else { return Ok(jobs) };
        if self.conn.prepare_cached("SELECT 1 FROM found WHERE space = ?1 LIMIT 1")?.exists([space.0])? {
            for job in jobs.iter_mut().filter(|job| job.operation == Operation::Create) {
                job.prior = self.prior(job)?;
            }
        }
        Ok(jobs)
    }

    /// Says of each listed membership whose it is as far as the journal knows.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn attribute(&self, space: SpaceId, listed: Vec<Held>) -> Result<Vec<Attribution>, JournalError> {
        let mut owners = self.conn.prepare_cached("SELECT id FROM members WHERE user = ?1 OR name = ?1")?;
        let mut others = self.conn.prepare_cached(
            "SELECT 1 FROM rows WHERE id BETWEEN ?1 AND ?2 AND (state = 2 OR kind = 'UNDECIDED')",
        )?;
        let mut found = self.conn.prepare_cached(
            "SELECT copies FROM found WHERE space = ?1 AND user = ?2 AND create_time = ?3 AND delete_time = ?4",
        )?;
        let mut copies: HashMap<(String, Span), u32> = HashMap::new();
        for held in &listed {
            *copies.entry((held.user.clone(), held.span)).or_default() += 1;
        }
        let micros = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_micros);
        listed
            .into_iter()
            .map(|held| {
                let owners: Vec<MemberId> = owners
                    .query_map([&held.user], |row| row.get(0).map(MemberId))?
                    .collect::<Result<_, _>>()?;
                let mut owner_has_others = false;
                for owner in &owners {
                    let numbers = Numbers::of_member(space, *owner);
                    owner_has_others |= others.exists((numbers.first, numbers.last))?;
                }
                let (create, delete) = (micros(held.span.create_time), micros(held.span.delete_time));
                let before: Option<u32> =
                    found.query_row((space.0, &held.user, create, delete), |row| row.get(0)).optional()?;
                let found_beforehand = before.is_some();
                let told = held.span.create_time.is_some() && held.span.delete_time.is_some();
                let copies = copies.get(&(held.user.clone(), held.span)).copied().unwrap_or(1);
                let (twice, grown) = (told && copies > 1, copies > before.unwrap_or(1));
                Ok(Attribution { held, owners, owner_has_others, found_beforehand, twice, grown })
            })
            .collect()
    }
}

fn role_of(text: &str) -> Result<Role, JournalError> {
    text.parse().map_err(|()| JournalError::Content(format!("role {text:?}")))
}

fn membership_name(text: &str) -> Result<MembershipName, JournalError> {
    MembershipName::parse(text)
        .map_err(|error| JournalError::Content(format!("membership {text:?}: {error}")))
}

pub(super) fn space_name(text: &str) -> Result<SpaceName, JournalError> {
    SpaceName::parse(text).map_err(|error| JournalError::Content(format!("space {text:?}: {error}")))
}
