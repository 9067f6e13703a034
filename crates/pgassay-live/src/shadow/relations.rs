//! What a session can see of the relations of a database, and the [`Effect`] between two such pictures.
//!
//! In: a connection. Out: [`Relations`], by object identifier, so that a renamed relation is still the same one.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::ShadowError;
use crate::catalog::LockMode;
use crate::effect::Effect;

/// A relation of the user's, or an index, as the catalogs show it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// `pg_class.relkind`.
    pub kind: char,
    /// `schema.name`, each part quoted where it must be; the session's temporary schema is called `pg_temp`.
    pub name: String,
    /// The file that holds it; `None` without storage.
    filenode: Option<u32>,
    /// For an index, the table it is on.
    table: Option<u32>,
    /// How many sequential scans were counted.
    scans: i64,
}

/// Relations by their object identifier.
pub(super) type Relations = BTreeMap<u32, Relation>;

/// Which scan counters to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counters {
    /// Those of the current transaction of the session that reads. Some versions carry them over from the session's
    /// earlier transactions, so only differences mean something.
    Transaction,
    /// Those that all sessions have reported so far.
    Reported,
}

/// Reads all relations but system catalogs, TOAST tables and other sessions' temporary ones.
///
/// Takes no lock on any of them: it reads the catalogs only.
pub(super) async fn read(client: &Client, counters: Counters) -> Result<Relations, ShadowError> {
    let function = match counters {
        Counters::Transaction => "pg_stat_get_xact_numscans",
        Counters::Reported => "pg_stat_get_numscans",
    };
    // Everything is qualified, because the search_path may be the user's.
    let sql = format!(
        "SELECT c.oid, c.relkind, pg_catalog.quote_ident(
                  CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END),
                pg_catalog.quote_ident(c.relname), pg_catalog.pg_relation_filenode(c.oid), i.indrelid,
                pg_catalog.{function}(c.oid)
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
           LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
          WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{{r,p,f,v,m,i}}'::pg_catalog.\"char\"[])
            AND (n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$)'
                 OR n.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())"
    );
    let messages = client.simple_query(&sql).await?;
    Ok(messages.iter().filter_map(row).filter_map(read_relation).collect())
}

/// The row of a message, if it is one.
pub(super) fn row(message: &SimpleQueryMessage) -> Option<&SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

fn read_relation(row: &SimpleQueryRow) -> Option<(u32, Relation)> {
    let number = |column: usize| row.get(column).and_then(|text| text.parse::<u32>().ok());
    let relation = Relation {
        kind: row.get(1)?.chars().next()?,
        name: format!("{}.{}", row.get(2)?, row.get(3)?),
        filenode: number(4).filter(|node| *node != 0),
        table: number(5),
        scans: row.get(6).and_then(|text| text.parse().ok()).unwrap_or(0),
    };
    Some((number(0)?, relation))
}

/// The effect of what happened between two pictures, given the locks that were seen in between.
///
/// Locks carry the name before, rewrites and index builds the name after. A dropped relation has no new storage.
pub(super) fn effect_between(before: &Relations, after: &Relations, locks: &BTreeSet<(u32, LockMode)>) -> Effect {
    let mut effect = Effect::default();
    for (oid, mode) in locks {
        if let Some(relation) = before.get(oid).filter(|relation| relation.kind != 'i') {
            effect.lock(relation.name.clone(), *mode);
        }
    }
    // An index that ALTER TABLE makes anew may keep the file of the one it replaces: that is no build.
    let old_files: BTreeSet<u32> = before.values().filter_map(|relation| relation.filenode).collect();
    for (oid, now) in after {
        let new_file = now.filenode.is_some_and(|node| !old_files.contains(&node));
        let table_existed = now.table.is_some_and(|table| before.contains_key(&table));
        if now.kind == 'i' && new_file && table_existed {
            effect.index_builds.insert(now.name.clone());
        }
        let Some(then) = before.get(oid).filter(|then| matches!(then.kind, 'r' | 'm')) else { continue };
        if new_file {
            effect.rewrites.insert(now.name.clone());
        }
        if now.scans > then.scans {
            effect.scans.insert(then.name.clone());
        }
    }
    effect
}
