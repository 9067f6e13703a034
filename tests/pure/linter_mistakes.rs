//! What other linters get wrong, class by class, and pgassay must not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pgassay::catalog::LockMode;
use pgassay::check::{Job, check};
use pgassay::collect::{CollectOptions, collect};
use pgassay::finding::{Finding, Severity, StepTransaction};
use pgassay::history::Completeness;
use pgassay::migration::Migration;
use pgassay::report::Report;
use pgassay::source::{SourceFile, Sources};

use crate::repository::write_all;

const TIMEOUT: &str = "SET lock_timeout = '2s';\n";

/// What is said of migrations on the schema that `given` makes.
struct Judged {
    report: Report,
    sources: Sources,
}

fn judge(given: &str, migrations: &[&str]) -> Judged {
    let mut sources = Sources::default();
    let mut plain = |name: String, text: &str| {
        let file = sources.add(SourceFile::new(name.as_str(), text));
        Migration::plain(&name, file, text.len())
    };
    let base = vec![plain("given.sql".to_owned(), given)];
    let migrations = migrations.iter().enumerate().map(|(number, text)| plain(format!("{number}.sql"), text)).collect();
    let job = Job { base, migrations, completeness: Completeness::Complete, ..Job::default() };
    Judged { report: check(&job, &sources), sources }
}

/// One migration that limits its waits.
fn one(given: &str, migration: &str) -> Judged {
    judge(given, &[&format!("{TIMEOUT}{migration}")])
}

impl Judged {
    fn of(&self, rule: &str) -> Vec<&Finding> {
        self.report.findings.iter().filter(|finding| finding.rule.name == rule).collect()
    }

    fn fires(&self, rule: &str) -> bool {
        !self.of(rule).is_empty()
    }

    fn objects(&self, rule: &str) -> Vec<&str> {
        self.of(rule).iter().filter_map(|finding| finding.object.as_deref()).collect()
    }

    /// Findings that are more than an info.
    fn serious(&self) -> Vec<String> {
        let all = self.report.findings.iter().filter(|finding| finding.severity > Severity::Info);
        all.map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
    }

    /// The lock of the last statement on a relation.
    fn lock(&self, relation: &str) -> Option<LockMode> {
        self.report.statements.last()?.effect.lock(relation)
    }

    /// Where a finding stands, as its text.
    fn text(&self, finding: &Finding) -> &str {
        self.sources.slice(finding.span)
    }

    fn advice(&self) -> String {
        let steps =
            |finding: &Finding| finding.advice.steps.iter().map(|step| step.sql.clone()).collect::<Vec<_>>().join("\n");
        self.report.findings.iter().map(steps).collect::<Vec<_>>().join("\n")
    }
}

const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note varchar(40), total numeric(10,2));";

// No memory across files and statements.

#[test]
fn memory_a_table_made_above_blocks_nobody() {
    let made = "CREATE TABLE t (id bigint PRIMARY KEY, note text);\nCREATE INDEX t_note ON t (note);\nALTER TABLE t ALTER COLUMN note SET NOT NULL;";
    assert_eq!(one("", made).serious(), Vec::<String>::new());
    assert!(
        judge("", &["CREATE TABLE t (id bigint PRIMARY KEY);", "CREATE INDEX t_id ON t (id);"])
            .fires("blocking-index-build")
    );
}

#[test]
fn memory_an_earlier_validated_check_proves_not_null() {
    let check = format!("{TIMEOUT}ALTER TABLE orders ADD CONSTRAINT has_note CHECK (note IS NOT NULL) NOT VALID;");
    let validate = "ALTER TABLE orders VALIDATE CONSTRAINT has_note;";
    let require = format!("{TIMEOUT}ALTER TABLE orders ALTER COLUMN note SET NOT NULL;");
    assert!(!judge(ORDERS, &[&check, validate, &require]).fires("blocking-scan"));
    assert!(judge(ORDERS, &[&check, &require]).fires("blocking-scan"), "not validated, so it proves nothing");
}

#[test]
fn memory_validating_another_constraint_proves_nothing() {
    let given = format!("{ORDERS} ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;");
    let later = "ALTER TABLE orders VALIDATE CONSTRAINT positive;\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;";
    assert!(one(&given, later).fires("blocking-scan"));
}

