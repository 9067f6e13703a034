//! The steps of an advice as they go out: deploys, the migrations of each, and what code does in between.
//!
//! In: the steps in their order. Out: which of them share a migration, and where a deploy ends. Knows no tool: what a tool cannot do is
//! said where its files are written.

use serde::Serialize;

use super::{FixStep, StepTransaction};

/// What goes out one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOfChange<'s> {
    pub deploys: Vec<Deploy<'s>>,
}

/// Migrations that go out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy<'s> {
    /// What the running code must do before it; the first needs nothing.
    pub code_before: Option<&'s str>,
    pub migrations: Vec<PlannedMigration<'s>>,
}

/// What commits before the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMigration<'s> {
    pub transaction: StepTransaction,
    /// Run again and again until it changes no row.
    pub repeat: bool,
    pub steps: Vec<&'s FixStep>,
}

/// A step with where it goes out.
#[derive(Debug, Serialize)]
pub struct NumberedStep<'s> {
    #[serde(flatten)]
    pub step: &'s FixStep,
    /// From 1.
    pub deploy: usize,
    /// From 1, counted through all deploys.
    pub migration: usize,
}

/// The steps in their order, each with its deploy and migration.
pub fn numbered(steps: &[FixStep]) -> Vec<NumberedStep<'_>> {
    let numbers = PlanOfChange::of(steps).numbers();
    steps.iter().zip(numbers).map(|(step, (deploy, migration))| NumberedStep { step, deploy, migration }).collect()
}

impl<'s> PlanOfChange<'s> {
    pub fn of(steps: &'s [FixStep]) -> PlanOfChange<'s> {
        let mut plan = PlanOfChange { deploys: Vec::new() };
        for step in steps {
            plan.add(step);
        }
        plan
    }

    fn add(&mut self, step: &'s FixStep) {
        if self.deploys.is_empty() || step.code_before.is_some() {
            self.deploys.push(Deploy { code_before: step.code_before.as_deref(), migrations: Vec::new() });
        }
        let Some(deploy) = self.deploys.last_mut() else { return };
        match deploy.migrations.last_mut().filter(|open| open.takes(step)) {
            Some(open) => {
                open.transaction = step.transaction;
                open.steps.push(step);
            }
            None => deploy.migrations.push(PlannedMigration {
                transaction: step.transaction,
                repeat: step.repeat,
                steps: vec![step],
            }),
        }
    }

    pub fn migrations(&self) -> impl Iterator<Item = &PlannedMigration<'s>> {
        self.deploys.iter().flat_map(|deploy| &deploy.migrations)
    }

    /// Of each step, in order: its deploy and its migration, both from 1, counted through.
    pub fn numbers(&self) -> Vec<(usize, usize)> {
        let mut numbers = Vec::new();
        let mut migration = 0;
        for (deploy, it) in self.deploys.iter().enumerate() {
            for planned in &it.migrations {
                migration += 1;
                numbers.extend(planned.steps.iter().map(|_| (deploy + 1, migration)));
            }
        }
        numbers
    }
}

impl PlannedMigration<'_> {
    /// What any transaction takes goes with what comes after it: nothing of it has to be committed first.
    fn takes(&self, step: &FixStep) -> bool {
        self.transaction == StepTransaction::Any && step.transaction != StepTransaction::None && !step.repeat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(steps: &[FixStep]) -> Vec<Vec<Vec<&str>>> {
        let plan = PlanOfChange::of(steps);
        let sql = |it: &PlannedMigration<'_>| steps.iter().filter(|step| it.steps.contains(step)).count();
        assert_eq!(plan.migrations().map(sql).sum::<usize>(), steps.len());
        plan.deploys
            .iter()
            .map(|deploy| {
                deploy.migrations.iter().map(|it| it.steps.iter().map(|step| step.sql.as_str()).collect()).collect()
            })
            .collect()
    }

    #[test]
    fn what_must_commit_first_ends_a_migration() {
        let steps = [
            FixStep::own("a"),
            FixStep::any("b"),
            FixStep::any("c"),
            FixStep::own("d"),
            FixStep::none("e"),
            FixStep::any("f"),
            FixStep::none("g"),
            FixStep::any("h"),
            FixStep::batch("i"),
        ];
        assert_eq!(
            shape(&steps),
            [[vec!["a"], vec!["b", "c", "d"], vec!["e"], vec!["f"], vec!["g"], vec!["h"], vec!["i"]]]
        );
    }

    #[test]
    fn code_divides_deploys() {
        let steps = [FixStep::any("a"), FixStep::any("b").once("no code reads x"), FixStep::own("c")];
        let plan = PlanOfChange::of(&steps);
        assert_eq!(shape(&steps), [vec![vec!["a"]], vec![vec!["b", "c"]]]);
        assert_eq!(plan.deploys[1].code_before, Some("no code reads x"));
        assert_eq!(plan.numbers(), [(1, 1), (2, 2), (2, 2)]);
    }
}
