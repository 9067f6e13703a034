-- case: set not null
-- given:
CREATE TABLE t (id bigint PRIMARY KEY, c int); INSERT INTO t SELECT i, i FROM generate_series(1, 5) i;
-- run:
ALTER TABLE t ALTER COLUMN c SET NOT NULL;
-- meanwhile:
INSERT INTO t VALUES (:n, 1);
-- breaks:
INSERT INTO t VALUES (9, NULL);
-- case: quoted and mixed case
-- given:
CREATE SCHEMA "App"; CREATE TABLE "App"."Odd Table" ("Id" bigint PRIMARY KEY, "The Column" text, "select" int); INSERT INTO "App"."Odd Table" VALUES (1, 'x', 1);
-- run:
ALTER TABLE "App"."Odd Table" ALTER COLUMN "The Column" SET NOT NULL;
-- breaks:
INSERT INTO "App"."Odd Table" VALUES (2, NULL, 1);
-- case: reserved word
-- given:
CREATE TABLE "order" ("user" int); INSERT INTO "order" VALUES (1);
-- run:
ALTER TABLE "order" ALTER COLUMN "user" SET NOT NULL;
-- breaks:
INSERT INTO "order" VALUES (NULL);
-- case: on a partitioned table
-- given:
CREATE TABLE p (id int, c int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 2);
-- run:
ALTER TABLE p ALTER COLUMN c SET NOT NULL;
-- breaks:
INSERT INTO p VALUES (2, NULL);
-- case: with inheritance
-- given:
CREATE TABLE a (id int, c int); CREATE TABLE b (d int) INHERITS (a); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1, 1);
-- run:
ALTER TABLE a ALTER COLUMN c SET NOT NULL;
-- breaks:
INSERT INTO b VALUES (1, NULL, 1);
-- case: the name is taken
-- given:
CREATE TABLE t (id int, c int, CONSTRAINT t_c_not_null CHECK (id > 0)); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ALTER COLUMN c SET NOT NULL;
-- breaks:
INSERT INTO t VALUES (1, NULL);
-- case: two columns in one statement
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
-- run:
ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL;
-- breaks:
INSERT INTO t VALUES (2, 1, NULL);
-- case: with another action
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD COLUMN note text, ALTER COLUMN a SET NOT NULL;
-- breaks:
INSERT INTO t VALUES (2, NULL);
-- case: a name at the limit of 63 bytes
-- given:
CREATE TABLE a_table_with_a_name_that_is_nearly_as_long_as_a_name_may_be_1 (id int, a_column_with_a_name_that_is_long int); INSERT INTO a_table_with_a_name_that_is_nearly_as_long_as_a_name_may_be_1 VALUES (1, 1);
-- run:
ALTER TABLE a_table_with_a_name_that_is_nearly_as_long_as_a_name_may_be_1 ALTER COLUMN a_column_with_a_name_that_is_long SET NOT NULL;
-- case: partial history
-- partial
-- given:
CREATE TABLE t (id bigint PRIMARY KEY, c int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ALTER COLUMN c SET NOT NULL;
-- breaks:
INSERT INTO t VALUES (9, NULL);
-- case: search path
-- given:
CREATE SCHEMA app; CREATE TABLE app.t (id bigint PRIMARY KEY, c int); INSERT INTO app.t VALUES (1, 1);
-- run:
SET search_path = app;
ALTER TABLE t ALTER COLUMN c SET NOT NULL;
-- rest:
SET search_path = app;
-- case: not null constraint of 18
-- requires: 18..
-- given:
CREATE TABLE t (id int, c int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT c_is_there NOT NULL c;
-- breaks:
INSERT INTO t VALUES (1, NULL);
-- case: unnamed not null constraint of 18
-- requires: 18..
-- given:
CREATE TABLE t (id int, c int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD NOT NULL c;
-- case: only a child
-- given:
CREATE TABLE p (id int, c int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1, 1);
-- run:
ALTER TABLE p1 ALTER COLUMN c SET NOT NULL;
-- breaks:
INSERT INTO p VALUES (1, NULL);
-- case: if exists
-- given:
CREATE TABLE t (id int, c int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE IF EXISTS t ALTER c SET NOT NULL;
