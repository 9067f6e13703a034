-- Queries whose plans are kept in the folders beside this file, one folder a version, one file a case and format:
--     cargo run --example generate-plans
-- Directives: `-- case: NAME`, `-- options: OPTIONS OF EXPLAIN`, `-- since: MAJOR`, `-- setting: NAME = VALUE`, `-- given: STATEMENT`.

-- setup
CREATE TABLE customers (
    id int PRIMARY KEY,
    email text NOT NULL UNIQUE,
    city text NOT NULL,
    postcode text NOT NULL,
    created timestamptz NOT NULL
);
INSERT INTO customers
SELECT n, 'customer' || n || '@example.org', 'city ' || n % 200, 'code ' || n % 200, timestamptz '2024-01-01 UTC' + n * interval '1 minute'
FROM generate_series(1, 20000) n;

CREATE TABLE orders (
    id int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    status text NOT NULL,
    total numeric(10,2) NOT NULL,
    note text NOT NULL,
    meta jsonb NOT NULL,
    placed timestamptz NOT NULL
);
INSERT INTO orders
SELECT n, 1 + (n * 7919) % 20000, CASE WHEN n % 100 = 0 THEN 'pending' WHEN n % 50 = 1 THEN 'failed' ELSE 'done' END,
    n % 1000, 'note ' || md5(n::text), jsonb_build_object('channel', n % 5, 'sku', 'sku-' || n % 3000),
    timestamptz '2024-01-01 UTC' + n * interval '1 minute'
FROM generate_series(1, 100000) n;
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed);

CREATE TABLE items (
    id int PRIMARY KEY,
    order_id int NOT NULL,
    product_id int NOT NULL,
    quantity int NOT NULL
);
INSERT INTO items SELECT n, 1 + n / 3, 1 + (n * 31) % 500, 1 + n % 5 FROM generate_series(1, 250000) n;
CREATE INDEX items_product_id ON items (product_id);

CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, words tsvector NOT NULL);
INSERT INTO products SELECT n, 'product ' || n, to_tsvector('simple', 'product ' || n || ' ' || md5(n::text)) FROM generate_series(1, 500) n;
CREATE INDEX products_words ON products USING gin (words);

CREATE TABLE payments (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, amount numeric NOT NULL);
INSERT INTO payments SELECT n, n, n % 100 FROM generate_series(1, 30000) n;

CREATE TABLE visits (id int PRIMARY KEY, page int NOT NULL, seen int NOT NULL) WITH (fillfactor = 50);
INSERT INTO visits SELECT n, n % 100, 0 FROM generate_series(1, 50000) n;
CREATE INDEX visits_page ON visits (page);

CREATE TABLE events (id int NOT NULL, happened date NOT NULL, kind int NOT NULL) PARTITION BY RANGE (happened);
CREATE TABLE events_2024_01 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE events_2024_02 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE events_2024_03 PARTITION OF events FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
INSERT INTO events SELECT n, date '2024-01-01' + n % 91, n % 10 FROM generate_series(1, 30000) n;
CREATE INDEX events_happened ON events (happened);

CREATE TABLE tree (id int PRIMARY KEY, parent int);
INSERT INTO tree SELECT n, nullif(n / 10, 0) FROM generate_series(1, 5000) n;
CREATE INDEX tree_parent ON tree (parent);

CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."Odd, Table" ("Key, one" int, "Text: (two)" text, "order" int);
INSERT INTO "Odd Schema"."Odd, Table" SELECT n, 'a, ''b''  -> ' || n, n % 7 FROM generate_series(1, 3000) n;
CREATE INDEX "Odd on Index" ON "Odd Schema"."Odd, Table" ("Key, one");
CREATE FUNCTION slow_double(value int) RETURNS int LANGUAGE plpgsql VOLATILE COST 1000 AS 'BEGIN RETURN value * 2; END';
VACUUM ANALYZE;
UPDATE visits SET seen = 1 WHERE page < 60;

-- case: primary key
-- options: ANALYZE, BUFFERS
SELECT * FROM orders WHERE id = 4711;

-- case: sequential scan
-- options: ANALYZE, BUFFERS
SELECT id, total FROM orders o WHERE note = 'note abc' AND status = 'pending' AND total > 10;

-- case: filter behind index
-- options: ANALYZE, BUFFERS
SELECT * FROM orders WHERE placed >= '2024-01-10 UTC' AND placed < '2024-02-10 UTC' AND note LIKE '%abcd%';

