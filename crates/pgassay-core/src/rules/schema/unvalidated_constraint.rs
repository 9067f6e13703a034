//! Constraints that new rows obey and old rows may not.

use sqlparser::ast::Expr;

use super::{Discovery, SchemaContext, ask};
use crate::contract::Subject;
use crate::expression;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Constraint, ConstraintKind, Relation};

pub static RULE: Rule = Rule {
    name: "unvalidated-constraint",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A constraint was added NOT VALID and never validated",
    explanation: "Rows that were there when it was added may break it, and the planner does not rely on it. Adding NOT VALID is the first of two steps: \
        VALIDATE CONSTRAINT reads the table while others work. A constraint that is NOT ENFORCED (18) checks no row at all; it is an info, for that may be meant. A migration is not reported: the second step belongs in a later one.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\nALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total >= 0) NOT VALID;",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\nALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total >= 0) NOT VALID;\n\
            ALTER TABLE orders VALIDATE CONSTRAINT total_is_positive;",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for constraint in table.constraints.iter().filter(|it| it.local && it.enforced && !it.validated) {
            let message = format!("{} of {} is not validated: older rows may break it", constraint.name, table.name);
            found.push(
                context
                    .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
                    .declared("it was added NOT VALID")
                    .advice(
                        "Validate it; where rows break it, that fails and changes nothing:",
                        steps(context, table, constraint),
                    ),
            );
        }
        let ignored = table.constraints.iter().filter(|it| it.local && !it.enforced);
        found.extend(ignored.map(|constraint| not_enforced(context, table, constraint)));
    }
}

/// NOT ENFORCED (18): rows old and new may break it, and the planner does not use it.
fn not_enforced(context: &SchemaContext, table: &Relation, constraint: &Constraint) -> Discovery {
    let message =
        format!("{} of {} is not enforced: no row is checked, not even a new one", constraint.name, table.name);
    context
        .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
        .severity(Severity::Info)
        .confidence(Confidence::High)
        .declared("it is NOT ENFORCED, which only describes what the rows should be")
        .advice(
            "If the rows are meant to obey it, have the server check it; where rows break it, that fails and changes nothing:",
            enforce(context, table, constraint),
        )
}

/// A foreign key is altered, and its rows are read then; a CHECK is made once more (ATExecAlterConstraint, tablecmds.c).
fn enforce(context: &SchemaContext, table: &Relation, constraint: &Constraint) -> Vec<FixStep> {
    let (at, name) = (&table.name, &constraint.name);
    match &constraint.kind {
        ConstraintKind::ForeignKey(_) => {
            vec![FixStep::own(format!("ALTER TABLE {at} ALTER CONSTRAINT {name} ENFORCED;"))]
        }
        ConstraintKind::Check { expression, .. } => {
            let mut steps = ask::steps::check_constraint(context, table, name.as_str(), &expression.text);
            steps.push(FixStep::own(format!("ALTER TABLE {at} DROP CONSTRAINT {name};")));
            steps
        }
        _ => Vec::new(),
    }
}

/// A CHECK that says NOT NULL and no more has then done its work.
fn steps(context: &SchemaContext, table: &Relation, constraint: &Constraint) -> Vec<FixStep> {
    let (at, name) = (&table.name, &constraint.name);
    let mut steps = vec![FixStep::own(format!("ALTER TABLE {at} VALIDATE CONSTRAINT {name};"))];
    if let ConstraintKind::Check { expression, columns } = &constraint.kind
        && let [only] = columns[..]
        && let Some(column) = table.column_by_id(only).filter(|column| context.is_nullable(column))
        && expression::proves_not_null(&expression.tree, &column.name)
    {
        steps.push(FixStep::own(format!("ALTER TABLE {at} ALTER COLUMN {} SET NOT NULL;", column.name)));
        if says_only_not_null(&expression.tree) {
            steps.push(FixStep::own(format!("ALTER TABLE {at} DROP CONSTRAINT {name};")));
        }
    }
    steps
}

fn says_only_not_null(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => says_only_not_null(inner),
        other => matches!(other, Expr::IsNotNull(_)),
    }
}
