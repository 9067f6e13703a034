//! What is said of the chosen indexes, and which existing ones they make needless.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{Advice, Advised, Gain, Outcome, Plans, Unused, Work, cautious_cost, cost};
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
            let users = self.users_of(*place, plans);
            for query in users.keys() {
                match &mut advised[*query].outcome {
                    Outcome::Helped(names) => names.push(name.clone()),
                    outcome => *outcome = Outcome::Helped(vec![name.clone()]),
                }
            }
            let gains = users.values().filter_map(|parts| self.gain(*place, parts, chosen, plans, &renamed));
            let mut gains: Vec<Gain> = gains.collect();
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

    /// What a query gains from an index by these of its parts; costs and plans are those of the part that gains most.
    fn gain(
        &mut self,
        place: usize,
        parts: &[usize],
        chosen: &BTreeSet<usize>,
        plans: &Plans,
        renamed: &dyn Fn(&str) -> String,
    ) -> Option<Gain> {
        let of = |part: usize| {
            let sharing = self.used(&plans[&part], chosen).len().max(1) as f64;
            let its = &self.parts[part];
            its.weight * (1.0 - cautious_cost(&plans[&part]) / its.cost.max(f64::MIN_POSITIVE)) / sharing
        };
        let milliseconds: f64 = parts.iter().map(|part| of(*part)).sum();
        let most = parts.iter().copied().max_by(|a, b| of(*a).total_cmp(&of(*b)))?;
        let before = self.plan(most, &BTreeSet::new())?;
        let table = &self.offers[place].definition.table;
        let its = &self.parts[most];
        Some(Gain {
            query: its.query,
            values: its.values,
            cost_before: cost(&before),
            cost_after: cost(&plans[&most]),
            node_before: scans_of(&before, table, self.tables, renamed),
            node_after: scans_of(&plans[&most], table, self.tables, renamed),
            milliseconds: self.queries[its.query].mean_milliseconds.map(|_| milliseconds),
        })
    }

    /// Costs of the generic plans, and shares of time over all parts.
    fn tell_savings(&self, plans: &Plans, advised: &mut [Advised]) {
        let mut weights = vec![(0.0, 0.0); advised.len()];
        for (place, part) in self.parts.iter().enumerate() {
            let after = plans.get(&place).map_or(part.cost, cautious_cost);
            let (whole, left) = &mut weights[part.query];
            *whole += part.weight;
            *left += part.weight * if part.cost > 0.0 { (after / part.cost).min(1.0) } else { 1.0 };
            if part.values.is_none() {
                let advised = &mut advised[part.query];
                advised.cost_after = plans.get(&place).map_or(advised.cost_before, cost);
            }
        }
        for (advised, (whole, left)) in advised.iter_mut().zip(weights) {
            advised.saved = if whole > 0.0 { 1.0 - left / whole } else { 0.0 };
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