-- case: lossy bitmap
-- options: ANALYZE, BUFFERS
-- setting: work_mem = '64kB'
-- setting: enable_seqscan = off
-- setting: enable_indexscan = off
SELECT count(note) FROM orders WHERE customer_id BETWEEN 1 AND 6000;

-- case: bitmap and or
-- options: ANALYZE, BUFFERS
SELECT * FROM orders WHERE (customer_id = 17 OR customer_id = 4000) AND placed BETWEEN '2024-01-05 UTC' AND '2024-02-20 UTC';

-- case: heap fetches
-- options: ANALYZE, BUFFERS
-- setting: enable_seqscan = off
-- setting: enable_bitmapscan = off
SELECT page, count(*) FROM visits WHERE page BETWEEN 5 AND 60 GROUP BY page;

-- case: sort on disk
-- options: ANALYZE, BUFFERS
-- setting: work_mem = '256kB'
SELECT id, note FROM orders ORDER BY note;

-- case: top n
-- options: ANALYZE, BUFFERS
SELECT id, total FROM orders ORDER BY total DESC, id LIMIT 10;

-- case: hash join in batches
-- options: ANALYZE, BUFFERS
-- setting: work_mem = '256kB'
-- setting: enable_mergejoin = off
SELECT o.note, sum(i.quantity) FROM items i JOIN orders o ON o.id = i.order_id WHERE o.total > 100 GROUP BY o.note;

-- case: merge join
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_nestloop = off
SELECT count(*) FROM items i LEFT JOIN orders o ON o.id = i.order_id AND o.total > 500 WHERE i.quantity = 3;

-- case: nested loop misestimated
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
SELECT o.id, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = 'city 7' AND c.postcode = 'code 7';

-- case: sequential scan inside a nested loop
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
SELECT o.id, i.quantity FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id BETWEEN 100 AND 140;

-- case: hash aggregate on disk
-- options: ANALYZE, BUFFERS
-- setting: work_mem = '256kB'
-- setting: enable_sort = off
SELECT order_id, count(*) FROM items GROUP BY order_id;

-- case: grouping sets
-- options: ANALYZE, BUFFERS
SELECT status, customer_id % 3 AS third, count(*) FROM orders GROUP BY CUBE (status, customer_id % 3) HAVING count(*) > 10;

-- case: parallel aggregate
-- options: ANALYZE, BUFFERS
-- setting: max_parallel_workers_per_gather = 2
-- setting: parallel_setup_cost = 10
-- setting: min_parallel_table_scan_size = 0
SELECT status, count(*), avg(total) FROM orders GROUP BY status ORDER BY status;

-- case: parallel verbose
-- options: ANALYZE, BUFFERS, VERBOSE
-- setting: max_parallel_workers_per_gather = 2
-- setting: parallel_setup_cost = 10
-- setting: parallel_tuple_cost = 0
-- setting: min_parallel_table_scan_size = 0
-- setting: work_mem = '512kB'
SELECT o.status, i.quantity, i.id FROM items i JOIN orders o ON o.id = i.order_id ORDER BY o.total, i.id;

-- case: workers not launched
-- options: ANALYZE, BUFFERS
-- setting: max_parallel_workers_per_gather = 2
-- setting: parallel_setup_cost = 10
-- setting: max_parallel_workers = 0
-- setting: min_parallel_table_scan_size = 0
SELECT count(*) FROM orders WHERE note LIKE '%ab%';

-- case: materialized cte
-- options: ANALYZE, BUFFERS
WITH totals AS MATERIALIZED (SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id)
SELECT t.total, u.total FROM totals t JOIN totals u ON u.customer_id = t.customer_id + 1 WHERE t.customer_id < 100;

-- case: recursive cte
-- options: ANALYZE, BUFFERS
WITH RECURSIVE below AS (
    SELECT id, 1 AS level FROM tree WHERE parent IS NULL
    UNION ALL
    SELECT tree.id, level + 1 FROM tree JOIN below ON tree.parent = below.id
)
SELECT level, count(*) FROM below GROUP BY level;

