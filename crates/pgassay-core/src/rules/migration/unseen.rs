//! Losses that the contracts do not hold: extensions, publications, and parts of tables that nothing in the history made.
//!
//! In: the statements of a migration. Out: findings of the rules whose loss it is, as assumed where the part was never seen.

use super::dropped_data;
use crate::change::{
    AlterTableActionKind, Change, FiringMode, ObjectKind, PrintedName, ReplicaIdentity, TriggerSelection,
};
use crate::finding::{Advice, Evidence, Finding, Severity};
use crate::rules::Rule;
use crate::rules::context::{RunContext, StepContext};
use crate::schema::{Object, Relation, Session};
use crate::source::Span;

const UNSEEN: &str = "the statement says that it is there; what made it is not among the migrations";

/// DROP EXTENSION and DROP PUBLICATION, unless the migration makes it again.
pub(super) fn dropped_objects(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    for step in context.steps().filter(|step| step.step.applied.problems.is_empty()) {
        let Some(Change::Drop(drop)) = step.change() else { continue };
        for object in &drop.objects {
            let name = &object.name.name;
            let (before, here, after) = (&context.run.before, &step.step.schema, &context.run.after);
            let (was, is_here, stays) = match drop.kind {
                ObjectKind::Extension => (
                    before.extensions.contains_key(name),
                    here.extensions.contains_key(name),
                    after.extensions.contains_key(name),
                ),
                ObjectKind::Publication => (
                    before.publications.contains_key(name),
                    here.publications.contains_key(name),
                    after.publications.contains_key(name),
                ),
                _ => continue,
            };
            // Made by this migration, made again by it, or never there.
            if (is_here && !was) || stays || (!is_here && here.complete) {
                continue;
            }
            let known = crate::catalog::extension(name.as_str()).is_some() && is_here;
            let cascade = if drop.cascade && !known {
                ", and with CASCADE so are the columns, indexes and defaults that need it"
            } else {
                ""
            };
            let message = match drop.kind {
                ObjectKind::Extension => format!(
                    "extension {name} is gone: statements that use its functions, types or operators fail{cascade}"
                ),
                _ => format!("publication {name} is gone: subscriptions to it stop with an error"),
            };
            let advice = match drop.kind {
                ObjectKind::Extension => "Deploy code that no longer uses it before this migration.",
                _ => "Drop the subscriptions first, or point them at another publication.",
            };
            push(rule, Severity::Warning, object.span, PrintedName::from(name), message, is_here, advice, findings);
        }
    }
}

/// What CASCADE takes along where nothing else is told of the statement: indexes, policies, triggers.
pub(super) fn taken_along(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    for step in context.steps().filter(|step| step.step.applied.problems.is_empty()) {
        let taken: Vec<&Object> = step.step.applied.taken.iter().filter(|object| is_lost(&step, object)).collect();
        if taken.is_empty() {
            continue;
        }
        let span = step.step.span();
        if let Some(told) = findings.iter_mut().find(|finding| span.contains(finding.span)) {
            if !told.evidence.iter().any(|it| it.text.starts_with("it takes along")) {
                dropped_data::tell_cascade(&step, told);
            }
            continue;
        }
        let mut others = Vec::new();
        dropped_data::check(&step, &mut others);
        if !others.is_empty() {
            continue;
        }
        let nowhere = Session::default().with_path(Vec::new());
        let names: Vec<String> = taken.iter().map(|it| step.step.schema.describe(it, &nowhere)).collect();
        let message = format!("CASCADE takes along: {}", names.join(", "));
        let advice = "Make again what is still wanted in the same transaction.";
        push(rule, Severity::Warning, span, PrintedName::from(names[0].as_str()), message, true, advice, findings);
    }
}

/// Whether others may use the relation that the object is, or is a part of, and it is gone when the migration ends.
fn is_lost(step: &StepContext, object: &Object) -> bool {
    let Some(id) = object.relation() else { return false };
    let after = step.run.after.relation(id);
    let gone = match object {
        Object::Relation(_) => {
            after.is_none() && step.relation(Some(id)).is_some_and(|it| step.run.after.relation_at(&it.name).is_none())
        }
        Object::Policy(_, name) => after.is_none_or(|it| it.policies.iter().all(|it| it.name != *name)),
        Object::Trigger(_, name) => after.is_none_or(|it| it.triggers.iter().all(|it| it.name != *name)),
        Object::Rule(_, name) => after.is_none_or(|it| it.rules.iter().all(|it| it.name != *name)),
        Object::Constraint(_, name) => after.is_none_or(|it| it.constraint(name).is_none()),
        // Those are told as what clients lose.
        Object::Column(..) | Object::Default(..) => false,
        Object::Type(_) | Object::Attribute(..) | Object::Routine(_) | Object::Namespace(_) => false,
        Object::Statistics(_) | Object::EventTrigger(_) => false,
    };
    let of = step.relation(Some(id)).and_then(|it| it.as_index()).map_or(id, |index| index.table);
    gone && step.step.is_shared(Some(of))
}

