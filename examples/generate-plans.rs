//! Runs tests/plans/cases.sql on every installed server and keeps the plans as JSON and as text: `cargo run --example generate-plans`.
//!
//! Besides, plans as they stand in logs of auto_explain and in the output of psql, where the server comes with psql.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pgassay::shadow::{Installation, Options, Server, Session, installed};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Default)]
struct Case {
    name: String,
    options: String,
    since: u16,
    settings: Vec<String>,
    given: Vec<String>,
    sql: String,
}

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let (setup, cases) = read_cases(&fs::read_to_string(folder.join("cases.sql"))?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for installation in installed(None)? {
        let output = folder.join(installation.major().to_string());
        let _ = fs::remove_dir_all(&output);
        fs::create_dir_all(&output)?;
        runtime.block_on(generate(&installation, &setup, &cases, &output))?;
        println!("{}: {}", installation.version(), output.display());
    }
    Ok(())
}

fn read_cases(text: &str) -> (String, Vec<Case>) {
    let (mut setup, mut cases, mut begun): (_, Vec<Case>, _) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        let directive = line.strip_prefix("-- ").and_then(|rest| rest.split_once(": "));
        match (directive, cases.last_mut()) {
            _ if line == "-- setup" => begun = true,
            (Some(("case", name)), _) => cases.push(Case { name: name.replace(' ', "_"), ..Case::default() }),
            (Some(("options", options)), Some(case)) => case.options = options.to_owned(),
            (Some(("since", major)), Some(case)) => case.since = major.parse().unwrap_or(0),
            (Some(("setting", setting)), Some(case)) => case.settings.push(setting.to_owned()),
            (Some(("given", statement)), Some(case)) => case.given.push(statement.to_owned()),
            (_, Some(case)) => case.sql += &format!("{line}\n"),
            (_, None) if begun => setup += &format!("{line}\n"),
            _ => {}
        }
    }
    for case in &mut cases {
        case.sql = case.sql.trim().trim_end_matches(';').to_owned();
    }
    (setup, cases)
}

async fn generate(installation: &Installation, setup: &str, cases: &[Case], output: &Path) -> Result<()> {
    let logs = tempfile::tempdir_in("/tmp")?;
    fs::set_permissions(logs.path(), fs::Permissions::from_mode(0o777))?;
    let options = Options { settings: settings(installation, logs.path()), ..Options::default() };
    let server = Server::start(installation, &options)?;
    let session = server.connect("postgres").await?;
    let (tables, vacuum) = setup.split_once("VACUUM ANALYZE;").ok_or("setup without VACUUM ANALYZE")?;
    session.batch_execute(tables).await?;
    session.batch_execute("VACUUM ANALYZE").await?;
    session.batch_execute(vacuum).await?;
    foreign_tables(&session).await?;
    for case in cases.iter().filter(|case| installation.major() >= case.since) {
        // The first run warms the cache, so that the two that are kept read alike.
        explain(&session, case, "TEXT").await?;
        fs::write(output.join(format!("{}.txt", case.name)), explain(&session, case, "TEXT").await?)?;
        fs::write(output.join(format!("{}.json", case.name)), explain(&session, case, "JSON").await?)?;
    }
    write_logs(&session, logs.path(), output).await?;
    write_psql(&server, installation, output)
}

