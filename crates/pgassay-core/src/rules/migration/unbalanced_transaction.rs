//! BEGIN and COMMIT that do not go together.

use crate::change::{Change, TransactionControl};
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::history::{Step, TransactionKind};
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};
use crate::source::Span;

pub static RULE: Rule = Rule {
    name: "unbalanced-transaction",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "BEGIN is never ended, or COMMIT has nothing to end",
    explanation: "A transaction that is open when the session ends is rolled back: the migration seems to run, and nothing of it stays. The server only warns of a COMMIT outside of a \
        transaction and of a BEGIN inside of one, so statements that were meant to stand or fall together do not. These weigh a warning. \
        COMMIT of a transaction that the migration tool opened is told by ended-transaction.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note text;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note text;\nCOMMIT;",
    },
};

pub(super) fn check(context: &RunContext, findings: &mut Vec<Finding>) {
    let steps: Vec<&Step> = context.run.steps.iter().filter(|step| step.block.is_none()).collect();
    findings.extend(never_ended(&steps));
    for (at, step) in steps.iter().enumerate() {
        match (control(step), step.transaction) {
            (Some(TransactionControl::Begin), Some((_, TransactionKind::Explicit))) => findings.push(warning(
                step.span(),
                "begins nothing: a transaction is open already, and the first COMMIT ends it",
                "the server answers with a warning: there is already a transaction in progress",
                "End the one before, or use SAVEPOINT for a part that may be undone on its own.",
            )),
            (Some(TransactionControl::Commit { .. } | TransactionControl::Rollback { .. }), None) if at > 0 => {
                findings.push(warning(
                    step.span(),
                    "ends nothing: no transaction is open, and every statement before it has committed on its own",
                    "the server answers with a warning: there is no transaction in progress",
                    "Put BEGIN before the statements that belong together, or leave it out.",
                ));
            }
            _ => {}
        }
    }
}

fn control<'s>(step: &'s Step) -> Option<&'s TransactionControl> {
    match step.change() {
        Some(Change::Transaction(control)) => Some(control),
        _ => None,
    }
}

fn ends(control: &TransactionControl) -> bool {
    use TransactionControl::*;
    matches!(control, Commit { chain: false } | Rollback { chain: false } | PrepareTransaction)
}

/// The last BEGIN, where its transaction is still open behind the last statement.
fn never_ended(steps: &[&Step]) -> Option<Finding> {
    let begin = steps.iter().rposition(|step| {
        let opens = matches!(control(step), Some(TransactionControl::Begin));
        opens && !step.transaction.is_some_and(|(_, kind)| kind != TransactionKind::Implicit)
    })?;
    if steps[begin..].iter().any(|step| control(step).is_some_and(ends)) {
        return None;
    }
    let mut finding = RULE.finding(
        steps[begin].span(),
        "opens a transaction that nothing ends: when the session ends, all since is rolled back",
    );
    finding.evidence.push(Evidence::declared("no COMMIT follows it in the file"));
    finding.advice = Advice::text("Put COMMIT after the last statement that belongs to it.");
    Some(finding)
}

fn warning(span: Span, message: &str, evidence: &str, advice: &str) -> Finding {
    let mut finding = RULE.finding(span, message);
    finding.severity = Severity::Warning;
    finding.evidence.push(Evidence::declared(evidence));
    finding.advice = Advice::text(advice);
    finding
}
