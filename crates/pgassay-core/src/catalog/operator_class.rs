//! Default operator classes: what decides whether ALTER COLUMN … TYPE can keep an index.

use std::sync::LazyLock;

use super::data::Row;
use super::{CastContext, CastMethod, built_in_type, cast};

struct OperatorClass {
    method: &'static str,
    type_name: &'static str,
    name: &'static str,
}

static CLASSES: LazyLock<Vec<OperatorClass>> = LazyLock::new(|| {
    let row = |line| {
        let mut row = Row::new(line);
        OperatorClass { method: row.next(), type_name: row.next(), name: row.next() }
    };
    include_str!("operator-classes.tsv").lines().map(row).collect()
});

/// The default operator class of an index method for a type of pg_catalog, with the type it is declared for, as
/// `GetDefaultOpClass` (indexcmds.c) finds it: of the type itself, else of a type that it is binary-coercible to. An index survives a
/// type change only when both types have the same class, and the same type where that class is for a pseudo-type (`anyarray`).
pub fn default_operator_class(method: &str, type_name: &str) -> Option<(&'static str, &'static str)> {
    let of_method = || CLASSES.iter().filter(|class| class.method == method);
    let found = of_method()
        .find(|class| class.type_name == type_name)
        .or_else(|| {
            let mut coercible: Vec<_> =
                of_method().filter(|class| is_binary_coercible(type_name, class.type_name)).collect();
            // A preferred type wins: varchar takes text's class.
            coercible.sort_by_key(|class| !built_in_type(class.type_name).is_some_and(|built_in| built_in.preferred));
            coercible.into_iter().next()
        })
        .or_else(|| {
            let pseudo = pseudo_type(type_name)?;
            of_method().find(|class| class.type_name == pseudo)
        })?;
    Some((found.name, found.type_name))
}

/// `IsBinaryCoercible` (parse_coerce.c) between two different types of pg_cast.
fn is_binary_coercible(source: &str, target: &str) -> bool {
    cast(source, target).is_some_and(|cast| cast.method == CastMethod::Binary && cast.context == CastContext::Implicit)
}

fn pseudo_type(type_name: &str) -> Option<&'static str> {
    if type_name.starts_with('_') {
        return Some("anyarray");
    }
    match built_in_type(type_name)?.kind {
        'e' => Some("anyenum"),
        'm' => Some("anymultirange"),
        'r' => Some("anyrange"),
        'c' => Some("record"),
        _ => None,
    }
}
