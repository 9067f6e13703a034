//! The `fixes` of a result (section 3.55): the advice as a change of the file, where it is one.
//!
//! Most advice is several steps in deployments of their own, and no change of one file: those stand in the message and in
//! `properties.steps` only. A fix is offered where what it writes does what the message says in the same file: a timeout in front of a
//! statement, and steps that take the place of a statement that commits by itself.

use super::log::{ArtifactChange, Fix, InsertedContent, PhysicalLocation, Replacement};
use super::text;
use crate::effect::InTransactionBlock;
use crate::finding::{Finding, FixStep, Rule, StepTransaction};
use crate::report::StatementRecord;
use crate::rules::migration::{BLOCKING_INDEX_BUILD, BLOCKING_SCAN, MISSING_LOCK_TIMEOUT};
use crate::source::{Sources, Span};

/// Rules whose advice comes before the statement.
const IN_FRONT: [&Rule; 1] = [&MISSING_LOCK_TIMEOUT];

/// Rules whose steps, run one after the other, do all that the statement does.
const IN_PLACE: [&Rule; 2] = [&BLOCKING_INDEX_BUILD, &BLOCKING_SCAN];

/// What to change, if the advice is a change of the file. `place` says where a span is.
pub(super) fn fix(
    finding: &Finding,
    record: &StatementRecord,
    sources: &Sources,
    place: impl Fn(Span) -> PhysicalLocation,
) -> Option<Fix> {
    let (deleted, inserted) = edit(finding, record, sources)?;
    let PhysicalLocation { artifact_location, region } = place(deleted);
    let replacements = [Replacement { deleted_region: region, inserted_content: InsertedContent { text: inserted } }];
    Some(Fix {
        description: text(finding.advice.text.clone()),
        artifact_changes: [ArtifactChange { artifact_location, replacements }],
    })
}

/// What takes the place of a part of the file, if the advice is a change of it. `record` is the statement that the finding is in.
pub fn edit(finding: &Finding, record: &StatementRecord, sources: &Sources) -> Option<(Span, String)> {
    let steps = &finding.advice.steps;
    if steps.is_empty() || record.conditional || !is_written_so(record.span, sources) {
        return None;
    }
    let is_allowed = record.effect.in_transaction_block == InTransactionBlock::Allowed;
    if finding.rule.is_one_of(&IN_FRONT) && is_allowed {
        Some((Span { end: record.span.start, ..record.span }, format!("{}\n", joined(steps))))
    } else if finding.rule.is_one_of(&IN_PLACE) && fits(record, steps) {
        Some((record.span, joined(steps).trim_end_matches(';').to_owned()))
    } else {
        None
    }
}

/// Whether the steps may stand where the statement stands: it does one thing, and its transaction is as each of them needs it.
fn fits(record: &StatementRecord, steps: &[FixStep]) -> bool {
    let alone = record.transaction.is_none() && (record.commits_alone || steps.len() == 1);
    let any = steps.iter().all(|step| step.transaction == StepTransaction::Any);
    record.changes.len() == 1 && (alone || any)
}

/// Whether the file has the text itself, and not a placeholder for a part of it.
fn is_written_so(span: Span, sources: &Sources) -> bool {
    let file = sources.file(span.file);
    file.original().get(file.original_range(span)) == Some(sources.slice(span))
}

fn joined(steps: &[FixStep]) -> String {
    steps.iter().map(|step| step.sql.as_str()).collect::<Vec<_>>().join("\n")
}
