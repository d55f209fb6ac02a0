-- Why rows were rejected, counted as that changes, so that nobody counts a million of them to say where a run stands.

CREATE TABLE reasons (
    kind        TEXT    NOT NULL,
    http_status INTEGER NOT NULL,           -- 0: there was no call
    rows        INTEGER NOT NULL,
    example     TEXT    NOT NULL,           -- what one of them says, or said
    alike       INTEGER NOT NULL,           -- 1: all of them say that
    PRIMARY KEY (kind, http_status)
) STRICT, WITHOUT ROWID;

INSERT INTO reasons (kind, http_status, rows, example, alike)
SELECT ifnull(kind, 'unknown'), ifnull(http_status, 0), count(*), ifnull(min(error), ''), count(DISTINCT error) < 2
  FROM rows WHERE state = 3 GROUP BY 1, 2;
