//! A new enum label used before it is committed.

use super::literals;
use crate::change::{Change, PrintedName};
use crate::expression::Reading;
use crate::finding::{Advice, Category, Cause, Evidence, FailureWhen, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};
use crate::schema::{ObjectId, RelationId, ResolvedType, Type, TypeId};
use crate::source::Span;
use crate::sql::{string_constants, tree_span};

pub static RULE: Rule = Rule {
    name: "enum-value-before-commit",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A label added by ALTER TYPE ... ADD VALUE is used in the same transaction",
    explanation: "A new label of an enum that existed before cannot be used until the transaction that added it has committed: PostgreSQL answers \"unsafe use of \
        new value\". Add the label in a migration of its own.",
    fires: Example {
        given: "CREATE TYPE state AS ENUM ('open', 'closed');\nCREATE TABLE orders (id bigint PRIMARY KEY, state state);",
        migration: "BEGIN;\nALTER TYPE state ADD VALUE 'lost';\nUPDATE orders SET state = 'lost' WHERE id = 7;\nCOMMIT;",
    },
    quiet: Example {
        given: "CREATE TYPE state AS ENUM ('open', 'closed');\nCREATE TABLE orders (id bigint PRIMARY KEY, state state);",
        migration: "ALTER TYPE state ADD VALUE 'lost';\nUPDATE orders SET state = 'lost' WHERE id = 7;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    if context.step.uncommitted_labels.is_empty() || matches!(context.change(), Some(Change::AlterEnum(_)) | None) {
        return;
    }
    let span = context.step.span();
    let literals = string_constants(span, context.text(span));
    let readings = literals::readings(context.step, context.run.version);
    for (id, label) in &context.step.uncommitted_labels {
        let Some(found) = context.step.schema.types.get(id) else { continue };
        let Some(place) = read_as(&readings, span, *id, label).or_else(|| {
            let unread = |place: Span| !readings.iter().any(|it| tree_span(span.file, it.span) == Some(place));
            let named = literals.iter().find(|(text, place)| **text == **label && unread(*place));
            named.map(|(_, place)| *place).filter(|_| concerns(context, found))
        }) else {
            continue;
        };
        let safe = context.run.version.at_least(17) && made_here(context, *id);
        if safe {
            continue;
        }
        let message = format!("fails: uses '{label}' of {} before it is committed", found.name);
        let mut finding = RULE.finding(place, message);
        finding.cause = Some(Cause::Failure { when: FailureWhen::Always });
        finding.object = Some(PrintedName::from(&found.name));
        finding.evidence.push(Evidence::declared("the label was added earlier in the same transaction"));
        finding.advice = Advice::text("Put ALTER TYPE ... ADD VALUE into a migration of its own, before this one.");
        findings.push(finding);
    }
}

/// Where a literal is read as a value of the type that has the label, or as an array with such a value.
fn read_as(readings: &[Reading], statement: Span, id: TypeId, label: &str) -> Option<Span> {
    let has = |reading: &&Reading| {
        let items = || reading.text.trim().trim_start_matches('{').trim_end_matches('}').split(',');
        reading.of.resolved == ResolvedType::User(id)
            && match reading.of.written.array_dimensions {
                0 => reading.text == label,
                _ => items().any(|item| item.trim().trim_matches('"') == label),
            }
    };
    let found = readings.iter().find(has)?;
    Some(tree_span(statement.file, found.span).filter(|place| statement.contains(*place)).unwrap_or(statement))
}

/// Labels of a type made in this transaction can be used at once from 17 on (`EnumTypeUncommitted`, pg_enum.c).
fn made_here(context: &StepContext, id: TypeId) -> bool {
    let transaction = context.step.transaction;
    let earlier = context.run.steps[..context.index].iter().filter(|step| step.transaction == transaction);
    earlier.flat_map(|step| &step.applied.created).any(|created| *created == ObjectId::Type(id))
}

/// What is assumed of a literal whose type is not known: whether the statement touches a relation with a column of the type, or names the type.
fn concerns(context: &StepContext, found: &Type) -> bool {
    let has_column = |id: Option<RelationId>| {
        context.relation(id).is_some_and(|relation| {
            relation.columns.iter().any(|column| {
                column.data_type.resolved == ResolvedType::User(found.id)
                    || column.data_type.written.name == found.name.name
            })
        })
    };
    let creates =
        matches!(context.change(), Some(Change::CreateTable(_) | Change::CreateView(_) | Change::CreateRoutine(_)));
    !creates && context.step.prediction.locks.iter().any(|lock| has_column(lock.relation))
        || context.text(context.step.span()).contains(found.name.name.as_str())
            && !matches!(context.change(), Some(Change::CreateRoutine(_) | Change::Comment(_)))
}
