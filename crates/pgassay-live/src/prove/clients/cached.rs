//! A client's connection that stays open while migrations run, with the application's queries prepared in it.
//!
//! In: the queries that work on the schema before. Out: those that the connection can no longer run though a new connection can:
//! the server refuses a prepared statement whose result has other columns or types than when it was prepared
//! (RevalidateCachedQuery, utils/cache/plancache.c).

use super::prepare::{Form, Way};
use crate::prove::ProveError;
use crate::shadow::{Access, ServerError, Session, refusal};

/// One connection of the application.
pub(super) struct Client {
    session: Session,
    /// What is prepared, by the query's number.
    prepared: Vec<(usize, Form)>,
}

impl Client {
    /// Opens the connection and prepares the queries. Nothing of the migrations may be uncommitted.
    ///
    /// # Errors
    /// [`ProveError`] if the server is gone.
    pub async fn open<'q>(
        access: &Access,
        database: &str,
        queries: impl Iterator<Item = (usize, &'q Form)>,
    ) -> Result<Client, ProveError> {
        let session = access.connect(database).await?;
        let mut client = Client { session, prepared: Vec::new() };
        for (number, form) in queries.filter(|(_, form)| form.way == Way::Prepare) {
            client.search(form).await?;
            if client.send(&form.statement(&name(number))).await?.is_none() {
                client.prepared.push((number, form.clone()));
            }
        }
        Ok(client)
    }

    /// The queries that it can no longer run for want of the old result; they are prepared anew for the next migration.
    ///
    /// # Errors
    /// [`ProveError`] if the server is gone.
    pub async fn stale(&mut self) -> Result<Vec<(usize, ServerError)>, ProveError> {
        let mut stale = Vec::new();
        for (number, form) in std::mem::take(&mut self.prepared) {
            let values = match form.declared.len() {
                0 => String::new(),
                count => format!("({})", vec!["NULL"; count].join(", ")),
            };
            let name = name(number);
            self.search(&form).await?;
            match self.send(&format!("EXPLAIN (COSTS OFF) EXECUTE {name}{values}")).await? {
                // feature_not_supported: "cached plan must not change result type".
                Some(error) if error.code == "0A000" && error.message.starts_with("cached plan") => {
                    self.send(&format!("DEALLOCATE {name}")).await?;
                    if self.send(&form.statement(&name)).await?.is_none() {
                        self.prepared.push((number, form));
                    }
                    stale.push((number, error));
                }
                // That a new connection cannot run it either is told elsewhere.
                Some(_) => drop(self.send(&format!("DEALLOCATE {name}")).await?),
                None => self.prepared.push((number, form)),
            }
        }
        Ok(stale)
    }

    /// Looks for names where the query means them.
    async fn search(&self, form: &Form) -> Result<(), ProveError> {
        let path = form.search_path();
        self.send(&format!("SET search_path TO {}", path.as_deref().unwrap_or("DEFAULT"))).await.map(drop)
    }

    /// One statement; a text that is several is refused.
    async fn send(&self, sql: &str) -> Result<Option<ServerError>, ProveError> {
        Ok(refusal(self.session.execute_typed(sql, &[]).await.map(drop))?)
    }
}

fn name(number: usize) -> String {
    format!("pgassay_client_{number}")
}
