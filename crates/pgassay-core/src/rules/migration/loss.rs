//! How a loss that the contracts' difference holds becomes a finding: which rule tells it, where, how heavy, and what to do.

use super::advice::instead_of_rename;
use super::breaking::*;
use super::dropped_data;
use super::guards::*;
use super::observed::BROKEN_ROUTINE;
use crate::change::{AlterTableActionKind, Change, TriggerSelection};
use crate::contract::{Breakage, BreakageKind, Grade, Subject};
use crate::finding::{Advice, Cause, Evidence, Finding, Severity};
use crate::rules::Rule;
use crate::rules::context::{RunContext, StepContext};
use crate::source::Span;

/// The rule that tells of a kind of loss.
fn rule_of(kind: BreakageKind) -> &'static Rule {
    use BreakageKind::*;
    match kind {
        RelationDropped | ColumnDropped | EnumValueRemoved | TypeDropped | SchemaDropped | RoutineDropped
        | PartitionDetached => &DROPPED_OBJECT,
        RelationRenamed | RelationMoved | ColumnRenamed | EnumValueRenamed | TypeRenamed | RoutineRenamed
        | SchemaRenamed => &RENAMED_OBJECT,
        ColumnTypeChanged | CompositeChanged => &CHANGED_TYPE,
        RequiredColumn => &REQUIRED_COLUMN,
        NotNullAdded | CheckAdded | UniqueAdded | ForeignKeyAdded | ExclusionAdded | DomainTightened
        | WritesReplaced => &TIGHTENED_CONSTRAINT,
        DefaultDropped | ColumnGenerated | IdentityAlways => &LOST_DEFAULT,
        NotNullDropped => &NULLABLE_AGAIN,
        ConflictTargetDropped => &LOST_CONFLICT_TARGET,
        ForeignKeyActionChanged => &CHANGED_FOREIGN_KEY_ACTION,
        RoutineChanged | StoredAnswersOutdated => &CHANGED_ROUTINE,
        RoutineBroken => &BROKEN_ROUTINE,
        ViewColumnsChanged | ViewRowsChanged | ViewUnpopulated | WritesRefused => &CHANGED_VIEW,
        PrivilegeRevoked => &REVOKED_PRIVILEGE,
        RowSecurityEnabled | PolicyTightened => &ROW_SECURITY,
        RowSecurityDisabled | PolicyLoosened | RoutineOpened => &EXPOSED_ROWS,
        CheckDropped | ExclusionDropped | ForeignKeyDropped | ForeignKeysSilenced => &LOST_CONSTRAINT,
        TriggerDropped | TriggerDisabled => &LOST_TRIGGER,
        Unlogged => &LOST_DURABILITY,
        ReplicaIdentityLost | Unpublished => &LOST_REPLICA_IDENTITY,
    }
}

pub(super) fn report(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    for (breakage, step) in &context.run.breakages {
        if rule_of(breakage.kind) != rule {
            continue;
        }
        let step = step.and_then(|index| context.step(index));
        // Who says that the data goes does not say whose code needs it.
        let is_data = breakage.kind != BreakageKind::RoutineBroken;
        if is_data && step.is_some_and(|step| dropped_data::tells(&step, &breakage.subject, findings)) {
            continue;
        }
        let Some(span) = step.map(|step| place(&step, &breakage.subject)).or_else(|| first_span(context)) else {
            continue;
        };
        let mut finding = finding(context, rule, breakage, span);
        if *rule == RENAMED_OBJECT
            && let Some(advice) = step.as_ref().and_then(instead_of_rename)
        {
            finding.advice = advice;
        }
        match findings.iter_mut().find(|told| told.rule == rule && told.span == span) {
            Some(told) => add(told, finding),
            None => findings.push(finding),
        }
    }
}

fn is_known(context: &RunContext, subject: &Subject) -> bool {
    let before = &context.run.before;
    match subject {
        Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => {
            before.relation(*id).is_none_or(|relation| relation.known)
        }
        Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => before.complete,
    }
}

/// One cause, one finding: what else the same words take away is told in the first one's evidence.
fn add(told: &mut Finding, other: Finding) {
    told.severity = told.severity.max(other.severity);
    told.evidence.push(Evidence::declared(format!("as well: {}", other.message)));
}

