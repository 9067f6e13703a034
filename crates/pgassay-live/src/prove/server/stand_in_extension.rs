//! What stands in for an extension that is not installed: its types, functions, operators and relations, as far as they are known.
//!
//! In: what the catalog of extensions knows. Out: DDL, one statement each; what the server refuses of it is left out. Types keep their
//! values as text, functions and operators answer NULL but for comparisons, relations have no columns.

use super::ground::quote;
use crate::catalog::{BuiltInType, CastContext, ExtensionContents, Function, Operator, Volatility};
use crate::text::quoting::literal;

/// In the body of every function that stands in.
pub(super) const MARK: &str = "/* pgassay */";

/// Comparisons of values by their bytes, with the functions that do it for bytea (no collation is needed).
const COMPARISONS: &[(&str, &str)] =
    &[("=", "byteaeq"), ("<>", "byteane"), ("<", "bytealt"), ("<=", "byteale"), (">", "byteagt"), (">=", "byteage")];

/// One text that makes all that can be made; `chosen` is the schema of CREATE EXTENSION, with its quotes.
pub(super) fn text(contents: &ExtensionContents, chosen: Option<&str>) -> String {
    let schema = match (contents.schema, chosen) {
        (Some(fixed), _) => format!("{}.", quote(fixed)),
        (None, Some(chosen)) => format!("{chosen}."),
        (None, None) => String::new(),
    };
    let mut statements: Vec<String> = schemas(contents);
    let types = contents.types.iter().filter(|known| !known.name.starts_with('_'));
    for known in types {
        statements.push(data_type(&schema, known));
    }
    statements.extend(
        contents.relations.iter().map(|name| format!("CREATE TABLE IF NOT EXISTS {} ()", place(&schema, name))),
    );
    statements.extend(contents.functions.iter().flat_map(|function| function_of(&schema, function)));
    for (number, operator) in contents.operators.iter().enumerate() {
        statements.extend(operator_of(&schema, operator, number));
    }
    for known in contents.types {
        if let Some(class) = contents.default_operator_class("btree", known.name) {
            statements.extend(operator_class(&schema, class, known.name));
        }
    }
    statements.extend(contents.casts().map(|(source, target, cast)| {
        let when = match cast.context {
            CastContext::Implicit => " AS IMPLICIT",
            CastContext::Assignment => " AS ASSIGNMENT",
            CastContext::Explicit => "",
        };
        format!("CREATE CAST ({} AS {}) WITH INOUT{when}", quote(source), quote(target))
    }));
    // What one of them is refused for is no reason to miss the others.
    let each =
        |sql: &String| format!("BEGIN EXECUTE {}; EXCEPTION WHEN OTHERS THEN NULL; END;\n", literal_escaped(sql));
    format!(
        "DO LANGUAGE plpgsql {}",
        literal_escaped(&format!("BEGIN\n{}END", statements.iter().map(each).collect::<String>()))
    )
}

/// A literal that means the same whatever standard_conforming_strings is.
fn literal_escaped(text: &str) -> String {
    match text.contains('\\') {
        true => format!("E{}", literal(&text.replace('\\', "\\\\"))),
        false => literal(text),
    }
}

fn schemas(contents: &ExtensionContents) -> Vec<String> {
    let names = contents.functions.iter().map(|function| function.name).chain(contents.relations.iter().copied());
    let mut found: Vec<&str> = names.filter_map(|name| Some(name.split_once('.')?.0)).chain(contents.schema).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|schema| format!("CREATE SCHEMA IF NOT EXISTS {}", quote(schema))).collect()
}

/// `cron.schedule` stands in a schema of its own, whatever schema the extension is in.
fn place(schema: &str, name: &str) -> String {
    match name.split_once('.') {
        Some((own, name)) => format!("{}.{}", quote(own), quote(name)),
        None => format!("{schema}{}", quote(name)),
    }
}

/// A base type that keeps its text and takes modifiers; a domain where we may not make one, being no superuser.
fn data_type(schema: &str, known: &BuiltInType) -> String {
    let name = format!("{schema}{}", quote(known.name));
    let part = |end: &str| format!("{schema}{}", quote(&format!("{}_pgassay_{end}", known.name)));
    let function = |end: &str, takes: &str, returns: &str, source: &str| {
        format!(
            "CREATE FUNCTION {}({takes}) RETURNS {returns} LANGUAGE internal IMMUTABLE STRICT AS '{source}'; ",
            part(end)
        )
    };
    // Of numbers, one is kept; of words (`geometry(Point, 4326)`) that there are some.
    let (modifiers_in, modifiers_out) = match known.name {
        "geometry" | "geography" | "raster" => ("array_ndims", ""),
        _ => ("varchartypmodin", ", TYPMOD_OUT = pg_catalog.varchartypmodout"),
    };
    format!(
        "DO LANGUAGE plpgsql {}",
        literal_escaped(&format!(
            "BEGIN CREATE TYPE {name}; {}{}{}CREATE TYPE {name} (INPUT = {}, OUTPUT = {}, TYPMOD_IN = {}{modifiers_out}, LIKE = pg_catalog.text);
             EXCEPTION WHEN OTHERS THEN CREATE DOMAIN {name} AS text; END",
            function("in", "cstring, oid, int4", &name, "textin"),
            function("out", &name, "cstring", "textout"),
            function("modifiers", "cstring[]", "int4", modifiers_in),
            part("in"),
            part("out"),
            part("modifiers"),
        ))
    )
}

