//! Tables that another session keeps locked.
//!
//! What prints an expression (pg_get_expr, pg_get_indexdef, pg_get_viewdef …) and what looks at files (pg_relation_size) takes ACCESS
//! SHARE on the table, so it waits for whoever holds or awaits ACCESS EXCLUSIVE. Such tables are left out of those calls; where one
//! is locked in the meantime, lock_timeout ends the wait and the query is tried again without it.

use super::super::{DbError, Row, Session};
use super::Oid;
use super::damage::{self, Printing};
use crate::facts::Unread;

/// lock_not_available.
const LOCK_TIMEOUT: &str = "55P03";

/// After so many new locks, the answer is an error.
const TRIES: usize = 5;

/// Relations with an ACCESS EXCLUSIVE lock, held or awaited.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Locked {
    oids: Vec<Oid>,
    damaged: Vec<Unread>,
}

impl Locked {
    pub async fn read(session: &Session) -> Result<Locked, DbError> {
        let mut locked = Locked::default();
        locked.add(session).await?;
        Ok(locked)
    }

    /// Adds those that are locked now; returns how many are new.
    async fn add(&mut self, session: &Session) -> Result<usize, DbError> {
        const SQL: &str = "
            SELECT DISTINCT l.relation
              FROM pg_locks l
             WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.relation >= 16384";
        let before = self.oids.len();
        session
            .each("locks", SQL, None, |row| {
                let oid = row.get(0)?;
                if !self.oids.contains(&oid) {
                    self.oids.push(oid);
                }
                Ok(())
            })
            .await?;
        Ok(self.oids.len() - before)
    }

    pub fn contains(&self, oid: Oid) -> bool {
        self.oids.contains(&oid)
    }

    /// Runs a query whose `$1` is the list of locked relations, and of objects that the server cannot print.
    pub async fn each<T: Default>(
        &mut self,
        session: &Session,
        query: Printing<'_>,
        mut visit: impl FnMut(&Row, &mut T) -> Result<(), DbError>,
    ) -> Result<T, DbError> {
        let mut tries = 0;
        loop {
            match damage::each(session, query, &self.oids, &mut visit).await {
                Ok((rows, damaged)) => {
                    self.damaged.extend(damage::unread(query.topic, query.part, damaged));
                    return Ok(rows);
                }
                Err(error) if error.code() == Some(LOCK_TIMEOUT) && tries < TRIES => {
                    tries += 1;
                    self.add(session).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What could not be printed since the last time.
    pub fn take_damaged(&mut self) -> Vec<Unread> {
        std::mem::take(&mut self.damaged)
    }
}
