-- A second database, of another trade and with other names than shop.sql: a hospital (ward), a bank, a ticket office (desk), a publisher
-- (cms) and a portal with row security. Names have capitals, spaces and key words. Planted defects stand beside healthy twins; clinic.tsv
-- lists both, each with what the finding has to say.
--
--     createdb clinic
--     psql -v ON_ERROR_STOP=1 -f scripts/demo-database/clinic.sql clinic
--     psql -f scripts/demo-database/clinic-workload.sql clinic
--
-- Needs a superuser: one index is marked invalid by hand.

SET client_min_messages = warning;
SET synchronous_commit = off;
-- Before 15 everybody may.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA ward; CREATE SCHEMA bank; CREATE SCHEMA desk; CREATE SCHEMA cms; CREATE SCHEMA "Portal";
-- roles
DO $$BEGIN CREATE ROLE nurse; EXCEPTION WHEN duplicate_object THEN NULL; END$$;

-- ===== ward =====
CREATE TYPE ward.triage AS ENUM ('red','amber','green');
CREATE DOMAIN ward.flag AS boolean NOT NULL;
CREATE TABLE ward.beds (room int NOT NULL, slot int NOT NULL, "Kind" text, PRIMARY KEY (room, slot));
INSERT INTO ward.beds SELECT i/10, i%10, (ARRAY['icu','normal','day'])[1+i%3] FROM generate_series(0, 999) i;
CREATE TABLE ward."Patients" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "Family name" text NOT NULL,
  given text NOT NULL,
  blood_group text,                                  -- one of 8 words, never NULL
  consent boolean,                                   -- N4 hot NOT consent
  smoker ward.flag,
  "group" text DEFAULT 'public',                     -- N5
  allergies text,                                    -- N9 '' and NULL
  last_weight int,                                   -- N10 -1 and NULL
  born date,                                         -- N10 1970-01-01? 
  hobby text,                                        -- N22 mostly null
  insurer_note text NOT NULL DEFAULT '',             -- twin of N9
  ssn text NOT NULL,
  deceased_at timestamptz,
  referrer text
);
INSERT INTO ward."Patients" ("Family name", given, blood_group, consent, smoker, "group", allergies, last_weight, born, hobby, ssn, deceased_at, referrer)
SELECT 'Family'||i, 'G'||i%500, (ARRAY['A+','A-','B+','B-','AB+','AB-','0+','0-'])[1+i%8], CASE WHEN i%5=0 THEN NULL ELSE i%2=0 END, i%7=0,
 CASE WHEN i%4=0 THEN 'private' ELSE 'public' END, CASE i%4 WHEN 0 THEN '' WHEN 1 THEN NULL ELSE 'nuts '||i END,
 CASE i%10 WHEN 0 THEN -1 WHEN 1 THEN NULL ELSE 50+i%60 END, CASE i%20 WHEN 0 THEN date '1970-01-01' WHEN 1 THEN NULL ELSE date '1930-01-01'+i%20000 END,
 CASE WHEN i%1000=0 THEN 'chess' END, '9'||i, CASE WHEN i%50=0 THEN now() END, 'Dr '||i%333
FROM generate_series(1,120000) i;
CREATE TABLE ward.admissions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  patient uuid REFERENCES ward."Patients" ON DELETE CASCADE,   -- N2 nullable FK always set, no index, cascade
  room int NOT NULL, slot int,                                  -- N3 half null
  prev_room int, prev_slot int,                                 -- twin match full
  status text NOT NULL,                                         -- enum in text
  urgency ward.triage NOT NULL,
  discharged_at timestamptz,                                    -- N13 status=discharged
  bill_ref text, waiver_ref text,                               -- N12 one of two
  arrived timestamp NOT NULL,                                   -- timestamp w/o tz
  ward_code text,
  FOREIGN KEY (room, slot) REFERENCES ward.beds,
  FOREIGN KEY (prev_room, prev_slot) REFERENCES ward.beds MATCH FULL
);
INSERT INTO ward.admissions (patient, room, slot, prev_room, prev_slot, status, urgency, discharged_at, bill_ref, waiver_ref, arrived, ward_code)
SELECT p.id, n%100, CASE WHEN n%3=0 THEN NULL ELSE n%10 END, CASE WHEN n%2=0 THEN n%100 END, CASE WHEN n%2=0 THEN n%10 END,
 (ARRAY['waiting','admitted','discharged','transferred'])[1+n%4], (ARRAY['red','amber','green'])[1+n%3]::ward.triage,
 CASE WHEN n%4=2 THEN now() WHEN n%40=0 THEN now() END, CASE WHEN n%3<2 THEN 'b'||n END, CASE WHEN n%3=2 THEN 'w'||n END, '2025-01-01'::timestamp + n*interval '1 min', 'W'||n%1200
