//! Columns of what is made of a query: views, materialized views, CREATE TABLE … AS.

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::change::{Ident, Name, ObjectName, Query};
use crate::expression;
use crate::walk;

/// What a query is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    View,
    /// Rows are stored: system columns have their names already.
    Rows,
}

/// `SystemAttributeByName` (heap.c).
const SYSTEM_COLUMNS: &[&str] = &["tableoid", "ctid", "xmin", "cmin", "xmax", "cmax"];

pub(super) fn is_system_column(name: &Name) -> bool {
    SYSTEM_COLUMNS.contains(&name.as_str())
}

pub(super) fn system_column(name: &Name) -> String {
    format!("column name \"{}\" conflicts with a system column name", name.as_str())
}

impl Predictor<'_> {
    /// Names of the columns (`DefineVirtualRelation`, view.c; `create_ctas_nodata`, createas.c; `CheckAttributeNamesTypes`, heap.c).
    pub(super) fn refuse_made(&mut self, name: &ObjectName, names: &[Ident], query: &Query, made: Made) {
        let analysis = expression::judge_query(&query.tree, self.scope(None));
        if !analysis.missing.is_empty() || !analysis.unknown_columns.is_empty() {
            return;
        }
        if let Some(parameter) = parameter(&query.tree) {
            return self.refused(query.span, name, format!("there is no parameter {parameter}"));
        }
        let Some(output) = analysis.output else { return };
        if names.len() > output.len() {
            let message = match made {
                Made::View => "CREATE VIEW specifies more column names than columns",
                Made::Rows => "too many column names were specified",
            };
            return self.refused(names[output.len()].span, name, message);
        }
        let called = |at: usize| names.get(at).map_or(&output[at].0, |given| &given.name);
        for at in 0..output.len() {
            let column = called(at);
            let span = names.get(at).map_or(query.span, |given| given.span);
            // What has no name of its own may have one that is not known here.
            if *column != "?column?" && (0..at).any(|before| called(before) == column) {
                let message = format!("column \"{}\" specified more than once", column.as_str());
                return self.refused(span, name, message);
            }
            if made == Made::Rows && is_system_column(column) {
                return self.refused(span, name, system_column(column));
            }
        }
    }
}

/// `$1` in a query that takes no parameters.
fn parameter(query: &ast::Query) -> Option<String> {
    let found = walk::visit_expressions(query, |part| match part {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Placeholder(name) if name.strip_prefix('$').is_some_and(|it| it.parse::<u16>().is_ok()) => {
                std::ops::ControlFlow::Break(name.clone())
            }
            _ => std::ops::ControlFlow::Continue(()),
        },
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.break_value()
}
