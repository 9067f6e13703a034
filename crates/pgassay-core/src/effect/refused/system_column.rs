//! System columns, which no action of ALTER TABLE takes (tablecmds.c), and what CLUSTER ON does not.

use super::super::predictor::Predictor;
use super::output::is_system_column;
use crate::change::{AlterTableAction, AlterTableActionKind, Ident};
use crate::schema::Relation;

impl Predictor<'_> {
    pub(super) fn refuse_system_column(&mut self, action: &AlterTableAction) -> bool {
        use AlterTableActionKind::*;
        let (verb, column) = match &action.kind {
            DropColumn { column, .. } => ("drop", column),
            RenameColumn { column, .. } => ("rename", column),
            SetDataType { column, .. }
            | SetDefault { column, .. }
            | DropDefault { column }
            | SetNotNull { column }
            | DropNotNull { column }
            | SetExpression { column, .. }
            | DropExpression { column, .. }
            | AddIdentity { column, .. }
            | SetIdentity { column, .. }
            | DropIdentity { column, .. }
            | SetStatistics { column, .. }
            | SetColumnOptions { column, .. }
            | SetStorage { column, .. }
            | SetCompression { column, .. } => ("alter", column),
            _ => return false,
        };
        let system = is_system_column(&column.name);
        if system {
            let message = format!("cannot {verb} system column \"{}\"", column.name.as_str());
            self.refused(column.span, &column.name, message);
        }
        system
    }

    /// `check_index_is_clusterable` (cluster.c).
    pub(super) fn refuse_cluster_on(&mut self, table: &Relation, index: &Ident) {
        let name = index.name.as_str();
        let Some(found) = self.schema().indexes_of(table.id).find(|it| it.name.name == index.name).cloned() else {
            if self.is_index_of_other(table, &index.name) {
                let message = format!("\"{name}\" is not an index for table \"{}\"", table.name.name.as_str());
                self.refused(index.span, name, message);
            }
            return;
        };
        let Some(it) = found.as_index() else { return };
        let message = match () {
            () if matches!(it.method.as_str(), "hash" | "gin" | "brin" | "spgist") => {
                format!("cannot cluster on index \"{name}\" because access method does not support clustering")
            }
            () if it.predicate.is_some() => format!("cannot cluster on partial index \"{name}\""),
            () if !it.valid => format!("cannot cluster on invalid index \"{name}\""),
            () => return,
        };
        self.refused(index.span, name, message);
    }
}
