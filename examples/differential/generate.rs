//! The next statement of a history: DDL and DML over what the model says is there, wrong names and wrong types now and then.

use pgassay::schema::{Column, Relation, RelationKind, Schema, TypeDefinition};

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

impl Generator<'_> {
    pub fn statement(&mut self) -> String {
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

    // Names.

    fn tables(&self) -> Vec<&Relation> {
        self.schema.relations.values().filter(|it| it.is_table() && it.known).map(|it| &**it).collect()
    }

    fn some_table(&mut self) -> Option<Relation> {
        let tables: Vec<Relation> = self.tables().into_iter().cloned().collect();
        self.random.pick(&tables).cloned()
    }

    /// A table that is there; now and then one that is not.
    fn table(&mut self) -> String {
        let wrong = self.random.chance(3);
        match self.some_table().filter(|_| !wrong) {
            Some(table) => table.name.name.to_string(),
            None => self.random.one_of(TABLES).to_owned(),
        }
    }

    fn table_and_column(&mut self) -> (String, String) {
        let wrong = self.random.chance(3);
        let Some(table) = self.some_table() else {
            return (self.random.one_of(TABLES).to_owned(), self.random.one_of(COLUMNS).to_owned());
        };
        let column = self.random.pick(&table.columns).filter(|_| !wrong).map(|it| it.name.to_string());
        let column = column.unwrap_or_else(|| self.random.one_of(COLUMNS).to_owned());
        (table.name.name.to_string(), column)
    }

    fn column_of(&mut self, table: &Relation) -> String {
        let column = self.random.pick(&table.columns).map(|it| it.name.to_string());
        column.unwrap_or_else(|| self.random.one_of(COLUMNS).to_owned())
    }

    fn user_types(&self) -> Vec<String> {
        self.schema.types.values().map(|it| it.name.name.to_string()).collect()
    }

    fn data_type(&mut self) -> String {
        let own = self.user_types();
        match self.random.pick(&own).cloned() {
            Some(own) if self.random.chance(20) => own,
            _ => self.random.one_of(TYPES).to_owned(),
        }
    }

    // Expressions.

    /// A constant, fit for the type most of the time.
    fn constant(&mut self, of: &str) -> String {
        let of = if self.random.chance(12) { self.random.one_of(TYPES) } else { of };
        let base = of.split('(').next().unwrap_or_default().trim();
        let list: &[&str] = match base {
            _ if of.ends_with("[]") => &["'{}'", "'{1,2}'", "ARRAY[1,2]", "NULL"],
            "int" | "integer" | "bigint" | "smallint" | "int4" | "int8" | "int2" => {
                &["0", "1", "'7'", "42", "-1", "1 + 1", "length('ab')"]
            }
            "text" | "varchar" | "character varying" | "char" | "character" | "bpchar" => {
                &["''", "'x'", "'open'", "'abc'::text", "upper('x')", "'a' || 'b'", "current_user", "now()::text"]
            }
            "boolean" | "bool" => &["true", "false", "'t'", "1 = 1", "NOT true"],
            "numeric" | "double precision" | "float8" => &["0", "1.5", "'2.25'", "random()", "1e3"],
            "date" => &["'2025-01-01'", "current_date", "now()", "'2024-06-15'::date"],
            "timestamp" | "timestamptz" | "timestamp without time zone" | "timestamp with time zone" => {
                &["now()", "'2025-01-01'", "current_timestamp", "clock_timestamp()", "'2024-02-03 04:05'::timestamptz"]
            }
            "uuid" => &["gen_random_uuid()", "'00000000-0000-0000-0000-000000000001'"],
            "jsonb" | "json" => &["'{}'", "'[1]'", "'{\"a\": 1}'"],
            "interval" => &["'1 day'", "interval '2 hours'"],
            "bytea" => &["'\\x00'"],
            "inet" => &["'10.0.0.1'"],
            _ => &["NULL", "'a'", "'b'", "1"],
        };
        self.random.one_of(list).to_owned()
    }

    fn constant_for(&mut self, column: &Column) -> String {
        let of = column.data_type.written.to_string();
        self.constant(&of)
    }

    /// A condition over the columns of a table.
    fn condition(&mut self, table: &Relation) -> String {
        let Some(column) = self.random.pick(&table.columns).cloned() else { return "true".to_owned() };
        let (name, value) = (column.name.to_string(), self.constant_for(&column));
        let other = self.column_of(table);
        match self.random.below(12) {
            0 => format!("{name} IS NOT NULL"),
            1 => format!("{name} = {value}"),
            2 => format!("{name} > {value}"),
            3 => format!("{name} IN ({value}, {value})"),
            4 => format!("length({name}) > 0"),
            5 => format!("{name} = {other}"),
            6 => format!("{name} BETWEEN {value} AND {value}"),
            7 => name,
            8 => format!("{name} IS NULL OR {name} <> {value}"),
            9 => format!("{name} LIKE 'a%'"),
            10 => format!("coalesce({name}, {value}) = {value}"),
            _ => format!("NOT ({name} = {value})"),
        }
    }

    fn expression(&mut self, table: &Relation) -> String {
        let (name, other) = (self.column_of(table), self.column_of(table));
        match self.random.below(12) {
            0 => format!("lower({name})"),
            1 => format!("{name} + 1"),
            2 => format!("{name}::text"),
            3 => format!("date_trunc('day', {name})"),
            4 => format!("({name} || {other})"),
            5 => format!("coalesce({name}, {other})"),
            6 => format!("concat({name}, {other})"),
            7 => format!("length({name}::text)"),
            8 => format!("{name}::date"),
            9 => format!("abs({name})"),
            10 => format!("md5({name}::text)"),
            _ => format!("to_char({name}, 'YYYY')"),
        }
    }

    // Tables.

    fn column_definition(&mut self, name: &str) -> String {
        let of = match self.random.below(20) {
            0 => "serial".to_owned(),
            1 => "bigserial".to_owned(),
            _ => self.data_type(),
        };
        let mut written = format!("{name} {of}");
        if self.random.chance(25) {
            let value = self.constant(&of);
            written.push_str(&format!(" DEFAULT {value}"));
        }
        if self.random.chance(25) {
            written.push_str(" NOT NULL");
        }
        if self.random.chance(6) {
            written.push_str(" UNIQUE");
        }
        if self.random.chance(4) {
            written.push_str(&format!(" CHECK ({name} IS NOT NULL)"));
        }
        if self.random.chance(4) {
            let other = self.table();
            written.push_str(&format!(" REFERENCES {other}"));
        }
        written
    }

    fn new_table_name(&mut self) -> String {
        let free: Vec<&&str> =
            TABLES.iter().filter(|name| !self.tables().iter().any(|it| it.name.name == **name)).collect();
        match self.random.pick(&free) {
            Some(name) if !self.random.chance(4) => (**name).to_string(),
            _ => self.random.one_of(TABLES).to_owned(),
        }
    }

    fn create_table(&mut self) -> String {
        let name = self.new_table_name();
        let mut parts = Vec::new();
        match self.random.below(4) {
            0 => parts.push("a bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY".to_owned()),
            1 => parts.push("a bigint PRIMARY KEY".to_owned()),
            2 => parts.push("a serial PRIMARY KEY".to_owned()),
            _ => parts.push("a int".to_owned()),
        }
        for column in &COLUMNS[1..2 + self.random.below(4)] {
            parts.push(self.column_definition(column));
        }
        let unlogged = self.random.maybe(3, "UNLOGGED ");
        format!("CREATE {unlogged}TABLE {name} ({})", parts.join(", "))
    }

    fn create_partitioned(&mut self) -> String {
        let name = self.new_table_name();
        let (of, by) = match self.random.below(4) {
            0 => ("date", "RANGE (b)"),
            1 => ("int", "LIST (b)"),
            2 => ("bigint", "HASH (b)"),
            _ => ("int", "RANGE (b)"),
        };
        let key = match self.random.below(5) {
            0 => ", PRIMARY KEY (a, b)",
            1 => ", PRIMARY KEY (a)",
            2 => ", UNIQUE (b)",
            _ => "",
        };
        format!("CREATE TABLE {name} (a bigint NOT NULL, b {of} NOT NULL, c text{key}) PARTITION BY {by}")
    }

    fn bound(&mut self, parent: &Relation) -> String {
        use pgassay::change::PartitionStrategy::{Hash, List, Range};
        if self.random.chance(15) {
            return "DEFAULT".to_owned();
        }
        let RelationKind::PartitionedTable(key) = &parent.kind else { return "DEFAULT".to_owned() };
        let year = 2020 + self.random.below(8);
        let number = 10 * self.random.below(8);
        let is_date = parent.columns.iter().any(|it| it.data_type.written.name == "date");
        match key.strategy {
            Range if is_date => {
                format!("FOR VALUES FROM ('{year}-01-01') TO ('{}-01-01')", year + 1 + self.random.below(2))
            }
            Range => format!("FOR VALUES FROM ({number}) TO ({})", number + 10 + 10 * self.random.below(2)),
            List => format!("FOR VALUES IN ({number}, {})", number + 1),
            Hash => format!("FOR VALUES WITH (MODULUS 4, REMAINDER {})", self.random.below(5)),
        }
    }

    fn partitioned(&mut self) -> Option<Relation> {
        let parents: Vec<Relation> = self.tables().into_iter().filter(|it| it.is_partitioned()).cloned().collect();
        self.random.pick(&parents).cloned()
    }

    fn create_partition(&mut self) -> String {
        let Some(parent) = self.partitioned() else { return self.create_partitioned() };
        let bound = self.bound(&parent);
        let name = format!("{}_p{}", parent.name.name, self.random.below(6));
        format!("CREATE TABLE {name} PARTITION OF {} {bound}", parent.name.name)
    }

    fn attach(&mut self) -> String {
        let Some(parent) = self.partitioned() else { return self.create_partitioned() };
        let bound = self.bound(&parent);
        let child = self.table();
        match self.random.below(3) {
            0 => format!("ALTER TABLE {} DETACH PARTITION {child}", parent.name.name),
            _ => format!("ALTER TABLE {} ATTACH PARTITION {child} {bound}", parent.name.name),
        }
    }

    fn inherit(&mut self) -> String {
        let (table, parent) = (self.table(), self.table());
        match self.random.below(3) {
            0 => format!("CREATE TABLE {} (z int) INHERITS ({parent})", self.random.one_of(&["i1", "i2"])),
            1 => format!("ALTER TABLE {table} INHERIT {parent}"),
            _ => format!("ALTER TABLE {table} NO INHERIT {parent}"),
        }
    }

    fn add_column(&mut self) -> String {
        let table = self.table();
        let name = self.random.one_of(COLUMNS).to_owned();
        let definition = self.column_definition(&name);
        let only = self.random.maybe(4, "ONLY ");
        let exists = self.random.maybe(10, "IF NOT EXISTS ");
        format!("ALTER TABLE {only}{table} ADD COLUMN {exists}{definition}")
    }

    fn drop_column(&mut self) -> String {
        let (table, column) = self.table_and_column();
        let cascade = self.random.maybe(20, " CASCADE");
        format!("ALTER TABLE {table} DROP COLUMN {column}{cascade}")
    }

    fn set_type(&mut self) -> String {
        let (table, column) = self.table_and_column();
        let of = self.data_type();
        let using = match self.random.below(6) {
            0 => format!(" USING {column}::{of}"),
            1 => format!(" USING {column}::text::{of}"),
            2 => format!(" USING {}", self.constant(&of)),
            _ => String::new(),
        };
        format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {of}{using}")
    }

    fn set_default(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let Some(column) = self.random.pick(&table.columns).cloned() else { return self.create_table() };
        let name = &table.name.name;
        if self.random.chance(25) {
            return format!("ALTER TABLE {name} ALTER COLUMN {} DROP DEFAULT", column.name);
        }
        let value = match self.random.below(12) {
            0 => "(SELECT 1)".to_owned(),
            1 => self.column_of(&table),
            2 => "count(*)".to_owned(),
            _ => self.constant_for(&column),
        };
        format!("ALTER TABLE {name} ALTER COLUMN {} SET DEFAULT {value}", column.name)
    }

    fn not_null(&mut self) -> String {
        let (table, column) = self.table_and_column();
        let what = self.random.one_of(&["SET", "SET", "DROP"]);
        format!("ALTER TABLE {table} ALTER COLUMN {column} {what} NOT NULL")
    }

    fn add_constraint(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (name, one, other) = (table.name.name.to_string(), self.column_of(&table), self.column_of(&table));
        let constraint = self.random.one_of(&["k1", "k2", "k3", "k4"]);
        let body = match self.random.below(9) {
            0 => format!("PRIMARY KEY ({one})"),
            1 => format!("UNIQUE ({one})"),
            2 => format!("UNIQUE ({one}, {other})"),
            3 => format!("UNIQUE ({one}) DEFERRABLE"),
            4 | 5 => {
                let referenced = self.table();
                let valid = self.random.maybe(40, " NOT VALID");
                format!("FOREIGN KEY ({one}) REFERENCES {referenced}{valid}")
            }
            6 => {
                let index = self.some_index().unwrap_or_else(|| "ix1".to_owned());
                format!("{} USING INDEX {index}", self.random.one_of(&["UNIQUE", "PRIMARY KEY"]))
            }
            _ => {
                let condition = self.condition(&table);
                let valid = self.random.maybe(30, " NOT VALID");
                format!("CHECK ({condition}){valid}")
            }
        };
        format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} {body}")
    }

    fn some_constraint(&mut self) -> Option<(String, String)> {
        let table = self.some_table()?;
        let names: Vec<String> = table.constraints.iter().map(|it| it.name.to_string()).collect();
        Some((table.name.name.to_string(), self.random.pick(&names)?.clone()))
    }

    fn drop_constraint(&mut self) -> String {
        let Some((table, constraint)) = self.some_constraint() else { return self.add_constraint() };
        let cascade = self.random.maybe(20, " CASCADE");
        format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}{cascade}")
    }

    fn validate(&mut self) -> String {
        let Some((table, constraint)) = self.some_constraint() else { return self.add_constraint() };
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
    }

    fn identity(&mut self) -> String {
        let (table, column) = self.table_and_column();
        match self.random.below(4) {
            0 => format!("ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED BY DEFAULT AS IDENTITY"),
            1 => format!("ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED ALWAYS AS IDENTITY"),
            2 => format!("ALTER TABLE {table} ALTER COLUMN {column} DROP IDENTITY"),
            _ => format!("ALTER TABLE {table} ALTER COLUMN {column} SET GENERATED ALWAYS"),
        }
    }

    fn generated(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (of, expression) = (self.data_type(), self.expression(&table));
        let stored = if self.major >= 18 && self.random.chance(40) { "VIRTUAL" } else { "STORED" };
        format!("ALTER TABLE {} ADD COLUMN g {of} GENERATED ALWAYS AS ({expression}) {stored}", table.name.name)
    }

    fn several(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (one, other, of) = (self.column_of(&table), self.column_of(&table), self.data_type());
        let value = self.constant(&of);
        let name = &table.name.name;
        match self.random.below(4) {
            0 => format!(
                "ALTER TABLE {name} ALTER COLUMN {one} DROP DEFAULT, ALTER COLUMN {one} TYPE {of} USING {one}::text::{of}, ALTER COLUMN {one} SET DEFAULT {value}"
            ),
            1 => format!("ALTER TABLE {name} DROP COLUMN {one}, ADD COLUMN {one} {of}"),
            2 => format!("ALTER TABLE {name} ADD COLUMN f {of} DEFAULT {value}, ALTER COLUMN {other} SET NOT NULL"),
            _ => format!("ALTER TABLE {name} ALTER COLUMN {one} SET NOT NULL, ADD CHECK ({other} IS NOT NULL)"),
        }
    }

    // Indexes.

    fn some_index(&mut self) -> Option<String> {
        let indexes: Vec<String> = self
            .schema
            .relations
            .values()
            .filter(|it| it.as_index().is_some())
            .map(|it| it.name.name.to_string())
            .collect();
        self.random.pick(&indexes).cloned()
    }

    fn create_index(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let name = self.random.one_of(&["ix1", "ix2", "ix3", "ix4", "ix5"]);
        let unique = self.random.maybe(30, "UNIQUE ");
        let method = match self.random.below(8) {
            0 => "USING hash ",
            1 => "USING gin ",
            2 => "USING gist ",
            3 => "USING brin ",
            _ => "",
        };
        let column = self.column_of(&table);
        let element = match self.random.below(6) {
            0 => format!("({})", self.expression(&table)),
            1 => format!("{column} DESC"),
            2 => format!("{column}, {}", self.column_of(&table)),
            _ => column,
        };
        let predicate = match self.random.chance(20) {
            true => format!(" WHERE {}", self.condition(&table)),
            false => String::new(),
        };
        format!("CREATE {unique}INDEX {name} ON {} {method}({element}){predicate}", table.name.name)
    }

    fn drop_index(&mut self) -> String {
        let index = self.some_index().unwrap_or_else(|| "ix1".to_owned());
        format!("DROP INDEX {index}")
    }

    // Other objects.

    fn create_view(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let name = self.random.one_of(&["v1", "v2"]);
        let (one, other) = (self.column_of(&table), self.column_of(&table));
        let replace = self.random.maybe(40, "OR REPLACE ");
        let of = &table.name.name;
        match self.random.below(4) {
            0 => format!("CREATE {replace}VIEW {name} AS SELECT * FROM {of}"),
            1 => format!("CREATE {replace}VIEW {name} AS SELECT {one}, count(*) FROM {of} GROUP BY {one}"),
            2 => format!("CREATE {replace}VIEW {name} AS SELECT {one} AS x, {other} AS y FROM {of}"),
            _ => format!("CREATE {replace}VIEW {name} AS SELECT {one} FROM {of} WHERE {}", self.condition(&table)),
        }
    }

    fn materialized_view(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let column = self.column_of(&table);
        match self.random.below(3) {
            0 => "REFRESH MATERIALIZED VIEW m1".to_owned(),
            _ => format!("CREATE MATERIALIZED VIEW m1 AS SELECT {column} FROM {}", table.name.name),
        }
    }

    fn create_type(&mut self) -> String {
        match self.random.below(5) {
            0 => format!(
                "CREATE DOMAIN d{} AS {}",
                self.random.below(2),
                self.random.one_of(&["int", "text", "varchar(10)"])
            ),
            1 => format!("CREATE DOMAIN d{} AS int CHECK (VALUE > 0)", self.random.below(2)),
            2 => format!("CREATE TYPE c{} AS (x int, y text)", self.random.below(2)),
            _ => format!("CREATE TYPE e{} AS ENUM ('a', 'b', 'open')", self.random.below(2)),
        }
    }

    fn alter_type(&mut self) -> String {
        let types: Vec<(String, u8)> = self
            .schema
            .types
            .values()
            .filter_map(|it| match &it.definition {
                TypeDefinition::Enum(_) => Some((it.name.name.to_string(), 0)),
                TypeDefinition::Domain(_) => Some((it.name.name.to_string(), 1)),
                TypeDefinition::Composite(_) => Some((it.name.name.to_string(), 2)),
                _ => None,
            })
            .collect();
        let Some((name, kind)) = self.random.pick(&types).cloned() else { return self.create_type() };
        match (kind, self.random.below(3)) {
            (0, 0) => format!("ALTER TYPE {name} RENAME VALUE 'a' TO 'z'"),
            (0, _) => format!("ALTER TYPE {name} RENAME TO {name}_old"),
            (1, 0) => format!("ALTER DOMAIN {name} SET NOT NULL"),
            (1, 1) => format!("ALTER DOMAIN {name} ADD CONSTRAINT dk CHECK (VALUE IS NOT NULL)"),
            (1, _) => format!("ALTER DOMAIN {name} SET DEFAULT {}", self.constant("int")),
            (_, 0) => format!("ALTER TYPE {name} ADD ATTRIBUTE z int"),
            (_, 1) => format!("ALTER TYPE {name} ALTER ATTRIBUTE x TYPE bigint"),
            _ => format!("ALTER TYPE {name} DROP ATTRIBUTE y"),
        }
    }

    fn rename(&mut self) -> String {
        let (table, column) = self.table_and_column();
        match self.random.below(4) {
            0 => format!("ALTER TABLE {table} RENAME TO {}", self.random.one_of(TABLES)),
            1 => match self.some_constraint() {
                Some((table, constraint)) => format!("ALTER TABLE {table} RENAME CONSTRAINT {constraint} TO kr"),
                None => self.add_constraint(),
            },
            _ => format!("ALTER TABLE {table} RENAME COLUMN {column} TO {}", self.random.one_of(COLUMNS)),
        }
    }

    fn drop_object(&mut self) -> String {
        let cascade = self.random.maybe(25, " CASCADE");
        match self.random.below(6) {
            0 => format!("DROP VIEW v1{cascade}"),
            1 => {
                let own = self.user_types();
                let name = self.random.pick(&own).cloned().unwrap_or_else(|| "e0".to_owned());
                format!("DROP TYPE {name}{cascade}")
            }
            2 => format!("DROP FUNCTION f1{cascade}"),
            3 => format!("DROP MATERIALIZED VIEW m1{cascade}"),
            _ => format!("DROP TABLE {}{cascade}", self.table()),
        }
    }

    fn routine(&mut self) -> String {
        let table = self.table();
        match self.random.below(6) {
            0 => "CREATE OR REPLACE FUNCTION f1(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + 1'".to_owned(),
            1 => "CREATE OR REPLACE FUNCTION f1(y int) RETURNS int LANGUAGE sql AS 'SELECT y'".to_owned(),
            2 => "CREATE OR REPLACE FUNCTION f1(x int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'".to_owned(),
            3 => {
                format!("CREATE OR REPLACE FUNCTION f2() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM {table}'")
            }
            4 => "CREATE OR REPLACE FUNCTION f1(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT x'".to_owned(),
            _ => "CREATE OR REPLACE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
                .to_owned(),
        }
    }

    fn trigger(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (name, column) = (&table.name.name, self.column_of(&table));
        let function = self.random.one_of(&["tf", "tf", "tf", "f1", "now"]);
        let timing = self.random.one_of(&["BEFORE", "AFTER", "INSTEAD OF"]);
        match self.random.below(4) {
            0 => format!(
                "CREATE TRIGGER tr1 {timing} UPDATE OF {column} ON {name} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
            1 => format!(
                "CREATE TRIGGER tr2 {timing} INSERT ON {name} FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION {function}()"
            ),
            2 => {
                format!("CREATE TRIGGER tr3 {timing} DELETE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")
            }
            _ => format!("DROP TRIGGER tr1 ON {name}"),
        }
    }

    fn policy(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let condition = self.condition(&table);
        match self.random.below(4) {
            0 => format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table.name.name),
            1 => format!("DROP POLICY p1 ON {}", table.name.name),
            _ => format!("CREATE POLICY p1 ON {} USING ({condition})", table.name.name),
        }
    }

    fn sequence(&mut self) -> String {
        match self.random.below(4) {
            0 => "CREATE SEQUENCE s1".to_owned(),
            1 => format!("CREATE SEQUENCE s1 START {} MINVALUE {}", self.random.below(5), self.random.below(4)),
            2 => "DROP SEQUENCE s1".to_owned(),
            _ => {
                let (table, column) = self.table_and_column();
                format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('s1')")
            }
        }
    }

    fn publication(&mut self) -> String {
        let table = self.table();
        match self.random.below(4) {
            0 => format!("CREATE PUBLICATION pub1 FOR TABLE {table}"),
            1 => "DROP PUBLICATION pub1".to_owned(),
            2 => format!("ALTER TABLE {table} REPLICA IDENTITY FULL"),
            _ => format!("ALTER PUBLICATION pub1 ADD TABLE {table}"),
        }
    }

    fn setting(&mut self) -> String {
        let table = self.table();
        let action = self.random.one_of(&[
            "SET (fillfactor = 70)",
            "SET (fillfactor = 5)",
            "SET UNLOGGED",
            "SET LOGGED",
            "SET WITHOUT CLUSTER",
            "DISABLE TRIGGER ALL",
            "SET TABLESPACE pg_default",
        ]);
        format!("ALTER TABLE {table} {action}")
    }

    // What hangs on something else.

    fn extension(&mut self) -> String {
        let name = self.random.one_of(&["citext", "pg_trgm", "hstore"]);
        let cascade = self.random.maybe(50, " CASCADE");
        let (table, column) = self.table_and_column();
        match self.random.below(6) {
            0 | 1 => format!("CREATE EXTENSION {}{name}", self.random.maybe(40, "IF NOT EXISTS ")),
            2 => format!("ALTER TABLE {table} ADD COLUMN x {}", self.random.one_of(&["citext", "hstore", "citext[]"])),
            3 => format!("CREATE INDEX ix8 ON {table} USING gin ({column} gin_trgm_ops)"),
            4 => format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE citext"),
            _ => format!("DROP EXTENSION {name}{cascade}"),
        }
    }

    fn collation(&mut self) -> String {
        let cascade = self.random.maybe(50, " CASCADE");
        let (table, column) = self.table_and_column();
        match self.random.below(5) {
            0 => "CREATE COLLATION co1 FROM \"C\"".to_owned(),
            1 => format!("ALTER TABLE {table} ADD COLUMN e text COLLATE co1"),
            2 => format!("CREATE INDEX ix9 ON {table} ({column} COLLATE co1)"),
            3 => format!("ALTER TABLE {table} ADD CONSTRAINT k9 CHECK ({column} COLLATE co1 > 'a')"),
            _ => format!("DROP COLLATION co1{cascade}"),
        }
    }

    /// A function in the places that keep it from being dropped.
    fn calling(&mut self) -> String {
        let (table, column) = self.table_and_column();
        match self.random.below(5) {
            0 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT f1(1)"),
            1 => format!("ALTER TABLE {table} ADD COLUMN e int GENERATED ALWAYS AS (f1({column})) STORED"),
            2 => format!("CREATE INDEX ix7 ON {table} (f1({column}))"),
            3 => format!("ALTER TABLE {table} ADD CONSTRAINT k8 CHECK (f1({column}) > 0)"),
            _ => format!("DROP FUNCTION f1{}", self.random.maybe(70, " CASCADE")),
        }
    }

    fn typed(&mut self) -> String {
        let own = self.user_types();
        let of = self.random.pick(&own).cloned().unwrap_or_else(|| "c0".to_owned());
        match self.random.below(3) {
            0 => format!("DROP TYPE {of} CASCADE"),
            _ => format!("CREATE TABLE ty1 OF {of}"),
        }
    }

    // Rows.

    fn insert(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let name = &table.name.name;
        let count = 1 + self.random.below(table.columns.len().max(1));
        let chosen: Vec<Column> = table.columns.iter().take(count).cloned().collect();
        let columns: Vec<String> = chosen.iter().map(|it| it.name.to_string()).collect();
        let mut values: Vec<String> = chosen.iter().map(|it| self.constant_for(it)).collect();
        if self.random.chance(4) {
            values.push("1".to_owned());
        }
        let conflict = match self.random.below(5) {
            0 => format!(" ON CONFLICT ({}) DO NOTHING", self.column_of(&table)),
            1 => " ON CONFLICT DO NOTHING".to_owned(),
            _ => String::new(),
        };
        if self.random.chance(20) {
            let source = self.table();
            return format!(
                "INSERT INTO {name} ({}) SELECT {} FROM {source}{conflict}",
                columns.join(", "),
                values.join(", ")
            );
        }
        format!("INSERT INTO {name} ({}) VALUES ({}){conflict}", columns.join(", "), values.join(", "))
    }

    fn update(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let Some(column) = self.random.pick(&table.columns).cloned() else { return self.create_table() };
        let value = if self.random.chance(20) { self.column_of(&table) } else { self.constant_for(&column) };
        let condition = self.condition(&table);
        match self.random.below(3) {
            0 => format!("UPDATE {} SET {} = {value}", table.name.name, column.name),
            _ => format!("UPDATE {} SET {} = {value} WHERE {condition}", table.name.name, column.name),
        }
    }

    fn delete(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        format!("DELETE FROM {} WHERE {}", table.name.name, self.condition(&table))
    }

    fn select(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (column, expression) = (self.column_of(&table), self.expression(&table));
        match self.random.below(3) {
            0 => format!("SELECT {column}, {expression} FROM {} WHERE {}", table.name.name, self.condition(&table)),
            1 => format!(
                "SELECT {column} FROM {} WHERE {column} IN (SELECT {column} FROM {})",
                table.name.name,
                self.table()
            ),
            _ => format!("SELECT max({column}) FROM {}", table.name.name),
        }
    }

    fn truncate(&mut self) -> String {
        let cascade = self.random.maybe(25, " CASCADE");
        format!("TRUNCATE {}{cascade}", self.table())
    }

    fn block(&mut self) -> String {
        let inner = match self.random.below(4) {
            0 => self.update(),
            1 => self.insert(),
            2 => self.add_column(),
            _ => self.set_default(),
        };
        format!("DO $do$ BEGIN {inner}; END $do$")
    }
}
