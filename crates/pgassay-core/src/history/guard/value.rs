//! The values of expressions over rows of the catalog.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr};

use super::catalog::Row;
use crate::change::{Name, ObjectName, QualifiedName};
use crate::schema::{Relation, Schema, Session};
use crate::source::{FileId, Span};
use crate::walk;

/// What the conditions are asked of.
pub(super) struct World<'a> {
    pub schema: &'a Schema,
    pub session: &'a Session,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// Numbers and truth values as the server prints them; an oid as what it stands for.
    Text(String),
    Unknown,
}

impl World<'_> {
    /// Whether what the schema does not have does not exist.
    pub fn knows_all(&self) -> bool {
        self.schema.complete && !self.schema.is_disturbed()
    }

    /// Whether a condition asks for a name that may have been made or dropped.
    pub fn doubts_text(&self, condition: &Expr) -> bool {
        let found = walk::visit_expressions(condition, |part| match part {
            Expr::Value(value) => match &value.value {
                ast::Value::SingleQuotedString(text) => {
                    let last = text.rsplit('.').next().unwrap_or(text);
                    if self.schema.is_doubtful_name(last) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                _ => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        });
        found.is_break()
    }

    /// What `to_regclass` finds.
    fn relation(&self, text: &str) -> Value {
        let parts: Vec<Name> = text.split('.').map(part).collect();
        let (schema, name) = match &parts[..] {
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            _ => return Value::Unknown,
        };
        if schema.as_ref().is_some_and(|schema| *schema == "pg_catalog" || *schema == "information_schema") {
            return Value::Unknown;
        }
        let name = ObjectName { schema, name, span: Span::new(FileId(0), 0, 0) };
        match self.schema.find_relation(&name, self.session) {
            Some(found) if self.schema.is_doubtful(found) => Value::Unknown,
            Some(found) => Value::Text(oid(found)),
            None if self.knows_all() && !self.schema.is_doubtful_name(name.name.as_str()) => Value::Null,
            None => Value::Unknown,
        }
    }
}

/// What stands for the oid of a relation.
pub(super) fn oid(relation: &Relation) -> String {
    oid_of(&relation.name)
}

/// What stands for the oid of an object with such a name.
pub(super) fn oid_of(name: &QualifiedName) -> String {
    format!("oid of {name}")
}

fn part(text: &str) -> Name {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => Name::new(&quoted.replace("\"\"", "\"")),
        None => Name::folded(text),
    }
}

pub(super) fn of(expression: &Expr, world: &World, rows: &[Row]) -> Value {
    match expression {
        Expr::Nested(inner) => of(inner, world, rows),
        Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => Value::Text(text.clone()),
            ast::Value::Number(number, _) => Value::Text(number.to_string()),
            ast::Value::Boolean(boolean) => Value::Text(boolean.to_string()),
            ast::Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        Expr::Identifier(name) => column(None, name, world, rows),
        Expr::CompoundIdentifier(path) => match &path[..] {
            [table, name] => column(Some(table), name, world, rows),
            [_, table, name] => column(Some(table), name, world, rows),
            _ => Value::Unknown,
        },
        Expr::Cast { expr, data_type, .. } => {
            let inner = of(expr, world, rows);
            cast(inner, &data_type.to_string().to_ascii_lowercase(), world)
        }
        Expr::Function(function) => call(function, world, rows),
        _ => Value::Unknown,
    }
}

fn cast(value: Value, to: &str, world: &World) -> Value {
    match (value, to.trim_start_matches("pg_catalog.")) {
        (Value::Text(text), "regclass") if !text.starts_with("oid of ") => match world.relation(&text) {
            // The cast of a name that is not there fails.
            Value::Null => Value::Unknown,
            found => found,
        },
        (Value::Text(text), "regnamespace") => Value::Text(oid_of(&QualifiedName::new("schema", part(&text)))),
        (Value::Text(text), "regtype") => {
            let parts: Vec<Name> = text.split('.').map(part).collect();
            let (schema, name) = match &parts[..] {
                [name] => (None, name.clone()),
                [schema, name] => (Some(schema.clone()), name.clone()),
                _ => return Value::Unknown,
            };
            let found = world.schema.find_type(&schema, &name, world.session);
            found.map_or(Value::Unknown, |found| Value::Text(oid_of(&found.name)))
        }
        (value, "text" | "name" | "varchar" | "regclass" | "oid" | "character varying") => value,
        (Value::Null, _) => Value::Null,
        _ => Value::Unknown,
    }
}

fn call(function: &ast::Function, world: &World, rows: &[Row]) -> Value {
    let arguments: Vec<&Expr> = match &function.args {
        ast::FunctionArguments::List(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expression)) => Some(expression),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let name = function.name.to_string().to_ascii_lowercase();
    match (name.trim_start_matches("pg_catalog."), &arguments[..]) {
        ("to_regclass", [name]) => match of(name, world, rows) {
            Value::Text(text) => world.relation(&text),
            other => other,
        },
        ("current_schema", []) => Value::Text(world.schema.creation_schema(world.session).as_str().to_owned()),
        ("lower", [inner]) => match of(inner, world, rows) {
            Value::Text(text) => Value::Text(text.to_lowercase()),
            other => other,
        },
        _ => Value::Unknown,
    }
}

fn column(table: Option<&ast::Ident>, name: &ast::Ident, world: &World, rows: &[Row]) -> Value {
    let name = name.value.to_ascii_lowercase();
    if table.is_none() && name == "current_schema" {
        return Value::Text(world.schema.creation_schema(world.session).as_str().to_owned());
    }
    // The innermost table is searched first.
    let of_table = |row: &&Row| table.is_none_or(|table| row.table.eq_ignore_ascii_case(&table.value));
    let found = rows.iter().rev().filter(of_table).find_map(|row| row.columns.get(name.as_str()));
    found.cloned().unwrap_or(Value::Unknown)
}
