//! Why the server refuses an expression, whatever the rows are: a function or operator that does not exist, a cast that there is not, a
//! literal that its type does not read, a part that is not allowed in this place (parse_expr.c, parse_func.c, parse_oper.c).
//!
//! In: an expression and its scope. Out: refusals that are certain. What cannot be known (a type, an extension, an operator of the
//! user's) refuses nothing.

mod called;
mod literal;
mod part;
mod place;
mod shape;
mod sorted;
mod structure;

use sqlparser::ast::{self, Expr};
use sqlparser::tokenizer::Span;

use super::overload::{self, Kind};
use super::scope::{Environment, base_type};
use super::{Scope, types};
use crate::catalog::{self, CastContext};
use crate::change::ObjectKind;
use crate::schema::{ColumnType, ResolvedType, TypeDefinition};

pub(super) use called::{in_clause, windows};
pub use place::Place;
pub(super) use shape::{
    aliases, ambiguous, branch, count, ctes, ends, named_twice, no_table, position, united, using, values,
};
pub(super) use sorted::{distinct, distinct_order, grouped, no_equality, ordered};

/// Why an expression is refused, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the server's words.
    pub message: String,
    /// The part that is refused; read it with [`crate::sql::tree_span`].
    pub span: Span,
}

impl Refusal {
    fn new(message: impl Into<String>, part: &Expr) -> Refusal {
        Refusal { message: message.into(), span: ast::Spanned::span(part) }
    }
}

/// The parts of an expression from the outside in, those of its subqueries left out.
pub(super) fn each_part(expression: &Expr, visit: impl FnMut(&Expr)) {
    place::each_part(expression, visit);
}

/// What refuses the expression in this place; its subqueries are not looked into.
pub(super) fn of(expression: &Expr, place: Place, env: &Environment) -> Vec<Refusal> {
    let mut found = place::refused(expression, place, env);
    if found.is_empty() {
        found = parts(expression, env);
    }
    if found.is_empty() && place.wants_condition() {
        found.extend(not_boolean(expression, env).map(|is| {
            let message = format!("argument of {} must be type boolean, not type {is}", place.argument_of());
            Refusal::new(message, expression)
        }));
    }
    found
}

/// What refuses one of the parts of an expression, wherever it stands.
pub(super) fn parts(expression: &Expr, env: &Environment) -> Vec<Refusal> {
    let mut found = Vec::new();
    place::each_part(expression, |part| {
        found.extend(part::refused(part, env).map(|message| Refusal::new(message, part)))
    });
    found
}

/// What refuses an expression as the condition of WHERE or HAVING.
pub(super) fn condition(expression: &Expr, clause: &str, env: &Environment) -> Option<Refusal> {
    let is = not_boolean(expression, env)?;
    Some(Refusal::new(format!("argument of {clause} must be type boolean, not type {is}"), expression))
}

/// What refuses one part, its own parts aside.
pub(super) fn part(part: &Expr, env: &Environment) -> Option<Refusal> {
    let message = part::refused(part, env).or_else(|| match part {
        Expr::Function(function) => called::refused(function, env),
        _ => structure::refused(part, env),
    })?;
    Some(Refusal::new(message, part))
}

/// Why a value cannot be given to a column of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The name of the type that the value has: no cast turns it into the column's by assignment.
    Type(String),
    /// The literal is refused by the input function of the type; the server's message.
    Literal(String),
}

/// Whether an assignment is refused (`coerce_to_target_type` with COERCION_ASSIGNMENT).
pub(super) fn unfit(expression: &Expr, target: &ColumnType, env: &Environment) -> Option<Unfit> {
    match types::kind(expression, env) {
        Kind::Literal => literal::refused(expression, target, env).map(Unfit::Literal),
        Kind::Known(from) => {
            let (source, wanted) = (solid(&from, env)?, solid(target, env)?);
            let fits = castable(&source, &wanted, CastContext::Assignment, env);
            (!fits).then(|| Unfit::Type(word(&from, env)))
        }
        Kind::Opaque => None,
    }
}

/// Whether a value of one type is turned into another by an assignment; what is not known is.
pub(super) fn assignable(from: &ColumnType, to: &ColumnType, env: &Environment) -> bool {
    match (solid(from, env), solid(to, env)) {
        (Some(from), Some(to)) => castable(&from, &to, CastContext::Assignment, env),
        _ => true,
    }
}

/// Types whose = compare with each other in one btree family (pg_amop).
const FAMILIES: &[&[&str]] =
    &[&["int2", "int4", "int8"], &["float4", "float8"], &["date", "timestamp", "timestamptz"], &["text", "name"]];

