//! A strong lock is asked for without a limit on the wait.

use crate::catalog::LockMode;
use crate::finding::{Advice, Category, Cause, Evidence, Finding, FixStep, Severity};
use crate::history::TransactionKind;
use crate::rules::context::{RunContext, StepContext, who_waits};
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "missing-lock-timeout",
    category: Category::Blocking,
    severity: Severity::Warning,
    summary: "A migration waits for strong locks without lock_timeout, and everyone else queues behind it",
    explanation: "A statement that needs a strong lock waits for every transaction that uses the table, and everyone who comes later \
        waits behind it, even if the statement itself takes no time. With lock_timeout it gives up, the queue goes on, and the \
        migration can be tried again. One finding a migration lists all its statements.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "ALTER TABLE orders ADD COLUMN note text;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note text;",
    },
};

pub(super) fn check(context: &RunContext, findings: &mut Vec<Finding>) {
    let waiting: Vec<(StepContext, &crate::effect::Lock)> = context
        .steps()
        .filter(|step| lock_wait(step) == LockWait::ForEver)
        .filter_map(|step| strong_lock(&step).map(|lock| (step, lock)))
        .collect();
    let Some((first, lock)) = waiting.first() else { return };
    let tables = names(waiting.iter().map(|(_, lock)| &*lock.name));
    let message = format!(
        "may queue for {} on {} behind a long transaction, without lock_timeout: meanwhile {} behind it",
        lock.mode,
        tables,
        who_waits(lock.mode),
    );
    let mut finding = RULE.finding(lock.span, message);
    finding.object = Some(lock.name.clone());
    finding.cause = Some(Cause::Lock { relation: lock.name.clone(), lock: lock.mode });
    finding.related =
        waiting.iter().skip(1).map(|(_, lock)| (lock.span, format!("{} on {}", lock.mode, lock.name))).collect();
    finding.evidence.push(Evidence::assumed(match waiting.len() {
        1 => {
            "nothing in this migration sets lock_timeout before it; the server's default is to wait for ever".to_owned()
        }
        many => format!("{many} statements of this migration wait so; nothing sets lock_timeout before them"),
    }));
    let implicit = first.step.transaction.as_ref().is_some_and(|(_, kind)| *kind == TransactionKind::Implicit);
    finding.advice = if implicit && context.run.migration.framework.sends_batches() {
        Advice::steps(
            "Set a limit before the first of them and take it back at the end, and run the migration again when it is hit. SET LOCAL \
             does nothing as the first statement of a batch.",
            vec![FixStep::any("SET lock_timeout = '2s';")],
        )
    } else {
        // A statement of the file that commits on its own opens no block: SET LOCAL before it does nothing.
        let local = first.step.transaction.is_some() && !implicit;
        let set = if local { "SET LOCAL lock_timeout = '2s';" } else { "SET lock_timeout = '2s';" };
        let text = "Set a limit before the first of them, and run the migration again when it is hit.";
        Advice::steps(text, vec![FixStep::any(set)])
    };
    findings.push(finding);
}

/// The lock that makes others queue: one that writers wait for, on a relation that others use.
fn strong_lock<'r>(step: &StepContext<'r>) -> Option<&'r crate::effect::Lock> {
    step.strongest_shared_lock(LockMode::Share)
}

/// What ends the wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    Milliseconds(u64),
    ForEver,
    /// The configuration says that lock_timeout is set elsewhere.
    SetElsewhere,
}

/// The limit on a statement's wait for a lock. statement_timeout ends a wait too.
pub fn lock_wait(step: &StepContext) -> LockWait {
    let session = &step.step.session;
    let limit = session.lock_timeout.filter(|limit| *limit > 0).or(session.statement_timeout).unwrap_or(0);
    match limit {
        0 if step.options.assume_lock_timeout && session.lock_timeout != Some(0) => LockWait::SetElsewhere,
        0 => LockWait::ForEver,
        limit => LockWait::Milliseconds(limit),
    }
}

/// `a`, `a and b`, `a, b and 3 more`: each once, in order.
pub(super) fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for name in all {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    match unique.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
