//! Foreign keys between columns of different types.

use super::ask::type_change;
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ResolvedType};

pub static RULE: Rule = Rule {
    name: "foreign-key-type-mismatch",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A foreign key's column has another type than the column that it references",
    explanation: "An integer that references a bigint takes no number beyond 2147483647: the day the other table gets there, INSERTs here fail. Types of different \
        families are compared through a cast, which keeps indexes from being used. A wider column than the one it references is an info.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE refunds (id bigint PRIMARY KEY, order_id integer NOT NULL UNIQUE REFERENCES orders);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL UNIQUE REFERENCES orders);",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for (constraint, key) in table.foreign_keys().filter(|(constraint, _)| constraint.local) {
            let Some(referenced) = context.schema.relation(key.referenced) else { continue };
            for (from, to) in key.columns.iter().zip(&key.referenced_columns) {
                let (Some(from), Some(to)) = (table.column_by_id(*from), referenced.column_by_id(*to)) else {
                    continue;
                };
                // Of a column that nothing in the history made, the type is not known.
                let unknown = |column: &Column| column.data_type.resolved == ResolvedType::Unknown;
                if unknown(from) || unknown(to) {
                    continue;
                }
                let (Some(own), Some(other)) = (context.type_name(from), context.type_name(to)) else { continue };
                let Some(severity) = severity(own, other) else { continue };
                let message = format!(
                    "{}.{} is {} and references {}.{}, which is {}",
                    table.name, from.name, from.data_type.written, referenced.name, to.name, to.data_type.written
                );
                let wanted = &to.data_type.written;
                let narrow = matches!((width(own), width(other)), (Some(own), Some(other)) if own < other);
                let text = if narrow {
                    format!("Give {} the type {wanted} before the numbers of {} outgrow it", from.name, referenced.name)
                } else {
                    format!("Give both columns one type; {wanted} is the one that others reference")
                };
                let change = || type_change::advice(context, table, from, &wanted.to_string());
                let change = (narrow && context.scope.is_none()).then(change).flatten();
                let (how, steps) = change.map(|it| (it.text, it.steps)).unwrap_or_default();
                let advice = if how.is_empty() { format!("{text}.") } else { format!("{text}. {how}") };
                found.push(
                    context
                        .discovery(&RULE, Subject::Column(table.id, from.id), message)
                        .severity(severity)
                        .declared(format!("the columns of foreign key {}", constraint.name))
                        .related(Subject::Column(referenced.id, to.id), "what it references")
                        .advice(advice, steps),
                );
            }
        }
    }
}

fn width(name: &str) -> Option<u8> {
    match name {
        "int2" | "serial2" => Some(2),
        "int4" | "serial4" => Some(4),
        "int8" | "serial8" => Some(8),
        _ => None,
    }
}

fn severity(own: &str, other: &str) -> Option<Severity> {
    let text = |name| matches!(name, "text" | "varchar" | "bpchar");
    match (width(own), width(other)) {
        (Some(own), Some(other)) if own < other => Some(Severity::Warning),
        (Some(own), Some(other)) if own > other => Some(Severity::Info),
        (Some(_), Some(_)) => None,
        // varchar is text underneath; char(n) pads.
        _ if own == other || text(own) && text(other) && own != "bpchar" && other != "bpchar" => None,
        _ => Some(Severity::Warning),
    }
}
