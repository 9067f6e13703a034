//! Writes that stand inside another statement: in WITH, under EXPLAIN ANALYZE, in COPY (…) TO, in what EXECUTE runs.
//!
//! In: a change that does more than its first word says. Out: the writes, as statements at the same place. What they lock and read is
//! part of the whole statement's prediction; what they do to rows is for the rules to see.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Visit, Visitor};

use crate::change::{Change, Code, Statement};
use crate::schema::Session;
use crate::source::Span;
use crate::sql::read_statement_at;

/// The writes inside of a change; `None` where there are none.
pub(super) fn writes(change: &Change, session: &Session, place: Span) -> Option<Code> {
    let mut found = Vec::new();
    collect(change, session, place, &mut found);
    (!found.is_empty()).then(|| Code::sequence(found))
}

fn collect(change: &Change, session: &Session, place: Span, found: &mut Vec<Statement>) {
    match change {
        Change::Explain { analyze: true, change } => whole(change, session, place, found),
        Change::Execute(name) => {
            if let Some(prepared) = session.prepared.get(&name.name) {
                whole(prepared, session, place, found);
            }
        }
        Change::Copy(copy) => {
            if let Some(query) = &copy.query {
                in_query(&query.tree, false, place, found);
            }
        }
        Change::Insert(it) => in_tree(&it.tree.0, place, found),
        Change::Update(it) => in_tree(&it.tree.0, place, found),
        Change::Delete(it) => in_tree(&it.tree.0, place, found),
        Change::Merge(it) => in_tree(&it.tree.0, place, found),
        Change::Select(it) => in_tree(&it.tree.0, place, found),
        Change::CreateTableAs(it) => {
            if let Some(query) = &it.query {
                in_query(&query.tree, true, place, found);
            }
        }
        _ => {}
    }
}

/// A statement that runs as part of another, and what is inside of it.
fn whole(change: &Change, session: &Session, place: Span, found: &mut Vec<Statement>) {
    found.push(Statement {
        span: place,
        change: Ok(change.clone()),
        conditional: false,
        newer: Vec::new(),
        sent: None,
    });
    collect(change, session, place, found);
}

fn in_tree(tree: &ast::Statement, place: Span, found: &mut Vec<Statement>) {
    match tree {
        ast::Statement::Query(query) => in_query(query, true, place, found),
        other => visit(other, false, place, found),
    }
}

/// `is_told`: what the query itself writes is known already.
fn in_query(query: &ast::Query, is_told: bool, place: Span, found: &mut Vec<Statement>) {
    visit(query, is_told, place, found);
}

fn visit(tree: &impl Visit, skips_first: bool, place: Span, found: &mut Vec<Statement>) {
    struct Writes(Vec<String>, bool);
    impl Visitor for Writes {
        type Break = ();
        fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
            let skipped = std::mem::take(&mut self.1);
            if let ast::SetExpr::Insert(write)
            | ast::SetExpr::Update(write)
            | ast::SetExpr::Delete(write)
            | ast::SetExpr::Merge(write) = &*query.body
                && !skipped
            {
                self.0.push(write.to_string());
            }
            ControlFlow::Continue(())
        }
    }
    let mut writes = Writes(Vec::new(), skips_first);
    let _ = crate::walk::walk(tree, &mut writes);
    found.extend(writes.0.iter().map(|text| read_statement_at(text, place)).filter(|read| read.change.is_ok()));
}
