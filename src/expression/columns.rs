//! Which columns of one table, and which routines, an expression names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Visit, Visitor};

use super::scope::Environment;
use super::volatility;
use super::{names, overload, types};
use crate::change::Name;
use crate::schema::{ColumnId, Relation, RoutineId};

pub(super) fn of(expression: &Expr, relation: &Relation) -> Vec<ColumnId> {
    let mut found = Finder { relation, found: BTreeSet::new(), queries: 0 };
    let _ = expression.visit(&mut found);
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
            Expr::Identifier(ident) => self.name(&[names::name(ident)]),
            Expr::CompoundIdentifier(path) => self.name(&path.iter().map(names::name).collect::<Vec<_>>()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The routines that a call means; several where the types of the arguments are not known.
pub(super) fn called(function: &ast::Function, env: &Environment) -> Vec<RoutineId> {
    if types::special_form(function).is_some() {
        return Vec::new();
    }
    let (_, named) = volatility::arguments(function);
    let (kinds, _) = types::argument_kinds(function, env);
    let candidates = overload::functions(&function.name, env);
    let chosen = if named { candidates } else { overload::choose(candidates, &kinds, env) };
    chosen.iter().filter_map(|candidate| candidate.routine_id()).collect()
}

pub(super) fn routines(expression: &Expr, env: &Environment) -> Vec<RoutineId> {
    let mut found = Vec::new();
    let _ = ast::visit_expressions(expression, |part| {
        if let Expr::Function(function) = part {
            for id in called(function, env) {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// See [`super::tests_null`].
pub(super) fn tests_null(condition: &Expr, column: &Name) -> bool {
    let is_it = |expr: &Expr| {
        let mut at = expr;
        while let Expr::Nested(inner) = at {
            at = inner;
        }
        match at {
            Expr::Identifier(ident) => names::name(ident) == *column,
            Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|last| names::name(last) == *column),
            _ => false,
        }
    };
    ast::visit_expressions(condition, |part| {
        let tests = match part {
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_it(inner),
            Expr::Function(call) => {
                let counts = names::object_name(&call.name)
                    .is_some_and(|name| matches!(name.name.as_str(), "num_nulls" | "num_nonnulls"));
                let arguments = match &call.args {
                    ast::FunctionArguments::List(list) => list.args.as_slice(),
                    _ => &[],
                };
                counts
                    && arguments.iter().any(|argument| {
                        matches!(argument, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) if is_it(expr))
                    })
            }
            _ => false,
        };
        if tests { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    })
    .is_break()
}
