-- rambler up

CREATE INDEX CONCURRENTLY people_email ON people (email);

-- rambler down

DROP INDEX people_email;
