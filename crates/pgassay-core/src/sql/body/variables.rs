//! The variables and parameters of a routine's or a block's code.
//!
//! In: declarations and assignments, in the order of the text. Out: the values that are known where the reader is, and statements in
//! which a variable is a value and not a column.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{self, Expr, Visitor, VisitorMut};

use crate::change::{Change, Expression, Name, Tree};
use crate::sql::lex::literal::Literal;

/// What PL/pgSQL declares in every body (manual, 41.3, 41.6.6 and 41.10).
const ALWAYS: &[&str] = &["found", "sqlstate", "sqlerrm", "new", "old"];

#[derive(Debug, Clone)]
pub(in crate::sql) struct Variables {
    names: BTreeSet<Name>,
    known: BTreeMap<Name, Literal>,
    /// Arrays whose elements are all known.
    arrays: BTreeMap<Name, Vec<Literal>>,
}

impl Variables {
    pub(in crate::sql) fn of_plpgsql() -> Variables {
        let names = ALWAYS.iter().map(|name| Name::from(*name)).collect();
        Variables { names, known: BTreeMap::new(), arrays: BTreeMap::new() }
    }

    /// The parameters of a function in language SQL are all there is.
    pub(in crate::sql) fn none() -> Variables {
        Variables { names: BTreeSet::new(), known: BTreeMap::new(), arrays: BTreeMap::new() }
    }

    pub(in crate::sql) fn declare(&mut self, name: Name) {
        self.forget(&name);
        self.names.insert(name);
    }

    /// The value of a variable from here on; `None`: it is not known.
    pub(in crate::sql) fn assign(&mut self, name: &Name, value: Option<Literal>) {
        self.forget(name);
        if let Some(value) = value {
            self.known.insert(name.clone(), value);
        }
    }

    pub(in crate::sql) fn assign_array(&mut self, name: &Name, elements: Vec<Literal>) {
        self.arrays.insert(name.clone(), elements);
    }

    pub(in crate::sql) fn array(&self, name: &Name) -> Option<&[Literal]> {
        self.arrays.get(name).map(Vec::as_slice)
    }

    pub(in crate::sql) fn value(&self, name: &Name) -> Option<&Literal> {
        self.known.get(name)
    }

    pub(in crate::sql) fn forget(&mut self, name: &Name) {
        self.known.remove(name);
        self.arrays.remove(name);
    }

    /// After code that may have run or not: only what both ways agree on is known.
    pub(in crate::sql) fn meet(&mut self, other: &Variables) {
        self.names.extend(other.names.iter().cloned());
        self.known.retain(|name, value| other.known.get(name).is_some_and(|it| it.value == value.value));
        let values = |array: &[Literal]| array.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
        self.arrays.retain(|name, array| other.array(name).is_some_and(|it| values(it) == values(array)));
    }

    /// Puts the variables' values, or placeholders of their names, where a statement names them.
    pub(in crate::sql) fn bind(&self, change: &mut Change) {
        match change {
            Change::Insert(insert) => drop(self.bind_tree(&mut insert.tree)),
            Change::Update(update) => {
                let tables = self.bind_tree(&mut update.tree);
                self.bind_expression(update.predicate.as_mut(), tables);
            }
            Change::Delete(delete) => {
                let tables = self.bind_tree(&mut delete.tree);
                self.bind_expression(delete.predicate.as_mut(), tables);
            }
            Change::Merge(merge) => drop(self.bind_tree(&mut merge.tree)),
            Change::Select(select) => drop(self.bind_tree(&mut select.tree)),
            Change::Call(call) => drop(self.bind_tree(&mut call.tree)),
            _ => {}
        }
    }

    fn bind_tree(&self, tree: &mut Tree) -> BTreeSet<Name> {
        let tables = tables(&tree.0);
        let mut binder = Binder { variables: self, tables: &tables };
        let _ = crate::walk::walk_mut(Arc::make_mut(&mut tree.0), &mut binder);
        tables
    }

    fn bind_expression(&self, expression: Option<&mut Expression>, tables: BTreeSet<Name>) {
        if let Some(expression) = expression {
            let mut binder = Binder { variables: self, tables: &tables };
            let _ = crate::walk::walk_mut(Arc::make_mut(&mut expression.tree), &mut binder);
        }
    }
}

/// The names by which a statement's own tables qualify columns.
fn tables(tree: &ast::Statement) -> BTreeSet<Name> {
    struct Tables(BTreeSet<Name>);
    impl Visitor for Tables {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
            if let ast::TableFactor::Table { name, alias, .. } = factor {
                let alias = alias.as_ref().map(|alias| Name::of_ident(&alias.name));
                let own = || name.0.last().and_then(|part| part.as_ident()).map(Name::of_ident);
                self.0.extend(alias.or_else(own));
            }
            ControlFlow::Continue(())
        }
    }
    let mut tables = Tables(BTreeSet::new());
    let _ = crate::walk::walk(tree, &mut tables);
    tables.0
}

struct Binder<'v> {
    variables: &'v Variables,
    tables: &'v BTreeSet<Name>,
}

impl VisitorMut for Binder<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let value = match expression {
            Expr::Identifier(ident) => {
                let name = Name::of_ident(ident);
                match self.variables.known.get(&name) {
                    Some(literal) => Some(ast::Value::SingleQuotedString(literal.value.to_string())),
                    None => self.variables.names.contains(&name).then(|| placeholder(expression)),
                }
            }
            Expr::CompoundIdentifier(parts) => {
                let first = parts.first().map(Name::of_ident);
                let is_record = |name: &Name| self.variables.names.contains(name) && !self.tables.contains(name);
                first.filter(is_record).map(|_| placeholder(expression))
            }
            Expr::Value(value) => match &value.value {
                ast::Value::Placeholder(name) => {
                    let literal = self.variables.known.get(&Name::new(name));
                    literal.map(|literal| ast::Value::SingleQuotedString(literal.value.to_string()))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(value) = value {
            *expression = Expr::Value(value.into());
        }
        ControlFlow::Continue(())
    }
}

/// A value that is not known, printed as the variable was written.
fn placeholder(expression: &Expr) -> ast::Value {
    ast::Value::Placeholder(expression.to_string())
}
