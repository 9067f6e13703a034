//! The copy that advised indexes are measured on, as a server that explains statements, and runs them if that is asked for.
//!
//! In: statements with values. Out: their plans, with times where they were run. Whatever runs is rolled back.

use std::collections::{BTreeMap, BTreeSet};

use tokio::runtime::Runtime;
use tokio_postgres::types::Type;

use super::planning::{Explain, ROOTS, Refusal, SCHEMAS, SECURED, read_names, read_plan, read_roots};
use super::prepare::Asking;
use crate::change::{Name, QualifiedName};
use crate::db::Session;
use crate::plan::Plan;

/// The copy as a server that explains, and runs what it explains if that is asked for.
pub(super) struct CopyServer<'r> {
    pub runtime: &'r Runtime,
    pub session: Session,
    pub analyze: bool,
    /// Indexes that are not there in the run.
    pub dropped: Vec<QualifiedName>,
    /// Roles that the session can become.
    pub roles: BTreeSet<String>,
    /// Values of settings that policies ask for.
    pub settings: BTreeMap<String, String>,
}

impl CopyServer<'_> {
    /// In a transaction that is rolled back.
    fn within<T>(
        &self,
        writes: bool,
        run: impl AsyncFnOnce(&Session) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, tokio_postgres::Error> {
        let session = &self.session;
        let result = self.runtime.block_on(async {
            session.begin_to_plan(writes, true).await?;
            run(session).await
        });
        let _ = self.runtime.block_on(session.send("ROLLBACK", &[]));
        result
    }

    pub fn read(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        self.within(false, async |session| session.send(sql, &[]).await)
    }
}

impl Explain for CopyServer<'_> {
    fn explain(&mut self, _: &[String], _: &[QualifiedName], asking: &Asking) -> Result<Plan, Refusal> {
        const ANALYZE: &str = "EXPLAIN (ANALYZE, TIMING OFF, BUFFERS, FORMAT JSON, VERBOSE) ";
        let as_asked = |text: &str| match text.strip_prefix("EXPLAIN (FORMAT JSON, VERBOSE) ").filter(|_| self.analyze)
        {
            Some(rest) => format!("{ANALYZE}{rest}"),
            None => text.to_owned(),
        };
        if let Some(role) = asking.role.as_ref().filter(|role| !self.roles.contains(*role)) {
            return Err(Refusal::unread(format!(
                "policies bind the role that runs it, {role}, which is not on the copy or which the session cannot become"
            )));
        }
        let (sql, execute) = (as_asked(&asking.sql), asking.execute.as_deref().map(as_asked));
        let outcome = self.within(self.analyze, async |session| {
            for index in &self.dropped {
                session.send(&format!("DROP INDEX {index}"), &[]).await?;
            }
            session.send("DEALLOCATE ALL", &[]).await?;
            if !self.analyze && !asking.pruning {
                session.send("SET LOCAL enable_partition_pruning = off", &[]).await?;
            }
            if !self.analyze {
                session.send("SET LOCAL plan_cache_mode = force_generic_plan", &[]).await?;
            }
            if !asking.schemas.is_empty() {
                let add = "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', nullif(pg_catalog.current_setting('search_path'), ''), $1), true)";
                let path = asking.search_path("");
                session.send(add, &[(&path, Type::TEXT)]).await?;
            }
            for (name, value) in &asking.settings {
                let set = "SELECT pg_catalog.set_config($1, $2, true)";
                let value = self.settings.get(name).unwrap_or(value);
                session.send(set, &[(name, Type::TEXT), (value, Type::TEXT)]).await?;
            }
            if let Some(role) = &asking.role {
                session.send(&format!("SET LOCAL ROLE {}", Name::new(role)), &[]).await?;
            }
            let mut rows = session.send(&sql, &[]).await?;
            if let Some(execute) = &execute {
                rows = session.send(execute, &[]).await?;
            }
            Ok(rows)
        });
        match outcome {
            Ok(rows) => read_plan(Some(&rows.concat())),
            Err(error) => Err(Refusal::of(&error, asking)),
        }
    }

    fn schemas_of(&mut self, relation: &str) -> Vec<String> {
        let relation = relation.to_owned();
        let found = self.within(false, async |session| session.send(SCHEMAS, &[(&relation, Type::NAME)]).await);
        found.unwrap_or_default()
    }

    fn roots(&mut self) -> BTreeMap<QualifiedName, QualifiedName> {
        read_roots(&self.read(ROOTS).unwrap_or_default())
    }

    fn can_become(&self) -> bool {
        true
    }

    fn secured(&mut self) -> BTreeSet<QualifiedName> {
        read_names(&self.read(SECURED).unwrap_or_default())
    }
}
