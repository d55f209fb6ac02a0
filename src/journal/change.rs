//! What can happen to a row, and the one place where it is written down.

use std::collections::BTreeMap;

use rusqlite::{Connection, named_params};

use super::JournalError;
use super::channels::{self, ChannelChange};
use super::course::{Course, Run};
use super::number::{Numbers, STINT_BITS, STINTS_MAX};
use super::policy;
use super::reasons::NewReasons;
use crate::model::{MemberId, Operation, Pace, RowId, SpaceId, Span, State, Timestamp};

/// One step in the life of a row or a space, made durable together with the others of its batch.
///
/// ```text
///            Mark                      Done
/// pending ---------> in flight --------------> done
///    ^                  |  |         Rejected
///    +---- Release -----+  +-----------------> rejected
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A request of the row is about to leave.
    Mark {
        /// Which row.
        row: RowId,
        /// Its space.
        space: SpaceId,
        /// When.
        at: Timestamp,
    },
    /// No request of the row has been applied: it may be sent again.
    Release {
        /// Which row.
        row: RowId,
        /// Its space.
        space: SpaceId,
        /// Whether its request left at all; else the attempt does not count.
        sent: bool,
        /// What went wrong, if anything did.
        note: Option<Note>,
    },
    /// The answer is unclear: the row stays in flight, and this is why.
    Unclear {
        /// Which row.
        row: RowId,
        /// What went wrong.
        note: Note,
    },
    /// Chat holds the membership.
    Done {
        /// Which row.
        row: RowId,
        /// Its space.
        space: SpaceId,
        /// Whose membership.
        member: MemberId,
        /// When.
        at: Timestamp,
        /// HTTP status of the answer that settled it.
        http_status: Option<u16>,
        /// The membership's name as Chat answered.
        membership: Option<String>,
        /// The member's canonical `users/{id}` as Chat answered.
        user: Option<String>,
        /// Whether Chat held it already.
        existed: bool,
        /// What is to be done with it next: then it is pending again, and not done.
        then: Option<Operation>,
    },
    /// Chat refused it for good.
    Rejected {
        /// Which row.
        row: RowId,
        /// Its space.
        space: SpaceId,
        /// When.
        at: Timestamp,
        /// Why.
        note: Note,
    },
    /// A space is being listed from the first page on: what an earlier listing of it had found is replaced, once it is
    /// listed whole.
    SurveyBegun {
        /// Where.
        space: SpaceId,
    },
    /// A membership that the list shows.
    Found {
        /// Where.
        space: SpaceId,
        /// Who.
        user: String,
        /// From when to when.
        span: Span,
    },
    /// The list has come to its end. What is found there and no done row of this journal accounts for was there beforehand.
    Surveyed {
        /// Where.
        space: SpaceId,
        /// When.
        at: Timestamp,
    },
    /// Chat refuses the whole space: every row of it that is pending or in flight.
    SpaceRejected {
        /// Which.
        space: SpaceId,
        /// When.
        at: Timestamp,
        /// Why.
        note: Note,
    },
    /// A space is not in import mode any more: those who are still members are to be added.
    Completed {
        /// Which.
        space: SpaceId,
        /// When.
        at: Timestamp,
    },
    /// Chat refuses to complete a space.
    NotCompleted {
        /// Which.
        space: SpaceId,
        /// What it said.
        error: String,
    },
    /// The migrating account is in a space no more.
    Left {
        /// Which.
        space: SpaceId,
        /// When.
        at: Timestamp,
    },
    /// A step of a channel that becomes a space.
    Channel {
        /// Which, numbered as spaces are.
        channel: SpaceId,
        /// The step.
        change: ChannelChange,
    },
    /// A row that was marked is settled without a call: the attempt does not count.
    Uncalled {
        /// Which row.
        row: RowId,
    },
    /// Chat has told the canonical id of a member whose row is not done.
    Told {
        /// Whose.
        member: MemberId,
        /// `users/{id}`.
        user: String,
    },
    /// This Chat makes two of a create that is repeated.
    Doubles,
    /// Calls were made.
    Calls {
        /// When the last of them was answered.
        at: Timestamp,
        /// How many.
        calls: Calls,
    },
    /// How fast the run goes now.
    Pace(Box<Pace>),
}

/// Why something did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// HTTP status, when there was an answer.
    pub http_status: Option<u16>,
    /// A short stable word for counting, e.g. `PERMISSION_DENIED`.
    pub kind: String,
    /// The whole story.
    pub error: String,
}

