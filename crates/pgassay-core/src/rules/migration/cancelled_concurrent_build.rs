//! A timeout that cancels a concurrent build.

use crate::change::Change;
use crate::finding::{Advice, Category, Evidence, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "cancelled-concurrent-build",
    category: Category::Failing,
    severity: Severity::Warning,
    summary: "A concurrent index build runs under a short lock_timeout or statement_timeout, which leaves it invalid",
    explanation: "CREATE INDEX CONCURRENTLY waits for every older transaction that could see the table, twice, and lock_timeout counts those waits: one long transaction \
        cancels the build and leaves an invalid index. statement_timeout counts the whole build. Both have to be off, or long, for \
        this one statement; the waits block nobody.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "SET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);",
    },
};

/// Anything from an hour on counts as long.
const LONG_MILLISECONDS: u64 = 3_600_000;

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let builds = match context.change() {
        Some(Change::CreateIndex(create)) => create.concurrently,
        Some(Change::Reindex(reindex)) => reindex.concurrently,
        _ => false,
    };
    let session = &context.step.session;
    let short = |limit: Option<u64>| limit.filter(|limit| (1..LONG_MILLISECONDS).contains(limit));
    let setting = match (short(session.lock_timeout), short(session.statement_timeout)) {
        (Some(limit), _) => Some(("lock_timeout", limit)),
        (None, Some(limit)) => Some(("statement_timeout", limit)),
        (None, None) => None,
    };
    let Some((parameter, limit)) = setting.filter(|_| builds) else { return };
    let message = format!("{parameter} of {limit} ms can cancel this build, which leaves an invalid index behind");
    let mut finding = RULE.finding(context.step.span(), message);
    finding.evidence.push(Evidence::declared(format!(
        "an earlier statement sets {parameter} to {limit} ms, and nothing resets it"
    )));
    finding.advice = Advice::steps(
        "Switch the limit off for this statement, and look for invalid indexes afterwards.",
        vec![
            FixStep::any(format!("SET {parameter} = 0;")),
            FixStep::any("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;"),
        ],
    );
    findings.push(finding);
}
