//! Where the DDL of a database defines what.

use std::collections::HashMap;

use crate::change::{Name, QualifiedName};
use crate::sql::Span;

/// Spans of definitions in the DDL of a database. A span covers what a finding should underline: the name where an object is made,
/// the line of a column or constraint.
#[derive(Debug, Clone, Default)]
pub struct Places {
    relations: HashMap<QualifiedName, Span>,
    /// Columns by the table they belong to.
    columns: HashMap<(QualifiedName, Name), Span>,
    routines: HashMap<QualifiedName, Span>,
}

impl Places {
    /// A table, view, index, sequence or other relation.
    pub fn relation(&self, name: &QualifiedName) -> Option<Span> {
        self.relations.get(name).copied()
    }

    /// A column of a table.
    pub fn column(&self, relation: &QualifiedName, column: &Name) -> Option<Span> {
        self.columns.get(&(relation.clone(), column.clone())).copied()
    }

    /// The first routine of that name.
    pub fn routine(&self, name: &QualifiedName) -> Option<Span> {
        self.routines.get(name).copied()
    }

    pub(super) fn put_relation(&mut self, name: QualifiedName, span: Span) {
        self.relations.entry(name).or_insert(span);
    }

    pub(super) fn put_column(&mut self, relation: QualifiedName, column: Name, span: Span) {
        self.columns.entry((relation, column)).or_insert(span);
    }

    pub(super) fn put_routine(&mut self, name: QualifiedName, span: Span) {
        self.routines.entry(name).or_insert(span);
    }
}
