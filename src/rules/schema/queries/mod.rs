//! What the queries of a workload do with columns.
//!
//! In: normalised statements and the schema. Out: [`Use`]s, each of one column by one statement. A name is resolved within its query,
//! then in the query around it; what cannot be resolved is left out, so a use that is told is one that happens.

mod conditions;
mod nulls;
mod tree;

use std::collections::{BTreeSet, HashMap};

use sqlparser::ast::{
    self, Expr, GroupByExpr, JoinConstraint, JoinOperator, OrderByKind, SetExpr, TableFactor, TableWithJoins,
};

use crate::change::{Change, Name, ObjectName};
use crate::facts::{StatementFacts, Workload};
use crate::rules::schema::SchemaContext;
use crate::schema::{ColumnId, Relation, RelationId, Session};
use crate::sql::{FileId, SourceFile, Span, read_script};
use tree::{arguments, fold, is_coalesce, is_count};

/// One thing that one statement does with a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    pub table: RelationId,
    pub column: ColumnId,
    pub kind: UseKind,
    /// Index in the workload.
    pub statement: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// `<>`, NOT IN (list), NOT LIKE, `!~`: neither true nor false where the column is NULL.
    Negated,
    /// NOT c, c = false, c <> true.
    NegatedBoolean,
    /// The column that NOT IN (SELECT …) returns.
    NotInSubquery,
    /// Within COALESCE.
    Coalesced,
    /// IS NULL on the far side of a LEFT JOIN, which is not joined by it.
    AntiJoin,
    /// Compared in WHERE, or to join inwards, behind a LEFT JOIN: the rows that it kept are left out again.
    UndoesOuterJoin,
    /// IS NULL or IS NOT NULL where no outer join can have made it NULL.
    TestedForNull,
    /// An operand of `||`.
    Concatenated,
    /// An operand of `+`, `-`, `*` or `/`, with another column as the other one.
    Calculated,
    /// `count(c)`.
    Counted,
    /// ORDER BY … DESC with LIMIT, and no NULLS LAST.
    DescendingLimit,
    /// `c = NULL`.
    EqualsNull,
    /// Compared as an argument of a function or cast: `lower(c) = …`. The text of it.
    Wrapped(String),
    /// Compared as it is, with `=` or IN.
    Equal,
    /// Compared as it is with anything else.
    Compared,
    /// `c -> 'k'`, `c ->> 'k'`, `c @> …`, `c ? …` in a condition; the operator.
    Reached(String),
    /// Anything else.
    Read,
}

/// All that the statements of a workload do with the columns of a schema.
pub fn uses(context: &SchemaContext, workload: &Workload) -> Vec<Use> {
    let mut found = Vec::new();
    let mut names: HashMap<&Name, Vec<&Relation>> = HashMap::new();
    for relation in context.schema.relations.values().filter(|relation| relation.is_table()) {
        names.entry(&relation.name.name).or_default().push(relation);
    }
    for (number, statement) in workload.statements.iter().enumerate() {
        let source = SourceFile::new("query", statement.query.as_str());
        for read in read_script(FileId(0), &source).statements {
            let Ok(change) = read.change else { continue };
            let mut walk = Walk { context, names: &names, statement: number, found: &mut found, scopes: Vec::new() };
            walk.change(&change);
        }
    }
    found
}

/// Whether a statement matters: a hundredth of the time, or a hundred calls.
pub fn is_hot(statement: &StatementFacts, workload: &Workload) -> bool {
    statement.calls >= 100 || statement.total_milliseconds >= workload.total_milliseconds() * 0.01
}

/// A table that a query reads, and how it is called there.
struct Source<'a> {
    alias: Name,
    relation: &'a Relation,
    /// On the side of an outer join that may be filled with NULLs.
    outer: bool,
    /// Columns that join it.
    joined_by: BTreeSet<ColumnId>,
}

