-- !Ups
CREATE INDEX CONCURRENTLY people_email ON people (email);

-- !Downs
DROP INDEX people_email;
