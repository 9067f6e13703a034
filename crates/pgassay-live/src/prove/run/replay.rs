//! The application's queries on the schema before and after each migration.
//!
//! In: queries, and the shadow at a moment. Out: which of them work: can be prepared, planned, and, if they write, run with
//! made-up values. What worked before with some values is run with the same values after.

use std::collections::{BTreeMap, BTreeSet};

use super::Runner;
use crate::prove::clients::prepare::{self, Form, NAME, Way};
use crate::prove::clients::probe::Probe;
use crate::prove::clients::queries::Query;
use crate::prove::rows::value::{self, Kind};
use crate::prove::{ProveError, rows};
use crate::shadow::ServerError;
use crate::text::quoting::literal;

/// Rows in the tables that the queries touch.
const ROWS: usize = 5;
/// Values tried until a write works.
const TRIES: usize = 12;
/// Values of one query that are kept.
const MOST_RUNS: usize = 60;

/// A query that works, and how.
#[derive(Debug, Clone)]
pub(in crate::prove) struct Working {
    pub form: Form,
    /// `schema.table` of what the plan touches.
    pub tables: Vec<String>,
    writes: bool,
    /// Values with which it ran.
    pub runs: Vec<Run>,
    /// Why a write ran with none, as the server said first.
    pub refused: Option<ServerError>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::prove) struct Run {
    values: Vec<String>,
    /// Without triggers and foreign keys: their rows could not be made up.
    as_replica: bool,
}

/// What became of a query.
pub(super) type Outcome = Result<Working, ServerError>;

/// Keys of the schema: by the name that a refusal has, what the key demands. Of these, rows that are made up may break one by chance.
#[derive(Debug, Default)]
pub(in crate::prove) struct Keys(BTreeMap<String, BTreeSet<String>>);

impl Keys {
    pub async fn read(runner: &Runner) -> Result<Keys, ProveError> {
        let sql = "SELECT conname::text, pg_catalog.concat_ws(' ', conrelid, conkey, confrelid, confkey, conexclop,
                          pg_catalog.pg_get_expr(conbin, conrelid))
                     FROM pg_catalog.pg_constraint WHERE contype IN ('f', 'x') AND conrelid <> 0
                   UNION ALL
                   SELECT c.relname::text, pg_catalog.concat_ws(' ', i.indrelid, i.indkey, i.indclass,
                          pg_catalog.pg_get_expr(i.indexprs, i.indrelid), pg_catalog.pg_get_expr(i.indpred, i.indrelid))
                     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indisunique";
        let mut keys = Keys::default();
        for row in runner.rows(sql).await? {
            if let [Some(name), Some(demand)] = &row[..] {
                keys.0.entry(name.clone()).or_default().insert(demand.clone());
            }
        }
        Ok(keys)
    }

    /// Whether the refusal is that of a key that was there before as it is: then it is for the rows, and says nothing of the migration.
    fn is_old(&self, before: &Keys, error: &ServerError) -> bool {
        let is_key = matches!(error.code.as_str(), "23503" | "23505" | "23P01");
        let demands = error.constraint.as_ref().and_then(|name| Some((self.0.get(name)?, before.0.get(name)?)));
        is_key && demands.is_some_and(|(now, then)| now.is_subset(then))
    }
}

/// Tries every query on the schema as it is.
pub(in crate::prove) async fn learn(runner: &Runner, queries: &[&Query]) -> Result<Vec<Outcome>, ProveError> {
    let probe = Probe::begin(runner).await?;
    let mut outcomes = Vec::new();
    for query in queries {
        outcomes.push(plan(&probe, &query.text).await?);
    }
    let mut tables: Vec<String> = Vec::new();
    for table in outcomes.iter().flatten().flat_map(|working| &working.tables) {
        if !tables.contains(table) {
            tables.push(table.clone());
        }
    }
    rows::fill(&probe, &tables, rows::Rows::from_one(ROWS)).await?;
    for working in outcomes.iter_mut().flatten().filter(|working| working.writes) {
        (working.runs, working.refused) = runs(&probe, working).await?;
    }
    probe.end().await?;
    Ok(outcomes)
}

