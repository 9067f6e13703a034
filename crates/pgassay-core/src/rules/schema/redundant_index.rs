//! Indexes that another index makes needless.

use super::{Discovery, Needs, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Check, Example, Rule};
use crate::schema::{Index, Relation};
use crate::text::numbers;

pub const DUPLICATE: Rule = Rule {
    name: "duplicate-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "Two indexes of a table are the same",
    explanation: "Every INSERT, and every UPDATE that moves the row, writes both; both take room in memory and on disk; the planner uses one. The same means: table, method, \
        columns or expressions in order, operator classes, collations, order of NULLs, INCLUDE and predicate. An index of a constraint stays, a plain one goes; the index of a unique key does what a plain one does.",
    fires: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);",
        migration: "CREATE INDEX CONCURRENTLY customers_email ON customers (email);",
    },
    quiet: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);",
        migration: "CREATE INDEX CONCURRENTLY customers_email ON customers (lower(email));",
    },
    check: Check::Schema(duplicates, Needs::Schema),
};

pub const PREFIX: Rule = Rule {
    name: "prefix-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "An index is the beginning of another one",
    explanation: "An index on (a) finds nothing that a btree index on (a, b) does not find. It is smaller, and so a little faster where only a is asked for, which \
        rarely outweighs that every write pays for it. A warning where it is measured to be over 100 MB. Unique and partial indexes are never told.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, at timestamptz NOT NULL);\nCREATE INDEX orders_customer ON orders (customer_id);",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_at ON orders (customer_id, at);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, at timestamptz NOT NULL);\nCREATE INDEX orders_customer ON orders (customer_id);",
        migration: "CREATE INDEX CONCURRENTLY orders_at_customer ON orders (at, customer_id);",
    },
    check: Check::Schema(prefixes, Needs::Schema),
};

fn duplicates(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let indexes: Vec<_> = context.indexes(table).filter(|(_, index)| index.valid).collect();
        for (relation, index) in indexes.iter().filter(|(_, index)| index.constraint.is_none()) {
            // Of two plain ones the later goes; a plain unique index is worth more than one that is not.
            let stays = |(other, of): &&(&Relation, &Index)| {
                other.id != relation.id
                    && same(index, of)
                    && (of.constraint.is_some()
                        || of.unique && !index.unique
                        || of.unique == index.unique && other.id < relation.id)
                    && (!index.unique || of.unique)
            };
            let Some((other, of)) = indexes.iter().find(stays) else { continue };
            let what = match &of.constraint {
                Some(constraint) => format!("the index of constraint {constraint}"),
                None => format!("index {}", other.name.name),
            };
            let size = size(context, relation);
            let mut discovery = context
                .discovery(
                    &DUPLICATE,
                    Subject::Relation(relation.id),
                    format!("{} of {} is {what} once more{size}", relation.name.name, table.name),
                )
                .declared("method, elements and predicate are equal")
                .related(Subject::Relation(other.id), "the other one")
                .advice("Drop it while others work:", drop_index(relation, index));
            if !size.is_empty() {
                discovery = discovery.measured(format!("it takes{}", size.trim_start_matches(',')));
            }
            found.push(discovery);
        }
    }
}

fn prefixes(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let indexes: Vec<_> =
            context.indexes(table).filter(|(_, index)| index.valid && index.method == "btree").collect();
        for (relation, index) in
            indexes.iter().filter(|(_, it)| !it.unique && it.constraint.is_none() && it.predicate.is_none())
        {
            let longer = |(other, of): &&(&Relation, &Index)| {
                other.id != relation.id && of.predicate.is_none() && is_prefix(index, of)
            };
            let Some((other, of)) = indexes.iter().find(longer) else { continue };
            // The doubled one is told as a duplicate, and this one goes for both reasons.
            let doubled = |(twin, it): &&(&Relation, &Index)| twin.id < relation.id && same(index, it);
            if indexes.iter().any(|it| doubled(&it)) {
                continue;
            }
            let facts = context.index_facts(relation);
            let bytes = facts.and_then(|facts| facts.bytes);
            let mut discovery = context
                .discovery(
                    &PREFIX,
                    Subject::Relation(relation.id),
                    format!(
                        "{} of {} is the beginning of {}{}",
                        relation.name.name,
                        table.name,
                        other.name.name,
                        size(context, relation)
                    ),
                )
                .severity(Severity::Info)
                .declared(format!("({}) and ({})", elements(index), elements(of)))
                .related(Subject::Relation(other.id), "the longer one")
                .advice(
                    "If no query needs the smaller one for its size, drop it while others work:",
                    drop_index(relation, index),
                );
            if let Some(bytes) = bytes {
                discovery = discovery.measured(format!("{} takes {}", relation.name.name, numbers::bytes(bytes)));
                if bytes > 100_000_000 {
                    discovery = discovery.severity(Severity::Warning);
                }
            }
            found.push(discovery);
        }
    }
}

/// As large as it is measured to be.
fn size(context: &SchemaContext, index: &Relation) -> String {
    let bytes = context.index_facts(index).and_then(|facts| facts.bytes);
    bytes.map(|bytes| format!(", {}", numbers::bytes(bytes))).unwrap_or_default()
}

fn drop_index(relation: &Relation, index: &Index) -> Vec<FixStep> {
    if index.partitioned {
        return vec![FixStep::own(format!("DROP INDEX {};", relation.name))];
    }
    vec![FixStep::none(format!("DROP INDEX CONCURRENTLY {};", relation.name))]
}

fn elements(index: &Index) -> String {
    index.elements.iter().map(printed).collect::<Vec<_>>().join(", ")
}

fn printed(element: &crate::change::IndexElement) -> String {
    let mut text = match &element.target {
        crate::change::IndexTarget::Column(column) => column.to_string(),
        crate::change::IndexTarget::Expression(expression) => expression.tree.to_string(),
    };
    if let Some(collation) = &element.collation {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    if let Some(class) = &element.operator_class {
        text.push_str(&format!(" {class}"));
    }
    if element.descending {
        text.push_str(" DESC");
    }
    if let Some(first) = element.nulls_first.filter(|first| *first != element.descending) {
        text.push_str(if first { " NULLS FIRST" } else { " NULLS LAST" });
    }
    text
}

fn same(one: &Index, other: &Index) -> bool {
    one.method == other.method
        && one.columns == other.columns
        && one.include == other.include
        && one.nulls_not_distinct == other.nulls_not_distinct
        && one.predicate == other.predicate
        && one.elements.len() == other.elements.len()
        && one.elements.iter().map(printed).eq(other.elements.iter().map(printed))
}

/// Elements equal as far as the shorter one goes. What it includes, the longer one has too.
fn is_prefix(short: &Index, long: &Index) -> bool {
    short.elements.len() < long.elements.len()
        && short.elements.iter().map(printed).eq(long.elements.iter().take(short.elements.len()).map(printed))
        && short.include.iter().all(|id| long.columns.contains(&Some(*id)) || long.include.contains(id))
}
