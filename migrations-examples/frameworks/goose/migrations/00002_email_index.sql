-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);

-- +goose Down
DROP INDEX CONCURRENTLY customers_email_idx;
