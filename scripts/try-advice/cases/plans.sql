-- case: queue of repair orders by state
-- given:
CREATE TABLE repair (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, wagon text NOT NULL, state text NOT NULL, due date, note text); INSERT INTO repair (wagon, state, due, note) SELECT 'w' || i % 900, (ARRAY['open','done','done','done','done'])[1 + i % 5], '2024-01-01'::date + i % 400, repeat('n', 40) FROM generate_series(1, 30000) i;
-- meanwhile:
INSERT INTO repair (wagon, state, due, note) VALUES ('x:n', 'open', '2024-02-02', 'n');
UPDATE repair SET state = 'done' WHERE id = 7;
SELECT count(*) FROM repair WHERE wagon = 'w7';
-- query:
SELECT * FROM repair WHERE wagon = 'w17' AND due > '2024-06-01' ORDER BY due DESC LIMIT 5
-- case: pattern on a quoted column
-- given:
CREATE SCHEMA "Ost"; CREATE TABLE "Ost"."Fahrgast" ("Nr" serial PRIMARY KEY, "Name" text, "Land" char(2)); INSERT INTO "Ost"."Fahrgast" ("Name", "Land") SELECT 'name' || i, 'de' FROM generate_series(1, 30000) i;
-- meanwhile:
INSERT INTO "Ost"."Fahrgast" ("Name", "Land") VALUES ('q:n', 'at');
SELECT count(*) FROM "Ost"."Fahrgast" WHERE "Nr" = 3;
-- query:
SELECT "Nr" FROM "Ost"."Fahrgast" WHERE "Name" LIKE 'name2999%'
-- case: partitioned readings by device
-- given:
CREATE TABLE reading (device int NOT NULL, at date NOT NULL, v real) PARTITION BY RANGE (at); CREATE TABLE reading_24 PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE reading_25 PARTITION OF reading FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); INSERT INTO reading SELECT i % 2000, '2024-01-01'::date + i % 700, i FROM generate_series(1, 60000) i;
-- meanwhile:
INSERT INTO reading VALUES (5, '2024-05-05', :n);
SELECT count(*) FROM reading WHERE at = '2024-05-05';
-- query:
SELECT avg(v) FROM reading WHERE device = 77
-- case: document by a key of it
-- given:
CREATE TABLE doc (id int PRIMARY KEY, body jsonb NOT NULL); INSERT INTO doc SELECT i, jsonb_build_object('ref', 'r' || i, 'n', i) FROM generate_series(1, 30000) i;
-- meanwhile:
INSERT INTO doc VALUES (100000 + :n, '{"ref": "z"}') ON CONFLICT DO NOTHING;
UPDATE doc SET body = body || '{"seen": true}' WHERE id = 9;
-- query:
SELECT id FROM doc WHERE body ->> 'ref' = 'r777'
-- case: join without an index on the reference
-- given:
CREATE TABLE client (id int PRIMARY KEY, name text); CREATE TABLE job (id int PRIMARY KEY, client int REFERENCES client, hours int, row_note text); INSERT INTO client SELECT i, 'c' || i FROM generate_series(1, 500) i; INSERT INTO job SELECT i, 1 + i % 500, i % 9, repeat('x', 60) FROM generate_series(1, 40000) i;
-- meanwhile:
INSERT INTO job (id, client, hours, row_note) VALUES (100000 + :n, 3, 1, 'r');
DELETE FROM job WHERE id = 100000 + :n;
-- query:
SELECT c.name, sum(j.hours) FROM client c JOIN job j ON j.client = c.id WHERE c.name = 'c77' GROUP BY 1
