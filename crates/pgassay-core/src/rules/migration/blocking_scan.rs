//! A table is read in full while others wait.

use crate::change::{AlterTableActionKind, Change, PartitionBound, PrintedName};
use crate::effect::WorkKind;
use crate::finding::{Category, Evidence, Finding, Severity};
use crate::rules::context::{StepContext, who_waits};
use crate::rules::measured::{self, Weight};
use crate::rules::{Example, Rule};

use super::{advice, validate_in_same_transaction};

pub static RULE: Rule = Rule {
    name: "blocking-scan",
    category: Category::Blocking,
    severity: Severity::Error,
    summary: "A statement reads a whole table that others use, under a lock that makes them wait",
    explanation: "To prove that old rows obey a new rule PostgreSQL reads all of them, and holds the statement's lock until then. \
        Most rules can be added NOT VALID, which checks new rows at once and reads nothing, and validated by a later statement \
        under a lock that lets reads and writes go on.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, seen_at timestamptz);",
        migration: "ALTER TABLE accounts ALTER COLUMN seen_at SET NOT NULL;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, seen_at timestamptz CHECK (seen_at IS NOT NULL));",
        migration: "SET lock_timeout = '2s';\nALTER TABLE accounts ALTER COLUMN seen_at SET NOT NULL;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let builds: Vec<_> = context.blocking_work(WorkKind::IndexBuild).map(|work| work.relation).collect();
    // The scan of an index build is told with the build, and that of a late VALIDATE with its NOT VALID.
    let told_elsewhere = refreshes_beside_readers(context) || validate_in_same_transaction::applies(context);
    for mut works in context.blocking_work_by_cause(WorkKind::Scan) {
        works.retain(|work| !builds.contains(&work.relation));
        let Some((work, others)) = works.split_first().filter(|_| !told_elsewhere) else { continue };
        let weight = Weight::of(context, &works);
        let (size, duration) = (weight.size(), weight.duration());
        let message = format!(
            "reads all of {}{size} under {}: {} until it is done{duration}",
            work.name,
            work.under,
            who_waits(work.under)
        );
        let mut finding = RULE.finding(work.span, message);
        finding.object = Some(work.name.clone());
        finding.cause = Some(measured::cause(work));
        finding
            .evidence
            .push(context.evidence_for(work.relation, format!("the table is scanned because {}", work.reason)));
        others.iter().for_each(|other| also(&mut finding, other));
        weight.put_on(&mut finding, &RULE, context);
        finding.advice = advice::instead_of(context, work);
        findings.push(finding);
    }
    unseen_default_partition(context, findings);
}

/// ATTACH PARTITION reads the default partition, whose rows may belong into the new one; whether there is one is not known here.
fn unseen_default_partition(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(Change::AlterTable(alter)) = context.change() else { return };
    let table = context.step.schema.find_relation(&alter.relation, &context.step.session);
    if context.step.schema.complete || table.is_some_and(|table| table.known) {
        return;
    }
    for action in &alter.actions {
        let AlterTableActionKind::AttachPartition { bound, .. } = &action.kind else { continue };
        if *bound != PartitionBound::Default {
            let parent = context.step.schema.qualify(&alter.relation, &context.step.session);
            let message = format!("reads the default partition of {parent} under ACCESS EXCLUSIVE, if there is one");
            let mut finding = RULE.finding(action.span, message);
            finding.severity = Severity::Info;
            finding.object = Some(PrintedName::from(&parent));
            finding.evidence.push(Evidence::assumed("what made the table is not among the migrations"));
            findings.push(finding);
        }
    }
}

/// REFRESH … CONCURRENTLY keeps out other refreshes: nobody else writes to a materialized view.
fn refreshes_beside_readers(context: &StepContext) -> bool {
    matches!(context.change(), Some(Change::RefreshMaterializedView(refresh)) if refresh.concurrently)
}

/// One cause, one finding: a second table that the same words have read is told in the first one's evidence.
pub(super) fn also(finding: &mut Finding, work: &crate::effect::Work) {
    let verb = if work.kind == WorkKind::Rewrite { "rewritten" } else { "read" };
    finding.evidence.push(Evidence {
        kind: finding.evidence.first().map_or(crate::finding::EvidenceKind::Assumed, |evidence| evidence.kind),
        text: format!("{} is {} as well, under {}: {}", work.name, verb, work.under, work.reason),
    });
}
