//! Constraints that new rows obey and old rows may not.

use super::{Discovery, Needs, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Check, Example, Rule};

pub const RULE: Rule = Rule {
    name: "unvalidated-constraint",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A constraint was added NOT VALID and never validated",
    explanation: "Rows that were there when it was added may break it, and the planner does not rely on it. Adding NOT VALID is the first of two steps: \
        VALIDATE CONSTRAINT reads the table while others work. A migration is not told, for the second step belongs into a later one.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\nALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total >= 0) NOT VALID;",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\nALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total >= 0) NOT VALID;\n\
            ALTER TABLE orders VALIDATE CONSTRAINT total_is_positive;",
    },
    check: Check::Schema(check, Needs::WholeSchema),
};

fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for constraint in table.constraints.iter().filter(|it| it.local && it.enforced && !it.validated) {
            let message = format!("{} of {} is not validated: older rows may break it", constraint.name, table.name);
            found.push(
                context
                    .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
                    .declared("it was added NOT VALID")
                    .advice(
                        "Validate it; where rows break it, that fails and changes nothing:",
                        vec![FixStep::own(format!(
                            "ALTER TABLE {} VALIDATE CONSTRAINT {};",
                            table.name, constraint.name
                        ))],
                    ),
            );
        }
    }
}
