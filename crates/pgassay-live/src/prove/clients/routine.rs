//! Functions and triggers that a migration breaks: PostgreSQL does not note what their text needs.
//!
//! In: the shadow before and after. Out: what worked and no longer does, with the server's error.

use std::collections::BTreeMap;

use super::call;
use super::probe::Probe;
use crate::prove::run::Runner;
use crate::prove::{ProveError, rows};
use crate::shadow::ServerError;

/// Rows for triggers to run on.
const ROWS: usize = 2;

/// What can be tried: by its name, the server's error or none.
pub(in crate::prove) type State = BTreeMap<String, Option<String>>;

/// What worked before and does not after.
pub(in crate::prove) fn broken(before: &State, after: &State) -> Vec<(String, String)> {
    let worked = |name: &&String| matches!(before.get(*name), Some(None));
    let error = |name: &String| after.get(name).and_then(Clone::clone).map(|error| (name.clone(), error));
    after.keys().filter(worked).filter_map(error).collect()
}

/// Checks the text of every function in SQL, as CREATE FUNCTION does, and calls those in PL/pgSQL: their text is looked at only when
/// it runs.
pub(in crate::prove) async fn functions(runner: &Runner, tables: &[String]) -> Result<State, ProveError> {
    let mut state = checked(runner).await?;
    // What a function does outside of the database is not undone: none is called on a server of others.
    if !runner.is_foreign {
        state.extend(call::functions(runner, tables).await?);
    }
    Ok(state)
}

async fn checked(runner: &Runner) -> Result<State, ProveError> {
    let sql = "SELECT p.oid, p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc p
                 JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                WHERE l.lanname = 'sql' AND n.nspname !~ '^(pg_|information_schema$)'
                  AND p.prosrc NOT LIKE '%/* pgassay */'
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')";
    let rows = runner.rows(sql).await?;
    let mut state = State::new();
    if rows.is_empty() {
        return Ok(state);
    }
    let probe = Probe::begin(runner).await?;
    for row in rows {
        let [Some(oid), Some(name)] = &row[..] else { continue };
        let error = probe.run(&format!("SELECT pg_catalog.fmgr_sql_validator({oid})")).await?;
        state.insert(name.clone(), error.map(|error| error.to_string()));
    }
    probe.end().await?;
    Ok(state)
}

/// What a text brings about, whichever values it is given: names and types that are not there or do not fit (class 42), an end without
/// RETURN (class 2F), an answer that is none of a trigger's (class 39), what the server does not do (class 0A).
pub(super) fn is_of_the_text(code: &str) -> bool {
    code != "42501" && ["42", "2F", "39", "0A"].iter().any(|class| code.starts_with(class))
}

/// What a trigger's own text brings about, another table's column that it does not fill, and a trigger that runs itself without end.
/// That made-up rows break a key or a check says nothing of it.
fn is_broken(error: &ServerError, table: &str) -> bool {
    let own = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    match error.code.as_str() {
        "23502" => !error.message.contains(&format!("of relation \"{own}\"")),
        "54001" => true,
        code => is_of_the_text(code),
    }
}

/// The writes that are tried, as messages name them.
const INSERT: &str = "INSERT into";
const UPDATE: &str = "UPDATE of";
const DELETE: &str = "DELETE from";

/// Writes to each of the tables that has a trigger, on made-up rows; one without has no trigger to break it.
pub(in crate::prove) async fn triggers(runner: &Runner, tables: &[String]) -> Result<State, ProveError> {
    let mut state = State::new();
    let mut with_triggers = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = pg_catalog.to_regclass({0}) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
                AND EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = a.attrelid AND NOT t.tgisinternal) ORDER BY a.attnum",
            crate::text::quoting::literal(table)
        );
        let columns: Vec<String> = runner.rows(&sql).await?.into_iter().flatten().flatten().collect();
        match columns.first() {
            Some(first) => with_triggers.push((table.clone(), first.clone(), columns.join(", "))),
            None => state.extend([INSERT, UPDATE, DELETE].map(|verb| (format!("{verb} {table}"), None))),
        }
    }
    if with_triggers.is_empty() {
        return Ok(state);
    }
    let probe = Probe::begin(runner).await?;
    let names: Vec<String> = with_triggers.iter().map(|(table, ..)| table.clone()).collect();
    rows::fill(&probe, &names, rows::Rows::from_one(ROWS)).await?;
    for (table, first, columns) in with_triggers {
        let writes = [
            (INSERT, format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} ON CONFLICT DO NOTHING")),
            (UPDATE, format!("UPDATE {table} SET {first} = {first}")),
            (DELETE, format!("DELETE FROM {table}")),
        ];
        for (verb, sql) in writes {
            let error = probe.run(&sql).await?.filter(|error| is_broken(error, &table));
            state.insert(format!("{verb} {table}"), error.map(|error| error.to_string()));
        }
    }
    probe.end().await?;
    Ok(state)
}
