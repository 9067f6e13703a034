CREATE TABLE ${schema}.payments (id bigint PRIMARY KEY, amount numeric NOT NULL);
