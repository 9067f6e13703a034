//! Reasons that the catalog alone gives.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reason, Remedy};
use crate::change::{Name, ReferentialAction};
use crate::expression;
use crate::finding::{Confidence, Evidence, Severity};
use crate::rules::schema::ask::keys;
use crate::rules::schema::{SchemaContext, idempotency};
use crate::schema::{Column, ColumnId, ConstraintKind, ForeignKey, Relation};
use crate::text::{numbers, words};

pub const NO_ROW_IS_NULL: &str = "no row is NULL";
pub const ALWAYS_SET: &str = "is a foreign key that is always set";

/// How columns of one name and type are declared across the tables.
pub struct Drift {
    /// Tables that have it, and those where it is NOT NULL.
    columns: BTreeMap<(Name, String), (usize, usize)>,
}

impl Drift {
    /// Only a whole schema shows a habit.
    pub fn of(context: &SchemaContext) -> Drift {
        let mut columns: BTreeMap<(Name, String), (usize, usize)> = BTreeMap::new();
        if context.scope.is_none() {
            for table in context.tables() {
                for column in &table.columns {
                    let entry = columns.entry((column.name.clone(), column.data_type.written.to_string())).or_default();
                    entry.0 += 1;
                    entry.1 += usize::from(column.not_null.enforced());
                }
            }
        }
        Drift { columns }
    }

    /// Tables that have it and those where it is NOT NULL, where nearly all are.
    fn habit(&self, column: &Column) -> Option<(usize, usize)> {
        let (all, required) = *self.columns.get(&(column.name.clone(), column.data_type.written.to_string()))?;
        (all >= 5 && required * 5 >= all * 4).then_some((all, required))
    }
}

pub fn reasons(context: &SchemaContext, table: &Relation, drift: &Drift, reasons: &mut Vec<Reason>) {
    for column in table.columns.iter().filter(|column| context.is_nullable(column) && column.local) {
        proved(table, column, reasons);
        boolean(context, table, column, reasons);
        defaulted(context, table, column, reasons);
        // A habit of the other tables adds to a reason; it is none.
        let has_reason =
            reasons.iter().any(|reason| reason.column == column.id) || measured_full(context, table, column);
        if let Some((all, required)) = drift.habit(column).filter(|_| has_reason) {
            reasons.push(Reason {
                column: column.id,
                says: format!("is NOT NULL in {required} of the {all} tables that have it"),
                evidence: Evidence::declared(format!(
                    "{all} tables have a column {} of type {}",
                    column.name, column.data_type.written
                )),
                severity: Severity::Info,
                confidence: Confidence::Low,
                remedy: Remedy::Require { fill: None },
            });
        }
    }
    for (constraint, key) in table.foreign_keys().filter(|(constraint, _)| constraint.local) {
        foreign_key(context, table, &constraint.name, key, reasons);
    }
    unique_keys(context, table, reasons);
}

/// Statistics saw no NULL.
fn measured_full(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    context.null_share(table, column) == Some(0.0)
}

fn nullable<'t>(context: &SchemaContext, table: &'t Relation, id: ColumnId) -> Option<&'t Column> {
    table.column_by_id(id).filter(|column| context.is_nullable(column))
}

/// Whether a CHECK or a domain's condition speaks of the column being NULL, so that the schema itself says what NULL means.
pub fn is_explained(table: &Relation, column: &Column) -> bool {
    table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if expression::tests_null(&expression.tree, &column.name))
    })
}

fn proved(table: &Relation, column: &Column, reasons: &mut Vec<Reason>) {
    let proof = table.constraints.iter().find(|constraint| {
        constraint.validated
            && constraint.enforced
            && matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if expression::proves_not_null(&expression.tree, &column.name))
    });
    if let Some(proof) = proof {
        reasons.push(Reason {
            column: column.id,
            says: format!("cannot be NULL, for CHECK {} says so, but is not NOT NULL", proof.name),
            evidence: Evidence::declared(format!("{} is validated", proof.name)),
            severity: Severity::Info,
            confidence: Confidence::High,
            remedy: Remedy::Proved { check: proof.name.to_string() },
        });
    }
}

fn boolean(context: &SchemaContext, table: &Relation, column: &Column, reasons: &mut Vec<Reason>) {
    if !context.is_boolean(column) || column.generated.is_some() {
        return;
    }
    let share = context.null_share(table, column);
    let says = match share {
        Some(share) if share > 0.0 => {
            format!("is a boolean with three states: {} of the rows are NULL", numbers::percent(share))
        }
        _ => "is a boolean that may be NULL".to_owned(),
    };
    reasons.push(Reason {
        column: column.id,
        says,
        evidence: Evidence::declared("boolean, nullable"),
        severity: Severity::Info,
        confidence: if share.is_some_and(|share| share > 0.0) { Confidence::Medium } else { Confidence::Low },
        remedy: Remedy::Require {
            fill: share
                .is_none_or(|share| share > 0.0)
                .then(|| default_of(column).unwrap_or_else(|| UNDECIDED.to_owned())),
        },
    });
}

