//! Tables that take what others send more than once.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext, missing_foreign_key};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation};
use crate::text::words;

pub static EVENT: Rule = Rule {
    name: "event-without-key",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A table of outside events has no unique key on the sender's id, or a nullable one",
    explanation: "Webhooks, payment notifications and messages are delivered at least once: the same event comes again after a timeout. Only a unique key on the id that the \
        sender gave it (with the sender's name, where there are several) makes the second delivery a conflict instead of a second charge. NULLs are all different to \
        a unique key, so a nullable id lets through what has none; short numbers of several senders need the sender in the key. The rule goes by names: tables of webhooks, callbacks, inboxes and payments, and columns such as \
        event_id, external_id, stripe_charge_id, idempotency_key.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE webhook_events (id bigint PRIMARY KEY, provider text NOT NULL, event_id text NOT NULL, received_at timestamptz NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE webhook_events (id bigint PRIMARY KEY, provider text NOT NULL, event_id text NOT NULL, received_at timestamptz NOT NULL, UNIQUE (provider, event_id));",
    },
};

pub(super) fn events(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let tables = missing_foreign_key::Tables::of(context);
    for table in context.tables() {
        let name = table.name.name.as_str();
        let inbox = is_inbox(context, table);
        if !inbox
            && !words::has_word(
                name,
                &[
                    "payment",
                    "charge",
                    "refund",
                    "payout",
                    "transaction",
                    "transfer",
                    "event",
                    "message",
                    "notification",
                ],
            )
        {
            continue;
        }
        let mut ids: Vec<&Column> =
            table.columns.iter().filter(|column| is_outside_id(context, table, column, inbox)).collect();
        ids.retain(|column| tables.target(context, table, column).is_none());
        // A delivery is kept apart by one of its ids: that one is told, or the first if none does.
        if inbox && ids.len() > 1 {
            let kept = ids.iter().position(|id| {
                keys::unique_keys(context, table).any(|(_, index)| keeps_apart(context, table, index, id))
            });
            ids = vec![ids[kept.unwrap_or(0)]];
        }
        if ids.is_empty() {
            if inbox
                && has_content(context, table)
                && !sends_webhooks(context, table)
                && !has_key_in_content(context, table)
            {
                found.push(
                    context
                        .discovery(&EVENT, Subject::Relation(table.id), format!("{} has no column for the id that the sender gives an event: a second delivery is a second event", table.name))
                        .severity(Severity::Info)
                        .confidence(Confidence::Low)
                        .declared("the name of the table, and the names of its columns")
                        .advice("Store the sender's id of every event in a NOT NULL column with a unique key.", Vec::new()),
                );
            }
            continue;
        }
        for column in ids {
            judge_id(context, table, column, inbox, found);
        }
    }
}

fn judge_id(context: &SchemaContext, table: &Relation, column: &Column, inbox: bool, found: &mut Vec<Discovery>) {
    let key = keys::unique_keys(context, table).find(|(_, index)| keeps_apart(context, table, index, column));
    let confidence = if inbox { Confidence::High } else { Confidence::Medium };
    let subject = Subject::Column(table.id, column.id);
    let sender = sender(table, column);
    // Two tenants' senders give the same numbers: whose event it is belongs into the key.
    let tenant = tenant(context, table).filter(|tenant| tenant.id != column.id);
    let mut parts: Vec<&Column> = tenant.into_iter().chain(sender).collect();
    parts.dedup_by_key(|part| part.id);
    parts.push(column);
    let columns = parts.iter().map(|part| part.name.to_string()).collect::<Vec<_>>().join(", ");
    match key {
        None => {
            let steps = steps::unique_index(context, table, &columns, "key", None);
            let nullable = if column.not_null.enforced() { "" } else { "; it is nullable besides" };
            found.push(
                context
                    .discovery(&EVENT, subject, format!("{}.{} is not unique: an event that is delivered twice is stored twice{nullable}", table.name, column.name))
                    .confidence(confidence)
                    .declared("no unique key on it; that it is the sender's id is read from its name")
                    .when_new(key_advice(context, table, &columns).unwrap_or_else(|| format!("Add UNIQUE ({columns}), and INSERT … ON CONFLICT DO NOTHING.")))
                    .advice(key_advice(context, table, &columns).unwrap_or_else(|| "Settle what the first step lists, build the key while others work, and INSERT … ON CONFLICT DO NOTHING:".to_owned()), steps),
            );
        }
        Some((index, of)) if inbox && lets_null_pass(of, column) => {
            found.push(
                context
                    .discovery(
                        &EVENT,
                        subject,
                        format!(
                            "{}.{} may be NULL, and the key {} lets every NULL through",
                            table.name, column.name, index.name.name
                        ),
                    )
                    .confidence(confidence)
                    .declared("a unique key takes NULLs as different")
                    .when_new(format!("Make {} NOT NULL.", column.name))
                    .advice(
                        "Require it, once the rows without it, which the first step counts, are settled:",
                        required(context, table, column),
                    ),
            );
        }
        Some((index, of)) if inbox => {
            let left_out = parts.iter().find(|part| part.id != column.id && !of.columns.contains(&Some(part.id)));
            found.extend(left_out.and_then(|part| without_sender(context, table, column, part, index)));
        }
        Some(_) => {}
    }
}

