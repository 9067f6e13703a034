-- A warehouse: partitioned tables that are joined by partition, foreign keys, BRIN, multiranges, generated columns, expression statistics, empty and never analyzed tables.
CREATE TABLE stores (id int PRIMARY KEY, region text NOT NULL, city text NOT NULL, opened date NOT NULL);
CREATE TABLE sales (id bigint NOT NULL, store int NOT NULL, at date NOT NULL, amount numeric(10,2) NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM ('2024-01-01') TO ('2024-04-01');
CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM ('2024-04-01') TO ('2024-07-01');
CREATE TABLE sales_3 PARTITION OF sales FOR VALUES FROM ('2024-07-01') TO ('2025-01-01') PARTITION BY RANGE (at);
CREATE TABLE sales_3a PARTITION OF sales_3 FOR VALUES FROM ('2024-07-01') TO ('2024-09-01');
CREATE TABLE sales_3b PARTITION OF sales_3 DEFAULT;
CREATE TABLE returns (sale bigint NOT NULL, at date NOT NULL, reason text NOT NULL, PRIMARY KEY (sale, at), FOREIGN KEY (sale, at) REFERENCES sales (id, at)) PARTITION BY RANGE (at);
CREATE TABLE returns_1 PARTITION OF returns FOR VALUES FROM ('2024-01-01') TO ('2024-04-01');
CREATE TABLE returns_2 PARTITION OF returns FOR VALUES FROM ('2024-04-01') TO ('2024-07-01');
CREATE TABLE returns_3 PARTITION OF returns FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE TABLE parts (id int PRIMARY KEY, code text NOT NULL, weight int NOT NULL, gross int GENERATED ALWAYS AS (weight * 3) STORED, valid int4multirange NOT NULL, note text);
CREATE TABLE moves (id bigint PRIMARY KEY, part int NOT NULL REFERENCES parts, store int NOT NULL REFERENCES stores, quantity int NOT NULL, at timestamp NOT NULL, kind int NOT NULL, detail int NOT NULL);
CREATE TABLE scans (at timestamp NOT NULL, part int NOT NULL, pad text NOT NULL);
CREATE TABLE fresh (id int PRIMARY KEY, part int NOT NULL);
CREATE TABLE nothing (id int PRIMARY KEY, part int NOT NULL);
CREATE UNLOGGED TABLE staging (part int NOT NULL, quantity int);
INSERT INTO stores SELECT n, 'R' || n % 5, 'C' || n % 25, date '2000-01-01' + n FROM generate_series(1, 200) n;
INSERT INTO sales SELECT n, 1 + (random() ^ 3 * 199)::int, date '2024-01-01' + n % 366, (random() * 100)::numeric(10,2) FROM generate_series(1, 120000) n;
INSERT INTO returns SELECT id, at, 'reason ' || id % 9 FROM sales WHERE id % 17 = 0;
INSERT INTO parts (id, code, weight, valid, note) SELECT n, 'P' || n, n % 100, int4multirange(int4range(n, n + 10), int4range(n + 100, n + 150)), CASE WHEN n % 50 = 0 THEN 'x' END FROM generate_series(1, 5000) n;
INSERT INTO moves SELECT n, 1 + (random() ^ 2 * 4999)::int, 1 + n % 200, n % 50, timestamp '2024-01-01' + n * interval '1 minute', n % 20, (n % 20) * 3 FROM generate_series(1, 100000) n;
INSERT INTO scans SELECT timestamp '2024-01-01' + n * interval '5 seconds', n % 3000, repeat('s', 60) FROM generate_series(1, 90000) n;
INSERT INTO staging SELECT n % 5000, n FROM generate_series(1, 20000) n;
CREATE INDEX sales_store ON sales (store, at);
CREATE INDEX moves_part ON moves (part, at);
CREATE INDEX moves_store ON moves (store);
CREATE INDEX moves_at ON moves USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX scans_at ON scans USING brin (at timestamp_minmax_multi_ops);
CREATE INDEX scans_part_bloom ON scans USING brin (part int4_bloom_ops);
CREATE INDEX parts_valid ON parts USING gist (valid);
CREATE INDEX parts_note ON parts (id) WHERE note IS NOT NULL;
CREATE INDEX parts_lower ON parts (lower(code));
CREATE INDEX parts_code_desc ON parts (code DESC NULLS LAST) INCLUDE (weight);
CREATE STATISTICS moves_kinds (ndistinct, dependencies, mcv) ON kind, detail FROM moves;
CREATE STATISTICS moves_hour ON date_part('hour', at), (quantity % 7) FROM moves;
ALTER TABLE moves ALTER COLUMN part SET (n_distinct = -0.04);
-- ANALYZE then reads all rows (300 times the target), and the histogram ends where the values do. The planner looks the ends up in an index, which the
-- twin cannot: after a sample, costs of queries at the ends differ by chance.
ALTER TABLE moves ALTER COLUMN id SET STATISTICS 400;
ALTER TABLE sales_2 ALTER COLUMN id SET STATISTICS 400;
ALTER TABLE sales_1 SET (parallel_workers = 3);
VACUUM ANALYZE;
INSERT INTO fresh SELECT n, n % 100 FROM generate_series(1, 3000) n;
-- query: joined by partition
-- set: enable_partitionwise_join = on
SELECT s.store, count(*) FROM sales s JOIN returns r ON r.sale = s.id AND r.at = s.at GROUP BY s.store;
-- query: aggregated by partition
-- set: enable_partitionwise_aggregate = on
SELECT at, sum(amount) FROM sales GROUP BY at;
-- query: partitions of partitions
SELECT sum(amount) FROM sales WHERE store = 3 AND at >= '2024-08-01';
-- query: pruned when it starts
SELECT sum(amount) FROM sales WHERE at = (SELECT max(opened) FROM stores);
-- query: parallel append
-- set: parallel_tuple_cost = 0.001
SELECT count(*), sum(amount) FROM sales WHERE amount > 5;
-- query: one worker for each table
SELECT 1 FROM sales WHERE amount > 99 UNION ALL SELECT 2 FROM moves WHERE quantity = 7 UNION ALL SELECT 3 FROM scans WHERE pad = 'a';
-- query: remembered lookups
SELECT m.id, s.city FROM moves m JOIN stores s ON s.id = m.store WHERE m.quantity < 3;
-- query: remembered lateral
-- set: enable_hashjoin = off
SELECT m.id, x.n FROM moves m CROSS JOIN LATERAL (SELECT count(*) AS n FROM sales_1 s WHERE s.store = m.store) x WHERE m.id < 300;
-- query: sorted step by step
SELECT * FROM moves ORDER BY part, quantity LIMIT 50;
-- query: merged
-- set: enable_hashjoin = off
SELECT count(*) FROM moves m JOIN parts p ON p.id = m.part WHERE p.id > 4000;
-- query: merged with an empty table
-- set: enable_hashjoin = off
SELECT count(*) FROM moves m JOIN nothing n ON n.part = m.part;
-- query: beyond the last value
SELECT * FROM moves WHERE id > 99990;
-- query: before the first value
SELECT * FROM moves WHERE part < 2 AND at < '2024-01-01 01:00';
-- query: open at the end
SELECT count(*) FROM sales_2 WHERE id > 119000;
-- query: summaries of pages
SELECT count(*) FROM moves WHERE at BETWEEN '2024-02-01' AND '2024-02-02';
-- query: several ranges in a summary
SELECT count(*) FROM scans WHERE at > '2024-01-06 00:00' AND at < '2024-01-06 01:00';
-- query: bloom filters of pages
SELECT count(*) FROM scans WHERE part = 77;
-- query: multirange
SELECT id FROM parts WHERE valid @> 4800;
-- query: overlapping multiranges
SELECT id FROM parts WHERE valid && int4multirange(int4range(1, 5), int4range(700, 705));
-- query: generated column
SELECT id FROM parts WHERE gross = 30;
-- query: partial on a rare note
SELECT id FROM parts WHERE note IS NOT NULL AND id > 4500;
-- query: lower case
SELECT * FROM parts WHERE lower(code) = 'p77';
-- query: descending with the rest included
SELECT code, weight FROM parts ORDER BY code DESC NULLS LAST LIMIT 20;
-- query: dependent columns
SELECT count(*) FROM moves WHERE kind = 7 AND detail = 21;
-- query: groups of dependent columns
SELECT kind, detail, count(*) FROM moves GROUP BY kind, detail;
-- query: statistics of an expression
SELECT count(*) FROM moves WHERE date_part('hour', at) = 3 AND quantity % 7 = 2;
-- query: groups of an expression
SELECT date_part('hour', at), count(*) FROM moves GROUP BY 1;
-- query: number of values set by hand
SELECT part, count(*) FROM moves GROUP BY part;
-- query: foreign keys
SELECT count(*) FROM moves m JOIN parts p ON p.id = m.part JOIN stores s ON s.id = m.store WHERE s.region = 'R1' AND p.weight < 10;
-- query: foreign key of two columns
SELECT count(*) FROM returns r JOIN sales s ON s.id = r.sale AND s.at = r.at WHERE s.store = 1;
-- query: never analyzed
SELECT f.id, p.code FROM fresh f JOIN parts p ON p.id = f.part WHERE f.part < 10;
-- query: empty
SELECT * FROM nothing WHERE part = 3;
-- query: unlogged
SELECT part, sum(quantity) FROM staging GROUP BY part HAVING sum(quantity) > 100;
-- query: compiled
-- set: jit_above_cost = 100
SELECT sum(amount), store FROM sales GROUP BY store;
-- query: not in
SELECT count(*) FROM parts WHERE id NOT IN (SELECT part FROM moves WHERE quantity > 40);
-- query: not exists
SELECT count(*) FROM parts p WHERE NOT EXISTS (SELECT FROM moves m WHERE m.part = p.id AND m.kind = 3);
-- query: window
SELECT store, at, sum(amount) OVER (PARTITION BY store ORDER BY at) FROM sales WHERE store < 4;
-- query: distinct on
SELECT DISTINCT ON (part) part, at, quantity FROM moves ORDER BY part, at DESC;
-- query: grouping sets
SELECT region, city, count(*) FROM stores JOIN moves ON moves.store = stores.id GROUP BY ROLLUP (region, city);
-- query: recursive
WITH RECURSIVE t AS (SELECT id, part FROM fresh WHERE id = 1 UNION ALL SELECT f.id, f.part FROM fresh f JOIN t ON f.id = t.part + 1 WHERE t.id < 50) SELECT * FROM t;
-- query: list of values
SELECT * FROM moves WHERE part IN (1, 2, 3, 500, 4000) AND at > '2024-03-01';
-- query: either
SELECT * FROM moves WHERE part = 4000 OR store = 7;
-- query: row comparison
SELECT * FROM moves WHERE (part, at) > (4990, '2024-03-01') ORDER BY part, at LIMIT 5;
-- query: sampled
SELECT count(*) FROM moves TABLESAMPLE SYSTEM (5) WHERE quantity > 10;
-- query: by place
SELECT * FROM moves WHERE ctid < '(20,0)';
-- query: update
UPDATE moves SET quantity = 0 WHERE part = 4000;
-- query: delete by join
DELETE FROM returns r USING sales s WHERE s.id = r.sale AND s.at = r.at AND s.store = 9;
-- query: full outer join
SELECT count(*) FROM staging a FULL JOIN moves m ON m.part = a.part AND m.quantity = a.quantity;
-- query: smallest and largest
SELECT min(at), max(at) FROM moves WHERE part = 10;
