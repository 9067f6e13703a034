//! What the advisor needs to know of tables, from the catalogs of a twin or of the database itself.

use serde::Deserialize;

use crate::advisor::{ColumnInfo, IndexInfo, Operator, Reference, TableInfo, Tables};
use crate::change::{Name, QualifiedName};
use crate::db::planner::{CaptureError, Source};
use crate::facts::Facts;

/// Reads all tables. Writes a day come from the facts, where they were counted.
///
/// # Errors
/// [`CaptureError`] if the server refuses a query or its answer is not understood.
pub async fn read_tables(source: &impl Source, facts: Option<&Facts>) -> Result<Tables, CaptureError> {
    let part = "tables";
    let mut tables = Tables::default();
    for text in source.rows(part, TABLES).await? {
        let row: Row =
            serde_json::from_str(&text).map_err(|error| CaptureError::Answer { part, message: error.to_string() })?;
        let name = QualifiedName::new(Name::new(&row.schema), Name::new(&row.name));
        let of = |name: &(String, String)| QualifiedName::new(Name::new(&name.0), Name::new(&name.1));
        let mut info = TableInfo {
            rows: row.rows.max(0.0),
            pages: row.pages,
            partitioned: row.partitioned,
            partition_key: row.partition_key,
            root: row.root.as_ref().map(of),
            partitions: row.partitions.iter().map(of).collect(),
            columns: row.columns,
            indexes: row.indexes,
            referenced_by: row.referenced_by,
            row_security: row.row_security,
            ..TableInfo::default()
        };
        if let Some(facts) = facts {
            count_writes(&mut info, &name, facts);
        }
        tables.tables.insert(name, info);
    }
    for text in source.rows(part, OPERATORS).await? {
        let operator: Operator =
            serde_json::from_str(&text).map_err(|error| CaptureError::Answer { part, message: error.to_string() })?;
        tables.operators.push(operator);
    }
    if let Some(facts) = facts {
        let missing = facts.extensions.iter().filter(|(_, it)| it.installed_version.is_none());
        tables.available = missing.map(|(name, _)| name.as_str().to_owned()).collect();
    }
    let version = source.rows("version", VERSION).await?.pop();
    tables.major = version.and_then(|number| number.parse().ok()).unwrap_or_default();
    Ok(tables)
}

fn count_writes(info: &mut TableInfo, name: &QualifiedName, facts: &Facts) {
    let Some(days) = facts.counting_seconds().map(|seconds| seconds / 86_400.0).filter(|days| *days > 0.0) else {
        return;
    };
    let own = std::iter::once(name).chain(&info.partitions);
    let counted: Vec<_> = own.filter_map(|name| facts.relation(name)?.activity.as_ref()).collect();
    if counted.is_empty() {
        return;
    }
    let sum =
        |count: fn(&crate::facts::Use) -> u64| Some(counted.iter().map(|it| count(it) as f64).sum::<f64>() / days);
    info.counted_days = Some(days);
    info.inserts = sum(|it| it.inserts);
    // Within a day nothing tells a load from what goes on: if most rows came in it, it was one.
    let young = facts.counting_seconds().is_some_and(|seconds| seconds < 86_400.0);
    info.loaded = young && info.inserts.is_some_and(|inserts| inserts * days >= info.rows / 2.0);
    info.updates = sum(|it| it.updates);
    info.hot_updates = sum(|it| it.hot_updates);
}

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    rows: f64,
    pages: u64,
    partitioned: bool,
    partition_key: Option<String>,
    root: Option<(String, String)>,
    partitions: Vec<(String, String)>,
    columns: std::collections::BTreeMap<String, ColumnInfo>,
    indexes: Vec<IndexInfo>,
    referenced_by: Vec<Reference>,
    row_security: bool,
}

const VERSION: &str = "SELECT (pg_catalog.current_setting('server_version_num')::int / 10000)::text";

// A family may hold operators of several types: those of the class are those whose left side is its own.
const OPERATORS: &str = "
SELECT row_to_json(q)::text FROM (
    SELECT o.oprname AS name, k.oprname AS commutator, m.amname AS method, c.opcdefault AS \"default\", p.amoppurpose = 'o' AS orders,
           CASE WHEN n.nspname = 'pg_catalog' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END || pg_catalog.quote_ident(c.opcname) AS class,
           pg_catalog.format_type(c.opcintype, NULL) AS data_type,
           CASE c.opcintype WHEN 'pg_catalog.anyarray'::pg_catalog.regtype THEN 'a' WHEN 'pg_catalog.anyrange'::pg_catalog.regtype THEN 'r'
                            WHEN 'pg_catalog.anyenum'::pg_catalog.regtype THEN 'e' END AS \"any\"
      FROM pg_catalog.pg_opclass c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
      JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
      JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype
      JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
      LEFT JOIN pg_catalog.pg_operator k ON k.oid = o.oprcom
     WHERE m.amname IN ('gin', 'gist', 'spgist')
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) q";

