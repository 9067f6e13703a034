-- A plausible shop with planted defects of every family of audit rules, and a healthy twin beside each: planted.tsv lists both.
--
--     createdb shop
--     PGOPTIONS='-c demo.scale=0.01' psql -v ON_ERROR_STOP=1 -f scripts/demo-database/shop.sql shop
--
-- demo.scale is 1 without the option: about 17 million rows, 2.7 GB. Rows are made by the server and are the same in every run.
-- Needs a superuser: one index is marked invalid by hand.

SET client_min_messages = warning;
SET synchronous_commit = off;
SELECT setseed(0.42);

-- Rows of a table at this scale.
CREATE FUNCTION pg_temp.n(full_scale bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT greatest(10, (full_scale * coalesce(nullif(current_setting('demo.scale', true), ''), '1')::float8)::bigint)
$$;

CREATE SCHEMA shop;
CREATE SCHEMA billing;
CREATE SCHEMA tenant;
SET search_path = shop, public;

-- People and products.

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    full_name text NOT NULL,
    country char(2) NOT NULL,
    -- '' and NULL both mean that there is no phone.
    phone text,
    -- Filled in by every writer, and never declared so.
    locale text DEFAULT 'en',
    -- Three states.
    newsletter boolean,
    vip boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
INSERT INTO customers (email, full_name, country, phone, locale, newsletter, vip, created_at)
SELECT 'customer' || i || '@example.org', 'Customer ' || i, (ARRAY['DE', 'FR', 'US', 'JP'])[1 + i % 4],
       CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN NULL ELSE '+49 ' || i END, CASE WHEN i % 5 = 0 THEN 'de' ELSE 'en' END,
       CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN true ELSE false END, i % 50 = 0, timestamptz '2024-01-01' + i * interval '20 seconds'
FROM generate_series(1, pg_temp.n(1500000)) i;
CREATE UNIQUE INDEX customers_email_key ON customers (email);

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    name text NOT NULL,
    price numeric(12,2) NOT NULL CHECK (price >= 0),
    metadata jsonb DEFAULT '{}',
    dimensions jsonb NOT NULL CHECK (jsonb_typeof(dimensions) = 'object')
);
INSERT INTO products (sku, name, price, metadata, dimensions)
SELECT 'S' || i, 'Product ' || i, (i % 1000) / 10.0,
       CASE WHEN i % 3 = 0 THEN jsonb_build_object('colour', 'red', 'weight', i % 50)
            WHEN i % 3 = 1 THEN jsonb_build_object('weight', (i % 50)::text, 'import_id', i)
            ELSE jsonb_build_object('note' || i % 97, i) END,
       jsonb_build_object('w', i % 10, 'h', i % 7)
FROM generate_series(1, pg_temp.n(200000)) i;

-- Orders.

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    -- One of five words, and any text is taken.
    status text NOT NULL,
    -- Says '<> ''gift''' of it: rows without a channel are left out.
    channel text,
    paid boolean NOT NULL,
    placed_at timestamptz NOT NULL,
    -- Always set.
    shipping_country text
);
INSERT INTO orders (customer_id, status, channel, paid, placed_at, shipping_country)
SELECT 1 + i % (SELECT max(id) FROM customers), (ARRAY['new', 'paid', 'packed', 'shipped', 'done'])[1 + i % 5],
       CASE WHEN i % 4 = 0 THEN NULL WHEN i % 4 = 1 THEN 'gift' ELSE 'web' || i % 400 END, i % 3 > 0,
       timestamptz '2024-01-01' + i * interval '10 seconds', 'country ' || i % 300
FROM generate_series(1, pg_temp.n(3000000)) i;
CREATE INDEX orders_customer_idx ON orders (customer_id, placed_at);
-- Twice the same, its beginning, one on a boolean, one that begins with the time, one that nobody reads.
CREATE INDEX orders_customer_placed ON orders (customer_id, placed_at);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_paid ON orders (paid);
CREATE INDEX orders_placed_country ON orders (placed_at, shipping_country);
CREATE INDEX orders_country_channel ON orders (shipping_country, channel);

