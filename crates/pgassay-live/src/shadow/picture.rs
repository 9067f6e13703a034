//! Watching a statement that runs where it belongs, in a transaction that earlier statements share and that goes on.
//!
//! In: a session inside a transaction block. Out: a [`Picture`] before, and what was [`Watched`] between it and now. Unlike
//! [`observe_in_block`](super::observe_in_block) nothing is rolled back, and locks that the transaction held before count
//! as held.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::ShadowError;
use super::observe::own_locks;
use super::relations::{self, Counters, Relations, effect_between, row};
use crate::catalog::LockMode;
use crate::effect::Effect;

/// The relations of a database at one moment, and the locks that the session holds.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    relations: Relations,
    locks: BTreeSet<(u32, LockMode)>,
}

/// What happened between two pictures of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Locks are those that are held at the end on what existed before, whoever of the transaction's statements took them.
    pub effect: Effect,
    /// Those of them that were held before in the same or a stronger mode.
    pub held_before: BTreeMap<String, LockMode>,
    /// Those of the locked tables that hold no row: what would read them may not.
    pub without_rows: BTreeSet<String>,
    /// The relations that were there before.
    pub existed: BTreeSet<String>,
}

impl Picture {
    /// Looks at the database through a session that is in a transaction block.
    ///
    /// # Errors
    /// [`ShadowError::Connection`] if the server is gone.
    pub async fn take(client: &Client) -> Result<Picture, ShadowError> {
        Ok(Picture {
            relations: relations::read(client, Counters::Transaction).await?,
            locks: own_locks(client).await?,
        })
    }

    /// What happened since, by another look in the same transaction.
    ///
    /// # Errors
    /// [`ShadowError::Connection`] if the server is gone.
    pub async fn since(&self, client: &Client) -> Result<Watched, ShadowError> {
        let now = Picture::take(client).await?;
        let effect = effect_between(&self.relations, &now.relations, &now.locks);
        let mut held = Effect::default();
        for (oid, mode) in &self.locks {
            if let Some(relation) = self.relations.get(oid).filter(|relation| relation.kind != 'i') {
                held.lock(relation.name.clone(), *mode);
            }
        }
        let locked = now.locks.iter().filter_map(|(oid, _)| {
            let relation = now.relations.get(oid).filter(|relation| relation.kind == 'r')?;
            let before = self.relations.get(oid)?;
            Some((*oid, relation.name.as_str(), before.name.as_str()))
        });
        let without_rows = without_rows(client, locked.collect()).await?;
        let existed = self.relations.values().map(|relation| relation.name.clone()).collect();
        Ok(Watched { effect, held_before: held.locks, without_rows, existed })
    }
}

/// Which of the tables hold no row: each by its oid, the name it has now and the name to give it. One that the session's role may not
/// read in full is told by its size.
async fn without_rows(client: &Client, tables: BTreeSet<(u32, &str, &str)>) -> Result<BTreeSet<String>, ShadowError> {
    if tables.is_empty() {
        return Ok(BTreeSet::new());
    }
    let readable = readable(client, tables.iter().map(|(oid, ..)| *oid)).await?;
    let tests = tables.iter().map(|(oid, now, _)| match readable.contains(oid) {
        true => format!("EXISTS (SELECT FROM ONLY {now})"),
        false => format!("pg_catalog.pg_relation_size({oid}::pg_catalog.regclass) > 0"),
    });
    let tests: Vec<String> = tests.collect();
    let messages = client.simple_query(&format!("SELECT {}", tests.join(", "))).await?;
    let Some(row) = messages.iter().find_map(row) else { return Ok(BTreeSet::new()) };
    let known_as = tables.iter().map(|(.., before)| *before);
    let empty = known_as.enumerate().filter(|(at, _)| row.get(*at) == Some("f"));
    Ok(empty.map(|(_, name)| name.to_owned()).collect())
}

/// Those that the session's role reads all rows of.
async fn readable(client: &Client, tables: impl Iterator<Item = u32>) -> Result<BTreeSet<u32>, ShadowError> {
    let oids: Vec<String> = tables.map(|oid| oid.to_string()).collect();
    let sql = format!(
        "SELECT c.oid FROM pg_catalog.pg_class c
          WHERE c.oid IN ({}) AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
            AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid)",
        oids.join(", ")
    );
    let messages = client.simple_query(&sql).await?;
    Ok(messages.iter().filter_map(row).filter_map(|row| row.get(0)?.parse().ok()).collect())
}
