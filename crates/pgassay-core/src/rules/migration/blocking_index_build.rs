//! An index is built while writers wait.

use crate::change::Change;
use crate::effect::WorkKind;
use crate::finding::{Category, Finding, Severity};
use crate::rules::context::{StepContext, who_waits};
use crate::rules::{Check, Example, Rule};

use super::advice;

pub const RULE: Rule = Rule {
    name: "blocking-index-build",
    category: Category::Blocking,
    severity: Severity::Error,
    summary: "A statement builds an index on a table that others write to, and makes them wait",
    explanation: "CREATE INDEX reads the whole table and sorts it under SHARE, so every INSERT, UPDATE and DELETE waits until it \
        is done; a UNIQUE or PRIMARY KEY constraint builds its index under ACCESS EXCLUSIVE, so reads wait too. CONCURRENTLY \
        builds under SHARE UPDATE EXCLUSIVE, which lets both go on; it runs outside a transaction block, and a constraint can take \
        over the finished index in an instant.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL);",
        migration: "CREATE INDEX orders_customer_id_idx ON orders (customer_id);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL);",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);",
    },
    check: Check::Step(check),
};

fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    // Every index of one cause on one table is one finding: a partitioned table has an index for every partition.
    let builds: Vec<_> = context.blocking_work(WorkKind::IndexBuild).collect();
    let mut spans: Vec<_> = builds.iter().map(|work| work.span).collect();
    spans.dedup();
    for span in spans {
        let here: Vec<_> = builds.iter().filter(|work| work.span == span).collect();
        let Some(first) = here.first() else { continue };
        let table =
            context.relation(first.relation).map_or_else(|| table_name(context), |table| table.name.to_string());
        let more = if here.len() > 1 { format!(" and {} more", here.len() - 1) } else { String::new() };
        let message = format!(
            "builds {}{more} under {} on {table}: {} until it is done",
            first.name,
            first.under,
            who_waits(first.under)
        );
        let mut finding = RULE.finding(span, message);
        finding.object = Some(table);
        finding
            .evidence
            .push(context.evidence_for(first.relation, format!("the index is built because {}", first.reason)));
        finding.advice = advice::instead_of(context, first);
        findings.push(finding);
    }
}

fn table_name(context: &StepContext) -> String {
    match context.change() {
        Some(Change::CreateIndex(create)) => {
            context.step.schema.qualify(&create.table, &context.step.session).to_string()
        }
        Some(Change::AlterTable(alter)) => {
            context.step.schema.qualify(&alter.relation, &context.step.session).to_string()
        }
        _ => "the table".to_owned(),
    }
}
