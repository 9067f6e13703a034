-- migrate:up transaction:false
-- Bad: still one string of two statements.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY customers_lower_idx ON customers (lower(email));

-- migrate:down
DROP INDEX customers_lower_idx;
