//! Rows written and read, by themselves and in DO blocks.

use pgassay::schema::Column;

use super::Generator;

impl Generator<'_> {
    pub(super) fn insert(&mut self) -> String {
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

    pub(super) fn update(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        let Some(column) = self.random.pick(&table.columns).cloned() else { return self.create_table() };
        let value = if self.random.chance(20) { self.column_of(&table) } else { self.constant_for(&column) };
        let condition = self.condition(&table);
        match self.random.below(3) {
            0 => format!("UPDATE {} SET {} = {value}", table.name.name, column.name),
            _ => format!("UPDATE {} SET {} = {value} WHERE {condition}", table.name.name, column.name),
        }
    }

    pub(super) fn delete(&mut self) -> String {
        let Some(table) = self.some_table() else { return self.create_table() };
        format!("DELETE FROM {} WHERE {}", table.name.name, self.condition(&table))
    }

    pub(super) fn select(&mut self) -> String {
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

    pub(super) fn truncate(&mut self) -> String {
        let cascade = self.random.maybe(25, " CASCADE");
        format!("TRUNCATE {}{cascade}", self.table())
    }

    pub(super) fn block(&mut self) -> String {
        let inner = match self.random.below(4) {
            0 => self.update(),
            1 => self.insert(),
            2 => self.add_column(),
            _ => self.set_default(),
        };
        format!("DO $do$ BEGIN {inner}; END $do$")
    }
}
