//! Kinds of mistakes that an audit made, and the right answer for each: nothing false, and the defects that it passed by.

use pgassay::audit::Filter;
use pgassay::report::Report;
use pgassay::rules::{self, Example};

/// An audit of what some SQL makes; comments of the form `-- measured: …` are its statistics.
fn audit(migration: &'static str) -> Report {
    // Rules of a whole schema are asked by an audit, never by a check.
    let judge = rules::find("left-over-copy").expect("a rule of a whole schema");
    judge.judge(&Example { given: "", migration }).0
}

fn told(report: &Report, rule: &str, object: &str) -> bool {
    report.findings.iter().any(|finding| {
        let about = format!("{} {}", finding.object.as_deref().unwrap_or_default(), finding.message);
        finding.rule.name == rule && about.contains(object)
    })
}

fn steps(report: &Report) -> String {
    let steps = report.findings.iter().flat_map(|finding| &finding.advice.steps);
    steps.map(|step| step.sql.as_str()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn expect(migration: &'static str, tells: &[(&str, &str)], never: &[(&str, &str)]) -> Report {
    let report = audit(migration);
    let said: Vec<String> = report.findings.iter().map(|it| format!("{}: {}", it.rule, it.message)).collect();
    for (rule, object) in tells {
        assert!(told(&report, rule, object), "{rule} is not told of {object}: {said:#?}");
    }
    for (rule, object) in never {
        assert!(!told(&report, rule, object), "{rule} is told of {object}: {said:#?}");
    }
    report
}

#[test]
fn a_step_agrees_with_what_a_document_starts_as() {
    let report = expect(
        "CREATE TABLE brew (id bigint PRIMARY KEY, hops jsonb NOT NULL DEFAULT '[]');",
        &[("json-junk-drawer", "brew.hops")],
        &[],
    );
    assert!(!steps(&report).contains("= 'object'") && steps(&report).contains("= 'array'"), "{}", steps(&report));
    let report = expect(
        "CREATE TABLE brew (id bigint PRIMARY KEY, label jsonb NOT NULL);",
        &[("json-junk-drawer", "brew.label")],
        &[],
    );
    assert!(!steps(&report).contains("CHECK"), "nothing is known of it: {}", steps(&report));
}

#[test]
fn names_without_separators_are_read() {
    expect(
        "CREATE TABLE Member (MemberID bigint PRIMARY KEY, PhoneNumber text NOT NULL, RefreshToken text NOT NULL);
         CREATE TABLE Fine (FineID bigint PRIMARY KEY, MemberID bigint NOT NULL REFERENCES Member, TotalDue double precision NOT NULL); CREATE INDEX ON Fine (MemberID);
         CREATE TABLE Loan (LoanID bigint PRIMARY KEY, MemberID bigint NOT NULL REFERENCES Member); CREATE INDEX ON Loan (MemberID);
         CREATE TABLE Hold (HoldID bigint PRIMARY KEY, MemberID bigint NOT NULL);",
        &[
            ("money-in-float", "totaldue"),
            ("plaintext-secret", "refreshtoken"),
            ("missing-foreign-key", "hold.memberid"),
            ("personal-data-without-area", "personal data"),
        ],
        &[],
    );
}

#[test]
fn what_is_no_money_is_not_told() {
    expect(
        "CREATE TABLE kennel (id bigint PRIMARY KEY, collar_charge_level float8, total_walks float8, cost_center float8, boarding_fee float8, tip float8);",
        &[("money-in-float", "boarding_fee"), ("money-in-float", "tip")],
        &[
            ("money-in-float", "collar_charge_level"),
            ("money-in-float", "total_walks"),
            ("money-in-float", "cost_center"),
        ],
    );
}

#[test]
fn rows_kept_apart_by_two_keys_are_kept_apart() {
    let report = audit(
        "CREATE TABLE seen (board text NOT NULL, reader text NOT NULL, post text, at text NOT NULL, UNIQUE (board, reader, post));
         CREATE UNIQUE INDEX ON seen (board, reader) WHERE post IS NULL;",
    );
    let evidence: Vec<&str> = report.findings.iter().flat_map(|it| &it.evidence).map(|it| it.text.as_str()).collect();
    assert!(!evidence.iter().any(|it| it.contains("no index keeps its rows apart")), "{evidence:?}");
}

#[test]
fn one_key_is_one_finding_however_many_of_its_columns_may_be_null() {
    let report = audit(
        "CREATE TABLE route (id bigint PRIMARY KEY, line int, stop int, day int, note text NOT NULL, CONSTRAINT once UNIQUE (line, stop, day));",
    );
    let of_key =
        report.findings.iter().filter(|it| it.rule.name == "ambiguous-null" && it.message.contains("once")).count();
    assert_eq!(of_key, 1);
}

#[test]
fn an_index_to_drop_is_told_once() {
    let report = audit(
        "CREATE TABLE loan (id bigint PRIMARY KEY, member bigint NOT NULL, due date NOT NULL);
         CREATE INDEX a ON loan (member); CREATE INDEX b ON loan (member); CREATE INDEX c ON loan (member, due);",
    );
    let dropped: Vec<String> =
        steps(&report).lines().filter(|it| it.contains("DROP INDEX")).map(str::to_owned).collect();
    let mut once = dropped.clone();
    once.sort();
    once.dedup();
    assert_eq!(dropped.len(), once.len(), "{dropped:?}");
}

#[test]
fn a_tenant_belongs_into_the_key_of_what_its_sender_sends() {
    let report = audit(
        "CREATE TABLE workspaces (id bigint PRIMARY KEY);
         CREATE TABLE webhook_inbox (id bigint PRIMARY KEY, workspace_id bigint NOT NULL REFERENCES workspaces, external_id text NOT NULL, payload jsonb NOT NULL);
         CREATE INDEX ON webhook_inbox (workspace_id);",
    );
    assert!(steps(&report).contains("(workspace_id, external_id)"), "{}", steps(&report));
}

#[test]
fn row_security_that_does_not_do_what_it_seems_to() {
    expect(
        "CREATE TABLE vault (id bigint PRIMARY KEY, tenant text NOT NULL); ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
         CREATE TABLE chart (id bigint PRIMARY KEY, tenant text NOT NULL); ALTER TABLE chart ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON chart USING (tenant = current_setting('app.tenant'));
         CREATE VIEW charts AS SELECT * FROM chart;
         CREATE TABLE crew (ship text NOT NULL, sailor text NOT NULL, PRIMARY KEY (ship, sailor)); ALTER TABLE crew ENABLE ROW LEVEL SECURITY;
         CREATE POLICY mates ON crew USING (ship IN (SELECT c.ship FROM crew c WHERE c.sailor = current_user));
         CREATE TABLE log (id bigint PRIMARY KEY, line text NOT NULL); ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY anybody ON log USING (true);",
        &[
            ("row-security-without-policy", "public.vault"),
            ("view-around-row-security", "public.charts"),
            ("policy-called-per-row", "public.chart"),
            ("policy-reads-own-table", "public.crew"),
            ("policy-allows-everything", "public.log"),
        ],
        &[("row-security-without-policy", "public.chart"), ("policy-reads-own-table", "public.chart")],
    );
}

#[test]
fn books_outlive_whom_they_are_about() {
    expect(
        "CREATE TABLE guests (id bigint PRIMARY KEY, name text NOT NULL);
         CREATE TABLE invoices (id bigint PRIMARY KEY, guest_id bigint NOT NULL REFERENCES guests ON DELETE CASCADE, amount numeric(12,2) NOT NULL CHECK (amount >= 0), currency text NOT NULL);
         CREATE INDEX ON invoices (guest_id);
         CREATE TABLE invoice_lines (id bigint PRIMARY KEY, invoice_id bigint NOT NULL REFERENCES invoices ON DELETE CASCADE, amount numeric(12,2) NOT NULL CHECK (amount >= 0));
         CREATE INDEX ON invoice_lines (invoice_id);",
        &[("cascade-onto-money", "public.invoices")],
        &[("cascade-onto-money", "public.invoice_lines")],
    );
}

#[test]
fn bounds_that_the_trade_takes_for_granted() {
    expect(
        "CREATE TABLE berth (id bigint PRIMARY KEY); CREATE TABLE unit (id bigint PRIMARY KEY);
         CREATE TABLE stay (id bigint PRIMARY KEY, unit_id bigint NOT NULL REFERENCES unit, starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, discount_percent int NOT NULL, growth_percent int NOT NULL);
         CREATE INDEX ON stay (unit_id);
         CREATE TABLE tide (id bigint PRIMARY KEY, starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, CHECK (ends_at > starts_at));",
        &[("missing-bounds", "stay.ends_at"), ("missing-bounds", "stay.discount_percent"), ("missing-bounds", "same unit_id at the same time")],
        &[("missing-bounds", "tide"), ("missing-bounds", "growth_percent")],
    );
}

#[test]
fn a_sequence_behind_its_rows_and_numbers_without_one() {
    expect(
        "CREATE TABLE parcel (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, code text NOT NULL);
         CREATE TABLE scan (id integer PRIMARY KEY, at timestamptz NOT NULL);
         -- measured: table public.parcel rows=50000 bytes=9000000
         -- measured: column public.parcel.id distinct=-1 bounds=1,25000,50000
         -- measured: sequence public.parcel_id_seq last=7
         -- measured: table public.scan rows=50000 bytes=9000000
         -- measured: column public.scan.id distinct=-1 bounds=2000000000,2050000000,2100000000",
        &[("sequence-behind-rows", "parcel.id"), ("key-runs-out", "scan.id")],
        &[],
    );
}

#[test]
fn a_wrong_result_is_told_at_any_speed() {
    expect(
        "CREATE TABLE pupil (id bigint PRIMARY KEY, photo_ok boolean);
         -- measured: table public.pupil rows=50000 bytes=9000000
         -- measured: column public.pupil.photo_ok null=0.2 distinct=2
         -- measured: query calls=3 mean=1: SELECT count(*) FROM pupil WHERE NOT photo_ok
         -- measured: query calls=9 mean=90000: SELECT count(*) FROM generate_series($1, $2) g",
        &[("ambiguous-null", "left out")],
        &[],
    );
}

#[test]
fn hot_queries_are_weighed() {
    expect(
        "CREATE TABLE ship (id bigint PRIMARY KEY, name text NOT NULL);
         CREATE TABLE cargo (id bigint PRIMARY KEY, ship_id bigint NOT NULL REFERENCES ship, manifest bigint NOT NULL);
         -- measured: table public.cargo rows=5000000 bytes=900000000
         -- measured: query calls=900 mean=40: SELECT id FROM cargo WHERE ship_id = $1
         -- measured: query calls=900 mean=60: SELECT id FROM cargo WHERE manifest = $1
         -- measured: query calls=900 mean=80: SELECT id FROM cargo ORDER BY id LIMIT $1 OFFSET $2",
        &[
            ("foreign-key-without-index", "a hot query looks rows of public.cargo up by ship_id"),
            ("hot-query-without-index", "cargo.manifest"),
            ("costly-query", "OFFSET"),
        ],
        &[("hot-query-without-index", "ship_id")],
    );
}

#[test]
fn lists_and_values_of_attributes_are_no_closed_lists() {
    let report = audit(
        "CREATE TABLE shelf (id bigint PRIMARY KEY, tags text NOT NULL);
         CREATE TABLE trait (id bigint PRIMARY KEY, attribute text NOT NULL, value text NOT NULL);
         -- measured: table public.shelf rows=90000 bytes=9000000
         -- measured: column public.shelf.tags distinct=2 width=9 common=0.5,0.5 values=\"red,old\",\"red,new\"
         -- measured: table public.trait rows=90000 bytes=9000000
         -- measured: column public.trait.value distinct=3 width=3 common=0.4,0.3,0.3 values=xa,xb,xc",
    );
    assert!(!steps(&report).contains(" IN ("), "{}", steps(&report));
}

#[test]
fn names_of_attributes_and_of_things_are_no_closed_lists() {
    expect(
        "CREATE TABLE cargo (id bigint PRIMARY KEY, credit_limit double precision NOT NULL);
         CREATE TABLE cargo_attr (cargo_id bigint NOT NULL REFERENCES cargo, attribute text NOT NULL, value text, PRIMARY KEY (cargo_id, attribute));
         CREATE TABLE vessel (imo integer PRIMARY KEY, flag text NOT NULL);
         CREATE TABLE voyage (id bigint PRIMARY KEY, vessel_imo text NOT NULL, stage text NOT NULL);
         -- measured: table public.cargo_attr rows=80000 bytes=9000000
         -- measured: column public.cargo_attr.attribute distinct=4 width=5 common=0.25,0.25,0.25,0.25 values=color,seal,temp,imo
         -- measured: table public.voyage rows=80000 bytes=9000000
         -- measured: column public.voyage.vessel_imo distinct=2900 width=8 bounds=1000001,1000900,1001800,1002900
         -- measured: column public.voyage.stage distinct=3 width=5 common=0.4,0.3,0.3 values=planned,sailing,done",
        &[
            ("enum-in-text", "voyage.stage"),
            ("missing-foreign-key", "voyage.vessel_imo"),
            ("money-in-float", "cargo.credit_limit"),
        ],
        &[("enum-in-text", "cargo_attr.attribute")],
    );
}

#[test]
fn what_only_sounds_like_a_queue_an_inbox_or_a_secret_is_none() {
    let none = expect(
        "CREATE TABLE worker_queue (name text PRIMARY KEY, max_workers int NOT NULL, num_jobs_completed bigint NOT NULL, num_jobs_running bigint NOT NULL);
         CREATE TABLE webhook_subscriptions (id bigint PRIMARY KEY, endpoint text NOT NULL);
         CREATE TABLE webhook_data (id bigint PRIMARY KEY, body jsonb NOT NULL);
         CREATE TABLE run (id bigint PRIMARY KEY, processing_owner_token text, domain_verification_token text);",
        &[],
        &[
            ("queue-without-claim-index", "worker_queue"),
            ("queue-without-retry", "worker_queue"),
            ("event-without-key", "webhook_data"),
            ("plaintext-secret", "run."),
        ],
    );
    assert!(none.errors.is_empty(), "{:?}", none.errors);
    expect(
        "CREATE TABLE webhook_data (id bigint PRIMARY KEY, body jsonb NOT NULL);
         CREATE TABLE work_queue (id bigint PRIMARY KEY, payload jsonb NOT NULL, completed_at timestamptz);",
        &[("event-without-key", "webhook_data"), ("queue-without-retry", "work_queue")],
        &[],
    );
}

#[test]
fn a_table_that_is_not_there_is_an_error() {
    let report = audit("CREATE TABLE harbour (id bigint PRIMARY KEY);");
    let filter = |tables: &[&str], schemas: &[&str]| Filter {
        tables: tables.iter().map(|it| (*it).to_owned()).collect(),
        schemas: schemas.iter().map(|it| (*it).to_owned()).collect(),
        ..Filter::default()
    };
    assert!(filter(&["harbour", "public.harbour"], &["public"]).unknown(&report.judged).is_empty());
    let errors = filter(&["harbuor"], &["pubic"]).unknown(&report.judged);
    assert_eq!(errors.len(), 2);
    assert!(errors[0].contains("did you mean harbour?") && errors[1].contains("did you mean public?"), "{errors:?}");
}

#[test]
fn a_count_of_what_is_done_is_no_state() {
    let rules = ["queue-without-claim-index", "queue-without-retry"];
    expect(
        "CREATE TABLE oven_queue (oven text NOT NULL, baker text NOT NULL, jobs_completed bigint NOT NULL DEFAULT 0, num_finished int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL, PRIMARY KEY (oven, baker));",
        &[],
        &rules.map(|rule| (rule, "oven_queue")),
    );
    expect(
        "CREATE TABLE bread_queue (id bigint PRIMARY KEY, body jsonb NOT NULL, completed smallint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL);",
        &rules.map(|rule| (rule, "bread_queue")),
        &[],
    );
}

fn steps_of(report: &Report, rule: &str) -> Vec<String> {
    let own = report.findings.iter().filter(|finding| finding.rule.name == rule);
    own.flat_map(|finding| &finding.advice.steps).map(|step| step.sql.clone()).collect()
}

#[test]
fn a_sequence_is_behind_where_its_next_numbers_are_taken() {
    // A number for what is unknown is in nobody's way, and neither is the key that it makes look used up.
    let sentinel = expect(
        "CREATE TABLE depot (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL);
         CREATE TABLE lane (id integer PRIMARY KEY, name text NOT NULL);
         CREATE TABLE dock (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL);
         -- measured: table public.depot rows=9000 bytes=900000
         -- measured: column public.depot.id distinct=-1 bounds=1,3000,6000,9000,2147483647
         -- measured: sequence public.depot_id_seq last=9000
         -- measured: table public.lane rows=9000 bytes=900000
         -- measured: column public.lane.id distinct=-1 bounds=1,3000,6000,9000,2147483647
         -- measured: table public.dock rows=9000 bytes=900000
         -- measured: column public.dock.id distinct=-1 bounds=1,3000,6000,9000,2147483647
         -- measured: sequence public.dock_id_seq last=40",
        &[("sequence-behind-rows", "dock.id")],
        &[("sequence-behind-rows", "depot.id"), ("key-runs-out", "lane.id"), ("key-runs-out", "dock.id")],
    );
    let step = steps_of(&sentinel, "sequence-behind-rows").concat();
    assert!(step.contains("following - id >") && !step.contains("SELECT max("), "it would end at the sentinel: {step}");
    // A sequence that no column owns numbers the columns whose default it is, and all of them count.
    let shared = expect(
        "CREATE SEQUENCE number_of_anything;
         CREATE TABLE docket (id bigint PRIMARY KEY DEFAULT nextval('number_of_anything'), v text NOT NULL);
         CREATE TABLE chit (id integer PRIMARY KEY DEFAULT nextval('number_of_anything'), v text NOT NULL);
         -- measured: table public.docket rows=9000 bytes=900000
         -- measured: column public.docket.id distinct=-1 bounds=1,4500,9000
         -- measured: table public.chit rows=9000 bytes=900000
         -- measured: column public.chit.id distinct=-1 bounds=1800000000,1800004500,1800009000
         -- measured: sequence public.number_of_anything last=30",
        &[("sequence-behind-rows", "docket.id")],
        &[("key-runs-out", "chit.id")],
    );
    let step = steps_of(&shared, "sequence-behind-rows").concat();
    assert!(step.contains("FROM public.docket") && step.contains("FROM public.chit"), "{step}");
}

#[test]
fn constraints_that_do_something_else_are_not_the_same() {
    let report = expect(
        "CREATE TABLE berth (id bigint PRIMARY KEY);
         CREATE TABLE call (id bigint PRIMARY KEY, berth_id bigint NOT NULL CONSTRAINT call_keeps REFERENCES berth ON DELETE RESTRICT CONSTRAINT call_goes REFERENCES berth ON DELETE CASCADE); CREATE INDEX ON call (berth_id);
         CREATE TABLE tug (id bigint PRIMARY KEY, berth_id bigint NOT NULL CONSTRAINT tug_now REFERENCES berth CONSTRAINT tug_later REFERENCES berth DEFERRABLE INITIALLY DEFERRED); CREATE INDEX ON tug (berth_id);
         CREATE TABLE pilot (id bigint PRIMARY KEY, berth_id bigint NOT NULL); CREATE INDEX ON pilot (berth_id);
         ALTER TABLE pilot ADD CONSTRAINT pilot_unchecked FOREIGN KEY (berth_id) REFERENCES berth NOT VALID; ALTER TABLE pilot ADD CONSTRAINT pilot_checked FOREIGN KEY (berth_id) REFERENCES berth;
         CREATE TABLE crate (id bigint PRIMARY KEY, kg int NOT NULL, CONSTRAINT crate_alone CHECK (kg > 0) NO INHERIT, CONSTRAINT crate_all CHECK (kg > 0));
         CREATE TABLE pair (a bigint, b bigint, PRIMARY KEY (a, b)); CREATE TABLE of_pair (id bigint PRIMARY KEY, a bigint NOT NULL, b bigint NOT NULL, CONSTRAINT ab FOREIGN KEY (a, b) REFERENCES pair (a, b), CONSTRAINT ba FOREIGN KEY (b, a) REFERENCES pair (b, a)); CREATE INDEX ON of_pair (a, b);",
        &[
            ("duplicate-constraint", "pilot_unchecked of"),
            ("duplicate-constraint", "crate_alone of"),
            ("duplicate-constraint", "ba of"),
        ],
        &[
            ("duplicate-constraint", "public.call"),
            ("duplicate-constraint", "public.tug"),
            ("duplicate-constraint", "pilot_checked of"),
            ("duplicate-constraint", "crate_all of"),
        ],
    );
    assert_eq!(steps_of(&report, "duplicate-constraint").len(), 3);
    expect(
        "CREATE TABLE slip (id bigint PRIMARY KEY, no text NOT NULL, CONSTRAINT slip_late UNIQUE (no) DEFERRABLE INITIALLY DEFERRED); CREATE UNIQUE INDEX slip_now ON slip (no);",
        &[],
        &[("duplicate-index", "slip_now")],
    );
}

#[test]
fn a_list_of_values_is_counted_before_it_is_closed() {
    let report = expect(
        "CREATE TABLE haul (id bigint PRIMARY KEY, mode text NOT NULL, currency text NOT NULL, flag_state text NOT NULL, locale text NOT NULL, form text NOT NULL, home_port text NOT NULL);
         -- measured: table public.haul rows=900000 bytes=90000000
         -- measured: column public.haul.mode distinct=3 width=5 common=0.4,0.3,0.3 values=sea,air,road
         -- measured: column public.haul.currency distinct=2 width=4 common=0.6,0.4 values=GBP,EUR
         -- measured: column public.haul.flag_state distinct=2 width=4 common=0.6,0.4 values=GB,DE
         -- measured: column public.haul.locale distinct=2 width=6 common=0.6,0.4 values=en-GB,de-DE
         -- measured: column public.haul.form distinct=2 width=10 common=0.6,0.4 values=image/png,image/jpeg
         -- measured: column public.haul.home_port distinct=2 width=8 common=0.6,0.4 values=Hull,Dover",
        &[("enum-in-text", "haul.mode")],
        &[
            ("enum-in-text", "haul.currency"),
            ("enum-in-text", "haul.flag_state"),
            ("enum-in-text", "haul.locale"),
            ("enum-in-text", "haul.form"),
            ("enum-in-text", "haul.home_port"),
        ],
    );
    let own = steps_of(&report, "enum-in-text");
    assert!(own[0].starts_with("SELECT mode, count(*)") && own[0].contains("NOT IN ('sea', 'air', 'road')"), "{own:?}");
    let evidence: Vec<&str> = report.findings.iter().flat_map(|it| &it.evidence).map(|it| it.text.as_str()).collect();
    assert!(evidence.iter().any(|it| it.contains("fewer than 1 of 10,000 rows")), "a sample has a bound: {evidence:?}");
}

#[test]
fn steps_are_such_that_the_server_takes_them() {
    let report = audit(
        "CREATE TABLE pass (no bigint NOT NULL, truck text NOT NULL); CREATE UNIQUE INDEX pass_no ON pass (no DESC);
         CREATE TABLE badge (no text NOT NULL, truck text NOT NULL); CREATE UNIQUE INDEX badge_no ON badge (no text_pattern_ops);
         CREATE TABLE token_of_gate (no text, truck text NOT NULL); CREATE UNIQUE INDEX gate_no ON token_of_gate (truck);",
    );
    let own = steps_of(&report, "missing-primary-key");
    assert!(own.iter().any(|step| step.contains("PRIMARY KEY USING INDEX gate_no")), "{own:?}");
    assert!(
        !own.iter().any(|step| step.contains("USING INDEX pass_no") || step.contains("USING INDEX badge_no")),
        "{own:?}"
    );
    let inbox = audit(
        "CREATE TABLE webhook_inbox (id bigint NOT NULL, provider text NOT NULL, event_id text NOT NULL, body text NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE webhook_inbox_1 PARTITION OF webhook_inbox FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');",
    );
    let own = steps_of(&inbox, "event-without-key");
    assert!(!own.is_empty() && !own.iter().any(|step| step.contains("INDEX")), "no key of the partitions: {own:?}");
    let till = audit(
        "CREATE UNLOGGED TABLE region (id bigint PRIMARY KEY); CREATE UNLOGGED TABLE till (id bigint PRIMARY KEY, region_id bigint REFERENCES region);
         CREATE UNLOGGED TABLE till_payment (id bigint PRIMARY KEY, till_id bigint NOT NULL REFERENCES till, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);",
    );
    let own = steps_of(&till, "unlogged-money");
    let tables: Vec<&str> = own.iter().filter_map(|step| step.split(' ').nth(2)).collect();
    assert_eq!(tables, ["public.region", "public.till", "public.till_payment"]);
    let long = audit(
        "CREATE TABLE a_table_with_a_name_that_is_about_as_long_as_names_get_to_be (id bigint PRIMARY KEY, the_column_with_a_very_long_name_one_state text NOT NULL, the_column_with_a_very_long_name_two_state text NOT NULL);
         -- measured: table public.a_table_with_a_name_that_is_about_as_long_as_names_get_to_be rows=90000 bytes=9000000
         -- measured: column public.a_table_with_a_name_that_is_about_as_long_as_names_get_to_be.the_column_with_a_very_long_name_one_state distinct=2 width=5 common=0.6,0.4 values=open,shut
         -- measured: column public.a_table_with_a_name_that_is_about_as_long_as_names_get_to_be.the_column_with_a_very_long_name_two_state distinct=2 width=5 common=0.6,0.4 values=open,shut",
    );
    let added: Vec<String> = steps_of(&long, "enum-in-text")
        .iter()
        .filter_map(|step| Some(step.split_once("ADD CONSTRAINT ")?.1.split(' ').next()?.to_owned()))
        .collect();
    assert!(added.len() == 2 && added[0] != added[1], "{added:?}");
}

#[test]
fn a_key_that_is_made_anew_keeps_what_it_was() {
    let report = audit(
        "CREATE TABLE client (id bigint PRIMARY KEY);
         CREATE TABLE client_payment (id bigint PRIMARY KEY, client_id bigint NOT NULL REFERENCES client ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);
         CREATE INDEX ON client_payment (client_id);",
    );
    let own = steps_of(&report, "cascade-onto-money");
    assert!(
        own[0].contains("ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID") && !own[0].contains("ON DELETE"),
        "{own:?}"
    );
}

#[test]
fn money_is_known_by_the_currency_beside_it() {
    expect(
        "CREATE TABLE member (id bigint PRIMARY KEY);
         CREATE UNLOGGED TABLE cash_book (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);
         CREATE TABLE dues (id bigint PRIMARY KEY, member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE, owed numeric(12,2) NOT NULL, currency text NOT NULL); CREATE INDEX ON dues (member_id);
         CREATE TABLE visit_order (id bigint PRIMARY KEY, member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE); CREATE INDEX ON visit_order (member_id);
         CREATE TABLE slip (id bigint PRIMARY KEY, visit_order_id bigint NOT NULL REFERENCES visit_order ON DELETE CASCADE, total_paid numeric(12,2) NOT NULL CHECK (total_paid > 0), currency text NOT NULL); CREATE INDEX ON slip (visit_order_id);
         CREATE TABLE sack (id bigint PRIMARY KEY, price_per_kg double precision NOT NULL, value real NOT NULL, lat double precision NOT NULL, currency text NOT NULL);
         CREATE UNLOGGED TABLE shelf_price (id bigint PRIMARY KEY, price numeric(12,2) NOT NULL, currency text NOT NULL);
         CREATE TABLE ware (id bigint PRIMARY KEY, member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE, list_price numeric(12,2) NOT NULL, weight numeric(8,2) NOT NULL, currency text NOT NULL); CREATE INDEX ON ware (member_id);",
        &[
            ("unlogged-money", "cash_book"),
            ("cascade-onto-money", "dues"),
            ("unguarded-amount", "owed"),
            ("cascade-onto-money", "public.slip by way of public.visit_order"),
            ("money-in-float", "price_per_kg"),
            ("money-in-float", "value"),
        ],
        &[
            ("money-in-float", "lat"),
            ("unlogged-money", "shelf_price"),
            ("cascade-onto-money", "public.ware"),
            ("unguarded-amount", "weight"),
        ],
    );
}

#[test]
fn secrets_are_known_by_their_values() {
    expect(
        "CREATE TABLE peer (id bigint PRIMARY KEY, handshake text NOT NULL, paid_with text NOT NULL, imei text NOT NULL, trace text NOT NULL, pwd text NOT NULL, hmac_key text NOT NULL, body_hmac text NOT NULL);
         -- measured: table public.peer rows=9000 bytes=900000
         -- measured: column public.peer.handshake distinct=-1 width=40 bounds=sk_live_9f86d081884c7d659a2feaa0,sk_live_af86d081884c7d659a2feaa1,sk_live_bf86d081884c7d659a2feaa2
         -- measured: column public.peer.paid_with distinct=3 width=17 common=0.4,0.3,0.3 values=4111111111111111,5500005555555559,4242424242424242
         -- measured: column public.peer.imei distinct=3 width=16 common=0.4,0.3,0.3 values=356938035643809,490154203237518,352099001761481
         -- measured: column public.peer.trace distinct=-1 width=33 bounds=9f86d081884c7d659a2feaa0c55ad015,af86d081884c7d659a2feaa0c55ad015,bf86d081884c7d659a2feaa0c55ad015
         -- measured: column public.peer.pwd distinct=-1 width=33 bounds=9f86d081884c7d659a2feaa0c55ad015,af86d081884c7d659a2feaa0c55ad015,bf86d081884c7d659a2feaa0c55ad015",
        &[
            ("plaintext-secret", "peer.handshake holds a secret"),
            ("plaintext-secret", "peer.paid_with holds the whole number"),
            ("plaintext-secret", "peer.pwd keeps passwords as a hash"),
            ("plaintext-secret", "peer.hmac_key"),
        ],
        &[
            ("plaintext-secret", "peer.imei"),
            ("plaintext-secret", "peer.trace"),
            ("plaintext-secret", "peer.body_hmac"),
            ("enum-in-text", "peer.paid_with"),
        ],
    );
}

#[test]
fn what_is_not_enforced_checks_nothing() {
    let report = expect(
        "CREATE TABLE deal (id bigint PRIMARY KEY, qty int NOT NULL, CONSTRAINT deal_some CHECK (qty > 0) NOT ENFORCED, CONSTRAINT deal_few CHECK (qty < 99));",
        &[("unvalidated-constraint", "deal_some of")],
        &[("unvalidated-constraint", "deal_few of")],
    );
    assert!(steps_of(&report, "unvalidated-constraint").iter().any(|step| step.contains("DROP CONSTRAINT deal_some")));
}

#[test]
fn parts_of_a_protected_table_have_no_policies_of_their_own() {
    let report = expect(
        "CREATE ROLE clerk; CREATE TABLE diary (id bigint, firm bigint NOT NULL, PRIMARY KEY (id, firm)) PARTITION BY LIST (firm);
         CREATE TABLE diary_1 PARTITION OF diary FOR VALUES IN (1); CREATE TABLE diary_2 PARTITION OF diary FOR VALUES IN (2);
         ALTER TABLE diary ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON diary USING (firm = (SELECT current_setting('app.firm')::bigint));
         GRANT SELECT ON diary, diary_2 TO clerk;",
        &[("missing-row-security", "public.diary_2 may be read without the policies of public.diary")],
        &[("missing-row-security", "diary_1")],
    );
    assert_eq!(steps_of(&report, "missing-row-security"), ["REVOKE ALL ON public.diary_2 FROM clerk;"]);
}

#[test]
fn half_of_a_reference_a_key_in_a_payload_and_a_copy_without_a_key() {
    expect(
        "CREATE TABLE sticker (id bigint PRIMARY KEY, thing_kind text NOT NULL, thing_ref bigint NOT NULL, plate text NOT NULL); CREATE INDEX ON sticker (thing_kind, thing_ref);
         CREATE TABLE bank_callback (id bigint PRIMARY KEY, body jsonb NOT NULL); CREATE UNIQUE INDEX ON bank_callback ((body ->> 'id'));
         CREATE TABLE mail_callback (id bigint PRIMARY KEY, body jsonb NOT NULL);
         CREATE TABLE wine (id bigint PRIMARY KEY, name text NOT NULL, year int NOT NULL);
         CREATE TABLE wine_before_merge (id bigint, name text, year int); CREATE TABLE wine_staging (id bigint, name text, year int);
         CREATE TABLE tag (id bigint PRIMARY KEY, ean text NOT NULL, CONSTRAINT tag_one UNIQUE (ean), CONSTRAINT tag_late UNIQUE (ean) DEFERRABLE, CONSTRAINT tag_two UNIQUE (ean));
         -- measured: table public.sticker rows=9000 bytes=900000
         -- measured: column public.sticker.thing_ref distinct=-1 width=8
         -- measured: column public.sticker.plate distinct=-1 width=8",
        &[
            ("unique-in-fact", "sticker.plate"),
            ("event-without-key", "mail_callback"),
            ("left-over-copy", "wine_before_merge"),
            ("duplicate-index", "constraint tag_two"),
        ],
        &[
            ("unique-in-fact", "sticker.thing_ref"),
            ("event-without-key", "bank_callback"),
            ("left-over-copy", "wine_staging"),
            ("duplicate-index", "tag_late"),
        ],
    );
}

#[test]
fn what_is_booked_gives_the_table_its_name() {
    expect(
        "CREATE EXTENSION btree_gist; CREATE TABLE press (id bigint PRIMARY KEY);
         CREATE TABLE press_booking (id bigint PRIMARY KEY, press_id bigint NOT NULL REFERENCES press, starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL CHECK (ends_at >= starts_at)); CREATE INDEX ON press_booking (press_id);
         CREATE TABLE van_hire (id bigint PRIMARY KEY, van int NOT NULL, held tstzrange NOT NULL);
         CREATE TABLE tasting_slot (id bigint PRIMARY KEY, tasting_room int NOT NULL, slot_at timestamptz NOT NULL);
         CREATE TABLE tractor_hire (id bigint PRIMARY KEY, tractor int NOT NULL, held tstzrange NOT NULL, EXCLUDE USING gist (tractor WITH =, held WITH &&));
         CREATE TABLE court_slot (id bigint PRIMARY KEY, court int NOT NULL, slot_at timestamptz NOT NULL, UNIQUE (court, slot_at));
         CREATE TABLE role_assignment (id bigint PRIMARY KEY, role_id bigint NOT NULL REFERENCES press, starts_on date NOT NULL, ends_on date NOT NULL CHECK (ends_on >= starts_on)); CREATE INDEX ON role_assignment (role_id);",
        &[
            ("missing-bounds", "two rows of public.press_booking"),
            ("missing-bounds", "two rows of public.van_hire"),
            ("missing-bounds", "two rows of public.tasting_slot"),
        ],
        &[
            ("missing-bounds", "two rows of public.tractor_hire"),
            ("missing-bounds", "two rows of public.court_slot"),
            ("missing-bounds", "two rows of public.role_assignment"),
        ],
    );
}

#[test]
fn a_queue_is_known_by_how_its_rows_are_taken() {
    expect(
        "CREATE TABLE dunning_run (id bigint PRIMARY KEY, body text NOT NULL, state text NOT NULL, queued timestamptz NOT NULL);
         CREATE TABLE letter_run (id bigint PRIMARY KEY, body text NOT NULL, state text NOT NULL, queued timestamptz NOT NULL);
         CREATE TABLE seat (id bigint PRIMARY KEY, hall bigint NOT NULL, taken boolean NOT NULL); CREATE INDEX ON seat (hall, taken);
         -- measured: query calls=5000 mean=3: SELECT * FROM dunning_run WHERE state = $1 ORDER BY queued LIMIT $2 FOR UPDATE SKIP LOCKED
         -- measured: query calls=5000 mean=3: SELECT * FROM seat WHERE hall = $1 LIMIT $2 FOR UPDATE SKIP LOCKED",
        &[("queue-without-claim-index", "dunning_run"), ("queue-without-retry", "dunning_run")],
        &[
            ("queue-without-claim-index", "letter_run"),
            ("queue-without-retry", "seat"),
            ("queue-without-claim-index", "public.seat"),
        ],
    );
}

#[test]
fn an_index_on_an_expression_is_one_that_the_server_takes() {
    let report = audit(
        "CREATE TABLE patron (id bigint PRIMARY KEY, card text NOT NULL); CREATE INDEX ON patron (card);
         -- measured: table public.patron rows=90000 bytes=9000000
         -- measured: query calls=5000 mean=9: SELECT * FROM patron WHERE id::text = $1
         -- measured: query calls=5000 mean=9: SELECT * FROM patron WHERE lower(card) || lower(card) = $1",
    );
    let own: Vec<&str> = report
        .findings
        .iter()
        .filter(|it| it.rule.name == "index-defeated")
        .map(|it| it.advice.text.as_str())
        .collect();
    assert!(own.iter().any(|text| text.contains("id = $1::bigint")), "{own:?}");
    assert!(!steps_of(&report, "index-defeated").iter().any(|step| step.contains("::TEXT)")), "{}", steps(&report));
}
