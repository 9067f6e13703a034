//! A changelog's changes as the SQL that Liquibase sends for them on PostgreSQL.
//!
//! In: a change of a changeset. Out: its statements, each with the element that it comes from. The facts are those of Liquibase's
//! `change/core/*Change.java` (which statements) and `sqlgenerator/core/*Generator.java` (how each is written).

mod column;
mod constraint;
mod data;
mod object;
mod table;

use std::ops::Range;

use super::tree::{Element, Text};
use super::values::{Missing, Values};

/// A part of a change's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Made from an element.
    Made(Range<usize>, String),
    /// Written in the changelog, with how it is cut.
    Written(Text, Cutting),
    /// In a file of its own.
    File(FileOf),
}

/// Where one statement of a text ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cutting {
    pub delimiter: Option<String>,
    /// The text is sent as one string.
    pub as_one: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileOf {
    pub range: Range<usize>,
    pub path: String,
    pub is_relative: bool,
    pub cutting: Cutting,
}

/// What a change comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sql {
    Parts(Vec<Part>),
    /// For another server.
    NotHere,
    /// It has no SQL: what it does is done by Liquibase itself, or not at all.
    None,
    /// What it sends is not known from the changelog.
    Unknown,
}

/// The SQL of a change.
pub(super) fn sql(change: &Element, values: Values) -> Result<Sql, Missing> {
    let parts = match change.name.as_str() {
        "createTable" => table::create(change, values)?,
        "dropTable" => table::drop(change, values)?,
        "renameTable" => table::rename(change, values)?,
        "setTableRemarks" => table::remarks(change, values)?,
        "addColumn" => column::add(change, values)?,
        "dropColumn" => column::drop(change, values)?,
        "renameColumn" => column::rename(change, values)?,
        "modifyDataType" => column::modify(change, values)?,
        "addDefaultValue" => column::add_default(change, values)?,
        "dropDefaultValue" => column::drop_default(change, values)?,
        "addNotNullConstraint" => column::add_not_null(change, values)?,
        "dropNotNullConstraint" => column::drop_not_null(change, values)?,
        "setColumnRemarks" => column::set_remarks(change, values)?,
        "mergeColumns" => column::merge(change, values)?,
        "addAutoIncrement" => column::add_sequence(change, values)?,
        "addPrimaryKey" => constraint::add_primary_key(change, values)?,
        "dropPrimaryKey" => constraint::drop_primary_key(change, values)?,
        "addUniqueConstraint" => constraint::add_unique(change, values)?,
        "addForeignKeyConstraint" => constraint::add_foreign_key(change, values)?,
        "dropUniqueConstraint" => constraint::drop(change, values, "tableName", "schemaName")?,
        "dropForeignKeyConstraint" => constraint::drop(change, values, "baseTableName", "baseTableSchemaName")?,
        "createIndex" => object::create_index(change, values)?,
        "dropIndex" => object::drop_index(change, values)?,
        "createSequence" => object::create_sequence(change, values)?,
        "alterSequence" => object::alter_sequence(change, values)?,
        "dropSequence" => object::drop_sequence(change, values)?,
        "renameSequence" => object::rename_sequence(change, values)?,
        "createView" => object::create_view(change, values)?,
        "dropView" => object::drop_view(change, values)?,
        "renameView" => object::rename_view(change, values)?,
        "insert" => data::insert(change, values)?,
        "update" => data::update(change, values)?,
        "delete" => data::delete(change, values)?,
        "addLookupTable" => data::add_lookup_table(change, values)?,
        "sql" | "createProcedure" | "createFunction" | "createTrigger" | "sqlFile" => return data::sql(change, values),
        "tagDatabase" | "empty" | "output" | "stop" => return Ok(Sql::None),
        _ => return Ok(Sql::Unknown),
    };
    Ok(Sql::Parts(parts))
}

/// A statement that comes from all of a change.
fn statement(change: &Element, sql: String) -> Part {
    Part::Made(change.range.clone(), format!("{sql};\n"))
}

/// One that comes after others of the change.
fn follows(change: &Element, sql: String) -> Part {
    Part::Made(change.range.end..change.range.end, format!("{sql};\n"))
}

/// The name of an element, where it begins.
fn head(element: &Element) -> Range<usize> {
    element.range.start..(element.range.start + element.name.len() + 1).min(element.range.end)
}