/// DROP CONSTRAINT where the table's constraints are not known.
pub(super) fn constraints(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    for (table, action, span) in unseen_tables(context) {
        let AlterTableActionKind::DropConstraint { constraint, .. } = action else { continue };
        let again = context.run.after.relation(table.id).map_or(table, |after| &**after);
        let known = |table: &Relation| table.constraints.iter().any(|it| it.name == constraint.name);
        if known(table) || known(again) {
            continue;
        }
        let key = match (constraint.name.as_str().ends_with("_pkey"), again.primary_key()) {
            (false, _) => String::new(),
            (true, Some(new)) => {
                format!("; {} is the primary key now: INSERT … ON CONFLICT on other columns than its own fails", new.name)
            }
            (true, None) => ". Its name is the one that PostgreSQL gives a primary key: INSERT … ON CONFLICT and logical replication need it".to_owned(),
        };
        let message =
            format!("constraint {constraint} of {} is gone: rows that it refused are accepted{key}", table.name);
        let object = PrintedName::part(&table.name, &constraint.name);
        let advice = "Look at what it guards (\\d in psql), and keep it unless nobody relies on it.";
        push(rule, Severity::Warning, span, object, message, false, advice, findings);
    }
}

/// DISABLE TRIGGER and DROP TRIGGER where the table's triggers are not known.
pub(super) fn triggers(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    let all: Vec<_> = unseen_tables(context).collect();
    for (at, (table, action, span)) in all.iter().enumerate() {
        let AlterTableActionKind::SetTrigger { trigger, mode: FiringMode::Disabled | FiringMode::Replica } = action
        else {
            continue;
        };
        let on_again = all[at + 1..].iter().any(|(other, action, _)| {
            let AlterTableActionKind::SetTrigger { trigger: on, mode: FiringMode::Enabled | FiringMode::Always } =
                action
            else {
                return false;
            };
            other.name == table.name && (on == trigger || *on == TriggerSelection::All)
        });
        let (what, more) = match trigger {
            TriggerSelection::Named(name) if table.triggers.iter().any(|known| known.name == name.name) => continue,
            TriggerSelection::Named(name) => (format!("trigger {name} of {} stays", table.name), ""),
            TriggerSelection::User => (format!("the triggers of {} stay", table.name), ""),
            TriggerSelection::All => {
                (format!("all triggers of {} stay", table.name), ", and foreign keys are not checked")
            }
        };
        if !on_again {
            let message = format!("{what} switched off: what they did at every write is not done{more}");
            let advice = "Switch them on again in the same transaction (ENABLE TRIGGER).";
            push(rule, Severity::Warning, *span, PrintedName::from(&table.name), message, false, advice, findings);
        }
    }
    for step in context.steps() {
        let Some(Change::Drop(drop)) = step.change() else { continue };
        for object in drop.objects.iter().filter(|_| drop.kind == ObjectKind::Trigger) {
            let found = object.on.as_ref().and_then(|on| step.step.schema.find_relation(on, &step.step.session));
            // A table that was never seen is not in the model at all.
            let known = match found {
                Some(table) => table.known || table.triggers.iter().any(|it| it.name == object.name.name),
                None => step.step.schema.complete,
            };
            let made = |table: &Relation| table.triggers.iter().any(|it| it.name == object.name.name);
            let again = object.on.as_ref().and_then(|on| context.run.after.find_relation(on, &step.step.session));
            let Some(on) = object.on.as_ref().filter(|_| !known && !again.is_some_and(|table| made(table))) else {
                continue;
            };
            let table = step.step.schema.qualify(on, &step.step.session);
            let name = &object.name.name;
            let message = format!("trigger {name} of {table} is gone: what it did at every write is not done any more");
            let advice = "Check that the application does what the trigger did, or that nobody needs it.";
            push(rule, Severity::Info, object.span, PrintedName::part(&table, name), message, false, advice, findings);
        }
    }
}

/// REPLICA IDENTITY NOTHING where it is not known whether the table is published.
pub(super) fn replica_identity(context: &RunContext, rule: &'static Rule, findings: &mut Vec<Finding>) {
    for (table, action, span) in unseen_tables(context) {
        if matches!(action, AlterTableActionKind::ReplicaIdentity(ReplicaIdentity::Nothing)) {
            let message =
                format!("{} has no replica identity: where it is published, UPDATE and DELETE on it fail", table.name);
            let advice = "Keep the primary key as its identity, or use REPLICA IDENTITY FULL.";
            push(rule, Severity::Warning, span, PrintedName::from(&table.name), message, false, advice, findings);
        }
    }
}

/// The actions on tables of which only what the migrations say is known.
fn unseen_tables<'r>(
    context: &RunContext<'r>,
) -> impl Iterator<Item = (&'r Relation, &'r AlterTableActionKind, Span)> + use<'r> {
    context.steps().flat_map(|step: StepContext<'r>| {
        let alter = match step.change() {
            Some(Change::AlterTable(alter)) => Some(alter),
            _ => None,
        };
        let table = alter.and_then(|alter| {
            let found = step.step.schema.find_relation(&alter.relation, &step.step.session);
            // What the statement itself proves to be there is in the schema before the migration.
            found.or_else(|| step.run.before.find_relation(&alter.relation, &step.step.session))
        });
        let table = table.filter(|table| !table.known && !step.step.schema.complete);
        table.into_iter().flat_map(move |table| {
            let actions = alter.into_iter().flat_map(|alter| &alter.actions);
            actions.map(move |action| (&**table, &action.kind, action.span))
        })
    })
}

#[expect(clippy::too_many_arguments, reason = "the parts of a finding")]
fn push(
    rule: &'static Rule,
    severity: Severity,
    span: Span,
    object: PrintedName,
    message: String,
    seen: bool,
    advice: &'static str,
    findings: &mut Vec<Finding>,
) {
    let mut finding = rule.finding(span, message);
    finding.severity = severity;
    finding.object = Some(object);
    finding.evidence.push(match seen {
        true => Evidence::declared("the schema before the migration, compared with the schema after it"),
        false => Evidence::assumed(UNSEEN),
    });
    finding.advice = Advice::text(advice);
    findings.push(finding);
}
