//! Reading a bounded sample of rows. The only place where rows of tables are read, and only when asked for.
//!
//! In: what to look at, with the pages of its table. Out: [`Samples`]: of documents names of keys, types, counts and sizes; of columns
//! which are NULL together; of references how many are met. Values stay on the server, but for the names of states. The bounds are
//! [`Bounds`]; what does not fit is skipped with the reason.

mod documents;
mod rows;
mod targets;

pub use targets::{Target, What, targets};

use std::time::{Duration, Instant};

use super::{DbError, Limits, Parameters, Session};
use crate::facts::Samples;

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

/// Samples one thing after the other in a read-only transaction. The first statement that takes too long ends it:
/// a server that is busy is left alone.
///
/// # Errors
/// [`DbError`] if the connection cannot be made or is lost.
pub async fn sample(parameters: &Parameters, targets: &[Target], bounds: &Bounds) -> Result<Samples, DbError> {
    let limits = Limits { statement: bounds.statement, lock: Duration::from_millis(200), idle: Duration::from_secs(5) };
    let session = Session::open(parameters, &limits).await?;
    session.read_committed().await?;
    let mut samples = Samples::default();
    let started = Instant::now();
    let mut ended: Option<String> = None;
    for target in targets {
        let mut skip = |reason: String| samples.skipped.push((target.to_string(), reason));
        if let Some(reason) = &ended {
            skip(reason.clone());
            continue;
        }
        if started.elapsed() >= bounds.total {
            skip(format!("{} s of sampling were over", bounds.total.as_secs()));
            continue;
        }
        match one(&session, target, bounds, &mut samples).await {
            Ok(()) => {}
            Err(lost @ DbError::Lost { .. }) => return Err(lost),
            Err(error) => {
                // 57014: the statement timeout.
                if matches!(&error, DbError::Query { code, .. } if code == "57014") {
                    ended = Some("a statement before took too long, so the server was left alone".to_owned());
                }
                samples.skipped.push((target.to_string(), error.to_string()));
            }
        }
    }
    session.close().await;
    Ok(samples)
}

async fn one(session: &Session, target: &Target, bounds: &Bounds, samples: &mut Samples) -> Result<(), DbError> {
    match &target.what {
        What::Documents { column, is_text } => {
            let sample = documents::sample(session, target, column, *is_text, bounds).await?;
            samples.columns.insert((target.table.clone(), column.clone()), sample);
        }
        What::Nulls { columns, state } => {
            let sample = rows::nulls(session, target, columns, state.as_ref(), bounds).await?;
            samples.nulls.insert(target.table.clone(), sample);
        }
        What::Reference(reference) => {
            let sample = rows::reference(session, target, reference, bounds).await?;
            samples.references.insert((target.table.clone(), reference.column.clone()), sample);
        }
    }
    Ok(())
}

/// Ranges of pages over the whole table, the same in every run: first page and number. Of a table with no more pages than the bound
/// every page is one: its rows may be more than the bound, and the first of them are the oldest.
fn windows(target: &Target, bounds: &Bounds) -> Vec<(u64, u64)> {
    if target.pages <= bounds.pages {
        return (0..target.pages).map(|page| (page, 1)).collect();
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

/// A query for some columns of rows from all over the table. TID ranges stand as constants, so that each reads its pages only.
fn chosen(target: &Target, bounds: &Bounds, windows: &[(u64, u64)], list: &str, condition: &str) -> String {
    // Every place gives as many rows, or the first ones would give them all; together no more than the bound.
    let places = windows.len().max(1) as u64;
    let limit = |at: u64| bounds.rows * (at + 1) / places - bounds.rows * at / places;
    let from = |at: usize, range: &str| {
        let limit = limit(at as u64);
        let conditions: Vec<&str> = [range, condition].into_iter().filter(|it| !it.is_empty()).collect();
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        format!("(SELECT {list} FROM ONLY {}{filter} LIMIT {limit})", target.table)
    };
    match windows {
        [] => from(0, ""),
        some => some
            .iter()
            .enumerate()
            .map(|(at, (first, pages))| from(at, &format!("ctid >= '({first},0)' AND ctid < '({},0)'", first + pages)))
            .collect::<Vec<_>>()
            .join(" UNION ALL "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::QualifiedName;

    fn target(pages: u64) -> Target {
        Target {
            table: QualifiedName::new("public", "t"),
            what: What::Documents { column: "c".into(), is_text: false },
            pages,
        }
    }

    #[test]
    fn never_more_pages_than_the_bound_and_all_of_them_in_the_table() {
        let bounds = Bounds::default();
        assert!(windows(&target(0), &bounds).is_empty());
        assert_eq!(windows(&target(3), &bounds), [(0, 1), (1, 1), (2, 1)]);
        assert_eq!(windows(&target(300), &bounds).len(), 300);
        for pages in [301, 5_000, 134_217_728] {
            let found = windows(&target(pages), &bounds);
            assert!(found.iter().map(|(_, pages)| pages).sum::<u64>() <= bounds.pages);
            assert!(found.len() >= 100 && found.iter().all(|(first, each)| first + each <= pages));
            assert!(found.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0), "{pages} pages overlap");
        }
    }
}
