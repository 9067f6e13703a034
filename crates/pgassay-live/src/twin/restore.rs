//! Writing statistics into the twin's catalogs.
//!
//! In all versions the catalogs themselves are written: pg_restore_attribute_stats, which 18 has, leaves out extended statistics
//! and the kinds of slots that extensions make.

use std::collections::BTreeMap;

use super::TwinError;
use super::build::Gap;
use super::extended::{self, Translation};
use crate::db::{planner, server_message};
use crate::facts::planner::{ColumnStatistics, ExtendedStatistics, RelationStatistics, Slot, Statistics};
use crate::shadow::Session;
use crate::text::quoting::literal;

/// Statements that are sent at once.
const BATCH: usize = 200;

pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// Writes everything but the sizes of relations.
pub(super) async fn restore(session: &Session, statistics: &Statistics) -> Result<Vec<Gap>, TwinError> {
    let setup = format!(
        "{}; CREATE CAST (bytea AS pg_ndistinct) WITHOUT FUNCTION; CREATE CAST (bytea AS pg_dependencies) WITHOUT FUNCTION;
         CREATE CAST (bytea AS pg_mcv_list) WITHOUT FUNCTION",
        planner::OUTPUT_SETTINGS
    );
    session.batch_execute(&setup).await.map_err(|error| super::locale::refused("its setup", &error))?;
    let columns = statistics.columns.iter().map(|column| {
        let what = format!("statistics of {}.{}.{}", column.schema, column.relation, column.column);
        (what, insert_column(column))
    });
    let mut gaps = run(session, columns.collect()).await?;
    let translations = Translations::read(session, statistics).await?;
    let extended = statistics.extended.iter().map(|object| {
        (format!("extended statistics {}.{}", object.schema, object.name), translations.insert(session, object))
    });
    let mut statements = Vec::new();
    for (what, statement) in extended {
        match statement.await? {
            Some(statement) => statements.push((what, statement)),
            None => gaps
                .push(Gap { what, reason: "the object is not in the twin, or its data was not understood".to_owned() }),
        }
    }
    let major = session_major(session).await?;
    let statements =
        statements.into_iter().map(|(what, sql)| (what, if major >= 15 { sql.fifteen } else { sql.fourteen }));
    let mut statements: Vec<(String, String)> = statements.collect();
    if major < 15 && !statements.is_empty() {
        // In 14 CREATE STATISTICS leaves an empty row.
        statements.insert(0, ("extended statistics".to_owned(), "DELETE FROM pg_statistic_ext_data".to_owned()));
    }
    gaps.extend(run(session, statements).await?);
    Ok(gaps)
}

async fn session_major(session: &Session) -> Result<u16, TwinError> {
    let row = session.query_one("SELECT current_setting('server_version_num')::int / 10000", &[]).await;
    let major: i32 = row.map_err(|error| super::locale::refused("its version", &error))?.get(0);
    Ok(u16::try_from(major).unwrap_or(u16::MAX))
}

/// Sizes in pg_class: after all DDL, which sets them to zero.
pub(super) async fn sizes<'s>(
    session: &Session,
    relations: impl Iterator<Item = &'s RelationStatistics>,
) -> Result<Vec<Gap>, TwinError> {
    let update = |it: &RelationStatistics| {
        let sql = format!(
            "UPDATE pg_class SET relpages = {}, reltuples = {}, relallvisible = {} WHERE oid = {}::regclass",
            it.pages,
            it.rows,
            it.all_visible_pages,
            literal(&qualified(&it.schema, &it.name))
        );
        (format!("the size of {}.{}", it.schema, it.name), sql)
    };
    run(session, relations.map(update).collect()).await
}

/// Sends statements in batches; those that the twin refuses become gaps.
async fn run(session: &Session, statements: Vec<(String, String)>) -> Result<Vec<Gap>, TwinError> {
    let mut gaps = Vec::new();
    for batch in statements.chunks(BATCH) {
        let together: Vec<&str> = batch.iter().map(|(_, sql)| sql.as_str()).collect();
        if session.batch_execute(&together.join(";\n")).await.is_ok() {
            continue;
        }
        for (what, sql) in batch {
            if let Err(error) = session.batch_execute(sql).await {
                let (code, reason) = server_message(&error);
                if code.is_none() {
                    return Err(super::locale::refused(what, &error));
                }
                gaps.push(Gap { what: what.clone(), reason });
            }
        }
    }
    Ok(gaps)
}

fn insert_column(column: &ColumnStatistics) -> String {
    let relation = literal(&qualified(&column.schema, &column.relation));
    let place = match column.of_index {
        true => format!("a.attnum = {}", column.number),
        false => format!("a.attname = {}", literal(&column.column)),
    };
    format!(
        "INSERT INTO pg_statistic SELECT a.attrelid, a.attnum, {} FROM pg_attribute a
          WHERE a.attrelid = {relation}::regclass AND {place} AND NOT a.attisdropped",
        values(column)
    )
}

