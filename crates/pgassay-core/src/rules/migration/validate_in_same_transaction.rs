//! NOT VALID gains nothing when the same transaction validates.

use crate::change::{AlterTableActionKind, Change, Constraint, Name, PrintedName, QualifiedName};
use crate::finding::{Advice, Category, Evidence, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};
use crate::source::Span;

pub static RULE: Rule = Rule {
    name: "validate-in-same-transaction",
    category: Category::Blocking,
    severity: Severity::Error,
    summary: "A constraint is added NOT VALID and validated in the same transaction",
    explanation: "VALIDATE CONSTRAINT itself lets reads and writes go on, but ADD CONSTRAINT does not, and its lock is held until the \
        transaction ends: the scan runs under it after all. The two belong in two transactions, so in most tools in two migrations.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\n\
            ALTER TABLE orders VALIDATE CONSTRAINT total_positive;\nCOMMIT;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int);",
        migration: "SET lock_timeout = '2s';\nALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\n\
            ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some((span, name, added)) = validated_here(context) else { return };
    let Some(table) = table(context) else { return };
    let message = format!(
        "validates {name} in the transaction that added it: the scan of {table} runs under the lock of ADD CONSTRAINT"
    );
    let mut finding = RULE.finding(span, message);
    finding.related.push((added, "added here, NOT VALID".to_owned()));
    finding.object = Some(PrintedName::part(&table, &name));
    finding.evidence.push(Evidence::declared("locks are held until the transaction ends"));
    finding.advice = Advice::steps(
        "Commit before validating: put VALIDATE CONSTRAINT into a later migration.",
        vec![FixStep::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"))],
    );
    findings.push(finding);
}

/// Whether this statement's scan is what the rule speaks of, so that others need not.
pub(super) fn applies(context: &StepContext) -> bool {
    validated_here(context).is_some()
}

/// A VALIDATE of a constraint that the open transaction added: where, which, and where it was added.
fn validated_here(context: &StepContext) -> Option<(Span, Name, Span)> {
    let Some(Change::AlterTable(alter)) = context.change() else { return None };
    let (id, _) = context.step.transaction?;
    // Nothing is scanned when others cannot see the table yet.
    context.shared_work().next()?;
    let relation =
        context.step.schema.find_relation(&alter.relation, &context.step.session).map(|relation| relation.id);
    alter.actions.iter().find_map(|action| {
        let AlterTableActionKind::ValidateConstraint { constraint } = &action.kind else { return None };
        let earlier = context.run.steps[..context.index]
            .iter()
            .filter(|step| step.transaction.is_some_and(|(other, _)| other == id));
        let added = earlier
            .flat_map(|step| added_constraints(step, relation))
            .find(|added| added.not_valid && added.name.as_ref().is_none_or(|name| name.name == constraint.name))?;
        Some((action.span, constraint.name.clone(), added.span))
    })
}

fn added_constraints<'r>(
    step: &'r crate::history::Step<'r>,
    relation: Option<crate::schema::RelationId>,
) -> impl Iterator<Item = &'r Constraint> {
    let actions = match step.change() {
        Some(Change::AlterTable(alter))
            if step.schema.find_relation(&alter.relation, &step.session).map(|found| found.id) == relation
                || relation.is_none() =>
        {
            alter.actions.as_slice()
        }
        _ => &[],
    };
    actions.iter().filter_map(|action| match &action.kind {
        AlterTableActionKind::AddConstraint(constraint) => Some(constraint),
        _ => None,
    })
}

fn table(context: &StepContext) -> Option<QualifiedName> {
    match context.change() {
        Some(Change::AlterTable(alter)) => Some(context.step.schema.qualify(&alter.relation, &context.step.session)),
        _ => None,
    }
}
