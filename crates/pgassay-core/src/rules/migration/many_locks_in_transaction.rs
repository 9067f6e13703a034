//! Several tables strongly locked in one transaction.

use std::collections::BTreeMap;

use crate::catalog::LockMode;
use crate::change::Change;
use crate::effect::Lock;
use crate::finding::{Advice, Category, Cause, Evidence, Finding, Severity};
use crate::history::TransactionId;
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};

use super::missing_lock_timeout::names;

pub static RULE: Rule = Rule {
    name: "many-locks-in-transaction",
    category: Category::Blocking,
    severity: Severity::Warning,
    summary: "A transaction takes ACCESS EXCLUSIVE on several tables, one after the other",
    explanation: "The application locks the same tables in its own order. A transaction that holds one strong lock while it waits for the next can \
        deadlock with it, and the longer the list, the longer every table on it is out of use. Two tables are an info; from three on \
        it is a warning (option max). One transaction a table avoids it.",
    fires: Example {
        given: "CREATE TABLE a (id bigint); CREATE TABLE b (id bigint); CREATE TABLE c (id bigint);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE a ADD COLUMN x int;\nALTER TABLE b ADD COLUMN x int;\n\
            ALTER TABLE c ADD COLUMN x int;\nCOMMIT;",
    },
    quiet: Example {
        given: "CREATE TABLE a (id bigint); CREATE TABLE b (id bigint); CREATE TABLE c (id bigint);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE a ADD COLUMN x int;\nALTER TABLE b ADD COLUMN x int;\n\
            ALTER TABLE c ADD COLUMN x int;",
    },
};

pub(super) fn check(context: &RunContext, findings: &mut Vec<Finding>) {
    // A statement that commits alone is a transaction of its own.
    let mut transactions: BTreeMap<(Option<TransactionId>, usize), Vec<&Lock>> = BTreeMap::new();
    for step in context.steps() {
        let id = match step.step.transaction {
            Some((id, _)) => (Some(id), 0),
            None => (None, step.index),
        };
        let held = |lock: &&Lock| step.step.held.get(&*lock.name).is_some_and(|held| held.mode >= lock.mode);
        let mut asked = step.shared_locks().filter(|lock| lock.mode == LockMode::AccessExclusive && !held(lock));
        // What one statement locks together (a foreign key's two tables) it cannot lock apart: its own target counts. A DROP takes the
        // tables one after the other, with those that their foreign keys refer to.
        let together = !matches!(step.change(), Some(Change::Drop(_)));
        let targets = if together { asked.next().into_iter().collect::<Vec<_>>() } else { asked.collect() };
        transactions.entry(id).or_default().extend(targets);
    }
    for locks in transactions.values() {
        let mut tables: Vec<&str> = Vec::new();
        let mut firsts: Vec<&Lock> = Vec::new();
        for lock in locks {
            if !tables.contains(&&*lock.name) {
                tables.push(&lock.name);
                firsts.push(lock);
            }
        }
        let [first, second, ..] = firsts.as_slice() else { continue };
        let message = format!(
            "holds ACCESS EXCLUSIVE on {} while it asks for {}: it can deadlock with the application",
            first.name,
            if tables.len() == 2 { second.name.to_string() } else { format!("{} tables more", tables.len() - 1) },
        );
        let mut finding = RULE.finding(second.span, message);
        if tables.len() <= context.options.most_locked_tables {
            finding.severity = Severity::Info;
        }
        finding.object = Some(first.name.clone());
        finding.cause = Some(Cause::Lock { relation: first.name.clone(), lock: first.mode });
        finding.related = firsts
            .iter()
            .filter(|lock| lock.span != second.span)
            .map(|lock| (lock.span, lock.name.to_string()))
            .collect();
        finding.evidence.push(Evidence::declared(format!("one transaction locks {}", names(tables.iter().copied()))));
        finding.advice = Advice::text("Use one transaction, so usually one migration, for each table.");
        findings.push(finding);
    }
}
