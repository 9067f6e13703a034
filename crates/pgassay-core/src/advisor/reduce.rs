//! Taking away, and making smaller, what does not earn its keep.

use std::collections::{BTreeSet, HashMap};

use super::candidate::table_of;
use super::choose::{Part, Plans, Work};
use super::tables::Tables;
use super::{redundant, size};
use crate::change::QualifiedName;
use crate::plan::node::KnownType;
use crate::plan::{Node, Plan};

/// A smaller index is taken if it saves so much of the size.
const SMALLER: f64 = 0.85;

/// So many times its price, and an index stays.
const ENOUGH: f64 = 3.0;

/// The same for an index that begins with all columns of a unique key, to carry more: the row is found already, and one look into the table
/// for it takes far less than the planner thinks as long as the table is in memory.
const BESIDE_UNIQUE: f64 = 10.0;
/// Units of cost of one call that are felt: some blocks, less than a tenth of a millisecond.
pub(super) const LEAST_COST: f64 = 8.0;
/// Milliseconds of a call that are felt where whole tables are read, and where one index stands in for another, which spares blocks that are in memory
/// anyway; unless all calls together save so much.
const LEAST_OF_CALL: f64 = 0.05;
const LEAST_OF_INDEX: f64 = 0.3;
const LEAST_OF_ALL: f64 = 1000.0;
/// What costs say of a saving is uncertain, what writing takes is certain: it counts more.
const WRITING: f64 = 1.5;

/// What changes if indexes are not there, or others are in their place.
pub(super) struct Change {
    /// Milliseconds that all calls take more.
    pub loss: f64,
    /// It is a fifth of the time that some query then takes at least: less, for some of its values, is within what costs can be wrong by.
    pub felt: bool,
    pub plans: Plans,
}

