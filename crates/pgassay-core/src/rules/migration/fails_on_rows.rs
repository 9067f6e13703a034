//! Statements that fail on the rows that are there.

use crate::effect::FailsWhen;
use crate::finding::{Advice, Category, Evidence, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Check, Example, Rule};

pub const FAILS_ON_ROWS: Rule = Rule {
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
    check: Check::Step(any_row),
};

pub const MAY_FAIL_ON_ROWS: Rule = Rule {
    name: "may-fail-on-rows",
    category: Category::Failing,
    severity: Severity::Info,
    summary: "A statement fails if some row breaks what it asks for; the finding has the query that tells",
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
    check: Check::Step(some_row),
};

fn any_row(context: &StepContext, findings: &mut Vec<Finding>) {
    for failure in context.failures().iter().filter(|failure| failure.when == FailsWhen::AnyRow) {
        if !concerns_shared(context) {
            continue;
        }
        let mut finding =
            FAILS_ON_ROWS.finding(failure.span, format!("fails if the table has a row: {}", failure.message));
        finding.object = Some(failure.object.clone());
        finding.evidence.push(Evidence::assumed("the table existed before this migration, so it may well have rows"));
        finding.advice = super::advice::value_for_old_rows(context, failure);
        findings.push(finding);
    }
}

fn some_row(context: &StepContext, findings: &mut Vec<Finding>) {
    for failure in context.failures() {
        let FailsWhen::SomeRow { query } = &failure.when else { continue };
        if !concerns_shared(context) {
            continue;
        }
        let mut finding =
            MAY_FAIL_ON_ROWS.finding(failure.span, format!("fails if a row breaks it: {}", failure.message));
        finding.object = Some(failure.object.clone());
        finding.evidence.push(Evidence::assumed("only the rows can tell"));
        finding.advice = Advice::steps(
            "Look before the migration runs; this returns rows that would break it.",
            vec![FixStep::any(query.clone())],
        );
        findings.push(finding);
    }
}

/// A table of this migration has the rows that this migration put there.
fn concerns_shared(context: &StepContext) -> bool {
    context.shared_locks().any(|lock| lock.mode > crate::catalog::LockMode::RowExclusive)
        || context.shared_work().next().is_some()
}
