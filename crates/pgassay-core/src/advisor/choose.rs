//! Choosing among candidates over the whole workload.
//!
//! First every query says which of its own candidates its planner takes. All those together are then planned with, and taken away one
//! by one, the least useful first, as long as what an index saves is less than what it costs, or others serve as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::candidate::{self, table_of};
use super::definition::Definition;
use super::size::{self, Estimate};
use super::tables::{TableInfo, Tables};
use super::variant::Values;
use super::{Limits, Offer, Planner, observe, reduce};
use crate::change::QualifiedName;
use crate::plan::node::{ConditionKind, KnownType};
use crate::plan::{NodeId, Plan};

/// A statement of the workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub text: String,
    pub calls: f64,
    /// Milliseconds of one call on average; `None` if it was not measured.
    pub mean_milliseconds: Option<f64>,
    /// Columns that it sets, if it is an UPDATE: HOT is broken by an index on them.
    pub sets: Vec<String>,
    /// Rows that a call returns or changes on average; `None` if they were not counted.
    pub rows: Option<f64>,
}

/// What came of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Advised {
    /// Without new indexes; or why it cannot be planned.
    pub plan: Result<Plan, String>,
    pub cost_before: f64,
    pub cost_after: f64,
    /// The share of its time that the new indexes save, over all values that were tried for its parameters.
    pub saved: f64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// These new indexes, by name.
    Helped(Vec<String>),
    NoIndexHelps(Reason),
}

/// Why no index is advised for a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    NotPlanned,
    /// It reads no table, or only small ones.
    SmallTables,
    /// Nothing that it asks is something that an index could answer, or existing ones do.
    NothingToIndex,
    /// An index on this expression might, but a constant of it is not known: pg_stat_statements has replaced it.
    ConstantReplaced(String),
    /// So many candidates were tried; the planner took none, or they saved too little.
    PlannerPrefers {
        tried: usize,
        best_saving: f64,
    },
    /// They would cost more than they save.
    NotWorthIt,
}

/// What a query gains from an index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    pub query: usize,
    /// The values of its parameters that these costs are of; `None` for the generic plan.
    pub values: Option<Values>,
    pub cost_before: f64,
    pub cost_after: f64,
    /// How the table was read, and is read now.
    pub node_before: String,
    pub node_after: String,
    /// Milliseconds over all calls, in equal parts to all new indexes that the plan uses; `None` where the time of a call is not known.
    pub milliseconds: Option<f64>,
}

/// An index to create.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    pub name: String,
    /// What it is called where it was tried.
    #[serde(skip)]
    pub trial: String,
    pub definition: Definition,
    pub statements: Vec<String>,
    pub estimate: Estimate,
    /// Entries a day and milliseconds a day that writing takes; `None` where writes are not counted.
    pub writes_a_day: Option<(f64, f64)>,
    pub gains: Vec<Gain>,
}

/// An index to drop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unused {
    pub table: QualifiedName,
    pub index: String,
    pub bytes: u64,
    pub covered_by: String,
    pub statement: String,
}

/// The advice for a workload: indexes to create, indexes to drop, and what came of each query. `days` is how long was counted.
pub fn advise(
    queries: &[Query],
    tables: &Tables,
    planner: &mut dyn Planner,
    limits: &Limits,
    days: Option<f64>,
) -> (Vec<Advice>, Vec<Unused>, Vec<Advised>) {
    let mut work = Work {
        queries,
        tables,
        planner,
        limits,
        days,
        parts: Vec::new(),
        offers: Vec::new(),
        users: HashMap::new(),
        written: Vec::new(),
    };
    let mut advised: Vec<Advised> = (0..queries.len()).map(|query| work.first(query)).collect();
    work.add_variants(&advised);
    let wanted = work.own_candidates(&advised);
    work.offer(wanted);
    let mut chosen = BTreeSet::new();
    for part in 0..work.parts.len() {
        let query = work.parts[part].query;
        chosen.extend(work.best_of_own(part, &mut advised[query]));
    }
    let (chosen, plans) = work.reduce(chosen);
    let advice = work.describe(&chosen, &plans, &mut advised);
    let unused = work.unused(&advice, &advised);
    (advice, unused, advised)
}

pub(super) struct Work<'a> {
    pub(super) queries: &'a [Query],
    pub(super) tables: &'a Tables,
    pub(super) planner: &'a mut dyn Planner,
    pub(super) limits: &'a Limits,
    pub(super) days: Option<f64>,
    /// The queries in their order, planned generically, and behind them those that are planned with values too.
    pub(super) parts: Vec<Part>,
    pub(super) offers: Vec<Offer>,
    /// Candidates of each part.
    pub(super) users: HashMap<usize, Vec<usize>>,
    /// Tables that each query writes to, and how.
    pub(super) written: Vec<Vec<(QualifiedName, String)>>,
}

