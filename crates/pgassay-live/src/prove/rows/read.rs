//! Reading the tables to make up rows for, all at once: a few questions however many tables there are.
//!
//! In: names of tables. Out: those that have no rows, and those that they refer to, parents first.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Check, Column, ForeignKey, Table, numbers};
use crate::prove::ProveError;
use crate::prove::run::Runner;
use crate::text::quoting::literal;

/// Rows of an answer without their first column, by that column: the table's object identifier.
type ByTable = BTreeMap<String, Vec<Vec<Option<String>>>>;

/// The tables without rows among the named ones and those that they refer to, each behind its parents.
pub(super) async fn empty_tables(runner: &Runner, names: &[String]) -> Result<Vec<Table>, ProveError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = in_order(names, wanted(runner, names).await?);
    let empty = without_rows(runner, wanted).await?;
    if empty.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<&str> = empty.iter().map(|(oid, ..)| oid.as_str()).collect();
    let is_one = format!("c.oid = ANY ('{{{}}}'::pg_catalog.oid[])", list.join(","));
    let mut checks = by_table(runner.rows(&checks_sql(&is_one)).await?);
    let mut columns = by_table(runner.rows(&columns_sql(&is_one)).await?);
    let mut keys = by_table(runner.rows(&keys_sql(&is_one)).await?);
    let of = |all: &mut ByTable, oid: &str| all.remove(oid).unwrap_or_default();
    let table = |(oid, name, is_partition): Found| {
        let checks: Vec<(Check, String)> = of(&mut checks, &oid).into_iter().filter_map(check).collect();
        let columns = of(&mut columns, &oid).into_iter().filter_map(|row| Column::read(row, &checks)).collect();
        let keys = of(&mut keys, &oid).into_iter().filter_map(key).collect();
        let mut table = Table::new(name, columns, keys, checks.into_iter().map(|(check, _)| check).collect());
        table.is_partition = is_partition;
        table
    };
    Ok(empty.into_iter().map(table).collect())
}

/// A table, and what it refers to.
struct Wanted {
    oid: String,
    name: String,
    parents: Vec<String>,
    is_partition: bool,
}

async fn wanted(runner: &Runner, names: &[String]) -> Result<Vec<Wanted>, ProveError> {
    let list: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let sql = format!(
        "WITH RECURSIVE wanted(oid) AS (
           SELECT pg_catalog.to_regclass(name)::pg_catalog.oid FROM pg_catalog.unnest(ARRAY[{}]::text[]) AS name
           UNION SELECT other.oid FROM wanted w CROSS JOIN LATERAL (
             SELECT f.confrelid FROM pg_catalog.pg_constraint f WHERE f.conrelid = w.oid AND f.contype = 'f'
             UNION ALL SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
              WHERE i.inhrelid = w.oid AND p.relkind = 'p') AS other(oid))
         SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
                pg_catalog.concat_ws(',', (SELECT pg_catalog.string_agg(f.confrelid::text, ',') FROM pg_catalog.pg_constraint f
                  WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid),
                  (SELECT i.inhparent::text FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition)), c.relispartition
           FROM wanted w JOIN pg_catalog.pg_class c ON c.oid = w.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') ORDER BY 2",
        list.join(", ")
    );
    let read = |row: Vec<Option<String>>| {
        let [oid, name, parents, partition]: [Option<String>; 4] = row.try_into().ok()?;
        let parents = parents.map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default();
        Some(Wanted { oid: oid?, name: name?, parents, is_partition: partition? == "t" })
    };
    Ok(runner.rows(&sql).await?.into_iter().filter_map(read).collect())
}

/// A table's identifier, its name, and whether it is a partition.
type Found = (String, String, bool);

/// The tables, parents before those that refer to them; a ring is cut where it is entered.
fn in_order(names: &[String], all: Vec<Wanted>) -> Vec<Found> {
    let by_oid: BTreeMap<&str, &Wanted> = all.iter().map(|one| (one.oid.as_str(), one)).collect();
    let place = |one: &Wanted| names.iter().position(|name| *name == one.name).unwrap_or(usize::MAX);
    let mut first: Vec<&Wanted> = all.iter().collect();
    first.sort_by_key(|one| place(one));
    let mut visited = BTreeSet::new();
    let mut ordered = Vec::new();
    // A stack instead of recursion: a table is done when it is met again behind its parents.
    let mut stack: Vec<(&Wanted, bool)> = first.into_iter().rev().map(|one| (one, false)).collect();
    while let Some((one, parents_done)) = stack.pop() {
        if parents_done {
            ordered.push((one.oid.clone(), one.name.clone(), one.is_partition));
        } else if visited.insert(one.oid.as_str()) {
            stack.push((one, true));
            stack.extend(one.parents.iter().filter_map(|oid| Some((*by_oid.get(oid.as_str())?, false))));
        }
    }
    ordered
}

