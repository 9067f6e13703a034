//! COMMIT and ROLLBACK in a file that the tool runs in its own transaction.

use crate::change::{Change, TransactionControl};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::history::{MigrationRun, Step, TransactionKind};
use crate::migration::Framework;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "ended-transaction",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A file ends the transaction that the migration tool opened around it",
    explanation: "BEGIN in such a file only draws a warning from the server, and COMMIT then ends the tool's transaction. Diesel and dbmate look at the transaction after the file and fail (an error): what ran stays, the migration is not recorded, and the next run starts it again. The other tools go on: what stands \
        behind the COMMIT is not taken back together with what stands before it (a warning), or only the tool's own record is no longer in the same transaction (an info). \
        Leave BEGIN and COMMIT to the tool, or tell it to run the file without a transaction.",
    fires: Example {
        given: "",
        migration: "-- migrate:up, in a file that dbmate runs in a transaction\nBEGIN;\nCREATE TABLE orders (id bigint PRIMARY KEY);\nCOMMIT;",
    },
    quiet: Example {
        given: "",
        migration: "-- migrate:up transaction:false\nBEGIN;\nCREATE TABLE orders (id bigint PRIMARY KEY);\nCOMMIT;",
    },
};

/// What the rule says of one migration: the first place where it ends the tool's transaction.
pub fn check(run: &MigrationRun) -> Option<Finding> {
    let (at, word) = run.steps.iter().enumerate().find_map(|(at, step)| Some((at, ends(step)?)))?;
    if run.steps[at].block.is_some() {
        return Some(inside_block(&run.steps[at], word));
    }
    let tool = run.migration.framework;
    let goes_on = run.steps[at + 1..].iter().any(|step| !matches!(step.change(), Some(Change::Transaction(_))));
    let (severity, then) = match tool {
        Framework::Diesel | Framework::Dbmate => {
            (Severity::Error, format!("{tool} fails after the file and does not record it, though what ran stays"))
        }
        Framework::Yoyo => {
            (Severity::Error, "its next savepoint fails, and what ran stays without a record of it".to_owned())
        }
        _ if goes_on => (Severity::Warning, "what follows is not taken back with what came before".to_owned()),
        _ => (Severity::Info, "what it did commits without the tool's record of it".to_owned()),
    };
    let mut finding =
        RULE.finding(run.steps[at].span(), format!("{word} ends the transaction of {}: {then}", name(tool)));
    finding.severity = severity;
    finding.evidence.push(Evidence::declared("the migration tool runs this file in a transaction"));
    finding.advice =
        Advice::text("Leave BEGIN and COMMIT to the tool, or have it run this file without a transaction.");
    Some(finding)
}

/// A DO block or a procedure may end transactions only where none is open around it (`_SPI_commit`, spi.c).
fn inside_block(step: &Step, word: &str) -> Finding {
    let message =
        format!("fails: invalid transaction termination: {word} in a block that a transaction is open around");
    let mut finding = RULE.finding(step.span(), message);
    finding.evidence.push(Evidence::declared("the block runs inside a transaction that was opened before it"));
    finding.advice =
        Advice::text("Run the block outside of a transaction, or leave the transaction to whoever opened it.");
    finding
}

fn ends(step: &Step) -> Option<&'static str> {
    let (_, kind) = step.transaction?;
    let opened = match kind {
        TransactionKind::Framework => true,
        TransactionKind::Explicit => step.block.is_some(),
        TransactionKind::Implicit => false,
    };
    match step.change()? {
        Change::Transaction(TransactionControl::Commit { .. }) if opened => Some("COMMIT"),
        Change::Transaction(TransactionControl::Rollback { .. }) if opened => Some("ROLLBACK"),
        _ => None,
    }
}

fn name(tool: Framework) -> String {
    match tool {
        Framework::Plain => "the tool".to_owned(),
        tool => tool.to_string(),
    }
}
