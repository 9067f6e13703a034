//! Columns that are unique in fact, and nothing keeps them so.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::{numbers, words};

pub static IN_FACT: Rule = Rule {
    name: "unique-in-fact",
    category: Category::Keys,
    severity: Severity::Info,
    summary: "No two rows have the same value, it is named like a key, and no unique index keeps it so",
    explanation: "The application looks whether the value is there and then inserts: two requests at once both find nothing. Only a unique index refuses the second one, and it also tells the planner that a lookup finds one row. \
        Reported for columns that are NOT NULL or nearly so, of which ANALYZE counted as many values as rows (n_distinct = -1), and that are named like what one looks up: codes, numbers, names of accounts, e-mail addresses; \
        and of foreign keys with one row each, in tables that are named like a part of the other.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE vehicles (id bigint PRIMARY KEY, vin text NOT NULL, colour text NOT NULL);\n\
            -- measured: table public.vehicles rows=90000 bytes=9000000\n-- measured: column public.vehicles.vin distinct=-1 width=18",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE vehicles (id bigint PRIMARY KEY, vin text NOT NULL UNIQUE, colour text NOT NULL);\n\
            -- measured: table public.vehicles rows=90000 bytes=9000000\n-- measured: column public.vehicles.vin distinct=-1 width=18",
    },
};

pub static EMAIL: Rule = Rule {
    name: "case-sensitive-email",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A unique key on e-mail addresses takes Ann@example.com and ann@example.com for two",
    explanation: "People write their address in either way, and every mail server delivers both to one mailbox: the second spelling is a second account, which the password reset may or may not find. Keep lower(email) apart \
        (a unique index on the expression), use citext or a collation that ignores case, or store it in lower case with a CHECK that says so.",
    fires: Example { given: "", migration: "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);" },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE CHECK (email = lower(email)));",
    },
};

/// What one looks a row up by.
const LOOKED_UP: &[&str] = &[
    "code",
    "number",
    "no",
    "vin",
    "sku",
    "isbn",
    "iban",
    "email",
    "username",
    "login",
    "slug",
    "barcode",
    "ean",
    "gtin",
    "imei",
    "iccid",
    "reference",
    "ref",
    "handle",
    "plate",
    "serial",
    "uuid",
    "guid",
    "ssn",
    "mrn",
    "tracking",
    "token",
    "hostname",
    "subdomain",
    "domain",
    "msisdn",
    "license",
    "licence",
];

pub(super) fn in_fact(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables().filter(|table| !table.is_partitioned()) {
        let Some(rows) = context.rows(table).filter(|rows| *rows >= 1000.0) else { continue };
        if context.table_facts(table).is_some_and(|facts| facts.modified_since_analyze() as f64 > rows * 0.1) {
            continue;
        }
        for column in table.columns.iter().filter(|column| column.local) {
            if has_key(context, table, column)
                || !distinct(context, table, column)
                || is_half_of_reference(context, table, column)
            {
                continue;
            }
            let fk = keys::is_foreign_key(table, column.id);
            let named =
                words::words(column.name.as_str()).last().is_some_and(|last| LOOKED_UP.contains(&last.as_str()))
                    || is_code(context, table, column);
            let one_each = fk && is_part(context, table, column);
            // The hash of something, or what nobody looks up.
            let looked_up = named
                && !fk
                && (context.is_text(column)
                    || matches!(context.type_name(column), Some("int8" | "int4" | "uuid" | "numeric")));
            if !(looked_up || one_each) || super::idempotency::is_from_outside(column) {
                continue;
            }
            found.push(tell(context, table, column, rows, one_each));
        }
    }
}

fn tell(context: &SchemaContext, table: &Relation, column: &Column, rows: f64, one_each: bool) -> Discovery {
    let what = match one_each {
        true => "references no row twice, and no unique key says that there is one each",
        false => "is unique in fact, and no unique index keeps it so",
    };
    context
        .discovery(&IN_FACT, Subject::Column(table.id, column.id), format!("{}.{} {what}", table.name, column.name))
        .severity(Severity::Info)
        .confidence(Confidence::Medium)
        .measured(format!(
            "ANALYZE met no value twice (n_distinct = -1) in a sample of {} rows",
            numbers::count(rows.min(30_000.0))
        ))
        .advice(
            "If it is meant to be unique, settle what the first step lists, then build the key while others work:",
            steps::unique_index(context, table, &column.name.to_string(), "key", None),
        )
}

/// Values that somebody gave to find the thing by them, whatever the column is called: UK500123456, AB-1234.
fn is_code(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    if !context.is_text(column)
        || words::may_be_personal(column.name.as_str())
        || words::has_word(column.name.as_str(), &["hash", "checksum", "etag", "digest", "fingerprint"])
    {
        return false;
    }
    let Some(facts) = context.column_facts(table, column) else { return false };
    let values: Vec<String> = facts.histogram.iter().flat_map(|it| it.values()).collect();
    let has = |value: &String, of: fn(&u8) -> bool| value.as_bytes().iter().any(of);
    let is_one = |value: &String| {
        (5..=20).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-/.".contains(&byte))
            && has(value, u8::is_ascii_uppercase)
            && has(value, u8::is_ascii_digit)
    };
    let lengths: std::collections::BTreeSet<usize> = values.iter().map(String::len).collect();
    values.len() >= 20 && lengths.len() <= 2 && values.iter().all(is_one)
}

