//! What a constraint meets that the other actions of its command bring: new columns, new types, other constraints.

use super::Alter;
use crate::catalog;
use crate::change::{AlterTableActionKind, Change, ColumnDefinition, ConstraintKind, ForeignKey, Name};
use crate::effect::predictor::rows_of;
use crate::expression::{self, Constants, Known, Value};
use crate::schema::Relation;

/// Whether a new column of the key has a default, be it NULL.
pub(super) fn adds_default(state: &Alter, key: &ForeignKey) -> bool {
    added_columns(state, key)
        .any(|column| column.identity.is_some() || column.generated.is_some() || column.default.is_some())
}

pub(super) fn adds_value(state: &Alter, key: &ForeignKey) -> bool {
    added_columns(state, key).any(|column| {
        let default = column.default.as_ref().is_some_and(|it| !it.is_null());
        column.identity.is_some() || column.generated.is_some() || default
    })
}

pub(super) fn is_added_here(state: &Alter, name: &Name) -> bool {
    let Change::AlterTable(alter) = state.change else { return false };
    alter.actions.iter().any(|action| match &action.kind {
        AlterTableActionKind::AddConstraint(constraint) => constraint.name.as_ref().is_some_and(|it| it.name == *name),
        _ => false,
    })
}

fn added_columns<'c>(state: &'c Alter, key: &'c ForeignKey) -> impl Iterator<Item = &'c ColumnDefinition> {
    let actions = match state.change {
        Change::AlterTable(alter) => &alter.actions[..],
        _ => &[],
    };
    actions.iter().filter_map(|action| match &action.kind {
        AlterTableActionKind::AddColumn { column, .. } => {
            key.columns.iter().any(|it| it.name == column.name.name).then_some(column)
        }
        _ => None,
    })
}

/// Whether a CHECK is false for what every row gets in the columns that the same command adds: a constant default, or NULL.
pub(super) fn breaks_on_new_columns(state: &Alter, check: &crate::change::Expression) -> bool {
    let Change::AlterTable(alter) = state.change else { return false };
    let columns = alter.actions.iter().filter_map(|action| match &action.kind {
        AlterTableActionKind::AddColumn { column, .. } => Some(column),
        _ => None,
    });
    let filled = columns.filter(|column| state.added.contains(&column.name.name)).map(|column| {
        let computed = column.generated.is_some() || column.identity.is_some();
        // A domain may have a default.
        let plain = column.data_type.as_ref().is_some_and(|of| catalog::built_in_type(of.name.as_str()).is_some());
        let value = match &column.default {
            _ if computed || !plain => Value::Unknown,
            Some(default) => expression::value(&default.tree, &Constants),
            None => Value::Null,
        };
        (&column.name.name, value)
    });
    let filled = Filled(filled.collect());
    !filled.0.is_empty() && expression::truth(&check.tree, &filled) == Some(false)
}

/// The values of columns that are the same in every row.
struct Filled<'a>(Vec<(&'a Name, Value)>);

impl Known for Filled<'_> {
    fn value(&self, part: &sqlparser::ast::Expr) -> Value {
        let sqlparser::ast::Expr::Identifier(ident) = part else { return Value::Unknown };
        let name = Name::of_ident(ident);
        self.0.iter().find(|(column, _)| **column == name).map_or(Value::Unknown, |(_, value)| value.clone())
    }
}

/// The CHECK of this name that the same command adds.
pub(super) fn check_added_here<'c>(state: &'c Alter, name: &Name) -> Option<&'c crate::change::Expression> {
    let Change::AlterTable(alter) = state.change else { return None };
    alter.actions.iter().find_map(|action| match &action.kind {
        AlterTableActionKind::AddConstraint(constraint)
            if constraint.name.as_ref().is_some_and(|it| it.name == *name) =>
        {
            match &constraint.kind {
                ConstraintKind::Check(expression) => Some(expression),
                _ => None,
            }
        }
        _ => None,
    })
}

/// The table's rows, with the columns whose type the same statement changes as they will be.
pub(super) fn rows_with_new_types(state: &Alter, table: &Relation) -> String {
    let actions = match state.change {
        Change::AlterTable(alter) => alter.actions.as_slice(),
        _ => &[],
    };
    let value = |name: &Name| {
        actions.iter().find_map(|action| match &action.kind {
            AlterTableActionKind::SetDataType { column, data_type, using, .. } if column.name == *name => {
                let value = using.as_ref().map_or_else(|| name.to_string(), |using| format!("({})", using.text));
                Some(format!("{value}::{data_type} AS {name}"))
            }
            _ => None,
        })
    };
    if !table.columns.iter().any(|column| value(&column.name).is_some()) {
        return rows_of(table);
    }
    let columns: Vec<String> =
        table.columns.iter().map(|column| value(&column.name).unwrap_or_else(|| column.name.to_string())).collect();
    format!("(SELECT {} FROM {}) AS {}", columns.join(", "), rows_of(table), table.name.name)
}
