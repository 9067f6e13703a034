//! The next statement of a history: DDL and DML over what the model says is there, wrong names and wrong types now and then.

mod dependents;
mod expressions;
mod indexes;
mod objects;
mod rows;
mod scripts;
mod tables;

use pgassay::schema::{Relation, Schema};

use super::history::World;
use super::random::Random;

/// What the next statement may name.
pub struct Generator<'a> {
    pub random: &'a mut Random,
    pub schema: &'a Schema,
    pub major: u16,
}

const TYPES: &[&str] = &[
    "int",
    "bigint",
    "smallint",
    "text",
    "varchar(20)",
    "varchar",
    "char(3)",
    "boolean",
    "numeric(10,2)",
    "numeric",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
    "jsonb",
    "json",
    "int[]",
    "text[]",
    "double precision",
    "interval",
    "bytea",
    "inet",
];

const TABLES: &[&str] = &["t1", "t2", "t3", "t4", "t5"];
const COLUMNS: &[&str] = &["a", "b", "c", "d", "e"];

type Statement = fn(&mut Generator) -> String;

/// Each as often as its number says.
const STATEMENTS: &[(usize, Statement)] = &[
    (12, |it| it.create_table()),
    (4, |it| it.create_partitioned()),
    (4, |it| it.create_partition()),
    (14, |it| it.add_column()),
    (6, |it| it.drop_column()),
    (14, |it| it.set_type()),
    (8, |it| it.set_default()),
    (8, |it| it.not_null()),
    (12, |it| it.add_constraint()),
    (5, |it| it.drop_constraint()),
    (3, |it| it.validate()),
    (10, |it| it.create_index()),
    (3, |it| it.drop_index()),
    (4, |it| it.create_view()),
    (2, |it| it.materialized_view()),
    (5, |it| it.create_type()),
    (3, |it| it.alter_type()),
    (4, |it| it.identity()),
    (3, |it| it.generated()),
    (5, |it| it.rename()),
    (5, |it| it.drop_object()),
    (10, |it| it.insert()),
    (8, |it| it.update()),
    (4, |it| it.delete()),
    (3, |it| it.select()),
    (3, |it| it.truncate()),
    (4, |it| it.routine()),
    (4, |it| it.trigger()),
    (3, |it| it.policy()),
    (2, |it| it.sequence()),
    (2, |it| it.publication()),
    (3, |it| it.setting()),
    (3, |it| it.attach()),
    (3, |it| it.several()),
    (2, |it| it.inherit()),
    (2, |it| it.block()),
    (3, |it| it.extension()),
    (2, |it| it.collation()),
    (3, |it| it.calling()),
    (1, |it| it.typed()),
];

/// The next text of a history: one statement, or now and then a transaction of several.
pub fn next(random: &mut Random, world: &World) -> String {
    if random.chance(6) { scripts::transaction(random, world) } else { statement(random, world) }
}

fn statement(random: &mut Random, world: &World) -> String {
    Generator { random, schema: world.schema(), major: world.version.major() }.statement()
}

impl Generator<'_> {
    fn statement(&mut self) -> String {
        let total: usize = STATEMENTS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.random.below(total);
        for (weight, make) in STATEMENTS {
            if at < *weight {
                return make(self);
            }
            at -= weight;
        }
        "SELECT 1".to_owned()
    }

    pub(super) fn tables(&self) -> Vec<&Relation> {
        self.schema.relations.values().filter(|it| it.is_table() && it.known).map(|it| &**it).collect()
    }

    pub(super) fn some_table(&mut self) -> Option<Relation> {
        let tables: Vec<Relation> = self.tables().into_iter().cloned().collect();
        self.random.pick(&tables).cloned()
    }

    /// A table that is there; now and then one that is not.
    pub(super) fn table(&mut self) -> String {
        let wrong = self.random.chance(3);
        match self.some_table().filter(|_| !wrong) {
            Some(table) => table.name.name.to_string(),
            None => self.random.one_of(TABLES).to_owned(),
        }
    }

    pub(super) fn table_and_column(&mut self) -> (String, String) {
        let wrong = self.random.chance(3);
        let Some(table) = self.some_table() else {
            return (self.random.one_of(TABLES).to_owned(), self.random.one_of(COLUMNS).to_owned());
        };
        let column = self.random.pick(&table.columns).filter(|_| !wrong).map(|it| it.name.to_string());
        let column = column.unwrap_or_else(|| self.random.one_of(COLUMNS).to_owned());
        (table.name.name.to_string(), column)
    }

    pub(super) fn column_of(&mut self, table: &Relation) -> String {
        let column = self.random.pick(&table.columns).map(|it| it.name.to_string());
        column.unwrap_or_else(|| self.random.one_of(COLUMNS).to_owned())
    }

    pub(super) fn user_types(&self) -> Vec<String> {
        self.schema.types.values().map(|it| it.name.name.to_string()).collect()
    }

    pub(super) fn data_type(&mut self) -> String {
        let own = self.user_types();
        match self.random.pick(&own).cloned() {
            Some(own) if self.random.chance(20) => own,
            _ => self.random.one_of(TYPES).to_owned(),
        }
    }
}
