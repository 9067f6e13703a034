-- +goose Up
-- Bad: goose wraps this in a transaction.
CREATE INDEX CONCURRENTLY customers_lower_idx ON customers (lower(email));

-- +goose Down
DROP INDEX customers_lower_idx;
