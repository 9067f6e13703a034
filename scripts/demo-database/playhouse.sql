-- A theatre with several venues: programme, box office, audience, doors and back office.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA programme;
CREATE SCHEMA boxoffice;
CREATE SCHEMA audience;
CREATE SCHEMA door;
CREATE SCHEMA backstage;

CREATE ROLE playhouse_web LOGIN;
CREATE ROLE playhouse_reports LOGIN BYPASSRLS;

-- Programme

CREATE TABLE programme.venues (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    city text NOT NULL,
    capacity integer NOT NULL CHECK (capacity > 0),
    opened_on text
);
INSERT INTO programme.venues (name, city, capacity, opened_on)
SELECT 'Venue ' || g, (ARRAY['Leeds', 'York', 'Hull', 'Derby'])[1 + g % 4], 200 + g * 10, to_char(date '1950-01-01' + g * 200, 'DD.MM.YYYY') FROM generate_series(1, 40) g;

CREATE TABLE programme.seats (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue_id integer NOT NULL REFERENCES programme.venues,
    row_label text NOT NULL,
    seat_no integer NOT NULL,
    wheelchair smallint NOT NULL DEFAULT 0,
    restricted_view boolean NOT NULL DEFAULT false,
    UNIQUE (venue_id, row_label, seat_no)
);
INSERT INTO programme.seats (venue_id, row_label, seat_no, wheelchair, restricted_view)
SELECT v, chr(65 + r), s, (s % 17 = 0)::int, s % 23 = 0 FROM generate_series(1, 40) v, generate_series(0, 14) r, generate_series(1, 20) s;

CREATE TABLE programme.productions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    synopsis text,
    cast_members text,
    credits text,
    opens_on date NOT NULL,
    closes_on date NOT NULL,
    running_minutes integer CHECK (running_minutes > 0),
    artwork json,
    website_id text NOT NULL
);
INSERT INTO programme.productions (title, synopsis, cast_members, credits, opens_on, closes_on, running_minutes, artwork, website_id)
SELECT 'The play of ' || g, 'A story, in three acts, of love; loss, and ' || md5(g::text),
    concat_ws(', ', 'actor' || g % 97, 'actor' || g % 89, 'actor' || g % 83),
    json_build_object('director', 'director' || g % 11, 'lights', 'tech' || g % 7)::text,
    date '2019-01-01' + g, date '2019-01-01' + g + CASE WHEN g % 50 = 0 THEN -3 ELSE 30 END, 60 + g % 90,
    json_build_object('poster', md5(g::text), 'width', g), gen_random_uuid()::text
FROM generate_series(1, 2000) g;

CREATE TABLE programme.performances (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    production_id bigint NOT NULL REFERENCES programme.productions,
    venue_id integer NOT NULL REFERENCES programme.venues,
    starts_at timestamp NOT NULL,
    doors_at timestamptz NOT NULL,
    state varchar(20) NOT NULL,
    note text,
    UNIQUE (venue_id, starts_at)
);
INSERT INTO programme.performances (production_id, venue_id, starts_at, doors_at, state, note)
SELECT 1 + g % 2000, 1 + g % 40, timestamp '2020-01-01' + (g / 40) * interval '3 hours', timestamptz '2020-01-01' + (g / 40) * interval '3 hours',
    (ARRAY['on_sale', 'sold_out', 'cancelled', 'played', 'played', 'played'])[1 + (g * 7) % 6],
    CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'press night ' || g END
FROM generate_series(0, 39999) g;
-- What came with the import of the old house was never compared.
ALTER TABLE programme.performances ADD CONSTRAINT performances_doors CHECK (doors_at <= starts_at AT TIME ZONE 'UTC' + interval '1 day') NOT VALID;

CREATE TABLE programme.rehearsals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    production_id bigint NOT NULL REFERENCES programme.productions,
    room_no integer NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    CHECK (ends_at > begins_at)
);
CREATE INDEX ON programme.rehearsals (production_id);
INSERT INTO programme.rehearsals (production_id, room_no, begins_at, ends_at)
SELECT 1 + g % 2000, 1 + g % 6, timestamptz '2024-01-01' + g * interval '1 hour', timestamptz '2024-01-01' + g * interval '1 hour' + interval '55 minutes' FROM generate_series(1, 6000) g;

