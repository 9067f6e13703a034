-- Bad: runs in a transaction; metadata.toml is missing.
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);
