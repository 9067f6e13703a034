-- A shop: skew, correlated columns with extended statistics, a partial index, JSON paths with an index on an expression.
CREATE TYPE order_status AS ENUM ('pending', 'paid', 'shipped', 'done', 'failed');
CREATE TABLE customers (dropped_later int, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, country text NOT NULL, city text NOT NULL, zip text NOT NULL, created_at timestamptz NOT NULL);
ALTER TABLE customers DROP COLUMN dropped_later;
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status order_status NOT NULL, total numeric(10,2) NOT NULL, meta jsonb NOT NULL, placed_at timestamptz NOT NULL, deleted_at timestamptz);
CREATE TABLE products (id int PRIMARY KEY, sku varchar(20) NOT NULL, name text NOT NULL, price numeric NOT NULL, tags text[] NOT NULL, flag "char");
CREATE TABLE items (order_id bigint NOT NULL REFERENCES orders, line int NOT NULL, product_id int NOT NULL REFERENCES products, quantity int NOT NULL, kind order_status NOT NULL, state int NOT NULL, PRIMARY KEY (order_id, line));
INSERT INTO customers (email, country, city, zip, created_at) SELECT 'c' || n || '@example.org', 'C' || (n % 20) / 4, 'T' || n % 20, 'Z' || n % 40, timestamptz '2024-01-01' + n * interval '1 hour' FROM generate_series(1, 6000) n;
INSERT INTO orders (customer_id, status, total, meta, placed_at, deleted_at) SELECT 1 + (random() ^ 3 * 5999)::int, (CASE WHEN random() < 0.94 THEN 'done' WHEN random() < 0.5 THEN 'shipped' WHEN random() < 0.5 THEN 'paid' WHEN random() < 0.8 THEN 'failed' ELSE 'pending' END)::order_status, round((random() * 500)::numeric, 2), jsonb_build_object('sku', 'S' || (random() * 800)::int, 'channel', CASE WHEN random() < 0.9 THEN 'web' ELSE 'shop' END, 'size', (random() * 10)::int), timestamptz '2024-01-01' + n * interval '7 minutes', CASE WHEN random() < 0.03 THEN timestamptz '2025-01-01' END FROM generate_series(1, 60000) n;
INSERT INTO products SELECT n, 'S' || n, 'Product ' || md5(n::text), random() * 100, ARRAY['t' || n % 7, 'u' || n % 31, 'v' || (n % 500)], chr(65 + n % 3)::"char" FROM generate_series(1, 2000) n;
INSERT INTO items SELECT 1 + n / 3, n % 3, 1 + (random() ^ 2 * 1999)::int, 1 + (random() * 5)::int, (ARRAY['pending', 'paid', 'done'])[1 + n % 3]::order_status, n % 3 FROM generate_series(0, 119999) n;
CREATE INDEX orders_customer ON orders (customer_id, placed_at DESC);
CREATE INDEX orders_open ON orders (placed_at) WHERE status <> 'done';
CREATE INDEX orders_sku ON orders ((meta ->> 'sku'));
CREATE INDEX orders_meta ON orders USING gin (meta jsonb_path_ops);
CREATE INDEX items_product ON items (product_id) INCLUDE (quantity);
CREATE INDEX products_tags ON products USING gin (tags);
CREATE INDEX products_sku ON products (sku varchar_pattern_ops);
CREATE INDEX customers_email ON customers (lower(email));
CREATE STATISTICS customers_place (ndistinct, dependencies, mcv) ON country, city, zip FROM customers;
CREATE STATISTICS items_kind (mcv, dependencies) ON kind, state FROM items;
VACUUM ANALYZE;
-- query: equality
SELECT * FROM orders WHERE customer_id = 77 ORDER BY placed_at DESC LIMIT 10;
-- query: rare enum
SELECT id, total FROM orders WHERE status = 'pending';
-- query: common enum
SELECT count(*) FROM orders WHERE status = 'done' AND total > 400;
-- query: extended, two columns
SELECT * FROM customers WHERE country = 'C2' AND city = 'T9';
-- query: extended, group
SELECT country, city, zip, count(*) FROM customers GROUP BY 1, 2, 3;
-- query: extended, enum
SELECT * FROM items WHERE kind = 'paid' AND state = 1 AND quantity > 3;
-- query: extended, join
SELECT o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.country = 'C1' AND c.city = 'T5' AND c.zip = 'Z5';
-- query: json path
SELECT count(*) FROM orders WHERE meta ->> 'sku' = 'S17';
-- query: json containment
SELECT * FROM orders WHERE meta @> '{"sku": "S9", "channel": "shop"}';
-- query: json, no index
SELECT * FROM orders WHERE (meta ->> 'size')::int > 8;
-- query: partial index
SELECT * FROM orders WHERE status <> 'done' AND placed_at > '2024-10-01' ORDER BY placed_at LIMIT 50;
-- query: three-way join
SELECT p.name, sum(i.quantity) FROM orders o JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id WHERE o.placed_at BETWEEN '2024-03-01' AND '2024-03-04' GROUP BY p.name ORDER BY 2 DESC LIMIT 5;
-- query: index-only
SELECT sum(quantity) FROM items WHERE product_id BETWEEN 1500 AND 1520;
-- query: array
SELECT * FROM products WHERE tags @> ARRAY['v3', 't1'];
-- query: array overlap
SELECT count(*) FROM products WHERE tags && ARRAY['u3', 'v11'];
-- query: prefix
SELECT * FROM products WHERE sku LIKE 'S19%';
-- query: expression
SELECT * FROM customers WHERE lower(email) = 'c9@example.org';
-- query: not in
SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE status = 'failed');
-- query: exists
SELECT c.id FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.deleted_at IS NOT NULL);
-- query: left join
SELECT c.id, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.status = 'paid' WHERE c.city = 'T3' GROUP BY c.id;
-- query: window
SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC) FROM orders WHERE customer_id < 100;
-- query: update
UPDATE orders SET status = 'failed' WHERE placed_at < '2024-01-02' AND status = 'pending';
-- query: in list
SELECT * FROM orders WHERE id IN (5, 500, 50000, 59999);
-- query: distinct
SELECT DISTINCT country, zip FROM customers;
-- query: merge join
SELECT count(*) FROM orders o JOIN items i ON i.order_id = o.id;
-- query: beyond the end
SELECT * FROM orders WHERE placed_at > '2024-10-18 15:00';
