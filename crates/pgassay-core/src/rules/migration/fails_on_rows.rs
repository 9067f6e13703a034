//! Statements that fail on the rows that are there.

use crate::change::{AlterTableActionKind, Name};
use crate::effect::{FailsWhen, Failure};
use crate::facts::RelationFacts;
use crate::finding::{Advice, Category, Cause, Evidence, FailureWhen, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule, measured};
use crate::source::Span;
use crate::text::numbers::percent;

pub static FAILS_ON_ROWS: Rule = Rule {
    name: "fails-on-rows",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A statement fails on every table that has a row",
    explanation: "A new NOT NULL column without a default has no value for the rows that are there, so the statement fails as soon as there is one. It \
        works on the empty tables of a test database, and fails in production.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN email text NOT NULL;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN email text NOT NULL DEFAULT '';",
    },
};

pub static MAY_FAIL_ON_ROWS: Rule = Rule {
    name: "may-fail-on-rows",
    category: Category::Failing,
    severity: Severity::Info,
    summary: "A statement fails if some row breaks what it asks for; the finding has the query that finds out",
    explanation: "A new constraint, a NOT NULL, a unique index or a type change is refused when a row does not fit. Run the query of the finding on \
        production before the migration; it returns the rows that would break it.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "CREATE UNIQUE INDEX CONCURRENTLY accounts_email_idx ON accounts (email);",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text);",
        migration: "CREATE INDEX CONCURRENTLY accounts_email_idx ON accounts (email);",
    },
};

pub(super) fn any_row(context: &StepContext, findings: &mut Vec<Finding>) {
    for failure in context.failures().iter().filter(|failure| failure.when == FailsWhen::AnyRow) {
        let filled = is_filled(context, failure);
        if !concerns_shared(context) && !filled {
            continue;
        }
        let mut finding =
            FAILS_ON_ROWS.finding(failure.span, format!("fails if the table has a row: {}", failure.message));
        finding.object = Some(failure.object.clone());
        finding.cause = Some(Cause::Failure { when: FailureWhen::AnyRow });
        match measured::altered(context) {
            Some((now, facts))
                if facts.heap_bytes == Some(0) && !facts.locked && !measured::written_before(context) =>
            {
                finding.severity = Severity::Info;
                finding.evidence.push(Evidence::measured(format!("{} has no page, and so no row", now.name)));
            }
            Some((now, facts)) if facts.row_estimate().is_some_and(|rows| rows >= 1.0) => {
                finding.evidence.push(Evidence::measured(measured::size_of(&now.name, facts)));
            }
            _ if filled => finding.evidence.push(Evidence::declared("an earlier statement puts rows into the table")),
            _ => {
                let fact = "the table existed before this migration, so it may well have rows";
                finding.evidence.push(Evidence::assumed(fact));
            }
        }
        finding.advice = super::advice::value_for_old_rows(context, failure);
        findings.push(finding);
    }
}

pub(super) fn some_row(context: &StepContext, findings: &mut Vec<Finding>) {
    for failure in context.failures() {
        let FailsWhen::SomeRow { query } = &failure.when else { continue };
        if !concerns_shared(context) && !is_filled(context, failure) {
            continue;
        }
        let nulls = measured_nulls(context, failure.span);
        let fails_now = nulls.as_ref().is_some_and(|(share, _)| *share > 0.0) && !measured::written_before(context);
        let when = if fails_now { "on the rows that are there" } else { "if a row breaks it" };
        let mut finding = MAY_FAIL_ON_ROWS.finding(failure.span, format!("fails {when}: {}", failure.message));
        if fails_now {
            finding.severity = Severity::Error;
        }
        finding.object = Some(failure.object.clone());
        finding.cause = Some(Cause::Failure { when: FailureWhen::SomeRow });
        finding.evidence.push(match nulls {
            Some((_, fact)) => Evidence::measured(fact),
            None => Evidence::assumed("it depends on the rows"),
        });
        finding.advice = Advice::steps(
            "Look before the migration runs; this returns rows that would break it.",
            vec![FixStep::any(query.clone())],
        );
        findings.push(finding);
    }
}

/// The share of NULLs in a column that becomes NOT NULL, and the sentence that says it.
fn measured_nulls(context: &StepContext, span: Span) -> Option<(f64, String)> {
    let (now, facts) = measured::altered(context)?;
    let Some(AlterTableActionKind::SetNotNull { column, .. }) = context.action_at(span).map(|action| &action.kind)
    else {
        return None;
    };
    let column = context.step.schema.relation(now.id)?.column(&column.name)?;
    let share = null_share(facts, &now.column_by_id(column.id)?.name)?;
    let as_of = facts.analyzed_at().map(|at| format!(" as of {at}")).unwrap_or_default();
    Some((share, format!("{} of the rows of {} are NULL there{as_of}", percent(share), now.name)))
}

/// As of an ANALYZE that looked at all rows but a tenth of those that there are now.
fn null_share(facts: &RelationFacts, column: &Name) -> Option<f64> {
    let rows = facts.rows.filter(|rows| *rows >= 1.0)?;
    let modified = facts.modified_since_analyze() as f64;
    let column = facts.columns.get(column).filter(|_| modified <= rows * 0.1)?;
    Some(f64::from(column.null_fraction))
}

/// Whether the migration made the table and filled it.
fn is_filled(context: &StepContext, failure: &Failure) -> bool {
    let schema = &context.step.schema;
    let table = failure.object.object().and_then(|name| schema.relation_at(&name).cloned());
    table.is_some_and(|table| context.step.fresh.contains(&table.id) && schema.was_filled(table.id))
}

/// A table of this migration has the rows that this migration put there.
fn concerns_shared(context: &StepContext) -> bool {
    context.shared_locks().any(|lock| lock.mode > crate::catalog::LockMode::RowExclusive)
        || context.shared_work().next().is_some()
}
