//! Whether ALTER COLUMN … TYPE writes every row anew (`ATColumnChangeRequiresRewrite`, tablecmds.c), and whether indexes still fit.

use sqlparser::ast;

use super::fold::folded;
use super::predictor::Predictor;
use crate::catalog::{self, CastMethod};
use crate::change::{Expression, TypeName};
use crate::expression;
use crate::schema::{Column, ColumnType, Relation, ResolvedType, TypeDefinition, TypeId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeChange {
    /// The stored bytes stay as they are.
    Same,
    /// Every row is written; why, as a clause.
    Rewrite(String),
}

/// A type with its domains resolved, as far as a coercion cares.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    name: String,
    modifiers: Vec<i32>,
    /// The fields of an interval.
    fields: Option<std::sync::Arc<str>>,
    array: bool,
    user: Option<TypeId>,
}

pub(super) fn judge(
    predictor: &Predictor,
    table: &Relation,
    column: &Column,
    new: &TypeName,
    using: Option<&Expression>,
) -> TypeChange {
    let rewrite = |reason: String| TypeChange::Rewrite(reason);
    if column.generated.as_ref().is_some_and(|it| !it.stored) {
        return TypeChange::Same;
    }
    let old = &column.data_type;
    let from = match using {
        None => Some(old.clone()),
        Some(using) => unchanged_value(predictor, table, column, &using.tree),
    };
    let Some(from) = from else {
        return rewrite("USING computes a new value for every row".to_owned());
    };
    if coerces_in_place(predictor, &from, new) {
        return TypeChange::Same;
    }
    rewrite(format!("{} is stored differently from {new}", old.written))
}

/// The type of a USING expression that only relabels the column: the bare column, or casts of it that keep the bytes.
fn unchanged_value(predictor: &Predictor, table: &Relation, column: &Column, tree: &ast::Expr) -> Option<ColumnType> {
    match folded(tree) {
        ast::Expr::Identifier(ident) => {
            is_column(&ident.value, ident.quote_style, column).then(|| column.data_type.clone())
        }
        ast::Expr::Cast { expr, .. } => {
            let inner = unchanged_value(predictor, table, column, expr)?;
            let scope = expression::Scope { relation: Some(table), ..predictor.scope(None) };
            let target = expression::type_of(folded(tree), scope)?;
            coerces_in_place(predictor, &inner, &target.written).then_some(target)
        }
        _ => None,
    }
}

fn is_column(written: &str, quote: Option<char>, column: &Column) -> bool {
    let folded = if quote.is_some() { written.to_owned() } else { written.to_ascii_lowercase() };
    column.name == *folded.as_str()
}

fn coerces_in_place(predictor: &Predictor, old: &ColumnType, new: &TypeName) -> bool {
    let schema = predictor.context.schema;
    let user = match expression::resolve_type(new, predictor.scope(None)).resolved {
        ResolvedType::User(id) => Some(id),
        _ => None,
    };
    let from = shape_of(predictor, old);
    // The same type and modifier: coerce_to_target_type has nothing to do, constraints of a domain included.
    let same_name = match (user, old.resolved) {
        (Some(new), ResolvedType::User(old)) => new == old,
        (None, ResolvedType::BuiltIn) => new.name == old.written.name,
        _ => false,
    };
    if same_name
        && is_array(new) == is_array(&old.written)
        && new.modifiers == old.written.modifiers
        && (new.other_modifiers == old.written.other_modifiers || new.name != "interval")
    {
        return new.other_modifiers == old.written.other_modifiers;
    }
    if let Some(id) = user.filter(|_| !is_array(new)) {
        let Some(TypeDefinition::Domain(domain)) = schema.types.get(&id).map(|it| &it.definition) else {
            return from.user == Some(id);
        };
        if predictor.has_constraints(id) {
            return false;
        }
        let base = domain.base.clone();
        return keeps_bytes(predictor, &from, &shape_of(predictor, &base));
    }
    let to = Shape {
        name: new.name.as_str().to_owned(),
        modifiers: new.modifiers.clone(),
        fields: new.other_modifiers.first().cloned(),
        array: is_array(new),
        user,
    };
    keeps_bytes(predictor, &from, &to)
}

fn is_array(name: &TypeName) -> bool {
    name.array_dimensions > 0
}

/// Domains are looked through; a domain's value carries no modifier of its own.
fn shape_of(predictor: &Predictor, data_type: &ColumnType) -> Shape {
    let base = predictor.context.schema.base_type(data_type);
    let is_domain = base != data_type;
    let user = match base.resolved {
        ResolvedType::User(id) => Some(id),
        _ => None,
    };
    Shape {
        name: base.written.name.as_str().to_owned(),
        modifiers: if is_domain { Vec::new() } else { base.written.modifiers.clone() },
        fields: base.written.other_modifiers.first().filter(|_| !is_domain).cloned(),
        array: is_array(&base.written),
        user,
    }
}