/// Whether a foreign key may be of one type where the key that it refers to is of another (`ATAddForeignKeyConstraint`, tablecmds.c): an =
/// of the key's own family takes both, or the value is turned into the key's type without a cast being written.
pub(super) fn references(own: &ColumnType, key: &ColumnType, env: &Environment) -> bool {
    let (Some(own), Some(key)) = (solid(own, env), solid(key, env)) else { return true };
    if overload::same_type(&own, &key) {
        return true;
    }
    if overload::is_array(&own) || overload::is_array(&key) {
        return false;
    }
    let family = |of: &ColumnType| {
        let built_in = of.resolved == ResolvedType::BuiltIn;
        FAMILIES.iter().position(|family| built_in && family.contains(&of.written.name.as_str()))
    };
    let alike = family(&own).is_some() && family(&own) == family(&key);
    let own_operators =
        has_own_named(ObjectKind::Operator, "=", env.scope) || has_own(ObjectKind::OperatorClass, env.scope);
    alike || own_operators || castable(&own, &key, CastContext::Implicit, env)
}

/// The name of the type of an expression that is wanted as a condition and is certainly none.
fn not_boolean(expression: &Expr, env: &Environment) -> Option<String> {
    let Kind::Known(found) = types::kind(expression, env) else { return None };
    let base = solid(&found, env)?;
    let boolean = super::scope::built_in_type("bool");
    let fits = castable(&base, &boolean, CastContext::Implicit, env);
    (!fits).then(|| word(&found, env))
}

/// Whether all functions, operators, types and casts that exist are known: a complete schema, and no extension of which something may
/// come that is not listed.
pub(super) fn is_closed(scope: Scope) -> bool {
    let listed = |extension: &str| catalog::extension(extension).is_some_and(|contents| contents.complete);
    scope.schema.complete && scope.schema.extensions.keys().all(|extension| listed(extension.as_str()))
}

/// Whether the schema has objects of a kind of which only the name is kept.
fn has_own(kind: ObjectKind, scope: Scope) -> bool {
    scope.schema.others.iter().any(|(other, _)| *other == kind)
}

/// Whether the schema has an object of a kind and a name, whatever its schema and its arguments are.
fn has_own_named(kind: ObjectKind, name: &str, scope: Scope) -> bool {
    let last = |printed: &str| printed.rsplit('.').next().is_some_and(|last| last.trim_matches('"') == name);
    scope.schema.others.iter().any(|(other, printed)| *other == kind && last(printed))
}

/// Whether a cast of the user's is from or to a type. A long name of a cast is cut: that may be of any.
fn has_own_cast(of: &ColumnType, scope: Scope) -> bool {
    let (name, printed) = (of.written.name.as_str(), of.written.to_string());
    let of_type = |cast: &str| {
        let mut types = cast.trim_matches('"').split(" AS ").map(|it| it.rsplit('.').next().unwrap_or(it));
        cast.len() >= 60 || types.any(|it| it == name || printed.ends_with(it))
    };
    scope.schema.others.iter().any(|(kind, cast)| *kind == ObjectKind::Cast && of_type(cast))
}

/// The type under the domains, where all is known of what it can do: a scalar of pg_catalog, an enum, a composite type, or an
/// array of one.
fn solid(of: &ColumnType, env: &Environment) -> Option<ColumnType> {
    let base = base_type(of, env.scope);
    if overload::is_array(&base) {
        // An array of a domain is no array of the domain's type.
        let element = base.element();
        let plain = solid(&element, env).is_some_and(|it| overload::same_type(&it, &element));
        return plain.then_some(base);
    }
    let known = match base.resolved {
        // No type of pg_catalog is a pseudo-type or a row that a column may have.
        ResolvedType::BuiltIn => catalog::built_in_type(base.written.name.as_str())
            .is_some_and(|it| matches!(it.kind, 'b' | 'r' | 'm') && it.category != 'X'),
        ResolvedType::User(id) => {
            let of = env.scope.schema.types.get(&id).map(|it| &it.definition);
            matches!(of, Some(TypeDefinition::Enum(_) | TypeDefinition::Composite(_)))
        }
        ResolvedType::Row(_) | ResolvedType::Unknown => false,
    };
    (known && is_closed(env.scope) && !has_own_cast(&base, env.scope)).then_some(base)
}

/// `find_coercion_pathway` (parse_coerce.c), of two solid types.
fn castable(from: &ColumnType, to: &ColumnType, context: CastContext, env: &Environment) -> bool {
    if overload::same_type(from, to) {
        return true;
    }
    // A pair of arrays is turned element by element.
    if overload::is_array(from) && overload::is_array(to) {
        return castable(&from.element(), &to.element(), context, env);
    }
    if let Some(cast) = overload::cast(from, to, env) {
        return cast.context >= context;
    }
    let is_string = |of: &ColumnType| overload::category(of, env) == Some('S');
    match context {
        CastContext::Explicit => is_string(from) || is_string(to),
        CastContext::Assignment => is_string(to),
        CastContext::Implicit => false,
    }
}

/// A type as messages name it (`format_type_be`): without its modifiers, and without a schema that the search_path has.
pub(super) fn word(of: &ColumnType, env: &Environment) -> String {
    let mut written = crate::change::TypeName { modifiers: Vec::new(), ..(*of.written).clone() };
    if let ResolvedType::User(id) = of.resolved {
        let visible = env.scope.schema.find_type(&None, &written.name, env.scope.session);
        if visible.is_some_and(|it| it.id == id) {
            written.schema = None;
        }
    }
    written.to_string()
}
