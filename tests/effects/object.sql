-- setup
CREATE SCHEMA sales;
CREATE SCHEMA hr;
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL UNIQUE, region text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total numeric(10,2), note text, qty int NOT NULL DEFAULT 1, CONSTRAINT qty_positive CHECK (qty > 0));
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_total ON orders (total);
CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, n int);
CREATE INDEX lines_order ON lines (order_id);
CREATE TABLE parent (id int PRIMARY KEY, label text, amount int);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE events (at date NOT NULL, id int NOT NULL, payload text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_id ON events (id);
CREATE TABLE logs (id int NOT NULL, kind text NOT NULL) PARTITION BY LIST (kind);
CREATE TABLE logs_a PARTITION OF logs FOR VALUES IN ('a');
CREATE TABLE logs_b PARTITION OF logs FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE logs_b1 PARTITION OF logs_b FOR VALUES FROM (0) TO (1000);
CREATE TABLE logs_b2 PARTITION OF logs_b FOR VALUES FROM (1000) TO (3000);
CREATE TABLE sales.items (id int PRIMARY KEY, name text);
CREATE TABLE "Odd Name" ("Weird ""Col""" int PRIMARY KEY, "select" text);
CREATE VIEW open_orders AS SELECT id, total, customer_id FROM orders WHERE total > 0;
CREATE VIEW open_totals AS SELECT customer_id, sum(total) AS total FROM open_orders GROUP BY 1;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX totals_key ON totals (customer_id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
INSERT INTO customers SELECT n, 'c' || n, 'r' || n % 5 FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n, n, 'x', n FROM generate_series(1, 2000) n;
INSERT INTO lines SELECT n, n, n FROM generate_series(1, 2000) n;
INSERT INTO parent SELECT n, 'p', n FROM generate_series(1, 2000) n;
INSERT INTO child SELECT n, 'c', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO grandchild SELECT n, 'g', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO events SELECT '2024-01-01'::date + n % 900, n, 'p' FROM generate_series(1, 2000) n;
INSERT INTO logs SELECT n, CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 2000) n;
INSERT INTO sales.items SELECT n, 'i' || n FROM generate_series(1, 2000) n;
INSERT INTO "Odd Name" SELECT n, 'o' FROM generate_series(1, 2000) n;
REFRESH MATERIALIZED VIEW totals;
CREATE PUBLICATION feed FOR TABLE orders;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE STATISTICS stats ON customer_id, total FROM orders;
CREATE TABLE sales.bills (id int REFERENCES orders, item int REFERENCES sales.items);
CREATE VIEW hr.items_view AS SELECT * FROM sales.items;
CREATE COLLATION mine FROM "C";
CREATE FUNCTION sales.total() RETURNS int LANGUAGE sql AS 'SELECT 1';

-- case: create schema
CREATE SCHEMA fresh;

-- case: create schema if not exists existing
CREATE SCHEMA IF NOT EXISTS sales AUTHORIZATION app;

-- case: rename schema
ALTER SCHEMA sales RENAME TO shop;

-- case: schema owner
ALTER SCHEMA sales OWNER TO app;

-- case: drop empty schema
-- given:
CREATE SCHEMA lone;
-- run:
DROP SCHEMA lone;

-- case: drop schema
DROP SCHEMA sales;

-- case: drop schema cascade
DROP SCHEMA sales CASCADE;

-- case: drop two schemas cascade
DROP SCHEMA sales, hr CASCADE;

-- case: drop schema if exists missing
DROP SCHEMA IF EXISTS missing CASCADE;

-- case: drop schema public cascade
DROP SCHEMA public CASCADE;

-- case: create publication
CREATE PUBLICATION p FOR TABLE orders, customers;

-- case: create publication for partitioned
CREATE PUBLICATION p FOR TABLE events WITH (publish_via_partition_root = true);

-- case: create publication for only
CREATE PUBLICATION p FOR TABLE ONLY parent;

-- case: create publication for inherited
CREATE PUBLICATION p FOR TABLE parent;

-- case: create publication for all tables
CREATE PUBLICATION p FOR ALL TABLES;

-- case: create publication for nothing
CREATE PUBLICATION p;

-- case: create publication for schema
-- requires: 15..
CREATE PUBLICATION p FOR TABLES IN SCHEMA sales;

-- case: create publication with row filter
-- requires: 15..
CREATE PUBLICATION p FOR TABLE orders (id, qty) WHERE (qty > 5);

-- case: publication add table
ALTER PUBLICATION feed ADD TABLE customers;

-- case: publication drop table
ALTER PUBLICATION feed DROP TABLE orders;

-- case: publication set table
ALTER PUBLICATION feed SET TABLE customers, lines;

-- case: publication add schema
-- requires: 15..
ALTER PUBLICATION feed ADD TABLES IN SCHEMA sales;

-- case: publication set options
ALTER PUBLICATION feed SET (publish = 'insert');

-- case: rename publication
ALTER PUBLICATION feed RENAME TO other;

-- case: publication owner
ALTER PUBLICATION feed OWNER TO postgres;

-- case: drop publication
DROP PUBLICATION feed;

-- case: drop publication for all tables
DROP PUBLICATION everything;

-- case: create statistics
CREATE STATISTICS s (ndistinct, dependencies) ON customer_id, qty FROM orders;

-- case: create statistics on expression
CREATE STATISTICS s ON lower(note), qty FROM orders;

-- case: create statistics on partitioned
CREATE STATISTICS s ON id, payload FROM events;

-- case: create statistics if not exists existing
CREATE STATISTICS IF NOT EXISTS stats ON customer_id, qty FROM orders;

-- case: alter statistics
ALTER STATISTICS stats SET STATISTICS 100;

-- case: rename statistics
ALTER STATISTICS stats RENAME TO other;

-- case: statistics schema
ALTER STATISTICS stats SET SCHEMA sales;

-- case: drop statistics
DROP STATISTICS stats;

-- case: comment on statistics
COMMENT ON STATISTICS stats IS 'x';

-- case: grant on table
GRANT SELECT, INSERT ON orders TO reader;

-- case: grant on two tables
GRANT ALL ON orders, customers TO reader WITH GRANT OPTION;

-- case: grant on columns
GRANT SELECT (id, note), UPDATE (note) ON orders TO reader;

-- case: grant on all tables
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO reader;

-- case: grant on schema
GRANT USAGE ON SCHEMA sales TO reader;

-- case: grant on all functions
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sales TO reader;

-- case: grant on type
GRANT USAGE ON TYPE mood TO reader;

-- case: grant role
GRANT app TO reader;

-- case: revoke on table
REVOKE ALL ON orders FROM PUBLIC;

-- case: revoke grant option cascade
REVOKE GRANT OPTION FOR SELECT ON orders FROM reader CASCADE;

-- case: revoke role
REVOKE app FROM reader;

-- case: default privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO reader;

-- case: reassign owned
-- given:
ALTER TABLE lines OWNER TO app;
-- run:
REASSIGN OWNED BY app TO reader;

-- case: drop owned
-- given:
CREATE TABLE of_app (id int); ALTER TABLE of_app OWNER TO app;
-- run:
DROP OWNED BY app CASCADE;

-- case: create role
CREATE ROLE another LOGIN PASSWORD 'x';

-- case: alter role
ALTER ROLE app SET statement_timeout = '1s';

-- case: drop role if exists missing
DROP ROLE IF EXISTS missing;

-- case: comment on table
COMMENT ON TABLE orders IS 'x';

-- case: comment on table null
COMMENT ON TABLE orders IS NULL;

-- case: comment on column
COMMENT ON COLUMN orders.note IS 'x';

-- case: comment on column of partitioned
COMMENT ON COLUMN events.payload IS 'x';

-- case: comment on constraint
COMMENT ON CONSTRAINT qty_positive ON orders IS 'x';

-- case: comment on schema
COMMENT ON SCHEMA sales IS 'x';

-- case: comment on database
COMMENT ON DATABASE postgres IS 'x';

-- case: comment on role
COMMENT ON ROLE app IS 'x';

-- case: comment on extension
COMMENT ON EXTENSION plpgsql IS 'x';

-- case: comment on publication
COMMENT ON PUBLICATION feed IS 'x';

-- case: comment on collation
COMMENT ON COLLATION mine IS 'x';

-- case: comment on quoted
COMMENT ON COLUMN "Odd Name"."Weird ""Col""" IS 'x';

-- case: security label
SECURITY LABEL ON TABLE orders IS 'x';

-- case: create extension existing
CREATE EXTENSION IF NOT EXISTS plpgsql;

-- case: alter extension add
ALTER EXTENSION plpgsql ADD TABLE lines;

-- case: drop extension if exists missing
DROP EXTENSION IF EXISTS missing;

-- case: create collation
CREATE COLLATION yours (locale = 'C');

-- case: rename collation
ALTER COLLATION mine RENAME TO ours;

-- case: drop collation
DROP COLLATION mine;

-- case: create text search configuration
CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple);

