//! Secrets that can be read, and personal data that nobody has marked.

use super::{Discovery, SchemaContext};
use crate::area::Area;
use crate::contract::Subject;
use crate::facts::ColumnFacts;
use crate::finding::{Category, Confidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::words;

pub static SECRET: Rule = Rule {
    name: "plaintext-secret",
    category: Category::Safety,
    severity: Severity::Error,
    summary: "A column looks as if it held a password, token or key in plain text",
    explanation: "Whoever reads a backup, a replica, a log of queries or a copy for tests has all of them. Passwords belong into a hash made for them; tokens and keys that are only \
        compared belong into a SHA-256; those that have to be used again are encrypted with a key kept elsewhere. The rule goes by the name, and by the width in the statistics: \
        values as wide as bcrypt, argon2, scrypt or PBKDF2 make them are no finding. What is on the back of a card must not be kept at all: an error, as are numbers of cards that their check digit shows to be some. Tokens of locks, pages and devices open nothing. A column named password alone is an info where nothing was measured, for frameworks keep hashes under that name.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE integrations (id bigint PRIMARY KEY, name text NOT NULL, api_key text NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE integrations (id bigint PRIMARY KEY, name text NOT NULL, api_key_hash bytea NOT NULL);",
    },
};

pub static PERSONAL: Rule = Rule {
    name: "personal-data-without-area",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A table holds personal data, and [areas] does not say so",
    explanation: "Findings on personal data are never lowered and need a reason to be allowed, snapshots leave its values out: all of that goes by [areas] in pgassay.toml. \
        A table with columns such as email, phone or birth_date that no area names is missed by it. Only reported where the configuration names areas of personal data; \
        an audit of a whole schema without any gives the list once, as an info. The examples have billing.* in the area of payments.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE contacts (id bigint PRIMARY KEY, email text NOT NULL, phone text);",
    },
    quiet: Example {
        given: "CREATE SCHEMA billing;",
        migration: "CREATE TABLE billing.contacts (id bigint PRIMARY KEY, email text NOT NULL, phone text);",
    },
};

pub(super) fn secrets(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for column in context.changed_columns(table).filter(|column| column.local && holds_text(context, column)) {
            let Some(kind) = words::secret(column.name.as_str()) else { continue };
            // Whoever holds a lock, or reads on, shows a token that opens nothing.
            if column.name == "token" && words::has_word(table.name.name.as_str(), OF_LOCKS) {
                continue;
            }
            // The finding belongs to the table that the key points at.
            if table.foreign_keys().any(|(_, key)| key.columns.contains(&column.id)) {
                continue;
            }
            let facts = context.column_facts(table, column).filter(|facts| facts.null_fraction < 1.0);
            let Some((severity, confidence)) = weigh(kind, facts, column) else { continue };
            let message = format!(
                "{}.{} looks like {} in plain text",
                table.name,
                column.name,
                match kind {
                    words::Secret::Password => "a password",
                    words::Secret::Token => "a secret",
                    words::Secret::SecurityCode => "a card's security code",
                    words::Secret::CardNumber => "the whole number of a payment card",
                    words::Secret::OneTime => "a secret that proves a login or a reset",
                }
            );
            let advice = match kind {
                words::Secret::Password => {
                    "Store a hash made for passwords (argon2id, scrypt, bcrypt) in a column named so, and drop this one once every row has it. If it holds hashes already, name it so."
                }
                words::Secret::SecurityCode => {
                    "Keep it no longer than the payment takes: the rules of the card schemes (PCI DSS 3.3) forbid to store it afterwards, encrypted or not."
                }
                words::Secret::CardNumber => {
                    "Keep the token that the payment provider gives for it, and the last four digits; a stored number has to be unreadable (PCI DSS 3.5), in backups too."
                }
                words::Secret::OneTime => {
                    "Store the SHA-256 of a token or code that is only compared, with the moment at which it expires; a seed is encrypted with a key kept outside the database."
                }
                words::Secret::Token => {
                    "If it is only compared, store its SHA-256 (in bytea, with a unique index); if it is used again, encrypt it with a key kept outside the database. If it holds neither, name it so."
                }
            };
            let mut discovery = context
                .discovery(&SECRET, Subject::Column(table.id, column.id), message)
                .severity(severity)
                .confidence(confidence)
                .declared(format!("the name of the column, and its type {}", column.data_type.written))
                .advice(advice, Vec::new());
            if let Some(facts) = facts {
                discovery = discovery.measured(format!(
                    "values take {} bytes on average, and {}",
                    facts.average_width,
                    match kind {
                        words::Secret::Password => "a hash of a password takes 60 or more",
                        words::Secret::CardNumber if are_card_numbers(facts) == Some(true) =>
                            "those that are known have the check digit of a card",
                        _ => "nothing shows that they are hashes",
                    }
                ));
            }
            found.push(discovery);
        }
    }
}

/// Tables whose tokens only say who goes on.
const OF_LOCKS: &[&str] = &["lock", "lease", "cursor", "stream", "sync", "worker", "mutex", "semaphore"];

/// Text, or a list of texts.
fn holds_text(context: &SchemaContext, column: &Column) -> bool {
    let written = &context.schema.base_type(&column.data_type).written;
    context.is_text(column)
        || written.array_dimensions > 0 && matches!(written.name.as_str(), "text" | "varchar" | "citext")
}