struct Walk<'w, 'a> {
    context: &'w SchemaContext<'a>,
    /// Tables of all schemas by their bare names.
    names: &'w HashMap<&'a Name, Vec<&'a Relation>>,
    statement: usize,
    found: &'w mut Vec<Use>,
    /// The tables of each query around, and names that WITH gives.
    scopes: Vec<(Vec<Source<'a>>, Vec<Name>)>,
}

impl<'a> Walk<'_, 'a> {
    fn change(&mut self, change: &Change) {
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
                if let Some(query) = &insert.source {
                    self.query(query);
                }
            }
            _ => {}
        }
    }

    fn query(&mut self, query: &ast::Query) {
        if self.scopes.len() > 40 {
            return;
        }
        let mut names = Vec::new();
        if let Some(with) = &query.with {
            for table in &with.cte_tables {
                names.push(fold(&table.alias.name));
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

    fn body(&mut self, body: &SetExpr) {
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

    fn table_with_joins(&mut self, table: &TableWithJoins) {
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
                        let Some(name) = name.0.last().and_then(|part| part.as_ident()).map(fold) else { continue };
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

    fn join_by(&mut self, (table, column): (RelationId, ColumnId)) {
        for (sources, _) in &mut self.scopes {
            sources
                .iter_mut()
                .filter(|source| source.relation.id == table)
                .for_each(|source| _ = source.joined_by.insert(column));
        }
    }

    fn factor(&mut self, factor: &TableFactor, outer: bool) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let Some(relation) = self.relation(name) else { return };
                let alias = alias.as_ref().map_or_else(|| relation.name.name.clone(), |alias| fold(&alias.name));
                if let Some((sources, _)) = self.scopes.last_mut() {
                    sources.push(Source { alias, relation, outer, joined_by: BTreeSet::new() });
                }
            }
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => self.table_with_joins(table_with_joins),
            _ => {}
        }
    }

    fn relation(&self, name: &ast::ObjectName) -> Option<&'a Relation> {
        let parts: Vec<Name> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
        let (last, before) = parts.split_last()?;
        if before.is_empty() && self.scopes.iter().any(|(_, names)| names.contains(last)) {
            return None;
        }
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let name = ObjectName { schema: before.last().cloned(), name: last.clone(), span };
        let schema = self.context.schema;
        if let Some(found) = schema.find_relation(&name, &Session::default()) {
            return found.is_table().then_some(&**found);
        }
        if !before.is_empty() {
            return None;
        }
        // Applications have a search_path of their own: a name that only one schema has is that one.
        match self.names.get(last).map(Vec::as_slice) {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// The column that an expression is.
    fn column(&self, expr: &Expr) -> Option<(RelationId, ColumnId)> {
        match expr {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(ident) => {
                let name = fold(ident);
                for (sources, _) in self.scopes.iter().rev() {
                    let mut hits = sources
                        .iter()
                        .filter_map(|source| Some((source.relation.id, source.relation.column(&name)?.id)));
                    if let Some(hit) = hits.next() {
                        return hits.next().is_none().then_some(hit);
                    }
                }
                None
            }
            Expr::CompoundIdentifier(parts) => {
                let [.., table, column] = &parts[..] else { return None };
                let (table, column) = (fold(table), fold(column));
                let source =
                    self.scopes.iter().rev().flat_map(|(sources, _)| sources).find(|source| source.alias == table)?;
                Some((source.relation.id, source.relation.column(&column)?.id))
            }
            _ => None,
        }
    }

    fn columns_in(&self, expr: &Expr) -> Vec<(RelationId, ColumnId)> {
        let mut found = Vec::new();
        let _ = ast::visit_expressions(expr, |part| {
            found.extend(self.column(part));
            std::ops::ControlFlow::<()>::Continue(())
        });
        found
    }

    fn put(&mut self, (table, column): (RelationId, ColumnId), kind: UseKind) {
        self.found.push(Use { table, column, kind, statement: self.statement });
    }

    /// An expression of which only the value matters.
    fn value(&mut self, expr: &Expr) {
        if let Some(column) = self.column(expr) {
            return self.put(column, UseKind::Read);
        }
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => {
                self.value(inner)
            }
            Expr::BinaryOp { left, op, right } => self.operation(left, op, right),
            Expr::Function(call) => {
                let coalesce = is_coalesce(call);
                let count = is_count(call);
                for (number, argument) in arguments(call).into_iter().enumerate() {
                    match self.column(argument) {
                        Some(column) if coalesce && number == 0 => self.put(column, UseKind::Coalesced),
                        Some(column) if count && !self.is_outer(argument, column) => self.put(column, UseKind::Counted),
                        _ => self.value(argument),
                    }
                }
            }
            Expr::Case { conditions, else_result, .. } => {
                for when in conditions {
                    self.condition(&when.condition);
                    self.value(&when.result);
                }
                else_result.iter().for_each(|result| self.value(result));
            }
            Expr::Subquery(query) => self.query(query),
            Expr::Exists { subquery, .. } => self.query(subquery),
            Expr::InSubquery { .. } | Expr::InList { .. } | Expr::Like { .. } | Expr::Between { .. } => {
                self.condition(expr)
            }
            _ => {}
        }
    }

    /// What NOT IN (SELECT c …) returns.
    fn returned(&mut self, query: &ast::Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        let [ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. }] = &select.projection[..]
        else {
            return;
        };
        let guarded = select
            .selection
            .as_ref()
            .is_some_and(|condition| condition.to_string().to_ascii_lowercase().contains("is not null"));
        if guarded {
            return;
        }
        let before = self.found.len();
        self.scopes.push((Vec::new(), Vec::new()));
        select.from.iter().for_each(|table| self.table_with_joins(table));
        let column = self.column(expr);
        self.scopes.pop();
        self.found.truncate(before);
        if let Some(column) = column {
            self.put(column, UseKind::NotInSubquery);
        }
    }
}
