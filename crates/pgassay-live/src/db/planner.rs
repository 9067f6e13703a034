//! Reading, from a live database, what its planner knows. Only SELECTs; nothing is set but for the session.

use serde::de::DeserializeOwned;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Session, server_message};
use crate::facts::planner::{ColumnStatistics, ExtendedStatistics, Locale, RelationStatistics, Statistics};

/// What can go wrong while a planner's knowledge is read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error("{part} could not be read from the database: {message}")]
    Refused { part: &'static str, code: Option<String>, message: String },

    #[error("the server's answer about {part} was not understood: {message}")]
    Answer { part: &'static str, message: String },
}

impl CaptureError {
    /// The SQLSTATE, where a server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            CaptureError::Refused { code, .. } => code.as_deref(),
            CaptureError::Answer { .. } => None,
        }
    }
}

/// A session on the database that is read. Every query returns one column of text.
pub trait Source {
    /// The rows of a query.
    ///
    /// # Errors
    /// [`CaptureError::Refused`] if the server refuses it.
    fn rows(&self, part: &'static str, sql: &str) -> impl Future<Output = Result<Vec<String>, CaptureError>>;
}

impl Source for Client {
    async fn rows(&self, part: &'static str, sql: &str) -> Result<Vec<String>, CaptureError> {
        let answer = self.simple_query(sql).await.map_err(|error| {
            let (code, message) = server_message(&error);
            CaptureError::Refused { part, code, message }
        })?;
        let text = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(answer.into_iter().filter_map(text).collect())
    }
}

impl Source for Session {
    async fn rows(&self, part: &'static str, sql: &str) -> Result<Vec<String>, CaptureError> {
        let mut rows = Vec::new();
        let result = self.each(part, sql, None, |row| {
            rows.extend(row.get::<Option<String>>(0)?);
            Ok(())
        });
        match result.await {
            Ok(()) => Ok(rows),
            Err(error) => {
                Err(CaptureError::Refused { part, code: error.code().map(str::to_owned), message: error.to_string() })
            }
        }
    }
}

/// Settings that change plans without being in pg_settings' category of the planner's own.
const OTHER_SETTINGS: &str = "'work_mem', 'hash_mem_multiplier', 'max_parallel_workers_per_gather', 'max_parallel_workers', \
     'effective_io_concurrency', 'temp_buffers', 'xmlbinary', 'array_nulls', 'TimeZone', 'default_text_search_config', 'search_path'";

/// Values must be printed the same on both sides; names with their schema.
pub const OUTPUT_SETTINGS: &str = "SELECT set_config('search_path', 'pg_catalog, pg_temp', false), set_config('DateStyle', 'ISO, MDY', false), \
     set_config('IntervalStyle', 'postgres', false), set_config('extra_float_digits', '3', false), \
     set_config('bytea_output', 'hex', false), set_config('quote_all_identifiers', 'off', false)";

const USER_SCHEMAS: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Reads all that the planner of this database looks at.
///
/// A superuser, or a member of pg_read_all_data, sees everything; heights of B-trees and the head of GIN indexes only the former. What
/// the role may not read is named in [`Statistics::unread`].
///
/// # Errors
/// [`CaptureError::Refused`] if the database refuses a query, [`CaptureError::Answer`] if its answer is not understood.
pub async fn capture(source: &impl Source) -> Result<Statistics, CaptureError> {
    source.rows("settings of the session", OUTPUT_SETTINGS).await?;
    let server: Server = one(source, "the server", SERVER).await?;
    let mut statistics = Statistics {
        version_number: server.version_number,
        block_size: server.block_size,
        locale: server.locale,
        ..Statistics::default()
    };
    let settings = format!(
        "SELECT json_build_array(name, reset_val)::text FROM pg_settings
          WHERE (category LIKE 'Query Tuning%' OR name IN ({OTHER_SETTINGS})) AND context <> 'internal'"
    );
    statistics.settings = all::<(String, String)>(source, "settings", &settings).await?.into_iter().collect();
    statistics.relations = all::<RelationStatistics>(source, "relations", &relations(server.reads_files)).await?;
    if !server.reads_files {
        statistics.unread.push(
            "heads of indexes, which only a superuser can read: heights of B-trees are estimated, GIN indexes are taken as average".to_owned(),
        );
    }
    if server.tablespace_costs {
        statistics.unread.push("costs of tablespaces (ALTER TABLESPACE … SET): the twin has one tablespace".to_owned());
    }
    if server.reads_statistics {
        statistics.columns = all::<ColumnStatistics>(source, "pg_statistic", &columns()).await?;
        statistics.extended =
            all::<ExtendedStatistics>(source, "pg_statistic_ext_data", &extended(server.version_number)).await?;
    } else {
        statistics.unread.push(
            "statistics of columns: GRANT pg_read_all_data would let the role read them; plans of the twin are guesses without".to_owned(),
        );
    }
    if statistics.extended.iter().any(|it| it.most_common.is_some()) {
        statistics.types = all::<(u32, String)>(source, "types", TYPES).await?.into_iter().collect();
        let labels = all::<(u32, String, String)>(source, "enums", ENUM_LABELS).await?;
        statistics.enum_labels = labels.into_iter().map(|(oid, name, label)| (oid, (name, label))).collect();
    }
    Ok(statistics)
}

async fn all<T: DeserializeOwned>(source: &impl Source, part: &'static str, sql: &str) -> Result<Vec<T>, CaptureError> {
    let rows = source.rows(part, sql).await?;
    let read = |text: &String| {
        serde_json::from_str(text).map_err(|error| CaptureError::Answer { part, message: error.to_string() })
    };
    rows.iter().map(read).collect()
}

async fn one<T: DeserializeOwned>(source: &impl Source, part: &'static str, sql: &str) -> Result<T, CaptureError> {
    let mut rows = all(source, part, sql).await?;
    rows.pop().ok_or_else(|| CaptureError::Answer { part, message: "no row".to_owned() })
}

#[derive(serde::Deserialize)]
struct Server {
    version_number: u32,
    block_size: u32,
    locale: Locale,
    reads_files: bool,
    reads_statistics: bool,
    tablespace_costs: bool,
}

// datlocprovider came with 15, and its locale has had three names: the row is read as JSON.
const SERVER: &str = "
SELECT json_build_object(
    'version_number', current_setting('server_version_num')::int, 'block_size', current_setting('block_size')::int,
    'locale', json_build_object(
        'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
        'provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
        'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')),
    'reads_files', has_function_privilege('pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE')
        AND pg_has_role('pg_read_server_files', 'USAGE'),
    'reads_statistics', has_table_privilege('pg_statistic', 'SELECT') AND has_table_privilege('pg_statistic_ext_data', 'SELECT'),
    'tablespace_costs', EXISTS (SELECT FROM pg_tablespace WHERE spcoptions IS NOT NULL))::text
  FROM pg_database d WHERE d.datname = current_database()";