-- case: alter text search configuration
-- given:
CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple);
-- run:
ALTER TEXT SEARCH CONFIGURATION tsc ALTER MAPPING FOR asciiword WITH simple;

-- case: create operator class
CREATE OPERATOR CLASS my_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);

-- case: create server
-- given:
CREATE FOREIGN DATA WRAPPER w;
-- run:
CREATE SERVER s FOREIGN DATA WRAPPER w;

-- case: create user mapping
-- given:
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
-- run:
CREATE USER MAPPING FOR app SERVER s;

-- case: alter database
ALTER DATABASE postgres SET work_mem = '8MB';

-- case: set
SET lock_timeout = '2s';

-- case: set local
SET LOCAL statement_timeout = 0;

-- case: set role
SET ROLE app;

-- case: reset
RESET lock_timeout;

-- case: reset all
RESET ALL;

-- case: show
SHOW lock_timeout;

-- case: set constraints
SET CONSTRAINTS ALL DEFERRED;

-- case: set constraints named
-- given:
ALTER TABLE lines ALTER CONSTRAINT lines_order_id_fkey DEFERRABLE;
-- run:
SET CONSTRAINTS lines_order_id_fkey DEFERRED;

-- case: set_config
SELECT set_config('search_path', '', false);

-- case: discard plans
DISCARD PLANS;

