//! A database in a file: its DDL, facts, workload and applied migrations, for runs without a login.
//!
//! The file is gzipped JSON with a header that names its format and version, so that `zcat FILE | jq .` shows all that it holds. Column
//! values are in it only where someone asked for them, and never those of columns that may hold personal data.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::applied::AppliedMigrations;
use super::{DbError, Reading};
use crate::area::{Area, Areas};
use crate::change::{Name, QualifiedName};
use crate::facts::{ColumnFacts, Facts, Samples, Workload};
use crate::text::words;

/// What the header says.
const FORMAT: &str = "pgassay snapshot";

/// Raised with every change that an older pgassay would misread.
pub const VERSION: u32 = 1;

/// A larger file is not a snapshot of a schema; a small file may claim to be one when unpacked.
const LARGEST: u64 = 4 << 30;

#[derive(Serialize)]
struct Written<'r> {
    format: &'static str,
    version: u32,
    /// The version of pgassay that wrote it.
    written_by: &'static str,
    with_values: bool,
    ddl: &'r str,
    facts: &'r Facts,
    workload: &'r Workload,
    applied: &'r [AppliedMigrations],
    planner: Option<crate::facts::planner::Statistics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<Samples>,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
struct Body {
    ddl: String,
    facts: Facts,
    workload: Workload,
    applied: Vec<AppliedMigrations>,
    /// Snapshots of earlier versions have none.
    #[serde(default)]
    planner: Option<crate::facts::planner::Statistics>,
    #[serde(default)]
    samples: Option<Samples>,
}

/// Writes a snapshot; a file that is there is replaced, whole or not at all. `with_values` keeps the values of columns that are not
/// personal; otherwise none are written.
///
/// # Errors
/// [`DbError::Snapshot`] if the file cannot be written.
pub fn write(path: &Path, reading: Reading, with_values: bool, areas: &Areas) -> Result<(), DbError> {
    let Reading { ddl, mut facts, workload, applied, mut planner, samples } = reading;
    let keeps =
        |table: &QualifiedName, column: &str| with_values && !words::may_be_personal(column) && !is_area(areas, table);
    leave_out_values(&mut facts, &keeps);
    if let Some(statistics) = &mut planner {
        statistics.leave_out_values(|table, column| keeps(table, column), |object| table_of(&facts, object));
    }
    let samples = samples.map(|samples| samples.for_snapshot(|table| is_area(areas, table), keeps));
    let written = Written {
        format: FORMAT,
        version: VERSION,
        written_by: env!("CARGO_PKG_VERSION"),
        with_values,
        ddl: &ddl,
        facts: &facts,
        workload: &workload,
        applied: &applied,
        planner,
        samples,
    };
    let failed = |message: String| DbError::Snapshot { path: path.to_owned(), message };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    // JSON comes in pieces of a few bytes, and each costs the encoder as much as a large one.
    let mut writer = BufWriter::with_capacity(1 << 16, GzEncoder::new(file, Compression::fast()));
    serde_json::to_writer(&mut writer, &written).map_err(|error| failed(error.to_string()))?;
    let encoder = writer.into_inner().map_err(|error| error.into_error());
    let file = encoder.and_then(GzEncoder::finish);
    let file = file.map_err(|error| failed(error.to_string()))?;
    file.persist(path).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// Reads a snapshot.
///
/// # Errors
/// [`DbError::Snapshot`] if it cannot be read, is none, or is of a later format.
pub fn read(path: &Path) -> Result<Reading, DbError> {
    let failed = |message: String| DbError::Snapshot { path: path.to_owned(), message };
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut text = String::new();
    let mut decoder = GzDecoder::new(BufReader::new(file)).take(LARGEST);
    decoder.read_to_string(&mut text).map_err(|error| failed(format!("this is no snapshot: {error}")))?;
    let header: Header =
        serde_json::from_str(&text).map_err(|error| failed(format!("this is no snapshot: {error}")))?;
    if header.format != FORMAT {
        return Err(failed("this is no snapshot of pgassay".to_owned()));
    }
    if header.version > VERSION {
        let message = format!(
            "the snapshot has format {}, and this pgassay knows up to {VERSION}: use a newer one, or write the snapshot again",
            header.version
        );
        return Err(failed(message));
    }
    let Body { ddl, facts, workload, applied, planner, samples } =
        serde_json::from_str(&text).map_err(|error| failed(format!("the snapshot is damaged: {error}")))?;
    Ok(Reading { ddl, facts, workload, applied, planner, samples })
}

/// Whether a table is in the area of personal data; it can be in several areas.
fn is_area(areas: &Areas, table: &QualifiedName) -> bool {
    let personal = areas.patterns.iter().filter(|(area, _)| *area == Area::PersonalData);
    personal.flat_map(|(_, patterns)| &patterns.value).any(|pattern| pattern.matches(table))
}

/// The table of extended statistics.
fn table_of(facts: &Facts, object: &crate::facts::planner::ExtendedStatistics) -> Option<QualifiedName> {
    let name = QualifiedName::new(object.schema.as_str(), object.name.as_str());
    facts.statistics.get(&name).map(|statistics| statistics.table.clone())
}

/// Takes out the values of columns; shares and counts stay.
fn leave_out_values(facts: &mut Facts, keeps: &impl Fn(&QualifiedName, &str) -> bool) {
    let strip = |table: &QualifiedName, columns: &mut BTreeMap<Name, ColumnFacts>| {
        columns.iter_mut().filter(|(name, _)| !keeps(table, name.as_str())).for_each(|(_, column)| leave_out(column));
    };
    for (table, relation) in &mut facts.relations {
        strip(table, &mut relation.columns);
        strip(table, &mut relation.inherited_columns);
    }
    for index in facts.indexes.values_mut() {
        // The name of an expression's column says little of what it is made of.
        index.columns.values_mut().for_each(leave_out);
    }
    for statistics in facts.statistics.values_mut() {
        if let Some(data) = &mut statistics.data {
            // Values of several columns at once.
            data.most_common = None;
            data.expressions = None;
        }
    }
}

fn leave_out(column: &mut ColumnFacts) {
    let values = column.most_common_values.take().is_some() | column.histogram.take().is_some();
    let elements = column.elements.as_mut().and_then(|elements| elements.most_common.take()).is_some();
    let range = column
        .range
        .as_mut()
        .is_some_and(|range| range.length_histogram.take().is_some() | range.bounds_histogram.take().is_some());
    column.values_left_out |= values | elements | range;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_read_word_by_word() {
        for personal in [
            "email",
            "customer_email",
            "firstName",
            "FIRST_NAME",
            "phone2",
            "api_keys",
            "ip",
            "userAgent",
            "date_of_birth",
        ] {
            assert!(words::may_be_personal(personal), "{personal}");
        }
        for other in ["status", "created_at", "quantity", "shipped", "zippered", "kind", "currency", "total_cents"] {
            assert!(!words::may_be_personal(other), "{other}");
        }
    }
}
