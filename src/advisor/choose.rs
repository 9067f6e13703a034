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
use super::{Limits, Offer, Planner, redundant, write_cost};
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
}

/// What came of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Advised {
    /// Without new indexes; or why it cannot be planned.
    pub plan: Result<Plan, String>,
    pub cost_before: f64,
    pub cost_after: f64,
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
    let mut work = Work { queries, tables, planner, limits, days, offers: Vec::new(), users: HashMap::new() };
    let mut advised: Vec<Advised> = (0..queries.len()).map(|query| work.first(query)).collect();
    let wanted = work.own_candidates(&advised);
    work.offer(wanted);
    let mut chosen = BTreeSet::new();
    for (query, result) in advised.iter_mut().enumerate() {
        chosen.extend(work.best_of_own(query, result));
    }
    let (chosen, plans) = work.reduce(chosen, &advised);
    let advice = work.describe(&chosen, &plans, &mut advised);
    let unused = work.unused(&advice, &advised);
    (advice, unused, advised)
}

struct Work<'a> {
    queries: &'a [Query],
    tables: &'a Tables,
    planner: &'a mut dyn Planner,
    limits: &'a Limits,
    days: Option<f64>,
    offers: Vec<Offer>,
    /// Candidates of each query.
    users: HashMap<usize, Vec<usize>>,
}

/// The plan of every query under a set of candidates.
type Plans = BTreeMap<usize, Plan>;

fn cost(plan: &Plan) -> f64 {
    plan.root().estimate.map_or(0.0, |estimate| estimate.total_cost)
}

