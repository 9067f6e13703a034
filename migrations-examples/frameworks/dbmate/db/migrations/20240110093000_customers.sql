-- migrate:up
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);

-- migrate:down
DROP TABLE customers;
