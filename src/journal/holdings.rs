//! What the journal says that Chat holds, space by space: what `verify` holds Chat's lists against.

use super::number::Numbers;
use super::query::{HAS_ROWS, space_name};
use super::{Journal, JournalError};
use crate::model::{MemberName, Operation, SpaceId, SpaceName, Span, State, Timestamp};

/// A space of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceHeld {
    /// The space.
    pub id: SpaceId,
    /// Its name.
    pub name: SpaceName,
    /// When its import was completed, as far as this journal knows.
    pub completed_at: Option<Timestamp>,
    /// Whether that which Chat held beforehand is written down.
    pub surveyed: bool,
    /// Whether the migrating account has left it.
    pub left: bool,
}

/// A row, as far as it can be held against what Chat lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Whose membership, as the input names them.
    pub member: Box<str>,
    /// The canonical `users/{id}` of the member, if Chat has told it.
    pub user: Option<Box<str>>,
    /// From when to when.
    pub span: Span,
    /// The role that the input asks for, in the API's spelling.
    pub role: Option<Box<str>>,
    /// What became of it.
    pub state: State,
    /// Whether Chat said that it held the membership already.
    pub existed: bool,
    /// Whether a call of it may have left.
    pub sent: bool,
    /// The file it came from, by its number in the journal.
    pub source: i64,
    /// Its line there.
    pub line: u64,
}

impl Holding {
    /// How Chat's lists name the row's member, `users/{id}`, `users/app` or `groups/{id}`, if that is known.
    pub fn holder(&self) -> Option<&str> {
        let is_canonical = |name: &str| {
            MemberName::parse(name)
                .is_ok_and(|name| name.is_group() || name.is_app() || name.canonical_user().is_some())
        };
        match &self.user {
            Some(user) => Some(user),
            None => Some(&*self.member).filter(|name| is_canonical(name)),
        }
    }
}

/// A membership that Chat held before this journal's first call to its space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBefore {
    /// Canonical `users/{id}`, or `groups/{id}`.
    pub user: Box<str>,
    /// Its times, as far as the list told them.
    pub span: Span,
    /// How often it was listed.
    pub copies: u64,
}

impl Journal {
    /// Every space that rows are in, in the order in which the input named them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn spaces_held(&self) -> Result<Vec<SpaceHeld>, JournalError> {
        let mut statement = self.conn.prepare(&format!(
            "SELECT id, name, completed_at, surveyed_at IS NOT NULL, left_at IS NOT NULL
               FROM spaces WHERE {HAS_ROWS} ORDER BY id"
        ))?;
        let mut rows = statement.query([])?;
        let mut spaces = Vec::new();
        while let Some(row) = rows.next()? {
            spaces.push(SpaceHeld {
                id: SpaceId(row.get(0)?),
                name: space_name(&row.get::<_, String>(1)?)?,
                completed_at: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_micros),
                surveyed: row.get(3)?,
                left: row.get(4)?,
            });
        }
        Ok(spaces)
    }

    /// The rows of one space that are to make memberships, a member's stints one after the other (none that was replaced), and
    /// what Chat held there beforehand; both as of one moment.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn holdings(&self, space: SpaceId) -> Result<(Vec<Holding>, Vec<FoundBefore>), JournalError> {
        let _moment = if self.conn.is_autocommit() { Some(self.conn.unchecked_transaction()?) } else { None };
        let numbers = Numbers::of_space(space);
        let mut statement = self.conn.prepare_cached(
            "SELECT members.name, members.user, create_time, delete_time, role, state, ifnull(existed, 0), attempts > 0,
                    source, line, operation = ?5
               FROM rows CROSS JOIN members ON members.id = rows.id >> 16 & 67108863
              WHERE rows.id BETWEEN ?1 AND ?2 AND operation IN (?3, ?4, ?5) AND state <> ?6 ORDER BY rows.id",
        )?;
        let [create, add, patch] = [Operation::Create, Operation::Add, Operation::Patch].map(Operation::code);
        let replaced = State::Replaced.code();
        let mut rows = statement.query((numbers.first, numbers.last, create, add, patch, replaced))?;
        let mut holdings = Vec::new();
        while let Some(row) = rows.next()? {
            let text = |column| row.get::<_, Option<String>>(column).map(|text| text.map(String::into));
            let time =
                |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
            let code: i64 = row.get(5)?;
            let state = State::of_code(code)
                .ok_or_else(|| JournalError::Content(format!("a row in state {code}")))?;
            // Whoever is to get a role was added before. A role that was refused leaves them what they are.
            let is_added: bool = row.get(10)?;
            let refused = is_added && state == State::Rejected;
            holdings.push(Holding {
                member: row.get::<_, String>(0)?.into(),
                user: text(1)?,
                span: Span { create_time: time(2)?, delete_time: time(3)? },
                role: text(4)?.filter(|_| !refused),
                state: if refused { State::Done } else { state },
                existed: row.get(6)?,
                sent: is_added || row.get(7)?,
                source: row.get(8)?,
                line: row.get::<_, i64>(9)?.cast_unsigned(),
            });
        }
        let told = |micros: i64| Some(micros).filter(|micros| *micros != 0).map(Timestamp::from_micros);
        let found = self
            .conn
            .prepare_cached("SELECT user, create_time, delete_time, copies FROM found WHERE space = ?1")?
            .query_map([space.0], |row| {
                Ok(FoundBefore {
                    user: row.get::<_, String>(0)?.into(),
                    span: Span { create_time: told(row.get(1)?), delete_time: told(row.get(2)?) },
                    copies: row.get::<_, i64>(3)?.cast_unsigned(),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok((holdings, found))
    }

    /// Shows from now on what it holds now, whatever others write meanwhile. Their log grows until this journal is closed,
    /// so it is for moments.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn hold_still(&self) -> Result<(), JournalError> {
        self.conn.execute_batch("BEGIN")?;
        // The moment is that of the first look.
        self.created_at().map(drop)
    }

    /// What the input calls somebody whom Chat lists as this, wherever it names them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn names_of(&self, holder: &str) -> Result<Vec<String>, JournalError> {
        let mut statement =
            self.conn.prepare_cached("SELECT name FROM members WHERE user = ?1 OR name = ?1 ORDER BY id")?;
        let names = statement.query_map([holder], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    /// The files that its rows came from, by their numbers.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn source_paths(&self) -> Result<Vec<(i64, String)>, JournalError> {
        let mut statement = self.conn.prepare("SELECT id, path FROM sources ORDER BY id")?;
        let paths =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(paths)
    }

    /// When it was begun.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn created_at(&self) -> Result<Timestamp, JournalError> {
        Ok(self
            .conn
            .query_row("SELECT created_at FROM journal", [], |row| row.get(0).map(Timestamp::from_micros))?)
    }
}