CREATE TABLE programme.hall_hires (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_no integer NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    hirer text NOT NULL,
    CHECK (ends_at > begins_at),
    EXCLUDE USING gist (int4range(room_no, room_no, '[]') WITH =, tstzrange(begins_at, ends_at) WITH &&)
);
INSERT INTO programme.hall_hires (room_no, begins_at, ends_at, hirer)
SELECT 1 + g % 6, timestamptz '2024-01-01' + g * interval '1 hour', timestamptz '2024-01-01' + g * interval '1 hour' + interval '55 minutes', 'hirer ' || g FROM generate_series(1, 3000) g;

-- Audience

CREATE TABLE audience.patrons (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    full_name text NOT NULL,
    phone bigint,
    born text,
    newsletter char(1) NOT NULL DEFAULT 'N',
    passphrase text,
    reset_code text,
    remember_token_sha256 bytea,
    loyalty_points integer NOT NULL DEFAULT 0 CHECK (loyalty_points >= 0),
    joined_at timestamptz NOT NULL DEFAULT 'now'::timestamptz,
    access_needs text,
    external_ref text
);
INSERT INTO audience.patrons (email, full_name, phone, born, newsletter, passphrase, reset_code, remember_token_sha256, loyalty_points, joined_at, external_ref)
SELECT CASE WHEN g % 200 = 0 THEN 'Patron' || g - 1 || '@Example.org' ELSE 'patron' || g || '@example.org' END, 'Patron ' || md5(g::text), 447700000000 + g,
    to_char(date '1940-01-01' + g % 25000, 'DD/MM/YYYY'), CASE WHEN g % 3 = 0 THEN 'Y' ELSE 'N' END, 'sesame' || g % 4001,
    CASE WHEN g % 20 = 0 THEN lpad((g * 7919 % 1000000)::text, 6, '0') END, decode(md5(g::text), 'hex'), g % 900, timestamptz '2018-01-01' + g * interval '40 minutes', 'X' || g
FROM generate_series(1, 20000) g;

CREATE TABLE audience.donors (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    display_name text NOT NULL,
    phone text,
    born_on date,
    gift_aid boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX donors_email ON audience.donors (lower(email));
INSERT INTO audience.donors (email, display_name, phone, born_on, gift_aid)
SELECT 'donor' || g || '@example.org', 'Donor ' || g, '+4477' || 10000000 + g, date '1930-01-01' + g % 20000, g % 2 = 0 FROM generate_series(1, 5000) g;

CREATE TABLE audience.memberships (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patron_id bigint NOT NULL REFERENCES audience.patrons,
    tier text NOT NULL CHECK (tier IN ('friend', 'patron', 'angel')),
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    CHECK (valid_to >= valid_from)
);
CREATE UNIQUE INDEX memberships_one ON audience.memberships (patron_id, valid_from);
INSERT INTO audience.memberships (patron_id, tier, valid_from, valid_to)
SELECT g, (ARRAY['friend', 'patron', 'angel'])[1 + g % 3], date '2024-01-01' + g % 300, date '2025-01-01' + g % 300 FROM generate_series(1, 20000) g;

CREATE TABLE audience.subscriptions (
    patron_id bigint NOT NULL REFERENCES audience.patrons,
    season text NOT NULL,
    seat_count integer NOT NULL,
    renewed_by bigint
);
CREATE INDEX ON audience.subscriptions (patron_id);
INSERT INTO audience.subscriptions SELECT g, '20' || 18 + g % 6 || '/' || 19 + g % 6, 1 + g % 4, CASE WHEN g % 10 = 0 THEN g + 1 END FROM generate_series(1, 15000) g;

CREATE TABLE audience.remarks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    about_type text NOT NULL,
    about_id bigint NOT NULL,
    body text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO audience.remarks (about_type, about_id, body, written_at)
SELECT (ARRAY['Patron', 'Booking', 'Performance'])[1 + g % 3], g, 'remark ' || md5(g::text), timestamptz '2024-01-01' + g * interval '1 minute' FROM generate_series(1, 30000) g;

CREATE TABLE audience.preferences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patron_id bigint NOT NULL REFERENCES audience.patrons,
    attribute text NOT NULL,
    value text
);
CREATE INDEX ON audience.preferences (patron_id);
INSERT INTO audience.preferences (patron_id, attribute, value)
SELECT 1 + g % 20000, (ARRAY['aisle', 'language', 'allergy', 'birthday', 'max_price', 'genre'])[1 + g % 6],
    (ARRAY['yes', 'en', 'nuts', '2001-04-05', '45.50', 'opera'])[1 + g % 6] FROM generate_series(1, 60000) g;

