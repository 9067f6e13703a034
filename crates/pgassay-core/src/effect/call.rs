//! Which routines of the schema a statement runs, and with which constants.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{self, Expr, Visitor};

use super::predictor::Predictor;
use crate::change::Name;
use crate::expression;
use crate::schema::{RelationId, RelationKind, Routine, RoutineId};
use crate::source::Span;
use crate::sql::Parameter;

/// A routine that a statement runs: it calls it, or fires a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub routine: RoutineId,
    /// The input parameters, with the arguments that are constants.
    pub parameters: Vec<Parameter>,
    /// Runs once whatever the rows are.
    pub certain: bool,
}

impl Call {
    /// Whether the routine does the same, but for how sure it is that it runs.
    pub fn is_like(&self, other: &Call) -> bool {
        self.routine == other.routine && self.parameters == other.parameters
    }

    /// A call of which only the routine is known.
    pub fn of(routine: &Routine) -> Call {
        Call { routine: routine.id, parameters: parameters(routine, &[]), certain: false }
    }
}

/// An argument as written: its name in named notation, and its value where it is a constant.
type Written = (Option<Name>, Option<Arc<str>>);

impl Predictor<'_> {
    /// Functions that a statement calls run their own statements.
    pub fn run_called(&mut self, tree: &ast::Statement, at: Span) {
        let analysis = expression::analyze_statement(tree, self.scope(None));
        self.run_routines(&self.with_views(analysis), tree, at);
    }

    /// What the query of a materialized view calls.
    pub fn run_called_by_view(&mut self, view: RelationId, at: Span) {
        for id in self.schema().called_by_view(view) {
            if let Some(routine) = self.schema().routines.get(&id) {
                self.call_or_note(Call::of(routine), at);
            }
        }
    }

    /// The routines of a query, and those that the views it reads call.
    fn with_views(&self, analysis: expression::QueryAnalysis) -> Vec<RoutineId> {
        let mut routines = analysis.routines;
        let is_view = |id: &RelationId| self.relation(*id).is_some_and(|it| matches!(it.kind, RelationKind::View(_)));
        for relation in analysis.uses.iter().map(|(id, _)| id).filter(|id| is_view(id)) {
            for id in self.schema().called_by_view(*relation) {
                if !routines.contains(&id) {
                    routines.push(id);
                }
            }
        }
        routines
    }

    /// As [`Predictor::run_called`], of a query.
    pub fn run_called_by_query(&mut self, query: &ast::Query, at: Span) {
        let analysis = expression::analyze_query(query, self.scope(None));
        self.run_routines(&self.with_views(analysis), &ast::Statement::Query(Box::new(query.clone())), at);
    }

    /// Functions that an expression calls which runs with the statement: a default, USING of a type change.
    pub fn run_called_in(&mut self, expression: &Expr, certain: bool, at: Span) {
        for id in expression::routines(expression, self.scope(None)) {
            if let Some(routine) = self.schema().routines.get(&id) {
                self.call_or_note(Call { certain, ..Call::of(routine) }, at);
            }
        }
    }

    /// CALL of a procedure, as the query SELECT procedure(…).
    pub fn run_procedure(&mut self, routine: RoutineId, tree: Option<&ast::Statement>, at: Span) {
        let Some(routine) = self.schema().routines.get(&routine) else { return };
        let written = tree.and_then(|tree| written_calls(tree).into_iter().next());
        let parameters = parameters(routine, written.as_ref().map_or(&[], |call| &call.arguments));
        self.call_or_note(Call { routine: routine.id, parameters, certain: true }, at);
    }

    fn run_routines(&mut self, routines: &[RoutineId], tree: &ast::Statement, at: Span) {
        if routines.is_empty() {
            return;
        }
        let written = written_calls(tree);
        for id in routines {
            let Some(routine) = self.schema().routines.get(id) else { continue };
            let of_it = written.iter().filter(|call| call.name == routine.name.name);
            let calls: Vec<Call> = of_it
                .map(|call| Call {
                    routine: *id,
                    parameters: parameters(routine, &call.arguments),
                    certain: call.certain && routines.len() == 1,
                })
                .collect();
            // An operator or a cast may call it too.
            let calls = if calls.is_empty() { vec![Call::of(routine)] } else { calls };
            calls.into_iter().for_each(|call| self.call_or_note(call, at));
        }
    }

    /// Runs the routine, or notes it for who follows calls.
    pub fn call_or_note(&mut self, call: Call, at: Span) {
        match &mut self.calls {
            Some(calls) if !calls.contains(&call) => calls.push(call),
            Some(_) => {}
            None => self.run_routine(&call, at),
        }
    }
}

