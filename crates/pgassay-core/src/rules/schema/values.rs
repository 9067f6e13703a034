//! Columns whose values are of another type than the column: dates, numbers, documents and lists in text.
//!
//! What is known of the values decides, not the name: the common values and the histogram bounds of ANALYZE.

use super::ask::keys;
use super::{Discovery, SchemaContext, enum_text};
use crate::contract::Subject;
use crate::facts::ColumnFacts;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::{numbers, words};

pub static RULE: Rule = Rule {
    name: "type-unlike-values",
    category: Category::Types,
    severity: Severity::Info,
    summary: "A text column holds only dates, numbers, documents, lists or yes and no; a phone number is a number",
    explanation: "As text '1987-04-31' is a date, '10' comes before '9', and every query casts, each in its own way, past the index. A list in one text finds nothing by its words without reading every row, and no foreign key checks them. \
        Known from what ANALYZE has seen: every common value and every histogram bound has that shape. A phone number as a number loses its leading zeros and its plus.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE riders (id bigint PRIMARY KEY, birth_date text NOT NULL);\n\
            -- measured: table public.riders rows=90000 bytes=9000000\n-- measured: column public.riders.birth_date distinct=18000 width=11 bounds=1955-01-02,1960-05-11,1965-03-09,1970-01-30,1975-11-30,1980-02-01,1985-07-01,1990-12-24,1995-08-08,2001-01-01",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE riders (id bigint PRIMARY KEY, born text NOT NULL);\n\
            -- measured: table public.riders rows=90000 bytes=9000000\n-- measured: column public.riders.born distinct=18000 width=11 bounds=1955-01-02,unknown,c. 1965,1970-01-30,1975,1980-02-01,1985,before 1990,1995-08-08,2001-01-01",
    },
};

/// Fewer different values show no shape.
const FEWEST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Date,
    Timestamp,
    Whole,
    Decimal,
    Json,
    List(char),
    YesNo,
}

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for column in table.columns.iter().filter(|column| column.local && column.generated.is_none()) {
            let guarded = keys::has_check(context, table, column.id) || keys::is_foreign_key(table, column.id);
            if guarded {
                continue;
            }
            let discovery = match context.is_text(column) {
                true => text(context, table, column),
                false => phone(context, table, column),
            };
            found.extend(discovery);
        }
    }
}

fn text(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    context.rows(table).filter(|rows| *rows >= 1000.0)?;
    // A value of an attribute is of any type: that table has its own finding.
    if enum_text::is_attribute_value(table, column) {
        return None;
    }
    let facts = context.column_facts(table, column)?;
    let (shape, values) = shape(facts, column)?;
    let (name, own) = (&table.name, &column.name);
    let (holds, better, cast) = match shape {
        Shape::Date => ("dates as text", "date", Some("date")),
        Shape::Timestamp => ("moments as text", "timestamptz", Some("timestamptz")),
        Shape::Whole => ("whole numbers as text", "bigint", Some("bigint")),
        Shape::Decimal => ("numbers as text", "numeric", Some("numeric")),
        Shape::Json => ("JSON documents as text", "jsonb", Some("jsonb")),
        Shape::List(_) => ("lists of words in one text", "text[], or a table with a row for each word", None),
        Shape::YesNo => ("yes and no as text", "boolean", None),
    };
    let steps = cast.map(|cast| vec![FixStep::any(example(context, table, column, cast))]).unwrap_or_default();
    let steps = if context.version.at_least(16) { steps } else { Vec::new() };
    let first = if steps.is_empty() { "" } else { " The first step counts the rows that are not." };
    Some(
        context
            .discovery(&RULE, Subject::Column(table.id, column.id), format!("{name}.{own} holds {holds}"))
            .confidence(if values >= 30 { Confidence::High } else { Confidence::Medium })
            .measured(format!(
                "all {values} values that ANALYZE kept (common ones and histogram bounds) have that shape; type {}",
                column.data_type.written
            ))
            .advice(
                format!("Use {better}. Add the column, let the application write both, fill it in batches, then change the readers.{first}"),
                steps,
            ),
    )
}

/// Rows whose text is no value of the type (pg_input_is_valid, 16 and later).
fn example(_: &SchemaContext, table: &Relation, column: &Column, cast: &str) -> String {
    format!("SELECT count(*) FROM {} WHERE NOT pg_input_is_valid({}, '{cast}');", table.name, column.name)
}

