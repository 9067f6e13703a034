-- case: update all rows
-- given:
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET b = a * 2;
-- case: update where true
-- given:
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET b = 1 WHERE true;
-- case: update where null
-- given:
CREATE TABLE "T" ("Id" int PRIMARY KEY, b int); INSERT INTO "T" SELECT i FROM generate_series(1, 9) i;
-- run:
UPDATE "T" SET b = 1 WHERE b IS NULL;
-- case: update without a key
-- text only
-- given:
CREATE TABLE t (a int, b int); INSERT INTO t SELECT i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET b = 1;
-- case: update by text key
-- text only
-- given:
CREATE TABLE t (code text PRIMARY KEY, b int); INSERT INTO t SELECT i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET b = 1;
-- case: update with an alias
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i;
-- run:
UPDATE t AS x SET b = x.a;
-- case: update from another table
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE s (id int PRIMARY KEY, a int); INSERT INTO t SELECT i FROM generate_series(1, 9) i; INSERT INTO s SELECT i, i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET a = s.a FROM s WHERE s.id = t.id;
-- case: update returning
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET a = 1 RETURNING id;
-- case: delete where null
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i FROM generate_series(1, 9) i; INSERT INTO t VALUES (20, 1);
-- run:
DELETE FROM t WHERE a IS NULL;
-- case: update where or
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i FROM generate_series(1, 9) i;
-- run:
UPDATE t SET a = 1 WHERE a IS NULL OR a <> 1;
