//! Columns whose values are of another type than the column: dates, numbers, documents and lists in text.
//!
//! What is known of the values decides, not the name: the common values and the histogram bounds of ANALYZE.

use std::collections::BTreeSet;

use super::ask::keys;
use super::ask::shapes::{self, FEWEST, Shape};
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
        Known from what ANALYZE has seen: every common value and every histogram bound has that shape. A phone number as a number loses its leading zeros and its plus. Where each attribute of a thing is a row (thing, attribute, value), numbers, dates and words share one text.",
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

/// Fewer rows show how a table began.
const FEWEST_ROWS: f64 = 1000.0;

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        for column in table.columns.iter().filter(|column| column.local && column.generated.is_none()) {
            let guarded = keys::has_check(context, table, column.id) || keys::is_foreign_key(table, column.id);
            if guarded {
                continue;
            }
            let discovery = match context.is_text(column) {
                true => text(context, table, column),
                false => phone(context, table, column).or_else(|| number(context, table, column)),
            };
            found.extend(discovery);
        }
    }
}

fn text(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    let rows = context.rows(table)?;
    let facts = context.column_facts(table, column)?;
    // A value of an attribute is of any type.
    if enum_text::is_attribute_value(table, column) {
        return attributes(context, table, column, facts).filter(|_| rows >= FEWEST_ROWS);
    }
    let (shape, values) = shape(facts, column)?;
    // Twenty days are days in a small table too; that a list comes again, or a number, shows in many rows.
    let unmistakable = matches!(
        shape,
        Shape::Date
            | Shape::Timestamp
            | Shape::WrittenDate
            | Shape::WrittenMoment
            | Shape::Uuid
            | Shape::Json
            | Shape::Address
    );
    if rows < FEWEST_ROWS && !(unmistakable && values >= 20) {
        return None;
    }
    let (name, own) = (&table.name, &column.name);
    let (holds, better, cast) = match shape {
        Shape::Date => ("dates as text", "date", Some("date")),
        Shape::WrittenDate => ("dates as text", "date (to_date, with the pattern in which they are written)", None),
        Shape::WrittenMoment => {
            ("moments as text", "timestamptz (to_timestamp, with the pattern in which they are written)", None)
        }
        Shape::Uuid => ("UUIDs as text", "uuid: 16 bytes for 37, and one way to write each", Some("uuid")),
        Shape::Address => ("addresses of the internet as text", "inet", Some("inet")),
        Shape::DecimalComma => ("numbers as text, with a comma before the decimals", "numeric", None),
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

/// One row for each attribute of a thing (entity, attribute, value), where the values of the attributes are of several types.
fn attributes(context: &SchemaContext, table: &Relation, column: &Column, facts: &ColumnFacts) -> Option<Discovery> {
    let attribute =
        table.columns.iter().find(|other| other.id != column.id && enum_text::names_its_attribute(other, column))?;
    // Settings of the whole program have no thing that they are about.
    let entity = table.columns.iter().find(|other| keys::is_foreign_key(table, other.id))?;
    let values = known(facts);
    let kinds: BTreeSet<&str> = values.iter().map(|value| shapes::kind(value)).collect();
    if kinds.len() < 3 {
        return None;
    }
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
    let (name, own) = (&table.name, &column.name);
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!(
                    "{name}.{own} holds the values of attributes of several types, one row for each ({}, {})",
                    entity.name, attribute.name
                ),
            )
            .confidence(Confidence::High)
            .declared(format!("({}, {}, {own}): a thing, the name of an attribute, and its value as text", entity.name, attribute.name))
            .measured(format!("among the {} values that ANALYZE kept are {kinds}", values.len()))
            .advice(
                "Make the attributes that most things have columns, each with its type and its CHECK; keep the rest in one jsonb column beside them. A query for two attributes then reads one row and joins nothing.",
                Vec::new(),
            ),
    )
}

/// Rows whose text is no value of the type (pg_input_is_valid, 16 and later).
fn example(_: &SchemaContext, table: &Relation, column: &Column, cast: &str) -> String {
    format!("SELECT count(*) FROM {} WHERE NOT pg_input_is_valid({}, '{cast}');", table.name, column.name)
}