/// What NULL meant in a boolean is not ours to say.
pub const UNDECIDED: &str = "";

/// The default, where it is a value and not NULL.
pub fn default_of(column: &Column) -> Option<String> {
    let default = column.default.as_ref()?;
    (!default.text.to_ascii_lowercase().starts_with("null")).then(|| default.text.to_string())
}

fn defaulted(context: &SchemaContext, table: &Relation, column: &Column, reasons: &mut Vec<Reason>) {
    let Some(default) = default_of(column) else { return };
    // A document's empty value beside NULL is told with its shape.
    if column.generated.is_some() || column.identity.is_some() || context.is_json(column) {
        return;
    }
    // A moment that is filled when something happens is not always there, whatever its default.
    let share = context.null_share(table, column);
    if share.is_some_and(|share| share > 0.01) {
        return;
    }
    let (says, confidence) = match share {
        Some(share) if share > 0.0 => (
            format!("has the default {default}, and {} of the rows are NULL all the same", numbers::percent(share)),
            Confidence::Medium,
        ),
        Some(_) => (format!("has the default {default}, and {NO_ROW_IS_NULL}"), Confidence::High),
        None => (format!("has the default {default}, and may be NULL all the same"), Confidence::Medium),
    };
    reasons.push(Reason {
        column: column.id,
        says,
        evidence: Evidence::declared(format!("DEFAULT {default}, nullable")),
        severity: Severity::Info,
        confidence,
        remedy: Remedy::Require { fill: share.is_none_or(|share| share > 0.0).then_some(default) },
    });
}

fn foreign_key(context: &SchemaContext, table: &Relation, name: &Name, key: &ForeignKey, reasons: &mut Vec<Reason>) {
    let optional: Vec<&Column> = key.columns.iter().filter_map(|id| nullable(context, table, *id)).collect();
    let Some(first) = optional.first() else { return };
    let sets_null = key.on_delete == ReferentialAction::SetNull || key.on_update == ReferentialAction::SetNull;
    if key.columns.len() > 1 {
        // The others have a meaning of their own: one column alone says whether there is a reference at all.
        let stands_alone = |id: &ColumnId| {
            keys::primary_key(table).contains(id) || table.foreign_keys().any(|(_, other)| other.columns[..] == [*id])
        };
        let decides_alone = optional.len() == 1 && key.columns.iter().filter(|id| **id != first.id).all(stands_alone);
        let all_optional = optional.len() == key.columns.len();
        let explained = optional.iter().any(|column| is_explained(table, column));
        if !(key.match_full || decides_alone || explained || sets_null && all_optional) {
            partly_null(context, table, name, key, first, reasons);
        }
        return;
    }
    if sets_null || key.referenced == table.id || is_optional_by_name(first) {
        return;
    }
    let share = context.null_share(table, first);
    // An optional reference is common: of a schema that is there, the rows decide.
    if share.is_none() && context.scope.is_none() {
        return;
    }
    let (says, confidence) = match share {
        Some(share) if share >= 0.001 => return,
        Some(share) if share > 0.0 => (
            format!("is a foreign key, and {} of the rows are NULL: old rows, or orphans", numbers::percent(share)),
            Confidence::Medium,
        ),
        Some(_) => (ALWAYS_SET.to_owned(), Confidence::High),
        None => ("is a foreign key that may be NULL".to_owned(), Confidence::Low),
    };
    reasons.push(Reason {
        column: first.id,
        says,
        evidence: Evidence::declared(format!("foreign key {name}, nullable, without ON DELETE SET NULL")),
        severity: Severity::Info,
        confidence,
        remedy: Remedy::Require { fill: None },
    });
}

/// MATCH SIMPLE checks nothing as soon as one column is NULL.
fn partly_null(
    context: &SchemaContext,
    table: &Relation,
    name: &Name,
    key: &ForeignKey,
    first: &Column,
    reasons: &mut Vec<Reason>,
) {
    let shares: Vec<f64> = key
        .columns
        .iter()
        .filter_map(|id| table.column_by_id(*id))
        .filter_map(|column| context.null_share(table, column))
        .collect();
    let all_optional = key.columns.iter().all(|id| nullable(context, table, *id).is_some());
    let differ = shares.iter().copied().fold(0.0, f64::max) - shares.iter().copied().fold(1.0, f64::min) > 0.001;
    let says = if shares.len() == key.columns.len() && differ {
        format!("is NULL where other columns of foreign key {name} are set: those rows are not checked")
    } else {
        format!("may be NULL while other columns of foreign key {name} are set: such a row is not checked")
    };
    reasons.push(Reason {
        column: first.id,
        says,
        evidence: Evidence::declared(format!("({}) MATCH SIMPLE", context.column_names(table, &key.columns))),
        severity: Severity::Warning,
        confidence: if differ && !shares.is_empty() { Confidence::High } else { Confidence::Medium },
        remedy: if all_optional {
            Remedy::WholeForeignKey { name: name.clone() }
        } else {
            Remedy::PartOfForeignKey { name: name.clone() }
        },
    });
}

