//! Subqueries in FROM without an alias: the grammar takes them since 16 (its release notes, E.1.3.3).

use std::ops::ControlFlow;

use sqlparser::ast::{self, Spanned, Visit, Visitor};

use super::{Problem, ProblemKind};
use crate::change::{Change, CreateTableAs, PrintedName};
use crate::source::Span;
use crate::sql::tree_span;
use crate::version::PgVersion;

/// The first subquery that an older server refuses, in a function's body too. The statements of a DO block are asked for one by one.
pub fn unnamed_subquery(change: &Change, version: PgVersion, span: Span) -> Option<Problem> {
    if version.at_least(16) {
        return None;
    }
    match change {
        Change::CreateView(create) => found(&*create.query.tree, create.query.span),
        Change::CreateMaterializedView(create) => found(&*create.query.tree, create.query.span),
        Change::CreateTableAs(CreateTableAs { query: Some(query), .. }) => found(&*query.tree, query.span),
        Change::Prepare { change, .. } | Change::DeclareCursor { change, .. } | Change::Explain { change, .. } => {
            unnamed_subquery(change, version, span)
        }
        Change::CreateRoutine(create) => inner(&create.statements, version),
        _ => super::routine::tree_of(change).and_then(|tree| found(tree, span)),
    }
}

fn inner(statements: &[crate::change::Statement], version: PgVersion) -> Option<Problem> {
    statements.iter().find_map(|it| unnamed_subquery(it.change.as_ref().ok()?, version, it.span))
}

fn found(tree: &impl Visit, whole: Span) -> Option<Problem> {
    struct First;
    impl Visitor for First {
        type Break = sqlparser::tokenizer::Span;

        fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<Self::Break> {
            match factor {
                ast::TableFactor::Derived { subquery, alias: None, .. } => ControlFlow::Break(subquery.span()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    let ControlFlow::Break(place) = crate::walk::walk(tree, &mut First) else { return None };
    let span = tree_span(whole.file, place).filter(|span| whole.contains(*span)).unwrap_or(whole);
    let message = "subquery in FROM must have an alias before PostgreSQL 16".to_owned();
    Some(Problem { kind: ProblemKind::Invalid, span, object: PrintedName::other(""), message })
}