/// The different values that ANALYZE kept.
fn known(facts: &ColumnFacts) -> Vec<String> {
    let mut values: Vec<String> = facts.common().map(|(value, _)| value).collect();
    values.extend(facts.histogram.iter().flat_map(|histogram| histogram.values()));
    values.retain(|value| !value.is_empty());
    values.sort();
    values.dedup();
    values
}

/// The shape that all known values have, and how many there are.
fn shape(facts: &ColumnFacts, column: &Column) -> Option<(Shape, usize)> {
    let values = known(facts);
    shapes::of(&values, column.name.as_str(), facts.n_distinct).map(|shape| (shape, values.len()))
}

/// Whether a column holds yes and no, which is told here and not as a list of words.
pub(super) fn is_yes_or_no(facts: &ColumnFacts, column: &Column) -> bool {
    matches!(shape(facts, column), Some((Shape::YesNo, _)))
}

/// A number of which all known values are days, or that says yes or no.
fn number(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    if !matches!(context.type_name(column), Some("int2" | "int4" | "int8")) {
        return None;
    }
    context.rows(table).filter(|rows| *rows >= FEWEST_ROWS)?;
    let facts = context.column_facts(table, column)?;
    let named_question = words::words(column.name.as_str())
        .first()
        .is_some_and(|first| ["is", "has", "can", "was", "should", "may", "allows", "needs"].contains(&first.as_str()));
    let mut values: Vec<String> = facts.common().map(|(value, _)| value).collect();
    values.extend(facts.histogram.iter().flat_map(|histogram| histogram.values()));
    let is_bit = |value: &String| matches!(value.as_str(), "0" | "1");
    let of_two = || facts.histogram.is_none() && values.len() == 2 && values.iter().all(is_bit);
    let (holds, better) = if values.len() >= FEWEST && values.iter().all(|value| shapes::is_day_in_digits(value)) {
        ("dates as numbers", "date")
    } else if named_question && of_two() {
        ("yes and no as a number", "boolean")
    } else if !counts_something(column) && of_two() {
        ("0 and 1 and nothing else", "boolean, if they mean no and yes,")
    } else {
        return None;
    };
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!("{}.{} holds {holds}", table.name, column.name),
            )
            .confidence(if named_question { Confidence::Medium } else { Confidence::Low })
            .measured(format!(
                "all {} values that ANALYZE kept (common ones and histogram bounds) have that shape; type {}",
                values.len(),
                column.data_type.written
            ))
            .advice(
                format!("Use {better}. Add the column, let the application write both, fill it in batches, then change the readers."),
                Vec::new(),
            ),
    )
}

/// A number that was 0 and 1 so far: how many, which one of several, how far.
fn counts_something(column: &Column) -> bool {
    const COUNTS: &[&str] = &[
        "count",
        "number",
        "no",
        "num",
        "quantity",
        "qty",
        "level",
        "version",
        "status",
        "state",
        "type",
        "kind",
        "priority",
        "attempt",
        "position",
        "order",
        "rank",
        "stage",
        "step",
        "score",
        "index",
        "offset",
        "id",
        "code",
        "size",
        "weight",
        "total",
        "amount",
        "sum",
        "year",
        "age",
        "sequence",
        "seq",
        "ordinal",
        "mode",
        "category",
        "role",
        "group",
        "class",
        "grade",
        "phase",
        "generation",
        "depth",
        "retry",
        "limit",
        "max",
        "min",
        "page",
        "line",
        "row",
        "bit",
        "mask",
        "digit",
        "revision",
        "epoch",
        "shard",
        "sort",
        "severity",
    ];
    let words = words::words(column.name.as_str());
    // "errors", "retries": several of something.
    let several = words.last().is_some_and(|last| *words::singular(last) != **last);
    several || words::has_word(column.name.as_str(), COUNTS)
}

fn phone(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Discovery> {
    let number = matches!(context.type_name(column), Some("int4" | "int8" | "numeric"));
    let words = words::words(column.name.as_str());
    let stem = match words.split_last() {
        Some((last, stem)) if ["number", "no", "nr", "num"].contains(&last.as_str()) => stem,
        _ => &words[..],
    };
    let phones = ["phone", "telephone", "tel", "mobile", "cell", "cellphone", "landline", "fax", "msisdn"];
    let named = stem.last().is_some_and(|last| phones.contains(&last.as_str()));
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
