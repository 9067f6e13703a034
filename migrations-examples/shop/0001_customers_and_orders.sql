-- The first tables of the shop. Nothing exists yet, so nothing here can make anyone wait.
BEGIN;

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    name text,
    country text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX customers_email_idx ON customers (lower(email));

CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent');

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    state order_state NOT NULL DEFAULT 'open',
    total numeric(12, 2) NOT NULL,
    shipped_at timestamptz,
    placed_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN orders.total IS 'in the shop''s currency; taxes included';

COMMIT;
