//! What hangs on a column besides its type: it goes with the column that takes its place, or the advice says that it does not.

use super::table::Table;
use crate::change::{Name, ReplicaIdentity};
use crate::schema::{Column, ColumnId, Publication, Relation, RelationId, Sequence};
use crate::text::quoting::literal;

/// The old column, and the table that it is on.
pub(super) struct Carried<'a> {
    pub table: &'a Table<'a>,
    pub relation: &'a Relation,
    pub old: &'a Column,
    /// What the column that takes its place is called in the end.
    pub name: &'a Name,
}

impl Carried<'_> {
    /// What no step can carry over.
    pub fn obstacle(&self) -> Option<String> {
        let statistics = self.statistics().find(|(_, it)| it.expressions).map(|(name, _)| name);
        statistics.map(|name| format!("the statistics object {name} has expressions"))
    }

    /// What the steps cannot see to.
    pub fn remarks(&self, new: &Name) -> String {
        let publications = &self.table.schema().publications;
        let whole = |publication: &Publication| {
            let part = publication.parts.iter().find(|part| part.table == self.relation.id);
            self.table.schema().publishes(publication, self.relation) && part.is_none_or(|part| part.columns.is_empty())
        };
        let unproved =
            self.relation.constraints.iter().find(|it| {
                matches!(it.kind, crate::schema::ConstraintKind::Check { .. }) && !it.validated && it.enforced
            });
        let unproved = unproved.map_or_else(String::new, |it| {
            format!(
                " {} is not validated: the server refuses to write a row that breaks it, so settle such rows before the batches.",
                it.name
            )
        });
        match publications.iter().find(|(_, publication)| whole(publication)) {
            Some((name, _)) => {
                unproved
                    + &format!(
                        " The publication {name} sends every column of the table: make {new} on the subscribers first, and swap there too, or replication stops."
                    )
            }
            None => unproved,
        }
    }

    /// Statements after the new column has the old one's name, and its indexes and constraints have theirs.
    pub fn after_rename(&self) -> Vec<String> {
        let Carried { table, old, .. } = self;
        let name = &table.name;
        let mut found: Vec<String> = self.settings();
        if let Some(comment) = &old.comment {
            found.push(format!("COMMENT ON COLUMN {name}.{} IS {};", self.name, literal(comment)));
        }
        found.extend(self.grants());
        for (statistics, it) in self.statistics() {
            let kinds: Vec<&str> = it.kinds.iter().map(Name::as_str).collect();
            let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            found.push(format!("CREATE STATISTICS {statistics}{kinds} ON {} FROM {name};", self.names(&it.columns)));
        }
        found
    }

    /// GRANT of what was granted on the column.
    pub fn grants(&self) -> Vec<String> {
        let Carried { table, relation, old, .. } = self;
        let grants = relation.privileges.iter().filter(|it| it.column == Some(old.id)).map(|it| {
            format!(
                "GRANT {} ({}) ON {} TO {}{};",
                it.privilege.as_str().to_uppercase(),
                self.name,
                table.name,
                grantee(&it.grantee),
                with_option(it)
            )
        });
        grants.collect()
    }

    pub fn has_statistics(&self) -> bool {
        self.statistics().next().is_some()
    }

    /// Statements after the new index has the old one's name.
    pub fn of_index(&self, like: &Relation) -> Vec<String> {
        let Carried { table, relation, .. } = self;
        let (name, index) = (&table.name, &like.name.name);
        let mut found = Vec::new();
        if matches!(&relation.replica_identity, ReplicaIdentity::UsingIndex(it) if it.name == *index) {
            found.push(format!("ALTER TABLE {name} REPLICA IDENTITY USING INDEX {index};"));
        }
        if relation.clustered_on == Some(like.id) {
            found.push(format!("ALTER TABLE {name} CLUSTER ON {index};"));
        }
        if let Some(comment) = &like.comment {
            found.push(format!("COMMENT ON INDEX {} IS {};", table.beside(index), literal(comment)));
        }
        found
    }

    pub fn of_constraint(&self, constraint: &crate::schema::Constraint) -> Option<String> {
        let comment = constraint.comment.as_ref()?;
        Some(format!("COMMENT ON CONSTRAINT {} ON {} IS {};", constraint.name, self.table.name, literal(comment)))
    }

    fn settings(&self) -> Vec<String> {
        let Carried { table, old, .. } = self;
        let alter = |what: String| format!("ALTER TABLE {} ALTER COLUMN {} {what};", table.name, self.name);
        let options: Vec<String> = old
            .options
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name} = {value}"),
                None => name.to_string(),
            })
            .collect();
        let target = old.statistics_target.map(|target| alter(format!("SET STATISTICS {target}")));
        let options = (!options.is_empty()).then(|| alter(format!("SET ({})", options.join(", "))));
        // Another type brings its own storage and compression.
        let renamed = self.name != &old.name;
        let storage = old.storage.as_ref().filter(|_| renamed).map(|it| alter(format!("SET STORAGE {it}")));
        let method = old.compression.as_ref().filter(|_| renamed).map(|it| alter(format!("SET COMPRESSION {it}")));
        target.into_iter().chain(options).chain(storage).chain(method).collect()
    }

    fn statistics(&self) -> impl Iterator<Item = (&crate::change::QualifiedName, &crate::schema::ExtendedStatistics)> {
        let (table, column) = (self.relation.id, self.old.id);
        let all = self.table.schema().statistics.iter();
        all.filter(move |(_, it)| it.table == Some(table) && it.columns.contains(&column))
    }

    fn names(&self, columns: &[ColumnId]) -> String {
        let names = columns.iter().filter_map(|id| self.relation.column_by_id(*id));
        let names = names.map(|it| if it.id == self.old.id { self.name.to_string() } else { it.name.to_string() });
        names.collect::<Vec<_>>().join(", ")
    }
}

fn with_option(privilege: &crate::schema::Privilege) -> &'static str {
    if privilege.grantable.0 { " WITH GRANT OPTION" } else { "" }
}

pub(super) fn grantee(name: &Name) -> String {
    if name.as_str() == "public" { "PUBLIC".to_owned() } else { name.to_string() }
}

/// ` INCREMENT BY 10 CYCLE`: what an identity's sequence was made with, apart from its name and type.
pub(super) fn sequence_options(sequence: &Sequence) -> String {
    let mut words = String::new();
    let mut say = |word: &str, value: Option<i64>| {
        if let Some(value) = value {
            words.push_str(&format!(" {word} {value}"));
        }
    };
    say("INCREMENT BY", Some(sequence.increment).filter(|by| *by != 1));
    say("MINVALUE", sequence.min_value);
    say("MAXVALUE", sequence.max_value);
    say("START WITH", sequence.start);
    say("CACHE", sequence.cache);
    if sequence.cycle {
        words.push_str(" CYCLE");
    }
    words
}

/// GRANT of what was granted on a sequence.
pub(super) fn sequence_grants(table: &Table, sequence: RelationId) -> Vec<String> {
    let Some(sequence) = table.schema().relation(sequence) else { return Vec::new() };
    let grants = sequence.privileges.iter().map(|it| {
        format!(
            "GRANT {} ON SEQUENCE {} TO {}{};",
            it.privilege.as_str().to_uppercase(),
            sequence.name,
            grantee(&it.grantee),
            with_option(it)
        )
    });
    grants.collect()
}