/// From stainherit to stavalues5.
fn values(column: &ColumnStatistics) -> String {
    let empty = Slot { operator: "0".to_owned(), collation: "-".to_owned(), ..Slot::default() };
    let slot = |n: usize| column.slots.get(n).unwrap_or(&empty);
    let each = |part: fn(&Slot) -> String| (0..5).map(|n| part(slot(n))).collect::<Vec<_>>().join(", ");
    let numbers = |slot: &Slot| match &slot.numbers {
        Some(numbers) => format!("{}::real[]", literal(numbers)),
        None => "NULL".to_owned(),
    };
    let values = |slot: &Slot| match (&slot.values, &slot.value_type) {
        (Some(values), Some(of)) => format!("array_in({}, {}::regtype, -1)", literal(values), literal(of)),
        _ => "NULL".to_owned(),
    };
    format!(
        "{}, {}::real, {}, {}::real, {}, {}, {}, {}, {}",
        column.inherited,
        column.null_fraction,
        column.width,
        column.distinct,
        each(|slot| slot.kind.to_string()),
        each(|slot| format!("{}::regoperator", literal(&slot.operator))),
        each(|slot| format!("{}::regcollation", literal(&slot.collation))),
        each(numbers),
        each(values)
    )
}

/// An insert for each form of the catalog: 15 added stxdinherit.
struct Insert {
    fourteen: String,
    fifteen: String,
}

/// What the twin's catalog has instead of the database's numbers.
struct Translations {
    types: BTreeMap<u32, u32>,
    enum_labels: BTreeMap<u32, u32>,
}

impl Translations {
    async fn read(session: &Session, statistics: &Statistics) -> Result<Translations, TwinError> {
        let mut translations = Translations { types: BTreeMap::new(), enum_labels: BTreeMap::new() };
        if statistics.types.is_empty() && statistics.enum_labels.is_empty() {
            return Ok(translations);
        }
        let refused = |error: tokio_postgres::Error| super::locale::refused("its types", &error);
        let rows = session.query("SELECT oid, oid::regtype::text FROM pg_type", &[]).await.map_err(refused)?;
        let types: BTreeMap<String, u32> = rows.iter().map(|row| (row.get(1), row.get(0))).collect();
        let sql = "SELECT oid, enumtypid::regtype::text, enumlabel::text FROM pg_enum";
        let rows = session.query(sql, &[]).await.map_err(refused)?;
        let labels: BTreeMap<(String, String), u32> =
            rows.iter().map(|row| ((row.get(1), row.get(2)), row.get(0))).collect();
        let known = |(oid, name): (&u32, &String)| Some((*oid, *types.get(name)?));
        translations.types = statistics.types.iter().filter_map(known).collect();
        let known = |(oid, label): (&u32, &(String, String))| Some((*oid, *labels.get(label)?));
        translations.enum_labels = statistics.enum_labels.iter().filter_map(known).collect();
        Ok(translations)
    }

    async fn insert(&self, session: &Session, object: &ExtendedStatistics) -> Result<Option<Insert>, TwinError> {
        let sql = "SELECT a.attname::text, a.attnum FROM pg_statistic_ext e JOIN pg_attribute a ON a.attrelid = e.stxrelid
                    WHERE e.stxnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND e.stxname = $2 AND a.attnum > 0";
        let rows = session.query(sql, &[&object.schema, &object.name]).await;
        let rows = rows.map_err(|error| super::locale::refused("its extended statistics", &error))?;
        let numbers: BTreeMap<String, i16> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        if numbers.is_empty() {
            return Ok(None);
        }
        let columns = object.columns.iter().filter_map(|(number, name)| Some((*number, *numbers.get(name)?)));
        let translation = Translation {
            columns: columns.collect(),
            types: self.types.clone(),
            enum_labels: self.enum_labels.clone(),
        };
        let bytes = |data: Option<String>, of: &str| match data {
            Some(hex) => format!("'\\x{hex}'::bytea::{of}"),
            None => "NULL".to_owned(),
        };
        let read = |data: &Option<String>, by: fn(&str, &Translation) -> Option<String>| match data {
            Some(hex) => by(hex, &translation).map(Some),
            None => Some(None),
        };
        let (Some(n_distinct), Some(dependencies), Some(most_common)) = (
            read(&object.n_distinct, extended::n_distinct),
            read(&object.dependencies, extended::dependencies),
            read(&object.most_common, extended::most_common),
        ) else {
            return Ok(None);
        };
        let row = |column: &ColumnStatistics| format!("ROW(0, 0, {})::pg_statistic", values(column));
        let expressions = match &object.expressions {
            Some(columns) => format!("ARRAY[{}]", columns.iter().map(row).collect::<Vec<_>>().join(", ")),
            None => "NULL".to_owned(),
        };
        let data = format!(
            "{}, {}, {}, {expressions} FROM pg_statistic_ext WHERE stxname = {} AND stxnamespace = {}::regnamespace",
            bytes(n_distinct, "pg_ndistinct"),
            bytes(dependencies, "pg_dependencies"),
            bytes(most_common, "pg_mcv_list"),
            literal(&object.name),
            literal(&identifier(&object.schema)),
        );
        let into = "INSERT INTO pg_statistic_ext_data SELECT oid";
        Ok(Some(Insert {
            fourteen: format!("{into}, {data}"),
            fifteen: format!("{into}, {}, {data}", object.inherited),
        }))
    }
}