struct WrittenCall {
    name: Name,
    arguments: Vec<Written>,
    certain: bool,
}

/// The calls that stand in a statement.
fn written_calls(tree: &ast::Statement) -> Vec<WrittenCall> {
    struct Calls(Vec<WrittenCall>);
    impl Calls {
        fn push<'a>(&mut self, name: &ast::ObjectName, arguments: impl IntoIterator<Item = &'a ast::FunctionArg>) {
            let Some(ident) = name.0.last().and_then(|part| part.as_ident()) else { return };
            let name = Name::of_ident(ident);
            self.0.push(WrittenCall { name, arguments: arguments.into_iter().map(argument).collect(), certain: false });
        }
    }
    impl Visitor for Calls {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expression {
                match &function.args {
                    ast::FunctionArguments::List(list) => self.push(&function.name, &list.args),
                    _ => self.push(&function.name, []),
                }
            }
            ControlFlow::Continue(())
        }
        fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
            match factor {
                ast::TableFactor::Table { name, args: Some(arguments), .. } => self.push(name, &arguments.args),
                ast::TableFactor::Function { name, args, .. } => self.push(name, args),
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut calls = Calls(Vec::new());
    let _ = crate::walk::walk(tree, &mut calls);
    // What is called inside an argument is called first, and the outermost of a plain SELECT is called once.
    let certain = is_one_call(tree);
    if let Some(first) = calls.0.first_mut() {
        first.certain = certain;
    }
    calls.0
}

/// `SELECT f(…)` or `SELECT … FROM f(…)`, and no more.
fn is_one_call(tree: &ast::Statement) -> bool {
    let ast::Statement::Query(query) = tree else { return false };
    let ast::SetExpr::Select(select) = &*query.body else { return false };
    if query.with.is_some() || query.limit_clause.is_some() || select.selection.is_some() {
        return false;
    }
    match (&select.projection[..], &select.from[..]) {
        ([ast::SelectItem::UnnamedExpr(expression) | ast::SelectItem::ExprWithAlias { expr: expression, .. }], []) => {
            matches!(expression, Expr::Function(_))
        }
        (_, [table]) => {
            let of_function = matches!(
                table.relation,
                ast::TableFactor::Table { args: Some(_), .. } | ast::TableFactor::Function { .. }
            );
            of_function && table.joins.is_empty()
        }
        _ => false,
    }
}

fn argument(argument: &ast::FunctionArg) -> Written {
    let (name, value) = match argument {
        ast::FunctionArg::Named { name, arg, .. } => (Some(Name::of_ident(name)), arg),
        ast::FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. } => (Some(Name::of_ident(name)), arg),
        ast::FunctionArg::ExprNamed { arg, .. } | ast::FunctionArg::Unnamed(arg) => (None, arg),
    };
    match value {
        ast::FunctionArgExpr::Expr(expression) => (name, constant(expression)),
        _ => (name, None),
    }
}

/// The value of a literal, cast or not.
fn constant(expression: &Expr) -> Option<Arc<str>> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => constant(inner),
        Expr::BinaryOp { left, op: ast::BinaryOperator::StringConcat, right } => {
            Some(format!("{}{}", constant(left)?, constant(right)?).into())
        }
        Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => Some(text.as_str().into()),
            ast::Value::DollarQuotedString(text) => Some(text.value.as_str().into()),
            ast::Value::Number(number, _) => Some(number.to_string().into()),
            ast::Value::Boolean(value) => Some(value.to_string().into()),
            _ => None,
        },
        Expr::TypedString(typed) => match &typed.value.value {
            ast::Value::SingleQuotedString(text) => Some(text.as_str().into()),
            _ => None,
        },
        _ => None,
    }
}

/// The input parameters with their arguments, or the constants that are their defaults.
fn parameters(routine: &Routine, written: &[Written]) -> Vec<Parameter> {
    let positional = written.iter().take_while(|(name, _)| name.is_none()).count();
    let of = |(index, declared): (usize, &crate::change::Argument)| {
        let name = declared.name.as_ref().map(|ident| ident.name.clone());
        let named = || written.iter().find(|(given, _)| given.is_some() && *given == name).map(|(_, value)| value);
        let given = if index < positional { Some(&written[index].1) } else { named() };
        let value = match given {
            Some(value) => value.clone(),
            None => declared.default.as_ref().and_then(|default| constant(&default.tree)),
        };
        Parameter { name, value }
    };
    // Without the arguments, the defaults say nothing.
    let known = |parameter: Parameter| match written {
        [] if !routine.inputs().all(|input| input.default.is_some()) => Parameter { value: None, ..parameter },
        _ => parameter,
    };
    routine.inputs().enumerate().map(of).map(known).collect()
}
