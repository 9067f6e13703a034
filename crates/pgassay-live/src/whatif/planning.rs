//! What every planner does the same way: repairing statements until they can be planned, and asking nothing twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::prepare::{Asking, Prepared};
use crate::advisor::Offer;
use crate::change::QualifiedName;
use crate::plan::{self, Plan};

/// A server that explains statements as if indexes were there or not.
pub(super) trait Explain {
    /// Plans something with and without these indexes.
    fn explain(&mut self, with: &[String], without: &[QualifiedName], asking: &Asking) -> Result<Plan, Refusal>;

    /// The schemas that have a relation of this name.
    fn schemas_of(&mut self, relation: &str) -> Vec<String>;

    /// Partitions, with the table at the top.
    fn roots(&mut self) -> BTreeMap<QualifiedName, QualifiedName>;

    /// Whether it can plan as another role.
    fn can_become(&self) -> bool;

    /// Tables with row security.
    fn secured(&mut self) -> BTreeSet<QualifiedName>;
}

/// A query with the trial indexes that are shown and the existing ones that are hidden.
type Asked = (usize, Vec<String>, Vec<QualifiedName>);

/// The queries of a workload with what is known of their plans.
pub(super) struct Planning {
    queries: Vec<Prepared>,
    /// Tables of offered indexes, by name of the index.
    offered: HashMap<String, QualifiedName>,
    /// Relations that each query reads.
    reads: Vec<BTreeSet<QualifiedName>>,
    roots: Option<BTreeMap<QualifiedName, QualifiedName>>,
    secured: Option<BTreeSet<QualifiedName>>,
    /// Settings that some query missed: once made, they are empty in the session instead of unknown.
    settings: BTreeMap<String, String>,
    known: HashMap<Asked, Result<Plan, Refusal>>,
    /// Partitions that the executor leaves out when it starts are planned for too, so that it is seen how they are read.
    pub all_partitions: bool,
    pub explained: usize,
}

impl Planning {
    pub fn new(queries: Vec<Prepared>) -> Planning {
        let reads = vec![BTreeSet::new(); queries.len()];
        let (offered, known) = (HashMap::new(), HashMap::new());
        let (roots, secured) = (None, None);
        let settings = BTreeMap::new();
        Planning { queries, offered, reads, roots, secured, settings, known, all_partitions: false, explained: 0 }
    }

    /// An index can be tried.
    pub fn add(&mut self, offer: &Offer) {
        self.offered.insert(offer.name.clone(), offer.definition.table.clone());
    }

    /// Those of the indexes that are on tables that the query reads: others make no difference.
    pub fn relevant(&self, query: usize, with: &[String]) -> Vec<String> {
        let reads = &self.reads[query];
        let on_read = |name: &&String| self.offered.get(*name).is_some_and(|table| reads.contains(table));
        with.iter().filter(on_read).cloned().collect()
    }

    pub fn plan(
        &mut self,
        server: &mut impl Explain,
        query: usize,
        with: &[String],
        without: &[QualifiedName],
    ) -> Result<Plan, Refusal> {
        let key = (query, self.relevant(query, with), without.to_vec());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let first = key.1.is_empty() && without.is_empty();
        let result = match first {
            true => self.first_plan(server, query),
            false => self.explain(server, query, &key.1, without),
        };
        if let (true, Ok(plan)) = (first, &result) {
            let roots = self.roots.get_or_insert_with(|| server.roots());
            self.reads[query] = relations_of(plan, roots);
        }
        self.known.insert(key, result.clone());
        result
    }

