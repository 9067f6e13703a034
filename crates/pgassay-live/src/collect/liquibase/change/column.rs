//! Columns: `AddColumnChange`, `DropColumnGenerator`, `ModifyDataTypeGenerator`, `SetNullableGenerator`, `AddDefaultValueGenerator` and
//! their kin.

use super::table::{deferral, referenced};
use super::{Part, follows, statement};
use crate::collect::liquibase::data_type::{Kind, data_type};
use crate::collect::liquibase::tree::Element;
use crate::collect::liquibase::values::{Missing, Values};
use crate::text::quoting;

pub(super) fn columns(change: &Element) -> impl Iterator<Item = &Element> {
    change.listed("columns", "column")
}

pub(super) fn constraints(column: &Element) -> impl Iterator<Item = &Element> {
    column.children.iter().filter(|child| child.name == "constraints")
}

/// `AbstractJdbcDatabase.getAutoIncrementClause`, from PostgreSQL 10 on.
pub(super) fn identity(of: &Element, values: Values) -> String {
    let kind = values.get(of, "generationType").unwrap_or_else(|| "BY DEFAULT".to_owned());
    let start = values.get(of, "startWith").filter(|it| it != "1").map(|it| format!("START WITH {it}"));
    let step = values.get(of, "incrementBy").filter(|it| it != "1").map(|it| format!("INCREMENT BY {it}"));
    let options: Vec<String> = start.into_iter().chain(step).collect();
    let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(" ")) };
    format!("GENERATED {kind} AS IDENTITY{options}")
}

/// One ALTER TABLE for each column with its constraints; then values, NOT NULL of the columns that got one, and comments.
pub(super) fn add(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let table = values.table(change)?;
    let mut parts = Vec::new();
    for column in columns(change) {
        let mut sql = format!("ALTER TABLE {table} ADD {};\n", definition(column, values)?);
        for constraint in added_constraints(column, &table, values)? {
            sql.push_str(&format!("{constraint};\n"));
        }
        parts.push(Part::Made(column.range.clone(), sql));
    }
    if parts.is_empty() {
        return Err(Missing("has no column".to_owned()));
    }
    let named = |column: &Element| values.need(column, "name").map(|name| values.name(&name));
    for column in columns(change) {
        if let Some(value) = values.value(column) {
            parts.push(follows(change, format!("UPDATE {table} SET {} = {value}", named(column)?)));
        }
    }
    for column in columns(change).filter(|column| values.value(column).is_some()) {
        if constraints(column).any(|it| values.says(it, "nullable") == Some(false)) {
            parts.push(follows(change, format!("ALTER TABLE {table} ALTER COLUMN {} SET NOT NULL", named(column)?)));
        }
    }
    for column in columns(change) {
        if let Some(text) = values.get(column, "remarks") {
            parts.push(follows(
                change,
                format!("COMMENT ON COLUMN {table}.{} IS {}", named(column)?, quoting::literal(&text)),
            ));
        }
    }
    Ok(parts)
}

fn definition(column: &Element, values: Values) -> Result<String, Missing> {
    let name = values.name(&values.need(column, "name")?);
    let found = data_type(&values.need(column, "type")?);
    let mut sql = format!("{name} {}", found.sql);
    if values.is(column, "autoIncrement") {
        sql.push_str(&format!(" {}", identity(column, values)));
    }
    if let Some(default) = values.default(column, found.kind) {
        let word = if default.starts_with("GENERATED ALWAYS ") { "" } else { "DEFAULT " };
        sql.push_str(&format!(" {word}{default}"));
    }
    // A column that gets values is NOT NULL only after them.
    for constraint in constraints(column).filter(|_| values.value(column).is_none()) {
        if values.says(constraint, "nullable") == Some(false) {
            if let Some(name) = values.get(constraint, "notNullConstraintName") {
                sql.push_str(&format!(" CONSTRAINT {}", values.name(&name)));
            }
            sql.push_str(" NOT NULL");
        }
    }
    if constraints(column).any(|it| values.is(it, "primaryKey")) {
        sql.push_str(" PRIMARY KEY");
    }
    Ok(sql)
}

fn added_constraints(column: &Element, table: &str, values: Values) -> Result<Vec<String>, Missing> {
    let name = values.name(&values.need(column, "name")?);
    let mut found = Vec::new();
    for constraint in constraints(column) {
        if values.is(constraint, "unique") {
            let own = values.get(constraint, "uniqueConstraintName");
            let own = own.map(|own| format!("CONSTRAINT {} ", values.name(&own))).unwrap_or_default();
            found.push(format!("ALTER TABLE {table} ADD {own}UNIQUE ({name})"));
        }
        if let Some(target) = referenced(constraint, values) {
            let own = values.name(&values.need(constraint, "foreignKeyName")?);
            let cascade = if values.is(constraint, "deleteCascade") { " ON DELETE CASCADE" } else { "" };
            let valid = not_valid(values.says(constraint, "validateForeignKey"));
            let late = deferral(constraint, values);
            found.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {own} FOREIGN KEY ({name}) REFERENCES {target}{cascade}{late}{valid}"
            ));
        }
    }
    Ok(found)
}

/// `validate="false"` on a foreign key.
pub(super) fn not_valid(validates: Option<bool>) -> &'static str {
    if validates == Some(false) { " NOT VALID" } else { "" }
}

