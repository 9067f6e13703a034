-- setup
CREATE SCHEMA sales;
CREATE SCHEMA hr;
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL UNIQUE, region text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, total numeric(10,2), note text, qty int NOT NULL DEFAULT 1, CONSTRAINT qty_positive CHECK (qty > 0));
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_total ON orders (total);
CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, n int);
CREATE INDEX lines_order ON lines (order_id);
CREATE TABLE parent (id int PRIMARY KEY, label text, amount int);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE events (at date NOT NULL, id int NOT NULL, payload text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_id ON events (id);
CREATE TABLE logs (id int NOT NULL, kind text NOT NULL) PARTITION BY LIST (kind);
CREATE TABLE logs_a PARTITION OF logs FOR VALUES IN ('a');
CREATE TABLE logs_b PARTITION OF logs FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE logs_b1 PARTITION OF logs_b FOR VALUES FROM (0) TO (1000);
CREATE TABLE logs_b2 PARTITION OF logs_b FOR VALUES FROM (1000) TO (3000);
CREATE TABLE sales.items (id int PRIMARY KEY, name text);
CREATE TABLE "Odd Name" ("Weird ""Col""" int PRIMARY KEY, "select" text);
CREATE VIEW open_orders AS SELECT id, total, customer_id FROM orders WHERE total > 0;
CREATE VIEW open_totals AS SELECT customer_id, sum(total) AS total FROM open_orders GROUP BY 1;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX totals_key ON totals (customer_id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
INSERT INTO customers SELECT n, 'c' || n, 'r' || n % 5 FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n, n, 'x', n FROM generate_series(1, 2000) n;
INSERT INTO lines SELECT n, n, n FROM generate_series(1, 2000) n;
INSERT INTO parent SELECT n, 'p', n FROM generate_series(1, 2000) n;
INSERT INTO child SELECT n, 'c', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO grandchild SELECT n, 'g', n, 'e' FROM generate_series(1, 2000) n;
INSERT INTO events SELECT '2024-01-01'::date + n % 900, n, 'p' FROM generate_series(1, 2000) n;
INSERT INTO logs SELECT n, CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 2000) n;
INSERT INTO sales.items SELECT n, 'i' || n FROM generate_series(1, 2000) n;
INSERT INTO "Odd Name" SELECT n, 'o' FROM generate_series(1, 2000) n;
REFRESH MATERIALIZED VIEW totals;
CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM orders';
CREATE FUNCTION add_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM lines WHERE n > 100000';
CREATE TABLE guarded (id int PRIMARY KEY, owner name, n int DEFAULT add_one(1), CHECK (add_one(n) > 0));
INSERT INTO guarded SELECT n, 'a', n FROM generate_series(1, 2000) n;
CREATE POLICY own ON guarded USING (owner = current_user);
CREATE TRIGGER guarded_touch BEFORE UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE guarded_rule AS ON DELETE TO guarded DO ALSO NOTHING;
CREATE TRIGGER events_touch AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE AGGREGATE total_of (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');

-- case: create sql function
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';

-- case: create sql function returning a table's row
CREATE FUNCTION f() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders';

-- case: create sql function that writes
CREATE FUNCTION f(a int) RETURNS void LANGUAGE sql AS 'UPDATE orders SET note = note WHERE id = a; DELETE FROM lines WHERE id = a';

-- case: create sql function without checking bodies
-- given:
SET check_function_bodies = off;
-- run:
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';

-- case: create sql function atomic
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END;

-- case: create sql function return
CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN (SELECT max(qty) FROM orders);

-- case: create sql function on a view
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM open_orders';

-- case: create sql function on partitioned
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM events';

-- case: create sql function that creates
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'CREATE TABLE fresh (id int)';

-- case: create plpgsql function
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN DELETE FROM orders; END$$;

-- case: create plpgsql function with rowtype
CREATE FUNCTION f(o orders) RETURNS orders.id%TYPE LANGUAGE plpgsql AS $$DECLARE r lines%ROWTYPE; x customers.id%TYPE; BEGIN RETURN 1; END$$;

-- case: create trigger function
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO lines VALUES (NEW.id); RETURN NEW; END$$;

-- case: replace function
CREATE OR REPLACE FUNCTION add_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1 + 0';

-- case: create function with default argument
CREATE FUNCTION f(a int DEFAULT 1, VARIADIC b int[] DEFAULT '{}') RETURNS int LANGUAGE sql AS 'SELECT 1';

-- case: create procedure
CREATE PROCEDURE p() LANGUAGE sql AS 'UPDATE orders SET note = note';

-- case: call procedure
CALL clean();

-- case: select a function that reads a table
SELECT count_orders();

-- case: alter function
ALTER FUNCTION count_orders() STABLE COST 10 SET search_path = public;

-- case: rename function
ALTER FUNCTION count_orders() RENAME TO order_count;

-- case: function owner
ALTER FUNCTION count_orders() OWNER TO app;

-- case: function schema
ALTER FUNCTION count_orders() SET SCHEMA sales;

-- case: drop function
DROP FUNCTION count_orders();

-- case: drop function used
DROP FUNCTION add_one(int);

-- case: drop function cascade
DROP FUNCTION add_one CASCADE;

-- case: drop trigger function cascade
DROP FUNCTION touch() CASCADE;

-- case: drop procedure
DROP PROCEDURE clean;

-- case: drop routine if exists missing
DROP ROUTINE IF EXISTS missing(int);

-- case: create aggregate
CREATE AGGREGATE sum_of (int) (SFUNC = int4pl, STYPE = int);

-- case: drop aggregate
DROP AGGREGATE total_of (int);

-- case: create operator
CREATE OPERATOR ==== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);

-- case: drop operator
DROP OPERATOR === (int, int);

-- case: comment on function
COMMENT ON FUNCTION add_one(int) IS 'x';

-- case: grant on function
GRANT EXECUTE ON FUNCTION add_one(int) TO reader;

-- case: create trigger
CREATE TRIGGER tr AFTER INSERT OR UPDATE OF note ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create statement trigger
CREATE TRIGGER tr AFTER INSERT ON orders REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();

-- case: create trigger when
CREATE TRIGGER tr BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE PROCEDURE touch();

-- case: create truncate trigger
CREATE TRIGGER tr BEFORE TRUNCATE ON orders EXECUTE FUNCTION touch();

-- case: create constraint trigger
CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create constraint trigger from
CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON orders FROM customers FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create trigger on partitioned
CREATE TRIGGER tr BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create trigger on two levels
CREATE TRIGGER tr AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create statement trigger on partitioned
CREATE TRIGGER tr AFTER INSERT ON logs EXECUTE FUNCTION touch();

-- case: create trigger on inherited
CREATE TRIGGER tr AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION touch();

-- case: replace trigger
CREATE OR REPLACE TRIGGER guarded_touch BEFORE UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION touch();

-- case: create trigger on view
CREATE TRIGGER tr INSTEAD OF INSERT ON open_orders FOR EACH ROW EXECUTE FUNCTION touch();

-- case: rename trigger
ALTER TRIGGER guarded_touch ON guarded RENAME TO other;

-- case: rename trigger on partitioned
ALTER TRIGGER events_touch ON events RENAME TO other;

-- case: trigger depends on extension
ALTER TRIGGER guarded_touch ON guarded DEPENDS ON EXTENSION plpgsql;

-- case: drop trigger
DROP TRIGGER guarded_touch ON guarded;

-- case: drop trigger on partitioned
DROP TRIGGER events_touch ON events;

-- case: drop trigger if exists missing
DROP TRIGGER IF EXISTS missing ON guarded;

-- case: drop trigger if exists on a missing table
DROP TRIGGER IF EXISTS missing ON missing_table;

-- case: comment on trigger
COMMENT ON TRIGGER guarded_touch ON guarded IS 'x';

-- case: enable trigger
ALTER TABLE guarded ENABLE ALWAYS TRIGGER guarded_touch;

-- case: disable trigger all on referenced
ALTER TABLE customers DISABLE TRIGGER ALL;

-- case: create rule
CREATE RULE r AS ON UPDATE TO orders DO ALSO INSERT INTO lines VALUES (NEW.id + 5000);

-- case: create rule instead
CREATE RULE r AS ON INSERT TO open_totals DO INSTEAD INSERT INTO orders (id, qty) VALUES (NEW.customer_id, 1);

-- case: create rule that reads
CREATE RULE r AS ON DELETE TO orders WHERE EXISTS (SELECT FROM lines WHERE order_id = OLD.id) DO INSTEAD NOTHING;

-- case: replace rule
CREATE OR REPLACE RULE guarded_rule AS ON DELETE TO guarded DO INSTEAD NOTHING;

-- case: rename rule
ALTER RULE guarded_rule ON guarded RENAME TO other;

-- case: drop rule
DROP RULE guarded_rule ON guarded;

-- case: drop rule if exists missing
DROP RULE IF EXISTS missing ON guarded;

-- case: comment on rule
COMMENT ON RULE guarded_rule ON guarded IS 'x';

-- case: disable rule
ALTER TABLE guarded DISABLE RULE guarded_rule;

-- case: create policy
CREATE POLICY p ON orders FOR SELECT TO reader USING (qty > 0);

-- case: create policy that reads another table
CREATE POLICY p ON orders USING (EXISTS (SELECT FROM customers WHERE id = customer_id)) WITH CHECK (qty IN (SELECT n FROM lines));

-- case: create policy that calls a function
CREATE POLICY p ON orders USING (count_orders() > 0);

-- case: alter policy
ALTER POLICY own ON guarded USING (n > 0);

-- case: alter policy that reads another table
ALTER POLICY own ON guarded USING (n IN (SELECT id FROM sales.items));

-- case: alter policy roles
ALTER POLICY own ON guarded TO reader;

-- case: rename policy
ALTER POLICY own ON guarded RENAME TO other;

-- case: drop policy
DROP POLICY own ON guarded;

-- case: drop policy if exists missing
DROP POLICY IF EXISTS missing ON guarded;

-- case: comment on policy
COMMENT ON POLICY own ON guarded IS 'x';

-- case: enable row security
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- case: create policy on partitioned
CREATE POLICY p ON events USING (true);

-- case: create event trigger
-- given:
CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- run:
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION e();

-- case: create transform-like cast
CREATE CAST (mood AS int) WITHOUT FUNCTION;

-- case: create language
CREATE OR REPLACE LANGUAGE plpgsql;

-- case: create sql function with atomic return
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; RETURN (SELECT max(n) FROM lines); END;

-- case: trigger no longer depends on extension
ALTER TRIGGER guarded_touch ON guarded NO DEPENDS ON EXTENSION plpgsql;