impl Work<'_> {
    fn first(&mut self, query: usize) -> Advised {
        let plan = self.planner.plan(query, &[], &[]);
        let before = plan.as_ref().map_or(0.0, cost);
        let reason = match &plan {
            Err(_) => Reason::NotPlanned,
            Ok(plan) if !self.reads_large_table(plan) => Reason::SmallTables,
            Ok(_) => Reason::NothingToIndex,
        };
        Advised { plan, cost_before: before, cost_after: before, outcome: Outcome::NoIndexHelps(reason) }
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
            for definition in candidate::candidates(plan, self.tables, self.limits) {
                let place = *places.entry(definition.clone()).or_insert(all.len());
                if place == all.len() {
                    all.push(definition);
                }
                self.users.entry(query).or_default().push(place);
            }
        }
        all
    }

    /// Names of the chosen indexes, as if no other candidates had been.
    fn final_names(&self, chosen: &BTreeSet<usize>) -> HashMap<String, String> {
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

    fn plan(&mut self, query: usize, with: &BTreeSet<usize>) -> Option<Plan> {
        let names: Vec<String> = with.iter().map(|place| self.offers[*place].name.clone()).collect();
        self.planner.plan(query, &names, &[]).ok()
    }

    /// Which of a query's own candidates its planner takes. Of two that save almost the same, the smaller.
    fn best_of_own(&mut self, query: usize, result: &mut Advised) -> Vec<usize> {
        let Some(own) = self.users.get(&query).filter(|own| !own.is_empty()).cloned() else { return Vec::new() };
        let tried = own.len();
        let before = result.cost_before;
        let mut left: BTreeSet<usize> = own.into_iter().collect();
        let Some(plan) = self.plan(query, &left) else { return Vec::new() };
        let mut best = cost(&plan);
        let saving = if before > 0.0 { 1.0 - best / before } else { 0.0 };
        let used = self.used(&plan, &left);
        if saving < self.limits.least_gain || used.is_empty() {
            let reason = Reason::PlannerPrefers { tried, best_saving: saving.max(0.0) };
            result.outcome = Outcome::NoIndexHelps(reason);
            return Vec::new();
        }
        let mut kept = used.clone();
        for place in used {
            // What would serve instead, if this were not there?
            left.remove(&place);
            let without = self.plan(query, &left).map(|plan| (cost(&plan), self.used(&plan, &left)));
            match without {
                Some((other, instead)) if other <= best * 1.1 && self.bytes(&instead) < self.bytes(&kept) => {
                    best = other;
                    kept = instead;
                }
                _ => {
                    left.insert(place);
                }
            }
        }
        result.outcome = Outcome::NoIndexHelps(Reason::NotWorthIt);
        kept
    }

    fn bytes(&self, places: &[usize]) -> f64 {
        places.iter().map(|place| self.offers[*place].estimate.bytes).sum()
    }

    /// The candidates that a plan uses.
    fn used(&self, plan: &Plan, among: &BTreeSet<usize>) -> Vec<usize> {
        let uses = |place: &&usize| plan.nodes.iter().any(|node| self.is_of(node, **place));
        among.iter().filter(uses).copied().collect()
    }

    /// Indexes of partitions have names of their own; what they are part of is told by their table.
    fn is_of(&self, node: &crate::plan::Node, place: usize) -> bool {
        let Some(index) = &node.index else { return false };
        let offer = &self.offers[place];
        *index == offer.name || self.planner.is_part_of(index, &offer.name)
    }

    /// Takes away what is not worth its cost.
    fn reduce(&mut self, mut chosen: BTreeSet<usize>, advised: &[Advised]) -> (BTreeSet<usize>, Plans) {
        let mut plans: Plans = BTreeMap::new();
        for (query, result) in advised.iter().enumerate() {
            if result.plan.is_ok() && self.users.contains_key(&query) {
                plans.extend(self.plan(query, &chosen).map(|plan| (query, plan)));
            }
        }
        let total: f64 = (0..self.queries.len()).map(|query| self.weight(query, advised)).sum();
        let least = total * self.limits.least_share;
        loop {
            let mut worst: Option<(f64, usize, Plans)> = None;
            let over_budget = self
                .limits
                .size_budget
                .is_some_and(|budget| self.bytes(&chosen.iter().copied().collect::<Vec<_>>()) > budget as f64);
            for place in chosen.clone() {
                let mut others = chosen.clone();
                others.remove(&place);
                let (loss, replanned) = self.loss(place, &others, &plans, advised);
                let Some(loss) = loss else { continue };
                let price = self.price(place);
                let worth = if over_budget { loss / self.offers[place].estimate.bytes } else { loss - price - least };
                if (over_budget || worth <= 0.0) && worst.as_ref().is_none_or(|(least, ..)| worth < *least) {
                    worst = Some((worth, place, replanned));
                }
            }
            let Some((_, place, replanned)) = worst else { return (chosen, plans) };
            chosen.remove(&place);
            plans.extend(replanned);
        }
    }

    /// Milliseconds lost over all calls without an index, and the plans that change. A query whose plan gets hardly worse loses nothing.
    fn loss(
        &mut self,
        place: usize,
        others: &BTreeSet<usize>,
        plans: &Plans,
        advised: &[Advised],
    ) -> (Option<f64>, Plans) {
        let mut replanned = Plans::new();
        let mut loss = 0.0;
        let users: Vec<usize> = plans
            .iter()
            .filter(|(_, plan)| plan.nodes.iter().any(|node| self.is_of(node, place)))
            .map(|(query, _)| *query)
            .collect();
        for query in users {
            let Some(plan) = self.plan(query, others) else { return (None, replanned) };
            let before = advised[query].cost_before.max(f64::MIN_POSITIVE);
            let share = (cost(&plan) - cost(&plans[&query])) / before;
            // In proportion to what the query costs now: a tenth more is not felt.
            if cost(&plan) > cost(&plans[&query]) * (1.0 + self.limits.least_gain) {
                loss += share * self.weight(query, advised);
            }
            replanned.insert(query, plan);
        }
        (Some(loss), replanned)
    }

    /// Milliseconds over all calls; from the cost where nothing was measured (a unit is about a hundredth of a millisecond).
    fn weight(&self, query: usize, advised: &[Advised]) -> f64 {
        let query_ = &self.queries[query];
        query_.calls * query_.mean_milliseconds.unwrap_or(advised[query].cost_before / 100.0)
    }

    /// Milliseconds that writes take over the time that was counted.
    fn price(&self, place: usize) -> f64 {
        self.writes(place).map_or(0.0, |(_, milliseconds)| milliseconds * self.days.unwrap_or(1.0))
    }

    fn writes(&self, place: usize) -> Option<(f64, f64)> {
        let Offer { definition, estimate, .. } = &self.offers[place];
        let table = self.tables.tables.get(&definition.table)?;
        let share = if table.rows > 0.0 { (estimate.entries / table.rows).min(1.0) } else { 1.0 };
        let set = |column: &String| self.queries.iter().any(|query| query.sets.contains(column));
        let updated = definition.keys.iter().filter_map(|key| key.column.as_ref()).chain(&definition.include).any(set);
        write_cost::a_day(definition, table, share, updated)
    }

    fn describe(&mut self, chosen: &BTreeSet<usize>, plans: &Plans, advised: &mut [Advised]) -> Vec<Advice> {
        let mut found = Vec::new();
        let names = self.final_names(chosen);
        let renamed = |index: &str| names.get(index).cloned().unwrap_or_else(|| index.to_owned());
        for place in chosen {
            let users: Vec<usize> = plans
                .iter()
                .filter(|(_, plan)| plan.nodes.iter().any(|node| self.is_of(node, *place)))
                .map(|(query, _)| *query)
                .collect();
            let offer = &self.offers[*place];
            let name = renamed(&offer.name);
            let mut gains = Vec::new();
            for query in users {
                let after = cost(&plans[&query]);
                let result = &mut advised[query];
                result.cost_after = after;
                match &mut result.outcome {
                    Outcome::Helped(names) => names.push(name.clone()),
                    outcome => *outcome = Outcome::Helped(vec![name.clone()]),
                }
                let share = if result.cost_before > 0.0 { 1.0 - after / result.cost_before } else { 0.0 };
                let work = &self.queries[query];
                let sharing = self.used(&plans[&query], chosen).len().max(1) as f64;
                let before = result
                    .plan
                    .as_ref()
                    .ok()
                    .map(|plan| scans_of(plan, &offer.definition.table, self.tables, &renamed));
                gains.push(Gain {
                    query,
                    cost_before: result.cost_before,
                    cost_after: after,
                    node_before: before.unwrap_or_default(),
                    node_after: scans_of(&plans[&query], &offer.definition.table, self.tables, &renamed),
                    milliseconds: work.mean_milliseconds.map(|mean| work.calls * mean * share / sharing),
                });
            }
            gains.sort_by(|a, b| {
                b.milliseconds.unwrap_or(b.cost_before).total_cmp(&a.milliseconds.unwrap_or(a.cost_before))
            });
            let info = self.tables.tables.get(&offer.definition.table);
            found.push(Advice {
                statements: statements(&offer.definition, &name, info),
                trial: offer.name.clone(),
                name,
                estimate: offer.estimate,
                writes_a_day: self.writes(*place),
                gains,
                definition: offer.definition.clone(),
            });
        }
        let worth = |advice: &Advice| -> f64 {
            advice.gains.iter().map(|gain| gain.milliseconds.unwrap_or(gain.cost_before - gain.cost_after)).sum()
        };
        found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        found
    }

    /// Existing indexes that others cover, where no plan of the workload gets worse without.
    fn unused(&mut self, advice: &[Advice], advised: &[Advised]) -> Vec<Unused> {
        let mut found = Vec::new();
        let with: Vec<String> = advice.iter().map(|it| it.trial.clone()).collect();
        for (name, table) in self.tables.tables.iter().filter(|(_, table)| table.root.is_none()) {
            let of_table = advice.iter().filter(|it| it.definition.table == *name);
            let chosen: Vec<(&str, &Definition)> = of_table.map(|it| (it.name.as_str(), &it.definition)).collect();
            for (index, covering) in redundant::redundant(table, &chosen) {
                let hidden = [QualifiedName::new(name.schema.clone(), crate::change::Name::new(&index.name))];
                let worse = advised.iter().enumerate().any(|(query, result)| {
                    let uses =
                        |plan: &Plan| plan.nodes.iter().any(|node| node.index.as_deref() == Some(index.name.as_str()));
                    result.plan.as_ref().is_ok_and(uses)
                        && self
                            .planner
                            .plan(query, &with, &hidden)
                            // What cannot be tried is not told.
                            .map_or(true, |plan| cost(&plan) > result.cost_before * 1.1)
                });
                if !worse {
                    found.push(Unused {
                        table: name.clone(),
                        index: index.name.clone(),
                        bytes: index.bytes,
                        covered_by: covering,
                        statement: format!("DROP INDEX CONCURRENTLY {}", hidden[0]),
                    });
                }
            }
        }
        found
    }
}

