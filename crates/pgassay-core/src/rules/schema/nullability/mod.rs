//! Columns that may be NULL while nobody can say what NULL means there.
//!
//! Signals come from four places: what is declared, what statistics measure, what a sample of rows shows, what queries do. One column gets
//! one finding with all its reasons.

mod declared;
mod habits;
mod measured;
mod sampled;

use std::collections::BTreeMap;

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext};
use crate::change::Name;
use crate::contract::Subject;
use crate::finding::{Advice, Category, Confidence, Evidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ColumnId, ConstraintKind, ForeignKey, Relation, RelationId};

pub static RULE: Rule = Rule {
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
    /// The empty document or list already says that there is nothing.
    Empty { value: String },
    /// All columns of the foreign key, or none.
    WholeForeignKey { name: Name },
    /// Some of its columns are required, so that it can never be set as a whole or not at all.
    PartOfForeignKey { name: Name },
    /// NULLs are equal in the unique key, or there are none.
    WholeKey { index: RelationId },
    /// A CHECK that says when it is there.
    Say { condition: String },
    /// NOT NULL, after old rows have this value where any is NULL.
    Require { fill: Option<String> },
    /// The queries have to say what they mean.
    Rewrite { how: String },
    /// A table of its own, or none.
    MoveAway,
}

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
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
    one_cause(&mut columns);
    let defaulted = |(id, column): &(RelationId, ColumnId), reasons: &[Reason]| {
        let column = context.schema.relation(*id).and_then(|table| table.column_by_id(*column));
        column.is_some_and(|column| context.is_boolean(column) && column.default.is_some())
            && reasons.iter().all(|reason| matches!(reason.remedy, Remedy::Require { .. }))
            && reasons.iter().all(|reason| reason.severity == Severity::Info)
    };
    let mut switches: BTreeMap<RelationId, usize> = BTreeMap::new();
    for (of, _) in columns.iter().filter(|(of, reasons)| defaulted(of, reasons)) {
        *switches.entry(of.0).or_default() += 1;
    }
    for ((table, column), reasons) in columns {
        let is_switch = switches.get(&table).is_some_and(|all| *all >= MANY) && defaulted(&(table, column), &reasons);
        let Some(table) = context.schema.relation(table) else { continue };
        let Some(column) = table.column_by_id(column) else { continue };
        if let Some(mut discovery) = merge(context, table, column, reasons) {
            if is_switch && context.scope.is_none() {
                let head = format!("{} has booleans with a default that may be NULL all the same:", table.name);
                discovery = discovery.grouped(head, column.name.to_string());
            }
            found.push(discovery);
        }
    }
}

/// So many booleans of a table that nobody made NOT NULL are one habit of its author.
const MANY: usize = 4;

/// A key that lets several columns be NULL is one cause with one remedy: its worst column tells it, and names the others.
fn one_cause(columns: &mut BTreeMap<(RelationId, ColumnId), Vec<Reason>>) {
    let mut keys: BTreeMap<RelationId, Vec<(Severity, RelationId, ColumnId)>> = BTreeMap::new();
    for ((table, column), reasons) in &*columns {
        for reason in reasons {
            if let Remedy::WholeKey { index } = reason.remedy {
                keys.entry(index).or_default().push((reason.severity, *table, *column));
            }
        }
    }
    for (index, mut told) in keys {
        told.sort_by_key(|(severity, table, column)| (std::cmp::Reverse(*severity), *table, *column));
        told.dedup();
        for (_, table, column) in
            told.iter().skip(1).filter(|(_, table, column)| (*table, *column) != (told[0].1, told[0].2))
        {
            if let Some(reasons) = columns.get_mut(&(*table, *column)) {
                reasons.retain(|reason| reason.remedy != Remedy::WholeKey { index });
            }
        }
    }
    columns.retain(|_, reasons| !reasons.is_empty());
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
    let mut says: Vec<&str> = Vec::new();
    for reason in &reasons {
        if !says.contains(&reason.says.as_str()) {
            says.push(&reason.says);
        }
    }
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
            let mut steps = steps::check_constraint(
                context,
                table,
                &format!("{}_not_{}", column.name.as_str(), if value == "''" { "blank" } else { "placeholder" }),
                &format!("{} <> {value}", column.name),
            );
            steps.insert(1, FixStep::batch(batch));
            Advice::steps(
                format!(
                    "Choose one way to say that there is no value. For NULL, once no writer stores {value} (repeat the UPDATE until it changes no row):"
                ),
                steps,
            )
        }
        Remedy::Empty { value } => {
            let default = FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {} SET DEFAULT {value};", column.name));
            let mut steps = vec![default];
            steps.extend(steps::not_null(context, table, &column.name, Some(value)));
            Advice::steps(
                format!(
                    "{value} says that there is nothing, and every function takes it: let it be the only way (repeat the UPDATE until it changes no row):"
                ),
                steps,
            )
        }
        Remedy::WholeForeignKey { name: key } => Advice::steps(
            "Let the foreign key be set as a whole or not at all (MATCH FULL); the rows that the first step counts have to be settled before:",
            match_full(context, table, key),
        ),
        Remedy::PartOfForeignKey { name: key } => Advice::text(format!(
            "Where {} is NULL, {key} checks nothing of the row. Require a value, or give the columns that are NOT NULL a foreign key of their own",
            column.name
        )),
        // A new key simply says so.
        Remedy::WholeKey { .. } if context.scope.is_some() && context.version.at_least(15) => {
            Advice::text("Write NULLS NOT DISTINCT after UNIQUE, or NOT NULL at the column")
        }
        Remedy::WholeKey { .. } if context.scope.is_some() => Advice::text(
            "Write NOT NULL at the column, or add a unique index on the others for the rows where it IS NULL",
        ),
        Remedy::WholeKey { index } => Advice::steps(
            "Let the key keep rows without a value apart too, or require the column; what the first step lists is there twice, and has to be settled before:",
            equal_nulls(context, table, column, *index),
        ),
        Remedy::Say { condition } => Advice::steps(
            "If that is so by design, say it, without a long lock:",
            steps::check_constraint(context, table, &format!("{}_rule", column.name.as_str()), condition),
        ),
        Remedy::Require { fill: Some(fill) } if fill == declared::UNDECIDED && context.scope.is_none() => {
            let mut steps = vec![FixStep::any(format!("SELECT count(*) FROM {name} WHERE {} IS NULL;", column.name))];
            steps.extend(steps::not_null(context, table, &column.name, None));
            Advice::steps(
                "Decide whether NULL meant true or false, and store that in the rows that the first step counts; then require a value:",
                steps,
            )
        }
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

