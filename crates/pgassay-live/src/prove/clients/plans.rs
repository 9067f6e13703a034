//! Plans that a migration makes worse: hot queries are planned in a twin of the database before the new migrations, and in one behind
//! them.
//!
//! In: what a snapshot or a live database holds, and the runs as they are judged. Out: findings of the rule `slower-plan`. It stands
//! around another [`Observer`] and hands everything on to it.

use std::collections::{BTreeMap, BTreeSet};

use tokio::runtime::Runtime;

use crate::advisor::{self, Planner, Tables};
use crate::catalog::LockMode;
use crate::change::{Change, ObjectKind, PrintedName, QualifiedName};
use crate::check::Observer;
use crate::db::Database;
use crate::facts::StatementFacts;
use crate::facts::planner::Statistics;
use crate::finding::{Advice, Evidence, Finding, Severity};
use crate::history::{MigrationRun, Unit};
use crate::migration::Direction;
use crate::plan::node::KnownType;
use crate::plan::{NodeId, Plan};
use crate::report::Observed;
use crate::rules::migration::observed::SLOWER_PLAN;
use crate::shadow::Installation;
use crate::source::{Sources, Span};
use crate::text::plain;
use crate::twin::{Twin, TwinError};
use crate::whatif::{Prepared, TwinPlanner, is_plannable, read_tables, reads_catalogs};

/// Queries that are planned, by time.
const MOST: usize = 200;
/// A plan is worse if it costs so many times as much, and at least so much more.
const WORSE: f64 = 2.0;
const AT_LEAST: f64 = 100.0;
/// From here on it is an error, if the queries would then take this share of what all take now.
const MUCH_WORSE: f64 = 10.0;
const HOT: f64 = 0.01;
/// Queries told in one finding.
const TOLD: usize = 3;

/// A database with its hot queries, as it is before the new migrations.
#[derive(Debug, Clone)]
pub struct PlanWatch {
    installation: Installation,
    ddl: String,
    statistics: Statistics,
    label: String,
    read_at: String,
    hot: Vec<Hot>,
    /// What the statements of the new migrations are, and what each does.
    steps: Vec<Step>,
    /// What the reader has to know.
    pub notes: Vec<String>,
}

/// A query with its weight.
#[derive(Debug, Clone)]
struct Hot {
    text: String,
    calls: f64,
    milliseconds: f64,
    rows: f64,
    /// Of the time of all queries.
    share: f64,
}

/// A statement of a judged migration.
#[derive(Debug, Clone)]
struct Step {
    sql: String,
    span: Span,
    /// Relations that it locks against writers, by printed name.
    locks: BTreeSet<String>,
    controls_transaction: bool,
    /// Makes or drops an index and nothing else: only plans that use it change.
    of_index: bool,
}

/// A query whose plan is worse.
struct Slower {
    query: usize,
    before: Plan,
    after: Plan,
    /// With a typical value for its parameters; else as a prepared statement is planned for all values.
    with_values: bool,
}

/// The plans of a query.
struct Plans {
    generic: Plan,
    /// With typical values, where the statistics have some.
    typical: Option<(BTreeMap<usize, String>, Plan)>,
}

