//! A concurrent build that a second run would skip.

use crate::change::{Change, Drop, ObjectKind, PrintedName};
use crate::finding::{Advice, Category, Evidence, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "retry-skips-invalid-index",
    category: Category::Failing,
    severity: Severity::Warning,
    summary: "CREATE INDEX CONCURRENTLY IF NOT EXISTS: a second run takes a broken index for a finished one",
    explanation: "A concurrent build that fails (a duplicate, a deadlock, a timeout) leaves an invalid index behind, which is maintained by every write and used by no \
        query. IF NOT EXISTS only looks at the name: the next run skips it and reports success. Drop the leftover first, then build.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_id_idx ON orders (customer_id);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);",
        migration: "DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_idx;\n\
            CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_id_idx ON orders (customer_id);",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some(Change::CreateIndex(create)) = context.change() else { return };
    let Some(name) = create.name.as_ref().filter(|_| create.concurrently && create.if_not_exists) else { return };
    if dropped_before(context, &name.name) {
        return;
    }
    let table = context.step.schema.qualify(&create.table, &context.step.session);
    let index = crate::change::QualifiedName { schema: table.schema.clone(), name: name.name.clone() };
    let mut finding = RULE
        .finding(name.span, format!("if a build of {index} fails, the next run skips the invalid index and succeeds"));
    finding.object = Some(PrintedName::from(&index));
    finding
        .evidence
        .push(Evidence::declared("a failed CREATE INDEX CONCURRENTLY leaves an invalid index of this name"));
    let build = super::advice::concurrent_index(context, create);
    finding.advice = Advice::steps(
        "Drop what an earlier try may have left, then build without IF NOT EXISTS.",
        vec![FixStep::none(format!("DROP INDEX CONCURRENTLY IF EXISTS {index};")), FixStep::none(build)],
    );
    findings.push(finding);
}

/// An earlier statement of the migration drops a leftover of the same name.
fn dropped_before(context: &StepContext, name: &crate::change::Name) -> bool {
    context.run.steps[..context.index].iter().any(|step| {
        matches!(step.change(), Some(Change::Drop(Drop { kind: ObjectKind::Index, objects, .. }))
            if objects.iter().any(|object| object.name.name == *name))
    })
}
