//! What is said of the chosen indexes, and which existing ones they make needless.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{Advice, Advised, Gain, Outcome, Plans, Unused, Work, cost};
use super::definition::Definition;
use super::describe::{scans_of, statements};
use super::redundant;
use crate::change::{Name, QualifiedName};
use crate::plan::Plan;

impl Work<'_> {
    /// Each chosen index with the queries that gain from it.
    pub(super) fn describe(&mut self, chosen: &BTreeSet<usize>, plans: &Plans, advised: &mut [Advised]) -> Vec<Advice> {
        let mut found = Vec::new();
        let names = self.final_names(chosen);
        let renamed = |index: &str| names.get(index).cloned().unwrap_or_else(|| index.to_owned());
        self.tell_savings(plans, advised);
        for place in chosen {
            let name = renamed(&self.offers[*place].name);
            let mut others = chosen.clone();
            others.remove(place);
            let users = self.users_of(*place, plans);
            let gains: Vec<Gain> = users
                .values()
                .filter_map(|parts| self.gain(*place, parts, (&others, plans), advised, &renamed))
                .collect();
            for gain in &gains {
                match &mut advised[gain.query].outcome {
                    Outcome::Helped(names) => names.push(name.clone()),
                    outcome => *outcome = Outcome::Helped(vec![name.clone()]),
                }
            }
            let mut gains = gains;
            gains.sort_by(|a, b| {
                b.milliseconds.unwrap_or(b.cost_before).total_cmp(&a.milliseconds.unwrap_or(a.cost_before))
            });
            let offer = &self.offers[*place];
            let info = self.tables.tables.get(&offer.definition.table);
            found.push(Advice {
                statements: statements(&offer.definition, &name, info),
                trial: offer.name.clone(),
                name,
                estimate: offer.estimate,
                writes: self.writes(*place),
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

    /// Queries whose plans use an index, with their parts that do.
    fn users_of(&self, place: usize, plans: &Plans) -> BTreeMap<usize, Vec<usize>> {
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (part, plan) in plans {
            if plan.nodes.iter().any(|node| self.is_of(node, place)) {
                users.entry(self.parts[*part].query).or_default().push(*part);
            }
        }
        users
    }

    /// What a query gains from an index by these of its parts: what is lost with the others alone. Costs and plans are those of the part that
    /// gains most. `None` if nothing is lost.
    fn gain(
        &mut self,
        place: usize,
        parts: &[usize],
        (others, plans): (&BTreeSet<usize>, &Plans),
        advised: &[Advised],
        renamed: &dyn Fn(&str) -> String,
    ) -> Option<Gain> {
        let without: Vec<(usize, Plan)> =
            parts.iter().filter_map(|part| Some((*part, self.plan(*part, others)?))).collect();
        let lost: Vec<f64> = without.iter().map(|(part, plan)| self.lost(*part, &plans[part], plan)).collect();
        let milliseconds: f64 = lost.iter().sum();
        if milliseconds <= 0.0 {
            return None;
        }
        let plainly = |(part, plan): &(usize, Plan)| {
            let its = &self.parts[*part];
            let (now, then) = (self.plainly(its.query, &plans[part]), self.plainly(its.query, plan));
            (then - now).max(0.0) / its.plain.max(f64::MIN_POSITIVE) * its.weight
        };
        let explained = advised[self.parts[parts[0]].query].slower.is_none();
        let plain = without.iter().map(plainly).sum::<f64>();
        let least = if explained { plain.min(milliseconds) } else { 0.0 };
        let most = (0..lost.len()).max_by(|a, b| lost[*a].total_cmp(&lost[*b]))?;
        let (most, before) = &without[most];
        let table = &self.offers[place].definition.table;
        let its = &self.parts[*most];
        Some(Gain {
            query: its.query,
            values: its.values,
            foreign_key: its.foreign_key.clone(),
            cost_before: cost(before),
            cost_after: cost(&plans[most]),
            node_before: scans_of(before, table, self.tables, renamed),
            node_after: scans_of(&plans[most], table, self.tables, renamed),
            milliseconds: self.queries[its.query].mean_milliseconds.map(|_| milliseconds),
            least_milliseconds: self.queries[its.query].mean_milliseconds.map(|_| least),
        })
    }

    /// Costs of the generic plans, and shares of time over all parts: the likely one, and between which it lies.
    fn tell_savings(&self, plans: &Plans, advised: &mut [Advised]) {
        let mut weights = vec![(0.0, [0.0; 2]); advised.len()];
        for (place, part) in self.parts.iter().enumerate() {
            let share = |before: f64, after: f64| if before > 0.0 { (after / before).min(1.0) } else { 1.0 };
            let shares = plans.get(&place).map_or([1.0; 2], |plan| {
                [share(part.cost, self.weigh(part.query, plan)), share(part.plain, self.plainly(part.query, plan))]
            });
            let (whole, left) = &mut weights[part.query];
            *whole += part.weight;
            for (left, share) in left.iter_mut().zip(shares) {
                *left += part.weight * share;
            }
            if place < advised.len() {
                let advised = &mut advised[place];
                advised.cost_after = plans.get(&place).map_or(advised.cost_before, cost);
            }
        }
        for (advised, (whole, [one, other])) in advised.iter_mut().zip(weights).filter(|(_, (whole, _))| *whole > 0.0) {
            advised.saved = 1.0 - other / whole;
            advised.saved_between = (1.0 - one.max(other) / whole, 1.0 - one.min(other) / whole);
        }
    }

    /// Existing indexes that others cover, where no plan of the workload gets worse without.
    pub(super) fn unused(&mut self, advice: &[Advice], advised: &[Advised]) -> Vec<Unused> {
        let mut found = Vec::new();
        let with: Vec<String> = advice.iter().map(|it| it.trial.clone()).collect();
        for (name, table) in self.tables.tables.iter().filter(|(_, table)| table.root.is_none()) {
            let of_table = advice.iter().filter(|it| it.definition.table == *name);
            let chosen: Vec<(&str, &Definition)> = of_table.map(|it| (it.name.as_str(), &it.definition)).collect();
            for (index, covering) in redundant::redundant(table, &chosen) {
                let hidden = [QualifiedName::new(name.schema.clone(), Name::new(&index.name))];
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
