//! Indexes that cannot do what they are for: invalid ones, those that hold few values, those that begin with the wrong column.

use super::ask::keys;
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::facts::ColumnFacts;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Index, Relation};
use crate::text::numbers;

pub static INVALID: Rule = Rule {
    name: "invalid-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "An index is not valid: no query uses it, every write pays for it",
    explanation: "A concurrent build that failed leaves its index behind. It is written, and not read; where it should be unique, it does not keep rows apart. \
        One that is being built at the moment is not reported, nor is the index of a partitioned table while partitions are missing from it.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL) PARTITION BY RANGE (id);\nCREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);\nCREATE INDEX t_a ON ONLY t (a);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL) PARTITION BY RANGE (id);\nCREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);\n\
            CREATE INDEX t_a ON ONLY t (a);\nCREATE INDEX t1_a ON t1 (a);\nALTER INDEX t_a ATTACH PARTITION t1_a;",
    },
};

pub static LOW_VALUE: Rule = Rule {
    name: "low-value-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "An index holds so few different values, or so many NULLs, that it rarely helps",
    explanation: "On a boolean half of the rows match, and reading them all is faster without the index; what is looked for is the rare value, and a partial index holds only that. \
        An index most of whose entries are NULL is smaller by that share WHERE the column IS NOT NULL. Measured ones are reported from 1 MB on; without statistics only \
        an index on one boolean is, as an info.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, paid boolean NOT NULL);",
        migration: "CREATE INDEX CONCURRENTLY orders_paid ON orders (paid);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, paid boolean NOT NULL);",
        migration: "CREATE INDEX CONCURRENTLY orders_unpaid ON orders (id) WHERE NOT paid;",
    },
};

pub static TIME_FIRST: Rule = Rule {
    name: "timestamp-first-index",
    category: Category::Indexes,
    severity: Severity::Info,
    summary: "An index of several columns begins with a timestamp",
    explanation: "A btree reads one range of its first column; columns after it only narrow the rows found there. A timestamp is nearly always asked for as a range, \
        and what is equal belongs before it: (customer_id, created_at) finds one customer's last week, (created_at, customer_id) reads everybody's. \
        Keys, and indexes that sort for keyset pagination (the second column is the primary key), are not told.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, created_at timestamptz NOT NULL);",
        migration: "CREATE INDEX CONCURRENTLY orders_at_customer ON orders (created_at, customer_id);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, created_at timestamptz NOT NULL);",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_at ON orders (customer_id, created_at);",
    },
};

pub(super) fn invalid(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for relation in context.schema.indexes_of(table.id) {
            let Some(index) = relation.as_index() else { continue };
            let facts = context.index_facts(relation);
            let valid = facts.map_or(index.valid, |facts| facts.valid);
            if valid || facts.is_some_and(|facts| facts.being_built) {
                continue;
            }
            let discovery = context.discovery(
                &INVALID,
                Subject::Relation(relation.id),
                format!("{} of {} is not valid", relation.name.name, table.name),
            );
            found.push(if index.partitioned {
                discovery.severity(Severity::Info).declared("not every partition has an index attached to it").advice(
                    "Build the index on each partition while others work, and attach it: the last one makes it valid.",
                    Vec::new(),
                )
            } else {
                let (text, steps) = build_again(context, table, relation, index);
                let mut discovery = discovery.declared("a concurrent build of it failed").advice(text, steps);
                if let Some(bytes) = facts.and_then(|facts| facts.bytes) {
                    discovery = discovery.measured(format!("it takes {}", numbers::bytes(bytes)));
                }
                discovery
            });
        }
    }
}

