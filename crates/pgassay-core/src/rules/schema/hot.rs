//! Hot queries: those that no index serves, and those that read or return far more than anybody looks at.
//!
//! The numbers are pg_stat_statements'; which index helps is proved by `pgassay queries`, which asks the planner.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::queries::{Use, UseKind};
use super::ask::steps;
use super::partitions;
use super::{Discovery, SchemaContext};
use crate::change::PrintedName;
use crate::contract::Subject;
use crate::facts::{StatementFacts, Workload};
use crate::finding::{Category, Confidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{ColumnId, Relation, RelationId};
use crate::text::{numbers, plain};

pub static NO_INDEX: Rule = Rule {
    name: "hot-query-without-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A query that takes much of the time looks rows up by a column that no index leads with",
    explanation: "It reads the whole table for every call. Reported for statements with a hundredth of the time or 100 calls, of 2 ms and more, on tables from 10,000 rows on, that compare a column with = and have no index that leads with any column they compare. \
        pgassay queries asks the planner which index it would use and what it saves, and proves it; the step here is the plain one.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE trips (id bigint PRIMARY KEY, quote_id bigint NOT NULL, city text NOT NULL);\n\
            -- measured: table public.trips rows=4000000 bytes=500000000\n-- measured: query calls=9000 mean=70: SELECT id, city FROM trips WHERE quote_id = $1",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE trips (id bigint PRIMARY KEY, quote_id bigint NOT NULL, city text NOT NULL);\nCREATE INDEX ON trips (quote_id);\n\
            -- measured: table public.trips rows=4000000 bytes=500000000\n-- measured: query calls=9000 mean=0.2: SELECT id, city FROM trips WHERE quote_id = $1",
    },
};

pub static COSTLY: Rule = Rule {
    name: "costly-query",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A hot query skips pages with OFFSET, sorts by random(), searches within words, or returns or reads very many rows a call",
    explanation: "OFFSET reads and throws away every row before the page: page 1000 costs a thousand pages; go on from the last key instead (WHERE (at, id) < (…) ORDER BY at DESC, id DESC LIMIT n). ORDER BY random() sorts the table for one row. \
        LIKE with a wildcard in front finds no btree index; a trigram index (pg_trgm, gin) serves it. A query that returns ten thousand rows a call has no LIMIT, and one that reads a million blocks an hour for a report could read a summary. \
        Reported for statements with a hundredth of the time or 100 calls and of 5 ms and more.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE posts (id bigint PRIMARY KEY, at timestamptz NOT NULL);\n\
            -- measured: table public.posts rows=4000000 bytes=500000000\n-- measured: query calls=3000 mean=180: SELECT id, at FROM posts ORDER BY at DESC LIMIT $1 OFFSET $2",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE posts (id bigint PRIMARY KEY, at timestamptz NOT NULL);\n\
            -- measured: table public.posts rows=4000000 bytes=500000000\n-- measured: query calls=3000 mean=0.3: SELECT id, at FROM posts WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3",
    },
};

