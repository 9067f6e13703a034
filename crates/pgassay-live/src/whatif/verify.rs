//! Advised indexes made on a copy of the database, and the workload run there with and without them.
//!
//! In: a session on the copy that the user named, the statements, and the indexes. Out: what each query took before and after, in milliseconds and
//! blocks, and how large each index became. Before and after are measured in turn: the indexes are there, and a run without them drops them in a transaction
//! that is rolled back. Nothing but the indexes is written, and those are dropped at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::copy_server::CopyServer;
use super::given::{Given, given};
use super::planning::{Planning, Refusal};
use super::prepare::Prepared;
use super::tables::read_tables;
use crate::advisor::{self, Advice, Compared, Tables};
use crate::change::{Name, QualifiedName};
use crate::db::planner::CaptureError;
use crate::db::{DbError, Limits, Parameters, Session};
use crate::plan::node::KnownType;
use crate::plan::{Node, Plan};
use crate::text::quoting::literal;

/// Sets of values that each query is run with, and runs of each, of which the fastest counts.
const SETS: usize = 4;
const RUNS: usize = 3;
/// Rows of a page.
const PAGE: &str = "10";
/// Rows that values are chosen from.
const SAMPLE: f64 = 300.0;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error("{0}")]
    Server(String),
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// The copy, for messages.
    pub place: String,
    pub queries: Vec<Measured>,
    pub indexes: Vec<Made>,
    /// Queries that were not run, by their numbers, and why.
    pub left_out: Vec<(usize, String)>,
}

/// A query with and without the indexes, on average over the sets of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub query: usize,
    pub before: f64,
    pub after: f64,
    pub blocks_before: f64,
    pub blocks_after: f64,
    pub sets: usize,
    /// A run without the indexes was stopped: `before` is at least that.
    pub stopped: bool,
}

/// An index as it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub name: String,
    /// Of a partitioned table, the names of the parts.
    pub parts: Vec<String>,
    pub bytes: f64,
    /// For each query that used it, milliseconds of one call with all indexes but this one, and with all.
    pub without: Vec<(usize, f64, f64)>,
    /// Why it could not be made.
    pub refused: Option<String>,
}

/// Creates the indexes on the copy, measures, and drops them. `writes`: statements that write are run too, and rolled back.
///
/// # Errors
/// [`VerifyError`] if the copy cannot be reached or is lost. An index that cannot be made, or a query that cannot be run, is a part of the result.
pub fn verify(
    runtime: &Runtime,
    copy: &Parameters,
    limit: Duration,
    queries: Vec<Prepared>,
    advice: &[Advice],
    writes: bool,
) -> Result<Verified, VerifyError> {
    let limits = Limits { statement: limit, ..Limits::default() };
    let session = runtime.block_on(Session::open(copy, &limits))?;
    let tables = runtime.block_on(read_tables(&session, None))?;
    // Making an index may take long, and waits for nobody on a copy.
    let long = Limits {
        statement: Duration::from_secs(6 * 3600),
        lock: Duration::from_secs(60),
        idle: Duration::from_secs(3600),
    };
    let maker = Maker { runtime, session: runtime.block_on(Session::open(copy, &long))? };
    let place = session.place().to_owned();
    let mut planning = Planning::new(queries);
    planning.all_partitions = true;
    const ROLES: &str = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER')";
    let roles = runtime.block_on(session.ask("roles", ROLES, &[]))?;
    let roles = roles.into_iter().collect();
    let mut verifier = Verifier {
        server: CopyServer { runtime, session, analyze: false, dropped: Vec::new(), roles, settings: BTreeMap::new() },
        planning,
        tables,
        writes,
    };
    let mut verified = Verified { place, ..Verified::default() };
    maker.send("SET default_transaction_read_only = off")?;
    let made: Vec<Made> = advice.iter().map(|advice| maker.make(advice)).collect();
    // As the last step, whatever became of the rest.
    let measured = maker.vacuum(advice).and_then(|()| verifier.measure(&made, advice, &mut verified));
    maker.drop_all(advice, &made)?;
    measured?;
    Ok(verified)
}

struct Maker<'r> {
    runtime: &'r Runtime,
    session: Session,
}