/// Names that say that there may be nothing.
fn is_optional_by_name(column: &Column) -> bool {
    words::has_word(
        column.name.as_str(),
        &[
            "parent",
            "previous",
            "next",
            "optional",
            "deleted",
            "approved",
            "assigned",
            "assignee",
            "reviewer",
            "original",
            "replaced",
            "canonical",
        ],
    ) || words::ends_with_word(column.name.as_str(), &["by"])
        || column.name.as_str().ends_with("_by_id")
}

/// A key of several columns with a nullable one: NULLs are different, so the others may be there twice.
fn unique_keys(context: &SchemaContext, table: &Relation, reasons: &mut Vec<Reason>) {
    for (relation, index) in
        keys::unique_keys(context, table).filter(|(_, index)| !index.primary && !index.nulls_not_distinct)
    {
        let Some(columns) = keys::plain_columns(index).filter(|columns| columns.len() > 1) else { continue };
        // It repeats a key, so that a foreign key can name more columns: that key keeps the rows apart.
        if keys::contains_a_key(context, table, index) {
            continue;
        }
        for id in &columns {
            let Some(column) = nullable(context, table, *id) else { continue };
            if is_optional_name(context, table, column, &columns)
                || is_one_of_several(context, table, &columns, *id)
                || idempotency::tells_of_null(context, table, index, column)
            {
                continue;
            }
            // A predicate that names the column says when it counts; a mark of deletion has its own rule.
            let marks = words::has_word(column.name.as_str(), &["deleted", "removed", "archived", "discarded"]);
            if index.mentions.contains(id) || marks {
                continue;
            }
            let share = context.null_share(table, column);
            let others: Vec<ColumnId> = columns.iter().copied().filter(|other| other != id).collect();
            let too: Vec<&str> =
                others.iter().filter_map(|id| nullable(context, table, *id)).map(|it| it.name.as_str()).collect();
            let too = if too.is_empty() { String::new() } else { format!(" (so may {})", too.join(", ")) };
            let others = context.column_names(table, &others);
            let (says, severity, confidence) = match share {
                Some(share) if share >= 0.001 => (
                    format!(
                        "is NULL in {} of the rows, where {} does not keep {others} apart",
                        numbers::percent(share),
                        relation.name.name
                    ),
                    Severity::Warning,
                    Confidence::High,
                ),
                _ => (
                    format!("may be NULL{too}, where {} does not keep {others} apart", relation.name.name),
                    Severity::Info,
                    Confidence::Medium,
                ),
            };
            let remedy = Remedy::WholeKey { index: relation.id };
            reasons.push(Reason {
                column: *id,
                says,
                evidence: Evidence::declared(format!(
                    "unique key {} on ({}), NULLS DISTINCT",
                    relation.name.name,
                    context.column_names(table, &columns)
                )),
                severity,
                confidence,
                remedy,
            });
        }
    }
}

/// One of several things that a row may be about, each with a key of its own: UNIQUE (owner, user) and UNIQUE (owner, team). Where one
/// key has no value another one has.
fn is_one_of_several(context: &SchemaContext, table: &Relation, columns: &[ColumnId], optional: ColumnId) -> bool {
    let rest: BTreeSet<ColumnId> = columns.iter().copied().filter(|id| *id != optional).collect();
    keys::unique_keys(context, table).any(|(_, other)| {
        let Some(others) = keys::plain_columns(other).filter(|others| others.len() == columns.len()) else {
            return false;
        };
        let beside: Vec<ColumnId> = others.into_iter().filter(|id| !rest.contains(id)).collect();
        matches!(beside[..], [one] if one != optional && nullable(context, table, one).is_some())
    })
}

/// A name that is unique among its siblings, and that not every row has: UNIQUE (project_id, name). What the others say of the row is
/// whose it is, and nothing that the key should keep apart.
fn is_optional_name(context: &SchemaContext, table: &Relation, column: &Column, key: &[ColumnId]) -> bool {
    // A key that a client may send to have one thing done once: who sends none wants it done.
    let is_sent = words::ends_with_word(column.name.as_str(), &["id", "key", "reference", "ref"])
        && idempotency::is_from_outside(column);
    if keys::is_foreign_key(table, column.id) {
        return false;
    }
    is_sent
        || context.is_text(column)
            && key.iter().filter(|id| **id != column.id).all(|id| keys::is_foreign_key(table, *id))
}
