-- How fast the run goes and why not faster, for those who look on while it does.

ALTER TABLE runs ADD COLUMN pace TEXT;  -- JSON; NULL: not known yet
