//! Functions, procedures, triggers, rules and policies.

use std::sync::Arc;

use super::{Expression, FiringMode, Ident, Name, ObjectName, Query, RoutineName, TypeName};
use crate::catalog::Volatility;
use crate::change::Statement;
use crate::source::Span;

/// CREATE [OR REPLACE] FUNCTION | PROCEDURE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRoutine {
    pub name: ObjectName,
    pub procedure: bool,
    pub or_replace: bool,
    pub arguments: Vec<Argument>,
    /// `None` for procedures, and functions with only OUT arguments.
    pub returns: Option<TypeName>,
    /// The columns of RETURNS TABLE.
    pub returns_table: Vec<(Ident, TypeName)>,
    /// Lower case: `sql`, `plpgsql` …; `sql` when the body is BEGIN ATOMIC or RETURN.
    pub language: Name,
    pub volatility: Volatility,
    pub strict: bool,
    pub security_definer: bool,
    /// SET parameter of the function; lower case names.
    pub settings: Vec<(Arc<str>, Arc<str>)>,
    /// The body as text, without quotes; a second string for C functions is left out.
    pub body: Arc<str>,
    /// Where the body stands, for language `sql` and `plpgsql`.
    pub body_span: Span,
    /// Statements of a body in language SQL (as a string, or BEGIN ATOMIC); empty for other languages.
    pub statements: Vec<Statement>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    pub mode: ArgumentMode,
    pub name: Option<Ident>,
    pub data_type: TypeName,
    pub default: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArgumentMode {
    #[default]
    In,
    Out,
    InOut,
    Variadic,
}

/// ALTER FUNCTION's own options; renames and owners are [`super::AlterObject`].
#[derive(Debug, Clone, PartialEq)]
pub struct AlterRoutine {
    pub routine: RoutineName,
    pub volatility: Option<Volatility>,
    pub strict: Option<bool>,
    pub security_definer: Option<bool>,
    pub settings: Vec<(Arc<str>, Option<Arc<str>>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigger {
    pub name: Ident,
    pub or_replace: bool,
    pub table: ObjectName,
    pub constraint: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub timing: TriggerTiming,
    pub events: Vec<TriggerEvent>,
    pub for_each_row: bool,
    pub condition: Option<Expression>,
    pub function: ObjectName,
    /// What the function finds in TG_ARGV.
    pub arguments: Vec<Arc<str>>,
    /// FROM referenced table of a constraint trigger.
    pub from: Option<ObjectName>,
    /// REFERENCING, in the order of the statement.
    pub transitions: Vec<Transition>,
}

/// `OLD TABLE AS name` or `NEW TABLE AS name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub new: bool,
    pub name: Ident,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerTiming {
    Before,
    After,
    InsteadOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerEvent {
    Insert,
    Update(Vec<Ident>),
    Delete,
    Truncate,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateRule {
    pub name: Ident,
    pub or_replace: bool,
    pub table: ObjectName,
    pub event: RuleEvent,
    pub instead: bool,
    pub condition: Option<Expression>,
    pub actions: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleEvent {
    Select,
    Insert,
    Update,
    Delete,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreatePolicy {
    pub name: Ident,
    pub table: ObjectName,
    pub restrictive: bool,
    /// `None` is ALL.
    pub command: Option<RuleEvent>,
    pub roles: Vec<Ident>,
    pub using: Option<Expression>,
    pub with_check: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterPolicy {
    pub name: Ident,
    pub table: ObjectName,
    pub roles: Option<Vec<Ident>>,
    pub using: Option<Expression>,
    pub with_check: Option<Expression>,
}

/// The firing state that triggers and rules start with.
pub const BORN: FiringMode = FiringMode::Enabled;

/// The query that a SELECT rule or RETURN body wraps, where one is needed on its own.
pub type Body = Query;
