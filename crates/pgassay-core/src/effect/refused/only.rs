//! ONLY on a table that others inherit from or are partitions of, where they would have to follow.

use super::super::predictor::Predictor;
use crate::change::{AlterTable, AlterTableAction, AlterTableActionKind, ConstraintKind as Written, Ident};
use crate::schema::{ConstraintKind, Relation};

impl Predictor<'_> {
    /// Says so, in the words of tablecmds.c.
    pub(super) fn refuse_only(&mut self, alter: &AlterTable, action: &AlterTableAction, table: &Relation) -> bool {
        if !alter.only || table.children.is_empty() {
            return false;
        }
        let message = self.kept_alone(action, table);
        let refused = message.is_some();
        message.into_iter().for_each(|message| self.refused(action.span, &table.name, message));
        refused
    }

    fn kept_alone(&self, action: &AlterTableAction, table: &Relation) -> Option<String> {
        use AlterTableActionKind::*;
        let partitioned = table.is_partitioned();
        let alone =
            || Some("cannot remove constraint from only the partitioned table when partitions exist".to_owned());
        match &action.kind {
            AddColumn { .. } => Some("column must be added to child tables too".to_owned()),
            AddConstraint(constraint) => match &constraint.kind {
                Written::Check(_) if !constraint.no_inherit => {
                    Some("constraint must be added to child tables too".to_owned())
                }
                _ => None,
            },
            SetNotNull { column } if partitioned => self.unmarked_below(table, column),
            SetDataType { column, .. } => Some(format!(
                "type of inherited column \"{}\" must be changed in child tables too",
                column.name.as_str()
            )),
            RenameColumn { column, .. } if table.column(&column.name).is_some() => {
                Some(format!("inherited column \"{}\" must be renamed in child tables too", column.name.as_str()))
            }
            RenameConstraint { constraint, .. } => {
                let found = table.constraint(&constraint.name)?;
                let inherited = matches!(found.kind, ConstraintKind::Check { .. }) && !found.no_inherit;
                let message = format!(
                    "inherited constraint \"{}\" must be renamed in child tables too",
                    constraint.name.as_str()
                );
                inherited.then_some(message)
            }
            DropColumn { .. } if partitioned => {
                Some("cannot drop column from only the partitioned table when partitions exist".to_owned())
            }
            // 18 lets the partitions keep what their parent gives up.
            DropNotNull { .. } if partitioned && !self.at_least(18) => alone(),
            DropConstraint { constraint, .. } if partitioned && !self.at_least(18) => {
                let found = table.constraint(&constraint.name)?;
                let followed = matches!(found.kind, ConstraintKind::Check { .. }) && !found.no_inherit;
                if followed { alone() } else { None }
            }
            ValidateConstraint { constraint } => {
                let found = table.constraint(&constraint.name)?;
                let below = matches!(found.kind, ConstraintKind::Check { .. }) && !found.validated && !found.no_inherit;
                below.then(|| "constraint must be validated on child tables too".to_owned())
            }
            SetExpression { .. } => Some("ALTER TABLE / SET EXPRESSION must be applied to child tables too".to_owned()),
            DropExpression { .. } => {
                Some("ALTER TABLE / DROP EXPRESSION must be applied to child tables too".to_owned())
            }
            AddIdentity { .. } if partitioned && self.at_least(17) => {
                Some("cannot add identity to a column of only the partitioned table".to_owned())
            }
            SetIdentity { .. } if partitioned && self.at_least(17) => {
                Some("cannot change identity column of only the partitioned table".to_owned())
            }
            DropIdentity { .. } if partitioned && self.at_least(17) => {
                Some("cannot drop identity from a column of only the partitioned table".to_owned())
            }
            _ => None,
        }
    }

    /// NOT NULL of a partitioned table alone is taken where the partitions have it already.
    fn unmarked_below(&self, table: &Relation, column: &Ident) -> Option<String> {
        let marked = |id| {
            let child = self.relation(id);
            child.is_none_or(|it| !it.known || it.column(&column.name).is_none_or(|it| it.not_null.enforced()))
        };
        let all = table.children.iter().all(|id| marked(*id));
        (!all).then(|| "constraint must be added to child tables too".to_owned())
    }
}
