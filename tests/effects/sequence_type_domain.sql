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
CREATE SEQUENCE ids;
CREATE SEQUENCE owned;
CREATE TABLE holds (id int DEFAULT nextval('owned'), s serial, i int GENERATED ALWAYS AS IDENTITY, m mood, p pair, ps pair[]);
ALTER SEQUENCE owned OWNED BY holds.id;
INSERT INTO holds (m, p) SELECT 'ok', (n, 'x')::pair FROM generate_series(1, 2000) n;
CREATE DOMAIN positive AS int CONSTRAINT above CHECK (VALUE > 0);
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 1000000) NOT VALID;
CREATE DOMAIN wordy AS text DEFAULT 'x';
CREATE DOMAIN unused AS int;
CREATE DOMAIN nested AS positive;
CREATE DOMAIN listed AS int;
CREATE DOMAIN parted AS int;
CREATE DOMAIN composed AS int;
CREATE DOMAIN inherited AS int;
CREATE DOMAIN viewed AS int;
CREATE DOMAIN needed AS int NOT NULL;
CREATE TYPE with_domain AS (a composed);
CREATE TABLE dom_a (id int, p positive, w wordy, q needed);
CREATE TABLE dom_b (id int, n nested, w wordy);
CREATE TABLE dom_list (ls listed[]);
CREATE TABLE dom_comp (c with_domain);
CREATE TABLE dom_part (id int, p parted) PARTITION BY RANGE (id);
CREATE TABLE dom_part_1 PARTITION OF dom_part FOR VALUES FROM (0) TO (1000);
CREATE TABLE dom_part_2 PARTITION OF dom_part FOR VALUES FROM (1000) TO (3000);
CREATE TABLE dom_base (h inherited);
CREATE TABLE dom_heir (x int) INHERITS (dom_base);
CREATE TABLE dom_seen (v viewed);
CREATE VIEW dom_view AS SELECT v FROM dom_seen;
CREATE MATERIALIZED VIEW dom_mat AS SELECT v FROM dom_seen;
INSERT INTO dom_a SELECT n, n, 'w', n FROM generate_series(1, 2000) n;
INSERT INTO dom_b SELECT n, n, 'w' FROM generate_series(1, 2000) n;
INSERT INTO dom_part SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO dom_base SELECT n FROM generate_series(1, 2000) n;
INSERT INTO dom_heir SELECT n FROM generate_series(1, 2000) n;
CREATE TYPE in_typed AS (a int, b text);
CREATE TABLE typed OF in_typed;
INSERT INTO typed SELECT n, 'x' FROM generate_series(1, 2000) n;

-- case: create sequence
CREATE SEQUENCE more START 5 INCREMENT 2;

-- case: create sequence if not exists existing
CREATE SEQUENCE IF NOT EXISTS ids;

-- case: create sequence owned by
CREATE SEQUENCE more OWNED BY orders.id;

-- case: create temporary sequence
CREATE TEMP SEQUENCE more;

-- case: alter sequence restart
ALTER SEQUENCE ids RESTART WITH 100;

-- case: alter sequence type
ALTER SEQUENCE ids AS bigint MAXVALUE 100000;

-- case: alter sequence owned by
ALTER SEQUENCE ids OWNED BY orders.id;

-- case: alter sequence owned by none
ALTER SEQUENCE owned OWNED BY NONE;

-- case: rename sequence
ALTER SEQUENCE ids RENAME TO numbers;

-- case: sequence schema
ALTER SEQUENCE ids SET SCHEMA sales;

-- case: sequence owner
ALTER SEQUENCE ids OWNER TO app;

-- case: sequence unlogged
-- requires: 15..
ALTER SEQUENCE ids SET UNLOGGED;

-- case: sequence if exists missing
ALTER SEQUENCE IF EXISTS missing RESTART;

-- case: drop sequence
DROP SEQUENCE ids;

-- case: drop owned sequence
DROP SEQUENCE owned;

-- case: drop owned sequence cascade
DROP SEQUENCE owned CASCADE;

-- case: drop serial's sequence cascade
DROP SEQUENCE holds_s_seq CASCADE;

-- case: setval
SELECT setval('ids', 100);

-- case: setval from a table
SELECT setval('ids', (SELECT max(id) FROM orders));

-- case: setval from a table without index
SELECT setval('ids', max(qty)) FROM orders;

-- case: nextval
SELECT nextval('ids');

-- case: comment on sequence
COMMENT ON SEQUENCE ids IS 'x';

-- case: grant on sequence
GRANT USAGE ON SEQUENCE ids TO reader;

-- case: create enum
CREATE TYPE shade AS ENUM ('a', 'b');

-- case: create composite
CREATE TYPE trio AS (a int, b text, c pair);

-- case: create range
CREATE TYPE floatrange AS RANGE (subtype = float8);

-- case: create shell type
CREATE TYPE shell;

-- case: add enum value
ALTER TYPE mood ADD VALUE 'happy';

-- case: add enum value if not exists before
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok' BEFORE 'sad';

-- case: rename enum value
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';

-- case: rename type
ALTER TYPE mood RENAME TO spirit;

-- case: type schema
ALTER TYPE mood SET SCHEMA sales;

-- case: type owner
ALTER TYPE mood OWNER TO app;

-- case: composite type schema
ALTER TYPE pair SET SCHEMA sales;

-- case: composite type owner
ALTER TYPE pair OWNER TO app;

-- case: composite add attribute
ALTER TYPE pair ADD ATTRIBUTE c int;