impl PlanWatch {
    /// `None` if nothing is known of the database's planner or queries.
    pub fn new(database: &Database, ddl: &str, installation: Installation) -> Option<PlanWatch> {
        let statistics = database.planner.clone()?;
        let hot = hot(&database.workload.statements);
        (!hot.is_empty()).then(|| PlanWatch {
            installation,
            ddl: ddl.to_owned(),
            statistics,
            label: database.label.clone(),
            read_at: database.facts.server.read_at.to_string(),
            hot,
            steps: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Lets `inner` observe, and notes what is judged.
    pub fn around<'o>(&'o mut self, runtime: &'o Runtime, inner: &'o mut dyn Observer) -> Around<'o> {
        Around { watch: self, runtime, inner }
    }

    fn note(&mut self, run: &MigrationRun, sources: &Sources) {
        for step in run.steps.iter().filter(|step| step.block.is_none()) {
            let strong = |(_, mode): &(&String, &LockMode)| **mode >= LockMode::ShareUpdateExclusive;
            self.steps.push(Step {
                sql: sources.slice(step.span()).to_owned(),
                span: step.span(),
                locks: step.prediction.effect.locks.iter().filter(strong).map(|(name, _)| name.clone()).collect(),
                controls_transaction: matches!(step.change(), Some(Change::Transaction(_))),
                of_index: step.change().is_some_and(is_of_index),
            });
        }
    }

    /// Plans everything before and after.
    fn findings(&mut self, runtime: &Runtime) -> Result<Vec<Finding>, TwinError> {
        if self.steps.iter().all(|step| step.locks.is_empty()) {
            return Ok(Vec::new());
        }
        let build = |statements: &[String]| {
            runtime.block_on(Twin::build_after(&self.installation, &self.ddl, statements, self.statistics.clone()))
        };
        let prepared: Vec<Prepared> =
            self.hot.iter().map(|hot| Prepared::new(&hot.text, Some(hot.rows / hot.calls.max(1.0)))).collect();
        let mut known = Vec::new();
        let before: Vec<Option<Plans>> = {
            let twin = build(&[])?;
            let gaps =
                twin.gaps.iter().map(|gap| format!("plans: not as in {}: {}: {}", self.label, gap.what, gap.reason));
            self.notes.extend(gaps);
            known.clone_from(&twin.gaps);
            let mut planner = TwinPlanner::new(runtime, twin, prepared.clone())?;
            let tables = runtime.block_on(read_tables(&**planner.session(), None))?;
            (0..prepared.len()).map(|query| plans(&mut planner, query, &tables)).collect()
        };
        // Each statement commits by itself: what a refused one leaves out is not rolled back.
        let statements = self.steps.iter().filter(|step| !step.controls_transaction);
        let statements: Vec<String> = statements.map(|step| step.sql.clone()).collect();
        let twin = build(&statements)?;
        let refused = twin.gaps.iter().filter(|gap| !known.contains(gap));
        let refused = refused.map(|gap| format!("plans: not run in the twin: {}: {}", gap.what, gap.reason));
        self.notes.extend(refused.collect::<Vec<_>>());
        let mut planner = TwinPlanner::new(runtime, twin, prepared)?;
        let mut slower = Vec::new();
        for (query, before) in before.into_iter().enumerate() {
            let Some(before) = before else { continue };
            // What no longer works is told by others.
            let Ok(after) = planner.plan(query, &[], &[]) else { continue };
            if is_worse(&before.generic, &after) {
                slower.push(Slower { query, before: before.generic, after, with_values: false });
                continue;
            }
            let Some((values, typical)) = before.typical else { continue };
            let Ok(after) = planner.plan_with_values(query, &values) else { continue };
            if is_worse(&typical, &after) {
                slower.push(Slower { query, before: typical, after, with_values: true });
            }
        }
        self.notes.push(format!(
            "{} hot queries of {} were planned before and after the migrations: {} of them are worse",
            self.hot.len(),
            self.label,
            slower.len()
        ));
        Ok(self.by_cause(slower))
    }

    /// One finding for each statement that makes plans worse.
    fn by_cause(&self, slower: Vec<Slower>) -> Vec<Finding> {
        let mut causes: BTreeMap<Span, (Option<String>, Vec<Slower>)> = BTreeMap::new();
        for one in slower {
            let Some((span, lost)) = self.cause(&one) else { continue };
            let (known, all) = causes.entry(span).or_default();
            *known = known.take().or(lost);
            all.push(one);
        }
        causes.into_iter().map(|(span, (lost, all))| self.finding(span, lost, all)).collect()
    }

    /// The statement that most likely did it, and the index that the plan no longer uses.
    fn cause(&self, one: &Slower) -> Option<(Span, Option<String>)> {
        let indexes =
            |plan: &Plan| -> BTreeSet<String> { plan.nodes.iter().filter_map(|it| it.index.clone()).collect() };
        let after = indexes(&one.after);
        let lost: Vec<String> = indexes(&one.before).into_iter().filter(|index| !after.contains(index)).collect();
        for index in &lost {
            if let Some(step) = self.steps.iter().find(|step| names(&step.sql, index)) {
                return Some((step.span, Some(index.clone())));
            }
        }
        let tables = relations(&[&one.before, &one.after]);
        let touches = |step: &&Step| step.locks.iter().any(|name| tables.contains(name));
        let mut steps = self.steps.iter().filter(|step| !step.of_index);
        let step = steps.find(touches).or_else(|| self.steps.iter().find(touches));
        let step = step.or_else(|| self.steps.iter().find(|step| !step.locks.is_empty()))?;
        Some((step.span, lost.into_iter().next()))
    }

    /// Other statements on the tables of the plans: they may have a part in it.
    fn others(&self, span: Span, one: &Slower) -> Vec<(Span, String)> {
        let tables = relations(&[&one.before, &one.after]);
        let other = |step: &&Step| step.span != span && step.locks.iter().any(|name| tables.contains(name));
        let others = self.steps.iter().filter(other).take(TOLD);
        others.map(|step| (step.span, "changes the same table".to_owned())).collect()
    }

    fn finding(&self, span: Span, lost: Option<String>, mut slower: Vec<Slower>) -> Finding {
        let times = |one: &Slower| cost(&one.after) / cost(&one.before).max(0.01);
        let weight = |one: &Slower| self.hot[one.query].milliseconds * times(one);
        slower.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let worst = &slower[0];
        let share: f64 = slower.iter().map(|one| self.hot[one.query].share).sum();
        let number = match slower.len() {
            1 => "a hot query".to_owned(),
            many => format!("{many} hot queries"),
        };
        let because = lost.as_ref().map(|index| format!(": {index} no longer serves")).unwrap_or_default();
        let message = format!(
            "makes the plan of {number} ({} of the time of all) up to {} times as expensive{because}",
            if share < 0.01 { "less than 1 %".to_owned() } else { format!("{:.0} %", share * 100.0) },
            rounded(slower.iter().map(times).fold(0.0, f64::max))
        );
        let mut finding = SLOWER_PLAN.finding(span, message);
        // What a fast query becomes counts, not what it was.
        let becomes: f64 = slower.iter().map(|one| self.hot[one.query].share * times(one)).sum();
        if times(worst) < MUCH_WORSE || becomes < HOT {
            finding.severity = Severity::Warning;
        }
        finding.object = lost.as_deref().map(PrintedName::from);
        finding.related = self.others(span, worst);
        for one in slower.iter().take(TOLD) {
            let hot = &self.hot[one.query];
            finding.evidence.push(Evidence::measured(format!(
                "{} calls of {:.1} ms: {}",
                hot.calls,
                hot.milliseconds / hot.calls.max(1.0),
                shortened(&hot.text)
            )));
            for (when, plan) in [("before", &one.before), ("after", &one.after)] {
                finding.evidence.push(Evidence::measured(format!(
                    "{when}{}: cost {}: {}",
                    if one.with_values { ", with a typical value" } else { "" },
                    rounded(cost(plan)),
                    outline(plan)
                )));
            }
        }
        if slower.len() > TOLD {
            finding.evidence.push(Evidence::measured(format!("and {} more queries", slower.len() - TOLD)));
        }
        let twin = format!(
            "planned in a twin of {} with the statistics of {}, as if its tables were analyzed after the migration",
            self.label, self.read_at
        );
        finding.evidence.push(Evidence::measured(twin));
        let advice = match &lost {
            Some(index) => format!(
                "Keep {index}, or create what serves these queries in its place before this runs: pgassay queries finds it."
            ),
            None => "Compare the two plans: keep what the first one rests on (types that match, constraints that prune, an index), or \
                     change the queries in the same release."
                .to_owned(),
        };
        finding.advice = Advice::text(advice);
        finding
    }
}

/// An observer with the watch around it.
pub struct Around<'o> {
    watch: &'o mut PlanWatch,
    runtime: &'o Runtime,
    inner: &'o mut dyn Observer,
}

