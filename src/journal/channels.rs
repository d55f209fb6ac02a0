//! Channels on their way to become spaces.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Journal, JournalError, Note, SpaceWork, Work};
use crate::model::{Channel, ChannelJob, SpaceId, SpaceName, Timestamp, Undertaking, suffixed};

/// How long a space may stay in import mode, counted from its creation (import-data guide).
const IMPORT_MODE_DAYS: i64 = 90;
const DAY_MICROS: i64 = 86_400_000_000;

/// What came of reading channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddedChannels {
    /// Not in the journal before.
    pub new: u64,
    /// In the journal already, as they were.
    pub known: u64,
    /// Rejected before, and to be tried again.
    pub again: u64,
}

/// A channel that says something else than the journal's of the same name, which was sent already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedChannel {
    /// Its name.
    pub name: String,
    /// Where it stands now.
    pub line: u64,
}

/// A channel as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeSpace {
    /// The channel's name.
    pub name: String,
    /// The display name that the space has.
    pub display_name: String,
    /// The space.
    pub space: SpaceName,
    /// When it began.
    pub create_time: Option<Timestamp>,
    /// When Chat deletes it unless it is completed by then: as told, or 90 days after the first call.
    pub expire_time: Timestamp,
}

/// How long a space of a journal may stay in import mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceAge {
    /// What the channel is called, or what people call the space, where the journal has it.
    pub name: Option<String>,
    /// The space.
    pub space: SpaceName,
    /// When it began, if that is known.
    pub create_time: Option<Timestamp>,
    /// When Chat deletes it unless it is completed by then, if that is known.
    pub expire_time: Option<Timestamp>,
    /// Whether it is in import mode no more.
    pub completed: bool,
}

impl SpaceAge {
    /// Whole days that are left to it; negative when it has expired.
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        Some((self.expire_time?.as_micros() - now.as_micros()).div_euclid(DAY_MICROS))
    }
}

/// A channel that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedChannel {
    /// The channel.
    pub channel: Channel,
    /// HTTP status, when there was an answer.
    pub http_status: Option<u16>,
    /// A short stable word.
    pub kind: String,
    /// Why.
    pub error: String,
}

/// One step of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelChange {
    /// Its call is about to leave.
    Called(Timestamp),
    /// It is a space now.
    Made {
        /// When that was known.
        at: Timestamp,
        /// The space.
        space: SpaceName,
        /// When it begins, as Chat says.
        create_time: Option<Timestamp>,
        /// When it expires, if Chat says so.
        expire_time: Option<Timestamp>,
    },
    /// Its display name is taken: the next one is tried.
    Suffixed(u32),
    /// Refused for good.
    Rejected(Timestamp, Note),
}

pub(super) fn apply(conn: &Connection, channel: SpaceId, change: &ChannelChange) -> Result<(), JournalError> {
    match change {
        ChannelChange::Called(at) => conn.execute(
            "UPDATE channels SET state = 1, called_at = ifnull(called_at, ?2) WHERE id = ?1 AND state IN (0, 1)",
            (channel.0, at.as_micros()),
        ),
        ChannelChange::Made { at, space, create_time, expire_time } => conn.execute(
            "UPDATE channels SET state = 2, settled_at = ?2, space = ?3, create_time = ifnull(create_time, ?4),
                    expires_at = ?5, http_status = 200, kind = NULL, error = NULL WHERE id = ?1",
            params![
                channel.0,
                at.as_micros(),
                space.as_str(),
                create_time.map(Timestamp::as_micros),
                expire_time.map(Timestamp::as_micros)
            ],
        ),
        ChannelChange::Suffixed(number) => {
            let name: String = conn
                .query_row("SELECT display_name FROM channels WHERE id = ?1", [channel.0], |row| row.get(0))?;
            conn.execute(
                "UPDATE channels SET suffix = ?2, made_as = ?3 WHERE id = ?1",
                (channel.0, number, suffixed(&name, *number)),
            )
        }
        ChannelChange::Rejected(at, note) => conn.execute(
            "UPDATE channels SET state = 3, settled_at = ?2, http_status = ?3, kind = ?4, error = ?5 WHERE id = ?1",
            (channel.0, at.as_micros(), note.http_status, &note.kind, &note.error),
        ),
    }?;
    Ok(())
}

