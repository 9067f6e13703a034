//! TRUNCATE, and DELETE of everything.

use sqlparser::ast::{Expr, Value};

use crate::change::{Change, ObjectName, PrintedName};
use crate::effect::WorkKind;
use crate::finding::{Advice, Category, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "removed-rows",
    category: Category::DataLoss,
    severity: Severity::Error,
    summary: "TRUNCATE, or DELETE without an effective WHERE, on a table that existed before",
    explanation: "All rows are gone once the transaction commits. TRUNCATE … CASCADE empties every table that refers to it as well. If the rows \
        are meant to go, say so with an allow comment; if the table is only a cache or a queue, put it into the configuration.",
    fires: Example {
        given: "CREATE TABLE sessions (id bigint PRIMARY KEY);",
        migration: "DELETE FROM sessions WHERE true;",
    },
    quiet: Example {
        given: "CREATE TABLE sessions (id bigint PRIMARY KEY, expires_at timestamptz);",
        migration: "DELETE FROM sessions WHERE expires_at < '2020-01-01';",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    match context.change() {
        Some(Change::Truncate(truncate)) => {
            for (table, _) in &truncate.tables {
                report(context, table, "empties", findings);
            }
        }
        Some(Change::Delete(delete)) if removes_all(context) => {
            report(context, &delete.table, "deletes every row of", findings)
        }
        _ => {}
    }
}

fn report(context: &StepContext, table: &ObjectName, verb: &str, findings: &mut Vec<Finding>) {
    let relation = context.step.schema.find_relation(table, &context.step.session).map(|relation| relation.id);
    if !context.step.is_shared(relation) {
        return;
    }
    let name = context.step.schema.qualify(table, &context.step.session);
    let mut finding = RULE.finding(table.span, format!("{verb} {name}"));
    finding.object = Some(PrintedName::from(&name));
    finding
        .evidence
        .push(context.evidence_for(relation, "the table existed before this migration, and nothing limits the rows"));
    let others: Vec<&str> = context
        .shared_work()
        .filter(|work| work.kind == WorkKind::Rewrite && work.relation.is_some() && work.relation != relation)
        .map(|work| &*work.name)
        .collect();
    if !others.is_empty() && matches!(context.change(), Some(Change::Truncate(truncate)) if truncate.cascade) {
        finding.message.push_str(&format!(", and by CASCADE also {}", others.join(", ")));
    }
    finding.advice = Advice::text("Keep a copy of the rows, or limit the statement to those that are meant to go.");
    findings.push(finding);
}

/// DELETE without WHERE, or with one that is always true.
pub(super) fn removes_all(context: &StepContext) -> bool {
    let Some(Change::Delete(delete)) = context.change() else { return false };
    let limited_by_join = !delete.uses.is_empty();
    match &delete.predicate {
        None => !limited_by_join,
        Some(condition) => always_true(&condition.tree),
    }
}

fn always_true(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => always_true(inner),
        Expr::Value(value) => matches!(value.value, Value::Boolean(true)),
        Expr::BinaryOp { left, right, op: sqlparser::ast::BinaryOperator::Eq } => {
            matches!(&**left, Expr::Value(_)) && left.to_string() == right.to_string()
        }
        Expr::BinaryOp { left, right, op: sqlparser::ast::BinaryOperator::Or } => {
            always_true(left) || always_true(right)
        }
        Expr::BinaryOp { left, right, op: sqlparser::ast::BinaryOperator::And } => {
            always_true(left) && always_true(right)
        }
        _ => false,
    }
}
