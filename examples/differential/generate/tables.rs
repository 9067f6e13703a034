//! Tables, their columns, constraints and partitions.

use pgassay::schema::{Relation, RelationKind};

use super::{COLUMNS, Generator, TABLES};

impl Generator<'_> {
    pub(super) fn column_definition(&mut self, name: &str) -> String {
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

    pub(super) fn new_table_name(&mut self) -> String {
        let free: Vec<&&str> =
            TABLES.iter().filter(|name| !self.tables().iter().any(|it| it.name.name == **name)).collect();
        match self.random.pick(&free) {
            Some(name) if !self.random.chance(4) => (**name).to_string(),
            _ => self.random.one_of(TABLES).to_owned(),
        }
    }

    pub(super) fn create_table(&mut self) -> String {
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

    pub(super) fn create_partitioned(&mut self) -> String {
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

    pub(super) fn bound(&mut self, parent: &Relation) -> String {
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

    pub(super) fn partitioned(&mut self) -> Option<Relation> {
        let parents: Vec<Relation> = self.tables().into_iter().filter(|it| it.is_partitioned()).cloned().collect();
        self.random.pick(&parents).cloned()
    }

    pub(super) fn create_partition(&mut self) -> String {
        let Some(parent) = self.partitioned() else { return self.create_partitioned() };
        let bound = self.bound(&parent);
        let name = format!("{}_p{}", parent.name.name, self.random.below(6));
        format!("CREATE TABLE {name} PARTITION OF {} {bound}", parent.name.name)
    }

    pub(super) fn attach(&mut self) -> String {
        let Some(parent) = self.partitioned() else { return self.create_partitioned() };
        let bound = self.bound(&parent);
        let child = self.table();
        match self.random.below(3) {
            0 => format!("ALTER TABLE {} DETACH PARTITION {child}", parent.name.name),
            _ => format!("ALTER TABLE {} ATTACH PARTITION {child} {bound}", parent.name.name),
        }
    }

    pub(super) fn inherit(&mut self) -> String {
        let (table, parent) = (self.table(), self.table());
        match self.random.below(3) {
            0 => format!("CREATE TABLE {} (z int) INHERITS ({parent})", self.random.one_of(&["i1", "i2"])),
            1 => format!("ALTER TABLE {table} INHERIT {parent}"),
            _ => format!("ALTER TABLE {table} NO INHERIT {parent}"),
        }
    }

    pub(super) fn add_column(&mut self) -> String {
        let table = self.table();
        let name = self.random.one_of(COLUMNS).to_owned();
        let definition = self.column_definition(&name);
        let only = self.random.maybe(4, "ONLY ");
        let exists = self.random.maybe(10, "IF NOT EXISTS ");
        format!("ALTER TABLE {only}{table} ADD COLUMN {exists}{definition}")
    }

    pub(super) fn drop_column(&mut self) -> String {
        let (table, column) = self.table_and_column();
        let cascade = self.random.maybe(20, " CASCADE");
        format!("ALTER TABLE {table} DROP COLUMN {column}{cascade}")
    }

    pub(super) fn set_type(&mut self) -> String {
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

    pub(super) fn set_default(&mut self) -> String {
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

    pub(super) fn not_null(&mut self) -> String {
        let (table, column) = self.table_and_column();
        let what = self.random.one_of(&["SET", "SET", "DROP"]);
        format!("ALTER TABLE {table} ALTER COLUMN {column} {what} NOT NULL")
    }

    pub(super) fn add_constraint(&mut self) -> String {
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

    pub(super) fn some_constraint(&mut self) -> Option<(String, String)> {
        let table = self.some_table()?;
        let names: Vec<String> = table.constraints.iter().map(|it| it.name.to_string()).collect();
        Some((table.name.name.to_string(), self.random.pick(&names)?.clone()))
    }

    pub(super) fn drop_constraint(&mut self) -> String {
        let Some((table, constraint)) = self.some_constraint() else { return self.add_constraint() };
        let cascade = self.random.maybe(20, " CASCADE");
        format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}{cascade}")
    }

    pub(super) fn validate(&mut self) -> String {
        let Some((table, constraint)) = self.some_constraint() else { return self.add_constraint() };
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
    }

    pub(super) fn identity(&mut self) -> String {
        let (table, column) = self.table_and_column();
        match self.random.below(4) {
            0 => format!("ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED BY DEFAULT AS IDENTITY"),
            1 => format!("ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED ALWAYS AS IDENTITY"),
            2 => format!("ALTER TABLE {table} ALTER COLUMN {column} DROP IDENTITY"),
            _ => format!("ALTER TABLE {table} ALTER COLUMN {column} SET GENERATED ALWAYS"),
        }
    }

    pub(super) fn generated(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let (of, expression) = (self.data_type(), self.expression(&table));
        let stored = if self.major >= 18 && self.random.chance(40) { "VIRTUAL" } else { "STORED" };
        format!("ALTER TABLE {} ADD COLUMN g {of} GENERATED ALWAYS AS ({expression}) {stored}", table.name.name)
    }

    pub(super) fn several(&mut self) -> String {
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
}
