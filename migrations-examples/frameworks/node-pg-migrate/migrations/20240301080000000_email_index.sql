-- Up Migration
-- Bad: all pending migrations share one transaction.
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);

-- Down Migration
DROP INDEX customers_email_idx;