/// Tries what worked before; the error tells why it does no longer.
pub(in crate::prove) async fn again(
    runner: &Runner,
    before: &[&Working],
    (keys_before, keys): (&Keys, &Keys),
) -> Result<Vec<Option<ServerError>>, ProveError> {
    let probe = Probe::begin(runner).await?;
    let mut errors = Vec::new();
    for working in before {
        let mut error = prepare::prepare(&probe, &working.form).await?;
        if error.is_none() {
            error = explain(&probe, &working.form).await?.err();
        }
        prepare::forget(&probe, &working.form).await?;
        errors.push(error);
    }
    let mut tables: Vec<String> = Vec::new();
    for table in before.iter().flat_map(|working| &working.tables) {
        if !tables.contains(table) {
            tables.push(table.clone());
        }
    }
    let filled = rows::fill(&probe, &tables, rows::Rows::from_one(ROWS)).await?;
    for (working, error) in before.iter().zip(&mut errors).filter(|(_, error)| error.is_none()) {
        prepare::prepare(&probe, &working.form).await?;
        for run in &working.runs {
            let refused = execute(&probe, run).await?.err();
            // Without rows to refer to, a key is refused for our own fault.
            *error = refused.filter(|refused| {
                !keys.is_old(keys_before, refused) && (filled.failed.is_empty() || refused.code != "23503")
            });
            if error.is_some() {
                break;
            }
        }
        prepare::forget(&probe, &working.form).await?;
    }
    probe.end().await?;
    Ok(errors)
}

async fn plan(probe: &Probe<'_>, text: &str) -> Result<Outcome, ProveError> {
    let form = match prepare::find(probe, text).await? {
        Ok(form) => form,
        Err(error) => return Ok(Err(error)),
    };
    let explained = explain(probe, &form).await?;
    prepare::forget(probe, &form).await?;
    Ok(explained.map(|plan| Working {
        form,
        tables: plan.tables,
        writes: plan.writes,
        runs: Vec::new(),
        refused: None,
    }))
}

struct Plan {
    tables: Vec<String>,
    writes: bool,
}

/// Plans the prepared statement: an ON CONFLICT target without an index is refused here only.
async fn explain(probe: &Probe<'_>, form: &Form) -> Result<Result<Plan, ServerError>, ProveError> {
    let mut plan = Plan { tables: Vec::new(), writes: false };
    if form.way != Way::Prepare {
        return Ok(Ok(plan));
    }
    let values = match form.declared.len() {
        0 => String::new(),
        count => format!("({})", vec!["NULL"; count].join(", ")),
    };
    // A generic plan does not fold the NULLs.
    let generic = "SET LOCAL plan_cache_mode = force_generic_plan";
    probe.keep(generic).await?;
    let sql = format!("EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) EXECUTE {NAME}{values}");
    if let Some(error) = probe.keep(&sql).await? {
        return Ok(Err(error));
    }
    let text: String = probe.runner().rows(&sql).await?.into_iter().flatten().flatten().collect();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    walk(&json, &mut plan);
    Ok(Ok(plan))
}

fn walk(json: &serde_json::Value, plan: &mut Plan) {
    match json {
        serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, plan)),
        serde_json::Value::Object(fields) => {
            if let (Some(schema), Some(name)) = (text(fields, "Schema"), text(fields, "Relation Name")) {
                let quoted = |part: &str| crate::prove::server::ground::quote(part);
                let plain = |part: &str| {
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                };
                let part = |part: &str| if plain(part) { part.to_owned() } else { quoted(part) };
                plan.tables.push(format!("{}.{}", part(schema), part(name)));
            }
            plan.writes |= text(fields, "Node Type") == Some("ModifyTable");
            fields.values().for_each(|value| walk(value, plan));
        }
        _ => {}
    }
}

fn text<'j>(fields: &'j serde_json::Map<String, serde_json::Value>, key: &str) -> Option<&'j str> {
    fields.get(key)?.as_str()
}

/// Values with which the query runs: the first that work, and from there every label of an enum and every value that a
/// check of its tables names.
async fn runs(probe: &Probe<'_>, working: &Working) -> Result<(Vec<Run>, Option<ServerError>), ProveError> {
    if let Some(error) = prepare::prepare(probe, &working.form).await? {
        return Ok((Vec::new(), Some(error)));
    }
    let types = prepare::types(probe).await?;
    let mut choices = Vec::new();
    for name in &types {
        choices.push(Choices::of(probe, name).await?);
    }
    let words = checked_words(probe, &working.tables).await?;
    let mut found = Vec::new();
    let (first, mut refused) = first_run(probe, &choices, &words).await?;
    if let Some(first) = first {
        refused = None;
        found = variations(&first, &choices, &words);
        found.truncate(MOST_RUNS);
        let mut working_runs = vec![first];
        for run in found {
            if execute(probe, &run).await?.is_ok() {
                working_runs.push(run);
            }
        }
        found = working_runs;
    }
    prepare::forget(probe, &working.form).await?;
    Ok((found, refused))
}

/// What can stand for a parameter.
struct Choices {
    /// Those of a row that is not there.
    values: Vec<String>,
    /// Those of a row that is.
    existing: Vec<String>,
    labels: Vec<String>,
    is_text: bool,
}