CREATE TABLE order_lines (
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    line int NOT NULL,
    -- Deleting a product deletes its lines, found by reading all of them.
    product_id bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    quantity int NOT NULL,
    PRIMARY KEY (order_id, line)
);
INSERT INTO order_lines
SELECT 1 + i / 2, i % 2, 1 + i % (SELECT max(id) FROM products), 1 + i % 5
FROM generate_series(0, 2 * (SELECT max(id) FROM orders) - 1) i;
ALTER TABLE order_lines ADD CONSTRAINT quantity_is_positive CHECK (quantity > 0) NOT VALID;
ALTER TABLE order_lines ADD CONSTRAINT line_is_not_negative CHECK (line >= 0) NOT VALID;
ALTER TABLE order_lines VALIDATE CONSTRAINT line_is_not_negative;

CREATE TABLE shipments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Narrower than what it references.
    order_id integer NOT NULL UNIQUE REFERENCES orders,
    carrier text NOT NULL CHECK (carrier IN ('post', 'courier'))
);
CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL UNIQUE REFERENCES orders);
CREATE TABLE returns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No foreign key.
    order_id bigint NOT NULL,
    reason text NOT NULL
);
INSERT INTO returns (order_id, reason) SELECT 1 + (i * 37) % (SELECT max(id) - 1 FROM orders), 'too small ' || i FROM generate_series(1, pg_temp.n(50000)) i;
CREATE TABLE comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    -- Polymorphic: no foreign key could say it.
    order_id bigint NOT NULL,
    order_type text NOT NULL,
    body text NOT NULL
);
CREATE INDEX ON comments (customer_id);
CREATE TABLE reviews (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL CONSTRAINT reviews_product_fk REFERENCES products,
    stars int NOT NULL CHECK (stars BETWEEN 1 AND 5)
);
CREATE INDEX ON reviews (product_id);
ALTER TABLE reviews ADD CONSTRAINT fk_reviews_products FOREIGN KEY (product_id) REFERENCES products;

CREATE TABLE warehouses (region int NOT NULL, number int NOT NULL, PRIMARY KEY (region, number));
INSERT INTO warehouses SELECT i % 10, i FROM generate_series(0, 99) i;
CREATE TABLE stock (
    product_id bigint PRIMARY KEY REFERENCES products,
    -- Half of a key is no key.
    region int NOT NULL,
    warehouse int,
    FOREIGN KEY (region, warehouse) REFERENCES warehouses (region, number)
);
INSERT INTO stock SELECT id, id % 10, CASE WHEN id % 3 = 0 THEN NULL ELSE id % 10 END FROM products;
CREATE INDEX ON stock (region, warehouse);
CREATE TABLE price_rules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_code text NOT NULL,
    country text,
    -- NULLs are different: the same rule for no country is stored twice.
    UNIQUE (product_code, country)
);
INSERT INTO price_rules (product_code, country) SELECT 'P' || i % 7000, CASE WHEN i % 2 = 0 THEN 'C' || i END FROM generate_series(1, pg_temp.n(100000)) i;
CREATE TABLE suppliers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- A CHECK says that it is never NULL.
    name text CONSTRAINT name_is_there CHECK (name IS NOT NULL),
    url text
);

-- Soft deletion.

CREATE TABLE coupons (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL, deleted_at timestamptz, UNIQUE (code, deleted_at));
CREATE TABLE gift_cards (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL, deleted_at timestamptz);
CREATE UNIQUE INDEX ON gift_cards (code) WHERE deleted_at IS NULL;

-- Types.

