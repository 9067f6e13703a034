//! What an audit says of the columns that the hot queries compare: NULL that a condition leaves out, JSON without a shape.

use std::collections::BTreeMap;

use pgassay::audit::audit;
use pgassay::db::{Database, Reading};
use pgassay::facts::{StatementFacts, Workload};
use pgassay::finding::Category;
use pgassay::source::Sources;
use serde::Serialize;

use super::workload::Statement;

/// A finding on a column that a query compares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audited {
    pub column: String,
    pub rule: &'static str,
    pub message: String,
}

impl Audited {
    /// The table of the column.
    pub fn table(&self) -> &str {
        self.column.rsplit_once('.').map_or(&self.column, |(table, _)| table)
    }
}

/// For each statement, the findings on its columns.
pub fn findings(reading: &Reading, statements: &[Statement]) -> Vec<Vec<Audited>> {
    let workload = Workload { statements: statements.iter().map(facts).collect(), ..reading.workload.clone() };
    let mut sources = Sources::default();
    let database = Database::new(Reading { workload, planner: None, ..reading.clone() }, &mut sources);
    let compared = database.columns_compared();
    let report = audit(&database.audit_job(&sources), &sources);
    let mut by_column: BTreeMap<&str, Vec<Audited>> = BTreeMap::new();
    for finding in &report.findings {
        let Some(object) = finding.object.as_deref() else { continue };
        if matches!(finding.category, Category::Nullability | Category::Json) {
            by_column.entry(object).or_default().push(Audited {
                column: object.to_owned(),
                rule: finding.rule.name,
                message: finding.message.clone(),
            });
        }
    }
    let of = |columns: &std::collections::BTreeSet<String>| {
        columns.iter().filter_map(|column| by_column.get(column.as_str())).flatten().cloned().collect()
    };
    compared.iter().map(of).collect()
}

fn facts(statement: &Statement) -> StatementFacts {
    let calls = statement.query.calls;
    let mean = statement.query.mean_milliseconds.unwrap_or(0.0);
    StatementFacts {
        query: statement.query.text.clone(),
        calls: calls as u64,
        mean_milliseconds: mean,
        total_milliseconds: mean * calls,
        rows: (statement.rows.unwrap_or(0.0) * calls) as u64,
        top_level: true,
        ..StatementFacts::default()
    }
}