/// How often a run of a nested loop's inner side counts.
const NESTED_LOOP: f64 = 3.0;

/// The calls of a query that are planned alike. The planner knows it by its place among the parts.
pub(super) struct Part {
    pub query: usize,
    pub values: Option<Values>,
    /// Without new indexes, [cautiously](cautious_cost); 0 where it cannot be planned.
    pub cost: f64,
    /// Milliseconds of these calls.
    pub weight: f64,
}

/// The plan of every part under a set of candidates.
pub(super) type Plans = BTreeMap<usize, Plan>;

/// What a plan is taken to cost where indexes are held against each other: a nested loop is as good as the estimate of its outer rows,
/// and more often too low than too high. Its runs of the inner side count several times.
pub(super) fn cautious_cost(plan: &Plan) -> f64 {
    let total = |id: NodeId| plan.node(id).estimate.map_or(0.0, |estimate| estimate.total_cost);
    let loops = plan.ids().filter(|id| plan.node(*id).is(KnownType::NestedLoop));
    let runs = loops.map(|id| {
        let below: f64 = plan.children(id).map(|child| child.estimate.map_or(0.0, |it| it.total_cost)).sum();
        (total(id) - below).max(0.0)
    });
    // Rows that a LIMIT waits for may come at once or at the end: somewhere between the two costs.
    let limits = plan.ids().filter(|id| plan.node(*id).is(KnownType::Limit));
    let late = limits.filter_map(|id| {
        let scan = waited_for(plan, id)?;
        Some(((total(id) * total(scan)).sqrt() - total(id)).max(0.0))
    });
    cost(plan) + (NESTED_LOOP - 1.0) * runs.sum::<f64>() + late.sum::<f64>()
}

/// The scan that a LIMIT reads in the order of an index until enough rows have passed its filter.
fn waited_for(plan: &Plan, id: NodeId) -> Option<NodeId> {
    let below = *plan.node(id).children.first()?;
    let node = plan.node(below);
    if node.is_any(&[KnownType::IndexScan, KnownType::IndexOnlyScan]) {
        let waits = node.condition(ConditionKind::Filter).is_some() && node.condition(ConditionKind::Index).is_none();
        return waits.then_some(below);
    }
    node.is_any(&[KnownType::SubqueryScan, KnownType::Result, KnownType::LockRows, KnownType::NestedLoop])
        .then(|| waited_for(plan, below))?
}

pub(super) fn cost(plan: &Plan) -> f64 {
    plan.root().estimate.map_or(0.0, |estimate| estimate.total_cost)
}

