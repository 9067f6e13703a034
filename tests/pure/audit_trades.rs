//! What two databases of other trades taught an audit: defects that it passed by, and what it took for one.

use pgassay::report::Report;
use pgassay::rules::{self, Example};

fn audit(migration: &'static str) -> Report {
    // Rules of a whole schema are asked by an audit, never by a check.
    let judge = rules::find("left-over-copy").expect("a rule of a whole schema");
    judge.judge(&Example { given: "", migration }).0
}

fn messages(report: &Report, rule: &str) -> Vec<String> {
    report.findings.iter().filter(|it| it.rule.name == rule).map(|it| it.message.clone()).collect()
}

/// The rule says it of the first, once each, and nothing of the second.
#[track_caller]
fn expect(report: &Report, rule: &str, tells: &[&str], never: &[&str]) {
    let all = messages(report, rule);
    for object in tells {
        let told = all.iter().filter(|it| it.contains(object)).count();
        assert_eq!(told, 1, "{rule} of {object}: {all:#?}");
    }
    for object in never {
        assert!(!all.iter().any(|it| it.contains(object)), "{rule} of {object}: {all:#?}");
    }
}

#[test]
fn names_of_one_piece_are_those_of_their_parts() {
    let report = audit(
        "CREATE TABLE animal (animalid bigint PRIMARY KEY, born date NOT NULL, died date);
         CREATE TABLE pasture (fieldno integer PRIMARY KEY, letfrom date NOT NULL, letto date NOT NULL, platform date, plato date);
         CREATE TABLE bullhire (hireid bigint PRIMARY KEY, bullid bigint NOT NULL, hiredfrom timestamptz NOT NULL, hiredto timestamptz NOT NULL, CHECK (hiredto > hiredfrom));
         CREATE TABLE bullweight (weightid bigint PRIMARY KEY, bullid bigint NOT NULL, hiredfrom timestamptz NOT NULL, hiredto timestamptz NOT NULL, CHECK (hiredto > hiredfrom));
         CREATE TABLE rehearsals (id bigint PRIMARY KEY, room_no integer NOT NULL, begins_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, CHECK (ends_at > begins_at));
         CREATE TABLE room_visits (id bigint PRIMARY KEY, room_no integer NOT NULL, begins_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, CHECK (ends_at > begins_at));
         CREATE TABLE member (memberno bigint PRIMARY KEY, portalpassword text NOT NULL, passwordhint text);",
    );
    expect(
        &report,
        "missing-bounds",
        &[
            "animal.died may be before born",
            "pasture.letto may be before letfrom",
            "two rows of public.bullhire",
            "two rows of public.rehearsals",
        ],
        &["plato", "bullweight may", "room_visits"],
    );
    expect(&report, "plaintext-secret", &["portalpassword"], &["passwordhint"]);
}

#[test]
fn values_are_of_their_type_and_attributes_of_several() {
    let report = audit(
        "CREATE TABLE things (id bigint PRIMARY KEY);
         CREATE TABLE traits (thing_id bigint NOT NULL REFERENCES things, traitname text NOT NULL, traitvalue text, PRIMARY KEY (thing_id, traitname));
         CREATE TABLE colours (thing_id bigint NOT NULL REFERENCES things, name text NOT NULL, value text, PRIMARY KEY (thing_id, name));
         CREATE TABLE seats (id bigint PRIMARY KEY, wheelchair smallint NOT NULL, errors smallint NOT NULL, mobileno numeric(15), breed text CHECK (breed <> ''), size text CHECK (size IN ('S', 'M')));
         -- measured: table public.traits rows=50000 bytes=9000000
         -- measured: column public.traits.traitvalue distinct=5 width=9 values=142.5,calm,2021-02-03,true,good common=0.2,0.2,0.2,0.2,0.2
         -- measured: table public.colours rows=50000 bytes=9000000
         -- measured: column public.colours.value distinct=3 width=9 values=red,green,blue common=0.4,0.3,0.3
         -- measured: table public.seats rows=50000 bytes=9000000
         -- measured: column public.seats.wheelchair distinct=2 width=2 values=0,1 common=0.9,0.1
         -- measured: column public.seats.errors distinct=2 width=2 values=0,1 common=0.9,0.1
         -- measured: column public.seats.breed distinct=3 width=8 values=Holstein,Jersey,Ayrshire common=0.4,0.3,0.3
         -- measured: column public.seats.size distinct=2 width=2 values=S,M common=0.4,0.6",
    );
    expect(
        &report,
        "type-unlike-values",
        &[
            "traits.traitvalue holds the values of attributes",
            "seats.wheelchair holds 0 and 1",
            "seats.mobileno keeps a phone",
        ],
        &["colours", "errors"],
    );
    expect(&report, "enum-in-text", &["seats.breed"], &["seats.size", "traitname"]);
}

