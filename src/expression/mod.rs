//! Questions about expressions and queries: how volatile, which columns, what type, what a CHECK proves.
//!
//! In: sqlparser's trees and a [`Scope`]. Out: answers that never guess in the dangerous direction: what cannot be known counts as
//! volatile, not proved, of unknown type.

use sqlparser::ast;

use crate::change::{Name, PartitionBound, Volatility};
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
pub fn volatility(_expression: &ast::Expr, _scope: Scope) -> Volatility {
    Volatility::Volatile
}

/// The type of an expression, where it can be told. An untyped literal has none.
pub fn type_of(_expression: &ast::Expr, _scope: Scope) -> Option<ColumnType> {
    None
}

/// The columns of `relation` that the expression names, each once, in order of their numbers.
pub fn columns(_expression: &ast::Expr, _relation: &Relation) -> Vec<ColumnId> {
    Vec::new()
}

/// The routines of the schema (not built-in ones) that the expression calls.
pub fn routines(_expression: &ast::Expr, _scope: Scope) -> Vec<RoutineId> {
    Vec::new()
}

/// Whether a CHECK that holds proves that the column is never NULL, in the way that ALTER TABLE … SET NOT NULL accepts
/// (`ConstraintImpliedByRelConstraint`, tablecmds.c): `column IS NOT NULL` alone or as an AND-ed part.
pub fn proves_not_null(_check: &ast::Expr, _column: &Name) -> bool {
    false
}

/// Whether the checks (all validated) and the NOT NULL columns of a table prove that every row fits a partition bound, so that
/// ATTACH PARTITION needs no scan.
pub fn proves_partition_bound(
    _checks: &[&ast::Expr],
    _child: &Relation,
    _parent: &Relation,
    _key: &PartitionKey,
    _bound: &PartitionBound,
    _scope: Scope,
) -> bool {
    false
}

/// What a query depends on and what it returns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryAnalysis {
    /// Relations with the columns it names; `*` is expanded.
    pub uses: Vec<(RelationId, Vec<ColumnId>)>,
    pub routines: Vec<RoutineId>,
    pub types: Vec<TypeId>,
    /// The result's columns; `None` for a name or type that cannot be told. `None` for the whole list when an unknown relation's
    /// `*` is in it.
    pub output: Option<Vec<(Name, Option<ColumnType>)>>,
    /// Names of relations that the schema does not have.
    pub missing: Vec<crate::change::ObjectName>,
}

pub fn analyze_query(_query: &ast::Query, _scope: Scope) -> QueryAnalysis {
    QueryAnalysis::default()
}

/// Same for a rule action, a function body's statement, or DML.
pub fn analyze_statement(_statement: &ast::Statement, _scope: Scope) -> QueryAnalysis {
    QueryAnalysis::default()
}
