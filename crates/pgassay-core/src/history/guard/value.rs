//! The values of expressions over rows of the catalog.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr};

use super::catalog::Row;
use crate::change::{Name, ObjectName, QualifiedName};
use crate::expression::{self, Value};
use crate::schema::{Relation, Schema, Session};
use crate::source::{FileId, Span};
use crate::version::PgVersion;
use crate::walk;

/// What the conditions are asked of.
pub(super) struct World<'a> {
    pub schema: &'a Schema,
    pub session: &'a Session,
    pub version: PgVersion,
}

/// The world, and the rows of the catalog that a condition is asked of.
pub(super) struct OnRows<'a> {
    pub world: &'a World<'a>,
    pub rows: &'a [Row],
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

/// `current_setting('server_version_num')`, whatever it is cast to.
pub(super) fn is_server_version(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_server_version(inner),
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_lowercase();
            let ast::FunctionArguments::List(list) = &function.args else { return false };
            let asked = list.args.first().map(ToString::to_string);
            name.trim_start_matches("pg_catalog.") == "current_setting"
                && asked.is_some_and(|asked| asked.eq_ignore_ascii_case("'server_version_num'"))
        }
        _ => false,
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

/// The value of what is no constant. The oid of an object is what stands for it ([`oid`]).
pub(super) fn of(expression: &Expr, on: &OnRows) -> Value {
    match expression {
        Expr::Identifier(name) => column(None, name, on),
        Expr::CompoundIdentifier(path) => match &path[..] {
            [table, name] | [_, table, name] => column(Some(table), name, on),
            _ => Value::Unknown,
        },
        Expr::Cast { expr, data_type, .. } => {
            let to = data_type.to_string().to_ascii_lowercase();
            cast(expression::value(expr, on), to.trim_start_matches("pg_catalog."), on.world)
        }
        Expr::Function(function) => call(function, on),
        _ => Value::Unknown,
    }
}

/// What casts make of names and oids.
fn cast(given: Value, to: &str, world: &World) -> Value {
    match (given, to) {
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
        (oid @ Value::Text(_), "regclass" | "oid") => oid,
        _ => Value::Unknown,
    }
}

fn call(function: &ast::Function, on: &OnRows) -> Value {
    let name = function.name.to_string().to_ascii_lowercase();
    match (name.trim_start_matches("pg_catalog."), &expression::plain_arguments(function)[..]) {
        ("to_regclass", [name]) => match expression::value(name, on) {
            Value::Text(text) => on.world.relation(&text),
            other => other,
        },
        ("current_schema", []) => current_schema(on.world),
        ("lower", [inner]) => match expression::value(inner, on) {
            Value::Text(text) => Value::Text(text.to_lowercase()),
            other => other,
        },
        _ => Value::Unknown,
    }
}

fn current_schema(world: &World) -> Value {
    Value::Text(world.schema.creation_schema(world.session).as_str().to_owned())
}

fn column(table: Option<&ast::Ident>, name: &ast::Ident, on: &OnRows) -> Value {
    let name = name.value.to_ascii_lowercase();
    if table.is_none() && name == "current_schema" {
        return current_schema(on.world);
    }
    // The innermost table is searched first.
    let of_table = |row: &&Row| table.is_none_or(|table| row.table.eq_ignore_ascii_case(&table.value));
    let found = on.rows.iter().rev().filter(of_table).find_map(|row| row.columns.get(name.as_str()));
    found.cloned().unwrap_or(Value::Unknown)
}
