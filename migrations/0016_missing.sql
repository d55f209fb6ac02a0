-- Whether Chat lists what the journal says of a space, so that it is not completed while rows are missing there.

ALTER TABLE spaces ADD COLUMN missing INTEGER;  -- rows that the last `tenure verify` of its history did not find as they are here; NULL: there was none

-- A look that has seen all and found no difference has found none in each.
UPDATE spaces SET missing = 0
 WHERE completed_at IS NULL
   AND EXISTS (SELECT 1 FROM verified WHERE shows = 'history' AND stopped IS NULL AND checked = spaces AND differences = '{}');
