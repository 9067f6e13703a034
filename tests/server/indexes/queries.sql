-- calls: 500, mean: 9 ms, rows: 1
-- want: ledger (account) INCLUDE (cents)
SELECT sum(cents) FROM ledger WHERE account = $1;
-- calls: 500, mean: 9 ms, rows: 1
-- want: samples (sensor, taken_at)
SELECT max(taken_at) FROM samples WHERE sensor = $1;
-- calls: 500, mean: 20 ms, rows: 1
-- want: parcels (depot, id)
SELECT * FROM parcels WHERE depot = $1 ORDER BY id LIMIT 1;
-- calls: 500, mean: 10 ms, rows: 1
-- want: visits (tenant, at)
SELECT count(path) FROM visits WHERE tenant = :kind AND at >= :since;
-- calls: 300, mean: 12 ms, rows: 1
-- want: products (supplier_id)
DELETE FROM suppliers WHERE id = $1;
-- calls: 300, mean: 12 ms, rows: 5
-- want: shops USING gist (place)
SELECT id FROM shops ORDER BY place <-> $1 LIMIT 5;
-- calls: 300, mean: 8 ms, rows: 1
-- want: blocked USING gist (net inet_ops)
SELECT reason FROM blocked WHERE net >>= $1;
-- calls: 60, mean: 30 ms, rows: 1
-- want: mods (state) INCLUDE (id, team)
SELECT count(id) FROM mods WHERE state = ANY ($1);
-- calls: 60, mean: 30 ms, rows: 1
-- want: mods (state) INCLUDE (id, team)
SELECT count(DISTINCT team) FROM mods WHERE state = ANY ($1);
-- calls: 90000, mean: 0.02 ms, rows: 1
-- want: nothing
SELECT name, seen FROM people WHERE id = $1;
-- calls: 300, mean: 9 ms, rows: 1
-- want: observed column-cast
SELECT name FROM people WHERE id::text = $1;
-- calls: 300, mean: 9 ms, rows: 1
-- want: observed time-as-date
SELECT count(*) FROM people WHERE date_trunc('day', seen) = $1;
-- calls: 300, mean: 9 ms, rows: 10
-- want: observed page-by-offset
SELECT id, name FROM people ORDER BY born LIMIT 10 OFFSET $1;
-- calls: 300, mean: 9 ms, rows: 1
-- want: observed extension-missing
SELECT id FROM people WHERE pad LIKE '%needle%';
-- calls: 300, mean: 8 ms, rows: 1
-- want: pages USING hash (url)
SELECT hits FROM pages WHERE url = $1;
-- calls: 20000, mean: 0.02 ms, rows: 1
-- want: nothing
UPDATE sessions SET seen = $2 WHERE id = $1;
-- calls: 2, mean: 9 ms, rows: 10
-- want: nothing
SELECT id FROM sessions ORDER BY seen DESC LIMIT 10;
-- calls: 5, mean: 40 ms, rows: 5000
-- want: nothing
UPDATE jobs SET status = 'done' WHERE status = 'waiting' AND due <= $1;
-- calls: 6000, mean: 0.4 ms, rows: 1
-- want: rates (currency, day DESC)
SELECT rate FROM rates WHERE currency = $1 AND day <= $2 ORDER BY day DESC LIMIT 1;
-- calls: 200, mean: 9 ms, rows: 1
-- want: bookings USING gist (during)
SELECT id FROM bookings WHERE during && $1;
-- calls: 500, mean: 9 ms, rows: 13
-- want: orders (customer)
SELECT * FROM orders WHERE customer = $1;
-- calls: 500, mean: 0.05 ms, rows: 2
-- want: nothing
SELECT item, amount FROM lines WHERE order_id = $1;
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
INSERT INTO sessions (id, seen, token) SELECT DISTINCT $1, $2, $3;
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
WITH RECURSIVE steps AS (SELECT $1 AS n UNION ALL SELECT n + $2 FROM steps WHERE n < $3) SELECT count(*) FROM steps;
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
SELECT jsonb_build_object($1, id, $2, label, $3, supplier_id, $4, 1, $5, 2, $6, 3) FROM products WHERE id = $7 LIMIT COALESCE($8, $9) OFFSET COALESCE($10, $11);
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
SELECT sum(CASE WHEN place = $1 THEN $2 ELSE $3 END) FROM lines WHERE order_id = $4;
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
SELECT amount / $1, count(*) FROM lines WHERE order_id = $2 GROUP BY amount / 100;
-- calls: 1, mean: 5 ms, rows: 1
-- want: planned
MERGE INTO sessions s USING (SELECT $1 AS id, $2 AS seen) n ON n.id = s.id WHEN MATCHED THEN UPDATE SET seen = n.seen;
-- calls: 500, mean: 2 ms, rows: 20
-- want: tickets (person, opened DESC)
SELECT * FROM tickets WHERE person = $1 AND state IN (1, 2, 4) ORDER BY opened DESC LIMIT 20;
-- calls: 300, mean: 8 ms, rows: 350
-- want: stays (leaves)
SELECT * FROM stays WHERE arrives < $1 + interval '1 day' AND leaves >= $2 + interval '1 hour';
-- calls: 300, mean: 8 ms, rows: 9
-- want: spots (lng, lat)
SELECT name FROM spots WHERE lat BETWEEN $1 AND $2 AND lng BETWEEN $3 AND $4;
-- calls: 300, mean: 14 ms, rows: 1
-- want: accounts ((upper(email)))
SELECT id FROM accounts WHERE upper(email) = upper($1) LIMIT 21;
-- calls: 300, mean: 8 ms, rows: 72
-- want: trail (((at)::date))
-- want: observed day-of-time
SELECT what FROM trail WHERE at::date = $1;
-- calls: 300, mean: 20 ms, rows: 100
-- want: readers (joined DESC) WHERE active
SELECT id, pad FROM readers r WHERE active AND NOT EXISTS (SELECT FROM letters l WHERE l.reader = r.id) ORDER BY joined DESC LIMIT 100;
-- calls: 100, mean: 15 ms, rows: 4
-- want: papers USING gin (words)
SELECT id FROM papers WHERE words @@ to_tsquery('simple', $1);
-- calls: 300, mean: 9 ms, rows: 20, role: clerk
-- want: memos (office, at DESC)
SELECT body FROM memos ORDER BY at DESC LIMIT 20;
