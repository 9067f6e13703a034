//! Choosing among candidates over the whole workload.
//!
//! First every query says which of its own candidates its planner takes. All those together are then planned with, and taken away one
//! by one, the least useful first, as long as what an index saves is less than what it costs, or others serve as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::candidate::{self, table_of};
use super::definition::Definition;
use super::reduce::LEAST_COST;
use super::size::{self, Estimate};
use super::tables::{TableInfo, Tables};
use super::variant::Values;
use super::{Limits, Offer, Planner, observe, reduce};
use crate::change::QualifiedName;
use crate::plan::Plan;
use crate::plan::node::KnownType;

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
    /// The least and the most of it that costs allow.
    pub saved_between: (f64, f64),
    /// How many times slower its calls are than its cost lets expect, if that is far more than usual.
    pub slower: Option<f64>,
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
    /// The foreign key whose columns are searched for each row, if these costs are of that.
    pub foreign_key: Option<String>,
    pub cost_before: f64,
    pub cost_after: f64,
    /// How the table was read, and is read now.
    pub node_before: String,
    pub node_after: String,
    /// Milliseconds over all calls that would be lost again without this index and with all the others; `None` where the time of a call
    /// is not known.
    pub milliseconds: Option<f64>,
    /// The least of it that is likely: by the planner's own cost, and nothing where the time is not explained by the cost.
    pub least_milliseconds: Option<f64>,
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
    /// Entries and milliseconds that writing takes over the time in which the calls were counted; `None` where writes are not counted.
    pub writes: Option<(f64, f64)>,
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

/// The advice for a workload: indexes to create, indexes to drop, and what came of each query. `days` is how long the calls were counted;
/// `None` if that is not known: writes are then those of a day. Reads and writes are priced over that same time.
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
        pace: 0.0,
    };
    let mut advised: Vec<Advised> = (0..queries.len()).map(|query| work.first(query)).collect();
    work.add_foreign_keys(&advised);
    work.compare_times(&mut advised);
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
    /// Milliseconds of a unit of cost, as is usual in the workload.
    pub(super) pace: f64,
}

/// A query is hot with so many calls and such a share of all time.
const HOT_CALLS: f64 = 100.0;
const HOT_SHARE: f64 = 0.02;

/// The calls of a query that are planned alike. The planner knows it by its place among the parts.
pub(super) struct Part {
    pub query: usize,
    pub values: Option<Values>,
    /// The foreign key whose columns are searched, where that is what is planned.
    pub foreign_key: Option<String>,
    /// Without new indexes, as [`Work::weigh`] has it; 0 where it cannot be planned.
    pub cost: f64,
    /// The same as [`Work::plainly`] has it.
    pub plain: f64,
    /// Milliseconds of these calls.
    pub weight: f64,
    /// Without new indexes a table is read whole.
    pub reads_whole: bool,
}

/// The plan of every part under a set of candidates.
pub(super) type Plans = BTreeMap<usize, Plan>;

pub(super) fn reads_whole(plan: &Plan) -> bool {
    plan.nodes.iter().any(|node| node.is(KnownType::SeqScan))
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
            Ok(plan) if !self.reads_large_table(query, plan) => Reason::SmallTables,
            Ok(plan) => match observe::expression_with_parameter(plan, self.tables) {
                Some(expression) => Reason::ConstantReplaced(expression),
                None => Reason::NothingToIndex,
            },
        };
        self.written.push(plan.as_ref().map_or(Vec::new(), |plan| reduce::written(plan, self.tables)));
        let work = &self.queries[query];
        // From the cost where nothing was measured: a unit is about a hundredth of a millisecond.
        let weight = work.calls * work.mean_milliseconds.unwrap_or(before / 100.0);
        let cost = plan.as_ref().map_or(0.0, |plan| self.weigh(query, plan));
        let plain = plan.as_ref().map_or(0.0, |plan| self.plainly(query, plan));
        let reads_whole = plan.as_ref().is_ok_and(reads_whole);
        self.parts.push(Part { query, values: None, foreign_key: None, cost, plain, weight, reads_whole });
        Advised {
            plan,
            cost_before: before,
            cost_after: before,
            saved: 0.0,
            saved_between: (0.0, 0.0),
            slower: None,
            outcome: Outcome::NoIndexHelps(reason),
        }
    }

    fn reads_large_table(&self, query: usize, plan: &Plan) -> bool {
        let smallest = self.smallest_table_pages(query);
        let large = |info: &TableInfo| info.pages >= smallest;
        plan.nodes.iter().any(|node| table_of(node, self.tables).is_some_and(|(_, info)| large(info)))
    }

    /// Pages that a table must have to be worth an index for a query: a small one is, if much of all time goes there.
    fn smallest_table_pages(&self, query: usize) -> u64 {
        let time = |query: &Query| query.mean_milliseconds.map_or(0.0, |mean| mean * query.calls);
        let all: f64 = self.queries.iter().map(time).sum();
        let its = &self.queries[query];
        match its.calls >= HOT_CALLS && all > 0.0 && time(its) >= all * HOT_SHARE {
            true => self.limits.smallest_hot_table_pages,
            false => self.limits.smallest_table_pages,
        }
    }

    /// Every candidate once, with the queries that could use it.
    fn own_candidates(&mut self, advised: &[Advised]) -> Vec<Definition> {
        let mut all: Vec<Definition> = Vec::new();
        let mut places: HashMap<Definition, usize> = HashMap::new();
        let mut place_of = |definition: Definition| {
            *places.entry(definition.clone()).or_insert_with(|| {
                all.push(definition);
                all.len() - 1
            })
        };
        for (query, result) in advised.iter().enumerate() {
            let Ok(plan) = &result.plan else { continue };
            let smallest = self.smallest_table_pages(query);
            let found = candidate::candidates(plan, self.tables, smallest);
            let own: Vec<usize> = found.into_iter().map(&mut place_of).collect();
            // A constant in a plan with values is ours, not the application's: candidates come from the generic plan alone.
            for part in (0..self.parts.len()).filter(|part| self.parts[*part].query == query).collect::<Vec<_>>() {
                if self.parts[part].foreign_key.is_some() {
                    let Ok(search) = self.planner.plan(part, &[], &[]) else { continue };
                    let found = candidate::candidates(&search, self.tables, smallest);
                    self.users.insert(part, found.into_iter().map(&mut place_of).collect());
                } else if !own.is_empty() {
                    self.users.insert(part, own.clone());
                }
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
        let results = self.offer_more(wanted);
        for candidates in self.users.values_mut() {
            candidates.retain(|place| results.get(*place).copied().unwrap_or(false));
        }
    }

    /// Hands further candidates to the planner; whether it took each.
    pub(super) fn offer_more(&mut self, wanted: Vec<Definition>) -> Vec<bool> {
        let first = self.offers.len();
        let mut taken = self.taken();
        taken.extend(self.offers.iter().map(|offer| offer.name.clone()));
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
        self.planner.offer(&self.offers[first..]).iter().map(Result::is_ok).collect()
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
        let generic = part < self.queries.len();
        let mut left: BTreeSet<usize> = own.into_iter().collect();
        let Some(plan) = self.plan(part, &left) else { return Vec::new() };
        let query = self.parts[part].query;
        let mut best = self.weigh(query, &plan);
        let mut kept = self.used(&plan, &left);
        for place in kept.clone() {
            // What would serve instead, if this were not there?
            left.remove(&place);
            let without = self.plan(part, &left).map(|plan| (self.weigh(query, &plan), self.used(&plan, &left)));
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
        if saving < self.limits.least_gain || before - best < LEAST_COST || kept.is_empty() {
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
