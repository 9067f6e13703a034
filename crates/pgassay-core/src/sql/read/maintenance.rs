//! REINDEX, CLUSTER, VACUUM and ANALYZE.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{Analyze, Change, Cluster, Ident, Name, ObjectName, Reindex, ReindexTarget, Unreadable, Vacuum};

/// What the statements take in parentheses, in any supported version: src/backend/commands/vacuum.c, indexcmds.c and cluster.c.
const VACUUM: &[&str] = &[
    "verbose",
    "skip_locked",
    "buffer_usage_limit",
    "analyze",
    "analyse",
    "freeze",
    "full",
    "disable_page_skipping",
    "index_cleanup",
    "process_main",
    "process_toast",
    "truncate",
    "parallel",
    "skip_database_stats",
    "only_database_stats",
];
const ANALYZE: &[&str] = &["verbose", "skip_locked", "buffer_usage_limit"];
const REINDEX: &[&str] = &["concurrently", "verbose", "tablespace"];
const CLUSTER: &[&str] = &["verbose"];

pub(super) fn reindex(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("REINDEX")?;
    let options = options(reader, "REINDEX", REINDEX)?;
    let tablespace = options.iter().find(|option| option.name == "tablespace").and_then(|option| option.ident.clone());
    let kind = reader.take_any_word(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]);
    let Some(kind) = kind else { return Err(reader.error("INDEX, TABLE, SCHEMA, DATABASE or SYSTEM")) };
    let concurrently = reader.take_word("CONCURRENTLY") || is_on(&options, "concurrently");
    let target = match kind {
        "INDEX" => ReindexTarget::Index(reader.object_name_as("the name of an index")?),
        "TABLE" => ReindexTarget::Table(reader.object_name_as("the name of a table")?),
        "SCHEMA" => ReindexTarget::Schema(reader.ident_as("the name of a schema")?),
        "DATABASE" => ReindexTarget::Database(optional_name(reader)?),
        _ => ReindexTarget::System(optional_name(reader)?),
    };
    Ok(Change::Reindex(Reindex { target, concurrently, tablespace }))
}

fn optional_name(reader: &mut Reader) -> Result<Option<Ident>> {
    if reader.at_end() { Ok(None) } else { reader.ident().map(Some) }
}

pub(super) fn cluster(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CLUSTER")?;
    if options(reader, "CLUSTER", CLUSTER)?.is_empty() {
        reader.take_word("VERBOSE");
    }
    if reader.at_end() {
        return Ok(Change::Cluster(Cluster { table: None, index: None }));
    }
    let name = reader.object_name_as("the name of a table")?;
    if name.schema.is_none() && reader.take_word("ON") {
        // CLUSTER index ON table, as before 8.3.
        let index = Ident { name: name.name, span: name.span };
        let table = reader.object_name_as("the name of a table")?;
        return Ok(Change::Cluster(Cluster { table: Some(table), index: Some(index) }));
    }
    let index = if reader.take_word("USING") { Some(reader.ident_as("the name of an index")?) } else { None };
    Ok(Change::Cluster(Cluster { table: Some(name), index }))
}

pub(super) fn vacuum(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("VACUUM")?;
    let (full, analyze) = if reader.at(&Token::LParen) {
        let options = options(reader, "VACUUM", VACUUM)?;
        (is_on(&options, "full"), is_on(&options, "analyze") || is_on(&options, "analyse"))
    } else {
        let full = reader.take_word("FULL");
        reader.take_word("FREEZE");
        reader.take_word("VERBOSE");
        (full, reader.take_any_word(&["ANALYZE", "ANALYSE"]).is_some())
    };
    let (tables, only) = targets(reader)?;
    Ok(Change::Vacuum(Vacuum { full, analyze, tables, only }))
}

pub(super) fn analyze(reader: &mut Reader) -> Result<Change> {
    if reader.take_any_word(&["ANALYZE", "ANALYSE"]).is_none() {
        return Err(reader.error("ANALYZE"));
    }
    if options(reader, "ANALYZE", ANALYZE)?.is_empty() {
        reader.take_word("VERBOSE");
    }
    let (tables, only) = targets(reader)?;
    Ok(Change::Analyze(Analyze { tables, only }))
}

/// The tables to the end of the statement, each with a list of columns if it wants, which is left out.
fn targets(reader: &mut Reader) -> Result<(Vec<ObjectName>, Vec<bool>)> {
    if reader.at_end() {
        return Ok((Vec::new(), Vec::new()));
    }
    let targets = reader.comma_separated(|reader| {
        let target = reader.relation()?;
        if reader.at(&Token::LParen) {
            reader.parenthesized_idents()?;
        }
        Ok(target)
    })?;
    Ok(targets.into_iter().unzip())
}

/// One of the options in parentheses that the maintenance commands share.
struct MaintenanceOption {
    name: Name,
    on: bool,
    /// The value, where it is a name.
    ident: Option<Ident>,
}

fn options(reader: &mut Reader, statement: &str, known: &[&str]) -> Result<Vec<MaintenanceOption>> {
    if !reader.at(&Token::LParen) {
        return Ok(Vec::new());
    }
    reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            let start = reader.position();
            let option = option(reader)?;
            if !known.contains(&option.name.as_str()) {
                let message = format!("unrecognized {statement} option \"{}\"", option.name);
                return Err(Unreadable::invalid(message, reader.span_from(start)));
            }
            Ok(option)
        })
    })
}

fn option(reader: &mut Reader) -> Result<MaintenanceOption> {
    let name = reader.ident_or_any_keyword()?.name;
    if matches!(reader.peek(), Token::Comma | Token::RParen) {
        return Ok(MaintenanceOption { name, on: true, ident: None });
    }
    if matches!(reader.peek(), Token::Word(_)) {
        let value = reader.ident_or_any_keyword()?;
        return Ok(MaintenanceOption { name, on: !is_false(value.name.as_str()), ident: Some(value) });
    }
    if let Ok(value) = reader.string_literal() {
        return Ok(MaintenanceOption { name, on: !is_false(&value), ident: None });
    }
    let value = reader.number()?;
    Ok(MaintenanceOption { name, on: value != 0.0, ident: None })
}

/// What `defGetBoolean` takes for false (src/backend/commands/define.c).
fn is_false(value: &str) -> bool {
    value.eq_ignore_ascii_case("false") || value.eq_ignore_ascii_case("off")
}

/// The last one of the name counts.
fn is_on(options: &[MaintenanceOption], name: &str) -> bool {
    options.iter().rev().find(|option| option.name == name).is_some_and(|option| option.on)
}
