//! The rows that were made up: which tables hold them, and what becomes of a statement that only they are in the way of.

use std::collections::BTreeSet;

use super::{Outcome, Runner};
use crate::history::Step;
use crate::prove::ProveError;
use crate::prove::server::ground::Ground;
use crate::shadow::ServerError;
use crate::source::Sources;
use crate::text::quoting::literal;

impl Runner {
    /// Made-up rows were refused: they go, and the statement is tried again, for the rest builds on it.
    pub(super) async fn without_rows(
        &mut self,
        ground: &mut Ground,
        step: &Step<'_>,
        sql: &str,
        sources: &Sources,
        watch: bool,
        refused: Outcome,
    ) -> Result<Outcome, ProveError> {
        let tables = self.names(&self.made_up).await?;
        let delete: String = tables.iter().map(|table| format!("DELETE FROM {table}; ")).collect();
        let open = self.is_open();
        let text = format!(
            "{}SET LOCAL session_replication_role = replica; {delete}{}",
            if open { "SAVEPOINT pgassay_rows; " } else { "BEGIN; " },
            if open { "SET LOCAL session_replication_role = origin; RELEASE pgassay_rows" } else { "COMMIT" }
        );
        if self.send(&text).await?.is_some() {
            self.send(if open { "ROLLBACK TO pgassay_rows; RELEASE pgassay_rows" } else { "ROLLBACK" }).await?;
            return Ok(refused);
        }
        self.made_up.clear();
        let second = self.watched(ground, step, sql, sources, watch).await?;
        if second.error.is_some() {
            return Ok(second);
        }
        Ok(Outcome { error: refused.error, on_rows: true, ..second })
    }

    /// Notes that the tables hold made-up rows now.
    pub async fn has_made_up(&mut self, tables: &BTreeSet<String>) -> Result<(), ProveError> {
        for table in tables {
            let sql = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid", literal(table));
            self.made_up.extend(self.rows(&sql).await?.into_iter().flatten().flatten());
            self.has_seeded = true;
        }
        Ok(())
    }

    /// The names that tables have now; those that are gone have none.
    async fn names(&self, tables: &BTreeSet<String>) -> Result<Vec<String>, ProveError> {
        let list: Vec<&str> = tables.iter().map(String::as_str).collect();
        let sql = format!(
            "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.oid = ANY ('{{{}}}'::pg_catalog.oid[])",
            list.join(",")
        );
        Ok(self.rows(&sql).await?.into_iter().flatten().flatten().collect())
    }
}

/// Integrity violations, and values that do not fit.
pub(in crate::prove) fn is_about_rows(error: &ServerError) -> bool {
    error.code.starts_with("23") || error.code.starts_with("22")
}
