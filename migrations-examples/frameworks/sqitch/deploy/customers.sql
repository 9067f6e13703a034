BEGIN;

CREATE TABLE customers (id bigint PRIMARY KEY);

COMMIT;