impl Choices {
    async fn of(probe: &Probe<'_>, name: &str) -> Result<Choices, ProveError> {
        let sql = format!(
            "SELECT pg_catalog.format_type(t.oid, NULL), t.typtype, t.typcategory,
                    (SELECT pg_catalog.string_agg(e.enumlabel, E'\\x01' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
               FROM pg_catalog.pg_type t WHERE t.oid = {}::regtype",
            literal(name)
        );
        let row = probe
            .runner()
            .rows(&sql)
            .await?
            .into_iter()
            .next()
            .and_then(|row| <[Option<String>; 4]>::try_from(row).ok());
        let Some([Some(base), Some(kind), Some(category), labels]) = row else {
            let null = || vec!["NULL".to_owned()];
            return Ok(Choices { values: null(), existing: null(), labels: Vec::new(), is_text: false });
        };
        let labels: Vec<String> =
            labels.map(|text| text.split('\u{1}').map(str::to_owned).collect()).unwrap_or_default();
        let is_text = category == "S";
        let kind =
            Kind { full: base.clone(), base, is_enum: kind == "e", category, modifier: -1, labels: labels.clone() };
        let values = value::candidates(&kind, "", "", "1001").all;
        let existing = value::candidates(&kind, "", "", "1").all;
        Ok(Choices { values, existing, labels, is_text })
    }
}

/// The values that meet a row, else some that are taken; else the first refusal.
async fn first_run(
    probe: &Probe<'_>,
    choices: &[Choices],
    words: &[String],
) -> Result<(Option<Run>, Option<ServerError>), ProveError> {
    let first = |values: &Vec<String>| values.first().cloned().unwrap_or_else(|| "NULL".to_owned());
    let value = |choice: &Choices| first(&choice.values);
    let existing = |choice: &Choices| first(&choice.existing);
    let mut tries: Vec<Vec<String>> = Vec::new();
    tries.push(choices.iter().map(existing).collect());
    tries.push(choices.iter().map(value).collect());
    // A new row that refers to one that is there.
    for at in 0..choices.len() {
        let mixed = |(place, choice): (usize, &Choices)| if place == at { value(choice) } else { existing(choice) };
        tries.push(choices.iter().enumerate().map(mixed).collect());
    }
    for word in words.iter().take(TRIES) {
        let one = |choice: &Choices| if choice.is_text { literal(word) } else { existing(choice) };
        tries.push(choices.iter().map(one).collect());
        // One text at a time, where the others are free.
        for at in choices.iter().enumerate().filter(|(_, choice)| choice.is_text).map(|(at, _)| at) {
            let mut values: Vec<String> = choices.iter().map(existing).collect();
            values[at] = literal(word);
            tries.push(values);
        }
    }
    // One that meets no row is accepted whatever it writes, and shows little.
    let mut without_rows = None;
    let mut refused = None;
    for as_replica in [false, true] {
        for values in tries.iter().take(TRIES * 3) {
            let run = Run { values: values.clone(), as_replica };
            match execute(probe, &run).await? {
                Ok(0) => without_rows = without_rows.or(Some(run)),
                Ok(_) => return Ok((Some(run), None)),
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        if without_rows.is_some() {
            break;
        }
    }
    Ok((without_rows, refused))
}

fn variations(first: &Run, choices: &[Choices], words: &[String]) -> Vec<Run> {
    let mut found = Vec::new();
    for (at, choice) in choices.iter().enumerate() {
        let texts = if choice.is_text { words } else { &choice.labels[..] };
        for text in texts {
            let mut run = first.clone();
            run.values[at] = literal(text);
            if run != *first {
                found.push(run);
            }
        }
    }
    found
}

/// The string literals in the checks of the tables.
async fn checked_words(probe: &Probe<'_>, tables: &[String]) -> Result<Vec<String>, ProveError> {
    let mut words = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
              WHERE contype = 'c' AND conrelid = pg_catalog.to_regclass({})",
            literal(table)
        );
        for text in probe.runner().rows(&sql).await?.into_iter().flatten().flatten() {
            words.extend(value::texts(&text));
        }
    }
    words.dedup();
    Ok(words)
}

/// Runs the prepared statement with these values, and undoes it; the rows that it met.
async fn execute(probe: &Probe<'_>, run: &Run) -> Result<Result<u64, ServerError>, ProveError> {
    let values = match run.values.is_empty() {
        true => String::new(),
        false => format!("({})", run.values.join(", ")),
    };
    let role = if run.as_replica { "SET LOCAL session_replication_role = replica; " } else { "" };
    probe.rows(&format!("{role}EXECUTE {NAME}{values}")).await
}
