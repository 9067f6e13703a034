//! What clients lose by a migration as a whole, and the statement that took it.

use std::collections::BTreeSet;

use super::replay::Replay;
use crate::contract::{self, BreakageKind, Subject};
use crate::schema::{ObjectId, Schema};

impl Replay<'_, '_> {
    /// The losses of the whole migration, each with the first step that caused a loss of the same kind to the same thing, else the
    /// last one that took anything from it, else the one that made what took over its name.
    pub(super) fn net_losses(&self, after: &Schema) -> Vec<(contract::Breakage, Option<usize>)> {
        // Nobody uses what the same deploy made.
        let lost = self.deployed.as_deref().map(|deployed| contract::diff(deployed, after, self.version));
        let key = |breakage: &contract::Breakage| (breakage.kind, breakage.subject.clone());
        let known: Option<BTreeSet<(BreakageKind, Subject)>> = lost.as_ref().map(|lost| lost.iter().map(key).collect());
        let is_known = |breakage: &contract::Breakage| {
            known.as_ref().is_none_or(|known| known.contains(&(breakage.kind, breakage.subject.clone())))
        };
        let mut net: Vec<_> = contract::diff(&self.before, after, self.version).into_iter().filter(is_known).collect();
        net.extend(self.required_now(lost.unwrap_or_default(), &net));
        if net.is_empty() {
            return Vec::new();
        }
        let losses = self.losses();
        net.into_iter()
            .map(|breakage| {
                let exact =
                    losses.iter().find(|(kind, subject, _)| *kind == breakage.kind && *subject == breakage.subject);
                let same = || losses.iter().rev().find(|(_, subject, _)| *subject == breakage.subject);
                let loss = exact.or_else(same).or_else(|| requires(&losses, &breakage)).map(|(_, _, step)| *step);
                let step = loss.or_else(|| self.maker(&breakage.subject));
                (breakage, step)
            })
            .collect()
    }

    /// Columns that an earlier migration of the deploy made and this one requires: no code writes them yet.
    fn required_now(&self, lost: Vec<contract::Breakage>, net: &[contract::Breakage]) -> Vec<contract::Breakage> {
        let is_one = |it: &contract::Breakage| it.kind == BreakageKind::RequiredColumn;
        let lost: Vec<_> = lost.into_iter().filter(is_one).filter(|it| !net.contains(it)).collect();
        let Some(deployed) = self.deployed.as_deref().filter(|_| !lost.is_empty()) else { return Vec::new() };
        let before: Vec<Subject> = contract::diff(deployed, &self.before, self.version)
            .into_iter()
            .filter(is_one)
            .map(|it| it.subject)
            .collect();
        lost.into_iter()
            .filter(|it| {
                !before.contains(&it.subject) && !net.iter().any(|net| is_one(net) && net.subject == it.subject)
            })
            .collect()
    }

    /// What each step took from clients, in the order of the steps.
    pub(super) fn losses(&self) -> Vec<(BreakageKind, Subject, usize)> {
        let of_step = |(index, after): &(usize, Schema)| {
            let lost = contract::losses(&self.steps[*index].schema, after, self.version);
            let index = *index;
            lost.into_iter().map(move |breakage| (breakage.kind, breakage.subject, index))
        };
        self.changed.iter().flat_map(of_step).collect()
    }

    /// The step that made an object.
    pub(super) fn maker(&self, subject: &Subject) -> Option<usize> {
        let object = match subject {
            Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => ObjectId::Relation(*id),
            Subject::Type(id) => ObjectId::Type(*id),
            Subject::Routine(id) => ObjectId::Routine(*id),
            Subject::Schema(_) => return None,
        };
        self.steps.iter().rposition(|step| !step.is_block() && step.applied.created.contains(&object))
    }
}

/// The constraint on a column of an earlier migration: in its own step it is one of the table.
fn requires<'l>(
    losses: &'l [(BreakageKind, Subject, usize)],
    breakage: &contract::Breakage,
) -> Option<&'l (BreakageKind, Subject, usize)> {
    let Subject::Column(table, _) = &breakage.subject else { return None };
    let is_added = |kind: &BreakageKind| matches!(kind, BreakageKind::CheckAdded | BreakageKind::NotNullAdded);
    let is_here = |subject: &Subject| matches!(subject, Subject::Part(id, _) | Subject::Column(id, _) if id == table);
    (breakage.kind == BreakageKind::RequiredColumn)
        .then(|| losses.iter().rev().find(|(kind, subject, _)| is_added(kind) && is_here(subject)))
        .flatten()
}