    /// Plans a query without other indexes, and repairs it until it can be planned.
    fn first_plan(&mut self, server: &mut impl Explain, query: usize) -> Result<Plan, Refusal> {
        let mut first_refusal = None;
        let mut attempt = 0;
        self.queries[query].standing.adopt(&self.settings);
        loop {
            let refusal = match self.explain(server, query, &[], &[]) {
                Ok(plan) if self.all_partitions && self.queries[query].prune(&plan) => continue,
                Ok(plan)
                    if server.can_become()
                        && self.is_bound(server, query, &plan)
                        && self.queries[query].standing.act() =>
                {
                    continue;
                }
                Ok(plan) => return Ok(plan),
                Err(refusal) => refusal,
            };
            let standing = &mut self.queries[query].standing;
            if standing.repair(&refusal.code, &refusal.message) {
                self.settings.extend(standing.settings());
                continue;
            }
            if refusal.is_about_privileges() && standing.step_back() {
                continue;
            }
            // Applications have a search_path of their own: a name that only one schema has is that one.
            if let Some(relation) = refusal.missing_relation()
                && let [schema] = &server.schemas_of(relation)[..]
                && self.queries[query].search_in(schema)
            {
                continue;
            }
            let repaired = self.queries[query].repair(&refusal.code, &refusal.message, refusal.position, attempt);
            first_refusal.get_or_insert(refusal);
            attempt += 1;
            if repaired && attempt < self.queries[query].tries() {
                continue;
            }
            if !self.queries[query].start_over() {
                break;
            }
            attempt = 0;
        }
        Err(first_refusal.unwrap_or_default())
    }

    /// Whether policies that do not bind us bind the role that runs the query.
    pub fn is_bound(&mut self, server: &mut impl Explain, query: usize, plan: &Plan) -> bool {
        if self.queries[query].standing.role().is_none() {
            return false;
        }
        let secured = self.secured.get_or_insert_with(|| server.secured());
        plan.nodes.iter().filter_map(named).any(|name| secured.contains(&name))
    }

    fn explain(
        &mut self,
        server: &mut impl Explain,
        query: usize,
        with: &[String],
        without: &[QualifiedName],
    ) -> Result<Plan, Refusal> {
        self.explained += 1;
        let mut plan = server.explain(with, without, &self.queries[query].asking())?;
        if let (Some(removed), Some(root)) = (self.queries[query].removed(), plan.nodes.first_mut()) {
            root.subplans_removed = Some(removed);
        }
        Ok(plan)
    }

    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// A query as it was repaired.
    pub fn prepared(&self, query: usize) -> &Prepared {
        &self.queries[query]
    }

    /// One more query.
    pub fn add_query(&mut self, text: &str) -> usize {
        self.queries.push(Prepared::new(text, None));
        self.reads.push(BTreeSet::new());
        self.queries.len() - 1
    }

    /// A query with literals in the place of some parameters, by their numbers, as one more query.
    pub fn with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> usize {
        let prepared = self.queries[query].with_values(values);
        self.queries.push(prepared);
        self.reads.push(BTreeSet::new());
        self.queries.len() - 1
    }

    /// The plan with literals in the place of some parameters, by their numbers.
    pub fn plan_with_values(
        &mut self,
        server: &mut impl Explain,
        query: usize,
        values: &BTreeMap<usize, String>,
    ) -> Result<Plan, Refusal> {
        self.explained += 1;
        server.explain(&[], &[], &self.queries[query].with_values(values).asking())
    }
}

/// A server's refusal.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    pub code: String,
    pub message: String,
    /// In bytes from the start of the text that was to be planned.
    pub position: Option<usize>,
    /// The server was not asked.
    pub user_code: bool,
}

impl Refusal {
    /// Of what was sent for `asking`.
    pub fn of(error: &tokio_postgres::Error, asking: &Asking) -> Refusal {
        let Some(server) = error.as_db_error() else { return Refusal::unread(error.to_string()) };
        let position = match server.position() {
            Some(tokio_postgres::error::ErrorPosition::Original(at)) => usize::try_from(*at).ok(),
            _ => None,
        };
        // Positions count characters from 1.
        let byte = |at: usize| asking.sql.char_indices().nth(at.checked_sub(1)?).map(|(byte, _)| byte);
        let position = position.and_then(byte).map(|at| at.saturating_sub(asking.head));
        Refusal {
            code: server.code().code().to_owned(),
            message: server.message().to_owned(),
            position,
            user_code: false,
        }
    }

