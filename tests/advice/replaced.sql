-- case: primary key replaced by another
-- given:
DROP PUBLICATION IF EXISTS p; CREATE TABLE m (id bigint CONSTRAINT m_pk PRIMARY KEY, a int NOT NULL DEFAULT 1, b text); INSERT INTO m SELECT i, i, 'b' FROM generate_series(1, 5) i; CREATE PUBLICATION p FOR TABLE m;
-- run:
ALTER TABLE m DROP CONSTRAINT m_pk, ADD CONSTRAINT m_pk PRIMARY KEY (id, a);
-- meanwhile:
INSERT INTO m (id) VALUES (:n) ON CONFLICT DO NOTHING;
UPDATE m SET b = 'c' WHERE id = 1;
-- case: primary key replaced, written the other way around
-- given:
CREATE TABLE m (id bigint CONSTRAINT m_pk PRIMARY KEY, a int); INSERT INTO m SELECT i, i FROM generate_series(1, 5) i;
-- run:
ALTER TABLE m ADD CONSTRAINT m_pk PRIMARY KEY (a, id), DROP CONSTRAINT m_pk;
-- meanwhile:
INSERT INTO m VALUES (:n, 1);
-- case: unique constraint replaced by a wider one
-- given:
CREATE TABLE m (id int PRIMARY KEY, b text, d text CONSTRAINT m_d UNIQUE); INSERT INTO m VALUES (1, 'b', 'd'), (2, NULL, NULL);
-- run:
ALTER TABLE m DROP CONSTRAINT m_d, ADD CONSTRAINT m_d UNIQUE (d, b);
-- meanwhile:
INSERT INTO m VALUES (:n, 'x', 'x' || :n) ON CONFLICT DO NOTHING;
-- case: unique constraint replaced by one of another name
-- given:
CREATE TABLE m (id int PRIMARY KEY, b text, d text CONSTRAINT m_d UNIQUE); INSERT INTO m VALUES (1, 'b', 'd');
-- run:
ALTER TABLE m DROP CONSTRAINT m_d, ADD CONSTRAINT m_d_b UNIQUE (d, b) DEFERRABLE;
-- meanwhile:
INSERT INTO m VALUES (:n, 'x', 'x' || :n);
-- case: check replaced by one that contradicts it
-- given:
CREATE TABLE m (id int PRIMARY KEY, a int CONSTRAINT m_a CHECK (a <= 0)); INSERT INTO m VALUES (1, 0);
-- run:
ALTER TABLE m DROP CONSTRAINT m_a, ADD CONSTRAINT m_a CHECK (a >= 0);
-- meanwhile:
INSERT INTO m VALUES (:n, 0);
-- breaks:
INSERT INTO m VALUES (2, -1);
-- case: foreign key replaced
-- given:
CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE m (id int PRIMARY KEY, u int CONSTRAINT m_u REFERENCES u); INSERT INTO u VALUES (1); INSERT INTO m VALUES (1, 1);
-- run:
ALTER TABLE m DROP CONSTRAINT m_u, ADD CONSTRAINT m_u FOREIGN KEY (u) REFERENCES u (id) ON DELETE CASCADE;
-- meanwhile:
INSERT INTO m VALUES (:n, 1);
-- case: default dropped and set around a new type
-- given:
CREATE TABLE m (id int PRIMARY KEY, a int NOT NULL DEFAULT 1); INSERT INTO m SELECT i, i FROM generate_series(1, 5) i;
-- run:
ALTER TABLE m ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE bigint, ALTER COLUMN a SET DEFAULT 1;
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
-- case: enum of another making
-- given:
CREATE TYPE old AS ENUM ('a', 'b'); CREATE TYPE new AS ENUM ('a', 'b', 'c');
CREATE TABLE m (id int PRIMARY KEY, s old NOT NULL DEFAULT 'a'); INSERT INTO m VALUES (1, 'b');
-- run:
ALTER TABLE m ALTER COLUMN s DROP DEFAULT, ALTER COLUMN s TYPE new USING s::text::new, ALTER COLUMN s SET DEFAULT 'a';
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
-- case: two types with their defaults and a key over both
-- given:
CREATE TABLE m (a int NOT NULL DEFAULT 1, b int NOT NULL DEFAULT 2, CONSTRAINT m_pk PRIMARY KEY (a, b)); INSERT INTO m SELECT i, i FROM generate_series(11, 15) i;
-- run:
ALTER TABLE m ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE bigint, ALTER COLUMN a SET DEFAULT 1, ALTER COLUMN b DROP DEFAULT, ALTER COLUMN b TYPE bigint, ALTER COLUMN b SET DEFAULT 2;
-- meanwhile:
INSERT INTO m (a) VALUES (:n);
-- case: key dropped and added as it was around a new type
-- given:
CREATE TABLE m (id int NOT NULL, a int, CONSTRAINT m_pk PRIMARY KEY (id)); INSERT INTO m SELECT i, i FROM generate_series(1, 5) i;
-- run:
ALTER TABLE m DROP CONSTRAINT m_pk, ALTER COLUMN id TYPE bigint, ADD CONSTRAINT m_pk PRIMARY KEY (id);
-- meanwhile:
INSERT INTO m (id, a) VALUES (:n, 1);
-- case: column dropped and added again
-- differs: rows of
-- given:
CREATE TABLE m (id int PRIMARY KEY, b text); INSERT INTO m SELECT i, 'b' FROM generate_series(1, 5) i;
-- run:
ALTER TABLE m DROP COLUMN b, ADD COLUMN b uuid NOT NULL DEFAULT gen_random_uuid();
-- meanwhile:
INSERT INTO m (id) VALUES (:n) ON CONFLICT DO NOTHING;
-- case: column dropped beside a new check
-- given:
CREATE TABLE m (id int PRIMARY KEY, a int, b text); INSERT INTO m VALUES (1, 1, 'b');
-- run:
ALTER TABLE m DROP COLUMN b, ADD CONSTRAINT m_a CHECK (a > 0);
-- case: not null beside a dropped default
-- given:
CREATE TABLE m (id int PRIMARY KEY, a int DEFAULT 1); INSERT INTO m VALUES (1, 1);
-- run:
ALTER TABLE m ALTER COLUMN a SET NOT NULL, ALTER COLUMN a DROP DEFAULT;
-- meanwhile:
INSERT INTO m (id, a) VALUES (:n, 1);
-- case: key of a partitioned table replaced
-- text only
-- given:
CREATE TABLE m (id int, at date, CONSTRAINT m_u UNIQUE (at)) PARTITION BY RANGE (at); CREATE TABLE m_a PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- run:
ALTER TABLE m DROP CONSTRAINT m_u, ADD CONSTRAINT m_u UNIQUE (at, id);
-- case: check written for the new type
-- given:
CREATE TABLE m (id int PRIMARY KEY, a int CONSTRAINT m_a CHECK (a > 0)); INSERT INTO m VALUES (1, 5);
-- run:
ALTER TABLE m DROP CONSTRAINT m_a, ALTER COLUMN a TYPE text, ADD CONSTRAINT m_a CHECK (a <> '5x');
-- meanwhile:
INSERT INTO m VALUES (:n, 7);
-- case: check written for the new type, with rows that break it
-- given:
CREATE TABLE m (id int PRIMARY KEY, a text, b int); INSERT INTO m VALUES (1, '5', 1);
-- run:
ALTER TABLE m ALTER COLUMN a TYPE int USING a::int, ADD CONSTRAINT m_a CHECK (a > b);
-- breaks:
INSERT INTO m VALUES (2, '3', 4);
-- case: not null of a retyped column beside a dropped one
-- given:
CREATE TABLE m (id bigint PRIMARY KEY, x int, y text); INSERT INTO m VALUES (1, 1, 'y');
-- run:
ALTER TABLE m ALTER COLUMN x TYPE bigint, DROP COLUMN y, ALTER COLUMN x SET NOT NULL;
-- meanwhile:
INSERT INTO m (id, x) VALUES (:n, 7);
-- case: settings of a retyped column beside a dropped NOT NULL
-- given:
CREATE TABLE m (id bigint PRIMARY KEY, x int, w int NOT NULL); INSERT INTO m VALUES (1, 1, 1);
-- run:
ALTER TABLE m ALTER COLUMN x TYPE bigint, ALTER COLUMN w DROP NOT NULL, ALTER COLUMN x SET STATISTICS 500;
-- meanwhile:
INSERT INTO m (id, x, w) VALUES (:n, 7, 1);
-- case: reference of a partitioned table gets another action
-- given:
CREATE TABLE c (id bigint PRIMARY KEY); INSERT INTO c VALUES (1), (2); CREATE TABLE m (id int, at date, c bigint CONSTRAINT m_c REFERENCES c) PARTITION BY RANGE (at); CREATE TABLE m_a PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE m_rest PARTITION OF m DEFAULT PARTITION BY LIST (id); CREATE TABLE m_rest_1 PARTITION OF m_rest DEFAULT; INSERT INTO m VALUES (1, '2024-02-02', 1), (2, '2020-02-02', NULL);
-- run:
ALTER TABLE m DROP CONSTRAINT m_c, ADD CONSTRAINT m_c FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE;
-- meanwhile:
INSERT INTO m VALUES (:n, '2024-03-03', 2);
-- case: columns made required by the command that makes them the key
-- given:
CREATE TABLE m (hall text, no int, note text); INSERT INTO m SELECT 'h', i FROM generate_series(1, 5) i;
-- run:
ALTER TABLE m ALTER COLUMN no SET NOT NULL, ADD PRIMARY KEY (hall, no);
-- meanwhile:
INSERT INTO m VALUES ('i', :n);
-- breaks:
INSERT INTO m VALUES ('h', NULL);
