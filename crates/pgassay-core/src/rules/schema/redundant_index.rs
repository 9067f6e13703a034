//! Indexes that another index makes needless.

use std::collections::HashMap;

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Index, Relation};
use crate::text::numbers;

pub static DUPLICATE: Rule = Rule {
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
};

pub static PREFIX: Rule = Rule {
    name: "prefix-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "An index is the beginning of another one",
    explanation: "An index on (a) finds nothing that a btree index on (a, b) does not find. It is smaller, and so a little faster where only a is asked for, which \
        rarely outweighs that every write pays for it. A warning where it is measured to be over 100 MB. Unique and partial indexes are never reported.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, at timestamptz NOT NULL);\nCREATE INDEX orders_customer ON orders (customer_id);",
        migration: "CREATE INDEX CONCURRENTLY orders_customer_at ON orders (customer_id, at);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, at timestamptz NOT NULL);\nCREATE INDEX orders_customer ON orders (customer_id);",
        migration: "CREATE INDEX CONCURRENTLY orders_at_customer ON orders (at, customer_id);",
    },
};

/// An index, and its elements as the server would print them.
struct Written<'a> {
    relation: &'a Relation,
    index: &'a Index,
    elements: Vec<String>,
    predicate: Option<String>,
}

/// What is equal in indexes that are the same: their elements and predicate.
type Mark<'w> = (&'w [String], Option<&'w str>);

impl<'a> Written<'a> {
    fn all(context: &SchemaContext<'a>, table: &'a Relation, wanted: impl Fn(&Index) -> bool) -> Vec<Written<'a>> {
        let indexes = context.indexes(table).filter(|(_, index)| index.valid && wanted(index));
        let written = |(relation, index): (&'a Relation, &'a Index)| Written {
            relation,
            index,
            elements: index.elements.iter().map(printed).collect(),
            predicate: index.predicate.as_ref().map(|predicate| predicate.tree.to_string()),
        };
        indexes.map(written).collect()
    }

    fn mark(&self) -> Mark<'_> {
        (&self.elements, self.predicate.as_deref())
    }

    fn same(&self, other: &Written) -> bool {
        let (one, of) = (self.index, other.index);
        one.method == of.method
            && self.mark() == other.mark()
            && one.columns == of.columns
            && one.include == of.include
            && one.nulls_not_distinct == of.nulls_not_distinct
    }

    /// Elements equal as far as the shorter one goes. What it includes, the longer one has too.
    fn is_prefix_of(&self, long: &Written) -> bool {
        self.elements.len() < long.elements.len()
            && long.elements.starts_with(&self.elements)
            && self
                .index
                .include
                .iter()
                .all(|id| long.index.columns.contains(&Some(*id)) || long.index.include.contains(id))
    }
}

/// Indexes by their marks, so that only those are compared that may be the same.
fn by_mark<'w, 'a>(indexes: &'w [Written<'a>]) -> HashMap<Mark<'w>, Vec<&'w Written<'a>>> {
    let mut alike: HashMap<Mark, Vec<&Written>> = HashMap::new();
    for written in indexes {
        alike.entry(written.mark()).or_default().push(written);
    }
    alike
}

pub(super) fn duplicates(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let indexes = Written::all(context, table, |_| true);
        let alike = by_mark(&indexes);
        found.extend(indexes.iter().filter_map(|written| second_key(context, table, written, &alike)));
        for written in indexes.iter().filter(|written| written.index.constraint.is_none()) {
            let (relation, index) = (written.relation, written.index);
            // Of two plain ones the later goes; a plain unique index is worth more than one that is not.
            let stays = |other: &&&Written| {
                let of = other.index;
                other.relation.id != relation.id
                    && written.same(other)
                    && (of.constraint.is_some()
                        || of.unique && !index.unique
                        || of.unique == index.unique && other.relation.id < relation.id)
                    && (!index.unique || of.unique && !is_deferrable(table, of))
            };
            let Some(other) = alike.get(&written.mark()).and_then(|alike| alike.iter().find(stays)) else {
                continue;
            };
            let what = match &other.index.constraint {
                Some(constraint) => format!("the index of constraint {constraint}"),
                None => format!("index {}", other.relation.name.name),
            };
            let size = size(context, relation);
            let mut discovery = context
                .discovery(
                    &DUPLICATE,
                    Subject::Relation(relation.id),
                    format!("{} of {} is {what} once more{size}", relation.name.name, table.name),
                )
                .declared("method, elements and predicate are equal")
                .related(Subject::Relation(other.relation.id), "the other one")
                .advice("Drop it while others work:", drop_index(relation, index));
            if !size.is_empty() {
                discovery = discovery.measured(format!("it takes{}", size.trim_start_matches(',')));
            }
            found.push(discovery);
        }
    }
}

