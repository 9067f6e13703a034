-- Bad: two statements in one string are a transaction block.
ALTER TABLE customers ADD COLUMN name text;
CREATE INDEX CONCURRENTLY customers_name_idx ON customers (name);
