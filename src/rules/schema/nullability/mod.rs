//! Columns that may be NULL while nobody can say what NULL means there.
//!
//! Signals come from four places: what is declared, what statistics measure, what a sample of rows shows, what queries do. One column gets
//! one finding with all its reasons.

mod declared;
mod habits;
mod measured;
mod sampled;

use std::collections::BTreeMap;

use super::{Discovery, Needs, SchemaContext, keys, steps};
use crate::contract::Subject;
use crate::finding::{Advice, Category, Confidence, Evidence, FixStep, Severity};
use crate::rules::{Check, Example, Rule};
use crate::schema::{Column, ColumnId, Relation, RelationId};

pub const RULE: Rule = Rule {
    name: "ambiguous-null",
    category: Category::Nullability,
    severity: Severity::Warning,
    summary: "A column may be NULL, and nothing says what NULL means there",
    explanation: "NULL is neither true nor false: NOT paid leaves out rows where paid is NULL, x <> 'done' too, NOT IN with one NULL finds nothing, a unique key takes NULLs as different, \
        and a foreign key with one NULL column checks nothing. Where a value is always there, NOT NULL says so and protects every reader; where it is optional, \
        one way to say so is enough. Told are, by declaration: a boolean with three states, a default beside NULL, a foreign key that is always set or not said to be optional, \
        keys and foreign keys of several columns with a nullable one, a CHECK that already proves NOT NULL, a column that is NOT NULL in the other tables. By statistics: \
        never NULL in a large sample, '' or a sentinel beside NULL, an empty document beside NULL. By the workload: conditions and expressions that silently leave out NULL, or take away what an outer join added. By a sample of rows (audit --sample): \
        columns of which exactly one is set, values that come with a state. A column whose NULLs a CHECK speaks of is explained. \
        One column has one finding with all its reasons; a migration has one finding a table.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE invoices (id bigint PRIMARY KEY, note text, paid boolean DEFAULT false);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE invoices (id bigint PRIMARY KEY, note text, paid boolean NOT NULL DEFAULT false);",
    },
    check: Check::Schema(check, Needs::Schema),
};

/// One reason to think about a column's NULLs.
pub(super) struct Reason {
    pub column: ColumnId,
    /// As the message has it, behind the column's name: "is never NULL".
    pub says: String,
    pub evidence: Evidence,
    pub severity: Severity,
    pub confidence: Confidence,
    pub remedy: Remedy,
}

/// What to do about it; of several the first counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remedy {
    /// A CHECK proves it: SET NOT NULL needs no scan.
    Proved { check: String },
    /// One of two ways to say "nothing" has to go.
    OneSpelling { value: String },
    /// All columns of the foreign key, or none.
    WholeForeignKey,
    /// NULLs are equal in the unique key, or there are none.
    WholeKey { index: RelationId },
    /// A second unique index for the rows without a value: NULLs are never equal before 15.
    SecondKey { sql: String },
    /// A CHECK that says when it is there.
    Say { condition: String },
    /// NOT NULL, after old rows have this value where any is NULL.
    Require { fill: Option<String> },
    /// The queries have to say what they mean.
    Rewrite { how: String },
    /// A table of its own, or none.
    MoveAway,
}

fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let mut columns: BTreeMap<(RelationId, ColumnId), Vec<Reason>> = BTreeMap::new();
    let drift = declared::Drift::of(context);
    let habits = habits::Habits::of(context);
    for table in context.any_tables() {
        let mut reasons = Vec::new();
        declared::reasons(context, table, &drift, &mut reasons);
        measured::reasons(context, table, &mut reasons);
        sampled::reasons(context, table, &mut reasons);
        habits.reasons(context, table, &mut reasons);
        reasons.retain(|reason| {
            let asks_for_a_value = matches!(reason.remedy, Remedy::Require { .. });
            !(asks_for_a_value && table.column_by_id(reason.column).is_some_and(|it| declared::is_explained(table, it)))
        });
        for reason in reasons {
            columns.entry((table.id, reason.column)).or_default().push(reason);
        }
    }
    for ((table, column), reasons) in columns {
        let Some(table) = context.schema.relation(table) else { continue };
        let Some(column) = table.column_by_id(column) else { continue };
        if let Some(discovery) = merge(context, table, column, reasons) {
            found.push(discovery);
        }
    }
}

/// The strongest reason leads; all are told.
fn merge(context: &SchemaContext, table: &Relation, column: &Column, mut reasons: Vec<Reason>) -> Option<Discovery> {
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.severity, reason.confidence)));
    let first = reasons.first()?;
    let mut severity = first.severity;
    let confidence = reasons.iter().map(|reason| reason.confidence).max()?;
    let protected = context.area(table).is_some_and(|area| area.is_protected());
    if protected && confidence >= Confidence::Medium {
        severity = severity.max(Severity::Warning);
    }
    let mut says: Vec<&str> = reasons.iter().map(|reason| reason.says.as_str()).collect();
    // Said by another reason already, with more.
    if says.iter().any(|it| it.contains(declared::NO_ROW_IS_NULL) || *it == declared::ALWAYS_SET) {
        says.retain(|it| *it != measured::NEVER_NULL);
    }
    let message = format!("{}.{} {}", table.name, column.name, says.join("; "));
    let remedy = reasons.iter().map(|reason| &reason.remedy).min()?;
    let advice = advice(context, table, column, remedy);
    let mut discovery = context
        .discovery(&RULE, Subject::Column(table.id, column.id), message)
        .severity(severity)
        .confidence(confidence)
        .advice(advice.text, advice.steps);
    if context.scope.is_some() {
        discovery = discovery.grouped(
            format!("{} leaves open what NULL means:", table.name),
            format!("{} ({})", column.name, says.join("; ")),
        );
    }
    for reason in &reasons {
        if !discovery.finding.evidence.contains(&reason.evidence) {
            discovery.finding.evidence.push(reason.evidence.clone());
        }
    }
    Some(discovery)
}

