//! DDL of a database into a [`Schema`], by the reader and the model that migrations go through.

use std::sync::Arc;

use imbl::ordmap::DiffItem;

use crate::apply::apply;
use crate::change::{Change, Name, QualifiedName, Statement};
use crate::facts::{Facts, Topic, Unread};
use crate::history::{Before, Places};
use crate::schema::{Relation, RelationId, Schema, Session, Shared};
use crate::source::{FileId, SourceFile};
use crate::sql::read_in_lots;
use crate::stack::with_stack;
use crate::version::PgVersion;

use super::catalog::{Catalog, Constraint};

/// What the DDL makes.
pub(super) struct Built {
    pub schema: Schema,
    pub places: Places,
    /// What the reader or the model could not take.
    pub unread: Vec<Unread>,
}

/// Reads and applies the DDL.
pub(super) fn build(file: FileId, source: &SourceFile, version: PgVersion) -> Built {
    let mut schema = Schema::new(true);
    let mut session = Session::default();
    let mut places = Places::default();
    let (mut unreadable, mut refused) = (Vec::new(), Vec::new());
    let mut shared = Shared::default();
    let mut apply = |schema: &mut Schema, statement: &Statement| match &statement.change {
        Ok(Change::Set(set)) => session.set(set),
        Ok(change) => {
            let before = Before::of(schema, change, &session);
            let applied = apply(schema, change, &session, version);
            places.record_since(&before, schema, change, statement.span);
            refused.extend(applied.problems.into_iter().map(|problem| problem.message));
        }
        Err(error) => unreadable.push(format!("{}: {error}", first_line(statement, source))),
    };
    // The deepest expressions need more stack than a thread has, to be dropped too.
    read_in_lots(file, source, |lot| {
        let before = schema.relations.clone();
        with_stack(|| lot.into_iter().for_each(|statement| apply(&mut schema, &statement)));
        let changed: Vec<RelationId> = before.diff(&schema.relations).filter_map(made_or_changed).collect();
        drop(before);
        shared.relations(&mut schema, changed);
    });
    schema.complete = unreadable.is_empty();
    Built { schema, places, unread: unread(unreadable, refused) }
}

impl Built {
    /// Adds what DDL cannot say: which indexes are invalid, and that definitions are missing.
    pub fn complete_by(&mut self, facts: &Facts) {
        facts.invalid_indexes().for_each(|name| self.schema.mark_invalid_index(name));
        self.schema.complete &= !facts.is_unread(Topic::Definitions);
    }
}

fn made_or_changed(item: DiffItem<'_, '_, RelationId, Arc<Relation>>) -> Option<RelationId> {
    match item {
        DiffItem::Add(id, _) | DiffItem::Update { new: (id, _), .. } => Some(*id),
        DiffItem::Remove(..) => None,
    }
}

/// What the server prints for every index.
pub(super) fn index_definitions(catalog: &Catalog) -> Vec<(QualifiedName, String)> {
    let mut all = Vec::new();
    for (table_oid, indexes) in &catalog.indexes {
        let Some(relation) = catalog.relations.get(table_oid) else { continue };
        let table = QualifiedName::new(&*relation.identity.schema, &*relation.identity.name);
        let constraints = catalog.constraints.get(table_oid).map(Vec::as_slice).unwrap_or_default();
        for index in indexes {
            let of_constraint =
                || constraints.iter().find(|it| it.name == index.name).and_then(|it| key_index(&table, it));
            let printed = (!index.definition.is_empty()).then(|| index.definition.to_string());
            let definition = printed.or_else(of_constraint).unwrap_or_default();
            all.push((QualifiedName { schema: table.schema.clone(), name: Name::new(&index.name) }, definition));
        }
    }
    all
}

/// The index of a primary key or unique constraint as `pg_get_indexdef` prints it: it has the default order, operator classes and
/// collations (ALTER TABLE in the manual, "ADD table_constraint_using_index"). Printing it on the server costs most of what reading
/// a large catalog does.
fn key_index(table: &QualifiedName, constraint: &Constraint) -> Option<String> {
    let text = constraint.definition.strip_prefix("PRIMARY KEY ").or(constraint.definition.strip_prefix("UNIQUE "))?;
    let text = text.strip_suffix(" INITIALLY DEFERRED").unwrap_or(text);
    let text = text.strip_suffix(" DEFERRABLE").unwrap_or(text);
    let (columns, nulls) = match text.strip_prefix("NULLS NOT DISTINCT ") {
        Some(columns) => (columns, " NULLS NOT DISTINCT"),
        None => (text, ""),
    };
    let name = Name::new(&constraint.name);
    Some(format!("CREATE UNIQUE INDEX {name} ON {table} USING btree {columns}{nulls}"))
}

fn unread(unreadable: Vec<String>, refused: Vec<String>) -> Vec<Unread> {
    let one = |fact: String, reason: &str, mut objects: Vec<String>| {
        objects.truncate(100);
        Unread {
            topic: Topic::Definitions,
            fact,
            reason: reason.to_owned(),
            unchecked: "the schema lacks them: nothing is said of them, and what needs them may be misjudged"
                .to_owned(),
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
