//! What queries depend on and what they return.

use sqlparser::ast::{self, Expr, Query, Select, SelectItem, SetExpr};

use super::analyzer::Analyzer;
use super::scope::{Environment, Source, SourceColumn};
use super::{grouping, names, refusal, types};
use crate::change::Name;
use crate::schema::ColumnType;
use crate::sql::kept::ADDED_COLUMNS;

/// Names and types of a result's columns; `None` when they cannot be listed.
pub(super) type Output = Option<Vec<(Name, Option<ColumnType>)>>;

/// The output of a subquery, its dependencies left aside.
pub(super) fn output_of(query: &Query, env: &Environment) -> Output {
    Analyzer::new(env.scope).query(query, Some(env))
}

impl<'a> Analyzer<'a> {
    pub fn query(&mut self, query: &Query, outer: Option<&Environment<'_>>) -> Output {
        let visible = self.ctes.len();
        if self.judges {
            self.refuse(refusal::ctes(query));
        }
        for cte in query.with.iter().flat_map(|with| with.cte_tables.iter().map(|cte| (cte, with.recursive))) {
            self.cte(cte.0, cte.1, outer);
        }
        let (output, sources) = self.body(&query.body, outer);
        let env = Environment { scope: self.scope, sources: &sources, outer };
        if let Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(by), .. }) = &query.order_by {
            for item in by {
                if self.judges {
                    self.refuse(refusal::position(&item.expr, "ORDER BY", &output));
                }
                // A bare name means the output column of that name first.
                if !is_output_name(&item.expr, &output) {
                    // A bare name that is none of the output's is a column.
                    match &item.expr {
                        Expr::Identifier(_) if output.is_some() => self.expression(&item.expr, &env),
                        _ => self.expression_over_output(&item.expr, &env),
                    }
                    if self.judges {
                        self.refuse(refusal::ordered(&item.expr, &env));
                    }
                }
            }
        }
        if self.judges {
            self.refuse(refusal::distinct_order(query));
            self.refuse(refusal::ends(query, &sources));
        }
        match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                let counts = limit.iter().chain(offset.as_ref().map(|offset| &offset.value));
                counts.for_each(|count| self.expression(count, &env));
                if self.judges {
                    self.refuse(limit.as_ref().and_then(|limit| refusal::count(limit, "LIMIT", &env)));
                    self.refuse(offset.as_ref().and_then(|offset| refusal::count(&offset.value, "OFFSET", &env)));
                }
            }
            Some(ast::LimitClause::OffsetCommaLimit { .. }) | None => {}
        }
        self.ctes.truncate(visible);
        output
    }

    fn cte(&mut self, cte: &ast::Cte, recursive: bool, outer: Option<&Environment<'_>>) {
        let name = names::name(&cte.alias.name);
        if recursive {
            // The first branch of the UNION says what the recursive one sees.
            let first = match &*cte.query.body {
                SetExpr::SetOperation { left, .. } => {
                    Analyzer { ctes: self.ctes.clone(), ..Analyzer::new(self.scope) }.body(left, outer).0
                }
                _ => None,
            };
            self.ctes.push((name.clone(), rename(first, &cte.alias)));
            let output = self.query(&cte.query, outer);
            self.ctes.pop();
            self.ctes.push((name, with_added(rename(output, &cte.alias), cte)));
        } else {
            let output = self.query(&cte.query, outer);
            if self.judges {
                self.refuse(refusal::aliases("WITH query", &cte.alias, &output));
            }
            self.ctes.push((name, with_added(rename(output, &cte.alias), cte)));
        }
    }

    /// The output, and the sources that ORDER BY may name besides it.
    fn body(&mut self, body: &SetExpr, outer: Option<&Environment<'_>>) -> (Output, Vec<Source>) {
        match body {
            SetExpr::Select(select) => self.select(select, outer),
            SetExpr::Query(query) => (self.query(query, outer), Vec::new()),
            SetExpr::SetOperation { left, right, op, set_quantifier } => {
                let (one, from_one) = self.body(left, outer);
                let (other, from_other) = self.body(right, outer);
                if self.judges {
                    let env = |sources| Environment { scope: self.scope, sources, outer };
                    let kinds = refusal::branch(left, &one, &env(&from_one)).zip(refusal::branch(
                        right,
                        &other,
                        &env(&from_other),
                    ));
                    let span = ast::Spanned::span(&**right);
                    let outputs = (&one, &other);
                    self.refuse(refusal::united((op, set_quantifier), outputs, kinds, span, &env(&[])));
                }
                (self.united(one, other), Vec::new())
            }
            SetExpr::Values(values) => (self.values(values, outer), Vec::new()),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => (self.statement(statement, outer), Vec::new()),
            SetExpr::Table(table) => {
                let object = |name: &String| ast::Ident::new(name.clone());
                let path: Vec<_> = table.schema_name.iter().chain(&table.table_name).map(object).collect();
                let source = self.relation(&ast::ObjectName::from(path), None);
                let visible: Vec<_> = (0..source.columns.len()).map(|column| (0, column)).collect();
                (self.expand(&[source], &visible), Vec::new())
            }
        }
    }

    fn united(&self, left: Output, right: Output) -> Output {
        let (left, right) = (left?, right?);
        let env = Environment { scope: self.scope, sources: &[], outer: None };
        let column = |((name, left), (_, right)): ((Name, Option<ColumnType>), (Name, Option<ColumnType>))| {
            let both = [left?, right?].into_iter().map(super::overload::Kind::Known);
            Some((name, types::common(both, &env)))
        };
        let names: Vec<_> = left.iter().map(|(name, _)| name.clone()).collect();
        let united = left.into_iter().zip(right).map(column);
        Some(united.zip(names).map(|(column, name)| column.unwrap_or((name, None))).collect())
    }

    fn values(&mut self, values: &ast::Values, outer: Option<&Environment<'_>>) -> Output {
        let env = Environment { scope: self.scope, sources: &[], outer };
        values.rows.iter().flat_map(|row| row.content.iter()).for_each(|value| self.expression(value, &env));
        if self.judges {
            self.refuse(refusal::values(values));
        }
        let width = values.rows.first()?.content.len();
        let column = |index: usize| {
            let kinds =
                values.rows.iter().filter_map(|row| row.content.get(index)).map(|value| types::kind(value, &env));
            (Name::new(&format!("column{}", index + 1)), types::common(kinds, &env))
        };
        Some((0..width).map(column).collect())
    }

    fn select(&mut self, select: &Select, outer: Option<&Environment<'_>>) -> (Output, Vec<Source>) {
        let (sources, visible) = self.from(&select.from, outer);
        let env = Environment { scope: self.scope, sources: &sources, outer };
        let mut output = Some(Vec::new());
        for item in &select.projection {
            let columns = self.item(item, &env, &visible);
            output = output.zip(columns).map(|(mut all, columns)| {
                all.extend(columns);
                all
            });
        }
        select.selection.iter().for_each(|condition| self.condition(condition, "WHERE", &env));
        select.having.iter().for_each(|condition| self.condition(condition, "HAVING", &env));
        select.qualify.iter().for_each(|condition| self.expression(condition, &env));
        if let ast::GroupByExpr::Expressions(by, _) = &select.group_by {
            by.iter().for_each(|by| self.grouped(by, &env));
            if self.judges {
                by.iter().for_each(|by| self.refuse(refusal::position(by, "GROUP BY", &output)));
            }
        }
        if let Some(ast::Distinct::On(by)) = &select.distinct {
            by.iter().for_each(|by| self.grouped(by, &env));
        }
        let grouping = grouping::of(select, &env, self.judges);
        self.analysis.keys.extend(grouping.keys);
        if self.judges {
            self.refuse(grouping.refusal);
            self.refuse(refusal::distinct(select, &output, &env));
            self.refuse(refusal::windows(select));
        }
        for ast::NamedWindowDefinition(_, window) in &select.named_window {
            if let ast::NamedWindowExpr::WindowSpec(window) = window {
                let orders = window.order_by.iter().map(|order| &order.expr);
                window.partition_by.iter().chain(orders).for_each(|part| self.expression(part, &env));
            }
        }
        (output, sources)
    }

    fn grouped(&mut self, by: &Expr, env: &Environment<'_>) {
        self.expression_over_output(by, env);
        if self.judges {
            self.refuse(refusal::grouped(by, env));
        }
    }

    /// The columns that one item of a select list gives.
    pub fn item(&mut self, item: &SelectItem, env: &Environment<'_>, visible: &[(usize, usize)]) -> Output {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                self.expression(expression, env);
                Some(vec![(output_name(expression), self.output_type(expression, env))])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                self.expression(expr, env);
                Some(vec![(names::name(alias), self.output_type(expr, env))])
            }
            SelectItem::Wildcard(_) => self.expand(env.sources, visible),
            SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = names::object_name(name)?;
                let source = env.source_anywhere(name.schema.as_ref(), &name.name)?;
                let all: Vec<_> = (0..source.columns.len()).map(|column| (0, column)).collect();
                self.expand(std::slice::from_ref(source), &all)
            }
            SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                self.expression(expr, env);
                None
            }
            SelectItem::ExprWithAliases { expr, .. } => {
                self.expression(expr, env);
                None
            }
        }
    }

    /// A literal in a select list becomes text.
    fn output_type(&self, expression: &Expr, env: &Environment<'_>) -> Option<ColumnType> {
        types::common([types::kind(expression, env)].into_iter(), env)
    }

    /// `*`: every column, all of them used.
    fn expand(&mut self, sources: &[Source], visible: &[(usize, usize)]) -> Output {
        let columns: Vec<_> = visible
            .iter()
            .filter_map(|(source, column)| {
                let source = sources.get(*source)?;
                Some((source, source.columns.get(*column)?))
            })
            .collect();
        columns.iter().for_each(|(source, column)| self.uses_column(source, column));
        let known = sources.iter().all(|source| source.known);
        known.then(|| columns.into_iter().map(|(_, column)| (column.name.clone(), column.data_type.clone())).collect())
    }
}

