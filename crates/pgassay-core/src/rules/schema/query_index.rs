//! Conditions that no index can serve although one seems to be there.

use std::collections::BTreeMap;

use super::ask::queries::{self, Use, UseKind};
use super::ask::steps;
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ColumnId, Relation, RelationId};
use crate::text::{numbers, plain};

pub static RULE: Rule = Rule {
    name: "index-defeated",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "Hot queries compare a function of a column that is indexed as it is",
    explanation: "An index on email does not find lower(email) = 'a', one on created_at does not find created_at::date = '2026-01-01' or date_trunc('day', created_at): the whole table is read. \
        Write a range where there is one (created_at >= … AND created_at < …), or index the expression and ANALYZE, which also gives the planner statistics for it. \
        A cast of timestamptz to date depends on the time zone and cannot be indexed. Reported for statements with 100 calls or a hundredth of the time, on tables from 10,000 rows on.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);\n-- measured: table public.accounts rows=4000000 bytes=500000000\n\
            -- measured: query calls=90000 mean=310: SELECT id FROM accounts WHERE lower(email) = $1",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);\nCREATE UNIQUE INDEX ON accounts (lower(email));\n\
            -- measured: table public.accounts rows=4000000 bytes=500000000\n-- measured: query calls=90000 mean=0.1: SELECT id FROM accounts WHERE lower(email) = $1",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(workload) = context.workload else { return };
    let mut wrapped: BTreeMap<(RelationId, ColumnId), Vec<&Use>> = BTreeMap::new();
    for one in context.uses {
        if matches!(one.kind, UseKind::Wrapped(_)) && queries::is_hot(&workload.statements[one.statement], workload) {
            wrapped.entry((one.table, one.column)).or_default().push(one);
        }
    }
    for ((table, column), uses) in wrapped {
        let Some(table) = context.schema.relation(table) else { continue };
        let Some(column) = table.column_by_id(column) else { continue };
        if context.rows(table).is_none_or(|rows| rows < 10_000.0) {
            continue;
        }
        if let Some(discovery) = judge(context, table, column, &uses) {
            found.push(discovery);
        }
    }
}

fn judge(context: &SchemaContext, table: &Relation, column: &Column, uses: &[&Use]) -> Option<Discovery> {
    let workload = context.workload?;
    // One that holds some rows only serves some conditions: the one that holds all of them is meant.
    let leads = |(_, index): &(&Relation, &crate::schema::Index)| {
        index.valid
            && index.method == "btree"
            && index.predicate.is_none()
            && index.columns.first() == Some(&Some(column.id))
    };
    let plain = context.indexes(table).find(leads);
    let by_expression = context
        .indexes(table)
        .any(|(_, index)| index.valid && index.columns.first() == Some(&None) && index.mentions.contains(&column.id));
    let (index, _) = plain?;
    // An equal condition on the bare column beside it is what the index serves.
    let served = |one: &Use| {
        context.uses.iter().any(|other| {
            other.statement == one.statement
                && other.table == one.table
                && other.column == one.column
                && matches!(other.kind, UseKind::Equal | UseKind::Compared)
        })
    };
    let worst = uses.iter().filter(|one| !served(one)).max_by(|one, other| {
        workload.statements[one.statement]
            .total_milliseconds
            .total_cmp(&workload.statements[other.statement].total_milliseconds)
    })?;
    let UseKind::Wrapped(expression) = &worst.kind else { return None };
    let statement = &workload.statements[worst.statement];
    if by_expression || statement.mean_milliseconds < 1.0 {
        return None;
    }
    let (text, steps) = instead(context, table, column, index, expression);
    Some(
        context
            .discovery(
                &RULE,
                Subject::Column(table.id, column.id),
                format!("{} of {} does not serve {expression}", index.name.name, table.name),
            )
            .confidence(Confidence::High)
            .measured(format!(
                "{} calls, {:.1} ms on average: {}",
                numbers::count(statement.calls as f64),
                statement.mean_milliseconds,
                plain::shortened(&statement.query)
            ))
            .related(Subject::Relation(index.id), "the index that does not serve it")
            .advice(text, steps),
    )
}

/// A condition that the index serves, or an index that serves the condition.
fn instead(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    index: &Relation,
    expression: &str,
) -> (String, Vec<FixStep>) {
    let bare = unqualified(expression, column);
    let is_time = matches!(context.type_name(column), Some("timestamp" | "timestamptz"));
    if is_time || bare.contains('$') {
        (
            format!("Write a range of {0}: {0} >= … AND {0} < …, which {1} finds.", column.name, index.name.name),
            Vec::new(),
        )
    } else if is_cast(&bare) && !context.is_text(column) {
        let data_type = &column.data_type.written;
        (
            format!(
                "Cast what it is compared with, not the column: {0} = $1::{data_type}, which {1} finds.",
                column.name, index.name.name
            ),
            Vec::new(),
        )
    } else {
        let element = if is_call(&bare) { bare } else { format!("({bare})") };
        let (_, mut steps) = steps::create_index(context, table, &element, "expr_idx");
        steps.push(FixStep::any(format!("ANALYZE {};", table.name)));
        ("Index the expression, and let ANALYZE count its values:".to_owned(), steps)
    }
}

fn is_cast(expression: &str) -> bool {
    expression.contains("::") || expression.to_ascii_uppercase().starts_with("CAST(")
}

/// A call of one function and no more: any other expression has its own parentheses in CREATE INDEX.
fn is_call(expression: &str) -> bool {
    let Some(open) = expression.find('(').filter(|open| *open > 0) else { return false };
    let is_name = expression[..open].chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let mut depth = 0_i32;
    let end = expression.char_indices().find(|(_, letter)| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        *letter == ')' && depth == 0
    });
    is_name
        && end.is_some_and(|(at, _)| at + 1 == expression.len())
        && !expression.to_ascii_uppercase().starts_with("CAST(")
}

/// The expression with the bare name of the column in it.
fn unqualified(expression: &str, column: &Column) -> String {
    let name = column.name.as_str();
    match expression.find(&format!(".{name}")) {
        Some(dot) => {
            let start =
                expression[..dot].rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').map_or(0, |at| at + 1);
            format!("{}{}", &expression[..start], &expression[dot + 1..])
        }
        None => expression.to_owned(),
    }
}
