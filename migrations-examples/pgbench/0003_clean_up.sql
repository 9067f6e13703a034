-- Each statement takes something away that a query of queries.txt needs.
SET lock_timeout = '2s';
ALTER TABLE pgbench_tellers RENAME COLUMN tbalance TO balance;
ALTER TABLE pgbench_history ADD COLUMN channel text NOT NULL;
ALTER TABLE transfers DROP CONSTRAINT transfers_reference_key;
ALTER TABLE transfers DROP CONSTRAINT transfers_state_check;
ALTER TABLE transfers ADD CONSTRAINT transfers_state_check CHECK (state IN ('new', 'booked')) NOT VALID;
ALTER TYPE transfer_kind RENAME VALUE 'cheque' TO 'check';
