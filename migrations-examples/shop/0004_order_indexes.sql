SET lock_timeout = '2s';

CREATE INDEX IF NOT EXISTS orders_customer_id_idx ON orders (customer_id);

-- The right way. It waits for old transactions, so the limit must not count for it.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY payments_order_id_idx ON payments (order_id);
