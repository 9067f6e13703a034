//! The twin plans as the database it was made of: the same queries on both, on the oldest and the newest servers at hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::servers;
use pgassay::advisor::{self, Advice, Advised, Limits, Method, Outcome, Planner, Query, Reason, Tables, Unused};
use pgassay::db::{self, Parameters, Wanted};
use pgassay::facts::planner::Statistics;
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::twin::Twin;
use pgassay::whatif::{BothPlanner, HypopgPlanner, MakeTwin, Prepared, TwinPlanner, read_tables};
use tokio::runtime::Runtime;

const SCHEMAS: &[(&str, &str)] = &[
    ("shop", include_str!("../twin/shop.sql")),
    ("events", include_str!("../twin/events.sql")),
    ("\"Library\"", include_str!("../twin/library.sql")),
    ("warehouse", include_str!("../twin/warehouse.sql")),
];

/// What a plan is compared by.
#[derive(Debug, PartialEq)]
struct Planned {
    shape: String,
    cost: f64,
}

async fn plan(session: &Session, query: &str) -> Planned {
    // A query may want a setting: `-- set: enable_hashjoin = off`.
    let text = match query.strip_prefix("-- set: ").and_then(|rest| rest.split_once('\n')) {
        Some((setting, query)) => format!("BEGIN; SET LOCAL {setting}; EXPLAIN (FORMAT JSON) {query}; ROLLBACK"),
        None => format!("EXPLAIN (FORMAT JSON) {query}"),
    };
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

/// The smallest value is a common one, which the histogram leaves out: the database finds it in the index, the twin starts at the first bound.
const COMMON_AT_THE_END: &str = "warehouse, before the first value";

#[derive(Default)]
struct Figures {
    queries: usize,
    same_shape: usize,
    same_cost: usize,
    largest: f64,
    /// Queries whose cost differs.
    differing: Vec<String>,
}

/// A server with these schemas in the database `all`, each queried with its own search_path.
struct Original {
    installation: Installation,
    server: Server,
}

impl Original {
    async fn load(major: u16) -> Original {
        let installation = servers::of_versions(&[major]).remove(0);
        let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = Options { settings: settings.collect(), ..Options::default() };
        let server = Server::start(&installation, &options).expect("a server");
        let postgres = server.connect("postgres").await.expect("a session");
        postgres.batch_execute("CREATE ROLE reader LOGIN IN ROLE pg_read_all_data, pg_monitor").await.expect("a role");
        postgres.batch_execute("CREATE DATABASE everything").await.expect("a database");
        postgres.close().await;
        let session = server.connect("everything").await.expect("a session");
        for (name, text) in SCHEMAS {
            let start = format!("CREATE SCHEMA IF NOT EXISTS {name}; SET search_path = {name}");
            session.batch_execute(&start).await.expect("a schema");
            session.simple_query("SELECT setseed(0.5)").await.expect("a seed");
            for statement in parts(text).0.split(";\n").filter(|it| !it.trim().is_empty()) {
                session.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            }
        }
        session.batch_execute("CHECKPOINT").await.expect("a checkpoint");
        session.close().await;
        Original { installation, server }
    }

    fn parameters(&self, user: &str, database: &str) -> Parameters {
        let folder = self.server.data().parent().expect("a folder").display().to_string();
        Parameters::read(&format!("host={folder} user={user} dbname={database}")).expect("parameters")
    }

    /// DDL and statistics as a snapshot carries them, with values of columns or without.
    async fn read(&self, user: &str, with_values: bool) -> (String, Statistics) {
        let wanted = Wanted { planner: true, ..Wanted::default() };
        let reading = db::read(&self.parameters(user, "everything"), wanted).await.expect("a reading");
        let mut statistics = reading.planner.expect("statistics");
        if !with_values {
            statistics.leave_out_values(|_, _| false, |_| None);
        }
        let text = serde_json::to_string(&statistics).expect("JSON");
        (reading.ddl, serde_json::from_str(&text).expect("statistics"))
    }

    /// Plans every query here and in a twin, and prints the figures.
    async fn compare(&self, user: &str, with_values: bool) -> Figures {
        let (ddl, statistics) = self.read(user, with_values).await;
        let twin = Twin::build(&self.installation, &ddl, statistics).await.expect("a twin");
        for gap in &twin.gaps {
            println!("{}: {}", gap.what, gap.reason);
        }
        let real = self.server.connect("everything").await.expect("a session");
        let copy = twin.connect().await.expect("a session");
        let mut figures = Figures::default();
        for (name, text) in SCHEMAS {
            let path = format!("SET search_path = {name}, public");
            real.batch_execute(&path).await.expect("a setting");
            copy.batch_execute(&path).await.expect("a setting");
            for (title, query) in &parts(text).1 {
                let (real, copied) = (plan(&real, query).await, plan(&copy, query).await);
                figures.add(&format!("{name}, {title}"), &real, &copied, with_values);
            }
        }
        copy.close().await;
        real.close().await;
        println!(
            "PostgreSQL {}, {user}{}: {} queries, {} with the same plan, {} with the same cost (0.1 %), largest difference {:.3} %",
            self.installation.major(),
            if with_values { "" } else { ", without values of columns" },
            figures.queries,
            figures.same_shape,
            figures.same_cost,
            figures.largest * 100.0
        );
        figures
    }
}

impl Figures {
    fn add(&mut self, title: &str, real: &Planned, copied: &Planned, tell: bool) {
        let difference = (copied.cost - real.cost).abs() / real.cost;
        self.queries += 1;
        self.same_shape += usize::from(real.shape == copied.shape);
        self.same_cost += usize::from(difference <= 0.001);
        self.largest = self.largest.max(difference);
        if difference > 0.001 {
            self.differing.push(title.to_owned());
        }
        if tell && (real.shape != copied.shape || difference > 0.001) {
            println!("{title}: cost {} in the database, {} in the twin", real.cost, copied.cost);
            println!("{}{}", real.shape, copied.shape);
        }
    }

    fn assert_alike(&self) {
        assert!(self.queries >= 50);
        assert_eq!(self.same_shape, self.queries, "plans differ");
        let differing: Vec<_> = self.differing.iter().filter(|title| *title != COMMON_AT_THE_END).collect();
        assert!(
            differing.is_empty() && self.largest < 0.01,
            "costs differ by up to {}: {:?}",
            self.largest,
            self.differing
        );
    }
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

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// One database for all that is asked of 15: loading it takes longer than everything else.
#[test]
fn plans_and_advises_as_the_database_does_15() {
    let runtime = runtime();
    let original = runtime.block_on(Original::load(15));
    runtime.block_on(original.compare("postgres", true)).assert_alike();
    runtime.block_on(original.compare("reader", true)).assert_alike();
    // Constants are estimated by averages: most plans stay the same.
    let coarse = runtime.block_on(original.compare("postgres", false));
    assert!(coarse.same_shape * 2 > coarse.queries, "{} of {}", coarse.same_shape, coarse.queries);
    advised_indexes_cost_in_the_database_what_they_cost_in_the_twin(&runtime, &original);
}

#[test]
fn plans_as_the_database_does_18() {
    let runtime = runtime();
    let original = runtime.block_on(Original::load(18));
    runtime.block_on(original.compare("postgres", true)).assert_alike();
}

#[test]
fn plans_as_the_databases_in_between_do() {
    let runtime = runtime();
    for major in [14, 16, 17] {
        let original = runtime.block_on(Original::load(major));
        runtime.block_on(original.compare("postgres", true)).assert_alike();
    }
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

/// The advice for the hot queries, and what would be dropped of the shop.
fn advise(tables: &Tables, planner: &mut dyn Planner) -> (Vec<Advice>, Vec<Unused>, Vec<Advised>) {
    let query = |(sql, _): &(&str, Option<&str>)| Query {
        text: (*sql).to_owned(),
        calls: 1000.0,
        mean_milliseconds: Some(20.0),
        sets: Vec::new(),
        rows: None,
    };
    let queries: Vec<Query> = HOT.iter().map(query).collect();
    let (advice, mut unused, advised) = advisor::advise(&queries, tables, planner, &Limits::default(), Some(1.0));
    unused.retain(|it| it.table.schema.as_str() == "shop");
    (advice, unused, advised)
}

/// What is advised has a cost in the database, too, once it is made there; and hypopg on the database chooses what the twin does.
fn advised_indexes_cost_in_the_database_what_they_cost_in_the_twin(runtime: &Runtime, original: &Original) {
    let postgres = runtime.block_on(original.server.connect("postgres")).expect("a session");
    let create = "CREATE DATABASE hot TEMPLATE everything";
    runtime.block_on(postgres.batch_execute(create)).expect("a copy");
    let session = runtime.block_on(original.server.connect("hot")).expect("a session");
    let run =
        |sql: &str| runtime.block_on(session.batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    run("ALTER DATABASE hot SET search_path = shop; SET search_path = shop");
    // As a server is set up by default.
    for (name, value) in [("random_page_cost", "4"), ("effective_cache_size", "4GB"), ("work_mem", "4MB")] {
        run(&format!("ALTER DATABASE hot SET {name} = '{value}'; SET {name} = '{value}'"));
    }
    run("ALTER DATABASE hot SET max_parallel_workers_per_gather = 0; SET max_parallel_workers_per_gather = 0");
    let has_hypopg = runtime
        .block_on(session.query_one("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'hypopg')", &[]))
        .expect("extensions")
        .get(0);
    if has_hypopg {
        run("CREATE EXTENSION hypopg SCHEMA public");
    } else {
        println!("hypopg is not installed: what it chooses is not compared");
    }
    run("DROP INDEX orders_customer, orders_open, orders_sku, orders_meta, items_product");
    run("CREATE INDEX orders_by_customer ON orders (customer_id)");
    run("CREATE INDEX items_by_order ON items (order_id)");
    run("CHECKPOINT");
    let parameters = original.parameters("postgres", "hot");
    let wanted = Wanted { planner: true, ..Wanted::default() };
    let reading = runtime.block_on(db::read(&parameters, wanted)).expect("a reading");
    let mut planner = {
        let statistics = reading.planner.clone().expect("statistics");
        let twin = runtime.block_on(Twin::build(&original.installation, &reading.ddl, statistics)).expect("a twin");
        let prepared = HOT.iter().map(|(sql, _)| Prepared::new(sql, Some(10.0))).collect();
        TwinPlanner::new(runtime, twin, prepared).expect("a planner")
    };
    let tables = runtime.block_on(read_tables(&**planner.session(), None)).expect("tables");
    let (advice, unused, advised) = advise(&tables, &mut planner);
    drop(planner);
    if has_hypopg {
        hypopg_chooses_alike(runtime, &parameters, (&advice, &unused, &advised));
    }
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
        let Some(real) = runtime.block_on(generic_cost(&session, &sql.text)) else { continue };
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
        let real: f64 = runtime.block_on(session.query_one(&sql, &[])).expect("a size").get(0);
        println!("{}: {:.0} bytes expected, {real:.0} real", it.definition.body(), it.estimate.bytes);
    }
}

/// hypopg with the twin beside it for GIN gives the same advice as the twin alone, and costs that are almost the same.
fn hypopg_chooses_alike(
    runtime: &Runtime,
    parameters: &Parameters,
    (advice, unused, advised): (&[Advice], &[Unused], &[Advised]),
) {
    let session = runtime.block_on(db::Session::open(parameters, &db::Limits::default())).expect("a session");
    let prepared = HOT.iter().map(|(sql, _)| Prepared::new(sql, Some(10.0))).collect();
    let hypopg = HypopgPlanner::new(runtime, session, None, prepared, false).expect("a connection");
    let (hypopg, tables) = hypopg.expect("hypopg of PostgreSQL 15 is installed (postgresql-15-hypopg)");
    let missing: MakeTwin = Box::new(|| Err("there is none in this test".to_owned()));
    let mut planner = BothPlanner::new(hypopg, missing);
    let (own, _, own_advised) = advise(&tables, &mut planner);
    assert!(planner.explained() > 0 && planner.missing().is_some(), "GIN was asked of the twin");
    let bodies = |advice: &[Advice]| -> BTreeSet<String> {
        // At the edge of what is worth an index (10 %) they differ: hypopg counts no height of B-trees.
        let clear = |it: &&Advice| it.gains.iter().any(|gain| gain.cost_after < gain.cost_before * 0.8);
        let known =
            advice.iter().filter(clear).filter(|it| !matches!(it.definition.method, Method::Gin | Method::Gist));
        known.map(|it| format!("{} {}", it.definition.table, it.definition.body())).collect()
    };
    assert_eq!(bodies(&own), bodies(advice), "hypopg and the twin choose otherwise");
    assert!(!own.is_empty() && !unused.is_empty());
    for ((one, other), (sql, _)) in own_advised.iter().zip(advised).zip(HOT) {
        assert_eq!(one.cost_before, other.cost_before, "{sql}");
        let uses_gin = bodies(advice).len() < advice.len() && sql.contains("@>");
        let difference = (one.cost_after - other.cost_after).abs() / other.cost_after;
        println!("{sql}: cost {} by hypopg, {} in the twin", one.cost_after, other.cost_after);
        assert!(uses_gin || difference < 0.2, "{sql}: {} by hypopg, {} in the twin", one.cost_after, other.cost_after);
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