/// How a plan reads a table: `Seq Scan on orders`, `Index Scan using orders_customer_idx`.
pub(super) fn scans_of(
    plan: &Plan,
    table: &QualifiedName,
    tables: &Tables,
    renamed: &dyn Fn(&str) -> String,
) -> String {
    let mut found: Vec<String> = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        if table_of(node, tables).is_none_or(|(name, _)| name != *table) || node.is(KnownType::ModifyTable) {
            continue;
        }
        // The indexes of a bitmap are read below it.
        let below = plan.ids().filter(|id| plan.ancestors(*id).any(|above| above.0 == at));
        let index = node.index.as_deref().map(renamed).or_else(|| {
            let names = below.filter_map(|id| plan.node(id).index.clone());
            let names: BTreeSet<String> = names.map(|name| renamed(&name)).collect();
            node.is(KnownType::BitmapHeapScan).then(|| names.into_iter().collect::<Vec<_>>().join(", "))
        });
        let text = match index {
            Some(index) => format!("{} using {index}", node.kind.name()),
            None => format!("{} on {}", node.kind.name(), node.relation.as_deref().unwrap_or_default()),
        };
        if !found.contains(&text) {
            found.push(text);
        }
    }
    let more = found.len().saturating_sub(2);
    found.truncate(2);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    found.join("; ") + &rest
}

/// What creates an index without stopping writers. A partitioned table takes no CONCURRENTLY: each partition does, and is attached.
fn statements(definition: &Definition, name: &str, table: Option<&TableInfo>) -> Vec<String> {
    let mut statements = Vec::new();
    let schema = &definition.table.schema;
    match table.filter(|table| table.partitioned) {
        Some(table) => {
            let parent = crate::change::Name::new(name);
            statements.push(format!("CREATE INDEX {parent} ON ONLY {} {}", definition.table, definition.body()));
            for partition in &table.partitions {
                let part = Definition { table: partition.clone(), ..definition.clone() };
                let own = part.name(|_| false);
                statements.push(part.create(&own, true));
                let own = crate::change::Name::new(&own);
                statements.push(format!("ALTER INDEX {schema}.{parent} ATTACH PARTITION {}.{own}", partition.schema));
            }
        }
        None => statements.push(definition.create(name, true)),
    }
    if definition.has_expressions() {
        statements.push(format!("ANALYZE {}", definition.table));
    }
    statements
}