-- case: composite drop attribute
ALTER TYPE pair DROP ATTRIBUTE b;

-- case: composite rename attribute
ALTER TYPE pair RENAME ATTRIBUTE b TO bb;

-- case: composite alter attribute used
ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint;

-- case: composite alter attribute unused
-- given:
CREATE TYPE lone AS (a int);
-- run:
ALTER TYPE lone ALTER ATTRIBUTE a TYPE bigint;

-- case: typed table add attribute
ALTER TYPE in_typed ADD ATTRIBUTE c int;

-- case: typed table add attribute cascade
ALTER TYPE in_typed ADD ATTRIBUTE c int CASCADE;

-- case: typed table alter attribute cascade
ALTER TYPE in_typed ALTER ATTRIBUTE a TYPE bigint CASCADE;

-- case: typed table drop attribute cascade
ALTER TYPE in_typed DROP ATTRIBUTE b CASCADE;

-- case: typed table rename attribute cascade
ALTER TYPE in_typed RENAME ATTRIBUTE b TO bb CASCADE;

-- case: drop type used
DROP TYPE mood;

-- case: drop type cascade
DROP TYPE mood CASCADE;

-- case: drop composite cascade
DROP TYPE pair CASCADE;

-- case: drop type of typed table cascade
DROP TYPE in_typed CASCADE;

-- case: drop type unused
-- given:
CREATE TYPE lone AS ENUM ('a');
-- run:
DROP TYPE lone;

-- case: drop type if exists missing
DROP TYPE IF EXISTS missing;

-- case: create domain
CREATE DOMAIN posted AS int CHECK (VALUE > 0);

-- case: domain add constraint
ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 100000);

-- case: domain add constraint not valid
ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 100000) NOT VALID;

-- case: domain validate
ALTER DOMAIN positive VALIDATE CONSTRAINT small;

-- case: domain validate valid
ALTER DOMAIN positive VALIDATE CONSTRAINT above;

-- case: domain set not null
ALTER DOMAIN positive SET NOT NULL;

-- case: domain set not null again
ALTER DOMAIN needed SET NOT NULL;

-- case: domain drop not null
ALTER DOMAIN needed DROP NOT NULL;

-- case: domain set default
ALTER DOMAIN wordy SET DEFAULT 'y';

-- case: domain drop default
ALTER DOMAIN wordy DROP DEFAULT;

-- case: domain drop constraint
ALTER DOMAIN positive DROP CONSTRAINT above;

-- case: domain drop constraint if exists missing
ALTER DOMAIN positive DROP CONSTRAINT IF EXISTS missing;

-- case: domain rename constraint
ALTER DOMAIN positive RENAME CONSTRAINT above TO over;

-- case: domain rename
ALTER DOMAIN positive RENAME TO more;

-- case: domain schema
ALTER DOMAIN positive SET SCHEMA sales;

-- case: domain owner
ALTER DOMAIN positive OWNER TO app;

-- case: unused domain add constraint
ALTER DOMAIN unused ADD CHECK (VALUE > 0);

-- case: nested domain add constraint
ALTER DOMAIN nested ADD CHECK (VALUE > 0);

-- case: domain of several tables add constraint
ALTER DOMAIN wordy ADD CHECK (VALUE <> '');

-- case: domain in array add constraint
ALTER DOMAIN listed ADD CHECK (VALUE > 0);

-- case: domain in array set not null
ALTER DOMAIN listed SET NOT NULL;

-- case: domain in composite add constraint
ALTER DOMAIN composed ADD CHECK (VALUE > 0);

-- case: domain of partitions add constraint
ALTER DOMAIN parted ADD CHECK (VALUE > 0);

-- case: domain of partitions set not null
ALTER DOMAIN parted SET NOT NULL;

-- case: domain of inherited add constraint
ALTER DOMAIN inherited ADD CHECK (VALUE > 0);

-- case: domain of views add constraint
ALTER DOMAIN viewed ADD CHECK (VALUE > 0);

-- case: drop domain unused
DROP DOMAIN unused;

-- case: drop domain used cascade
DROP DOMAIN wordy CASCADE;

-- case: drop domain used
DROP DOMAIN wordy;

-- case: drop domain nested cascade
DROP DOMAIN positive CASCADE;

-- case: comment on type
COMMENT ON TYPE mood IS 'x';

-- case: comment on domain
COMMENT ON DOMAIN positive IS 'x';

-- case: comment on domain constraint
COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'x';

-- case: alter table to new domain column
ALTER TABLE orders ADD COLUMN d nested;

-- case: alter table to unconstrained domain column
ALTER TABLE orders ADD COLUMN d unused;

-- case: cast
CREATE CAST (text AS mood) WITH INOUT AS ASSIGNMENT;

-- case: add attribute of a typed table with a child
-- given:
CREATE TYPE point_3 AS (x int, y int); CREATE TABLE points OF point_3; CREATE TABLE more_points () INHERITS (points);
-- run:
ALTER TYPE point_3 ADD ATTRIBUTE z int CASCADE;

-- case: alter attribute of a typed table with a child
-- given:
CREATE TYPE point_3 AS (x int, y int); CREATE TABLE points OF point_3; CREATE TABLE more_points () INHERITS (points);
-- run:
ALTER TYPE point_3 ALTER ATTRIBUTE x TYPE bigint CASCADE;

-- case: table like a composite type
-- given:
CREATE TYPE point_4 AS (x int, y text); CREATE TABLE like_point (LIKE point_4);
-- run:
ALTER TABLE like_point ALTER COLUMN y TYPE varchar(5);
