//! Constraints: `AddPrimaryKeyGenerator`, `AddUniqueConstraintGenerator`, `AddForeignKeyConstraintGenerator` and what drops them.

use super::column::not_valid;
use super::table::deferral;
use super::{Part, follows, statement};
use crate::collect::liquibase::tree::Element;
use crate::collect::liquibase::values::{Missing, Values};
use crate::text::quoting;

fn named(change: &Element, values: Values) -> String {
    let name = values.get(change, "constraintName");
    name.map(|name| format!("CONSTRAINT {} ", values.name(&name))).unwrap_or_default()
}

pub(super) fn add_primary_key(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (table, columns) = (values.table(change)?, values.names(&values.need(change, "columnNames")?));
    let name = named(change, values);
    let tablespace = values.get(change, "tablespace").map(|it| format!(" USING INDEX TABLESPACE {it}"));
    let tablespace = tablespace.unwrap_or_default();
    let mut parts =
        vec![statement(change, format!("ALTER TABLE {table} ADD {name}PRIMARY KEY ({columns}){tablespace}"))];
    if let Some(name) = values.get(change, "constraintName").filter(|_| values.is(change, "clustered")) {
        parts.push(follows(change, format!("CLUSTER {table} USING {}", values.name(&name))));
    }
    Ok(parts)
}

/// Without a name, Liquibase looks it up in a DO block.
pub(super) fn drop_primary_key(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let table = values.table(change)?;
    if let Some(name) = values.get(change, "constraintName") {
        return Ok(vec![statement(change, format!("ALTER TABLE {table} DROP CONSTRAINT {}", values.name(&name)))]);
    }
    let schema = values.get(change, "schemaName").unwrap_or_else(|| "public".to_owned());
    let (name, schema) = (quoting::literal(&values.need(change, "tableName")?), quoting::literal(&schema));
    let sql = format!(
        "DO $$ DECLARE constraint_name varchar; BEGIN \
         SELECT tc.constraint_name INTO STRICT constraint_name FROM information_schema.table_constraints tc \
         WHERE constraint_type = 'PRIMARY KEY' AND table_name = {name} AND table_schema = {schema}; \
         EXECUTE 'alter table {table} drop constraint \"' || constraint_name || '\"'; END $$"
    );
    Ok(vec![statement(change, sql)])
}

pub(super) fn add_unique(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let (table, columns) = (values.table(change)?, values.names(&values.need(change, "columnNames")?));
    let name = named(change, values);
    // PostgreSQL's form for an index that is there has no columns; Liquibase writes both, which the server refuses.
    let index = values.get(change, "forIndexName").map(|it| format!(" USING INDEX {}", values.name(&it)));
    let tablespace = values.get(change, "tablespace").map(|it| format!(" USING INDEX TABLESPACE {it}"));
    let (index, tablespace) = (index.unwrap_or_default(), tablespace.unwrap_or_default());
    Ok(vec![statement(change, format!("ALTER TABLE {table} ADD {name}UNIQUE ({columns}){index}{tablespace}"))])
}

pub(super) fn add_foreign_key(change: &Element, values: Values) -> Result<Vec<Part>, Missing> {
    let table = values.object(change, "baseTableName", "baseTableSchemaName")?;
    let target = values.object(change, "referencedTableName", "referencedTableSchemaName")?;
    let name = values.name(&values.need(change, "constraintName")?);
    let columns = values.names(&values.need(change, "baseColumnNames")?);
    let keys = values.names(&values.need(change, "referencedColumnNames")?);
    let action = |which: &str, words: &str| values.get(change, which).map(|it| format!(" {words} {it}"));
    let update = action("onUpdate", "ON UPDATE").unwrap_or_default();
    let cascade = values.is(change, "deleteCascade").then(|| " ON DELETE CASCADE".to_owned());
    let delete = action("onDelete", "ON DELETE").or(cascade).unwrap_or_default();
    let (late, valid) = (deferral(change, values), not_valid(values.says(change, "validate")));
    let sql = format!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target} ({keys}){update}{delete}{late}{valid}"
    );
    Ok(vec![statement(change, sql)])
}

pub(super) fn drop(change: &Element, values: Values, table: &str, schema: &str) -> Result<Vec<Part>, Missing> {
    let table = values.object(change, table, schema)?;
    let name = values.name(&values.need(change, "constraintName")?);
    Ok(vec![statement(change, format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))])
}
