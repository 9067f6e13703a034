//! A strong lock on a table that a long transaction holds at this moment.

use crate::catalog::LockMode;
use crate::change::PrintedName;
use crate::facts::Live;
use crate::finding::{Advice, Category, Cause, Evidence, Finding, Severity};
use crate::rules::context::{RunContext, who_waits};
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "lock-behind-transaction",
    category: Category::Blocking,
    severity: Severity::Warning,
    summary: "A strong lock is wanted on a table that a long transaction holds right now",
    explanation: "Even a change that takes an instant waits until every transaction that holds a conflicting lock has ended, and all who come later wait behind \
        it. Looked for with --db, and with --snapshot as it was then; without lock_timeout the wait has no end. The option seconds says what counts as long.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\n-- a session is idle in a transaction that read orders an hour ago\nALTER TABLE orders ADD COLUMN note text;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "SET lock_timeout = '2s';\n-- no transaction is open for long\nALTER TABLE orders ADD COLUMN note text;",
    },
};

/// One finding for each table, at the first statement that wants the lock.
pub fn check(context: &RunContext, live: &Live) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let long = context.options.long_transaction_seconds as f64;
    for step in context.steps() {
        for lock in step.shared_locks().filter(|lock| lock.mode >= LockMode::Share) {
            // The name that it has now, even if this migration renames it.
            let Some(relation) = lock.relation.and_then(|id| live.schema.relation(id)) else { continue };
            let object = PrintedName::from(&relation.name);
            if findings.iter().any(|finding| finding.object.as_ref() == Some(&object)) {
                continue;
            }
            let holds = |(name, mode): &(crate::change::QualifiedName, String)| {
                *name == relation.name
                    && LockMode::from_pg_locks(mode).is_some_and(|held| held.conflicts_with(lock.mode))
            };
            let holders = live.facts.activity.transactions.iter();
            let holders: Vec<_> = holders.filter(|it| it.seconds >= long && it.locks.iter().any(holds)).collect();
            let Some(oldest) = holders.first() else { continue };
            let message = format!(
                "waits for {} on {object} behind a transaction that has been open for {:.0} s: {} behind it",
                lock.mode,
                oldest.seconds,
                who_waits(lock.mode),
            );
            let mut finding = RULE.finding(lock.span, message);
            finding.cause = Some(Cause::Lock { relation: object.clone(), lock: lock.mode });
            finding.object = Some(object);
            finding.evidence.push(Evidence::measured(format!(
                "{} holding {} at {}; the oldest is process {} of {}, {}",
                if holders.len() == 1 {
                    "1 transaction is".to_owned()
                } else {
                    format!("{} transactions are", holders.len())
                },
                relation.name,
                live.facts.server.read_at,
                oldest.process_id,
                oldest.user,
                if oldest.state.is_empty() { "of unknown state" } else { &oldest.state },
            )));
            finding.advice = Advice::text(
                "Find out what the transaction does and end it, or wait for its end; then run the migration with a lock_timeout, and try again when it is hit.",
            );
            findings.push(finding);
        }
    }
    findings
}
