-- setup
CREATE TABLE measures (at date, k int, v int) PARTITION BY RANGE (at);
CREATE TABLE measures_2024 PARTITION OF measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measures_2025 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measures_rest PARTITION OF measures DEFAULT;
CREATE TABLE lists (k text, v int) PARTITION BY LIST (k);
CREATE TABLE lists_rest PARTITION OF lists DEFAULT;
CREATE TABLE kinds (id int PRIMARY KEY);
INSERT INTO kinds SELECT n FROM generate_series(1, 2000) n;
INSERT INTO measures SELECT '2024-03-03', n, n FROM generate_series(1, 2000) n;
INSERT INTO measures SELECT '2025-03-03', n, n FROM generate_series(1, 2000) n;
INSERT INTO measures SELECT '2030-03-03', n, n FROM generate_series(1, 2000) n;
INSERT INTO lists SELECT 'x', n FROM generate_series(1, 2000) n;

-- case: partition beside a default partition
-- run:
CREATE TABLE measures_2026 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: partition beside a default partition that excludes it
-- given:
ALTER TABLE measures_rest ADD CONSTRAINT c CHECK (NOT (at IS NOT NULL AND at >= '2026-01-01' AND at < '2027-01-01'));
-- run:
CREATE TABLE measures_2026 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: partition beside a default partition that excludes it, not valid
-- given:
ALTER TABLE measures_rest ADD CONSTRAINT c CHECK (NOT (at IS NOT NULL AND at >= '2026-01-01' AND at < '2027-01-01')) NOT VALID;
-- run:
CREATE TABLE measures_2026 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: partition beside a default partition that excludes another
-- given:
ALTER TABLE measures_rest ADD CONSTRAINT c CHECK (NOT (at IS NOT NULL AND at >= '2026-01-01' AND at < '2026-07-01'));
-- run:
CREATE TABLE measures_2026 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: attach beside a default partition that excludes it
-- given:
CREATE TABLE measures_2026 (LIKE measures, CHECK (at IS NOT NULL AND at >= '2026-01-01' AND at < '2027-01-01'));
ALTER TABLE measures_rest ADD CONSTRAINT c CHECK (NOT (at IS NOT NULL AND at >= '2026-01-01' AND at < '2027-01-01'));
-- run:
ALTER TABLE measures ATTACH PARTITION measures_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- case: list beside a default partition that excludes it
-- given:
ALTER TABLE lists_rest ADD CONSTRAINT c CHECK (NOT (k IS NOT NULL AND k IN ('a', 'b')));
-- run:
CREATE TABLE lists_ab PARTITION OF lists FOR VALUES IN ('a', 'b');

-- case: list of one and NULL beside a default partition that excludes it
-- given:
ALTER TABLE lists_rest ADD CONSTRAINT c CHECK (NOT (k IS NULL OR k = 'a'));
-- run:
CREATE TABLE lists_a PARTITION OF lists FOR VALUES IN ('a', NULL);

-- case: foreign key that every partition has
-- given:
ALTER TABLE measures_2024 ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;
ALTER TABLE measures_2025 ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;
ALTER TABLE measures_rest ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;
-- run:
ALTER TABLE measures ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;

-- case: foreign key that no partition has
-- run:
ALTER TABLE measures ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;

-- case: a CHECK that the same command drops proves nothing
-- given:
CREATE TABLE proved (a int, CONSTRAINT n CHECK (a IS NOT NULL));
INSERT INTO proved VALUES (1);
-- run:
ALTER TABLE proved ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT n;

-- case: a CHECK that is dropped afterwards does
-- given:
CREATE TABLE proved (a int, CONSTRAINT n CHECK (a IS NOT NULL));
INSERT INTO proved VALUES (1);
ALTER TABLE proved ALTER COLUMN a SET NOT NULL;
-- run:
ALTER TABLE proved DROP CONSTRAINT n;