/// What REINDEX CONCURRENTLY left behind is dropped (manual, REINDEX, Rebuilding Indexes Concurrently); anything else is built again.
fn build_again(
    context: &SchemaContext,
    table: &Relation,
    relation: &Relation,
    index: &Index,
) -> (&'static str, Vec<FixStep>) {
    let name = relation.name.name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
    let base = name.strip_suffix("_ccnew").or_else(|| name.strip_suffix("_ccold"));
    // Names of 63 bytes are cut before the ending.
    let original = base.is_some_and(|base| {
        context.schema.indexes_of(table.id).any(|other| {
            other.id != relation.id
                && other.name.name.as_str().starts_with(base)
                && other.as_index().is_some_and(|of| of.columns == index.columns && of.method == index.method)
        })
    });
    if original {
        let drop = FixStep::none(format!("DROP INDEX CONCURRENTLY {};", relation.name));
        return ("It is what a REINDEX CONCURRENTLY that failed left behind: drop it.", vec![drop]);
    }
    let again = FixStep::none(format!("REINDEX INDEX CONCURRENTLY {};", relation.name));
    match keys::plain_columns(index).filter(|_| index.unique) {
        Some(columns) => {
            let condition = index.predicate.as_ref().map(|it| it.text.to_string());
            let columns = context.column_names(table, &columns);
            let listed = super::ask::steps::duplicates(table, &columns, condition.as_deref());
            (
                "Settle what the first step lists, for it is why the build failed, then build it again:",
                vec![listed, again],
            )
        }
        None => (
            "Find out why it failed (a deadlock, a timeout, an error in an expression), then build it again:",
            vec![again],
        ),
    }
}

pub(super) fn low_value(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for (relation, index) in context.indexes(table).filter(|(_, index)| is_plain(index)) {
            let Some(Some(first)) = index.columns.first() else { continue };
            let Some(column) = table.column_by_id(*first) else { continue };
            if let Some(discovery) = judge_value(context, table, relation, index, column) {
                found.push(discovery);
            }
        }
    }
}

/// Neither a key nor partial: what it holds is up to whoever made it.
fn is_plain(index: &Index) -> bool {
    index.valid && !index.unique && index.constraint.is_none() && index.predicate.is_none() && index.method == "btree"
}

fn judge_value(
    context: &SchemaContext,
    table: &Relation,
    relation: &Relation,
    index: &Index,
    column: &Column,
) -> Option<Discovery> {
    let alone = index.elements.len() == 1;
    // That nobody reads it is told, and says more.
    if super::index_use::is_unused(context, table, relation, index) {
        return None;
    }
    let name = &relation.name.name;
    let discovery = |message: String| context.discovery(&LOW_VALUE, Subject::Relation(relation.id), message);
    let facts = context.column_facts(table, column);
    let Some(facts) = facts else {
        return (alone && context.is_boolean(column)).then(|| {
            discovery(format!("{name} of {} is on a boolean: half of the table is no help", table.name))
                .severity(Severity::Info)
                .confidence(Confidence::Medium)
                .declared("the only column of the index is boolean")
                .advice(
                    format!("If one of the two is rare, index what is looked for WHERE {} says it.", column.name),
                    Vec::new(),
                )
        });
    };
    let size = context.index_facts(relation).and_then(|facts| facts.bytes)?;
    let scans = context.index_facts(relation).and_then(|facts| facts.scans);
    let rows = context.rows(table)?;
    if size < 1_000_000 || !alone {
        return None;
    }
    let value = Value {
        context,
        table,
        column,
        index: relation,
        facts,
        rows,
        size,
        used: scans.map(|scans| format!(", scanned {} times", numbers::count(scans as f64))).unwrap_or_default(),
    };
    if facts.null_fraction >= 0.5 { Some(value.mostly_null()) } else { value.few_values() }
}

/// A large index on one column, as it was measured.
struct Value<'a> {
    context: &'a SchemaContext<'a>,
    table: &'a Relation,
    column: &'a Column,
    index: &'a Relation,
    facts: &'a ColumnFacts,
    rows: f64,
    size: u64,
    /// How often, where that is counted.
    used: String,
}

