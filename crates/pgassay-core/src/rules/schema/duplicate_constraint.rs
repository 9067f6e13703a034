//! Constraints that say the same twice.

use std::collections::HashMap;

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Constraint, ConstraintKind};

pub static RULE: Rule = Rule {
    name: "duplicate-constraint",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A table has the same foreign key or CHECK twice",
    explanation: "Every INSERT and UPDATE checks both, and two foreign keys lock the referenced row twice. Whoever changes the one forgets the other. \
        It happens when a migration adds a constraint that a tool had named otherwise.",
    fires: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint UNIQUE NOT NULL REFERENCES customers);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD CONSTRAINT fk_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
    },
    quiet: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint UNIQUE NOT NULL REFERENCES customers, payer_id bigint UNIQUE NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD CONSTRAINT fk_payer FOREIGN KEY (payer_id) REFERENCES customers NOT VALID;",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let mut earlier: HashMap<String, Vec<&Constraint>> = HashMap::new();
        for constraint in &table.constraints {
            let alike = earlier.entry(mark(constraint)).or_default();
            let first = alike.iter().copied().find(|other| says_the_same(constraint, other));
            if first.is_none() {
                alike.push(constraint);
            }
            let Some(first) = first.filter(|_| constraint.local) else { continue };
            let message = format!("{} of {} says what {} says", constraint.name, table.name, first.name);
            found.push(
                context
                    .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
                    .declared("their definitions are equal")
                    .related(Subject::Part(table.id, first.name.clone()), "the first one")
                    .advice(
                        "Drop one of them:",
                        vec![FixStep::own(format!("ALTER TABLE {} DROP CONSTRAINT {};", table.name, constraint.name))],
                    ),
            );
        }
    }
}

/// The same for constraints that say the same: only those are compared.
fn mark(constraint: &Constraint) -> String {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) => format!("{:?} {:?}", key.referenced, key.columns),
        ConstraintKind::Check { expression, .. } => expression.tree.to_string(),
        _ => String::new(),
    }
}

/// Keys that are equal are told as indexes.
fn says_the_same(one: &Constraint, other: &Constraint) -> bool {
    match (&one.kind, &other.kind) {
        (ConstraintKind::ForeignKey(one), ConstraintKind::ForeignKey(other)) => {
            one.columns == other.columns
                && one.referenced == other.referenced
                && one.referenced_columns == other.referenced_columns
        }
        (ConstraintKind::Check { expression: one, .. }, ConstraintKind::Check { expression: other, .. }) => {
            one == other
        }
        _ => false,
    }
}
