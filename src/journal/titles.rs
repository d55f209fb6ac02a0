//! What people call the spaces, as far as somebody has told the journal.

use rusqlite::OptionalExtension as _;

use super::{Journal, JournalError};
use crate::model::{SpaceTitles, told_in};

impl Journal {
    /// Writes down what the journal's spaces are called; what is said of others is passed over.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_titles(&mut self, titles: &SpaceTitles) -> Result<(), JournalError> {
        if titles.is_empty() {
            return Ok(());
        }
        let tx = self.conn.transaction()?;
        for (space, title) in titles.iter() {
            tx.prepare_cached("UPDATE spaces SET title = ?2 WHERE name = ?1 AND title IS NOT ?2")?
                .execute((space, title))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// What its spaces are called.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn titles(&self) -> Result<SpaceTitles, JournalError> {
        let mut titles = SpaceTitles::default();
        let mut statement = self.conn.prepare("SELECT name, title FROM spaces WHERE title IS NOT NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (space, title): (String, String) = (row.get(0)?, row.get(1)?);
            titles.insert(&super::query::space_name(&space)?, &title);
        }
        Ok(titles)
    }

    /// A message for people: each space that it names with its title before it.
    pub(super) fn titled(&self, message: &str) -> Result<String, JournalError> {
        told_in(message, |space| {
            let mut statement = self.conn.prepare_cached("SELECT title FROM spaces WHERE name = ?1")?;
            let title: Option<Option<String>> = statement.query_row([space], |row| row.get(0)).optional()?;
            Ok(title.flatten())
        })
    }
}
