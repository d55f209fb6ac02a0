-- Rows may also be members of today, in spaces that are not in import mode: `rows.operation` 2 (add).

ALTER TABLE journal ADD COLUMN standard INTEGER NOT NULL DEFAULT 0;  -- 1: its spaces are not in import mode
