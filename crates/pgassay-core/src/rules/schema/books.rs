//! Records of money that a statement about something else removes, or a crash does.

use super::{Discovery, SchemaContext};
use crate::area::Area;
use crate::change::{Persistence, ReferentialAction};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::migration::advice;
use crate::rules::{Example, Rule};
use crate::schema::{Column, Constraint, ForeignKey, Relation, RelationId};
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

/// A table whose rows are sums of money: by the configuration, by an amount beside a currency, or by its name and a column.
pub(super) fn keeps_money(context: &SchemaContext, table: &Relation) -> bool {
    context.area(table) == Some(Area::Payments)
        || words::is_money_table(table.name.name.as_str())
            && table.columns.iter().any(|column| words::is_amount(column.name.as_str()))
        || has_currency(table) && !is_offer(table) && table.columns.iter().any(|column| is_paid(context, column))
}

pub(super) fn has_currency(table: &Relation) -> bool {
    let is_currency = |column: &Column| words::has_word(column.name.as_str(), &["currency", "ccy"]);
    table.columns.iter().any(is_currency)
}

/// What may still be paid, or what things cost: such rows go with what they are about. So do copies on their way in.
fn is_offer(table: &Relation) -> bool {
    words::has_word(
        table.name.name.as_str(),
        &[
            "cart",
            "basket",
            "quote",
            "offer",
            "estimate",
            "draft",
            "wishlist",
            "plan",
            "product",
            "catalog",
            "catalogue",
            "price",
            "pricing",
            "tariff",
            "rate",
            "fee",
            "option",
            "variant",
            "item",
            "discount",
            "coupon",
            "promotion",
            "setting",
            "preference",
            "config",
            "campaign",
            "goal",
            "limit",
            "quota",
            "listing",
            "search",
            "report",
            "stat",
            "staging",
            "import",
            "cache",
            "tmp",
            "temp",
            "raw",
            "budget",
            "forecast",
            "account",
        ],
    )
}

/// A sum that was paid or is owed, of a table with a currency: of a decimal or integer type, and not what one of something costs.
pub(super) fn is_paid(context: &SchemaContext, column: &Column) -> bool {
    let name = column.name.as_str();
    let is_number = match context.type_name(column) {
        Some("numeric" | "money") => true,
        Some("int4" | "int8" | "float4" | "float8") => words::is_amount(name) || words::is_bare_sum(name),
        _ => false,
    };
    is_number
        && !words::is_price(name)
        && !words::is_no_money(name)
        && (has_cents(context, column) || words::is_amount(name) || words::is_bare_sum(name))
}

/// `numeric(12,2)`, or money.
fn has_cents(context: &SchemaContext, column: &Column) -> bool {
    let base = context.schema.base_type(&column.data_type);
    matches!(base.written.modifiers[..], [_, 2]) || context.type_name(column) == Some("money")
}

pub(super) fn cascade(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables().filter(|table| keeps_money(context, table)) {
        let keys = table
            .foreign_keys()
            .filter(|(constraint, key)| constraint.local && key.on_delete == ReferentialAction::Cascade);
        for (constraint, key) in keys {
            let Some(parent) = context.schema.relation(key.referenced) else { continue };
            if parent.id == table.id || keeps_money(context, parent) {
                continue;
            }
            if !is_document(parent) {
                found.push(Cascade { from: table, constraint, key, to: parent, money: table }.tell(context));
                continue;
            }
            // Payments go with their order; whatever takes the order along takes them too.
            let above =
                parent.foreign_keys().filter(|(it, key)| it.local && key.on_delete == ReferentialAction::Cascade);
            for (constraint, key) in above {
                let Some(to) = context.schema.relation(key.referenced) else { continue };
                if to.id != parent.id && !is_document(to) && !keeps_money(context, to) {
                    found.push(Cascade { from: parent, constraint, key, to, money: table }.tell(context));
                }
            }
        }
    }
}

