//! The twin as a planner.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::runtime::Runtime;
use tokio_postgres::types::Type;

use super::planning::{self, Explain, Planning, Refusal};
use super::prepare::{Asking, Prepared};
use crate::advisor::{Definition, Method, Offer, Planner};
use crate::change::{Name, QualifiedName};
use crate::db::AnyText;
use crate::db::planner::Source;
use crate::plan::Plan;
use crate::shadow::Session;
use crate::twin::{TrialIndex, Twin, TwinError};

/// Plans a workload in a twin.
pub struct TwinPlanner<'r> {
    server: TwinServer<'r>,
    planning: Planning,
    /// Indexes on partitions, with the offered index that they are part of.
    parts: HashMap<String, String>,
}

struct TwinServer<'r> {
    runtime: &'r Runtime,
    twin: Twin,
    /// Where queries are planned, with the database's settings.
    planner: Session,
    /// Where catalogs are read.
    session: Session,
    /// Schemas of the offered indexes.
    schemas: HashMap<String, String>,
}

impl<'r> TwinPlanner<'r> {
    /// # Errors
    /// [`TwinError`] if the twin is gone.
    pub fn new(runtime: &'r Runtime, twin: Twin, queries: Vec<Prepared>) -> Result<TwinPlanner<'r>, TwinError> {
        let (planner, session) =
            runtime.block_on(async { Ok::<_, TwinError>((twin.connect().await?, twin.connect_to_read().await?)) })?;
        let server = TwinServer { runtime, twin, planner, session, schemas: HashMap::new() };
        Ok(TwinPlanner { server, planning: Planning::new(queries), parts: HashMap::new() })
    }

    /// Plans also for the partitions that the executor would leave out when it starts.
    pub fn with_all_partitions(mut self) -> TwinPlanner<'r> {
        self.planning.all_partitions = true;
        self
    }

    /// A session on the twin, to read its catalogs.
    pub fn session(&self) -> &Session {
        &self.server.session
    }

    pub fn twin(&self) -> &Twin {
        &self.server.twin
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
}

impl TwinServer<'_> {
    /// Each statement by itself: nothing but one may be in a text that comes from outside.
    async fn plan(&self, prelude: &str, asking: &Asking) -> Result<String, tokio_postgres::Error> {
        let session = &self.planner;
        session.batch_execute(prelude).await?;
        if !asking.schemas.is_empty() {
            let add = "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', nullif(pg_catalog.current_setting('search_path'), ''), $1), true)";
            session.query_typed(add, &[(&asking.search_path(""), Type::TEXT)]).await?;
        }
        for (name, value) in &asking.settings {
            let set = "SELECT pg_catalog.set_config($1, $2, true)";
            session.query_typed(set, &[(name, Type::TEXT), (value, Type::TEXT)]).await?;
        }
        if let Some(role) = &asking.role {
            session.batch_execute(&format!("SET LOCAL ROLE {}", Name::new(role))).await?;
        }
        let mut rows = session.query_typed(&asking.sql, &[]).await?;
        if let Some(execute) = &asking.execute {
            rows = session.query_typed(execute, &[]).await?;
        }
        rows.first().map_or(Ok(String::new()), |row| row.try_get(0).map(|AnyText(text)| text))
    }
}

impl Explain for TwinServer<'_> {
    fn explain(&mut self, with: &[String], without: &[QualifiedName], asking: &Asking) -> Result<Plan, Refusal> {
        let pair = |name: &QualifiedName| (name.schema.as_str().to_owned(), name.name.as_str().to_owned());
        let shown: Vec<_> = with.iter().filter_map(|it| Some((self.schemas.get(it)?.clone(), it.clone()))).collect();
        let hidden: Vec<_> = without.iter().map(pair).collect();
        // In a transaction that is rolled back.
        let prelude = format!(
            "BEGIN; {} DEALLOCATE ALL; SET LOCAL plan_cache_mode = force_generic_plan{}",
            Twin::with_indexes(&shown, &hidden),
            if asking.pruning { "" } else { "; SET LOCAL enable_partition_pruning = off" }
        );
        let outcome = self.runtime.block_on(self.plan(&prelude, asking));
        let _ = self.runtime.block_on(self.planner.batch_execute("ROLLBACK"));
        match outcome {
            Ok(text) => planning::read_plan(Some(&text)),
            Err(error) => Err(Refusal::of(&error, asking)),
        }
    }

    fn schemas_of(&mut self, relation: &str) -> Vec<String> {
        let rows = self.runtime.block_on(self.session.query_typed(planning::SCHEMAS, &[(&relation, Type::NAME)]));
        rows.unwrap_or_default().iter().filter_map(|row| row.try_get(0).ok()).collect()
    }

    fn roots(&mut self) -> BTreeMap<QualifiedName, QualifiedName> {
        let rows = self.runtime.block_on((*self.session).rows("partitions", planning::ROOTS));
        planning::read_roots(&rows.unwrap_or_default())
    }

    fn can_become(&self) -> bool {
        true
    }

    fn secured(&mut self) -> BTreeSet<QualifiedName> {
        let rows = self.runtime.block_on((*self.session).rows("row security", planning::SECURED));
        planning::read_names(&rows.unwrap_or_default())
    }
}

impl Planner for TwinPlanner<'_> {
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>> {
        let mut by_table: BTreeMap<&QualifiedName, Vec<usize>> = BTreeMap::new();
        for (place, offer) in indexes.iter().enumerate() {
            by_table.entry(&offer.definition.table).or_default().push(place);
        }
        let TwinServer { runtime, twin, session, schemas, .. } = &mut self.server;
        let mut results = vec![Ok(()); indexes.len()];
        for places in by_table.into_values() {
            let trials: Vec<TrialIndex> = places.iter().map(|place| trial(&indexes[*place])).collect();
            match runtime.block_on(twin.add_indexes(&trials)) {
                Ok(errors) => {
                    for (place, error) in places.iter().zip(errors) {
                        match error {
                            Some(error) => results[*place] = Err(error),
                            None => {
                                let offer = &indexes[*place];
                                schemas.insert(offer.name.clone(), offer.definition.table.schema.as_str().to_owned());
                                self.planning.add(offer);
                            }
                        }
                    }
                }
                Err(error) => places.iter().for_each(|place| results[*place] = Err(error.to_string())),
            }
        }
        let sql = "SELECT c.relname::text, r.relname::text FROM pg_catalog.pg_class c
                     JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
                    WHERE c.relkind IN ('i', 'I') AND c.relispartition";
        if let Ok(rows) = runtime.block_on(session.query(sql, &[])) {
            self.parts = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        }
        results
    }

    fn is_part_of(&self, index: &str, offered: &str) -> bool {
        self.parts.get(index).is_some_and(|root| root == offered)
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

    fn planned_as(&self, query: usize) -> Option<&str> {
        self.planning.prepared(query).standing.acting()
    }
}

fn trial(offer: &Offer) -> TrialIndex {
    let Definition { table, method, .. } = &offer.definition;
    let estimate = offer.estimate;
    TrialIndex {
        schema: table.schema.as_str().to_owned(),
        table: table.name.as_str().to_owned(),
        name: offer.name.clone(),
        create: offer.definition.create(&offer.name, false),
        blocks: estimate.pages(),
        // An index of one summary for many pages counts its table's rows.
        entries: if *method == Method::Brin { estimate.pages() as f64 } else { estimate.entries },
        key_width: estimate.key_width as usize,
    }
}