/// The size of a relation that another session has locked cannot be asked for without waiting.
fn relations(reads_files: bool) -> String {
    let metapage = match reads_files {
        true => {
            "CASE WHEN am.amname IN ('btree', 'gin') AND c.relkind = 'i'
                      THEN encode(pg_read_binary_file(pg_relation_filepath(c.oid), 0, 88, true), 'hex') END"
        }
        false => "NULL::text",
    };
    format!(
        "WITH locked AS MATERIALIZED (
             SELECT l.relation FROM pg_locks l
              WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
         SELECT row_to_json(q)::text FROM (
             SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, am.amname AS access_method,
                    c.relpages AS pages, c.reltuples AS rows, c.relallvisible AS all_visible_pages,
                    CASE WHEN c.relkind IN ('p', 'I') THEN 0
                         WHEN c.oid IN (SELECT relation FROM locked) OR i.indrelid IN (SELECT relation FROM locked) THEN c.relpages
                         ELSE coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int END AS blocks,
                    (SELECT json_agg(json_build_object('column', t.attname, 'length', k.attlen) ORDER BY k.attnum)
                       FROM pg_attribute k
                       LEFT JOIN pg_attribute t
                         ON t.attrelid = i.indrelid AND t.attnum = i.indkey[k.attnum - 1] AND t.attnum > 0
                      WHERE k.attrelid = i.indexrelid AND k.attnum <= i.indnkeyatts) AS keys,
                    (SELECT relname FROM pg_class WHERE oid = i.indrelid) AS table,
                    {metapage} AS metapage
               FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
               LEFT JOIN pg_am am ON am.oid = c.relam
               LEFT JOIN pg_index i ON i.indexrelid = c.oid
              WHERE c.relkind IN ('r', 'm', 'p', 'i', 'I') AND c.relpersistence <> 't' AND {USER_SCHEMAS}
              ORDER BY 1, 2) q"
    )
}

