//! The twin plans as the database it was made of: the same queries on both, on the oldest and the newest servers at hand.

mod support;

use std::collections::BTreeMap;

use pgassay::db::{self, Parameters, Wanted};
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::twin::{Twin, capture};
use support::servers;

const SCHEMAS: &[(&str, &str)] = &[
    ("shop", include_str!("twin/shop.sql")),
    ("events", include_str!("twin/events.sql")),
    ("library", include_str!("twin/library.sql")),
];

/// What a plan is compared by.
#[derive(Debug, PartialEq)]
struct Planned {
    shape: String,
    cost: f64,
}

async fn plan(session: &Session, query: &str) -> Planned {
    let text = format!("EXPLAIN (FORMAT JSON) {query}");
    let answer = session.simple_query(&text).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let json = answer.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: serde_json::Value = serde_json::from_str(json.expect("a plan")).expect("JSON");
    let root = &plan[0]["Plan"];
    let mut shape = String::new();
    draw(root, 0, &mut shape);
    Planned { shape, cost: root["Total Cost"].as_f64().expect("a cost") }
}

/// Kinds of nodes, relations, indexes and conditions; not the numbers.
fn draw(node: &serde_json::Value, depth: usize, shape: &mut String) {
    shape.push_str(&"  ".repeat(depth));
    for part in ["Node Type", "Join Type", "Strategy", "Relation Name", "Index Name", "Index Cond", "Workers Planned", "Subplans Removed"] {
        if !node[part].is_null() {
            shape.push_str(&format!("{} ", node[part]));
        }
    }
    shape.push('\n');
    for child in node["Plans"].as_array().into_iter().flatten() {
        draw(child, depth + 1, shape);
    }
}

/// The database's own settings, unlike the defaults, so that a plan shows whether they were taken over.
const SETTINGS: &[(&str, &str)] = &[
    ("random_page_cost", "1.7"),
    ("effective_cache_size", "300MB"),
    ("work_mem", "1MB"),
    ("max_parallel_workers_per_gather", "2"),
    ("min_parallel_table_scan_size", "2MB"),
    ("parallel_setup_cost", "200"),
    ("default_statistics_target", "60"),
];

struct Figures {
    queries: usize,
    same_shape: usize,
    same_cost: usize,
    largest: f64,
}

async fn compare(installation: &Installation, as_superuser: bool) -> Figures {
    let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = Options { settings: settings.collect(), ..Options::default() };
    let mut figures = Figures { queries: 0, same_shape: 0, same_cost: 0, largest: 0.0 };
    let server = Server::start(installation, &options).expect("a server");
    let folder = server.data().parent().expect("a folder").display().to_string();
    let postgres = server.connect("postgres").await.expect("a session");
    postgres.batch_execute("CREATE ROLE reader LOGIN IN ROLE pg_read_all_data, pg_monitor").await.expect("a role");
    for (name, text) in SCHEMAS {
        postgres.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        let (setup, queries) = parts(text);
        let original = server.connect(name).await.expect("a session");
        original.simple_query("SELECT setseed(0.5)").await.expect("a seed");
        for statement in setup.split(";\n").filter(|it| !it.trim().is_empty()) {
            original.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        original.batch_execute("CHECKPOINT; RESET search_path").await.expect("a checkpoint");
        let user = if as_superuser { "postgres" } else { "reader" };
        let parameters = Parameters::read(&format!("host={folder} user={user} dbname={name}")).expect("parameters");
        let reading = db::read(&parameters, Wanted::default()).await.expect("a reading");
        let session = db::Session::open(&parameters, &db::Limits::default()).await.expect("a session");
        let statistics = capture(&session).await.expect("statistics");
        // A snapshot carries them as text.
        let statistics = serde_json::from_str(&serde_json::to_string(&statistics).expect("JSON")).expect("statistics");
        session.close().await;
        let twin = Twin::build(installation, &reading.ddl, statistics).await.expect("a twin");
        for gap in &twin.gaps {
            println!("{name}: {}: {}", gap.what, gap.reason);
        }
        let copy = twin.connect().await.expect("a session");
        for (title, query) in &queries {
            let (real, copied) = (plan(&original, query).await, plan(&copy, query).await);
            let difference = (copied.cost - real.cost).abs() / real.cost;
            figures.queries += 1;
            figures.same_shape += usize::from(real.shape == copied.shape);
            figures.same_cost += usize::from(difference <= 0.001);
            figures.largest = figures.largest.max(difference);
            if real.shape != copied.shape || difference > 0.001 {
                println!("{name}, {title}: cost {} in the database, {} in the twin", real.cost, copied.cost);
                println!("{}", if real.shape == copied.shape { String::new() } else { format!("{}{}", real.shape, copied.shape) });
            }
        }
        copy.close().await;
        original.close().await;
    }
    postgres.close().await;
    figures
}

fn parts(text: &str) -> (String, BTreeMap<String, String>) {
    let mut parts = text.split("-- query: ");
    let setup = parts.next().unwrap_or_default().to_owned();
    let queries = parts.map(|part| {
        let (title, query) = part.split_once('\n').expect("a title");
        (title.to_owned(), query.trim().trim_end_matches(';').to_owned())
    });
    (setup, queries.collect())
}

fn check(major: u16, as_superuser: bool) {
    let installation = servers::of_versions(&[major]).remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let figures = runtime.block_on(compare(&installation, as_superuser));
    println!(
        "PostgreSQL {major}, {}: {} queries, {} with the same plan, {} with the same cost (0.1 %), largest difference {:.3} %",
        if as_superuser { "superuser" } else { "pg_read_all_data" },
        figures.queries,
        figures.same_shape,
        figures.same_cost,
        figures.largest * 100.0
    );
    assert!(figures.queries >= 50);
    assert_eq!(figures.same_shape, figures.queries, "plans differ");
    assert_eq!(figures.same_cost, figures.queries, "costs differ");
}

#[test]
fn plans_as_the_database_does_15() {
    check(15, true);
}

#[test]
fn plans_as_the_database_does_18() {
    check(18, true);
}

#[test]
fn plans_as_the_database_does_for_a_role_that_only_reads() {
    check(15, false);
}
