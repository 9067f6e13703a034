//! The catalog as DDL text, much as pg_dump writes it, in an order in which a server takes it.
//!
//! In: a [`Catalog`]. Out: SQL. Every name has its schema. What several statements would say is said in the CREATE where that is
//! possible, so that a reader, and a finding, see a table as one would write it.

mod order;
mod parts;
mod privileges;
mod tables;
mod types;

use std::collections::HashMap;
use std::fmt::Write;

use super::catalog::{Catalog, Node, Oid};
use crate::change::Name;
use crate::text::quoting::literal;

/// The DDL of a catalog. `title` is a line about where it comes from.
pub(super) fn write(catalog: &Catalog, title: &str) -> String {
    let identities = catalog.sequences.iter().filter_map(|(oid, sequence)| match sequence.owner {
        Some((table, column, true)) => Some(((table, column), *oid)),
        _ => None,
    });
    let mut writer = Writer { catalog, text: String::new(), identities: identities.collect() };
    writer.line(&format!("-- {}", title.replace(['\n', '\r'], " ")));
    writer.line("");
    writer.statement("SET check_function_bodies = off");
    writer.statement("SET search_path = pg_catalog");
    writer.schemas();
    writer.others(true);
    for node in order::in_order(catalog) {
        match node {
            Node::Type(oid) => writer.data_type(oid),
            Node::Relation(oid) => writer.relation(oid),
            Node::Routine(oid) => writer.routine(oid),
        }
    }
    writer.owned_sequences();
    writer.indexes(true);
    writer.attachments();
    writer.indexes(false);
    writer.late_constraints();
    writer.table_settings();
    writer.rules_and_triggers();
    writer.policies();
    writer.statistics();
    writer.others(false);
    writer.owners_and_privileges();
    writer.comments();
    writer.text
}

struct Writer<'c> {
    catalog: &'c Catalog,
    text: String,
    /// The sequences of identity columns.
    identities: HashMap<(Oid, i16), Oid>,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn statement(&mut self, statement: &str) {
        self.text.push_str(statement.trim_end().trim_end_matches(';'));
        self.text.push_str(";\n");
    }

    /// Relations of some kinds, by name.
    fn relations(&self, kinds: &str) -> Vec<Oid> {
        let of_kind = self.catalog.relations.iter().filter(|(_, relation)| kinds.contains(relation.kind));
        let mut found: Vec<_> = of_kind.collect();
        found.sort_by(|(_, one), (_, other)| order::by_name(&one.identity, &other.identity));
        found.into_iter().map(|(oid, _)| *oid).collect()
    }

    /// The printed name; empty for what is not there.
    fn name(&self, relation: Oid) -> String {
        self.catalog.printed(relation).unwrap_or_default()
    }

    fn schemas(&mut self) {
        if !self.catalog.schemas.iter().any(|schema| &*schema.name == "public") {
            self.statement("DROP SCHEMA public");
        }
        for schema in self.catalog.schemas.iter().filter(|schema| &*schema.name != "public") {
            self.statement(&format!("CREATE SCHEMA {}", quoted(&schema.name)));
        }
        for extension in &self.catalog.extensions {
            let (name, schema) = (quoted(&extension.name), quoted(&extension.schema));
            // One that lives in a schema of its own making names it itself.
            let of_user = self.catalog.schemas.iter().any(|it| it.name == extension.schema);
            let place = if of_user { format!(" WITH SCHEMA {schema}") } else { String::new() };
            self.statement(&format!("CREATE EXTENSION IF NOT EXISTS {name}{place}"));
        }
    }

    fn others(&mut self, early: bool) {
        for other in self.catalog.others.iter().filter(|other| other.early == early) {
            self.statement(&other.statement);
        }
    }
}

/// An identifier, quoted where it has to be.
fn quoted(name: &str) -> String {
    Name::new(name).to_string()
}

/// Adds `, ` between elements.
fn comma(text: &mut String, first: &mut bool, separator: &str) {
    if !std::mem::take(first) {
        text.push_str(separator);
    }
}

/// `WITH (a='b')` from `a=b`.
fn options(options: &[String]) -> String {
    let mut text = String::new();
    let mut first = true;
    for option in options {
        comma(&mut text, &mut first, ", ");
        match option.split_once('=') {
            Some((name, value)) => _ = write!(text, "{name}={}", literal(value)),
            None => text.push_str(option),
        }
    }
    text
}
