//! Views, types, routines, triggers, policies, sequences, publications and settings.

use pgassay::schema::TypeDefinition;

use super::{COLUMNS, Generator, TABLES};

impl Generator<'_> {
    pub(super) fn create_view(&mut self) -> String {
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

    pub(super) fn materialized_view(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let column = self.column_of(&table);
        match self.random.below(3) {
            0 => "REFRESH MATERIALIZED VIEW m1".to_owned(),
            _ => format!("CREATE MATERIALIZED VIEW m1 AS SELECT {column} FROM {}", table.name.name),
        }
    }

    pub(super) fn create_type(&mut self) -> String {
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

    pub(super) fn alter_type(&mut self) -> String {
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

    pub(super) fn rename(&mut self) -> String {
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

    pub(super) fn drop_object(&mut self) -> String {
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

    pub(super) fn routine(&mut self) -> String {
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

    pub(super) fn trigger(&mut self) -> String {
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

    pub(super) fn policy(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let condition = self.condition(&table);
        match self.random.below(4) {
            0 => format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table.name.name),
            1 => format!("DROP POLICY p1 ON {}", table.name.name),
            _ => format!("CREATE POLICY p1 ON {} USING ({condition})", table.name.name),
        }
    }

    pub(super) fn sequence(&mut self) -> String {
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

    pub(super) fn publication(&mut self) -> String {
        let table = self.table();
        match self.random.below(4) {
            0 => format!("CREATE PUBLICATION pub1 FOR TABLE {table}"),
            1 => "DROP PUBLICATION pub1".to_owned(),
            2 => format!("ALTER TABLE {table} REPLICA IDENTITY FULL"),
            _ => format!("ALTER PUBLICATION pub1 ADD TABLE {table}"),
        }
    }

    pub(super) fn setting(&mut self) -> String {
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
}