impl Journal {
    /// Takes channels in, all or nothing; what is known already stays as it is. `request_id` gives each a new id.
    ///
    /// # Errors
    /// When the journal cannot be written; `Ok(Err)` with channels that were sent and say something else now: nothing is
    /// taken in then.
    pub fn add_channels(
        &mut self,
        source: &str,
        channels: &[(u64, Channel)],
        mut request_id: impl FnMut() -> String,
    ) -> Result<Result<AddedChannels, Vec<ChangedChannel>>, JournalError> {
        let tx = self.conn.transaction()?;
        let (mut added, mut changed) = (AddedChannels::default(), Vec::new());
        for (line, channel) in channels {
            let micros = channel.create_time.map(Timestamp::as_micros);
            let known: Option<(i64, i64, bool)> = tx
                .prepare_cached(
                    "SELECT id, state, display_name = ?2 AND space_type = ?3 AND description IS ?5 AND external = ?6
                            AND (create_time IS ?4 OR ?4 IS NULL)
                       FROM channels WHERE name = ?1",
                )?
                .query_row(
                    params![
                        channel.name,
                        channel.display_name,
                        channel.space_type,
                        micros,
                        channel.description,
                        channel.external_user_allowed
                    ],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            match known {
                // One that was refused, or not sent, may be mended; under a new id, since it is not the same any more.
                Some((id, 0 | 3, same)) => {
                    let new_id = (!same).then(&mut request_id);
                    tx.execute(
                        "UPDATE channels SET display_name = ?2, made_as = iif(?8 IS NULL AND state = 0, made_as, ?2),
                                suffix = iif(?8 IS NULL AND state = 0, suffix, 0), space_type = ?3, create_time = ?4,
                                description = ?5, external = ?6, line = ?7, request_id = ifnull(?8, request_id),
                                source = ?9, state = 0, kind = NULL, error = NULL, http_status = NULL
                          WHERE id = ?1",
                        params![
                            id,
                            channel.display_name,
                            channel.space_type,
                            micros,
                            channel.description,
                            channel.external_user_allowed,
                            *line as i64,
                            new_id,
                            source
                        ],
                    )?;
                    if known.is_some_and(|(_, state, _)| state == 3) {
                        added.again += 1;
                    } else {
                        added.known += 1;
                    }
                }
                Some((_, _, true)) => added.known += 1,
                Some((_, _, false)) => {
                    changed.push(ChangedChannel { name: channel.name.clone(), line: *line });
                }
                None => {
                    tx.prepare_cached(
                        "INSERT INTO channels (name, display_name, made_as, space_type, create_time, description, external,
                                               request_id, source, line, state)
                         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
                    )?
                    .execute(params![
                        channel.name,
                        channel.display_name,
                        channel.space_type,
                        micros,
                        channel.description,
                        channel.external_user_allowed,
                        request_id(),
                        source,
                        *line as i64
                    ])?;
                    added.new += 1;
                }
            }
        }
        if !changed.is_empty() {
            return Ok(Err(changed));
        }
        tx.commit()?;
        Ok(Ok(added))
    }