CREATE TABLE price_history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id bigint NOT NULL REFERENCES products, price double precision NOT NULL, changed_at timestamptz NOT NULL);
CREATE INDEX ON price_history (product_id);
CREATE TABLE sessions (id varchar(36) PRIMARY KEY, started timestamp NOT NULL, settings json NOT NULL CHECK (json_typeof(settings) = 'object'));
CREATE TABLE visits (id uuid PRIMARY KEY, started timestamptz NOT NULL);

-- Keys that end, random keys, wide rows.

CREATE TABLE audit_log (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, what text NOT NULL);
INSERT INTO audit_log (at, what) SELECT timestamptz '2025-01-01' + i * interval '1 second', 'action ' || i FROM generate_series(1, pg_temp.n(300000)) i;
SELECT setval('shop.audit_log_id_seq', 1900000000);
CREATE TABLE change_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, what text NOT NULL);
INSERT INTO change_log (at, what) SELECT timestamptz '2025-01-01' + i * interval '1 second', 'action ' || i FROM generate_series(1, pg_temp.n(100000)) i;
SELECT setval('shop.change_log_id_seq', 1900000000);

CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL);
INSERT INTO events (id, at) SELECT md5(i::text)::uuid, timestamptz '2025-01-01' + i * interval '1 second' FROM generate_series(1, pg_temp.n(3000000)) i;
CREATE TABLE pages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL, html text NOT NULL);
ALTER TABLE pages ALTER COLUMN html SET STORAGE PLAIN;
INSERT INTO pages (title, html)
SELECT 'Page ' || i, (SELECT string_agg(md5((i * 64 + j)::text), '') FROM generate_series(1, 56) j)
FROM generate_series(1, pg_temp.n(150000)) i;

-- No key, and its twin.

CREATE TABLE page_views (at timestamptz NOT NULL, path text NOT NULL, customer bigint);
INSERT INTO page_views SELECT timestamptz '2025-01-01' + i * interval '1 second', '/p/' || i % 5000, i FROM generate_series(1, pg_temp.n(1000000)) i;
CREATE TABLE searches (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, words text NOT NULL);

-- An index that is mostly air: most of its entries are gone.

CREATE TABLE tokens_seen (id bigint PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO tokens_seen SELECT i, timestamptz '2025-01-01' + i * interval '1 second' FROM generate_series(1, pg_temp.n(1500000)) i;
CREATE INDEX tokens_seen_at ON tokens_seen (at);
DELETE FROM tokens_seen WHERE id % 20 <> 0;

-- An index whose concurrent build failed.

CREATE TABLE stores (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, city text NOT NULL);
CREATE INDEX stores_city ON stores (city);
CREATE INDEX stores_name ON stores (name);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'stores_city'::regclass;

-- Queues and outside events.

CREATE TABLE email_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz);
CREATE TABLE sms_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz, attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON sms_outbox (created_at) WHERE processed_at IS NULL;
CREATE TABLE webhook_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, provider text NOT NULL, event_id text NOT NULL, received_at timestamptz NOT NULL, payload jsonb NOT NULL);
CREATE TABLE carrier_webhooks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, provider text NOT NULL, event_id text NOT NULL, received_at timestamptz NOT NULL, payload jsonb NOT NULL, UNIQUE (provider, event_id));
CREATE TABLE payment_callbacks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, provider_event_id text UNIQUE, received_at timestamptz NOT NULL);

-- Money.

CREATE TABLE billing.charges (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL UNIQUE REFERENCES orders, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency char(3) NOT NULL);
CREATE TABLE billing.refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, amount numeric(12,2) NOT NULL);

-- Secrets and people.

CREATE TABLE integrations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, api_key text NOT NULL);
CREATE TABLE partners (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, api_key_hash bytea NOT NULL);
CREATE TABLE staff (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login text NOT NULL UNIQUE, password text NOT NULL);
INSERT INTO staff (login, password) SELECT 'staff' || i, '$2b$12$' || substr(md5(i::text) || md5((i + 1)::text), 1, 53) FROM generate_series(1, 400) i;
CREATE TABLE legacy_logins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login text NOT NULL UNIQUE, password text NOT NULL);
INSERT INTO legacy_logins (login, password) SELECT 'user' || i, 'secret' || i FROM generate_series(1, 400) i;
CREATE TABLE newsletter_readers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, birth_date date NOT NULL);

