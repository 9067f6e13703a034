//! An index is built while writers wait.

use crate::change::{Change, PrintedName};
use crate::effect::WorkKind;
use crate::finding::{Category, Finding, Severity};
use crate::rules::context::{StepContext, who_waits};
use crate::rules::measured::{self, Weight};
use crate::rules::{Example, Rule};

use super::advice;

pub static RULE: Rule = Rule {
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
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    // Every index of one cause on one table is one finding: a partitioned table has an index for every partition.
    for works in context.blocking_work_by_cause(WorkKind::IndexBuild) {
        let Some(first) = works.first() else { continue };
        let table = context
            .relation(first.relation)
            .map_or_else(|| table_name(context), |table| PrintedName::from(&table.name));
        let more = if works.len() > 1 { format!(" and {} more", works.len() - 1) } else { String::new() };
        let weight = Weight::of(context, &works);
        let (size, duration) = (weight.size(), weight.duration());
        let message = format!(
            "builds {}{more} under {} on {table}{size}: {} until it is done{duration}",
            first.name,
            first.under,
            who_waits(first.under)
        );
        let mut finding = RULE.finding(first.span, message);
        finding.object = Some(table);
        finding.cause = Some(measured::cause(first));
        finding
            .evidence
            .push(context.evidence_for(first.relation, format!("the index is built because {}", first.reason)));
        weight.put_on(&mut finding, &RULE, context);
        finding.advice = advice::instead_of(context, first);
        findings.push(finding);
    }
}

fn table_name(context: &StepContext) -> PrintedName {
    match context.change() {
        Some(Change::CreateIndex(create)) => {
            PrintedName::from(context.step.schema.qualify(&create.table, &context.step.session))
        }
        Some(Change::AlterTable(alter)) => {
            PrintedName::from(context.step.schema.qualify(&alter.relation, &context.step.session))
        }
        _ => PrintedName::other("the table"),
    }
}
