BEGIN;
SET LOCAL lock_timeout = '2s';

-- Made beside the parent and then attached: the parent is locked for an instant, and goes on meanwhile.
CREATE TABLE events_2026 (LIKE events INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

COMMIT;
