//! Expressions, queries and type names inside changes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sqlparser::ast;

use super::{Name, ObjectName};
use crate::source::Span;

/// An expression: sqlparser's tree, and the text it was read from.
#[derive(Debug, Clone)]
pub struct Expression {
    pub span: Span,
    /// As the user wrote it, without outer parentheses that belong to the surrounding syntax.
    pub text: Arc<str>,
    pub tree: Arc<ast::Expr>,
}

impl Expression {
    /// `NULL`, cast to something or not.
    pub fn is_null(&self) -> bool {
        fn is_null(tree: &ast::Expr) -> bool {
            match tree {
                ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => is_null(inner),
                ast::Expr::Value(value) => value.value == ast::Value::Null,
                _ => false,
            }
        }
        is_null(&self.tree)
    }
}

/// A query: the body of a view, CREATE TABLE AS, INSERT … SELECT, a plain SELECT.
#[derive(Debug, Clone)]
pub struct Query {
    pub span: Span,
    pub text: Arc<str>,
    pub tree: Arc<ast::Query>,
}

/// Two expressions are the same when their trees print the same: spelling and spaces do not matter.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        same_tree(&self.tree, &other.tree)
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        same_tree(&self.tree, &other.tree)
    }
}

/// Whether two trees print the same. Printing costs most, and trees that are equal print the same.
pub(super) fn same_tree<T: PartialEq + fmt::Display>(one: &Arc<T>, other: &Arc<T>) -> bool {
    Arc::ptr_eq(one, other) || one == other || one.to_string() == other.to_string()
}

/// A type as written. The names that SQL's own syntax gives to built-in types are turned into the catalog's
/// (`integer` → `int4`, `character varying` → `varchar`, `timestamp with time zone` → `timestamptz`, `char` → `bpchar`,
/// `"char"` stays `char`), with `schema` left out unless the user wrote one.
#[derive(Debug, Clone)]
pub struct TypeName {
    pub schema: Option<Name>,
    pub name: Name,
    /// `varchar(20)` → `[20]`, `numeric(10,2)` → `[10, 2]`, `bpchar` without length → `[1]`, `timestamptz(3)` → `[3]`,
    /// `interval second(3)` → `[3]`. Modifiers of extension types (`geometry(Point, 4326)`) that are not numbers are in
    /// `other_modifiers`, and so are the fields of an interval (`year to month`).
    pub modifiers: Vec<i32>,
    pub other_modifiers: Vec<Arc<str>>,
    /// Number of `[]`; PostgreSQL ignores how many there are, and any sizes.
    pub array_dimensions: u8,
    pub set_of: bool,
    pub span: Span,
}

impl PartialEq for TypeName {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.name == other.name
            && self.modifiers == other.modifiers
            && self.other_modifiers == other.other_modifiers
            && (self.array_dimensions > 0) == (other.array_dimensions > 0)
            && self.set_of == other.set_of
    }
}

// Lets `Arc` compare pointers first.
impl Eq for TypeName {}

impl Hash for TypeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.schema, &self.name, &self.modifiers).hash(state);
    }
}

/// As `format_type` would print it, for the types that have SQL names of their own.
impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_interval = self.name == "interval" && self.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
        let words = if is_interval { &[][..] } else { &self.other_modifiers[..] };
        let numbers = self.modifiers.iter().map(i32::to_string);
        let modifiers: Vec<String> = numbers.chain(words.iter().map(|word| word.to_string())).collect();
        let modifiers = if modifiers.is_empty() { String::new() } else { format!("({})", modifiers.join(",")) };
        if self.set_of {
            f.write_str("SETOF ")?;
        }
        match (&self.schema, self.name.as_str()) {
            (Some(schema), _) if *schema != "pg_catalog" => write!(f, "{schema}.{}{modifiers}", self.name)?,
            (_, "int2") => f.write_str("smallint")?,
            (_, "int4") => f.write_str("integer")?,
            (_, "int8") => f.write_str("bigint")?,
            (_, "float4") => f.write_str("real")?,
            (_, "float8") => f.write_str("double precision")?,
            (_, "bool") => f.write_str("boolean")?,
            (_, "bpchar") => write!(f, "character{modifiers}")?,
            (_, "varchar") => write!(f, "character varying{modifiers}")?,
            (_, "varbit") => write!(f, "bit varying{modifiers}")?,
            (_, "timestamptz") => write!(f, "timestamp{modifiers} with time zone")?,
            (_, "timestamp") => write!(f, "timestamp{modifiers} without time zone")?,
            (_, "timetz") => write!(f, "time{modifiers} with time zone")?,
            (_, "time") => write!(f, "time{modifiers} without time zone")?,
            // "char" and these are names of types and key words at once.
            (_, "char") => f.write_str("\"char\"")?,
            (_, name @ ("bit" | "json" | "numeric")) => write!(f, "{name}{modifiers}")?,
            (_, "interval") => {
                let fields = self.other_modifiers.first().map(|fields| format!(" {fields}")).unwrap_or_default();
                write!(f, "interval{fields}{modifiers}")?;
            }
            _ => write!(f, "{}{modifiers}", self.name)?,
        }
        for _ in 0..self.array_dimensions.min(1) {
            f.write_str("[]")?;
        }
        Ok(())
    }
}

/// A routine named in COMMENT, DROP, GRANT …: `f` or `f(int, text)`.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutineName {
    pub name: ObjectName,
    /// Types of the input arguments; `None` when no list was written.
    pub arguments: Option<Vec<TypeName>>,
}
