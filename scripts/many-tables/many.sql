-- A wide catalog, to measure how pgassay reads one: tables of ten columns with keys, indexes, checks, comments and statistics; some
-- views and functions.
--
--     createdb many
--     PGOPTIONS='-c many.tables=10000' psql -v ON_ERROR_STOP=1 -f scripts/many-tables/many.sql many
--
-- many.tables is 10000 without the option: 100,000 columns, 60,000 files, about 1.5 GB. Time and memory with it are in docs/speed.md.

\set QUIET on
SET client_min_messages = warning;
SET synchronous_commit = off;

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TYPE state AS ENUM ('new', 'open', 'done');

-- Commits now and then: one transaction would hold a lock on every table.
CREATE PROCEDURE make_tables(wanted int) LANGUAGE plpgsql AS $$
DECLARE
    home text;
    name text;
BEGIN
    FOR n IN 1 .. wanted LOOP
        home := 'area_' || n % 20;
        name := format('%I.%I', home, 'table_' || n);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', home);
        EXECUTE format($sql$
            CREATE TABLE %s (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                parent_id bigint,
                account_id bigint NOT NULL,
                name text NOT NULL DEFAULT '',
                state public.state NOT NULL DEFAULT 'new',
                amount numeric(12, 2) CHECK (amount >= 0),
                settings jsonb NOT NULL DEFAULT '{}',
                made_at timestamptz NOT NULL DEFAULT now(),
                updated_at timestamptz,
                note varchar(200)
            )$sql$, name);
        IF n > 20 THEN
            EXECUTE format('ALTER TABLE %s ADD FOREIGN KEY (parent_id) REFERENCES %I.%I', name, home, 'table_' || n - 20);
        END IF;
        EXECUTE format('CREATE INDEX ON %s (parent_id)', name);
        EXECUTE format('CREATE INDEX ON %s (account_id, made_at) WHERE state <> ''done''', name);
        EXECUTE format('COMMENT ON TABLE %s IS %L', name, 'table number ' || n);
        EXECUTE format($sql$INSERT INTO %s (account_id, name, amount) SELECT i, 'row ' || i, i FROM generate_series(1, 20) i$sql$, name);
        IF n % 20 = 0 THEN
            EXECUTE format('CREATE VIEW %I.%I AS SELECT id, name, amount FROM %s WHERE state <> ''done'' ORDER BY made_at',
                home, 'view_' || n, name);
            EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch()', name);
            EXECUTE format('CREATE FUNCTION %I.%I(account bigint) RETURNS bigint LANGUAGE sql STABLE AS %L',
                home, 'count_' || n, format('SELECT count(*) FROM %s WHERE account_id = account', name));
        END IF;
        IF n % 200 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;

CALL make_tables(coalesce(nullif(current_setting('many.tables', true), ''), '10000')::int);
ANALYZE;
