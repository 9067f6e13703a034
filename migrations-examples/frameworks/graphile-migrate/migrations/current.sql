-- Runs again at every change.
ALTER TABLE people DROP COLUMN IF EXISTS nickname;
ALTER TABLE people ADD COLUMN nickname text;
