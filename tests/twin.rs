//! The twin plans as the database it was made of: the same queries on both, on the oldest and the newest servers at hand.

mod support;

use std::collections::BTreeMap;

use pgassay::advisor::{self, Limits, Outcome, Query, Reason};
use pgassay::db::{self, Parameters, Wanted};
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::twin::{Twin, capture};
use pgassay::whatif::{Prepared, TwinPlanner, read_tables};
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
    for part in [
        "Node Type",
        "Join Type",
        "Strategy",
        "Relation Name",
        "Index Name",
        "Index Cond",
        "Workers Planned",
        "Subplans Removed",
    ] {
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
                println!(
                    "{}",
                    if real.shape == copied.shape { String::new() } else { format!("{}{}", real.shape, copied.shape) }
                );
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

/// Queries on the shop without some of its indexes, with what is to be advised for each.
const HOT: &[(&str, Option<&str>)] = &[
    // Ten rows of a customer are sorted in no time.
    ("SELECT * FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT $2", None),
    ("SELECT * FROM orders WHERE status = $1 ORDER BY placed_at DESC LIMIT $2", Some("(placed_at")),
    ("SELECT count(*) FROM orders WHERE meta ->> $1 = $2", None),
    ("SELECT count(*) FROM orders WHERE meta ->> 'sku' = $1", Some("((meta ->> 'sku'")),
    ("SELECT id FROM orders WHERE meta @> $1", Some("USING gin (meta")),
    ("SELECT sum(quantity) FROM items WHERE product_id = ANY (ARRAY[$1, $2])", Some("(product_id)")),
    ("SELECT * FROM orders WHERE placed_at > now() - interval $1", Some("placed_at")),
    ("SELECT sum(total) FROM orders", None),
    ("SELECT * FROM orders WHERE id = $1", None),
];

/// What is advised has a cost in the database, too, once it is made there.
#[test]
fn advised_indexes_cost_in_the_database_what_they_cost_in_the_twin() {
    let installation = servers::of_versions(&[15]).remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start(&installation, &Options::default()).expect("a server");
    let folder = server.data().parent().expect("a folder").display().to_string();
    let original = runtime.block_on(server.connect("postgres")).expect("a session");
    let (setup, _) = parts(SCHEMAS[0].1);
    let run =
        |sql: &str| runtime.block_on(original.batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    run("SELECT setseed(0.5)");
    setup.split(";\n").filter(|it| !it.trim().is_empty()).for_each(run);
    run("DROP INDEX orders_customer, orders_open, orders_sku, orders_meta, items_product");
    run("CREATE INDEX orders_by_customer ON orders (customer_id)");
    run("CREATE INDEX items_by_order ON items (order_id)");
    run("CHECKPOINT");
    let parameters = Parameters::read(&format!("host={folder} user=postgres dbname=postgres")).expect("parameters");
    let (ddl, statistics) = runtime.block_on(async {
        let reading = db::read(&parameters, Wanted::default()).await.expect("a reading");
        let session = db::Session::open(&parameters, &db::Limits::default()).await.expect("a session");
        (reading.ddl, capture(&session).await.expect("statistics"))
    });
    let twin = runtime.block_on(Twin::build(&installation, &ddl, statistics)).expect("a twin");
    let prepared = HOT.iter().map(|(sql, _)| Prepared::new(sql, Some(10.0))).collect();
    let mut planner = TwinPlanner::new(&runtime, twin, prepared).expect("a planner");
    let tables = runtime.block_on(read_tables(&**planner.session(), None)).expect("tables");
    let query = |(sql, _): &(&str, Option<&str>)| Query {
        text: (*sql).to_owned(),
        calls: 1000.0,
        mean_milliseconds: Some(20.0),
        sets: Vec::new(),
    };
    let queries: Vec<Query> = HOT.iter().map(query).collect();
    let (advice, unused, advised) = advisor::advise(&queries, &tables, &mut planner, &Limits::default(), Some(1.0));
    for ((sql, wanted), advised) in HOT.iter().zip(&advised) {
        match (&advised.outcome, wanted) {
            (Outcome::Helped(names), Some(wanted)) => {
                let bodies: Vec<String> =
                    advice.iter().filter(|it| names.contains(&it.name)).map(|it| it.definition.body()).collect();
                assert!(bodies.iter().any(|body| body.contains(wanted)), "{sql}: {bodies:?}");
                assert!(advised.cost_after < advised.cost_before * 0.9, "{sql}");
            }
            (Outcome::NoIndexHelps(reason), None) => assert_ne!(*reason, Reason::NotPlanned, "{sql}"),
            (outcome, _) => panic!("{sql}: {outcome:?}; {:?}", advised.plan.as_ref().err()),
        }
    }
    let covered: Vec<&str> = unused.iter().map(|it| it.index.as_str()).collect();
    assert_eq!(covered, ["items_by_order"], "the primary key serves its queries");
    for statement in advice.iter().flat_map(|it| &it.statements).filter(|it| it.starts_with("CREATE")) {
        run(statement);
    }
    let mut checked = 0;
    for (number, advised) in advised.iter().enumerate().filter(|(_, it)| matches!(it.outcome, Outcome::Helped(_))) {
        let sql = Prepared::new(HOT[number].0, Some(10.0));
        // Without ANALYZE: statistics of expressions would make another estimate.
        let Some(real) = runtime.block_on(generic_cost(&original, &sql.text)) else { continue };
        checked += 1;
        let difference = (real - advised.cost_after).abs() / real;
        println!("{}: cost {} in the twin, {real} with the real index", HOT[number].0, advised.cost_after);
        // How wide the values of an expression are is not known before ANALYZE.
        let tolerance = if HOT[number].0.contains("->>") { 0.25 } else { 0.1 };
        assert!(
            difference < tolerance,
            "{}: {} in the twin, {real} in the database",
            HOT[number].0,
            advised.cost_after
        );
    }
    assert!(checked >= 3);
    for it in &advice {
        let sql = format!("SELECT pg_relation_size('{}')::float8", it.name);
        let real: f64 = runtime.block_on(original.query_one(&sql, &[])).expect("a size").get(0);
        println!("{}: {:.0} bytes expected, {real:.0} real", it.definition.body(), it.estimate.bytes);
    }
}

/// The cost of the generic plan; `None` where types of parameters would have to be told.
async fn generic_cost(session: &Session, sql: &str) -> Option<f64> {
    let count = (1..=9).filter(|n| sql.contains(&format!("${n}"))).count();
    let values = vec!["NULL"; count].join(", ");
    let start = format!("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; PREPARE q AS {sql}");
    session.batch_execute(&start).await.ok()?;
    Some(plan(session, &format!("EXECUTE q({values})")).await.cost)
}
