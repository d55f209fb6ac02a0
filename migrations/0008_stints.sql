-- Several stints of one member in one space, and the history of those who are still members.

ALTER TABLE journal ADD COLUMN stints  TEXT    NOT NULL DEFAULT 'each'; -- 'each': a row is a call; 'merge': one for them all
ALTER TABLE journal ADD COLUMN bridges INTEGER NOT NULL DEFAULT 0;      -- 1: open rows get their history until today
ALTER TABLE journal ADD COLUMN merged  INTEGER NOT NULL DEFAULT 0;      -- rows of the input that went into another
ALTER TABLE journal ADD COLUMN bridged INTEGER NOT NULL DEFAULT 0;      -- histories of open rows, merged ones included

-- What a row of `rows` was made of, as it came, if that is more than itself: the rows that were merged into it, and the open
-- row that it is the history of. Only what is given back and merged again; what becomes of it stands in `rows`.
CREATE TABLE parts (
    row         INTEGER NOT NULL,           -- rows.id
    part        INTEGER NOT NULL,           -- in the order of their times
    create_time INTEGER,
    delete_time INTEGER,
    until       INTEGER,                    -- where an open row's history ends; NULL: this is no such history
    role        TEXT,
    source      INTEGER NOT NULL REFERENCES sources,
    line        INTEGER NOT NULL,
    given       TEXT,
    PRIMARY KEY (row, part)
) STRICT, WITHOUT ROWID;

CREATE VIEW merged AS
SELECT tenures.space,
       tenures.member,
       strftime('%Y-%m-%dT%H:%M:%SZ', parts.create_time / 1000000, 'unixepoch') AS createTime,
       strftime('%Y-%m-%dT%H:%M:%SZ', parts.delete_time / 1000000, 'unixepoch') AS deleteTime,
       parts.role,
       sources.path || ':' || parts.line AS origin,
       parts.until IS NOT NULL AS bridge,
       tenures.id AS into_row,
       tenures.createTime AS sent_createTime,
       tenures.deleteTime AS sent_deleteTime,
       tenures.state
  FROM parts
  JOIN tenures ON tenures.id = parts.row
  JOIN sources ON sources.id = parts.source;
