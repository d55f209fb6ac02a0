-- Rows are numbered by where they belong (21 bits for the space, 26 for the member, 16 for the stint), so that they lie in
-- the order in which they are sent, and no index is needed to find them. What `status` shows is counted as it changes.

ALTER TABLE sources ADD COLUMN invalid INTEGER NOT NULL DEFAULT 0;  -- of its rows, those that are none
UPDATE sources SET invalid = (SELECT count(*) FROM rows WHERE rows.invalid = 1 AND rows.source = sources.id);
ALTER TABLE spaces ADD COLUMN existed INTEGER NOT NULL DEFAULT 0;   -- of those done, what Chat held already
UPDATE spaces SET existed = (SELECT count(*) FROM rows WHERE rows.existed = 1 AND rows.space = spaces.id);

-- Nothing can be numbered beyond these.
CREATE TABLE room (enough INTEGER NOT NULL CHECK (enough)) STRICT;
INSERT INTO room SELECT ifnull(max(id), 0) < 1 << 21 FROM spaces;
INSERT INTO room SELECT ifnull(max(id), 0) < 1 << 26 FROM members;
INSERT INTO room SELECT ifnull(max(stints), 0) < 1 << 16
                   FROM (SELECT count(*) AS stints FROM rows WHERE space IS NOT NULL GROUP BY space, member);
DROP TABLE room;

DROP VIEW tenures;
CREATE TABLE numbered (
    id          INTEGER PRIMARY KEY,        -- (space << 42) | (member << 16) | stint; below 1 << 42: a line that is no row
    operation   INTEGER NOT NULL,           -- 1 create, 2 add
    create_time INTEGER,                    -- NULL: not given
    delete_time INTEGER,                    -- NULL: open, still a member
    role        TEXT,
    source      INTEGER NOT NULL REFERENCES sources,
    line        INTEGER NOT NULL,
    given       TEXT,                       -- JSON: what the line said beyond the columns here
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

INSERT INTO numbered (id, operation, create_time, delete_time, role, source, line, given, state, attempts, marked_at,
                      settled_at, http_status, kind, error, membership, existed)
SELECT ifnull((space << 42) | (member << 16), 0)
           + row_number() OVER (PARTITION BY space, member
                                ORDER BY ifnull(create_time, delete_time), ifnull(delete_time, 9223372036854775807), id),
       operation, create_time, delete_time, role, source, line, given, state, attempts, marked_at,
       settled_at, http_status, kind, error, membership, existed
  FROM rows ORDER BY 1;
DROP TABLE rows;
ALTER TABLE numbered RENAME TO rows;

-- The row's number follows what they name, so each holds rows in the order in which they are sent.
CREATE INDEX rows_pending ON rows (state) WHERE state = 0;
CREATE INDEX rows_in_flight ON rows (state) WHERE state = 1;
CREATE INDEX rows_rejected ON rows (state) WHERE state = 3;

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
  LEFT JOIN spaces ON spaces.id = rows.id >> 42
  LEFT JOIN members ON members.id = rows.id >> 16 & 67108863 AND rows.id >> 42 > 0;
