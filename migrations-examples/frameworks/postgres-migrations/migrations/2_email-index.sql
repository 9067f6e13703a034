-- postgres-migrations disable-transaction
CREATE UNIQUE INDEX CONCURRENTLY people_email_key ON people (email);
