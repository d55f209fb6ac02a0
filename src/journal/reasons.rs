//! Why rows were rejected, and how many for each reason: counted as that changes.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Journal, JournalError, Note};
use crate::model::Undertaking;

/// How many rows were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectKind {
    /// The reason's short word.
    pub kind: String,
    /// HTTP status, if there was a call.
    pub http_status: Option<u16>,
    /// How many.
    pub count: u64,
    /// One of the messages, with the titles of the spaces that it names.
    pub example: String,
    /// Whether all of them say the same.
    pub alike: bool,
    /// Whether they are known to be history of spaces that are completed, which nobody can add any more.
    pub too_late: bool,
}

/// Messages of one reason that are told apart, beside those of all further ones.
const MESSAGES_MAX: usize = 8;

/// Messages that are alike but for what they name, by what is the same in them.
type ByMessage = Vec<(String, RejectKind)>;

/// What is the same in messages that differ only in what they name: addresses, paths, numbers, times and what stands in quotes
/// are left out.
fn pattern(message: &str) -> String {
    let names = |word: &str| word.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | '/'));
    let mut words: Vec<&str> = Vec::new();
    for (place, part) in message.split('"').enumerate() {
        let is_quoted = place % 2 == 1;
        let part: Vec<&str> = if is_quoted { vec!["…"] } else { part.split_whitespace().collect() };
        words.extend(part.into_iter().map(|word| if names(word) { "…" } else { word }));
    }
    words.dedup_by(|one, before| *one == "…" && *one == *before);
    words.join(" ")
}

/// What a batch adds to the reasons: written once for all of its rows.
#[derive(Debug, Default)]
pub(super) struct NewReasons(BTreeMap<(String, u16), Reason>);

#[derive(Debug)]
struct Reason {
    rows: u64,
    example: String,
    alike: bool,
}

impl NewReasons {
    /// So many rows were refused with a note whose story is `error`.
    pub(super) fn add(&mut self, note: &Note, error: &str, rows: u64) {
        if rows == 0 {
            return;
        }
        let key = (note.kind.clone(), note.http_status.unwrap_or(0));
        let reason =
            self.0.entry(key).or_insert_with(|| Reason { rows: 0, example: error.to_owned(), alike: true });
        reason.rows += rows;
        if reason.example != error {
            reason.alike = false;
            if error < reason.example.as_str() {
                error.clone_into(&mut reason.example);
            }
        }
    }

    /// Writes them down, and begins anew.
    pub(super) fn write(&mut self, conn: &Connection) -> Result<(), JournalError> {
        for ((kind, status), reason) in std::mem::take(&mut self.0) {
            conn.prepare_cached(
                "INSERT INTO reasons (kind, http_status, rows, example, alike) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
                                           alike = alike AND excluded.alike AND example = excluded.example,
                                           example = min(example, excluded.example)",
            )?
            .execute((kind, status, reason.rows as i64, reason.example, reason.alike))?;
        }
        Ok(())
    }
}

/// Counts them anew, after more was changed than a batch of changes.
pub(super) fn recount(conn: &Connection) -> Result<(), JournalError> {
    conn.execute_batch(
        "DELETE FROM reasons;
         INSERT INTO reasons (kind, http_status, rows, example, alike)
         SELECT ifnull(kind, 'unknown'), ifnull(http_status, 0), count(*), ifnull(min(error), ''),
                count(DISTINCT error) < 2
           FROM rows WHERE state = 3 GROUP BY 1, 2;",
    )?;
    Ok(())
}

impl Journal {
    /// The reasons, the commonest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn reject_kinds(&self) -> Result<Vec<RejectKind>, JournalError> {
        let counted = if self.undertaking()? == Undertaking::Spaces {
            "SELECT ifnull(kind, 'unknown') AS kind, ifnull(http_status, 0) AS http_status, count(*) AS rows,
                    ifnull(min(error), '') AS example, count(DISTINCT error) < 2 AS alike
               FROM channels WHERE state = 3 GROUP BY 1, 2"
        } else {
            "SELECT kind, http_status, rows, example, alike FROM reasons"
        };
        let mut statement = self.conn.prepare(&format!("{counted} ORDER BY rows DESC, kind, http_status"))?;
        let mut kinds = statement
            .query_map([], |row| {
                Ok(RejectKind {
                    kind: row.get(0)?,
                    http_status: Some(row.get(1)?).filter(|status| *status != 0),
                    count: row.get::<_, i64>(2)?.cast_unsigned(),
                    example: row.get(3)?,
                    alike: row.get(4)?,
                    too_late: false,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        for kind in &mut kinds {
            kind.example = self.titled(&kind.example)?;
        }
        Ok(kinds)
    }

    /// The reasons, told apart by what Chat said and by whether it is too late to mend it, the commonest first. Goes through
    /// all refused rows.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn reject_messages(&self) -> Result<Vec<RejectKind>, JournalError> {
        if self.undertaking()? == Undertaking::Spaces {
            return self.reject_kinds();
        }
        let mut statement = self.conn.prepare(
            "SELECT ifnull(kind, 'unknown'), http_status, ifnull(error, ''), count(*),
                    rows.operation = 1 AND completed_at IS NOT NULL AS too_late
               FROM rows LEFT JOIN spaces ON spaces.id = rows.id >> 42
              WHERE rows.state = 3 GROUP BY 1, 2, 3, 5 ORDER BY 1, 2, 5, 3",
        )?;
        let mut rows = statement.query([])?;
        let mut kinds: BTreeMap<(String, Option<u16>, bool), ByMessage> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let reason = RejectKind {
                kind: row.get(0)?,
                http_status: row.get(1)?,
                example: row.get(2)?,
                count: row.get::<_, i64>(3)?.cast_unsigned(),
                too_late: row.get::<_, Option<bool>>(4)?.unwrap_or(false),
                alike: true,
            };
            let alike = kinds.entry((reason.kind.clone(), reason.http_status, reason.too_late)).or_default();
            let pattern = pattern(&reason.example);
            let place = alike.iter().position(|(known, _)| *known == pattern);
            let place = place.or(alike.len().checked_sub(1).filter(|last| *last >= MESSAGES_MAX));
            match place.and_then(|place| alike.get_mut(place)) {
                Some((_, known)) => {
                    known.count += reason.count;
                    known.alike = false;
                }
                None => alike.push((pattern, reason)),
            }
        }
        let mut kinds: Vec<RejectKind> = kinds.into_values().flatten().map(|(_, reason)| reason).collect();
        kinds.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        for kind in &mut kinds {
            kind.example = self.titled(&kind.example)?;
        }
        Ok(kinds)
    }

    /// How many rows the reasons account for.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn reasoned(&self) -> Result<u64, JournalError> {
        Ok(self.reject_kinds()?.iter().map(|kind| kind.count).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_differ_in_more_than_names() {
        let same = |one: &str, other: &str| assert_eq!(pattern(one), pattern(other));
        same("no such user: ada@example.com", "no such user: ben@example.com");
        same("member \"Ada L.\": it is no address", "member \"ben\": it is no address");
        same("spaces/A is gone since 2020-01-01T00:00:00Z", "spaces/B is gone since 2021-01-01T00:00:00Z");
        assert_ne!(pattern("createTime is too early"), pattern("deleteTime is too early"));
        assert_eq!(pattern(""), "");
    }
}
