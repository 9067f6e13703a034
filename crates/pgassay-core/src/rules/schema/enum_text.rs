//! Text columns that hold one of a few words.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::facts::ColumnFacts;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::quoting::literal;
use crate::text::{numbers, secrets, words};

pub static RULE: Rule = Rule {
    name: "enum-in-text",
    category: Category::Types,
    severity: Severity::Info,
    summary: "A text column holds one of a few words, and nothing says which",
    explanation: "A status that is any text takes 'shiped' as well as 'shipped', and every reader has to guess the list. A CHECK with the list, added NOT VALID and validated while \
        others work, says it; so do a lookup table with a foreign key, and an enum type, to which values are easily added and never removed. Without statistics the rule \
        speaks of columns named status or state whose default is a word; with them of every text column with few values among many rows. Countries, currencies, languages, places and units are lists that others keep, and are not reported.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'new');",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'shipped')));",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for column in context.changed_columns(table).filter(|column| column.local && context.is_text(column)) {
            let guarded = keys::is_listed(context, table, column.id) || keys::is_foreign_key(table, column.id);
            let unique = keys::unique_keys(context, table).any(|(_, index)| index.columns[..] == [Some(column.id)]);
            if guarded || unique || column.generated.is_some() {
                continue;
            }
            if let Some(discovery) = measured(context, table, column).or_else(|| declared(context, table, column)) {
                found.push(discovery);
            }
        }
    }
}

fn named_state(column: &Column) -> bool {
    words::ends_with_word(column.name.as_str(), &["status", "state"])
}

/// The value of an attribute that another column names: `(entity, name, value)`.
pub(super) fn is_attribute_value(table: &Relation, column: &Column) -> bool {
    let named = |other: &Column| names_attribute(other) || names_its_attribute(other, column);
    holds_value(column) && table.columns.iter().any(|other| other.id != column.id && named(other))
}

/// Whether one column names the attribute whose value is in the other: `attribute` and `value`, `traitname` and `traitvalue`.
pub(super) fn names_its_attribute(name: &Column, value: &Column) -> bool {
    let of = |column: &Column, endings: &[&str]| {
        let name = column.name.as_str().to_ascii_lowercase();
        endings.iter().find_map(|end| name.strip_suffix(end).map(|stem| stem.trim_end_matches('_').to_owned()))
    };
    match (of(name, NAMES), of(value, &["value", "val"])) {
        (Some(one), Some(other)) => one == other || other.is_empty() && names_attribute(name),
        _ => false,
    }
}

/// The name of an attribute whose value is in another column: a new one is a new attribute, which is what such a table is for.
fn is_attribute_name(table: &Relation, column: &Column) -> bool {
    table.columns.iter().any(|other| {
        other.id != column.id && (names_attribute(column) && holds_value(other) || names_its_attribute(column, other))
    })
}

/// `value`, `attr_val`, `value_text`.
fn holds_value(column: &Column) -> bool {
    let words = words::words(column.name.as_str());
    let value = |word: Option<&String>| matches!(word.map(String::as_str), Some("value" | "val"));
    value(words.first()) || value(words.last())
}

/// How columns with the name of an attribute end.
const NAMES: &[&str] = &[
    "key",
    "attribute",
    "attr",
    "field",
    "name",
    "property",
    "prop",
    "code",
    "parameter",
    "param",
    "option",
    "setting",
    "metric",
];

fn names_attribute(column: &Column) -> bool {
    words::words(column.name.as_str()).last().is_some_and(|word| NAMES.contains(&word.as_str()))
}

fn declared(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    if context.column_facts(table, column).is_some() {
        return None;
    }
    let default =
        column.default.as_ref().filter(|default| default.text.starts_with('\'') && !default.text.starts_with("''"))?;
    named_state(column).then(|| {
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!("{}.{} takes any text", table.name, column.name),
            )
            .confidence(Confidence::Medium)
            .declared(format!("it starts as {}, and no CHECK or foreign key lists the others", default.text))
            .advice(
                format!(
                    "List what it may be: CHECK ({} IN ('…')), an enum type, or a table with a foreign key.",
                    column.name
                ),
                Vec::new(),
            )
    })
}

fn measured(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    let facts = context.column_facts(table, column)?;
    let rows = context.rows(table).filter(|rows| *rows >= 10_000.0)?;
    let kind = says_kind(column);
    let number = f64::from(facts.n_distinct);
    let covered = covered(facts);
    let common: Vec<String> = facts.common().map(|(value, _)| value).collect();
    if !is_closed(facts, kind) || !is_list_of_words(table, column, facts, &common, kind) {
        return None;
    }
    let values: Vec<String> = common.iter().map(|value| literal(value)).collect();
    let shown = !values.is_empty()
        && !context.area(table).is_some_and(|area| area.is_protected())
        && !words::personal(column.name.as_str());
    let sampled = sample_size(context, column).min(rows);
    let (text, steps) = if shown {
        (
            "Say which values there are, with those that the first step lists and those that code may still write: from the second step on INSERT and UPDATE of any other value fail.".to_owned(),
            list_values(context, table, column, &values),
        )
    } else {
        (
            format!(
                "Say which values there are: CHECK ({} IN ('…')), NOT VALID first, validated while others work.",
                column.name
            ),
            Vec::new(),
        )
    };
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!("{}.{} holds one of {number} values, and takes any text", table.name, column.name),
            )
            .confidence(if kind { Confidence::High } else { Confidence::Medium })
            .measured(format!(
                "{number} values cover {} of the {} rows that ANALYZE read, of {}, {} bytes on average{}",
                numbers::percent(covered.min(1.0)),
                numbers::count(sampled),
                numbers::count(rows),
                facts.average_width,
                match sampled < rows {
                    // Of what is in one row of n, a sample of 3n rows misses 5 % (the rule of three).
                    true => format!(
                        "; what is in fewer than 1 of {} rows may not be among them",
                        numbers::count((sampled / 3.0).floor())
                    ),
                    false => String::new(),
                }
            ))
            .advice(text, steps),
    )
}

