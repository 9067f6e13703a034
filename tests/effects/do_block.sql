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
CREATE TABLE plain (id int, note text);
INSERT INTO plain SELECT n, 'x' FROM generate_series(1, 2000) n;

-- case: one statement
DO $$BEGIN ALTER TABLE plain ADD COLUMN a int; END$$;

-- case: several statements
DO $$BEGIN ALTER TABLE plain ALTER note SET NOT NULL; CREATE INDEX i ON orders (note); DELETE FROM lines; END$$;

-- case: language first
DO LANGUAGE plpgsql $body$BEGIN DROP TABLE lines; END$body$;

-- case: if taken
DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'nothing') THEN ALTER TABLE plain ADD COLUMN a int; END IF; END$$;

-- case: execute literal
DO $$BEGIN EXECUTE 'ALTER TABLE plain ADD COLUMN a float8 DEFAULT random()'; END$$;

-- case: execute quoted literal
DO $$BEGIN EXECUTE 'COMMENT ON TABLE plain IS ''x'''; END$$;

-- case: execute dollar literal
DO $$BEGIN EXECUTE $q$CREATE INDEX i ON plain (id)$q$; END$$;

-- case: exception handler
DO $$BEGIN ALTER TABLE plain ADD CONSTRAINT c CHECK (id > 0); EXCEPTION WHEN duplicate_object THEN NULL; END$$;

-- case: create type guarded
DO $$BEGIN CREATE TYPE shade AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END$$;

-- case: perform
DO $$BEGIN PERFORM count(*) FROM plain; END$$;

-- case: raise and assignment
DO $$DECLARE n int := 1; BEGIN n := n + 1; RAISE NOTICE 'n %', n; END$$;

-- case: loop
DO $$BEGIN FOR k IN 1..2 LOOP UPDATE plain SET note = 'y' WHERE id = k; END LOOP; END$$;

-- case: later statement sees an earlier one
DO $$BEGIN ALTER TABLE plain ADD COLUMN a int; CREATE INDEX i ON plain (a); END$$;

-- case: table made in the block
DO $$BEGIN CREATE TABLE fresh (id int REFERENCES customers); INSERT INTO fresh SELECT id FROM customers; END$$;

-- case: nested block
DO $$BEGIN BEGIN DELETE FROM plain; END; END$$;

-- case: concurrently in a block
DO $$BEGIN CREATE INDEX CONCURRENTLY i ON plain (id); END$$;

-- case: empty
DO $$BEGIN NULL; END$$;

-- case: select into
DO $$DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM plain; END$$;

-- case: insert in a block
DO $$BEGIN INSERT INTO plain VALUES (1, 'x'); UPDATE orders SET note = 'y'; END$$;

-- case: lock in a block
DO $$BEGIN LOCK TABLE plain IN SHARE MODE; TRUNCATE lines; END$$;

-- case: rename in a block
DO $$BEGIN ALTER TABLE plain RENAME TO simple; ALTER TABLE simple ADD COLUMN a int; END$$;

-- case: quoted body
DO 'BEGIN ALTER TABLE plain ADD COLUMN a int; END';

-- case: rename twice in a block
DO $$BEGIN ALTER TABLE plain RENAME TO a; ALTER TABLE a RENAME TO b; INSERT INTO b SELECT * FROM b; END$$;
