//! Constraints that say the same twice.

use std::collections::HashMap;

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{ColumnId, Constraint, ConstraintKind, ForeignKey, Relation};

pub static RULE: Rule = Rule {
    name: "duplicate-constraint",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A table has the same foreign key or CHECK twice",
    explanation: "Every INSERT and UPDATE checks both, and two foreign keys lock the referenced row twice. Whoever changes the one forgets the other. \
        It happens when a migration adds a constraint that a tool had named otherwise. Foreign keys with other actions, or checked at another moment, are not the same; of two that are, the one that is validated stays.",
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
        let mut alike: HashMap<String, Vec<Vec<&Constraint>>> = HashMap::new();
        for constraint in &table.constraints {
            let groups = alike.entry(mark(constraint)).or_default();
            match groups.iter_mut().find(|group| says_the_same(constraint, group[0])) {
                Some(group) => group.push(constraint),
                None => groups.push(vec![constraint]),
            }
        }
        let mut groups: Vec<Vec<&Constraint>> = alike.into_values().flatten().filter(|group| group.len() > 1).collect();
        groups.sort_by(|one, other| one[0].name.cmp(&other[0].name));
        for group in groups {
            // The first of the strictest stays.
            let Some(stays) = group.iter().rev().max_by_key(|constraint| strength(constraint)).copied() else {
                continue;
            };
            let others =
                group.into_iter().filter(|other| other.name != stays.name && is_droppable(context, table, other));
            found.extend(others.map(|other| tell(context, table, other, stays)));
        }
    }
}

fn tell(context: &SchemaContext, table: &Relation, constraint: &Constraint, stays: &Constraint) -> Discovery {
    let difference = match (constraint.enforced, constraint.validated, constraint.no_inherit) {
        (false, ..) if stays.enforced => ", and it is not enforced",
        (_, false, _) if stays.validated => ", and it is not validated",
        (_, _, true) if !stays.no_inherit => ", and tables that inherit do not get it",
        _ => "",
    };
    let message = format!("{} of {} says what {} says", constraint.name, table.name, stays.name);
    context
        .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
        .declared(format!("their definitions are equal{difference}"))
        .related(Subject::Part(table.id, stays.name.clone()), "the one to keep")
        .advice(
            if difference.is_empty() { "Drop one of them:" } else { "Drop the weaker one:" },
            vec![FixStep::own(format!("ALTER TABLE {} DROP CONSTRAINT {};", table.name, constraint.name))],
        )
}

/// What a constraint says of more rows is worth more: of all rows, of new ones, of none; with tables that inherit, or without.
fn strength(constraint: &Constraint) -> (bool, bool, bool) {
    (constraint.enforced, constraint.validated, !constraint.no_inherit)
}

/// One that a parent has too cannot be dropped here.
fn is_droppable(context: &SchemaContext, table: &Relation, constraint: &Constraint) -> bool {
    let mut parents = table.parents.iter().filter_map(|id| context.schema.relation(*id));
    constraint.local && !parents.any(|parent| parent.constraint(&constraint.name).is_some_and(|it| !it.no_inherit))
}

/// The same for constraints that say the same: only those are compared.
fn mark(constraint: &Constraint) -> String {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) => format!("{:?} {:?}", key.referenced, pairs(key)),
        ConstraintKind::Check { expression, .. } => expression.tree.to_string(),
        _ => String::new(),
    }
}

/// Each column with the one that it references; their order says nothing.
fn pairs(key: &ForeignKey) -> Vec<(ColumnId, Option<ColumnId>)> {
    let other = |at: usize| key.referenced_columns.get(at).copied();
    let mut pairs: Vec<_> = key.columns.iter().enumerate().map(|(at, column)| (*column, other(at))).collect();
    pairs.sort();
    pairs
}

/// Whether each refuses and does what the other does, for the rows that both look at. Keys that are equal are told as indexes.
fn says_the_same(one: &Constraint, other: &Constraint) -> bool {
    let same_moment = one.deferrable == other.deferrable && one.initially_deferred == other.initially_deferred;
    match (&one.kind, &other.kind) {
        (ConstraintKind::ForeignKey(one), ConstraintKind::ForeignKey(other)) => {
            let mut set = [one.set_columns.clone(), other.set_columns.clone()];
            set.iter_mut().for_each(|columns| columns.sort());
            same_moment
                && pairs(one) == pairs(other)
                && one.referenced == other.referenced
                // Of one column MATCH FULL says what MATCH SIMPLE says.
                && (one.match_full == other.match_full || one.columns.len() == 1)
                && (one.on_delete, one.on_update) == (other.on_delete, other.on_update)
                && set[0] == set[1]
        }
        (ConstraintKind::Check { expression: one, .. }, ConstraintKind::Check { expression: other, .. }) => {
            same_moment && one == other
        }
        _ => false,
    }
}
