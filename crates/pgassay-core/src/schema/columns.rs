//! Which columns of one table an expression names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Visitor};

use super::{ColumnId, Relation};
use crate::change::Name;

/// The columns of `relation` that the expression names, each once, in order of their numbers.
pub fn columns_named(expression: &Expr, relation: &Relation) -> Vec<ColumnId> {
    let mut found = Finder { relation, found: BTreeSet::new(), queries: 0 };
    let _ = crate::walk::walk(expression, &mut found);
    found.found.into_iter().collect()
}

struct Finder<'a> {
    relation: &'a Relation,
    found: BTreeSet<ColumnId>,
    /// Inside how many subqueries: an unqualified name there may be the subquery's own.
    queries: usize,
}

impl Finder<'_> {
    fn add(&mut self, name: &Name) {
        self.found.extend(self.relation.column(name).map(|column| column.id));
    }

    /// A whole-row reference needs every column.
    fn add_all(&mut self) {
        self.found.extend(self.relation.columns.iter().map(|column| column.id));
    }

    fn name(&mut self, path: &[Name]) {
        let own = &self.relation.name;
        match path {
            [name] if self.queries == 0 && self.relation.column(name).is_some() => self.add(name),
            [name] if *name == own.name && self.relation.column(name).is_none() => self.add_all(),
            [table, name, ..] if *table == own.name => self.add(name),
            [schema, table, name, ..] if *schema == own.schema && *table == own.name => self.add(name),
            // A trigger's condition names the old and the new row.
            [row, name] if *row == "new" || *row == "old" => self.add(name),
            // The field of a composite column.
            [name, ..] if self.queries == 0 => self.add(name),
            _ => {}
        }
    }
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(ident) => self.name(&[Name::of_ident(ident)]),
            Expr::CompoundIdentifier(path) => self.name(&path.iter().map(Name::of_ident).collect::<Vec<_>>()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
