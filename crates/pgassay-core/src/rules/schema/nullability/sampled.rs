//! Reasons that a sample of rows gives: columns of which one is always set, values that a state brings with it.

use super::{Reason, Remedy, declared};
use crate::facts::NullSample;
use crate::finding::{Confidence, Evidence, Severity};
use crate::rules::schema::SchemaContext;
use crate::schema::{Column, Relation};
use crate::text::numbers;
use crate::text::quoting::literal;

/// A rule that holds for this share of the rows is meant.
const HOLDS: f64 = 0.999;

/// Fewer rows show no rule.
const FEWEST_ROWS: u64 = 1000;

/// Rows of one state that show what it brings.
const FEWEST_OF_STATE: u64 = 500;

/// Columns that are held against each other: the subsets of ten are few.
const MOST_COLUMNS: usize = 10;

pub fn reasons(context: &SchemaContext, table: &Relation, reasons: &mut Vec<Reason>) {
    let Some(sample) = context.samples.and_then(|samples| samples.nulls.get(&table.name)) else { return };
    let rows: u64 = sample.patterns.iter().map(|pattern| pattern.rows).sum();
    if rows < FEWEST_ROWS {
        return;
    }
    one_of_several(table, sample, rows, reasons);
    if !context.area(table).is_some_and(|area| area.is_protected()) {
        state_brings_value(table, sample, rows, reasons);
    }
}

fn column<'t>(table: &'t Relation, sample: &NullSample, at: usize) -> Option<&'t Column> {
    table.column(sample.columns.get(at)?).filter(|column| !declared::is_explained(table, column))
}

/// The share of the rows for which something holds.
fn share(sample: &NullSample, rows: u64, holds: impl Fn(&[bool]) -> bool) -> f64 {
    let matching: u64 = sample.patterns.iter().filter(|it| holds(&it.is_null)).map(|it| it.rows).sum();
    matching as f64 / rows as f64
}

/// Exactly one of some columns is set in nearly every row: references to one of several tables, and their like.
fn one_of_several(table: &Relation, sample: &NullSample, rows: u64, reasons: &mut Vec<Reason>) {
    let is_set = |nulls: &[bool], at: usize| nulls.get(at) == Some(&false);
    let usual = |at: &usize| {
        column(table, sample, *at).is_some() && (0.02..=0.98).contains(&share(sample, rows, |nulls| is_set(nulls, *at)))
    };
    let candidates: Vec<usize> = (0..sample.columns.len()).filter(usual).take(MOST_COLUMNS).collect();
    let mut told: Vec<usize> = Vec::new();
    for subset in subsets(&candidates) {
        if subset.iter().any(|at| told.contains(at)) {
            continue;
        }
        let holds = share(sample, rows, |nulls| subset.iter().filter(|at| is_set(nulls, **at)).count() == 1);
        if holds < HOLDS {
            continue;
        }
        let columns: Vec<&Column> = subset.iter().filter_map(|at| column(table, sample, *at)).collect();
        let [first, others @ ..] = &columns[..] else { continue };
        let names = |columns: &[&Column]| columns.iter().map(|it| it.name.to_string()).collect::<Vec<_>>().join(", ");
        told.extend(&subset);
        reasons.push(Reason {
            column: first.id,
            says: format!(
                "is set where {} is not: exactly one of them is, and nothing makes sure of it",
                names(others)
            ),
            evidence: Evidence::measured(of_sample(holds, rows)),
            severity: Severity::Info,
            confidence: Confidence::Medium,
            remedy: Remedy::Say { condition: format!("num_nonnulls({}) = 1", names(&columns)) },
        });
    }
}

/// What a share of a sample says of the table: all of 5,000 rows read are over 99.9 % of all rows (3 / n, with 95 % certainty).
fn of_sample(share: f64, rows: u64) -> String {
    let read = numbers::count(rows as f64);
    if share < 1.0 {
        return format!("{} of {read} rows read", numbers::percent(share));
    }
    format!("all {read} rows read, so over {} of the table", numbers::percent(1.0 - 3.0 / rows.max(4) as f64))
}

/// Subsets of two to four, the largest first: of three columns of which one is set no two are a pair.
fn subsets(of: &[usize]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = (0..1_u32 << of.len())
        .filter(|bits| (2..=4).contains(&bits.count_ones()))
        .map(|bits| of.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, it)| *it).collect())
        .collect();
    found.sort_by_key(|subset| std::cmp::Reverse(subset.len()));
    found
}

/// Rows in some states always have a value that other rows often lack: `paid_at` where the status is paid.
fn state_brings_value(table: &Relation, sample: &NullSample, rows: u64, reasons: &mut Vec<Reason>) {
    let Some(state) = sample.state.as_ref().and_then(|name| table.column(name)) else { return };
    for at in 0..sample.columns.len() {
        let Some(column) = column(table, sample, at).filter(|column| column.id != state.id) else { continue };
        let is_null = |nulls: &[bool]| nulls.get(at) == Some(&true);
        let mut by_state: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
        for pattern in &sample.patterns {
            let Some(value) = &pattern.state else { continue };
            let counts = by_state.entry(value).or_default();
            counts.0 += pattern.rows;
            counts.1 += if is_null(&pattern.is_null) { pattern.rows } else { 0 };
        }
        let filled =
            |(all, nulls): &(u64, u64)| *all >= FEWEST_OF_STATE && (*all - *nulls) as f64 >= HOLDS * *all as f64;
        let always: Vec<&str> = by_state.iter().filter(|(_, counts)| filled(counts)).map(|(value, _)| *value).collect();
        // In the other states it is missing more often than not, so the state is what decides.
        let (mut others, mut missing) = (0, 0);
        for counts in by_state.iter().filter(|(value, _)| !always.contains(value)).map(|(_, counts)| counts) {
            others += counts.0;
            missing += counts.1;
        }
        if always.is_empty() || others == 0 || missing * 2 < others {
            continue;
        }
        let support: u64 = by_state.iter().filter(|(value, _)| always.contains(value)).map(|(_, it)| it.0).sum();
        let list = always.iter().map(|it| literal(it)).collect::<Vec<_>>().join(", ");
        reasons.push(Reason {
            column: column.id,
            says: format!("is always set where {} is {list}, and nothing makes sure of it", state.name),
            evidence: Evidence::measured(format!(
                "{support} of {rows} rows read, all of them; of the others {} have none",
                numbers::percent(missing as f64 / others as f64)
            )),
            severity: Severity::Info,
            confidence: Confidence::Low,
            remedy: Remedy::Say { condition: format!("{} NOT IN ({list}) OR {} IS NOT NULL", state.name, column.name) },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::NullPattern;

    #[test]
    fn the_largest_subsets_come_first_and_none_is_left_out() {
        let found = subsets(&[0, 1, 2, 3, 4]);
        assert_eq!(found.len(), 10 + 10 + 5);
        assert_eq!((found[0].len(), found[24].len()), (4, 2));
    }

    #[test]
    fn shares_are_of_rows_and_not_of_patterns() {
        let pattern = |is_null: &[bool], rows| NullPattern { state: None, is_null: is_null.to_vec(), rows };
        let sample = NullSample {
            columns: vec!["a".into(), "b".into()],
            state: None,
            patterns: vec![pattern(&[true, false], 900), pattern(&[false, false], 100)],
        };
        assert_eq!(share(&sample, 1000, |nulls| nulls[0]), 0.9);
    }
}
