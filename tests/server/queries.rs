//! `queries`, `plan` and the plans of `check --prove`, from a snapshot and from a database, end to end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::servers;
use pgassay::check::{Job, Observer, check_observed};
use pgassay::db::{Database, snapshot};
use pgassay::finding::{Finding, Severity};
use pgassay::history::{MigrationRun, Unit};
use pgassay::migration::Migration;
use pgassay::prove::PlanWatch;
use pgassay::report::{Observed, Report};
use pgassay::shadow::{Options, Server};
use pgassay::source::{SourceFile, Sources};
use serde_json::Value;

const SETUP: &str = "
CREATE EXTENSION pg_stat_statements;
CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, code int NOT NULL, status text, meta jsonb NOT NULL);
CREATE TABLE visits (id bigint NOT NULL, at date NOT NULL, url text) PARTITION BY RANGE (at);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE visits_3 PARTITION OF visits FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
CREATE TABLE visits_4 PARTITION OF visits FOR VALUES FROM ('2024-04-01') TO ('2024-05-01');
INSERT INTO customers SELECT n, 'name ' || n FROM generate_series(1, 20000) n;
INSERT INTO orders SELECT n, 1 + n * 7 % 20000, n % 3000, CASE WHEN n % 50 = 0 THEN 's' || n % 15000 WHEN n % 4 > 0 THEN 'done' END, jsonb_build_object('sku', n) FROM generate_series(1, 40000) n;
INSERT INTO visits SELECT n, date '2024-01-01' + n % 120, 'https://example.org/' || n FROM generate_series(1, 60000) n;
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_code ON orders (code);
CREATE INDEX orders_status ON orders (status);
VACUUM ANALYZE customers, orders, visits;
SELECT pg_stat_statements_reset();
";

/// What the application asks for, with how often.
const ASKED: &[(u32, &str)] = &[
    (30, "SELECT * FROM orders WHERE customer_id = 17"),
    (20, "SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.code = 7"),
    (20, "SELECT count(*) FROM visits WHERE at = '2024-02-03'"),
    (10, "SELECT count(*) FROM visits WHERE id = 5"),
    (10, "SELECT id FROM orders WHERE status = 's50'"),
    (5, "SELECT id FROM orders WHERE status <> 'done' AND meta ->> 'sku' = '5'"),
];

const TAKE_AWAY: &[(&str, &str)] = &[
    ("1_index.sql", "DROP INDEX orders_customer;"),
    ("2_type.sql", "ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric;"),
    (
        "3_pruning.sql",
        "CREATE TABLE visits_new (id bigint NOT NULL, at date NOT NULL, url text);\nINSERT INTO visits_new SELECT * FROM visits;\n\
         DROP TABLE visits;\nALTER TABLE visits_new RENAME TO visits;",
    ),
];

/// The healthy twins: something serves in the place of what goes, and types that widen still match.
const REPLACE: &[(&str, &str)] = &[
    (
        "1_index.sql",
        "CREATE INDEX CONCURRENTLY orders_customer_code ON orders (customer_id, code);\nDROP INDEX CONCURRENTLY orders_customer;",
    ),
    (
        "2_type.sql",
        "ALTER TABLE orders ALTER COLUMN code TYPE bigint;\nALTER INDEX orders_code RENAME TO orders_by_code;",
    ),
    (
        "3_pruning.sql",
        "CREATE TABLE visits_new (id bigint NOT NULL, at date NOT NULL, url text) PARTITION BY RANGE (at);\n\
         CREATE TABLE visits_new_1 PARTITION OF visits_new FOR VALUES FROM ('2024-01-01') TO ('2024-03-01');\n\
         CREATE TABLE visits_new_2 PARTITION OF visits_new FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');\n\
         CREATE TABLE visits_new_3 PARTITION OF visits_new FOR VALUES FROM ('2024-04-01') TO ('2024-05-01');\n\
         DROP TABLE visits;\nALTER TABLE visits_new RENAME TO visits;",
    ),
];

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(arguments).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.output().expect("pgassay runs")
}

fn stdout(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn hot_queries_from_a_database_and_from_a_file() {
    let installation = servers::of_versions(&[15]).remove(0);
    let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = Server::start(&installation, &Options { settings, ..Options::default() }).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        for statement in SETUP.split(";\n").filter(|it| !it.trim().is_empty()) {
            session.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        for (times, sql) in ASKED {
            for _ in 0..*times {
                session.simple_query(sql).await.expect("an answer");
            }
        }
        session.close().await;
    });
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("host={} user=postgres dbname=postgres", server.data().parent().expect("a folder").display());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (coarse, whole) = (path("coarse.snapshot"), path("whole.snapshot"));
    stdout(&run(&["snapshot", "--db", &url, "-o", &coarse]));
    stdout(&run(&["snapshot", "--with-values", "--db", &url, "-o", &whole]));

    snapshots_hold_values_only_where_asked_for(&coarse, &whole);
    a_snapshot_plans_as_the_database(&url, &coarse, &whole);
    queries_tell_what_indexes_cannot_mend(&url, &coarse);
    let with = plans_around(&whole, TAKE_AWAY, &installation);
    what_was_taken_away_is_told(&with);
    let healthy = plans_around(&coarse, REPLACE, &installation);
    assert!(slower(&healthy).is_empty(), "{:#?}", slower(&healthy));
}

/// The values of orders.status are in one of them, those of customers.name, which may be a person's, in none.
fn snapshots_hold_values_only_where_asked_for(coarse: &str, whole: &str) {
    let text = |file: &str| {
        let planner = snapshot::read(Path::new(file)).expect("a snapshot").planner.expect("statistics of the planner");
        serde_json::to_string(&planner).expect("JSON")
    };
    let (coarse, whole) = (text(coarse), text(whole));
    assert!(whole.contains("done") && !coarse.contains("done"));
    assert!(!whole.contains("name 1") && !coarse.contains("name 1"));
    assert!(coarse.contains("the snapshot leaves them out"));
}

