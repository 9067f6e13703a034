//! New constraints on tables that are in use.

use super::column::{list, not_null};
use super::index;
use super::table::{Table, print_relation};
use super::window;
use crate::change::{
    AlterTable, AlterTableActionKind, Constraint, ConstraintKind, ForeignKey, Ident, Key, Name, StorageOption,
};
use crate::finding::{Advice, FixStep};
use crate::schema::Relation;

const BUILD_FIRST: &str = "Build the index concurrently first; the constraint takes it over in an instant.";
const ON_EACH_PARTITION: &str = "Before PostgreSQL 18 a partitioned table takes no foreign key NOT VALID: add and validate it on every one of its partitions, whose constraints the parent's takes over without reading them.";
const NOT_VALID_FIRST: &str = "Add it NOT VALID, which checks new rows only and reads nothing, and validate it in a later transaction, while reads and writes go on.";

pub(super) fn add(table: &Table, alter: &AlterTable, added: &Constraint) -> Advice {
    add_knowing(table, alter, added, None)
}

/// `required` is a new column that is NOT NULL already.
pub(super) fn add_knowing(table: &Table, alter: &AlterTable, added: &Constraint, required: Option<&Name>) -> Advice {
    let name = table.constraint_name(alter, added);
    match &added.kind {
        ConstraintKind::Check(expression) => {
            let inherit = if added.no_inherit { " NO INHERIT" } else { "" };
            two_steps(&table.name, &name, &format!("CHECK ({})", expression.text), inherit)
        }
        ConstraintKind::NotNull(column) => Advice::steps("", not_null(table, &column.name, Some(&name))),
        ConstraintKind::ForeignKey(key) => {
            let written = foreign_key_text(table, added, key);
            if table.is_partitioned() && !table.version.at_least(18) {
                return on_each_partition(table, &name, &written, deferral(added));
            }
            two_steps(&table.name, &name, &written, deferral(added))
        }
        ConstraintKind::Unique(key) => unique(table, &name, added, key, Vec::new()),
        ConstraintKind::PrimaryKey(key) => {
            unique(table, &name, added, key, proofs(table, key, &required_by(alter, required)))
        }
        ConstraintKind::UsingIndex { index, .. } => using_index(table, alter, added, index),
        ConstraintKind::Exclude { .. } => Advice::text(
            "An exclusion constraint cannot be built while others write, nor added NOT VALID: plan a maintenance window, or enforce it on a new table that takes over.",
        ),
    }
}

/// Add without a scan, validate while others work.
pub(super) fn two_steps(table: &str, constraint: &Name, definition: &str, words: &str) -> Advice {
    Advice::steps(
        NOT_VALID_FIRST,
        vec![
            FixStep::own(format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}{words} NOT VALID;")),
            FixStep::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};")),
        ],
    )
}

fn deferral(constraint: &Constraint) -> &'static str {
    match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}

/// `FOREIGN KEY (a) REFERENCES t (b) ON DELETE …` without its deferral, also when it was written on a column.
fn foreign_key_text(table: &Table, constraint: &Constraint, key: &ForeignKey) -> String {
    let behind = table.context.text(crate::source::Span { start: key.referenced.span.end, ..constraint.span });
    let end = ["DEFERRABLE", "NOT DEFERRABLE", "INITIALLY", "NOT VALID", "ENFORCED"]
        .iter()
        .filter_map(|word| keyword(behind, word))
        .min()
        .unwrap_or(behind.len());
    let referenced = print_relation(&table.context, &key.referenced);
    let rest = behind[..end].trim();
    let space = if rest.is_empty() { "" } else { " " };
    format!("FOREIGN KEY ({}) REFERENCES {referenced}{space}{rest}", list(&key.columns))
}

/// Where words stand outside quotes.
fn keyword(text: &str, words: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), closing) if open == closing => quote = None,
            (None, _) if text[at..].get(..words.len()).is_some_and(|found| found.eq_ignore_ascii_case(words)) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// The partitions that hold rows, at any depth.
