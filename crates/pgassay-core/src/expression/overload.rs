//! Which function or operator a call means: the server's rules for overloads (parse_func.c, parse_oper.c), as far as the types are known.

mod cast;
mod operator;

pub(super) use cast::{cast, cast_volatility, least_cast_volatility, relabels};
pub(super) use operator::{operators, operators_for};

use std::sync::Arc;

use super::names;
use super::scope::{Environment, base_type, built_in_type, extension_type, resolve_type};
use crate::catalog::{self, CastContext, Volatility};
use crate::change::{ArgumentMode, Expression, QualifiedName, TypeName};
use crate::schema::{ColumnType, ResolvedType, Routine, RoutineId, TypeDefinition};

/// The type of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A string literal or NULL, which takes whatever type is wanted.
    Literal,
    Known(ColumnType),
    /// Cannot be told.
    Opaque,
}

/// A function or operator that a call may mean.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub parameters: Vec<ColumnType>,
    pub required: usize,
    pub variadic: bool,
    /// `None` for a row of `columns`, or what cannot be told.
    pub returns: Option<ColumnType>,
    pub columns: Vec<(crate::change::Name, ColumnType)>,
    pub volatility: Volatility,
    pub aggregate: bool,
    pub set_of: bool,
    pub routine: Option<&'a Routine>,
}

impl Candidate<'_> {
    pub fn routine_id(&self) -> Option<RoutineId> {
        self.routine.map(|routine| routine.id)
    }

    /// Defaults that stand in for arguments that were left out.
    pub fn filled_in(&self, given: usize) -> impl Iterator<Item = &Expression> {
        let inputs = self.routine.into_iter().flat_map(|routine| routine.inputs());
        inputs.skip(given).filter_map(|argument| argument.default.as_ref())
    }
}

fn of_function<'a>(function: &catalog::Function) -> Candidate<'a> {
    Candidate {
        parameters: function.arguments.iter().map(|argument| built_in_type(argument)).collect(),
        required: function.arguments.len().saturating_sub(function.defaults.into()),
        variadic: function.variadic,
        returns: (function.returns != "record").then(|| built_in_type(function.returns)),
        columns: function.columns.iter().map(|(name, of)| ((*name).into(), built_in_type(of))).collect(),
        volatility: function.volatility,
        aggregate: function.aggregate,
        set_of: function.returns_set,
        routine: None,
    }
}

fn of_routine<'a>(routine: &'a Routine, env: &Environment) -> Candidate<'a> {
    let inputs: Vec<_> = routine.inputs().collect();
    let resolve = |written: &TypeName| resolve_type(written, env.scope);
    let out =
        routine.arguments.iter().filter(|argument| matches!(argument.mode, ArgumentMode::Out | ArgumentMode::InOut));
    let out = out.filter_map(|argument| Some((argument.name.as_ref()?.name.clone(), resolve(&argument.data_type))));
    let table = routine.returns_table.iter().map(|(name, of)| (name.clone(), resolve(of)));
    let mut columns: Vec<_> = out.chain(table).collect();
    let returns = match (&routine.returns, columns.len()) {
        (Some(returns), _) if returns.name != "record" => Some(resolve(&TypeName { set_of: false, ..returns.clone() })),
        (None, 1) => columns.pop().map(|(_, of)| of),
        _ => None,
    };
    Candidate {
        required: inputs.iter().filter(|argument| argument.default.is_none()).count(),
        variadic: inputs.last().is_some_and(|argument| argument.mode == ArgumentMode::Variadic),
        parameters: inputs.iter().map(|argument| resolve(&argument.data_type)).collect(),
        returns,
        columns,
        volatility: routine.volatility,
        aggregate: false,
        set_of: routine.returns.as_ref().is_some_and(|it| it.set_of) || !routine.returns_table.is_empty(),
        routine: Some(routine),
    }
}

