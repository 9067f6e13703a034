//! Views: which of them take writes, and those that stand in for a table.

use sqlparser::ast::{self, SelectItem, SetExpr, TableFactor};

use super::pair::Pair;
use super::witness::refused;
use super::{Breakage, BreakageKind, Subject, certain, witness};
use crate::change::{Name, RuleEvent, TriggerEvent, TriggerTiming};
use crate::schema::{Relation, RelationKind, Schema, View};
use crate::walk;

/// Views on views on views, further than anybody builds them.
const DEEPEST_VIEW: usize = 64;

/// Writes worked before and do not now: a view got a query that is not updatable, or took a table's place without one.
pub(super) fn writes_refused(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    if !takes_writes(context.before, old) || takes_writes(context.after, new) || !new.known {
        return None;
    }
    let name = &old.name;
    let (what, code, answer) = match new.kind {
        RelationKind::MaterializedView(_) => {
            ("a materialized view", "42809", format!("cannot change materialized view {}", witness::quoted(&name.name)))
        }
        _ => (
            "a view that is not updatable",
            "55000",
            format!("cannot insert into view {}", witness::quoted(&name.name)),
        ),
    };
    let message = if old.is_table() {
        format!("{name} is now {what}: reads go on, INSERT, UPDATE and DELETE fail")
    } else {
        format!(
            "view {name} is now {}: INSERT, UPDATE and DELETE on it fail",
            what.trim_start_matches("a view that is ")
        )
    };
    let sql = witness::insert(context.before, old, &first_columns(old), 1);
    let subject = Subject::Relation(new.id);
    Some(certain(BreakageKind::WritesRefused, subject, name, message, refused(sql, code, answer)))
}

/// A view has no required columns of its own: its first one makes the INSERT readable.
fn first_columns(relation: &Relation) -> Vec<(crate::schema::ColumnId, String)> {
    if relation.is_table() {
        return Vec::new();
    }
    relation.columns.first().map(|column| (column.id, "DEFAULT".to_owned())).into_iter().collect()
}

/// INSERT works: a table, an automatically updatable view (manual, CREATE VIEW, "Updatable Views"), or one with an INSTEAD OF
/// trigger or rule.
fn takes_writes(schema: &Schema, relation: &Relation) -> bool {
    let mut at = relation;
    // Views can name each other in a circle.
    for _ in 0..DEEPEST_VIEW {
        let RelationKind::View(view) = &at.kind else { return at.is_table() };
        if has_instead(at) {
            return true;
        }
        if !is_simple(&view.query.tree) {
            return false;
        }
        let Some(base) = base(schema, view) else { return true };
        at = base;
    }
    false
}

fn has_instead(relation: &Relation) -> bool {
    let trigger = relation
        .triggers
        .iter()
        .any(|it| it.timing == TriggerTiming::InsteadOf && it.events.contains(&TriggerEvent::Insert));
    trigger || relation.rules.iter().any(|rule| rule.instead && rule.event == RuleEvent::Insert)
}

/// The relation behind FROM, told from those of subqueries by its name; `None` when it was renamed since.
fn base<'a>(schema: &'a Schema, view: &View) -> Option<&'a Relation> {
    let SetExpr::Select(select) = &*view.query.tree.body else { return None };
    let TableFactor::Table { name, .. } = &select.from.first()?.relation else { return None };
    let ident = name.0.last()?.as_ident()?;
    let name = if ident.quote_style.is_some() { Name::new(&ident.value) } else { Name::folded(&ident.value) };
    let mut used = view.uses.iter().filter_map(|(id, _)| schema.relation(*id));
    used.find(|relation| relation.name.name == name).map(|relation| &**relation)
}

/// One relation, no WITH, DISTINCT, GROUP BY, HAVING, LIMIT, OFFSET, set operation; no aggregate, window or set-returning function
/// at the top (told by its name where it is a common one), and a plain column at least once.
fn is_simple(query: &ast::Query) -> bool {
    if query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
        return false;
    }
    let select = match &*query.body {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) => return is_simple(inner),
        SetExpr::Table(_) => return true,
        _ => return false,
    };
    let grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(list, _) if list.is_empty());
    if grouped || select.distinct.is_some() || select.having.is_some() {
        return false;
    }
    let [from] = &select.from[..] else { return false };
    from.joins.is_empty()
        && matches!(&from.relation, TableFactor::Table { args: None, .. })
        && !select.projection.iter().any(is_collected)
        && select.projection.iter().any(is_column)
}

fn is_column(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
            matches!(expression, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_))
        }
        _ => true,
    }
}

const COLLECTING: [&str; 20] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "bool_and",
    "bool_or",
    "every",
    "unnest",
    "generate_series",
    "bit_and",
    "bit_or",
    "stddev",
    "variance",
];

fn is_collected(item: &SelectItem) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    let found = walk::visit_expressions(expression, |node| match node {
        ast::Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let name = name.rsplit('.').next().unwrap_or_default();
            if function.over.is_some() || function.filter.is_some() || COLLECTING.contains(&name) {
                std::ops::ControlFlow::Break(())
            } else {
                std::ops::ControlFlow::Continue(())
            }
        }
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}
