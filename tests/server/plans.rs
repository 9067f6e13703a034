//! Plans that a server is asked for.

use std::time::Duration;

use pgassay::db::{ExplainMode, Limits, Parameters, explain};
use pgassay::plan::{self, Query};
use pgassay::shadow::{Options, Server};

use crate::support::servers;

const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT n, 'x' FROM generate_series(1, 1000) n;
    CREATE SEQUENCE s; CREATE FUNCTION touch() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'";

fn run(server: &Server, sql: &str, mode: ExplainMode) -> Result<pgassay::db::Explained, String> {
    let config = server.config("postgres");
    let Some(tokio_postgres::config::Host::Unix(socket)) = config.get_hosts().first() else { panic!("a socket") };
    let url = format!("host={} user=postgres dbname=postgres", socket.display());
    let parameters = Parameters::read(&url).expect("parameters");
    let limits = Limits { statement: Duration::from_secs(2), ..Limits::default() };
    let query = Query::read(sql).expect("one statement");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(explain(&parameters, &limits, &query, mode, false)).map_err(|error| error.to_string())
}

fn rows(server: &Server) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        let row = session.query_one("SELECT count(*) FROM t WHERE a = 'x'", &[]).await.expect("a row");
        session.close().await;
        row.get(0)
    })
}

#[test]
fn a_server_is_asked_and_nothing_is_left_behind() {
    for installation in servers::of_versions(&[15, 18]) {
        let server = Server::start(&installation, &Options::default()).expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let session = server.connect("postgres").await.expect("a session");
            session.batch_execute(TABLE).await.expect("a table");
            session.close().await;
        });
        let planned = run(&server, "SELECT * FROM t WHERE id = 5", ExplainMode::Plan).expect("a plan");
        let plan = plan::read(&planned.text).expect("a plan").remove(0);
        assert!(!plan.is_analyzed() && plan.root().index.as_deref() == Some("t_pkey"), "{}", planned.text);

        let generic = run(&server, "SELECT * FROM t WHERE id = $1 AND a <> $2", ExplainMode::Plan).expect("a plan");
        assert!(generic.text.contains("(id = $1)") && !generic.text.contains("plan_cache_mode"), "{}", generic.text);

        let analyzed = run(&server, "SELECT count(*), touch() FROM t", ExplainMode::Analyze).expect("a plan");
        assert!(plan::read(&analyzed.text).expect("a plan")[0].is_timed());
        assert_eq!(analyzed.volatile_functions, ["public.touch"]);

        // The planner's view of a write needs no right to write.
        run(&server, "UPDATE t SET a = 'y'", ExplainMode::Plan).expect("a plan");
        // What our own reader lets through, the server still refuses.
        for sql in ["UPDATE t SET a = 'y'", "SELECT nextval('s')", "SELECT * FROM t FOR UPDATE"] {
            let error = run(&server, sql, ExplainMode::Analyze).expect_err(sql);
            assert!(error.contains("read-only transaction"), "{error}");
        }
        let written = run(&server, "UPDATE t SET a = 'y'", ExplainMode::AnalyzeWrites).expect("a plan");
        assert!(plan::read(&written.text).expect("a plan")[0].is_timed());
        assert_eq!(rows(&server), 1000);

        let error = run(&server, "SELECT pg_sleep(30)", ExplainMode::Analyze).expect_err("a timeout");
        assert!(error.contains("statement timeout"), "{error}");
    }
}