-- case: discard temp
DISCARD TEMP;

-- case: discard all
DISCARD ALL;

-- case: checkpoint
CHECKPOINT;

-- case: notify
NOTIFY channel, 'x';

-- case: listen
LISTEN channel;

-- case: prepare
PREPARE q AS SELECT * FROM orders;

-- case: execute
-- given:
PREPARE q AS UPDATE orders SET note = 'x';
-- run:
EXECUTE q;

-- case: deallocate
-- given:
PREPARE q AS SELECT 1;
-- run:
DEALLOCATE q;

-- case: declare cursor
DECLARE c CURSOR FOR SELECT * FROM orders;

-- case: explain
EXPLAIN UPDATE orders SET note = 'x';

-- case: explain select
EXPLAIN (COSTS off) SELECT * FROM orders;

-- case: explain analyze
EXPLAIN ANALYZE UPDATE orders SET note = 'x';

-- case: explain analyze off
EXPLAIN (ANALYZE false) DELETE FROM lines;

-- case: explain create table as
EXPLAIN CREATE TABLE fresh AS SELECT * FROM orders;

-- case: transaction id
SELECT pg_current_xact_id();

-- case: advisory lock
SELECT pg_advisory_xact_lock(1);

-- case: replication origin function
SELECT pg_notify('a', 'b');

-- case: prepare a write
PREPARE q AS UPDATE orders SET note = 'x' WHERE customer_id IN (SELECT id FROM customers);

-- case: prepare of a view
PREPARE q AS SELECT * FROM open_orders;

-- case: prepare of partitioned
PREPARE q AS SELECT * FROM events;

-- case: execute with a parameter
-- given:
PREPARE q (int) AS DELETE FROM lines WHERE id = $1;
-- run:
EXECUTE q (7);

-- case: explain execute
-- given:
PREPARE q AS DELETE FROM lines;
-- run:
EXPLAIN EXECUTE q;

-- case: declare cursor of partitioned
DECLARE c CURSOR FOR SELECT * FROM events;

-- case: explain create materialized view
EXPLAIN CREATE MATERIALIZED VIEW m AS SELECT * FROM open_orders;

-- case: alter extension drop
-- given:
ALTER EXTENSION plpgsql ADD TABLE lines;
-- run:
ALTER EXTENSION plpgsql DROP TABLE lines;

-- case: drop owned of a referenced table
-- given:
CREATE TABLE of_app (id int PRIMARY KEY); ALTER TABLE of_app OWNER TO app; CREATE TABLE on_app (id int REFERENCES of_app);
-- run:
DROP OWNED BY app CASCADE;

-- case: set the schema of a type to its own
ALTER TYPE mood SET SCHEMA public;

-- case: rename a type to its own name
ALTER TYPE mood RENAME TO mood;

-- case: alter index rename, of a table
ALTER INDEX orders RENAME TO purchases;

-- case: reset an option of a view
ALTER VIEW open_orders RESET (autovacuum_enabled);
