-- depends: 0003.nickname
-- transactional: false

CREATE INDEX CONCURRENTLY people_email ON people (email);
