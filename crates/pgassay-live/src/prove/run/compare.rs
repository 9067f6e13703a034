//! What was predicted of a statement, held against what was watched.
//!
//! In: a step with its prediction, and its outcome. Out: [`Difference`]s. Only what the shadow can show is compared: of a
//! statement that may not run, that it did no more than predicted; of a table without rows, not that it was read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, is_about_rows};
use crate::catalog::LockMode;
use crate::change::Change;
use crate::effect::{Effect, FailsWhen, InTransactionBlock};
use crate::history::{MigrationRun, Step};
use crate::report::{Difference, DifferenceField};
use crate::schema::Schema;
use crate::shadow::Watched;
use crate::source::Span;

/// Every way in which the statement went otherwise.
/// `claims` are the findings that say a statement is refused, by their places. `behind` says that an earlier statement was refused: what
/// that would have made is missing on the shadow, and the prediction goes on as if it were there.
pub(in crate::prove) fn differences(
    run: &MigrationRun,
    index: usize,
    outcome: &Outcome,
    claims: &[(Span, String)],
    behind: bool,
) -> Vec<Difference> {
    let Some(step) = run.steps.get(index) else { return Vec::new() };
    let own = run.migration.framework.own_tables();
    let mut found = Comparison { step, after: &run.after, own, behind, found: Vec::new() };
    if !behind {
        found.outcome(run, index, outcome, claims);
    }
    if let Some(watched) = &outcome.watched
        && (outcome.error.is_none() || outcome.on_rows)
        && step.change().is_some_and(is_predicted)
    {
        found.effect(&inner(run, index), watched);
    }
    found.found
}

/// What a statement does, and the statements of its block.
struct Whole {
    effect: Effect,
    /// Some of it may not happen, or more than is known.
    certain: bool,
    /// More than is known may happen.
    open_ended: bool,
}

fn inner(run: &MigrationRun, index: usize) -> Whole {
    let step = &run.steps[index];
    let mut whole = Whole { effect: step.prediction.effect.clone(), certain: true, open_ended: false };
    for part in run.steps.iter().filter(|part| part.block == Some(index)) {
        whole.effect.merge(part.prediction.effect.clone());
        whole.certain &= !part.conditional;
    }
    if let Some(Change::Do(block)) = step.change() {
        whole.open_ended =
            !block.code.dynamic.is_empty() || block.code.statements.iter().any(|inner| inner.change.is_err());
    }
    whole
}

struct Comparison<'a> {
    step: &'a Step<'a>,
    /// The schema after the migration.
    after: &'a Schema,
    /// The tool's own tables, of which a statement about all tables says nothing.
    own: &'static [&'static str],
    behind: bool,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn differs(&mut self, field: DifferenceField, predicted: String, observed: String) {
        self.found.push(Difference { span: self.step.span(), field, predicted, observed });
    }

    fn outcome(&mut self, run: &MigrationRun, index: usize, outcome: &Outcome, claims: &[(Span, String)]) {
        if outcome.not_run {
            return;
        }
        // Of what cannot be read nothing is predicted.
        if self.step.change().is_none() {
            if let Some(error) = &outcome.error {
                self.differs(DifferenceField::Outcome, "not read".to_owned(), format!("refused: {error}"));
            }
            return;
        }
        let mut problems = problems(run, index);
        let here = claims.iter().filter(|(span, _)| self.step.span().contains(*span));
        problems.extend(here.map(|(_, message)| message.clone()));
        match (&outcome.error, problems.is_empty()) {
            // Rows of ours say nothing of what was predicted without them.
            (Some(error), _) if is_about_rows(error) && (outcome.on_rows || outcome.beside_rows) => {}
            (Some(error), true) => {
                self.differs(DifferenceField::Outcome, "runs".to_owned(), format!("refused: {error}"));
            }
            (None, false) => {
                self.differs(DifferenceField::Outcome, format!("refused: {}", problems.join("; ")), "runs".to_owned())
            }
            _ => {}
        }
    }

    fn effect(&mut self, whole: &Whole, watched: &Watched) {
        let seen = &watched.effect;
        if !self.behind
            && seen.in_transaction_block != whole.effect.in_transaction_block
            && whole.certain
            && !whole.open_ended
        {
            let name = |of: InTransactionBlock| match of {
                InTransactionBlock::Allowed => "allowed".to_owned(),
                InTransactionBlock::Forbidden => "forbidden".to_owned(),
            };
            let (predicted, observed) = (name(whole.effect.in_transaction_block), name(seen.in_transaction_block));
            self.differs(DifferenceField::InTransactionBlock, predicted, observed);
        }
        self.locks(whole, watched);
        self.set(
            DifferenceField::Rewrites,
            whole,
            &whole.effect.rewrites,
            &seen.rewrites,
            &BTreeSet::new(),
            &watched.existed,
        );
        self.set(
            DifferenceField::IndexBuilds,
            whole,
            &whole.effect.index_builds,
            &seen.index_builds,
            &BTreeSet::new(),
            &watched.existed,
        );
        self.scans(whole, watched);
    }

    /// A lock that the transaction has already cannot be seen to be taken again: what is held must be what was held, and
    /// what was predicted.
    fn locks(&mut self, whole: &Whole, watched: &Watched) {
        let mut expected = Effect { locks: watched.held_before.clone(), ..Effect::default() };
        for (relation, mode) in &whole.effect.locks {
            expected.lock(relation.clone(), *mode);
        }
        let held = &watched.effect.locks;
        // Which keys a row is checked against depends on the rows, and an empty shadow has none.
        let certain = whole.certain && !self.step.change().is_some_and(is_planned);
        let mut names: BTreeSet<&String> = expected.locks.keys().collect();
        names.extend(held.keys());
        let (mut predicted, mut observed) = (Vec::new(), Vec::new());
        for name in names {
            let (want, have) = (expected.locks.get(name), held.get(name));
            if want.is_none() && self.own.iter().any(|own| name.rsplit('.').next() == Some(own)) {
                continue;
            }
            if self.behind && !watched.existed.contains(name) {
                continue;
            }
            let differs = if certain { want != have } else { have > want };
            if differs && !(whole.open_ended && have > want) {
                predicted.push(lock(name, whole.effect.locks.get(name)));
                observed.push(lock(name, have));
            }
        }
        if !predicted.is_empty() {
            self.differs(DifferenceField::Locks, predicted.join(", "), observed.join(", "));
        }
    }

    /// Which way the planner reads a small table for a query says nothing of a large one.
    fn scans(&mut self, whole: &Whole, watched: &Watched) {
        if self.step.change().is_some_and(is_planned) {
            return;
        }
        // A key on an empty table is not looked for in the other one either.
        let nothing_to_read = whole.effect.scans.iter().any(|table| watched.without_rows.contains(table));
        let excused = if nothing_to_read { whole.effect.scans.clone() } else { referenced(self.step, self.after) };
        self.set(DifferenceField::Scans, whole, &whole.effect.scans, &watched.effect.scans, &excused, &watched.existed);
    }

    fn set(
        &mut self,
        field: DifferenceField,
        whole: &Whole,
        predicted: &BTreeSet<String>,
        observed: &BTreeSet<String>,
        excused: &BTreeSet<String>,
        existed: &BTreeSet<String>,
    ) {
        let missing: BTreeSet<&String> = predicted
            .difference(observed)
            .filter(|name| whole.certain && !excused.contains(*name))
            .filter(|name| !self.behind || existed.contains(*name))
            .collect();
        let more: BTreeSet<&String> = observed.difference(predicted).filter(|_| !whole.open_ended).collect();
        if missing.is_empty() && more.is_empty() {
            return;
        }
        let list = |names: BTreeSet<&String>| match names.len() {
            0 => "none".to_owned(),
            _ => names.into_iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let (missing, more) = (list(missing), list(more));
        self.differs(field, missing, more);
    }
}