    /// Channels that are to become spaces, in the order of their input.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn channel_work(&self) -> Result<Work, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT id, suffix, request_id, name, display_name, space_type, create_time, description, external
               FROM channels WHERE state IN (0, 1) ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut spaces = Vec::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let job = ChannelJob {
                suffix: row.get(1)?,
                request_id: row.get(2)?,
                channel: Channel {
                    name: row.get(3)?,
                    display_name: row.get(4)?,
                    space_type: row.get(5)?,
                    create_time: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_micros),
                    description: row.get(7)?,
                    external_user_allowed: row.get(8)?,
                },
            };
            // It has no name before Chat gives it one.
            let name = SpaceName::parse(&format!("channel-{id}"))
                .map_err(|error| JournalError::Content(error.to_string()))?;
            spaces.push(SpaceWork {
                id: SpaceId(id),
                name,
                pending: 1,
                in_flight: 0,
                surveyed: true,
                completed: false,
                open: 0,
                rejected: 0,
                left: false,
                channel: Some(Box::new(job)),
            });
        }
        Ok(Work { spaces, ..Work::default() })
    }

    /// The spaces that channels have become, in the order of their input.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn made_spaces(&self) -> Result<Vec<MadeSpace>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT name, made_as, space, create_time, ifnull(expires_at, called_at + ?1) FROM channels
              WHERE state = 2 ORDER BY id",
        )?;
        let mut rows = statement.query([IMPORT_MODE_DAYS * DAY_MICROS])?;
        let mut made = Vec::new();
        while let Some(row) = rows.next()? {
            made.push(MadeSpace {
                name: row.get(0)?,
                display_name: row.get(1)?,
                space: super::query::space_name(&row.get::<_, String>(2)?)?,
                create_time: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
                expire_time: Timestamp::from_micros(row.get(4)?),
            });
        }
        Ok(made)
    }

    /// Until when the spaces of the journal may stay in import mode: those that it has made, or those of its rows.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn space_ages(&self) -> Result<Vec<SpaceAge>, JournalError> {
        if self.undertaking()? == Undertaking::Spaces {
            let made = self.made_spaces()?.into_iter();
            return Ok(made
                .map(|made| SpaceAge {
                    name: Some(made.name),
                    space: made.space,
                    create_time: made.create_time,
                    expire_time: Some(made.expire_time),
                    completed: false,
                })
                .collect());
        }
        let mut statement = self.conn.prepare(
            "SELECT name, began_at, expires_at, completed_at IS NOT NULL, title FROM spaces ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut ages = Vec::new();
        while let Some(row) = rows.next()? {
            let time =
                |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
            ages.push(SpaceAge {
                name: row.get(4)?,
                space: super::query::space_name(&row.get::<_, String>(0)?)?,
                create_time: time(1)?,
                expire_time: time(2)?,
                completed: row.get(3)?,
            });
        }
        Ok(ages)
    }

    /// Writes down what a map tells of the journal's spaces: when they began, and when they expire.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_ages(
        &mut self,
        ages: impl Iterator<Item = (SpaceName, Option<Timestamp>, Option<Timestamp>)>,
    ) -> Result<(), JournalError> {
        let tx = self.conn.transaction()?;
        for (space, create, expire) in ages {
            tx.prepare_cached(
                "UPDATE spaces SET began_at = ifnull(?2, began_at), expires_at = ifnull(?3, expires_at) WHERE name = ?1",
            )?
            .execute((space.as_str(), create.map(Timestamp::as_micros), expire.map(Timestamp::as_micros)))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Channels that were refused.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rejected_channels(&self) -> Result<Vec<RejectedChannel>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT name, display_name, space_type, create_time, description, external, http_status, kind, error
               FROM channels WHERE state = 3 ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(RejectedChannel {
                channel: Channel {
                    name: row.get(0)?,
                    display_name: row.get(1)?,
                    space_type: row.get(2)?,
                    create_time: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
                    description: row.get(4)?,
                    external_user_allowed: row.get(5)?,
                },
                http_status: row.get(6)?,
                kind: row.get(7)?,
                error: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many channels are pending, in flight, done and rejected.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn channel_counts(&self) -> Result<[u64; 4], JournalError> {
        let mut counts = [0; 4];
        let mut statement = self.conn.prepare("SELECT state, count(*) FROM channels GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(count) = counts.get_mut(usize::from(row.get::<_, u8>(0)?)) {
                *count = row.get::<_, i64>(1)?.cast_unsigned();
            }
        }
        Ok(counts)
    }
}
