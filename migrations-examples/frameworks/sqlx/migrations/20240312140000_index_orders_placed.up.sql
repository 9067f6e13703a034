-- Bad: sqlx wraps this file in a transaction, in which CONCURRENTLY fails.
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