/// What the planner's settings decide: hashed or not, by index or not, in parallel or not, sorted in memory or not.
const SHAPES: &[&str] = &[
    "SELECT * FROM us WHERE id NOT IN (SELECT cust_id FROM ord WHERE {})",
    "SELECT * FROM ord WHERE {} ORDER BY note",
    "SELECT cust_id, count(*), max(note) FROM ord WHERE {} GROUP BY cust_id",
    "SELECT DISTINCT note FROM ord WHERE {}",
    "SELECT * FROM us JOIN ord ON cust_id = us.id WHERE {}",
    "SELECT * FROM us LEFT JOIN ord ON cust_id = us.id AND {} ORDER BY us.id LIMIT 10",
    "SELECT count(*) FROM ord a JOIN ord USING (note) WHERE {}",
    "WITH w AS MATERIALIZED (SELECT * FROM ord WHERE {}) SELECT * FROM w x JOIN w y USING (cust_id)",
    "SELECT *, rank() OVER (PARTITION BY cust_id ORDER BY note) FROM ord WHERE {}",
    "SELECT * FROM us WHERE EXISTS (SELECT FROM ord WHERE cust_id = us.id AND {})",
];

const CONDITIONS: &[&str] = &[
    "true",
    "ord.amount < 50",
    "ord.amount = 7",
    "ord.note > '5'",
    "ord.placed > '2025-03-01' AND ord.amount BETWEEN 10 AND 500",
];

const ORDERS: &str = "CREATE TABLE us (id int PRIMARY KEY, name text);
    INSERT INTO us SELECT n, 'user ' || n FROM generate_series(1, 20000) n;
    CREATE TABLE ord (id int PRIMARY KEY, cust_id int, amount int, note text, placed timestamptz);
    INSERT INTO ord SELECT n, n % 20000, n % 1000, md5(n::text), '2025-01-01'::timestamptz + n * interval '1 minute'
        FROM generate_series(1, 200000) n;
    CREATE INDEX ON ord (cust_id); CREATE INDEX ON ord (placed); ANALYZE";

/// `pgassay plan --db` shows the plan that the same role gets in psql, with what the server, the database and the role have set.
#[test]
fn a_plan_is_the_one_that_psql_shows() {
    for installation in servers::of_versions(&[15, 18]) {
        let server = Server::start(&installation, &Options::default()).expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connect = || runtime.block_on(server.connect("postgres")).expect("a session");
        let session = connect();
        runtime.block_on(session.batch_execute(ORDERS)).expect("tables");
        for settings in [
            // The server's own.
            "SELECT",
            "ALTER DATABASE postgres SET work_mem = '64kB'; ALTER ROLE postgres SET random_page_cost = 1.1",
            "ALTER DATABASE postgres SET jit_above_cost = 10; ALTER ROLE postgres SET work_mem = '256MB';
             ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE postgres SET parallel_setup_cost = 0;
             ALTER DATABASE postgres SET max_parallel_workers_per_gather = 2; ALTER DATABASE postgres SET jit = on",
        ] {
            runtime.block_on(session.batch_execute(settings)).expect("settings");
            // Of a new session: what was set holds from then on.
            let plain = connect();
            let queries =
                SHAPES.iter().flat_map(|shape| CONDITIONS.iter().map(|condition| shape.replace("{}", condition)));
            for query in queries {
                let lines = runtime.block_on(plain.query(&format!("EXPLAIN (SETTINGS) {query}"), &[])).expect("a plan");
                let lines: Vec<String> = lines.iter().map(|row| row.get(0)).collect();
                let ours = run(&server, &query, ExplainMode::Plan).expect("a plan");
                assert_eq!(ours.text.trim_end(), lines.join("\n"), "{query}");
            }
            runtime.block_on(plain.close());
        }
        runtime.block_on(session.close());
    }
}

