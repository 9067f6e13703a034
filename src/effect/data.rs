//! Statements that read and write rows.

use std::sync::Arc;

use sqlparser::ast;

use super::LockMode::{self, AccessShare, RowExclusive, RowShare};
use super::predictor::Predictor;
use super::prune;
use super::view::Depth;
use crate::change::{
    Access, Copy, Delete, Expression, Insert, Merge, Name, ObjectName, ReferentialAction, RelationUse, RuleEvent,
    Select, Update,
};
use crate::expression;
use crate::schema::{ColumnId, ConstraintKind, Relation, RelationKind};
use crate::sql::Span;

impl Predictor<'_> {
    pub fn select(&mut self, select: &Select) {
        let condition = if select.uses.len() == 1 { only_condition(&select.tree.0) } else { None };
        let outer = std::mem::replace(&mut self.condition, condition.map(Arc::new));
        self.read_uses(&select.uses, Depth::Run, &[]);
        self.condition = outer;
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
                    let target = self.write_target(&used.relation, depth, used.only);
                    if let (Some(table), Depth::Run) = (target, depth) {
                        self.scan_written(&table, used.only, None, span);
                    }
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
                if at.triggers.iter().any(|it| it.timing == crate::change::TriggerTiming::InsteadOf)
                    || !at.rules.is_empty()
                {
                    break;
                }
                let [(base, _)] = view.uses[..] else { break };
                at = self.relation(base)?.clone();
                self.lock(&at, RowExclusive, name.span);
            }
        }
        if depth >= Depth::Planned {
            for part in self.concerned(&at, only) {
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
        self.route_rows(insert, &table, span);
        if insert.on_conflict.as_ref().is_none_or(|it| !it.do_update) || insert.rows.is_some() {
            // Through a view only the columns that it shows are written.
            let shown =
                self.find(&insert.table).and_then(|it| it.as_view()?.uses.first().map(|(_, columns)| columns.clone()));
            let given = |column: ColumnId| {
                if shown.as_ref().is_some_and(|columns| !columns.contains(&column)) {
                    return false;
                }
                insert.columns.is_empty()
                    || table.column_by_id(column).is_some_and(|it| {
                        insert.columns.iter().any(|listed| listed.name == it.name) || it.default.is_some()
                    })
            };
            self.look_up_references(&table, given, span);
        }
    }

    /// The partitions that take the rows of a VALUES list (ExecFindPartition): each is locked when its first row comes.
    fn route_rows(&mut self, insert: &Insert, table: &Relation, span: Span) {
        if !table.is_partitioned() {
            return;
        }
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        for row in rows(&insert.tree.0) {
            let value = |name: &Name| {
                let at = listed.iter().position(|it| it == name)?;
                prune::constant(row.get(at)?)
            };
            for part in self.live(table, false, &value) {
                self.lock(&part, RowExclusive, span);
            }
        }
    }

    /// The table and the partitions that the statement's condition leaves.
    pub fn concerned(&self, table: &Relation, only: bool) -> Vec<Arc<Relation>> {
        match &self.condition {
            Some(condition) => self.live(table, only, &|column| prune::demanded(condition, column)),
            None => self.family(table, only),
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
        let condition = update.predicate.as_ref().map(|it| it.tree.clone());
        let outer = std::mem::replace(&mut self.condition, condition);
        let target = self.write_target(&update.table, Depth::Planned, update.only);
        let condition = self.condition.take();
        self.read_uses(&update.uses, Depth::Run, &[]);
        self.run_called(&update.tree.0);
        let Some(table) = target else { return };
        self.fire_rules(&table, RuleEvent::Update, span);
        self.condition = condition;
        self.scan_written(&table, update.only, update.predicate.as_ref(), span);
        self.condition = outer;
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
        let condition = delete.predicate.as_ref().map(|it| it.tree.clone());
        let outer = std::mem::replace(&mut self.condition, condition);
        let target = self.write_target(&delete.table, Depth::Planned, delete.only);
        let condition = self.condition.take();
        self.read_uses(&delete.uses, Depth::Run, &[]);
        self.run_called(&delete.tree.0);
        let Some(table) = target else { return };
        self.fire_rules(&table, RuleEvent::Delete, span);
        self.condition = condition;
        self.scan_written(&table, delete.only, delete.predicate.as_ref(), span);
        self.condition = outer;
        if !self.context.session.replica_role {
            self.tell_referencing(&table, None, span);
        }
    }

    fn scan_written(&mut self, table: &Arc<Relation>, only: bool, predicate: Option<&Expression>, span: Span) {
        for part in self.concerned(table, only) {
            let by_index = predicate.is_some_and(|it| self.finds_by_index(&part, &it.tree));
            if !by_index {
                let reason =
                    if predicate.is_some() { "no index fits the condition" } else { "no condition limits the rows" };
                self.scan(&part, span, reason);
            }
        }
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

/// The WHERE of a plain SELECT.
fn only_condition(statement: &ast::Statement) -> Option<ast::Expr> {
    let ast::Statement::Query(query) = statement else { return None };
    match &*query.body {
        ast::SetExpr::Select(select) => select.selection.clone(),
        _ => None,
    }
}

/// The rows of INSERT … VALUES.
fn rows(statement: &ast::Statement) -> Vec<&[ast::Expr]> {
    let ast::Statement::Insert(insert) = statement else { return Vec::new() };
    match insert.source.as_ref().map(|source| &*source.body) {
        Some(ast::SetExpr::Values(values)) => values.rows.iter().map(|row| &row.content[..]).collect(),
        _ => Vec::new(),
    }
}
