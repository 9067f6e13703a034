//! The twin as a planner.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::runtime::Runtime;
use tokio_postgres::SimpleQueryMessage;

use super::prepare::{Prepared, TRIES};
use crate::advisor::{Definition, Method, Offer, Planner};
use crate::change::QualifiedName;
use crate::plan::{self, Plan};
use crate::shadow::Session;
use crate::twin::{TrialIndex, Twin, TwinError};

/// A query with the trial indexes that are shown and the existing ones that are hidden.
type Asked = (usize, Vec<String>, Vec<QualifiedName>);

/// Plans a workload in a twin.
pub struct TwinPlanner<'r> {
    runtime: &'r Runtime,
    twin: Twin,
    session: Session,
    queries: Vec<Prepared>,
    /// Tables of offered indexes, by name of the index.
    offered: HashMap<String, QualifiedName>,
    /// Indexes on partitions, with the offered index that they are part of.
    parts: HashMap<String, String>,
    /// Relations that each query reads.
    reads: Vec<BTreeSet<QualifiedName>>,
    /// Partitions, with the table at the top.
    roots: BTreeMap<QualifiedName, QualifiedName>,
    known: HashMap<Asked, Result<Plan, String>>,
    /// EXPLAINs that were run.
    pub explained: usize,
}

impl<'r> TwinPlanner<'r> {
    /// # Errors
    /// [`TwinError`] if the twin is gone.
    pub fn new(runtime: &'r Runtime, twin: Twin, queries: Vec<Prepared>) -> Result<TwinPlanner<'r>, TwinError> {
        let session = runtime.block_on(twin.connect())?;
        let reads = vec![BTreeSet::new(); queries.len()];
        Ok(TwinPlanner {
            runtime,
            twin,
            session,
            queries,
            offered: HashMap::new(),
            parts: HashMap::new(),
            reads,
            roots: BTreeMap::new(),
            known: HashMap::new(),
            explained: 0,
        })
    }

    /// A session on the twin, to read its catalogs.
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn twin(&self) -> &Twin {
        &self.twin
    }

    /// Runs an EXPLAIN in a transaction that is rolled back.
    fn explain(&mut self, before: &str, explain: &str) -> Result<Plan, Refusal> {
        self.explained += 1;
        let sql = format!("BEGIN; {before} {explain}; ROLLBACK");
        let answer = self.runtime.block_on(self.session.simple_query(&sql));
        let messages = match answer {
            Ok(messages) => messages,
            Err(error) => {
                let _ = self.runtime.block_on(self.session.batch_execute("ROLLBACK"));
                return Err(Refusal::of(&error));
            }
        };
        let text = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let plans = plan::read(text.unwrap_or_default()).map_err(|error| Refusal::unread(error.to_string()))?;
        plans.into_iter().next().ok_or_else(|| Refusal::unread("no plan was returned".to_owned()))
    }

    /// Plans a query without other indexes, and repairs it until it can be planned.
    fn first_plan(&mut self, query: usize) -> Result<Plan, String> {
        let mut first_error = None;
        for attempt in 0..TRIES {
            let explain = self.queries[query].explain();
            let refusal = match self.explain("", &explain) {
                Ok(plan) => return Ok(plan),
                Err(refusal) => refusal,
            };
            first_error.get_or_insert_with(|| refusal.message.clone());
            let offset = self.queries[query].offset() + "BEGIN;  ".len();
            let position = refusal.position.map(|at| at.saturating_sub(offset + 1));
            if !self.queries[query].repair(&refusal.code, &refusal.message, position, attempt) {
                break;
            }
        }
        Err(first_error.unwrap_or_default())
    }
}

struct Refusal {
    code: String,
    message: String,
    position: Option<usize>,
}

impl Refusal {
    fn of(error: &tokio_postgres::Error) -> Refusal {
        let Some(server) = error.as_db_error() else { return Refusal::unread(error.to_string()) };
        let position = match server.position() {
            Some(tokio_postgres::error::ErrorPosition::Original(at)) => usize::try_from(*at).ok(),
            _ => None,
        };
        Refusal { code: server.code().code().to_owned(), message: server.message().to_owned(), position }
    }

