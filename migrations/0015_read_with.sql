-- With which options the input was read last, as JSON: without them the same lines are other rows.

ALTER TABLE journal ADD COLUMN read_with TEXT;  -- NULL: with none