impl Observer for Around<'_> {
    fn begin(&mut self, base: &[Unit], sources: &Sources) {
        self.watch.steps.clear();
        self.inner.begin(base, sources);
    }

    fn migration(
        &mut self,
        run: &MigrationRun,
        sources: &Sources,
        findings: &mut Vec<Finding>,
    ) -> BTreeMap<usize, Observed> {
        if run.judged && run.migration.direction == Direction::Up {
            self.watch.note(run, sources);
        }
        self.inner.migration(run, sources, findings)
    }

    fn end(&mut self, sources: &Sources) -> Vec<Finding> {
        let mut found = self.inner.end(sources);
        match self.watch.findings(self.runtime) {
            Ok(slower) => found.extend(slower),
            Err(error) => self.watch.notes.push(format!("plans before and after could not be compared: {error}")),
        }
        found
    }
}

fn plans(planner: &mut TwinPlanner, query: usize, tables: &Tables) -> Option<Plans> {
    let generic = planner.plan(query, &[], &[]).ok()?;
    let values = advisor::typical_values(&generic, tables);
    let typical = (!values.is_empty()).then(|| planner.plan_with_values(query, &values).ok()).flatten();
    Some(Plans { generic, typical: typical.map(|plan| (values, plan)) })
}

/// Much dearer, and not the same plan: the same one with another cost has other statistics, which the next VACUUM and ANALYZE make anew.
fn is_worse(before: &Plan, after: &Plan) -> bool {
    let (old, new) = (cost(before), cost(after));
    new >= old * WORSE && new - old >= AT_LEAST && shape(before) != shape(after)
}

