//! A table gets new storage while others wait.

use crate::catalog;
use crate::change::{AlterTableActionKind, Change, PrintedName};
use crate::effect::WorkKind;
use crate::finding::{Category, Evidence, Finding, Severity};
use crate::rules::context::{StepContext, who_waits};
use crate::rules::measured::{self, Weight};
use crate::rules::{Example, Rule};
use crate::schema::ResolvedType;

use super::{advice, blocking_scan};

pub static RULE: Rule = Rule {
    name: "blocking-rewrite",
    category: Category::Blocking,
    severity: Severity::Error,
    summary: "A statement rewrites a table that others use, under a lock that makes them wait",
    explanation: "PostgreSQL writes every row into new storage and builds all indexes again, holding ACCESS EXCLUSIVE on the table \
        until the transaction ends: not even SELECT runs meanwhile. How long depends on the size; a rewrite also needs free disk \
        space of the table's size and sends it all to the replicas. Do it in steps that each hold the lock for an instant.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int NOT NULL);",
        migration: "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int NOT NULL);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN placed_at timestamptz NOT NULL DEFAULT now();",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    // Partitions and children are rewritten for the same words.
    for works in context.blocking_work_by_cause(WorkKind::Rewrite) {
        let [work, others @ ..] = works.as_slice() else { continue };
        if truncates(context) {
            continue;
        }
        let weight = Weight::of(context, &works);
        let (size, duration) = (weight.size(), weight.duration());
        let message = format!(
            "rewrites {}{size} under {}: {} until it is done{duration}",
            work.name,
            work.under,
            who_waits(work.under)
        );
        let mut finding = RULE.finding(work.span, message);
        finding.object = Some(work.name.clone());
        finding.cause = Some(measured::cause(work));
        finding
            .evidence
            .push(context.evidence_for(work.relation, format!("the table is rewritten because {}", work.reason)));
        others.iter().for_each(|other| blocking_scan::also(&mut finding, other));
        weight.put_on(&mut finding, &RULE, context);
        finding.advice = advice::instead_of(context, work);
        findings.push(finding);
    }
    unseen_domain(context, findings);
}

/// A column of a type that nothing in the history made: a domain with a constraint has every row written anew
/// (`ATExecAddColumn`, tablecmds.c), an enum or composite type has not.
fn unseen_domain(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(Change::AlterTable(alter)) = context.change().filter(|_| !context.step.schema.complete) else { return };
    let table = context.run.after.find_relation(&alter.relation, &context.step.session);
    let Some(table) = table.filter(|table| context.step.is_shared(Some(table.id))) else { return };
    for action in &alter.actions {
        let AlterTableActionKind::AddColumn { column, .. } = &action.kind else { continue };
        let (Some(made), Some(written)) = (table.column(&column.name.name), &column.data_type) else { continue };
        let is_domain = made.data_type.resolved == ResolvedType::Unknown && written.array_dimensions == 0;
        if !is_domain || catalog::is_extension_type(written.name.as_str()) {
            continue;
        }
        let written = context.text(written.span);
        let message =
            format!("rewrites {} under ACCESS EXCLUSIVE if {written} is a domain with a constraint", table.name);
        let mut finding = RULE.finding(action.span, message);
        finding.severity = Severity::Info;
        finding.object = Some(PrintedName::from(&table.name));
        finding.evidence.push(Evidence::assumed(format!("what made {written} is not among the migrations")));
        findings.push(finding);
    }
}

/// TRUNCATE gives new storage too, but an empty one: instant.
fn truncates(context: &StepContext) -> bool {
    matches!(context.change(), Some(Change::Truncate(_)))
}
