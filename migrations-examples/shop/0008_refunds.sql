BEGIN;
SET LOCAL lock_timeout = '2s';

-- In one transaction with its first use, the new label is refused.
ALTER TYPE order_state ADD VALUE 'refunded';
UPDATE orders SET state = 'refunded' WHERE id = 4711;

ALTER TABLE orders ADD COLUMN refunded_at timestamptz;
UPDATE orders SET refunded_at = placed_at WHERE refunded_at IS NULL;

COMMIT;
