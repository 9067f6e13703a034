BEGIN;

ALTER TABLE orders ADD COLUMN customer_id bigint;
COMMENT ON TABLE orders IS :'note';

COMMIT;
