//! Uniqueness and rows that are only marked as deleted.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext, idempotency};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ColumnId, Index, Relation};
use crate::text::words;

pub static RULE: Rule = Rule {
    name: "soft-delete-uniqueness",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A unique key and a column that marks rows as deleted do not go together",
    explanation: "Three shapes. A key that has deleted_at among its columns keeps nothing apart: of a live row it is NULL, and NULLs are all different, so the same value \
        is stored twice and both rows live. A key that has a boolean mark among them has room for one deleted row: deleting the second fails. A key without it keeps a deleted row's value taken: who deletes an account cannot sign up again. A partial unique index \
        over the live rows says what is meant. The last shape may be meant, and is an info.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL, deleted_at timestamptz, UNIQUE (email, deleted_at));",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL, deleted_at timestamptz);\n\
            CREATE UNIQUE INDEX ON accounts (email) WHERE deleted_at IS NULL;",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        let Some(mark) = table.columns.iter().find(|column| marks_deleted(context, column)) else { continue };
        for (index, of) in keys::unique_keys(context, table).filter(|(_, of)| !of.primary && of.predicate.is_none()) {
            let Some(columns) = keys::plain_columns(of) else { continue };
            let others: Vec<_> = columns.iter().copied().filter(|id| *id != mark.id).collect();
            if others.is_empty() || columns.iter().any(|id| keys::is_foreign_key(table, *id)) && columns.len() == 1 {
                continue;
            }
            let Some(harm) = harm(context, table, of, mark, &columns) else { continue };
            let discovery = harm.told(context, table, index, mark, (&columns, &others));
            found.push(discovery.advice(
                "Keep the live rows apart, then let go of the old key; what the first step lists is there twice, and has to be settled before:",
                fix(context, table, index, of, mark, &context.column_names(table, &others)),
            ));
        }
    }
}

/// What a unique key does to rows that are only marked as deleted.
enum Harm {
    /// Of two deleted rows with the same value the second one is refused; one mark of each kind is all there is room for.
    OnceOnly,
    /// The mark of live rows is NULL, and keeps nothing apart.
    NotApart,
    /// A deleted row keeps its value.
    Taken,
}

fn harm(context: &SchemaContext, table: &Relation, of: &Index, mark: &Column, columns: &[ColumnId]) -> Option<Harm> {
    if columns.contains(&mark.id) {
        return match (mark.not_null.enforced() || of.nulls_not_distinct, context.is_boolean(mark)) {
            (true, true) => Some(Harm::OnceOnly),
            (true, false) => None,
            (false, _) => Some(Harm::NotApart),
        };
    }
    // Identifiers that are never given twice need no second life: numbers, what a function made, what a foreign key names.
    let reusable = |id: &ColumnId| {
        table.column_by_id(*id).is_some_and(|column| context.is_text(column) && !is_made(column) && !is_minted(column))
    };
    let is_identity = keys::contains_a_key(context, table, of) || is_referenced(context, table, columns);
    (!is_identity && columns.iter().any(reusable)).then_some(Harm::Taken)
}

impl Harm {
    /// `columns` are the key's, `others` those of them that do not mark.
    fn told(
        self,
        context: &SchemaContext,
        table: &Relation,
        index: &Relation,
        mark: &Column,
        (columns, others): (&[ColumnId], &[ColumnId]),
    ) -> Discovery {
        let (key, names) = (context.column_names(table, columns), context.column_names(table, others));
        let discovery = |message: String| context.discovery(&RULE, Subject::Relation(index.id), message);
        match self {
            Harm::OnceOnly => discovery(format!(
                "only one deleted row of {} may have the same {names}: deleting the next one fails",
                table.name
            ))
            .declared(format!("unique key ({key}), {} is true or false", mark.name)),
            Harm::NotApart => discovery(format!(
                "{} does not keep {names} of {} apart: {} of live rows is NULL, and NULLs are different",
                index.name.name, table.name, mark.name
            ))
            .declared(format!("unique key ({key}), {} is nullable", mark.name)),
            Harm::Taken => discovery(format!("a deleted row of {} keeps its {names} taken", table.name))
                .severity(Severity::Info)
                .confidence(Confidence::Medium)
                .declared(format!("unique key ({names}) over all rows, and {} marks rows as deleted", mark.name)),
        }
    }
}

/// The default is a call: the value comes from a function, not from people.
fn is_made(column: &Column) -> bool {
    let is_call = |default: &crate::change::Expression| {
        let mut at: &sqlparser::ast::Expr = &default.tree;
        while let sqlparser::ast::Expr::Nested(inner) | sqlparser::ast::Expr::Cast { expr: inner, .. } = at {
            at = inner;
        }
        matches!(at, sqlparser::ast::Expr::Function(_))
    };
    column.generated.is_some() || column.default.as_ref().is_some_and(is_call)
}

/// A foreign key points at these columns.
fn is_referenced(context: &SchemaContext, table: &Relation, columns: &[ColumnId]) -> bool {
    let others = table.referenced_by.iter().filter_map(|id| context.schema.relation(*id));
    others
        .flat_map(|other| other.foreign_keys())
        .any(|(_, key)| key.referenced == table.id && key.referenced_columns == columns)
}

/// The name of a key that an application makes for a row, and makes anew for the next one.
fn is_minted(column: &Column) -> bool {
    words::ends_with_word(
        column.name.as_str(),
        &["id", "uuid", "guid", "token", "key", "apikey", "hash", "fingerprint", "secret", "shortcode", "ulid", "cuid"],
    ) && (!idempotency::is_from_outside(column) || is_sent_once(column))
}

/// A request's own number stays taken on purpose: it must not be done again, whatever became of the first.
fn is_sent_once(column: &Column) -> bool {
    words::has_word(column.name.as_str(), &["idempotency", "transaction", "request", "event", "message", "delivery"])
}

/// `deleted_at` and its kin: NULL, or false, while the row lives.
fn marks_deleted<'a>(context: &SchemaContext<'a>, column: &'a Column) -> bool {
    let moment = matches!(context.type_name(column), Some("timestamp" | "timestamptz" | "date"));
    if !(moment && !column.not_null.enforced() || context.is_boolean(column)) {
        return false;
    }
    // Nothing else is deleted: logs_deleted_at speaks of logs.
    let words = words::words(column.name.as_str());
    let mark = |word: &&String| ["deleted", "removed", "archived", "discarded"].contains(&word.as_str());
    let beside = ["is", "was", "soft", "at", "on", "date", "time", "timestamp", "ts", "utc", "flag", "row", "record"];
    words.iter().filter(mark).count() == 1 && words.iter().all(|word| mark(&word) || beside.contains(&word.as_str()))
}

fn fix(
    context: &SchemaContext,
    table: &Relation,
    index: &Relation,
    of: &crate::schema::Index,
    mark: &Column,
    names: &str,
) -> Vec<FixStep> {
    let live = &if context.is_boolean(mark) { format!("NOT {}", mark.name) } else { format!("{} IS NULL", mark.name) };
    let mut steps = steps::unique_index(context, table, names, "live_key", Some(live));
    steps.push(match &of.constraint {
        Some(constraint) => FixStep::own(format!("ALTER TABLE {} DROP CONSTRAINT {constraint};", table.name)),
        None => FixStep::none(format!("DROP INDEX CONCURRENTLY IF EXISTS {};", index.name)),
    });
    steps
}