/// The tables that foreign keys of the altered table refer to: the planner chooses between reading them in full and by their index
/// (RI_Initial_Check, ri_triggers.c), and takes the index where the altered table is small.
pub(super) fn referenced(step: &Step, after: &Schema) -> BTreeSet<String> {
    let Some(Change::AlterTable(alter)) = step.change() else { return BTreeSet::new() };
    let found = |schema: &Schema| {
        let table = schema.find_relation(&alter.relation, &step.session)?;
        let referenced = table.foreign_keys().map(|(_, key)| key.referenced).filter(|id| *id != table.id);
        Some(referenced.map(|id| schema.relation_name(id)).collect::<Vec<_>>())
    };
    [&step.schema, after].into_iter().filter_map(found).flatten().collect()
}

fn lock(name: &str, mode: Option<&LockMode>) -> String {
    match mode {
        Some(mode) => format!("{mode} on {name}"),
        None => format!("none on {name}"),
    }
}

/// Why the statement is predicted to be refused whatever the rows are.
pub(super) fn problems(run: &MigrationRun, index: usize) -> Vec<String> {
    let step = &run.steps[index];
    let parts = run.steps.iter().filter(|part| part.block == Some(index) && !part.conditional);
    let mut found = Vec::new();
    for part in std::iter::once(step).chain(parts) {
        // Code runs in a transaction whoever opened it.
        let in_block = part.transaction.is_some() || part.block.is_some();
        found.extend(part.applied.problems.iter().map(|problem| problem.message.clone()));
        let failures = part.prediction.failures.iter().filter(|failure| match failure.when {
            FailsWhen::Always => true,
            FailsWhen::InTransactionBlock => in_block,
            FailsWhen::OutsideTransactionBlock => !in_block,
            FailsWhen::AnyRow | FailsWhen::SomeRow { .. } => false,
        });
        found.extend(failures.map(|failure| failure.message.clone()));
    }
    found
}

/// A statement whose reads the planner chooses.
fn is_planned(change: &Change) -> bool {
    match change {
        Change::Insert(_)
        | Change::Update(_)
        | Change::Delete(_)
        | Change::Merge(_)
        | Change::Select(_)
        | Change::Copy(_)
        | Change::Explain { .. }
        | Change::CreateTableAs(_)
        | Change::CreateMaterializedView(_)
        | Change::RefreshMaterializedView(_)
        | Change::Call(_) => true,
        Change::Do(block) => block.code.statements.iter().any(|inner| inner.change.as_ref().is_ok_and(is_planned)),
        _ => false,
    }
}

/// What a procedure or a function does is not known.
fn is_predicted(change: &Change) -> bool {
    !matches!(change, Change::Call(_) | Change::Transaction(_) | Change::Set(_) | Change::Reset(_))
}

/// Locks that the statement added to what its transaction held.
pub(in crate::prove) fn added(watched: &Watched) -> Effect {
    let mut effect = watched.effect.clone();
    let held: &BTreeMap<String, LockMode> = &watched.held_before;
    effect.locks.retain(|relation, mode| held.get(relation) != Some(mode));
    effect
}
