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
CREATE TABLE stack (id bigint PRIMARY KEY, label text, height int);
CREATE MATERIALIZED VIEW heap AS SELECT id, label FROM stack;
CREATE VIEW shown AS SELECT id, label AS l, height FROM stack;
CREATE VIEW upper_shown AS SELECT id, upper(l) AS u, height FROM shown;
CREATE VIEW tally AS SELECT label, count(*) AS n FROM stack GROUP BY label;
CREATE VIEW tallest AS SELECT max(height) AS h FROM stack;
CREATE VIEW numbers AS SELECT n FROM generate_series(1, 3) AS n;
CREATE VIEW computed AS SELECT height + 1 AS h FROM stack;
CREATE VIEW guided AS SELECT label, count(*) AS n FROM stack GROUP BY label;
CREATE FUNCTION guide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER guide INSTEAD OF INSERT OR UPDATE ON guided FOR EACH ROW EXECUTE FUNCTION guide();
CREATE TABLE row_of (v stack, w int);
CREATE TYPE frame AS (inner_row stack, many stack[]);
CREATE TABLE pure_row (id int, t text);
CREATE VIEW pure_view AS SELECT p FROM pure_row p;
CREATE TABLE tree (id int, v text, CONSTRAINT tree_id CHECK (id > 0));
CREATE TABLE twig (extra int) INHERITS (tree);
CREATE SEQUENCE tickets;
