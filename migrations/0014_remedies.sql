-- What whoever comes back to a run that has stopped does first, and which command goes on with it.

ALTER TABLE runs ADD COLUMN remedy TEXT;   -- NULL: nothing is to be done, or `outcome` says it already
ALTER TABLE runs ADD COLUMN command TEXT;  -- with its options, without the journal, such as 'complete --leave'; NULL: 'resume'