impl Maker<'_> {
    fn send(&self, sql: &str) -> Result<Vec<String>, VerifyError> {
        let _ = self.runtime.block_on(self.session.send("ROLLBACK", &[]));
        self.runtime
            .block_on(self.session.send(sql, &[]))
            .map_err(|error| VerifyError::Server(Refusal::of_own(&error).message))
    }

    fn make(&self, advice: &Advice) -> Made {
        let create = advice.definition.create(&advice.name, false);
        let refused = self.send(&create).err().map(|error| error.to_string());
        let bytes = match refused {
            Some(_) => 0.0,
            None => self.bytes(advice).unwrap_or(0.0),
        };
        let parts = if refused.is_none() { self.parts(advice) } else { Vec::new() };
        Made { name: advice.name.clone(), parts, bytes, without: Vec::new(), refused }
    }

    fn parts(&self, advice: &Advice) -> Vec<String> {
        let name = literal(&index_name(advice).to_string());
        let sql = format!(
            "SELECT c.relname::text FROM pg_catalog.pg_partition_tree({name}::pg_catalog.regclass) p JOIN pg_catalog.pg_class c ON c.oid = p.relid"
        );
        self.send(&sql).unwrap_or_default()
    }

    fn bytes(&self, advice: &Advice) -> Option<f64> {
        let name = literal(&index_name(advice).to_string());
        let sql = format!(
            "SELECT coalesce(sum(pg_catalog.pg_relation_size(relid)), 0)::text FROM (SELECT {name}::pg_catalog.regclass::oid AS relid
              UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree({name}::pg_catalog.regclass)) q"
        );
        self.send(&sql).ok()?.first()?.parse().ok()
    }

    /// Pages are marked all-visible, which index-only scans need, and statistics of expressions come into being.
    fn vacuum(&self, advice: &[Advice]) -> Result<(), VerifyError> {
        let tables: BTreeSet<&QualifiedName> = advice.iter().map(|advice| &advice.definition.table).collect();
        tables.into_iter().try_for_each(|table| self.send(&format!("VACUUM (ANALYZE) {table}")).map(drop))
    }

    fn drop_all(&self, advice: &[Advice], made: &[Made]) -> Result<(), VerifyError> {
        let own = advice.iter().zip(made).filter(|(_, made)| made.refused.is_none());
        let failed: Vec<String> = own
            .filter_map(|(advice, _)| self.send(&format!("DROP INDEX {}", index_name(advice))).err())
            .map(|error| error.to_string())
            .collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(VerifyError::Server(format!("indexes are left on the copy: {}", failed.join("; ")))),
        }
    }
}

fn index_name(advice: &Advice) -> QualifiedName {
    QualifiedName::new(advice.definition.table.schema.clone(), Name::new(&advice.name))
}

struct Verifier<'r> {
    server: CopyServer<'r>,
    planning: Planning,
    tables: Tables,
    writes: bool,
}

/// Milliseconds and blocks of a run; `None` if it was stopped.
type Run = Option<(f64, f64, Plan)>;

