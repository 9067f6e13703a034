-- What the box office asks for on an evening.
SELECT pg_stat_statements_reset();
DO $$
DECLARE n integer; r record;
BEGIN
    FOR n IN 1..300 LOOP
        EXECUTE 'SELECT id, booking_id FROM boxoffice.tickets WHERE barcode = $1' USING upper(md5('t' || n));
        EXECUTE 'SELECT * FROM boxoffice.tickets WHERE booking_id = $1' USING 1800000000 + n;
        EXECUTE 'SELECT id, title FROM programme.productions WHERE id = $1' USING n::bigint;
    END LOOP;
    FOR n IN 1..200 LOOP
        EXECUTE 'SELECT id, full_name FROM audience.patrons WHERE lower(email) = $1' USING 'patron' || n || '@example.org';
        EXECUTE 'SELECT id FROM audience.patrons WHERE full_name ILIKE $1 LIMIT 20' USING '%' || substr(md5(n::text), 1, 6) || '%';
        EXECUTE 'SELECT id FROM audience.donors WHERE lower(email) = $1' USING 'donor' || n || '@example.org';
    END LOOP;
    FOR n IN 1..150 LOOP
        EXECUTE 'SELECT id, recipient FROM backstage.mail_outbox WHERE status = $1 ORDER BY queued_at LIMIT 10 FOR UPDATE SKIP LOCKED' USING 'queued';
        EXECUTE 'SELECT id FROM backstage.print_jobs WHERE status = ''queued'' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 10 FOR UPDATE SKIP LOCKED';
        EXECUTE 'SELECT id, reference FROM boxoffice.bookings ORDER BY booked_at DESC LIMIT 50 OFFSET $1' USING 30000 + n * 50;
    END LOOP;
    FOR n IN 1..50 LOOP
        EXECUTE 'SELECT count(*) FROM audience.patrons p WHERE p.id NOT IN (SELECT renewed_by FROM audience.subscriptions)';
        EXECUTE 'SELECT * FROM audience.remarks WHERE about_type = $1 AND about_id = $2' USING 'Patron', n::bigint;
    END LOOP;
END $$;