/// One ALTER TABLE for each column.
pub(super) fn drop(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let table = values.table(change)?;
    if let Some(name) = values.get(change, "columnName") {
        return Ok(vec![statement(change, format!("ALTER TABLE {table} DROP COLUMN {}", values.name(&name)))]);
    }
    let mut parts = Vec::new();
    for column in columns(change) {
        let name = values.name(&values.need(column, "name")?);
        parts.push(Part::Made(column.range.clone(), format!("ALTER TABLE {table} DROP COLUMN {name};\n")));
    }
    match parts.is_empty() {
        true => Err(Missing("has no columnName".to_owned())),
        false => Ok(parts),
    }
}

fn alter(change: &Element, values: Values, what: impl Fn(&str) -> String) -> Result<Part, Missing> {
    let name = values.name(&values.need(change, "columnName")?);
    let action = what(&name);
    Ok(statement(change, format!("ALTER TABLE {} ALTER COLUMN {name} {action}", values.table(change)?)))
}

pub(super) fn rename(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = |which: &str| values.need(change, which).map(|name| values.name(&name));
    let (table, from, to) = (values.table(change)?, name("oldColumnName")?, name("newColumnName")?);
    Ok(vec![statement(change, format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"))])
}

pub(super) fn modify(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let new = data_type(&values.need(change, "newDataType")?).sql;
    Ok(vec![alter(change, values, |name| format!("TYPE {new} USING ({name}::{new})"))?])
}

pub(super) fn add_default(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let kind = values.get(change, "columnDataType").map_or(Kind::Other, |described| data_type(&described).kind);
    let default = values.default(change, kind).ok_or_else(|| Missing("has no defaultValue".to_owned()))?;
    let mut parts = vec![alter(change, values, |_| format!("SET DEFAULT {default}"))?];
    if let Some(sequence) = values.get(change, "defaultValueSequenceNext") {
        let column = values.name(&values.need(change, "columnName")?);
        let table = values.table(change)?;
        parts.push(follows(change, format!("ALTER SEQUENCE {} OWNED BY {table}.{column}", values.name(&sequence))));
    }
    Ok(parts)
}

pub(super) fn drop_default(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    Ok(vec![alter(change, values, |_| "DROP DEFAULT".to_owned())?])
}

/// `defaultNullValue` fills the rows that have none.
pub(super) fn add_not_null(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let mut parts = Vec::new();
    if let Some(value) = values.get(change, "defaultNullValue").filter(|value| !value.eq_ignore_ascii_case("null")) {
        let kind = values.get(change, "columnDataType").map_or(Kind::Other, |described| data_type(&described).kind);
        let value = match kind {
            Kind::Number | Kind::Boolean => value,
            _ => quoting::literal(&value),
        };
        let name = values.name(&values.need(change, "columnName")?);
        let table = values.table(change)?;
        parts.push(statement(change, format!("UPDATE {table} SET {name} = {value} WHERE {name} IS NULL")));
    }
    let set = alter(change, values, |_| "SET NOT NULL".to_owned())?;
    parts.push(match set {
        Part::Made(range, sql) if !parts.is_empty() => Part::Made(range.end..range.end, sql),
        set => set,
    });
    Ok(parts)
}

pub(super) fn drop_not_null(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    Ok(vec![alter(change, values, |_| "DROP NOT NULL".to_owned())?])
}

pub(super) fn set_remarks(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (name, text) =
        (values.name(&values.need(change, "columnName")?), quoting::literal(&values.need(change, "remarks")?));
    Ok(vec![statement(change, format!("COMMENT ON COLUMN {}.{name} IS {text}", values.table(change)?))])
}

pub(super) fn merge(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = |which: &str| values.need(change, which).map(|name| values.name(&name));
    let table = values.table(change)?;
    let (one, two, merged) = (name("column1Name")?, name("column2Name")?, name("finalColumnName")?);
    let kind = data_type(&values.need(change, "finalColumnType")?).sql;
    let between = quoting::literal(&values.whole(change, "joinString").unwrap_or_default());
    Ok(vec![
        statement(change, format!("ALTER TABLE {table} ADD {merged} {kind}")),
        follows(change, format!("UPDATE {table} SET {merged} = {one} || {between} || {two}")),
        follows(change, format!("ALTER TABLE {table} DROP COLUMN {one}")),
        follows(change, format!("ALTER TABLE {table} DROP COLUMN {two}")),
    ])
}

/// On PostgreSQL a sequence that the column owns, not an identity (`AddAutoIncrementChange`).
pub(super) fn add_sequence(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (table, column) = (values.need(change, "tableName")?, values.need(change, "columnName")?);
    let own = values.qualified(values.get(change, "schemaName").as_deref(), &format!("{table}_{column}_seq"));
    let option = |name: &str, words: &str| values.get(change, name).map(|value| format!(" {words} {value}"));
    let start = option("startWith", "START WITH").unwrap_or_default();
    let step = option("incrementBy", "INCREMENT BY").unwrap_or_default();
    let next = format!("SET DEFAULT nextval({})", quoting::literal(&own));
    let (table, column) = (values.table(change)?, values.name(&column));
    Ok(vec![
        statement(change, format!("CREATE SEQUENCE IF NOT EXISTS {own}{start}{step}")),
        follows(change, format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")),
        follows(change, format!("ALTER TABLE {table} ALTER COLUMN {column} {next}")),
        follows(change, format!("ALTER SEQUENCE {own} OWNED BY {table}.{column}")),
    ])
}
