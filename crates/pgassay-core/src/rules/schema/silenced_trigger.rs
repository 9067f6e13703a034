//! Triggers that are switched off, those among them that check foreign keys.

use super::{Discovery, SchemaContext};
use crate::change::FiringMode;
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;

pub static RULE: Rule = Rule {
    name: "silenced-trigger",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "Triggers of a table are switched off: foreign keys are not checked, or what a trigger does is not done",
    explanation: "DISABLE TRIGGER is for a load or a repair, and stays until somebody enables the trigger again. With DISABLE TRIGGER ALL foreign keys are not checked in either direction, \
        while the catalog goes on to call them valid. A single trigger that is off is an info. A migration is reported by lost-constraint and lost-trigger.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);\n\
            CREATE INDEX ON orders (customer_id);\nALTER TABLE orders DISABLE TRIGGER ALL;",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);\n\
            CREATE INDEX ON orders (customer_id);\nALTER TABLE orders DISABLE TRIGGER ALL;\nALTER TABLE orders ENABLE TRIGGER ALL;",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let checks = table.foreign_keys().next().is_some() || !table.referenced_by.is_empty();
        if table.system_triggers_off && checks {
            found.push(foreign_keys(context, table));
        }
        for trigger in table.triggers.iter().filter(|trigger| trigger.mode == FiringMode::Disabled) {
            let message = format!("trigger {} of {} is switched off", trigger.name, table.name);
            let enable = format!("ALTER TABLE {} ENABLE TRIGGER {};", table.name, trigger.name);
            found.push(
                context
                    .discovery(&RULE, Subject::Part(table.id, trigger.name.clone()), message)
                    .severity(match super::books::keeps_money(context, table) {
                        true => Severity::Warning,
                        false => Severity::Info,
                    })
                    .declared("DISABLE TRIGGER was run, and nothing has enabled it since")
                    .advice("Enable it, or drop it if nobody needs it:", vec![FixStep::own(enable)]),
            );
        }
    }
}

fn foreign_keys(context: &SchemaContext, table: &Relation) -> Discovery {
    let name = &table.name;
    // ENABLE TRIGGER ALL reaches those that were switched off by themselves.
    let others = table.triggers.iter().filter(|trigger| trigger.mode == FiringMode::Disabled);
    let off_again = others.map(|trigger| format!(" ALTER TABLE {name} DISABLE TRIGGER {};", trigger.name));
    let enable = format!("ALTER TABLE {name} ENABLE TRIGGER ALL;{}", off_again.collect::<String>());
    let mut steps = vec![FixStep::own(enable)];
    for (constraint, key) in table.foreign_keys().filter(|(constraint, _)| constraint.enforced) {
        let columns = |relation: &Relation, ids: &[crate::schema::ColumnId]| {
            let names = ids.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| column.name.to_string());
            names.collect::<Vec<_>>()
        };
        let Some(parent) = context.schema.relation(key.referenced) else { continue };
        let (own, theirs) = (columns(table, &key.columns), columns(parent, &key.referenced_columns));
        if own.len() != theirs.len() || own.is_empty() {
            continue;
        }
        let given = own.iter().map(|column| format!("child.{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        let equal = own.iter().zip(&theirs).map(|(own, their)| format!("parent.{their} = child.{own}"));
        let equal = equal.collect::<Vec<_>>().join(" AND ");
        steps.push(FixStep::any(format!(
            "SELECT child.* FROM {name} AS child WHERE {given} AND NOT EXISTS (SELECT FROM {} AS parent WHERE {equal}); -- what {} would have refused",
            parent.name, constraint.name
        )));
    }
    context
        .discovery(
            &RULE,
            Subject::Relation(table.id),
            format!("foreign keys of {name} are not checked: DISABLE TRIGGER ALL switched their triggers off"),
        )
        .declared("the triggers that the server made for them are off")
        .advice("Switch them on again, then look for the rows that came in without a parent:", steps)
}