/// What a plan does, without numbers: nodes, what they read, and how conditions are met.
fn shape(plan: &Plan) -> Vec<String> {
    let of = |id: NodeId| {
        let node = plan.node(id);
        let depth = plan.ancestors(id).count();
        let conditions: Vec<String> = node.conditions.iter().map(|it| format!("{:?}", it.kind)).collect();
        let (relation, index) = (node.relation.as_deref(), node.index.as_deref());
        let removed = node.subplans_removed.is_some_and(|removed| removed > 0.0);
        format!("{depth} {} {relation:?} {index:?} {removed} {conditions:?}", node.kind.name())
    };
    plan.ids().map(of).collect()
}

/// The queries that take the most time, each text once.
fn hot(statements: &[StatementFacts]) -> Vec<Hot> {
    let total: f64 = statements.iter().map(|it| it.total_milliseconds).sum();
    let mut by_text: BTreeMap<&str, Hot> = BTreeMap::new();
    for facts in statements.iter().filter(|it| it.calls > 0 && is_plannable(&it.query) && !reads_catalogs(&it.query)) {
        let entry = by_text.entry(&facts.query).or_insert_with(|| Hot {
            text: facts.query.clone(),
            calls: 0.0,
            milliseconds: 0.0,
            rows: 0.0,
            share: 0.0,
        });
        entry.calls += facts.calls as f64;
        entry.milliseconds += facts.total_milliseconds;
        entry.rows += facts.rows as f64;
    }
    let mut all: Vec<Hot> = by_text.into_values().collect();
    all.iter_mut().for_each(|it| it.share = if total > 0.0 { it.milliseconds / total } else { 0.0 });
    all.sort_by(|a, b| b.milliseconds.total_cmp(&a.milliseconds));
    all.truncate(MOST);
    all
}

/// The cost of a plan. The planner's own counts partitions too that are left out when a plan starts: at least one of them is read.
fn cost(plan: &Plan) -> f64 {
    let total = plan.root().estimate.map_or(0.0, |estimate| estimate.total_cost);
    let left_out = plan.nodes.iter().filter_map(|node| {
        let removed = node.subplans_removed.filter(|removed| *removed > 0.0)?;
        let all = removed + node.children.len() as f64;
        let read = (node.children.len() as f64).max(1.0);
        Some(node.estimate?.total_cost * (1.0 - read / all))
    });
    (total - left_out.sum::<f64>()).max(0.01)
}

fn is_of_index(change: &Change) -> bool {
    match change {
        Change::CreateIndex(_) => true,
        Change::Drop(drop) => drop.kind == ObjectKind::Index,
        _ => false,
    }
}

/// The tables of plans, by printed name.
fn relations(plans: &[&Plan]) -> BTreeSet<String> {
    let name = |node: &crate::plan::Node| Some(QualifiedName::new(node.schema.as_deref()?, node.relation.as_deref()?));
    plans.iter().flat_map(|plan| &plan.nodes).filter_map(name).map(|name| name.to_string()).collect()
}

/// Whether a statement names an object, as a whole word.
fn names(sql: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lower = sql.to_lowercase();
    let name = name.to_lowercase();
    lower
        .match_indices(&name)
        .any(|(at, _)| !lower[..at].ends_with(is_word) && !lower[at + name.len()..].starts_with(is_word))
}

/// `Nested Loop (Index Scan using orders_customer_id on orders, Seq Scan on items)`.
fn outline(plan: &Plan) -> String {
    let text = outline_of(plan, NodeId(0));
    match text.char_indices().nth(400) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn outline_of(plan: &Plan, id: NodeId) -> String {
    let node = plan.node(id);
    let below: Vec<String> = node.children.iter().map(|child| outline_of(plan, *child)).collect();
    // Nodes that every plan of the query has say nothing.
    let dull = [KnownType::Hash, KnownType::Materialize, KnownType::Gather, KnownType::GatherMerge];
    if let ([only], true) = (&below[..], node.is_any(&dull)) {
        return only.clone();
    }
    let mut text = node.kind.name().to_owned();
    if let Some(index) = &node.index {
        text.push_str(&format!(" using {index}"));
    }
    if let Some(relation) = &node.relation {
        text.push_str(&format!(" on {relation}"));
    }
    if let Some(removed) = node.subplans_removed.filter(|removed| *removed > 0.0) {
        text.push_str(&format!(", {removed} partitions left out at the start"));
    }
    match below.is_empty() {
        true => text,
        false => format!("{text} ({})", below.join(", ")),
    }
}

fn rounded(number: f64) -> String {
    if number < 100.0 { format!("{number:.1}") } else { format!("{number:.0}") }
}

fn shortened(query: &str) -> String {
    plain::beginning(query, 120)
}
