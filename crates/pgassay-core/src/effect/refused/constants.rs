//! Constants that a column cannot hold: out of the range or the length of its type, or refused by its domain or a CHECK.
//!
//! What a type cannot hold is found out when the statement is planned; domains and CHECKs are asked for each row (ExecConstraints,
//! execMain.c).

use sqlparser::ast;

use super::super::FailsWhen;
use super::super::predictor::{Predictor, rows_of};
use super::super::written;
use super::rows::{fills_itself, is_default};
use crate::change::{
    AlterTable, Change, ColumnDefinition, Insert, Name, RuleEvent, TriggerEvent, TriggerTiming, Update,
};
use crate::expression::{self, Known, Stored, Value};
use crate::schema::{Column, ConstraintKind, Relation};

impl Predictor<'_> {
    /// What is refused when the statement is planned and run; what only prepares or explains one is not looked at.
    pub(super) fn refuse_constants(&mut self, change: &Change) {
        match change {
            Change::Insert(insert) => self.refuse_inserted_constants(insert),
            Change::Update(update) => self.refuse_assigned_constants(update),
            _ => {}
        }
    }

    /// The default of a new column, which every row gets (`StoreAttrDefault`, pg_attrdef.c, and ATExecAddColumn, tablecmds.c).
    pub(super) fn refuse_filled(
        &mut self,
        alter: &AlterTable,
        table: &Relation,
        later: &Relation,
        column: &ColumnDefinition,
    ) {
        let Some(found) = later.column(&column.name.name).filter(|_| table.known) else { return };
        let stored = self.family(table, alter.only).iter().any(|it| it.has_storage());
        if column.generated.is_some() || column.identity.is_some() || found.sequence.is_some() || !stored {
            return;
        }
        let span = column.default.as_ref().map_or(column.name.span, |it| it.span);
        let default = column.default.clone().or_else(|| self.domain_default(column));
        let null = ast::Expr::Value(ast::Value::Null.into());
        let value = default.as_ref().map_or(&null, |it| &*it.tree);
        match expression::store(value, &found.data_type, self.scope(None)) {
            Stored::OutOfType(message) => self.refused(span, &column.name.name, message),
            Stored::OutOfDomain(message) => {
                self.fail_on_rows(table, FailsWhen::AnyRow, span, &column.name.name, message);
            }
            Stored::Value(_) => {}
        }
    }

    fn refuse_inserted_constants(&mut self, insert: &Insert) {
        let Some(table) = self.written_table(&insert.table, RuleEvent::Insert) else { return };
        let ast::Statement::Insert(tree) = &*insert.tree.0 else { return };
        let rows = tree.source.as_ref().map(|source| written::rows(source)).unwrap_or_default();
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        let certain = matches!(insert.rows, Some(1..)) && !self.changes_rows(&table, RuleEvent::Insert);
        for row in rows {
            let mut values = Vec::new();
            for column in &table.columns {
                let given = listed.iter().position(|it| *it == column.name).and_then(|at| row.get(at).copied());
                let value = match self.stored_in(column, given) {
                    Stored::Value(value) => value,
                    Stored::OutOfType(message) => {
                        return self.refused(insert.table.span, &column.name, message);
                    }
                    Stored::OutOfDomain(message) if certain => {
                        return self.refused(insert.table.span, &column.name, message);
                    }
                    Stored::OutOfDomain(_) => Value::Unknown,
                };
                values.push((&column.name, value));
            }
            if let Some(message) = broken_check(&table, &Row(values)).filter(|_| certain) {
                return self.refused(insert.table.span, &table.name, message);
            }
        }
    }

    /// What a row of INSERT has in a column, given or not.
    fn stored_in(&self, column: &Column, given: Option<&ast::Expr>) -> Stored {
        let scope = self.scope(None);
        match given.filter(|it| !is_default(it)) {
            Some(_) if column.generated.is_some() => Stored::Value(Value::Unknown),
            Some(given) => expression::store(given, &column.data_type, scope),
            None if column.default.is_some() && column.generated.is_none() => {
                let default = column.default.as_ref().map(|it| expression::store(&it.tree, &column.data_type, scope));
                default.unwrap_or(Stored::Value(Value::Unknown))
            }
            None if fills_itself(self.schema(), column) => Stored::Value(Value::Unknown),
            None => Stored::Value(Value::Null),
        }
    }

    fn refuse_assigned_constants(&mut self, update: &Update) {
        let Some(table) = self.written_table(&update.table, RuleEvent::Update) else { return };
        let ast::Statement::Update(tree) = &*update.tree.0 else { return };
        let mut values = Vec::new();
        let mut message = None;
        for assignment in written::assignments(&tree.assignments) {
            let Some(column) = table.column(&assignment.column) else { continue };
            let Some(given) = assignment.value.filter(|it| !is_default(it)) else { continue };
            match expression::store(given, &column.data_type, self.scope(None)) {
                Stored::OutOfType(message) => return self.refused(update.table.span, &column.name, message),
                Stored::OutOfDomain(refused) => message = message.or(Some(refused)),
                Stored::Value(value) => values.push((&column.name, value)),
            }
        }
        let Some(message) = message.or_else(|| broken_check(&table, &Row(values))) else { return };
        if tree.from.is_some() || self.changes_rows(&table, RuleEvent::Update) {
            return;
        }
        let when = match &update.predicate {
            None => FailsWhen::AnyRow,
            Some(condition) => {
                let query = format!("SELECT * FROM {} WHERE {} LIMIT 1", rows_of(&table), condition.text);
                FailsWhen::SomeRow { query }
            }
        };
        self.fail_on_rows(&table, when, update.table.span, &table.name, message);
    }

    /// The table that a statement writes to, where no rule stands in.
    fn written_table(&self, name: &crate::change::ObjectName, event: RuleEvent) -> Option<std::sync::Arc<Relation>> {
        let found = self.find(name)?;
        let table = self.relation(found.id).filter(|it| it.known && it.is_table())?;
        (!table.rules.iter().any(|it| it.event == event)).then(|| table.clone())
    }

    /// Whether a trigger may write something else, or nothing.
    fn changes_rows(&self, table: &Relation, event: RuleEvent) -> bool {
        let changes = |it: &crate::schema::Trigger| {
            it.timing == TriggerTiming::Before && it.for_each_row && it.events.iter().any(|it| same_event(it, event))
        };
        self.family(table, false)
            .iter()
            .any(|it| !it.has_storage() && !it.is_partitioned() || it.triggers.iter().any(changes))
    }
}

