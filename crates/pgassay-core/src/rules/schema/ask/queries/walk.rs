//! Going through a statement: its queries, the tables that each reads, and how they are joined.

use std::collections::{BTreeSet, HashMap};

use sqlparser::ast::{
    self, GroupByExpr, JoinConstraint, JoinOperator, OrderByKind, SetExpr, TableFactor, TableWithJoins,
};

use super::{Use, UseKind};
use crate::change::{Change, Name};
use crate::rules::schema::SchemaContext;
use crate::schema::{ColumnId, Relation, RelationId};

/// A table that a query reads, and how it is called there.
pub(super) struct Source<'a> {
    pub(super) alias: Name,
    pub(super) relation: &'a Relation,
    /// On the side of an outer join that may be filled with NULLs.
    pub(super) outer: bool,
    /// Columns that join it.
    pub(super) joined_by: BTreeSet<ColumnId>,
}

pub(super) struct Walk<'w, 'a> {
    pub(super) context: &'w SchemaContext<'a>,
    /// Tables of all schemas by their bare names.
    pub(super) names: &'w HashMap<&'a Name, Vec<&'a Relation>>,
    pub(super) statement: usize,
    pub(super) found: &'w mut Vec<Use>,
    /// The tables of each query around, and names that WITH gives.
    pub(super) scopes: Vec<(Vec<Source<'a>>, Vec<Name>)>,
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn change(&mut self, change: &Change) {
        let tree = match change {
            Change::Select(select) => &select.tree,
            Change::Update(update) => &update.tree,
            Change::Delete(delete) => &delete.tree,
            Change::Insert(insert) => &insert.tree,
            _ => return,
        };
        match &*tree.0 {
            ast::Statement::Query(query) => self.query(query),
            ast::Statement::Update(update) => {
                self.scopes.push((Vec::new(), Vec::new()));
                self.table_with_joins(&update.table);
                if let Some(condition) = &update.selection {
                    self.condition(condition);
                }
                self.scopes.pop();
            }
            ast::Statement::Delete(delete) => {
                self.scopes.push((Vec::new(), Vec::new()));
                let (ast::FromTable::WithFromKeyword(tables) | ast::FromTable::WithoutKeyword(tables)) = &delete.from;
                tables.iter().for_each(|table| self.table_with_joins(table));
                if let Some(condition) = &delete.selection {
                    self.condition(condition);
                }
                self.scopes.pop();
            }
            ast::Statement::Insert(insert) => {
                self.conflict_target(insert);
                if let Some(query) = &insert.source {
                    self.query(query);
                }
            }
            _ => {}
        }
    }

    fn conflict_target(&mut self, insert: &ast::Insert) {
        let ast::TableObject::TableName(name) = &insert.table else { return };
        let Some(ast::OnInsert::OnConflict(conflict)) = &insert.on else { return };
        let (Some(relation), Some(ast::ConflictTarget::Columns(names))) =
            (self.relation(name), &conflict.conflict_target)
        else {
            return;
        };
        for column in names.iter().filter_map(|name| relation.column(&Name::of_ident(name))) {
            self.put((relation.id, column.id), UseKind::ConflictTarget);
        }
    }

    pub(super) fn query(&mut self, query: &ast::Query) {
        if self.scopes.len() > 40 {
            return;
        }
        let mut names = Vec::new();
        if let Some(with) = &query.with {
            for table in &with.cte_tables {
                names.push(Name::of_ident(&table.alias.name));
                self.scopes.push((Vec::new(), names.clone()));
                self.query(&table.query);
                self.scopes.pop();
            }
        }
        self.scopes.push((Vec::new(), names));
        self.body(&query.body);
        let limited = query.limit_clause.is_some() || query.fetch.is_some();
        if let Some(order) = &query.order_by
            && let OrderByKind::Expressions(expressions) = &order.kind
        {
            for element in expressions {
                let descending = matches!(element.options.sort, Some(ast::OrderBySort::Desc));
                match self.column(&element.expr) {
                    Some(column) if descending && limited && element.options.nulls_first.is_none() => {
                        self.put(column, UseKind::DescendingLimit)
                    }
                    Some(column) => self.put(column, UseKind::Read),
                    None => self.value(&element.expr),
                }
            }
        }
        self.scopes.pop();
    }

    pub(super) fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => {
                select.from.iter().for_each(|table| self.table_with_joins(table));
                for item in &select.projection {
                    match item {
                        ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => {
                            self.value(expr)
                        }
                        _ => {}
                    }
                }
                for condition in select.selection.iter().chain(&select.having) {
                    self.condition(condition);
                }
                if let Some(condition) = &select.selection {
                    self.undone(condition);
                }
                if let GroupByExpr::Expressions(expressions, _) = &select.group_by {
                    expressions.iter().for_each(|expr| self.value(expr));
                }
            }
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                for side in [left, right] {
                    self.scopes.push((Vec::new(), Vec::new()));
                    self.body(side);
                    self.scopes.pop();
                }
            }
            _ => {}
        }
    }

    pub(super) fn table_with_joins(&mut self, table: &TableWithJoins) {
        self.factor(&table.relation, false);
        for join in &table.joins {
            let (constraint, outer) = match &join.join_operator {
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (Some(constraint), true),
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint) => (Some(constraint), false),
                _ => (None, false),
            };
            // What stands before may be filled with NULLs too.
            let fills_before = matches!(
                join.join_operator,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
            );
            if let Some((sources, _)) = self.scopes.last_mut().filter(|_| fills_before) {
                sources.iter_mut().for_each(|source| source.outer = true);
            }
            let inward = matches!(join.join_operator, JoinOperator::Join(_) | JoinOperator::Inner(_));
            let outer = outer || matches!(join.join_operator, JoinOperator::FullOuter(_));
            self.factor(&join.relation, outer);
            match constraint {
                Some(JoinConstraint::On(condition)) => {
                    if inward {
                        self.undone(condition);
                    }
                    for column in self.columns_in(condition) {
                        self.join_by(column);
                    }
                    self.condition(condition);
                }
                Some(JoinConstraint::Using(names)) => {
                    for name in names {
                        let Some(name) = name.0.last().and_then(|part| part.as_ident()).map(Name::of_ident) else {
                            continue;
                        };
                        let Some((sources, _)) = self.scopes.last_mut() else { continue };
                        for source in sources.iter_mut() {
                            source.joined_by.extend(source.relation.column(&name).map(|column| column.id));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn join_by(&mut self, (table, column): (RelationId, ColumnId)) {
        for (sources, _) in &mut self.scopes {
            sources
                .iter_mut()
                .filter(|source| source.relation.id == table)
                .for_each(|source| _ = source.joined_by.insert(column));
        }
    }

    pub(super) fn factor(&mut self, factor: &TableFactor, outer: bool) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let Some(relation) = self.relation(name) else { return };
                let alias =
                    alias.as_ref().map_or_else(|| relation.name.name.clone(), |alias| Name::of_ident(&alias.name));
                if let Some((sources, _)) = self.scopes.last_mut() {
                    sources.push(Source { alias, relation, outer, joined_by: BTreeSet::new() });
                }
            }
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => self.table_with_joins(table_with_joins),
            _ => {}
        }
    }

    pub(super) fn put(&mut self, (table, column): (RelationId, ColumnId), kind: UseKind) {
        self.found.push(Use { table, column, kind, statement: self.statement });
    }
}
