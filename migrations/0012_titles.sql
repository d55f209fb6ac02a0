-- What people call the spaces, told once for each: by the map of spaces, or by a column of the rows.

ALTER TABLE spaces ADD COLUMN title TEXT;       -- NULL: nobody has told it
