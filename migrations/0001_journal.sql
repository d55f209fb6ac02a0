-- The journal: every row of the input, and what became of it.
-- Times are microseconds since 1970-01-01T00:00:00Z. To read it by eye: SELECT * FROM tenures;

CREATE TABLE journal (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    operation  TEXT    NOT NULL,            -- what the rows are for: 'import'
    target     TEXT    NOT NULL,            -- where they go: 'emulator', or the endpoint's URL
    created_at INTEGER NOT NULL,
    readings   INTEGER NOT NULL DEFAULT 0   -- how often input was read into it
) STRICT;

-- One file that was read. Reading it again replaces its counts and its invalid rows.
CREATE TABLE sources (
    id         INTEGER PRIMARY KEY,
    path       TEXT    NOT NULL UNIQUE,
    layout     TEXT    NOT NULL,            -- JSON: format, delimiter, columns
    read_at    INTEGER NOT NULL,
    rows       INTEGER NOT NULL DEFAULT 0,  -- lines with a row on them, duplicates and invalid ones included
    duplicates INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE spaces (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,   -- spaces/AAAA
    surveyed_at  INTEGER,                   -- when that which Chat held beforehand was written to `found`
    completed_at INTEGER,
    -- How many of its rows are in each state; kept by whatever changes a state.
    pending      INTEGER NOT NULL DEFAULT 0,
    in_flight    INTEGER NOT NULL DEFAULT 0,
    done         INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    open         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE members (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,              -- users/maria@example.com, users/123, groups/abc
    user TEXT                               -- canonical users/{id}, once Chat has answered with it
) STRICT;

CREATE INDEX members_user ON members (user) WHERE user IS NOT NULL;

-- One operation on one membership. An invalid line names none, and is always rejected.
CREATE TABLE rows (
    id          INTEGER PRIMARY KEY,
    operation   INTEGER NOT NULL,           -- 1 create
    space       INTEGER REFERENCES spaces,
    member      INTEGER REFERENCES members,
    create_time INTEGER,                    -- NULL: not given
    delete_time INTEGER,                    -- NULL: open, still a member
    role        TEXT,
    source      INTEGER NOT NULL REFERENCES sources,
    line        INTEGER NOT NULL,
    given       TEXT,                       -- JSON: what the line said beyond the columns here
    invalid     INTEGER NOT NULL DEFAULT 0, -- 1: a line that is no row
    seen        INTEGER NOT NULL,           -- the last reading that met it
    state       INTEGER NOT NULL,           -- 0 pending, 1 in flight, 2 done, 3 rejected, 4 open
    attempts    INTEGER NOT NULL DEFAULT 0, -- counted when it is marked in flight
    marked_at   INTEGER,                    -- when it was last marked in flight
    settled_at  INTEGER,                    -- when it became done or rejected
    http_status INTEGER,                    -- of the last answer
    kind        TEXT,                       -- why it was rejected, or what the last failure was
    error       TEXT,
    membership  TEXT,                       -- spaces/S/members/M, as Chat answered
    existed     INTEGER                     -- 1: Chat held it already; a rollback leaves it alone
) STRICT;

CREATE UNIQUE INDEX rows_identity
    ON rows (space, member, operation, ifnull(create_time, 0), ifnull(delete_time, 0));
CREATE INDEX rows_pending ON rows (space, member, ifnull(create_time, delete_time), id) WHERE state = 0;
CREATE INDEX rows_in_flight ON rows (space) WHERE state = 1;
CREATE INDEX rows_invalid ON rows (source) WHERE invalid = 1;
CREATE INDEX rows_existed ON rows (id) WHERE existed = 1;
CREATE INDEX rows_rejected ON rows (id) WHERE state = 3;

-- What Chat held in a space before this journal's first call to it.
CREATE TABLE found (
    space       INTEGER NOT NULL REFERENCES spaces,
    user        TEXT    NOT NULL,
    create_time INTEGER NOT NULL,           -- 0: not told
    delete_time INTEGER NOT NULL,           -- 0: none
    PRIMARY KEY (space, user, create_time, delete_time)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT,                        -- how it ended; NULL while it goes on, or after it was killed
    settings   TEXT    NOT NULL,            -- JSON, without secrets
    version    TEXT    NOT NULL,
    -- Calls of the Chat API.
    sent       INTEGER NOT NULL DEFAULT 0,
    ok         INTEGER NOT NULL DEFAULT 0,
    throttled  INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE VIEW tenures AS
SELECT rows.id,
       spaces.name AS space,
       members.name AS member,
       members.user,
       strftime('%Y-%m-%dT%H:%M:%SZ', rows.create_time / 1000000, 'unixepoch') AS createTime,
       strftime('%Y-%m-%dT%H:%M:%SZ', rows.delete_time / 1000000, 'unixepoch') AS deleteTime,
       rows.role,
       CASE rows.state WHEN 0 THEN 'pending' WHEN 1 THEN 'in flight' WHEN 2 THEN 'done'
                       WHEN 3 THEN 'rejected' WHEN 4 THEN 'open' END AS state,
       rows.attempts,
       rows.http_status AS status,
       rows.kind,
       rows.error,
       rows.membership,
       sources.path || ':' || rows.line AS origin
  FROM rows
  JOIN sources ON sources.id = rows.source
  LEFT JOIN spaces ON spaces.id = rows.space
  LEFT JOIN members ON members.id = rows.member;
