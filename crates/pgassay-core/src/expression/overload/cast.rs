//! The casts between two types, and how volatile each is.

use super::{built_in, category, is_array, same_type, type_kind};
use crate::catalog::{self, CastMethod, Volatility};
use crate::expression::scope::{Environment, base_type};
use crate::schema::{ColumnType, ResolvedType};

/// The row of pg_cast between two types that are not arrays.
pub(in crate::expression) fn cast(
    source: &ColumnType,
    target: &ColumnType,
    env: &Environment,
) -> Option<catalog::Cast> {
    if source.resolved != ResolvedType::BuiltIn || target.resolved != ResolvedType::BuiltIn {
        return None;
    }
    if is_array(source) != is_array(target) {
        return None;
    }
    let (from, to) = (source.written.name.as_str(), target.written.name.as_str());
    // Integers are turned into bytea and back since 18.
    let integer = |name: &str| matches!(name, "int2" | "int4" | "int8");
    let bytes = integer(from) && to == "bytea" || from == "bytea" && integer(to);
    if bytes && !env.scope.version.at_least(18) {
        return None;
    }
    let contents = env.scope.schema.extensions.keys().filter_map(|extension| catalog::extension(extension.as_str()));
    catalog::cast(from, to).or_else(|| contents.into_iter().find_map(|contents| contents.cast(from, to)))
}

/// Whether a value becomes one of another type without a function: the type is the same, or is stored alike.
pub(in crate::expression) fn relabels(source: &ColumnType, target: &ColumnType, env: &Environment) -> bool {
    let (source, target) = (base_type(source, env.scope), base_type(target, env.scope));
    same_type(&source, &target) || cast(&source, &target, env).is_some_and(|it| it.method == CastMethod::Binary)
}

/// How volatile turning one type into another is. No cast of the server or its extensions is volatile.
pub(in crate::expression) fn cast_volatility(
    source: &ColumnType,
    target: &ColumnType,
    env: &Environment,
) -> Volatility {
    let (source, target) = (base_type(source, env.scope), base_type(target, env.scope));
    if same_type(&source, &target) {
        return Volatility::Immutable;
    }
    match cast(&source, &target, env).map(|cast| cast.method) {
        Some(CastMethod::Binary) => Volatility::Immutable,
        Some(CastMethod::Function(volatility)) => volatility,
        Some(CastMethod::InOut) | None => {
            let output = built_in(&source, env).filter(|_| !is_array(&source));
            let output = output.map_or(Volatility::Stable, |found| output_volatility(found, env));
            let input =
                built_in(&target, env).filter(|_| !is_array(&target)).map_or(Volatility::Stable, |found| found.input);
            output.max(input)
        }
    }
}

/// How volatile turning one type into another is at least: what is not known counts as immutable.
pub(in crate::expression) fn least_cast_volatility(
    source: &ColumnType,
    target: &ColumnType,
    env: &Environment,
) -> Volatility {
    let (source, target) = (base_type(source, env.scope), base_type(target, env.scope));
    let known = |of: &ColumnType| of.resolved != ResolvedType::Unknown && of.written.name != "record";
    if same_type(&source, &target) || !known(&source) || !known(&target) {
        return Volatility::Immutable;
    }
    let is_string = |of: &ColumnType| category(of, env) == Some('S');
    match cast(&source, &target, env).map(|cast| cast.method) {
        Some(CastMethod::Function(volatility)) => volatility,
        Some(CastMethod::Binary) => Volatility::Immutable,
        // Through the text form: enum_out, enum_in, array_out and array_in are stable.
        Some(CastMethod::InOut) | None if is_string(&source) || is_string(&target) => {
            let special = |of: &ColumnType| is_array(of) || matches!(type_kind(of, env), Some('e'));
            match (special(&source) || special(&target), built_in(&source, env), built_in(&target, env)) {
                (true, ..) => Volatility::Stable,
                (false, Some(source), Some(target)) => output_volatility(source, env).max(target.input),
                _ => Volatility::Immutable,
            }
        }
        _ => Volatility::Immutable,
    }
}

/// Of the output function, which depends on IntervalStyle for intervals: marked so since 15 (interval_out, pg_proc.dat).
fn output_volatility(of: &catalog::BuiltInType, env: &Environment) -> Volatility {
    match of.name {
        "interval" if env.scope.version.at_least(15) => Volatility::Stable,
        "interval" => Volatility::Immutable,
        _ => of.output,
    }
}
