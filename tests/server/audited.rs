//! What `audit` reads of a live server beyond its tables: many databases, schemas of tenants, slots, hot queries, samples in a snapshot.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::servers;
use pgassay::shadow::{Options, Server};
use serde_json::Value;

struct Place {
    server: Server,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Place {
    fn start(settings: &[(&str, &str)]) -> Place {
        let all = servers::all();
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = Server::start(&all[all.len() - 1], &Options { settings, ..Options::default() })
            .unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Place { server, runtime, folder: tempfile::tempdir().expect("a folder") }
    }

    fn run(&self, database: &str, sql: &str) {
        self.runtime.block_on(async {
            let session = self.server.connect(database).await.expect("a session");
            session.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql:.200}"));
            session.close().await;
        });
    }

    fn url(&self, database: &str) -> String {
        let config = self.server.config(database);
        let host = match &config.get_hosts()[0] {
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            tokio_postgres::config::Host::Tcp(_) => panic!("a socket"),
        };
        format!("host={host} user=postgres dbname={database}")
    }

    fn audit(&self, arguments: &[&str]) -> (Value, String) {
        let mut all = vec!["audit", "--no-config", "--format", "json"];
        all.extend(arguments);
        let output = pgassay(&all, self.folder.path());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout);
        (report.unwrap_or_else(|error| panic!("{error}: {errors}")), errors)
    }
}

fn pgassay(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(arguments);
    command.output().expect("pgassay runs")
}

/// The findings of a rule.
fn of_rule<'r>(report: &'r Value, rule: &str) -> Vec<&'r Value> {
    report["findings"].as_array().expect("findings").iter().filter(|it| it["rule"] == rule).collect()
}

#[test]
fn databases_and_tenants_are_reported_by_finding() {
    let place = Place::start(&[]);
    for (name, key) in [("a", " PRIMARY KEY"), ("b", " PRIMARY KEY"), ("c", "")] {
        place.run("postgres", &format!("CREATE DATABASE {name}"));
        place.run(name, &format!("CREATE TABLE orders (id bigint{key});"));
        place.run("a", &format!("CREATE SCHEMA t_{name}; CREATE TABLE t_{name}.orders (id bigint{key});"));
    }
    let (fleet, _) = place.audit(&["--db", &place.url("a"), "--all-databases"]);
    assert_eq!((&fleet["members"], &fleet["databases"]), (&Value::from("databases"), &Value::from(3)));
    let named: Vec<String> = ["a", "b", "c"].iter().flat_map(|name| ["--db".to_owned(), place.url(name)]).collect();
    let (repeated, _) = place.audit(&named.iter().map(String::as_str).collect::<Vec<_>>());
    for fleet in [&fleet, &repeated] {
        let lacking: Vec<&Value> = of_rule(fleet, "missing-primary-key");
        let only_c = lacking.iter().find(|it| it["object"] == "public.orders").expect("orders of c");
        assert_eq!(only_c["databases"], serde_json::json!(["c"]));
        let others = &fleet["drift"].as_array().expect("drift").iter().find(|it| it["table"] == "public.orders");
        assert!(others.expect("orders differs")["others"]["c"].as_str().is_some(), "{fleet}");
    }
    let (tenants, errors) = place.audit(&["--db", &place.url("a"), "--tenants", "t_*"]);
    assert_eq!(tenants["databases"], 3, "{errors}");
    let lacking = of_rule(&tenants, "missing-primary-key");
    assert_eq!((&lacking[0]["object"], &lacking[0]["databases"]), (&"orders".into(), &serde_json::json!(["t_c"])));
    assert_eq!(tenants["drift"][0]["table"], "orders");
    let wrong = pgassay(&["audit", "--no-config", "--db", &place.url("a"), "--tenants", "x_*"], place.folder.path());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no schema matches x_*"));
}

