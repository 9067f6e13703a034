//! Tables: `CreateTableGenerator`, `DropTableGenerator`, `RenameTableGenerator`, `SetTableRemarksGenerator`.

use super::column::{columns, constraints, identity};
use super::{Part, follows, head, statement};
use crate::collect::liquibase::data_type::data_type;
use crate::collect::liquibase::tree::Element;
use crate::collect::liquibase::values::{Missing, Values};
use crate::text::quoting;

/// The columns one by one, each from its own element, and the constraints at the end, as Liquibase orders them: the primary key, foreign
/// keys, uniques.
pub(super) fn create(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let table = values.table(change)?;
    let kind = values.get(change, "tableType").map(|kind| format!("{} ", kind.to_uppercase())).unwrap_or_default();
    let guard = if values.is(change, "ifNotExists") { "IF NOT EXISTS " } else { "" };
    let mut parts = vec![Part::Made(head(change), format!("CREATE {kind}TABLE {guard}{table} ("))];
    for (place, column) in columns(change).enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        parts.push(Part::Made(column.range.clone(), format!("{comma}{}", definition(column, values)?)));
    }
    let mut last = String::new();
    for constraint in table_constraints(change, values)? {
        last.push_str(&format!(", {constraint}"));
    }
    last.push(')');
    if let Some(partitions) = values.get(change, "partitionBy") {
        last.push_str(&format!(" PARTITION BY {partitions}"));
    }
    if let Some(tablespace) = values.get(change, "tablespace") {
        last.push_str(&format!(" TABLESPACE {tablespace}"));
    }
    parts.push(follows(change, last));
    if let Some(text) = values.get(change, "remarks") {
        parts.push(follows(change, format!("COMMENT ON TABLE {table} IS {}", quoting::literal(&text))));
    }
    for column in columns(change) {
        if let (Some(text), Some(name)) = (values.get(column, "remarks"), values.get(column, "name")) {
            let name = values.name(&name);
            parts.push(follows(change, format!("COMMENT ON COLUMN {table}.{name} IS {}", quoting::literal(&text))));
        }
    }
    Ok(parts)
}

fn definition(column: &Element, values: Values) -> Result<String, Missing> {
    let name = values.name(&values.need(column, "name")?);
    let Some(described) = values.get(column, "type") else { return Ok(name) };
    let found = data_type(&described);
    let mut sql = format!("{name} {}", found.sql);
    let is_identity = values.is(column, "autoIncrement") || found.is_serial;
    if let Some(default) = values.default(column, found.kind).filter(|_| !is_identity) {
        let word = if default.starts_with("GENERATED ALWAYS ") { "" } else { "DEFAULT " };
        sql.push_str(&format!(" {word}{default}"));
    }
    if is_identity {
        sql.push_str(&format!(" {}", identity(column, values)));
    }
    let not_null = constraints(column).find(|it| values.says(it, "nullable") == Some(false));
    if let Some(constraint) = not_null {
        if let Some(name) = values.get(constraint, "notNullConstraintName") {
            sql.push_str(&format!(" CONSTRAINT {}", values.name(&name)));
        }
        sql.push_str(" NOT NULL");
    }
    Ok(sql)
}

fn table_constraints(change: &Element, values: Values) -> Result<Vec<String>, Missing> {
    let all = || {
        columns(change).flat_map(|column| {
            let name = values.get(column, "name").map(|name| values.name(&name)).unwrap_or_default();
            constraints(column).map(move |constraint| (name.clone(), constraint))
        })
    };
    let mut found = Vec::new();
    let key: Vec<(String, &Element)> = all().filter(|(_, it)| values.is(it, "primaryKey")).collect();
    if let Some((_, first)) = key.first() {
        let given = key.iter().find_map(|(_, it)| values.get(it, "primaryKeyName"));
        let name = given.unwrap_or_else(|| key_name(&values.get(change, "tableName").unwrap_or_default()));
        let columns: Vec<&str> = key.iter().map(|(column, _)| column.as_str()).collect();
        let tablespace = values.get(first, "primaryKeyTablespace");
        let tablespace = tablespace.map(|it| format!(" USING INDEX TABLESPACE {it}")).unwrap_or_default();
        let late = deferral(first, values);
        found.push(format!("CONSTRAINT {} PRIMARY KEY ({}){tablespace}{late}", values.name(&name), columns.join(", ")));
    }
    for (column, constraint) in all() {
        let Some(target) = referenced(constraint, values) else { continue };
        let name = values.name(&values.need(constraint, "foreignKeyName")?);
        let cascade = if values.is(constraint, "deleteCascade") { " ON DELETE CASCADE" } else { "" };
        let late = deferral(constraint, values);
        found.push(format!("CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target}{cascade}{late}"));
    }
    found.extend(uniques(all().filter(|(_, it)| values.is(it, "unique")), values));
    Ok(found)
}

/// Columns whose constraint has one name are one constraint; those without a name come first.
fn uniques<'e>(all: impl Iterator<Item = (String, &'e Element)>, values: Values) -> Vec<String> {
    let mut unnamed = Vec::new();
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    for (column, constraint) in all {
        match values.get(constraint, "uniqueConstraintName") {
            None => unnamed.push(format!("UNIQUE ({column})")),
            Some(name) => match named.iter_mut().find(|(known, _)| *known == name) {
                Some((_, columns)) => columns.push(column),
                None => named.push((name, vec![column])),
            },
        }
    }
    let named = named
        .into_iter()
        .map(|(name, columns)| format!("CONSTRAINT {} UNIQUE ({})", values.name(&name), columns.join(", ")));
    unnamed.into_iter().chain(named).collect()
}

/// PostgreSQL's own name for a table's primary key, cut to 63 bytes.
fn key_name(table: &str) -> String {
    const LONGEST: usize = 58;
    let end = (0..=table.len().min(LONGEST)).rev().find(|at| table.is_char_boundary(*at)).unwrap_or_default();
    format!("{}_pkey", &table[..end])
}

/// What a column's foreign key references: `table(column)`.
pub(super) fn referenced(constraint: &Element, values: Values) -> Option<String> {
    if let Some(target) = values.get(constraint, "references") {
        return Some(target);
    }
    let (table, columns) =
        (values.get(constraint, "referencedTableName")?, values.get(constraint, "referencedColumnNames")?);
    let schema = values.get(constraint, "referencedTableSchemaName");
    Some(format!("{} ({})", values.qualified(schema.as_deref(), &table), values.names(&columns)))
}

pub(super) fn deferral(of: &Element, values: Values) -> String {
    let late = |is: bool, words: &str| if is { words.to_owned() } else { String::new() };
    let deferrable = late(values.is(of, "deferrable"), " DEFERRABLE");
    format!("{deferrable}{}", late(values.is(of, "initiallyDeferred"), " INITIALLY DEFERRED"))
}

pub(super) fn drop(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let cascade = if values.is(change, "cascadeConstraints") { " CASCADE" } else { "" };
    Ok(vec![statement(change, format!("DROP TABLE {}{cascade}", values.table(change)?))])
}

pub(super) fn rename(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (from, to) = (values.object(change, "oldTableName", "schemaName")?, values.need(change, "newTableName")?);
    Ok(vec![statement(change, format!("ALTER TABLE {from} RENAME TO {}", values.name(&to)))])
}

pub(super) fn remarks(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let text = quoting::literal(&values.need(change, "remarks")?);
    Ok(vec![statement(change, format!("COMMENT ON TABLE {} IS {text}", values.table(change)?))])
}
