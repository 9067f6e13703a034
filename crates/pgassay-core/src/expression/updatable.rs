//! Which views take writes by themselves, and which of their columns (`view_query_is_auto_updatable` and `view_cols_are_auto_updatable`,
//! rewriteHandler.c).
//!
//! In: the query of a view. Out: whether it certainly takes no write, the relation that a write goes on to, and where its columns come
//! from. Triggers and rules of the view are the caller's.

use sqlparser::ast::{self, Expr, Query, SelectItem, SetExpr, TableFactor};

use super::{names, refusal};
use crate::catalog;
use crate::change::Name;
use crate::schema::{Relation, Schema, View};
use crate::version::PgVersion;

/// Where the values of a view's column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A column of the relation beneath.
    Column(Name),
    /// An expression: nothing can be written to it.
    Computed,
    Unknown,
}

/// Whether nothing can be written through the query, whatever relation it reads: it has more or less than one in FROM, WITH, DISTINCT,
/// GROUP BY, HAVING, LIMIT, OFFSET or a set operation, or an aggregate, a window function or a set in its select list.
pub fn takes_no_writes(query: &Query, schema: &Schema, version: PgVersion) -> bool {
    if query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
        return true;
    }
    let select = match &*query.body {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) => return takes_no_writes(inner, schema, version),
        SetExpr::Table(_) => return false,
        _ => return true,
    };
    let grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(list, _) if list.is_empty());
    if grouped || select.distinct.is_some() || select.having.is_some() {
        return true;
    }
    let [from] = &select.from[..] else { return true };
    let plain = from.joins.is_empty() && matches!(&from.relation, TableFactor::Table { args: None, sample: None, .. });
    !plain || select.projection.iter().any(|item| is_collected(item, schema, version))
}

/// The relation in FROM, told from those of subqueries by its name; `None` when it was renamed since, or belongs to the system.
pub fn relation_beneath<'s>(schema: &'s Schema, view: &View) -> Option<&'s Relation> {
    let name = match &*beneath_parentheses(&view.query.tree).body {
        SetExpr::Select(select) => match &select.from.first()?.relation {
            TableFactor::Table { name, .. } => names::name(name.0.last()?.as_ident()?),
            _ => return None,
        },
        SetExpr::Table(table) => Name::new(table.table_name.as_ref()?),
        _ => return None,
    };
    let mut used = view.uses.iter().filter_map(|(id, _)| schema.relation(*id));
    used.find(|relation| relation.name.name == name).map(|relation| &**relation)
}

/// For each column of the view where its values come from; `None` where the columns cannot be listed.
pub fn columns_shown(view: &View, of: &Relation, beneath: &Relation) -> Option<Vec<Shown>> {
    let all = || beneath.columns.iter().map(|column| Shown::Column(column.name.clone()));
    let shown: Vec<Shown> = match &*beneath_parentheses(&view.query.tree).body {
        SetExpr::Select(select) => {
            let mut shown = Vec::new();
            for item in &select.projection {
                match item {
                    SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                        shown.push(source_of(expr, beneath));
                    }
                    SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => shown.extend(all()),
                    SelectItem::ExprWithAliases { .. } => return None,
                }
            }
            shown
        }
        SetExpr::Table(_) => all().collect(),
        _ => return None,
    };
    // What `*` meant when the view was made may have grown since.
    (beneath.known && shown.len() == of.columns.len()).then_some(shown)
}

fn beneath_parentheses(query: &Query) -> &Query {
    match &*query.body {
        SetExpr::Query(inner) => beneath_parentheses(inner),
        _ => query,
    }
}

fn source_of(expression: &Expr, beneath: &Relation) -> Shown {
    let named = |ident: &ast::Ident| match beneath.column(&names::name(ident)) {
        Some(column) => Shown::Column(column.name.clone()),
        None => Shown::Unknown,
    };
    match expression {
        Expr::Nested(inner) => source_of(inner, beneath),
        Expr::Identifier(ident) => named(ident),
        Expr::CompoundIdentifier(path) => path.last().map_or(Shown::Unknown, named),
        Expr::Function(_)
        | Expr::BinaryOp { .. }
        | Expr::UnaryOp { .. }
        | Expr::Case { .. }
        | Expr::Value(_)
        | Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_) => Shown::Computed,
        // A cast to the type that the column has is dropped.
        _ => Shown::Unknown,
    }
}

/// An aggregate, a window function or a set, subqueries aside.
fn is_collected(item: &SelectItem, schema: &Schema, version: PgVersion) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    let mut collected = false;
    refusal::each_part(expression, |part| {
        collected |= matches!(part, Expr::Function(function) if is_collecting(function, schema, version));
    });
    collected
}

fn is_collecting(function: &ast::Function, schema: &Schema, version: PgVersion) -> bool {
    if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
        return true;
    }
    let Some(name) = names::object_name(&function.name) else { return false };
    if schema.routines.values().any(|routine| routine.name.name == name.name) {
        return false;
    }
    let found = catalog::functions(name.name.as_str(), version);
    !found.is_empty() && found.iter().all(|it| it.aggregate || it.window || it.returns_set)
}
