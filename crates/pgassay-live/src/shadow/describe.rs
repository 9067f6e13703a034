//! What a database looks like, in lines of text that can be compared: definitions from the catalog.
//!
//! Two histories that make the same database give the same lines. The order of columns is no part of it: a column that takes over a name
//! comes last.

use std::collections::BTreeSet;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::ShadowError;

const USER_SCHEMA: &str = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";

/// A NOT NULL that a parent asks for stays, whether the child asks for it too or not.
/// Each gives one column of text, and ends where the condition on the schema goes.
const DEFINITIONS: &[&str] = &[
    "SELECT 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' identity ' || a.attidentity::text || ' generated ' || a.attgenerated::text
            || ' collation ' || coalesce(l.collname, '') || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND",
    "SELECT 'constraint ' || coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text) || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
            || ' valid ' || k.convalidated || ' local ' || (k.conislocal AND NOT (k.contype = 'n' AND k.coninhcount > 0)) || ' inherited ' || k.coninhcount
       FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE",
    "SELECT 'index ' || pg_get_indexdef(i.indexrelid) || ' valid ' || i.indisvalid || ' primary ' || i.indisprimary
            || ' partition of ' || coalesce((SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.indexrelid), '')
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
    "SELECT 'relation ' || c.oid::regclass || ' ' || c.relkind::text || ' ' || c.relpersistence::text || ' bound ' || coalesce(pg_get_expr(c.relpartbound, c.oid), '')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
    "SELECT 'sequence ' || s.seqrelid::regclass || ' ' || s.seqtypid::regtype || ' ' || s.seqstart || ' ' || s.seqincrement || ' ' || s.seqmin || ' ' || s.seqmax || ' ' || s.seqcache || ' ' || s.seqcycle
            || ' owned by '
            || coalesce((SELECT d.refobjid::regclass || '.' || a.attname FROM pg_depend d
                           JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')), '')
       FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
    "SELECT 'settings of ' || c.oid::regclass || '.' || a.attname || ' statistics ' || coalesce(a.attstattarget::int, -1) || ' options ' || coalesce(a.attoptions::text, '')
            || ' storage ' || a.attstorage::text || ' compression ' || a.attcompression::text || ' comment ' || coalesce(col_description(c.oid, a.attnum), '')
            || ' granted ' || coalesce((SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(a.attacl) AS acl), '')
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm') AND",
    "SELECT 'settings of ' || c.oid::regclass || ' replica identity ' || c.relreplident::text || ' comment ' || coalesce(obj_description(c.oid, 'pg_class'), '')
            || ' granted ' || coalesce((SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(c.relacl) AS acl), '')
            || coalesce((SELECT ' clustered ' || i.indisclustered || ' identifies ' || i.indisreplident FROM pg_index i WHERE i.indexrelid = c.oid), '')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
    "SELECT 'comment on ' || k.conname || ' ' || obj_description(k.oid, 'pg_constraint')
       FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE obj_description(k.oid, 'pg_constraint') IS NOT NULL AND",
    "SELECT 'published ' || p.pubname || ' ' || coalesce(p.attnames, '') FROM (SELECT pubname, schemaname AS nspname, (SELECT string_agg(it, ',' ORDER BY it) FROM jsonb_array_elements_text(to_jsonb(t) -> 'attnames') AS it) AS attnames FROM pg_publication_tables t) p
       JOIN pg_namespace n ON n.nspname = p.nspname WHERE",
    "SELECT 'statistics ' || s.stxname || ' ' || s.stxkind::text || ' on '
            || (SELECT string_agg(a.attname, ',' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys))
       FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE",
    "SELECT 'trigger ' || pg_get_triggerdef(t.oid)
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND",
    "SELECT 'function ' || p.oid::regprocedure || ' ' || md5(p.prosrc) || ' owner ' || p.proowner::regrole FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') AND",
    "SELECT 'type ' || t.oid::regtype || ' ' || t.typtype::text || ' not null ' || t.typnotnull || ' default ' || coalesce(t.typdefault, '')
            || ' labels ' || coalesce((SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
       FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype IN ('d', 'e') AND",
    "SELECT 'view ' || c.oid::regclass || ' ' || pg_get_viewdef(c.oid) || ' options ' || coalesce(c.reloptions::text, '')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND",
    "SELECT 'policy ' || p.polname || ' on ' || p.polrelid::regclass || ' ' || p.polcmd::text || ' ' || p.polpermissive || ' to ' || p.polroles::regrole[]::text
            || ' using ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' check ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
       FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
    "SELECT 'row security of ' || c.oid::regclass || ' ' || c.relrowsecurity || ' forced ' || c.relforcerowsecurity
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND",
];

/// A line for each thing that users made, and one with the number of rows of each table.
///
/// # Errors
/// [`ShadowError::Connection`] if the server is gone.
pub async fn describe(client: &Client) -> Result<BTreeSet<String>, ShadowError> {
    let mut lines = BTreeSet::new();
    for query in DEFINITIONS {
        lines.extend(texts(client, &format!("{query} {USER_SCHEMA}")).await?);
    }
    let tables = format!(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND {USER_SCHEMA}"
    );
    for table in texts(client, &tables).await? {
        let number = texts(client, &format!("SELECT count(*) FROM ONLY {table}")).await?;
        lines.insert(format!("rows of {table}: {}", number.concat()));
    }
    Ok(lines)
}

async fn texts(client: &Client, query: &str) -> Result<Vec<String>, ShadowError> {
    let messages = client.simple_query(query).await?;
    let texts = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(texts.collect())
}