FROM (SELECT id, row_number() OVER () n FROM ward."Patients" LIMIT 60000) p;
CREATE INDEX adm_patient_partial ON ward.admissions (patient) WHERE discharged_at IS NULL;  -- partial does not cover
CREATE INDEX adm_patient_incl ON ward.admissions (status) INCLUDE (patient);                 -- INCLUDE does not cover
CREATE INDEX adm_bed ON ward.admissions (slot, room);                                        -- covers (room, slot)
CREATE INDEX adm_prev ON ward.admissions (prev_room, prev_slot) WHERE prev_room IS NOT NULL;  -- covers
CREATE TABLE ward.visits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  admission_id bigint NOT NULL REFERENCES ward.admissions,
  patient_id uuid NOT NULL,       -- missing FK by name: table Patients -> patient
  doctor text CHECK (doctor IS NOT NULL),  -- N11
  seen_by text,
  minutes int NOT NULL
);
INSERT INTO ward.visits (admission_id, patient_id, doctor, seen_by, minutes) SELECT a.id, a.patient, 'Dr '||a.id%90, 'N'||a.id%1000, 5+a.id%40 FROM ward.admissions a;
ALTER TABLE ward.visits ADD CONSTRAINT seen_nv CHECK (seen_by IS NOT NULL) NOT VALID;
CREATE INDEX ON ward.visits (admission_id);
CREATE TABLE ward.lab_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, visit_id bigint NOT NULL REFERENCES ward.visits, test text NOT NULL);
CREATE INDEX ON ward.lab_orders (visit_id);
CREATE TABLE ward.lab_samples (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, visit_id int NOT NULL REFERENCES ward.visits, tube char(12) NOT NULL); -- narrow
CREATE INDEX ON ward.lab_samples (visit_id);
CREATE TABLE ward.hl7_inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sender text NOT NULL, message_control_id text NOT NULL, body text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE ward.fhir_inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sender text NOT NULL, message_id text, body text NOT NULL, UNIQUE (sender, message_id));
CREATE TABLE ward.dicom_inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sender text NOT NULL, message_id text NOT NULL, body text NOT NULL, UNIQUE (sender, message_id));
CREATE TABLE ward.measurements (at timestamptz NOT NULL, device text NOT NULL, reading double precision NOT NULL);  -- no pk
INSERT INTO ward.measurements SELECT now() - i*interval '1 s', 'd'||i%50, i FROM generate_series(1,50000) i;
CREATE TABLE ward.readings (at timestamptz NOT NULL, device text NOT NULL, reading double precision NOT NULL, UNIQUE (device, at));  -- twin: natural unique not null
CREATE TABLE ward.shifts (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL);
INSERT INTO ward.shifts (label) SELECT 's'||i FROM generate_series(1,100) i;
SELECT setval('ward.shifts_id_seq', 30000);