/// Counts of API calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Requests that were handed to the network.
    pub sent: u64,
    /// Answered with success.
    pub ok: u64,
    /// Answered 429.
    pub throttled: u64,
    /// Answered otherwise, or not at all.
    pub failed: u64,
}

impl std::ops::AddAssign for Calls {
    fn add_assign(&mut self, other: Calls) {
        self.sent += other.sent;
        self.ok += other.ok;
        self.throttled += other.throttled;
        self.failed += other.failed;
    }
}

/// Writes a batch of changes in one transaction: when this returns, all of them are durable. Returns how many batches
/// the journal has got by then.
///
/// # Errors
/// When SQLite fails, or when a row is not in the state that the change starts from; then none is written.
pub(super) fn apply(
    conn: &mut Connection,
    run: Option<Run>,
    changes: &[Change],
) -> Result<u64, JournalError> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let (mut counters, mut course) = (Counters::default(), Course::default());
    for change in changes {
        write(&tx, run, change, &mut counters, &mut course)?;
    }
    counters.write(&tx)?;
    course.write(&tx, run)?;
    let commits: i64 = tx
        .prepare_cached("UPDATE journal SET commits = commits + 1 RETURNING commits")?
        .query_row([], |row| row.get(0))?;
    tx.commit()?;
    Ok(commits.cast_unsigned())
}