/// Whether what is known of the values says that they are numbers of payment cards (ISO/IEC 7812: 13 to 19 digits, of which the last
/// checks the others); none where no value is known.
fn are_card_numbers(facts: &ColumnFacts) -> Option<bool> {
    let histogram = facts.histogram.iter().flat_map(|values| values.values());
    let values: Vec<String> = facts.common().map(|(value, _)| value).chain(histogram).take(200).collect();
    let fits = values.iter().filter(|value| is_card_number(value)).count();
    (!values.is_empty()).then_some(fits * 2 >= values.len())
}

fn is_card_number(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter(|c| !matches!(c, ' ' | '-')).map_while(|c| c.to_digit(10)).collect();
    let written = value.chars().filter(|c| !matches!(c, ' ' | '-')).count();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    digits.len() == written && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// None where the statistics show hashes. Widths: bcrypt 60; SHA-256 in hexadecimal 64; PBKDF2, scrypt and argon2 with their
/// parameters 77 and more. Each has a byte of length besides.
fn weigh(kind: words::Secret, facts: Option<&ColumnFacts>, column: &Column) -> Option<(Severity, Confidence)> {
    let hashes = |facts: &ColumnFacts| {
        let prefixed = facts
            .common()
            .any(|(value, _)| value.starts_with("$2") || value.starts_with("$argon") || value.starts_with("pbkdf2"));
        prefixed || facts.average_width >= 60
    };
    match (kind, facts) {
        (words::Secret::Password, Some(facts)) if hashes(facts) => None,
        (words::Secret::Password, Some(_)) => Some((Severity::Warning, Confidence::High)),
        // Hexadecimal SHA-256 takes 64 bytes and one for the length.
        (words::Secret::Token | words::Secret::OneTime, Some(facts)) if (64..=66).contains(&facts.average_width) => {
            None
        }
        (words::Secret::SecurityCode, _) => Some((Severity::Error, Confidence::High)),
        (words::Secret::CardNumber, Some(facts)) => match are_card_numbers(facts) {
            Some(true) => Some((Severity::Error, Confidence::High)),
            Some(false) => None,
            None => Some((Severity::Warning, Confidence::Medium)),
        },
        (words::Secret::CardNumber, None) => Some((Severity::Warning, Confidence::Medium)),
        (words::Secret::OneTime, _) => Some((Severity::Warning, Confidence::Medium)),
        (words::Secret::Token, _) => Some((Severity::Warning, Confidence::Medium)),
        (words::Secret::Password, None) if column.name == "password" => Some((Severity::Info, Confidence::Low)),
        (words::Secret::Password, None) => Some((Severity::Warning, Confidence::Medium)),
    }
}

pub(super) fn personal(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let configured = context.areas.patterns.iter().any(|(area, _)| *area == Area::PersonalData);
    let hits: Vec<(&Relation, Vec<String>, &Column)> = context
        .tables()
        .filter(|table| !context.area(table).is_some_and(Area::is_protected))
        .filter_map(|table| {
            let columns: Vec<&Column> =
                table.columns.iter().filter(|column| words::personal(column.name.as_str())).collect();
            let names = columns.iter().map(|column| column.name.to_string()).collect();
            columns.first().map(|first| (table, names, *first))
        })
        .collect();
    if configured {
        for (table, names, first) in &hits {
            found.push(
                context
                    .discovery(
                        &PERSONAL,
                        Subject::Column(table.id, first.id),
                        format!("{} holds {}, and no area says that it is personal data", table.name, names.join(", ")),
                    )
                    .confidence(Confidence::Medium)
                    .declared("the names of the columns; the configuration names other tables of personal data")
                    .advice(format!("Add {} to personal-data of [areas].", pattern(table)), Vec::new()),
            );
        }
        return;
    }
    let Some((table, _, first)) = hits.first() else { return };
    let list: Vec<String> = hits.iter().take(12).map(|(table, ..)| pattern(table)).collect();
    let more = if hits.len() > 12 { " and others" } else { "" };
    let mut discovery = context
        .discovery(
            &PERSONAL,
            Subject::Column(table.id, first.id),
            format!("tables that look as if they held personal data: {}; the configuration names no area", hits.len()),
        )
        .severity(Severity::Info)
        .confidence(Confidence::Medium)
        .declared(format!(
            "columns named {}{more}",
            hits.iter().flat_map(|(_, names, _)| names.clone()).take(8).collect::<Vec<_>>().join(", ")
        ))
        .advice(format!("In pgassay.toml: [areas] personal-data = [{}]{more}", list.join(", ")), Vec::new());
    for (table, _, column) in hits.iter().skip(1).take(11) {
        discovery = discovery.related(Subject::Column(table.id, column.id), "");
    }
    discovery.table = None;
    found.push(discovery);
}

/// The table as a pattern of [areas], which knows no quotes; strings of JSON are strings of TOML.
fn pattern(table: &Relation) -> String {
    let part = |name: &crate::change::Name| glob::Pattern::escape(name.as_str());
    let name = format!("{}.{}", part(&table.name.schema), part(&table.name.name));
    serde_json::Value::String(name).to_string()
}
