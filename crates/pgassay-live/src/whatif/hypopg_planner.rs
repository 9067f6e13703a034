//! The database itself as a planner, where it has the extension hypopg.
//!
//! Hypothetical indexes live in the memory of one session; nothing is written, and read-only transactions allow them. They survive a
//! ROLLBACK, so every batch starts and every planner ends with `hypopg_reset()`. The extension knows B-trees and BRIN (hash and bloom
//! too), and counts no deduplication: what it takes an index to weigh is an upper limit.

use std::collections::{BTreeMap, HashMap};

use tokio::runtime::Runtime;

use super::planning::{self, Explain, Planning, Refusal};
use super::prepare::Prepared;
use crate::advisor::{Offer, Planner};
use crate::change::{Name, QualifiedName};
use crate::db::{DbError, Session};
use crate::plan::Plan;

/// Plans a workload on a database, in read-only transactions of its own.
pub struct HypopgPlanner<'r> {
    server: HypopgServer<'r>,
    planning: Planning,
}

struct HypopgServer<'r> {
    runtime: &'r Runtime,
    session: Session,
    /// The schema of the extension, quoted.
    schema: String,
    /// `CREATE INDEX …` of what is offered.
    definitions: HashMap<String, String>,
    /// Existing indexes can be hidden: 1.4 and later.
    hides: bool,
}

impl<'r> HypopgPlanner<'r> {
    /// A planner in this session, whose transaction ends here. `None` if the database has no hypopg that this role may use, or
    /// the session is not ours alone.
    ///
    /// # Errors
    /// [`DbError`] if the connection is lost.
    pub fn new(
        runtime: &'r Runtime,
        session: Session,
        queries: Vec<Prepared>,
    ) -> Result<Option<HypopgPlanner<'r>>, DbError> {
        if session.pooled() {
            return Ok(None);
        }
        runtime.block_on(session.run("the end of the transaction", "ROLLBACK"))?;
        let found = runtime.block_on(session.together(FIND)).unwrap_or_default();
        let Some((schema, hides)) = found.first().and_then(|row| serde_json::from_str::<(String, bool)>(row).ok())
        else {
            return Ok(None);
        };
        let schema = Name::new(&schema).to_string();
        let server = HypopgServer { runtime, session, schema, definitions: HashMap::new(), hides };
        Ok(Some(HypopgPlanner { server, planning: Planning::new(queries) }))
    }

    /// The session, to read catalogs; it is in no transaction.
    pub fn session(&self) -> &Session {
        &self.server.session
    }

    /// EXPLAINs that were run.
    pub fn explained(&self) -> usize {
        self.planning.explained
    }

    pub(super) fn try_plan(
        &mut self,
        query: usize,
        with: &[String],
        without: &[QualifiedName],
    ) -> Result<Plan, Refusal> {
        self.planning.plan(&mut self.server, query, with, without)
    }

    /// Those that are on tables that the query reads.
    pub(super) fn relevant(&self, query: usize, with: &[String]) -> Vec<String> {
        self.planning.relevant(query, with)
    }

    /// So that [`HypopgPlanner::relevant`] knows it, though it cannot be tried here.
    pub(super) fn note(&mut self, offer: &Offer) {
        self.planning.add(offer);
    }
}

impl Drop for HypopgServer<'_> {
    fn drop(&mut self) {
        let reset = format!("SELECT {}.hypopg_reset(); DEALLOCATE ALL", self.schema);
        let _ = self.runtime.block_on(self.session.together(&reset));
    }
}

impl HypopgServer<'_> {
    fn send(&self, sql: &str, explain: &str) -> Result<Vec<String>, Refusal> {
        self.runtime.block_on(self.session.together(sql)).map_err(|error| {
            let _ = self.runtime.block_on(self.session.together("ROLLBACK"));
            Refusal::of(&error, sql, explain)
        })
    }

    fn create(&self, definition: &str) -> String {
        let literal = definition.replace('\'', "''");
        format!("SELECT indexname FROM {}.hypopg_create_index('{literal}')", self.schema)
    }
}