fn write(
    conn: &Connection,
    run: Option<Run>,
    change: &Change,
    counters: &mut Counters,
    course: &mut Course,
) -> Result<(), JournalError> {
    match change {
        Change::Mark { row, space, at } => {
            let changed = conn
                .prepare_cached(
                    "UPDATE rows SET state = 1, attempts = attempts + 1, marked_at = ?2 WHERE id = ?1 AND state = 0",
                )?
                .execute((row.0, at.as_micros()))?;
            counters.moved(changed, *row, *space, State::Pending, State::InFlight)
        }
        Change::Release { row, space, sent, note } => {
            let changed = conn
                .prepare_cached(
                    "UPDATE rows SET state = 0, attempts = attempts - (1 - :sent),
                            http_status = iif(:kind IS NULL, http_status, :status),
                            kind = ifnull(:kind, kind), error = ifnull(:error, error)
                      WHERE id = :row AND state = 1",
                )?
                .execute(named_params! {
                    ":row": row.0,
                    ":sent": i64::from(*sent),
                    ":status": note.as_ref().and_then(|note| note.http_status),
                    ":kind": note.as_ref().map(|note| &note.kind),
                    ":error": note.as_ref().map(|note| &note.error),
                })?;
            counters.moved(changed, *row, *space, State::InFlight, State::Pending)
        }
        Change::Unclear { row, note } => {
            let changed = conn
                .prepare_cached(
                    "UPDATE rows SET http_status = ?2, kind = ?3, error = ?4 WHERE id = ?1 AND state = 1",
                )?
                .execute((row.0, note.http_status, &note.kind, &note.error))?;
            expect_one(changed, *row, State::InFlight)
        }
        Change::Done { row, space, member, at, http_status, membership, user, existed, then } => {
            let changed = conn
                .prepare_cached(
                    // A change of role says nothing of whether the membership was there before.
                    "UPDATE rows SET state = 2, settled_at = ?2, http_status = ?3, membership = ifnull(?4, membership),
                            existed = iif(operation = 4, ifnull(existed, ?5), ?5), kind = NULL, error = NULL
                      WHERE id = ?1 AND state = 1",
                )?
                .execute((row.0, at.as_micros(), http_status, membership, existed))?;
            if let Some(user) = user {
                told(conn, *member, user)?;
            }
            if *existed {
                counters.of(*space).existed += 1;
            }
            let Some(next) = then else {
                course.done(*at);
                return counters.moved(changed, *row, *space, State::InFlight, State::Done);
            };
            conn.prepare_cached(
                "UPDATE rows SET operation = ?2, state = 0, attempts = 0, settled_at = NULL WHERE id = ?1",
            )?
            .execute((row.0, next.code()))?;
            counters.moved(changed, *row, *space, State::InFlight, State::Pending)
        }
        Change::Rejected { row, space, at, note } => {
            let error = policy::told(conn, *row, note)?;
            counters.reasons.add(note, &error, 1);
            let changed = conn
                .prepare_cached(
                    "UPDATE rows SET state = 3, settled_at = ?2, http_status = ?3, kind = ?4, error = ?5
                      WHERE id = ?1 AND state = 1",
                )?
                .execute((row.0, at.as_micros(), note.http_status, &note.kind, error))?;
            course.rejected(*at, 1);
            counters.moved(changed, *row, *space, State::InFlight, State::Rejected)
        }
        Change::SurveyBegun { space } => {
            conn.prepare_cached("UPDATE found SET stale = 1 WHERE space = ?1")?.execute([space.0])?;
            Ok(())
        }
        Change::Found { space, user, span } => {
            let time = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_micros);
            conn.prepare_cached(
                "INSERT INTO found (space, user, create_time, delete_time, copies) VALUES (?1, ?2, ?3, ?4, 1)
                 ON CONFLICT DO UPDATE SET copies = iif(stale, 1, copies + 1), stale = 0",
            )?
            .execute((space.0, user, time(span.create_time), time(span.delete_time)))?;
            Ok(())
        }
        Change::Surveyed { space, at } => {
            counters.write(conn)?;
            conn.prepare_cached("DELETE FROM found WHERE space = ?1 AND stale = 1")?.execute([space.0])?;
            except_own(conn, *space)?;
            conn.prepare_cached("UPDATE spaces SET surveyed_at = ?2 WHERE id = ?1")?
                .execute((space.0, at.as_micros()))?;
            Ok(())
        }
        Change::SpaceRejected { space, at, note } => {
            counters.write(conn)?;
            let numbers = Numbers::of_space(*space);
            // Each by its index, so that those that are settled are not looked at. First those that may be there.
            let unsettled = [
                (format!("state = 1 AND {MAY_BE_HELD}"), undecided(note)),
                ("state = 1".to_owned(), note.clone()),
                ("state = 0".to_owned(), note.clone()),
            ];
            for (unsettled, note) in unsettled {
                let rows = conn.execute(
                    &format!(
                        "UPDATE rows SET state = 3, settled_at = ?3, http_status = ?4, kind = ?5, error = ?6
                          WHERE {unsettled} AND id BETWEEN ?1 AND ?2"
                    ),
                    (numbers.first, numbers.last, at.as_micros(), note.http_status, &note.kind, &note.error),
                )?;
                counters.reasons.add(&note, &note.error, rows as u64);
                course.rejected(*at, rows as u64);
            }
            conn.execute(
                "UPDATE spaces SET rejected = rejected + pending + in_flight, pending = 0, in_flight = 0
                  WHERE id = ?1",
                [space.0],
            )?;
            Ok(())
        }
        Change::Completed { space, at } => {
            counters.write(conn)?;
            conn.execute(
                "UPDATE spaces SET completed_at = ?2, complete_error = NULL WHERE id = ?1",
                (space.0, at.as_micros()),
            )?;
            open_up(conn, *space)
        }
        Change::NotCompleted { space, error } => {
            conn.execute("UPDATE spaces SET complete_error = ?2 WHERE id = ?1", (space.0, error))?;
            Ok(())
        }
        Change::Left { space, at } => {
            conn.execute("UPDATE spaces SET left_at = ?2 WHERE id = ?1", (space.0, at.as_micros()))?;
            Ok(())
        }
        Change::Channel { channel, change } => {
            match change {
                ChannelChange::Made { at, .. } => course.done(*at),
                ChannelChange::Rejected(at, _) => course.rejected(*at, 1),
                ChannelChange::Called(_) | ChannelChange::Suffixed(_) => {}
            }
            channels::apply(conn, *channel, change)
        }
        Change::Uncalled { row } => {
            let changed = conn
                .prepare_cached("UPDATE rows SET attempts = attempts - 1 WHERE id = ?1 AND state = 1")?
                .execute([row.0])?;
            expect_one(changed, *row, State::InFlight)
        }
        Change::Told { member, user } => told(conn, *member, user),
        Change::Doubles => {
            conn.execute("UPDATE journal SET doubles = 1", [])?;
            Ok(())
        }
        Change::Pace(pace) => {
            let Some(run) = run else { return Ok(()) };
            let json =
                serde_json::to_string(pace).map_err(|error| JournalError::Content(error.to_string()))?;
            conn.prepare_cached("UPDATE runs SET pace = ?2 WHERE id = ?1")?.execute((run.id, json))?;
            Ok(())
        }
        Change::Calls { at, calls } => {
            let Some(run) = run else { return Ok(()) };
            course.calls(*at, *calls);
            conn.prepare_cached(
                "UPDATE runs SET sent = sent + ?2, ok = ok + ?3, throttled = throttled + ?4, failed = failed + ?5
                  WHERE id = ?1",
            )?
            .execute((
                run.id,
                calls.sent as i64,
                calls.ok as i64,
                calls.throttled as i64,
                calls.failed as i64,
            ))?;
            Ok(())
        }
    }
}

