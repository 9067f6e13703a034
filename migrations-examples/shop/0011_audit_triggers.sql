BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (happened_at, payload) VALUES (now(), to_jsonb(NEW));
    RETURN NEW;
END
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'orders_note_change') THEN
        CREATE TRIGGER orders_note_change AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_change();
    END IF;
    -- Cents became too coarse for some currencies; the rows are all written again.
    ALTER TABLE orders ALTER COLUMN total TYPE numeric(14, 4);
END
$$;

COMMIT;
