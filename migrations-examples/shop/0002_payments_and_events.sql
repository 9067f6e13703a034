BEGIN;

CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    amount numeric(12, 2) NOT NULL,
    provider text NOT NULL,
    reference varchar(40)
);

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    happened_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (id, happened_at)
) PARTITION BY RANGE (happened_at);

CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

CREATE VIEW paid_orders AS
    SELECT o.id, o.customer_id, sum(p.amount) AS paid
    FROM orders o JOIN payments p ON p.order_id = o.id
    GROUP BY o.id, o.customer_id;

COMMIT;
