//! Columns of a grouped query that it does not group: they rest on a primary key, or the server refuses them
//! (`check_ungrouped_columns_walker`, parse_agg.c; `check_functional_grouping`, pg_constraint.c).

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Query, Select, SelectItem, Spanned, Visitor};
use sqlparser::tokenizer::Span;

use super::overload;
use super::scope::{Environment, Meaning, Source};
use super::{Refusal, names, types};
use crate::change::ObjectKind;
use crate::schema::{ColumnId, ConstraintKind, RelationId};

#[derive(Debug, Default)]
pub(super) struct Grouping {
    /// Indexes of the primary keys that ungrouped columns rest on.
    pub keys: Vec<RelationId>,
    pub refusal: Option<Refusal>,
}

/// A column of one of the query's own sources, both by their index; none for the whole row.
type Used = (usize, Option<usize>);

pub(super) fn of(select: &Select, env: &Environment, judges: bool) -> Grouping {
    let mut grouping = Grouping::default();
    let by_nothing = matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if by.is_empty());
    if by_nothing && !judges {
        return grouping;
    }
    let Some(Grouped { columns, only_columns }) = grouped(select, env) else { return grouping };
    let mut walk = Ungrouped {
        env,
        aggregates: 0,
        queries: 0,
        no_names: Vec::new(),
        seen: Vec::new(),
        unsure: false,
        aggregated: false,
    };
    for part in select.projection.iter().filter_map(expression_of).chain(&select.having) {
        let _ = crate::walk::walk(part, &mut walk);
    }
    let is_grouped = !columns.is_empty() || !only_columns || walk.aggregated || select.having.is_some();
    if !is_grouped {
        return grouping;
    }
    let merged = env.sources.iter().any(|source| source.columns.iter().any(|column| column.merged));
    let certain = only_columns && !walk.unsure && !merged;
    let seen = walk.seen.into_iter().map(|(used, part)| (used, Some(part)));
    let shown = select.projection.iter().flat_map(|item| expanded(item, env)).map(|used| (used, None));
    for (used, part) in seen.chain(shown).filter(|(used, _)| !columns.contains(used)) {
        let Some(source) = env.sources.get(used.0) else { continue };
        match (key_of(used.0, source, &columns, env), part) {
            (Some(index), _) if !grouping.keys.contains(&index) => grouping.keys.push(index),
            (None, Some(part)) if certain && source.known && grouping.refusal.is_none() => {
                let column = used.1.and_then(|at| source.columns.get(at));
                grouping.refusal = column.map(|column| {
                    let name = format!("{}.{}", source.name, column.name);
                    let message = format!(
                        "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
                    );
                    Refusal { message, span: part }
                });
            }
            _ => {}
        }
    }
    grouping
}

struct Grouped {
    columns: Vec<Used>,
    /// Not by an expression, whose parts may be shown as they are.
    only_columns: bool,
}

/// What GROUP BY lists; none for grouping sets, which let no key stand for its row.
fn grouped(select: &Select, env: &Environment) -> Option<Grouped> {
    let ast::GroupByExpr::Expressions(by, modifiers) = &select.group_by else { return None };
    let mut grouped = Grouped { columns: Vec::new(), only_columns: true };
    let mut pending: Vec<&Expr> = by.iter().collect();
    if !modifiers.is_empty() {
        return None;
    }
    while let Some(item) = pending.pop() {
        match item {
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => return None,
            Expr::Nested(inner) => pending.push(inner),
            Expr::Tuple(parts) => pending.extend(parts),
            item => match used(item, env).or_else(|| named(item, select, env)) {
                Some(column) => grouped.columns.push(column),
                None => grouped.only_columns = false,
            },
        }
    }
    Some(grouped)
}

/// The column that an item of the select list is which a number or a name in GROUP BY means.
fn named(item: &Expr, select: &Select, env: &Environment) -> Option<Used> {
    match item {
        Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(number, _), .. }) => {
            let shown = select.projection.iter().flat_map(|item| match expression_of(item) {
                Some(expression) => vec![used(expression, env)],
                None => expanded(item, env).into_iter().map(Some).collect(),
            });
            shown.into_iter().nth(number.parse::<usize>().ok()?.checked_sub(1)?)?
        }
        Expr::Identifier(ident) => select.projection.iter().find_map(|shown| match shown {
            SelectItem::ExprWithAlias { expr, alias } if names::name(alias) == names::name(ident) => used(expr, env),
            _ => None,
        }),
        _ => None,
    }
}

