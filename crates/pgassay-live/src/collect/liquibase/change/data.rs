//! Rows, and SQL as it is written: `InsertDataChange`, `UpdateDataChange`, `DeleteDataChange`, `AddLookupTableChange`,
//! `AbstractSQLChange`.

use super::column::columns;
use super::{Cutting, FileOf, Part, Sql, follows, statement};
use crate::collect::liquibase::tree::Element;
use crate::collect::liquibase::values::{Missing, Values};

/// Columns without a value are left out.
fn given(change: &Element, values: Values) -> Result<Vec<(String, String)>, Missing> {
    let mut found = Vec::new();
    for column in columns(change) {
        let name = values.name(&values.need(column, "name")?);
        found.extend(values.value(column).map(|value| (name, value)));
    }
    Ok(found)
}

pub(super) fn insert(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (names, rows): (Vec<String>, Vec<String>) = given(change, values)?.into_iter().unzip();
    let (table, names, rows) = (values.table(change)?, names.join(", "), rows.join(", "));
    Ok(vec![statement(change, format!("INSERT INTO {table} ({names}) VALUES ({rows})"))])
}

pub(super) fn update(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let sets: Vec<String> =
        given(change, values)?.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let (table, sets) = (values.table(change)?, sets.join(", "));
    Ok(vec![statement(change, format!("UPDATE {table} SET {sets}{}", condition(change, values)))])
}

pub(super) fn delete(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    Ok(vec![statement(change, format!("DELETE FROM {}{}", values.table(change)?, condition(change, values)))])
}

/// `:name` and `:value` stand for the parameters in their order.
fn condition(change: &Element, values: Values) -> String {
    let Some(mut condition) = values.get(change, "where") else { return String::new() };
    for parameter in change.listed("whereParams", "param") {
        if let Some(name) = values.get(parameter, "name") {
            condition = condition.replacen(":name", &values.name(&name), 1);
        }
        if let Some(value) = values.value(parameter) {
            condition = condition.replacen(":value", &value, 1);
        }
    }
    format!(" WHERE {condition}")
}

pub(super) fn add_lookup_table(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = |which: &str| values.need(change, which).map(|name| values.name(&name));
    let old = values.object(change, "existingTableName", "existingTableSchemaName")?;
    let new = values.object(change, "newTableName", "newTableSchemaName")?;
    let (from, to) = (name("existingColumnName")?, name("newColumnName")?);
    let constraint = values.get(change, "constraintName").map(|name| values.name(&name));
    let constraint =
        constraint.unwrap_or_else(|| format!("fk_{}_{}", old.replace(['.', '"'], "_"), new.replace(['.', '"'], "_")));
    Ok(vec![
        statement(
            change,
            format!("CREATE TABLE {new} AS SELECT DISTINCT {from} AS {to} FROM {old} WHERE {from} IS NOT NULL"),
        ),
        follows(change, format!("ALTER TABLE {new} ALTER COLUMN {to} SET NOT NULL")),
        follows(change, format!("ALTER TABLE {new} ADD PRIMARY KEY ({to})")),
        follows(
            change,
            format!("ALTER TABLE {old} ADD CONSTRAINT {constraint} FOREIGN KEY ({from}) REFERENCES {new} ({to})"),
        ),
    ])
}

/// `sql`, `sqlFile`, and routines that are written out.
pub(super) fn sql(change: &Element, values: Values) -> Result<Sql, Missing> {
    if values.get(change, "dbms").is_some_and(|list| !crate::collect::liquibase::is_for_postgresql(&list)) {
        return Ok(Sql::NotHere);
    }
    let is_routine = change.name.starts_with("create");
    let as_one = values.says(change, "splitStatements").map_or(is_routine, |splits| !splits);
    // As it is written: a line's end may be all of it.
    let delimiter = change.child("endDelimiter").and_then(|child| child.text.as_ref()).map(|text| text.value.clone());
    let cutting = Cutting { delimiter, as_one };
    let inner = ["sql", "procedureText", "procedureBody", "functionBody", "triggerBody"];
    let text = change.text.as_ref().or_else(|| inner.iter().find_map(|name| change.child(name)?.text.as_ref()));
    let part = match (text, values.get(change, "path")) {
        (_, Some(path)) => Part::File(FileOf {
            range: change.range.clone(),
            path,
            is_relative: values.is(change, "relativeToChangelogFile"),
            cutting,
        }),
        (Some(text), None) => Part::Written(text.clone(), cutting),
        (None, None) => return Ok(Sql::None),
    };
    Ok(Sql::Parts(vec![part]))
}
