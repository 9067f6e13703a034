//! Questions about expressions and queries: how volatile, which columns, what type, what a CHECK proves.
//!
//! In: sqlparser's trees and a [`Scope`]. Out: answers that never guess in the dangerous direction: what cannot be known counts as
//! volatile, not proved, of unknown type.

mod analyzer;
mod assigned;
mod comparison;
mod constant;
mod grouping;
mod named;
mod names;
mod overload;
mod partition_proof;
mod proof;
mod query;
mod readings;
mod refusal;
mod scope;
mod statement;
mod stored;
mod truth;
mod types;
mod updatable;
mod volatility;

use sqlparser::ast;

use scope::{Environment, Source};

pub use comparison::Comparison;
pub use constant::{Stored, store};
pub use readings::Reading;
pub use refusal::{Place, Refusal, Unfit};
pub use scope::resolve_type;
pub use truth::{AnyRow, Constants, Known, Value, any, plain_arguments, truth, value};
pub use updatable::{Shown, columns_shown, relation_beneath, takes_no_writes};

use crate::catalog::Volatility;
use crate::change::{Name, PartitionBound, QualifiedName};
use crate::schema::{ColumnId, ColumnType, PartitionKey, Relation, RelationId, RoutineId, Schema, Session, TypeId};
use crate::version::PgVersion;

/// What names in an expression can mean.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub schema: &'a Schema,
    pub session: &'a Session,
    pub version: PgVersion,
    /// The table whose columns the expression may name.
    pub relation: Option<&'a Relation>,
    /// The type of VALUE in a domain's CHECK.
    pub value: Option<&'a ColumnType>,
}

/// The most volatile thing in an expression: functions are resolved by name, argument types and search_path, as the server
/// does; operators and casts by their functions. An unknown function counts as volatile.
pub fn volatility(expression: &ast::Expr, scope: Scope) -> Volatility {
    in_environment(scope, |env| volatility::of(expression, env, 0))
}

/// The type of an expression, where it can be told. An untyped literal has none.
pub fn type_of(expression: &ast::Expr, scope: Scope) -> Option<ColumnType> {
    in_environment(scope, |env| types::of(expression, env))
}

/// Whether a call may give a value of one type where another is wanted, without a cast being written. What is not known may.
pub fn casts_implicitly(from: &ColumnType, to: &ColumnType, scope: Scope) -> bool {
    in_environment(scope, |env| overload::implicitly_coercible(from, to, env))
}

/// Whether values of a type cannot be compared with `=`, as those of json and xml.
pub fn lacks_equality(of: &ColumnType, scope: Scope) -> bool {
    in_environment(scope, |env| refusal::no_equality(of, env).is_some())
}

/// The routines of the schema (not built-in ones) that the expression calls.
pub fn routines(expression: &ast::Expr, scope: Scope) -> Vec<RoutineId> {
    in_environment(scope, |env| named::routines(expression, env))
}

/// The routines that a call of so many literals or untyped parameters may mean: one when it is clear.
pub fn called_with_literals(name: &QualifiedName, given: usize, scope: Scope) -> Vec<RoutineId> {
    let ident = |name: &Name| ast::Ident::with_quote('"', name.as_str());
    let path = ast::ObjectName::from(vec![ident(&name.schema), ident(&name.name)]);
    in_environment(scope, |env| {
        let candidates = overload::functions(&path, env);
        let chosen = overload::choose(candidates, &vec![overload::Kind::Literal; given], env);
        chosen.iter().filter_map(|candidate| candidate.routine_id()).collect()
    })
}

/// Whether a condition asks if the column is NULL: IS NULL, IS NOT NULL, num_nulls(…), num_nonnulls(…).
pub fn tests_null(condition: &ast::Expr, column: &Name) -> bool {
    named::tests_null(condition, column)
}

/// Whether a CHECK that holds proves that the column is never NULL, in the way that ALTER TABLE … SET NOT NULL accepts
/// (`ConstraintImpliedByRelConstraint`, tablecmds.c): `column IS NOT NULL` alone or as an AND-ed part. Not for a column of a
/// composite type: there `IS NOT NULL` speaks of the fields, and the server scans.
pub fn proves_not_null(check: &ast::Expr, column: &Name) -> bool {
    proof::proves_not_null(check, column)
}