impl Work<'_> {
    fn first(&mut self, query: usize) -> Advised {
        let plan = self.planner.plan(query, &[], &[]);
        let before = plan.as_ref().map_or(0.0, cost);
        let reason = match &plan {
            Err(_) => Reason::NotPlanned,
            Ok(plan) if !self.reads_large_table(plan) => Reason::SmallTables,
            Ok(plan) => match observe::expression_with_parameter(plan, self.tables) {
                Some(expression) => Reason::ConstantReplaced(expression),
                None => Reason::NothingToIndex,
            },
        };
        self.written.push(plan.as_ref().map_or(Vec::new(), |plan| reduce::written(plan, self.tables)));
        let work = &self.queries[query];
        // From the cost where nothing was measured: a unit is about a hundredth of a millisecond.
        let weight = work.calls * work.mean_milliseconds.unwrap_or(before / 100.0);
        let cautious = plan.as_ref().map_or(0.0, cautious_cost);
        self.parts.push(Part { query, values: None, cost: cautious, weight });
        Advised { plan, cost_before: before, cost_after: before, saved: 0.0, outcome: Outcome::NoIndexHelps(reason) }
    }

    fn reads_large_table(&self, plan: &Plan) -> bool {
        let large = |info: &TableInfo| info.pages >= self.limits.smallest_table_pages;
        plan.nodes.iter().any(|node| table_of(node, self.tables).is_some_and(|(_, info)| large(info)))
    }

    /// Every candidate once, with the queries that could use it.
    fn own_candidates(&mut self, advised: &[Advised]) -> Vec<Definition> {
        let mut all: Vec<Definition> = Vec::new();
        let mut places: HashMap<Definition, usize> = HashMap::new();
        for (query, result) in advised.iter().enumerate() {
            let Ok(plan) = &result.plan else { continue };
            let mut own = Vec::new();
            for definition in candidate::candidates(plan, self.tables, self.limits) {
                let place = *places.entry(definition.clone()).or_insert(all.len());
                if place == all.len() {
                    all.push(definition);
                }
                own.push(place);
            }
            // A constant in a plan with values is ours, not the application's: candidates come from the generic plan alone.
            for (part, _) in self.parts.iter().enumerate().filter(|(_, part)| part.query == query && !own.is_empty()) {
                self.users.insert(part, own.clone());
            }
        }
        all
    }

    /// Names of the chosen indexes, as if no other candidates had been.
    pub(super) fn final_names(&self, chosen: &BTreeSet<usize>) -> HashMap<String, String> {
        let mut taken = self.taken();
        let mut names = HashMap::new();
        for offer in chosen.iter().map(|place| &self.offers[*place]) {
            let name = offer.definition.name(|name| taken.contains(name));
            taken.insert(name.clone());
            names.insert(offer.name.clone(), name);
        }
        names
    }

    /// Names of relations.
    fn taken(&self) -> BTreeSet<String> {
        let names = self.tables.tables.iter().flat_map(|(name, table)| {
            let indexes = table.indexes.iter().map(|index| index.name.clone());
            std::iter::once(name.name.as_str().to_owned()).chain(indexes)
        });
        names.collect()
    }

    /// Names the candidates and hands them to the planner; those it refuses are forgotten.
    fn offer(&mut self, wanted: Vec<Definition>) {
        let mut taken = self.taken();
        for definition in wanted {
            let info = self.tables.tables.get(&definition.table).cloned().unwrap_or_default();
            let rows = match &definition.predicate {
                Some(predicate) => self.planner.rows(&definition.table, predicate).unwrap_or(info.rows),
                None => info.rows,
            };
            let estimate = size::entries_and_bytes(&definition, &info, rows);
            let name = definition.name(|name| taken.contains(name));
            taken.insert(name.clone());
            self.offers.push(Offer { name, definition, estimate });
        }
        let results = self.planner.offer(&self.offers);
        for candidates in self.users.values_mut() {
            candidates.retain(|place| results.get(*place).is_some_and(Result::is_ok));
        }
    }

    pub(super) fn plan(&mut self, part: usize, with: &BTreeSet<usize>) -> Option<Plan> {
        let names: Vec<String> = with.iter().map(|place| self.offers[*place].name.clone()).collect();
        self.planner.plan(part, &names, &[]).ok()
    }

    /// Which of its own candidates a part's planner takes. Of two that save almost the same, the smaller.
    fn best_of_own(&mut self, part: usize, result: &mut Advised) -> Vec<usize> {
        let Some(own) = self.users.get(&part).filter(|own| !own.is_empty()).cloned() else { return Vec::new() };
        let tried = own.len();
        let before = self.parts[part].cost;
        let generic = self.parts[part].values.is_none();
        let mut left: BTreeSet<usize> = own.into_iter().collect();
        let Some(plan) = self.plan(part, &left) else { return Vec::new() };
        let mut best = cautious_cost(&plan);
        let mut kept = self.used(&plan, &left);
        for place in kept.clone() {
            // What would serve instead, if this were not there?
            left.remove(&place);
            let without = self.plan(part, &left).map(|plan| (cautious_cost(&plan), self.used(&plan, &left)));
            match without {
                Some((other, instead))
                    if other < best || self.is_smaller(&instead, &kept) && self.about(other, best) =>
                {
                    best = other;
                    kept = instead;
                }
                _ => {
                    left.insert(place);
                }
            }
        }
        let saving = if before > 0.0 { 1.0 - best / before } else { 0.0 };
        if saving < self.limits.least_gain || kept.is_empty() {
            if generic {
                let reason = Reason::PlannerPrefers { tried, best_saving: saving.max(0.0) };
                result.outcome = Outcome::NoIndexHelps(reason);
            }
            return Vec::new();
        }
        result.outcome = Outcome::NoIndexHelps(Reason::NotWorthIt);
        kept
    }

    fn is_smaller(&self, these: &[usize], those: &[usize]) -> bool {
        self.bytes(these) < self.bytes(those)
    }

    /// Hardly more.
    fn about(&self, one: f64, other: f64) -> bool {
        one <= other * (1.0 + self.limits.not_felt)
    }

    pub(super) fn bytes(&self, places: &[usize]) -> f64 {
        places.iter().map(|place| self.offers[*place].estimate.bytes).sum()
    }

    /// The candidates that a plan uses.
    pub(super) fn used(&self, plan: &Plan, among: &BTreeSet<usize>) -> Vec<usize> {
        let uses = |place: &&usize| plan.nodes.iter().any(|node| self.is_of(node, **place));
        among.iter().filter(uses).copied().collect()
    }

    /// Indexes of partitions have names of their own; what they are part of is told by their table.
    pub(super) fn is_of(&self, node: &crate::plan::Node, place: usize) -> bool {
        let Some(index) = &node.index else { return false };
        let offer = &self.offers[place];
        *index == offer.name || self.planner.is_part_of(index, &offer.name)
    }
}
