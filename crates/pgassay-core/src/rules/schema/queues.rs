//! Tables that hand out work.

use super::ask::queries::UseKind;
use super::ask::{keys, steps};
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ConstraintKind, Relation, TypeDefinition};
use crate::text::words;

pub static UNINDEXED: Rule = Rule {
    name: "queue-without-claim-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A queue table has no index that finds the next piece of work",
    explanation: "Workers ask for the oldest row that is not done, with FOR UPDATE SKIP LOCKED, many times a second. Finished rows pile up, and without an index that holds only \
        the open ones every poll reads past all of them. A partial index on the order of work, WHERE the row is open, stays small for ever. \
        The rule goes by statements of the workload with SKIP LOCKED, and by names: jobs, queue, outbox, tasks with a column of state.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE email_outbox (id bigint PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE email_outbox (id bigint PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz);\n\
            CREATE INDEX ON email_outbox (created_at) WHERE processed_at IS NULL;",
    },
};

pub static RETRY: Rule = Rule {
    name: "queue-without-retry",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A queue table cannot say how often work was tried, when to try it again, or that it is given up",
    explanation: "Work fails: the other side is down for an hour, or one row can never be done. Without a count of attempts and a time before which it is not tried again, workers either try a bad row for ever, \
        as fast as they can, or lose it; without a state of its own for what is given up (a dead letter), nobody sees it and nobody can send it again. The rule goes by names, as queue-without-claim-index does; \
        what a table that references the queue keeps counts too.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE email_outbox (id bigint PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE email_outbox (id bigint PRIMARY KEY, body text NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz,\n\
            attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(), failed_at timestamptz, last_error text);",
    },
};

/// Words of columns that say what is done.
const STATES: &[&str] = &[
    "status",
    "state",
    "locked",
    "processed",
    "claimed",
    "finished",
    "completed",
    "published",
    "sent",
    "dispatched",
    "picked",
];

/// A table that workers take rows from.
struct Queue<'a> {
    table: &'a Relation,
    /// Columns that say what is done; at least one.
    states: Vec<&'a Column>,
    /// Its name says queue or outbox, or a statement takes rows with SKIP LOCKED; a table of jobs or tasks may be something else.
    strong: bool,
    /// How it is known to be one.
    known: &'static str,
}

/// The columns by which a statement of the workload finds the rows that it takes with FOR UPDATE SKIP LOCKED.
fn claimed_by<'a>(context: &SchemaContext<'a>, table: &'a Relation) -> Vec<&'a Column> {
    let Some(workload) = context.workload else { return Vec::new() };
    let is_poll = |statement: usize| {
        workload.statements.get(statement).is_some_and(|it| it.query.to_ascii_uppercase().contains("SKIP LOCKED"))
    };
    let by_value = |kind: &UseKind| matches!(kind, UseKind::Equal | UseKind::Compared | UseKind::TestedForNull);
    let uses = context.uses.iter().filter(|it| it.table == table.id && by_value(&it.kind) && is_poll(it.statement));
    let mut ids: Vec<_> = uses.map(|it| it.column).filter(|id| !keys::primary_key(table).contains(id)).collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().filter_map(|id| table.column_by_id(id)).collect()
}

fn all<'a>(context: &SchemaContext<'a>) -> impl Iterator<Item = Queue<'a>> {
    let context = *context;
    context.tables().filter_map(move |table| queue(&context, table))
}

