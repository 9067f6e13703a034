//! Collects what a query depends on: FROM clauses, expressions and statements. The query's own shape is in `query`.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, JoinConstraint, JoinOperator, Query, TableFactor, TableWithJoins, Visitor};

use super::overload::{self, Candidate};
use super::query::{Output, derived, rename};
use super::scope::{Environment, Meaning, Source, SourceColumn, resolve_type};
use super::{QueryAnalysis, Refusal, Scope, grouping, named, names, readings, refusal, types};
use crate::catalog;
use crate::change::Name;
use crate::schema::{ColumnId, RelationId, ResolvedType};

pub(super) struct Analyzer<'a> {
    pub scope: Scope<'a>,
    /// In scope, innermost last.
    pub ctes: Vec<(Name, Output)>,
    pub analysis: QueryAnalysis,
    /// Names may also mean columns of the result: in ORDER BY and GROUP BY.
    pub sees_output: bool,
    /// Whether what the server refuses is looked for.
    pub judges: bool,
}

/// The columns that `*` shows: index of the source, index of its column.
pub(super) type Visible = Vec<(usize, usize)>;

impl<'a> Analyzer<'a> {
    pub fn new(scope: Scope<'a>) -> Analyzer<'a> {
        Analyzer { scope, ctes: Vec::new(), analysis: QueryAnalysis::default(), sees_output: false, judges: false }
    }

    pub fn judging(scope: Scope<'a>) -> Analyzer<'a> {
        Analyzer { judges: true, ..Analyzer::new(scope) }
    }

    /// A condition of WHERE or HAVING.
    pub fn condition(&mut self, condition: &Expr, clause: &str, env: &Environment<'_>) {
        self.expression(condition, env);
        if self.judges {
            if clause != "HAVING" {
                let place = if clause == "JOIN/ON" { "JOIN conditions" } else { clause };
                self.refuse(refusal::in_clause(condition, place, env));
            }
            self.refuse(refusal::condition(condition, clause, env));
        }
    }

    pub fn refuse(&mut self, refusal: Option<Refusal>) {
        self.analysis.refusals.extend(refusal);
    }

    fn uses_relation(&mut self, relation: RelationId) -> &mut Vec<ColumnId> {
        let uses = &mut self.analysis.uses;
        let at = uses.iter().position(|(id, _)| *id == relation).unwrap_or_else(|| {
            uses.push((relation, Vec::new()));
            uses.len() - 1
        });
        &mut uses[at].1
    }

    pub fn uses_column(&mut self, source: &Source, column: &SourceColumn) {
        let (Some(relation), Some(id)) = (source.relation, column.id) else { return };
        let used = self.uses_relation(relation);
        if let Err(at) = used.binary_search(&id) {
            used.insert(at, id);
        }
    }

    pub fn from(&mut self, from: &[TableWithJoins], outer: Option<&Environment<'_>>) -> (Vec<Source>, Visible) {
        let mut sources = Vec::new();
        let mut visible = Vec::new();
        for table in from {
            let shown = self.joined(table, &mut sources, outer);
            visible.extend(shown);
        }
        if self.judges {
            self.refuse(refusal::named_twice(from, &sources));
        }
        (sources, visible)
    }

    fn joined(
        &mut self,
        table: &TableWithJoins,
        sources: &mut Vec<Source>,
        outer: Option<&Environment<'_>>,
    ) -> Visible {
        let first = sources.len();
        let mut shown = self.factor(&table.relation, sources, outer);
        for join in &table.joins {
            let middle = sources.len();
            let right = self.factor(&join.relation, sources, outer);
            let shared = match constraint(&join.join_operator) {
                Some(JoinConstraint::Using(columns)) => {
                    if self.judges {
                        let env = Environment { scope: self.scope, sources, outer };
                        let (left, right) = (&sources[first..middle], &sources[middle..]);
                        self.refuse(refusal::using(columns, (left, right), &env));
                    }
                    columns.iter().filter_map(|name| Some(names::object_name(name)?.name)).collect()
                }
                Some(JoinConstraint::Natural) => shared_names(sources, &shown, &right),
                Some(JoinConstraint::On(condition)) => {
                    // Of FROM's list only the item that the join is (transformJoinOnClause, parse_clause.c).
                    let env = Environment { scope: self.scope, sources: &sources[first..], outer };
                    self.condition(condition, "JOIN/ON", &env);
                    Vec::new()
                }
                _ => Vec::new(),
            };
            shown = self.merged(shown, right, &shared, sources);
        }
        shown
    }

    /// Columns of USING and NATURAL come first, once.
    fn merged(&mut self, left: Visible, right: Visible, shared: &[Name], sources: &mut [Source]) -> Visible {
        let is_shared = |at: &(usize, usize), sources: &[Source]| shared.contains(&sources[at.0].columns[at.1].name);
        for at in left.iter().chain(&right).filter(|at| is_shared(at, sources)) {
            let source = sources[at.0].clone();
            self.uses_column(&source, &source.columns[at.1]);
        }
        for at in right.iter().filter(|at| is_shared(at, sources)).collect::<Vec<_>>() {
            sources[at.0].columns[at.1].merged = true;
        }
        let first = shared.iter().filter_map(|name| left.iter().find(|at| sources[at.0].columns[at.1].name == *name));
        let rest = left.iter().chain(&right).filter(|at| !is_shared(at, sources));
        first.chain(rest).copied().collect()
    }

    pub(super) fn factor(
        &mut self,
        factor: &TableFactor,
        sources: &mut Vec<Source>,
        outer: Option<&Environment<'_>>,
    ) -> Visible {
        if let TableFactor::NestedJoin { table_with_joins, alias } = factor {
            let shown = self.joined(table_with_joins, sources, outer);
            // What the name of the whole join has is not followed.
            sources.extend(alias.as_ref().map(|alias| derived(names::name(&alias.name), None)));
            return shown;
        }
        let source = match factor {
            TableFactor::Table { name, alias, args: None, .. } => self.relation(name, alias.as_ref()),
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => {
                self.function(name, &args.args, alias.as_ref(), *with_ordinality, sources, outer)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function(name, args, alias.as_ref(), *with_ordinality, sources, outer)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let env = Environment { scope: self.scope, sources, outer };
                let output = self.query(subquery, if *lateral { Some(&env) } else { outer });
                let name = alias.as_ref().map_or_else(|| Name::from(""), |alias| names::name(&alias.name));
                derived(name, alias.as_ref().map_or(output.clone(), |alias| rename(output, alias)))
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let env = Environment { scope: self.scope, sources, outer };
                array_exprs.iter().for_each(|array| self.expression(array, &env));
                let element = |array| types::of(array, &env).map(|array| array.element());
                let columns = array_exprs.iter().map(|array| (Name::from("unnest"), element(array))).collect();
                function_source(Name::from("unnest"), Some(columns), alias.as_ref(), *with_ordinality)
            }
            other => {
                let env = Environment { scope: self.scope, sources, outer };
                let mut walk = Walk { analyzer: self, env: &env, queries: 0, no_names: Vec::new() };
                let _ = crate::walk::walk(other, &mut walk);
                self.listed(other)
            }
        };
        sources.push(source);
        let index = sources.len() - 1;
        (0..sources[index].columns.len()).map(|column| (index, column)).collect()
    }

    /// What XMLTABLE or JSON_TABLE gives: the columns that it lists.
    fn listed(&self, factor: &TableFactor) -> Source {
        let given = |of: &ast::DataType| names::type_name(of).map(|written| resolve_type(&written, self.scope));
        let number = || Some(super::scope::built_in_type("int4"));
        let (own_name, columns, alias) = match factor {
            TableFactor::XmlTable { columns, alias, .. } => {
                let column = |column: &ast::XmlTableColumn| match &column.option {
                    ast::XmlTableColumnOption::NamedInfo { r#type, .. } => (names::name(&column.name), given(r#type)),
                    ast::XmlTableColumnOption::ForOrdinality => (names::name(&column.name), number()),
                };
                ("xmltable", columns.iter().map(column).collect(), alias)
            }
            TableFactor::JsonTable { columns, alias, .. } => {
                let (mut left, mut found): (Vec<_>, _) = (columns.iter().rev().collect(), Vec::new());
                while let Some(column) = left.pop() {
                    match column {
                        ast::JsonTableColumn::Named(column) => {
                            found.push((names::name(&column.name), given(&column.r#type)));
                        }
                        ast::JsonTableColumn::ForOrdinality(name) => found.push((names::name(name), number())),
                        ast::JsonTableColumn::Nested(nested) => left.extend(nested.columns.iter().rev()),
                    }
                }
                ("json_table", found, alias)
            }
            _ => return derived(Name::from(""), None),
        };
        let name = alias.as_ref().map_or_else(|| Name::from(own_name), |alias| names::name(&alias.name));
        derived(name, alias.as_ref().map_or(Some(columns.clone()), |alias| rename(Some(columns), alias)))
    }

    /// A CTE, or a relation by the search_path.
    pub fn relation(&mut self, name: &ast::ObjectName, alias: Option<&ast::TableAlias>) -> Source {
        let Some(written) = names::object_name(name) else { return derived(Name::from(""), None) };
        let alias_name = alias.map(|alias| names::name(&alias.name));
        if written.schema.is_none()
            && let Some((cte, output)) = self.ctes.iter().rev().find(|(cte, _)| *cte == written.name)
        {
            let source_name = alias_name.unwrap_or_else(|| cte.clone());
            let output = output.clone();
            return derived(source_name, alias.map_or(output.clone(), |alias| rename(output, alias)));
        }
        let system = catalog::is_system_relation(written.schema.as_ref().map(Name::as_str), written.name.as_str());
        if !system && let Some(relation) = self.scope.schema.find_relation(&written, self.scope.session) {
            let mut source = Source::of_relation(relation, alias_name);
            for (column, alias) in source.columns.iter_mut().zip(alias.iter().flat_map(|alias| &alias.columns)) {
                column.name = names::name(&alias.name);
            }
            self.uses_relation(relation.id);
            if self.judges && relation.as_index().is_some() {
                let message = format!("cannot open relation \"{}\"", relation.name.name.as_str());
                self.refuse(Some(Refusal { message, span: ast::Spanned::span(name) }));
            }
            return source;
        }
        if !system
            && !self.of_extension(&written)
            && !self.analysis.missing.iter().any(|missing| same_name(missing, &written))
        {
            self.analysis.missing.push(written.clone());
        }
        Source { schema: written.schema, ..derived(alias_name.unwrap_or(written.name), None) }
    }

    /// Whether an installed extension brings the relation, or may bring it.
    fn of_extension(&self, name: &crate::change::ObjectName) -> bool {
        let qualified = name.schema.as_ref().map(|schema| format!("{}.{}", schema.as_str(), name.name.as_str()));
        self.scope.schema.extensions.keys().any(|extension| match catalog::extension(extension.as_str()) {
            Some(contents) => contents
                .relations
                .iter()
                .any(|relation| *relation == name.name.as_str() || Some(*relation) == qualified.as_deref()),
            None => false,
        })
    }

    fn function(
        &mut self,
        name: &ast::ObjectName,
        arguments: &[ast::FunctionArg],
        alias: Option<&ast::TableAlias>,
        ordinality: bool,
        sources: &[Source],
        outer: Option<&Environment<'_>>,
    ) -> Source {
        let list =
            ast::FunctionArgumentList { duplicate_treatment: None, args: arguments.to_vec(), clauses: Vec::new() };
        let call = ast::Function {
            name: name.clone(),
            uses_odbc_syntax: false,
            parameters: ast::FunctionArguments::None,
            args: ast::FunctionArguments::List(list),
            within_group: Vec::new(),
            filter: None,
            null_treatment: None,
            over: None,
        };
        let env = Environment { scope: self.scope, sources, outer };
        let (kinds, _) = types::argument_kinds(&call, &env);
        let chosen = overload::choose(overload::functions(name, &env), &kinds, &env);
        let own_name = names::object_name(name).map_or_else(|| Name::from(""), |name| name.name);
        let call = Expr::Function(call);
        self.expression(&call, &env);
        let output = match &chosen[..] {
            _ if alias.is_some_and(defines) => alias.map(|alias| self.defined(alias)),
            [candidate] => self.rows(candidate, &own_name, types::of(&call, &env), alias),
            _ => None,
        };
        function_source(own_name, output, alias, ordinality)
    }

    /// The columns that a function in FROM gives: its OUT columns, the fields of its row type, or one column named as the alias or function.
    fn rows(
        &self,
        candidate: &Candidate,
        name: &Name,
        returned: Option<crate::schema::ColumnType>,
        alias: Option<&ast::TableAlias>,
    ) -> Output {
        if !candidate.columns.is_empty() {
            return Some(candidate.columns.iter().map(|(name, of)| (name.clone(), Some(of.clone()))).collect());
        }
        let returned = returned?;
        if let ResolvedType::Row(id) = returned.resolved {
            let relation = self.scope.schema.relation(id).filter(|relation| relation.known)?;
            return Some(
                relation.columns.iter().map(|column| (column.name.clone(), Some(column.data_type.clone()))).collect(),
            );
        }
        if let ResolvedType::User(id) = returned.resolved
            && let Some(crate::schema::TypeDefinition::Composite(fields)) =
                self.scope.schema.types.get(&id).map(|of| &of.definition)
        {
            return Some(fields.iter().map(|(name, of)| (name.clone(), Some(of.clone()))).collect());
        }
        let name = alias.map_or_else(|| name.clone(), |alias| names::name(&alias.name));
        Some(vec![(name, Some(returned))])
    }

    /// The columns that an alias defines with their types.
    fn defined(&self, alias: &ast::TableAlias) -> Vec<(Name, Option<crate::schema::ColumnType>)> {
        let column = |column: &ast::TableAliasColumnDef| {
            let written = column.data_type.as_ref().and_then(names::type_name);
            (names::name(&column.name), written.map(|written| resolve_type(&written, self.scope)))
        };
        alias.columns.iter().map(column).collect()
    }

    /// Columns, routines, types and subqueries of an expression.
    pub fn expression(&mut self, expression: &Expr, env: &Environment<'_>) {
        let mut walk = Walk { analyzer: self, env, queries: 0, no_names: Vec::new() };
        let _ = crate::walk::walk(expression, &mut walk);
    }

    /// Expressions where names may mean columns of the result too.
    pub fn expression_over_output(&mut self, expression: &Expr, env: &Environment<'_>) {
        let outer = std::mem::replace(&mut self.sees_output, true);
        self.expression(expression, env);
        self.sees_output = outer;
    }

    /// Notes a name that means no column, where that is certain.
    fn no_column(&mut self, ident: &ast::Ident, env: &Environment<'_>) {
        let name = names::name(ident);
        let reserved = ident.quote_style.is_none() && !crate::sql::can_name_column(&ident.value);
        let of_system = matches!(name.as_str(), "ctid" | "tableoid" | "xmin" | "xmax" | "cmin" | "cmax" | "oid");
        // `t.f` is also the call f(t).
        let called = || self.scope.schema.routines.values().any(|it| it.name.name == name);
        if !self.sees_output && !reserved && !of_system && env.is_known() && !called() {
            self.analysis.unknown_columns.push(ident.clone());
        }
    }

    pub(super) fn name(&mut self, path: &[Name], env: &Environment<'_>) {
        match env.resolve(path).or_else(|| env.resolve(&path[..1])) {
            Some(Meaning::Column(source, column)) => self.uses_column(source, column),
            // The server records a whole-row reference as a dependency on the relation alone.
            Some(Meaning::WholeRow(_)) | None => {}
        }
    }

    fn part(&mut self, expression: &Expr, env: &Environment<'_>) {
        if self.judges {
            self.refuse(refusal::part(expression, env));
            self.analysis.readings.extend(readings::of_part(expression, env));
        }
        self.analysis.attributes.extend(types::attributes(expression, env));
        match expression {
            Expr::Identifier(ident) => {
                let name = [names::name(ident)];
                if self.judges && !self.sees_output {
                    self.refuse(refusal::ambiguous(ident, env));
                }
                if env.resolve(&name).is_none() && self.scope.value.is_none() {
                    self.no_column(ident, env);
                }
                self.name(&name, env);
            }
            Expr::CompoundIdentifier(path) if !path.is_empty() => {
                let parts = path.iter().map(names::name).collect::<Vec<_>>();
                if let ([_, column], None) = (&path[..], env.resolve(&parts))
                    && let Some(Meaning::WholeRow(source)) = env.resolve(&parts[..1])
                    && source.known
                {
                    self.no_column(column, env);
                }
                if self.judges && env.resolve(&parts).is_none() {
                    let message = refusal::no_table(path, env);
                    self.refuse(message.map(|message| Refusal { message, span: ast::Spanned::span(expression) }));
                }
                self.name(&parts, env);
            }
            Expr::Function(function) => {
                for id in named::called(function, env) {
                    if !self.analysis.routines.contains(&id) {
                        self.analysis.routines.push(id);
                    }
                }
            }
            Expr::Cast { data_type, .. } => self.uses_type(data_type),
            Expr::TypedString(typed) => self.uses_type(&typed.data_type),
            _ => {}
        }
    }

    fn uses_type(&mut self, data_type: &ast::DataType) {
        let Some(written) = names::type_name(data_type) else { return };
        if let ResolvedType::User(id) = resolve_type(&written, self.scope).resolved
            && !self.analysis.types.contains(&id)
        {
            self.analysis.types.push(id);
        }
    }
}

/// Walks one expression; subqueries are analysed with what surrounds them, and not walked twice.
struct Walk<'w, 'a, 'e> {
    analyzer: &'w mut Analyzer<'a>,
    env: &'w Environment<'e>,
    queries: usize,
    /// Parts that sqlparser takes for expressions and that are no names of columns: fields, names of arguments.
    no_names: Vec<*const Expr>,
}

impl Visitor for Walk<'_, '_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.queries == 0 {
            self.analyzer.query(query, Some(self.env));
        }
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
        self.no_names.extend(grouping::no_names(expression));
        self.analyzer.part(expression, self.env);
        ControlFlow::Continue(())
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    use JoinOperator::{CrossJoin, FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
    match operator {
        Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on) | FullOuter(on)
        | CrossJoin(on) => Some(on),
        _ => None,
    }
}

fn shared_names(sources: &[Source], left: &Visible, right: &Visible) -> Vec<Name> {
    let name = |at: &(usize, usize)| sources[at.0].columns[at.1].name.clone();
    let right: Vec<_> = right.iter().map(name).collect();
    left.iter().map(name).filter(|name| right.contains(name)).collect()
}

fn function_source(name: Name, output: Output, alias: Option<&ast::TableAlias>, ordinality: bool) -> Source {
    let mut output = output;
    if ordinality && let Some(columns) = &mut output {
        columns.push((Name::from("ordinality"), Some(super::scope::built_in_type("int8"))));
    }
    let single = output.as_ref().is_some_and(|columns| columns.len() == 1);
    let source_name = alias.map_or(name, |alias| names::name(&alias.name));
    if let (Some(columns), true, true) = (&mut output, single, alias.is_some()) {
        columns[0].0 = source_name.clone();
    }
    derived(source_name, alias.map_or(output.clone(), |alias| rename(output, alias)))
}

/// Whether an alias defines columns with their types.
fn defines(alias: &ast::TableAlias) -> bool {
    alias.columns.iter().any(|column| column.data_type.is_some())
}

fn same_name(a: &crate::change::ObjectName, b: &crate::change::ObjectName) -> bool {
    a.schema == b.schema && a.name == b.name
}
