-- Good: psql sends each statement by itself, and CONCURRENTLY may run.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);