fn queue<'a>(context: &SchemaContext<'a>, table: &'a Relation) -> Option<Queue<'a>> {
    const POLLED: &[&str] =
        &["attempt", "locked", "worker", "retry", "retries", "run", "scheduled", "claimed", "queue", "payload"];
    let states = claimed_by(context, table);
    if !states.is_empty() {
        let known = "a statement of the workload takes rows from it with SKIP LOCKED";
        return Some(Queue { table, states, strong: true, known });
    }
    let name = table.name.name.as_str();
    // People wait in it, and no worker takes them.
    if words::has_word(name, &["waiting", "wait", "waitlist"]) {
        return None;
    }
    let strong = words::has_word(name, &["queue", "outbox"]);
    if !strong && !words::ends_with_word(name, &["jobs", "job", "tasks"]) {
        return None;
    }
    let named = |words: &'static [&str]| move |column: &&Column| words::has_word(column.name.as_str(), words);
    // `jobs_completed` counts others' work.
    let counts = |column: &&Column| {
        words::has_word(column.name.as_str(), &["num", "count", "counts", "total", "number", "jobs", "tasks"])
            && matches!(context.type_name(column), Some("int2" | "int4" | "int8" | "numeric"))
    };
    let states: Vec<&Column> = table.columns.iter().filter(named(STATES)).filter(|it| !counts(it)).collect();
    // A task that people do has no worker that polls.
    let polled = strong || table.columns.iter().any(|column| named(POLLED)(&column));
    let is_queue = polled && !states.is_empty() && takes_new_work(context, table) && !people_work_it_off(table);
    is_queue.then_some(Queue { table, states, strong, known: "that it is a queue is read from its name" })
}

pub(super) fn unindexed(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for Queue { table, states, strong, known } in all(context) {
        let first = states[0];
        let finds_open = |(_, index): (&Relation, &crate::schema::Index)| {
            index.valid
                && states.iter().any(|column| {
                    // One queue of several comes first where a table holds them all.
                    let of_a_queue = index.columns.first().copied().flatten().is_some_and(|first| {
                        keys::is_foreign_key(table, first)
                            || table.column_by_id(first).is_some_and(|it| words::has_word(it.name.as_str(), &["queue"]))
                    });
                    index.predicate.is_some() && index.mentions.contains(&column.id)
                        || index.columns.first() == Some(&Some(column.id))
                        || of_a_queue && index.columns.contains(&Some(column.id))
                })
        };
        if context.indexes(table).any(finds_open) {
            continue;
        }
        let order = table
            .columns
            .iter()
            .find(|column| words::has_word(column.name.as_str(), &["run", "scheduled", "available", "priority"]))
            .or_else(|| table.columns.iter().find(|column| words::words(column.name.as_str()) == ["created", "at"]))
            .map(|column| column.name.to_string())
            .or_else(|| {
                (keys::primary_key(table).len() == 1).then(|| context.column_names(table, keys::primary_key(table)))
            })
            .unwrap_or_else(|| first.name.to_string());
        let open = if matches!(context.type_name(first), Some("timestamp" | "timestamptz")) {
            format!("{} IS NULL", first.name)
        } else if context.is_boolean(first) {
            format!("NOT {}", first.name)
        } else {
            String::new()
        };
        let (elements, rest) = if open.is_empty() {
            (format!("{}, {order}", first.name), String::new())
        } else {
            (order, format!(" WHERE {open}"))
        };
        let (text, steps) = steps::create_index_with(context, table, &elements, "open_idx", "", &rest);
        found.push(
            context
                .discovery(
                    &UNINDEXED,
                    Subject::Relation(table.id),
                    format!("{} has no index that finds the rows still to do", table.name),
                )
                .severity(if strong { Severity::Warning } else { Severity::Info })
                .confidence(if strong { Confidence::High } else { Confidence::Medium })
                .declared(format!("no index leads with {0} or holds only some of its values; {known}", first.name))
                .advice(text, steps),
        );
    }
}

/// What a queue needs to live through failures, by the words of the columns that keep it.
const ATTEMPTS: &[&str] = &["attempt", "retry", "retries", "tries", "try", "failures", "executions", "error"];
const LATER: &[&str] =
    &["next", "run", "scheduled", "schedule", "available", "visible", "after", "not", "due", "backoff", "retry"];
const GIVEN_UP: &[&str] = &["failed", "dead", "discarded", "error", "failure", "abandoned", "cancelled", "exception"];