    fn unread(message: String) -> Refusal {
        Refusal { code: String::new(), message, position: None }
    }
}

impl Planner for TwinPlanner<'_> {
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>> {
        let mut by_table: BTreeMap<&QualifiedName, Vec<usize>> = BTreeMap::new();
        for (place, offer) in indexes.iter().enumerate() {
            by_table.entry(&offer.definition.table).or_default().push(place);
        }
        let mut results = vec![Ok(()); indexes.len()];
        for (table, places) in by_table {
            let trials: Vec<TrialIndex> = places.iter().map(|place| trial(&indexes[*place])).collect();
            let outcome = self.runtime.block_on(self.twin.add_indexes(&trials));
            match outcome {
                Ok(errors) => {
                    for (place, error) in places.iter().zip(errors) {
                        match error {
                            Some(error) => results[*place] = Err(error),
                            None => {
                                self.offered.insert(indexes[*place].name.clone(), table.clone());
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
        if let Ok(rows) = self.runtime.block_on(self.session.query(sql, &[])) {
            self.parts = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        }
        results
    }

    fn is_part_of(&self, index: &str, offered: &str) -> bool {
        self.parts.get(index).is_some_and(|root| root == offered)
    }

    fn plan(&mut self, query: usize, with: &[String], without: &[QualifiedName]) -> Result<Plan, String> {
        // Indexes on other tables make no difference.
        let reads = &self.reads[query];
        let with: Vec<String> = with
            .iter()
            .filter(|name| self.offered.get(*name).is_some_and(|table| reads.contains(table)))
            .cloned()
            .collect();
        let key = (query, with, without.to_vec());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let result = if key.1.is_empty() && without.is_empty() {
            let plan = self.first_plan(query);
            if let Ok(plan) = &plan {
                self.reads[query] = self.relations_of(plan);
            }
            plan
        } else {
            let pair = |name: &QualifiedName| (name.schema.as_str().to_owned(), name.name.as_str().to_owned());
            let shown: Vec<(String, String)> = key
                .1
                .iter()
                .filter_map(|name| Some((self.offered.get(name)?.schema.as_str().to_owned(), name.clone())))
                .collect();
            let hidden: Vec<(String, String)> = without.iter().map(pair).collect();
            let before = Twin::with_indexes(&shown, &hidden);
            let explain = self.queries[query].explain();
            self.explain(&before, &explain).map_err(|refusal| refusal.message)
        };
        self.known.insert(key, result.clone());
        result
    }

    fn rows(&mut self, table: &QualifiedName, condition: &str) -> Option<f64> {
        let explain = format!("EXPLAIN (FORMAT JSON) SELECT 1 FROM {table} WHERE {condition}");
        let plan = self.explain("", &explain).ok()?;
        plan.root().estimate.map(|estimate| estimate.rows)
    }
}

impl TwinPlanner<'_> {
    fn relations_of(&mut self, plan: &Plan) -> BTreeSet<QualifiedName> {
        if self.roots.is_empty() {
            let sql = "SELECT n.nspname::text, c.relname::text, rn.nspname::text, r.relname::text
                         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                         JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
                         JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
                        WHERE c.relispartition AND c.relkind IN ('r', 'p')";
            let rows = self.runtime.block_on(self.session.query(sql, &[])).unwrap_or_default();
            let name = |row: &tokio_postgres::Row, at: usize| {
                QualifiedName::new(row.get::<_, &str>(at), row.get::<_, &str>(at + 1))
            };
            self.roots = rows.iter().map(|row| (name(row, 0), name(row, 2))).collect();
        }
        let named = |node: &plan::Node| Some(QualifiedName::new(node.schema.as_deref()?, node.relation.as_deref()?));
        let names: BTreeSet<QualifiedName> = plan.nodes.iter().filter_map(named).collect();
        names.into_iter().map(|name| self.roots.get(&name).cloned().unwrap_or(name)).collect()
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
