-- How a run went over time: what was counted in each stretch of it. A stretch is a minute long at first and longer later
-- (`journal/course.rs`), so that a run of months stays small.

CREATE TABLE stretches (
    run       INTEGER NOT NULL REFERENCES runs,
    begun_at  INTEGER NOT NULL,             -- when the stretch begins
    length    INTEGER NOT NULL,             -- how long it is, in microseconds
    -- Calls of the Chat API that were answered in it, and rows that were settled.
    sent      INTEGER NOT NULL DEFAULT 0,
    ok        INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0,
    failed    INTEGER NOT NULL DEFAULT 0,
    done      INTEGER NOT NULL DEFAULT 0,
    rejected  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, begun_at)
) STRICT, WITHOUT ROWID;