impl Value<'_> {
    fn discovery(&self, message: String) -> Discovery {
        let severity = if self.size > 100_000_000 { Severity::Warning } else { Severity::Info };
        self.context.discovery(&LOW_VALUE, Subject::Relation(self.index.id), message).severity(severity)
    }

    fn mostly_null(&self) -> Discovery {
        let Value { context, table, column, facts, .. } = self;
        let (_, mut steps) = super::ask::steps::create_index_with(
            context,
            table,
            &column.name.to_string(),
            "filled_idx",
            "",
            &format!(" WHERE {} IS NOT NULL", column.name),
        );
        steps.push(FixStep::none(format!("DROP INDEX CONCURRENTLY {};", self.index.name)));
        let nulls = numbers::percent(f64::from(facts.null_fraction));
        self.discovery(format!("{nulls} of the entries of {} are NULL", self.index.name.name))
            .measured(format!(
                "{} rows, {nulls} NULL; the index takes {}{}",
                numbers::count(self.rows),
                numbers::bytes(self.size),
                self.used
            ))
            .advice("If nobody looks for NULL through it, hold only the other rows:", steps)
    }

    fn few_values(&self) -> Option<Discovery> {
        let Value { table, column, facts, .. } = self;
        let common = facts.most_common_frequencies.first().copied().unwrap_or(0.0);
        let few = facts.n_distinct > 0.0 && facts.n_distinct <= 4.0;
        // A rare value among few is what such an index is for.
        let rarest = facts.most_common_frequencies.last().copied().unwrap_or(0.0);
        let is_key = keys::is_foreign_key(table, column.id);
        (few && !is_key && rarest >= 0.05).then(|| {
            self.discovery(format!(
                "{} of {} is on {} with {} different values",
                self.index.name.name, table.name, column.name, facts.n_distinct
            ))
            .measured(format!(
                "{} rows, {} values, the rarest on {} and the most common on {} of them; the index takes {}{}",
                numbers::count(self.rows),
                facts.n_distinct,
                numbers::percent(f64::from(rarest)),
                numbers::percent(f64::from(common)),
                numbers::bytes(self.size),
                self.used
            ))
            .advice(
                "Drop it while others work; for one value that is looked for, a partial index on what is asked besides:",
                vec![FixStep::none(format!("DROP INDEX CONCURRENTLY {};", self.index.name))],
            )
        })
    }
}

pub(super) fn time_first(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        for (relation, index) in context.indexes(table) {
            if index.unique || index.constraint.is_some() || index.method != "btree" || !index.valid {
                continue;
            }
            let [Some(first), Some(second), ..] = index.columns[..] else { continue };
            let (Some(first), Some(second)) = (table.column_by_id(first), table.column_by_id(second)) else { continue };
            let is_time = |column| matches!(context.type_name(column), Some("timestamp" | "timestamptz"));
            let sorts = keys::primary_key(table).contains(&second.id);
            if !is_time(first) || is_time(second) || sorts {
                continue;
            }
            let equal_first = context.indexes(table).any(|(_, other)| {
                other.valid
                    && other.columns.first() == Some(&Some(second.id))
                    && other.columns.get(1) == Some(&Some(first.id))
            });
            if equal_first {
                continue;
            }
            let (text, steps) =
                super::ask::steps::create_index(context, table, &format!("{}, {}", second.name, first.name), "idx");
            found.push(
                context
                    .discovery(
                        &TIME_FIRST,
                        Subject::Relation(relation.id),
                        format!(
                            "{} of {} begins with {}: a range of it reads every {} in that time",
                            relation.name.name, table.name, first.name, second.name
                        ),
                    )
                    .confidence(Confidence::Low)
                    .declared(format!("the index is on ({}, {})", first.name, second.name))
                    .advice(
                        format!(
                            "If {} is asked for as a value and {} as a range, put the value first. {text}",
                            second.name, first.name
                        ),
                        steps,
                    ),
            );
        }
    }
}