fn leaves<'r>(table: &Table<'r>) -> Vec<&'r Relation> {
    let Some(relation) = table.relation else { return Vec::new() };
    let below = table.schema().children_closure(relation.id);
    below.iter().filter_map(|id| table.context.relation(Some(*id))).filter(|part| part.has_storage()).collect()
}

/// Before 18 a partitioned table takes no foreign key NOT VALID; its partitions do, and the parent's then needs no scan of them.
fn on_each_partition(table: &Table, constraint: &Name, definition: &str, words: &str) -> Advice {
    let leaves = leaves(table);
    let mut steps: Vec<FixStep> = Vec::new();
    for leaf in &leaves {
        steps.extend(two_steps(&leaf.name.to_string(), constraint, definition, words).steps);
    }
    steps.push(FixStep::own(format!("ALTER TABLE {} ADD CONSTRAINT {constraint} {definition}{words};", table.name)));
    Advice::steps(
        format!(
            "Before PostgreSQL 18 a partitioned table takes no foreign key NOT VALID. Add and validate it on every one of its {} partitions; the parent's \
             constraint then takes theirs over without reading them.",
            leaves.len()
        ),
        steps,
    )
}

fn unique(table: &Table, constraint: &Name, added: &Constraint, key: &Key, proofs: Vec<FixStep>) -> Advice {
    if key.without_overlaps {
        return window();
    }
    let kind = if matches!(added.kind, ConstraintKind::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" };
    let columns: Vec<&Name> = key.columns.iter().map(|column| &column.name).collect();
    if table.relation.is_some_and(|relation| !index::holds_partition_key(relation, &columns)) {
        return Advice::text(index::NO_UNIQUE);
    }
    if table.is_partitioned() {
        return unique_on_partitions(table, constraint, added, key, kind, proofs);
    }
    let mut steps = vec![FixStep::none(unique_index(constraint, &table.name, key))];
    steps.extend(proofs);
    steps.push(take_over(&table.name, constraint, kind, added));
    Advice::steps(BUILD_FIRST, steps)
}

/// A constraint that takes the place of what the same statement drops.
pub(super) struct Parts {
    /// Steps that can run while the old one is there.
    pub before: Vec<FixStep>,
    /// The action that puts it in place in an instant.
    pub action: Option<String>,
    /// The statements that give it its name, once the old one is gone.
    pub renames: Vec<String>,
    pub after: Vec<FixStep>,
    pub text: &'static str,
}

/// `beside_old`: what it is about is there before the old one goes.
pub(super) fn parts(table: &Table, alter: &AlterTable, added: &Constraint, beside_old: bool) -> Option<Parts> {
    let name = table.constraint_name(alter, added);
    let later = |definition: String| Parts {
        before: Vec::new(),
        action: Some(format!("ADD CONSTRAINT {name} {definition} NOT VALID")),
        renames: Vec::new(),
        after: vec![FixStep::own(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name};", table.name))],
        text: NOT_VALID_FIRST,
    };
    match &added.kind {
        ConstraintKind::Check(expression) => {
            let (definition, words) =
                (format!("CHECK ({})", expression.text), if added.no_inherit { " NO INHERIT" } else { "" });
            Some(match beside_old {
                true => proved_first(table, &name, &definition, words),
                false => later(format!("{definition}{words}")),
            })
        }
        ConstraintKind::NotNull(column) if table.version.at_least(18) => Some(later(format!("NOT NULL {column}"))),
        ConstraintKind::ForeignKey(key) if table.is_partitioned() && !table.version.at_least(18) => {
            Some(proved_on_partitions(table, &name, &foreign_key_text(table, added, key), deferral(added)))
        }
        ConstraintKind::ForeignKey(key) => {
            let definition = foreign_key_text(table, added, key);
            Some(match beside_old && !table.is_partitioned() {
                true => proved_first(table, &name, &definition, deferral(added)),
                // To rename a foreign key of a partitioned table leaves those of its partitions.
                false => later(format!("{definition}{}", deferral(added))),
            })
        }
        ConstraintKind::Unique(key) => beside(table, &name, added, key, Vec::new()),
        ConstraintKind::PrimaryKey(key) => {
            beside(table, &name, added, key, proofs(table, key, &required_by(alter, None)))
        }
        _ => None,
    }
}

/// Proved while the old one is there: rows that fail it leave the old one in force.
fn proved_first(table: &Table, name: &Name, definition: &str, words: &str) -> Parts {
    let own = beside_old_name(table.relation, name);
    let rename = (own != *name).then(|| format!("ALTER TABLE {} RENAME CONSTRAINT {own} TO {name};", table.name));
    let before = two_steps(&table.name, &own, definition, words).steps;
    Parts { before, action: None, renames: rename.into_iter().collect(), after: Vec::new(), text: NOT_VALID_FIRST }
}

/// A name for a constraint that takes the place of one which may have it.
fn beside_old_name(relation: Option<&Relation>, name: &Name) -> Name {
    let taken = |name: &Name| relation.is_some_and(|relation| relation.constraint(name).is_some());
    let mut own = name.clone();
    let mut number = 0;
    while taken(&own) && number < 1000 {
        let word = if number == 0 { "new".to_owned() } else { format!("new{number}") };
        own = crate::schema::make_object_name(name.as_str(), None, &word);
        number += 1;
    }
    own
}

/// Proved on every partition while the old one is there; the parent's takes theirs over without reading a row.
fn proved_on_partitions(table: &Table, name: &Name, definition: &str, words: &str) -> Parts {
    let (mut before, mut renames) = (Vec::new(), Vec::new());
    for leaf in leaves(table) {
        let own = beside_old_name(Some(leaf), name);
        before.extend(two_steps(&leaf.name.to_string(), &own, definition, words).steps);
        if own != *name {
            renames.push(format!("ALTER TABLE {} RENAME CONSTRAINT {own} TO {name};", leaf.name));
        }
    }
    let action = Some(format!("ADD CONSTRAINT {name} {definition}{words}"));
    Parts { before, action, renames, after: Vec::new(), text: ON_EACH_PARTITION }
}

/// A key's index, built while the old key is there; it takes the constraint's name with its place.
fn beside(table: &Table, name: &Name, added: &Constraint, key: &Key, proofs: Vec<FixStep>) -> Option<Parts> {
    if table.is_partitioned() || key.without_overlaps {
        return None;
    }
    let kind = if matches!(added.kind, ConstraintKind::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" };
    let index = table.free_relation(name);
    let mut before = vec![FixStep::none(unique_index(&index, &table.name, key))];
    before.extend(proofs);
    let action = Some(format!("ADD CONSTRAINT {name} {kind} USING INDEX {index}{}", deferral(added)));
    Some(Parts { before, action, renames: Vec::new(), after: Vec::new(), text: BUILD_FIRST })
}

/// Columns that are NOT NULL by the time that a key is made of them: the server sets NOT NULL in an earlier pass of the same command.
fn required_by<'a>(alter: &'a AlterTable, new: Option<&'a Name>) -> Vec<&'a Name> {
    let set = alter.actions.iter().filter_map(|action| match &action.kind {
        AlterTableActionKind::SetNotNull { column } => Some(&column.name),
        _ => None,
    });
    set.chain(new).collect()
}

/// NOT NULL for the columns of a primary key.
fn proofs(table: &Table, key: &Key, required: &[&Name]) -> Vec<FixStep> {
    let open = key.columns.iter().filter(|column| !required.contains(&&column.name));
    let open = open.filter(|column| table.column(&column.name).is_none_or(|found| !found.not_null.enforced()));
    open.flat_map(|column| not_null(table, &column.name, None)).collect()
}

fn take_over(table: &str, constraint: &Name, kind: &str, added: &Constraint) -> FixStep {
    FixStep::own(format!(
        "ALTER TABLE {table} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint}{};",
        deferral(added)
    ))
}

fn unique_index(index: &Name, table: &str, key: &Key) -> String {
    format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({}){};", list(&key.columns), key_words(key))
}

/// What stands behind the columns of an index.
fn key_words(key: &Key) -> String {
    let include = if key.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", list(&key.include)) };
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let tablespace = key.tablespace.as_ref().map(|name| format!(" TABLESPACE {name}")).unwrap_or_default();
    format!("{include}{nulls}{}{tablespace}", storage(&key.storage))
}

/// ` WITH (fillfactor = 70)`.
pub(super) fn storage(options: &[StorageOption]) -> String {
    let one = |option: &StorageOption| match &option.value {
        Some(value) => format!("{} = {value}", option.name),
        None => option.name.to_string(),
    };
    match options {
        [] => String::new(),
        some => format!(" WITH ({})", some.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// A partitioned table takes no index over, but the constraints of its partitions.
fn unique_on_partitions(
    table: &Table,
    constraint: &Name,
    added: &Constraint,
    key: &Key,
    kind: &str,
    proofs: Vec<FixStep>,
) -> Advice {
    let mut steps = proofs;
    let after = super::table::schema_after(&table.context);
    for leaf in leaves(table) {
        let made = after.relation(leaf.id).and_then(|found| {
            let new =
                found.constraints.iter().find(|it| it.kind.index().is_some() && leaf.constraint(&it.name).is_none());
            new.map(|it| it.name.clone())
        });
        let own = made.unwrap_or_else(|| {
            crate::schema::make_object_name(leaf.name.name.as_str(), Some(constraint.as_str()), "key")
        });
        steps.push(FixStep::none(unique_index(&own, &leaf.name.to_string(), key)));
        steps.push(take_over(&leaf.name.to_string(), &own, kind, added));
    }
    let (columns, words) = (list(&key.columns), key_words(key).replace(" NULLS NOT DISTINCT", ""));
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    steps.push(FixStep::own(format!(
        "ALTER TABLE {} ADD CONSTRAINT {constraint} {kind}{nulls} ({columns}){words}{};",
        table.name,
        deferral(added)
    )));
    Advice::steps(
        "Build the index of every partition concurrently and make it the partition's constraint; the parent's constraint then takes them over and builds nothing.",
        steps,
    )
}

/// PRIMARY KEY USING INDEX reads the table for NULLs unless they are ruled out.
fn using_index(table: &Table, alter: &AlterTable, added: &Constraint, index: &Ident) -> Advice {
    let found = table.relation.into_iter().flat_map(|relation| table.schema().indexes_of(relation.id));
    let found = found.into_iter().find(|it| it.name.name == index.name).and_then(|it| it.as_index());
    let (Some(found), Some(relation)) = (found, table.relation) else {
        return Advice::text(
            "A primary key needs NOT NULL columns: prove them first with validated CHECKs, so that the table is not read under this lock.",
        );
    };
    let columns = found.columns.iter().flatten().filter_map(|id| relation.column_by_id(*id));
    let mut steps: Vec<FixStep> = Vec::new();
    for column in columns.filter(|column| !column.not_null.enforced()) {
        steps.extend(not_null(table, &column.name, None));
    }
    let name = if added.name.is_some() {
        format!("CONSTRAINT {} ", table.constraint_name(alter, added))
    } else {
        String::new()
    };
    steps.push(FixStep::own(format!(
        "ALTER TABLE {} ADD {name}PRIMARY KEY USING INDEX {index}{};",
        table.name,
        deferral(added)
    )));
    Advice::steps(
        "A primary key needs NOT NULL columns: prove them first, so that the table is not read under this lock.",
        steps,
    )
}
