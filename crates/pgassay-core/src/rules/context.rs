//! What a rule sees: the run, one step of it, and the questions several rules ask of them.

use crate::catalog::LockMode;
use crate::change::{AlterTableAction, Change};
use crate::effect::{Failure, Lock, Work, WorkKind};
use crate::facts::Live;
use crate::finding::Evidence;
use crate::history::{MigrationRun, Step};
use crate::rules::RuleOptions;
use crate::schema::{Relation, RelationId};
use crate::source::{Sources, Span};

/// One migration under judgement.
#[derive(Clone, Copy)]
pub struct RunContext<'r> {
    pub run: &'r MigrationRun<'r>,
    pub sources: &'r Sources,
    pub options: &'r RuleOptions,
    /// What is known of the live database, if anything is.
    pub live: Option<&'r Live>,
}

/// One statement of it.
#[derive(Clone, Copy)]
pub struct StepContext<'r> {
    pub run: &'r MigrationRun<'r>,
    pub sources: &'r Sources,
    pub options: &'r RuleOptions,
    pub live: Option<&'r Live>,
    pub step: &'r Step<'r>,
    pub index: usize,
}

impl<'r> RunContext<'r> {
    /// Every statement that does something itself: those of DO blocks, not the blocks.
    pub fn steps(&self) -> impl Iterator<Item = StepContext<'r>> + use<'r> {
        let RunContext { run, sources, options, live } = *self;
        let steps = run.steps.iter().enumerate().filter(|(_, step)| !step.is_block());
        steps.map(move |(index, step)| StepContext { run, sources, options, live, step, index })
    }

    /// The step at an index of the run.
    pub fn step(&self, index: usize) -> Option<StepContext<'r>> {
        let RunContext { run, sources, options, live } = *self;
        run.steps.get(index).map(|step| StepContext { run, sources, options, live, step, index })
    }
}

impl<'r> StepContext<'r> {
    pub fn change(&self) -> Option<&'r Change> {
        self.step.change()
    }

    /// The text of a place in this run's files.
    pub fn text(&self, span: Span) -> &'r str {
        self.sources.slice(span)
    }

    pub fn relation(&self, id: Option<RelationId>) -> Option<&'r Relation> {
        id.and_then(|id| self.step.schema.relation(id)).map(|relation| &**relation)
    }

    /// Work on relations that others may use at that moment, where there is something stored to work on.
    pub fn shared_work(&self) -> impl Iterator<Item = &'r Work> + use<'r> {
        let step = self.step;
        let stores_nothing =
            |id: RelationId| step.schema.relation(id).is_some_and(|relation| step.schema.stores_nothing(relation));
        let takes_long =
            move |work: &&Work| step.is_shared(work.relation) && !work.relation.is_some_and(stores_nothing);
        step.prediction.work.iter().filter(takes_long)
    }

    /// Locks on relations that others may use at that moment.
    pub fn shared_locks(&self) -> impl Iterator<Item = &'r Lock> + use<'r> {
        let step = self.step;
        step.prediction.locks.iter().filter(move |lock| step.is_shared(lock.relation))
    }

    /// The strongest shared lock of at least `mode`, if any.
    pub fn strongest_shared_lock(&self, mode: LockMode) -> Option<&'r Lock> {
        self.shared_locks().filter(|lock| lock.mode >= mode).max_by_key(|lock| lock.mode)
    }

    /// Shared work that makes writers wait while it runs; what a rewrite does on the side is not told apart.
    pub fn blocking_work(&self, kind: WorkKind) -> impl Iterator<Item = &'r Work> + use<'r> {
        let rewrites: Vec<_> = self.shared_work().filter(|work| work.kind == WorkKind::Rewrite).collect();
        let is_rewritten = move |work: &Work| {
            // What a partial history never saw has a name only.
            rewrites.iter().any(|it| it.relation == work.relation && (it.relation.is_some() || it.name == work.name))
        };
        // ReindexPartitions (indexcmds.c) takes SHARE on the partitions while it lists them, and has let go of it when it builds.
        let lets_go = matches!(self.change(), Some(Change::Reindex(reindex)) if reindex.concurrently);
        self.shared_work()
            .filter(move |work| work.kind == kind && work.under.blocks_writes() && !lets_go)
            .filter(move |work| kind == WorkKind::Rewrite || !is_rewritten(work))
    }

    /// The same in groups: what the same words of the statement make the server do, to several tables or indexes.
    pub fn blocking_work_by_cause(&self, kind: WorkKind) -> Vec<Vec<&'r Work>> {
        let mut groups: Vec<Vec<&Work>> = Vec::new();
        for work in self.blocking_work(kind) {
            match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.span == work.span)) {
                Some(group) => group.push(work),
                None => groups.push(vec![work]),
            }
        }
        groups
    }

    pub fn failures(&self) -> &'r [Failure] {
        &self.step.prediction.failures
    }

    /// The action of an ALTER TABLE that a part of the statement belongs to.
    pub fn action_at(&self, span: Span) -> Option<&'r AlterTableAction> {
        let Some(Change::AlterTable(alter)) = self.change() else { return None };
        let mut containing: Vec<_> = alter.actions.iter().filter(|action| action.span.contains(span)).collect();
        // Inline constraints stand inside the column's action.
        containing.sort_by_key(|action| action.span.end - action.span.start);
        containing.first().copied()
    }

    /// How it is known what a relation looks like.
    pub fn evidence_for(&self, relation: Option<RelationId>, fact: impl Into<String>) -> Evidence {
        match self.relation(relation) {
            Some(relation) if relation.known => Evidence::declared(fact),
            _ => Evidence::assumed(fact),
        }
    }
}

/// "reads and writes wait" or "writes wait", by what the mode blocks.
pub fn who_waits(mode: LockMode) -> &'static str {
    if mode.blocks_reads() { "reads and writes wait" } else { "writes wait" }
}