-- Permissions.

CREATE TABLE tenant.documents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL);
CREATE TABLE tenant.folders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL);
CREATE TABLE tenant.labels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL);
CREATE TABLE tenant.notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL);
ALTER TABLE tenant.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.folders ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant.labels ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant.documents USING (owner = current_user);
CREATE POLICY own ON tenant.folders USING (owner = current_user);
CREATE POLICY own ON tenant.labels USING (owner = current_user);
CREATE TABLE feedback (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
GRANT SELECT, INSERT ON feedback TO PUBLIC;
CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL);
GRANT SELECT ON countries TO PUBLIC;
CREATE FUNCTION make_vip(customer bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
    AS 'UPDATE shop.customers SET vip = true WHERE id = customer';
CREATE FUNCTION unmake_vip(customer bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shop, pg_temp
    AS 'UPDATE shop.customers SET vip = false WHERE id = customer';

-- Housekeeping.

CREATE TABLE carts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, changed_at timestamptz NOT NULL) WITH (autovacuum_enabled = false);
CREATE INDEX ON carts (customer_id);
INSERT INTO carts (customer_id, changed_at) SELECT 1 + i % (SELECT max(id) FROM customers), timestamptz '2025-01-01' FROM generate_series(1, pg_temp.n(400000)) i;
CREATE TABLE imports (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line text NOT NULL);
-- Nine rows of ten went at once; their room stayed.
CREATE TABLE old_searches (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, words text NOT NULL);
INSERT INTO old_searches (at, words) SELECT timestamptz '2024-01-01', repeat('word ', 40) FROM generate_series(1, pg_temp.n(800000)) i;
DELETE FROM old_searches WHERE id % 10 <> 0;

-- What only a sample of rows shows: one of two is always set, a state brings a value. The twins say so.
CREATE TABLE media_links (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id bigint REFERENCES products, page_id bigint REFERENCES pages);
CREATE TABLE media_embeds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id bigint REFERENCES products, page_id bigint REFERENCES pages, CHECK (num_nonnulls(product_id, page_id) = 1));
CREATE INDEX ON media_links (product_id); CREATE INDEX ON media_links (page_id);
CREATE INDEX ON media_embeds (product_id); CREATE INDEX ON media_embeds (page_id);
INSERT INTO media_links (product_id, page_id)
SELECT CASE WHEN i % 2 = 0 THEN 1 + i % 10 END, CASE WHEN i % 2 = 1 THEN 1 + i % 10 END FROM generate_series(1, pg_temp.n(200000)) i;
INSERT INTO media_embeds (product_id, page_id) SELECT product_id, page_id FROM media_links;
CREATE TABLE dispatches (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL CHECK (status IN ('new', 'sent')), sent_to text);
CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL CHECK (status IN ('new', 'sent')), sent_to text, CHECK (status = 'new' OR sent_to IS NOT NULL));
INSERT INTO dispatches (status, sent_to)
SELECT CASE WHEN i % 2 = 0 THEN 'new' ELSE 'sent' END, CASE WHEN i % 2 = 1 THEN 'place ' || i END FROM generate_series(1, pg_temp.n(200000)) i;
INSERT INTO deliveries (status, sent_to) SELECT status, sent_to FROM dispatches;

-- 14 lets everybody create there.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Counters are handed in once a second at most: those of the rows above have to come before VACUUM resets them.
SELECT pg_sleep(1.1);
VACUUM ANALYZE;

-- After VACUUM: rows that died since, and rows that no statistics know.
UPDATE carts SET changed_at = now();
INSERT INTO imports (line) SELECT 'line ' || i FROM generate_series(1, pg_temp.n(500000)) i;
