-- setup
CREATE SCHEMA sales;
CREATE SCHEMA evil;
CREATE FUNCTION public.stable_value() RETURNS int LANGUAGE sql STABLE AS 'SELECT 7';
CREATE FUNCTION public.volatile_value() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 7';
CREATE FUNCTION public.immutable_value() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN clock_timestamp(); END';
CREATE FUNCTION evil.random() RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 0.5; END';
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE DOMAIN plain_text AS text;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN required AS int NOT NULL DEFAULT 1;
CREATE DOMAIN with_default AS int DEFAULT 5;
CREATE DOMAIN with_volatile_default AS float8 DEFAULT random();
CREATE DOMAIN nested_positive AS positive;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, region text, parent int REFERENCES customers);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int REFERENCES customers, total numeric(10,2), note text, code varchar(20),
    qty int NOT NULL, paid boolean, big bigint, at timestamp, feeling mood DEFAULT 'ok',
    CONSTRAINT qty_positive CHECK (qty > 0));
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_note ON orders (note);
CREATE UNIQUE INDEX orders_big ON orders (big);
CREATE UNIQUE INDEX orders_qty ON orders (qty);
CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, n int);
CREATE TABLE parent (id int PRIMARY KEY, label text, amount int);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE stranger (id int NOT NULL, label text, amount int);
CREATE TABLE events (at date NOT NULL, id int NOT NULL, payload text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id ON events (id);
CREATE TABLE empty_table (id int, label text);
CREATE TABLE watched (id int PRIMARY KEY, label text);
CREATE TRIGGER watched_touch BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE watched_rule AS ON DELETE TO watched DO INSTEAD NOTHING;
CREATE POLICY watched_policy ON watched USING (true);
CREATE TABLE counters (id int GENERATED ALWAYS AS IDENTITY, n serial, doubled int GENERATED ALWAYS AS (1 + 1) STORED, v int);
CREATE TABLE "Odd Name" ("Weird ""Col""" int, plain text);
CREATE TABLE sales."Order" (id int PRIMARY KEY, total int);
CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
CREATE TABLE proved (id int, n int, CONSTRAINT n_there CHECK (n IS NOT NULL AND n > 0));
CREATE TABLE hoped (id int, n int);
ALTER TABLE hoped ADD CONSTRAINT n_there CHECK (n IS NOT NULL) NOT VALID;
CREATE VIEW open_orders AS SELECT id, total FROM orders;
INSERT INTO customers SELECT n, 'c' || n, 'r' || n % 5, NULL FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n, n, 'x' || n, 'c' || n, n, true, n, '2024-01-01', 'ok' FROM generate_series(1, 2000) n;
INSERT INTO lines SELECT n, n, n FROM generate_series(1, 2000) n;
INSERT INTO parent SELECT n, 'p', n FROM generate_series(1, 2000) n;
INSERT INTO child SELECT n, 'c', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO grandchild SELECT n, 'g', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO stranger SELECT n, 's', n FROM generate_series(1, 2000) n;
INSERT INTO events SELECT '2024-01-01'::date + n % 700, n, 'p' FROM generate_series(1, 2000) n;
INSERT INTO watched SELECT n, 'w' FROM generate_series(1, 2000) n;
INSERT INTO counters (v) SELECT n FROM generate_series(1, 2000) n;
INSERT INTO sales."Order" SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO fast SELECT n FROM generate_series(1, 2000) n;
INSERT INTO proved SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO hoped SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO "Odd Name" SELECT n, 'o' FROM generate_series(1, 2000) n;

-- case: add column
ALTER TABLE orders ADD COLUMN a int;

-- case: add column with constant default
ALTER TABLE orders ADD COLUMN a int DEFAULT 0;

-- case: add column not null with constant default
ALTER TABLE orders ADD COLUMN a int NOT NULL DEFAULT 0;

-- case: add column not null without default
ALTER TABLE orders ADD COLUMN a int NOT NULL;

-- case: add column not null without default to an empty table
ALTER TABLE empty_table ADD COLUMN a int NOT NULL;

-- case: replace a column by one that is not null
ALTER TABLE orders DROP COLUMN note, ADD COLUMN note text NOT NULL DEFAULT '';

-- case: replace a column by one without default that is not null
ALTER TABLE parent DROP COLUMN label, ADD COLUMN label text NOT NULL;

-- case: replace a column by one with a volatile default
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note float8 DEFAULT random(), DROP COLUMN note;

-- case: add column if not exists on an existing one
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;

-- case: drop column and add one of its name
ALTER TABLE empty_table DROP COLUMN id, ADD COLUMN id int NOT NULL;

-- case: add column before the drop of its name
ALTER TABLE empty_table ADD COLUMN id int NOT NULL, DROP COLUMN id;

-- case: drop column and add a volatile one of its name
ALTER TABLE orders DROP COLUMN note, ADD COLUMN note text DEFAULT random()::text;

-- case: add column default now
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT now();

-- case: add column default current_timestamp
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT CURRENT_TIMESTAMP;

-- case: add column default clock_timestamp
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT clock_timestamp();

-- case: add column default random
ALTER TABLE orders ADD COLUMN a float8 DEFAULT random();

-- case: add column default gen_random_uuid
ALTER TABLE orders ADD COLUMN a uuid DEFAULT gen_random_uuid();

-- case: add column default gen_random_uuid cast to text
ALTER TABLE orders ADD COLUMN a text DEFAULT gen_random_uuid()::text;

-- case: add column default volatile in array
ALTER TABLE orders ADD COLUMN a float8[] DEFAULT ARRAY[random()];

-- case: add column default volatile in case
ALTER TABLE orders ADD COLUMN a float8 DEFAULT CASE WHEN true THEN 1 ELSE random() END;

-- case: add column default volatile in nested call
ALTER TABLE orders ADD COLUMN a text DEFAULT md5(upper(random()::text));

-- case: add column default volatile in coalesce
ALTER TABLE orders ADD COLUMN a float8 DEFAULT coalesce(1.0, random());

-- case: add column default immutable nested
ALTER TABLE orders ADD COLUMN a text DEFAULT upper('x' || 1::text);

-- case: add column default constant array
ALTER TABLE orders ADD COLUMN a text[] DEFAULT '{}';

-- case: add column default constant jsonb
ALTER TABLE orders ADD COLUMN a jsonb NOT NULL DEFAULT '{}'::jsonb;

-- case: add column default timeofday
ALTER TABLE orders ADD COLUMN a text DEFAULT timeofday();

-- case: add column default nextval
-- given:
CREATE SEQUENCE ids;
-- run:
ALTER TABLE orders ADD COLUMN a int DEFAULT nextval('ids');

-- case: add column default current_user
ALTER TABLE orders ADD COLUMN a text DEFAULT current_user;

-- case: add column default txid_current
ALTER TABLE orders ADD COLUMN a bigint DEFAULT txid_current();

-- case: add column default stable function
ALTER TABLE orders ADD COLUMN a int DEFAULT stable_value();

-- case: add column default volatile user function
ALTER TABLE orders ADD COLUMN a int DEFAULT volatile_value();

-- case: add column default immutable user function
ALTER TABLE orders ADD COLUMN a int DEFAULT immutable_value();

-- case: add column default user function called now
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT evil.now();

-- case: add column default user function called random
ALTER TABLE orders ADD COLUMN a float8 DEFAULT evil.random();

-- case: add column default shadowed now by search_path
-- given:
SET search_path = evil, pg_catalog, public;
-- run:
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT now();

-- case: add column default implicit pg_catalog before search_path
-- given:
SET search_path = evil, public;
-- run:
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT now();

-- case: add column serial
ALTER TABLE orders ADD COLUMN a serial;

-- case: add column bigserial
ALTER TABLE orders ADD COLUMN a bigserial;

-- case: add column identity
ALTER TABLE orders ADD COLUMN a int GENERATED BY DEFAULT AS IDENTITY;

-- case: add column generated stored
ALTER TABLE orders ADD COLUMN a int GENERATED ALWAYS AS (qty * 2) STORED;

-- case: add column generated virtual
-- requires: 18..
ALTER TABLE orders ADD COLUMN a int GENERATED ALWAYS AS (qty * 2) VIRTUAL;

-- case: add column generated virtual not null
-- requires: 18..
ALTER TABLE orders ADD COLUMN a int GENERATED ALWAYS AS (qty * 2) VIRTUAL NOT NULL;

-- case: add column generated virtual with check
-- requires: 18..
ALTER TABLE orders ADD COLUMN a int GENERATED ALWAYS AS (qty * 2) CHECK (a > 0);

-- case: add column of plain domain
ALTER TABLE orders ADD COLUMN a plain_text;

-- case: add column of constrained domain
ALTER TABLE orders ADD COLUMN a positive;

-- case: add column of constrained domain with default
ALTER TABLE orders ADD COLUMN a positive DEFAULT 3;

-- case: add column of required domain with default
ALTER TABLE orders ADD COLUMN a required;

-- case: add column of domain with default
ALTER TABLE orders ADD COLUMN a with_default;

-- case: add column of domain with volatile default
ALTER TABLE orders ADD COLUMN a with_volatile_default;

-- case: add column of domain with volatile default overridden
ALTER TABLE orders ADD COLUMN a with_volatile_default DEFAULT 1.0;

-- case: add column of nested constrained domain
ALTER TABLE orders ADD COLUMN a nested_positive;

-- case: add column of array of constrained domain
ALTER TABLE orders ADD COLUMN a positive[];

-- case: add column of enum with default
ALTER TABLE orders ADD COLUMN a mood DEFAULT 'sad';

-- case: add column of composite
ALTER TABLE orders ADD COLUMN a pair;

-- case: add column with check
ALTER TABLE orders ADD COLUMN a int CHECK (a > 0);

-- case: add column with check not mentioning it
ALTER TABLE orders ADD COLUMN a int DEFAULT 1 CHECK (qty > 0);

-- case: add column unique
ALTER TABLE orders ADD COLUMN a int UNIQUE;

-- case: add column primary key
ALTER TABLE stranger ADD COLUMN a serial PRIMARY KEY;

-- case: add column references
ALTER TABLE orders ADD COLUMN a int REFERENCES customers;

-- case: add column references with default
ALTER TABLE orders ADD COLUMN a int DEFAULT 1 REFERENCES customers;

-- case: add column references with null default
ALTER TABLE orders ADD COLUMN a int DEFAULT NULL REFERENCES customers;

-- case: add column references own table
ALTER TABLE customers ADD COLUMN a int REFERENCES customers (id);

-- case: add column with collation
ALTER TABLE orders ADD COLUMN a text COLLATE "C" DEFAULT 'x';

-- case: add column to partitioned
ALTER TABLE events ADD COLUMN a int;

-- case: add volatile column to partitioned
ALTER TABLE events ADD COLUMN a float8 DEFAULT random();

-- case: add column with check to partitioned
ALTER TABLE events ADD COLUMN a int CHECK (a > 0);

-- case: add column to inheritance parent
ALTER TABLE parent ADD COLUMN a int;

-- case: add column to only inheritance parent
ALTER TABLE ONLY parent ADD COLUMN a int;

-- case: add volatile column to inheritance parent
ALTER TABLE parent ADD COLUMN a float8 DEFAULT random();

-- case: add two columns
ALTER TABLE orders ADD COLUMN a int, ADD COLUMN b float8 DEFAULT random();

-- case: add column and check in one statement
ALTER TABLE orders ADD COLUMN a int DEFAULT 1, ADD CONSTRAINT a_positive CHECK (a > 0);

-- case: add column and set not null in one statement
ALTER TABLE orders ADD COLUMN a int DEFAULT 1, ALTER COLUMN a SET NOT NULL;

-- case: add column to quoted names
ALTER TABLE "Odd Name" ADD COLUMN "New Col" int;

-- case: add volatile column to quoted table in schema
ALTER TABLE sales."Order" ADD COLUMN x float8 DEFAULT random();

-- case: add column through search_path
-- given:
SET search_path = sales;
-- run:
ALTER TABLE "Order" ADD COLUMN x int;

-- case: alter table if exists missing
ALTER TABLE IF EXISTS missing ADD COLUMN x int;

-- case: drop column
ALTER TABLE orders DROP COLUMN note;

-- case: drop column if exists missing
ALTER TABLE orders DROP COLUMN IF EXISTS missing;

-- case: drop column with view refused
ALTER TABLE orders DROP COLUMN total;

-- case: drop column cascade with view
ALTER TABLE orders DROP COLUMN total CASCADE;

-- case: drop column with foreign key
ALTER TABLE orders DROP COLUMN customer_id;

-- case: drop referenced column cascade
ALTER TABLE orders DROP COLUMN id CASCADE;

-- case: drop column of partitioned
ALTER TABLE events DROP COLUMN payload;

-- case: drop column of inheritance parent
ALTER TABLE parent DROP COLUMN label;

-- case: drop column of only inheritance parent
ALTER TABLE ONLY parent DROP COLUMN label;

-- case: set default
ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x';

-- case: set volatile default
ALTER TABLE orders ALTER COLUMN total SET DEFAULT random();

-- case: drop default
ALTER TABLE orders ALTER COLUMN feeling DROP DEFAULT;

-- case: set default on partitioned
ALTER TABLE events ALTER COLUMN payload SET DEFAULT 'x';

-- case: set not null
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

-- case: set not null already
ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;

-- case: set not null proved
ALTER TABLE proved ALTER COLUMN n SET NOT NULL;

-- case: set not null with check not valid
ALTER TABLE hoped ALTER COLUMN n SET NOT NULL;

-- case: set not null with validated check
-- given:
ALTER TABLE hoped VALIDATE CONSTRAINT n_there;
-- run:
ALTER TABLE hoped ALTER COLUMN n SET NOT NULL;

-- case: set not null with check implying by comparison only
-- given:
ALTER TABLE stranger ADD CHECK (amount > 0);
-- run:
ALTER TABLE stranger ALTER COLUMN amount SET NOT NULL;

-- case: set not null with or-ed check
-- given:
ALTER TABLE stranger ADD CHECK (amount IS NOT NULL OR id > 0);
-- run:
ALTER TABLE stranger ALTER COLUMN amount SET NOT NULL;

-- case: set not null with negated is null check
-- given:
ALTER TABLE stranger ADD CHECK (NOT (amount IS NULL));
-- run:
ALTER TABLE stranger ALTER COLUMN amount SET NOT NULL;

-- case: set not null twice
ALTER TABLE orders ALTER COLUMN note SET NOT NULL, ALTER COLUMN code SET NOT NULL;

-- case: set not null proved and unproved
ALTER TABLE proved ALTER COLUMN n SET NOT NULL, ALTER COLUMN id SET NOT NULL;

-- case: set not null and add its check
ALTER TABLE stranger ADD CHECK (amount IS NOT NULL), ALTER COLUMN amount SET NOT NULL;

-- case: set not null on partitioned
ALTER TABLE events ALTER COLUMN payload SET NOT NULL;

-- case: set not null on inheritance parent
ALTER TABLE parent ALTER COLUMN label SET NOT NULL;

-- case: set not null on only inheritance parent
ALTER TABLE ONLY parent ALTER COLUMN label SET NOT NULL;

-- case: drop not null
ALTER TABLE orders ALTER COLUMN qty DROP NOT NULL;

-- case: drop not null already
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;

-- case: add not null constraint
-- requires: 18..
ALTER TABLE orders ADD CONSTRAINT note_there NOT NULL note;

-- case: add not null constraint not valid
-- requires: 18..
ALTER TABLE orders ADD CONSTRAINT note_there NOT NULL note NOT VALID;

-- case: validate not null constraint
-- requires: 18..
-- given:
ALTER TABLE orders ADD CONSTRAINT note_there NOT NULL note NOT VALID;
-- run:
ALTER TABLE orders VALIDATE CONSTRAINT note_there;

-- case: set not null over not valid not null
-- requires: 18..
-- given:
ALTER TABLE orders ADD CONSTRAINT note_there NOT NULL note NOT VALID;
-- run:
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

-- case: set expression
-- requires: 17..
ALTER TABLE counters ALTER COLUMN doubled SET EXPRESSION AS (2 + 2);

-- case: drop expression
ALTER TABLE counters ALTER COLUMN doubled DROP EXPRESSION;

-- case: set statistics
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500;

-- case: set statistics on partitioned
ALTER TABLE events ALTER COLUMN payload SET STATISTICS 500;

-- case: set column options
ALTER TABLE orders ALTER COLUMN note SET (n_distinct = 5);

-- case: reset column options
ALTER TABLE orders ALTER COLUMN note RESET (n_distinct);

-- case: set storage
ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;

-- case: set compression
ALTER TABLE orders ALTER COLUMN note SET COMPRESSION pglz;

-- case: add identity
ALTER TABLE orders ALTER COLUMN qty ADD GENERATED BY DEFAULT AS IDENTITY;

-- case: set identity
ALTER TABLE counters ALTER COLUMN id SET GENERATED BY DEFAULT;

-- case: restart identity
ALTER TABLE counters ALTER COLUMN id RESTART WITH 5000;

-- case: drop identity
ALTER TABLE counters ALTER COLUMN id DROP IDENTITY;

-- case: drop identity if exists on none
ALTER TABLE orders ALTER COLUMN qty DROP IDENTITY IF EXISTS;

-- case: add check
ALTER TABLE orders ADD CONSTRAINT c CHECK (qty > 0);

-- case: add check not valid
ALTER TABLE orders ADD CONSTRAINT c CHECK (qty > 0) NOT VALID;

-- case: add check violated
ALTER TABLE orders ADD CONSTRAINT c CHECK (qty > 100);

-- case: add check no inherit
ALTER TABLE parent ADD CONSTRAINT c CHECK (amount > 0) NO INHERIT;

-- case: add check not enforced
-- requires: 18..
ALTER TABLE orders ADD CONSTRAINT c CHECK (qty > 0) NOT ENFORCED;

-- case: add two checks
ALTER TABLE orders ADD CHECK (qty > 0), ADD CHECK (total > 0);

-- case: add check to partitioned
ALTER TABLE events ADD CHECK (id > 0);

-- case: add check to inheritance parent
ALTER TABLE parent ADD CHECK (amount > 0);

-- case: add check not valid to partitioned
ALTER TABLE events ADD CHECK (id > 0) NOT VALID;

-- case: validate check
ALTER TABLE hoped VALIDATE CONSTRAINT n_there;

-- case: validate valid check
ALTER TABLE orders VALIDATE CONSTRAINT qty_positive;

-- case: validate check of partitioned
-- given:
ALTER TABLE events ADD CONSTRAINT c CHECK (id > 0) NOT VALID;
-- run:
ALTER TABLE events VALIDATE CONSTRAINT c;

-- case: add foreign key
ALTER TABLE stranger ADD FOREIGN KEY (id) REFERENCES customers;

-- case: add foreign key not valid
ALTER TABLE stranger ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers NOT VALID;

-- case: add foreign key not enforced
-- requires: 18..
ALTER TABLE stranger ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers NOT ENFORCED;

-- case: enforce foreign key
-- requires: 18..
-- given:
ALTER TABLE stranger ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers NOT ENFORCED;
-- run:
ALTER TABLE stranger ALTER CONSTRAINT f ENFORCED;

-- case: add foreign key to itself
ALTER TABLE customers ADD FOREIGN KEY (id) REFERENCES customers;

-- case: add foreign key from partitioned
ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES customers;

-- case: add foreign key not valid from partitioned
ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES customers NOT VALID;

-- case: add foreign key to partitioned
-- differs: scans
-- given:
CREATE UNIQUE INDEX u ON events (at, id);
-- run:
ALTER TABLE stranger ADD COLUMN at date, ADD FOREIGN KEY (at, id) REFERENCES events (at, id);

-- case: add foreign key on empty table
-- differs: scans
ALTER TABLE empty_table ADD FOREIGN KEY (id) REFERENCES customers;

-- case: add foreign key and drop another
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey, ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;

-- case: validate foreign key
-- given:
ALTER TABLE stranger ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers NOT VALID;
-- run:
ALTER TABLE stranger VALIDATE CONSTRAINT f;

-- case: validate valid foreign key
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;

-- case: alter constraint deferrable
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE INITIALLY DEFERRED;

-- case: drop foreign key
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;

-- case: drop check
ALTER TABLE orders DROP CONSTRAINT qty_positive;

-- case: drop primary key refused
ALTER TABLE orders DROP CONSTRAINT orders_pkey;

-- case: drop primary key cascade
ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE;

-- case: drop constraint if exists missing
ALTER TABLE orders DROP CONSTRAINT IF EXISTS missing;

-- case: add unique
ALTER TABLE orders ADD UNIQUE (code);

-- case: add unique nulls not distinct
-- requires: 15..
ALTER TABLE orders ADD UNIQUE NULLS NOT DISTINCT (code);

-- case: add unique using index
ALTER TABLE orders ADD CONSTRAINT big_key UNIQUE USING INDEX orders_big;

-- case: add unique to partitioned
ALTER TABLE events ADD UNIQUE (at, id);

-- case: add primary key on not null column
ALTER TABLE stranger ADD PRIMARY KEY (id);

-- case: add primary key on nullable column
ALTER TABLE stranger ADD PRIMARY KEY (amount);

-- case: add primary key using index nullable
-- given:
ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE;
-- run:
ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_big;

-- case: add primary key using index not null
-- given:
ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE;
-- run:
ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_qty;

-- case: add exclusion constraint
ALTER TABLE orders ADD EXCLUDE USING btree (code WITH =);

-- case: add primary key to partitioned
ALTER TABLE events ADD PRIMARY KEY (at, id);

-- case: disable trigger
ALTER TABLE watched DISABLE TRIGGER watched_touch;

-- case: enable trigger all
ALTER TABLE watched ENABLE TRIGGER ALL;

-- case: enable always trigger
ALTER TABLE watched ENABLE ALWAYS TRIGGER watched_touch;

-- case: disable rule
ALTER TABLE watched DISABLE RULE watched_rule;

-- case: enable row level security
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;

-- case: disable row level security
ALTER TABLE watched DISABLE ROW LEVEL SECURITY;

-- case: force row level security
ALTER TABLE watched FORCE ROW LEVEL SECURITY;

-- case: cluster on
ALTER TABLE orders CLUSTER ON orders_note;

-- case: set without cluster
ALTER TABLE orders SET WITHOUT CLUSTER;

-- case: set logged
ALTER TABLE fast SET LOGGED;

-- case: set unlogged
ALTER TABLE stranger SET UNLOGGED;

-- case: set logged already
ALTER TABLE stranger SET LOGGED;

-- case: set unlogged referenced refused
ALTER TABLE customers SET UNLOGGED;

-- case: set access method heap
-- requires: 15..
ALTER TABLE orders SET ACCESS METHOD heap;

-- case: set tablespace
ALTER TABLE orders SET TABLESPACE side;

-- case: set tablespace same
ALTER TABLE orders SET TABLESPACE pg_default;

-- case: set tablespace partitioned
ALTER TABLE events SET TABLESPACE side;

-- case: alter table all in tablespace
ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE side;

-- case: set fillfactor
ALTER TABLE orders SET (fillfactor = 70);

-- case: set autovacuum
ALTER TABLE orders SET (autovacuum_enabled = false, autovacuum_vacuum_scale_factor = 0.01);

-- case: set parallel workers
ALTER TABLE orders SET (parallel_workers = 2);

-- case: set user_catalog_table
ALTER TABLE orders SET (user_catalog_table = true);

-- case: set toast option
ALTER TABLE orders SET (toast.autovacuum_enabled = false);

-- case: set toast_tuple_target
ALTER TABLE orders SET (toast_tuple_target = 1024);

-- case: set vacuum_truncate
ALTER TABLE orders SET (vacuum_truncate = false);

-- case: set log_autovacuum
ALTER TABLE orders SET (log_autovacuum_min_duration = 0);

-- case: reset fillfactor
ALTER TABLE orders RESET (fillfactor);

-- case: inherit
ALTER TABLE stranger INHERIT parent;

-- case: no inherit
ALTER TABLE child NO INHERIT parent;

-- case: of type
-- given:
CREATE TYPE stranger_row AS (id int, label text, amount int);
-- run:
ALTER TABLE stranger OF stranger_row;

-- case: not of
-- given:
CREATE TABLE typed OF pair;
-- run:
ALTER TABLE typed NOT OF;

-- case: owner
ALTER TABLE orders OWNER TO app;

-- case: owner of table with identity
ALTER TABLE counters OWNER TO app;

-- case: owner of partitioned
ALTER TABLE events OWNER TO app;

-- case: replica identity full
ALTER TABLE orders REPLICA IDENTITY FULL;

-- case: replica identity using index
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_qty;

-- case: replica identity default
ALTER TABLE orders REPLICA IDENTITY DEFAULT;

-- case: rename table
ALTER TABLE orders RENAME TO purchases;

-- case: rename table if exists missing
ALTER TABLE IF EXISTS missing RENAME TO purchases;

-- case: rename column
ALTER TABLE orders RENAME COLUMN note TO remark;

-- case: rename column of partitioned
ALTER TABLE events RENAME COLUMN payload TO body;

-- case: rename column of inheritance parent
ALTER TABLE parent RENAME COLUMN label TO title;

-- case: rename constraint
ALTER TABLE orders RENAME CONSTRAINT qty_positive TO q;

-- case: rename foreign key constraint
ALTER TABLE orders RENAME CONSTRAINT orders_customer_id_fkey TO q;

-- case: set schema
ALTER TABLE orders SET SCHEMA sales;

-- case: set schema with sequences
ALTER TABLE counters SET SCHEMA sales;

-- case: many actions
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 10, SET (fillfactor = 80);

-- case: weak and strong action
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 10, DROP COLUMN code;

-- case: foreign key and column
ALTER TABLE stranger ADD COLUMN c int REFERENCES customers, ADD FOREIGN KEY (id) REFERENCES orders;

-- case: attach partition
-- given:
CREATE TABLE events_2026 (LIKE events); INSERT INTO events_2026 SELECT '2026-02-02', n, 'p' FROM generate_series(1, 2000) n;
-- run:
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: attach partition with proving check
-- given:
CREATE TABLE events_2026 (LIKE events, CHECK (at >= '2026-01-01' AND at < '2027-01-01')); INSERT INTO events_2026 SELECT '2026-02-02', n, 'p' FROM generate_series(1, 2000) n;
-- run:
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: attach partition with matching index
-- given:
CREATE TABLE events_2026 (LIKE events INCLUDING INDEXES); CREATE INDEX events_2026_id ON events_2026 (id);
-- run:
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: attach partition with default
-- given:
CREATE TABLE events_rest PARTITION OF events DEFAULT; CREATE TABLE events_2026 (LIKE events); INSERT INTO events SELECT '2030-02-02', n, 'p' FROM generate_series(1, 2000) n;
-- run:
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: attach default partition
-- given:
CREATE TABLE events_rest (LIKE events);
-- run:
ALTER TABLE events ATTACH PARTITION events_rest DEFAULT;

-- case: detach partition
ALTER TABLE events DETACH PARTITION events_2024;

-- case: detach partition with default
-- given:
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- run:
ALTER TABLE events DETACH PARTITION events_2024;

-- case: detach partition with foreign key
-- given:
ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES customers;
-- run:
ALTER TABLE events DETACH PARTITION events_2024;

-- case: drop inherited check with only
-- given:
ALTER TABLE parent ADD CONSTRAINT amount_known CHECK (amount IS NOT NULL);
-- run:
ALTER TABLE ONLY parent DROP CONSTRAINT amount_known;

-- case: drop check of partitioned with only
-- given:
ALTER TABLE events ADD CONSTRAINT id_positive CHECK (id > -1);
-- run:
ALTER TABLE ONLY events DROP CONSTRAINT id_positive;

-- case: drop not null with only
-- given:
ALTER TABLE parent ALTER COLUMN amount SET NOT NULL;
-- run:
ALTER TABLE ONLY parent ALTER COLUMN amount DROP NOT NULL;

-- case: drop not null of partitioned with only
-- requires: 18..
ALTER TABLE ONLY events ALTER COLUMN id DROP NOT NULL;

-- case: set not null with only leaves children
-- given:
ALTER TABLE ONLY parent ALTER COLUMN amount SET NOT NULL;
-- run:
ALTER TABLE child ALTER COLUMN amount SET NOT NULL;

-- case: validate check that children do not inherit
-- given:
ALTER TABLE parent ADD CONSTRAINT amount_known CHECK (amount IS NOT NULL) NO INHERIT NOT VALID;
-- run:
ALTER TABLE parent VALIDATE CONSTRAINT amount_known;

-- case: drop column of one of two parents
-- given:
CREATE TABLE other_parent (label text, weight int); CREATE TABLE of_two () INHERITS (parent, other_parent); CREATE TABLE below_two () INHERITS (of_two);
-- run:
ALTER TABLE other_parent DROP COLUMN label;

-- case: drop column that a child has as its own
-- given:
CREATE TABLE top (a int, b int); CREATE TABLE middle (a int) INHERITS (top); CREATE TABLE bottom () INHERITS (middle);
-- run:
ALTER TABLE top DROP COLUMN a;

-- case: add column that a child has already
-- given:
CREATE TABLE top (b int); CREATE TABLE middle (a int) INHERITS (top); CREATE TABLE bottom () INHERITS (middle); CREATE TABLE other_middle () INHERITS (top);
-- run:
ALTER TABLE top ADD COLUMN a int;

-- case: check merged with an inherited one
-- given:
ALTER TABLE parent ADD CONSTRAINT amount_known CHECK (amount > 0) NOT VALID; CREATE TABLE merged (amount int CONSTRAINT amount_known CHECK (amount > 0)) INHERITS (parent);
-- run:
ALTER TABLE merged ALTER COLUMN amount SET DEFAULT 1;