pub(super) fn retries(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for Queue { table, states, strong, known } in all(context) {
        // Seats and vouchers are taken with SKIP LOCKED too, and nothing of them fails.
        if !states.iter().any(|state| words::has_word(state.name.as_str(), STATES)) {
            continue;
        }
        let has = |words: &[&str]| {
            let beside = table.referenced_by.iter().filter_map(|id| context.schema.relation(*id));
            let beside = beside.filter(|other| words::has_word(other.name.name.as_str(), words));
            table.columns.iter().any(|column| words::has_word(column.name.as_str(), words)) || beside.count() > 0
        };
        let mut lacks = Vec::new();
        let mut columns = Vec::new();
        if !has(ATTEMPTS) {
            lacks.push("how often a row was tried");
            columns.push("ADD COLUMN attempts integer NOT NULL DEFAULT 0");
        }
        if !has(LATER) {
            lacks.push("when to try it again");
            columns.push("ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now()");
        }
        if !has(GIVEN_UP) && !states.iter().any(|state| may_be(context, table, state, GIVEN_UP)) {
            lacks.push("that it is given up");
            columns.push("ADD COLUMN failed_at timestamptz, ADD COLUMN last_error text");
        }
        // A schedule or a state alone may be kept elsewhere; the count of attempts is what stops a row that cannot be done.
        if lacks.len() < 2 {
            continue;
        }
        let add = FixStep::own(format!("ALTER TABLE {} {};", table.name, columns.join(", ")));
        found.push(
            context
                .discovery(&RETRY, Subject::Relation(table.id), format!("{} does not say {}", table.name, listed(&lacks)))
                .severity(if strong && lacks.len() == 3 { Severity::Warning } else { Severity::Info })
                .confidence(Confidence::Medium)
                .declared(format!("the names of its columns, and of the tables that reference it; {known}"))
                .when_new(format!("Add columns: {}.", columns.join(", ").replace("ADD COLUMN ", "")))
                .advice(
                    "Count attempts, put the next one off longer each time, and set apart what has failed too often, where somebody looks at it:",
                    vec![add],
                ),
        );
    }
}

/// `a, b or c`.
fn listed(items: &[&str]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// Whether a column of state has a value for it: a label of its enum, a word of its CHECK, a common value.
fn may_be(context: &SchemaContext, table: &Relation, state: &Column, wanted: &[&str]) -> bool {
    let label = context.enum_type(state).is_some_and(|found| match &found.definition {
        TypeDefinition::Enum(labels) => labels.iter().any(|label| words::has_word(label, wanted)),
        _ => false,
    });
    let checks = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression, columns } if columns.contains(&state.id) => Some(&expression.text),
        _ => None,
    });
    let common = context.column_facts(table, state);
    label
        || checks.into_iter().any(|text| words::has_word(text, wanted))
        || common.is_some_and(|facts| facts.common().any(|(value, _)| words::has_word(&value, wanted)))
}

/// Rows come in one after the other: they are numbered, or say when they came. What has one row for each name or for each row of
/// another table is a register of states.
fn takes_new_work(context: &SchemaContext, table: &Relation) -> bool {
    let is_numbered = match keys::primary_key(table) {
        [only] => table.column_by_id(*only).is_some_and(|column| {
            let number = matches!(context.type_name(column), Some("int2" | "int4" | "int8" | "uuid"));
            number && !keys::is_foreign_key(table, column.id)
        }),
        _ => false,
    };
    let is_moment = |column: &Column| matches!(context.type_name(column), Some("timestamp" | "timestamptz"));
    is_numbered || table.columns.iter().any(|column| is_moment(column) && !context.is_nullable(column))
}

/// Whoever takes a row is a row of another table, and no machine: nobody polls.
fn people_work_it_off(table: &Relation) -> bool {
    table.columns.iter().any(|column| {
        let has = |wanted: &[&str]| words::has_word(column.name.as_str(), wanted);
        has(&["locked", "claimed", "assigned", "assignee", "reviewer", "annotator"])
            && !has(&["worker", "server", "node", "process", "runner", "host", "instance"])
            && keys::is_foreign_key(table, column.id)
    })
}
