# --- !Ups
ALTER TABLE people ADD COLUMN nickname text;

# --- !Downs
ALTER TABLE people DROP COLUMN nickname;
