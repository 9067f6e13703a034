//! Names inside stored expressions: the server keeps them by number, so a rename must be followed in the text kept here.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{Expr, visit_expressions, visit_expressions_mut};

use crate::change::{Expression, Name};

/// Whether a trigger's WHEN names `NEW.column` or `OLD.column`.
pub(super) fn mentions_row_column(tree: &Expr, column: &Name) -> bool {
    let found = visit_expressions(tree, |expression| match expression {
        Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|part| stored(part) == *column) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The expression with a column's name replaced.
pub(super) fn rename_column(expression: &Expression, old: &Name, new: &Name) -> Expression {
    let mut tree = (*expression.tree).clone();
    let mut changed = false;
    let _ = visit_expressions_mut(&mut tree, |expression| {
        let last = match expression {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last_mut(),
            _ => None,
        };
        if let Some(ident) = last.filter(|ident| stored(ident) == *old) {
            ident.value = new.as_str().to_owned();
            ident.quote_style = (new.to_string() != new.as_str()).then_some('"');
            changed = true;
        }
        ControlFlow::<()>::Continue(())
    });
    if !changed {
        return expression.clone();
    }
    Expression { span: expression.span, text: tree.to_string().into(), tree: Arc::new(tree) }
}

/// An identifier of sqlparser as the catalog stores it.
pub(super) fn stored(ident: &sqlparser::ast::Ident) -> Name {
    if ident.quote_style.is_some() { Name::new(&ident.value) } else { Name::folded(&ident.value) }
}
