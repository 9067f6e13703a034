//! Documents in JSON columns: names of keys, types, counts and sizes.

use super::{Bounds, Target, chosen, windows};
use crate::change::Name;
use crate::db::connect::Rows;
use crate::db::{DbError, OWN, Session};
use crate::facts::{JsonSample, KeySample};

/// What the documents of one column are like.
pub(super) async fn sample(
    session: &Session,
    target: &Target,
    column: &Name,
    is_text: bool,
    bounds: &Bounds,
) -> Result<JsonSample, DbError> {
    let tables = [Rows::using(&target.table, column)];
    let windows = windows(target, bounds);
    let rows = rows(target, column, is_text, bounds, &windows);
    let mut sample = JsonSample {
        pages: windows.iter().map(|(_, pages)| pages).sum::<u64>().max(1),
        windows: windows.len().max(1) as u64,
        ..JsonSample::default()
    };
    let number = |value: Option<i64>| value.unwrap_or(0).max(0) as u64;
    let shape = format!(
        "WITH {OWN} {rows} SELECT count(*), count(*) FILTER (WHERE NOT opened), \
         count(*) FILTER (WHERE jsonb_typeof(j) = 'object'), count(*) FILTER (WHERE jsonb_typeof(j) = 'array'), \
         count(*) FILTER (WHERE jsonb_typeof(j) NOT IN ('object', 'array')), \
         (percentile_disc(0.5) WITHIN GROUP (ORDER BY size))::bigint, (percentile_disc(0.95) WITHIN GROUP (ORDER BY size))::bigint FROM sampled"
    );
    session
        .each_of_tables("a sample of documents", &tables, &shape, |row| {
            sample.rows = number(row.get(0)?);
            sample.unopened = number(row.get(1)?);
            sample.objects = number(row.get(2)?);
            sample.arrays = number(row.get(3)?);
            sample.scalars = number(row.get(4)?);
            sample.median_bytes = number(row.get(5)?);
            sample.p95_bytes = number(row.get(6)?);
            Ok(())
        })
        .await?;
    if sample.objects == 0 {
        return Ok(sample);
    }
    keys(session, &tables, &rows, &mut sample).await?;
    Ok(sample)
}

/// Keys with their types. Strings are only matched against patterns, and values only hashed to count them.
async fn keys(session: &Session, tables: &[Rows], rows: &str, sample: &mut JsonSample) -> Result<(), DbError> {
    const UUID: &str = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";
    const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$";
    let sql = format!(
        "WITH {OWN} {rows}, entries AS MATERIALIZED (SELECT e.key, jsonb_typeof(e.value) AS kind, e.value #>> '{{}}' AS text, hashtext(e.value::text) AS hash \
         FROM sampled, LATERAL jsonb_each(CASE WHEN jsonb_typeof(j) = 'object' THEN j ELSE '{{}}' END) e), \
         kinds AS (SELECT key, count(*) AS n, mode() WITHIN GROUP (ORDER BY kind) AS kind, count(DISTINCT hash) AS different FROM entries GROUP BY key) \
         SELECT kinds.key, kinds.n, kinds.kind, count(*) FILTER (WHERE entries.kind = kinds.kind), kinds.different, \
         count(*) FILTER (WHERE entries.kind = 'string' AND text ~ '{UUID}'), count(*) FILTER (WHERE entries.kind = 'string' AND text ~ '^-?[0-9]+$'), \
         count(*) FILTER (WHERE entries.kind = 'string' AND text ~ '{DATE}'), count(*) FILTER (WHERE entries.kind = 'number' AND text ~ '^-?[0-9]{{1,18}}$'), \
         count(*) OVER (), (sum(kinds.n) FILTER (WHERE kinds.n < {rare}) OVER ())::bigint, (sum(kinds.n) OVER ())::bigint \
         FROM kinds JOIN entries USING (key) GROUP BY kinds.key, kinds.n, kinds.kind, kinds.different ORDER BY kinds.n DESC, kinds.key LIMIT 60",
        rare = sample.objects.div_ceil(100),
    );
    let whole = |value: Option<i64>| value.unwrap_or(0).max(0) as u64;
    session
        .each_of_tables("keys of sampled documents", tables, &sql, |row| {
            sample.keys.push(KeySample {
                name: row.get(0)?,
                count: whole(row.get(1)?),
                type_name: row.get::<Option<String>>(2)?.unwrap_or_default(),
                type_count: whole(row.get(3)?),
                distinct: whole(row.get(4)?),
                uuids: whole(row.get(5)?),
                integers: whole(row.get(6)?),
                dates: whole(row.get(7)?),
                whole_numbers: whole(row.get(8)?),
            });
            sample.distinct_keys = whole(row.get(9)?);
            let all = whole(row.get(11)?).max(1);
            sample.rare_share = whole(row.get(10)?) as f64 / all as f64;
            Ok(())
        })
        .await?;
    let sets = format!(
        "WITH {OWN} {rows} SELECT k.names, count(*) FROM sampled, LATERAL (SELECT array_agg(key ORDER BY key) AS names FROM jsonb_object_keys(\
         CASE WHEN jsonb_typeof(j) = 'object' THEN j ELSE '{{}}' END) AS key) k WHERE jsonb_typeof(j) = 'object' AND cardinality(k.names) <= 40 \
         GROUP BY k.names ORDER BY count(*) DESC LIMIT 12"
    );
    session
        .each_of_tables("sets of keys of sampled documents", tables, &sets, |row| {
            sample.key_sets.push((row.get(0)?, whole(row.get(1)?)));
            Ok(())
        })
        .await
}

/// `sampled(j, size, opened)`: j is NULL for what is not opened. What the budget of bytes leaves unopened is spread over the table too.
fn rows(target: &Target, column: &Name, is_text: bool, bounds: &Bounds, windows: &[(u64, u64)]) -> String {
    let chosen =
        chosen(target, bounds, windows, &format!("{column} AS c, ctid AS place"), &format!("{column} IS NOT NULL"));
    let cast = if is_text { "::jsonb" } else { "" };
    format!(
        "chosen AS MATERIALIZED (SELECT c, pg_column_size(c)::bigint AS size, hashtext(place::text) AS spread FROM ({chosen}) AS pages WHERE c IS NOT NULL), \
         measured AS (SELECT c, size, size <= {largest} AND sum(size) OVER (ORDER BY spread ROWS UNBOUNDED PRECEDING) <= {bytes} AS opened FROM chosen), \
         sampled AS MATERIALIZED (SELECT CASE WHEN opened THEN c{cast} END AS j, size, opened FROM measured)",
        largest = bounds.document_bytes,
        bytes = bounds.bytes,
    )
}