/// Everything of that name: pg_catalog first, as the server searches it implicitly, then the search_path, then extensions.
pub(super) fn functions<'a>(name: &sqlparser::ast::ObjectName, env: &Environment<'a>) -> Vec<Candidate<'a>> {
    let Some(name) = names::object_name(name) else { return Vec::new() };
    let scope = env.scope;
    let mut found: Vec<Candidate<'a>> = Vec::new();
    let of_catalog = || catalog::functions(name.name.as_str(), scope.version).into_iter().map(of_function);
    if name.schema.is_none() && scope.session.catalog_is_first() {
        found.extend(of_catalog());
    }
    let path = if name.schema.is_some() { &[][..] } else { &scope.session.search_path[..] };
    for schema in name.schema.iter().chain(path) {
        if *schema == "pg_catalog" {
            found.extend(of_catalog());
        }
        let name = QualifiedName { schema: schema.clone(), name: name.name.clone() };
        let routines: Vec<&'a Arc<Routine>> = scope.schema.routines_at(&name).collect();
        found.extend(routines.into_iter().map(|routine| of_routine(routine, env)));
    }
    for (extension, installed) in &scope.schema.extensions {
        let Some(contents) = catalog::extension(extension.as_str()) else { continue };
        let visible = match &name.schema {
            Some(schema) => *schema == installed.schema,
            None => installed.schema == "pg_catalog" || scope.session.search_path.contains(&installed.schema),
        };
        if visible {
            found.extend(contents.functions_named(name.name.as_str()).iter().map(of_function));
        }
        if let Some(schema) = &name.schema {
            let qualified = format!("{}.{}", schema.as_str(), name.name.as_str());
            found.extend(contents.functions_named(&qualified).iter().map(of_function));
        }
    }
    found
}

/// Those that the call may mean: one when it is clear, several when types are missing, none when nothing fits.
pub(super) fn choose<'a>(candidates: Vec<Candidate<'a>>, arguments: &[Kind], env: &Environment) -> Vec<Candidate<'a>> {
    let fitting: Vec<_> = candidates.into_iter().filter_map(|candidate| expand(candidate, arguments.len())).collect();
    let exact = |candidate: &Candidate| {
        arguments.iter().zip(&candidate.parameters).all(|(argument, parameter)| is_same(argument, parameter, env))
    };
    if let Some(found) = fitting.iter().find(|candidate| exact(candidate)) {
        // A default may stand in for what another of the same schema does not ask for (FuncnameGetCandidates, namespace.c).
        let alike = |candidate: &&Candidate| exact(candidate) && is_beside(found, candidate);
        let all: Vec<_> = fitting.iter().filter(alike).cloned().collect();
        return if all.is_empty() { vec![found.clone()] } else { all };
    }
    let mut left: Vec<_> = fitting
        .into_iter()
        .filter(|candidate| {
            arguments
                .iter()
                .zip(&candidate.parameters)
                .all(|(argument, parameter)| is_coercible(argument, parameter, env))
        })
        .collect();
    left.retain(|candidate| is_consistent(candidate, arguments, env));
    if left.len() > 1 && !arguments.contains(&Kind::Opaque) {
        narrow(&mut left, arguments, env);
    }
    left
}

/// Routines of one schema, neither of which takes a list.
fn is_beside(one: &Candidate, other: &Candidate) -> bool {
    let schema =
        |candidate: &Candidate| candidate.routine.filter(|_| !candidate.variadic).map(|it| it.name.schema.clone());
    schema(one).is_some() && schema(one) == schema(other)
}

/// All arguments of anyelement, anyarray and their kin go back to one type (`check_generic_type_consistency`, parse_coerce.c).
fn is_consistent(candidate: &Candidate, arguments: &[Kind], env: &Environment) -> bool {
    let mut first: Option<ColumnType> = None;
    for (argument, parameter) in arguments.iter().zip(&candidate.parameters) {
        let Kind::Known(argument) = argument else { continue };
        let of = base_type(argument, env.scope);
        let element = match parameter.written.name.as_str() {
            "anyelement" | "anynonarray" | "anyenum" => of,
            "anyarray" if is_array(&of) => of.element(),
            _ => continue,
        };
        if element.resolved == ResolvedType::Unknown {
            return true;
        }
        match &first {
            Some(first) if !same_type(first, &element) => return false,
            Some(_) => {}
            None => first = Some(element),
        }
    }
    true
}