// Identity by the last segment of a name.

#[test]
fn identity_schemas_are_told_apart() {
    let judged = one(
        "CREATE SCHEMA s; CREATE TABLE public.t (id bigint PRIMARY KEY);",
        "CREATE TABLE s.t (id bigint PRIMARY KEY);\nCREATE INDEX ON s.t (id);\nCREATE INDEX ON public.t (id);",
    );
    assert_eq!(judged.objects("blocking-index-build"), ["public.t"]);
}

#[test]
fn identity_quoted_names_keep_their_case() {
    let judged = one(
        "CREATE TABLE \"Orders\" (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY);",
        "CREATE INDEX ON \"Orders\" (id);",
    );
    assert_eq!(judged.objects("blocking-index-build"), ["public.\"Orders\""]);
    assert!(
        one("CREATE TABLE \"Orders\" (id bigint PRIMARY KEY);", "ALTER TABLE orders ADD COLUMN a int;")
            .fires("missing-object")
    );
}

#[test]
fn identity_a_renamed_table_is_still_the_same() {
    let made = "CREATE TABLE t (id bigint PRIMARY KEY);\nALTER TABLE t RENAME TO u;\nCREATE INDEX ON u (id);";
    assert!(!one("", made).fires("blocking-index-build"));
    let old = "ALTER TABLE orders RENAME TO bills;\nCREATE INDEX ON bills (note);";
    assert_eq!(one(ORDERS, old).objects("blocking-index-build"), ["public.bills"]);
}

// Type changes judged by the target's name, defaults by a list of functions.

#[test]
fn types_are_judged_by_old_and_new() {
    let rewrites =
        |new: &str| one(ORDERS, &format!("ALTER TABLE orders ALTER COLUMN {new};")).fires("blocking-rewrite");
    for free in ["note TYPE varchar(80)", "note TYPE text", "total TYPE numeric(12,2)", "total TYPE numeric"] {
        assert!(!rewrites(free), "{free}");
    }
    for dear in ["note TYPE varchar(20)", "total TYPE numeric(12,4)", "id TYPE int", "note TYPE char(40)"] {
        assert!(rewrites(dear), "{dear}");
    }
}

#[test]
fn defaults_are_judged_by_what_they_compute() {
    let rewrites = |given: &str, default: &str| {
        let add = format!("ALTER TABLE orders ADD COLUMN a text DEFAULT {default};");
        one(&format!("{ORDERS} {given}"), &add).fires("blocking-rewrite")
    };
    for constant in ["'a' || 'b'", "(1 + 2)::text", "now()", "upper('x')", "CURRENT_USER"] {
        assert!(!rewrites("", constant), "{constant}");
    }
    for volatile in ["random()::text", "clock_timestamp()", "gen_random_uuid()::text", "nextval('orders_seq')::text"] {
        assert!(rewrites("CREATE SEQUENCE orders_seq;", volatile), "{volatile}");
    }
    let own =
        "CREATE SCHEMA app; CREATE FUNCTION app.now() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT random()::text';";
    assert!(rewrites(own, "app.now()"), "a user's function of a harmless name");
    let own = own.replace("VOLATILE", "IMMUTABLE");
    assert!(!rewrites(&own, "app.now()"), "a user's function that says it is immutable");
}

// Rewrites, scans and locks that are not seen.

#[test]
fn unseen_rewrites_by_added_columns() {
    let given = format!("{ORDERS} CREATE DOMAIN positive AS int CHECK (VALUE > 0);");
    for column in
        ["a positive", "a int GENERATED ALWAYS AS IDENTITY", "a serial", "a int GENERATED ALWAYS AS (id + 1) STORED"]
    {
        assert!(one(&given, &format!("ALTER TABLE orders ADD COLUMN {column};")).fires("blocking-rewrite"), "{column}");
    }
}

#[test]
fn unseen_scan_by_a_check_on_an_added_column() {
    assert!(one(ORDERS, "ALTER TABLE orders ADD COLUMN a int DEFAULT 1 CHECK (a > 0);").fires("blocking-scan"));
}