-- ===== bank =====
CREATE TABLE bank."Account" (
  "No" bigint PRIMARY KEY,
  owner text NOT NULL,
  "IBAN country" text,             -- N1 never NULL
  branch text,                     -- never NULL
  kind text NOT NULL,
  currency char(3) NOT NULL,
  balance numeric(18,2) NOT NULL,
  overdraft real NOT NULL,         -- not a money word
  premium double precision,       
  closed_on date
);
INSERT INTO bank."Account" SELECT i, 'owner '||i, 'DE'||i%90, 'b'||i%700, (ARRAY['giro','savings','depot'])[1+i%3], 'EUR', i, 0, 1.5, CASE WHEN i%9=0 THEN current_date END FROM generate_series(1,40000) i;
CREATE TABLE bank.transfers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_no bigint NOT NULL REFERENCES bank."Account",
  amount double precision NOT NULL,                     -- money in float, no currency, no check
  end_to_end_id text, provider_reference text NOT NULL,   -- idempotency
  booked timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'new'
);
INSERT INTO bank.transfers (account_no, amount, end_to_end_id, provider_reference, booked, status) SELECT 1+i%40000, i, 'e'||i, 'p'||i, now()-i*interval '1 min', (ARRAY['new','done','failed'])[1+i%3] FROM generate_series(1,80000) i;
CREATE INDEX transfers_booked_account ON bank.transfers (booked, account_no);   -- timestamp first
CREATE INDEX transfers_account ON bank.transfers (account_no);
CREATE INDEX transfers_account_amount ON bank.transfers (account_no, amount);   -- prefix: transfers_account
CREATE INDEX transfers_account_desc ON bank.transfers (account_no DESC, amount); -- twin
CREATE INDEX transfers_ref ON bank.transfers (provider_reference);
CREATE INDEX transfers_ref2 ON bank.transfers (provider_reference);              -- duplicate
CREATE INDEX transfers_ref_pat ON bank.transfers (provider_reference text_pattern_ops);  -- twin
CREATE INDEX transfers_ref_coll ON bank.transfers (provider_reference COLLATE "POSIX");      -- twin
CREATE INDEX transfers_ref_part ON bank.transfers (provider_reference) WHERE status='new'; -- twin
CREATE TABLE bank.cards (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_no bigint NOT NULL REFERENCES bank."Account" ON DELETE CASCADE, pin text NOT NULL, cvv text NOT NULL, pan text NOT NULL);
CREATE INDEX ON bank.cards (account_no);
INSERT INTO bank.cards (account_no, pin, cvv, pan) SELECT i, lpad((i%10000)::text,4,'0'), lpad((i%1000)::text,3,'0'), lpad(i::text,16,'4') FROM generate_series(1,20000) i;
CREATE TABLE bank.logins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login text NOT NULL, password text NOT NULL, totp_secret text NOT NULL);
INSERT INTO bank.logins (login, password, totp_secret) SELECT 'l'||i, '$2b$12$'||substr(md5(i::text)||md5((i+1)::text),1,53), upper(substr(md5(i::text),1,16)) FROM generate_series(1,20000) i;
CREATE TABLE bank.legacy_users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, login text NOT NULL, user_password text NOT NULL);
INSERT INTO bank.legacy_users (login, user_password) SELECT 'l'||i, 'hunter'||i FROM generate_series(1,20000) i;
CREATE TABLE bank.api_clients (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, webhook_signing_secret text NOT NULL, client_secret_sha256 text NOT NULL, token text NOT NULL);
INSERT INTO bank.api_clients (name, webhook_signing_secret, client_secret_sha256, token) SELECT 'c'||i, 'whsec_'||md5(i::text), encode(sha256(i::text::bytea),'hex'), encode(sha256(i::text::bytea),'hex') FROM generate_series(1,20000) i;
CREATE TABLE bank.fees (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_kind text NOT NULL, fee numeric(10,2) NOT NULL CHECK (fee >= 0), currency char(3) NOT NULL);
CREATE TABLE bank.ledger_entries (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, account_no bigint NOT NULL, amount numeric NOT NULL, note text);
INSERT INTO bank.ledger_entries (account_no, amount) SELECT 1+i%40000, 1 FROM generate_series(1,30000) i;
SELECT setval('bank.ledger_entries_id_seq', 2000000000);
CREATE TABLE bank.statements_2025 (id bigserial PRIMARY KEY, account_no bigint NOT NULL REFERENCES bank."Account", fmt money, session_uuid varchar(36) NOT NULL, cut timetz);
CREATE INDEX ON bank.statements_2025 (account_no);
CREATE TABLE bank.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, phone text, archived_at timestamptz, nickname text);
CREATE UNIQUE INDEX customers_email ON bank.customers (email);           -- soft delete
CREATE UNIQUE INDEX customers_phone ON bank.customers (phone) WHERE archived_at IS NULL; -- twin
INSERT INTO bank.customers (email, phone, archived_at, nickname) SELECT 'c'||i||'@x.org', 'p'||i, CASE WHEN i%10=0 THEN now() END, CASE WHEN i%3=0 THEN 'n'||i END FROM generate_series(1,50000) i;
CREATE TABLE bank.beneficiaries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES bank.customers, iban text, UNIQUE (customer_id, iban));  -- N6?
INSERT INTO bank.beneficiaries (customer_id, iban) SELECT 1+i%5000, CASE WHEN i%2=0 THEN 'DE'||i END FROM generate_series(1,30000) i;
CREATE TABLE bank.limits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tier text NOT NULL, country text, UNIQUE (tier, country));
INSERT INTO bank.limits (tier, country) SELECT 't'||i%3000, CASE WHEN i%2=0 THEN 'c'||i END FROM generate_series(1,20000) i;

