-- A library in a schema with a name to quote: text search, inheritance, a materialized view, foreign keys of two columns.
CREATE SCHEMA IF NOT EXISTS "Library";
SET search_path = "Library";
CREATE TABLE "Authors" (id int PRIMARY KEY, "Name" text NOT NULL, born date);
CREATE TABLE books (id int PRIMARY KEY, author int NOT NULL REFERENCES "Authors", title text NOT NULL, body text NOT NULL, published date NOT NULL, isbn uuid NOT NULL, search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || body)) STORED);
CREATE TABLE media (id int, size int);
CREATE TABLE films (minutes int) INHERITS (media);
CREATE TABLE shelves (building int, floor int, shelf int, PRIMARY KEY (building, floor, shelf));
CREATE TABLE copies (id int PRIMARY KEY, book int NOT NULL REFERENCES books, building int, floor int, shelf int, lent boolean NOT NULL, FOREIGN KEY (building, floor, shelf) REFERENCES shelves);
INSERT INTO "Authors" SELECT n, 'Author ' || n, date '1900-01-01' + n FROM generate_series(1, 500) n;
INSERT INTO books (id, author, title, body, published, isbn) SELECT n, 1 + n % 500, 'Title ' || (ARRAY['river', 'mountain', 'city', 'war', 'love'])[1 + n % 5], 'word' || n % 97 || ' thing' || n % 13 || ' rare' || n % 1999, date '1950-01-01' + n, md5(n::text)::uuid FROM generate_series(1, 12000) n;
INSERT INTO media SELECT n, n % 100 FROM generate_series(1, 3000) n;
INSERT INTO films SELECT n, n % 50, 90 FROM generate_series(1, 5000) n;
INSERT INTO shelves SELECT b, f, s FROM generate_series(1, 5) b, generate_series(1, 4) f, generate_series(1, 30) s;
INSERT INTO copies SELECT n, 1 + n % 12000, 1 + n % 5, 1 + n % 4, 1 + n % 30, random() < 0.1 FROM generate_series(1, 30000) n;
CREATE MATERIALIZED VIEW popular AS SELECT book, count(*) AS copies FROM copies GROUP BY book;
CREATE UNIQUE INDEX ON popular (book);
CREATE INDEX books_search ON books USING gin (search);
CREATE INDEX books_published ON books (published, author);
CREATE INDEX copies_lent ON copies (book) WHERE lent;
CREATE INDEX copies_place ON copies (building, floor, shelf);
CREATE INDEX books_year ON books (date_part('year', published), title);
VACUUM ANALYZE;
-- query: text search
SELECT id FROM "Library".books WHERE search @@ to_tsquery('english', 'river & word5');
-- query: rare word
SELECT id FROM "Library".books WHERE search @@ to_tsquery('english', 'rare77');
-- query: expression index
SELECT * FROM "Library".books WHERE date_part('year', published) = 1969 AND title > 'Title r';
-- query: partial lent
SELECT b.title FROM "Library".books b JOIN "Library".copies c ON c.book = b.id WHERE c.lent AND b.published > '1980-01-01';
-- query: inherited
SELECT count(*) FROM "Library".media WHERE size < 10;
-- query: only the parent
SELECT count(*) FROM ONLY "Library".media WHERE size < 10;
-- query: foreign key of three columns
SELECT count(*) FROM "Library".copies c JOIN "Library".shelves s USING (building, floor, shelf) WHERE s.building = 2;
-- query: materialized view
SELECT * FROM "Library".popular WHERE copies > 2 ORDER BY book;
-- query: quoted name
SELECT b.title FROM "Library"."Authors" a JOIN "Library".books b ON b.author = a.id WHERE a."Name" LIKE 'Author 12%';
-- query: uuid
SELECT * FROM "Library".books WHERE isbn = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
-- query: range and order
SELECT id FROM "Library".books WHERE published BETWEEN '1960-01-01' AND '1960-03-01' ORDER BY published, author;
-- query: common table
WITH lent AS MATERIALIZED (SELECT book FROM "Library".copies WHERE lent) SELECT a."Name", count(*) FROM lent JOIN "Library".books b ON b.id = lent.book JOIN "Library"."Authors" a ON a.id = b.author GROUP BY 1;
-- query: lateral
SELECT a.id, newest.title FROM "Library"."Authors" a CROSS JOIN LATERAL (SELECT title FROM "Library".books b WHERE b.author = a.id ORDER BY published DESC LIMIT 1) newest WHERE a.id < 20;
-- query: union
SELECT id FROM "Library".books WHERE author = 5 UNION SELECT book FROM "Library".copies WHERE shelf = 3 AND building = 1;
