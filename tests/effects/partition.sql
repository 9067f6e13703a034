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
CREATE TABLE loose (at date NOT NULL, id int NOT NULL, payload text);
INSERT INTO loose SELECT '2030-02-02', n, 'p' FROM generate_series(1, 2000) n;
CREATE TABLE proven (at date NOT NULL, id int NOT NULL, payload text, CHECK (at >= '2030-01-01' AND at < '2031-01-01'));
CREATE INDEX proven_id ON proven (id);
INSERT INTO proven SELECT '2030-02-02', n, 'p' FROM generate_series(1, 2000) n;
CREATE TABLE hashed (id int) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hash_loose (id int);
CREATE TABLE keyed (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM (0) TO (1000);
CREATE TABLE keyed_2 PARTITION OF keyed FOR VALUES FROM (1000) TO (3000);
INSERT INTO keyed SELECT n, n FROM generate_series(1, 2000) n;
CREATE TABLE refers (id int, k int REFERENCES keyed);
INSERT INTO refers SELECT n, n FROM generate_series(1, 2000) n;
CREATE TABLE listed (id int, kind text) PARTITION BY LIST (kind);
CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('a');
CREATE TABLE list_loose (id int, kind text);
INSERT INTO list_loose SELECT n, 'z' FROM generate_series(1, 2000) n;

-- case: attach with default
ALTER TABLE events ATTACH PARTITION loose FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');

-- case: attach proven with default
ALTER TABLE events ATTACH PARTITION proven FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');

-- case: attach list
ALTER TABLE listed ATTACH PARTITION list_loose FOR VALUES IN ('z');

-- case: attach list that allows null
ALTER TABLE listed ATTACH PARTITION list_loose FOR VALUES IN ('z', NULL);

-- case: attach list proven
-- given:
ALTER TABLE list_loose ADD CHECK (kind = 'z');
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose FOR VALUES IN ('z');

-- case: attach list proven not null
-- given:
ALTER TABLE list_loose ALTER kind SET NOT NULL, ADD CHECK (kind = 'z');
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose FOR VALUES IN ('z');

-- case: attach list proven by in
-- given:
ALTER TABLE list_loose ALTER kind SET NOT NULL, ADD CHECK (kind IN ('z', 'y'));
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose FOR VALUES IN ('z', 'y', 'x');

-- case: attach list default
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach list default proven
-- given:
ALTER TABLE list_loose ALTER kind SET NOT NULL, ADD CHECK (kind <> 'a');
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach hash
ALTER TABLE hashed ATTACH PARTITION hash_loose FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- case: attach to a table with a primary key
-- given:
CREATE TABLE keyed_3 (id int NOT NULL, n int); INSERT INTO keyed_3 SELECT n, n FROM generate_series(5000, 7000) n;
-- run:
ALTER TABLE keyed ATTACH PARTITION keyed_3 FOR VALUES FROM (5000) TO (8000);

-- case: attach to a table with a primary key that the partition has
-- given:
CREATE TABLE keyed_3 (id int PRIMARY KEY, n int); INSERT INTO keyed_3 SELECT n, n FROM generate_series(5000, 7000) n;
-- run:
ALTER TABLE keyed ATTACH PARTITION keyed_3 FOR VALUES FROM (5000) TO (8000);

-- case: attach where not null is missing
-- given:
CREATE TABLE keyed_3 (id int, n int);
-- run:
ALTER TABLE keyed ATTACH PARTITION keyed_3 FOR VALUES FROM (5000) TO (8000);

-- case: attach to a table with a foreign key
-- given:
ALTER TABLE logs ADD FOREIGN KEY (id) REFERENCES customers; CREATE TABLE logs_c (id int NOT NULL, kind text NOT NULL); INSERT INTO logs_c SELECT n, 'c' FROM generate_series(1, 2000) n;
-- run:
ALTER TABLE logs ATTACH PARTITION logs_c FOR VALUES IN ('c');

-- case: attach to a table with a trigger
-- given:
CREATE TRIGGER tr AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION touch(); CREATE TABLE logs_c (id int NOT NULL, kind text NOT NULL);
-- run:
ALTER TABLE logs ATTACH PARTITION logs_c FOR VALUES IN ('c');

-- case: attach a partitioned table
-- given:
CREATE TABLE logs_c (id int NOT NULL, kind text NOT NULL) PARTITION BY RANGE (id); CREATE TABLE logs_c1 PARTITION OF logs_c FOR VALUES FROM (0) TO (5000); INSERT INTO logs_c SELECT n, 'c' FROM generate_series(1, 2000) n;
-- run:
ALTER TABLE logs ATTACH PARTITION logs_c FOR VALUES IN ('c');

-- case: attach min and max values
-- given:
CREATE TABLE keyed_3 (id int PRIMARY KEY, n int, CHECK (id > 9000));
-- run:
ALTER TABLE keyed ATTACH PARTITION keyed_3 FOR VALUES FROM (5000) TO (MAXVALUE);

-- case: detach with index
ALTER TABLE events DETACH PARTITION events_2024;

-- case: detach default
ALTER TABLE events DETACH PARTITION events_rest;

-- case: detach of the inner level
ALTER TABLE logs_b DETACH PARTITION logs_b1;

-- case: detach a partitioned partition
ALTER TABLE logs DETACH PARTITION logs_b;

-- case: detach referenced
ALTER TABLE keyed DETACH PARTITION keyed_2;

-- case: add column to partitioned
ALTER TABLE logs ADD COLUMN n int DEFAULT 1;

-- case: add column with volatile default to partitioned
ALTER TABLE logs ADD COLUMN n float8 DEFAULT random();

-- case: drop column of partitioned
ALTER TABLE events DROP COLUMN payload;

-- case: set not null on partitioned
ALTER TABLE events ALTER payload SET NOT NULL;

-- case: set not null on only partitioned
ALTER TABLE ONLY events ALTER payload SET NOT NULL;

-- case: drop not null on a partition
ALTER TABLE events_2024 ALTER payload DROP NOT NULL;

-- case: set default on partitioned
ALTER TABLE events ALTER payload SET DEFAULT 'x';

-- case: set default on only partitioned
ALTER TABLE ONLY events ALTER payload SET DEFAULT 'x';

-- case: add check to partitioned
ALTER TABLE logs ADD CONSTRAINT c CHECK (id > 0);

-- case: add check not valid to partitioned
ALTER TABLE logs ADD CONSTRAINT c CHECK (id > 0) NOT VALID;

-- case: validate check of partitioned
-- given:
ALTER TABLE logs ADD CONSTRAINT c CHECK (id > 0) NOT VALID;
-- run:
ALTER TABLE logs VALIDATE CONSTRAINT c;

-- case: drop check of partitioned
-- given:
ALTER TABLE logs ADD CONSTRAINT c CHECK (id > 0);
-- run:
ALTER TABLE logs DROP CONSTRAINT c;

-- case: add foreign key from partitioned
ALTER TABLE logs ADD FOREIGN KEY (id) REFERENCES customers;

-- case: add foreign key to partitioned from empty
-- given:
CREATE TABLE fresh (id int);
-- run:
ALTER TABLE fresh ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES keyed NOT VALID;

-- case: drop foreign key of partitioned
-- given:
ALTER TABLE logs ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers;
-- run:
ALTER TABLE logs DROP CONSTRAINT f;

-- case: drop foreign key to partitioned
ALTER TABLE refers DROP CONSTRAINT refers_k_fkey;

-- case: drop table with foreign key to partitioned
DROP TABLE refers;

-- case: drop partitioned referenced cascade
DROP TABLE keyed CASCADE;

-- case: rename partitioned
ALTER TABLE events RENAME TO happenings;

-- case: rename partition
ALTER TABLE events_2024 RENAME TO old_events;

-- case: partitioned schema
ALTER TABLE events SET SCHEMA sales;

-- case: partitioned tablespace
ALTER TABLE events SET TABLESPACE side;

-- case: partition tablespace
ALTER TABLE events_2024 SET TABLESPACE side;

-- case: partitioned owner
ALTER TABLE logs OWNER TO app;

-- case: partitioned storage parameter
ALTER TABLE events_2024 SET (fillfactor = 80);

-- case: partition statistics
ALTER TABLE events ALTER payload SET STATISTICS 100;

-- case: partitioned replica identity
ALTER TABLE keyed REPLICA IDENTITY FULL;

-- case: partitioned row security
ALTER TABLE logs ENABLE ROW LEVEL SECURITY;

-- case: add primary key to partitioned
ALTER TABLE hashed ADD PRIMARY KEY (id);

-- case: drop primary key of partitioned cascade
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey CASCADE;

-- case: disable trigger of partitioned
ALTER TABLE refers DISABLE TRIGGER ALL;

-- case: set unlogged of a partition
ALTER TABLE events_2024 SET UNLOGGED;

-- case: access method of partitioned
-- requires: 17..
ALTER TABLE events SET ACCESS METHOD heap;

-- case: attach only index
-- given:
CREATE INDEX ip ON ONLY logs (id); CREATE INDEX ia ON logs_a (id);
-- run:
ALTER INDEX ip ATTACH PARTITION ia;

-- case: detach referenced without rows
-- given:
DELETE FROM refers WHERE k >= 1000;
-- run:
ALTER TABLE keyed DETACH PARTITION keyed_2;

-- case: attach list default without a proof
-- given:
ALTER TABLE list_loose ADD CHECK (kind <> 'b');
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach list default proven for rows that may be null
-- given:
ALTER TABLE list_loose ADD CHECK (kind <> 'a');
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach list default proven by a list
-- given:
ALTER TABLE list_loose ADD CHECK (kind IN ('x', 'z'));
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach list default proven by NOT IN
-- given:
CREATE TABLE listed_b PARTITION OF listed FOR VALUES IN ('b', 'c');
ALTER TABLE list_loose ADD CHECK (kind NOT IN ('a', 'b', 'c'));
-- run:
ALTER TABLE listed ATTACH PARTITION list_loose DEFAULT;

-- case: attach range default proven
-- given:
CREATE TABLE ranges (id int) PARTITION BY RANGE (id); CREATE TABLE ranges_1 PARTITION OF ranges FOR VALUES FROM (0) TO (100);
CREATE TABLE ranges_rest (id int CHECK (id > 500)); INSERT INTO ranges_rest SELECT n FROM generate_series(501, 2500) n;
-- run:
ALTER TABLE ranges ATTACH PARTITION ranges_rest DEFAULT;

-- case: truncate referenced partition cascade below
-- given:
CREATE TABLE refers_partition (id int REFERENCES keyed_2);
-- run:
TRUNCATE keyed_2 CASCADE;

-- case: drop partitioned index that no partition has
-- given:
CREATE INDEX logs_kind ON ONLY logs (kind);
-- run:
DROP INDEX logs_kind;

-- case: drop partitioned index
DROP INDEX events_id;

-- case: add primary key to only partitioned of which the partitions are not null
-- given:
CREATE TABLE unkeyed (a int, b int) PARTITION BY LIST (a); CREATE TABLE unkeyed_1 (a int PRIMARY KEY, b int);
ALTER TABLE unkeyed ATTACH PARTITION unkeyed_1 FOR VALUES IN (1);
-- run:
ALTER TABLE ONLY unkeyed ADD PRIMARY KEY (a);

-- case: add primary key to only partitioned that is not null
-- given:
CREATE TABLE unkeyed (a int NOT NULL, b int) PARTITION BY LIST (a); CREATE TABLE unkeyed_1 PARTITION OF unkeyed FOR VALUES IN (1);
-- run:
ALTER TABLE ONLY unkeyed ADD PRIMARY KEY (a);

-- case: create a partition with a check of its own that the parent has
-- given:
CREATE TABLE checked (a int, CONSTRAINT positive CHECK (a > 0)) PARTITION BY LIST (a);
-- run:
CREATE TABLE checked_1 PARTITION OF checked (CONSTRAINT positive CHECK (a > 0)) FOR VALUES IN (1);

-- case: create a partition with another check of the same name
-- given:
CREATE TABLE checked (a int, CONSTRAINT positive CHECK (a > 0)) PARTITION BY LIST (a);
-- run:
CREATE TABLE checked_1 PARTITION OF checked (CONSTRAINT positive CHECK (a > 1)) FOR VALUES IN (2);

-- case: add a check to a partition that the parent has
-- given:
CREATE TABLE checked (a int, CONSTRAINT positive CHECK (a > 0)) PARTITION BY LIST (a); CREATE TABLE checked_1 PARTITION OF checked FOR VALUES IN (1);
-- run:
ALTER TABLE checked_1 ADD CONSTRAINT positive CHECK (a > 0);

-- case: attach a partition below another
-- given:
CREATE TABLE logs_b3 (id int NOT NULL, kind text NOT NULL);
-- run:
ALTER TABLE logs_b ATTACH PARTITION logs_b3 FOR VALUES FROM (3000) TO (4000);

-- case: rename a statement trigger of a partitioned table
-- given:
CREATE TRIGGER once AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION touch();
-- run:
ALTER TRIGGER once ON events RENAME TO twice;
