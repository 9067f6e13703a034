-- setup
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, region text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total numeric(10,2), note text);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_total ON orders (total);
CREATE TABLE events (at date NOT NULL, id int NOT NULL, payload text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id ON events (id);
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX totals_key ON totals (customer_id);
CREATE VIEW open_orders AS SELECT * FROM orders;
CREATE SCHEMA sales;
CREATE TABLE sales.items (id int PRIMARY KEY, name text);
INSERT INTO customers SELECT n, 'c' || n, 'r' || n % 5 FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n, n, 'x' FROM generate_series(1, 2000) n;
INSERT INTO events SELECT '2024-01-01'::date + n % 700, n, 'p' FROM generate_series(1, 2000) n;
INSERT INTO sales.items SELECT n, 'i' || n FROM generate_series(1, 2000) n;
REFRESH MATERIALIZED VIEW totals;

-- case: create index concurrently
CREATE INDEX CONCURRENTLY orders_note ON orders (note);

-- case: create unique index concurrently
CREATE UNIQUE INDEX CONCURRENTLY orders_customer_key ON orders (customer_id);

-- case: create unique index concurrently on duplicates
CREATE UNIQUE INDEX CONCURRENTLY customers_region_key ON customers (region);

-- case: create index concurrently if not exists on an existing name
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer ON orders (note);

-- case: create index concurrently on a partitioned table
CREATE INDEX CONCURRENTLY events_payload ON events (payload);

-- case: create index concurrently on one partition
CREATE INDEX CONCURRENTLY events_2024_payload ON events_2024 (payload);

-- case: create index concurrently on a materialized view
CREATE INDEX CONCURRENTLY totals_total ON totals (total);

-- case: create partial expression index concurrently
CREATE INDEX CONCURRENTLY orders_note_lower ON orders (lower(note)) WHERE total > 10;

-- case: drop index concurrently
DROP INDEX CONCURRENTLY orders_total;

-- case: drop index concurrently if exists on a missing one
DROP INDEX CONCURRENTLY IF EXISTS nothing_here;

-- case: drop two indexes concurrently
DROP INDEX CONCURRENTLY orders_total, orders_customer;

-- case: drop partitioned index concurrently
DROP INDEX CONCURRENTLY events_id;

-- case: reindex index concurrently
REINDEX INDEX CONCURRENTLY orders_total;

-- case: reindex primary key concurrently
REINDEX INDEX CONCURRENTLY customers_pkey;

-- case: reindex table concurrently
REINDEX TABLE CONCURRENTLY orders;

-- case: reindex partitioned table concurrently
REINDEX TABLE CONCURRENTLY events;

-- case: reindex partitioned table
REINDEX TABLE events;

-- case: reindex partitioned index
REINDEX INDEX events_id;

-- case: reindex schema
REINDEX SCHEMA sales;

-- case: reindex schema concurrently
REINDEX SCHEMA CONCURRENTLY sales;

-- case: reindex table concurrently with a toast table and a tablespace
REINDEX (CONCURRENTLY, TABLESPACE side) TABLE orders;

-- case: reindex table concurrently of a materialized view
REINDEX TABLE CONCURRENTLY totals;

-- case: detach partition concurrently
ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;

-- case: detach partition concurrently with a default partition
-- given:
CREATE TABLE events_default PARTITION OF events DEFAULT;
-- run:
ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;

-- case: detach partition finalize
ALTER TABLE events DETACH PARTITION events_2024 FINALIZE;

-- case: refresh materialized view concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- case: refresh materialized view concurrently without a unique index
-- given:
DROP INDEX totals_key;
-- run:
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- case: vacuum
VACUUM orders;

-- case: vacuum all
VACUUM;

-- case: vacuum full
VACUUM FULL orders;

-- case: vacuum full false
VACUUM (FULL false) orders;

-- case: vacuum full true analyze
VACUUM (FULL, ANALYZE) orders;

-- case: vacuum analyze
VACUUM ANALYZE orders, customers;

-- case: vacuum verbose analyze with options
VACUUM (VERBOSE, ANALYZE, INDEX_CLEANUP off, TRUNCATE false) sales.items;

-- case: vacuum freeze
VACUUM FREEZE orders;

-- case: vacuum a partitioned table
VACUUM events;

-- case: vacuum full of a partitioned table
VACUUM FULL events;

-- case: vacuum full of a materialized view
VACUUM FULL totals;

-- case: vacuum a view
VACUUM open_orders;
-- differs: locks

-- case: vacuum analyze of one column
VACUUM ANALYZE orders (note);

-- case: vacuum only a partitioned table
-- requires: 18..
VACUUM ONLY events;

-- case: cluster all
-- given:
CLUSTER orders USING orders_total;
-- run:
CLUSTER;

-- case: cluster a partitioned table
-- requires: 15..
CLUSTER events USING events_id;

-- case: create database
CREATE DATABASE another_one;

-- case: drop database
-- given:
SET client_min_messages = error;
-- run:
DROP DATABASE IF EXISTS missing_database;

-- case: alter database set tablespace
ALTER DATABASE postgres SET TABLESPACE side;

-- case: create tablespace
-- given:
SET allow_in_place_tablespaces = on;
-- run:
CREATE TABLESPACE brand_new LOCATION '';

-- case: drop tablespace
DROP TABLESPACE IF EXISTS missing_tablespace;

-- case: alter system
ALTER SYSTEM SET work_mem = '8MB';

-- case: alter system reset
ALTER SYSTEM RESET work_mem;

-- case: alter type add value
-- given:
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id int, mood mood);
-- run:
ALTER TYPE mood ADD VALUE 'happy';

-- case: create subscription
CREATE SUBSCRIPTION feed CONNECTION 'host=localhost dbname=missing' PUBLICATION feed;

-- case: create subscription without connecting
CREATE SUBSCRIPTION feed CONNECTION 'host=localhost dbname=missing' PUBLICATION feed WITH (connect = false);

-- case: cluster one table outside a block
-- transaction: none
CLUSTER orders USING orders_total;

-- case: create index outside a block
-- transaction: none
CREATE INDEX orders_note ON orders (note);

-- case: alter table outside a block
-- transaction: none
ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);

-- case: add foreign key outside a block
-- transaction: none
ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES customers;

-- case: update outside a block
-- transaction: none
UPDATE orders SET note = 'y';
