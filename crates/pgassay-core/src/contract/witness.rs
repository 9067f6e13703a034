//! Statements that show a breakage, and the server's answers in its own words.

use super::values::{self, Purpose};
use super::{Witness, check};
use crate::change::{Name, PartitionBound};
use crate::schema::{Column, ColumnId, IdentityKind, Relation, RelationKind, Schema};

/// The server's answer as `ERROR 42703: column "email" does not exist`.
pub(super) fn refused(sql: impl Into<String>, code: &str, message: impl AsRef<str>) -> Witness {
    Witness { sql: sql.into(), after: format!("ERROR {code}: {}", message.as_ref()) }
}

pub(super) fn differs(sql: impl Into<String>, after: impl Into<String>) -> Witness {
    Witness { sql: sql.into(), after: after.into() }
}

pub(super) fn select(relation: &Relation, what: impl std::fmt::Display) -> String {
    format!("SELECT {what} FROM {} LIMIT 1", relation.name)
}

/// An identifier inside a message: in double quotes, without the doubling that SQL needs.
pub(super) fn quoted(name: &Name) -> String {
    format!("\"{}\"", name.as_str())
}

/// An INSERT must give the column a value.
pub(super) fn is_required(schema: &Schema, column: &Column) -> bool {
    column.not_null.enforced()
        && column.default.is_none()
        && column.identity.is_none()
        && column.generated.is_none()
        && !values::domain_has_default(schema, &column.data_type)
}

/// An INSERT of `rows` rows with the given columns and all that must be listed. The given values are the same in every row;
/// the others are plausible for their types, different in every row, and pass simple checks of the table.
pub(super) fn insert(schema: &Schema, relation: &Relation, given: &[(ColumnId, String)], rows: usize) -> String {
    let given_value = |id: ColumnId| given.iter().find(|(column, _)| *column == id).map(|(_, value)| value.clone());
    let columns: Vec<&Column> = relation
        .columns
        .iter()
        .filter(|column| {
            given_value(column.id).is_some() || is_required(schema, column) || in_partition_key(relation, column.id)
        })
        .collect();
    if columns.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", relation.name);
    }
    let checks = check::of_table(relation);
    let row = |number: usize| {
        let values: Vec<String> = columns
            .iter()
            .map(|column| given_value(column.id).unwrap_or_else(|| fitting(schema, relation, &checks, column, number)))
            .collect();
        format!("({})", values.join(", "))
    };
    let overriding = columns.iter().any(|column| column.identity == Some(IdentityKind::Always));
    format!(
        "INSERT INTO {} ({}){} VALUES {}",
        relation.name,
        columns.iter().map(|column| column.name.to_string()).collect::<Vec<_>>().join(", "),
        if overriding { " OVERRIDING SYSTEM VALUE" } else { "" },
        (0..rows.max(1)).map(row).collect::<Vec<_>>().join(", ")
    )
}

/// A value that the table takes in this column: an existing key for a foreign key, one that passes the table's checks otherwise.
pub(super) fn fitting(
    schema: &Schema,
    relation: &Relation,
    checks: &[check::Conjunct],
    column: &Column,
    number: usize,
) -> String {
    if let Some(bound) = partition_value(schema, relation, column.id) {
        return bound;
    }
    if let Some(parent) = parent_value(schema, relation, column.id) {
        return parent;
    }
    check::accepted(schema, checks, column, number)
        .unwrap_or_else(|| values::literal(schema, &column.data_type, number, Purpose::Assign))
}

/// `(SELECT id FROM public.parents LIMIT 1)` for a column of a foreign key.
fn parent_value(schema: &Schema, relation: &Relation, column: ColumnId) -> Option<String> {
    relation.foreign_keys().filter(|(constraint, _)| constraint.enforced).find_map(|(_, key)| {
        let position = key.columns.iter().position(|id| *id == column)?;
        let parent = schema.relation(key.referenced)?;
        let target = parent.column_by_id(*key.referenced_columns.get(position)?)?;
        (parent.id != relation.id).then(|| format!("(SELECT {} FROM {} LIMIT 1)", target.name, parent.name))
    })
}

/// A row of a partitioned table finds its partition by these.
fn in_partition_key(relation: &Relation, column: ColumnId) -> bool {
    matches!(&relation.kind, RelationKind::PartitionedTable(key) if key.columns.contains(&column))
}

/// The first value of the first partition that has one.
fn partition_value(schema: &Schema, relation: &Relation, column: ColumnId) -> Option<String> {
    let RelationKind::PartitionedTable(key) = &relation.kind else { return None };
    let position = key.columns.iter().position(|id| *id == column)?;
    relation.children.iter().filter_map(|id| schema.relation(*id)).find_map(|child| match child.bound.as_ref()? {
        PartitionBound::List(values) => values.first().map(|value| value.text.to_string()),
        PartitionBound::Range { from, .. } => {
            let text = from.get(position)?.text.to_string();
            (!text.eq_ignore_ascii_case("minvalue")).then_some(text)
        }
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    })
}

/// The table that messages name: of a partitioned table the partition that the witness's row goes to.
pub(super) fn written_to<'a>(schema: &'a Schema, relation: &'a Relation) -> &'a Name {
    let bounded = |child: &&std::sync::Arc<Relation>| {
        matches!(child.bound, Some(PartitionBound::List(_) | PartitionBound::Range { .. }))
    };
    let mut children = relation.children.iter().filter_map(|id| schema.relation(*id));
    let target = if relation.is_partitioned() { children.find(bounded) } else { None };
    target.map_or(&relation.name.name, |child| &child.name.name)
}
