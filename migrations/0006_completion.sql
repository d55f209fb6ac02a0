-- What becomes of a space beyond its rows. Rows may also be memberships to delete and roles to set: `rows.operation` 3, 4.

ALTER TABLE spaces ADD COLUMN began_at       INTEGER;               -- its createTime, if the map tells
ALTER TABLE spaces ADD COLUMN expires_at     INTEGER;               -- when Chat deletes it, unless it is completed by then
ALTER TABLE spaces ADD COLUMN complete_error TEXT;                  -- why Chat does not complete it
ALTER TABLE spaces ADD COLUMN left_at        INTEGER;               -- when the migrating account has left it

-- A list that is read anew takes the place of the one before only when it is whole.
ALTER TABLE found ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;      -- 1: the list that is being read has not shown it yet
