CREATE TYPE stage AS ENUM ('new', 'open', 'gone');
CREATE TYPE genre AS ENUM ('novel', 'essay');
CREATE TABLE book (
    id bigint PRIMARY KEY,
    title text,
    state text NOT NULL DEFAULT 'open',
    kind genre DEFAULT 'novel',
    sold int DEFAULT 0,
    printed date,
    seen timestamptz,
    meta jsonb,
    tags text[],
    twice int GENERATED ALWAYS AS (sold * 2) STORED
);
CREATE UNIQUE INDEX book_open ON book (state) WHERE state = 'open';
CREATE SEQUENCE book_numbers;
CREATE TABLE loan (id bigint PRIMARY KEY, book_id bigint REFERENCES book, note text, code int, CONSTRAINT loan_code UNIQUE (code) DEFERRABLE);
CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY, v text);
CREATE TABLE entry (id bigint NOT NULL, day date NOT NULL, n int) PARTITION BY RANGE (day);
CREATE TABLE entry_a PARTITION OF entry FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX entry_n ON entry (n);
CREATE FUNCTION shelf(n int, m int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT n + m';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE sale (id bigint PRIMARY KEY, book_id bigint CONSTRAINT sale_book REFERENCES book DEFERRABLE INITIALLY DEFERRED);
CREATE TYPE point3 AS (x int, y int, z int);
CREATE TABLE base (id bigint NOT NULL, n numeric PRIMARY KEY, list int[]);
CREATE TABLE below () INHERITS (base);
CREATE TABLE typed OF point3;
CREATE TABLE held (id bigint PRIMARY KEY, at point3, took interval, ip inet, doc json, flag boolean);
CREATE PUBLICATION told FOR TABLE loan;
CREATE COLLATION plain_order FROM "C";