fn keeps_bytes(predictor: &Predictor, from: &Shape, to: &Shape) -> bool {
    if from.array || to.array || from.user.is_some() || to.user.is_some() {
        // An array's coercion is run for every element unless there is nothing to do (ArrayCoerceExpr).
        let same = from.array == to.array && from.name == to.name && from.user == to.user;
        let modified = (&to.modifiers, &to.fields) != (&from.modifiers, &from.fields);
        return same && (!modified || to.modifiers.is_empty() && to.fields.is_none());
    }
    if (from.name.as_str(), to.name.as_str()) == ("interval", "interval") {
        return interval_is_wider(from, to);
    }
    if from.name != to.name && !is_relabelled(predictor, &from.name, &to.name) {
        return false;
    }
    let modifiers: &[i32] = if from.name == to.name { &from.modifiers } else { &[] };
    let crossed =
        matches!((from.name.as_str(), to.name.as_str()), ("timestamp", "timestamptz") | ("timestamptz", "timestamp"));
    // A relabelled value keeps its modifier where both types are of one family (varchar and text, timestamp and timestamptz).
    let modifiers = if crossed || from.name == to.name { modifiers } else { &[] };
    modifier_is_wider(&to.name, modifiers, &to.modifiers)
}

fn is_relabelled(predictor: &Predictor, from: &str, to: &str) -> bool {
    // TimestampTimestampTzRequiresRewrite (timestamp.c): the session's time zone is UTC.
    if matches!((from, to), ("timestamp", "timestamptz") | ("timestamptz", "timestamp")) {
        let zone = predictor.context.session.time_zone.as_deref();
        return zone.is_some_and(is_utc);
    }
    let schema = predictor.context.schema;
    let installed = schema.extensions.keys().map(|extension| extension.as_str());
    // A partial history may not have seen CREATE EXTENSION: a type is mostly that of the extension of its name.
    let assumed = [from, to].into_iter().filter(|_| !schema.complete);
    let of_extensions = installed.chain(assumed).filter_map(catalog::extension);
    let casts = of_extensions.filter_map(|contents| contents.cast(from, to));
    catalog::cast(from, to).into_iter().chain(casts).any(|cast| cast.method == CastMethod::Binary)
}

/// A time zone whose one offset is zero (`pg_get_timezone_offset`): a name of UTC, or a number.
fn is_utc(zone: &str) -> bool {
    let zone = zone.trim().to_ascii_lowercase();
    let name = zone.strip_prefix("etc/").unwrap_or(&zone);
    let number = name.strip_prefix(['+', '-']).unwrap_or(name);
    matches!(name, "utc" | "uct" | "gmt" | "gmt0" | "gmt+0" | "gmt-0" | "greenwich" | "universal" | "zulu")
        || !number.is_empty() && number.bytes().all(|byte| matches!(byte, b'0' | b':'))
}

/// `interval_support` (timestamp.c): nothing below the last field is cut off, and no fraction of a second.
fn interval_is_wider(from: &Shape, to: &Shape) -> bool {
    let last = |shape: &Shape| {
        let last = shape.fields.as_ref().and_then(|fields| fields.rsplit(' ').next().map(str::to_owned));
        match last.as_deref() {
            Some("year") => 5,
            Some("month") => 4,
            Some("day") => 3,
            Some("hour") => 2,
            Some("minute") => 1,
            _ => 0,
        }
    };
    let precision = |shape: &Shape| shape.modifiers.first().copied().unwrap_or(6);
    last(to) <= last(from) && (last(from) > 0 || precision(to) >= 6 || precision(to) >= precision(from))
}

/// The support functions of length coercions (`varchar_support`, `numeric_support`, `TemporalSimplify` …): nothing to do when every
/// old value fits.
fn modifier_is_wider(name: &str, old: &[i32], new: &[i32]) -> bool {
    if new.is_empty() || old == new {
        return true;
    }
    let at = |list: &[i32], index: usize| list.get(index).copied();
    let (old_first, new_first) = (at(old, 0), at(new, 0));
    match name {
        "varchar" | "varbit" => old_first.is_some() && old_first <= new_first,
        "numeric" => {
            let scale = |list: &[i32]| at(list, 1).unwrap_or(0);
            old_first.is_some() && old_first <= new_first && scale(old) == scale(new)
        }
        "timestamp" | "timestamptz" | "time" | "timetz" | "interval" => {
            new_first.is_some_and(|it| it >= 6) || (old_first.is_some() && old_first <= new_first)
        }
        _ => false,
    }
}

/// Whether an index with the default operator class keeps it: classes are made for a type or its binary-coercible kin.
pub(super) fn same_operator_class(predictor: &Predictor, column: &Column, new: &TypeName) -> bool {
    let old = shape_of(predictor, &column.data_type);
    let found = predictor.context.schema.find_type(&new.schema, &new.name, predictor.context.session);
    let name = match found.map(|it| (&it.definition, it.id)) {
        Some((TypeDefinition::Domain(domain), _)) => shape_of(predictor, &domain.base).name,
        _ => new.name.as_str().to_owned(),
    };
    old.array && is_array(new) || class(&old.name) == class(&name)
}

fn class(name: &str) -> &str {
    match name {
        "varchar" => "text",
        "cidr" => "inet",
        other => other,
    }
}
