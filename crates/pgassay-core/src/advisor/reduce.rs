//! Taking away, and making smaller, what does not earn its keep.

use std::collections::{BTreeSet, HashMap};

use super::candidate::table_of;
use super::choose::{Plans, Work, cautious_cost};
use super::definition::{Definition, Method};
use super::tables::Tables;
use super::write_cost::{self, Writes};
use super::{Offer, size};
use crate::change::QualifiedName;
use crate::plan::node::KnownType;
use crate::plan::{Node, Plan};

/// A smaller index is taken if it saves so much of the size.
const SMALLER: f64 = 0.85;

/// So many times its price, and an index stays.
const ENOUGH: f64 = 3.0;

/// What changes if an index is not there, or another is in its place.
struct Change {
    /// Milliseconds that all calls take more.
    loss: f64,
    plans: Plans,
}

impl Work<'_> {
    /// Takes away what is not worth its cost, then puts smaller indexes where they do about as well.
    pub(super) fn reduce(&mut self, chosen: BTreeSet<usize>) -> (BTreeSet<usize>, Plans) {
        let mut plans = Plans::new();
        for part in 0..self.parts.len() {
            if self.users.contains_key(&part) {
                plans.extend(self.plan(part, &chosen).map(|plan| (part, plan)));
            }
        }
        let (chosen, plans) = self.take_away(chosen, plans);
        let (chosen, plans) = self.make_smaller(chosen, plans);
        // What a smaller index does as well may make another needless.
        self.take_away(chosen, plans)
    }

    fn take_away(&mut self, mut chosen: BTreeSet<usize>, mut plans: Plans) -> (BTreeSet<usize>, Plans) {
        let mut changes: HashMap<usize, Option<Change>> = HashMap::new();
        loop {
            for place in &chosen {
                if !changes.contains_key(place) {
                    let mut others = chosen.clone();
                    others.remove(place);
                    // What loses far more than it costs stays anyway: how much more does not matter, unless space is short.
                    let most = match self.limits.size_budget {
                        Some(_) => f64::INFINITY,
                        None => ENOUGH * self.price(*place, self.left(&plans)),
                    };
                    let change = self.change(*place, &others, &plans, most);
                    changes.insert(*place, change);
                }
            }
            let size = self.bytes(&chosen.iter().copied().collect::<Vec<_>>());
            let over_budget = self.limits.size_budget.is_some_and(|budget| size > budget as f64);
            let left = self.left(&plans);
            let worth = |place: usize, change: &Change| match over_budget {
                true => change.loss / self.offers[place].estimate.bytes,
                false => change.loss - self.price(place, left),
            };
            let known = chosen.iter().filter_map(|place| Some((*place, changes[place].as_ref()?)));
            let worths = known.map(|(place, change)| (worth(place, change), place));
            let worst = worths.filter(|(worth, _)| over_budget || *worth <= 0.0).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, place)) = worst else { return (chosen, plans) };
            chosen.remove(&place);
            let replanned = changes.remove(&place).flatten().map(|change| change.plans).unwrap_or_default();
            // A plan that does not use an index is the same without it.
            changes.retain(|_, change| {
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
                let Some(change) = self.change(place, &others, &plans, allowed) else { continue };
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
    fn smaller(&self, place: usize, chosen: &BTreeSet<usize>) -> Vec<usize> {
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

    /// What is lost with `others` instead of `place`; `None` if a part cannot be planned.
    /// No more is planned once more than `most` is lost.
    fn change(&mut self, place: usize, others: &BTreeSet<usize>, plans: &Plans, most: f64) -> Option<Change> {
        let mut users: Vec<usize> = plans
            .iter()
            .filter(|(_, plan)| plan.nodes.iter().any(|node| self.is_of(node, place)))
            .map(|(part, _)| *part)
            .collect();
        users.sort_by(|a, b| self.parts[*b].weight.total_cmp(&self.parts[*a].weight));
        let mut change = Change { loss: 0.0, plans: Plans::new() };
        for part in users {
            if change.loss > most {
                break;
            }
            let plan = self.plan(part, others)?;
            let (now, then) = (cautious_cost(&plans[&part]), cautious_cost(&plan));
            let share = (then - now) / self.parts[part].cost.max(f64::MIN_POSITIVE);
            // In proportion to what the query costs now: a tenth more is not felt, nor a tenth less.
            let felt = 1.0 + self.limits.not_felt;
            if then > now * felt || now > then * felt {
                change.loss += share * self.parts[part].weight;
            }
            change.plans.insert(part, plan);
        }
        Some(change)
    }

    /// Milliseconds that all queries take with these plans.
    fn left(&self, plans: &Plans) -> f64 {
        let left = self.parts.iter().enumerate().map(|(place, part)| match plans.get(&place) {
            Some(plan) if part.cost > 0.0 => part.weight * (cautious_cost(plan) / part.cost).min(1.0),
            _ => part.weight,
        });
        left.sum()
    }

    /// Milliseconds that an index must save to be worth it: what writes take over the time that was counted, and its share of what is
    /// left with all indexes (so that one query that takes all the time without its own does not make the others' needless), the larger
    /// it is the more.
    fn price(&self, place: usize, left: f64) -> f64 {
        let writing = self.writes(place).map_or(0.0, |(_, milliseconds)| milliseconds * self.days.unwrap_or(1.0));
        let tables = self.tables.tables.values().filter(|table| table.root.is_none());
        let bytes = tables.map(|table| table.pages as f64).sum::<f64>() * size::PAGE;
        let takes = (self.offers[place].estimate.bytes / bytes.max(size::PAGE)).min(1.0);
        writing + left * (self.limits.least_share + self.limits.rent * takes)
    }

    /// Entries a day and the milliseconds that they take; `None` where writes are not counted.
    pub(super) fn writes(&self, place: usize) -> Option<(f64, f64)> {
        let Offer { definition, estimate, .. } = &self.offers[place];
        let table = self.tables.tables.get(&definition.table)?;
        let share = if table.rows > 0.0 { (estimate.entries / table.rows).min(1.0) } else { 1.0 };
        let inserts = match table.loaded {
            true => self.inserted(definition) / self.days.unwrap_or(1.0).max(f64::MIN_POSITIVE),
            false => table.inserts?,
        };
        // An index of summaries keeps no update from being HOT from 16 on.
        let summarizes = definition.method == Method::Brin && self.tables.major >= 16;
        let updated = !summarizes && self.sets_a_column_of(definition);
        let writes = Writes { inserts, updates: table.updates?, hot_updates: table.hot_updates?, updated };
        Some(write_cost::a_day(definition, table, share, writes))
    }

    /// Rows that the workload's INSERTs bring into a table.
    fn inserted(&self, definition: &Definition) -> f64 {
        let of = |query: usize| self.writes_to(query, definition, "Insert");
        let rows = |query: usize| self.queries[query].calls * self.queries[query].rows.unwrap_or(1.0);
        (0..self.queries.len()).filter(|query| of(*query)).map(rows).sum()
    }

    /// Whether an UPDATE of the workload sets a column that stands in an index, also in its condition or in an expression.
    fn sets_a_column_of(&self, definition: &Definition) -> bool {
        let named = definition.named_columns();
        (0..self.queries.len()).any(|query| {
            self.queries[query].sets.iter().any(|column| named.contains(column))
                && self.writes_to(query, definition, "Update")
        })
    }

    fn writes_to(&self, query: usize, definition: &Definition, operation: &str) -> bool {
        self.written[query].iter().any(|(table, how)| *table == definition.table && how == operation)
    }
}

/// Tables that a plan writes to, with `Insert`, `Update`, `Delete` or `Merge`; of a partition, the table at the top.
pub(super) fn written(plan: &Plan, tables: &Tables) -> Vec<(QualifiedName, String)> {
    let of = |node: &Node| Some((table_of(node, tables)?.0, node.operation.clone()?));
    plan.nodes.iter().filter(|node| node.is(KnownType::ModifyTable)).filter_map(of).collect()
}
