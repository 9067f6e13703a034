//! Rows by which of their columns are NULL, and references by whether they are met. Counted on the server.

use super::{Bounds, Target, chosen, windows};
use crate::change::Name;
use crate::db::connect::Rows;
use crate::db::{DbError, OWN, Session};
use crate::facts::{NullPattern, NullSample, Reference, ReferenceSample};

/// So many kinds of rows tell enough.
const MOST_PATTERNS: usize = 400;

pub(super) async fn nulls(
    session: &Session,
    target: &Target,
    columns: &[Name],
    state: Option<&Name>,
    bounds: &Bounds,
) -> Result<NullSample, DbError> {
    let flags: Vec<String> = columns.iter().map(|column| format!("({column} IS NULL)::int")).collect();
    let state_text = state.map_or("NULL".to_owned(), |state| {
        format!("CASE WHEN {state} IS NOT NULL THEN left(concat({state}), 100) END")
    });
    let list = format!("concat({}) AS nulls, {state_text}::text AS state", flags.join(", "));
    let chosen = chosen(target, bounds, &windows(target, bounds), &list, "");
    let sql = format!(
        "SELECT {OWN} state, nulls, count(*) FROM ({chosen}) AS sampled GROUP BY state, nulls ORDER BY count(*) DESC LIMIT {MOST_PATTERNS}"
    );
    let mut sample = NullSample { columns: columns.to_vec(), state: state.cloned(), patterns: Vec::new() };
    session
        .each_of_tables("which columns are NULL together", &[Rows::of(&target.table)], &sql, |row| {
            let flags: String = row.get(1)?;
            sample.patterns.push(NullPattern {
                state: row.get(0)?,
                is_null: flags.chars().map(|flag| flag == '1').collect(),
                rows: row.get::<i64>(2)?.max(0) as u64,
            });
            Ok(())
        })
        .await?;
    Ok(sample)
}

/// Each value is looked up through the key of the other table.
pub(super) async fn reference(
    session: &Session,
    target: &Target,
    reference: &Reference,
    bounds: &Bounds,
) -> Result<ReferenceSample, DbError> {
    let Reference { column, referenced, key, .. } = reference;
    let list = format!("{column} AS c");
    let chosen = chosen(target, bounds, &windows(target, bounds), &list, &format!("{column} IS NOT NULL"));
    let sql = format!(
        "WITH {OWN} sampled AS MATERIALIZED ({chosen}) SELECT count(*), \
         count(*) FILTER (WHERE NOT EXISTS (SELECT FROM {referenced} AS other WHERE other.{key} = sampled.c)) FROM sampled"
    );
    let tables = [Rows::using(&target.table, column), Rows::using(referenced, key)];
    let mut sample = ReferenceSample::default();
    session
        .each_of_tables("whether references are met", &tables, &sql, |row| {
            sample =
                ReferenceSample { values: row.get::<i64>(0)?.max(0) as u64, missing: row.get::<i64>(1)?.max(0) as u64 };
            Ok(())
        })
        .await?;
    Ok(sample)
}
