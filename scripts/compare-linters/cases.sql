-- What scripts/compare-linters/run gives to each tool: a history, then cases. Each case is one migration after the history.
-- harm: what PostgreSQL 18 does that hurts. fine: why nothing does.

-- history
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name varchar(40), note text, code varchar(20), seen timestamp, credit numeric(10, 2));
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, number integer NOT NULL, total numeric(10, 2), state text);
CREATE TABLE events (at date NOT NULL, id bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2026 (at date NOT NULL, id bigint NOT NULL);
CREATE TABLE events_2027 (at date NOT NULL, id bigint NOT NULL, CONSTRAINT in_2027 CHECK (at >= '2027-01-01' AND at < '2028-01-01'));
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE VIEW names AS SELECT id, name FROM customers;
CREATE UNIQUE INDEX customers_code ON customers (code);
ALTER TABLE customers ADD CONSTRAINT note_there CHECK (note IS NOT NULL);
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;

-- case: SET NOT NULL
-- harm: reads the table under ACCESS EXCLUSIVE
ALTER TABLE customers ALTER COLUMN code SET NOT NULL;
-- case: foreign key
-- harm: reads both tables; writes to both wait
ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id);
-- case: foreign key NOT VALID, validated in the same transaction
-- harm: the lock of the first is held while the second reads
BEGIN;
ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT f;
COMMIT;
-- case: index
-- harm: writes wait until it is built
CREATE INDEX orders_state ON orders (state);
-- case: concurrent index in a transaction
-- harm: refused
BEGIN;
CREATE INDEX CONCURRENTLY orders_state ON orders (state);
COMMIT;
-- case: integer to bigint
-- harm: writes the table anew under ACCESS EXCLUSIVE
ALTER TABLE orders ALTER COLUMN number TYPE bigint;
-- case: varchar that gets narrower
-- harm: writes the table anew, and fails on longer values
ALTER TABLE customers ALTER COLUMN code TYPE varchar(10);
-- case: numeric with more digits after the point
-- harm: writes the table anew under ACCESS EXCLUSIVE
ALTER TABLE customers ALTER COLUMN credit TYPE numeric(14, 4);
-- case: type of a column that a view reads
-- harm: refused
ALTER TABLE customers ALTER COLUMN name TYPE text;
-- case: column with a volatile default
-- harm: writes the table anew under ACCESS EXCLUSIVE
ALTER TABLE customers ADD COLUMN token uuid DEFAULT gen_random_uuid();
-- case: required column without a default
-- harm: fails on rows, and old INSERTs fail
ALTER TABLE customers ADD COLUMN active boolean NOT NULL;
-- case: rename of a column
-- harm: running clients fail
ALTER TABLE customers RENAME COLUMN email TO mail;
-- case: drop of a column
-- harm: data is gone, running clients fail
ALTER TABLE customers DROP COLUMN email;
-- case: drop of a column that a view reads
-- harm: refused
ALTER TABLE customers DROP COLUMN name;
-- case: column that does not exist
-- harm: refused
ALTER TABLE orders ALTER COLUMN totl SET DEFAULT 0;
-- case: unique index dropped that INSERT … ON CONFLICT needs
-- harm: running clients fail
DROP INDEX customers_code;
-- case: enum value used in the transaction that adds it
-- harm: refused
BEGIN;
ALTER TYPE mood ADD VALUE 'happy';
CREATE TABLE moods (mood mood DEFAULT 'happy');
INSERT INTO moods VALUES ('happy');
COMMIT;
-- case: backfill in the transaction of the ALTER
-- harm: ACCESS EXCLUSIVE is held while every row is written
BEGIN;
ALTER TABLE orders ADD COLUMN paid boolean;
UPDATE orders SET paid = false;
COMMIT;
-- case: type change in a DO block
-- harm: writes the table anew under ACCESS EXCLUSIVE
DO $$
BEGIN
    ALTER TABLE orders ALTER COLUMN number TYPE bigint;
END
$$;
-- case: partition attached without a CHECK
-- harm: reads the partition under ACCESS EXCLUSIVE
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
-- case: column assigned twice
-- harm: refused
UPDATE orders SET state = 'a', state = 'b' WHERE id = 1;
-- case: name over 63 bytes
-- harm: cut short without an error
CREATE TABLE refunds (id bigint PRIMARY KEY, the_amount_that_was_given_back_to_the_customer_after_the_complaint_was_closed numeric NOT NULL);
-- case: TRUNCATE
-- harm: data is gone
TRUNCATE orders;
-- case: SET NOT NULL that a validated CHECK proves
-- fine: reads nothing
ALTER TABLE customers ALTER COLUMN note SET NOT NULL;
-- case: foreign key of a new table
-- fine: the table is empty
CREATE TABLE refunds (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers (id));
-- case: VALIDATE of an older constraint
-- fine: reads and writes go on
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer;
-- case: index on a table made above it
-- fine: the table is empty
CREATE TABLE refunds (id bigint PRIMARY KEY, state text NOT NULL);
CREATE INDEX refunds_state ON refunds (state);
-- case: varchar that gets wider
-- fine: only the catalog changes
ALTER TABLE customers ALTER COLUMN code TYPE varchar(80);
-- case: numeric with more digits before the point
-- fine: only the catalog changes
ALTER TABLE customers ALTER COLUMN credit TYPE numeric(14, 2);
-- case: timestamp to timestamptz in UTC
-- fine: only the catalog changes
SET timezone = 'UTC';
ALTER TABLE customers ALTER COLUMN seen TYPE timestamptz;
-- case: required column with a constant default
-- fine: no row is touched
ALTER TABLE customers ADD COLUMN active boolean NOT NULL DEFAULT true;
-- case: rename of an index
-- fine: nobody names it
ALTER INDEX customers_code RENAME TO customers_code_key;
-- case: UNIQUE from an index that is there
-- fine: only the catalog changes
ALTER TABLE customers ADD CONSTRAINT customers_code_key UNIQUE USING INDEX customers_code;
-- case: partition attached with a CHECK that proves its bounds
-- fine: reads nothing
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
