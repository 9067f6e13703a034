-- What the clinic asks for, often enough to count.
SELECT pg_stat_statements_reset();
DO $do$ DECLARE q text; i int; BEGIN
FOREACH q IN ARRAY ARRAY[
 $$SELECT count(*) FROM ward."Patients" WHERE NOT consent AND id = '00000000-0000-0000-0000-000000000000'$$,
 $$SELECT id FROM desk."order" o WHERE channel <> 'web' AND id = 5$$,
 $$SELECT id FROM desk."order" o WHERE buyer NOT IN (SELECT buyer FROM desk.blocklist) AND id < 3$$,
 $$SELECT id FROM ward.admissions WHERE bill_ref IS DISTINCT FROM 'x' AND id = 4$$,
 $$SELECT coalesce(nickname, 'x') FROM bank.customers WHERE id = 4$$,
 $$SELECT coalesce(nickname, 'x'), email FROM bank.customers WHERE id = 5 AND email > 'a'$$,
 $$SELECT o.id FROM desk."order" o LEFT JOIN desk.tickets t ON t.order_id = o.id WHERE t.seat IS NULL AND o.id = 4$$,
 $$SELECT o.id FROM desk."order" o LEFT JOIN desk.tickets t ON t.order_id = o.id WHERE t.id IS NULL AND o.id = 4$$,
 $$SELECT m.id FROM cms.media m LEFT JOIN cms.articles a ON a.id = m.article_id WHERE a.title = 'x' AND m.id = 3$$,
 $$SELECT buyer || promo FROM desk."order" WHERE id = 3$$,
 $$SELECT score + bonus FROM desk."order" WHERE id = 3$$,
 $$SELECT count(score) FROM desk."order" WHERE id < 3$$,
 $$SELECT id FROM desk."order" WHERE id < 100 ORDER BY paid_on DESC LIMIT 5$$,
 $$SELECT id FROM desk."order" WHERE buyer IS NULL AND id = 2$$,
 $$INSERT INTO bank.limits (tier, country) VALUES ('t1', 'c2') ON CONFLICT (tier, country) DO NOTHING$$,
 $$SELECT id FROM desk."order" WHERE lower(buyer) = 'b77'$$,
 $$SELECT count(*) FROM desk."order" WHERE placed::date = '2025-01-01'$$,
 $$SELECT id FROM cms.articles WHERE meta ->> 'lang' = 'fr'$$,
 $$SELECT id FROM cms.translations WHERE texts @> '{"de":"z"}'$$
 ] LOOP FOR i IN 1..120 LOOP EXECUTE q; END LOOP; END LOOP; END $do$;
