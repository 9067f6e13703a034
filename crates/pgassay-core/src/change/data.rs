//! Statements that read and write rows.
//!
//! sqlparser's tree is kept; what every model needs (target, relations read, predicate) is taken out once, by `sql`.

use std::sync::Arc;

use sqlparser::ast;

use super::{Expression, Ident, ObjectName, Query};
use crate::source::Span;

/// A relation that a statement reads or writes besides its target.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationUse {
    pub relation: ObjectName,
    pub only: bool,
    /// What is done to its rows.
    pub access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    /// SELECT … FOR UPDATE and its kin.
    LockRows,
    /// Written by a data-modifying WITH query.
    Write,
}

/// sqlparser's tree of a DML statement; equal when it prints the same.
#[derive(Debug, Clone)]
pub struct Tree(pub Arc<ast::Statement>);

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        super::expression::same_tree(&self.0, &other.0)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    pub table: ObjectName,
    /// Empty when no list was written: all columns in order.
    pub columns: Vec<Ident>,
    /// Rows of a plain VALUES list or DEFAULT VALUES; `None` when the rows come from a query.
    pub rows: Option<usize>,
    pub on_conflict: Option<OnConflict>,
    /// OVERRIDING SYSTEM VALUE or USER VALUE is written.
    pub overrides: bool,
    /// Relations of WITH and the source query (CTE names are not relations).
    pub uses: Vec<RelationUse>,
    pub tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OnConflict {
    /// Columns of the conflict target; empty when a constraint or nothing was named, or more than columns was.
    pub columns: Vec<Ident>,
    /// Expressions are among what the unique index has to be made of.
    pub expressions: bool,
    pub constraint: Option<Ident>,
    /// A condition follows the columns: partial indexes are asked too.
    pub has_predicate: bool,
    pub do_update: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub table: ObjectName,
    pub only: bool,
    pub columns: Vec<Ident>,
    /// The WHERE condition.
    pub predicate: Option<Expression>,
    pub uses: Vec<RelationUse>,
    pub tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    pub table: ObjectName,
    pub only: bool,
    pub predicate: Option<Expression>,
    pub uses: Vec<RelationUse>,
    pub tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    pub table: ObjectName,
    pub only: bool,
    pub uses: Vec<RelationUse>,
    pub tree: Tree,
}

/// SELECT, VALUES, TABLE, WITH. A call of `set_config` is [`super::Set`] when it stands alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub span: Span,
    pub uses: Vec<RelationUse>,
    pub tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// `None` for COPY (query) TO.
    pub table: Option<ObjectName>,
    pub columns: Vec<Ident>,
    /// COPY … FROM rather than TO.
    pub from: bool,
    pub uses: Vec<RelationUse>,
    /// The query of COPY (query) TO.
    pub query: Option<Query>,
    /// WHERE of COPY … FROM: the rows that are kept.
    pub predicate: Option<Expression>,
    /// The rows behind COPY … FROM stdin, in a file that carries them.
    pub data: Option<Span>,
    /// From or to a file of the server's machine, or a program there, rather than the client.
    pub on_server: bool,
}
