//! Which operator a use means (parse_oper.c).

use super::{Candidate, Kind, choose, is_array, is_same};
use crate::catalog;
use crate::expression::scope::{Environment, base_type, built_in_type};
use crate::schema::{ColumnType, ResolvedType};

/// Operators of pg_catalog and of installed extensions. Operators made by CREATE OPERATOR are not known.
pub(in crate::expression) fn operators(name: &str, prefix: bool, env: &Environment) -> Vec<Candidate<'static>> {
    operator_rows(name, prefix, env).map(of_operator).collect()
}

/// The operators that a use with these arguments may mean: those of [`choose_operator`]. One that takes just these types is found
/// without looking at the others.
pub(in crate::expression) fn operators_for(
    name: &str,
    arguments: &[Kind],
    env: &Environment,
) -> Vec<Candidate<'static>> {
    let prefix = arguments.len() == 1;
    exact_operator(name, arguments, env)
        .map_or_else(|| choose_operator(operators(name, prefix, env), arguments, env), |found| vec![of_operator(found)])
}

fn operator_rows<'n>(
    name: &'n str,
    prefix: bool,
    env: &Environment<'n>,
) -> impl Iterator<Item = &'static catalog::Operator> + use<'n> {
    let of_extensions =
        env.scope.schema.extensions.keys().filter_map(|extension| catalog::extension(extension.as_str()));
    let of_extensions =
        of_extensions.flat_map(|contents| contents.operators).filter(move |operator| operator.name == name);
    let all = catalog::operators(name, env.scope.version).chain(of_extensions);
    all.filter(move |operator| operator.left.is_none() == prefix)
}

fn of_operator(operator: &'static catalog::Operator) -> Candidate<'static> {
    let parameters: Vec<_> = operator.left.into_iter().chain([operator.right]).map(built_in_type).collect();
    Candidate {
        required: parameters.len(),
        parameters,
        variadic: false,
        returns: Some(built_in_type(operator.returns)),
        columns: Vec::new(),
        volatility: operator.volatility,
        aggregate: false,
        set_of: false,
        routine: None,
    }
}

/// The operator whose parameters have the arguments' own types; a literal takes the other argument's (`binary_oper_exact`).
fn exact_operator(name: &str, arguments: &[Kind], env: &Environment) -> Option<&'static catalog::Operator> {
    let built_in = |of: &ColumnType| {
        let base = base_type(of, env.scope);
        (base.resolved == ResolvedType::BuiltIn).then_some(base)
    };
    let (left, right) = match arguments {
        [Kind::Known(only)] => (None, built_in(only)?),
        [Kind::Known(left), Kind::Known(right)] => (Some(built_in(left)?), built_in(right)?),
        [Kind::Literal, Kind::Known(other)] | [Kind::Known(other), Kind::Literal] => {
            let other = built_in(other)?;
            (Some(other.clone()), other)
        }
        _ => return None,
    };
    let is = |row: &str, of: &ColumnType| match row.strip_prefix('_') {
        Some(element) => is_array(of) && of.written.name == element,
        None => !is_array(of) && of.written.name == row,
    };
    let fits = |row: &&catalog::Operator| match (row.left, &left) {
        (Some(row_left), Some(left)) => is(row_left, left) && is(row.right, &right),
        (None, None) => is(row.right, &right),
        _ => false,
    };
    operator_rows(name, left.is_none(), env).find(fits)
}

/// A call of two arguments where one is a literal takes the other's type for both (`binary_oper_exact`).
fn choose_operator<'a>(candidates: Vec<Candidate<'a>>, arguments: &[Kind], env: &Environment) -> Vec<Candidate<'a>> {
    if let [left, right] = arguments {
        let both = match (left, right) {
            (Kind::Literal, Kind::Known(other)) | (Kind::Known(other), Kind::Literal) => {
                Some(base_type(other, env.scope))
            }
            _ => None,
        };
        if let Some(both) = both {
            let same = [Kind::Known(both.clone()), Kind::Known(both)];
            let exact = candidates.iter().find(|candidate| {
                same.iter().zip(&candidate.parameters).all(|(argument, parameter)| is_same(argument, parameter, env))
            });
            if let Some(found) = exact {
                return vec![found.clone()];
            }
        }
    }
    choose(candidates, arguments, env)
}