/// Lets the open rows of a completed space be sent.
pub(super) fn open_up(conn: &Connection, space: SpaceId) -> Result<(), JournalError> {
    let numbers = Numbers::of_space(space);
    let rows = conn.execute(
        "UPDATE rows SET operation = ?3, state = 0 WHERE id BETWEEN ?1 AND ?2 AND state = 4",
        (numbers.first, numbers.last, Operation::Add.code()),
    )?;
    conn.execute(
        "UPDATE spaces SET pending = pending + ?2, open = open - ?2 WHERE id = ?1",
        (space.0, rows as i64),
    )?;
    Ok(())
}

/// Takes what this journal has made itself out of what a listing has found.
fn except_own(conn: &Connection, space: SpaceId) -> Result<(), JournalError> {
    conn.prepare_cached(&format!(
        "UPDATE found SET copies = copies -
                (SELECT count(*) FROM members JOIN rows
                     ON rows.id BETWEEN (?2 | (members.id << {STINT_BITS})) AND (?2 | (members.id << {STINT_BITS}) | {STINTS_MAX})
                  WHERE (members.user = found.user OR members.name = found.user) AND rows.state = 2
                    AND found.create_time IN (0, ifnull(rows.create_time, rows.delete_time - 1))
                    AND found.delete_time IN (0, rows.delete_time))
          WHERE space = ?1 AND EXISTS (SELECT 1 FROM spaces WHERE id = ?1 AND done > 0)"
    ))?
    .execute((space.0, Numbers::of_space(space).first))?;
    conn.prepare_cached("DELETE FROM found WHERE space = ?1 AND copies <= 0")?.execute([space.0])?;
    Ok(())
}

fn told(conn: &Connection, member: MemberId, user: &str) -> Result<(), JournalError> {
    conn.prepare_cached("UPDATE members SET user = ?2 WHERE id = ?1 AND user IS NOT ?2")?
        .execute((member.0, user))?;
    Ok(())
}

/// A row in flight of a membership of the past that Chat has not just denied or found nowhere: a call of it may have been
/// applied, and a space that is refused cannot be listed to find out.
const MAY_BE_HELD: &str = "operation = 1 AND ifnull(http_status, 0) NOT IN (400, 403, 404)";

/// Why such a row is rejected with its space.
fn undecided(note: &Note) -> Note {
    let error = format!(
        "its answer was lost, and it cannot be looked up: {}. Once the space can be listed, look whether it holds it",
        note.error
    );
    Note { http_status: note.http_status, kind: "UNDECIDED".to_owned(), error }
}

/// What a batch does to the counters of the spaces and of the reasons: written once for all of its rows.
#[derive(Debug, Default)]
struct Counters {
    spaces: BTreeMap<SpaceId, Moved>,
    reasons: NewReasons,
}

#[derive(Debug, Default)]
struct Moved {
    /// By the state's code.
    states: [i64; 5],
    existed: i64,
}

impl Counters {
    fn of(&mut self, space: SpaceId) -> &mut Moved {
        self.spaces.entry(space).or_default()
    }

    /// A row has gone from one state to another.
    fn moved(
        &mut self,
        changed: usize,
        row: RowId,
        space: SpaceId,
        from: State,
        to: State,
    ) -> Result<(), JournalError> {
        expect_one(changed, row, from)?;
        let states = &mut self.of(space).states;
        states[from as usize] -= 1;
        states[to as usize] += 1;
        Ok(())
    }

    fn write(&mut self, conn: &Connection) -> Result<(), JournalError> {
        for (space, moved) in std::mem::take(&mut self.spaces) {
            let [pending, in_flight, done, rejected, open] = moved.states;
            conn.prepare_cached(
                "UPDATE spaces SET pending = pending + ?2, in_flight = in_flight + ?3, done = done + ?4,
                        rejected = rejected + ?5, open = open + ?6, existed = existed + ?7
                  WHERE id = ?1",
            )?
            .execute((space.0, pending, in_flight, done, rejected, open, moved.existed))?;
        }
        self.reasons.write(conn)
    }
}

fn expect_one(changed: usize, row: RowId, state: State) -> Result<(), JournalError> {
    if changed == 1 { Ok(()) } else { Err(JournalError::NotInState { row, state: state.counter() }) }
}
