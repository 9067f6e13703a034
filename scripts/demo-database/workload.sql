-- What the shop's application asks for, some of it in ways that leave out NULL or defeat an index. Each statement runs 150 times, so
-- that pg_stat_statements has it among those that matter.
DO $run$
BEGIN
    FOR i IN 1..150 LOOP
        PERFORM count(*) FROM shop.orders o WHERE o.channel <> 'gift' AND o.customer_id = i;
        PERFORM c.id FROM shop.customers c WHERE lower(c.email) = 'customer' || i || '@example.org';
        PERFORM c.id FROM shop.customers c WHERE c.email = 'customer' || i || '@example.org';
        PERFORM c.id FROM shop.customers c WHERE NOT c.newsletter AND c.id = i;
    END LOOP;
END
$run$;
-- The index on paid is read now and then, so it is of low value rather than unused.
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT paid FROM shop.orders WHERE NOT paid ORDER BY paid LIMIT 10) AS few;
RESET enable_seqscan;