-- Box office

CREATE TABLE boxoffice.bookings (
    id integer PRIMARY KEY,
    patron_id bigint NOT NULL REFERENCES audience.patrons,
    performance_id bigint NOT NULL REFERENCES programme.performances,
    reference text NOT NULL,
    channel text NOT NULL,
    total double precision NOT NULL,
    booking_fee real,
    discount_percent numeric(6, 2),
    booked_at timestamptz NOT NULL DEFAULT now(),
    cancelled_at timestamptz
);
CREATE INDEX bookings_patron ON boxoffice.bookings (patron_id);
CREATE INDEX bookings_patron_again ON boxoffice.bookings (patron_id);
CREATE INDEX bookings_booked ON boxoffice.bookings (booked_at);
CREATE INDEX bookings_booked_patron ON boxoffice.bookings (booked_at, patron_id);
INSERT INTO boxoffice.bookings
SELECT 1800000000 + g, 1 + (g * 31) % 20000, 1 + (g * 17) % 40000, 'B' || md5(g::text), (ARRAY['web', 'phone', 'counter', 'agent'])[1 + g % 4],
    round((10 + g % 90)::numeric * 1.1, 2), 1.5, CASE WHEN g % 5 = 0 THEN g % 120 END, timestamptz '2023-01-01' + g * interval '5 minutes', CASE WHEN g % 30 = 0 THEN now() END
FROM generate_series(1, 60000) g;

CREATE TABLE boxoffice.tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id integer NOT NULL REFERENCES boxoffice.bookings,
    seat_id integer NOT NULL REFERENCES programme.seats,
    barcode text NOT NULL,
    price numeric(8, 2) NOT NULL CHECK (price >= 0),
    currency char(3) NOT NULL DEFAULT 'GBP',
    holder text
);
INSERT INTO boxoffice.tickets (booking_id, seat_id, barcode, price, holder)
SELECT 1800000000 + 1 + g / 2, 1 + (g * 13) % 12000, upper(md5('t' || g)), 10 + g % 80, CASE WHEN g % 4 = 0 THEN 'holder ' || g END FROM generate_series(0, 99999) g;
CREATE INDEX ON boxoffice.tickets (seat_id);

CREATE TABLE boxoffice.payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id integer NOT NULL REFERENCES boxoffice.bookings ON DELETE CASCADE,
    amount numeric(10, 2) NOT NULL,
    currency char(3) NOT NULL,
    provider_payment_id text,
    card text,
    cvc text,
    paid_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON boxoffice.payments (booking_id);
INSERT INTO boxoffice.payments (booking_id, amount, currency, provider_payment_id, card, cvc, paid_at)
SELECT 1800000000 + g, 10 + g % 90, 'GBP', 'pay_' || md5(g::text), (ARRAY['4111111111111111', '5500005555555559', '340000000000009', '4012888888881881'])[1 + g % 4], lpad((g % 1000)::text, 3, '0'), timestamptz '2023-01-01' + g * interval '5 minutes'
FROM generate_series(1, 30000) g;

CREATE TABLE boxoffice.refunds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id bigint NOT NULL REFERENCES boxoffice.payments ON DELETE RESTRICT,
    amount_pence bigint NOT NULL CHECK (amount_pence > 0),
    currency char(3) NOT NULL CHECK (currency = upper(currency)),
    provider_refund_id text NOT NULL UNIQUE,
    card_last4 text,
    refunded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON boxoffice.refunds (payment_id);
INSERT INTO boxoffice.refunds (payment_id, amount_pence, currency, provider_refund_id, card_last4)
SELECT g * 3, 500 + g, 'GBP', 're_' || md5(g::text), lpad((g % 10000)::text, 4, '0') FROM generate_series(1, 5000) g;

CREATE TABLE boxoffice.payouts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue_id integer NOT NULL REFERENCES programme.venues,
    amount_pence bigint NOT NULL CHECK (amount_pence > 0),
    currency char(3) NOT NULL,
    approved_by text
);
CREATE INDEX ON boxoffice.payouts (venue_id);
CREATE FUNCTION boxoffice.two_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved_by = current_user THEN RAISE EXCEPTION 'a second person has to approve'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON boxoffice.payouts FOR EACH ROW EXECUTE FUNCTION boxoffice.two_people();
INSERT INTO boxoffice.payouts (venue_id, amount_pence, currency, approved_by) SELECT 1 + g % 40, 1000 + g, 'GBP', 'manager' || g % 3 FROM generate_series(1, 3000) g;
ALTER TABLE boxoffice.payouts DISABLE TRIGGER two_people;

