//! Asking a live database for the plan of a statement.
//!
//! Nothing runs without ANALYZE. With it, the statement runs in a transaction that is rolled back: a READ ONLY one, unless writing was
//! asked for, so that the server refuses what our own reader did not see.

use tokio_postgres::types::Type;

use super::{DbError, Limits, Parameters, Session, UserCode, rights};
use crate::plan::Query;

/// How to explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// EXPLAIN only.
    #[default]
    Plan,
    /// Runs the statement, which must not write.
    Analyze,
    /// Runs the statement in a transaction that may write, and rolls it back.
    AnalyzeWrites,
}

/// What the server answered.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// The plan in the text format.
    pub text: String,
    /// Volatile functions that the statement calls, with their schema; those that do nothing but return a value are left out. Only
    /// looked for where the statement ran.
    pub volatile_functions: Vec<String>,
    /// What the role has that it does not need for this.
    pub rights: Vec<String>,
}

/// Asks for the plan of a statement. One that may run functions of the database's own while it is planned is refused unless `functions` or
/// it is to be run.
///
/// # Errors
/// [`DbError`], with the server's message where it refused the statement, or it took longer than `limits` say.
pub async fn explain(
    parameters: &Parameters,
    limits: &Limits,
    query: &Query,
    mode: Mode,
    functions: bool,
) -> Result<Explained, DbError> {
    let session = Session::open(parameters, limits).await?;
    let rights = rights::rights(&session).await?;
    if mode == Mode::Plan && !functions {
        let user_code =
            UserCode::read(&session).await.map_err(|error| session.wrong_object("functions", error.to_string()))?;
        if let Some(what) = user_code.in_text(&query.sql) {
            return Err(DbError::UserCode(what));
        }
    }
    let volatile_functions = match mode {
        Mode::Plan => Vec::new(),
        Mode::Analyze | Mode::AnalyzeWrites => volatile_functions(&session, query).await?,
    };
    let begin = session.begin_to_plan(mode == Mode::AnalyzeWrites, true).await;
    begin.map_err(|error| session.error("the start of the transaction", &error))?;
    let text = plan(&session, query, mode).await;
    session.close().await;
    Ok(Explained { text: text?, volatile_functions, rights })
}

/// The statement is sent by itself each time, so that the server takes it for one, or refuses it.
async fn plan(session: &Session, query: &Query, mode: Mode) -> Result<String, DbError> {
    let sql = &query.sql;
    let options = if mode == Mode::Plan { "SETTINGS" } else { "ANALYZE, BUFFERS, SETTINGS" };
    if query.parameters == 0 {
        return lines(session, &format!("EXPLAIN ({options}) {sql}")).await;
    }
    // GENERIC_PLAN (16+) would do the same, but the extended protocol takes its `$1` for one of ours.
    session.run("the statement", "SET LOCAL plan_cache_mode = force_generic_plan").await?;
    session.run("the statement", &format!("PREPARE pgassay_plan AS {sql}")).await?;
    let nulls = vec!["NULL"; query.parameters].join(", ");
    let text = lines(session, &format!("EXPLAIN (SETTINGS) EXECUTE pgassay_plan({nulls})")).await;
    // A prepared statement outlives the transaction, and a pooler would hand it to somebody else.
    session.run("the statement", "ROLLBACK").await?;
    session.run("the statement", "DEALLOCATE pgassay_plan").await?;
    text.map(|text| without_setting(&text, "plan_cache_mode"))
}

async fn lines(session: &Session, sql: &str) -> Result<String, DbError> {
    let mut text = String::new();
    session
        .each("the plan", sql, None, |row| {
            text.push_str(row.get(0)?);
            text.push('\n');
            Ok(())
        })
        .await?;
    Ok(text)
}

/// Functions of pg_catalog that are volatile because they return something else each time.
const HARMLESS: &str = "'random', 'random_normal', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'pg_sleep', 'currval', 'lastval'";

async fn volatile_functions(session: &Session, query: &Query) -> Result<Vec<String>, DbError> {
    if query.functions.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&String> = query.functions.iter().collect();
    let sql = format!(
        "SELECT DISTINCT nspname || '.' || proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
        WHERE provolatile = 'v' AND proname = ANY ($1) AND NOT (nspname = 'pg_catalog' AND proname IN ({HARMLESS})) ORDER BY 1"
    );
    session.ask("the functions", &sql, &[(&names, Type::TEXT_ARRAY)]).await
}

/// What we set for the sake of the plan is no setting of the database's.
fn without_setting(text: &str, name: &str) -> String {
    let lines = text.lines().filter_map(|line| {
        let Some(settings) = line.strip_prefix("Settings: ") else { return Some(line.to_owned()) };
        let kept: Vec<&str> = settings.split(", ").filter(|setting| !setting.starts_with(name)).collect();
        (!kept.is_empty()).then(|| format!("Settings: {}", kept.join(", ")))
    });
    lines.map(|line| line + "\n").collect()
}
