-- Up Migration
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);

-- Down Migration
DROP TABLE customers;
