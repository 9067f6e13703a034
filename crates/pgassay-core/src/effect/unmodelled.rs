//! Calls of extensions' functions that no model follows.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{self, Expr};

use crate::catalog::{self, Unmodelled};
use crate::change::{Change, Name, QualifiedName};
use crate::schema::{Relation, Schema, Session};
use crate::walk::visit_expressions;

/// A call with the table that its first argument names.
#[derive(Debug)]
pub struct UnmodelledCall {
    pub function: &'static Unmodelled,
    pub table: Option<Arc<Relation>>,
}

/// The calls in a SELECT, and the procedure of CALL; a routine of the schema that is called the same is none of them.
pub fn unmodelled_calls(change: &Change, schema: &Schema, session: &Session) -> Vec<UnmodelledCall> {
    let mut found = Vec::new();
    let of_name = |name: &Name| {
        let function = catalog::unmodelled(&name.as_str().to_ascii_lowercase())?;
        let own = schema.routines.values().any(|routine| routine.name.name == *name);
        let absent =
            schema.vouched && schema.complete && !schema.extensions.contains_key(&Name::from(function.extension));
        (!own && !absent).then_some(function)
    };
    let mut visit = |tree: &ast::Statement| {
        let _ = visit_expressions(tree, |part| {
            if let Expr::Function(call) = part
                && let Some(name) = call.name.0.last().and_then(|it| it.as_ident()).map(Name::of_ident)
                && let Some(function) = of_name(&name)
            {
                let table = crate::expression::first_argument(call).and_then(|it| named(it, schema, session));
                found.push(UnmodelledCall { function, table });
            }
            ControlFlow::<()>::Continue(())
        });
    };
    match change {
        Change::Select(select) => visit(&select.tree.0),
        Change::Call(call) => {
            if let Some(function) = of_name(&call.procedure.name) {
                found.push(UnmodelledCall { function, table: None });
            }
        }
        _ => {}
    }
    found
}

/// The table of a literal: `'metrics'`, `'app.metrics'::regclass`.
fn named(argument: &Expr, schema: &Schema, session: &Session) -> Option<Arc<Relation>> {
    let text = match argument {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => return named(inner, schema, session),
        Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text) => text,
            _ => return None,
        },
        _ => return None,
    };
    let part = |text: &str| match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => Name::new(quoted),
        None => Name::folded(text),
    };
    let at = |namespace: Name, name: Name| schema.relation_at(&QualifiedName::new(namespace, name)).cloned();
    match text.split_once('.') {
        Some((namespace, name)) => at(part(namespace), part(name)),
        None => session.search_path.iter().find_map(|namespace| at(namespace.clone(), part(text))),
    }
}
