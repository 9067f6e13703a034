-- +migrate Up
ALTER TABLE people ADD COLUMN nickname text;

-- +migrate Down
ALTER TABLE people DROP COLUMN nickname;