/// The shape that all known values have, and how many there are.
fn shape(facts: &ColumnFacts, column: &Column) -> Option<(Shape, usize)> {
    let mut values: Vec<String> = facts.common().map(|(value, _)| value).collect();
    values.extend(facts.histogram.iter().flat_map(|histogram| histogram.values()));
    values.retain(|value| !value.is_empty());
    values.sort();
    values.dedup();
    let all = |fits: &dyn Fn(&str) -> bool| values.iter().all(|value| fits(value));
    if (2..=4).contains(&values.len()) && all(&is_yes_or_no) {
        return Some((Shape::YesNo, values.len()));
    }
    if values.len() < FEWEST.min(6) {
        return None;
    }
    if values.len() >= FEWEST {
        let shape =
            [(Shape::Date, &is_date as &dyn Fn(&str) -> bool), (Shape::Timestamp, &is_moment), (Shape::Json, &is_json)];
        if let Some((shape, _)) = shape.iter().find(|(_, fits)| all(fits)) {
            return Some((*shape, values.len()));
        }
        // What is only ever named is no number to calculate with: codes, phone numbers, keys of others.
        let counts = words::has_word(
            column.name.as_str(),
            &[
                "quantity", "qty", "count", "age", "year", "score", "weight", "height", "width", "length", "size",
                "level", "rank", "position", "duration", "number", "percent",
            ],
        ) && !words::has_word(
            column.name.as_str(),
            &["phone", "code", "account", "card", "house", "serial", "reference"],
        ) || words::is_amount(column.name.as_str());
        if counts && all(&|value| value.parse::<i64>().is_ok()) {
            return Some((Shape::Whole, values.len()));
        }
        if counts && all(&|value| value.parse::<f64>().is_ok()) {
            return Some((Shape::Decimal, values.len()));
        }
    }
    [',', ';', '|'].into_iter().find(|mark| is_list(&values, *mark)).map(|mark| (Shape::List(mark), values.len()))
}

/// Words that come again in several values, between commas without a blank behind them or with one: no sentences.
fn is_list(values: &[String], mark: char) -> bool {
    let parts = |value: &str| value.split(mark).map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let is_word = |part: &String| !part.is_empty() && part.len() <= 24 && part.split_whitespace().count() <= 2;
    let lists = values.iter().filter(|value| value.contains(mark)).count();
    if lists * 2 < values.len() || lists < 3 || !values.iter().all(|value| parts(value).iter().all(is_word)) {
        return false;
    }
    let all: Vec<String> = values.iter().flat_map(|value| parts(value)).collect();
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    different.len() * 2 <= all.len()
}

fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let number = |range: std::ops::Range<usize>| value[range].parse::<u32>().unwrap_or(0);
    value.is_ascii()
        && bytes.len() == 10
        && (digits(0..4) && bytes[4] == b'-' && bytes[7] == b'-' && digits(5..7) && digits(8..10))
        && (1..=12).contains(&number(5..7))
        && (1..=31).contains(&number(8..10))
}

fn is_moment(value: &str) -> bool {
    value.is_ascii()
        && value.len() >= 16
        && is_date(&value[..10])
        && matches!(value.as_bytes()[10], b'T' | b' ')
        && value.as_bytes()[13] == b':'
}

fn is_json(value: &str) -> bool {
    value.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(value).is_ok()
}

fn is_yes_or_no(value: &str) -> bool {
    ["y", "n", "yes", "no", "true", "false", "t", "f", "j"].iter().any(|it| value.eq_ignore_ascii_case(it))
}

fn phone(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    let number = matches!(context.type_name(column), Some("int4" | "int8" | "numeric"));
    let named = words::ends_with_word(column.name.as_str(), &["phone", "telephone", "mobile", "fax", "msisdn"])
        || words::joined(column.name.as_str()).ends_with("phone_number");
    (number && named).then(|| {
        let mut discovery = context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!("{}.{} keeps a phone number as a number", table.name, column.name),
            )
            .severity(Severity::Info)
            .confidence(Confidence::High)
            .declared(format!("type {}: a leading zero and the plus of a country are lost", column.data_type.written))
            .advice("Use text, with the number as it is dialled from abroad (E.164: +49301234567), and a CHECK that says so.", Vec::new());
        if let Some(rows) = context.rows(table) {
            discovery = discovery.measured(format!("{} rows", numbers::count(rows)));
        }
        discovery
    })
}