#[test]
fn unseen_lock_on_the_other_table() {
    let parent = format!("{ORDERS} CREATE TABLE customers (id bigint PRIMARY KEY);");
    let key = one(&parent, "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;");
    assert_eq!(key.lock("public.customers"), Some(LockMode::ShareRowExclusive));
    let partitioned =
        "CREATE TABLE p (id bigint PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE rest PARTITION OF p DEFAULT;";
    let partition = one(partitioned, "CREATE TABLE one PARTITION OF p FOR VALUES IN (1);");
    assert_eq!(partition.lock("public.p"), Some(LockMode::AccessExclusive));
    assert_eq!(partition.lock("public.rest"), Some(LockMode::AccessExclusive));
    assert!(partition.fires("blocking-scan"), "the default partition is searched for rows that belong to the new one");
}

#[test]
fn unseen_statements() {
    let given = format!(
        "{ORDERS} CREATE MATERIALIZED VIEW sums AS SELECT sum(total) AS total FROM orders; \
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    );
    let rewriting = ["ALTER TABLE orders SET UNLOGGED;", "VACUUM FULL orders;", "CLUSTER orders USING orders_pkey;"];
    for statement in rewriting {
        let judged = one(&given, statement);
        assert!(judged.fires("blocking-rewrite"), "{statement}");
        assert_eq!(judged.lock("public.orders"), Some(LockMode::AccessExclusive), "{statement}");
    }
    let refresh = one(&given, "REFRESH MATERIALIZED VIEW sums;");
    assert_eq!(refresh.lock("public.sums"), Some(LockMode::AccessExclusive));
    let trigger = one(&given, "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();");
    assert_eq!(trigger.lock("public.orders"), Some(LockMode::ShareRowExclusive));
    let policy = one(&given, "CREATE POLICY p ON orders USING (true);");
    assert_eq!(policy.lock("public.orders"), Some(LockMode::AccessExclusive));
}

// DO blocks, psql, and one syntax error.

#[test]
fn do_blocks_and_execute_are_read() {
    let block = "DO $$ BEGIN IF 1 = 1 THEN ALTER TABLE orders ALTER COLUMN note SET NOT NULL; END IF; END $$;";
    assert!(one(ORDERS, block).fires("blocking-scan"));
    let execute = "DO $$ BEGIN EXECUTE 'DROP TABLE orders'; END $$;";
    let judged = one(ORDERS, execute);
    assert_eq!(judged.objects("dropped-data"), ["public.orders"]);
    assert_eq!(judged.text(judged.of("dropped-data")[0]), "orders");
}

#[test]
fn one_syntax_error_hides_one_statement() {
    let judged = one(ORDERS, "ALTER TABLE orders ADD COLUMN;\nDROP TABLE orders;");
    assert!(judged.fires("unreadable-statement") && judged.fires("dropped-data"));
}

// Frameworks.

/// Judges the files as the tool that they belong to runs them.
fn with_tool(files: &[(&str, &str)]) -> Judged {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_all(folder.path(), files);
    let mut sources = Sources::default();
    let collected = collect(&[PathBuf::from(folder.path())], &CollectOptions::default(), &mut sources);
    assert!(collected.errors.is_empty(), "{:?}", collected.errors);
    let job = Job { migrations: collected.migrations, ..Job::default() };
    Judged { report: check(&job, &sources), sources }
}

const UP: &str = "-- migrate:up\nCREATE TABLE t (id bigint PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE t;\n";

#[test]
fn framework_the_down_half_does_not_run() {
    let judged = with_tool(&[("db/migrations/20240101000000_t.sql", UP)]);
    assert!(!judged.fires("dropped-data"));
    assert_eq!(judged.report.statements.len(), 1);
}

#[test]
fn framework_a_transaction_of_the_tool_refuses_concurrently_unless_it_is_switched_off() {
    let index = "-- migrate:up\nCREATE INDEX CONCURRENTLY t_id ON t (id);\n\n-- migrate:down\nDROP INDEX t_id;\n";
    let first = ("db/migrations/20240101000000_t.sql", UP);
    let wrapped = with_tool(&[first, ("db/migrations/20240102000000_i.sql", index)]);
    assert!(wrapped.fires("transaction-forbidden"));
    let off = index.replace("migrate:up", "migrate:up transaction:false");
    let bare = with_tool(&[first, ("db/migrations/20240102000000_i.sql", &off)]);
    assert!(!bare.fires("transaction-forbidden"));
}

// Advice that fails.

#[test]
fn advice_is_nothing_that_the_server_refuses() {
    let unique = one(ORDERS, "ALTER TABLE orders ADD CONSTRAINT note_key UNIQUE (note);");
    assert!(!unique.advice().contains("NOT VALID"), "{}", unique.advice());
    assert!(unique.advice().contains("UNIQUE USING INDEX"), "{}", unique.advice());
    let exclude = one(ORDERS, "ALTER TABLE orders ADD CONSTRAINT one_note EXCLUDE USING btree (note WITH =);");
    assert!(
        !exclude.advice().contains("NOT VALID") && !exclude.advice().contains("CONCURRENTLY"),
        "{}",
        exclude.advice()
    );
    let partitioned = "CREATE TABLE p (id bigint PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);";
    let index = one(partitioned, "CREATE INDEX p_id ON p (id);");
    assert!(index.fires("blocking-index-build"));
    for line in index.advice().lines().filter(|line| line.contains("CONCURRENTLY")) {
        assert!(!line.contains("ON p ") && !line.contains("ON public.p "), "{line}");
    }
    for judged in [unique, exclude, index] {
        assert!(!judged.advice().contains("IF NOT EXISTS"), "{}", judged.advice());
        assert!(!judged.advice().contains("SET statement_timeout = '"), "{}", judged.advice());
    }
}

#[test]
fn advice_a_concurrent_build_needs_no_limit_and_no_transaction() {
    let judged = one(ORDERS, "CREATE INDEX note_idx ON orders (note);");
    let steps = &judged.of("blocking-index-build")[0].advice.steps;
    let build = steps.iter().find(|step| step.sql.contains("CONCURRENTLY")).expect("a concurrent build");
    assert_eq!(build.transaction, StepTransaction::None);
    assert!(one(ORDERS, "CREATE INDEX CONCURRENTLY note_idx ON orders (note);").fires("cancelled-concurrent-build"));
    let off = "SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY note_idx ON orders (note);";
    assert!(!one(ORDERS, off).fires("cancelled-concurrent-build"));
}

#[test]
fn advice_keeps_quotes_schemas_and_literals() {
    let given = "CREATE SCHEMA \"Shop\"; CREATE TABLE \"Shop\".\"Order Items\" (id bigint PRIMARY KEY, \"Note\" text);";
    let index = "CREATE INDEX \"Note idx\" ON \"Shop\".\"Order Items\" (\"Note\") WHERE \"Note\" <> 'CREATE INDEX x';";
    let advice = one(given, index).advice();
    assert!(advice.contains("\"Shop\".\"Order Items\" (\"Note\") WHERE \"Note\" <> 'CREATE INDEX x'"), "{advice}");
    let column = one(given, "ALTER TABLE \"Shop\".\"Order Items\" ALTER COLUMN \"Note\" SET NOT NULL;").advice();
    assert!(column.contains("ALTER TABLE \"Shop\".\"Order Items\" ALTER COLUMN \"Note\" SET NOT NULL"), "{column}");
}

// Places.

#[test]
fn places_count_lines_from_one_and_characters() {
    let judged =
        judge("CREATE TABLE t (id bigint PRIMARY KEY);", &["/* é🐘 */ ALTER TABLE t ADD COLUMN \"é🐘\" timestamp;"]);
    let finding = judged.of("discouraged-types")[0];
    assert_eq!(judged.text(finding), "timestamp");
    let (start, end) = judged.sources.positions(finding.span);
    assert_eq!((start.line, start.column, end.line, end.column), (1, 40, 1, 49));
}

#[test]
fn places_an_allow_comment_covers_its_statement_only() {
    let comment = "-- pgassay: allow(dropped-data) archived\nDROP TABLE a;\nDROP TABLE b;";
    let judged = one("CREATE TABLE a (id int); CREATE TABLE b (id int);", comment);
    assert_eq!(judged.objects("dropped-data"), ["public.b"]);
    let useless = one("CREATE TABLE a (id int);", "DROP TABLE a;\n-- pgassay: allow(dropped-data) behind all of them");
    assert!(useless.fires("dropped-data") && useless.fires("unused-suppression"));
}

// Noise.

#[test]
fn noise_a_history_that_only_makes_things_is_quiet() {
    let first = "BEGIN; CREATE TABLE a (id bigint PRIMARY KEY, note text); CREATE INDEX ON a (note); COMMENT ON TABLE a IS 'a'; COMMIT;";
    let second =
        "BEGIN; CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint); CREATE VIEW v AS SELECT * FROM b; COMMIT;";
    assert_eq!(judge("", &[first, second]).report.findings, Vec::new());
}

#[test]
fn noise_what_ran_already_is_a_base_and_not_judged() {
    let old = "CREATE TABLE a (id bigint PRIMARY KEY, at timestamp); DROP TABLE a; CREATE TABLE b (id bigint PRIMARY KEY, n int NOT NULL);";
    let judged = judge(old, &["CREATE INDEX CONCURRENTLY b_n ON b (n);"]);
    assert_eq!(judged.report.findings, Vec::new());
}

#[test]
fn noise_a_missing_timeout_and_a_rename_are_one_finding_each() {
    let judged = judge(
        ORDERS,
        &[
            "ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ADD COLUMN b int;\nALTER TABLE orders RENAME TO bills;",
        ],
    );
    assert_eq!(judged.of("missing-lock-timeout").len(), 1);
    let breaking =
        judged.report.findings.iter().filter(|finding| finding.category == pgassay::finding::Category::Breaking);
    assert_eq!(breaking.count(), 1);
}

// Inline constraints.

#[test]
fn inline_constraints_are_judged_as_the_table_form() {
    let given = format!("{ORDERS} CREATE TABLE customers (id bigint PRIMARY KEY);");
    let pairs = [
        ("UNIQUE", "ADD UNIQUE (a)"),
        ("CHECK (a > 0)", "ADD CHECK (a > 0)"),
        ("REFERENCES customers", "ADD FOREIGN KEY (a) REFERENCES customers"),
    ];
    for (inline, table) in pairs {
        let inline = one(&given, &format!("ALTER TABLE orders ADD COLUMN a bigint DEFAULT 1 {inline};"));
        let apart = one(&given, &format!("ALTER TABLE orders ADD COLUMN a bigint DEFAULT 1, {table};"));
        let rules =
            |judged: &Judged| -> Vec<&str> { judged.report.findings.iter().map(|finding| finding.rule.name).collect() };
        let sorted = |mut rules: Vec<&'static str>| {
            rules.sort_unstable();
            rules
        };
        let of = |judged: &Judged| sorted(judged.report.findings.iter().map(|finding| finding.rule.name).collect());
        assert_eq!(of(&inline), of(&apart), "{table}: {:?}", rules(&inline));
        assert!(
            inline.report.findings.iter().any(|finding| finding.severity == Severity::Error),
            "{table} is not told"
        );
    }
}