-- ===== desk (ticketing) =====
CREATE TABLE desk.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL, details jsonb, starts timestamptz NOT NULL);
INSERT INTO desk.events (title, details, starts) SELECT 'E'||i, CASE i%4 WHEN 0 THEN '{}'::jsonb WHEN 1 THEN NULL ELSE jsonb_build_object('venue_name', 'V'||i, 'capacity', i, 'dress', CASE WHEN i%2=0 THEN to_jsonb(i) ELSE to_jsonb(i::text) END) END, now() FROM generate_series(1,20000) i;
CREATE TABLE desk."order" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id bigint NOT NULL REFERENCES desk.events,
  buyer text NOT NULL, channel text, promo text, total_cents bigint NOT NULL CHECK (total_cents >= 0), currency text NOT NULL,
  paid_on date, score int, bonus int, placed timestamptz NOT NULL
);
INSERT INTO desk."order" (event_id, buyer, channel, promo, total_cents, currency, paid_on, score, bonus, placed)
SELECT 1+i%20000, 'b'||i, CASE i%4 WHEN 0 THEN NULL WHEN 1 THEN 'web' ELSE 'app'||i%300 END, CASE WHEN i%2=0 THEN 'P'||i END, i, 'EUR', CASE WHEN i%3=0 THEN current_date END, CASE WHEN i%5=0 THEN NULL ELSE i END, i%10, now()-i*interval '1 min' FROM generate_series(1,60000) i;
CREATE INDEX order_event ON desk."order" (event_id);
CREATE INDEX order_buyer ON desk."order" (buyer);
CREATE INDEX order_placed ON desk."order" (placed);
CREATE TABLE desk.tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES desk."order" ON DELETE CASCADE, seat text, checked_in boolean NOT NULL DEFAULT false, UNIQUE (order_id, seat));
INSERT INTO desk.tickets (order_id, seat) SELECT 1+i%60000, CASE WHEN i%3=0 THEN NULL ELSE 'S'||i END FROM generate_series(1,90000) i;
CREATE INDEX tickets_in ON desk.tickets (checked_in);
CREATE TABLE desk.blocklist (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer text);
INSERT INTO desk.blocklist (buyer) SELECT CASE WHEN i%10=0 THEN NULL ELSE 'b'||i END FROM generate_series(1,2000) i;
CREATE TABLE desk.refund_requests (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL, stripe_refund_id text NOT NULL, amount_cents bigint NOT NULL, currency text NOT NULL, CHECK (amount_cents > 0));
INSERT INTO desk.refund_requests (order_id, stripe_refund_id, amount_cents, currency) SELECT 1+i%60000, 're_'||i, i, 'EUR' FROM generate_series(1,5000) i;
CREATE TABLE desk.print_jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES desk.tickets, state text NOT NULL CHECK (state IN ('queued','running','done')), attempts int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL);
CREATE INDEX ON desk.print_jobs (ticket_id);
CREATE TABLE desk.scan_jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL CHECK (state IN ('queued','running','done')), attempts int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL);
CREATE INDEX ON desk.scan_jobs (created_at) WHERE state = 'queued';
CREATE TABLE desk.seat_log (id bigint NOT NULL, at timestamptz NOT NULL, seat text NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE desk.seat_log_a PARTITION OF desk.seat_log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE desk.seat_log_b PARTITION OF desk.seat_log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE desk.check_ins (id bigint GENERATED ALWAYS AS IDENTITY, order_id bigint REFERENCES desk."order" ON DELETE CASCADE, at timestamptz NOT NULL, gate text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE desk.check_ins_a PARTITION OF desk.check_ins FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE desk.check_ins_b PARTITION OF desk.check_ins FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO desk.check_ins (order_id, at, gate) SELECT 1+i%60000, timestamptz '2025-03-01'+i*interval '10 min', 'g'||i%400 FROM generate_series(1,60000) i;

CREATE TABLE desk.halls (hall int NOT NULL, seat_row int NOT NULL, PRIMARY KEY (hall, seat_row));
-- A CHECK says that both are set or none; a client sends the reference only where it wants one voucher.
CREATE TABLE desk.vouchers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hall int, seat_row int, issuer text NOT NULL, external_reference text,
  FOREIGN KEY (hall, seat_row) REFERENCES desk.halls, CHECK ((hall IS NULL) = (seat_row IS NULL)), UNIQUE (issuer, external_reference)
);
CREATE INDEX ON desk.vouchers (hall, seat_row);

-- ===== cms =====
CREATE TABLE cms.articles (
  id uuid PRIMARY KEY, slug text NOT NULL, title text NOT NULL, body text NOT NULL, visibility text DEFAULT 'internal',
  meta jsonb NOT NULL DEFAULT '{}', views int NOT NULL DEFAULT 0, published boolean, deleted boolean NOT NULL DEFAULT false, tags text[],
  UNIQUE (slug, deleted)
);
INSERT INTO cms.articles (id, slug, title, body, meta, published, tags, visibility)
SELECT md5(i::text)::uuid, 's'||i, 'T'||i, repeat(md5(i::text), 4), CASE i%4 WHEN 0 THEN jsonb_build_object('author_id', i, 'lang', 'de') WHEN 1 THEN jsonb_build_object('width', i, 'height', i) WHEN 2 THEN jsonb_build_object('video','v'||i,'seconds',i) ELSE jsonb_build_object('poll'||i%300, i) END,
 CASE WHEN i%3=0 THEN NULL ELSE true END, CASE i%3 WHEN 0 THEN NULL WHEN 1 THEN '{}'::text[] ELSE ARRAY['a'] END, CASE WHEN i%9=0 THEN 'world' ELSE 'internal' END FROM generate_series(1,30000) i;
CREATE TABLE cms.translations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, texts jsonb NOT NULL, by_day jsonb NOT NULL, props jsonb NOT NULL, big jsonb NOT NULL, good jsonb NOT NULL CHECK (jsonb_typeof(good)='object'));
INSERT INTO cms.translations (texts, by_day, props, big, good) SELECT jsonb_build_object('de','x','en','y'), (SELECT jsonb_object_agg((date '2025-01-01'+(i+j)%900)::text, j) FROM generate_series(1,3) j),
 jsonb_build_object('article_id', md5((1+i%30000)::text), 'source', 's'||i%3, 'score', i), jsonb_build_object('blob', (SELECT string_agg(md5((i*100+k)::text),'') FROM generate_series(1,90) k)), jsonb_build_object('a',i,'b','x') FROM generate_series(1,6000) i;