/// `owner_ref` beside `owner_kind`: another table may have the same number.
fn is_half_of_reference(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    const KINDS: &[&str] =
        &["type", "kind", "class", "table", "model", "entity", "category", "source", "system", "origin"];
    let words = words::words(column.name.as_str());
    let Some((_, stem)) = words.split_last().filter(|(_, stem)| !stem.is_empty()) else { return false };
    table.columns.iter().any(|other| {
        let others = words::words(other.name.as_str());
        let named = others.split_last().is_some_and(|(last, of)| of == stem && KINDS.contains(&last.as_str()));
        named
            && other.id != column.id
            && (context.is_text(other)
                || context.enum_type(other).is_some()
                || context.type_name(other) == Some("int2"))
    })
}

/// Some key has it: alone, or with others, so that it is unique within something.
fn has_key(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    keys::unique_keys(context, table)
        .any(|(_, index)| index.columns.contains(&Some(column.id)) || index.mentions.contains(&column.id))
}

fn distinct(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    context.column_facts(table, column).is_some_and(|facts| {
        facts.n_distinct <= -0.9999 && facts.null_fraction == 0.0 && facts.most_common_frequencies.is_empty()
    })
}

/// A table that is named after the one that it references: user_profiles, order_details of users and orders.
fn is_part(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let key = table.foreign_keys().find(|(_, key)| key.columns[..] == [column.id]);
    let Some(parent) = key.and_then(|(_, key)| context.schema.relation(key.referenced)) else { return false };
    let words = words::words(table.name.name.as_str());
    words.last().is_some_and(|last| {
        [
            "profile",
            "detail",
            "setting",
            "preference",
            "extension",
            "info",
            "wallet",
            "balance",
            "account",
            "license",
            "licence",
        ]
        .contains(&&*words::singular(last))
    }) && context.rows(parent).is_some_and(|rows| rows >= 1000.0)
}

pub(super) fn emails(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for column in
            table.columns.iter().filter(|column| matches!(context.type_name(column), Some("text" | "varchar")))
        {
            let named = words::ends_with_word(column.name.as_str(), &["email", "mail"])
                || words::joined(column.name.as_str()).ends_with("email_address");
            if !named || column.collation.is_some() || keys::has_check(context, table, column.id) {
                continue;
            }
            let of_column = |index: &crate::schema::Index| index.columns.contains(&Some(column.id));
            let Some((index, of)) = keys::unique_keys(context, table).find(|(_, index)| of_column(index)) else {
                continue;
            };
            let folded = context
                .indexes(table)
                .any(|(_, other)| other.unique && other.columns.contains(&None) && other.mentions.contains(&column.id));
            if folded {
                continue;
            }
            // A schema whose rows are all in lower case has an application that writes them so.
            let known = context.column_facts(table, column).map(|facts| {
                facts
                    .common()
                    .map(|(value, _)| value)
                    .chain(facts.histogram.iter().flat_map(|it| it.values()))
                    .collect::<Vec<_>>()
            });
            let mixed = known
                .as_ref()
                .filter(|it| !it.is_empty())
                .map(|it| it.iter().any(|value| *value != value.to_lowercase()));
            let confidence = match mixed {
                Some(true) => Confidence::High,
                Some(false) => Confidence::Low,
                None => Confidence::Medium,
            };
            let others: Vec<_> = of.columns.iter().flatten().filter(|id| **id != column.id).copied().collect();
            let others = context.column_names(table, &others);
            let elements = if others.is_empty() {
                format!("lower({})", column.name)
            } else {
                format!("{others}, lower({})", column.name)
            };
            let condition = of.predicate.as_ref().map(|it| it.text.to_string());
            let mut discovery = context
                .discovery(
                    &EMAIL,
                    Subject::Column(table.id, column.id),
                    format!("{}.{} is unique by letters: two spellings of one address are two rows", table.name, column.name),
                )
                .severity(if mixed == Some(true) { Severity::Warning } else { Severity::Info })
                .confidence(confidence)
                .declared(format!("unique key {}, type {}, no index on lower({})", index.name.name, column.data_type.written, column.name))
                .advice(
                    "Keep the lower case apart; what the first step lists is there in two spellings, and has to be settled before:",
                    if table.is_partitioned() || of.columns.contains(&None) { Vec::new() } else { steps::unique_index(context, table, &elements, "key", condition.as_deref()) },
                );
            if mixed == Some(true) {
                discovery = discovery.measured("some addresses that ANALYZE kept have capitals");
            }
            found.push(discovery);
        }
    }
}