/// The candidate with as many parameters as the call passes.
fn expand(mut candidate: Candidate, given: usize) -> Option<Candidate> {
    if candidate.variadic && given >= candidate.parameters.len() {
        let last = candidate.parameters.pop()?;
        let element = match last.written.name.as_str() {
            "anyarray" => built_in_type("anyelement"),
            "anycompatiblearray" => built_in_type("anycompatible"),
            _ => last.element(),
        };
        candidate.parameters.resize(given, element);
    }
    (candidate.required.min(candidate.parameters.len())..=candidate.parameters.len())
        .contains(&given)
        .then_some(candidate)
}

/// Keeps the best matches: most exact types, then most exact or preferred ones, then what suits the literals (`func_select_candidate`).
fn narrow(left: &mut Vec<Candidate>, arguments: &[Kind], env: &Environment) {
    keep_best(left, |candidate| count(candidate, arguments, |argument, parameter| is_same(argument, parameter, env)));
    keep_best(left, |candidate| {
        count(candidate, arguments, |argument, parameter| match argument {
            Kind::Known(_) => {
                is_same(argument, parameter, env)
                    || (is_preferred(parameter, env) && same_category(argument, parameter, env))
            }
            _ => false,
        })
    });
    if left.len() > 1 {
        keep_best(left, |candidate| {
            count(candidate, arguments, |argument, parameter| {
                *argument == Kind::Literal && category(parameter, env) == Some('S')
            })
        });
        keep_best(left, |candidate| {
            count(candidate, arguments, |argument, parameter| {
                *argument == Kind::Literal && is_preferred(parameter, env)
            })
        });
    }
    if left.len() > 1 {
        // The last resort: literals are of the one type that the other arguments have.
        let known = arguments.iter().find(|argument| matches!(argument, Kind::Known(_)));
        if let Some(known) = known {
            keep_best(left, |candidate| count(candidate, arguments, |_, parameter| is_same(known, parameter, env)));
        }
    }
}

fn count(candidate: &Candidate, arguments: &[Kind], test: impl Fn(&Kind, &ColumnType) -> bool) -> usize {
    arguments.iter().zip(&candidate.parameters).filter(|(argument, parameter)| test(argument, parameter)).count()
}

fn keep_best(left: &mut Vec<Candidate>, score: impl Fn(&Candidate) -> usize) {
    let best = left.iter().map(&score).max().unwrap_or(0);
    left.retain(|candidate| score(candidate) == best);
}

pub(super) fn is_array(of: &ColumnType) -> bool {
    of.written.array_dimensions > 0
}

/// The same type, whatever the modifiers.
pub(super) fn same_type(a: &ColumnType, b: &ColumnType) -> bool {
    is_array(a) == is_array(b)
        && match (a.resolved, b.resolved) {
            (ResolvedType::BuiltIn, ResolvedType::BuiltIn) => a.written.name == b.written.name,
            (ResolvedType::Unknown, _) | (_, ResolvedType::Unknown) => false,
            (a, b) => a == b,
        }
}

fn is_same(argument: &Kind, parameter: &ColumnType, env: &Environment) -> bool {
    let Kind::Known(argument) = argument else { return false };
    same_type(argument, parameter) || same_type(&base_type(argument, env.scope), parameter)
}

fn is_coercible(argument: &Kind, parameter: &ColumnType, env: &Environment) -> bool {
    match argument {
        Kind::Literal | Kind::Opaque => true,
        Kind::Known(argument) => implicitly_coercible(argument, parameter, env),
    }
}

