CREATE SCHEMA ${schema};
CREATE TABLE ${schema}.customers (id bigint PRIMARY KEY, email text NOT NULL);
