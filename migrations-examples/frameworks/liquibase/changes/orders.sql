--liquibase formatted sql

--changeset ann:orders-1
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, note text);
--rollback DROP TABLE orders;

--changeset ann:orders-2 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);
--rollback DROP INDEX CONCURRENTLY orders_customer_id_idx;

--changeset ben:orders-3
-- Bad: CONCURRENTLY in the changeset's transaction.
CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);
--rollback DROP INDEX orders_note_idx;