/// A unique constraint on what another one keeps apart. The first stays: a foreign key goes by the first that fits
/// (transformFkeyCheckAttrs, tablecmds.c).
fn second_key(
    context: &SchemaContext,
    table: &Relation,
    written: &Written,
    alike: &HashMap<Mark, Vec<&Written>>,
) -> Option<Discovery> {
    let constraint = written.index.constraint.as_ref().and_then(|name| table.constraint(name))?;
    if written.index.primary || !written.index.unique || !constraint.local {
        return None;
    }
    let stays = |other: &&&Written| {
        let of = other.index.constraint.as_ref().and_then(|name| table.constraint(name));
        let same_moment = of.is_some_and(|of| {
            (of.deferrable, of.initially_deferred) == (constraint.deferrable, constraint.initially_deferred)
        });
        other.relation.id < written.relation.id && other.index.unique && same_moment && written.same(other)
    };
    let other = alike.get(&written.mark())?.iter().find(stays)?;
    let (name, kept) = (&constraint.name, other.index.constraint.as_ref()?);
    let size = size(context, written.relation);
    Some(
        context
            .discovery(
                &DUPLICATE,
                Subject::Relation(written.relation.id),
                format!("constraint {name} of {} keeps apart what {kept} keeps apart{size}", table.name),
            )
            .declared("columns, NULLs and the moment of the check are equal")
            .related(Subject::Relation(other.relation.id), "the other one")
            .advice(
                "Drop it, unless INSERT … ON CONFLICT ON CONSTRAINT names it:",
                vec![FixStep::own(format!("ALTER TABLE {} DROP CONSTRAINT {name};", table.name))],
            ),
    )
}

/// A key that is checked at the end of the transaction lets two equal rows stand until then.
fn is_deferrable(table: &Relation, index: &Index) -> bool {
    let constraint = index.constraint.as_ref().and_then(|name| table.constraint(name));
    constraint.is_some_and(|constraint| constraint.deferrable)
}

pub(super) fn prefixes(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        let indexes = Written::all(context, table, |index| index.method == "btree");
        let alike = by_mark(&indexes);
        let mut longer: HashMap<&[String], Vec<&Written>> = HashMap::new();
        for written in indexes.iter().filter(|written| written.index.predicate.is_none()) {
            for end in 1..written.elements.len() {
                longer.entry(&written.elements[..end]).or_default().push(written);
            }
        }
        for written in &indexes {
            let (relation, index) = (written.relation, written.index);
            if index.unique || index.constraint.is_some() || index.predicate.is_some() {
                continue;
            }
            let candidates = longer.get(&written.elements[..]).into_iter().flatten();
            let Some(other) = candidates.into_iter().find(|long| written.is_prefix_of(long)) else { continue };
            // The doubled one is told as a duplicate, and this one goes for both reasons.
            let doubled = |twin: &&Written| twin.relation.id < relation.id && written.same(twin);
            if alike.get(&written.mark()).is_some_and(|alike| alike.iter().any(doubled)) {
                continue;
            }
            found.push(prefix(context, table, written, other));
        }
    }
}

fn prefix(context: &SchemaContext, table: &Relation, short: &Written, long: &Written) -> Discovery {
    let (relation, other) = (short.relation, long.relation);
    let bytes = context.index_facts(relation).and_then(|facts| facts.bytes);
    let size = size(context, relation);
    let message = format!("{} of {} is the beginning of {}{size}", relation.name.name, table.name, other.name.name);
    let mut discovery = context
        .discovery(&PREFIX, Subject::Relation(relation.id), message)
        .severity(Severity::Info)
        .declared(format!("({}) and ({})", short.elements.join(", "), long.elements.join(", ")))
        .related(Subject::Relation(other.id), "the longer one")
        .advice(
            "If no query needs the smaller one for its size, drop it while others work:",
            drop_index(relation, short.index),
        );
    if let Some(bytes) = bytes {
        discovery = discovery.measured(format!("{} takes {}", relation.name.name, numbers::bytes(bytes)));
        if bytes > 100_000_000 {
            discovery = discovery.severity(Severity::Warning);
        }
    }
    discovery
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
