//! Charts of a database: sizes, NULLs, use of indexes, and how far keys have counted.

use crate::facts::Facts;
use crate::report::charts::{Bar, Chart};
use crate::rules::schema::SchemaContext;
use crate::schema::NotNull;
use crate::text::numbers;

/// Bars of a chart.
const MOST: usize = 15;

pub fn charts(context: &SchemaContext) -> Vec<Chart> {
    let Some(facts) = context.facts else { return Vec::new() };
    let all = [sizes(facts), nullability(context), indexes(facts), sequences(facts)];
    all.into_iter().filter(|chart| !chart.bars.is_empty()).collect()
}

fn sizes(facts: &Facts) -> Chart {
    let mut bars: Vec<Bar> = facts
        .relations
        .iter()
        .filter_map(|(name, relation)| {
            let parts = [relation.heap_bytes?, relation.index_bytes.unwrap_or(0), relation.toast_bytes.unwrap_or(0)];
            let total: u64 = parts.iter().sum();
            (total > 0).then(|| Bar {
                name: name.to_string(),
                parts: parts.iter().map(|bytes| *bytes as f64).collect(),
                value: numbers::bytes(total),
            })
        })
        .collect();
    longest_first(&mut bars);
    Chart { title: "Largest tables".to_owned(), parts: vec!["rows", "indexes", "TOAST"], bars, full: None }
}

fn longest_first(bars: &mut Vec<Bar>) {
    let total = |bar: &Bar| bar.parts.iter().sum::<f64>();
    bars.sort_by(|one, other| total(other).total_cmp(&total(one)).then(one.name.cmp(&other.name)));
    bars.truncate(MOST);
}

/// Columns of the tables with the most that are never NULL and could be.
fn nullability(context: &SchemaContext) -> Chart {
    let mut bars: Vec<Bar> = Vec::new();
    for table in context.any_tables() {
        let (mut required, mut sometimes, mut never) = (0, 0, 0);
        for column in &table.columns {
            match (column.not_null != NotNull::No, context.null_share(table, column)) {
                (true, _) => required += 1,
                (false, Some(0.0)) => never += 1,
                (false, Some(_)) => sometimes += 1,
                (false, None) => {}
            }
        }
        if never > 0 {
            bars.push(Bar {
                name: table.name.to_string(),
                parts: vec![f64::from(required), f64::from(sometimes), f64::from(never)],
                value: format!("{never} of {}", required + sometimes + never),
            });
        }
    }
    bars.sort_by(|one, other| other.parts[2].total_cmp(&one.parts[2]).then(one.name.cmp(&other.name)));
    bars.truncate(MOST);
    Chart {
        title: "Columns that may be NULL, and never are".to_owned(),
        parts: vec!["NOT NULL", "sometimes NULL", "never NULL, and could be"],
        bars,
        full: None,
    }
}

fn indexes(facts: &Facts) -> Chart {
    let of = |index: &crate::facts::IndexFacts| Some((index.bytes?, index.scans?));
    let mut bars: Vec<Bar> = facts
        .indexes
        .iter()
        .filter_map(|(name, index)| {
            let (bytes, scans) = of(index).filter(|(bytes, _)| *bytes > 0)?;
            let used = scans > 0;
            Some(Bar {
                name: name.to_string(),
                parts: if used { vec![bytes as f64] } else { vec![0.0, 0.0, bytes as f64] },
                value: format!("{}, {}×", numbers::bytes(bytes), numbers::count(scans as f64)),
            })
        })
        .collect();
    longest_first(&mut bars);
    Chart {
        title: "Largest indexes, and how often they were used".to_owned(),
        parts: vec!["used", "", "never used since counting began"],
        bars,
        full: None,
    }
}

fn sequences(facts: &Facts) -> Chart {
    let mut bars: Vec<Bar> = facts
        .sequences
        .iter()
        .filter(|(_, sequence)| sequence.increment > 0 && !sequence.cycle)
        .filter_map(|(name, sequence)| {
            let used = sequence.last_value? as f64 / sequence.max_value.max(1) as f64;
            (used >= 0.01).then(|| Bar {
                name: name.to_string(),
                parts: if used >= 0.75 { vec![0.0, 0.0, 0.0, used] } else { vec![used] },
                value: numbers::percent(used),
            })
        })
        .collect();
    longest_first(&mut bars);
    Chart {
        title: "Sequences: how much of their numbers is used".to_owned(),
        parts: vec!["used"],
        bars,
        full: Some(1.0),
    }
}