CREATE TABLE cms.media (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, article_id uuid NOT NULL REFERENCES cms.articles, url text NOT NULL, checksum text);
CREATE UNIQUE INDEX media_checksum ON cms.media (article_id, checksum) WHERE checksum IS NOT NULL;
INSERT INTO cms.media (article_id, url, checksum) SELECT md5((1+i%30000)::text)::uuid, 'u'||i, CASE WHEN i%2=0 THEN md5(i::text) END FROM generate_series(1,20000) i;
CREATE TABLE cms.pages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site text NOT NULL, article uuid REFERENCES cms.articles, html text NOT NULL);
ALTER TABLE cms.pages ADD CONSTRAINT pages_article_again FOREIGN KEY (article) REFERENCES cms.articles;
ALTER TABLE cms.pages ADD CONSTRAINT c1 CHECK (length(site) > 0), ADD CONSTRAINT c2 CHECK (length(site) > 0);
CREATE INDEX ON cms.pages (article);
ALTER TABLE cms.pages ALTER COLUMN html SET STORAGE PLAIN;
INSERT INTO cms.pages (site, article, html) SELECT 'site'||i, md5((1+i%30000)::text)::uuid, (SELECT string_agg(md5((i*64+j)::text),'') FROM generate_series(1,40) j) FROM generate_series(1,20000) i;
CREATE TABLE cms.dups (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int NOT NULL);
INSERT INTO cms.dups (k) SELECT i FROM generate_series(1,100) i;
CREATE TABLE cms.hits (id bigint PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO cms.hits SELECT i, now()+i*interval '1 s' FROM generate_series(1,600000) i;
CREATE INDEX hits_at ON cms.hits (at);
DELETE FROM cms.hits WHERE id%25<>0;
CREATE TABLE cms.no_vacuum (id bigint PRIMARY KEY) WITH (autovacuum_enabled=off);
CREATE TABLE cms.orphan_stats (id bigint PRIMARY KEY, v text);
CREATE UNIQUE INDEX dups_k ON cms.dups (k);
-- drift: site text NOT NULL in 5 tables, nullable in one always set
CREATE TABLE cms.d1 (id bigint PRIMARY KEY, site text NOT NULL); CREATE TABLE cms.d2 (id bigint PRIMARY KEY, site text NOT NULL); CREATE TABLE cms.d3 (id bigint PRIMARY KEY, site text NOT NULL); CREATE TABLE cms.d4 (id bigint PRIMARY KEY, site text NOT NULL);
CREATE TABLE cms.d5 (id bigint PRIMARY KEY, site text, x int NOT NULL);
INSERT INTO cms.d5 SELECT i, 'site'||i%999, i FROM generate_series(1,12000) i;
-- ===== Portal: row security, functions, grants
CREATE TABLE "Portal"."Notes" (id bigint PRIMARY KEY, owner name NOT NULL DEFAULT current_user, txt text);
CREATE TABLE "Portal"."Docs" (id bigint PRIMARY KEY, owner name NOT NULL DEFAULT current_user);
CREATE TABLE "Portal"."Files" (id bigint PRIMARY KEY, owner name NOT NULL DEFAULT current_user);
CREATE TABLE "Portal"."Leak" (id bigint PRIMARY KEY, owner name NOT NULL DEFAULT current_user);
CREATE TABLE "Portal"."Dead" (id bigint PRIMARY KEY, owner name NOT NULL DEFAULT current_user);
ALTER TABLE "Portal"."Notes" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Portal"."Docs" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Portal"."Files" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Portal"."Notes" USING (owner = current_user); CREATE POLICY own ON "Portal"."Docs" USING (owner=current_user); CREATE POLICY own ON "Portal"."Files" USING (owner=current_user);
CREATE POLICY own ON "Portal"."Dead" USING (owner = current_user);
GRANT INSERT ON "Portal"."Notes" TO PUBLIC; GRANT UPDATE (txt) ON "Portal"."Notes" TO PUBLIC; GRANT UPDATE (owner) ON "Portal"."Docs" TO PUBLIC; GRANT SELECT ON "Portal"."Files" TO PUBLIC; GRANT INSERT ON "Portal"."Files" TO nurse;
CREATE FUNCTION "Portal"."Take Over"(a bigint, VARIADIC b text[] DEFAULT '{}') RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION "Portal".safe(a bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
CREATE FUNCTION "Portal".out_too(a int, OUT b int) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE PROCEDURE "Portal".run(a int) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
GRANT CREATE ON SCHEMA "Portal" TO PUBLIC;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'cms.dups_k'::regclass;

ANALYZE;
