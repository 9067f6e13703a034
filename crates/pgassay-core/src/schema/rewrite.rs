//! Names inside stored expressions: the server keeps them by number, so a rename must be followed in the text kept here.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::walk::{visit_expressions, visit_expressions_mut};
use sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, ObjectNamePart, Value,
};

use crate::change::{Expression, Name, QualifiedName};
use crate::source::Span;
use crate::text::quoting;

/// Whether a trigger's WHEN names `NEW.column` or `OLD.column`.
pub(crate) fn mentions_row_column(tree: &Expr, column: &Name) -> bool {
    let found = visit_expressions(tree, |expression| match expression {
        Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|part| Name::of_ident(part) == *column) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The expression with a column's name replaced.
pub(crate) fn rename_column(expression: &Expression, old: &Name, new: &Name) -> Expression {
    let mut tree = (*expression.tree).clone();
    let mut changed = false;
    let _ = visit_expressions_mut(&mut tree, |expression| {
        let last = match expression {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last_mut(),
            _ => None,
        };
        if let Some(ident) = last.filter(|ident| Name::of_ident(ident) == *old) {
            ident.value = new.as_str().to_owned();
            let printed = new.to_string();
            ident.quote_style = printed.starts_with('"').then_some('"');
            changed = true;
        }
        ControlFlow::<()>::Continue(())
    });
    if !changed {
        return expression.clone();
    }
    Expression { span: expression.span, text: tree.to_string().into(), tree: Arc::new(tree) }
}

/// Sequences that nextval, currval and setval name by a literal: the server turns it into a regclass constant, which is a
/// dependency. `nextval('s'::text)` is none.
pub(crate) fn sequences(tree: &Expr) -> Vec<(Option<Name>, Name)> {
    let mut found = Vec::new();
    let _ = visit_expressions(tree, |expression| {
        if let Expr::Function(function) = expression
            && let Some(ObjectNamePart::Identifier(name)) = function.name.0.last()
            && ["nextval", "currval", "setval"].iter().any(|known| name.value.eq_ignore_ascii_case(known))
            && let FunctionArguments::List(list) = &function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))) = list.args.first()
        {
            found.extend(regclass(argument));
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

fn regclass(argument: &Expr) -> Option<(Option<Name>, Name)> {
    match argument {
        Expr::Nested(inner) => regclass(inner),
        Expr::Cast { expr, data_type, .. } if data_type.to_string().eq_ignore_ascii_case("regclass") => regclass(expr),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => qualified(text),
            _ => None,
        },
        _ => None,
    }
}

/// `schema.name` as text holds it, with quotes and folding as in SQL.
pub(crate) fn qualified(text: &str) -> Option<(Option<Name>, Name)> {
    let mut parts: Vec<Name> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"')?;
                (Name::new(&quoted[..end]), &quoted[end + 1..])
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (Name::folded(&rest[..end]), &rest[end..])
            }
        };
        parts.push(part);
        rest = after.strip_prefix('.').unwrap_or(after);
        if rest.len() == after.len() && !rest.is_empty() {
            return None;
        }
    }
    let name = parts.pop()?;
    Some((parts.pop(), name))
}

/// The default that serial gives to a column.
pub(crate) fn nextval(sequence: &QualifiedName, span: Span) -> Expression {
    let literal = sequence.to_string();
    let identifier = |name: &str| ObjectNamePart::Identifier(Ident::new(name));
    let value = Expr::Value(Value::SingleQuotedString(literal.clone()).into());
    let argument =
        Expr::Cast { kind: CastKind::DoubleColon, expr: Box::new(value), data_type: DataType::Regclass, format: None };
    let list = FunctionArgumentList {
        duplicate_treatment: None,
        args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))],
        clauses: Vec::new(),
    };
    let tree = Expr::Function(Function {
        name: ObjectName(vec![identifier("nextval")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    });
    Expression { span, text: format!("nextval({}::regclass)", quoting::literal(&literal)).into(), tree: Arc::new(tree) }
}

/// Nothing but a call of nextval with a literal.
pub(crate) fn is_nextval(tree: &Expr) -> bool {
    match tree {
        Expr::Nested(inner) => is_nextval(inner),
        Expr::Function(function) => {
            matches!(function.name.0.last(), Some(ObjectNamePart::Identifier(name)) if name.value.eq_ignore_ascii_case("nextval"))
        }
        _ => false,
    }
}

/// NULL, also with a cast: as a default it is the same as none (`AddRelationNewConstraints`, heap.c).
pub(crate) fn is_null(tree: &Expr) -> bool {
    match tree {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_null(inner),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}
