-- case: named index
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX t_a ON t (a);
-- meanwhile:
INSERT INTO t VALUES (:n, 1);
-- case: unnamed index
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX ON t (a);
-- case: if not exists
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX IF NOT EXISTS t_a ON t (a);
-- case: concurrently if not exists
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);
-- case: unique partial index
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b bool); INSERT INTO t VALUES (1, 1, true), (2, 1, false);
-- run:
CREATE UNIQUE INDEX t_a ON t (a) WHERE b;
-- breaks:
INSERT INTO t VALUES (3, 1, true);
-- case: unique expression index
-- given:
CREATE TABLE t (id int PRIMARY KEY, email text); INSERT INTO t VALUES (1, 'x');
-- run:
CREATE UNIQUE INDEX t_email ON t (lower(email));
-- breaks:
INSERT INTO t VALUES (2, 'X');
-- case: unique concurrently on two columns
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 1, 1), (2, 1, NULL), (3, 1, NULL);
-- run:
CREATE UNIQUE INDEX CONCURRENTLY t_ab ON t (a, b);
-- breaks:
INSERT INTO t VALUES (4, 1, 1);
-- case: unique nulls not distinct
-- requires: 15..
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 1, 1), (2, 1, NULL);
-- run:
CREATE UNIQUE INDEX t_ab ON t (a, b) NULLS NOT DISTINCT;
-- breaks:
INSERT INTO t VALUES (4, 1, NULL);
-- case: expression index with collation and order
-- given:
CREATE TABLE t (id int PRIMARY KEY, email text); INSERT INTO t VALUES (1, 'x');
-- run:
CREATE INDEX "Index of E" ON public.t USING btree (lower(email) COLLATE "C" text_pattern_ops DESC NULLS LAST) WITH (fillfactor = 80);
-- case: unnamed expression index
-- given:
CREATE TABLE t (id int PRIMARY KEY, email text); INSERT INTO t VALUES (1, 'x');
-- run:
CREATE INDEX ON t ((id + 1), lower(email));
-- case: include
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
-- run:
CREATE INDEX t_a ON t (a) INCLUDE (b);
-- case: gin
-- given:
CREATE TABLE t (id int PRIMARY KEY, doc jsonb); INSERT INTO t VALUES (1, '{}');
-- run:
CREATE INDEX t_doc ON t USING gin (doc jsonb_path_ops);
-- case: quoted table
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."T" ("A a" int); INSERT INTO "S"."T" VALUES (1);
-- run:
CREATE INDEX "I" ON "S"."T" ("A a");
-- case: only a table
-- given:
CREATE TABLE a (id int, c int); CREATE TABLE b () INHERITS (a); INSERT INTO a VALUES (1, 1);
-- run:
CREATE INDEX a_c ON ONLY a (c);
-- case: partitioned
-- given:
CREATE TABLE p (id int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE TABLE p3 PARTITION OF p FOR VALUES IN (3); INSERT INTO p VALUES (1, 1), (2, 1);
-- run:
CREATE INDEX p_a ON p (a);
-- case: partitioned, unnamed and in another schema
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."P" (id int, "A" int) PARTITION BY LIST (id); CREATE TABLE "S"."P1" PARTITION OF "S"."P" FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF "S"."P" FOR VALUES IN (2); INSERT INTO "S"."P" VALUES (1, 1), (2, 1);
-- run:
CREATE INDEX ON "S"."P" ("A") WHERE id > 0;
-- case: partitioned twice
-- given:
CREATE TABLE p (id int, k int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (k); CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1, 1), (2, 1, 1);
-- run:
CREATE INDEX p_a ON p (a);
-- case: partitioned and unique
-- given:
CREATE TABLE p (id int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 1);
-- run:
CREATE UNIQUE INDEX p_a ON p (id, a);
-- breaks:
INSERT INTO p VALUES (2, 1);
-- case: partitioned with many partitions
-- given:
CREATE TABLE p (id int, a int) PARTITION BY HASH (id); CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 0); CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 1); CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 2); CREATE TABLE p3 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 3); INSERT INTO p SELECT i, i FROM generate_series(1, 9) i;
-- run:
CREATE INDEX IF NOT EXISTS p_a ON p (a);
-- case: materialized view
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
-- run:
CREATE INDEX m_a ON m (a);
-- case: partial history
-- partial
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX t_a ON t (a);
-- case: with a comment and a semicolon behind
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CREATE INDEX t_a ON t (a) -- the column a
;
-- case: search path
-- given:
CREATE SCHEMA app; CREATE TABLE app.t (id int, a int); INSERT INTO app.t VALUES (1, 1);
-- run:
SET search_path = app;
CREATE INDEX t_a ON t (a);
-- rest:
SET search_path = app;
-- case: reindex index
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX t_a ON t (a); INSERT INTO t VALUES (1, 1);
-- run:
REINDEX INDEX t_a;
-- case: reindex table
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."T" (id int PRIMARY KEY, a int); CREATE INDEX t_a ON "S"."T" (a); INSERT INTO "S"."T" VALUES (1, 1);
-- run:
REINDEX TABLE "S"."T";
-- case: reindex verbose
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
REINDEX (VERBOSE) TABLE t;
-- case: reindex schema
-- given:
CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, a int); INSERT INTO app.t VALUES (1, 1);
-- run:
REINDEX SCHEMA app;
-- case: reindex an exclusion constraint's index
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&)); INSERT INTO t VALUES (1, '[1,3)');
-- run:
REINDEX INDEX apart;
-- case: refresh
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE UNIQUE INDEX m_id ON m (id);
-- run:
REFRESH MATERIALIZED VIEW m;
-- case: refresh without a unique index
-- given:
CREATE SCHEMA "S"; CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW "S"."M" AS SELECT * FROM t;
-- text only
-- run:
REFRESH MATERIALIZED VIEW "S"."M";
-- case: refresh with a partial unique index only
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE UNIQUE INDEX m_id ON m (id) WHERE a > 0; CREATE UNIQUE INDEX m_e ON m ((id + 1));
-- run:
REFRESH MATERIALIZED VIEW m;
-- case: first refresh
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1); CREATE MATERIALIZED VIEW m AS SELECT * FROM t WITH NO DATA; CREATE UNIQUE INDEX m_id ON m (id);
-- run:
REFRESH MATERIALIZED VIEW m;
-- case: vacuum full
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
VACUUM FULL t;
-- case: cluster
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
CLUSTER t USING t_pkey;
