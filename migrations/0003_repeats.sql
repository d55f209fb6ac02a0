-- What a Chat that makes two of a repeated create would hold twice, if rows were sent to it that it holds already.

ALTER TABLE found ADD COLUMN copies INTEGER NOT NULL DEFAULT 1;     -- how often it was listed, this journal's own aside
CREATE INDEX found_times ON found (space, delete_time, create_time, user);

ALTER TABLE journal ADD COLUMN doubles INTEGER NOT NULL DEFAULT 0;  -- 1: this Chat was seen to hold a membership twice
ALTER TABLE journal ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;  -- batches of changes; the lock file has the number too
ALTER TABLE journal ADD COLUMN lost    INTEGER NOT NULL DEFAULT 0;  -- 1: some were lost, and rows were in flight since then
