-- Events: partitions by time, ranges, a BRIN index, inheritance in statistics, a composite type and a domain.
CREATE DOMAIN level AS int CHECK (VALUE BETWEEN 0 AND 9);
CREATE TABLE events (id bigint NOT NULL, at timestamp NOT NULL, device int NOT NULL, level level NOT NULL, payload jsonb, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_01 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE events_02 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE events_03 PARTITION OF events FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_device ON events (device, at);
CREATE TABLE devices (id int PRIMARY KEY, name text NOT NULL, area int4range NOT NULL, owners int[] NOT NULL, address inet NOT NULL, active boolean NOT NULL);
CREATE TABLE log (n bigint NOT NULL, at timestamp NOT NULL, line text NOT NULL);
CREATE TABLE bookings (id int PRIMARY KEY, room int NOT NULL, during tsrange NOT NULL);
CREATE TABLE readings (device int NOT NULL, hour int NOT NULL, value float8) PARTITION BY HASH (device);
CREATE TABLE readings_0 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO events SELECT n, timestamp '2024-01-01' + n * interval '100 seconds', (random() ^ 2 * 300)::int, (random() ^ 4 * 9)::int, jsonb_build_object('k', n % 10) FROM generate_series(1, 80000) n;
INSERT INTO devices SELECT n, 'device ' || n, int4range(n, n + (random() * 50)::int), ARRAY[n % 9, n % 40], ('10.0.' || n % 250 || '.' || n / 250)::inet, n % 17 <> 0 FROM generate_series(0, 3000) n;
INSERT INTO log SELECT n, timestamp '2024-01-01' + n * interval '3 seconds', repeat(md5(n::text), 3) FROM generate_series(1, 60000) n;
INSERT INTO bookings SELECT n, n % 40, tsrange(timestamp '2024-01-01' + n * interval '20 minutes', timestamp '2024-01-01' + n * interval '20 minutes' + (random() * 10) * interval '1 hour') FROM generate_series(1, 8000) n;
INSERT INTO readings SELECT n % 300, n / 300, random() FROM generate_series(1, 30000) n;
CREATE INDEX log_at ON log USING brin (at) WITH (pages_per_range = 8);
CREATE INDEX devices_area ON devices USING gist (area);
CREATE INDEX devices_name ON devices USING hash (name);
CREATE INDEX devices_address ON devices USING spgist (address);
CREATE INDEX bookings_during ON bookings USING gist (during);
CREATE INDEX readings_device ON readings (device, hour);
CREATE STATISTICS devices_expr ON (id % 10), (active) FROM devices;
VACUUM ANALYZE;
-- query: one partition
SELECT count(*) FROM events WHERE at >= '2024-02-05' AND at < '2024-02-06';
-- query: all partitions by device
SELECT * FROM events WHERE device = 250 ORDER BY at DESC LIMIT 20;
-- query: level
SELECT count(*) FROM events WHERE level = 8;
-- query: partition and device
SELECT * FROM events WHERE device = 3 AND at BETWEEN '2024-03-01' AND '2024-03-02';
-- query: group over partitions
SELECT device, max(at) FROM events GROUP BY device;
-- query: join with devices
SELECT d.name, count(*) FROM events e JOIN devices d ON d.id = e.device WHERE NOT d.active AND e.at < '2024-01-10' GROUP BY d.name;
-- query: brin
SELECT count(*) FROM log WHERE at BETWEEN '2024-01-01 10:00' AND '2024-01-01 12:00';
-- query: range contains
SELECT * FROM devices WHERE area @> 77;
-- query: range overlap
SELECT * FROM bookings WHERE during && tsrange('2024-02-01', '2024-02-02') AND room = 4;
-- query: hash
SELECT * FROM devices WHERE name = 'device 12';
-- query: inet
SELECT * FROM devices WHERE address << '10.0.7.0/24';
-- query: array element
SELECT count(*) FROM devices WHERE owners @> ARRAY[8];
-- query: hash partition
SELECT avg(value) FROM readings WHERE device = 11 AND hour > 50;
-- query: expression statistics
SELECT count(*) FROM devices WHERE id % 10 = 3;
-- query: boolean
SELECT * FROM devices WHERE NOT active ORDER BY id;
-- query: ordered ids
SELECT * FROM events ORDER BY id LIMIT 100;
-- query: self join of ranges
SELECT count(*) FROM bookings a JOIN bookings b ON a.during && b.during AND a.id < b.id WHERE a.room = 1 AND b.room = 2;