/// The columns with the names that an alias gives them.
pub(super) fn rename(output: Output, alias: &ast::TableAlias) -> Output {
    let mut output = output?;
    for (column, alias) in output.iter_mut().zip(&alias.columns) {
        column.0 = names::name(&alias.name);
    }
    Some(output)
}

/// With the columns that SEARCH and CYCLE add.
fn with_added(output: Output, cte: &ast::Cte) -> Output {
    let mut output = output?;
    let added = cte.from.iter().flat_map(|names| names.value.split(ADDED_COLUMNS));
    output.extend(added.map(|name| (Name::new(name), None)));
    Some(output)
}

/// A subquery, CTE or function as a source of columns.
pub(super) fn derived(name: Name, output: Output) -> Source {
    let known = output.is_some();
    let column = |(name, data_type)| SourceColumn { name, data_type, id: None, merged: false };
    Source {
        schema: None,
        name,
        relation: None,
        columns: output.unwrap_or_default().into_iter().map(column).collect(),
        known,
    }
}

fn is_output_name(expression: &Expr, output: &Output) -> bool {
    let Expr::Identifier(ident) = expression else { return false };
    let name = names::name(ident);
    output.iter().flatten().any(|(column, _)| *column == name)
}

/// The name the server gives an unnamed column (`FigureColname`, parse_target.c).
pub(super) fn output_name(expression: &Expr) -> Name {
    figure(expression).map_or_else(|| Name::from("?column?"), |(name, _)| name)
}

