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
        let known: Option<BTreeSet<(BreakageKind, Subject)>> = self.deployed.as_deref().map(|deployed| {
            let lost = contract::diff(deployed, after, self.version);
            lost.into_iter().map(|breakage| (breakage.kind, breakage.subject)).collect()
        });
        let is_known = |breakage: &contract::Breakage| {
            known.as_ref().is_none_or(|known| known.contains(&(breakage.kind, breakage.subject.clone())))
        };
        let net: Vec<_> = contract::diff(&self.before, after, self.version).into_iter().filter(is_known).collect();
        if net.is_empty() {
            return Vec::new();
        }
        let losses = self.losses();
        net.into_iter()
            .map(|breakage| {
                let exact =
                    losses.iter().find(|(kind, subject, _)| *kind == breakage.kind && *subject == breakage.subject);
                let same = || losses.iter().rev().find(|(_, subject, _)| *subject == breakage.subject);
                let loss = exact.or_else(same).map(|(_, _, step)| *step);
                let step = loss.or_else(|| self.maker(&breakage.subject));
                (breakage, step)
            })
            .collect()
    }

    /// What each step took from clients, in the order of the steps.
    pub(super) fn losses(&self) -> Vec<(BreakageKind, Subject, usize)> {
        let of_step = |(index, after): &(usize, Schema)| {
            let lost = contract::diff(&self.steps[*index].schema, after, self.version);
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
