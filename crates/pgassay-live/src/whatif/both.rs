//! hypopg on the database, with a twin beside it for what hypopg cannot do.
//!
//! GIN and GiST indexes, hiding existing indexes before hypopg 1.4, and statements that the role may not even plan go to the twin, which
//! is built when the first of these comes. A query that went there stays there, so that its costs can be compared with each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{HypopgPlanner, TwinPlanner};
use crate::advisor::{Offer, Planner};
use crate::change::QualifiedName;
use crate::plan::Plan;

/// Builds the twin.
pub type MakeTwin<'r> = Box<dyn FnOnce() -> Result<TwinPlanner<'r>, String> + 'r>;

/// Two planners as one.
pub struct BothPlanner<'r> {
    hypopg: HypopgPlanner<'r>,
    twin: Twin<'r>,
    /// What hypopg could try.
    offers: Vec<Offer>,
    /// Offered indexes that only the twin has.
    only_twin: BTreeSet<String>,
    /// Queries that the twin plans.
    in_twin: BTreeSet<usize>,
    /// Queries that were added, in the order of their numbers.
    added: Vec<Added>,
}

enum Added {
    Values(usize, BTreeMap<usize, String>),
    Text(String),
}

enum Twin<'r> {
    NotYet(Option<MakeTwin<'r>>),
    There(Box<TwinPlanner<'r>>),
    Never(String),
}

impl<'r> BothPlanner<'r> {
    pub fn new(mut hypopg: HypopgPlanner<'r>, twin: MakeTwin<'r>) -> BothPlanner<'r> {
        hypopg.leaves_roles = true;
        let twin = Twin::NotYet(Some(twin));
        BothPlanner {
            hypopg,
            twin,
            offers: Vec::new(),
            only_twin: BTreeSet::new(),
            in_twin: BTreeSet::new(),
            added: Vec::new(),
        }
    }

    /// EXPLAINs that were run.
    pub fn explained(&self) -> usize {
        self.hypopg.explained() + self.built().map_or(0, TwinPlanner::explained)
    }

    /// The twin, if one was needed.
    pub fn built(&self) -> Option<&TwinPlanner<'r>> {
        match &self.twin {
            Twin::There(planner) => Some(planner),
            _ => None,
        }
    }

    /// Why there is no twin, if one was needed.
    pub fn missing(&self) -> Option<&str> {
        match &self.twin {
            Twin::Never(reason) => Some(reason),
            _ => None,
        }
    }

    fn twin(&mut self) -> Result<&mut TwinPlanner<'r>, String> {
        if let Twin::NotYet(make) = &mut self.twin {
            self.twin = match make.take().map(|make| make()) {
                Some(Ok(mut planner)) => {
                    planner.offer(&self.offers);
                    for added in &self.added {
                        match added {
                            Added::Values(query, values) => {
                                let _ = planner.plan(*query, &[], &[]);
                                planner.with_values(*query, values);
                            }
                            Added::Text(text) => {
                                planner.add(text);
                            }
                        }
                    }
                    Twin::There(Box::new(planner))
                }
                Some(Err(reason)) => Twin::Never(reason),
                None => Twin::Never("no twin can be made".to_owned()),
            };
        }
        match &mut self.twin {
            Twin::There(planner) => Ok(planner),
            Twin::Never(reason) => Err(reason.clone()),
            Twin::NotYet(_) => Err("no twin can be made".to_owned()),
        }
    }
}

impl Planner for BothPlanner<'_> {
    fn offer(&mut self, indexes: &[Offer]) -> Vec<Result<(), String>> {
        let mut results = self.hypopg.offer(indexes);
        let accepted = indexes.iter().zip(&results).filter(|(_, result)| result.is_ok());
        self.offers.extend(accepted.map(|(offer, _)| offer.clone()));
        let refused: Vec<usize> = (0..indexes.len()).filter(|place| results[*place].is_err()).collect();
        if refused.is_empty() {
            return results;
        }
        let wanted: Vec<Offer> = refused.iter().map(|place| indexes[*place].clone()).collect();
        if let Ok(twin) = self.twin() {
            for ((place, offer), result) in refused.into_iter().zip(&wanted).zip(twin.offer(&wanted)) {
                if result.is_ok() {
                    self.only_twin.insert(offer.name.clone());
                    self.hypopg.note(offer);
                }
                results[place] = result;
            }
        }
        results
    }

    fn is_part_of(&self, index: &str, offered: &str) -> bool {
        self.built().is_some_and(|twin| twin.is_part_of(index, offered))
    }

    fn plan(&mut self, query: usize, with: &[String], without: &[QualifiedName]) -> Result<Plan, String> {
        let beyond = self.hypopg.relevant(query, with).iter().any(|name| self.only_twin.contains(name));
        if !self.in_twin.contains(&query) && !beyond {
            match self.hypopg.try_plan(query, with, without) {
                Ok(plan) => return Ok(plan),
                Err(refusal) if refusal.is_about_privileges() => {
                    // Without a twin, better with our own rights than not at all.
                    if self.hypopg.leaves_roles && self.twin().is_err() {
                        self.hypopg.leaves_roles = false;
                        return self.plan(query, with, without);
                    }
                }
                Err(refusal) if without.is_empty() => return Err(refusal.message),
                // Hidden indexes alone are no reason to stay in the twin.
                Err(refusal) => {
                    let twin = self.twin().map_err(|_| refusal.message)?;
                    let _ = twin.plan(query, &[], &[]);
                    return twin.plan(query, with, without);
                }
            }
        }
        let twin = self.twin()?;
        // The first plan also repairs the statement and tells what it reads.
        twin.plan(query, &[], &[])?;
        let plan = twin.plan(query, with, without);
        self.in_twin.insert(query);
        plan
    }

    fn plan_with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Result<Plan, String> {
        match self.in_twin.contains(&query) {
            true => self.twin()?.plan_with_values(query, values),
            false => self.hypopg.plan_with_values(query, values),
        }
    }

    fn with_values(&mut self, query: usize, values: &BTreeMap<usize, String>) -> Option<usize> {
        let number = self.hypopg.with_values(query, values);
        if let Twin::There(twin) = &mut self.twin {
            // The first plan repairs the statement.
            let _ = twin.plan(query, &[], &[]);
            twin.with_values(query, values);
        }
        if self.in_twin.contains(&query) {
            self.in_twin.extend(number);
        }
        self.added.push(Added::Values(query, values.clone()));
        number
    }

    fn add(&mut self, text: &str) -> Option<usize> {
        if let Twin::There(twin) = &mut self.twin {
            twin.add(text);
        }
        self.added.push(Added::Text(text.to_owned()));
        self.hypopg.add(text)
    }

    fn planned_as(&self, query: usize) -> Option<&str> {
        self.built().filter(|_| self.in_twin.contains(&query))?.planned_as(query)
    }

    fn rows(&mut self, table: &QualifiedName, condition: &str) -> Option<f64> {
        match self.hypopg.rows(table, condition) {
            Some(rows) => Some(rows),
            None => self.built().is_some().then(|| self.twin().ok()?.rows(table, condition)).flatten(),
        }
    }
}
