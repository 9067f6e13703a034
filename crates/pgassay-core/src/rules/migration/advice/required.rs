//! A new column that is required and has no default: the rows that are there need a value.

use super::column::{NewColumn, head, not_null, numbers, with_constraints};
use super::table::Table;
use crate::change::{ColumnDefinition, TypeName};
use crate::finding::{Advice, FixStep};
use crate::schema::{self, TypeDefinition};
use crate::text::quoting::literal;

/// What the migration demands of a required column without a default, besides that it has a value: none that is made up would do.
pub(super) fn demand(new: &NewColumn) -> Option<String> {
    let NewColumn { table, definition, .. } = new;
    let has_value = definition.default.is_some() || definition.generated.is_some() || numbers(definition);
    if definition.not_null.is_none() || has_value {
        return None;
    }
    let schema = &table.context.run.after;
    let relation = schema.relation(table.relation?.id)?;
    let column = relation.column(&definition.name.name)?.id;
    let demands = relation.constraints.iter().find_map(|it| match &it.kind {
        schema::ConstraintKind::ForeignKey(key) if key.columns.contains(&column) => Some(("references", &it.name)),
        schema::ConstraintKind::Check { columns, .. } if columns.contains(&column) => Some(("is checked by", &it.name)),
        schema::ConstraintKind::Unique { columns, .. } if columns[..] == [column] => Some(("is unique by", &it.name)),
        _ => None,
    });
    let of_index = || {
        schema.indexes_of(relation.id).find_map(|found| {
            let index = found.as_index()?;
            (index.unique && !index.primary && index.columns[..] == [Some(column)])
                .then_some(("is unique by", &found.name.name))
        })
    };
    let (how, name) = demands.or_else(of_index)?;
    Some(format!("{how} {name}"))
}

/// The column without a value, which code gives it, and the rows that are there; then it is required.
pub(super) fn later(new: &NewColumn, demand: &str) -> Advice {
    let column = &new.definition.name.name;
    let nullable = ColumnDefinition { not_null: None, ..new.definition.clone() };
    let mut advice = with_constraints(&NewColumn {
        table: new.table,
        alter: new.alter,
        definition: &nullable,
        constraints: new.constraints.clone(),
    });
    if advice.steps.is_empty() {
        return advice;
    }
    let mut proof = not_null(new.table, column, None);
    if let Some(first) = proof.first_mut() {
        first.code_before = Some(format!("all running code writes {column}, and the rows that are there have a value"));
    }
    advice.steps.extend(proof);
    advice.text = format!(
        "The rows that are there need a value of their own, for {column} {demand}: add it without NOT NULL, let code write it, fill the rows, and require it then."
    );
    advice
}

/// NOT NULL without a default: the rows that are there need some value.
pub(super) fn with_default(table: &Table, definition: &ColumnDefinition, written: &TypeName) -> Advice {
    let Table { name, .. } = table;
    let column = &definition.name.name;
    let Some(value) = neutral(table, written) else {
        return Advice::text(format!(
            "The rows that are there have no value for {column}: give it a DEFAULT, which fills them without touching them, or add it nullable, fill it in batches, and require it then."
        ));
    };
    Advice::steps(
        format!(
            "The rows that are there need a value: a DEFAULT fills them without touching them. Put the right one in place of {value}; drop it when all code writes the column."
        ),
        vec![
            FixStep::own(format!(
                "ALTER TABLE {name} ADD COLUMN {} DEFAULT {value} NOT NULL;",
                head(definition, &written.to_string())
            )),
            FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} DROP DEFAULT;"))
                .once(format!("all running code writes {column}")),
        ],
    )
}

/// A value of a type that says nothing.
fn neutral(table: &Table, written: &TypeName) -> Option<String> {
    if written.array_dimensions > 0 {
        return Some("'{}'".to_owned());
    }
    let user = table.schema().find_type(&written.schema, &written.name, &table.context.step.session);
    if let Some(TypeDefinition::Enum(labels)) = user.map(|found| &found.definition) {
        return labels.first().map(|label| literal(label));
    }
    let value = match written.name.as_str() {
        _ if user.is_some() => return None,
        "text" | "varchar" | "bpchar" | "citext" | "bytea" => "''",
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money" => "0",
        "bool" => "false",
        "date" | "timestamp" | "timestamptz" => "now()",
        "json" | "jsonb" | "hstore" => "'{}'",
        "uuid" => "'00000000-0000-0000-0000-000000000000'",
        "interval" => "'0'",
        _ => return None,
    };
    Some(value.to_owned())
}
