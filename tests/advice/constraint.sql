-- case: named check
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0);
-- meanwhile:
INSERT INTO t VALUES (:n, 1);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: unnamed check on one column
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CHECK (a > 0);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: unnamed check on two columns
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 1, 2);
-- run:
ALTER TABLE t ADD CHECK (a < b);
-- breaks:
INSERT INTO t VALUES (2, 2, 1);
-- case: unnamed check whose name is taken
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a < 100)); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CHECK (a > 0);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: two checks in one statement
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 1, 2);
-- run:
ALTER TABLE t ADD CHECK (a > 0), ADD CHECK (b > 0);
-- breaks:
INSERT INTO t VALUES (2, 1, 0);
-- case: check that NULL passes
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, NULL);
-- run:
ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: check no inherit
-- given:
CREATE TABLE a (id int, v int); CREATE TABLE b () INHERITS (a); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, -1);
-- run:
ALTER TABLE a ADD CONSTRAINT pos CHECK (v > 0) NO INHERIT;
-- breaks:
INSERT INTO a VALUES (1, -1);
-- case: check with inheritance
-- given:
CREATE TABLE a (id int, v int); CREATE TABLE b () INHERITS (a); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1);
-- run:
ALTER TABLE a ADD CONSTRAINT pos CHECK (v > 0);
-- breaks:
INSERT INTO b VALUES (1, -1);
-- case: check on a partitioned table
-- given:
CREATE TABLE p (id int, v int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1, 1);
-- run:
ALTER TABLE p ADD CONSTRAINT pos CHECK (v > 0);
-- breaks:
INSERT INTO p VALUES (1, -1);
-- case: check with quoted names
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."T" ("A a" int); INSERT INTO "S"."T" VALUES (1);
-- run:
ALTER TABLE "S"."T" ADD CONSTRAINT "Is it?" CHECK ("A a" > 0);
-- breaks:
INSERT INTO "S"."T" VALUES (0);
-- case: check with a string that says NOT VALID
-- given:
CREATE TABLE t (a text); INSERT INTO t VALUES ('x');
-- run:
ALTER TABLE t ADD CONSTRAINT c CHECK (a <> 'NOT VALID');
-- breaks:
INSERT INTO t VALUES ('NOT VALID');
-- case: foreign key
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE t (id int PRIMARY KEY, r_id int); INSERT INTO t VALUES (1, 1), (2, NULL);
-- run:
ALTER TABLE t ADD CONSTRAINT t_r FOREIGN KEY (r_id) REFERENCES r (id) ON DELETE SET NULL;
-- meanwhile:
INSERT INTO t VALUES (:n, 1);
-- breaks:
INSERT INTO t VALUES (3, 99);
-- case: unnamed foreign key
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE t (id int PRIMARY KEY, r_id int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD FOREIGN KEY (r_id) REFERENCES r;
-- breaks:
INSERT INTO t VALUES (3, 99);
-- case: composite foreign key
-- given:
CREATE TABLE r (a int, b text, PRIMARY KEY (a, b)); INSERT INTO r VALUES (1, 'x'); CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x'), (2, 1, NULL);
-- run:
ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES r;
-- breaks:
INSERT INTO t VALUES (3, 1, 'y');
-- case: composite foreign key match full
-- given:
CREATE TABLE r (a int, b text, PRIMARY KEY (a, b)); INSERT INTO r VALUES (1, 'x'); CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
-- run:
ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES r MATCH FULL;
-- breaks:
INSERT INTO t VALUES (3, 1, NULL);
-- case: deferrable foreign key with quoted names
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."R" ("Id" int PRIMARY KEY); INSERT INTO "S"."R" VALUES (1); CREATE TABLE "S"."T" ("R id" int); INSERT INTO "S"."T" VALUES (1);
-- run:
ALTER TABLE "S"."T" ADD CONSTRAINT "References R" FOREIGN KEY ("R id") REFERENCES "S"."R" ("Id") DEFERRABLE INITIALLY DEFERRED;
-- breaks:
INSERT INTO "S"."T" VALUES (2);
-- case: foreign key to itself
-- given:
CREATE TABLE t (id int PRIMARY KEY, parent int); INSERT INTO t VALUES (1, NULL), (2, 1);
-- run:
ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES t (id);
-- breaks:
INSERT INTO t VALUES (3, 99);
-- case: foreign key of a partitioned table
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE p (id int, r_id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE TABLE p3 PARTITION OF p FOR VALUES IN (3); INSERT INTO p VALUES (1, 1), (2, 1);
-- run:
ALTER TABLE p ADD CONSTRAINT p_r FOREIGN KEY (r_id) REFERENCES r (id);
-- breaks:
INSERT INTO p VALUES (3, 99);
-- case: foreign key of a table partitioned twice
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE p (id int, k int, r_id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (k); CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1, 1), (2, 1, 1);
-- run:
ALTER TABLE p ADD FOREIGN KEY (r_id) REFERENCES r (id);
-- case: foreign key to a partitioned table
-- differs: t_p_id_fkey1
-- given:
CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1); CREATE TABLE t (p_id int); INSERT INTO t VALUES (1);
-- run:
ALTER TABLE t ADD FOREIGN KEY (p_id) REFERENCES p (id);
-- case: unique
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, NULL), (3, NULL);
-- run:
ALTER TABLE t ADD CONSTRAINT t_a UNIQUE (a);
-- meanwhile:
INSERT INTO t VALUES (:n, :n);
-- breaks:
INSERT INTO t VALUES (4, 1);
-- case: unnamed unique
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
-- run:
ALTER TABLE t ADD UNIQUE (a, b);
-- breaks:
INSERT INTO t VALUES (4, 1, 'x');
-- case: unnamed unique whose name is taken
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX t_a_key ON t (a); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD UNIQUE (a);
-- case: unique include
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x');
-- run:
ALTER TABLE t ADD UNIQUE (a) INCLUDE (b);
-- breaks:
INSERT INTO t VALUES (4, 1, 'y');
-- case: unique nulls not distinct
-- requires: 15..
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, NULL);
-- run:
ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a);
-- breaks:
INSERT INTO t VALUES (4, NULL);
-- case: deferrable unique
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) DEFERRABLE INITIALLY DEFERRED;
-- case: unique with storage parameters
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) WITH (fillfactor = 70);
-- case: unique with quoted names
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."T" ("A a" int, b int); INSERT INTO "S"."T" VALUES (1, 1);
-- run:
ALTER TABLE "S"."T" ADD CONSTRAINT "Just one" UNIQUE ("A a", b);
-- breaks:
INSERT INTO "S"."T" VALUES (1, 1);
-- case: unique on a partitioned table
-- given:
CREATE TABLE p (id int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 1);
-- run:
ALTER TABLE p ADD CONSTRAINT u UNIQUE (id, a);
-- breaks:
INSERT INTO p VALUES (1, 1);
-- case: primary key on a partitioned table
-- differs: p1 p_
-- differs: p2 p_
-- given:
CREATE TABLE p (id int NOT NULL, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 1), (2, 1);
-- run:
ALTER TABLE p ADD PRIMARY KEY (id, a);
-- case: primary key
-- given:
CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 1), (2, 1);
-- run:
ALTER TABLE t ADD PRIMARY KEY (id);
-- breaks:
INSERT INTO t VALUES (NULL, 1);
-- case: primary key on a not null column
-- given:
CREATE TABLE t (id int NOT NULL, a int); INSERT INTO t VALUES (1, 1), (2, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT the_key PRIMARY KEY (id);
-- breaks:
INSERT INTO t VALUES (1, 1);
-- case: composite primary key
-- given:
CREATE TABLE t (a int, b text, c int); INSERT INTO t VALUES (1, 'x', 1);
-- run:
ALTER TABLE t ADD PRIMARY KEY (a, b) INCLUDE (c);
-- breaks:
INSERT INTO t VALUES (1, 'x', 2);
-- case: primary key using an index of nullable columns
-- given:
CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'); CREATE UNIQUE INDEX t_idx ON t (a, b);
-- run:
ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY USING INDEX t_idx;
-- breaks:
INSERT INTO t VALUES (NULL, 'x');
-- case: unnamed primary key using an index
-- given:
CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE UNIQUE INDEX t_idx ON t (a);
-- run:
ALTER TABLE t ADD PRIMARY KEY USING INDEX t_idx;
-- case: exclude
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, during int4range); INSERT INTO t VALUES (1, '[1,3)');
-- run:
ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&);
-- breaks:
INSERT INTO t VALUES (2, '[2,4)');
-- case: unnamed exclude with condition
-- text only
-- given:
CREATE TABLE t (id int PRIMARY KEY, during int4range, live bool); INSERT INTO t VALUES (1, '[1,3)', true), (2, '[1,3)', false);
-- run:
ALTER TABLE t ADD EXCLUDE USING gist (during WITH &&) WHERE (live);
-- breaks:
INSERT INTO t VALUES (3, '[2,4)', true);
-- case: exclude on two columns
-- text only
-- given:
CREATE TABLE t ("Room" text, during int4range); INSERT INTO t VALUES ('a', '[1,3)'), ('a', NULL);
-- run:
ALTER TABLE t ADD CONSTRAINT c EXCLUDE USING gist (int4range(length("Room"), length("Room") + 1) WITH &&, during WITH &&);
-- breaks:
INSERT INTO t VALUES ('b', '[2,4)');
-- case: partial, check
-- partial
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: partial, foreign key
-- partial
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE t (id int PRIMARY KEY, r_id int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (r_id) REFERENCES r (id);
-- case: partial, unique
-- partial
-- given:
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);
-- breaks:
INSERT INTO t VALUES (2, 1);
-- case: partial, primary key
-- partial
-- given:
CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD PRIMARY KEY (id);
-- case: check and foreign key in one statement
-- given:
CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1); CREATE TABLE t (id int PRIMARY KEY, r_id int); INSERT INTO t VALUES (1, 1);
-- run:
ALTER TABLE t ADD CONSTRAINT pos CHECK (r_id > 0), ADD CONSTRAINT fk FOREIGN KEY (r_id) REFERENCES r;
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: domain constraint
-- text only
-- given:
CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, a d); INSERT INTO t VALUES (1, 1);
-- run:
ALTER DOMAIN d ADD CONSTRAINT pos CHECK (VALUE > 0);
-- breaks:
INSERT INTO t VALUES (2, 0);
-- case: domain constraint used by two tables
-- text only
-- given:
CREATE SCHEMA "S"; CREATE DOMAIN "S".d AS text; CREATE TABLE t (id int PRIMARY KEY, "A" "S".d); CREATE TABLE u (b "S".d, c "S".d); INSERT INTO t VALUES (1, 'x');
-- run:
ALTER DOMAIN "S".d ADD CHECK (value <> '' AND length(VALUE) < 5);
-- breaks:
INSERT INTO u VALUES ('x', '');
-- case: domain not null
-- text only
-- given:
CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, a d); INSERT INTO t VALUES (1, 1);
-- run:
ALTER DOMAIN d SET NOT NULL;
-- breaks:
INSERT INTO t VALUES (2, NULL);
-- case: validate a domain constraint
-- text only
-- given:
CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, a d); INSERT INTO t VALUES (1, 0), (2, NULL); DELETE FROM t WHERE id = 1; ALTER DOMAIN d ADD CONSTRAINT pos CHECK (VALUE > 0) NOT VALID;
-- run:
ALTER DOMAIN d VALIDATE CONSTRAINT pos;
