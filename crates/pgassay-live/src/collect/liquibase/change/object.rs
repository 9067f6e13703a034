//! Indexes, sequences and views: `CreateIndexGeneratorPostgres`, `CreateSequenceGenerator`, `CreateViewGenerator` and their kin.

use super::column::columns;
use super::{Cutting, FileOf, Part, follows, head, statement};
use crate::collect::liquibase::tree::Element;
use crate::collect::liquibase::values::{Missing, Values};

pub(super) fn create_index(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    // An index that a constraint makes is not made again.
    let associated = values.get(change, "associatedWith").unwrap_or_default();
    if ["primaryKey", "uniqueConstraint", "foreignKey"].iter().any(|kind| associated.contains(kind)) {
        return Ok(Vec::new());
    }
    let table = values.table(change)?;
    let unique = if values.is(change, "unique") { "UNIQUE " } else { "" };
    let name = values.get(change, "indexName").map(|name| format!("{} ", values.name(&name))).unwrap_or_default();
    let using = values.get(change, "using").map(|method| format!(" USING {method}")).unwrap_or_default();
    let mut keys = Vec::new();
    for column in columns(change) {
        let descending = if values.is(column, "descending") { " DESC" } else { "" };
        keys.push(format!("{}{descending}", values.column_or_expression(column)?));
    }
    if keys.is_empty() {
        return Err(Missing("has no column".to_owned()));
    }
    let tablespace = values.get(change, "tablespace").map(|it| format!(" TABLESPACE {it}")).unwrap_or_default();
    let keys = keys.join(", ");
    let mut parts =
        vec![statement(change, format!("CREATE {unique}INDEX {name}ON {table}{using}({keys}){tablespace}"))];
    if values.is(change, "clustered") {
        parts.push(follows(change, format!("CLUSTER {table} USING {name}")));
    }
    Ok(parts)
}

pub(super) fn drop_index(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    Ok(vec![statement(change, format!("DROP INDEX {}", values.object(change, "indexName", "schemaName")?))])
}

pub(super) fn create_sequence(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = values.object(change, "sequenceName", "schemaName")?;
    let kind = values.get(change, "dataType").map(|kind| format!(" AS {kind}")).unwrap_or_default();
    let options = sequence_options(change, values);
    Ok(vec![statement(change, format!("CREATE SEQUENCE IF NOT EXISTS {name}{kind}{options}"))])
}

pub(super) fn alter_sequence(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = values.object(change, "sequenceName", "schemaName")?;
    Ok(vec![statement(change, format!("ALTER SEQUENCE {name}{}", sequence_options(change, values)))])
}

fn sequence_options(change: &Element, values: Values) -> String {
    let words = [
        ("startValue", "START WITH"),
        ("incrementBy", "INCREMENT BY"),
        ("minValue", "MINVALUE"),
        ("maxValue", "MAXVALUE"),
        ("cacheSize", "CACHE"),
    ];
    let option = |(name, words): (&str, &str)| values.get(change, name).map(|value| format!(" {words} {value}"));
    let mut options: String = words.into_iter().filter_map(option).collect();
    match values.says(change, "cycle") {
        Some(true) => options.push_str(" CYCLE"),
        Some(false) => options.push_str(" NO CYCLE"),
        None => {}
    }
    options
}

/// With CASCADE, always (`DropSequenceGenerator`).
pub(super) fn drop_sequence(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let name = values.object(change, "sequenceName", "schemaName")?;
    Ok(vec![statement(change, format!("DROP SEQUENCE {name} CASCADE"))])
}

pub(super) fn rename_sequence(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let from = values.object(change, "oldSequenceName", "schemaName")?;
    let to = values.name(&values.need(change, "newSequenceName")?);
    Ok(vec![statement(change, format!("ALTER SEQUENCE {from} RENAME TO {to}"))])
}

pub(super) fn create_view(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let mut parts = Vec::new();
    if !values.is(change, "fullDefinition") {
        let replace = if values.is(change, "replaceIfExists") { "OR REPLACE " } else { "" };
        let name = values.object(change, "viewName", "schemaName")?;
        parts.push(Part::Made(head(change), format!("CREATE {replace}VIEW {name} AS ")));
    }
    let cutting = Cutting { as_one: true, ..Cutting::default() };
    let query = change.text.as_ref().or_else(|| change.child("selectQuery")?.text.as_ref());
    match (query, values.get(change, "path")) {
        (Some(query), _) => parts.push(Part::Written(query.clone(), cutting)),
        (None, Some(path)) => parts.push(Part::File(FileOf {
            range: change.range.clone(),
            path,
            is_relative: values.is(change, "relativeToChangelogFile"),
            cutting,
        })),
        (None, None) => return Err(Missing("has no query".to_owned())),
    }
    Ok(parts)
}

pub(super) fn drop_view(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let guard = if values.is(change, "ifExists") { "IF EXISTS " } else { "" };
    Ok(vec![statement(change, format!("DROP VIEW {guard}{}", values.object(change, "viewName", "schemaName")?))])
}

pub(super) fn rename_view(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let from = values.object(change, "oldViewName", "schemaName")?;
    let to = values.name(&values.need(change, "newViewName")?);
    Ok(vec![statement(change, format!("ALTER TABLE {from} RENAME TO {to}"))])
}
