-- Migration: email index
-- ====  UP  ====

CREATE INDEX CONCURRENTLY people_email ON people (email);

-- ==== DOWN ====

DROP INDEX CONCURRENTLY people_email;