// Only the first object or action.

#[test]
fn every_object_of_a_statement_is_told() {
    let given = "CREATE TABLE a (x int, y int, z int); CREATE TABLE b (x int); CREATE TABLE c (x int);";
    assert_eq!(one(given, "DROP TABLE a, b, c;").objects("dropped-data"), ["public.a", "public.b", "public.c"]);
    let types = "ALTER TABLE a ALTER COLUMN x TYPE text, ALTER COLUMN y TYPE text, ALTER COLUMN z TYPE text;";
    assert_eq!(one(given, types).objects("changed-type"), ["public.a.x", "public.a.y", "public.a.z"]);
    let columns = "ALTER TABLE a DROP COLUMN x, DROP COLUMN y;";
    assert_eq!(one(given, columns).objects("dropped-data"), ["public.a.x", "public.a.y"]);
}

// Facts found by searching text.

#[test]
fn searched_text_names_and_options_mean_what_they_are() {
    let named = one(ORDERS, "ALTER TABLE orders ADD CONSTRAINT \"primary key\" CHECK (total > 0) NOT VALID;");
    assert!(!named.fires("blocking-index-build") && !named.fires("refused-statement"));
    let vacuum = one(ORDERS, "VACUUM (FULL false) orders;");
    assert!(!vacuum.fires("blocking-rewrite"));
    assert_eq!(vacuum.lock("public.orders"), Some(LockMode::ShareUpdateExclusive));
    assert!(one(ORDERS, "DELETE FROM orders WHERE true;").fires("removed-rows"));
    let policy = "CREATE TABLE users (id int); CREATE TABLE users_archive (id int);";
    let policy =
        one(policy, "CREATE POLICY p ON users_archive USING (true);\nALTER TABLE users ENABLE ROW LEVEL SECURITY;");
    assert_eq!(policy.objects("row-security"), ["public.users"]);
}

