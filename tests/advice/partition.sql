-- case: attach a range
-- given:
CREATE TABLE p (d date NOT NULL, v int) PARTITION BY RANGE (d); CREATE TABLE c (d date NOT NULL, v int); INSERT INTO c VALUES ('2024-02-02', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- meanwhile:
INSERT INTO c VALUES ('2024-03-03', 1);
-- case: attach a range of a nullable key
-- given:
CREATE TABLE p (d date, v int) PARTITION BY RANGE (d); CREATE TABLE c (d date, v int); INSERT INTO c VALUES ('2024-02-02', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- case: attach an open range
-- given:
CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE c (n int); INSERT INTO c VALUES (5);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (MINVALUE) TO (10);
-- case: attach a range without limits
-- given:
CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE c (n int); INSERT INTO c VALUES (5);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
-- case: attach a range of two columns
-- given:
CREATE TABLE p (a int, b int) PARTITION BY RANGE (a, b); CREATE TABLE c (a int, b int); INSERT INTO c VALUES (1, 5), (2, 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1, 5) TO (2, 7);
-- case: attach a list
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE c (k text, v int); INSERT INTO c VALUES ('a', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN ('a', 'b');
-- case: attach a list of one
-- given:
CREATE TABLE p (k int, v int) PARTITION BY LIST (k); CREATE TABLE c (k int, v int); INSERT INTO c VALUES (1, 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1);
-- case: attach a list with NULL
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE c (k text, v int); INSERT INTO c VALUES ('a', 1), (NULL, 2);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN ('a', NULL);
-- case: attach only NULL
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE c (k text, v int); INSERT INTO c VALUES (NULL, 2);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (NULL);
-- case: attach a hash partition
-- text only
-- given:
CREATE TABLE p (k int) PARTITION BY HASH (k); CREATE TABLE c (k int);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
-- case: attach beside a default partition, range
-- given:
CREATE TABLE p (d date, v int) PARTITION BY RANGE (d); CREATE TABLE p_rest PARTITION OF p DEFAULT; CREATE TABLE c (d date, v int); INSERT INTO c VALUES ('2024-02-02', 1); INSERT INTO p VALUES ('2020-01-01', 1), (NULL, 2);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- case: attach beside a default partition, list
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE p_rest PARTITION OF p DEFAULT; CREATE TABLE c (k text, v int); INSERT INTO c VALUES ('a', 1); INSERT INTO p VALUES ('x', 1), (NULL, 2);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN ('a', 'b');
-- case: attach with quoted names
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S"."P" ("The D" date, v int) PARTITION BY RANGE ("The D"); CREATE TABLE "C c" ("The D" date, v int); INSERT INTO "C c" VALUES ('2024-02-02', 1);
-- run:
ALTER TABLE "S"."P" ATTACH PARTITION "C c" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- case: attach by an expression
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (lower(k)); CREATE TABLE c (k text, v int); INSERT INTO c VALUES ('A', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES IN ('a');
-- case: attach builds the parent's index
-- given:
CREATE TABLE p (d date, v int) PARTITION BY RANGE (d); CREATE INDEX p_v ON p (v); CREATE TABLE c (d date, v int); INSERT INTO c VALUES ('2024-02-02', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- case: partition of, beside a default partition, range
-- given:
CREATE TABLE p (d date, v int) PARTITION BY RANGE (d); CREATE TABLE p_rest PARTITION OF p DEFAULT; INSERT INTO p VALUES ('2020-01-01', 1);
-- run:
CREATE TABLE p24 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- case: partition of, beside a default partition, list
-- given:
CREATE SCHEMA "S"; CREATE TABLE "S".p (k text, v int) PARTITION BY LIST (k); CREATE TABLE "S"."Rest" PARTITION OF "S".p DEFAULT; INSERT INTO "S".p VALUES ('x', 1), (NULL, 2);
-- run:
CREATE TABLE "S".pa PARTITION OF "S".p FOR VALUES IN ('a', 'b');
-- case: partition of, beside a default partition, null
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE p_rest PARTITION OF p DEFAULT; INSERT INTO p VALUES ('x', 1);
-- run:
CREATE TABLE pn PARTITION OF p FOR VALUES IN (NULL);
-- case: partition of, beside a default partition, two columns
-- given:
CREATE TABLE p (a int, b int) PARTITION BY RANGE (a, b); CREATE TABLE p_rest PARTITION OF p DEFAULT; INSERT INTO p VALUES (9, 1), (NULL, 1);
-- run:
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1, 5) TO (2, 7);
-- case: attach a default partition
-- text only
-- given:
CREATE TABLE p (k text, v int) PARTITION BY LIST (k); CREATE TABLE pa PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE c (k text, v int); INSERT INTO c VALUES ('x', 1);
-- run:
ALTER TABLE p ATTACH PARTITION c DEFAULT;
-- case: unique index without the partition key
-- text only
-- given:
CREATE TABLE ev (id bigint NOT NULL, at date NOT NULL, code text) PARTITION BY RANGE (at); CREATE TABLE ev_a PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- run:
CREATE UNIQUE INDEX ev_code ON ev (code);
-- case: primary key without the partition key
-- text only
-- given:
CREATE TABLE ev (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE ev_a PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- run:
ALTER TABLE ev ADD PRIMARY KEY (id);