/// Whether an argument of one type may stand where another is wanted. What is not known may.
pub(super) fn implicitly_coercible(argument: &ColumnType, parameter: &ColumnType, env: &Environment) -> bool {
    // A domain takes what its type takes (`find_coercion_pathway`, parse_coerce.c).
    let (argument, parameter) = (&base_type(argument, env.scope), &base_type(parameter, env.scope));
    if argument.resolved == ResolvedType::Unknown || parameter.resolved == ResolvedType::Unknown {
        return true;
    }
    same_type(argument, parameter)
        || is_polymorphic_match(argument, parameter, env)
        || cast(argument, parameter, env).is_some_and(|cast| cast.context == CastContext::Implicit)
}

fn is_polymorphic_match(argument: &ColumnType, parameter: &ColumnType, env: &Environment) -> bool {
    if is_array(parameter) || parameter.resolved != ResolvedType::BuiltIn {
        return false;
    }
    let kind = type_kind(argument, env);
    match parameter.written.name.as_str() {
        "any" | "anyelement" | "anycompatible" => true,
        "anynonarray" | "anycompatiblenonarray" => !is_array(argument),
        "anyarray" | "anycompatiblearray" => is_array(argument),
        "anyenum" => kind == Some('e'),
        "anyrange" | "anycompatiblerange" => kind == Some('r'),
        "anymultirange" | "anycompatiblemultirange" => kind == Some('m'),
        "record" => kind == Some('c'),
        _ => false,
    }
}

fn built_in(of: &ColumnType, env: &Environment) -> Option<&'static catalog::BuiltInType> {
    let name = of.written.name.as_str();
    (of.resolved == ResolvedType::BuiltIn)
        .then(|| catalog::built_in_type(name).or_else(|| extension_type(name, env.scope)))?
}

/// pg_type.typtype of the element.
fn type_kind(of: &ColumnType, env: &Environment) -> Option<char> {
    if is_array(of) {
        return None;
    }
    match of.resolved {
        ResolvedType::BuiltIn if of.written.name == "record" => Some('c'),
        ResolvedType::BuiltIn => built_in(of, env).map(|found| found.kind),
        ResolvedType::Row(_) => Some('c'),
        ResolvedType::User(id) => env.scope.schema.types.get(&id).and_then(|user| match user.definition {
            TypeDefinition::Enum(_) => Some('e'),
            TypeDefinition::Composite(_) => Some('c'),
            TypeDefinition::Range { .. } => Some('r'),
            _ => None,
        }),
        ResolvedType::Unknown => None,
    }
}

pub(super) fn category(of: &ColumnType, env: &Environment) -> Option<char> {
    if is_array(of) {
        return Some('A');
    }
    match type_kind(of, env) {
        Some('e') if matches!(of.resolved, ResolvedType::User(_)) => Some('E'),
        _ => built_in(of, env).map(|found| found.category),
    }
}

fn same_category(argument: &Kind, parameter: &ColumnType, env: &Environment) -> bool {
    let Kind::Known(argument) = argument else { return false };
    let argument = category(&base_type(argument, env.scope), env);
    argument.is_some() && argument == category(parameter, env)
}

pub(super) fn is_preferred(of: &ColumnType, env: &Environment) -> bool {
    !is_array(of) && built_in(of, env).is_some_and(|found| found.preferred)
}

/// The argument that a function of pg_catalog in SQL turns into text, if it is one of those: the planner puts `argument::text` in
/// place of the call (textanycat, anytextcat, quote_literal and quote_nullable, pg_proc.dat).
pub(super) fn turned_into_text<'k>(name: &str, chosen: &[Candidate], kinds: &'k [Kind]) -> Option<&'k Kind> {
    let [only] = chosen else { return None };
    let takes_any = |of: &ColumnType| matches!(of.written.name.as_str(), "anynonarray" | "anyelement");
    let at = only.parameters.iter().position(takes_any).filter(|_| only.routine.is_none())?;
    ["||", "quote_literal", "quote_nullable"].contains(&name).then(|| kinds.get(at)).flatten()
}