CREATE UNLOGGED TABLE boxoffice.till_takings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    till_no integer NOT NULL,
    taken numeric(10, 2) NOT NULL CHECK (taken >= 0),
    currency char(3) NOT NULL,
    counted_at timestamptz NOT NULL
);
INSERT INTO boxoffice.till_takings (till_no, taken, currency, counted_at) SELECT g % 9, g, 'GBP', now() FROM generate_series(1, 2000) g;

CREATE UNLOGGED TABLE boxoffice.seat_holds (
    performance_id bigint NOT NULL,
    seat_id integer NOT NULL,
    session_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (performance_id, seat_id)
);
INSERT INTO boxoffice.seat_holds SELECT 1 + g % 40000, 1 + g % 12000, gen_random_uuid(), now() FROM generate_series(1, 4000) g;

CREATE TABLE boxoffice.vouchers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL,
    balance numeric(8, 2) NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    seat_ids integer[]
);
INSERT INTO boxoffice.vouchers (code, balance, issued_at, seat_ids) SELECT 'GV-' || upper(substr(md5(g::text), 1, 12)), 25, timestamptz '2024-01-01' + g * interval '1 hour', ARRAY[1 + g % 12000, 1 + (g * 3) % 12000] FROM generate_series(1, 20000) g;

CREATE TABLE boxoffice.promotions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue_id integer REFERENCES programme.venues,
    promo_code text NOT NULL,
    percent_off numeric(5, 2) NOT NULL CHECK (percent_off BETWEEN 0 AND 100),
    UNIQUE (venue_id, promo_code)
);
INSERT INTO boxoffice.promotions (venue_id, promo_code, percent_off) SELECT CASE WHEN g % 3 > 0 THEN 1 + g % 40 END, 'P' || g / 6 * 6, g % 100 FROM generate_series(1, 6000) g ON CONFLICT DO NOTHING;

CREATE TABLE boxoffice.exchange_rates (
    currency char(3) NOT NULL,
    quoted_on date NOT NULL,
    rate double precision NOT NULL,
    PRIMARY KEY (currency, quoted_on)
);
INSERT INTO boxoffice.exchange_rates SELECT (ARRAY['EUR', 'USD', 'CHF'])[1 + g % 3], date '2020-01-01' + g / 3, 1.1 + g / 10000.0 FROM generate_series(0, 2999) g;

CREATE TABLE boxoffice.payments_before_migration (LIKE boxoffice.payments);
INSERT INTO boxoffice.payments_before_migration SELECT * FROM boxoffice.payments WHERE id <= 10000;

CREATE TABLE boxoffice.agents (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    commission_percent numeric(5, 2) NOT NULL CHECK (commission_percent >= 0 AND commission_percent <= 100),
    api_key text NOT NULL,
    active boolean NOT NULL DEFAULT true
);
INSERT INTO boxoffice.agents (id, name, commission_percent, api_key) SELECT g, 'Agent ' || g, g % 30, 'ak_' || md5(g::text) FROM generate_series(1, 300) g;

-- Doors