async fn without_rows(runner: &Runner, tables: Vec<Found>) -> Result<Vec<Found>, ProveError> {
    if tables.is_empty() {
        return Ok(tables);
    }
    let tests: Vec<String> = tables.iter().map(|(_, name, _)| format!("EXISTS (SELECT FROM {name})")).collect();
    // A target list holds 1664 entries.
    let mut answers = Vec::new();
    for tests in tests.chunks(1000) {
        answers.extend(runner.rows(&format!("SELECT {}", tests.join(", "))).await?.into_iter().flatten());
    }
    let empty = tables.into_iter().zip(answers).filter(|(_, has_rows)| has_rows.as_deref() == Some("f"));
    Ok(empty.map(|(table, _)| table).collect())
}

fn by_table(rows: Vec<Vec<Option<String>>>) -> ByTable {
    let mut found = ByTable::new();
    for mut row in rows {
        if row.is_empty() {
            continue;
        }
        if let Some(oid) = row.remove(0) {
            found.entry(oid).or_default().push(row);
        }
    }
    found
}

/// The checks, and the bound of a partition, with their text.
fn checks_sql(is_one: &str) -> String {
    format!(
        "SELECT c.oid, k.conname, k.conkey, pg_catalog.pg_get_constraintdef(k.oid)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' WHERE {is_one}
         UNION ALL
         SELECT c.oid, '', (SELECT pg_catalog.array_agg(a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
                        AND pg_catalog.pg_get_partition_constraintdef(c.oid) LIKE '%' || a.attname || '%' AND a.attnum > 0),
                pg_catalog.pg_get_partition_constraintdef(c.oid)
           FROM pg_catalog.pg_class c WHERE {is_one} AND c.relispartition
         UNION ALL
         SELECT c.oid, '', p.partattrs::int2[], pg_catalog.pg_get_expr(child.relpartbound, child.oid)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
           JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid
          WHERE {is_one}"
    )
}

fn check(row: Vec<Option<String>>) -> Option<(Check, String)> {
    let [name, columns, text]: [Option<String>; 3] = row.try_into().ok()?;
    Some((Check { name: name?, columns: numbers(&columns.unwrap_or_default()) }, text.unwrap_or_default()))
}

fn keys_sql(is_one: &str) -> String {
    format!(
        "SELECT c.oid, f.conkey, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.relname),
                f.confrelid = f.conrelid,
                (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), E'\\x01' ORDER BY k.place)
                   FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(attnum, place)
                   JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
           JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
          WHERE {is_one} ORDER BY f.oid"
    )
}

/// Moves the sequences of the tables' columns behind the numbers of so many rows: what a client inserts then meets none of them.
/// Sequences do not go back with a transaction.
pub(super) fn sequences_sql(tables: &BTreeSet<String>, rows: usize) -> String {
    let list: Vec<String> = tables.iter().map(|name| format!("pg_catalog.to_regclass({})", literal(name))).collect();
    format!(
        "SELECT pg_catalog.setval(q.seqrelid::pg_catalog.regclass,
                    LEAST(GREATEST(pg_catalog.pg_sequence_last_value(q.seqrelid), {rows}, q.seqmin), q.seqmax))
           FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.deptype IN ('a', 'i')
            AND d.refobjid = ANY (ARRAY[{}]::pg_catalog.oid[]) AND q.seqincrement > 0",
        list.join(", ")
    )
}

fn key(row: Vec<Option<String>>) -> Option<ForeignKey> {
    let [columns, parent, itself, names]: [Option<String>; 4] = row.try_into().ok()?;
    Some(ForeignKey {
        columns: numbers(&columns?),
        parent: parent?,
        parent_columns: names?.split('\u{1}').map(str::to_owned).collect(),
        to_itself: itself? == "t",
    })
}

fn columns_sql(is_one: &str) -> String {
    format!(
        "WITH RECURSIVE base(attrelid, attnum, oid, typmod, domain, required, checks) AS (
           SELECT c.oid, a.attnum, a.atttypid, a.atttypmod, NULL::text, a.attnotnull, ''
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
            WHERE {is_one} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           UNION ALL
           SELECT b.attrelid, b.attnum, t.typbasetype, t.typtypmod, COALESCE(b.domain, t.typname::text COLLATE \"default\"),
                  b.required OR t.typnotnull,
                  b.checks || COALESCE((SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ' ')
                                          FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid), '')
             FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
         SELECT b.attrelid, pg_catalog.quote_ident(a.attname), b.attnum, pg_catalog.format_type(b.oid, NULL),
                pg_catalog.format_type(a.atttypid, a.atttypmod), t.typtype, t.typcategory, b.typmod, b.domain, b.required, b.checks,
                (SELECT pg_catalog.string_agg(e.enumlabel, E'\\x01' ORDER BY e.enumsortorder)
                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
                EXISTS (SELECT FROM pg_catalog.pg_index i
                         WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)),
                a.attidentity <> ''
           FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = b.attrelid AND a.attnum = b.attnum
           JOIN pg_catalog.pg_type t ON t.oid = b.oid
          WHERE t.typtype <> 'd' ORDER BY b.attrelid, a.attnum"
    )
}
