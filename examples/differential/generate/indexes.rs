//! Indexes.

use super::Generator;

impl Generator<'_> {
    pub(super) fn some_index(&mut self) -> Option<String> {
        let indexes: Vec<String> = self
            .schema
            .relations
            .values()
            .filter(|it| it.as_index().is_some())
            .map(|it| it.name.name.to_string())
            .collect();
        self.random.pick(&indexes).cloned()
    }

    pub(super) fn create_index(&mut self) -> String {
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

    pub(super) fn drop_index(&mut self) -> String {
        let index = self.some_index().unwrap_or_else(|| "ix1".to_owned());
        format!("DROP INDEX {index}")
    }
}