CREATE TABLE door.scans (
    id serial PRIMARY KEY,
    ticket_id bigint NOT NULL,
    scanner text NOT NULL,
    outcome text NOT NULL,
    scanned_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO door.scans (id, ticket_id, scanner, outcome, scanned_at)
SELECT 1900000000 + g, 1 + (g * 7) % 100000, 'scanner' || g % 55, (ARRAY['ok', 'OK', 'ok', 'used', 'wrong_day', 'Used'])[1 + g % 6], timestamptz '2024-06-01' + g * interval '1 minute' FROM generate_series(1, 100000) g;
SELECT setval('door.scans_id_seq', 1900100000);
CREATE INDEX scans_scanned ON door.scans (scanned_at);

CREATE TABLE door.entries (
    venue_id integer NOT NULL,
    entered_at timestamptz NOT NULL,
    ticket_id bigint NOT NULL,
    gate text,
    PRIMARY KEY (ticket_id, entered_at)
) PARTITION BY RANGE (entered_at);
CREATE TABLE door.entries_2023 PARTITION OF door.entries FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE door.entries_2024 PARTITION OF door.entries FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE door.entries_2025 PARTITION OF door.entries FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE door.entries_2026 PARTITION OF door.entries FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE door.entries_2027 PARTITION OF door.entries FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE door.entries_rest PARTITION OF door.entries DEFAULT;
CREATE INDEX ON door.entries_2023 (venue_id, entered_at);
CREATE INDEX ON door.entries_2024 (venue_id, entered_at);
CREATE INDEX ON door.entries_2026 (venue_id, entered_at);
CREATE INDEX ON door.entries_2027 (venue_id, entered_at);
CREATE INDEX ON door.entries_rest (venue_id, entered_at);
INSERT INTO door.entries SELECT 1 + g % 40, timestamptz '2023-02-01' + g * interval '30 minutes', g, 'gate' || g % 5 FROM generate_series(1, 30000) g;

CREATE TABLE door.turnstiles (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    venue_id integer NOT NULL REFERENCES programme.venues,
    label text NOT NULL,
    ip text NOT NULL,
    firmware text NOT NULL DEFAULT '1.0'
);
CREATE INDEX ON door.turnstiles (venue_id);
INSERT INTO door.turnstiles (id, venue_id, label, ip) SELECT g, 1 + g % 40, 'T' || g, '10.0.' || g / 250 || '.' || g % 250 FROM generate_series(1, 800) g;

CREATE TABLE door.turnstile_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    turnstile_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('open', 'close', 'fault')),
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON door.turnstile_events (turnstile_id, at);
INSERT INTO door.turnstile_events (turnstile_id, kind, at) SELECT 1 + g % 800, (ARRAY['open', 'close', 'fault'])[1 + g % 3], timestamptz '2024-01-01' + g * interval '1 minute' FROM generate_series(1, 40000) g;

-- Back office

CREATE TABLE backstage.staff (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    national_insurance_no text,
    iban text,
    leaves_on date
);
INSERT INTO backstage.staff (login, password_hash, national_insurance_no, iban) SELECT 'staff' || g, '$2b$12$' || md5(g::text) || substr(md5('x' || g), 1, 21), 'QQ' || lpad(g::text, 6, '0') || 'C', 'GB33BUKB2020155555' || lpad(g::text, 4, '0') FROM generate_series(1, 900) g;

CREATE TABLE backstage.shifts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id integer NOT NULL REFERENCES backstage.staff,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX ON backstage.shifts (staff_id);
INSERT INTO backstage.shifts (staff_id, starts_at, ends_at) SELECT 1 + g % 900, timestamptz '2024-01-01' + g / 900 * interval '1 day', timestamptz '2024-01-01' + g / 900 * interval '1 day' + interval '8 hours' FROM generate_series(1, 20000) g;

CREATE TABLE backstage.mail_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient text NOT NULL,
    body text NOT NULL,
    status text NOT NULL DEFAULT 'queued',
    queued_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO backstage.mail_outbox (recipient, body, status, queued_at) SELECT 'patron' || g || '@example.org', repeat('Dear patron ', 20), CASE WHEN g % 400 = 0 THEN 'queued' ELSE 'sent' END, timestamptz '2024-01-01' + g * interval '1 minute' FROM generate_series(1, 40000) g;

CREATE TABLE backstage.print_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload jsonb NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    locked_until timestamptz
);
CREATE INDEX print_jobs_due ON backstage.print_jobs (next_attempt_at) WHERE status = 'queued';
INSERT INTO backstage.print_jobs (payload, status, next_attempt_at) SELECT jsonb_build_object('ticket', g), CASE WHEN g % 100 = 0 THEN 'queued' ELSE 'done' END, timestamptz '2024-01-01' + g * interval '1 minute' FROM generate_series(1, 20000) g;

CREATE TABLE backstage.provider_webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL,
    event_id text NOT NULL,
    body jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO backstage.provider_webhooks (provider, event_id, body) SELECT (ARRAY['stripe', 'adyen'])[1 + g % 2], 'evt_' || md5(g::text), jsonb_build_object('id', g) FROM generate_series(1, 10000) g;

CREATE TABLE backstage.agent_webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id bigint NOT NULL REFERENCES boxoffice.agents,
    event_id text NOT NULL UNIQUE,
    body jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON backstage.agent_webhooks (agent_id);
INSERT INTO backstage.agent_webhooks (agent_id, event_id, body) SELECT 1 + g % 300, g::text, jsonb_build_object('id', g) FROM generate_series(1, 9000) g;

