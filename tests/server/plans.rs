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