#[test]
fn policies_that_hold_always_and_tables_of_the_same_owners() {
    let report = audit(
        "CREATE TABLE samples (id bigint PRIMARY KEY, tenant integer NOT NULL, parent bigint); ALTER TABLE samples ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON samples USING (tenant = (SELECT current_setting('app.tenant')::integer) OR tenant IS NOT NULL);
         CREATE TABLE notes (id bigint PRIMARY KEY, tenant integer NOT NULL, parent bigint); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON notes USING (tenant = (SELECT current_setting('app.tenant')::integer) OR parent IS NOT NULL);
         CREATE TABLE files (id bigint PRIMARY KEY, tenant integer NOT NULL); ALTER TABLE files ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON files USING (tenant = (SELECT current_setting('app.tenant')::integer));
         CREATE SCHEMA other; CREATE TABLE other.calls (id bigint PRIMARY KEY, tenant integer NOT NULL);
         CREATE TABLE other.tariffs (id bigint PRIMARY KEY, zone integer NOT NULL);",
    );
    expect(&report, "policy-allows-everything", &["policy own of public.samples"], &["notes", "files"]);
    expect(&report, "missing-row-security", &["other.calls has no row security"], &["tariffs"]);
}

#[test]
fn short_numbers_of_several_senders_are_not_unique() {
    let report = audit(
        "CREATE TABLE agents (id bigint PRIMARY KEY);
         CREATE TABLE agent_webhooks (id bigint PRIMARY KEY, agent_id bigint NOT NULL REFERENCES agents, event_id text NOT NULL UNIQUE, body jsonb NOT NULL);
         CREATE TABLE shop_webhooks (id bigint PRIMARY KEY, agent_id bigint NOT NULL REFERENCES agents, event_id text NOT NULL UNIQUE, body jsonb NOT NULL);
         CREATE TABLE bank_callbacks (id bigint PRIMARY KEY, callback_id text UNIQUE, raw text NOT NULL);
         CREATE TABLE sms_callbacks (phone text NOT NULL, callback_id uuid NOT NULL, code integer NOT NULL, PRIMARY KEY (phone, code));
         -- measured: table public.agent_webhooks rows=9000 bytes=900000
         -- measured: column public.agent_webhooks.event_id distinct=-1 width=5
         -- measured: column public.agent_webhooks.agent_id distinct=300 width=8
         -- measured: table public.shop_webhooks rows=9000 bytes=900000
         -- measured: column public.shop_webhooks.event_id distinct=-1 width=37
         -- measured: column public.shop_webhooks.agent_id distinct=300 width=8",
    );
    expect(
        &report,
        "event-without-key",
        &["agent_webhooks.event_id is unique whoever sent it", "bank_callbacks.callback_id may be NULL"],
        &["shop_webhooks", "sms_callbacks.callback_id"],
    );
}

#[test]
fn one_cause_is_one_finding_and_a_choice_of_keys_is_none() {
    let report = audit(
        "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE teams (id bigint PRIMARY KEY);
         CREATE TABLE favourites (id bigint PRIMARY KEY, owner bigint NOT NULL, user_id bigint REFERENCES users, team_id bigint REFERENCES teams, UNIQUE (owner, user_id), UNIQUE (owner, team_id));
         CREATE TABLE promos (id bigint PRIMARY KEY, code text NOT NULL, venue_id bigint REFERENCES users, UNIQUE (venue_id, code));
         CREATE TABLE links (id bigint PRIMARY KEY, a boolean DEFAULT false, b boolean DEFAULT false, c boolean DEFAULT true, d boolean DEFAULT false);
         CREATE TABLE readings (id bigint NOT NULL, at timestamptz NOT NULL, silo bigint NOT NULL) PARTITION BY RANGE (at);
         CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
         CREATE TABLE readings_2 PARTITION OF readings FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
         CREATE TABLE readings_3 PARTITION OF readings FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
         CREATE TABLE readings_4 PARTITION OF readings FOR VALUES FROM ('2024-04-01') TO ('2024-05-01');
         CREATE INDEX ON readings_1 (silo); CREATE INDEX ON readings_2 (silo); CREATE INDEX ON readings_3 (silo);
         CREATE INDEX ON readings_1 (id); CREATE INDEX ON readings_2 (id); CREATE INDEX ON readings_3 (id);
         CREATE TABLE waiting_queue (id bigint PRIMARY KEY, email text NOT NULL, status text NOT NULL);
         CREATE TABLE service_instance (id bigint PRIMARY KEY, service_id text NOT NULL, service_type text NOT NULL);
         CREATE TABLE entity_updates (id bigint PRIMARY KEY, entity_id text NOT NULL, entity_type text NOT NULL);
         CREATE TABLE documents (id bigint PRIMARY KEY, owner_kind text NOT NULL, owner_id bigint NOT NULL);
         CREATE TABLE routes (route_id integer NOT NULL, stop integer NOT NULL, farm integer NOT NULL, PRIMARY KEY (route_id, stop));
         CREATE TABLE stops_copy_of_march (route_id integer NOT NULL, stop integer NOT NULL, farm integer NOT NULL);",
    );
    expect(&report, "ambiguous-null", &["promos.venue_id", "links has booleans with a default"], &["favourites"]);
    expect(&report, "partition-unlike-siblings", &["readings_4"], &["readings_1"]);
    expect(&report, "queue-without-claim-index", &[], &["waiting_queue"]);
    expect(&report, "polymorphic-without-index", &["documents", "entity_updates"], &["service_instance"]);
    expect(&report, "left-over-copy", &["stops_copy_of_march"], &[]);
}
