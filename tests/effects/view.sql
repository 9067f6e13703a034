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
CREATE VIEW one_row AS SELECT 1 AS a;
CREATE VIEW editable AS SELECT id, note, qty FROM orders WITH CHECK OPTION;
CREATE MATERIALIZED VIEW idle AS SELECT * FROM orders WITH NO DATA;
CREATE MATERIALIZED VIEW on_view AS SELECT * FROM open_totals;
CREATE VIEW on_totals AS SELECT * FROM totals;

-- case: create view
CREATE VIEW v AS SELECT id FROM orders;

-- case: create view on a join
CREATE VIEW v AS SELECT o.id, c.email FROM orders o LEFT JOIN customers c ON c.id = o.customer_id;

-- case: create view on a view
CREATE VIEW v AS SELECT * FROM open_totals;

-- case: create view on partitioned
CREATE VIEW v AS SELECT * FROM events;

-- case: create view on inherited
CREATE VIEW v AS SELECT * FROM parent;

-- case: create view with cte and subquery
CREATE VIEW v AS WITH x AS (SELECT id FROM orders) SELECT * FROM x WHERE EXISTS (SELECT FROM lines WHERE order_id = x.id) UNION SELECT id FROM sales.items;

-- case: create view on nothing
CREATE VIEW v AS SELECT now();

-- case: create recursive view
CREATE RECURSIVE VIEW v (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < 5;

-- case: create temporary view
CREATE TEMP VIEW v AS SELECT * FROM orders;

-- case: create view with options
CREATE VIEW v WITH (security_barrier) AS SELECT * FROM orders WITH LOCAL CHECK OPTION;

-- case: create view security invoker
-- requires: 15..
CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM orders;

-- case: create view that calls a function
-- given:
CREATE FUNCTION n_orders() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';
-- run:
CREATE VIEW v AS SELECT n_orders();

-- case: replace view
CREATE OR REPLACE VIEW open_orders AS SELECT id, total, customer_id FROM orders WHERE total > 1;

-- case: replace view with another column
CREATE OR REPLACE VIEW open_orders AS SELECT id, total, customer_id, note FROM orders;

-- case: replace view on another table
CREATE OR REPLACE VIEW one_row AS SELECT id AS a FROM customers;

-- case: replace view that loses a column
CREATE OR REPLACE VIEW open_orders AS SELECT id FROM orders;

-- case: replace view new
CREATE OR REPLACE VIEW v AS SELECT id FROM lines;

-- case: rename view
ALTER VIEW open_orders RENAME TO shut_orders;

-- case: rename view by alter table
ALTER TABLE open_orders RENAME TO shut_orders;

-- case: rename view column
ALTER VIEW open_orders RENAME COLUMN id TO number;

-- case: view column default
ALTER VIEW editable ALTER COLUMN qty SET DEFAULT 5;

-- case: view owner
ALTER VIEW open_orders OWNER TO app;

-- case: view schema
ALTER VIEW open_orders SET SCHEMA sales;

-- case: view options
ALTER VIEW open_orders SET (security_barrier = true);

-- case: view reset options
ALTER VIEW open_orders RESET (security_barrier);

-- case: alter view if exists missing
ALTER VIEW IF EXISTS missing RENAME TO other;

-- case: drop view
DROP VIEW one_row;

-- case: drop view used by another
DROP VIEW open_orders;

-- case: drop view cascade
DROP VIEW open_orders CASCADE;

-- case: drop two views
DROP VIEW one_row, editable;

-- case: drop view if exists missing
DROP VIEW IF EXISTS missing;

-- case: drop materialized view
DROP MATERIALIZED VIEW idle;

-- case: drop materialized view cascade
DROP MATERIALIZED VIEW totals CASCADE;

-- case: drop materialized view as view
DROP VIEW totals;

-- case: create materialized view
CREATE MATERIALIZED VIEW m AS SELECT customer_id, count(*) FROM orders GROUP BY 1;

-- case: create materialized view with no data
CREATE MATERIALIZED VIEW m AS SELECT * FROM orders WITH NO DATA;

-- case: create materialized view on a view
CREATE MATERIALIZED VIEW m AS SELECT * FROM open_totals;

-- case: create materialized view on a materialized view
CREATE MATERIALIZED VIEW m AS SELECT * FROM totals;

-- case: create materialized view if not exists existing
CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS SELECT 1;

-- case: create materialized view on partitioned
CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM logs;

-- case: refresh
REFRESH MATERIALIZED VIEW totals;

-- case: refresh concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- case: refresh with no data
REFRESH MATERIALIZED VIEW totals WITH NO DATA;

-- case: refresh of a not populated one
REFRESH MATERIALIZED VIEW idle;

-- case: refresh concurrently of a not populated one
REFRESH MATERIALIZED VIEW CONCURRENTLY idle;

-- case: refresh over a view
REFRESH MATERIALIZED VIEW on_view;

-- case: refresh over partitions
-- given:
CREATE MATERIALIZED VIEW m AS SELECT id FROM events;
-- run:
REFRESH MATERIALIZED VIEW m;

-- case: refresh over a materialized view
-- given:
CREATE MATERIALIZED VIEW m AS SELECT total FROM totals;
-- run:
REFRESH MATERIALIZED VIEW m;

-- case: rename materialized view
ALTER MATERIALIZED VIEW totals RENAME TO sums;

-- case: rename materialized view column
ALTER MATERIALIZED VIEW totals RENAME COLUMN total TO amount;

-- case: materialized view schema
ALTER MATERIALIZED VIEW totals SET SCHEMA sales;

-- case: materialized view owner
ALTER MATERIALIZED VIEW totals OWNER TO app;

-- case: materialized view statistics
ALTER MATERIALIZED VIEW totals ALTER COLUMN total SET STATISTICS 10;

-- case: materialized view storage parameter
ALTER MATERIALIZED VIEW totals SET (autovacuum_enabled = false);

-- case: materialized view tablespace
ALTER MATERIALIZED VIEW totals SET TABLESPACE side;

-- case: materialized view cluster on
ALTER MATERIALIZED VIEW totals CLUSTER ON totals_key;

-- case: cluster materialized view
CLUSTER totals USING totals_key;

-- case: comment on view
COMMENT ON VIEW open_orders IS 'x';

-- case: comment on view column
COMMENT ON COLUMN open_orders.id IS 'x';

-- case: comment on materialized view
COMMENT ON MATERIALIZED VIEW totals IS 'x';

-- case: select from view
SELECT * FROM open_totals;

-- case: grant on view
GRANT SELECT ON open_orders TO reader;

-- case: instead of trigger
CREATE TRIGGER tr INSTEAD OF INSERT ON open_totals FOR EACH ROW EXECUTE FUNCTION touch();