/// Its name says that it holds one of a few kinds.
fn says_kind(column: &Column) -> bool {
    const KINDS: &[&str] = &[
        "type", "kind", "role", "level", "priority", "category", "method", "mode", "stage", "phase", "channel",
        "severity", "tier", "plan",
    ];
    named_state(column) || words::has_word(column.name.as_str(), KINDS)
}

/// The share of the rows that have one of the common values, or none.
fn covered(facts: &ColumnFacts) -> f64 {
    facts.most_common_frequencies.iter().map(|share| f64::from(*share)).sum::<f64>() + f64::from(facts.null_fraction)
}

/// All values are common ones: the list is closed.
fn is_closed(facts: &ColumnFacts, kind: bool) -> bool {
    let number = f64::from(facts.n_distinct);
    let few = (2.0..=20.0).contains(&number) && facts.most_common_frequencies.len() as f64 >= number;
    few && covered(facts) > 0.999 && (kind || number <= 10.0) && facts.average_width <= 32
}

/// Whether the values are words that somebody chose from. A list of words is not one word, an attribute's value is any, and '' is told
/// as one of two ways to say nothing.
fn is_list_of_words(table: &Relation, column: &Column, facts: &ColumnFacts, common: &[String], kind: bool) -> bool {
    let is_list = |value: &String| value.contains([',', ';', '|']) || value.starts_with(['{', '[']);
    if common.iter().any(is_list) || is_attribute_value(table, column) || is_attribute_name(table, column) {
        return false;
    }
    if common.iter().any(|value| value.trim().is_empty()) && facts.null_fraction > 0.0 {
        return false;
    }
    // What people write, or what the number of a thing is, is no list that somebody closed.
    let words_only = |value: &String| value.chars().any(|c| c.is_alphabetic()) && value.split_whitespace().count() <= 3;
    if !kind && !common.iter().all(words_only) {
        return false;
    }
    // Yes and no have another type, and a finding of their own.
    !super::values::is_yes_or_no(facts, column) && !is_list_of_others(column, common) && !is_secret(column, common)
}

/// What is there besides, and the CHECK.
fn list_values(context: &SchemaContext, table: &Relation, column: &Column, values: &[String]) -> Vec<FixStep> {
    let (own, list) = (&column.name, values.join(", "));
    let mut steps = vec![FixStep::any(format!(
        "SELECT {own}, count(*) FROM {} WHERE {own} NOT IN ({list}) GROUP BY {own};",
        table.name
    ))];
    let condition = format!("{own} IN ({list})");
    steps.extend(steps::check_constraint(context, table, &format!("{}_values", own.as_str()), &condition));
    steps
}

/// The rows that ANALYZE reads: 300 for each unit of the statistics target (std_typanalyze, analyze.c).
fn sample_size(context: &SchemaContext, column: &Column) -> f64 {
    let of_column = column.statistics_target.filter(|target| *target > 0).map(f64::from);
    let of_server = || context.facts?.setting("default_statistics_target")?.number();
    of_column.or_else(of_server).unwrap_or(100.0) * 300.0
}

/// Values of a list that others keep, and that grows: countries, currencies, languages, places, units, versions. A CHECK would have to
/// change with it.
fn is_list_of_others(column: &Column, values: &[String]) -> bool {
    const LISTS: &[&str] = &[
        "currency",
        "country",
        "nationality",
        "locale",
        "language",
        "lang",
        "tz",
        "timezone",
        "zone",
        "mime",
        "city",
        "town",
        "place",
        "region",
        "province",
        "county",
        "district",
        "unit",
        "uom",
        "version",
        "browser",
        "os",
        "brand",
        "model",
        "make",
        "manufacturer",
        "vendor",
        "supplier",
        "carrier",
        "airline",
        "airport",
        "port",
        "extension",
        "charset",
        "encoding",
        "engine",
    ];
    if words::has_word(column.name.as_str(), LISTS) {
        return true;
    }
    // Codes of countries, currencies and states of an address; en-GB; image/png; Europe/London.
    let is_code = |value: &str| (2..=3).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_locale = |value: &str| {
        value.split_once(['-', '_']).is_some_and(|(language, country)| {
            language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase()) && is_code(country)
        })
    };
    let is_path =
        |value: &str| value.split_once('/').is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
    let all = |fits: &dyn Fn(&str) -> bool| !values.is_empty() && values.iter().all(|value| fits(value));
    !words::has_word(column.name.as_str(), &["status", "type", "kind"]) && all(&is_code)
        || all(&is_locale)
        || all(&is_path)
}

/// What must not be in the text of a constraint.
fn is_secret(column: &Column, values: &[String]) -> bool {
    words::secret(column.name.as_str()).is_some() || values.iter().any(|value| secrets::kind_of(value).is_some())
}