#[test]
fn searched_text_a_comment_in_a_literal_allows_nothing() {
    let literal =
        "COMMENT ON TABLE orders IS '\n-- pgassay: allow-file(dropped-data) no comment\n';\nDROP TABLE orders;";
    let judged = one(ORDERS, literal);
    assert!(judged.fires("dropped-data") && !judged.fires("unused-suppression"));
}

// Files that end the run elsewhere.

#[test]
fn files_of_every_kind_are_read() {
    let new = "CREATE TABLE n (id bigint PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) VIRTUAL);\nMERGE INTO n USING n m ON n.id = m.id WHEN MATCHED THEN DELETE;";
    let texts = [
        ("1.sql", ORDERS),
        ("2.sql", "\u{feff}SELECT 1;"),
        ("3.sql", ""),
        ("4.sql", "\\set v 1\nSELECT :v, :'v', :\"v\";\n"),
        ("5.sql", "SELECT * FROM ${schema}.t;"),
        ("6.sql", new),
        ("7.sql", "DROP TABLE orders;"),
    ];
    let judged = with_tool(&texts);
    assert!(judged.fires("dropped-data"), "the last file is judged whatever the others are");
    let unread: Vec<_> = judged.of("unreadable-statement").iter().map(|finding| judged.text(finding)).collect();
    assert_eq!(unread, ["${schema}"], "a placeholder without a value is told at its place, and hides nothing else");
}