/// A unique key put in another's place, for which NULLs are equal; before 15 one beside it, for the rows without a value.
fn equal_nulls(context: &SchemaContext, table: &Relation, column: &Column, key: RelationId) -> Vec<FixStep> {
    let Some((old, index)) = context.schema.relation(key).and_then(|old| Some((old, old.as_index()?))) else {
        return Vec::new();
    };
    let Some(columns) = keys::plain_columns(index) else { return Vec::new() };
    if !context.version.at_least(15) {
        // Of a partitioned table the key might have to be in it.
        if table.is_partitioned() {
            return Vec::new();
        }
        let others: Vec<ColumnId> = columns.into_iter().filter(|other| *other != column.id).collect();
        let others = context.column_names(table, &others);
        let also = index.predicate.as_ref().map(|it| format!("({}) AND ", it.text)).unwrap_or_default();
        let condition = format!("{also}{} IS NULL", column.name);
        let mut steps = vec![steps::duplicates(table, &others, Some(&condition))];
        let rest = format!(" WHERE {condition}");
        steps.extend(steps::create_index_with(context, table, &others, "key", "UNIQUE ", &rest).1);
        return steps;
    }
    let columns = context.column_names(table, &columns);
    let condition = index.predicate.as_ref().map(|it| it.text.to_string());
    let predicate = condition.as_ref().map(|it| format!(" WHERE {it}")).unwrap_or_default();
    let rest = format!(" NULLS NOT DISTINCT{predicate}");
    let mut steps = vec![steps::duplicates(table, &columns, condition.as_deref())];
    steps.extend(steps::create_index_with(context, table, &columns, "key", "UNIQUE ", &rest).1);
    let new = context.free_name(table, &columns.replace(", ", "_"), "key");
    match context.schema.constraint_of_index(key) {
        // A constraint of a partitioned table cannot be made of an index, and one that a foreign key needs cannot be dropped.
        Some(_) if table.is_partitioned() || context.schema.foreign_keys_to(table.id).next().is_some() => {}
        Some((_, constraint)) => steps.push(FixStep::own(format!(
            "ALTER TABLE {0} DROP CONSTRAINT {1}, ADD CONSTRAINT {1} UNIQUE USING INDEX {new};",
            table.name, constraint.name
        ))),
        None if table.is_partitioned() => steps.push(FixStep::own(format!("DROP INDEX {};", old.name))),
        // Another finding may have put another one in its place.
        None => steps.push(FixStep::none(format!("DROP INDEX CONCURRENTLY IF EXISTS {};", old.name))),
    }
    steps
}

/// The foreign key once more, with MATCH FULL, and the old one dropped.
fn match_full(context: &SchemaContext, table: &Relation, name: &Name) -> Vec<FixStep> {
    let Some(constraint) = table.constraint(name) else { return Vec::new() };
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return Vec::new() };
    // Of a partitioned table it cannot be added NOT VALID before 18.
    let Some(referenced) = context.schema.relation(key.referenced).filter(|_| !table.is_partitioned()) else {
        return Vec::new();
    };
    let own = context.column_names(table, &key.columns);
    let new = context.free_name(table, &own.replace(", ", "_"), "full_fkey");
    let full = ForeignKey { match_full: true, ..key.clone() };
    let definition = crate::rules::migration::advice::foreign_key(constraint, &full, table, referenced);
    let at = &table.name;
    vec![
        FixStep::any(format!("SELECT * FROM {at} WHERE num_nulls({own}) NOT IN (0, {}) LIMIT 1;", key.columns.len())),
        FixStep::own(format!("ALTER TABLE {at} ADD CONSTRAINT {new} {definition} NOT VALID;")),
        FixStep::own(format!("ALTER TABLE {at} VALIDATE CONSTRAINT {new};")),
        FixStep::own(format!("ALTER TABLE {at} DROP CONSTRAINT {name};")),
    ]
}
