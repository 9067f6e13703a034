//! Calling the functions in PL/pgSQL with made-up arguments: the names in their text are only looked up when a statement of it runs.
//!
//! In: the shadow at a moment. Out: for each function, the server's error if it is about what the text names; an error that the
//! values or the rows bring about says nothing.

use std::collections::BTreeMap;

use super::probe::Probe;
use super::routine::{self, State};
use crate::prove::rows::value::{self, Kind};
use crate::prove::run::Runner;
use crate::prove::{ProveError, rows};

/// More functions than these are not called.
const MOST: usize = 300;

/// Rows for loops to run over.
const ROWS: usize = 2;

/// A function that takes longer is not called again.
const LIMIT: &str = "500ms";

/// What is asked of a type.
const TYPE: &str = "pg_catalog.format_type(b.oid, NULL), pg_catalog.format_type(t.oid, NULL), b.typtype, b.typcategory,
    (SELECT pg_catalog.string_agg(e.enumlabel, E'\\x01' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid)";

/// Calls all of them, each undone.
pub(super) async fn functions(runner: &Runner, tables: &[String]) -> Result<State, ProveError> {
    let mut state = State::new();
    let functions = all(runner).await?;
    if functions.is_empty() {
        return Ok(state);
    }
    let values = values(runner).await?;
    let probe = Probe::begin(runner).await?;
    rows::fill(&probe, tables, rows::Rows::from_one(ROWS)).await?;
    probe.keep(&format!("SET LOCAL statement_timeout = '{LIMIT}'")).await?;
    for function in functions {
        let Some(call) = function.call(&values) else { continue };
        if runner.slow.borrow().contains(&function.signature) {
            continue;
        }
        let error = probe.run(&call).await?;
        // query_canceled.
        if error.as_ref().is_some_and(|error| error.code == "57014") {
            runner.slow.borrow_mut().insert(function.signature);
            continue;
        }
        let broken = error.filter(|error| routine::is_of_the_text(&error.code));
        state.insert(function.signature, broken.map(|error| error.to_string()));
    }
    probe.end().await?;
    Ok(state)
}

struct Function {
    /// As regprocedure prints it.
    signature: String,
    name: String,
    is_procedure: bool,
    /// Object identifiers of its inputs' types.
    types: Vec<String>,
}

impl Function {
    /// `None` where a value cannot be made up for an argument.
    fn call(&self, values: &BTreeMap<String, String>) -> Option<String> {
        let arguments: Option<Vec<&str>> = self.types.iter().map(|oid| values.get(oid).map(String::as_str)).collect();
        let arguments = arguments?.join(", ");
        Some(match self.is_procedure {
            true => format!("CALL {}({arguments})", self.name),
            false => format!("SELECT * FROM {}({arguments}) AS f", self.name),
        })
    }
}

async fn all(runner: &Runner) -> Result<Vec<Function>, ProveError> {
    let sql = format!(
        "SELECT p.oid::pg_catalog.regprocedure::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname),
                p.prokind, p.proargtypes
           FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          WHERE l.lanname = 'plpgsql' AND p.prokind IN ('f', 'p') AND p.provariadic = 0
            AND p.prorettype NOT IN ('trigger'::pg_catalog.regtype, 'event_trigger'::pg_catalog.regtype)
            AND NOT (p.prorettype = 'record'::pg_catalog.regtype AND p.proargmodes IS NULL)
            AND n.nspname !~ '^(pg_|information_schema$)'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
          ORDER BY p.oid LIMIT {MOST}"
    );
    let read = |row: Vec<Option<String>>| {
        let [signature, name, kind, types]: [Option<String>; 4] = row.try_into().ok()?;
        let types = types?.split_whitespace().map(str::to_owned).collect();
        Some(Function { signature: signature?, name: name?, is_procedure: kind? == "p", types })
    };
    Ok(runner.rows(&sql).await?.into_iter().filter_map(read).collect())
}

/// A value for each type that a function in PL/pgSQL takes, by the type's object identifier.
async fn values(runner: &Runner) -> Result<BTreeMap<String, String>, ProveError> {
    let sql = format!(
        "SELECT DISTINCT t.oid, {TYPE}
           FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
          CROSS JOIN pg_catalog.unnest(p.proargtypes) AS a(oid)
           JOIN pg_catalog.pg_type t ON t.oid = a.oid
           JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
          WHERE l.lanname = 'plpgsql' AND b.typtype <> 'p'"
    );
    let read = |row: Vec<Option<String>>| {
        let [oid, base, full, kind, category, labels]: [Option<String>; 6] = row.try_into().ok()?;
        let labels = labels.map(|text| text.split('\u{1}').map(str::to_owned).collect()).unwrap_or_default();
        let kind = Kind { base: base?, full: full?, is_enum: kind? == "e", category: category?, modifier: -1, labels };
        Some((oid?, value::candidates(&kind, "", "", "1").all.into_iter().next()?))
    };
    Ok(runner.rows(&sql).await?.into_iter().filter_map(read).collect())
}
