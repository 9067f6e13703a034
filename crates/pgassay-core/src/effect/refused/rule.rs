//! CREATE RULE: on what, and which rows its actions may name (DefineQueryRewrite, rewriteDefine.c; transformRuleStmt, parse_utilcmd.c).

use super::super::predictor::Predictor;
use crate::change::{Change, CreateRule, RuleEvent, Statement};
use crate::expression;
use crate::schema::RelationKind;

impl Predictor<'_> {
    pub(super) fn refuse_rule(&mut self, create: &CreateRule) {
        let Some(found) = self.find(&create.table).filter(|it| it.known) else { return };
        let Some(table) = self.relation(found.id).cloned() else { return };
        let name = table.name.name.as_str();
        let message = match &table.kind {
            RelationKind::MaterializedView(_) => Some("rules on materialized views are not supported".to_owned()),
            RelationKind::Sequence(_) | RelationKind::Index(_) => {
                Some(format!("relation \"{name}\" cannot have rules"))
            }
            // Before 16 a rule of this name makes a view of an empty table.
            RelationKind::Table | RelationKind::PartitionedTable(_)
                if create.event == RuleEvent::Select && (self.at_least(16) || create.name.name != "_RETURN") =>
            {
                Some(format!("relation \"{name}\" cannot have ON SELECT rules"))
            }
            _ => None,
        };
        if let Some(message) = message {
            return self.refused(create.table.span, &create.table, message);
        }
        let rows: Vec<_> = create.actions.iter().flat_map(rows_of).collect();
        let wrong = |new: bool| rows.iter().any(|(it, _)| *it == new);
        let message = match create.event {
            RuleEvent::Insert if wrong(false) => "ON INSERT rule cannot use OLD".to_owned(),
            RuleEvent::Delete if wrong(true) => "ON DELETE rule cannot use NEW".to_owned(),
            _ => {
                let missing = rows.iter().find_map(|(new, name)| {
                    let name = name.as_ref().filter(|name| table.column(name).is_none())?;
                    let called = self.schema().routines.values().any(|it| it.name.name == *name);
                    (!called && !super::output::is_system_column(name)).then_some((*new, name))
                });
                let Some((new, column)) = missing else { return };
                format!("column {}.{} does not exist", if new { "new" } else { "old" }, column.as_str())
            }
        };
        self.refused(create.name.span, &create.name, message);
    }
}

/// The columns of NEW and OLD that an action names.
fn rows_of(action: &Statement) -> Vec<(bool, Option<crate::change::Name>)> {
    match &action.change {
        Ok(Change::Select(it)) => expression::row_columns(&*it.tree.0),
        Ok(Change::Insert(it)) => expression::row_columns(&*it.tree.0),
        Ok(Change::Update(it)) => expression::row_columns(&*it.tree.0),
        Ok(Change::Delete(it)) => expression::row_columns(&*it.tree.0),
        _ => Vec::new(),
    }
}
