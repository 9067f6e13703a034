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

-- case: create table
CREATE TABLE fresh (id int PRIMARY KEY, n int CHECK (n > 0), name text UNIQUE);

-- case: create table if not exists on an existing one
CREATE TABLE IF NOT EXISTS orders (id int);

-- case: create table if not exists with foreign key on an existing one
CREATE TABLE IF NOT EXISTS orders (id int REFERENCES customers);

-- case: create table with foreign key
CREATE TABLE fresh (id int PRIMARY KEY, customer int REFERENCES customers);

-- case: create table with table foreign key
CREATE TABLE fresh (id int, CONSTRAINT f FOREIGN KEY (id) REFERENCES sales.items (id) ON DELETE CASCADE);

-- case: create table with two foreign keys
CREATE TABLE fresh (a int REFERENCES orders, b int REFERENCES customers ON UPDATE CASCADE);

-- case: create table with self reference
CREATE TABLE fresh (id int PRIMARY KEY, up int REFERENCES fresh);

-- case: create table with foreign key to partitioned
-- given:
CREATE TABLE keyed (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (1) TO (100);
-- run:
CREATE TABLE fresh (id int REFERENCES keyed);

-- case: create partition
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

-- case: create partition without a default partition
CREATE TABLE logs_c PARTITION OF logs FOR VALUES IN ('c');

-- case: create partition of a partition
CREATE TABLE logs_b3 PARTITION OF logs_b FOR VALUES FROM (3000) TO (4000);

-- case: create partitioned partition
CREATE TABLE logs_d PARTITION OF logs FOR VALUES IN ('d') PARTITION BY HASH (id);

-- case: create default partition
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;

-- case: create default partition refused
CREATE TABLE events_more PARTITION OF events DEFAULT;

-- case: create overlapping partition
CREATE TABLE events_x PARTITION OF events FOR VALUES FROM ('2024-06-01') TO ('2024-07-01');

-- case: create partition with foreign key
-- given:
ALTER TABLE logs ADD FOREIGN KEY (id) REFERENCES customers;
-- run:
CREATE TABLE logs_c PARTITION OF logs FOR VALUES IN ('c');

-- case: create partition with a trigger on the parent
-- given:
CREATE TRIGGER tr AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION touch();
-- run:
CREATE TABLE logs_c PARTITION OF logs FOR VALUES IN ('c');

-- case: create partition where the default partition proves the bound
-- given:
ALTER TABLE events_rest ADD CHECK (at < '2027-01-01');
-- run:
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

-- case: create partition of a partitioned table with a partitioned default
-- given:
CREATE TABLE logs_rest PARTITION OF logs DEFAULT PARTITION BY RANGE (id); CREATE TABLE logs_rest_1 PARTITION OF logs_rest FOR VALUES FROM (0) TO (5000);
-- run:
CREATE TABLE logs_c PARTITION OF logs FOR VALUES IN ('c');

-- case: create partitioned table
CREATE TABLE fresh (id int, at date) PARTITION BY RANGE (at);

-- case: create table like
CREATE TABLE fresh (LIKE orders);

-- case: create table like including all
CREATE TABLE fresh (LIKE orders INCLUDING ALL);

-- case: create table like including indexes
CREATE TABLE fresh (LIKE orders INCLUDING INDEXES, extra int);

-- case: create table like a view
CREATE TABLE fresh (LIKE open_orders);

-- case: create table like including defaults excluding constraints
CREATE TABLE fresh (LIKE orders INCLUDING DEFAULTS EXCLUDING CONSTRAINTS);

-- case: create table inherits
CREATE TABLE fresh (more int) INHERITS (parent);

-- case: create table inherits two
CREATE TABLE fresh () INHERITS (child, customers);

-- case: create table of type
CREATE TABLE fresh OF pair;

-- case: create table as
CREATE TABLE fresh AS SELECT * FROM orders;

-- case: create table as join
CREATE TABLE fresh AS SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id;

-- case: create table as from a view
CREATE TABLE fresh AS SELECT * FROM open_orders;

-- case: create table as with no data
CREATE TABLE fresh AS SELECT * FROM orders WITH NO DATA;

-- case: create table as values
CREATE TABLE fresh AS VALUES (1, 2);

-- case: create table as table
CREATE TABLE fresh AS TABLE customers;

-- case: create table as one row by key
CREATE TABLE fresh AS SELECT * FROM orders WHERE id = 1;

-- case: create table as partitioned
CREATE TABLE fresh AS SELECT * FROM events;

-- case: create table as inherited
CREATE TABLE fresh AS SELECT * FROM ONLY parent;

-- case: create table as if not exists existing
CREATE TABLE IF NOT EXISTS orders AS SELECT * FROM customers;

-- case: select into
SELECT id INTO fresh FROM orders;

-- case: create temporary table
CREATE TEMPORARY TABLE fresh (id int);

-- case: create temporary table as
CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT * FROM customers;

-- case: create temporary table that shadows
CREATE TEMP TABLE orders (id int);

-- case: create unlogged table
CREATE UNLOGGED TABLE fresh (id int);

-- case: create table in tablespace
CREATE TABLE fresh (id int) TABLESPACE side;

-- case: create table with enum and composite
CREATE TABLE fresh (m mood, p pair, ms mood[]);

-- case: create table with default of a sequence
-- given:
CREATE SEQUENCE ids;
-- run:
CREATE TABLE fresh (id int DEFAULT nextval('ids'));

-- case: create table in a quoted schema
-- given:
CREATE SCHEMA "My Schema";
-- run:
CREATE TABLE "My Schema"."A ""b""" (id int REFERENCES public."Odd Name");

-- case: drop table
DROP TABLE sales.items;

-- case: drop table with foreign key
DROP TABLE lines;

-- case: drop referenced table
DROP TABLE orders;

-- case: drop table cascade
DROP TABLE orders CASCADE;

-- case: drop table cascade of root
DROP TABLE customers CASCADE;

-- case: drop two tables
DROP TABLE lines, sales.items;

-- case: drop tables that reference each other
DROP TABLE lines, orders CASCADE;

-- case: drop table if exists missing
DROP TABLE IF EXISTS missing;

-- case: drop table if exists missing and existing
DROP TABLE IF EXISTS missing, lines;

-- case: drop partition
DROP TABLE events_2024;

-- case: drop default partition
DROP TABLE events_rest;

-- case: drop partition with default
DROP TABLE events_2025;

-- case: drop partition without default
DROP TABLE logs_a;

-- case: drop subpartition
DROP TABLE logs_b1;

-- case: drop partitioned partition
DROP TABLE logs_b;

-- case: drop partitioned table
DROP TABLE events;

-- case: drop inheritance child
DROP TABLE grandchild;

-- case: drop inheritance parent
DROP TABLE parent;

-- case: drop inheritance parent cascade
DROP TABLE parent CASCADE;

-- case: drop quoted table
DROP TABLE "Odd Name";

-- case: drop table with a view
DROP TABLE sales.items CASCADE;

-- case: drop table with trigger and policy
-- given:
CREATE POLICY p ON lines USING (n > 0); CREATE TRIGGER tr BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION touch();
-- run:
DROP TABLE lines;

-- case: drop table used by a policy of another
-- given:
CREATE POLICY p ON customers USING (EXISTS (SELECT FROM lines));
-- run:
DROP TABLE lines CASCADE;

-- case: drop table used by a sql function
-- given:
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM lines; END;
-- run:
DROP TABLE lines CASCADE;

-- case: drop partition with foreign key
-- given:
ALTER TABLE logs ADD FOREIGN KEY (id) REFERENCES customers;
-- run:
DROP TABLE logs_a;

-- case: drop table with a serial used elsewhere
-- given:
CREATE TABLE s1 (id serial); CREATE TABLE s2 (id int DEFAULT nextval('s1_id_seq'));
-- run:
DROP TABLE s1 CASCADE;

-- case: drop table by search path
-- given:
CREATE TABLE sales.orders (id int); SET search_path = sales, public;
-- run:
DROP TABLE orders;

-- case: create table by search path
-- given:
SET search_path = sales, public;
-- run:
CREATE TABLE fresh (id int REFERENCES items);

-- case: create schema with elements
CREATE SCHEMA shop CREATE TABLE fresh (id int REFERENCES public.customers) CREATE VIEW v AS SELECT * FROM public.orders;

-- case: create table with exclusion
CREATE TABLE fresh (n int, EXCLUDE USING btree (n WITH =));

-- case: create foreign table
-- given:
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
-- run:
CREATE FOREIGN TABLE far (id int) SERVER s;

-- case: drop foreign table
-- given:
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id int) SERVER s;
-- run:
DROP FOREIGN TABLE far;

-- case: alter foreign table
-- given:
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id int) SERVER s;
-- run:
ALTER FOREIGN TABLE far ADD COLUMN n int NOT NULL;

-- case: create table as table again
CREATE TABLE fresh AS TABLE orders;

-- case: create materialized view if not exists existing
CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS SELECT * FROM customers;

-- case: create materialized view of the table only
CREATE MATERIALIZED VIEW fresh AS SELECT * FROM ONLY parent;

-- case: create table as greatest key
CREATE TABLE fresh AS SELECT max(id) FROM orders;

-- case: create partition between what the default partition has
-- given:
ALTER TABLE events_rest ADD CHECK (at < '2026-08-01' OR at >= '2030-01-01');
-- run:
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

-- case: create partition that the default partition may overlap
-- given:
ALTER TABLE events_rest ADD CHECK (at < '2026-08-01' OR at >= '2027-06-01');
-- run:
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