impl Verifier<'_> {
    fn measure(&mut self, made: &[Made], advice: &[Advice], verified: &mut Verified) -> Result<(), VerifyError> {
        let there: Vec<QualifiedName> = advice
            .iter()
            .zip(made)
            .filter(|(_, made)| made.refused.is_none())
            .map(|(advice, _)| index_name(advice))
            .collect();
        verified.indexes = made.to_vec();
        for query in 0..self.planning.len() {
            // A search for a foreign key is in no plan.
            let gains =
                |advice: &&Advice| advice.gains.iter().any(|gain| gain.query == query && gain.foreign_key.is_some());
            let searched: BTreeSet<String> = advice.iter().filter(gains).map(|advice| advice.name.clone()).collect();
            match self.one(query, &there, &searched, verified) {
                Ok(measured) => verified.queries.push(measured),
                Err(reason) => verified.left_out.push((query, reason)),
            }
        }
        Ok(())
    }

    /// Runs a query with and without the indexes in turn, and without each that it uses.
    fn one(
        &mut self,
        query: usize,
        indexes: &[QualifiedName],
        searched: &BTreeSet<String>,
        verified: &mut Verified,
    ) -> Result<Measured, String> {
        self.server.analyze = false;
        let plan = self.planning.plan(&mut self.server, query, &[], &[]).map_err(|refusal| refusal.message)?;
        let writes = plan.nodes.iter().any(|node| node.is(KnownType::ModifyTable));
        if writes && !self.writes {
            return Err("it writes: --verify-writes runs such statements too, and rolls them back".to_owned());
        }
        self.server.settings = self.asked_settings(&plan);
        let sets = self.values(query, &plan)?;
        let sets: Vec<_> = sets.into_iter().map(|values| self.fitting(query, values)).collect();
        self.server.analyze = true;
        let mut measured = Measured {
            query,
            before: 0.0,
            after: 0.0,
            blocks_before: 0.0,
            blocks_after: 0.0,
            sets: sets.len(),
            stopped: false,
        };
        let share = 1.0 / sets.len() as f64;
        let mut without: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for values in &sets {
            let (mut before, mut after): (Run, Run) = (None, None);
            for _ in 0..RUNS {
                after = faster(after, self.run(query, values, &[])?);
                before = faster(before, self.run(query, values, indexes)?);
            }
            let Some((time, blocks, plan)) = after else {
                return Err("it was stopped by --statement-timeout".to_owned());
            };
            measured.after += time * share;
            measured.blocks_after += blocks * share;
            measured.stopped |= before.is_none();
            let limit = self.server.session.limit().as_secs_f64() * 1000.0;
            let (time_before, blocks_before) = before.map_or((limit, blocks), |(time, blocks, _)| (time, blocks));
            measured.before += time_before * share;
            measured.blocks_before += blocks_before * share;
            let used: Vec<QualifiedName> = indexes
                .iter()
                .filter(|index| searched.contains(index.name.as_str()) || uses(&plan, index, &verified.indexes))
                .cloned()
                .collect();
            for index in &used {
                let mut alone: Run = None;
                for _ in 0..RUNS {
                    alone = faster(alone, self.run(query, values, std::slice::from_ref(index))?);
                }
                let lost = alone.map_or(limit, |(time, _, _)| time);
                let sums = without.entry(index.name.as_str().to_owned()).or_default();
                *sums = (sums.0 + lost * share, sums.1 + time * share);
            }
        }
        for made in &mut verified.indexes {
            if let Some((lost, with)) = without.get(&made.name) {
                made.without.push((query, *lost, *with));
            }
        }
        Ok(measured)
    }

    /// Settings that policies compare columns with, from a row of the copy: what stands in for them when planning is nobody's, and finds nothing.
    fn asked_settings(&self, plan: &Plan) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for node in &plan.nodes {
            let (Some(schema), Some(relation)) = (&node.schema, &node.relation) else { continue };
            let table = QualifiedName::new(Name::new(schema), Name::new(relation));
            for (column, setting) in node.conditions.iter().filter_map(|it| compared_setting(&it.text)) {
                let column = Name::new(column);
                let sql = format!(
                    "SELECT {column}::text FROM {table} WHERE {column} IS NOT NULL ORDER BY pg_catalog.md5({column}::text) LIMIT 1"
                );
                if let Some(value) = self.server.read(&sql).unwrap_or_default().into_iter().next() {
                    found.insert(setting.to_owned(), value);
                }
            }
        }
        found
    }

    /// The values, but of ranges an element where the query asks for one.
    fn fitting(&mut self, query: usize, values: BTreeMap<usize, String>) -> BTreeMap<usize, String> {
        let elements: BTreeMap<usize, String> =
            values.iter().map(|(number, value)| (*number, element(value).unwrap_or(value).to_owned())).collect();
        if elements == values || self.planning.plan_with_values(&mut self.server, query, &values).is_ok() {
            return values;
        }
        elements
    }

    fn run(
        &mut self,
        query: usize,
        values: &BTreeMap<usize, String>,
        dropped: &[QualifiedName],
    ) -> Result<Run, String> {
        self.server.dropped = dropped.to_vec();
        let result = self.planning.plan_with_values(&mut self.server, query, values);
        self.server.dropped.clear();
        match result {
            Ok(plan) => {
                let time = plan.execution_time.ok_or("the server gave no time")?;
                let blocks = plan.root().counters.buffers.accessed();
                Ok(Some((time, blocks, plan)))
            }
            // query_canceled: the statement_timeout.
            Err(refusal) if refusal.code == "57014" => Ok(None),
            Err(refusal) => Err(refusal.message),
        }
    }

    /// Values for all parameters, from rows of the tables that they are compared with: those of one set from the same row.
    fn values(&mut self, query: usize, plan: &Plan) -> Result<Vec<BTreeMap<usize, String>>, String> {
        let open = self.planning.prepared(query).open_parameters();
        if open.is_empty() {
            return Ok(vec![BTreeMap::new()]);
        }
        let mut compared = advisor::compared(plan, &self.tables);
        let mut pages = BTreeMap::new();
        for number in open.iter().filter(|number| compared.iter().all(|it| it.number != **number)).collect::<Vec<_>>() {
            match given(self.planning.prepared(query).text(), *number) {
                Some(Given::Rows) => pages.extend([(*number, PAGE)]),
                Some(Given::Start) => pages.extend([(*number, "0")]),
                Some(Given::Column(column)) => compared.extend(self.written(plan, column, *number)),
                None => {}
            }
        }
        let mut sets = vec![BTreeMap::new(); SETS];
        let tables: BTreeSet<&QualifiedName> = compared.iter().map(|it| &it.table).collect();
        for table in tables {
            let of: Vec<&Compared> = compared.iter().filter(|it| it.table == *table).collect();
            let rows = self.rows_of(table, &of);
            for (set, row) in sets.iter_mut().zip(rows.iter().cycle()) {
                for (asked, value) in of.iter().zip(row) {
                    set.extend(value.as_ref().map(|value| (asked.number, value.clone())));
                }
            }
        }
        sets.iter_mut().for_each(|set| set.extend(pages.iter().map(|(number, value)| (*number, (*value).to_owned()))));
        sets.dedup();
        let is_known = |number: &usize| pages.contains_key(number) || compared.iter().any(|it| it.number == *number);
        let missing = open.iter().find(|number| !is_known(number));
        sets.retain(|set| open.iter().all(|number| set.contains_key(number)));
        match (sets.is_empty(), missing) {
            (false, _) => Ok(sets),
            (true, Some(number)) => Err(format!(
                "no value is known for ${number}, which is compared with no column: give the query with constants"
            )),
            (true, None) => Err("the tables have no rows to take values from".to_owned()),
        }
    }

    /// A column that the statement writes, with values of its own rows.
    fn written(&self, plan: &Plan, column: String, number: usize) -> Option<Compared> {
        let of = |node: &Node| {
            let table = QualifiedName::new(Name::new(node.schema.as_deref()?), Name::new(node.relation.as_deref()?));
            self.tables.tables.get(&table).filter(|info| info.columns.contains_key(&column)).map(|_| table)
        };
        let table = plan.nodes.iter().filter(|node| node.is(KnownType::ModifyTable)).find_map(of)?;
        Some(Compared { table, column, number, list: false, pattern: false })
    }

    fn rows_of(&self, table: &QualifiedName, asked: &[&Compared]) -> Vec<Vec<Option<String>>> {
        let column = |it: &&Compared| {
            let name = Name::new(&it.column);
            match (it.pattern, it.list) {
                (true, _) => format!("pg_catalog.left({name}::text, 3) || '%'"),
                (false, true) => format!("ARRAY[{name}]::text"),
                (false, false) => format!("{name}::text"),
            }
        };
        let columns: Vec<String> = asked.iter().map(column).collect();
        let rows = self.tables.tables.get(table).map_or(1.0, |info| info.rows.max(1.0));
        let share = (SAMPLE / rows * 100.0).clamp(0.0001, 100.0);
        let sample =
            if share < 100.0 { format!(" TABLESAMPLE BERNOULLI ({share}) REPEATABLE (7)") } else { String::new() };
        let sql = format!(
            "SELECT pg_catalog.json_build_array({})::text FROM {table}{sample} ORDER BY pg_catalog.md5(ROW({})::text) LIMIT {SETS}",
            columns.join(", "),
            columns.join(", ")
        );
        let found = self.server.read(&sql).unwrap_or_default();
        found.iter().filter_map(|row| serde_json::from_str(row).ok()).collect()
    }
}