/// Whether a trigger's event is one of the statement's.
fn same_event(one: &TriggerEvent, other: RuleEvent) -> bool {
    match one {
        TriggerEvent::Insert => other == RuleEvent::Insert,
        TriggerEvent::Update(_) => other == RuleEvent::Update,
        TriggerEvent::Delete | TriggerEvent::Truncate => false,
    }
}

/// The message of the first CHECK that is false for the row.
fn broken_check(table: &Relation, row: &Row) -> Option<String> {
    let broken = table.constraints.iter().find(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression, .. } if constraint.enforced => {
            expression::truth(&expression.tree, row) == Some(false)
        }
        _ => false,
    })?;
    let (relation, name) = (table.name.name.as_str(), broken.name.as_str());
    Some(format!("new row for relation \"{relation}\" violates check constraint \"{name}\""))
}

/// What is known of the values of a row.
struct Row<'a>(Vec<(&'a Name, Value)>);

impl Known for Row<'_> {
    fn value(&self, part: &ast::Expr) -> Value {
        let name = match part {
            ast::Expr::Identifier(name) => Some(name),
            ast::Expr::CompoundIdentifier(path) => path.last(),
            _ => None,
        };
        let Some(name) = name.map(Name::of_ident) else { return Value::Unknown };
        self.0.iter().find(|(column, _)| **column == name).map_or(Value::Unknown, |(_, value)| value.clone())
    }
}