/// With whether the name is a strong one: a cast's type is taken only where nothing better is found.
fn figure(expression: &Expr) -> Option<(Name, bool)> {
    let strong = |name: &str| Some((Name::from(name), true));
    match expression {
        Expr::Identifier(ident) => Some((names::name(ident), true)),
        Expr::CompoundIdentifier(path) => path.last().map(|ident| (names::name(ident), true)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|step| match step {
                ast::AccessExpr::Dot(Expr::Identifier(field)) => Some((names::name(field), true)),
                _ => None,
            });
            field.or_else(|| figure(root))
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figure(inner),
        Expr::Function(function) => {
            let name = names::object_name(&function.name)?;
            Some((name.name, true))
        }
        Expr::Cast { expr, data_type, .. } => match figure(expr) {
            Some((name, true)) => Some((name, true)),
            _ => Some((names::type_name(data_type)?.name, false)),
        },
        Expr::TypedString(typed) => Some((names::type_name(&typed.data_type)?.name, false)),
        Expr::Interval(_) => Some((Name::from("interval"), false)),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(figure) {
            Some((name, true)) => Some((name, true)),
            _ => Some((Name::from("case"), false)),
        },
        Expr::Value(value) if matches!(value.value, ast::Value::Boolean(_)) => Some((Name::from("bool"), false)),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::Extract { .. } => strong("extract"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { .. } => strong("substring"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.first()? {
                SelectItem::UnnamedExpr(expression) => figure(expression),
                SelectItem::ExprWithAlias { alias, .. } => Some((names::name(alias), true)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
