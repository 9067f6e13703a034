//! Statements that read and write rows.

use std::sync::Arc;

use sqlparser::ast;

use super::LockMode::{self, AccessShare, RowExclusive, RowShare};
use super::predictor::Predictor;
use super::view::Depth;
use crate::change::{
    Access, Copy, Delete, Expression, Insert, Merge, Name, ObjectName, ReferentialAction, RelationUse, RuleEvent, Select, Update,
};
use crate::expression;
use crate::schema::{ColumnId, ConstraintKind, Relation, RelationKind};
use crate::sql::Span;

impl Predictor<'_> {
    pub fn select(&mut self, select: &Select) {
        self.read_uses(&select.uses, Depth::Run, &[]);
        self.run_called(&select.tree.0);
    }

    /// Functions in language SQL that a statement calls run their own statements.
    fn run_called(&mut self, tree: &ast::Statement) {
        let analysis = expression::analyze_statement(tree, self.scope(None));
        for routine in analysis.routines {
            self.run_routine(routine);
        }
    }

    pub fn read_uses(&mut self, uses: &[RelationUse], depth: Depth, skip_scan: &[&ObjectName]) {
        for used in uses {
            let Some(relation) = self.find(&used.relation) else { continue };
            let span = used.relation.span;
            let depth = if skip_scan.contains(&&used.relation) { depth.min(Depth::Planned) } else { depth };
            match used.access {
                Access::Read => self.read(&relation, AccessShare, depth, used.only, span),
                Access::LockRows => self.read(&relation, RowShare, depth, used.only, span),
                Access::Write => {
                    self.write_target(&used.relation, depth, used.only);
                }
            }
        }
    }

    /// Locks what a statement writes to: through views to the table beneath, with rules; the tables in the end.
    pub fn write_target(&mut self, name: &ObjectName, depth: Depth, only: bool) -> Option<Arc<Relation>> {
        let relation = self.find(name)?;
        self.lock(&relation, RowExclusive, name.span);
        let mut at = relation;
        if depth > Depth::Named {
            // An automatically updatable view hands its write to the one relation beneath it (rewriteTargetView).
            for _ in 0..32 {
                let RelationKind::View(view) = &at.kind else { break };
                if at.triggers.iter().any(|it| it.timing == crate::change::TriggerTiming::InsteadOf) || !at.rules.is_empty() {
                    break;
                }
                let [(base, _)] = view.uses[..] else { break };
                at = self.relation(base)?.clone();
                self.lock(&at, RowExclusive, name.span);
            }
        }
        if depth >= Depth::Planned {
            for part in self.family(&at, only) {
                self.lock(&part, RowExclusive, name.span);
            }
        }
        Some(at)
    }

    pub fn insert(&mut self, insert: &Insert) {
        let span = insert.table.span;
        let target = self.write_target(&insert.table, Depth::Rewritten, false);
        self.read_uses(&insert.uses, Depth::Run, &[]);
        self.run_called(&insert.tree.0);
        let Some(table) = target else { return };
        self.fire_rules(&table, RuleEvent::Insert, span);
        if insert.on_conflict.as_ref().is_none_or(|it| !it.do_update) || insert.rows.is_some() {
            let given = |column: ColumnId| {
                insert.columns.is_empty()
                    || table.column_by_id(column).is_some_and(|it| {
                        insert.columns.iter().any(|listed| listed.name == it.name) || it.default.is_some()
                    })
            };
            self.look_up_references(&table, given, span);
        }
    }

    fn fire_rules(&mut self, table: &Relation, event: RuleEvent, span: Span) {
        for rule in table.rules.iter().filter(|rule| rule.event == event) {
            for (id, _) in &rule.uses {
                if *id != table.id {
                    self.lock_id(*id, RowExclusive, span);
                }
            }
        }
    }

    /// RI_FKey_check (ri_triggers.c): the referenced row is locked FOR KEY SHARE.
    fn look_up_references(&mut self, table: &Relation, written: impl Fn(ColumnId) -> bool, span: Span) {
        if self.context.session.replica_role {
            return;
        }
        for (constraint, key) in table.foreign_keys() {
            if constraint.enforced && key.columns.iter().all(|column| written(*column)) {
                self.lock_id(key.referenced, RowShare, span);
            }
        }
    }

    pub fn update(&mut self, update: &Update) {
        let span = update.table.span;
        let target = self.write_target(&update.table, Depth::Planned, update.only);
        self.read_uses(&update.uses, Depth::Run, &[]);
        self.run_called(&update.tree.0);
        let Some(table) = target else { return };
        self.fire_rules(&table, RuleEvent::Update, span);
        self.scan_written(&table, update.only, update.predicate.as_ref(), span);
        let set = |column: ColumnId| {
            table.column_by_id(column).is_some_and(|it| update.columns.iter().any(|listed| listed.name == it.name))
        };
        let touched: Vec<ColumnId> = table.columns.iter().map(|it| it.id).filter(|id| set(*id)).collect();
        if !self.context.session.replica_role {
            for (constraint, key) in table.foreign_keys() {
                if constraint.enforced && key.columns.iter().any(|column| touched.contains(column)) {
                    self.lock_id(key.referenced, RowShare, span);
                }
            }
            self.tell_referencing(&table, Some(&touched), span);
        }
    }

    /// What a referential action does to the tables that reference a changed or deleted key.
    fn tell_referencing(&mut self, table: &Relation, touched: Option<&[ColumnId]>, span: Span) {
        let keys: Vec<_> = self.schema().foreign_keys_to(table.id).map(|(id, it)| (id, it.clone())).collect();
        for (id, constraint) in keys {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            if touched.is_some_and(|it| !key.referenced_columns.iter().any(|column| it.contains(column))) {
                continue;
            }
            let action = if touched.is_some() { key.on_update } else { key.on_delete };
            let mode = match action {
                ReferentialAction::NoAction | ReferentialAction::Restrict => RowShare,
                _ => RowExclusive,
            };
            let Some(other) = self.relation(id).cloned() else { continue };
            for part in self.family(&other, !other.is_partitioned()) {
                self.lock(&part, mode, span);
                let indexed = key.columns.first().is_some_and(|column| self.is_indexed(&part, *column));
                if !indexed {
                    self.scan(&part, span, "no index finds the rows that reference a key");
                }
            }
        }
    }

    pub fn delete(&mut self, delete: &Delete) {
        let span = delete.table.span;
        let target = self.write_target(&delete.table, Depth::Planned, delete.only);
        self.read_uses(&delete.uses, Depth::Run, &[]);
        self.run_called(&delete.tree.0);
        let Some(table) = target else { return };
        self.fire_rules(&table, RuleEvent::Delete, span);
        self.scan_written(&table, delete.only, delete.predicate.as_ref(), span);
        if !self.context.session.replica_role {
            self.tell_referencing(&table, None, span);
        }
    }

    fn scan_written(&mut self, table: &Arc<Relation>, only: bool, predicate: Option<&Expression>, span: Span) {
        for part in self.family(table, only) {
            let by_index = predicate.is_some_and(|it| self.finds_by_index(&part, &it.tree));
            if !by_index {
                let reason = if predicate.is_some() { "no index fits the condition" } else { "no condition limits the rows" };
                self.scan(&part, span, reason);
            }
        }
    }

    /// Whether an AND-ed part of a condition compares the first column of an index for equality.
    fn finds_by_index(&self, table: &Relation, condition: &ast::Expr) -> bool {
        match condition {
            ast::Expr::Nested(inner) => self.finds_by_index(table, inner),
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
                self.finds_by_index(table, left) || self.finds_by_index(table, right)
            }
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => {
                self.is_indexed_column(table, left) || self.is_indexed_column(table, right)
            }
            ast::Expr::InList { expr, negated: false, .. } => self.is_indexed_column(table, expr),
            ast::Expr::Between { expr, negated: false, .. } => self.is_indexed_column(table, expr),
            _ => false,
        }
    }

    fn is_indexed_column(&self, table: &Relation, expression: &ast::Expr) -> bool {
        let name = match expression {
            ast::Expr::Identifier(ident) => ident,
            ast::Expr::CompoundIdentifier(parts) => match parts.last() {
                Some(last) => last,
                None => return false,
            },
            _ => return false,
        };
        let name = if name.quote_style.is_some() { Name::new(&name.value) } else { Name::folded(&name.value) };
        table.column(&name).is_some_and(|column| self.is_indexed(table, column.id))
    }

    fn is_indexed(&self, table: &Relation, column: ColumnId) -> bool {
        self.schema().indexes_of(table.id).any(|index| {
            index.as_index().is_some_and(|it| it.columns.first() == Some(&Some(column)) && it.predicate.is_none())
        })
    }

    pub fn merge(&mut self, merge: &Merge) {
        let target = self.write_target(&merge.table, Depth::Planned, merge.only);
        self.read_uses(&merge.uses, Depth::Run, &[]);
        if let Some(table) = target {
            for part in self.family(&table, merge.only) {
                self.scan(&part, merge.table.span, "its rows are joined with the source");
            }
        }
    }

    pub fn copy(&mut self, copy: &Copy) {
        self.read_uses(&copy.uses, Depth::Run, &[]);
        let Some(name) = &copy.table else { return };
        if copy.from {
            let Some(table) = self.write_target(name, Depth::Rewritten, false) else { return };
            if copy.data.is_some() {
                self.look_up_references(&table, |_| true, name.span);
            }
        } else if let Some(table) = self.find(name) {
            let mode: LockMode = AccessShare;
            self.lock(&table, mode, name.span);
            self.scan(&table, name.span, "COPY reads all its rows");
        }
    }
}