/// The lower bound of a range as text, or the upper one if it has none.
fn element(value: &str) -> Option<&str> {
    let inner = value.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let (lower, upper) = inner.split_once(',')?;
    let bounds = [lower, upper].map(|bound| bound.trim_matches('"'));
    bounds.into_iter().find(|bound| !bound.is_empty())
}

/// The column and the setting of `(tenant_id = (current_setting('app.tenant'::text))::integer)`.
fn compared_setting(condition: &str) -> Option<(&str, &str)> {
    let (before, rest) = condition.split_once("current_setting('")?;
    let (setting, _) = rest.split_once('\'')?;
    let (before, _) = before.rsplit_once(" = ")?;
    let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    let column = &before[start..];
    (!column.is_empty()).then_some((column, setting))
}

fn faster(one: Run, other: Run) -> Run {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
        (one, other) => one.or(other),
    }
}

/// Whether a plan uses an index, or a part of it on a partition.
fn uses(plan: &Plan, index: &QualifiedName, made: &[Made]) -> bool {
    let own = made.iter().find(|made| made.name == index.name.as_str());
    plan.nodes
        .iter()
        .filter_map(|node| node.index.as_deref())
        .any(|name| name == index.name.as_str() || own.is_some_and(|own| own.parts.iter().any(|part| part == name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_elements() {
        assert_eq!(element("[\"2024-01-01 10:00:00\",\"2024-01-01 11:00:00\")"), Some("2024-01-01 10:00:00"));
        assert_eq!(element("(,5]"), Some("5"));
        assert_eq!(element("(1.5)"), None);
        assert_eq!(element("12"), None);
    }

    #[test]
    fn policies_compare_columns_with_settings() {
        let of = compared_setting;
        assert_eq!(
            of("(notes.tenant_id = (current_setting('app.tenant'::text))::integer)"),
            Some(("tenant_id", "app.tenant"))
        );
        assert_eq!(
            of("((state = 'open'::text) AND (owner = current_setting('app.user'::text, true)))"),
            Some(("owner", "app.user"))
        );
        assert_eq!(of("(state = 'open'::text)"), None);
    }
}
