-- Migration: customers
-- Created at: 2024-01-10 09:30:00
-- ====  UP  ====

BEGIN;
CREATE TABLE people (
    id bigint PRIMARY KEY,
    email text
);
COMMIT;

-- ==== DOWN ====

BEGIN;
DROP TABLE people;
COMMIT;
