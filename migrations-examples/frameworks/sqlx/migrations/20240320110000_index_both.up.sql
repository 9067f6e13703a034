-- no-transaction
-- Bad: one string of two statements is a transaction block all the same.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY orders_placed_customer_idx ON orders (placed_at, customer_id);
