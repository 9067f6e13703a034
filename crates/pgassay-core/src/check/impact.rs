//! What others notice of every statement of a run.
//!
//! In: a run, and what is measured of the database where there is one. Out: an [`Impact`] per statement of the file; what a DO block's
//! statements do, and those of called routines, is in that of the statement around them.

use std::collections::BTreeMap;

use imbl::ordmap::DiffItem;

use crate::catalog::LockMode;
use crate::effect::{Lock, Work, WorkKind};
use crate::facts::{Live, RelationFacts};
use crate::history::{MigrationRun, Step};
use crate::report::{Impact, Measured, SharedLock, SharedWork};
use crate::rules::migration::{LockWait, lock_wait, many_rows};
use crate::rules::{RuleOptions, RunContext, StepContext};
use crate::schema::RelationId;
use crate::source::Sources;

/// The impacts of the statements of a run, in their order.
pub(super) fn of_run(run: &MigrationRun, options: &RuleOptions, live: Option<&Live>, sources: &Sources) -> Vec<Impact> {
    let context = RunContext { run, sources, options, live };
    let own: Vec<usize> = (0..run.steps.len()).filter(|at| run.steps[*at].block.is_none()).collect();
    let mut before: Option<&Step> = None;
    let mut impacts = Vec::with_capacity(own.len());
    for (number, at) in own.iter().enumerate() {
        let end = own.get(number + 1).copied().unwrap_or(run.steps.len());
        let parts: Vec<StepContext> = (*at..end).filter_map(|at| context.step(at)).collect();
        let step = &run.steps[*at];
        impacts.push(Impact {
            locks: locks(&parts, live),
            released: before.map(|before| released(before, step)).unwrap_or_default(),
            work: parts.iter().flat_map(|part| work(part, live)).collect(),
            lock_wait: wait(&parts),
        });
        before = Some(step);
    }
    impacts
}

fn locks(parts: &[StepContext], live: Option<&Live>) -> Box<[SharedLock]> {
    let mut strongest: BTreeMap<&str, &Lock> = BTreeMap::new();
    for part in parts {
        let least = match many_rows(part) {
            Some(_) => LockMode::RowExclusive,
            None => LockMode::ShareUpdateExclusive,
        };
        for lock in part.shared_locks().filter(|lock| lock.mode >= least) {
            let known = strongest.entry(&lock.name).or_insert(lock);
            if known.mode < lock.mode {
                *known = lock;
            }
        }
    }
    let lock = |(name, lock): (&str, &Lock)| SharedLock {
        relation: name.into(),
        mode: lock.mode,
        table: live.and_then(|live| measured(lock.relation, live)).map(Box::new),
    };
    strongest.into_iter().map(lock).collect()
}

fn measured(relation: Option<RelationId>, live: &Live) -> Option<Measured> {
    let name = &live.schema.relation(relation?)?.name;
    let facts = live.facts.relation(name);
    let calls = live.traffic.calls(name);
    let bytes = facts.and_then(RelationFacts::table_bytes);
    let rows = facts.and_then(RelationFacts::row_estimate);
    (bytes.is_some() || rows.is_some() || calls.is_some()).then_some(Measured { bytes, rows, calls })
}

/// Locks that were held when a statement began and are not, or not so strongly, when the next of its transaction does.
fn released(before: &Step, step: &Step) -> Box<[(Box<str>, Option<LockMode>)]> {
    let same = |one: &Step, other: &Step| one.transaction.is_some() && one.transaction == other.transaction;
    if !same(before, step) || before.held.ptr_eq(&step.held) {
        return Box::default();
    }
    before
        .held
        .diff(&step.held)
        .filter_map(|item| match item {
            DiffItem::Remove(name, _) => Some((Box::from(&**name), None)),
            DiffItem::Update { old: (name, old), new: (_, new) } if new.mode < old.mode => {
                Some((Box::from(&**name), Some(new.mode)))
            }
            _ => None,
        })
        .collect()
}

fn work(part: &StepContext, live: Option<&Live>) -> Vec<SharedWork> {
    let rewritten: Vec<Option<RelationId>> =
        part.shared_work().filter(|work| work.kind == WorkKind::Rewrite).map(|work| work.relation).collect();
    // A rewrite reads the table and builds its indexes by the way.
    let own = part.shared_work().filter(|work| work.kind == WorkKind::Rewrite || !rewritten.contains(&work.relation));
    let rows = many_rows(part).map(|(_, what)| SharedWork { what: what.into(), duration: None });
    own.map(|work| shared_work(work, live)).chain(rows).collect()
}

fn shared_work(work: &Work, live: Option<&Live>) -> SharedWork {
    let what = match work.kind {
        WorkKind::Rewrite => format!("rewrites {}", work.name),
        WorkKind::Scan => format!("reads all of {}", work.name),
        WorkKind::IndexBuild => format!("builds {}", work.name),
    };
    let duration = live.and_then(|live| {
        let facts = live.facts.relation(&live.schema.relation(work.relation?)?.name)?;
        live.rates.duration(work.kind, facts, None)
    });
    SharedWork { what: what.into(), duration }
}

/// The longest wait of its parts.
fn wait(parts: &[StepContext]) -> Option<LockWait> {
    let strong = parts.iter().filter(|part| part.strongest_shared_lock(LockMode::Share).is_some());
    let waits: Vec<LockWait> = strong.map(lock_wait).collect();
    let limit = |wait: &LockWait| match wait {
        LockWait::Milliseconds(limit) => *limit,
        LockWait::SetElsewhere => 0,
        LockWait::ForEver => u64::MAX,
    };
    waits.into_iter().max_by_key(limit)
}
