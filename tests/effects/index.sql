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
CREATE TABLE docs (id int, a int, b text, c int, j jsonb, r int4range);
INSERT INTO docs SELECT n, n, 'b' || n, n, '{}', '[1,2)' FROM generate_series(1, 2000) n;
CREATE INDEX docs_a ON docs (a);
CREATE UNIQUE INDEX docs_b ON docs (b);
ALTER TABLE docs ADD CONSTRAINT docs_c UNIQUE (c);

-- case: create index
CREATE INDEX i ON docs (a, b);

-- case: create unique index
CREATE UNIQUE INDEX i ON docs (a);

-- case: create unique index on duplicates
CREATE UNIQUE INDEX i ON docs (j);

-- case: create partial index
CREATE INDEX i ON docs (a) WHERE b IS NOT NULL;

-- case: create expression index
CREATE INDEX i ON docs (lower(b), (a + c));

-- case: create index include
CREATE INDEX i ON docs (a) INCLUDE (b, c);

-- case: create gin index
CREATE INDEX i ON docs USING gin (j jsonb_path_ops);

-- case: create gist index
CREATE INDEX i ON docs USING gist (r);

-- case: create brin index
CREATE INDEX i ON docs USING brin (id);

-- case: create hash index
CREATE INDEX i ON docs USING hash (b);

-- case: create index options
CREATE INDEX i ON docs (a DESC NULLS LAST, b COLLATE "C" text_pattern_ops) WITH (fillfactor = 70) TABLESPACE side;

-- case: create index nulls not distinct
-- requires: 15..
CREATE UNIQUE INDEX i ON docs (a) NULLS NOT DISTINCT;

-- case: create index without name
CREATE INDEX ON docs (a);

-- case: create index without name on expression
CREATE INDEX ON docs (lower(b));

-- case: create index without name on two columns
CREATE INDEX ON docs (a, b);

-- case: create index if not exists on an existing one
CREATE INDEX IF NOT EXISTS docs_a ON docs (b);

-- case: create index if not exists on another table's name
CREATE INDEX IF NOT EXISTS docs_a ON orders (note);

-- case: create index on a missing column
CREATE INDEX i ON docs (missing);

-- case: create index on partitioned
CREATE INDEX i ON events (payload);

-- case: create unique index on partitioned
CREATE UNIQUE INDEX i ON events (at, id);

-- case: create unique index on partitioned without the key
CREATE UNIQUE INDEX i ON events (id);

-- case: create index without name on partitioned
CREATE INDEX ON events (payload);

-- case: create index on only partitioned
CREATE INDEX i ON ONLY events (payload);

-- case: create index on two levels of partitions
CREATE INDEX i ON logs (id);

-- case: create index on partitioned with a matching index
-- given:
CREATE INDEX have ON events_2024 (payload);
-- run:
CREATE INDEX i ON events (payload);

-- case: create index on a partition
CREATE INDEX i ON events_2024 (payload);

-- case: create index on inheritance parent
CREATE INDEX i ON parent (label);

-- case: create index on materialized view
CREATE INDEX i ON totals (total);

-- case: create index on view
CREATE INDEX i ON open_orders (id);

-- case: create index on quoted table
CREATE INDEX "An Index" ON "Odd Name" ("select");

-- case: create index by search path
-- given:
SET search_path = sales;
-- run:
CREATE INDEX i ON items (name);

-- case: create index with user function
-- given:
CREATE FUNCTION low(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
-- run:
CREATE INDEX i ON docs (low(b));

-- case: create index on an empty table
-- given:
CREATE TABLE empty (a int);
-- run:
CREATE INDEX i ON empty (a);

-- case: attach index
-- given:
CREATE INDEX ip ON ONLY events (payload); CREATE INDEX i24 ON events_2024 (payload);
-- run:
ALTER INDEX ip ATTACH PARTITION i24;

-- case: drop index
DROP INDEX docs_a;

-- case: drop two indexes
DROP INDEX docs_a, orders_total;

-- case: drop index if exists missing
DROP INDEX IF EXISTS missing;

-- case: drop index of a constraint
DROP INDEX docs_c;

-- case: drop partitioned index
DROP INDEX events_id;

-- case: drop index of a partitioned index
DROP INDEX events_2024_id_idx;

-- case: drop index of a materialized view
DROP INDEX totals_key;

-- case: drop unique index used by a foreign key cascade
-- given:
CREATE TABLE r (c int REFERENCES docs (c));
-- run:
ALTER TABLE docs DROP CONSTRAINT docs_c CASCADE;

-- case: drop index cascade
DROP INDEX orders_customer CASCADE;

-- case: reindex index
REINDEX INDEX docs_a;

-- case: reindex table
REINDEX TABLE docs;

-- case: reindex primary key
REINDEX INDEX customers_pkey;

-- case: reindex table without indexes
-- given:
CREATE TABLE bare (a int);
-- run:
REINDEX TABLE bare;

-- case: reindex one partition
REINDEX TABLE events_2024;

-- case: reindex index of one partition
REINDEX INDEX events_2024_id_idx;

-- case: reindex materialized view
REINDEX TABLE totals;

-- case: reindex schema
REINDEX SCHEMA sales;

-- case: reindex inheritance parent
REINDEX TABLE parent;

-- case: reindex with options
REINDEX (VERBOSE, TABLESPACE side) INDEX docs_a;

-- case: reindex quoted
REINDEX TABLE "Odd Name";

-- case: rename index
ALTER INDEX docs_a RENAME TO docs_a2;

-- case: rename index of a constraint
ALTER INDEX docs_c RENAME TO docs_c2;

-- case: rename index if exists missing
ALTER INDEX IF EXISTS missing RENAME TO other;

-- case: rename index by alter table
ALTER TABLE docs_a RENAME TO docs_a2;

-- case: rename partitioned index
ALTER INDEX events_id RENAME TO events_i;

-- case: set index options
ALTER INDEX docs_a SET (fillfactor = 70);

-- case: reset index options
ALTER INDEX docs_a RESET (fillfactor);

-- case: set index tablespace
ALTER INDEX docs_a SET TABLESPACE side;

-- case: set index statistics
-- given:
CREATE INDEX e ON docs (lower(b));
-- run:
ALTER INDEX e ALTER COLUMN 1 SET STATISTICS 100;

-- case: index depends on extension
ALTER INDEX docs_a DEPENDS ON EXTENSION plpgsql;

-- case: index no depends on extension
ALTER INDEX docs_a NO DEPENDS ON EXTENSION plpgsql;

-- case: all indexes in tablespace
ALTER INDEX ALL IN TABLESPACE side SET TABLESPACE pg_default;

-- case: comment on index
COMMENT ON INDEX docs_a IS 'x';

-- case: unique using index
ALTER TABLE docs ADD CONSTRAINT u UNIQUE USING INDEX docs_b;

-- case: primary key using index on a nullable column
ALTER TABLE docs ADD CONSTRAINT p PRIMARY KEY USING INDEX docs_b;

-- case: cluster using index
CLUSTER docs USING docs_a;
