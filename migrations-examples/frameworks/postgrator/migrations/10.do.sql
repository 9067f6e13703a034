ALTER TABLE people ADD COLUMN nickname text;
ALTER TABLE people ADD COLUMN age int;