// Locks printed with confidence.

#[test]
fn locks_are_those_of_the_manual() {
    let given = format!(
        "{ORDERS} CREATE TABLE customers (id bigint PRIMARY KEY); \
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    );
    use LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
    let wanted = BTreeMap::from([
        ("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;", ShareRowExclusive),
        ("ALTER TABLE orders ALTER COLUMN note SET STATISTICS 100;", ShareUpdateExclusive),
        ("ALTER TABLE orders SET (fillfactor = 70);", ShareUpdateExclusive),
        ("CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();", ShareRowExclusive),
        ("ALTER TABLE orders ADD CHECK (total > 0);", AccessExclusive),
        ("ALTER TABLE orders ADD UNIQUE (note);", AccessExclusive),
        ("ALTER TABLE orders VALIDATE CONSTRAINT c;", ShareUpdateExclusive),
    ]);
    let given = format!("{given} ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID;");
    for (statement, mode) in wanted {
        assert_eq!(one(&given, statement).lock("public.orders"), Some(mode), "{statement}");
    }
}

#[test]
fn locks_that_stop_nobody_are_not_warned_about() {
    let harmless = [
        "COMMENT ON TABLE orders IS 'x';",
        "GRANT SELECT ON orders TO public;",
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "CREATE STATISTICS s ON id, note FROM orders;",
        "ANALYZE orders;",
    ];
    for statement in harmless {
        assert_eq!(judge(ORDERS, &[statement]).serious(), Vec::<String>::new(), "{statement}");
    }
}

// Scores that rank nothing.

#[test]
fn ranks_a_careful_migration_below_a_careless_one() {
    let careful = one(ORDERS, "ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false;");
    let careless = one(ORDERS, "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();");
    assert_eq!(careful.report.worst(), None);
    assert_eq!(careless.report.worst(), Some(Severity::Error));
}