fn expression_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr)
        | SelectItem::ExprWithAlias { expr, .. }
        | SelectItem::ExprWithAliases { expr, .. } => Some(expr),
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    }
}

/// The column of the query itself that an expression is.
fn used(expression: &Expr, env: &Environment) -> Option<Used> {
    let path: Vec<_> = match expression {
        Expr::Identifier(ident) => vec![names::name(ident)],
        Expr::CompoundIdentifier(path) => path.iter().map(names::name).collect(),
        _ => return None,
    };
    let place = |source: &Source| env.sources.iter().position(|it| std::ptr::eq(it, source));
    match env.resolve(&path)? {
        Meaning::Column(source, column) => {
            Some((place(source)?, source.columns.iter().position(|it| std::ptr::eq(it, column))))
        }
        Meaning::WholeRow(source) => Some((place(source)?, None)),
    }
}

/// The columns that `*` or `t.*` shows.
fn expanded(item: &SelectItem, env: &Environment) -> Vec<Used> {
    let all = |at: usize| (0..env.sources[at].columns.len()).map(move |column| (at, Some(column)));
    match item {
        SelectItem::Wildcard(_) => (0..env.sources.len()).flat_map(all).collect(),
        SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            let named = |source: &Source| names::object_name(name).is_some_and(|it| it.name == source.name);
            env.sources.iter().position(named).into_iter().flat_map(all).collect()
        }
        _ => Vec::new(),
    }
}

/// The index of the primary key of a source, where all its columns are grouped.
fn key_of(at: usize, source: &Source, grouped: &[Used], env: &Environment) -> Option<RelationId> {
    let key = env.scope.schema.relation(source.relation?)?.primary_key().filter(|key| !key.deferrable)?;
    match &key.kind {
        ConstraintKind::PrimaryKey { columns, index } => {
            let is_grouped = |column: &ColumnId| {
                grouped.iter().any(|(source_at, of)| {
                    *source_at == at && of.and_then(|of| source.columns.get(of)?.id) == Some(*column)
                })
            };
            columns.iter().all(is_grouped).then_some(*index)
        }
        _ => None,
    }
}

/// Parts of an expression that sqlparser takes for expressions and that are no names of columns: fields, names of arguments.
pub(super) fn no_names(expression: &Expr) -> Vec<*const Expr> {
    match expression {
        Expr::CompoundFieldAccess { access_chain, .. } => access_chain
            .iter()
            .filter_map(|access| match access {
                ast::AccessExpr::Dot(field) => Some(std::ptr::from_ref(field)),
                ast::AccessExpr::Subscript(_) => None,
            })
            .collect(),
        Expr::Function(ast::Function { args: ast::FunctionArguments::List(list), .. }) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                ast::FunctionArg::ExprNamed { name, .. } => Some(std::ptr::from_ref(name)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Collects the columns outside of aggregates and subqueries.
struct Ungrouped<'e> {
    env: &'e Environment<'e>,
    aggregates: usize,
    queries: usize,
    no_names: Vec<*const Expr>,
    seen: Vec<(Used, Span)>,
    /// A function that may be an aggregate.
    unsure: bool,
    aggregated: bool,
}

impl Ungrouped<'_> {
    fn is_aggregate(&mut self, function: &ast::Function) -> bool {
        if function.over.is_some() || types::special_form(function).is_some() {
            return false;
        }
        let candidates = overload::functions(&function.name, self.env);
        let own = self.env.scope.schema.others.iter().any(|(kind, _)| *kind == ObjectKind::Aggregate);
        self.unsure |= candidates.is_empty() || own;
        candidates.iter().any(|candidate| candidate.aggregate) || !function.within_group.is_empty()
    }
}

impl Visitor for Ungrouped<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.queries > 0 || self.no_names.contains(&std::ptr::from_ref(expression)) {
            return ControlFlow::Continue(());
        }
        self.no_names.extend(no_names(expression));
        if let Expr::Function(function) = expression
            && (self.aggregates > 0 || self.is_aggregate(function))
        {
            self.aggregates += 1;
            self.aggregated = true;
        } else if self.aggregates == 0
            && let Some(used) = used(expression, self.env)
        {
            self.seen.push((used, expression.span()));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        // Inside an aggregate every call counts, so that the outermost one ends it.
        if self.queries == 0 && self.aggregates > 0 && matches!(expression, Expr::Function(_)) {
            self.aggregates -= 1;
        }
        ControlFlow::Continue(())
    }
}