fn required(context: &SchemaContext, table: &Relation, column: &Column) -> Vec<FixStep> {
    let count = format!("SELECT count(*) FROM {} WHERE {} IS NULL;", table.name, column.name);
    let mut steps = steps::not_null(context, table, &column.name, None);
    steps.insert(0, FixStep::any(count));
    steps
}

/// Who sent an event, where the table takes those of several.
fn sender<'t>(table: &'t Relation, id: &Column) -> Option<&'t Column> {
    const SENDERS: &[&str] = &[
        "provider",
        "source",
        "sender",
        "gateway",
        "psp",
        "channel",
        "vendor",
        "agent",
        "partner",
        "supplier",
        "integration",
        "connector",
        "installation",
        "merchant",
        "shop",
    ];
    table.columns.iter().find(|other| other.id != id.id && words::has_word(other.name.as_str(), SENDERS))
}

/// The key has the id alone, and ids that are short come from more than one sender: the second one's event is taken for a second
/// delivery, and is lost.
fn without_sender(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    sender: &Column,
    index: &Relation,
) -> Option<Discovery> {
    // What a generator made is one of its kind wherever it comes from.
    const LONGEST_NUMBER: i32 = 12;
    let facts = context.column_facts(table, column)?;
    let senders = context.column_facts(table, sender)?;
    let short = context.type_name(column) != Some("uuid") && facts.average_width <= LONGEST_NUMBER;
    if !short || senders.n_distinct == 1.0 || context.is_nullable(sender) {
        return None;
    }
    let columns = format!("{}, {}", sender.name, column.name);
    let name = &table.name;
    Some(
        context
            .discovery(
                &EVENT,
                Subject::Column(table.id, column.id),
                format!(
                    "{name}.{} is unique whoever sent it: two of {} that number alike, and the second event counts as delivered",
                    column.name, sender.name
                ),
            )
            .confidence(Confidence::Medium)
            .declared(format!("the key {} has {}, and not {}", index.name.name, column.name, sender.name))
            .measured(format!("ids of {} bytes on average: such numbers are given more than once", facts.average_width))
            .advice(
                "Put the sender into the key, and let ON CONFLICT name both; then drop the old one:",
                steps::unique_index(context, table, &columns, "key", None),
            ),
    )
}

/// Where partitions take no such key.
fn key_advice(context: &SchemaContext, table: &Relation, columns: &str) -> Option<String> {
    let beside = steps::partition_columns_beside(context, table, columns)?;
    Some(format!(
        "A unique key of this partitioned table would have to contain {beside}, with which a second delivery is another row. Keep the ids in a table of their own, with PRIMARY KEY ({columns}) and not partitioned, \
        and insert there first, in the same transaction, with ON CONFLICT DO NOTHING. The ids that are there more than once:"
    ))
}

/// The column that says whose a row is: a foreign key to the table that most tables of the schema reference, if these are many.
fn tenant<'t>(context: &SchemaContext, table: &'t Relation) -> Option<&'t Column> {
    const NAMES: &[&str] = &[
        "tenant",
        "organization",
        "organisation",
        "workspace",
        "company",
        "account",
        "merchant",
        "shop",
        "store",
        "team",
    ];
    let named = |column: &&Column| {
        let words = words::words(column.name.as_str());
        matches!(&words[..], [owner, id] if NAMES.contains(&owner.as_str()) && id == "id")
    };
    let referenced = |column: &&Column| {
        let key = table.foreign_keys().find(|(_, key)| key.columns[..] == [column.id]);
        key.and_then(|(_, key)| context.schema.relation(key.referenced)).is_some_and(|owner| {
            let of_it = owner.referenced_by.len();
            of_it >= 5
                && context
                    .schema
                    .relations
                    .values()
                    .filter(|it| it.is_table())
                    .all(|it| it.referenced_by.len() <= of_it)
        })
    };
    let columns = || table.columns.iter();
    columns().find(named).or_else(|| columns().find(referenced))
}

/// What was sent is kept.
fn has_content(context: &SchemaContext, table: &Relation) -> bool {
    table.columns.iter().any(|column| {
        let kept = context.is_json(column) || context.is_text(column) || context.type_name(column) == Some("bytea");
        kept && words::has_word(
            column.name.as_str(),
            &["payload", "body", "data", "event", "headers", "raw", "message", "content", "request"],
        )
    })
}

/// A unique key on what stands in the payload: `(payload ->> 'id')`.
fn has_key_in_content(context: &SchemaContext, table: &Relation) -> bool {
    let is_content = |id: &crate::schema::ColumnId| {
        table.column_by_id(*id).is_some_and(|column| context.is_json(column) || context.is_text(column))
    };
    keys::unique_keys(context, table)
        .any(|(_, index)| index.columns.contains(&None) && index.mentions.iter().any(is_content))
}