fn advice(context: &SchemaContext, table: &Relation, column: &Column, remedy: &Remedy) -> Advice {
    let name = &table.name;
    match remedy {
        Remedy::Proved { check } => Advice::steps(
            format!(
                "{check} already proves it: SET NOT NULL takes an instant, and says it to the planner and to every reader."
            ),
            vec![FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {} SET NOT NULL;", column.name))],
        ),
        Remedy::OneSpelling { value } => {
            let batch = format!(
                "UPDATE {name} SET {0} = NULL WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} WHERE {0} = {value} LIMIT 5000));",
                column.name
            );
            let mut steps =
                steps::check_constraint(context, table, column.name.as_str(), &format!("{} <> {value}", column.name));
            steps.insert(1, FixStep::own(batch));
            Advice::steps(
                format!(
                    "Choose one way to say that there is no value. For NULL, once no writer stores {value} (repeat the UPDATE until it changes no row):"
                ),
                steps,
            )
        }
        Remedy::WholeForeignKey => Advice::text(
            "Make every column of the foreign key NOT NULL, or declare it MATCH FULL, so that it is set as a whole or not at all.",
        ),
        // A new key simply says so.
        Remedy::WholeKey { .. } if context.scope.is_some() => {
            Advice::text("Write NULLS NOT DISTINCT behind UNIQUE, or NOT NULL at the column")
        }
        Remedy::SecondKey { .. } if context.scope.is_some() => {
            Advice::text("Make the column NOT NULL, or add a unique index on the others WHERE it IS NULL")
        }
        Remedy::SecondKey { sql } => Advice::steps(
            "Keep the rows without a value apart too (rows that are there twice have to go first), or require the column:",
            vec![FixStep::none(sql.clone())],
        ),
        Remedy::WholeKey { index } => Advice::steps(
            "Say that NULLs are equal (rows that are then there twice have to go first), or require the column:",
            equal_nulls(context, table, *index),
        ),
        Remedy::Say { condition } => Advice::steps(
            "If that is so by design, say it, without a long lock:",
            steps::check_constraint(context, table, column.name.as_str(), condition),
        ),
        Remedy::Require { fill } => {
            let steps = steps::not_null(context, table, &column.name, fill.as_deref());
            let text = match fill {
                Some(_) => {
                    "Require a value (put the right one into the UPDATE). New rows first, then the old ones (repeat the UPDATE until it changes no row), then the column itself:"
                }
                None => "Require a value, without a long lock:",
            };
            // A new column or table simply says so.
            if context.scope.is_some() {
                return Advice::text(
                    "Write NOT NULL where a value is always there, and say what NULL means where it is not",
                );
            }
            Advice::steps(text, steps)
        }
        Remedy::Rewrite { how } => Advice::text(how.clone()),
        Remedy::MoveAway => Advice::text(
            "If nothing reads it any more, drop it; if few rows have it, a table of its own with a foreign key to this one says who has it.",
        ),
    }
}

/// A unique key put in another's place, for which NULLs are equal.
fn equal_nulls(context: &SchemaContext, table: &Relation, key: RelationId) -> Vec<FixStep> {
    let Some((old, index)) = context.schema.relation(key).and_then(|old| Some((old, old.as_index()?))) else {
        return Vec::new();
    };
    let Some(columns) = keys::plain_columns(index) else { return Vec::new() };
    let columns = context.column_names(table, &columns);
    let predicate = index.predicate.as_ref().map(|it| format!(" WHERE {}", it.text)).unwrap_or_default();
    let rest = format!(" NULLS NOT DISTINCT{predicate}");
    let (_, mut steps) = steps::create_index_with(context, table, &columns, "key", "UNIQUE ", &rest);
    let new = context.free_name(table, &columns.replace(", ", "_"), "key");
    match context.schema.constraint_of_index(key) {
        // A constraint of a partitioned table cannot be made of an index, and one that a foreign key needs cannot be dropped.
        Some(_) if table.is_partitioned() || context.schema.foreign_keys_to(table.id).next().is_some() => {}
        Some((_, constraint)) => steps.push(FixStep::own(format!(
            "ALTER TABLE {0} DROP CONSTRAINT {1}, ADD CONSTRAINT {1} UNIQUE USING INDEX {new};",
            table.name, constraint.name
        ))),
        None if table.is_partitioned() => steps.push(FixStep::own(format!("DROP INDEX {};", old.name))),
        None => steps.push(FixStep::none(format!("DROP INDEX CONCURRENTLY {};", old.name))),
    }
    steps
}
