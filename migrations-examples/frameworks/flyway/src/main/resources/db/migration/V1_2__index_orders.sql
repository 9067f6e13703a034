-- Good: Flyway sees that this statement refuses a transaction and opens none.
CREATE INDEX CONCURRENTLY orders_customer_id_idx ON ${schema}.orders (customer_id);
