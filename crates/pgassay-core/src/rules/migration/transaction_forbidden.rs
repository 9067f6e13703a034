//! Statements that fail inside a transaction block.

use crate::change::Change;
use crate::effect::InTransactionBlock;
use crate::finding::{Advice, Category, Cause, Evidence, FailureWhen, Finding, Severity};
use crate::history::TransactionKind;
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "transaction-forbidden",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A statement that cannot run in a transaction block is in one",
    explanation: "CREATE INDEX CONCURRENTLY and its kin, VACUUM, CREATE DATABASE and some others commit on their own, so the server refuses them inside a \
        transaction: one that the file opens, one that the migration tool wraps around the file, or the implicit one around several \
        statements sent as one string.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "BEGIN;\nCREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);\nCOMMIT;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    if context.step.prediction.effect.in_transaction_block == InTransactionBlock::Allowed || context.step.conditional {
        return;
    }
    let kind = match context.step.transaction {
        Some((_, kind)) => kind,
        None if context.step.block.is_some() => TransactionKind::Implicit,
        None => return,
    };
    let what = what(context);
    let mut finding = RULE.finding(context.step.span(), format!("fails: {what} cannot run inside a transaction block"));
    finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
    finding.evidence.push(Evidence::declared(match kind {
        TransactionKind::Explicit => "BEGIN in this file opened a transaction that is still open here",
        TransactionKind::Framework => "the migration tool runs this file in a transaction",
        TransactionKind::Implicit => {
            "the server runs several statements of one string, and a DO block, in one transaction"
        }
    }));
    let words = context.run.migration.outside_transaction();
    finding.advice = Advice::text(match (kind, words) {
        (TransactionKind::Explicit, _) => {
            "Move it before BEGIN or after COMMIT, or into a migration of its own.".to_owned()
        }
        (TransactionKind::Framework, Some(words)) => {
            format!("Put it into a migration of its own that the tool runs without a transaction: {words}.")
        }
        (TransactionKind::Framework, None) => {
            "Put it into a migration of its own that the tool runs without a transaction.".to_owned()
        }
        (TransactionKind::Implicit, _) => {
            "Put it into a migration of its own, with no other statement in the file.".to_owned()
        }
    });
    findings.push(finding);
}

fn what(context: &StepContext) -> &'static str {
    match context.change() {
        Some(Change::CreateIndex(_)) => "CREATE INDEX CONCURRENTLY",
        Some(Change::Drop(drop)) if drop.concurrently => "DROP INDEX CONCURRENTLY",
        Some(Change::Reindex(reindex)) if reindex.concurrently => "REINDEX CONCURRENTLY",
        Some(Change::Reindex(_)) => "this REINDEX",
        Some(Change::Vacuum(_)) => "VACUUM",
        Some(Change::Cluster(_)) => "CLUSTER",
        Some(Change::AlterTable(_)) => "ALTER TABLE ... DETACH CONCURRENTLY",
        Some(Change::CreateDatabase(_)) => "CREATE DATABASE",
        _ => "this statement",
    }
}
