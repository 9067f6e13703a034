//! Columns that hold sums of money.

use std::cell::LazyCell;

use super::ask::{keys, steps, type_change};
use super::books::{self, has_currency};
use super::{Discovery, SchemaContext};
use crate::area::Area;
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::words;

pub static FLOAT: Rule = Rule {
    name: "money-in-float",
    category: Category::Types,
    severity: Severity::Warning,
    summary: "A column named like a sum of money is a floating-point number",
    explanation: "real and double precision hold binary fractions: 0.1 is not among them, sums depend on their order, and two equal amounts compare as different. \
        Books that have to balance do not. Use numeric, or an integer of the smallest unit. One finding a table lists its columns.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE invoices (id bigint PRIMARY KEY, currency text NOT NULL, total double precision NOT NULL CHECK (total >= 0));",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE invoices (id bigint PRIMARY KEY, currency text NOT NULL, total numeric(12,2) NOT NULL CHECK (total >= 0), tax_rate double precision NOT NULL);",
    },
};

pub static UNGUARDED: Rule = Rule {
    name: "unguarded-amount",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A table of payments holds amounts without a currency, or without a CHECK",
    explanation: "An amount without a currency beside it is a number: the day a second currency comes, nobody knows what old rows mean. Without a CHECK a bug can store a \
        negative payment, and every sum after it is wrong. The rule looks at tables of the payments area, at tables that are named after payments, and at those with an amount beside a currency; a currency is \
        only missed where other tables have one, or the area says that it is about payments.",
    fires: Example {
        given: "CREATE SCHEMA billing;",
        migration: "CREATE TABLE billing.refunds (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL);",
    },
    quiet: Example {
        given: "CREATE SCHEMA billing;",
        migration: "CREATE TABLE billing.refunds (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL CHECK (amount > 0), currency text NOT NULL);",
    },
};

pub(super) fn float(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let is_float = |column: &&Column| matches!(context.type_name(column), Some("float4" | "float8"));
        for column in context.changed_columns(table).filter(is_float) {
            let name = column.name.as_str();
            let beside_currency = || words::is_bare_sum(name) && has_currency(table);
            if !column.local || !words::is_amount(name) && !beside_currency() || is_share(context, table, column) {
                continue;
            }
            let type_name = &column.data_type.written;
            // Within a migration the column is new, or its steps are: what to write instead is all there is to say.
            let whole = context.scope.is_none();
            let change = whole.then(|| type_change::advice(context, table, column, "numeric")).flatten();
            let (how, steps) = change.map(|it| (it.text, it.steps)).unwrap_or_default();
            let how = if how.is_empty() { how } else { format!(". {how}") };
            found.push(
                context
                    .discovery(&FLOAT, Subject::Column(table.id, column.id), "")
                    .confidence(Confidence::High)
                    .declared("the type of the column; that it holds money is read from its name")
                    .at(context.places.type_of(table.id, column.id))
                    .grouped(
                        format!("{} keeps money in floating point:", table.name),
                        format!("{} {type_name}", column.name),
                    )
                    .advice(format!("Use numeric, or bigint for the smallest unit{how}"), steps),
            );
        }
    }
}

/// A discount or a tax that never is more than one: 0.05 is five in a hundred, and no sum.
fn is_share(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let Some(facts) = context.column_facts(table, column) else { return false };
    let histogram = facts.histogram.iter().flat_map(|it| it.values());
    let values: Vec<String> = facts.common().map(|(value, _)| value).chain(histogram).collect();
    let within = |value: &String| value.parse::<f64>().is_ok_and(|number| (0.0..=1.0).contains(&number));
    let some = values.iter().any(|value| value.parse::<f64>().is_ok_and(|number| number > 0.0));
    words::has_word(column.name.as_str(), &["discount", "tax", "vat", "commission", "markdown", "surcharge"])
        && values.len() >= 2
        && some
        && values.iter().all(within)
}

/// `vat` in a table whose sums are in cents, and of another type than they: a rate, by all that is known.
fn is_rate_by_type(context: &SchemaContext, column: &Column, amounts: &[&Column]) -> bool {
    let bare = ["vat", "tax", "discount", "commission"].contains(&column.name.as_str());
    let others = amounts.iter().filter(|other| other.id != column.id);
    let whole = |column: &Column| matches!(context.type_name(column), Some("int4" | "int8"));
    bare && !whole(column) && others.clone().next().is_some() && others.clone().all(|other| whole(other))
}