impl Explain for HypopgServer<'_> {
    fn explain(&mut self, with: &[String], without: &[QualifiedName], explain: &str) -> Result<Plan, Refusal> {
        if !without.is_empty() && !self.hides {
            return Err(Refusal::unread("hypopg hides existing indexes from version 1.4 on".to_owned()));
        }
        let schema = &self.schema;
        let mut sql = format!("BEGIN READ ONLY; SELECT NULL FROM {schema}.hypopg_reset(); ");
        if self.hides {
            sql.push_str(&format!("SELECT NULL FROM {schema}.hypopg_unhide_all_indexes(); "));
        }
        for name in without {
            let name = name.to_string().replace('\'', "''");
            sql.push_str(&format!("SELECT NULL FROM {schema}.hypopg_hide_index('{name}'::pg_catalog.regclass); "));
        }
        for definition in with.iter().filter_map(|name| self.definitions.get(name)) {
            sql.push_str(&self.create(definition));
            sql.push_str("; ");
        }
        let sql = format!("{sql}{explain}; ROLLBACK");
        // The names that hypopg gave, one for each index, and the plan.
        let rows = self.send(&sql, explain)?;
        let mut plan = planning::read_plan(rows.last().map(String::as_str))?;
        let names: HashMap<&String, &String> = rows.iter().zip(with).collect();
        for node in &mut plan.nodes {
            if let Some(name) = node.index.as_ref().and_then(|index| names.get(index)) {
                node.index = Some((*name).clone());
            }
        }
        Ok(plan)
    }

    fn schemas_of(&mut self, relation: &str) -> Vec<String> {
        self.send(&planning::schemas(relation), "").unwrap_or_default()
    }

    fn roots(&mut self) -> BTreeMap<QualifiedName, QualifiedName> {
        planning::read_roots(&self.send(planning::ROOTS, "").unwrap_or_default())
    }
}

impl Planner for HypopgPlanner<'_> {
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>> {
        let mut results = Vec::new();
        for offer in indexes {
            let definition = offer.definition.create(&offer.name, false);
            let schema = &self.server.schema;
            let attempt = self.server.create(&definition);
            let sql = format!("BEGIN READ ONLY; SELECT NULL FROM {schema}.hypopg_reset(); {attempt}; ROLLBACK");
            let result = self.server.send(&sql, "").map(|_| ()).map_err(|refusal| refusal.message);
            if result.is_ok() {
                self.server.definitions.insert(offer.name.clone(), definition);
                self.planning.add(offer);
            }
            results.push(result);
        }
        results
    }

    /// A hypothetical index on a partitioned table is used for its partitions by its own name.
    fn is_part_of(&self, _: &str, _: &str) -> bool {
        false
    }

    fn plan(&mut self, query: usize, with: &[String], without: &[QualifiedName]) -> Result<Plan, String> {
        self.try_plan(query, with, without).map_err(|refusal| refusal.message)
    }

    fn plan_with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Result<Plan, String> {
        self.planning.plan_with_values(&mut self.server, query, values).map_err(|refusal| refusal.message)
    }

    fn with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Option<usize> {
        Some(self.planning.with_values(query, values))
    }

    fn rows(&mut self, table: &QualifiedName, condition: &str) -> Option<f64> {
        planning::rows(&mut self.server, table, condition)
    }
}

const FIND: &str = "
SELECT pg_catalog.json_build_array(n.nspname, EXISTS (
           SELECT FROM pg_catalog.pg_proc h WHERE h.pronamespace = e.extnamespace AND h.proname = 'hypopg_hide_index'))::text
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  JOIN pg_catalog.pg_proc p ON p.pronamespace = e.extnamespace AND p.proname = 'hypopg_create_index'
 WHERE e.extname = 'hypopg' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')";