/// Its lines and payments belong to it.
fn is_document(table: &Relation) -> bool {
    words::has_word(
        table.name.name.as_str(),
        &["order", "quote", "cart", "basket", "bill", "statement", "batch", "period"],
    )
}

/// A foreign key by which a DELETE comes to a table of money.
struct Cascade<'a> {
    from: &'a Relation,
    constraint: &'a Constraint,
    key: &'a ForeignKey,
    to: &'a Relation,
    money: &'a Relation,
}

impl Cascade<'_> {
    fn tell(&self, context: &SchemaContext) -> Discovery {
        let Cascade { from, constraint, key, to, money } = self;
        let through = if from.id == money.id { String::new() } else { format!(" by way of {}", from.name) };
        context
            .discovery(
                &CASCADE,
                Subject::Part(from.id, constraint.name.clone()),
                format!("deleting a row of {} deletes its rows of {}{through} (ON DELETE CASCADE)", to.name, money.name),
            )
            .confidence(Confidence::High)
            .declared(format!("foreign key {} references {} ON DELETE CASCADE", constraint.name, to.name))
            .related(Subject::Relation(to.id), "the table whose rows take the payments along")
            .advice(
                "Let the key refuse the DELETE. The new key is checked before the old one goes, so that none is missing in between:",
                restrict(context, from, constraint, key, to),
            )
    }
}

fn restrict(
    context: &SchemaContext,
    table: &Relation,
    constraint: &Constraint,
    key: &ForeignKey,
    parent: &Relation,
) -> Vec<FixStep> {
    // Before 18 a partitioned table takes none that is NOT VALID.
    if table.is_partitioned() && !context.version.at_least(18) {
        return Vec::new();
    }
    let own = context.column_names(table, &key.columns);
    let new = context.free_name(table, &own.replace(", ", "_"), "kept_fkey");
    // All else stays as it is: MATCH FULL, ON UPDATE, DEFERRABLE.
    let kept = ForeignKey { on_delete: ReferentialAction::NoAction, set_columns: Vec::new(), ..key.clone() };
    let definition = advice::foreign_key(constraint, &kept, table, parent);
    let name = &table.name;
    vec![
        FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {new} {definition} NOT VALID;")),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {new};")),
        FixStep::own(format!("ALTER TABLE {name} DROP CONSTRAINT {};", constraint.name)),
        // What names it goes on: migrations, messages of the application, steps of other findings.
        FixStep::own(format!("ALTER TABLE {name} RENAME CONSTRAINT {new} TO {};", constraint.name)),
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
                    "Have its changes logged, after the unlogged tables that it references; this writes each table once under ACCESS EXCLUSIVE:",
                    logged(context, table),
                ),
        );
    }
}

/// SET LOGGED of the tables that it references, and of its own: a logged table references no unlogged one (ATPrepChangePersistence,
/// tablecmds.c). None where two reference each other, or one is partitioned.
fn logged(context: &SchemaContext, table: &Relation) -> Vec<FixStep> {
    let mut order: Vec<RelationId> = Vec::new();
    let is_possible = logged_before(context, table, &mut order, &mut Vec::new());
    let names = order.iter().filter_map(|id| context.schema.relation(*id)).map(|it| &it.name);
    let steps = names.map(|name| FixStep::own(format!("ALTER TABLE {name} SET LOGGED;")));
    if is_possible { steps.collect() } else { Vec::new() }
}

fn logged_before(
    context: &SchemaContext,
    table: &Relation,
    order: &mut Vec<RelationId>,
    path: &mut Vec<RelationId>,
) -> bool {
    if order.contains(&table.id) || table.persistence != Persistence::Unlogged {
        return true;
    }
    if path.contains(&table.id) || table.is_partitioned() {
        return false;
    }
    path.push(table.id);
    let referenced = table.foreign_keys().map(|(_, key)| key.referenced).filter(|id| *id != table.id);
    let mut tables = referenced.filter_map(|id| context.schema.relation(id));
    let is_possible = tables.all(|it| logged_before(context, it, order, path));
    path.pop();
    order.push(table.id);
    is_possible
}