pub(super) fn unguarded(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let whole = SchemaContext { scope: None, ..*context };
    let elsewhere = LazyCell::new(|| whole.tables().any(has_currency));
    for table in context.tables() {
        let in_area = context.area(table) == Some(Area::Payments);
        let named = words::is_money_table(table.name.name.as_str());
        if !in_area && !named && !books::keeps_money(context, table) {
            continue;
        }
        let is_amount = |column: &&Column| {
            is_sum(context, column) || !in_area && has_currency(table) && books::is_paid(context, column)
        };
        let mut amounts: Vec<&Column> = table.columns.iter().filter(is_amount).collect();
        let all = amounts.clone();
        amounts.retain(|column| !is_rate_by_type(context, column, &all) && !is_share(context, table, column));
        if amounts.is_empty() {
            continue;
        }
        let unchecked: Vec<&Column> = amounts
            .iter()
            .copied()
            .filter(|column| column.generated.is_none() && !keys::has_check(context, table, column.id))
            .collect();
        let no_currency = !has_currency(table) && (in_area || *elsewhere) && !parent_has_currency(context, table);
        let mut reasons = Vec::new();
        if no_currency {
            reasons.push("no currency beside them".to_owned());
        }
        if !unchecked.is_empty() {
            let names: Vec<String> = unchecked.iter().map(|column| column.name.to_string()).collect();
            reasons.push(format!("no CHECK on {}", names.join(", ")));
        }
        if reasons.is_empty() {
            continue;
        }
        let list: Vec<String> = amounts.iter().map(|column| column.name.to_string()).collect();
        let message = format!("{} holds amounts ({}) with {}", table.name, list.join(", "), reasons.join(" and "));
        let mut steps: Vec<FixStep> = unchecked
            .iter()
            .flat_map(|column| {
                steps::check_constraint(context, table, column.name.as_str(), &not_negative(context, column))
            })
            .collect();
        if no_currency {
            steps.insert(0, FixStep::own(format!("ALTER TABLE {} ADD COLUMN currency text;", table.name)));
        }
        let severity = if in_area || no_currency { Severity::Warning } else { Severity::Info };
        found.push(
            context
                .discovery(&UNGUARDED, Subject::Column(table.id, amounts[0].id), message)
                .severity(severity)
                .confidence(if in_area { Confidence::High } else { Confidence::Medium })
                .declared(if in_area {
                    "the configuration says that the table is of payments"
                } else {
                    "the names of the table and of its columns"
                })
                .when_new(new_amount(no_currency, &unchecked))
                .advice("Say what an amount may be; where negative ones are meant, name them in the condition:", steps),
        );
    }
}

/// money compares with money alone.
fn not_negative<'a>(context: &SchemaContext<'a>, column: &'a Column) -> String {
    let zero = if context.type_name(column) == Some("money") { "0::money" } else { "0" };
    format!("{} >= {zero}", column.name)
}

fn new_amount(no_currency: bool, unchecked: &[&Column]) -> String {
    let checks: Vec<String> = unchecked.iter().map(|column| format!("CHECK ({0} >= 0)", column.name)).collect();
    let currency = no_currency.then(|| "currency text NOT NULL".to_owned());
    let parts: Vec<String> = currency.into_iter().chain(checks).collect();
    format!("Add {}; where negative amounts are meant, name them in the condition.", parts.join(", "))
}

fn is_sum<'a>(context: &SchemaContext<'a>, column: &'a Column) -> bool {
    let number = matches!(context.type_name(column), Some("int4" | "int8" | "numeric" | "float4" | "float8" | "money"));
    number && words::is_amount(column.name.as_str())
}

/// A line of an invoice has the invoice's currency.
fn parent_has_currency(context: &SchemaContext, table: &Relation) -> bool {
    table
        .foreign_keys()
        .any(|(_, key)| context.schema.relation(key.referenced).is_some_and(|parent| has_currency(parent)))
}
