//! Reading a bounded sample of the documents in JSON columns. The only place where rows of tables are read, and only when asked for.
//!
//! In: which columns, with the pages of their tables. Out: [`JsonSamples`]: names of keys, types, counts and sizes. Values stay on
//! the server. The bounds are [`Bounds`]; what does not fit is skipped with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{DbError, Limits, Parameters, Session};
use crate::change::{Name, QualifiedName};
use crate::facts::{Facts, JsonSample, JsonSamples, KeySample};
use crate::schema::{RelationKind, Schema};

/// How much of each column may be read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub rows: u64,
    pub pages: u64,
    /// Bytes of documents as they are stored.
    pub bytes: u64,
    /// Of one document; larger ones are counted, not opened.
    pub document_bytes: u64,
    /// Of one statement.
    pub statement: Duration,
    /// Of the whole sampling.
    pub total: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            rows: 5_000,
            pages: 300,
            bytes: 16_000_000,
            document_bytes: 65_536,
            statement: Duration::from_secs(2),
            total: Duration::from_secs(60),
        }
    }
}

/// A column to sample.
#[derive(Debug, Clone)]
pub struct Target {
    pub table: QualifiedName,
    pub column: Name,
    /// json rather than jsonb.
    pub is_text: bool,
    /// Pages of the table at the moment.
    pub pages: u64,
}

/// Every JSON column of the tables that hold rows, those of the largest tables first. Tables that were locked while the facts were read
/// are left out.
pub fn targets(schema: &Schema, facts: &Facts) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for relation in schema.relations.values().filter(|relation| matches!(relation.kind, RelationKind::Table)) {
        let Some(measured) = facts.relation(&relation.name).filter(|measured| !measured.locked) else { continue };
        let block = u64::from(facts.server.block_size.max(1024));
        let pages = measured.heap_bytes.map_or(measured.pages, |bytes| bytes / block);
        for column in &relation.columns {
            let written = &schema.base_type(&column.data_type).written;
            if written.array_dimensions == 0 && matches!(written.name.as_str(), "json" | "jsonb") {
                let (table, column) = (relation.name.clone(), column.name.clone());
                targets.push(Target { table, column, is_text: written.name == "json", pages });
            }
        }
    }
    let mut leaves: BTreeMap<QualifiedName, Vec<QualifiedName>> = BTreeMap::new();
    for relation in schema.relations.values().filter(|relation| relation.is_partition()) {
        let root = schema
            .parents_closure(relation.id)
            .last()
            .and_then(|id| schema.relation(*id))
            .map(|root| root.name.clone());
        leaves.entry(root.unwrap_or_else(|| relation.name.clone())).or_default().push(relation.name.clone());
    }
    // The first and the last made, and some between: partitions of one table resemble each other.
    let chosen: BTreeSet<QualifiedName> = leaves
        .into_values()
        .flat_map(|all| {
            let step = (all.len() - 1).div_ceil(PARTITIONS - 1).max(1);
            let last = all.last().cloned();
            all.into_iter().step_by(step).chain(last)
        })
        .collect();
    let is_partition = |name: &QualifiedName| schema.relation_at(name).is_some_and(|relation| relation.is_partition());
    targets.retain(|target| !is_partition(&target.table) || chosen.contains(&target.table));
    targets.sort_by_key(|target| std::cmp::Reverse(target.pages));
    targets
}

/// Partitions of one table that are sampled.
const PARTITIONS: usize = 8;

/// Samples columns one after the other, each in a read-only transaction of the session's. The first statement that takes too long ends it:
/// a server that is busy is left alone.
///
/// # Errors
/// [`DbError`] if the connection cannot be made or is lost.
pub async fn sample(parameters: &Parameters, targets: &[Target], bounds: &Bounds) -> Result<JsonSamples, DbError> {
    let limits = Limits { statement: bounds.statement, lock: Duration::from_millis(200), idle: Duration::from_secs(5) };
    let session = Session::open(parameters, &limits).await?;
    let mut samples = JsonSamples::default();
    let started = Instant::now();
    let mut ended: Option<String> = None;
    for target in targets {
        let mut skip = |reason: String| samples.skipped.push((target.table.clone(), target.column.clone(), reason));
        if let Some(reason) = &ended {
            skip(reason.clone());
            continue;
        }
        if started.elapsed() >= bounds.total {
            skip(format!("{} s of sampling were over", bounds.total.as_secs()));
            continue;
        }
        match column(&session, target, bounds).await {
            Ok(sample) => _ = samples.columns.insert((target.table.clone(), target.column.clone()), sample),
            Err(lost @ DbError::Lost { .. }) => return Err(lost),
            Err(error) => {
                // 57014: the statement timeout.
                if matches!(&error, DbError::Query { code, .. } if code == "57014") {
                    ended = Some("a statement before took too long, so the server was left alone".to_owned());
                }
                skip(error.to_string());
            }
        }
    }
    session.close().await;
    Ok(samples)
}

