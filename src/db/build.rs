//! DDL of a database into a [`Schema`], by the reader and the model that migrations go through.

use crate::change::{Change, QualifiedName};
use crate::facts::{Facts, Topic, Unread};
use crate::schema::{self, Schema, Session};
use crate::sql::{FileId, SourceFile, Statement, read_script};
use crate::version::PgVersion;

use super::Places;
use super::catalog::Catalog;

/// What the DDL makes.
pub(super) struct Built {
    pub schema: Schema,
    pub places: Places,
    /// What the reader or the model could not take.
    pub unread: Vec<Unread>,
}

/// Reads and applies the DDL. `facts` tells which indexes are invalid, which DDL cannot say.
pub(super) fn build(file: FileId, source: &SourceFile, version: PgVersion, facts: &Facts) -> Built {
    let script = read_script(file, source);
    let mut schema = Schema::new(true);
    let mut session = Session::default();
    let mut places = Places::default();
    let (mut unreadable, mut refused) = (Vec::new(), Vec::new());
    for statement in &script.statements {
        match &statement.change {
            Ok(Change::Set(set)) => session.set(set),
            Ok(change) => {
                places.note(change);
                let applied = schema::apply(&mut schema, change, &session, version);
                refused.extend(applied.problems.into_iter().map(|problem| problem.message));
            }
            Err(error) => unreadable.push(format!("{}: {error}", first_line(statement, source))),
        }
    }
    for name in facts.indexes.iter().filter(|(_, index)| !index.valid).map(|(name, _)| name) {
        schema.mark_invalid_index(name);
    }
    schema.complete = unreadable.is_empty() && !facts.is_unread(Topic::Definitions);
    Built { schema, places, unread: unread(unreadable, refused) }
}

/// What the server prints for every index.
pub(super) fn index_definitions(catalog: &Catalog) -> Vec<(QualifiedName, String)> {
    let mut all = Vec::new();
    for (table, indexes) in &catalog.indexes {
        let Some(relation) = catalog.relations.get(table) else { continue };
        let schema = &*relation.identity.schema;
        all.extend(indexes.iter().map(|it| (QualifiedName::new(schema, &*it.name), it.definition.to_string())));
    }
    all
}

fn unread(unreadable: Vec<String>, refused: Vec<String>) -> Vec<Unread> {
    let one = |fact: String, reason: &str, mut objects: Vec<String>| {
        objects.truncate(100);
        Unread {
            topic: Topic::Definitions,
            fact,
            reason: reason.to_owned(),
            unchecked: "the schema lacks them: nothing is said of them, and what needs them may be misjudged".to_owned(),
            objects,
        }
    };
    let mut all = Vec::new();
    if !unreadable.is_empty() {
        let fact = format!("{} definitions", unreadable.len());
        all.push(one(fact, "pgassay's reader does not know their form", unreadable));
    }
    if !refused.is_empty() {
        let fact = format!("{} definitions in part", refused.len());
        all.push(one(fact, "pgassay's model of the schema refuses them", refused));
    }
    all
}

/// For messages: the beginning of a statement.
fn first_line(statement: &Statement, source: &SourceFile) -> String {
    let text = source.slice(statement.span);
    text.lines().next().unwrap_or_default().chars().take(80).collect()
}

impl Places {
    fn note(&mut self, change: &Change) {
        let qualified = |name: &crate::change::ObjectName| {
            name.schema.clone().map(|schema| QualifiedName { schema, name: name.name.clone() })
        };
        match change {
            Change::CreateTable(create) => {
                let Some(table) = qualified(&create.name) else { return };
                for column in &create.columns {
                    self.put_column(table.clone(), column.name.name.clone(), column.name.span);
                }
                self.put_relation(table, create.name.span);
            }
            Change::CreateView(create) => {
                if let Some(name) = qualified(&create.name) {
                    self.put_relation(name, create.name.span);
                }
            }
            Change::CreateMaterializedView(create) => {
                if let Some(name) = qualified(&create.name) {
                    self.put_relation(name, create.name.span);
                }
            }
            Change::CreateSequence(create) => {
                if let Some(name) = qualified(&create.name) {
                    self.put_relation(name, create.name.span);
                }
            }
            Change::CreateIndex(create) => {
                if let (Some(name), Some(schema)) = (&create.name, &create.table.schema) {
                    let place = name.span;
                    self.put_relation(QualifiedName { schema: schema.clone(), name: name.name.clone() }, place);
                }
            }
            Change::CreateRoutine(create) => {
                if let Some(name) = qualified(&create.name) {
                    self.put_routine(name, create.name.span);
                }
            }
            _ => {}
        }
    }
}
