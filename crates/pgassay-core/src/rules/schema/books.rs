//! Records of money that a statement about something else removes, or a crash does.

use super::{Discovery, SchemaContext};
use crate::area::Area;
use crate::change::{Persistence, ReferentialAction};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;
use crate::text::words;

pub static CASCADE: Rule = Rule {
    name: "cascade-onto-money",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "Deleting a row of another table deletes payments",
    explanation: "ON DELETE CASCADE from a person, a shop or a ride to what was paid: one DELETE, or a clean-up of test users, and the books have a hole that nothing shows. Books outlive whom they are about: let the foreign key refuse \
        the DELETE (the default), and make the person nameless instead. Lines go with their invoice: a key to another table of money is not told.",
    fires: Example {
        given: "CREATE TABLE users (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE payments (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);\n\
            CREATE INDEX ON payments (user_id);",
    },
    quiet: Example {
        given: "CREATE TABLE users (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE payments (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);\n\
            CREATE INDEX ON payments (user_id);",
    },
};

pub static UNLOGGED: Rule = Rule {
    name: "unlogged-money",
    category: Category::Safety,
    severity: Severity::Error,
    summary: "A table of payments is UNLOGGED: a crash empties it, and no replica has it",
    explanation: "Changes of an unlogged table are not in the WAL: after a crash the server truncates it (manual, CREATE TABLE, UNLOGGED), and standbys and backups by WAL never see its rows. \
        SET LOGGED writes the table once, under ACCESS EXCLUSIVE.",
    fires: Example {
        given: "",
        migration: "CREATE UNLOGGED TABLE payments (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE UNLOGGED TABLE payment_page_views (id bigint PRIMARY KEY, page text NOT NULL, seen_at timestamptz NOT NULL);",
    },
};

/// A table whose rows are sums of money: by the configuration, or by its name and a column.
pub(super) fn keeps_money(context: &SchemaContext, table: &Relation) -> bool {
    context.area(table) == Some(Area::Payments)
        || words::is_money_table(table.name.name.as_str())
            && table.columns.iter().any(|column| words::is_amount(column.name.as_str()))
}

pub(super) fn cascade(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables().filter(|table| keeps_money(context, table)) {
        let keys = table
            .foreign_keys()
            .filter(|(constraint, key)| constraint.local && key.on_delete == ReferentialAction::Cascade);
        for (constraint, key) in keys {
            let Some(parent) = context.schema.relation(key.referenced) else { continue };
            let is_document = keeps_money(context, parent)
                || words::has_word(
                    parent.name.name.as_str(),
                    &["order", "quote", "cart", "basket", "bill", "statement", "batch", "period"],
                );
            if is_document || parent.id == table.id {
                continue;
            }
            let steps = restrict(context, table, constraint, key, parent);
            found.push(
                context
                    .discovery(
                        &CASCADE,
                        Subject::Part(table.id, constraint.name.clone()),
                        format!("deleting a row of {} deletes its rows of {} (ON DELETE CASCADE)", parent.name, table.name),
                    )
                    .confidence(Confidence::High)
                    .declared(format!("foreign key {} references {} ON DELETE CASCADE", constraint.name, parent.name))
                    .related(Subject::Relation(parent.id), "the table whose rows take the payments along")
                    .advice(
                        "Let the key refuse the DELETE. The new key is checked before the old one goes, so that none is missing in between:",
                        steps,
                    ),
            );
        }
    }
}

fn restrict(
    context: &SchemaContext,
    table: &Relation,
    constraint: &crate::schema::Constraint,
    key: &crate::schema::ForeignKey,
    parent: &Relation,
) -> Vec<FixStep> {
    // Before 18 a partitioned table takes none that is NOT VALID.
    if table.is_partitioned() && !context.version.at_least(18) {
        return Vec::new();
    }
    let own = context.column_names(table, &key.columns);
    let theirs = context.column_names(parent, &key.referenced_columns);
    let new = context.free_name(table, &own.replace(", ", "_"), "kept_fkey");
    let full = if key.match_full { " MATCH FULL" } else { "" };
    let update = key.on_update.words().map(|action| format!(" ON UPDATE {action}")).unwrap_or_default();
    let name = &table.name;
    vec![
        FixStep::own(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {new} FOREIGN KEY ({own}) REFERENCES {} ({theirs}){full}{update} NOT VALID;",
            parent.name
        )),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {new};")),
        FixStep::own(format!("ALTER TABLE {name} DROP CONSTRAINT {};", constraint.name)),
    ]
}

pub(super) fn unlogged(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let tables = context.any_tables().filter(|table| table.persistence == Persistence::Unlogged);
    for table in tables.filter(|table| keeps_money(context, table)) {
        found.push(
            context
                .discovery(
                    &UNLOGGED,
                    Subject::Relation(table.id),
                    format!("{} keeps money and is UNLOGGED: a crash of the server empties it", table.name),
                )
                .confidence(Confidence::High)
                .declared("UNLOGGED; that it keeps money is read from its name and columns, or from [areas]")
                .advice(
                    "Have its changes logged; this writes the table once under ACCESS EXCLUSIVE:",
                    if table.is_partitioned() {
                        Vec::new()
                    } else {
                        vec![FixStep::own(format!("ALTER TABLE {} SET LOGGED;", table.name))]
                    },
                ),
        );
    }
}