fn volatility(of: Volatility) -> &'static str {
    match of {
        Volatility::Immutable => "IMMUTABLE",
        Volatility::Stable => "STABLE",
        Volatility::Volatile => "VOLATILE",
    }
}

fn function_of(schema: &str, function: &Function) -> Vec<String> {
    let name = place(schema, function.name);
    let first_default = function.arguments.len().saturating_sub(usize::from(function.defaults));
    let argument = |(at, type_name): (usize, &&str)| {
        let variadic = function.variadic && at + 1 == function.arguments.len();
        let default = match at >= first_default && !variadic {
            true if type_name.starts_with("any") => " DEFAULT NULL::int4",
            true => " DEFAULT NULL",
            false => "",
        };
        format!("{}{}{default}", if variadic { "VARIADIC " } else { "" }, quote(type_name))
    };
    let mut arguments: Vec<String> = function.arguments.iter().enumerate().map(argument).collect();
    if function.aggregate {
        let types: Vec<String> = function.arguments.iter().map(|name| quote(name)).collect();
        let step = format!("{schema}{}", quote(&format!("{}_pgassay_step", function.name)));
        let returns = quote(function.returns);
        let takes: Vec<String> = std::iter::once(returns.clone()).chain(types.iter().cloned()).collect();
        return vec![
            format!(
                "CREATE FUNCTION {step}({}) RETURNS {returns} LANGUAGE sql IMMUTABLE AS 'SELECT $1 {MARK}'",
                takes.join(", ")
            ),
            format!("CREATE AGGREGATE {name}({}) (SFUNC = {step}, STYPE = {returns})", types.join(", ")),
        ];
    }
    arguments
        .extend(function.columns.iter().map(|(name, type_name)| format!("OUT {} {}", quote(name), quote(type_name))));
    let set = if function.returns_set { "SETOF " } else { "" };
    let (returns, language, body) = match (function.columns, function.returns) {
        (_, "trigger") => ("RETURNS trigger".to_owned(), "plpgsql", format!("BEGIN RETURN NEW; END {MARK}")),
        ([], "void") => ("RETURNS void".to_owned(), "sql", format!("SELECT {MARK}")),
        ([], returns) => {
            (format!("RETURNS {set}{}", quote(returns)), "sql", format!("SELECT NULL::{} {MARK}", quote(returns)))
        }
        ([(_, only)], _) => {
            (format!("RETURNS {set}{}", quote(only)), "sql", format!("SELECT NULL::{} {MARK}", quote(only)))
        }
        (columns, _) => {
            let nulls: Vec<String> =
                columns.iter().map(|(_, type_name)| format!("NULL::{}", quote(type_name))).collect();
            (format!("RETURNS {set}record"), "sql", format!("SELECT {} {MARK}", nulls.join(", ")))
        }
    };
    if function.procedure {
        return vec![format!("CREATE PROCEDURE {name}({}) LANGUAGE sql AS 'SELECT {MARK}'", arguments.join(", "))];
    }
    vec![format!(
        "CREATE FUNCTION {name}({}) {returns} LANGUAGE {language} {} AS {}",
        arguments.join(", "),
        volatility(function.volatility),
        literal(&body)
    )]
}

fn operator_of(schema: &str, operator: &Operator, number: usize) -> Vec<String> {
    let function = format!("{schema}{}", quote(&format!("pgassay_operator_{number}_{}", operator.right)));
    let compares = COMPARISONS.iter().find(|(name, _)| *name == operator.name && operator.left == Some(operator.right));
    let takes: Vec<String> = operator.left.iter().chain([&operator.right]).map(|name| quote(name)).collect();
    let (language, body) = match compares {
        Some((_, source)) => ("internal", (*source).to_owned()),
        None => ("sql", format!("SELECT NULL::{} {MARK}", quote(operator.returns))),
    };
    let left = operator.left.map(|name| format!("LEFTARG = {}, ", quote(name))).unwrap_or_default();
    vec![
        format!(
            "CREATE FUNCTION {function}({}) RETURNS {} LANGUAGE {language} {} AS {}",
            takes.join(", "),
            quote(operator.returns),
            volatility(operator.volatility),
            literal(&body)
        ),
        format!(
            "CREATE OPERATOR {schema}{} (FUNCTION = {function}, {left}RIGHTARG = {})",
            operator.name,
            quote(operator.right)
        ),
    ]
}

/// The order of B-trees, so that its values can be keys.
fn operator_class(schema: &str, class: &str, type_name: &str) -> Vec<String> {
    let (quoted, compare) = (quote(type_name), format!("{schema}{}", quote(&format!("{type_name}_pgassay_compare"))));
    vec![
        format!("CREATE FUNCTION {compare}({quoted}, {quoted}) RETURNS int4 LANGUAGE internal IMMUTABLE STRICT AS 'byteacmp'"),
        format!(
            "CREATE OPERATOR CLASS {schema}{} DEFAULT FOR TYPE {quoted} USING btree AS
               OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 {compare}({quoted}, {quoted})",
            quote(class)
        ),
    ]
}