fn a_snapshot_plans_as_the_database(url: &str, coarse: &str, whole: &str) {
    let cost = |arguments: &[&str], sql: &str| {
        let output = run(&[&["plan", "--format", "json"], arguments, &[sql]].concat());
        let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        json["plans"][0]["nodes"][0]["estimate"]["total_cost"].as_f64().expect("a cost")
    };
    let generic = "SELECT * FROM orders WHERE customer_id = $1 AND status = $2";
    let constant = "SELECT count(*) FROM orders WHERE status = 'done'";
    for (sql, alike) in [(generic, true), (constant, false)] {
        let real = cost(&["--db", url], sql);
        assert_eq!(cost(&["--snapshot", whole], sql), real, "{sql}");
        assert_eq!(cost(&["--snapshot", coarse], sql) == real, alike, "{sql}");
    }
    let output = run(&["plan", "--snapshot", coarse, generic]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("estimated by averages"), "a coarser twin is told");
}

fn queries_tell_what_indexes_cannot_mend(url: &str, coarse: &str) {
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&stdout(&run(&[&["queries", "--format", "json"], arguments].concat()))).expect("JSON")
    };
    let (live, stored) = (json(&["--db", url, "--planner", "twin"]), json(&["--snapshot", coarse]));
    let query = |report: &Value, part: &str| {
        let queries = report["queries"].as_array().expect("queries");
        let found = queries.iter().find(|it| it["query"].as_str().is_some_and(|text| text.contains(part)));
        found.unwrap_or_else(|| panic!("{part}: {queries:#?}")).clone()
    };
    for report in [&live, &stored] {
        assert!(report["queries"].as_array().expect("queries").iter().all(|it| it["error"].is_null()), "{report:#}");
        let partitions = query(report, "FROM visits WHERE id");
        assert_eq!(partitions["observations"][0]["kind"], "partition-key-missing", "{partitions:#}");
        assert!(query(report, "FROM visits WHERE at")["observations"].as_array().expect("a list").is_empty());
        let negated = query(report, "status <>");
        let rules: Vec<&str> =
            negated["audited"].as_array().expect("a list").iter().filter_map(|it| it["rule"].as_str()).collect();
        assert!(rules.contains(&"ambiguous-null"), "{negated:#}");
    }
    // Which value is the most common is only known where values are.
    let skewed = query(&live, "WHERE status = $1");
    assert_eq!(skewed["observations"][0]["kind"], "skew", "{skewed:#}");
    assert!(!skewed.to_string().contains("done"), "values stay out of reports");
    assert!(query(&stored, "WHERE status = $1")["observations"].as_array().expect("a list").is_empty());
    assert_eq!(live["queries"][0]["cost_before"], stored["queries"][0]["cost_before"]);
}

/// Runs nothing: plans are compared beside whatever else observes.
struct Nobody;

impl Observer for Nobody {
    fn begin(&mut self, _: &[Unit], _: &Sources) {}

    fn migration(&mut self, _: &MigrationRun, _: &Sources, _: &mut Vec<Finding>) -> BTreeMap<usize, Observed> {
        BTreeMap::new()
    }

    fn end(&mut self, _: &Sources) -> Vec<Finding> {
        Vec::new()
    }
}

fn plans_around(
    file: &str,
    migrations: &[(&str, &str)],
    installation: &pgassay::shadow::Installation,
) -> (Report, Sources) {
    let mut sources = Sources::default();
    let reading = snapshot::read(Path::new(file)).expect("a snapshot");
    let database = Database::new(reading, &mut sources);
    let ddl = sources.file(database.file).text.clone();
    let mut watch = PlanWatch::new(&database, &ddl, installation.clone()).expect("hot queries and statistics");
    let migrations = migrations.iter().map(|(name, text)| {
        let file = sources.add(SourceFile::new(*name, (*text).to_owned()));
        Migration::plain(name, file, text.len())
    });
    let migrations = migrations.collect();
    let job = Job { migrations, version: database.version, live: Some(database.live()), ..Job::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = check_observed(&job, &sources, Some(&mut watch.around(&runtime, &mut Nobody)));
    println!("{:#?}", watch.notes);
    (report, sources)
}

fn slower((report, _): &(Report, Sources)) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.rule.name == "slower-plan").collect()
}

fn what_was_taken_away_is_told(judged: &(Report, Sources)) {
    let found = slower(judged);
    let of = |name: &str| {
        let here = found.iter().find(|finding| judged.1.file(finding.span.file).name == name);
        *here.unwrap_or_else(|| panic!("nothing of {name}: {found:#?}"))
    };
    assert_eq!(found.len(), 3, "{found:#?}");
    let evidence = |finding: &Finding| finding.evidence.iter().map(|it| it.text.clone()).collect::<Vec<_>>().join("\n");
    let index = of("1_index.sql");
    assert_eq!(index.severity, Severity::Error);
    assert!(index.message.contains("orders_customer no longer serves"), "{}", index.message);
    assert!(evidence(index).contains("using orders_customer)"), "{}", evidence(index));
    assert!(evidence(index).contains("Seq Scan on orders"), "{}", evidence(index));
    let type_ = evidence(of("2_type.sql"));
    assert!(type_.contains("using customers_pkey on customers") && type_.contains("Seq Scan on customers"), "{type_}");
    let pruning = of("3_pruning.sql");
    let pruning = evidence(pruning);
    assert!(pruning.contains("partitions left out") && pruning.contains("Seq Scan on visits"), "{pruning}");
}
