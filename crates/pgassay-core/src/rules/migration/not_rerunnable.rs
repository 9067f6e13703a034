//! A file that cannot be run again after it failed half-way.

use crate::catalog::LockMode;
use crate::change::Change;
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::{RunContext, StepContext};
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "not-rerunnable",
    category: Category::Hygiene,
    severity: Severity::Info,
    summary: "A migration that commits statement by statement cannot be run again after a failure half-way",
    explanation: "Without a transaction around it, what ran before the failing statement stays, and a second run stops at the first statement that finds its object \
        already there. Put the statements into one transaction, or those that need none into migrations of their own.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, a int);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN b int;\nALTER TABLE orders ADD COLUMN c int;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, a int);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN b int;\nALTER TABLE orders ADD COLUMN c int;\nCOMMIT;",
    },
};

pub(super) fn check(context: &RunContext, findings: &mut Vec<Finding>) {
    let changing: Vec<StepContext> =
        context.steps().filter(|step| step.step.block.is_none() && changes_schema(step)).collect();
    let alone: Vec<&StepContext> =
        changing.iter().filter(|step| step.step.transaction.is_none() && !repeatable(step)).collect();
    let Some(first) = alone.first().filter(|_| changing.len() > 1) else { return };
    // A statement on what others use can be cancelled or meet rows that it fails on; others fail at the first try or never.
    let mut behind = changing.iter().skip_while(|step| step.index <= first.index);
    if !behind.any(|step| step.shared_locks().any(|lock| lock.mode > LockMode::AccessShare)) {
        return;
    }
    let message = match alone.len() {
        1 => "can't be re-run after a partial failure: this statement commits on its own and fails if it already ran"
            .to_owned(),
        many => format!(
            "can't be re-run after a partial failure: {many} statements commit on their own and fail if they already ran"
        ),
    };
    let mut finding = RULE.finding(first.step.span(), message);
    finding.evidence.push(Evidence::declared("the statements of this file do not share a transaction"));
    finding.advice = Advice::text(
        "Put BEGIN and COMMIT around the statements, or use IF EXISTS and IF NOT EXISTS where PostgreSQL has them.",
    );
    findings.push(finding);
}

fn changes_schema(step: &StepContext) -> bool {
    !matches!(
        step.change(),
        None | Some(
            Change::Set(_)
                | Change::Reset(_)
                | Change::Transaction(_)
                | Change::Select(_)
                | Change::Nothing(_)
                | Change::Explain { .. }
        )
    )
}

/// Whether a second run of the statement does no harm. ALTER TABLE is judged as a whole: most of its actions are not.
fn repeatable(step: &StepContext) -> bool {
    match step.change() {
        Some(Change::CreateTable(create)) => create.if_not_exists,
        Some(Change::CreateTableAs(create)) => create.if_not_exists,
        Some(Change::CreateIndex(create)) => create.if_not_exists || create.concurrently,
        Some(Change::CreateView(create)) => create.or_replace,
        Some(Change::CreateMaterializedView(create)) => create.if_not_exists,
        Some(Change::CreateRoutine(create)) => create.or_replace,
        Some(Change::CreateTrigger(create)) => create.or_replace,
        Some(Change::CreateSchema(create)) => create.if_not_exists,
        Some(Change::CreateExtension(create)) => create.if_not_exists,
        Some(Change::CreateSequence(create)) => create.if_not_exists,
        Some(Change::Drop(drop)) => drop.if_exists,
        Some(Change::AlterTable(alter)) => alter.actions.iter().all(|action| repeatable_action(&action.kind)),
        Some(
            Change::CreateType(_) | Change::CreateDomain(_) | Change::CreatePolicy(_) | Change::CreateStatistics(_),
        ) => false,
        Some(Change::AlterObject(alter)) => !matches!(alter.action, crate::change::AlterObjectAction::Rename(_)),
        _ => true,
    }
}

fn repeatable_action(action: &crate::change::AlterTableActionKind) -> bool {
    use crate::change::AlterTableActionKind::*;
    match action {
        AddColumn { if_not_exists, .. } => *if_not_exists,
        DropColumn { if_exists, .. } | DropConstraint { if_exists, .. } => *if_exists,
        AddConstraint(constraint) => constraint.inline,
        RenameRelation { .. }
        | RenameColumn { .. }
        | RenameConstraint { .. }
        | AttachPartition { .. }
        | DetachPartition { .. } => false,
        _ => true,
    }
}
