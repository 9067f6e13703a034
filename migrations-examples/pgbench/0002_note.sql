-- Every query of before runs on.
SET lock_timeout = '2s';
ALTER TABLE transfers ADD COLUMN note text;