const TABLES: &str = "
SELECT row_to_json(q)::text FROM (
    SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned, c.relrowsecurity AS row_security,
           (SELECT coalesce(json_agg(json_build_object('schema', kn.nspname, 'table', kc.relname,
                       'columns', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
                                     JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
                       'referenced', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
                                        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)) ORDER BY k.conname), '[]')
              FROM pg_catalog.pg_constraint k
              JOIN pg_catalog.pg_class kc ON kc.oid = k.conrelid
              JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.relnamespace
             WHERE k.contype = 'f' AND k.confrelid = c.oid AND k.conparentid = 0) AS referenced_by,
           CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
           CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0) FROM pg_catalog.pg_partition_tree(c.oid) t
                                             JOIN pg_catalog.pg_class l ON l.oid = t.relid WHERE t.isleaf)
                ELSE c.reltuples END AS rows,
           CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(l.relpages), 0) FROM pg_catalog.pg_partition_tree(c.oid) t
                                             JOIN pg_catalog.pg_class l ON l.oid = t.relid WHERE t.isleaf)
                ELSE c.relpages END AS pages,
           CASE WHEN c.relispartition THEN (SELECT json_build_array(rn.nspname, rc.relname) FROM pg_catalog.pg_class rc
                                              JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
                                             WHERE rc.oid = pg_catalog.pg_partition_root(c.oid)) END AS root,
           CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(json_agg(json_build_array(ln.nspname, l.relname) ORDER BY l.relname), '[]')
                                             FROM pg_catalog.pg_partition_tree(c.oid) t
                                             JOIN pg_catalog.pg_class l ON l.oid = t.relid
                                             JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace WHERE t.isleaf)
                ELSE '[]' END AS partitions,
           (SELECT coalesce(json_object_agg(a.attname, json_build_object(
                       'data_type', pg_catalog.format_type(coalesce(nullif(y.typbasetype, 0), a.atttypid), NULL),
                       'kind', coalesce(nullif(b.typtype, 'b'), y.typtype),
                       'longest', CASE WHEN a.atttypmod < 0 AND coalesce(nullif(y.typbasetype, 0), a.atttypid) IN ('pg_catalog.text'::pg_catalog.regtype,
                             'pg_catalog.bytea'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype)
                             THEN (SELECT coalesce(max(octet_length(x)), 0) FROM unnest(h.bounds || v.common) x) END,
                       'width', coalesce(nullif(s.avg_width, 0), CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END),
                       'n_distinct', coalesce(s.n_distinct, 0), 'null_fraction', coalesce(s.null_frac, 0),
                       'correlation', coalesce(s.correlation, 0), 'most_common', coalesce(s.most_common_freqs[1], 0),
                       'elements', coalesce(s.elem_count_histogram[cardinality(s.elem_count_histogram)],
                             (SELECT sum(f) FROM unnest(s.most_common_elem_freqs[:cardinality(s.most_common_elem_freqs) - 2]) f)),
                       'most_common_value', (s.most_common_vals::text::text[])[1],
                       'rare_value', coalesce(h.bounds[(cardinality(h.bounds) + 1) / 2], v.common[cardinality(v.common)]),
                       'quantiles', CASE WHEN cardinality(h.bounds) >= 20 THEN json_build_array(h.bounds[1 + cardinality(h.bounds) / 20],
                             h.bounds[(cardinality(h.bounds) + 1) / 2], h.bounds[cardinality(h.bounds) - cardinality(h.bounds) / 20]) END,
                       'c_collation', a.attcollation IN (950, 951) OR (a.attcollation = 100 AND d.datcollate IN ('C', 'POSIX')
                             AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'))), '{}')
              FROM pg_catalog.pg_attribute a
              JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
              LEFT JOIN pg_catalog.pg_type b ON b.oid = y.typbasetype
              JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
              LEFT JOIN pg_catalog.pg_stats s
                ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
              CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::text[] AS bounds) h
              CROSS JOIN LATERAL (SELECT s.most_common_vals::text::text[] AS common) v
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
           (SELECT coalesce(json_agg(json_build_object(
                       'name', ic.relname, 'definition', pg_catalog.pg_get_indexdef(i.indexrelid), 'unique', i.indisunique,
                       'needed', i.indisprimary OR i.indisexclusion OR i.indisreplident OR ic.relispartition
                            OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid),
                       'valid', i.indisvalid, 'bytes', ic.relpages::bigint * 8192) ORDER BY ic.relname), '[]')
              FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
             WHERE i.indrelid = c.oid) AS indexes
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') q";
