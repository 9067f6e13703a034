//! The database itself as a planner, where it has the extension hypopg.
//!
//! Hypothetical indexes live in the memory of one session; nothing is written, and read-only transactions allow them. They survive a
//! ROLLBACK, so every batch starts and every planner ends with `hypopg_reset()`. The extension knows B-trees and BRIN (hash and bloom
//! too), and counts no deduplication: what it takes an index to weigh is an upper limit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::runtime::Runtime;
use tokio_postgres::types::Type;

use super::planning::{self, Explain, Planning, Refusal};
use super::prepare::{Asking, Prepared};
use super::tables::read_tables;
use crate::advisor::{Offer, Planner, Tables};
use crate::change::{Name, QualifiedName};
use crate::db::planner::{CaptureError, Source};
use crate::db::{Parameter, Session, UserCode};
use crate::facts::Facts;
use crate::plan::Plan;

/// Plans a workload on a database, in read-only transactions of its own.
pub struct HypopgPlanner<'r> {
    server: HypopgServer<'r>,
    planning: Planning,
    /// Queries of roles that policies bind are planned elsewhere: this session cannot become them.
    pub(super) leaves_roles: bool,
}

struct HypopgServer<'r> {
    runtime: &'r Runtime,
    session: Session,
    calls: Calls,
    /// That of the role's sessions in this database.
    search_path: String,
    /// `CREATE INDEX …` of what is offered.
    definitions: HashMap<String, String>,
    /// Existing indexes can be hidden: 1.4 and later.
    hides: bool,
    /// What must not be planned, for it may run a user's code; None if that was asked for.
    user_code: Option<UserCode>,
}

impl<'r> HypopgPlanner<'r> {
    /// A planner in this session, whose transaction ends here, and the tables of the database. `None` if the database has no hypopg that this role
    /// may use, or the session is not ours alone. Queries that may run a user's code are planned with `functions` only.
    ///
    /// # Errors
    /// [`CaptureError`] if the connection is lost or the tables are not understood.
    pub fn new(
        runtime: &'r Runtime,
        session: Session,
        facts: Option<&Facts>,
        queries: Vec<Prepared>,
        functions: bool,
    ) -> Result<Option<(HypopgPlanner<'r>, Tables)>, CaptureError> {
        if session.pooled() {
            return Ok(None);
        }
        let rows = |part, sql| runtime.block_on(session.rows(part, sql));
        // All of this while no schema of a user's is searched.
        let found = rows("hypopg", FIND)?;
        let Some((schema, hides)) = found.first().and_then(|row| serde_json::from_str::<(String, bool)>(row).ok())
        else {
            return Ok(None);
        };
        let tables = runtime.block_on(read_tables(&session, facts))?;
        let user_code = if functions { None } else { Some(runtime.block_on(UserCode::read(&session))?) };
        rows("the search_path", "SET LOCAL search_path TO DEFAULT")?;
        let search_path = rows("the search_path", "SHOW search_path")?.pop();
        rows("the end of the transaction", "ROLLBACK")?;
        let server = HypopgServer {
            runtime,
            session,
            calls: Calls::new(&Name::new(&schema).to_string()),
            search_path: search_path.unwrap_or_default(),
            definitions: HashMap::new(),
            hides,
            user_code,
        };
        let mut planning = Planning::new(queries);
        planning.all_partitions = true;
        Ok(Some((HypopgPlanner { server, planning, leaves_roles: false }, tables)))
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
        let plan = self.planning.plan(&mut self.server, query, with, without)?;
        if self.leaves_roles && self.planning.is_bound(&mut self.server, query, &plan) {
            return Err(Refusal::role());
        }
        Ok(plan)
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
        let _ = self.send(&[(&self.calls.reset, Vec::new()), ("DEALLOCATE ALL", Vec::new())]);
    }
}

/// A statement with its parameters.
type Statement<'s> = (&'s str, Vec<Parameter<'s>>);

/// What is sent to try indexes. Only what has the types that the extension declared is called: with others, a function of a user's in the
/// schema of the extension might fit better.
struct Calls {
    reset: String,
    unhide: String,
    hide: String,
    create: String,
}

impl Calls {
    fn new(schema: &str) -> Calls {
        Calls {
            reset: format!("SELECT NULL FROM {schema}.hypopg_reset()"),
            unhide: format!("SELECT NULL FROM {schema}.hypopg_unhide_all_indexes()"),
            hide: format!("SELECT NULL FROM {schema}.hypopg_hide_index($1::regclass::oid)"),
            create: format!("SELECT indexname FROM {schema}.hypopg_create_index($1::text)"),
        }
    }
}

