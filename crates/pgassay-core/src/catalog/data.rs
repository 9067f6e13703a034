//! Reads the data files, once: every table is parsed when it is first asked for, and kept. Strings are slices of the files.
//!
//! Columns, separated by tabs, rows sorted by name:
//!
//! - functions: name; volatility (`i`, `s`, `v`) with flags (`a`ggregate, `w`indow, `p`rocedure, stri`n`t as `n`, `r`eturns a set,
//!   `+` variadic, the number of defaults); argument types; type returned; named columns returned as `name:type`; versions
//! - operators: name; left type; right type; type returned; volatility; versions
//! - types: name; typcategory, typtype and `!` when preferred; volatility of input and output; element, subtype or base type; versions
//! - casts: source; target; castcontext; volatility of the function, or `B` binary, `I` through text; versions
//! - operator-classes: access method; type; the default class; versions
//! - relations: schema.name; versions
//! - extensions: `extension`, name, `complete` or `partial`, fixed schema; then its objects, each behind the word `function`, `operator`,
//!   `type`, `cast`, `class` or `relation`, without versions

use super::{BuiltInType, Cast, CastContext, CastMethod, CastRow, Function, Operator, Versions};
use crate::catalog::Volatility;
use crate::version::PgVersion;

/// A row's columns; one that is missing is empty.
pub(super) struct Row(std::str::Split<'static, char>);

impl Row {
    pub(super) fn new(line: &'static str) -> Row {
        Row(line.split('\t'))
    }

    pub(super) fn next(&mut self) -> &'static str {
        self.0.next().unwrap_or_default()
    }
}

fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    text.lines().map(Row::new)
}

pub(super) fn functions(text: &'static str) -> Vec<Function> {
    rows(text).map(function).collect()
}

pub(super) fn operators(text: &'static str) -> Vec<Operator> {
    rows(text).map(operator).collect()
}

pub(super) fn types(text: &'static str) -> Vec<BuiltInType> {
    rows(text).map(built_in_type).collect()
}

pub(super) fn casts(text: &'static str) -> Vec<CastRow> {
    rows(text).map(cast).collect()
}

pub(super) fn first_column(text: &'static str) -> Vec<&'static str> {
    rows(text).map(|mut row| row.next()).collect()
}

/// Argument lists are leaked: they live as long as the table, which is never freed.
pub(super) fn function(mut row: Row) -> Function {
    let name = row.next();
    let flags = row.next();
    let arguments: Vec<&'static str> = row.next().split_ascii_whitespace().collect();
    let returns = row.next();
    let columns: Vec<_> = row.next().split_ascii_whitespace().filter_map(|column| column.split_once(':')).collect();
    let has = |flag: char| flags.contains(flag);
    Function {
        name,
        arguments: arguments.leak(),
        defaults: flags.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0),
        variadic: has('+'),
        returns,
        returns_set: has('r'),
        columns: columns.leak(),
        aggregate: has('a'),
        window: has('w'),
        procedure: has('p'),
        volatility: volatility(flags),
        strict: has('n'),
        versions: versions(row.next()),
    }
}

pub(super) fn operator(mut row: Row) -> Operator {
    let name = row.next();
    let left = row.next();
    Operator {
        name,
        left: (!left.is_empty()).then_some(left),
        right: row.next(),
        returns: row.next(),
        volatility: volatility(row.next()),
        versions: versions(row.next()),
    }
}

pub(super) fn built_in_type(mut row: Row) -> BuiltInType {
    let name = row.next();
    let mut class = row.next().chars();
    let functions = row.next();
    let element = row.next();
    BuiltInType {
        name,
        category: class.next().unwrap_or('X'),
        kind: class.next().unwrap_or('b'),
        preferred: class.next().is_some(),
        input: volatility(functions),
        output: volatility(functions.get(1..).unwrap_or_default()),
        element: (!element.is_empty()).then_some(element),
    }
}

pub(super) fn cast(mut row: Row) -> CastRow {
    let source = row.next();
    let target = row.next();
    let context = match row.next() {
        "i" => CastContext::Implicit,
        "a" => CastContext::Assignment,
        _ => CastContext::Explicit,
    };
    let method = match row.next() {
        "B" => CastMethod::Binary,
        "I" => CastMethod::InOut,
        function => CastMethod::Function(volatility(function)),
    };
    CastRow { source, target, cast: Cast { context, method } }
}

/// The volatility that a text starts with.
fn volatility(text: &str) -> Volatility {
    match text.as_bytes().first() {
        Some(b'i') => Volatility::Immutable,
        Some(b's') => Volatility::Stable,
        _ => Volatility::Volatile,
    }
}

/// `16-`, `-15`, `15-16`, or nothing for all.
fn versions(text: &str) -> Versions {
    let (first, last) = text.split_once('-').unwrap_or_default();
    let or = |text: &str, other: PgVersion| text.parse().unwrap_or(other.major());
    Versions(or(first, PgVersion::OLDEST), or(last, PgVersion::NEWEST))
}
