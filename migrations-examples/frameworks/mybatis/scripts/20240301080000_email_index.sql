-- // find them by address
CREATE INDEX people_email ON people (email);

-- //@UNDO
DROP INDEX people_email;
