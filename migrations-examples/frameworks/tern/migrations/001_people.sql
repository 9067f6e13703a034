CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL);

---- create above / drop below ----

DROP TABLE people;
