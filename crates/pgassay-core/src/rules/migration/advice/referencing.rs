//! Foreign keys as SQL, and those to a column that another takes the place of: each gets a twin to the new column, proved while others
//! work, which takes its name when the column takes the old one's.

use super::table::Table;
use crate::change::{Name, ReferentialAction};
use crate::finding::FixStep;
use crate::schema::{Column, ColumnId, Constraint, ForeignKey, Relation, make_object_name};
use crate::text::quoting::literal;

/// A column and the name that stands in its place.
pub(super) type Renamed<'a> = (&'a Column, &'a Name);

/// A foreign key to the column.
pub(super) struct Referencing<'a> {
    pub from: &'a Relation,
    constraint: &'a Constraint,
    key: &'a ForeignKey,
}

/// The foreign keys to a column, but those of its own table that hold it on both sides. A partition has its parent's.
pub(super) fn referencing<'a>(table: &Table<'a>, relation: &Relation, column: ColumnId) -> Vec<Referencing<'a>> {
    let tables = relation.referenced_by.iter().filter_map(|id| table.schema().relation(*id));
    let all =
        tables.flat_map(|from| from.foreign_keys().map(|(constraint, key)| Referencing { from, constraint, key }));
    all.filter(|it| {
        let own = it.from.id == relation.id && it.key.columns.contains(&column);
        it.constraint.local && it.key.referenced == relation.id && it.key.referenced_columns.contains(&column) && !own
    })
    .collect()
}

impl Referencing<'_> {
    /// Why it gets no twin.
    pub fn obstacle(&self) -> Option<String> {
        let Referencing { from, constraint, .. } = self;
        if from.is_partitioned() {
            return Some(format!("the partitioned table {} references the column", from.name));
        }
        let is_whole = from.known && self.key.columns.iter().all(|id| from.column_by_id(*id).is_some());
        (!is_whole).then(|| format!("not all of the foreign key {} is known", constraint.name))
    }

    /// The twin, to the new column.
    pub fn add(&self, to: &Relation, renamed: Renamed<'_>) -> Vec<FixStep> {
        let Referencing { from, constraint, key } = self;
        let written = definition(key, from, to, None, Some(renamed));
        add(&from.name.to_string(), &self.twin(), constraint, &written)
    }

    /// What is in the way of dropping the old column.
    pub fn drop(&self) -> String {
        format!("ALTER TABLE {} DROP CONSTRAINT {};", self.from.name, self.constraint.name)
    }

    /// The twin as what the old one was.
    pub fn take_place(&self) -> Vec<String> {
        let Referencing { from, constraint, .. } = self;
        let (table, name) = (&from.name, &constraint.name);
        let mut found = vec![format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {name};", self.twin())];
        let comment = constraint.comment.as_ref();
        found.extend(comment.map(|text| format!("COMMENT ON CONSTRAINT {name} ON {table} IS {};", literal(text))));
        found
    }

    fn twin(&self) -> Name {
        let mut name = make_object_name(self.constraint.name.as_str(), None, "new");
        for number in 1..1000 {
            if self.from.constraint(&name).is_none() {
                break;
            }
            name = make_object_name(self.constraint.name.as_str(), None, &format!("new{number}"));
        }
        name
    }
}

/// A constraint that nothing is read for, and its proof where it had one.
pub(super) fn add(table: &str, name: &Name, like: &Constraint, definition: &str) -> Vec<FixStep> {
    let words = words(like);
    if !like.enforced {
        return vec![FixStep::own(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{words} NOT ENFORCED;"
        ))];
    }
    let mut steps =
        vec![FixStep::own(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{words} NOT VALID;"))];
    if like.validated {
        steps.push(FixStep::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};")));
    }
    steps
}

fn words(constraint: &Constraint) -> &'static str {
    match (constraint.no_inherit, constraint.deferrable, constraint.initially_deferred) {
        (true, _, _) => " NO INHERIT",
        (_, _, true) => " DEFERRABLE INITIALLY DEFERRED",
        (_, true, false) => " DEFERRABLE",
        _ => "",
    }
}

/// A foreign key as SQL, with the words that defer it.
pub fn foreign_key(constraint: &Constraint, key: &ForeignKey, from: &Relation, to: &Relation) -> String {
    format!("{}{}", definition(key, from, to, None, None), words(constraint))
}

/// `FOREIGN KEY (a) REFERENCES t (b) …` with another column on either side.
pub(super) fn definition(
    key: &ForeignKey,
    from: &Relation,
    to: &Relation,
    own: Option<Renamed<'_>>,
    other: Option<Renamed<'_>>,
) -> String {
    let names = |relation: &Relation, ids: &[ColumnId], renamed: Option<Renamed<'_>>| {
        let columns = ids.iter().filter_map(|id| relation.column_by_id(*id));
        let name = |it: &Column| match renamed {
            Some((old, new)) if old.id == it.id => new.to_string(),
            _ => it.name.to_string(),
        };
        columns.map(name).collect::<Vec<_>>().join(", ")
    };
    let referenced = names(to, &key.referenced_columns, other);
    let referenced = if referenced.is_empty() { referenced } else { format!(" ({referenced})") };
    let set = names(from, &key.set_columns, own);
    let set = if set.is_empty() { set } else { format!(" ({set})") };
    format!(
        "FOREIGN KEY ({}) REFERENCES {}{referenced}{}{}{set}{}",
        names(from, &key.columns, own),
        to.name,
        if key.match_full { " MATCH FULL" } else { "" },
        action(" ON DELETE", key.on_delete),
        action(" ON UPDATE", key.on_update)
    )
}

fn action(words: &str, action: ReferentialAction) -> String {
    action.words().map(|action| format!("{words} {action}")).unwrap_or_default()
}