#[test]
fn slots_and_prepared_transactions_are_told_by_age_and_size() {
    let place = Place::start(&[("wal_level", "replica"), ("max_replication_slots", "4"), ("max_wal_senders", "2")]);
    place.run("postgres", "CREATE DATABASE shop");
    place.run("shop", "CREATE TABLE orders (id bigint PRIMARY KEY, filler text)");
    let (before, _) = place.audit(&["--db", &place.url("shop")]);
    assert!(of_rule(&before, "vacuum-held-back").is_empty());
    place.run("shop", "SELECT pg_create_physical_replication_slot('old_replica', true)");
    // 70 MB of WAL that nobody has read.
    place.run("shop", "INSERT INTO orders SELECT g, repeat(md5(g::text), 40) FROM generate_series(1, 52000) g");
    place.run("shop", "BEGIN; INSERT INTO orders VALUES (-1); PREPARE TRANSACTION 'just now'");
    let (report, _) = place.audit(&["--db", &place.url("shop")]);
    let [found] = of_rule(&report, "vacuum-held-back")[..] else { panic!("{report}") };
    let message = found["message"].as_str().expect("a message");
    assert!(message.contains("replication slot old_replica") && message.contains("MB of WAL"), "{message}");
    assert!(!message.contains("just now"), "it was prepared a moment ago: {message}");
    assert_eq!(found["severity"], "warning");
    let step = found["steps"][0]["sql"].as_str().expect("a step");
    assert_eq!(step, "SELECT pg_drop_replication_slot('old_replica');");
    place.run("shop", "ROLLBACK PREPARED 'just now'");
    place.run("shop", step);
}

#[test]
fn hot_queries_are_planned_with_the_index_that_they_lack() {
    let place = Place::start(&[("shared_preload_libraries", "pg_stat_statements"), ("track_counts", "on")]);
    place.run("postgres", "CREATE DATABASE shop");
    let rows = "INSERT INTO trips SELECT g, 'q' || g, g % 3 FROM generate_series(1, 200000) g; ANALYZE trips";
    place.run(
        "shop",
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE trips (id bigint PRIMARY KEY, quote text, kind int)",
    );
    place.run("shop", rows);
    place.run("shop", "SELECT pg_stat_statements_reset()");
    let hot: String = (0..120).map(|number| format!("SELECT id FROM trips WHERE quote = 'q{number}';")).collect();
    place.run("shop", &hot);
    let (report, errors) = place.audit(&["--db", &place.url("shop")]);
    let [found] = of_rule(&report, "hot-query-without-index")[..] else { panic!("{report}") };
    let planned = found["evidence"].as_array().expect("evidence").iter().filter_map(|it| it["text"].as_str());
    let planned: Vec<&str> = planned.filter(|text| text.starts_with("planned by")).collect();
    assert_eq!(planned.len(), 1, "{found} {errors}");
    let step = found["steps"][0]["sql"].as_str().expect("a step");
    assert!(step.starts_with("CREATE INDEX CONCURRENTLY") && step.contains("(quote)"), "{step}");
    place.run("shop", step);
    let unjudged = report["unchecked"].to_string();
    assert!(unjudged.contains("7 days are needed") && unjudged.contains("queries were counted for"), "{unjudged}");
}

#[test]
fn a_snapshot_holds_what_a_sample_says() {
    let place = Place::start(&[("track_counts", "on")]);
    place.run("postgres", "CREATE DATABASE shop");
    place.run(
        "shop",
        "CREATE TABLE parcels (id bigint PRIMARY KEY, data jsonb NOT NULL);
         INSERT INTO parcels SELECT g, CASE WHEN g % 2 = 0 THEN jsonb_build_object('weight', g, 'tag' || g, 1) ELSE '[]' END FROM generate_series(1, 20000) g;
         ANALYZE parcels",
    );
    let file = place.folder.path().join("shop.snapshot");
    let name = file.to_str().expect("a path");
    let written = pgassay(&["snapshot", "--db", &place.url("shop"), "--sample", "-o", name], place.folder.path());
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    let says = |report: &Value| -> Vec<String> {
        let found = of_rule(report, "json-junk-drawer");
        found.iter().map(|it| it["message"].as_str().expect("a message").to_owned()).collect()
    };
    let (live, _) = place.audit(&["--db", &place.url("shop"), "--sample"]);
    let (offline, _) = place.audit(&["--snapshot", name]);
    assert_eq!(says(&live), says(&offline));
    let unpacked = Command::new("gzip").args(["-dc", name]).output().expect("gzip");
    let text = String::from_utf8_lossy(&unpacked.stdout).into_owned();
    assert!(text.contains("\"weight\"") && !text.contains("tag4242"), "keys that may be values are left out");
}