/// Runs `pgassay plan --db` on a server; standard output and standard error.
fn plan_on(server: &Server, arguments: &[&str]) -> (String, String) {
    let config = server.config("postgres");
    let Some(tokio_postgres::config::Host::Unix(socket)) = config.get_hosts().first() else { panic!("a socket") };
    let url = format!("host={} user=postgres dbname=postgres", socket.display());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .args(["plan", "--db", &url])
        .args(arguments)
        .output()
        .expect("pgassay runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

const TRADE: &str = "CREATE TABLE orders (id int, customer int, carrier int, state text, note text, tags int[], doc jsonb, shipped timestamptz);
    INSERT INTO orders SELECT n, n % 5000, n % 7000, CASE n % 400 WHEN 0 THEN 'late' ELSE 'done' END, repeat(md5(n::text), 3), ARRAY[n % 3000],
        jsonb_build_object('code', n % 4000), '2025-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 60000) n;
    CREATE TABLE days (id int PRIMARY KEY, day int);
    INSERT INTO days SELECT n, n FROM generate_series(1, 400) n; ANALYZE";

/// Queries for which an index is advised: of a column, an expression, an array, a document, a join, for OR, for the first of an order.
const INDEXED: &[&str] = &[
    "SELECT * FROM orders WHERE customer = 7",
    "SELECT * FROM orders WHERE customer = 7 AND carrier > 6000",
    "SELECT * FROM orders WHERE lower(note) = 'x'",
    "SELECT * FROM orders WHERE tags @> ARRAY[5]",
    "SELECT * FROM orders WHERE doc @> '{\"code\": 5}'",
    "SELECT * FROM orders WHERE doc ->> 'code' = '5'",
    "SELECT * FROM orders WHERE customer = 7 OR carrier = 8",
    "SELECT * FROM orders ORDER BY shipped LIMIT 5",
    "SELECT * FROM orders ORDER BY lower(note) LIMIT 5",
    "SELECT * FROM days JOIN orders ON orders.customer = days.id WHERE days.day = 7",
];

#[test]
fn an_advised_index_is_tried_and_one_that_brings_nothing_is_not_given() {
    // Each takes a twin of its own: all kinds on one version only.
    for (installation, queries) in servers::of_versions(&[15, 18]).into_iter().zip([&INDEXED[..1], INDEXED]) {
        let server = Server::start(&installation, &Options::default()).expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let execute = |sql: &str| {
            runtime.block_on(async {
                let session = server.connect("postgres").await.expect("a session");
                session.batch_execute(sql).await.expect("executed");
                session.close().await;
            });
        };
        execute(TRADE);
        let mut silent = Vec::new();
        for sql in queries {
            let (out, error) = plan_on(&server, &["--analyze", "--format", "json", sql]);
            let plans: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{sql}: {error}"));
            let tips = plans["plans"][0]["tips"].as_array().expect("tips").clone();
            let indexes: Vec<_> = tips.iter().filter(|tip| tip["sql"].to_string().contains("CREATE INDEX")).collect();
            for tip in &indexes {
                let numbers: serde_json::Map<String, serde_json::Value> = match &tip["numbers"] {
                    serde_json::Value::Object(map) => map.clone(),
                    other => panic!("{other}"),
                };
                let cost = |key: &str| numbers.get(key).and_then(serde_json::Value::as_f64);
                let key = |words: &[&str]| numbers.keys().find(|key| words.iter().all(|it| key.contains(it))).cloned();
                let (before, with) = (key(&["cost", "before"]), key(&["cost", "with"]));
                let (before, with) = (before.and_then(|it| cost(&it)), with.and_then(|it| cost(&it)));
                assert!(before > with && with.is_some(), "{sql}: {tip}");
            }
            if indexes.is_empty() {
                silent.push((*sql, error));
            }
        }
        assert!(silent.is_empty(), "no index was advised: {silent:#?}");

        let sql = INDEXED[0];
        let (out, error) = plan_on(&server, &[sql]);
        let told: String = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("the planner uses it, and the cost of the query falls from"), "{told}{error}");

        execute(
            "ALTER DATABASE postgres SET enable_indexscan = off; ALTER DATABASE postgres SET enable_bitmapscan = off",
        );
        let (out, error) = plan_on(&server, &[sql]);
        assert!(!out.contains("CREATE INDEX"), "{out}");
        assert!(error.contains("the index would not be used by the planner"), "{error}");
    }
}
