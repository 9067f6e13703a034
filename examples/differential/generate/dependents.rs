//! Objects that hang on others: members of extensions, collations, called functions, typed tables.

use super::Generator;

impl Generator<'_> {
    pub(super) fn extension(&mut self) -> String {
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

    pub(super) fn collation(&mut self) -> String {
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
    pub(super) fn calling(&mut self) -> String {
        let (table, column) = self.table_and_column();
        match self.random.below(5) {
            0 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT f1(1)"),
            1 => format!("ALTER TABLE {table} ADD COLUMN e int GENERATED ALWAYS AS (f1({column})) STORED"),
            2 => format!("CREATE INDEX ix7 ON {table} (f1({column}))"),
            3 => format!("ALTER TABLE {table} ADD CONSTRAINT k8 CHECK (f1({column}) > 0)"),
            _ => format!("DROP FUNCTION f1{}", self.random.maybe(70, " CASCADE")),
        }
    }

    pub(super) fn typed(&mut self) -> String {
        let own = self.user_types();
        let of = self.random.pick(&own).cloned().unwrap_or_else(|| "c0".to_owned());
        match self.random.below(3) {
            0 => format!("DROP TYPE {of} CASCADE"),
            _ => format!("CREATE TABLE ty1 OF {of}"),
        }
    }
}
