//! Views and materialized views, and what reading a query touches.

use std::sync::Arc;

use sqlparser::ast;

use super::predictor::Predictor;
use super::{data, prune};
use crate::catalog::LockMode::{self, AccessExclusive, AccessShare, Exclusive, RowShare};
use crate::change::{CreateMaterializedView, CreateView, Query, RefreshMaterializedView};
use crate::expression::{self, QueryAnalysis};
use crate::schema::{Relation, RelationKind};
use crate::source::Span;

/// How far a query is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Parsed and analyzed: the relations it names.
    Named,
    /// Rewritten: views are opened.
    Rewritten,
    /// Planned: partitions and children are opened too.
    Planned,
    /// Run: rows are read.
    Run,
}

impl Predictor<'_> {
    pub fn create_view(&mut self, create: &CreateView) {
        self.look_up(&create.query.tree, create.query.span);
        let name = self.schema().qualify(&create.name, self.context.session);
        if let (true, Some(view)) = (create.or_replace, self.schema().relation_at(&name)) {
            self.lock(view, AccessExclusive, create.name.span);
        }
    }

    pub fn create_materialized_view(&mut self, create: &CreateMaterializedView) {
        let name = self.schema().qualify(&create.name, self.context.session);
        if create.with_no_data || create.if_not_exists && self.schema().relation_at(&name).is_some() {
            self.look_up(&create.query.tree, create.query.span);
        } else {
            self.read_query_to(&create.query, Depth::Run);
        }
    }

    pub fn refresh(&mut self, refresh: &RefreshMaterializedView) {
        let span = refresh.name.span;
        let Some(view) = self.find(&refresh.name) else { return };
        self.lock(&view, if refresh.concurrently { Exclusive } else { AccessExclusive }, span);
        if refresh.concurrently {
            // refresh_by_match_merge (matview.c) compares old rows with new ones.
            self.scan_view(&view, span, "its rows are compared with the new ones");
        } else {
            self.new_storage(&view, span, "the query's result gets new storage");
            self.rebuild_all(&view, span, "the materialized view is filled anew");
            if !view.indexes.is_empty() {
                self.scan_view(&view, span, "its indexes are built from the new rows");
            }
        }
        let Some(definition) = view.as_view().filter(|_| !refresh.with_no_data) else { return };
        self.run_called_by_view(view.id, span);
        for (id, _) in &definition.uses {
            if let Some(used) = self.relation(*id).cloned() {
                self.read(&used, AccessShare, Depth::Run, false, span);
            }
        }
    }

    fn scan_view(&mut self, view: &Relation, span: Span, reason: &str) {
        self.scan(view, span, reason);
    }

    /// Analyzes a query and no more: what it names is locked.
    pub fn look_up(&mut self, query: &ast::Query, span: Span) {
        let analysis = expression::analyze_query(query, self.scope(None));
        self.read_analysis(&analysis, Depth::Named, span);
    }

    /// Plans a query, or runs it.
    pub fn read_query_to(&mut self, query: &Query, depth: Depth) {
        let uses = crate::sql::relation_uses(query);
        let condition = if uses.len() == 1 { data::only_condition(&query.tree) } else { None };
        let outer = std::mem::replace(&mut self.condition, condition.map(Arc::new));
        self.read_uses(&uses, depth, &prune::answered_by_index(&*query.tree));
        self.condition = outer;
        if depth == Depth::Run {
            self.run_called_by_query(&query.tree, query.span);
        }
    }

    pub fn read_analysis(&mut self, analysis: &QueryAnalysis, depth: Depth, span: Span) {
        for (id, _) in &analysis.uses {
            if let Some(used) = self.relation(*id).cloned() {
                self.read(&used, AccessShare, depth, false, span);
            }
        }
        for name in &analysis.missing {
            if let Some(unknown) = self.find(name) {
                self.read(&unknown, AccessShare, depth, false, name.span);
            }
        }
    }

    /// Reads, or locks the rows of, a relation; a view reads what its query names, under the same kind of lock for FOR UPDATE
    /// (`markQueryForLocking`, rewriteHandler.c).
    pub fn read(&mut self, relation: &Relation, mode: LockMode, depth: Depth, only: bool, span: Span) {
        self.lock(relation, mode, span);
        if depth == Depth::Named {
            return;
        }
        match &relation.kind {
            RelationKind::View(view) => {
                let mode = if mode == RowShare { RowShare } else { AccessShare };
                if !self.opened.insert((relation.id, mode, depth)) {
                    return;
                }
                for (id, _) in &view.uses {
                    if let Some(used) = self.relation(*id).cloned() {
                        self.read(&used, mode, depth, false, span);
                    }
                }
            }
            _ if depth >= Depth::Planned => {
                let condition = self.condition.clone();
                for part in self.concerned(relation, only) {
                    self.lock(&part, mode, span);
                    let by_index =
                        condition.as_ref().is_some_and(|it| prune::never(it) || self.finds_by_index(&part, it));
                    if depth == Depth::Run && !by_index {
                        self.scan(&part, span, "the query reads all its rows");
                    }
                }
            }
            _ => {}
        }
    }
}
