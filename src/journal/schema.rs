//! The schema's versions: `migrations/*.sql`, applied in order, counted in `PRAGMA user_version`.

use rusqlite::Connection;

use super::JournalError;

/// "tnre": `PRAGMA application_id` of a journal, so that no other SQLite file is taken for one.
const APPLICATION_ID: i64 = 0x746e_7265;

/// How much of a file tells whether it is a journal.
pub(super) const HEAD_BYTES: usize = 72;
/// What SQLite's files begin with, and where the application's id is in them (SQLite, file format, 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";
const APPLICATION_ID_AT: usize = 68;

/// Whether a file that begins like this is a journal.
pub(super) fn is_head(head: &[u8; HEAD_BYTES]) -> bool {
    head.starts_with(MAGIC)
        && head[APPLICATION_ID_AT..].iter().fold(0, |id, byte| id << 8 | i64::from(*byte)) == APPLICATION_ID
}

const MIGRATIONS: [&str; 16] = [
    include_str!("../../migrations/0001_journal.sql"),
    include_str!("../../migrations/0002_standard_spaces.sql"),
    include_str!("../../migrations/0003_repeats.sql"),
    include_str!("../../migrations/0004_numbered_rows.sql"),
    include_str!("../../migrations/0005_pace.sql"),
    include_str!("../../migrations/0006_completion.sql"),
    include_str!("../../migrations/0007_channels.sql"),
    include_str!("../../migrations/0008_stints.sql"),
    include_str!("../../migrations/0009_stretches.sql"),
    include_str!("../../migrations/0010_reasons.sql"),
    include_str!("../../migrations/0011_replaced.sql"),
    include_str!("../../migrations/0012_titles.sql"),
    include_str!("../../migrations/0013_verified.sql"),
    include_str!("../../migrations/0014_remedies.sql"),
    include_str!("../../migrations/0015_read_with.sql"),
    include_str!("../../migrations/0016_missing.sql"),
];

/// Brings a new or older journal to this version's schema, each step in a transaction of its own.
///
/// # Errors
/// When the file is no journal, or one of a newer version.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), JournalError> {
    let version = check(conn)?;
    for (done, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let tx = conn.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", done as i64 + 1)?;
        tx.commit()?;
    }
    Ok(())
}

/// The schema version of a file that this program may read: 0 for an empty one.
///
/// # Errors
/// As [`migrate`].
pub(super) fn check(conn: &Connection) -> Result<usize, JournalError> {
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let version = pragma("user_version")?;
    let application = pragma("application_id")?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        return Err(JournalError::NotAJournal);
    }
    let known = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(JournalError::Newer { found: version, known }),
    }
}

/// Whether the schema is this version's own.
pub(super) fn is_current(version: usize) -> bool {
    version == MIGRATIONS.len()
}