async fn column(session: &Session, target: &Target, bounds: &Bounds) -> Result<JsonSample, DbError> {
    let windows = windows(target, bounds);
    let rows = rows(target, bounds, &windows);
    let mut sample = JsonSample {
        pages: if windows.is_empty() { target.pages } else { windows.iter().map(|(_, pages)| pages).sum() },
        windows: if windows.is_empty() { target.pages.max(1) } else { windows.len() as u64 },
        ..JsonSample::default()
    };
    let number = |value: Option<i64>| value.unwrap_or(0).max(0) as u64;
    let shape = format!(
        "WITH {rows} SELECT count(*), count(*) FILTER (WHERE NOT opened), \
         count(*) FILTER (WHERE jsonb_typeof(j) = 'object'), count(*) FILTER (WHERE jsonb_typeof(j) = 'array'), \
         count(*) FILTER (WHERE jsonb_typeof(j) NOT IN ('object', 'array')), \
         (percentile_disc(0.5) WITHIN GROUP (ORDER BY size))::bigint, (percentile_disc(0.95) WITHIN GROUP (ORDER BY size))::bigint FROM sampled"
    );
    session
        .each_in_savepoint("a sample of documents", &shape, None, |row| {
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
    keys(session, &rows, &mut sample).await?;
    Ok(sample)
}

/// Keys with their types. Strings are only matched against patterns, and values only hashed to count them.
async fn keys(session: &Session, rows: &str, sample: &mut JsonSample) -> Result<(), DbError> {
    const UUID: &str = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";
    const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$";
    let sql = format!(
        "WITH {rows}, entries AS MATERIALIZED (SELECT e.key, jsonb_typeof(e.value) AS kind, e.value #>> '{{}}' AS text, hashtext(e.value::text) AS hash \
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
        .each_in_savepoint("keys of sampled documents", &sql, None, |row| {
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
        "WITH {rows} SELECT k.names, count(*) FROM sampled, LATERAL (SELECT array_agg(key ORDER BY key) AS names FROM jsonb_object_keys(\
         CASE WHEN jsonb_typeof(j) = 'object' THEN j ELSE '{{}}' END) AS key) k WHERE jsonb_typeof(j) = 'object' AND cardinality(k.names) <= 40 \
         GROUP BY k.names ORDER BY count(*) DESC LIMIT 12"
    );
    session
        .each_in_savepoint("sets of keys of sampled documents", &sets, None, |row| {
            sample.key_sets.push((row.get(0)?, whole(row.get(1)?)));
            Ok(())
        })
        .await
}

/// Ranges of pages over the whole table, the same in every run: first page and number. None for a table that is read from its start.
fn windows(target: &Target, bounds: &Bounds) -> Vec<(u64, u64)> {
    if target.pages <= bounds.pages {
        return Vec::new();
    }
    // At least a hundred places, as far as the pages go: rows that were written together resemble each other.
    let number = bounds.pages.min(100);
    let each = (bounds.pages / number).max(1);
    let stride = target.pages / number;
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    (0..number)
        .map(|window| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let jitter = (seed >> 33) % stride.saturating_sub(each).max(1);
            (window * stride + jitter, each)
        })
        .collect()
}

/// `sampled(j, size, opened)`: j is NULL for what is not opened. TID ranges stand as constants, so that each reads its pages only.
fn rows(target: &Target, bounds: &Bounds, windows: &[(u64, u64)]) -> String {
    let column = &target.column;
    let from = |condition: &str| format!("SELECT {column} AS c FROM ONLY {}{condition}", target.table);
    // Every place gives as many rows, or the first ones would give them all.
    let limit = bounds.rows.div_ceil(windows.len().max(1) as u64);
    let chosen = match windows {
        [] => from(""),
        some => some
            .iter()
            .map(|(first, pages)| {
                let range = format!(" WHERE ctid >= '({first},0)' AND ctid < '({},0)' LIMIT {limit}", first + pages);
                format!("({})", from(&range))
            })
            .collect::<Vec<_>>()
            .join(" UNION ALL "),
    };
    let cast = if target.is_text { "::jsonb" } else { "" };
    format!(
        "chosen AS MATERIALIZED (SELECT c, pg_column_size(c)::bigint AS size FROM ({chosen}) AS pages WHERE c IS NOT NULL LIMIT {rows}), \
         measured AS (SELECT c, size, size <= {largest} AND sum(size) OVER (ROWS UNBOUNDED PRECEDING) <= {bytes} AS opened FROM chosen), \
         sampled AS MATERIALIZED (SELECT CASE WHEN opened THEN c{cast} END AS j, size, opened FROM measured)",
        rows = bounds.rows,
        largest = bounds.document_bytes,
        bytes = bounds.bytes,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(pages: u64) -> Target {
        Target { table: QualifiedName::new("public", "t"), column: "c".into(), is_text: false, pages }
    }

    #[test]
    fn never_more_pages_than_the_bound_and_all_of_them_in_the_table() {
        let bounds = Bounds::default();
        assert!(windows(&target(300), &bounds).is_empty());
        for pages in [301, 5_000, 134_217_728] {
            let found = windows(&target(pages), &bounds);
            assert!(found.iter().map(|(_, pages)| pages).sum::<u64>() <= bounds.pages);
            assert!(found.len() >= 100 && found.iter().all(|(first, each)| first + each <= pages));
            assert!(found.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0), "{pages} pages overlap");
        }
    }
}