impl Work<'_> {
    /// Takes away what is not worth its cost, then puts smaller indexes where they do about as well, and one in the place of two.
    pub(super) fn reduce(&mut self, chosen: BTreeSet<usize>) -> (BTreeSet<usize>, Plans) {
        let plans = self.plan_all(&chosen);
        let (chosen, plans) = self.take_away(chosen, plans);
        let (chosen, plans) = self.make_smaller(chosen, plans);
        let (chosen, plans) = self.merge(chosen, plans);
        // What a smaller index does as well may make another needless.
        let (chosen, _) = self.take_away(chosen, plans);
        // What is said of them rests on plans with these indexes and no others.
        let plans = self.plan_all(&chosen);
        self.within_budget(chosen, plans)
    }

    /// Every query with these indexes: also those that had no candidate of their own.
    pub(super) fn plan_all(&mut self, chosen: &BTreeSet<usize>) -> Plans {
        let mut plans = Plans::new();
        for part in (0..self.parts.len()).filter(|part| self.parts[*part].cost > 0.0).collect::<Vec<_>>() {
            plans.extend(self.plan(part, chosen).map(|plan| (part, plan)));
        }
        plans
    }

    fn take_away(&mut self, mut chosen: BTreeSet<usize>, mut plans: Plans) -> (BTreeSet<usize>, Plans) {
        let mut changes: HashMap<usize, Option<Change>> = HashMap::new();
        loop {
            for place in &chosen {
                if !changes.contains_key(place) {
                    let mut others = chosen.clone();
                    others.remove(place);
                    // What loses far more than it costs stays anyway: how much more does not matter.
                    let most = ENOUGH * self.price(*place, self.left(&plans));
                    let change = self.change(&[*place], &others, &plans, most);
                    changes.insert(*place, change);
                }
            }
            let left = self.left(&plans);
            let known = chosen.iter().filter_map(|place| Some((*place, changes[place].as_ref()?)));
            let loss = |change: &Change| if change.felt { change.loss } else { change.loss.min(0.0) };
            let worths = known.map(|(place, change)| (loss(change) - self.price(place, left), place));
            let worst = worths.filter(|(worth, _)| *worth <= 0.0).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, place)) = worst else { return (chosen, plans) };
            chosen.remove(&place);
            let replanned = changes.remove(&place).flatten().map(|change| change.plans).unwrap_or_default();
            // A plan that does not use an index is the same without it; what has come to use another is lost with that one from now on.
            changes.retain(|other, change| {
                let uses = |plan: &Plan| plan.nodes.iter().any(|node| self.is_of(node, *other));
                if replanned.values().any(uses) {
                    return false;
                }
                let same = |(part, plan): (&usize, &Plan)| {
                    !replanned.contains_key(part) && !plan.nodes.iter().any(|node| self.is_of(node, place))
                };
                change.as_ref().is_some_and(|change| change.plans.iter().all(same))
            });
            plans.extend(replanned);
        }
    }

    /// Each index in turn, the largest first, gives way to the smallest candidate on its table with which hardly more time is taken.
    fn make_smaller(&mut self, mut chosen: BTreeSet<usize>, mut plans: Plans) -> (BTreeSet<usize>, Plans) {
        let bytes = |work: &Self, place: usize| work.offers[place].estimate.bytes;
        let mut largest: Vec<usize> = chosen.iter().copied().collect();
        largest.sort_by(|a, b| bytes(self, *b).total_cmp(&bytes(self, *a)));
        for place in largest {
            let left = self.left(&plans);
            for instead in self.smaller(place, &chosen) {
                let mut others = chosen.clone();
                others.remove(&place);
                others.insert(instead);
                let allowed = self.price(place, left) - self.price(instead, left);
                let Some(change) = self.change(&[place], &others, &plans, allowed) else { continue };
                if change.loss <= allowed {
                    chosen = others;
                    plans.extend(change.plans);
                    break;
                }
            }
        }
        (chosen, plans)
    }

    /// Candidates that could stand in for one, the smallest first: of its table, for a part that it serves.
    pub(super) fn smaller(&self, place: usize, chosen: &BTreeSet<usize>) -> Vec<usize> {
        let offer = &self.offers[place];
        let lists = self.users.values().filter(|own| own.contains(&place)).flatten();
        let others: BTreeSet<usize> = lists.copied().filter(|other| !chosen.contains(other)).collect();
        let fits = |other: &usize| {
            let other = &self.offers[*other];
            other.definition.table == offer.definition.table && other.estimate.bytes < offer.estimate.bytes * SMALLER
        };
        let mut found: Vec<usize> = others.into_iter().filter(fits).collect();
        found.sort_by(|a, b| self.offers[*a].estimate.bytes.total_cmp(&self.offers[*b].estimate.bytes));
        found
    }

    /// What is lost with `others` instead of `places`; `None` if a part cannot be planned.
    /// No more is planned once more than `most` is lost.
    pub(super) fn change(
        &mut self,
        places: &[usize],
        others: &BTreeSet<usize>,
        plans: &Plans,
        most: f64,
    ) -> Option<Change> {
        let uses = |plan: &Plan| plan.nodes.iter().any(|node| places.iter().any(|place| self.is_of(node, *place)));
        let mut users: Vec<usize> = plans.iter().filter(|(_, plan)| uses(plan)).map(|(part, _)| *part).collect();
        users.sort_by(|a, b| self.parts[*b].weight.total_cmp(&self.parts[*a].weight));
        let mut change = Change { loss: 0.0, felt: false, plans: Plans::new() };
        let mut by_query: HashMap<usize, f64> = HashMap::new();
        for part in users {
            if change.loss > most && change.felt {
                break;
            }
            let plan = self.plan(part, others)?;
            let lost = self.lost(part, &plans[&part], &plan);
            change.loss += lost;
            let query = self.parts[part].query;
            let of_query = by_query.entry(query).or_default();
            *of_query += lost;
            let lost = *of_query;
            change.felt |= lost >= (self.time_left(query, plans) + lost) * self.limits.least_gain;
            change.plans.insert(part, plan);
        }
        Some(change)
    }

    /// Milliseconds that all calls of a query take with these plans.
    fn time_left(&self, query: usize, plans: &Plans) -> f64 {
        let own = self.parts.iter().enumerate().filter(|(_, part)| part.query == query);
        own.map(|(place, part)| self.part_left(place, part, plans)).sum()
    }

    fn part_left(&self, place: usize, part: &Part, plans: &Plans) -> f64 {
        match plans.get(&place) {
            Some(plan) if part.cost > 0.0 => part.weight * (self.weigh(part.query, plan) / part.cost).min(1.0),
            _ => part.weight,
        }
    }

    /// Milliseconds that the calls of a part take more with another plan.
    pub(super) fn lost(&self, part: usize, now: &Plan, then: &Plan) -> f64 {
        let its = &self.parts[part];
        let least_of_call = if its.reads_whole { LEAST_OF_CALL } else { LEAST_OF_INDEX };
        let (now, then) = (self.weigh(its.query, now), self.weigh(its.query, then));
        // In proportion to what the query costs now: a tenth more is not felt, nor a tenth less; and nor are a few blocks of a call.
        let felt = 1.0 + self.limits.not_felt;
        let lost = (then - now) / its.cost.max(f64::MIN_POSITIVE) * its.weight;
        let least = (self.queries[its.query].calls * least_of_call).min(LEAST_OF_ALL);
        let is_felt = (then > now * felt || now > then * felt) && (then - now).abs() >= LEAST_COST;
        if is_felt && lost.abs() >= least { lost } else { 0.0 }
    }

    /// Milliseconds that all queries take with these plans.
    pub(super) fn left(&self, plans: &Plans) -> f64 {
        self.parts.iter().enumerate().map(|(place, part)| self.part_left(place, part, plans)).sum()
    }

    /// The same as it is likely to be, where [`Work::left`] is cautious.
    pub(super) fn likely_left(&self, plans: &Plans) -> f64 {
        let of = |(place, part): (usize, &Part)| match plans.get(&place) {
            Some(plan) if part.plain > 0.0 => part.weight * (self.plainly(part.query, plan) / part.plain).min(1.0),
            _ => part.weight,
        };
        self.parts.iter().enumerate().map(of).sum()
    }

    /// Milliseconds that an index must save to be worth it: what writes take over the time that was counted, and its share of what is
    /// left with all indexes (so that one query that takes all the time without its own does not make the others' needless), the larger
    /// it is the more.
    pub(super) fn price(&self, place: usize, left: f64) -> f64 {
        let writing = self.writes(place).map_or(0.0, |(_, milliseconds)| milliseconds);
        let tables = self.tables.tables.values().filter(|table| table.root.is_none());
        let bytes = tables.map(|table| table.pages as f64).sum::<f64>() * size::PAGE;
        let takes = (self.offers[place].estimate.bytes / bytes.max(size::PAGE)).min(1.0);
        let share = self.limits.least_share * if self.is_beside_unique(place) { BESIDE_UNIQUE } else { 1.0 };
        writing * WRITING + left * (share + self.limits.rent * takes)
    }

    /// Whether an index begins with all columns of a unique key of its table.
    fn is_beside_unique(&self, place: usize) -> bool {
        let definition = &self.offers[place].definition;
        let info = self.tables.tables.get(&definition.table);
        info.is_some_and(|info| redundant::begins_with_unique_key(definition, info))
    }
}

/// Tables that a plan writes to, with `Insert`, `Update`, `Delete` or `Merge`; of a partition, the table at the top.
pub(super) fn written(plan: &Plan, tables: &Tables) -> Vec<(QualifiedName, String)> {
    let of = |node: &Node| Some((table_of(node, tables)?.0, node.operation.clone()?));
    plan.nodes.iter().filter(|node| node.is(KnownType::ModifyTable)).filter_map(of).collect()
}
