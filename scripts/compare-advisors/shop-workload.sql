-- What the shop of scripts/demo-database asks for.
-- calls: 10000
SELECT id, full_name FROM shop.customers WHERE lower(email) = 'customer{1..150000}@example.org';
-- calls: 10000
SELECT id, status, placed_at FROM shop.orders WHERE customer_id = {1..150000} ORDER BY placed_at DESC LIMIT 10;
-- calls: 10000
SELECT l.* FROM shop.order_lines l WHERE l.order_id = {1..300000};
-- calls: 2000
SELECT o.id, o.placed_at FROM shop.order_lines l JOIN shop.orders o ON o.id = l.order_id WHERE l.product_id = {1..20000} ORDER BY o.placed_at DESC LIMIT 20;
-- calls: 2000
SELECT id, body FROM shop.email_outbox WHERE processed_at IS NULL ORDER BY created_at LIMIT 10;
-- calls: 1000
SELECT id, name FROM shop.products WHERE metadata @> '{"import_id": {1..20000}}';
-- calls: 1000
SELECT id, name, price FROM shop.products WHERE name LIKE 'Product {100..999}%' ORDER BY name LIMIT 20;
-- calls: 1000
SELECT count(*) FROM shop.orders WHERE status = 'pending' AND placed_at > '2024-06-01';
-- calls: 500
SELECT r.id, o.customer_id FROM shop.returns r JOIN shop.orders o ON o.id = r.order_id WHERE r.order_id = {1..300000};
-- calls: 500
SELECT count(*) FROM shop.page_views WHERE path = '/p/{0..4999}';
-- calls: 500
SELECT count(*) FROM shop.page_views WHERE at >= timestamptz '2025-01-01' + interval '{0..20} hours' AND at < timestamptz '2025-01-01' + interval '{21..23} hours';
-- calls: 500
SELECT * FROM shop.price_rules WHERE product_code = 'P{0..6999}' AND country IS NULL;
-- calls: 200
SELECT c.country, count(*) FROM shop.customers c JOIN shop.orders o ON o.customer_id = c.id WHERE o.placed_at >= '2024-01-02' AND o.placed_at < '2024-01-03' GROUP BY 1;
-- calls: 200
SELECT id, at FROM shop.events ORDER BY at DESC LIMIT 20;
-- calls: 100
SELECT id FROM shop.customers WHERE phone = '+49 {1..150000}';
-- calls: 20
SELECT channel, count(*) FROM shop.orders GROUP BY channel;
-- calls: 10000
UPDATE shop.orders SET status = 'done' WHERE id = {1..300000};
