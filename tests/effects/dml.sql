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
CREATE TABLE p (id int PRIMARY KEY, v int);
CREATE TABLE c_cascade (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE c_null (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE);
CREATE INDEX c_null_p ON c_null (p);
CREATE TABLE q (id int PRIMARY KEY, v int);
CREATE TABLE c_action (id int PRIMARY KEY, q int REFERENCES q);
CREATE INDEX c_action_q ON c_action (q);
CREATE TABLE r (id int PRIMARY KEY, v int);
CREATE TABLE c_restrict (id int PRIMARY KEY, r int REFERENCES r ON DELETE RESTRICT);
CREATE TABLE audit (id int, note text);
CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (1, TG_OP); RETURN NEW; END';
CREATE TABLE noted (id int PRIMARY KEY, v int);
CREATE TRIGGER noted_it AFTER INSERT OR UPDATE ON noted FOR EACH ROW EXECUTE FUNCTION note_it();
CREATE VIEW orders_view AS SELECT id, customer_id, note, qty FROM orders;
CREATE VIEW events_view AS SELECT * FROM events;
CREATE TABLE ruled (id int, v int);
CREATE RULE ruled_ins AS ON INSERT TO ruled DO INSTEAD INSERT INTO audit VALUES (NEW.id, 'r');
CREATE TABLE secret (id int, owner int);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY secret_p ON secret USING (owner IN (SELECT id FROM q));
INSERT INTO p SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO c_cascade SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO c_null SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO q SELECT n, n FROM generate_series(1, 4000) n;
INSERT INTO c_action SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO r SELECT n, n FROM generate_series(1, 4000) n;
INSERT INTO c_restrict SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO audit SELECT n, 'x' FROM generate_series(1, 2000) n;
INSERT INTO noted SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO secret SELECT n, n FROM generate_series(1, 2000) n;

-- case: insert values
INSERT INTO audit VALUES (1, 'x'), (2, 'y');

-- case: insert default values
INSERT INTO audit DEFAULT VALUES;

-- case: insert with foreign key
INSERT INTO c_action VALUES (9001, 1);

-- case: insert with null foreign key
INSERT INTO c_action VALUES (9001, NULL);

-- case: insert into referenced
INSERT INTO p VALUES (9001, 1);

-- case: insert select
INSERT INTO audit SELECT id, note FROM orders;

-- case: insert select from join
INSERT INTO audit SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id;

-- case: insert select of the same table
INSERT INTO audit SELECT * FROM audit;

-- case: insert on conflict do nothing
INSERT INTO q VALUES (1, 1) ON CONFLICT DO NOTHING;

-- case: insert on conflict do update
INSERT INTO q VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET v = excluded.v;

-- case: insert on conflict with foreign key
INSERT INTO c_action VALUES (9001, 1) ON CONFLICT (id) DO UPDATE SET q = excluded.q;

-- case: insert returning
INSERT INTO audit VALUES (1, 'x') RETURNING *;

-- case: insert with trigger
INSERT INTO noted VALUES (9001, 1);

-- case: insert into partitioned
INSERT INTO events VALUES ('2024-03-03', 1, 'p');

-- case: insert into partition
INSERT INTO events_2024 VALUES ('2024-03-03', 1, 'p');

-- case: insert select into partitioned
INSERT INTO events SELECT '2025-03-03', id, 'p' FROM orders;

-- case: insert into view
INSERT INTO orders_view VALUES (9001, 1, 'x', 1);

-- case: insert into view of partitioned
INSERT INTO events_view VALUES ('2024-03-03', 1, 'p');

-- case: insert into ruled
INSERT INTO ruled VALUES (1, 1);

-- case: insert into inherited
INSERT INTO parent VALUES (9001, 'x', 1);

-- case: insert with cte
WITH x AS (SELECT id FROM sales.items) INSERT INTO audit SELECT id, 'x' FROM x;

-- case: insert quoted
INSERT INTO "Odd Name" ("Weird ""Col""", "select") VALUES (9001, 'x');

-- case: insert by search path
-- given:
SET search_path = sales, public;
-- run:
INSERT INTO items VALUES (9001, 'x');

-- case: update all
UPDATE audit SET note = 'y';

-- case: update where without index
UPDATE audit SET note = 'y' WHERE note = 'x';

-- case: update by key
UPDATE q SET v = 5 WHERE id = 7;

-- case: update from
UPDATE audit SET note = c.email FROM customers c WHERE c.id = audit.id;

-- case: update with subquery
UPDATE audit SET note = (SELECT max(region) FROM customers);

-- case: update foreign key column
UPDATE c_action SET q = q;

-- case: update foreign key column to another value
UPDATE c_action SET q = 5;

-- case: update other column of a referencing table
UPDATE lines SET n = n + 1;

-- case: update referenced key
UPDATE p SET id = id + 10000;

-- case: update referenced other column
UPDATE p SET v = 1;

-- case: update referenced key no action
UPDATE q SET id = id + 10000 WHERE v > 3000;

-- case: update with trigger
UPDATE noted SET v = 2;

-- case: update partitioned
UPDATE events SET payload = 'q';

-- case: update partitioned by key
UPDATE events SET payload = 'q' WHERE at = '2024-05-05';

-- case: update of the partition key
UPDATE events SET at = '2024-05-05' WHERE id = 3;

-- case: update partition
UPDATE events_2024 SET payload = 'q';

-- case: update inherited
UPDATE parent SET amount = 0;

-- case: update only inherited
UPDATE ONLY parent SET amount = 0;

-- case: update view
UPDATE orders_view SET note = 'y';

-- case: update with check column
UPDATE orders SET qty = qty + 1;

-- case: update where false
UPDATE audit SET note = 'y' WHERE false;

-- case: update where exists
UPDATE audit SET note = 'y' WHERE EXISTS (SELECT FROM lines WHERE lines.n = audit.id);

-- case: delete all
DELETE FROM audit;

-- case: delete by key
DELETE FROM q WHERE id = 3999;

-- case: delete using
DELETE FROM audit USING customers c WHERE c.id = audit.id AND c.region = 'r1';

-- case: delete referenced cascade
DELETE FROM p;

-- case: delete referenced no action
DELETE FROM q WHERE v > 3000;

-- case: delete referenced restrict
DELETE FROM r WHERE v > 3000;

-- case: delete referencing
DELETE FROM c_action;

-- case: delete partitioned
DELETE FROM events;

-- case: delete partitioned pruned
DELETE FROM events WHERE at < '2024-06-01';

-- case: delete from inherited
DELETE FROM parent WHERE amount < 10;

-- case: delete returning in cte
WITH gone AS (DELETE FROM audit WHERE id BETWEEN 5 AND 10 RETURNING *) INSERT INTO noted SELECT id + 20000, 1 FROM gone;

-- case: delete orders cascade to lines
DELETE FROM orders;

-- case: delete with subquery
DELETE FROM audit WHERE id IN (SELECT id FROM lines WHERE n > 5);

-- case: delete from view
DELETE FROM orders_view WHERE id = 9999;
-- differs: locks

-- case: merge
-- requires: 15..
MERGE INTO q USING customers a ON q.id = a.id WHEN MATCHED THEN UPDATE SET v = 1 WHEN NOT MATCHED THEN INSERT VALUES (a.id, 1);

-- case: merge delete
-- requires: 15..
MERGE INTO audit USING (SELECT id FROM customers) s ON s.id = audit.id WHEN MATCHED AND audit.note = 'x' THEN DELETE;

-- case: merge do nothing
-- requires: 15..
MERGE INTO audit USING lines l ON l.id = audit.id WHEN MATCHED THEN DO NOTHING;

-- case: merge into partitioned
-- requires: 15..
MERGE INTO events e USING customers a ON e.id = a.id WHEN MATCHED THEN UPDATE SET payload = 'm';

-- case: merge with foreign key
-- requires: 15..
MERGE INTO c_action c USING customers a ON c.id = a.id WHEN MATCHED THEN UPDATE SET q = 1;

-- case: merge not matched by source
-- requires: 17..
MERGE INTO audit USING customers c ON c.id = audit.id WHEN NOT MATCHED BY SOURCE THEN DELETE;

-- case: select
SELECT * FROM audit;

-- case: select by key
SELECT * FROM orders WHERE id = 3;

-- case: select join
SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id;

-- case: select for update
SELECT * FROM audit FOR UPDATE;

-- case: select for share of one
SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id FOR SHARE OF o;

-- case: select for no key update skip locked
SELECT * FROM audit FOR NO KEY UPDATE SKIP LOCKED LIMIT 10;

-- case: select for update of view
SELECT * FROM orders_view FOR UPDATE;

-- case: select for update of partitioned
SELECT * FROM events FOR UPDATE;

-- case: select for key share in subquery
SELECT * FROM (SELECT * FROM audit FOR KEY SHARE) s;

-- case: select only
SELECT * FROM ONLY parent;

-- case: select inherited
SELECT * FROM parent;

-- case: select partitioned
SELECT count(*) FROM logs;

-- case: select union
SELECT id FROM audit UNION ALL SELECT id FROM lines;

-- case: select with cte
WITH x AS (SELECT * FROM audit) SELECT count(*) FROM x, sales.items;

-- case: select with a writing cte
WITH x AS (UPDATE audit SET note = 'z' RETURNING id) SELECT * FROM x;

-- case: select with exists
SELECT EXISTS (SELECT FROM audit WHERE note = 'none');

-- case: select with lateral
SELECT * FROM audit a, LATERAL (SELECT * FROM lines l WHERE l.n = a.id) s;

-- case: select cte shadows table
WITH lines AS (SELECT 1 AS a) SELECT * FROM lines;

-- case: select view
SELECT * FROM orders_view;

-- case: select limit
SELECT * FROM audit LIMIT 1;

-- case: select from row security
SELECT * FROM secret;

-- case: select from row security as a role
-- given:
GRANT SELECT ON secret, q TO reader; SET ROLE reader;
-- run:
SELECT * FROM secret;

-- case: select temporary
-- given:
CREATE TEMP TABLE audit (id int);
-- run:
SELECT * FROM audit;

-- case: table command
TABLE audit;

-- case: values
VALUES (1), (2);

-- case: copy to
COPY audit TO STDOUT;

-- case: copy query to
COPY (SELECT * FROM audit JOIN lines USING (id)) TO STDOUT;

-- case: copy from
COPY audit (id, note) FROM STDIN;

-- case: copy from with foreign key
COPY c_action FROM STDIN;

-- case: copy to of partition
COPY events_2024 TO STDOUT WITH (FORMAT csv);

-- case: copy from partitioned
COPY events FROM STDIN (FORMAT csv);

-- case: replica role insert
-- given:
SET session_replication_role = replica;
-- run:
INSERT INTO c_action VALUES (9001, 1);

-- case: replica role delete
-- given:
SET session_replication_role = replica;
-- run:
DELETE FROM p;

-- case: table command of a quoted name
TABLE "Odd Name";

-- case: table command only
TABLE ONLY parent;

-- case: union with table command
-- given:
CREATE TABLE only_ids (id int);
-- run:
SELECT id FROM p UNION ALL (TABLE only_ids);

-- case: delete from partition
DELETE FROM events_2024;

-- case: insert into sub-partition
INSERT INTO logs_b1 VALUES (5, 'b');

-- case: select from partitioned above
SELECT * FROM events WHERE at >= '2025-03-03';

-- case: select from partitioned between
SELECT * FROM events WHERE at BETWEEN '2024-03-03' AND '2025-03-03';

-- case: select from partitioned within one
SELECT * FROM events WHERE at > '2024-03-03' AND at < '2024-04-04';

-- case: select from partitioned up to the bound
SELECT * FROM events WHERE at >= '2024-01-01' AND at < '2025-01-01';

-- case: select from partitioned up to and with the bound
SELECT * FROM events WHERE at >= '2024-01-01' AND at <= '2025-01-01';

-- case: select from partitioned with a constant in front
SELECT * FROM events WHERE '2025-06-01' <= at;

-- case: select from partitioned with a timestamp
SELECT * FROM events WHERE at >= '2025-03-03'::timestamptz;
-- differs: scans

-- case: select from partitioned where false
SELECT * FROM events WHERE false;

-- case: select from inherited where false
SELECT * FROM parent WHERE 1 = 0;

-- case: select from partitioned list by order
SELECT * FROM logs WHERE kind < 'b';
-- differs: locks, scans

-- case: select least and greatest key
SELECT min(id), max(id) FROM orders;

-- case: select greatest of an unindexed column
SELECT max(note) FROM orders;

-- case: select greatest key of some
SELECT max(id) FROM orders WHERE note = 'x' AND qty < 5;
-- differs: scans

-- case: insert several with one null foreign key
INSERT INTO c_action VALUES (9001, NULL), (9002, 3);

-- case: insert select of a null foreign key
INSERT INTO c_action SELECT id + 9000, NULL FROM customers;

-- case: insert without the foreign key
INSERT INTO c_action (id) VALUES (9001);

-- case: insert default foreign key
INSERT INTO c_action VALUES (9001, DEFAULT);

-- case: update foreign key column to null
UPDATE c_action SET q = NULL;

-- case: update foreign key column in a list
UPDATE c_action SET (id, q) = (id, 7);

-- case: update referenced key to itself
UPDATE p SET id = id, v = 2;

-- case: merge insert with foreign key
-- requires: 15..
MERGE INTO c_action c USING customers a ON c.id = a.id + 5000 WHEN NOT MATCHED THEN INSERT (id, q) VALUES (a.id + 5000, 3);

-- case: merge insert without the foreign key
-- requires: 15..
MERGE INTO c_action c USING customers a ON c.id = a.id + 5000 WHEN NOT MATCHED THEN INSERT (id) VALUES (a.id + 5000);

-- case: merge delete of referenced
-- requires: 15..
MERGE INTO q USING (SELECT id + 2000 AS id FROM customers) a ON q.id = a.id WHEN MATCHED AND q.id > 3000 THEN DELETE;

-- case: merge with trigger
-- requires: 15..
MERGE INTO noted n USING customers a ON n.id = a.id WHEN MATCHED THEN UPDATE SET v = 1;

-- case: update with trigger of another column
-- given:
DROP TRIGGER noted_it ON noted; CREATE TRIGGER noted_it AFTER UPDATE OF id ON noted FOR EACH ROW EXECUTE FUNCTION note_it();
-- run:
UPDATE noted SET v = 2;

-- case: update with disabled trigger
-- given:
ALTER TABLE noted DISABLE TRIGGER noted_it;
-- run:
UPDATE noted SET v = 2;

-- case: insert with trigger as replica
-- given:
SET session_replication_role = replica;
-- run:
INSERT INTO noted VALUES (9001, 1);

-- case: insert into partitioned with trigger
-- given:
CREATE TRIGGER events_noted AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note_it();
-- run:
INSERT INTO events VALUES ('2024-03-03', 1, 'p');

-- case: insert into partition with trigger of the parent
-- given:
CREATE TRIGGER events_noted AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note_it();
-- run:
INSERT INTO events_2024 VALUES ('2024-03-03', 1, 'p');

-- case: delete with trigger that keeps a count
-- given:
CREATE FUNCTION count_down() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE q SET v = v - 1 WHERE id = OLD.id; RETURN OLD; END';
CREATE TRIGGER noted_down AFTER DELETE ON noted FOR EACH ROW EXECUTE FUNCTION count_down();
-- run:
DELETE FROM noted WHERE id = 5;

-- case: select of a function in PL/pgSQL
-- given:
CREATE FUNCTION add_note() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit SELECT id, email FROM customers; RETURN 1; END';
-- run:
SELECT add_note();

-- case: update of row security as a role
-- given:
GRANT SELECT, UPDATE ON secret TO reader; GRANT SELECT ON q TO reader; SET ROLE reader;
-- run:
UPDATE secret SET owner = 5;

-- case: select from row security for another role
-- given:
DROP POLICY secret_p ON secret; CREATE POLICY secret_q ON secret TO app USING (owner IN (SELECT id FROM q));
GRANT SELECT ON secret, q TO reader; SET ROLE reader;
-- run:
SELECT id FROM secret;