/// The slots of a row of pg_statistic `s`; `$type` is the element type of values, by the kind of the slot `$n`.
fn slots(value_type: impl Fn(usize) -> String) -> String {
    let slot = |n: usize| {
        format!(
            "json_build_object('kind', s.stakind{n}, 'operator', s.staop{n}::regoperator, 'collation', s.stacoll{n}::regcollation,
                 'numbers', s.stanumbers{n}::text, 'values', s.stavalues{n}::text,
                 'value_type', CASE WHEN s.stavalues{n} IS NOT NULL THEN ({})::regtype END)",
            value_type(n)
        )
    };
    format!("json_build_array({})", (1..=5).map(slot).collect::<Vec<_>>().join(", "))
}

/// Values of a slot are of the column's type, but for elements of arrays and words of tsvector (kind 4), lengths of ranges (kind 6)
/// and bounds of multiranges (kind 7): pg_statistic.h.
fn columns() -> String {
    let slots = slots(|n| {
        format!(
            "CASE s.stakind{n}
                 WHEN 4 THEN coalesce(nullif(t.typelem, 0), 'text'::regtype)
                 WHEN 6 THEN 'float8'::regtype
                 WHEN 7 THEN coalesce(r.rngtypid, b.base)
                 ELSE b.base END"
        )
    });
    format!(
        "WITH RECURSIVE base(oid, base) AS (
             SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
             UNION ALL
             SELECT d.oid, b.base FROM pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd')
         SELECT row_to_json(q)::text FROM (
             SELECT n.nspname AS schema, c.relname AS relation, a.attname AS column, a.attnum AS number,
                    c.relkind IN ('i', 'I') AS of_index, s.stainherit AS inherited, s.stanullfrac AS null_fraction,
                    s.stawidth AS width, s.stadistinct AS distinct, {slots} AS slots
               FROM pg_statistic s
               JOIN pg_class c ON c.oid = s.starelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum AND NOT a.attisdropped
               JOIN base b ON b.oid = a.atttypid
               JOIN pg_type t ON t.oid = b.base
               LEFT JOIN pg_range r ON r.rngmultitypid = b.base
              WHERE {USER_SCHEMAS} AND c.relpersistence <> 't'
              ORDER BY 1, 2, 4, 6) q"
    )
}

/// The catalog does not keep the type of an expression: that of the slot's operator tells.
fn extended(version_number: u32) -> String {
    let inherited = if version_number >= 150_000 { "d.stxdinherit" } else { "false" };
    let operand = |n: usize| {
        format!(
            "SELECT CASE WHEN s.stakind{n} = 6 THEN 'float8'::regtype::oid
                         WHEN s.stakind{n} IN (1, 2) AND o.typtype <> 'p' THEN o.oid END
               FROM pg_operator p JOIN pg_type o ON o.oid = p.oprleft WHERE p.oid = s.staop{n}"
        )
    };
    let slots = slots(operand);
    format!(
        "SELECT row_to_json(q)::text FROM (
             SELECT n.nspname AS schema, e.stxname AS name, {inherited} AS inherited,
                    (SELECT coalesce(json_agg(json_build_array(a.attnum, a.attname) ORDER BY a.attnum), '[]')
                       FROM pg_attribute a WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)) AS columns,
                    encode(d.stxdndistinct::bytea, 'hex') AS n_distinct,
                    encode(d.stxddependencies::bytea, 'hex') AS dependencies,
                    encode(d.stxdmcv::bytea, 'hex') AS most_common,
                    (SELECT json_agg(json_build_object(
                                'schema', '', 'relation', '', 'column', '', 'number', 0, 'of_index', false, 'inherited', s.stainherit,
                                'null_fraction', s.stanullfrac, 'width', s.stawidth, 'distinct', s.stadistinct, 'slots', {slots}))
                       FROM unnest(d.stxdexpr) s) AS expressions
               FROM pg_statistic_ext_data d
               JOIN pg_statistic_ext e ON e.oid = d.stxoid
               JOIN pg_namespace n ON n.oid = e.stxnamespace
              ORDER BY 1, 2, 3) q"
    )
}

const TYPES: &str = "SELECT json_build_array(oid::int8, oid::regtype)::text FROM pg_type WHERE oid >= 16384";
const ENUM_LABELS: &str = "SELECT json_build_array(oid::int8, enumtypid::regtype, enumlabel)::text FROM pg_enum";