/// A hundredth of the time, or a hundred calls.
fn hot<'w>(workload: &'w Workload, least_mean: f64) -> impl Iterator<Item = (usize, &'w StatementFacts)> + use<'w> {
    let all = workload.total_milliseconds();
    workload.statements.iter().enumerate().filter(move |(_, statement)| {
        let often = statement.calls >= 100 || statement.total_milliseconds >= all * 0.01 && statement.calls >= 5;
        often && statement.mean_milliseconds >= least_mean
    })
}

/// Where hot statements look rows of a table up by columns that no index serves: the statement that costs most for each.
pub(super) fn unserved<'a>(context: &SchemaContext<'a>) -> BTreeMap<(RelationId, ColumnId), (usize, Vec<ColumnId>)> {
    let mut worst: BTreeMap<(RelationId, ColumnId), (usize, Vec<ColumnId>)> = BTreeMap::new();
    let Some(workload) = context.workload else { return worst };
    let mut by_statement: BTreeMap<usize, Vec<&Use>> = BTreeMap::new();
    for one in context.uses {
        by_statement.entry(one.statement).or_default().push(one);
    }
    for (number, statement) in hot(workload, 2.0) {
        let Some(uses) = by_statement.get(&number) else { continue };
        let tables: BTreeSet<RelationId> = uses.iter().map(|one| one.table).collect();
        for id in tables {
            let Some(table) =
                context.schema.relation(id).filter(|table| context.rows(table).is_some_and(|rows| rows >= 10_000.0))
            else {
                continue;
            };
            let of = |wanted: &dyn Fn(&UseKind) -> bool| {
                let mut columns: Vec<ColumnId> =
                    uses.iter().filter(|one| one.table == id && wanted(&one.kind)).map(|one| one.column).collect();
                columns.sort();
                columns.dedup();
                columns
            };
            let equal = of(&|kind| *kind == UseKind::Equal);
            let compared = of(&|kind| {
                matches!(
                    kind,
                    UseKind::Equal
                        | UseKind::Compared
                        | UseKind::Wrapped(_)
                        | UseKind::Reached(_)
                        | UseKind::DescendingLimit
                )
            });
            if equal.is_empty() || is_served(context, table, &compared) {
                continue;
            }
            let selective = |column: &ColumnId| is_selective(context, table, *column);
            let Some(first) = equal.iter().copied().find(selective) else { continue };
            let slower = |old: usize| workload.statements[old].total_milliseconds < statement.total_milliseconds;
            if worst.get(&(id, first)).is_none_or(|(old, _)| slower(*old)) {
                worst.insert((id, first), (number, equal));
            }
        }
    }
    worst
}

/// An index leads with a column that the statement compares; whether the planner takes it is another question.
fn is_served(context: &SchemaContext, table: &Relation, compared: &[ColumnId]) -> bool {
    context.indexes(table).any(|(_, index)| {
        index.valid
            && match index.columns.first() {
                Some(Some(first)) => compared.contains(first),
                _ => index.mentions.iter().any(|column| compared.contains(column)),
            }
    })
}

/// A value is that of few rows: else the whole table is what is wanted.
fn is_selective(context: &SchemaContext, table: &Relation, column: ColumnId) -> bool {
    let Some(column) = table.column_by_id(column) else { return false };
    let (Some(facts), Some(rows)) = (context.column_facts(table, column), context.rows(table)) else { return true };
    facts.distinct(rows).is_none_or(|different| different >= 50.0)
}

pub(super) fn told(statement: &StatementFacts, workload: &Workload) -> String {
    let share = statement.total_milliseconds / workload.total_milliseconds().max(0.001);
    format!(
        "{} calls, {:.1} ms on average, {} of the time: {}",
        numbers::count(statement.calls as f64),
        statement.mean_milliseconds,
        numbers::percent(share.min(1.0)),
        plain::shortened(&statement.query)
    )
}

pub(super) fn without_index(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(workload) = context.workload else { return };
    for ((table, column), (number, equal)) in unserved(context) {
        let Some(table) = context.schema.relation(table) else { continue };
        // A foreign key without an index is told once, there, with the query.
        if table.foreign_keys().any(|(constraint, key)| constraint.local && key.columns[..] == [column]) {
            continue;
        }
        // And so is an id of one table or another.
        let is_reference = |id: &ColumnId| {
            table.column_by_id(*id).is_some_and(|id| partitions::kind_without_index(context, table, id).is_some())
        };
        if equal.iter().any(is_reference) {
            continue;
        }
        let statement = &workload.statements[number];
        let columns: Vec<ColumnId> =
            [column].into_iter().chain(equal.into_iter().filter(|id| *id != column)).take(2).collect();
        let names = context.column_names(table, &columns);
        let (_, steps) = steps::create_index(context, table, &names, "idx");
        let rows = context.rows(table).map(numbers::count).unwrap_or_default();
        found.push(
            context
                .discovery(
                    &NO_INDEX,
                    Subject::Column(table.id, column),
                    format!("a hot query looks rows of {} up by {names}, and no index leads with them", table.name),
                )
                .severity(if statement.mean_milliseconds >= 5.0 { Severity::Warning } else { Severity::Info })
                .confidence(Confidence::High)
                .measured(told(statement, workload))
                .measured(format!("{} has {rows} rows", table.name))
                .advice(
                    "pgassay queries --db … proves which index helps and how much; the plain one, built while others work:",
                    steps,
                ),
        );
    }
}

