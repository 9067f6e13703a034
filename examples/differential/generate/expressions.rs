//! Constants, conditions and expressions over the columns of a table.

use pgassay::schema::{Column, Relation};

use super::{Generator, TYPES};

impl Generator<'_> {
    /// A constant, fit for the type most of the time.
    pub(super) fn constant(&mut self, of: &str) -> String {
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

    pub(super) fn constant_for(&mut self, column: &Column) -> String {
        let of = column.data_type.written.to_string();
        self.constant(&of)
    }

    /// A condition over the columns of a table.
    pub(super) fn condition(&mut self, table: &Relation) -> String {
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

    pub(super) fn expression(&mut self, table: &Relation) -> String {
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
}
