//! Whether the measured time of a query is what its cost lets expect.
//!
//! Costs know nothing of triggers, of locks that a statement waits for, of functions that are slower than declared, and of rows that a LIMIT finds
//! late. Where time and cost disagree far more than they do elsewhere in the workload, a saving cannot be told from the cost.

use std::fmt;

use serde::Serialize;

use super::candidate::table_of;
use super::choose::{Advised, Work};
use super::tables::Tables;
use crate::plan::Plan;
use crate::plan::node::{ConditionKind, KnownType};

/// Milliseconds of a unit of cost, where the workload is too small to tell.
const USUAL: f64 = 0.01;
/// Queries that tell what is usual.
const ENOUGH: usize = 5;
/// How many times the usual is not explained by the cost, from how many milliseconds on.
const UNUSUAL: f64 = 12.0;
const FELT: f64 = 2.0;
/// Values with which a call would take so many times the average are not those of the calls.
const BEYOND: f64 = 4.0;

/// What takes time that is in no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    FoundLate,
    Writes,
    Locks,
    RowSecurity,
    Partitions,
    Functions,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::FoundLate => {
                "a LIMIT that finds its rows late or never, because those that match are not spread evenly"
            }
            Cause::Writes => "triggers of the table it writes to",
            Cause::Locks => "locks held by other sessions",
            Cause::RowSecurity => "policies of row security, which are planned for another role here",
            Cause::Partitions => "values that make it read more partitions than one",
            Cause::Functions => "functions that are slower than declared, and values that are more common than average",
        })
    }
}

impl Work<'_> {
    /// Tells of each query by how many times it is slower than its cost lets expect.
    pub(super) fn compare_times(&mut self, advised: &mut [Advised]) {
        let cost = |query: usize| -> f64 {
            let own = self.parts.iter().filter(|part| part.query == query && part.values.is_none());
            // Searches of foreign keys run once for each row.
            let rows = self.queries[query].rows.unwrap_or(1.0).max(1.0);
            own.map(|part| part.cost * if part.foreign_key.is_some() { rows } else { 1.0 }).sum()
        };
        let pace = |query: usize| {
            let cost = cost(query);
            self.queries[query].mean_milliseconds.filter(|_| cost > 0.0).map(|mean| mean / cost)
        };
        let mut paces: Vec<f64> = (0..self.queries.len()).filter_map(pace).collect();
        let usual = usual(&mut paces);
        let mut slower = Vec::new();
        for query in 0..advised.len() {
            let slow = self.queries[query].mean_milliseconds.is_some_and(|mean| mean >= FELT);
            slower.push(pace(query).map(|pace| pace / usual).filter(|times| slow && *times >= UNUSUAL));
        }
        for (advised, slower) in advised.iter_mut().zip(slower) {
            advised.slower = slower;
        }
        self.pace = usual;
    }

    /// Whether calls with such a cost would take far longer than calls did on average: then they are not what is asked for.
    pub(super) fn is_beyond(&self, query: usize, cost: f64) -> bool {
        self.queries[query].mean_milliseconds.is_some_and(|mean| cost * self.pace > mean * BEYOND)
    }
}

fn usual(paces: &mut [f64]) -> f64 {
    if paces.len() < ENOUGH {
        return USUAL;
    }
    paces.sort_by(f64::total_cmp);
    // Statements of a fast server are never that slow for their cost.
    paces[paces.len() / 2].clamp(USUAL / 10.0, USUAL * 10.0)
}

/// What may take the time that the cost does not explain.
pub fn causes(plan: &Plan, tables: &Tables) -> Vec<Cause> {
    let mut found = Vec::new();
    let any = |kind: KnownType| plan.nodes.iter().any(|node| node.is(kind));
    let filters = plan.nodes.iter().any(|node| node.condition(ConditionKind::Filter).is_some());
    if any(KnownType::Limit) && filters {
        found.push(Cause::FoundLate);
    }
    if plan.nodes.iter().any(|node| node.subplans_removed.is_some_and(|removed| removed > 0.0)) {
        found.push(Cause::Partitions);
    }
    if any(KnownType::ModifyTable) {
        found.push(Cause::Writes);
    }
    if any(KnownType::ModifyTable) || any(KnownType::LockRows) {
        found.push(Cause::Locks);
    }
    if plan.nodes.iter().filter_map(|node| table_of(node, tables)).any(|(_, info)| info.row_security) {
        found.push(Cause::RowSecurity);
    }
    if found.is_empty() || filters {
        found.push(Cause::Functions);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_told_by_the_workload() {
        assert_eq!(usual(&mut [1.0, 1.0]), USUAL);
        assert_eq!(usual(&mut [0.02, 0.03, 0.02, 0.02, 9.0]), 0.02);
    }
}
