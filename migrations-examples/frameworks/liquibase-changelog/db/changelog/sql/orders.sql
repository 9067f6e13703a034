--liquibase formatted sql

--changeset cat:orders
CREATE TABLE orders (id bigint PRIMARY KEY, person bigint REFERENCES ${people});