CREATE TABLE backstage.sms_webhooks (
    provider text NOT NULL,
    message_id text NOT NULL,
    body jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, message_id)
);
INSERT INTO backstage.sms_webhooks (provider, message_id, body) SELECT 'twilio', 'SM' || md5(g::text), jsonb_build_object('id', g) FROM generate_series(1, 5000) g;

CREATE TABLE backstage.lost_property (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT now(),
    what text NOT NULL
) WITH (autovacuum_enabled = false);
INSERT INTO backstage.lost_property (id, what) SELECT g, 'umbrella ' || g FROM generate_series(1, 5000) g;

CREATE TABLE backstage.incidents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    story text NOT NULL
);
CREATE TABLE backstage.contracts (LIKE backstage.incidents INCLUDING ALL);
CREATE TABLE backstage.budgets (LIKE backstage.incidents INCLUDING ALL);
CREATE TABLE backstage.casting_calls (LIKE backstage.incidents INCLUDING ALL);
CREATE TABLE backstage.agreements (LIKE backstage.incidents INCLUDING ALL);
CREATE TABLE backstage.grievances (LIKE backstage.incidents INCLUDING ALL);
CREATE INDEX ON backstage.incidents (organisation_id);
CREATE INDEX ON backstage.contracts (organisation_id);
CREATE INDEX ON backstage.budgets (organisation_id);
CREATE INDEX ON backstage.casting_calls (organisation_id);
CREATE INDEX ON backstage.agreements (organisation_id);
CREATE INDEX ON backstage.grievances (organisation_id);
INSERT INTO backstage.incidents (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'slipped ' || g FROM generate_series(1, 3000) g;
INSERT INTO backstage.contracts (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'contract ' || g FROM generate_series(1, 3000) g;
INSERT INTO backstage.budgets (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'budget ' || g FROM generate_series(1, 3000) g;
INSERT INTO backstage.casting_calls (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'call ' || g FROM generate_series(1, 3000) g;
INSERT INTO backstage.agreements (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'agreement ' || g FROM generate_series(1, 3000) g;
INSERT INTO backstage.grievances (organisation_id, occurred_at, story) SELECT 1 + g % 20, timestamptz '2024-01-01' + g * interval '1 hour', 'grievance ' || g FROM generate_series(1, 3000) g;
ALTER TABLE backstage.incidents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON backstage.incidents USING (organisation_id = (SELECT current_setting('app.organisation')::integer));
ALTER TABLE backstage.contracts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON backstage.contracts USING (true);
ALTER TABLE backstage.budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE backstage.agreements ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON backstage.agreements USING (organisation_id = current_setting('app.organisation')::integer);
ALTER TABLE backstage.grievances ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON backstage.grievances USING (organisation_id = (SELECT current_setting('app.organisation')::integer));
CREATE VIEW backstage.recent_grievances AS SELECT id, organisation_id, occurred_at FROM backstage.grievances WHERE occurred_at > now() - interval '1 year';
GRANT USAGE ON SCHEMA backstage, boxoffice, audience, programme, door TO playhouse_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON backstage.incidents, backstage.contracts, backstage.budgets, backstage.casting_calls, backstage.agreements, backstage.grievances TO playhouse_web;
GRANT SELECT ON backstage.recent_grievances TO playhouse_web;
GRANT SELECT ON ALL TABLES IN SCHEMA boxoffice TO playhouse_reports;
GRANT SELECT ON backstage.incidents TO playhouse_reports;
ALTER DEFAULT PRIVILEGES IN SCHEMA boxoffice GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO PUBLIC;
GRANT UPDATE ON boxoffice.vouchers TO PUBLIC;

CREATE FUNCTION backstage.reset_login(who text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE backstage.staff SET password_hash = '!' WHERE login = who
$$;
CREATE FUNCTION backstage.count_staff() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM backstage.staff
$$;
CREATE FUNCTION backstage.house_rate(code text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT rate FROM boxoffice.exchange_rates WHERE currency = code ORDER BY quoted_on DESC LIMIT 1
$$;

-- An index whose build was broken off.
CREATE INDEX performances_state_idx ON programme.performances (state, starts_at);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'programme.performances_state_idx'::regclass;

-- The turnstiles were loaded with their numbers, and so was lost property; the agents' sequence was moved on afterwards.
SELECT setval(pg_get_serial_sequence('boxoffice.agents', 'id'), 300);
SELECT setval(pg_get_serial_sequence('backstage.lost_property', 'id'), 5000);

VACUUM ANALYZE;
