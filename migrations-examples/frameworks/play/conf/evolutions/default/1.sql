# --- First database schema

# --- !Ups

CREATE TABLE people (
    id bigint PRIMARY KEY,
    email text
);

CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;;
END;;
$$;

# --- !Downs

DROP FUNCTION one();
DROP TABLE people;