impl HypopgServer<'_> {
    /// Sends statements in a transaction of their own, which begins without a schema of a user's in the search_path.
    fn send(&self, statements: &[Statement<'_>]) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
        let session = &self.session;
        let sent = self.runtime.block_on(async {
            session.begin_to_plan(false, false).await?;
            session.send_all(statements).await
        });
        let _ = self.runtime.block_on(session.send("ROLLBACK", &[]));
        sent
    }

    /// Plans, and returns the name that hypopg gave to each index, and the plan.
    fn plan(
        &self,
        with: &[&String],
        without: &[QualifiedName],
        asking: &Asking,
    ) -> Result<(Vec<Option<String>>, Option<String>), tokio_postgres::Error> {
        let without: Vec<String> = without.iter().map(ToString::to_string).collect();
        let path = asking.search_path(&self.search_path);
        let mut statements: Vec<Statement<'_>> = vec![(&self.calls.reset, Vec::new())];
        if self.hides {
            statements.push((&self.calls.unhide, Vec::new()));
        }
        statements.extend(without.iter().map(|name| (self.calls.hide.as_str(), text(name))));
        let created = statements.len();
        statements.extend(with.iter().map(|definition| (self.calls.create.as_str(), text(definition))));
        statements.push(("DEALLOCATE ALL", Vec::new()));
        statements.push(("SET LOCAL plan_cache_mode = force_generic_plan", Vec::new()));
        if !asking.pruning {
            statements.push(("SET LOCAL enable_partition_pruning = off", Vec::new()));
        }
        for (name, value) in &asking.settings {
            statements.push(("SELECT set_config($1, $2, true)", vec![(name, Type::TEXT), (value, Type::TEXT)]));
        }
        // The last of ours: from here on, names are looked up as those of the application are.
        statements.push(("SELECT set_config('search_path', $1, true)", text(&path)));
        statements.push((&asking.sql, Vec::new()));
        statements.extend(asking.execute.as_deref().map(|execute| (execute, Vec::new())));
        let mut rows = self.send(&statements)?;
        let plan = rows.pop().and_then(|mut rows| rows.pop());
        let names = rows.into_iter().skip(created).take(with.len());
        Ok((names.map(|mut rows| rows.pop()).collect(), plan))
    }
}

fn text<'s>(value: &'s String) -> Vec<Parameter<'s>> {
    vec![(value, Type::TEXT)]
}

impl Explain for HypopgServer<'_> {
    fn explain(&mut self, with: &[String], without: &[QualifiedName], asking: &Asking) -> Result<Plan, Refusal> {
        if !without.is_empty() && !self.hides {
            return Err(Refusal::unread("hypopg hides existing indexes from version 1.4 on".to_owned()));
        }
        if let Some(what) = self.user_code.as_ref().and_then(|user_code| user_code.in_text(&asking.sql)) {
            return Err(Refusal::user_code(&what));
        }
        let chosen: Vec<(&String, &String)> =
            with.iter().filter_map(|name| Some((name, self.definitions.get(name)?))).collect();
        let definitions: Vec<&String> = chosen.iter().map(|(_, definition)| *definition).collect();
        let outcome = self.plan(&definitions, without, asking);
        let (given, text) = outcome.map_err(|error| Refusal::of(&error, asking))?;
        let mut plan = planning::read_plan(text.as_deref())?;
        let names: HashMap<&String, &String> =
            given.iter().zip(&chosen).filter_map(|(given, (name, _))| Some((given.as_ref()?, *name))).collect();
        for node in &mut plan.nodes {
            if let Some(name) = node.index.as_ref().and_then(|index| names.get(index)) {
                node.index = Some((*name).clone());
            }
        }
        Ok(plan)
    }

    fn schemas_of(&mut self, relation: &str) -> Vec<String> {
        let rows = self.send(&[(planning::SCHEMAS, vec![(&relation, Type::NAME)])]);
        rows.unwrap_or_default().pop().unwrap_or_default()
    }

    fn roots(&mut self) -> BTreeMap<QualifiedName, QualifiedName> {
        let rows = self.send(&[(planning::ROOTS, Vec::new())]);
        planning::read_roots(&rows.unwrap_or_default().pop().unwrap_or_default())
    }

    fn can_become(&self) -> bool {
        false
    }

    fn secured(&mut self) -> BTreeSet<QualifiedName> {
        let rows = self.send(&[(planning::SECURED, Vec::new())]);
        planning::read_names(&rows.unwrap_or_default().pop().unwrap_or_default())
    }
}

impl Planner for HypopgPlanner<'_> {
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>> {
        let mut results = Vec::new();
        for offer in indexes {
            let definition = offer.definition.create(&offer.name, false);
            let server = &self.server;
            let calls = [(server.calls.reset.as_str(), Vec::new()), (server.calls.create.as_str(), text(&definition))];
            let result = match server.user_code.as_ref().and_then(|user_code| user_code.in_text(&definition)) {
                Some(what) => Err(Refusal::user_code(&what).message),
                None => server.send(&calls).map(drop).map_err(|error| Refusal::of_own(&error).message),
            };
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

    fn add(&mut self, text: &str) -> Option<usize> {
        Some(self.planning.add_query(text))
    }

    fn rows(&mut self, table: &QualifiedName, condition: &str) -> Option<f64> {
        planning::rows(&mut self.server, table, condition)
    }
}

// The extension's own functions only: others may have made one of the same name beside them.
const FIND: &str = "
SELECT json_build_array(n.nspname, EXISTS (
           SELECT FROM pg_proc h JOIN pg_depend m ON m.classid = 'pg_proc'::regclass AND m.objid = h.oid AND m.refobjid = e.oid AND m.deptype = 'e'
            WHERE h.proname = 'hypopg_hide_index'))::text
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
  JOIN pg_depend m ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid AND m.deptype = 'e' AND m.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = m.objid AND p.proname = 'hypopg_create_index'
 WHERE e.extname = 'hypopg' AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')";