pub(super) fn costly(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let Some(workload) = context.workload else { return };
    let mut tables: BTreeMap<usize, RelationId> = BTreeMap::new();
    for one in context.uses {
        tables.entry(one.statement).or_insert(one.table);
    }
    for (number, statement) in hot(workload, 5.0) {
        let words = normalised(&statement.query);
        let is_read = words.starts_with("select ") || words.starts_with("with ");
        let Some(table) = tables.get(&number).and_then(|id| context.schema.relation(*id)).filter(|_| is_read) else {
            continue;
        };
        let reasons = reasons(&words, statement);
        let Some((says, _)) = reasons.first() else { continue };
        let advice: Vec<&str> = reasons.iter().map(|(_, advice)| advice.as_str()).collect();
        let what: Vec<&str> = reasons.iter().map(|(says, _)| says.as_str()).collect();
        let weak = *says == reasons[0].0 && says.starts_with("reads");
        let mut discovery = context
            .discovery(
                &COSTLY,
                Subject::Part(
                    table.id,
                    crate::change::Name::from(format!("\nquery {}", statement.query_id ^ number as i64).as_str()),
                ),
                format!("a hot query of {} {}", table.name, what.join(", and ")),
            )
            .severity(if weak { Severity::Info } else { Severity::Warning })
            .confidence(Confidence::Medium)
            .measured(told(statement, workload))
            .advice(advice.join(" "), Vec::new())
            .at(context.places.of(&Subject::Relation(table.id)));
        discovery.finding.object = Some(PrintedName::from(&table.name));
        found.push(discovery);
    }
}

/// In lower case, with single blanks.
fn normalised(query: &str) -> String {
    let mut text = query.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    text.push(' ');
    text
}

/// What is wrong with it, and what to do.
fn reasons(words: &str, statement: &StatementFacts) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, String)> = Vec::new();
    let calls = statement.calls.max(1);
    if words.contains(" offset $") || words.contains(" offset ?") {
        reasons.push((
            "skips rows with OFFSET: every page reads all pages before it".to_owned(),
            "Go on from the last key: WHERE (sort, id) < ($1, $2) ORDER BY sort DESC, id DESC LIMIT …, with an index on both.".to_owned(),
        ));
    }
    if words.contains("order by random()") {
        reasons.push((
            "sorts all rows by random()".to_owned(),
            "Take rows from a random key on (WHERE id >= $1 ORDER BY id LIMIT …), or TABLESAMPLE.".to_owned(),
        ));
    }
    let within = ["like $1 || ", "like '%'", "ilike ", "'%' || "];
    let wildcard = words.contains("like ($") && words.contains(" || $")
        || within.iter().any(|it| words.contains(it))
        || words.contains("like concat(");
    if wildcard {
        reasons.push((
            "searches within words with LIKE: no btree index serves that".to_owned(),
            "A trigram index serves it: CREATE EXTENSION pg_trgm, then an index USING gin (column gin_trgm_ops)."
                .to_owned(),
        ));
    }
    let rows = statement.rows / calls;
    if rows >= 10_000 {
        reasons.push((
            format!("returns {} rows a call", numbers::count(rows as f64)),
            "If nobody reads them all, limit them; if a program does, let it read with a cursor or COPY, or have the server add them up.".to_owned(),
        ));
    }
    let blocks = (statement.shared_blocks_hit + statement.shared_blocks_read) / calls;
    if reasons.is_empty() && blocks >= 10_000 && statement.mean_milliseconds >= 50.0 {
        let bytes = blocks * 8192;
        reasons.push((
            format!("reads {} a call for {} rows", numbers::bytes(bytes), numbers::count(rows as f64)),
            "pgassay queries shows whether an index helps; if it is a report over a long range, let it read a summary by day that is kept up to date.".to_owned(),
        ));
    }
    reasons
}
