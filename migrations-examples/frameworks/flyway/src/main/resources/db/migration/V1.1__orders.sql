CREATE TABLE ${schema}.orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES ${schema}.customers (id),
    note text
);