    /// Of a statement of our own.
    pub fn of_own(error: &tokio_postgres::Error) -> Refusal {
        Refusal::of(error, &Asking::explain(String::new(), ""))
    }

    /// Planning it may run code of the database's users.
    pub fn user_code(what: &str) -> Refusal {
        let message = format!(
            "not planned on the database: it {what}, and planning could run that with your role's rights (--run-functions)"
        );
        Refusal { user_code: true, ..Refusal::unread(message) }
    }

    /// Policies bind the role that runs it, which a throwaway server can become.
    pub fn role() -> Refusal {
        Refusal { user_code: true, ..Refusal::unread("policies bind the role that runs it".to_owned()) }
    }

    pub fn unread(message: String) -> Refusal {
        Refusal { message, ..Refusal::default() }
    }

    /// `relation "orders" does not exist` (undefined_table), of a name without a schema.
    fn missing_relation(&self) -> Option<&str> {
        let name = self.message.strip_prefix("relation \"")?.strip_suffix("\" does not exist")?;
        (self.code == "42P01").then_some(name)
    }

    /// A throwaway server could plan it: the role may not (insufficient_privilege), or should not.
    pub fn is_about_privileges(&self) -> bool {
        self.code == "42501" || self.user_code
    }
}

/// The plan in the text of EXPLAIN (FORMAT JSON).
pub(super) fn read_plan(text: Option<&str>) -> Result<Plan, Refusal> {
    let plans = plan::read(text.unwrap_or_default()).map_err(|error| Refusal::unread(error.to_string()))?;
    plans.into_iter().next().ok_or_else(|| Refusal::unread("no plan was returned".to_owned()))
}

/// Rows of a table for which a condition holds.
pub(super) fn rows(server: &mut impl Explain, table: &QualifiedName, condition: &str) -> Option<f64> {
    let text = format!("SELECT 1 FROM {table} WHERE {condition}");
    let plan = server.explain(&[], &[], &Asking::explain("EXPLAIN (FORMAT JSON) ".to_owned(), &text)).ok()?;
    plan.root().estimate.map(|estimate| estimate.rows)
}

fn named(node: &plan::Node) -> Option<QualifiedName> {
    Some(QualifiedName::new(node.schema.as_deref()?, node.relation.as_deref()?))
}

fn relations_of(plan: &Plan, roots: &BTreeMap<QualifiedName, QualifiedName>) -> BTreeSet<QualifiedName> {
    let names: BTreeSet<QualifiedName> = plan.nodes.iter().filter_map(named).collect();
    names.into_iter().map(|name| roots.get(&name).cloned().unwrap_or(name)).collect()
}

/// Schema and name of each partition, then of the table at the top, as one JSON array.
pub(super) const ROOTS: &str = "
SELECT pg_catalog.json_build_array(n.nspname, c.relname, rn.nspname, r.relname)::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
 WHERE c.relispartition AND c.relkind IN ('r', 'p')";

/// The schemas of an application's relations of the name `$1`.
pub(super) const SCHEMAS: &str = "
SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Schema and name of each table with row security, as a JSON array.
pub(super) const SECURED: &str = "
SELECT pg_catalog.json_build_array(n.nspname, c.relname)::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity";

pub(super) fn read_names(rows: &[String]) -> BTreeSet<QualifiedName> {
    let read = |row: &String| {
        let [schema, name]: [String; 2] = serde_json::from_str(row).ok()?;
        Some(QualifiedName::new(schema.as_str(), name.as_str()))
    };
    rows.iter().filter_map(read).collect()
}

pub(super) fn read_roots(rows: &[String]) -> BTreeMap<QualifiedName, QualifiedName> {
    let read = |row: &String| {
        let [schema, name, root_schema, root]: [String; 4] = serde_json::from_str(row).ok()?;
        Some((
            QualifiedName::new(schema.as_str(), name.as_str()),
            QualifiedName::new(root_schema.as_str(), root.as_str()),
        ))
    };
    rows.iter().filter_map(read).collect()
}
