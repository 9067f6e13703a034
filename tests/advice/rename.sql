-- case: column
-- given:
CREATE TABLE m (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', other int); INSERT INTO m VALUES (1, 'a'), (2, 'b');
CREATE INDEX m_name_idx ON m (name) WHERE other IS NULL; COMMENT ON COLUMN m.name IS 'what it is called'; GRANT SELECT (name) ON m TO reader; GRANT UPDATE (name) ON m TO app;
ALTER TABLE m ALTER COLUMN name SET STATISTICS 500;
-- run:
ALTER TABLE m RENAME COLUMN name TO full_name;
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
UPDATE m SET other = 1 WHERE id = 1;
-- case: column that is NULL in some rows, written by code of both names
-- given:
CREATE TABLE m (id int PRIMARY KEY, note text); INSERT INTO m VALUES (1, 'a'), (2, NULL);
-- run:
ALTER TABLE m RENAME COLUMN note TO remark;
-- meanwhile:
DO $$ DECLARE own text; BEGIN
    FOR own IN SELECT attname FROM pg_attribute WHERE attrelid = 'm'::regclass AND attname IN ('note', 'remark') AND NOT attisdropped LOOP
        EXECUTE format('INSERT INTO m (id, %I) VALUES (%s, %L)', own, 2 * :n + (own = 'note')::int * 100000, 'same');
        EXECUTE format('DELETE FROM m WHERE id > 1000');
        EXECUTE format('UPDATE m SET %I = %L WHERE id = 1', own, 'c');
        EXECUTE format('UPDATE m SET %I = NULL WHERE id = 2', own);
    END LOOP;
END $$;
-- case: unique and checked
-- given:
CREATE TABLE m (id int PRIMARY KEY, code text CONSTRAINT m_code UNIQUE CONSTRAINT m_code_check CHECK (code <> '')); INSERT INTO m VALUES (1, 'a'), (2, 'b'), (3, NULL);
-- run:
ALTER TABLE m RENAME COLUMN code TO reference;
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
-- case: primary key that counts
-- given:
CREATE TABLE m (id serial PRIMARY KEY, a int); INSERT INTO m (a) VALUES (1), (2);
-- run:
ALTER TABLE m RENAME COLUMN id TO number;
-- case: identity
-- given:
CREATE TABLE m (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 10), a int CONSTRAINT m_a PRIMARY KEY); INSERT INTO m (a) VALUES (1), (2);
-- run:
ALTER TABLE m RENAME COLUMN id TO number;
-- case: foreign key
-- given:
CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1); CREATE TABLE m (id int PRIMARY KEY, u int CONSTRAINT m_u REFERENCES u ON DELETE CASCADE); CREATE INDEX m_u_idx ON m (u); INSERT INTO m VALUES (1, 1);
-- run:
ALTER TABLE m RENAME COLUMN u TO owner_id;
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
-- case: names that need quotes
-- given:
CREATE TABLE "My Table" ("Id" int PRIMARY KEY, "full name" text); INSERT INTO "My Table" VALUES (1, 'a');
-- run:
ALTER TABLE "My Table" RENAME COLUMN "full name" TO "order";
-- meanwhile:
INSERT INTO "My Table" ("Id") VALUES (:n);
-- case: column that a view names
-- text only
-- given:
CREATE TABLE m (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT name FROM m;
-- run:
ALTER TABLE m RENAME COLUMN name TO full_name;
-- case: table
-- given:
CREATE TABLE m (id int PRIMARY KEY, name text DEFAULT 'x'); INSERT INTO m VALUES (1, 'a'); GRANT SELECT, INSERT ON m TO app; CREATE INDEX m_name_idx ON m (name);
-- run:
ALTER TABLE m RENAME TO people;
-- meanwhile:
DO $$ DECLARE own regclass := coalesce(to_regclass('m'), to_regclass('people')); BEGIN
    EXECUTE format('INSERT INTO %s (id) VALUES (%s) ON CONFLICT (id) DO NOTHING', own, :n);
    EXECUTE format('UPDATE %s SET name = name WHERE id = 1', own);
END $$;
-- case: storage, compression and grants that may be passed on
-- given:
CREATE TABLE m (id int PRIMARY KEY, body text); ALTER TABLE m ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN body SET COMPRESSION pglz; GRANT SELECT (body) ON m TO reader WITH GRANT OPTION; INSERT INTO m VALUES (1, 'a');
-- run:
ALTER TABLE m RENAME COLUMN body TO content;
-- meanwhile:
INSERT INTO m (id) VALUES (:n);
-- case: column that others reference
-- given:
CREATE TABLE m (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE n (code text CONSTRAINT n_m REFERENCES m (code) ON UPDATE CASCADE); INSERT INTO m VALUES (1, 'a'); INSERT INTO n VALUES ('a');
-- run:
ALTER TABLE m RENAME COLUMN code TO key;
-- meanwhile:
INSERT INTO n VALUES ('a');
-- case: column with a default that is NULL where code says so
-- given:
CREATE TYPE cargo AS ENUM ('dry', 'wet'); CREATE TABLE m (id int PRIMARY KEY, kind cargo DEFAULT 'dry'); INSERT INTO m VALUES (1, 'wet'), (2, NULL); INSERT INTO m (id) VALUES (3);
-- run:
ALTER TABLE m RENAME COLUMN kind TO load;
-- meanwhile:
DO $$ DECLARE own text; BEGIN
    FOR own IN SELECT attname FROM pg_attribute WHERE attrelid = 'm'::regclass AND attname IN ('kind', 'load') AND NOT attisdropped LOOP
        DELETE FROM m WHERE id > 1000;
        EXECUTE format('INSERT INTO m (id, %I) VALUES (2000, NULL), (2001, DEFAULT), (2002, %L)', own, 'wet');
        INSERT INTO m (id) VALUES (2003);
        EXECUTE format('UPDATE m SET %I = NULL WHERE id = 1', own);
        EXECUTE format('UPDATE m SET %I = DEFAULT WHERE id = 2', own);
    END LOOP;
END $$;
-- case: column of a type without equality
-- given:
CREATE TABLE m (id int PRIMARY KEY, meta json DEFAULT '{}', spot point); INSERT INTO m VALUES (1, '{"a": 1}', '(1,2)'), (2, NULL, NULL);
-- run:
ALTER TABLE m RENAME COLUMN meta TO info;
-- meanwhile:
DO $$ DECLARE own text; BEGIN
    FOR own IN SELECT attname FROM pg_attribute WHERE attrelid = 'm'::regclass AND attname IN ('meta', 'info') AND NOT attisdropped LOOP
        DELETE FROM m WHERE id > 1000;
        EXECUTE format('INSERT INTO m (id, %I) VALUES (2000, %L)', own, '[1]');
        EXECUTE format('UPDATE m SET %I = %L WHERE id = 1', own, '{"a": 2}');
    END LOOP;
END $$;
-- case: column of a geometric type
-- given:
CREATE TABLE m (id int PRIMARY KEY, spot point, area box); INSERT INTO m VALUES (1, '(1,2)', '(0,0),(1,4)'), (2, NULL, NULL);
-- run:
ALTER TABLE m RENAME COLUMN area TO place;
-- meanwhile:
DO $$ DECLARE own text; BEGIN
    FOR own IN SELECT attname FROM pg_attribute WHERE attrelid = 'm'::regclass AND attname IN ('area', 'place') AND NOT attisdropped LOOP
        EXECUTE format('UPDATE m SET %I = %L WHERE id = 1', own, '(0,0),(2,2)');
    END LOOP;
END $$;
