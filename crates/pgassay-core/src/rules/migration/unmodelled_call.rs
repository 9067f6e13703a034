//! Functions of Timescale, Citus, pg_partman and PostGIS whose work is not modelled.

use crate::change::PrintedName;
use crate::effect::unmodelled_calls;
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "unmodelled-call",
    category: Category::Blocking,
    severity: Severity::Warning,
    summary: "A function of an extension locks, rewrites or drops what pgassay does not model",
    explanation: "create_hypertable, create_distributed_table, create_parent, AddGeometryColumn and their kin change tables as DDL does, by code that is not \
        in the history: what they lock, rewrite and drop is not predicted, and nothing is said to fail that they may have changed. The list \
        is in docs/effects.md. A call on a table that the same migration makes is no finding, for nobody waits for that.",
    fires: Example {
        given: "CREATE EXTENSION timescaledb;\nCREATE TABLE reading (taken timestamptz NOT NULL, celsius float8);",
        migration: "SELECT create_hypertable('reading', 'taken', migrate_data => true);",
    },
    quiet: Example {
        given: "CREATE EXTENSION timescaledb;",
        migration: "CREATE TABLE reading (taken timestamptz PRIMARY KEY, celsius float8);\nSELECT create_hypertable('reading', 'taken');",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(change) = context.change() else { return };
    for call in unmodelled_calls(change, &context.step.schema, &context.step.session) {
        let table = call.table.as_deref();
        if table.is_some_and(|table| !context.step.is_shared(Some(table.id))) {
            continue;
        }
        let function = call.function;
        let message =
            format!("{} of {} {}: what it does is not modelled here", function.name, function.extension, function.does);
        let mut finding = RULE.finding(context.step.span(), message);
        if function.loses_rows {
            finding.category = Category::DataLoss;
        }
        finding.object = table.map(|table| PrintedName::from(&table.name));
        finding.evidence.push(Evidence::assumed(format!("the documentation of {}", function.extension)));
        finding.advice = Advice::text(
            "Try it on a copy that has as many rows, with a client beside it. Set lock_timeout before it, and give it a migration of its own.",
        );
        findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_lists_every_function() {
        let page = include_str!("../../../../../docs/effects.md");
        for function in crate::catalog::UNMODELLED {
            assert!(page.contains(&format!("`{}`", function.name)), "docs/effects.md does not list {}", function.name);
        }
    }
}
