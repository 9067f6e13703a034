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
CREATE TABLE refers_items (id int, item int REFERENCES sales.items);
CREATE TABLE serials (id serial PRIMARY KEY, v int);
INSERT INTO serials (v) SELECT n FROM generate_series(1, 2000) n;
CREATE TABLE keyed (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (0) TO (3000);
CREATE TABLE refers_keyed (id int, k int REFERENCES keyed);
CREATE INDEX lines_n ON lines (n);
ALTER TABLE lines CLUSTER ON lines_n;

-- case: truncate
TRUNCATE lines;

-- case: truncate referenced
TRUNCATE orders;

-- case: truncate cascade
TRUNCATE orders CASCADE;

-- case: truncate cascade of root
TRUNCATE TABLE customers CASCADE;

-- case: truncate several
TRUNCATE lines, sales.items, refers_items;

-- case: truncate both sides
TRUNCATE orders, lines;

-- case: truncate restart identity
TRUNCATE serials RESTART IDENTITY;

-- case: truncate partitioned
TRUNCATE events;

-- case: truncate partition
TRUNCATE events_2024;

-- case: truncate two levels
TRUNCATE logs;

-- case: truncate only partitioned
TRUNCATE ONLY events;

-- case: truncate inherited
TRUNCATE parent;

-- case: truncate only inherited
TRUNCATE ONLY parent;

-- case: truncate star
TRUNCATE parent *;

-- case: truncate partitioned referenced cascade
TRUNCATE keyed CASCADE;

-- case: truncate partition referenced cascade
TRUNCATE keyed_1 CASCADE;

-- case: truncate view
TRUNCATE open_orders;

-- case: truncate materialized view
TRUNCATE totals;

-- case: truncate quoted
TRUNCATE "Odd Name";

-- case: truncate with a trigger
-- given:
CREATE TRIGGER tr BEFORE TRUNCATE ON lines EXECUTE FUNCTION touch();
-- run:
TRUNCATE lines;

-- case: lock table
LOCK TABLE orders;

-- case: lock access share
LOCK TABLE orders IN ACCESS SHARE MODE;

-- case: lock row share
LOCK orders IN ROW SHARE MODE;

-- case: lock row exclusive
LOCK orders IN ROW EXCLUSIVE MODE;

-- case: lock share update exclusive
LOCK orders IN SHARE UPDATE EXCLUSIVE MODE;

-- case: lock share
LOCK TABLE orders, customers IN SHARE MODE;

-- case: lock share row exclusive
LOCK orders IN SHARE ROW EXCLUSIVE MODE NOWAIT;

-- case: lock exclusive
LOCK orders IN EXCLUSIVE MODE;

-- case: lock view
LOCK open_orders IN SHARE MODE;

-- case: lock view on view
LOCK open_totals IN ACCESS EXCLUSIVE MODE;

-- case: lock inherited
LOCK parent IN SHARE MODE;

-- case: lock only inherited
LOCK ONLY parent IN SHARE MODE;

-- case: lock partitioned
LOCK logs IN EXCLUSIVE MODE;

-- case: lock only partitioned
LOCK ONLY events IN EXCLUSIVE MODE;

-- case: lock materialized view
LOCK totals;

-- case: lock quoted
LOCK TABLE public."Odd Name" IN SHARE MODE;

-- case: cluster
CLUSTER orders USING orders_total;

-- case: cluster old form
CLUSTER lines_n ON lines;

-- case: cluster again
CLUSTER lines;

-- case: cluster without an index
CLUSTER customers;

-- case: cluster verbose
CLUSTER VERBOSE orders USING orders_pkey;

-- case: cluster inherited
CLUSTER parent USING parent_pkey;

-- case: cluster partition
CLUSTER events_2024 USING events_2024_id_idx;

-- case: analyze
ANALYZE orders;

-- case: analyze column
ANALYZE orders (note);

-- case: analyze several
ANALYZE VERBOSE orders, customers;

-- case: analyze partitioned
ANALYZE events;

-- case: analyze inherited
ANALYZE parent;

-- case: analyze only partitioned
-- requires: 18..
ANALYZE ONLY events;

-- case: analyze materialized view
ANALYZE totals;

-- case: analyze view
ANALYZE open_orders;

-- case: analyze all
ANALYZE;

-- case: analyze options
ANALYZE (VERBOSE, SKIP_LOCKED) orders;

-- case: analyze two levels
ANALYZE logs;

-- case: vacuum in a block
VACUUM lines;

-- case: vacuum inherited
VACUUM parent;

-- case: vacuum full inherited
VACUUM FULL parent;

-- case: vacuum full of a partition
VACUUM FULL events_2024;

-- case: vacuum full of a table with a cluster index
VACUUM (FULL TRUE, VERBOSE) lines;

-- case: vacuum process toast
VACUUM (PROCESS_TOAST false) orders;

-- case: vacuum parallel
VACUUM (PARALLEL 0, INDEX_CLEANUP on) orders;

-- case: vacuum quoted
VACUUM FULL "Odd Name";

-- case: savepoint
SAVEPOINT a;

-- case: load
LOAD 'plpgsql';