/// Whether the checks (all validated) and the NOT NULL columns of a table prove that every row fits a partition bound, so that
/// ATTACH PARTITION needs no scan.
pub fn proves_partition_bound(
    checks: &[&ast::Expr],
    child: &Relation,
    parent: &Relation,
    key: &PartitionKey,
    bound: &PartitionBound,
    scope: Scope,
) -> bool {
    partition_proof::proves(checks, child, parent, key, bound, scope)
}

/// Whether the checks (all validated) and the NOT NULL columns of a default partition keep a new partition's rows out of it.
pub fn excludes_partition_bound(
    checks: &[&ast::Expr],
    default: &Relation,
    parent: &Relation,
    key: &PartitionKey,
    bound: &PartitionBound,
) -> bool {
    partition_proof::excludes(checks, default, parent, key, bound)
}

/// Whether a schema that the search_path puts before pg_catalog has a type of this name.
pub fn hides_catalog_type(name: &Name, scope: Scope) -> bool {
    scope::is_hidden(name, scope)
}

/// What a query depends on and what it returns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryAnalysis {
    /// Relations with the columns it names; `*` is expanded.
    pub uses: Vec<(RelationId, Vec<ColumnId>)>,
    pub routines: Vec<RoutineId>,
    pub types: Vec<TypeId>,
    /// Attributes of composite types that it names.
    pub attributes: Vec<(TypeId, Name)>,
    /// Indexes of primary keys that stand for their rows in a GROUP BY.
    pub keys: Vec<RelationId>,
    /// The result's columns; `None` for a name or type that cannot be told. `None` for the whole list when an unknown relation's
    /// `*` is in it.
    pub output: Option<Vec<(Name, Option<ColumnType>)>>,
    /// Names of relations that the schema does not have.
    pub missing: Vec<crate::change::ObjectName>,
    /// Names that mean no column, where all columns in sight are known. Their places are read with [`crate::sql::tree_span`].
    pub unknown_columns: Vec<ast::Ident>,
    /// What the server refuses in it; only looked for by [`judge_query`] and its kin.
    pub refusals: Vec<Refusal>,
    /// What its string literals are read as, where it is known; only looked for by [`judge_query`] and its kin.
    pub readings: Vec<Reading>,
}

pub fn analyze_query(query: &ast::Query, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::new(scope);
    let output = in_environment(scope, |env| analyzer.query(query, Some(env)));
    QueryAnalysis { output, ..analyzer.analysis }
}

/// Same for a rule action, a function body's statement, or DML: the output is that of RETURNING.
pub fn analyze_statement(statement: &ast::Statement, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::new(scope);
    let output = in_environment(scope, |env| analyzer.statement(statement, Some(env)));
    QueryAnalysis { output, ..analyzer.analysis }
}

/// Same for an expression, subqueries included: a policy, a trigger's or rule's condition. No output.
pub fn analyze_expression(expression: &ast::Expr, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::new(scope);
    in_environment(scope, |env| analyzer.expression(expression, env));
    analyzer.analysis
}

/// As [`analyze_query`], with what the server refuses in it.
pub fn judge_query(query: &ast::Query, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::judging(scope);
    let output = in_environment(scope, |env| analyzer.query(query, Some(env)));
    QueryAnalysis { output, ..analyzer.analysis }
}

/// As [`analyze_statement`], with what the server refuses in it.
pub fn judge_statement(statement: &ast::Statement, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::judging(scope);
    let output = in_environment(scope, |env| analyzer.statement(statement, Some(env)));
    QueryAnalysis { output, ..analyzer.analysis }
}

/// As [`analyze_expression`], with what the server refuses in it.
pub fn judge_expression(expression: &ast::Expr, scope: Scope) -> QueryAnalysis {
    let mut analyzer = analyzer::Analyzer::judging(scope);
    in_environment(scope, |env| analyzer.expression(expression, env));
    analyzer.analysis
}

