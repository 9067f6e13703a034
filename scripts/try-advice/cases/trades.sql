-- case: theatre, key of seats is made after NOT NULL in one file
-- given:
CREATE TABLE seat (hall text, no int, row_label text, price money DEFAULT 12.5, CONSTRAINT seat_row CHECK (row_label <> ''));
INSERT INTO seat SELECT 'main', i, 'r' || i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE seat ALTER COLUMN hall SET NOT NULL, ALTER COLUMN no SET NOT NULL;
ALTER TABLE seat ADD CONSTRAINT seat_pk PRIMARY KEY (hall, no);
-- meanwhile:
INSERT INTO seat (hall, no, row_label) VALUES ('small', 1000 + :n, 'z');
UPDATE seat SET price = price * 1.1 WHERE no = 3;
SELECT sum(price) FROM seat WHERE hall = 'main';
-- case: theatre, NOT NULL and key in one command
-- given:
CREATE TABLE seat (hall text, no int, row_label text);
INSERT INTO seat SELECT 'main', i, 'r' || i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE seat ALTER COLUMN no SET NOT NULL, ADD PRIMARY KEY (no), ALTER COLUMN hall SET NOT NULL;
-- meanwhile:
INSERT INTO seat (hall, no, row_label) VALUES ('small', 1000 + :n, 'z');
SELECT count(*) FROM seat WHERE no > 3;
-- case: theatre, booking's reference gets a cascade on partitions
-- given:
CREATE TABLE show (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL);
CREATE TABLE booking (id bigint NOT NULL, on_date date NOT NULL, show_id bigint NOT NULL CONSTRAINT booking_show REFERENCES show, PRIMARY KEY (id, on_date)) PARTITION BY RANGE (on_date);
CREATE TABLE booking_24 PARTITION OF booking FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE booking_rest PARTITION OF booking DEFAULT;
INSERT INTO show (title) SELECT 's' || i FROM generate_series(1, 9) i; INSERT INTO booking SELECT i, '2024-06-01'::date + i * 30, 1 + i % 9 FROM generate_series(1, 20) i;
-- run:
ALTER TABLE booking DROP CONSTRAINT booking_show;
ALTER TABLE booking ADD CONSTRAINT booking_show FOREIGN KEY (show_id) REFERENCES show ON DELETE CASCADE;
-- meanwhile:
INSERT INTO booking (id, on_date, show_id) VALUES (1000 + :n, '2024-03-03', 2);
INSERT INTO show (title) VALUES ('new');
SELECT count(*) FROM booking b JOIN show s ON s.id = b.show_id;
-- case: theatre, deferrable unique key is exchanged for one of two columns
-- given:
CREATE TABLE ticket (id bigint PRIMARY KEY, place int, show int NOT NULL, CONSTRAINT ticket_once UNIQUE (place) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO ticket SELECT i, i, i % 3 FROM generate_series(1, 30) i;
-- run:
ALTER TABLE ticket DROP CONSTRAINT ticket_once, ADD CONSTRAINT ticket_once UNIQUE (show, place) DEFERRABLE;
-- meanwhile:
INSERT INTO ticket (id, place, show) VALUES (1000 + :n, 1000 + :n, 1);
DO $$ BEGIN UPDATE ticket SET place = CASE place WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2); END $$;
-- case: railway, wagon's code is a domain and gets longer than its index knows
-- given:
CREATE DOMAIN wagon_code AS varchar(12) CHECK (VALUE ~ '^[0-9]+$'); CREATE TABLE wagon (code wagon_code PRIMARY KEY, built timestamp NOT NULL DEFAULT '2001-01-01', axles smallint[] NOT NULL DEFAULT '{2,2}', tare real);
CREATE INDEX wagon_built ON wagon (built DESC) WHERE tare IS NOT NULL; CREATE STATISTICS wagon_stat (dependencies) ON built, tare FROM wagon; ALTER TABLE wagon ALTER COLUMN built SET STATISTICS 500; COMMENT ON COLUMN wagon.built IS 'by the maker';
INSERT INTO wagon (code, tare) SELECT (100000 + i)::text, i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE wagon ALTER COLUMN built TYPE date USING built::date, ALTER COLUMN tare TYPE numeric(8,1);
-- meanwhile:
INSERT INTO wagon (code, tare) VALUES ((900000 + :n)::text, 12.3);
UPDATE wagon SET tare = tare + 1, axles = axles || 2::smallint WHERE code = '100003';
SELECT max(built) FROM wagon WHERE tare IS NOT NULL;
-- case: railway, a tree of sections with a trigger that writes an audit
-- given:
CREATE TABLE section (id int PRIMARY KEY, upper int REFERENCES section ON DELETE SET NULL, km numeric(6,2) NOT NULL, changed int NOT NULL DEFAULT 0); CREATE TABLE section_log (id bigserial PRIMARY KEY, section int, km numeric);
CREATE FUNCTION section_note() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO section_log (section, km) VALUES (NEW.id, NEW.km); RETURN NULL; END $f$; CREATE TRIGGER section_note AFTER UPDATE OF km ON section FOR EACH ROW EXECUTE FUNCTION section_note();
INSERT INTO section SELECT i, nullif(i / 2, 0), i FROM generate_series(1, 31) i;
-- differs: rows of section_log
-- differs: section_log_id_seq
-- run:
ALTER TABLE section ALTER COLUMN id TYPE bigint, ALTER COLUMN upper TYPE bigint;
-- meanwhile:
INSERT INTO section (id, upper, km) VALUES (1000 + :n, 4, 2.5);
UPDATE section SET km = km + 0.01 WHERE id = 5;
-- case: railway, new column filled from another table and required
-- given:
CREATE TABLE depot (id int PRIMARY KEY, region text NOT NULL); CREATE TABLE loco (id int PRIMARY KEY, depot int NOT NULL REFERENCES depot, region text); INSERT INTO depot SELECT i, 'r' || i FROM generate_series(1, 5) i; INSERT INTO loco SELECT i, 1 + i % 5, CASE WHEN i % 2 = 0 THEN 'x' END FROM generate_series(1, 40) i;
-- text only
-- run:
UPDATE loco SET region = d.region FROM depot d WHERE d.id = loco.depot AND loco.region IS NULL;
ALTER TABLE loco ALTER COLUMN region SET NOT NULL;
-- meanwhile:
INSERT INTO loco (id, depot, region) VALUES (1000 + :n, 2, 'q');
UPDATE loco SET depot = 3 WHERE id = 7;
-- case: laboratory, row security, forced, with a policy on the column
-- given:
CREATE TABLE sample (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, lab int NOT NULL, barcode varchar(30) NOT NULL, taken timestamptz NOT NULL DEFAULT '2024-02-02 12:00+00');
ALTER TABLE sample ENABLE ROW LEVEL SECURITY; ALTER TABLE sample FORCE ROW LEVEL SECURITY; CREATE POLICY own_lab ON sample FOR ALL TO app USING (lab = 1) WITH CHECK (lab = 1); CREATE POLICY seen ON sample FOR SELECT TO reader USING (lab <> 0); GRANT SELECT (id, lab), UPDATE (lab) ON sample TO app; GRANT SELECT ON sample TO reader;
INSERT INTO sample (lab, barcode) SELECT i % 3, 'b' || i FROM generate_series(1, 30) i;
-- run:
ALTER TABLE sample ALTER COLUMN lab TYPE bigint;
-- meanwhile:
INSERT INTO sample (lab, barcode) VALUES (2, 'c' || :n);
UPDATE sample SET lab = 1 WHERE id = 3;
SELECT count(*) FROM sample WHERE lab = 1;
-- case: laboratory, published columns and full identity
-- requires: 15..
-- given:
DROP PUBLICATION IF EXISTS results; CREATE TABLE result (id int PRIMARY KEY, value numeric(6,2), unit varchar(8) NOT NULL DEFAULT 'g'); ALTER TABLE result REPLICA IDENTITY FULL; CREATE PUBLICATION results FOR TABLE result (id, value, unit); INSERT INTO result SELECT i, i FROM generate_series(1, 30) i;
-- run:
ALTER TABLE result ALTER COLUMN unit TYPE varchar(4), ALTER COLUMN value TYPE numeric(10,4);
-- meanwhile:
INSERT INTO result (id, value) VALUES (1000 + :n, 2.25);
UPDATE result SET value = 4 WHERE id = 4;
-- case: laboratory, the reading becomes required, unique and checked
-- given:
CREATE TABLE reading (id int PRIMARY KEY, device int, at timestamptz, value double precision); INSERT INTO reading SELECT i, i % 4, '2024-01-01'::timestamptz + i * interval '1 s', i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE reading ALTER COLUMN device SET NOT NULL, ALTER COLUMN at SET NOT NULL, ADD CONSTRAINT reading_once UNIQUE (device, at), ADD CONSTRAINT reading_sane CHECK (value < 1e9);
-- meanwhile:
INSERT INTO reading (id, device, at, value) VALUES (1000 + :n, 9, '2024-05-05'::timestamptz + :n * interval '1 s', 3);
UPDATE reading SET value = value + 1 WHERE id = 4;
-- case: seed bank, index of another shape under the same name
-- given:
CREATE TABLE "Akzession" ("Nummer" text PRIMARY KEY, "Art" text NOT NULL, "Jahr" int, aktiv boolean NOT NULL DEFAULT true); CREATE INDEX "Art_idx" ON "Akzession" ("Art"); ALTER TABLE "Akzession" CLUSTER ON "Art_idx"; COMMENT ON INDEX "Art_idx" IS 'by species';
INSERT INTO "Akzession" SELECT 'n' || i, 'a' || i % 7, 1990 + i FROM generate_series(1, 40) i;
-- run:
DROP INDEX "Art_idx";
CREATE INDEX "Art_idx" ON "Akzession" ("Art", "Jahr" DESC) WHERE aktiv;
-- meanwhile:
INSERT INTO "Akzession" ("Nummer", "Art") VALUES ('m' || :n, 'a1');
SELECT count(*) FROM "Akzession" WHERE "Art" = 'a1' AND aktiv;
-- case: seed bank, generated column leans on what changes
-- text only
-- given:
CREATE TABLE lot (id bigint PRIMARY KEY, grams int NOT NULL, per_seed numeric(8,4) NOT NULL DEFAULT 0.02, seeds numeric GENERATED ALWAYS AS (grams / per_seed) STORED); INSERT INTO lot (id, grams) SELECT i, i * 10 FROM generate_series(1, 30) i;
-- run:
ALTER TABLE lot ALTER COLUMN id TYPE numeric(20);
-- meanwhile:
INSERT INTO lot (id, grams) VALUES (1000 + :n, 30);
UPDATE lot SET grams = grams + 1 WHERE id = 3;
-- case: seed bank, the check of a range is made narrower
-- given:
CREATE TABLE trial (id int PRIMARY KEY, germination smallint, CONSTRAINT trial_percent CHECK (germination >= 0)); INSERT INTO trial SELECT i, i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE trial DROP CONSTRAINT trial_percent;
ALTER TABLE trial ADD CONSTRAINT trial_percent CHECK (germination BETWEEN 0 AND 100);
-- meanwhile:
INSERT INTO trial (id, germination) VALUES (1000 + :n, 50);
UPDATE trial SET germination = 99 WHERE id = 5;
-- case: tariff, key widened by its period
-- given:
CREATE TABLE tariff (code text, valid_from date NOT NULL, cents int NOT NULL, CONSTRAINT tariff_pkey PRIMARY KEY (code)) WITH (fillfactor = 70, autovacuum_enabled = false); INSERT INTO tariff SELECT 'c' || i, '2024-01-01', i FROM generate_series(1, 40) i;
-- run:
ALTER TABLE tariff DROP CONSTRAINT tariff_pkey;
ALTER TABLE tariff ADD CONSTRAINT tariff_pkey PRIMARY KEY (code, valid_from);
-- meanwhile:
INSERT INTO tariff (code, valid_from, cents) VALUES ('d' || :n, '2024-02-02', 5);
UPDATE tariff SET cents = cents + 1 WHERE code = 'c3';
-- case: tariff, a unique index without distinct nulls, and text pattern
-- requires: 15..
-- given:
CREATE TABLE zone (id int PRIMARY KEY, name text, country char(2)); INSERT INTO zone SELECT i, 'z' || i, NULL FROM generate_series(1, 30) i;
-- run:
CREATE UNIQUE INDEX zone_name ON zone (name text_pattern_ops, country) NULLS NOT DISTINCT;
ALTER TABLE zone ALTER COLUMN name SET NOT NULL;
-- meanwhile:
INSERT INTO zone (id, name) VALUES (1000 + :n, 'y' || :n);
-- case: tariff, view over a column whose type grows
-- given:
CREATE TABLE fare (id int PRIMARY KEY, line int NOT NULL, cents int NOT NULL DEFAULT 250); CREATE VIEW fare_by_line AS SELECT line, sum(cents) AS cents, count(*) AS fares FROM fare GROUP BY line; GRANT SELECT ON fare_by_line TO reader; COMMENT ON VIEW fare_by_line IS 'shown'; INSERT INTO fare SELECT i, i % 4 FROM generate_series(1, 30) i;
-- run:
DROP VIEW fare_by_line;
ALTER TABLE fare ALTER COLUMN cents TYPE bigint;
CREATE VIEW fare_by_line AS SELECT line, sum(cents) AS cents, count(*) AS fares FROM fare GROUP BY line;
GRANT SELECT ON fare_by_line TO reader;
-- meanwhile:
INSERT INTO fare (id, line) VALUES (1000 + :n, 2);
UPDATE fare SET cents = cents + 5 WHERE id = 4;
SELECT * FROM fare_by_line;
-- case: tariff, serial near its end referenced by a child partition tree
-- differs: sequence
-- given:
CREATE TABLE rider (id serial PRIMARY KEY, name text); ALTER SEQUENCE rider_id_seq RESTART 2147480000; CREATE TABLE ride (rider_id int NOT NULL REFERENCES rider, at date NOT NULL, cents int) PARTITION BY LIST (at); CREATE TABLE ride_a PARTITION OF ride FOR VALUES IN ('2024-01-01'); CREATE TABLE ride_rest PARTITION OF ride DEFAULT; INSERT INTO rider (name) SELECT 'r' FROM generate_series(1, 20) i; INSERT INTO ride SELECT 2147480003, '2024-01-01', i FROM generate_series(1, 20) i;
-- text only
-- run:
ALTER TABLE rider ALTER COLUMN id TYPE bigint;
-- meanwhile:
INSERT INTO rider (name) VALUES ('s');
INSERT INTO ride (rider_id, at, cents) VALUES (2147480001, '2024-02-02', 3);
SELECT count(*) FROM ride JOIN rider ON rider.id = ride.rider_id;
-- case: clinic, column renamed under row security, a trigger and a view
-- given:
CREATE TABLE pet (id int PRIMARY KEY, owner int NOT NULL, chip text); CREATE VIEW chipped AS SELECT id, owner, chip FROM pet WHERE chip IS NOT NULL; ALTER TABLE pet ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON pet USING (owner = 1); CREATE UNIQUE INDEX pet_chip ON pet (chip) WHERE chip IS NOT NULL;
CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.id := NEW.id; RETURN NEW; END $f$; CREATE TRIGGER tidy BEFORE INSERT ON pet FOR EACH ROW EXECUTE FUNCTION tidy(); INSERT INTO pet SELECT i, i % 4, 'c' || i FROM generate_series(1, 30) i;
-- run:
ALTER TABLE pet RENAME COLUMN owner TO owner_id;
-- meanwhile:
DO $$ DECLARE own text; BEGIN SELECT attname INTO own FROM pg_attribute WHERE attrelid = 'pet'::regclass AND attname IN ('owner', 'owner_id') AND NOT attisdropped ORDER BY attname LIMIT 1; EXECUTE format('INSERT INTO pet (id, %I, chip) VALUES (1000 + :n, 2, $x$d:n$x$)', own); END $$;
SELECT count(*) FROM chipped;
-- case: clinic, table renamed that others reference and a sequence feeds
-- given:
CREATE TABLE vet (id serial PRIMARY KEY, name text NOT NULL UNIQUE); CREATE TABLE visit (id int PRIMARY KEY, vet int REFERENCES vet ON DELETE CASCADE); GRANT SELECT, INSERT ON vet TO app; INSERT INTO vet (name) SELECT 'v' || i FROM generate_series(1, 20) i; INSERT INTO visit SELECT i, i FROM generate_series(1, 20) i;
-- run:
ALTER TABLE vet RENAME TO doctor;
-- meanwhile:
INSERT INTO visit (id, vet) VALUES (1000 + :n, 3);
-- case: clinic, foreign key and its proof in one transaction
-- given:
CREATE TABLE drug (id int PRIMARY KEY, name text); CREATE TABLE dose (id int PRIMARY KEY, drug int, mg numeric); INSERT INTO drug SELECT i FROM generate_series(1, 9) i; INSERT INTO dose SELECT i, 1 + i % 9 FROM generate_series(1, 40) i;
-- run:
BEGIN;
ALTER TABLE dose ADD CONSTRAINT dose_drug FOREIGN KEY (drug) REFERENCES drug (id) ON DELETE SET NULL NOT VALID;
ALTER TABLE dose VALIDATE CONSTRAINT dose_drug;
COMMIT;
-- meanwhile:
INSERT INTO dose (id, drug, mg) VALUES (1000 + :n, 3, 2);
INSERT INTO drug (id, name) VALUES (5000 + :n, 'x');
-- case: clinic, trigger and policy made again beside a key of another table
-- given:
CREATE TABLE chart (id int PRIMARY KEY, owner int, body text); CREATE TABLE note (id int, chart int NOT NULL, body text); ALTER TABLE chart ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON chart USING (owner = 1);
INSERT INTO chart SELECT i, 1, 'b' FROM generate_series(1, 20) i; INSERT INTO note SELECT i, 1, 'n' FROM generate_series(1, 20) i;
-- run:
DROP POLICY p ON chart;
ALTER TABLE note ADD PRIMARY KEY (id);
CREATE POLICY p ON chart USING (owner = 1 OR owner IS NULL);
-- meanwhile:
INSERT INTO chart (id, owner) VALUES (1000 + :n, 1);
INSERT INTO note (id, chart) VALUES (1000 + :n, 1);
-- case: clinic, stay without overlap gets its reference
-- given:
CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE TABLE cage (id int PRIMARY KEY); CREATE TABLE stay (id int PRIMARY KEY, cage int NOT NULL, during daterange NOT NULL, EXCLUDE USING gist (cage WITH =, during WITH &&)); INSERT INTO cage SELECT i FROM generate_series(1, 40) i; INSERT INTO stay SELECT i, i, daterange('2024-01-01', '2024-01-05') FROM generate_series(1, 30) i;
-- run:
ALTER TABLE stay ADD CONSTRAINT stay_cage FOREIGN KEY (cage) REFERENCES cage (id) ON UPDATE CASCADE, ADD COLUMN paid boolean NOT NULL DEFAULT false;
-- meanwhile:
INSERT INTO cage (id) VALUES (1000 + :n);
INSERT INTO stay (id, cage, during) VALUES (1000 + :n, 1000 + :n, daterange('2024-01-01', '2024-01-05'));
-- case: clinic, text document to jsonb with default, inherited
-- given:
CREATE TABLE base_doc (id int NOT NULL, body text NOT NULL DEFAULT '{}'); CREATE TABLE lab_doc (lab int) INHERITS (base_doc); INSERT INTO base_doc SELECT i, '[1, {"a": null}]' FROM generate_series(1, 20) i; INSERT INTO lab_doc SELECT 100 + i, '{"b": [2]}', 1 FROM generate_series(1, 20) i;
-- text only
-- run:
ALTER TABLE base_doc ALTER COLUMN body DROP DEFAULT, ALTER COLUMN body TYPE jsonb USING body::jsonb, ALTER COLUMN body SET DEFAULT '{}';
-- meanwhile:
INSERT INTO base_doc (id) VALUES (1000 + :n);
INSERT INTO lab_doc (id, lab) VALUES (2000 + :n, 2);
-- query:
SELECT * FROM base_doc WHERE body = '{}' ORDER BY id DESC LIMIT 3
