//! Which relations a query reads, locks or writes.
//!
//! Names of WITH queries are not relations where they can be seen: behind their own query, or everywhere under RECURSIVE. Functions
//! in FROM are not relations either.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, FromTable, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Visit, Visitor};

use crate::change::{Access, Ident, Name, ObjectName, Query, RelationUse, Unreadable};
use crate::source::{FileId, Span};
use crate::sql::lex::keyword::can_name_column;
use crate::sql::lex::token::tree_span;

/// The relations of a view's or function's query, in the order of the text, each with every kind of access once.
pub fn relation_uses(query: &Query) -> Vec<RelationUse> {
    let source = Source { span: query.span, text: &query.text };
    collect(&*query.tree, None, source)
}

/// The text that a tree was read from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub span: Span,
    pub text: &'a str,
}

/// The relations of a tree but for the target of its own statement.
pub(super) fn collect(tree: &impl Visit, target: Option<&Statement>, source: Source) -> Vec<RelationUse> {
    let mut collector = Collector { source, own: target.and_then(target_of), ..Collector::new(source) };
    let _ = crate::walk::walk(tree, &mut collector);
    collector.found
}

/// A key word, without quotes, where a relation has to be named: sqlparser takes some that PostgreSQL reserves.
pub(super) fn reserved_name(tree: &impl Visit, source: Source) -> Option<Unreadable> {
    let mut names = Names { calls: HashSet::new(), reserved: None };
    let _ = crate::walk::walk(tree, &mut names);
    let ident = names.reserved?;
    let span = tree_span(source.span.file, ident.span).unwrap_or(source.span);
    Some(Unreadable::new(format!("expected the name of a table, found '{}'", ident.value), span))
}

struct Names {
    calls: HashSet<*const ast::ObjectName>,
    reserved: Option<ast::Ident>,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } = factor {
            self.calls.insert(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
        // `FROM current_date` is a call.
        const CALLS: &[&str] = &["current_", "localtime", "session_user", "system_user", "user"];
        let first = relation.0.first().and_then(|part| part.as_ident());
        let Some(ident) = first.filter(|ident| ident.quote_style.is_none()) else { return ControlFlow::Continue(()) };
        let word = ident.value.to_ascii_lowercase();
        let call =
            self.calls.contains(&std::ptr::from_ref(relation)) || CALLS.iter().any(|call| word.starts_with(call));
        if call || can_name_column(&word) {
            return ControlFlow::Continue(());
        }
        self.reserved = Some(ident.clone());
        ControlFlow::Break(())
    }
}

/// The relation that a statement writes.
pub(super) fn target_of(statement: &Statement) -> Option<*const ast::ObjectName> {
    match statement {
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => Some(name),
            _ => None,
        },
        Statement::Update(update) => factor_name(&update.table.relation).map(|name| name as *const _),
        Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            from.first().and_then(|table| factor_name(&table.relation)).map(|name| name as *const _)
        }
        Statement::Merge(merge) => factor_name(&merge.table).map(|name| name as *const _),
        _ => None,
    }
}

pub(super) fn factor_name(factor: &TableFactor) -> Option<&ast::ObjectName> {
    match factor {
        TableFactor::Table { name, args: None, .. } => Some(name),
        _ => None,
    }
}

pub(super) fn ident(file: FileId, found: &ast::Ident) -> Ident {
    let name = Name::of_ident(found);
    Ident { name, span: tree_span(file, found.span).unwrap_or(Span { file, start: 0, end: 0 }) }
}

/// The name with its place; the statement's place where sqlparser gives none.
pub(super) fn object_name(source: Source, found: &ast::ObjectName) -> ObjectName {
    let parts: Vec<Ident> =
        found.0.iter().filter_map(|part| part.as_ident()).map(|part| ident(source.span.file, part)).collect();
    let place = parts.iter().map(|part| part.span).reduce(Span::to).filter(|span| span.end > 0).unwrap_or(source.span);
    let mut names = parts.into_iter().rev().map(|part| part.name);
    let name = names.next().unwrap_or_else(|| Name::new(""));
    ObjectName { schema: names.next(), name, span: place }
}