fn finding(context: &RunContext, rule: &'static Rule, breakage: &Breakage, span: Span) -> Finding {
    let mut finding = rule.finding(span, breakage.message.clone());
    if breakage.grade == Grade::Possible {
        finding.severity = lowered(finding.severity);
    }
    finding.object = Some(breakage.object.clone());
    finding.cause = Some(Cause::Breakage { breakage: breakage.kind, certain: breakage.grade == Grade::Certain });
    finding.evidence.push(match is_known(context, &breakage.subject) {
        true => Evidence::declared("the schema before the migration, compared with the schema after it"),
        false => Evidence::assumed("the statement says that it was there; what made it is not among the migrations"),
    });
    finding.witness = Some(breakage.witness.clone());
    finding.advice = Advice::text(advice(breakage.kind));
    finding
}

/// What only some clients notice weighs a step less.
fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Error => Severity::Warning,
        Severity::Warning | Severity::Info => Severity::Info,
    }
}

fn advice(kind: BreakageKind) -> &'static str {
    use BreakageKind::*;
    match kind {
        RelationRenamed | RelationMoved => {
            "Make a view of the old name in the same transaction, and drop it when no client uses it any more."
        }
        ColumnRenamed => {
            "Add a column of the new name, keep both equal with a trigger, move the clients, then drop the old one."
        }
        CompositeChanged => {
            "Deploy code first that works with both: it reads attributes by name, (column).attribute, and writes them by name, \
             INSERT INTO t (column.attribute) …"
        }
        ColumnTypeChanged => {
            "Add a column of the new type, keep both in step with a trigger, move the clients, then drop the old one."
        }
        RequiredColumn => {
            "Give it a default, or add it nullable and require it after the code that fills it is deployed."
        }
        NotNullAdded | CheckAdded | UniqueAdded | ForeignKeyAdded | ExclusionAdded | DomainTightened => {
            "Deploy code that obeys the constraint before this migration."
        }
        DefaultDropped | ColumnGenerated | IdentityAlways => {
            "Deploy code that no longer relies on it before this migration."
        }
        NotNullDropped => "Deploy readers that expect NULL before any writer stores it.",
        ConflictTargetDropped => {
            "Make the replacing unique index first, and drop this one after the code that names it is gone."
        }
        ForeignKeyActionChanged => "Deploy code that works with both before this migration.",
        RoutineChanged | RoutineRenamed => "Keep the old signature beside the new one until no client calls it.",
        RoutineBroken => {
            "Change the function in the same transaction: CREATE OR REPLACE FUNCTION with a body that does without."
        }
        WritesRefused => "Move the writers to the table before this migration.",
        PartitionDetached => "Deploy code that no longer needs these rows in the parent first.",
        EnumValueRenamed => "Add the new label, move the writers and the rows to it, and leave the old one unused.",
        ViewUnpopulated => {
            "Fill it in the same transaction (REFRESH MATERIALIZED VIEW), or build a new one beside it and swap the names."
        }
        WritesReplaced => {
            "Move the writers to what the rule writes before this migration, and drop the table's privileges after."
        }
        StoredAnswersOutdated => {
            "Make a function of another name, build the indexes anew with it (CREATE INDEX CONCURRENTLY) and move the queries, or REINDEX \
             CONCURRENTLY and validate the checks again in the same deploy."
        }
        ViewRowsChanged => {
            "Check that no reader needs the rows that come or go; a view of another name leaves them the choice."
        }
        ViewColumnsChanged => "Add columns at the end, and drop old ones after their readers.",
        PrivilegeRevoked => "Check that no running client of the role needs it.",
        RowSecurityEnabled | PolicyTightened => "Create the policies in the same transaction.",
        RowSecurityDisabled | PolicyLoosened => {
            "Make a role with BYPASSRLS for what has to see all rows, or a policy for it, and leave the others' in force."
        }
        CheckDropped | ExclusionDropped | ForeignKeyDropped => {
            "If it was in the way of one change, add it again NOT VALID after that and validate it later."
        }
        ForeignKeysSilenced => {
            "Switch them on again in the same transaction (ENABLE TRIGGER ALL); for a load, SET session_replication_role = replica in \
             that session silences nobody else. Rows that came in between are never checked: look for those without a parent."
        }
        TriggerDisabled => {
            "Switch it on again in the same transaction (ENABLE TRIGGER), or drop it if nobody needs it."
        }
        TriggerDropped => "Check that the application does what the trigger did, or that nobody needs it.",
        Unlogged => "Keep it logged. For data that may be lost, make a new unlogged table and say so in its name.",
        ReplicaIdentityLost => {
            "Give the table a primary key, or REPLICA IDENTITY USING INDEX on a unique index of NOT NULL columns, before it is published; \
             REPLICA IDENTITY FULL works without, and costs the subscriber a scan for each row."
        }
        RoutineOpened => {
            "Use CREATE OR REPLACE, which keeps the privileges, or REVOKE EXECUTE … FROM PUBLIC in the same transaction."
        }
        Unpublished => {
            "Drop the subscriptions' tables first, or leave the table in the publication until nobody needs its changes."
        }
        RelationDropped | ColumnDropped | EnumValueRemoved | TypeDropped | SchemaDropped | SchemaRenamed
        | RoutineDropped | TypeRenamed => "Deploy code that no longer uses it before this migration.",
    }
}

