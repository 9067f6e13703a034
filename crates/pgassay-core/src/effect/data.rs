//! Statements that read and write rows.

use std::sync::Arc;

use sqlparser::ast;

use super::predictor::Predictor;
use super::prune::{self, Demand};
use super::view::Depth;
use super::written::{self, Assignment};
use crate::catalog::LockMode::{self, AccessShare, RowExclusive, RowShare};
use crate::change::{
    Access, Copy, Delete, Expression, Insert, Merge, Name, ObjectName, RelationUse, RuleEvent, Select, TriggerTiming,
    Update,
};
use crate::schema::{Relation, RelationKind};
use crate::source::Span;

impl Predictor<'_> {
    pub fn select(&mut self, select: &Select) {
        let query = match &*select.tree.0 {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        };
        let condition = query.filter(|_| select.uses.len() == 1).and_then(|query| only_condition(query));
        let outer = std::mem::replace(&mut self.condition, condition.map(Arc::new));
        self.read_uses(&select.uses, Depth::Run, &prune::answered_by_index(&*select.tree.0));
        self.condition = outer;
        self.run_called(&select.tree.0, select.span);
    }

    /// Reads what a statement names; of `by_index` no more than an end of an index.
    pub fn read_uses(&mut self, uses: &[RelationUse], depth: Depth, by_index: &[(ObjectName, Vec<Name>)]) {
        for used in uses {
            let Some(relation) = self.find(&used.relation) else { continue };
            let span = used.relation.span;
            let found = by_index
                .iter()
                .find(|(name, _)| (&name.schema, &name.name) == (&used.relation.schema, &used.relation.name));
            let answered = found.is_some_and(|(_, columns)| {
                let indexed = |table: &Relation, name: &Name| {
                    table.column(name).is_some_and(|column| self.is_indexed(table, column.id))
                };
                let family = self.family(&relation, used.only);
                columns.iter().all(|name| family.iter().all(|table| table.is_partitioned() || indexed(table, name)))
            });
            let depth = if answered { depth.min(Depth::Planned) } else { depth };
            let allowed = depth < Depth::Rewritten || self.read_policies(&relation, None, depth, span);
            let depth = if allowed { depth } else { depth.min(Depth::Planned) };
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
                if at.triggers.iter().any(|it| it.timing == TriggerTiming::InsteadOf) || !at.rules.is_empty() {
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
        self.run_called(&insert.tree.0, span);
        let Some(table) = target else { return };
        self.read_policies(&table, Some(RuleEvent::Insert), Depth::Run, span);
        self.fire_rules(&table, RuleEvent::Insert, span);
        self.read_partition_bound(&table, span);
        let rows = matches!(insert.rows, Some(1..)) && insert.on_conflict.is_none() && table.rules.is_empty();
        let rows = rows && table.known && !table.is_partitioned();
        self.run_defaults(insert, &table, rows, span);
        self.fire_triggers(&table, RuleEvent::Insert, &[], rows, span);
        let ast::Statement::Insert(tree) = &*insert.tree.0 else { return };
        let rows = tree.source.as_ref().map(|source| written::rows(source)).unwrap_or_default();
        let values_list = insert.rows.is_some();
        self.route_rows(insert, &rows, values_list, &table, span);
        if insert.on_conflict.as_ref().is_none_or(|it| !it.do_update) || values_list {
            // Through a view only the columns that it shows are written.
            let shown =
                self.find(&insert.table).and_then(|it| it.as_view()?.uses.first().map(|(_, columns)| columns.clone()));
            let shown = |column| shown.as_ref().is_none_or(|columns| columns.contains(&column));
            let listed = listed(insert, &table);
            self.look_up_inserted(&table, &listed, &rows, shown, span);
        }
    }

    /// Defaults stand in for the columns that are not listed, and may call functions.
    fn run_defaults(&mut self, insert: &Insert, table: &Relation, rows: bool, span: Span) {
        let listed = listed(insert, table);
        let whole = insert.columns.is_empty() && insert.rows.is_some();
        for column in table.columns.iter().filter(|it| !whole && !listed.contains(&it.name)) {
            if let Some(default) = &column.default {
                self.run_called_in(&default.tree, rows, span);
            }
        }
    }

    /// The partitions that take the rows (ExecFindPartition): each is locked when its first row comes. What a query gives is known
    /// where it is a constant.
    fn route_rows(&mut self, insert: &Insert, rows: &[Vec<&ast::Expr>], all: bool, table: &Relation, span: Span) {
        let RelationKind::PartitionedTable(key) = &table.kind else { return };
        let listed = listed(insert, table);
        for row in rows {
            let value = |name: &Name| {
                let at = listed.iter().position(|it| it == name)?;
                prune::constant(row.get(at)?).map(Demand::exactly)
            };
            let names = key.columns.iter().filter_map(|id| table.column_by_id(*id)).map(|column| &column.name);
            if !all && names.into_iter().any(|name| value(name).is_none()) {
                continue;
            }
            for part in self.live(table, false, &value) {
                self.lock(&part, RowExclusive, span);
            }
        }
    }

    /// The table and the partitions that the statement's condition leaves.
    pub fn concerned(&self, table: &Relation, only: bool) -> Vec<Arc<Relation>> {
        match &self.condition {
            // Nothing is left of a partitioned table; plain inheritance is expanded all the same.
            Some(condition) if table.is_partitioned() && prune::never(condition) => self.family(table, true),
            Some(condition) => self.live(table, only, &|column| prune::demanded(condition, column)),
            None => self.family(table, only),
        }
    }

    pub fn update(&mut self, update: &Update) {
        let span = update.table.span;
        let condition = update.predicate.as_ref().map(|it| it.tree.clone());
        let outer = std::mem::replace(&mut self.condition, condition);
        let target = self.write_target(&update.table, Depth::Planned, update.only);
        let condition = self.condition.take();
        self.read_uses(&update.uses, Depth::Run, &[]);
        self.run_called(&update.tree.0, span);
        self.condition = outer;
        let (Some(table), ast::Statement::Update(tree)) = (target, &*update.tree.0) else { return };
        self.read_policies(&table, Some(RuleEvent::Update), Depth::Run, span);
        self.fire_rules(&table, RuleEvent::Update, span);
        let outer = std::mem::replace(&mut self.condition, condition);
        self.scan_written(&table, update.only, update.predicate.as_ref(), span);
        self.condition = outer;
        self.rows_updated(&table, &written::assignments(&tree.assignments), span);
    }

    /// What an UPDATE of rows brings with it.
    fn rows_updated(&mut self, table: &Arc<Relation>, assignments: &[Assignment], span: Span) {
        let assigned: Vec<Name> = assignments.iter().map(|it| it.column.clone()).collect();
        self.read_partition_bound(table, span);
        self.fire_triggers(table, RuleEvent::Update, &assigned, false, span);
        self.look_up_assigned(table, assignments, span);
        let changed: Vec<_> = assignments.iter().filter(|it| !it.is_unchanged()).map(|it| &it.column).collect();
        let changed = table.columns.iter().filter(|column| changed.contains(&&column.name)).map(|column| column.id);
        self.tell_referencing(table, Some(&changed.collect::<Vec<_>>()), span);
    }

    pub fn delete(&mut self, delete: &Delete) {
        let span = delete.table.span;
        let condition = delete.predicate.as_ref().map(|it| it.tree.clone());
        let outer = std::mem::replace(&mut self.condition, condition);
        let target = self.write_target(&delete.table, Depth::Planned, delete.only);
        let condition = self.condition.take();
        self.read_uses(&delete.uses, Depth::Run, &[]);
        self.run_called(&delete.tree.0, span);
        self.condition = outer;
        let Some(table) = target else { return };
        self.read_policies(&table, Some(RuleEvent::Delete), Depth::Run, span);
        self.fire_rules(&table, RuleEvent::Delete, span);
        if table.is_replaced(RuleEvent::Delete, self.context.session.replica_role) {
            return;
        }
        let outer = std::mem::replace(&mut self.condition, condition);
        self.scan_written(&table, delete.only, delete.predicate.as_ref(), span);
        self.condition = outer;
        self.rows_deleted(&table, span);
    }

    fn rows_deleted(&mut self, table: &Arc<Relation>, span: Span) {
        self.fire_triggers(table, RuleEvent::Delete, &[], false, span);
        self.tell_referencing(table, None, span);
    }

    fn scan_written(&mut self, table: &Arc<Relation>, only: bool, predicate: Option<&Expression>, span: Span) {
        for part in self.concerned(table, only) {
            let by_index = predicate.is_some_and(|it| prune::never(&it.tree) || self.finds_by_index(&part, &it.tree));
            if !by_index {
                let reason =
                    if predicate.is_some() { "no index fits the condition" } else { "no condition limits the rows" };
                self.scan(&part, span, reason);
            }
        }
    }

    pub fn merge(&mut self, merge: &Merge) {
        let span = merge.table.span;
        let target = self.write_target(&merge.table, Depth::Planned, merge.only);
        self.read_uses(&merge.uses, Depth::Run, &[]);
        self.run_called(&merge.tree.0, span);
        let Some(table) = target else { return };
        for part in self.family(&table, merge.only) {
            self.scan(&part, span, "its rows are joined with the source");
        }
        let ast::Statement::Merge(tree) = &*merge.tree.0 else { return };
        for clause in &tree.clauses {
            match &clause.action {
                ast::MergeAction::Update(update) => {
                    if let ast::MergeUpdateKind::Set(assignments) = &update.kind {
                        self.rows_updated(&table, &written::assignments(assignments), span);
                    }
                }
                ast::MergeAction::Insert(insert) => {
                    self.fire_triggers(&table, RuleEvent::Insert, &[], false, span);
                    let ast::MergeInsertKind::Values(values) = &insert.kind else { continue };
                    let listed: Vec<Name> = match &insert.columns[..] {
                        [] => table.columns.iter().map(|column| column.name.clone()).collect(),
                        columns => columns.iter().filter_map(written::column).collect(),
                    };
                    let rows: Vec<Vec<&ast::Expr>> =
                        values.rows.iter().map(|row| row.content.iter().collect()).collect();
                    self.look_up_inserted(&table, &listed, &rows, |_| true, span);
                }
                ast::MergeAction::Delete { .. } => self.rows_deleted(&table, span),
                ast::MergeAction::DoNothing { .. } => {}
            }
        }
    }

    pub fn copy(&mut self, copy: &Copy) {
        self.read_uses(&copy.uses, Depth::Run, &[]);
        if let Some(query) = &copy.query {
            self.run_called_by_query(&query.tree, query.span);
        }
        let Some(name) = &copy.table else { return };
        if copy.from {
            let Some(table) = self.write_target(name, Depth::Rewritten, false) else { return };
            if copy.data.is_some() {
                self.read_partition_bound(&table, name.span);
                self.fire_triggers(&table, RuleEvent::Insert, &[], false, name.span);
                let all: Vec<Name> = table.columns.iter().map(|column| column.name.clone()).collect();
                self.look_up_inserted(&table, &all, &[], |_| true, name.span);
            }
        } else if let Some(table) = self.find(name) {
            let mode: LockMode = AccessShare;
            self.lock(&table, mode, name.span);
            self.scan(&table, name.span, "COPY reads all its rows");
        }
    }
}

/// The columns that an INSERT gives values for, in order.
fn listed(insert: &Insert, table: &Relation) -> Vec<Name> {
    match &insert.columns[..] {
        [] => table.columns.iter().map(|column| column.name.clone()).collect(),
        columns => columns.iter().map(|column| column.name.clone()).collect(),
    }
}

/// The WHERE of a plain SELECT.
pub(super) fn only_condition(query: &ast::Query) -> Option<ast::Expr> {
    match &*query.body {
        ast::SetExpr::Select(select) => select.selection.clone(),
        _ => None,
    }
}
