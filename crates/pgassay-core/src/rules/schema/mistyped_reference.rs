//! Columns named after a table whose type cannot reference its key: what `missing-foreign-key` says of them.

use super::ask::keys;
use super::missing_foreign_key::{RULE, Tables, is_polymorphic, single_key, was_there};
use super::{Discovery, SchemaContext, idempotency};
use crate::contract::Subject;
use crate::facts::ValueList;
use crate::finding::{Confidence, FixStep, Severity};
use crate::schema::{Column, Relation};
use crate::text::words;

/// Columns named after a table of the same schema, whose type cannot reference its key.
pub(super) fn columns<'a>(
    context: &SchemaContext<'a>,
    tables: &Tables<'a>,
) -> Vec<(&'a Relation, &'a Column, &'a Relation)> {
    let named_after = |(table, column): (&'a Relation, &'a Column)| {
        let own = context.type_name(column)?;
        if !matches!(own, "text" | "varchar" | "bpchar" | "numeric") || idempotency::is_from_outside(column) {
            return None;
        }
        // What others deliver is numbered by them.
        if idempotency::takes_deliveries(table.name.name.as_str()) {
            return None;
        }
        let target = named_by(tables, table, column).filter(|target| target.id != table.id)?;
        let key = context.type_name(single_key(target)?)?;
        // Another unique column may be what it names.
        let names_another = keys::unique_keys(context, target).any(|(_, index)| {
            let of = index.columns.first().copied().flatten().and_then(|id| target.column_by_id(id));
            of.is_some_and(|column| {
                const IDENTIFIERS: &[&str] =
                    &["id", "uid", "uuid", "key", "code", "number", "no", "reference", "ref", "slug"];
                (context.type_name(column) == Some(own) || context.is_text(column))
                    && words::ends_with_word(column.name.as_str(), IDENTIFIERS)
            })
        });
        (matches!(key, "int4" | "int8" | "uuid") && !names_another).then_some((table, column, target))
    };
    let columns = context.tables().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .filter(|(table, column)| !keys::is_foreign_key(table, column.id) && !was_there(context, table, column))
        .filter(|(table, column)| !is_polymorphic(table, column) && keys::primary_key(table) != [column.id])
        .filter_map(named_after)
        .collect()
}

/// The table that a column is named after: `order_id`, or with the name of its key `vessel_imo`.
fn named_by<'a>(tables: &Tables<'a>, table: &Relation, column: &Column) -> Option<&'a Relation> {
    let name = column.name.as_str();
    let named = |stem: &str| tables.named(&table.name.schema, &words::joined(stem));
    if let Some(stem) = name.strip_suffix("_id") {
        return named(stem);
    }
    name.match_indices('_').find_map(|(at, _)| {
        named(&name[..at]).filter(|target| single_key(target).is_some_and(|key| key.name.as_str() == &name[at + 1..]))
    })
}

pub(super) fn discovery(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    target: &Relation,
) -> Option<Discovery> {
    let key = single_key(target)?;
    let is_uuid = context.type_name(key) == Some("uuid");
    let is_key = |value: &String| match is_uuid {
        true => value.len() == 36 && value.chars().all(|c| c.is_ascii_hexdigit() || c == '-'),
        false => value.chars().all(|c| c.is_ascii_digit()),
    };
    let facts = context.column_facts(table, column);
    let common = facts.and_then(|facts| facts.most_common_values.as_ref());
    let known = common.into_iter().chain(facts.and_then(|facts| facts.histogram.as_ref()));
    let known: Vec<String> = known.flat_map(ValueList::values).collect();
    if !known.iter().all(is_key) {
        return None;
    }
    let (name, own, other) = (&column.name, &column.data_type.written, &key.data_type.written);
    let refused = match (is_uuid, context.version.at_least(16)) {
        (_, true) => format!("NOT pg_input_is_valid({name}::text, '{other}')"),
        (true, false) => format!("{name}::text !~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'"),
        (false, false) => format!("{name}::text !~ '^[0-9]+$'"),
    };
    let count = FixStep::any(format!("SELECT count(*) FROM {} WHERE {refused};", table.name));
    let mut discovery = context
        .discovery(
            &RULE,
            Subject::Column(table.id, column.id),
            format!(
                "{}.{name} looks like a reference to {} and is {own}, where {} is {other}: no foreign key can be on it, and joins cast it",
                table.name, target.name, key.name
            ),
        )
        .severity(if known.is_empty() { Severity::Info } else { Severity::Warning })
        .confidence(if known.is_empty() { Confidence::Low } else { Confidence::Medium })
        .declared(format!("the names, and the types: {own} and {other}"))
        .related(Subject::Relation(target.id), "the table it is named after")
        .when_new(format!("Make it {other} REFERENCES {}.", target.name))
        .advice(
            format!("Settle what the step counts, change the type to {other} (pgassay check shows how for a table in use), then add the foreign key:"),
            vec![count],
        );
    if !known.is_empty() {
        discovery = discovery.measured(format!("all {} values in its statistics are a {other}", known.len()));
    }
    Some(discovery)
}
