//! Secrets that can be read, and personal data that nobody has marked.

use super::{Discovery, SchemaContext};
use crate::area::Area;
use crate::contract::Subject;
use crate::facts::ColumnFacts;
use crate::finding::{Category, Confidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::words::Secret;
use crate::text::{secrets, words};

pub static SECRET: Rule = Rule {
    name: "plaintext-secret",
    category: Category::Safety,
    severity: Severity::Error,
    summary: "A column looks as if it held a password, token or key in plain text",
    explanation: "Whoever reads a backup, a replica, a log of queries or a copy for tests has all of them. Passwords belong into a hash made for them; tokens and keys that are only \
        compared belong into a SHA-256; those that have to be used again are encrypted with a key kept elsewhere. The rule goes by the values that ANALYZE kept, where they have the shape that those who hand out tokens and keys give them, or that of a card number; then by the name, and by the width in the statistics: \
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
        for column in context.changed_columns(table).filter(|column| column.local) {
            // The finding belongs to the table that the key points at.
            if table.foreign_keys().any(|(_, key)| key.columns.contains(&column.id)) {
                continue;
            }
            let facts = context.column_facts(table, column).filter(|facts| facts.null_fraction < 1.0);
            let told = by_values(context, column, facts).or_else(|| by_name(context, table, column, facts));
            found.extend(told.map(|told| told.tell(context, table, column)));
        }
    }
}

/// What a column holds, and how that is known.
struct Told<'a> {
    kind: Secret,
    severity: Severity,
    confidence: Confidence,
    facts: Option<&'a ColumnFacts>,
    /// The values show it, whatever the name is.
    by_values: bool,
}

/// Values have the shape of secrets, or of card numbers.
fn by_values<'a>(context: &SchemaContext, column: &Column, facts: Option<&'a ColumnFacts>) -> Option<Told<'a>> {
    let is_number = matches!(context.type_name(column), Some("int8" | "numeric"));
    if !is_number && !holds_text(context, column) {
        return None;
    }
    let kind = secrets::kind_of_all(&known_values(facts?))?;
    let severity = if kind == Secret::CardNumber { Severity::Error } else { Severity::Warning };
    Some(Told { kind, severity, confidence: Confidence::High, facts, by_values: true })
}

fn by_name<'a>(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    facts: Option<&'a ColumnFacts>,
) -> Option<Told<'a>> {
    let mut kind = words::secret(column.name.as_str()).filter(|_| holds_text(context, column))?;
    // Whoever holds a lock, or reads on, shows a token that opens nothing.
    if column.name == "token" && words::has_word(table.name.name.as_str(), OF_LOCKS) {
        return None;
    }
    let fast = |facts: &ColumnFacts| {
        let values = known_values(facts);
        !values.is_empty() && values.iter().all(|value| secrets::is_fast_hash(value))
    };
    if kind == Secret::Password && facts.is_some_and(fast) {
        kind = Secret::FastHash;
    }
    let (severity, confidence) = weigh(kind, facts, column)?;
    Some(Told { kind, severity, confidence, facts, by_values: false })
}

impl Told<'_> {
    fn tell(&self, context: &SchemaContext, table: &Relation, column: &Column) -> Discovery {
        let is = if self.by_values { "holds" } else { "looks like" };
        let message = match self.kind {
            Secret::FastHash => {
                format!("{}.{} keeps passwords as a hash that is made to be fast", table.name, column.name)
            }
            kind => format!("{}.{} {is} {} in plain text", table.name, column.name, words_for(kind)),
        };
        let discovery = context
            .discovery(&SECRET, Subject::Column(table.id, column.id), message)
            .severity(self.severity)
            .confidence(self.confidence)
            .advice(advice(self.kind), Vec::new());
        let Some(facts) = self.facts else {
            return discovery.declared(format!("the name of the column, and its type {}", column.data_type.written));
        };
        if self.by_values {
            return discovery.measured(format!(
                "the values that ANALYZE kept have the shape of {}; type {}",
                match self.kind {
                    Secret::CardNumber => "card numbers: a scheme's beginning and length, and the check digit",
                    Secret::OneTime => "seeds of one-time codes (otpauth)",
                    _ => "tokens or keys that somebody hands out, or of addresses with a password",
                },
                column.data_type.written
            ));
        }
        discovery.declared(format!("the name of the column, and its type {}", column.data_type.written)).measured(
            format!(
                "values take {} bytes on average, and {}",
                facts.average_width,
                match self.kind {
                    Secret::Password => "a hash of a password takes 60 or more",
                    Secret::FastHash => "are 32 or 40 hexadecimal digits, as MD5 and SHA-1 give",
                    Secret::CardNumber if are_card_numbers(facts) == Some(true) =>
                        "those that are known have the check digit of a card",
                    _ => "nothing shows that they are hashes",
                }
            ),
        )
    }
}

