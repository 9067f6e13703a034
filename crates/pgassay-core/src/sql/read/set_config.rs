//! `SELECT set_config(…)` is SET.

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, SelectItem, Value};

use crate::change::Set;
use crate::source::Span;

/// The setting, when the query is one call of set_config with literals and nothing else.
pub(super) fn set_config(query: &ast::Query, span: Span) -> Option<Set> {
    let select = query.body.as_select()?;
    let [SelectItem::UnnamedExpr(Expr::Function(call)) | SelectItem::ExprWithAlias { expr: Expr::Function(call), .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    let name = call.name.to_string().to_lowercase();
    if !select.from.is_empty() || !matches!(name.as_str(), "set_config" | "pg_catalog.set_config") {
        return None;
    }
    let FunctionArguments::List(list) = &call.args else { return None };
    let values: Vec<&Value> = list.args.iter().filter_map(literal).collect();
    let [parameter, value, Value::Boolean(local)] = values.as_slice() else { return None };
    let parameter = text(parameter)?.to_lowercase().into();
    Some(Set { parameter, values: vec![text(value)?.into()], local: *local, span })
}

fn literal(argument: &FunctionArg) -> Option<&Value> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => Some(&value.value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
        _ => None,
    }
}