/// What a value that a column of this type takes is read as, where it is a literal.
pub fn readings_of_value(value: &ast::Expr, of: &ColumnType, scope: Scope) -> Vec<Reading> {
    in_environment(scope, |env| readings::given(value, of, env))
}

/// Why the server refuses an expression in its place; nothing that is not certain.
pub fn refusals(expression: &ast::Expr, place: Place, scope: Scope) -> Vec<Refusal> {
    in_environment(scope, |env| refusal::of(expression, place, env))
}

/// Why a value cannot be given to a column of this type; nothing that is not certain.
pub fn unfit(expression: &ast::Expr, target: &ColumnType, scope: Scope) -> Option<Unfit> {
    in_environment(scope, |env| refusal::unfit(expression, target, env))
}

/// Whether a value of one type may be given to a column of another. What is not known may.
pub fn is_assignable(from: &ColumnType, to: &ColumnType, scope: Scope) -> bool {
    in_environment(scope, |env| refusal::assignable(from, to, env))
}

/// Whether a foreign key of one type may refer to a key of another. What is not known may.
pub fn can_reference(own: &ColumnType, key: &ColumnType, scope: Scope) -> bool {
    in_environment(scope, |env| refusal::references(own, key, env))
}

/// Whether two types are the same, modifiers aside.
pub fn is_same_type(one: &ColumnType, other: &ColumnType) -> bool {
    overload::same_type(one, other)
}

/// Whether it is known what all of the types are.
pub fn are_known<'t>(types: impl IntoIterator<Item = &'t ColumnType>) -> bool {
    types.into_iter().all(|of| of.resolved != crate::schema::ResolvedType::Unknown)
}

/// The first argument of a call.
pub fn first_argument(function: &ast::Function) -> Option<&ast::Expr> {
    volatility::arguments(function).0.into_iter().next()
}

/// A string literal, which takes whatever type is wanted.
pub fn is_literal(expression: &ast::Expr, scope: Scope) -> bool {
    in_environment(scope, |env| types::kind(expression, env) == overload::Kind::Literal)
}

/// A type as the server's messages name it.
pub fn type_word(of: &ColumnType, scope: Scope) -> String {
    in_environment(scope, |env| refusal::word(of, env))
}

/// The expression as the server keeps it: with the casts that it added.
pub fn as_stored(expression: &ast::Expr, scope: Scope) -> ast::Expr {
    in_environment(scope, |env| stored::of(expression, env))
}

/// How volatile an expression is at least: what is not known counts as immutable.
pub fn least_volatility(expression: &ast::Expr, scope: Scope) -> Volatility {
    in_environment(scope, |env| volatility::least(expression, env))
}

/// Whether `column = value` needs no cast of the column, which no index on it would answer; what is not known needs none.
pub fn is_compared_as_it_is(column: &ColumnType, value: &ast::Expr, scope: Scope) -> bool {
    in_environment(scope, |env| {
        let kinds = [overload::Kind::Known(column.clone()), types::kind(value, env)];
        match &overload::operators_for("=", &kinds, env)[..] {
            [only] => only.parameters.first().is_none_or(|wanted| {
                wanted.written.name.as_str().starts_with("any") || overload::relabels(column, wanted, env)
            }),
            _ => true,
        }
    })
}

/// The columns of NEW (true) and OLD that a trigger's condition or a rule's action names; none for a whole row.
pub fn row_columns(tree: &impl ast::Visit) -> Vec<(bool, Option<Name>)> {
    named::of_rows(tree)
}

/// A type name of a tree in the catalog's spelling; `None` for a type that PostgreSQL does not have.
pub fn type_name(data_type: &ast::DataType) -> Option<crate::change::TypeName> {
    names::type_name(data_type)
}

fn in_environment<T>(scope: Scope, answer: impl FnOnce(&Environment) -> T) -> T {
    let sources: Vec<Source> = scope.relation.map(|relation| Source::of_relation(relation, None)).into_iter().collect();
    answer(&Environment { scope, sources: &sources, outer: None })
}

#[cfg(test)]
mod tests;