fn words_for(kind: Secret) -> &'static str {
    match kind {
        Secret::Password | Secret::FastHash => "a password",
        Secret::Token => "a secret",
        Secret::SecurityCode => "a card's security code",
        Secret::CardNumber => "the whole number of a payment card",
        Secret::OneTime => "a secret that proves a login or a reset",
    }
}

fn advice(kind: Secret) -> &'static str {
    match kind {
        Secret::Password => {
            "Store a hash made for passwords (argon2id, scrypt, bcrypt) in a column named so, and drop this one once every row has it. If it holds hashes already, name it so."
        }
        Secret::FastHash => {
            "MD5 and SHA-1 are tried billions of times a second: whoever has a copy of the table has most passwords. Store a hash made for passwords (argon2id, scrypt, bcrypt), of the old hash until each user has logged in again."
        }
        Secret::SecurityCode => {
            "Keep it no longer than the payment takes: the rules of the card schemes (PCI DSS 3.3) forbid to store it afterwards, encrypted or not."
        }
        Secret::CardNumber => {
            "Keep the token that the payment provider gives for it, and the last four digits; a stored number has to be unreadable (PCI DSS 3.5), in backups too."
        }
        Secret::OneTime => {
            "Store the SHA-256 of a token or code that is only compared, with the moment at which it expires; a seed is encrypted with a key kept outside the database."
        }
        Secret::Token => {
            "If it is only compared, store its SHA-256 (in bytea, with a unique index); if it is used again, encrypt it with a key kept outside the database. If it holds neither, name it so."
        }
    }
}

/// Some of the values that ANALYZE kept.
fn known_values(facts: &ColumnFacts) -> Vec<String> {
    let histogram = facts.histogram.iter().flat_map(|values| values.values());
    facts.common().map(|(value, _)| value).chain(histogram).take(200).collect()
}

/// Tables whose tokens only say who goes on.
const OF_LOCKS: &[&str] = &["lock", "lease", "cursor", "stream", "sync", "worker", "mutex", "semaphore"];

/// Text, or a list of texts.
fn holds_text(context: &SchemaContext, column: &Column) -> bool {
    let written = &context.schema.base_type(&column.data_type).written;
    context.is_text(column)
        || written.array_dimensions > 0 && matches!(written.name.as_str(), "text" | "varchar" | "citext")
}

/// Whether what is known of the values says that they are numbers of payment cards; none where no value is known.
fn are_card_numbers(facts: &ColumnFacts) -> Option<bool> {
    let values = known_values(facts);
    let fits = values.iter().filter(|value| secrets::is_card_number(value)).count();
    (!values.is_empty()).then_some(fits * 2 >= values.len())
}

/// None where the statistics show hashes. Widths: bcrypt 60; SHA-256 in hexadecimal 64; PBKDF2, scrypt and argon2 with their
/// parameters 77 and more. Each has a byte of length besides.
fn weigh(kind: Secret, facts: Option<&ColumnFacts>, column: &Column) -> Option<(Severity, Confidence)> {
    let hashes = |facts: &ColumnFacts| {
        let prefixed = facts
            .common()
            .any(|(value, _)| value.starts_with("$2") || value.starts_with("$argon") || value.starts_with("pbkdf2"));
        prefixed || facts.average_width >= 60
    };
    match (kind, facts) {
        (Secret::Password, Some(facts)) if hashes(facts) => None,
        (Secret::Password, Some(_)) => Some((Severity::Warning, Confidence::High)),
        // Hexadecimal SHA-256 takes 64 bytes and one for the length.
        (Secret::Token | Secret::OneTime, Some(facts)) if (64..=66).contains(&facts.average_width) => None,
        (Secret::SecurityCode, _) => Some((Severity::Error, Confidence::High)),
        (Secret::CardNumber, Some(facts)) => match are_card_numbers(facts) {
            Some(true) => Some((Severity::Error, Confidence::High)),
            Some(false) => None,
            None => Some((Severity::Warning, Confidence::Medium)),
        },
        (Secret::CardNumber, None) => Some((Severity::Warning, Confidence::Medium)),
        (Secret::FastHash, Some(_)) => Some((Severity::Warning, Confidence::High)),
        (Secret::FastHash, None) => Some((Severity::Warning, Confidence::Medium)),
        (Secret::OneTime, _) => Some((Severity::Warning, Confidence::Medium)),
        (Secret::Token, _) => Some((Severity::Warning, Confidence::Medium)),
        (Secret::Password, None) if column.name == "password" => Some((Severity::Info, Confidence::Low)),
        (Secret::Password, None) => Some((Severity::Warning, Confidence::Medium)),
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