fn settings(installation: &Installation, logs: &Path) -> Vec<(String, String)> {
    let destination = if installation.major() >= 15 { "stderr,csvlog,jsonlog" } else { "stderr,csvlog" };
    let logs = logs.display().to_string();
    [
        ("shared_buffers", "256MB"),
        ("max_parallel_workers_per_gather", "0"),
        ("logging_collector", "on"),
        ("log_directory", logs.as_str()),
        ("log_filename", "server.log"),
        ("log_file_mode", "0644"),
        ("log_destination", destination),
        ("log_line_prefix", "%m [%p] %q%u@%d/%a "),
        ("log_min_messages", "log"),
        ("compute_query_id", "on"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

async fn foreign_tables(session: &Session) -> Result<()> {
    let sql = "DO $$ BEGIN
            CREATE EXTENSION postgres_fdw;
            EXECUTE format('CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, dbname %L)',
                current_setting('unix_socket_directories'), 'postgres');
            CREATE USER MAPPING FOR CURRENT_USER SERVER itself;
            CREATE SCHEMA remote;
            IMPORT FOREIGN SCHEMA public LIMIT TO (customers, products) FROM SERVER itself INTO remote;
        END $$";
    Ok(session.batch_execute(sql).await?)
}

async fn explain(session: &Session, case: &Case, format: &str) -> Result<String> {
    session.batch_execute("BEGIN").await?;
    for statement in &case.given {
        session.batch_execute(statement).await?;
    }
    for setting in &case.settings {
        session.batch_execute(&format!("SET LOCAL {setting}")).await?;
    }
    let rows = session.simple_query(&format!("EXPLAIN ({}, FORMAT {format}) {}", case.options, case.sql)).await;
    let rows = rows.map_err(|error| format!("{}: {error:?}", case.name))?;
    session.batch_execute("ROLLBACK; DEALLOCATE ALL").await?;
    let lines = rows.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}

const LOGGED: &str = "SELECT c.city, count(*)\n\tFROM customers c\n\n  JOIN orders o ON o.customer_id = c.id -- a comment\n WHERE o.total > 990\nGROUP BY c.city ORDER BY 2 DESC LIMIT 3;";

/// What auto_explain writes, in each destination of the log, with its plans as text and as JSON.
async fn write_logs(session: &Session, logs: &Path, output: &Path) -> Result<()> {
    for format in ["text", "json"] {
        session
            .batch_execute(&format!(
                "LOAD 'auto_explain'; SET auto_explain.log_format = {format}; SET auto_explain.log_min_duration = 0;
                SET auto_explain.log_analyze = on; SET auto_explain.log_buffers = on; SET auto_explain.log_nested_statements = on;
                SET auto_explain.log_verbose = {}; SET application_name = '{format}'; SET log_error_verbosity = default",
                if format == "json" { "on" } else { "off" },
            ))
            .await?;
        session.batch_execute("SELECT pg_rotate_logfile()").await?;
        session.batch_execute(LOGGED).await?;
        session.query("SELECT id, note FROM orders WHERE id = $1", &[&17i32]).await?;
        session.batch_execute("DO $$ BEGIN PERFORM sum(quantity) FROM items WHERE product_id = 3; RAISE LOG 'done, 100%%'; END $$").await?;
        session.batch_execute("SET auto_explain.log_min_duration = -1").await?;
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    for (name, kept) in [("server.log", "auto_explain.log"), ("server.csv", "auto_explain.csv"), ("server.json", "auto_explain.jsonlog")] {
        let Ok(text) = fs::read_to_string(logs.join(name)) else { continue };
        // What the server said while it started is of no use.
        let start = text.find("duration: ").and_then(|at| text[..at].rfind('\n')).map_or(0, |at| at + 1);
        fs::write(output.join(kept), &text[start..])?;
    }
    Ok(())
}

/// How psql shows a plan; only for servers that come with it.
fn write_psql(server: &Server, installation: &Installation, output: &Path) -> Result<()> {
    let psql = installation.bin().join("psql");
    if !psql.exists() {
        return Ok(());
    }
    let config = server.config("postgres");
    let Some(tokio_postgres::config::Host::Unix(socket)) = config.get_hosts().first() else { return Ok(()) };
    let query = "SELECT status, count(*) FROM orders WHERE total < 5 GROUP BY status";
    let explain = |options: &str| format!("EXPLAIN (ANALYZE, BUFFERS{options}) {query};");
    for (name, settings, sql) in [
        ("psql_text", "\\timing on", explain("")),
        ("psql_json", "", explain(", FORMAT JSON")),
        ("psql_json_border", "\\pset border 2", explain(", FORMAT JSON")),
        ("psql_text_border", "\\pset border 2", explain("")),
        ("psql_text_unicode", "\\pset linestyle unicode", explain("")),
        ("psql_json_unicode", "\\pset linestyle unicode", explain(", FORMAT JSON")),
        ("psql_text_expanded", "\\x", explain("")),
        ("psql_json_expanded", "\\x", explain(", FORMAT JSON")),
        ("psql_json_unaligned", "\\a", explain(", FORMAT JSON")),
        ("psql_yaml", "", explain(", FORMAT YAML")),
        ("psql_xml", "", explain(", FORMAT XML")),
    ] {
        let file: PathBuf = output.join(format!("{name}.txt"));
        let mut child = Command::new(&psql)
            .args(["-X", "-q", "-U", "postgres", "-h"])
            .arg(socket)
            .arg("postgres")
            .stdin(Stdio::piped())
            .stdout(fs::File::create(file)?)
            .spawn()?;
        std::io::Write::write_all(
            &mut child.stdin.take().ok_or("no standard input")?,
            format!("{settings}\n{sql}\n").as_bytes(),
        )?;
        child.wait()?;
    }
    Ok(())
}
