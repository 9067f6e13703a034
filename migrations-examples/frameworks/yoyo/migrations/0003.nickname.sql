-- depends: 0001.people

ALTER TABLE people ADD COLUMN nickname text;
