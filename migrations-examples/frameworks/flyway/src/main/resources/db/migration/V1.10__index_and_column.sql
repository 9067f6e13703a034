-- Bad: Flyway refuses to mix the two.
ALTER TABLE ${schema}.orders ADD COLUMN placed_at timestamptz;
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON ${schema}.orders (placed_at);
