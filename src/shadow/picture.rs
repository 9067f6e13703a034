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
use crate::effect::{Effect, LockMode};

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
    /// Tables without a page of storage: what reads them need not count as a scan.
    pub without_rows: BTreeSet<String>,
}

impl Picture {
    /// Looks at the database through a session that is in a transaction block.
    ///
    /// # Errors
    /// [`ShadowError::Connection`] if the server is gone.
    pub async fn take(client: &Client) -> Result<Picture, ShadowError> {
        Ok(Picture { relations: relations::read(client, Counters::Transaction).await?, locks: own_locks(client).await? })
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
        let without_rows = without_pages(client).await?;
        Ok(Watched { effect, held_before: held.locks, without_rows })
    }
}

/// The tables that hold no page at the moment.
pub(super) async fn without_pages(client: &Client) -> Result<BTreeSet<String>, ShadowError> {
    let sql = "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname)
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
                WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,m,p}'::pg_catalog.\"char\"[])
                  AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$)'
                  AND pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.=) 0";
    let messages = client.simple_query(sql).await?;
    let names = messages.iter().filter_map(row);
    Ok(names.filter_map(|row| Some(format!("{}.{}", row.get(0)?, row.get(1)?))).collect())
}