/// The smallest part of the statement that speaks of the subject.
fn place(step: &StepContext, subject: &Subject) -> Span {
    let whole = step.step.span();
    match (step.change(), subject) {
        (Some(Change::AlterTable(alter)), Subject::Column(id, column)) => {
            let after = step.run.after.relation(*id).and_then(|relation| relation.column_by_id(*column));
            let before = step.run.before.relation(*id).and_then(|relation| relation.column_by_id(*column));
            let named = |name: &crate::change::Ident| {
                before.is_some_and(|column| column.name == name.name)
                    || after.is_some_and(|column| column.name == name.name)
            };
            alter.actions.iter().find_map(|action| column_span(&action.kind, &named)).unwrap_or(alter.relation.span)
        }
        (Some(Change::AlterTable(alter)), Subject::Part(_, name)) => alter
            .actions
            .iter()
            .find_map(|action| match &action.kind {
                AlterTableActionKind::AddConstraint(constraint)
                    if constraint.name.as_ref().is_none_or(|written| written.name == *name) =>
                {
                    Some(constraint.span)
                }
                AlterTableActionKind::DropConstraint { constraint, .. } if constraint.name == *name => {
                    Some(constraint.span)
                }
                AlterTableActionKind::SetTrigger { trigger: TriggerSelection::Named(trigger), .. }
                    if trigger.name == *name =>
                {
                    Some(action.span)
                }
                _ => None,
            })
            .unwrap_or_else(|| alter.actions.first().map_or(whole, |action| action.span)),
        (Some(Change::AlterTable(alter)), _) => match alter.actions.as_slice() {
            [only] => only.span,
            _ => alter.relation.span,
        },
        (Some(Change::Drop(drop)), _) => match drop.objects.as_slice() {
            [only] => only.span,
            many => many
                .iter()
                .find(|object| subject_name(step, subject).is_some_and(|name| name == object.name.name))
                .map_or(whole, |object| object.span),
        },
        (Some(Change::CreateIndex(create)), _) => create.name.as_ref().map_or(create.table.span, |name| name.span),
        (Some(Change::CreateView(create)), _) => create.name.span,
        (Some(Change::CreateMaterializedView(create)), _) => create.name.span,
        (Some(Change::CreateTable(create)), _) => create.name.span,
        (Some(Change::CreateTableAs(create)), _) => create.name.span,
        (Some(Change::CreateRoutine(create)), _) => create.name.span,
        _ => whole,
    }
}

fn column_span(action: &AlterTableActionKind, named: &impl Fn(&crate::change::Ident) -> bool) -> Option<Span> {
    use AlterTableActionKind::*;
    let column = match action {
        AddColumn { column, .. } => return named(&column.name).then(|| column.not_null.unwrap_or(column.name.span)),
        SetDataType { column, data_type, .. } => return named(column).then_some(data_type.span),
        RenameColumn { column, new_name } => return (named(column) || named(new_name)).then_some(column.span),
        DropColumn { column, .. }
        | SetDefault { column, .. }
        | DropDefault { column }
        | SetNotNull { column }
        | DropNotNull { column }
        | SetExpression { column, .. }
        | DropExpression { column, .. }
        | AddIdentity { column, .. }
        | SetIdentity { column, .. }
        | DropIdentity { column, .. } => column,
        _ => return None,
    };
    named(column).then_some(column.span)
}

fn subject_name(step: &StepContext, subject: &Subject) -> Option<crate::change::Name> {
    let before = &step.run.before;
    match subject {
        Subject::Relation(id) | Subject::Column(id, _) | Subject::Part(id, _) => {
            before.relation(*id).map(|found| found.name.name.clone())
        }
        Subject::Type(id) => before.types.get(id).map(|found| found.name.name.clone()),
        Subject::Routine(id) => before.routines.get(id).map(|found| found.name.name.clone()),
        Subject::Schema(name) => Some(name.clone()),
    }
}

fn first_span(context: &RunContext) -> Option<Span> {
    context.run.steps.first().map(|step| step.span())
}
