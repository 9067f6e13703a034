-- +migrate Up
CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL);

-- +migrate StatementBegin
CREATE FUNCTION greet(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN 'Hello ' || name;
END
$$;
-- +migrate StatementEnd

-- +migrate Down
DROP FUNCTION greet(text);
DROP TABLE people;
