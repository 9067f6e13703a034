-- +migrate Up notransaction
CREATE UNIQUE INDEX CONCURRENTLY people_email_key ON people (email);

-- +migrate Down notransaction
DROP INDEX CONCURRENTLY people_email_key;
