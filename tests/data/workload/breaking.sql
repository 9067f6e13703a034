SET lock_timeout = '1s';
ALTER TABLE customers RENAME COLUMN name TO full_name;
ALTER TABLE orders ADD COLUMN channel text NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_placed_key;
DROP PROCEDURE settle;
ALTER TABLE orders DROP COLUMN pair;
ALTER TABLE customers ALTER COLUMN meta TYPE text;