/// Whether ONLY stands before a name: sqlparser's tree does not keep it.
pub(super) fn is_only(source: Source, name: &ObjectName) -> bool {
    let before = name.span.start.checked_sub(source.span.start).and_then(|end| source.text.get(..end as usize));
    let before = before.unwrap_or_default().trim_end();
    let before = before.strip_suffix('(').unwrap_or(before).trim_end();
    before.len() >= 4 && before.get(before.len() - 4..).is_some_and(|word| word.eq_ignore_ascii_case("only"))
}

struct Collector<'a> {
    source: Source<'a>,
    own: Option<*const ast::ObjectName>,
    written: HashSet<*const ast::ObjectName>,
    locked: HashSet<*const ast::ObjectName>,
    /// Names in `TableFactor`s that are calls of functions.
    calls: HashSet<*const ast::ObjectName>,
    scopes: Vec<Scope>,
    found: Vec<RelationUse>,
}

/// The WITH queries of one query: those that are visible, and those that are still to come.
#[derive(Default)]
struct Scope {
    visible: Vec<Name>,
    coming: Vec<(*const ast::Query, Name)>,
}

impl<'a> Collector<'a> {
    fn new(source: Source<'a>) -> Collector<'a> {
        let (written, locked, calls) = Default::default();
        Collector { source, own: None, written, locked, calls, scopes: Vec::new(), found: Vec::new() }
    }

    fn lock(&mut self, query: &ast::Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        for lock in &query.locks {
            let of = lock
                .of
                .as_ref()
                .and_then(|name| name.0.last()?.as_ident().map(|part| ident(self.source.span.file, part)));
            for table in &select.from {
                self.lock_tables(table, of.as_ref());
            }
        }
    }

    fn lock_tables(&mut self, table: &TableWithJoins, of: Option<&Ident>) {
        let factors = std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation));
        for factor in factors {
            match factor {
                TableFactor::Table { name, alias, .. } => {
                    let called =
                        alias.as_ref().map(|alias| &alias.name).or(name.0.last().and_then(|part| part.as_ident()));
                    let called = called.map(|called| ident(self.source.span.file, called).name);
                    if of.is_none_or(|of| Some(&of.name) == called.as_ref()) {
                        self.locked.insert(name);
                    }
                }
                TableFactor::NestedJoin { table_with_joins, .. } => self.lock_tables(table_with_joins, of),
                _ => {}
            }
        }
    }
}

impl Visitor for Collector<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        let mut scope = Scope::default();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let name = ident(self.source.span.file, &cte.alias.name).name;
                match with.recursive {
                    true => scope.visible.push(name),
                    false => scope.coming.push((&*cte.query, name)),
                }
            }
        }
        self.scopes.push(scope);
        self.lock(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        self.scopes.pop();
        if let Some(scope) = self.scopes.last_mut() {
            let done = scope.coming.iter().position(|(coming, _)| std::ptr::eq(*coming, query));
            if let Some(index) = done {
                let (_, name) = scope.coming.remove(index);
                scope.visible.push(name);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.written.extend(target_of(statement));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } = factor {
            self.calls.insert(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
        let place = std::ptr::from_ref(relation);
        let name = object_name(self.source, relation);
        let is_with_query = name.schema.is_none() && self.scopes.iter().any(|scope| scope.visible.contains(&name.name));
        let written = self.written.contains(&place);
        if self.own == Some(place) || self.calls.contains(&place) || (is_with_query && !written) {
            return ControlFlow::Continue(());
        }
        let access = match (written, self.locked.contains(&place)) {
            (true, _) => Access::Write,
            (_, true) => Access::LockRows,
            _ => Access::Read,
        };
        let only = is_only(self.source, &name);
        let known = |known: &RelationUse| {
            (known.access, known.only, &known.relation.schema, &known.relation.name)
                == (access, only, &name.schema, &name.name)
        };
        if !self.found.iter().any(known) {
            self.found.push(RelationUse { relation: name, only, access });
        }
        ControlFlow::Continue(())
    }
}
