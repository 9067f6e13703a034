-- Bad: the server opens a transaction.
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);
