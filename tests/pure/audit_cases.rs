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