-- case: subplan per row
-- options: ANALYZE, BUFFERS
SELECT c.id, (SELECT max(o.total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c WHERE c.id <= 3000;

-- case: not in
-- options: ANALYZE, BUFFERS
-- setting: work_mem = '64kB'
SELECT count(*) FROM customers c WHERE c.id <= 60 AND c.id NOT IN (SELECT order_id FROM payments);

-- case: hashed subplan and init plan
-- options: ANALYZE, BUFFERS
SELECT count(*) FROM orders
WHERE (customer_id NOT IN (SELECT id FROM customers WHERE city = 'city 9')) AND total > (SELECT avg(quantity) FROM items);

-- case: window functions
-- options: ANALYZE, BUFFERS
SELECT * FROM (
    SELECT id, customer_id, rank() OVER (PARTITION BY customer_id ORDER BY placed) AS place, sum(total) OVER (ORDER BY id) AS running
    FROM orders WHERE customer_id < 500
) ranked WHERE place <= 2;

-- case: run condition
-- options: ANALYZE, BUFFERS
-- setting: enable_seqscan = off
SELECT * FROM (SELECT id, row_number() OVER (ORDER BY placed) AS place FROM orders) ranked WHERE place <= 20;

-- case: incremental sort
-- options: ANALYZE, BUFFERS
-- setting: enable_seqscan = off
-- setting: enable_bitmapscan = off
SELECT id, customer_id, total FROM orders WHERE customer_id < 2000 ORDER BY customer_id, total;

-- case: partitions
-- options: ANALYZE, BUFFERS
-- given: PREPARE one_day(date) AS SELECT count(*) FROM events WHERE happened = $1
-- setting: plan_cache_mode = force_generic_plan
EXECUTE one_day('2024-02-14');

-- case: never executed
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
SELECT * FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.email = 'nobody@example.org';

-- case: memoize
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
-- setting: work_mem = '64kB'
SELECT count(*), sum(length(p.name)) FROM items i JOIN products p ON p.id = i.product_id WHERE i.id < 60000;

-- case: large offset
-- options: ANALYZE, BUFFERS
SELECT id, note FROM orders ORDER BY id OFFSET 60000 LIMIT 20;

-- case: order by limit on the wrong index
-- options: ANALYZE, BUFFERS
SELECT * FROM orders WHERE status = 'failed' AND total = 999 AND note LIKE 'note 0%' ORDER BY placed LIMIT 5;

-- case: deep nested loop
-- options: ANALYZE, BUFFERS
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
-- setting: enable_memoize = off
-- setting: enable_material = off
SELECT count(*) FROM items i JOIN products p ON p.id = i.product_id JOIN orders o ON o.id = i.order_id WHERE i.quantity = 5;

-- case: just in time
-- options: ANALYZE, BUFFERS
-- setting: jit = on
-- setting: jit_above_cost = 0
-- setting: jit_inline_above_cost = 0
-- setting: jit_optimize_above_cost = 0
SELECT city, count(*), max(length(email)) FROM customers WHERE postcode <> 'code 3' GROUP BY city;

-- case: delete with triggers
-- options: ANALYZE, BUFFERS, WAL
DELETE FROM orders WHERE id BETWEEN 100 AND 150;

-- case: insert on conflict
-- options: ANALYZE, BUFFERS, WAL
INSERT INTO products SELECT n, 'new', '' FROM generate_series(490, 510) n ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE products.id > 495;

-- case: update in cte
-- options: ANALYZE, BUFFERS
WITH changed AS (UPDATE orders SET total = total + 1 WHERE customer_id < 50 RETURNING id, total)
SELECT count(*), sum(total) FROM changed;

-- case: merge
-- options: ANALYZE, BUFFERS
-- since: 15
MERGE INTO products p USING (SELECT n, 'merged ' || n AS name FROM generate_series(480, 520) n) s ON p.id = s.n
WHEN MATCHED THEN UPDATE SET name = s.name
WHEN NOT MATCHED THEN INSERT VALUES (s.n, s.name, '');

-- case: set operations
-- options: ANALYZE, BUFFERS
(SELECT customer_id FROM orders WHERE total = 5 EXCEPT SELECT id FROM customers WHERE city = 'city 5')
UNION ALL (SELECT DISTINCT product_id FROM items WHERE quantity = 2)
INTERSECT ALL SELECT n FROM (VALUES (1), (2), (3)) v(n);

-- case: many scans
-- options: ANALYZE, BUFFERS, VERBOSE
SELECT g.n, v.word, t.id, lower(p.name) FROM generate_series(1, 3) WITH ORDINALITY g(n, o)
CROSS JOIN (VALUES ('a'), ('it''s, (b)')) v(word)
JOIN products p ON p.words @@ plainto_tsquery('simple', CASE v.word WHEN 'a' THEN 'product 3' ELSE 'product' END)
JOIN LATERAL (SELECT id FROM tree TABLESAMPLE SYSTEM (100) REPEATABLE (1) WHERE parent = g.n OFFSET 0) t ON true
WHERE p.id < 5;

-- case: row locks
-- options: ANALYZE, BUFFERS
SELECT * FROM customers WHERE city = 'city 11' ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED;

-- case: tid scans
-- options: ANALYZE, BUFFERS
SELECT id FROM orders WHERE ctid = '(0,1)' UNION ALL SELECT id FROM orders WHERE ctid < '(2,0)';

-- case: odd names
-- options: ANALYZE, BUFFERS, VERBOSE
SELECT "Key, one", "Text: (two)" FROM "Odd Schema"."Odd, Table" AS "the ""alias"" on"
WHERE "Key, one" < 50 AND "Text: (two)" <> 'x  ->  Seq Scan on y  (cost=1.00..2.00 rows=3 width=4)' ORDER BY "order", "Text: (two)" DESC NULLS LAST, 'a, ' || "order";

-- case: function on column
-- options: ANALYZE, BUFFERS
SELECT id FROM customers WHERE lower(email) = 'customer77@example.org';

-- case: implicit cast
-- options: ANALYZE, BUFFERS
SELECT total FROM orders WHERE id::numeric = 77.0;

-- case: json path
-- options: ANALYZE, BUFFERS
SELECT id FROM orders WHERE meta ->> 'sku' = 'sku-77';

-- case: volatile function
-- options: ANALYZE, BUFFERS
SELECT id, slow_double(total::int) FROM orders WHERE id < 2000;

-- case: xml table
-- options: ANALYZE, BUFFERS
SELECT x.* FROM xmltable('/r/c' PASSING (xml '<r><c>1</c><c>2</c></r>') COLUMNS c int PATH '.') x WHERE x.c > 1;

-- case: foreign scans
-- options: ANALYZE, BUFFERS, VERBOSE
SELECT count(*), max(c.city) FROM remote.customers c JOIN remote.products p ON p.id = c.id WHERE c.city <> 'city 1';

-- case: input output timing
-- options: ANALYZE, BUFFERS
-- setting: track_io_timing = on
-- setting: work_mem = '128kB'
SELECT id, order_id FROM items ORDER BY quantity, id DESC;

-- case: timing off
-- options: ANALYZE, TIMING OFF, BUFFERS
SELECT o.status, count(*) FROM orders o JOIN items i ON i.order_id = o.id WHERE i.product_id = 7 GROUP BY o.status;

-- case: summary and settings
-- options: ANALYZE, SETTINGS, WAL, SUMMARY
-- setting: random_page_cost = 1.1
-- setting: work_mem = '7MB'
UPDATE customers SET city = 'city 0' WHERE id < 100;

-- case: plain
-- options: SETTINGS
-- setting: random_page_cost = 1.1
SELECT c.city, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = 'pending' GROUP BY c.city ORDER BY 2 DESC LIMIT 5;

-- case: plain buffers
-- options: BUFFERS, SUMMARY
SELECT c.city, c.email FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.status = 'failed');

-- case: costs off
-- options: COSTS OFF
SELECT * FROM orders o FULL JOIN payments p ON p.order_id = o.id WHERE o.total IS DISTINCT FROM p.amount;

-- case: costs off analyzed
-- options: ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF
SELECT * FROM orders o RIGHT JOIN payments p ON p.order_id = o.id AND o.total > p.amount WHERE p.id < 1000;

-- case: disabled nodes
-- options: ANALYZE, BUFFERS
-- setting: enable_seqscan = off
-- setting: enable_hashjoin = off
-- setting: enable_mergejoin = off
SELECT count(*) FROM payments p JOIN tree t ON t.id = p.amount WHERE p.amount < 3;

-- case: serialize and memory
-- options: ANALYZE, BUFFERS, SERIALIZE, MEMORY
-- since: 17
SELECT id, note, meta FROM orders WHERE customer_id < 100;

-- case: generic plan
-- options: GENERIC_PLAN
-- since: 16
SELECT * FROM orders WHERE customer_id = $1 AND placed > $2 LIMIT $3;
