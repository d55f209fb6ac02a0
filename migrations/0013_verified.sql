-- How the last looks at Chat's lists came out (`tenure verify`): one while all spaces were in import mode, and one since some
-- are completed, whose history Chat no longer lists. Both are of all spaces of the journal.

CREATE TABLE verified (
    shows       TEXT    PRIMARY KEY,        -- what the lists showed: 'history', or (some of them) 'members'
    begun_at    INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    stopped     TEXT,                       -- why it did not come to its end; NULL: it did
    spaces      INTEGER NOT NULL,           -- spaces to be looked at,
    checked     INTEGER NOT NULL,           -- and those whose list was seen
    hidden      INTEGER NOT NULL,           -- spaces that Chat does not show, with rows that the journal says are there
    expected    INTEGER NOT NULL,           -- rows that Chat should list,
    matching    INTEGER NOT NULL,           -- and those that it lists just as they should be
    untold      INTEGER NOT NULL,           -- rows of which the lists do not tell
    unsettled   INTEGER NOT NULL,           -- rows that were not settled yet
    past        INTEGER NOT NULL,           -- rows that had ended before their space's completion
    differences TEXT    NOT NULL,           -- JSON: how many there are of each kind, such as {"missing":2}
    -- What the journal had got when it began, so that it is known whether something was changed since then.
    commits     INTEGER NOT NULL,
    readings    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