/// The id is in the key, with nothing beside it that differs from delivery to delivery.
fn keeps_apart(context: &SchemaContext, table: &Relation, index: &crate::schema::Index, column: &Column) -> bool {
    let partial_ok = index.predicate.is_none() || index.mentions.contains(&column.id);
    let beside = |id: &crate::schema::ColumnId| {
        *id == column.id
            || table
                .column_by_id(*id)
                .is_some_and(|other| !matches!(context.type_name(other), Some("timestamp" | "timestamptz" | "date")))
    };
    partial_ok
        && index.columns.contains(&Some(column.id))
        && keys::plain_columns(index).is_some_and(|columns| columns.len() <= 3 && columns.iter().all(beside))
}

/// A table of what others deliver. Messages between one's own users are numbered by oneself: their key says so.
fn is_inbox(context: &SchemaContext, table: &Relation) -> bool {
    let key = keys::primary_key(table);
    let numbered = |id: &crate::schema::ColumnId| {
        table.column_by_id(*id).is_some_and(|column| {
            words::has_word(column.name.as_str(), &["stream", "sequence", "seq", "position", "offset", "ordering"])
                && matches!(context.type_name(column), Some("int4" | "int8"))
        })
    };
    let own_numbers = key.len() > 1 && key.iter().any(numbered);
    takes_deliveries(table.name.name.as_str()) && !is_configuration(table) && !own_numbers
}

/// What others deliver: webhooks, callbacks, inboxes.
pub(super) fn takes_deliveries(table: &str) -> bool {
    words::has_word(table, &["webhook", "callback", "inbox", "ipn", "inbound", "incoming"])
}

/// Whether the schema says where webhooks are sent to: what is kept of them may be what goes out.
fn sends_webhooks(context: &SchemaContext, table: &Relation) -> bool {
    context.tables().any(|other| {
        other.id != table.id
            && words::has_word(other.name.name.as_str(), &["webhook", "webhooks"])
            && is_configuration(other)
    })
}

/// Where webhooks are sent to, not what they bring.
fn is_configuration(table: &Relation) -> bool {
    let word = |wanted: &[&str]| words::has_word(table.name.name.as_str(), wanted);
    word(&["endpoint", "subscription", "config", "setting", "target", "delivery", "attempt", "secret"])
        || table.columns.iter().any(|column| words::has_word(column.name.as_str(), &["url", "endpoint", "secret"]))
}

fn is_outside_id<'a>(context: &SchemaContext<'a>, table: &'a Relation, column: &'a Column, inbox: bool) -> bool {
    let name = column.name.as_str();
    if !matches!(context.type_name(column), Some("text" | "varchar" | "citext" | "uuid" | "bpchar" | "int8")) {
        return false;
    }
    if keys::is_foreign_key(table, column.id) || keys::primary_key(table) == [column.id] {
        return false;
    }
    let is_id = words::ends_with_word(name, &["id", "key", "reference", "ref"]);
    let words = words::words(name);
    // A UUID is what one's own rows are known by to others, as often as what others send.
    let named_outside = is_from_outside(column) && (inbox || context.type_name(column) != Some("uuid"));
    // The customer and the account at the provider are the same for many payments.
    let of_someone = words.iter().any(|word| {
        [
            "customer",
            "account",
            "user",
            "plan",
            "product",
            "price",
            "subscription",
            "merchant",
            "method",
            "source",
            "parent",
            "usage",
            "metric",
            "meter",
        ]
        .contains(&word.as_str())
    });
    let one_of = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    // What is called back about has the number that we gave it, unless each is there once.
    let called_back = one_of(&["callback", "ipn"])
        && keys::unique_keys(context, table).any(|(_, index)| keeps_apart(context, table, index, column));
    let event = one_of(&["event", "message", "delivery", "notification"]) || called_back;
    is_id && !of_someone && (named_outside || event && inbox)
}

/// A name that says that somebody else gave the value.
pub(super) fn is_from_outside(column: &Column) -> bool {
    words::has_word(
        column.name.as_str(),
        &[
            "external",
            "provider",
            "stripe",
            "paypal",
            "adyen",
            "braintree",
            "square",
            "mollie",
            "klarna",
            "gateway",
            "psp",
            "idempotency",
            "upstream",
            "remote",
            "webhook",
        ],
    )
}

/// Whether `event-without-key` says that this column lets the key pass: one cause has one finding.
pub(super) fn tells_of_null(
    context: &SchemaContext,
    table: &Relation,
    index: &crate::schema::Index,
    column: &Column,
) -> bool {
    let inbox = is_inbox(context, table);
    inbox
        && is_outside_id(context, table, column, inbox)
        && keeps_apart(context, table, index, column)
        && lets_null_pass(index, column)
}

fn lets_null_pass(index: &crate::schema::Index, column: &Column) -> bool {
    !column.not_null.enforced() && !index.nulls_not_distinct && index.predicate.is_none()
}
