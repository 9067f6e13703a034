//! What the places of an expression allow (the `EXPR_KIND_…` of parse_expr.c, parse_agg.c and parse_func.c).

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Visitor};

use super::super::overload::{self, Candidate};
use super::super::scope::Environment;
use super::super::{names, types};
use super::Refusal;

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Default,
    Check,
    DomainCheck,
    Generated,
    IndexExpression,
    IndexPredicate,
    PartitionKey,
    PartitionBound,
    Policy,
    /// USING of ALTER COLUMN … TYPE.
    Transform,
    TriggerWhen,
    /// WHERE of COPY … FROM.
    CopyWhere,
}

impl Place {
    /// As "cannot use subquery in …" names it.
    fn name(self) -> &'static str {
        match self {
            Place::Default => "DEFAULT expression",
            Place::Check | Place::DomainCheck => "check constraint",
            Place::Generated => "column generation expression",
            Place::IndexExpression => "index expression",
            Place::IndexPredicate => "index predicate",
            Place::PartitionKey => "partition key expression",
            Place::PartitionBound => "partition bound",
            Place::Policy => "policy expression",
            Place::Transform => "transform expression",
            Place::TriggerWhen => "trigger WHEN condition",
            Place::CopyWhere => "COPY FROM WHERE condition",
        }
    }

    /// As "… are not allowed in …" names it: one bound, many of the others.
    fn plural(self) -> String {
        if self == Place::PartitionBound { self.name().to_owned() } else { format!("{}s", self.name()) }
    }

    fn allows_subquery(self) -> bool {
        self == Place::Policy
    }

    pub(super) fn wants_condition(self) -> bool {
        match self {
            Place::Check | Place::DomainCheck | Place::IndexPredicate | Place::Policy => true,
            Place::TriggerWhen | Place::CopyWhere => true,
            Place::Default | Place::Generated | Place::IndexExpression | Place::PartitionKey => false,
            Place::PartitionBound | Place::Transform => false,
        }
    }

    pub(super) fn argument_of(self) -> &'static str {
        match self {
            Place::Check | Place::DomainCheck => "CHECK",
            Place::IndexPredicate | Place::CopyWhere => "WHERE",
            Place::Policy => "POLICY",
            _ => "WHEN",
        }
    }
}

/// Subqueries, aggregates, window functions, functions that return sets, and columns where there are none.
pub(super) fn refused(expression: &Expr, place: Place, env: &Environment) -> Vec<Refusal> {
    let mut found = Vec::new();
    if !place.allows_subquery()
        && let Some(query) = first_query(expression)
    {
        let message = format!("cannot use subquery in {}", place.name());
        return vec![Refusal { message, span: query }];
    }
    each_part(expression, |part| match part {
        Expr::Function(function) => {
            found.extend(call(function, place, env).map(|message| Refusal::new(message, part)));
        }
        Expr::Identifier(ident) if place == Place::Default && is_column(ident) => {
            found.push(Refusal::new("cannot use column reference in DEFAULT expression", part));
        }
        Expr::CompoundIdentifier(_) if place == Place::Default => {
            found.push(Refusal::new("cannot use column reference in DEFAULT expression", part));
        }
        _ => {}
    });
    found
}

/// Whether a bare word is a name: sqlparser reads some key words as identifiers too.
fn is_column(ident: &ast::Ident) -> bool {
    ident.quote_style.is_some() || crate::sql::can_name_column(&ident.value)
}

fn call(function: &ast::Function, place: Place, env: &Environment) -> Option<String> {
    let many = place.plural();
    if function.over.is_some() {
        return Some(format!("window functions are not allowed in {many}"));
    }
    let (kinds, _) = types::argument_kinds(function, env);
    if types::special_form(function).is_some() {
        return None;
    }
    let chosen = overload::choose(overload::functions(&function.name, env), &kinds, env);
    let all = |test: fn(&Candidate) -> bool| !chosen.is_empty() && chosen.iter().all(test);
    if all(|candidate| candidate.aggregate) {
        return Some(format!("aggregate functions are not allowed in {many}"));
    }
    if all(|candidate| candidate.set_of) && function.within_group.is_empty() {
        return Some(format!("set-returning functions are not allowed in {many}"));
    }
    let name = names::object_name(&function.name)?;
    // count(*) passes nothing that could be resolved.
    let star = name.schema.is_none() && name.name == "count" && kinds.is_empty();
    star.then(|| format!("aggregate functions are not allowed in {many}"))
}

fn first_query(expression: &Expr) -> Option<sqlparser::tokenizer::Span> {
    struct First;
    impl Visitor for First {
        type Break = sqlparser::tokenizer::Span;
        fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<Self::Break> {
            ControlFlow::Break(ast::Spanned::span(query))
        }
    }
    match crate::walk::walk(expression, &mut First) {
        ControlFlow::Break(span) => Some(span),
        ControlFlow::Continue(()) => None,
    }
}

/// The parts of an expression from the outside in, those of its subqueries left out, and what is no expression though it looks like
/// one: names of arguments and of fields.
pub(super) fn each_part(expression: &Expr, mut visit: impl FnMut(&Expr)) {
    struct Parts<'v> {
        visit: &'v mut dyn FnMut(&Expr),
        queries: usize,
        no_names: Vec<*const Expr>,
    }
    impl Visitor for Parts<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
            self.queries += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
            self.queries -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
            if self.queries > 0 || self.no_names.contains(&std::ptr::from_ref(part)) {
                return ControlFlow::Continue(());
            }
            match part {
                Expr::CompoundFieldAccess { access_chain, .. } => {
                    self.no_names.extend(access_chain.iter().filter_map(|access| match access {
                        ast::AccessExpr::Dot(field) => Some(std::ptr::from_ref(field)),
                        ast::AccessExpr::Subscript(_) => None,
                    }));
                }
                Expr::Function(ast::Function { args: ast::FunctionArguments::List(list), .. }) => {
                    self.no_names.extend(list.args.iter().filter_map(|argument| match argument {
                        ast::FunctionArg::ExprNamed { name, .. } => Some(std::ptr::from_ref(name)),
                        _ => None,
                    }));
                }
                _ => {}
            }
            (self.visit)(part);
            ControlFlow::Continue(())
        }
    }
    let _ = crate::walk::walk(expression, &mut Parts { visit: &mut visit, queries: 0, no_names: Vec::new() });
}
