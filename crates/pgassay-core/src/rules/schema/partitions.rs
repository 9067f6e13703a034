//! Partitions that lack what their siblings have, references that name their table in a column, tables that somebody copied.

use std::collections::BTreeMap;

use super::ask::{keys, steps};
use super::hot;
use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, ConstraintKind, Relation};
use crate::text::{numbers, words};

pub static UNLIKE: Rule = Rule {
    name: "partition-unlike-siblings",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A partition lacks a key, a foreign key, a CHECK or an index that its siblings have",
    explanation: "What is made on each partition by hand is forgotten on one: its rows are not checked, or its queries read all of it, and nobody sees it in the parent. Make it on the partition now, and on the parent for those to come: \
        there new partitions get it automatically. Reported where at least three partitions, and all but one or two, have it and the parent has not; of three partitions, two.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE payments (id bigint NOT NULL, customer_id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);\n\
            CREATE TABLE p1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); CREATE TABLE p2 PARTITION OF payments FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');\n\
            CREATE TABLE p3 PARTITION OF payments FOR VALUES FROM ('2026-03-01') TO ('2026-04-01'); CREATE TABLE p4 PARTITION OF payments FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');\n\
            CREATE INDEX ON p1 (customer_id); CREATE INDEX ON p2 (customer_id); CREATE INDEX ON p3 (customer_id);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE payments (id bigint NOT NULL, customer_id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);\n\
            CREATE TABLE p1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); CREATE TABLE p2 PARTITION OF payments FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');\n\
            CREATE TABLE p3 PARTITION OF payments FOR VALUES FROM ('2026-03-01') TO ('2026-04-01'); CREATE TABLE p4 PARTITION OF payments FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');\n\
            CREATE INDEX ON payments (customer_id);",
    },
};

pub static POLYMORPHIC: Rule = Rule {
    name: "polymorphic-without-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A reference that names its table in a column has no index",
    explanation: "(commentable_type, commentable_id) is how the rows of an object are found, and no foreign key can be on it: nothing else makes sure that it has an index. One on both columns, the id first or the type first, \
        serves. Rows of objects that are gone stay for ever: a column for each table, of which exactly one is set, could have foreign keys.",
    fires: Example {
        given: "",
        migration: "CREATE TABLE comments (id bigint PRIMARY KEY, commentable_type text NOT NULL, commentable_id bigint NOT NULL, body text NOT NULL);",
    },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE comments (id bigint PRIMARY KEY, commentable_type text NOT NULL, commentable_id bigint NOT NULL, body text NOT NULL);\n\
            CREATE INDEX ON comments (commentable_type, commentable_id);",
    },
};

pub static COPY: Rule = Rule {
    name: "left-over-copy",
    category: Category::Operations,
    severity: Severity::Warning,
    summary: "A table looks like a copy that somebody made of another one and left behind",
    explanation: "users_backup_2023 has the personal data of users, without its keys, policies and grants, and nobody deletes from it what has to be deleted. Keep what is needed outside the database, and drop it. \
        Recognised by the name (backup, bak, old, copy, tmp, a date) where another table has the rest of the name and most of the columns; or by the columns, where a table has nothing but those of another one after which it is named. What such a table lacks is not told besides.",
    fires: Example {
        given: "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name text NOT NULL);",
        migration: "CREATE TABLE users_backup_2023 (id bigint, email text, name text);",
    },
    quiet: Example {
        given: "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name text NOT NULL);",
        migration: "CREATE TABLE users_archive (id bigint PRIMARY KEY, email text NOT NULL, name text NOT NULL, archived_at timestamptz NOT NULL);",
    },
};

/// What a partition has, in words that are the same for its siblings.
fn parts(context: &SchemaContext, partition: &Relation) -> BTreeMap<String, FixStep> {
    let mut parts = BTreeMap::new();
    for constraint in &partition.constraints {
        match &constraint.kind {
            ConstraintKind::ForeignKey(key) => {
                let Some(parent) = context.schema.relation(key.referenced) else { continue };
                let columns = context.column_names(partition, &key.columns);
                let definition = crate::rules::migration::advice::foreign_key(constraint, key, partition, parent);
                let what = format!("foreign key ({columns}) to {}", parent.name);
                parts.insert(what, FixStep::own(format!("ALTER TABLE {{}} ADD {definition} NOT VALID;")));
            }
            // The condition of a bound is written by hand before ATTACH, and is another one in each.
            ConstraintKind::Check { expression, .. } if !expression.text.chars().any(|c| c.is_ascii_digit()) => {
                parts.insert(
                    format!("CHECK ({})", expression.text),
                    FixStep::own(format!("ALTER TABLE {{}} ADD CHECK ({}) NOT VALID;", expression.text)),
                );
            }
            // A key that the parent has too is the partition's by inheritance.
            ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
                let columns = context.column_names(partition, columns);
                let kind = match constraint.kind {
                    ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
                    _ => "UNIQUE",
                };
                parts.insert(
                    format!("{} ({columns})", kind.to_lowercase().replace("unique", "unique key")),
                    FixStep::own(format!("ALTER TABLE {{}} ADD {kind} ({columns});")),
                );
            }
            ConstraintKind::NotNull(_) | ConstraintKind::Check { .. } | ConstraintKind::Exclude { .. } => {}
        }
    }
    for (_, index) in context
        .indexes(partition)
        .filter(|(_, index)| index.valid && index.constraint.is_none() && index.predicate.is_none())
    {
        let Some(columns) = keys::plain_columns(index).filter(|_| index.method == "btree") else { continue };
        let columns = context.column_names(partition, &columns);
        let unique = if index.unique { "UNIQUE " } else { "" };
        parts.insert(
            format!("{}index on ({columns})", unique.to_lowercase()),
            FixStep::none(format!("CREATE {unique}INDEX CONCURRENTLY ON {{}} ({columns});")),
        );
    }
    parts
}

pub(super) fn unlike(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables().filter(|table| table.is_partitioned() && table.children.len() >= 3) {
        let partitions: Vec<&Relation> = table
            .children
            .iter()
            .filter_map(|id| context.schema.relation(*id))
            .map(|relation| &**relation)
            .filter(|partition| matches!(partition.kind, crate::schema::RelationKind::Table) && partition.known)
            .collect();
        let has: Vec<BTreeMap<String, FixStep>> =
            partitions.iter().map(|partition| parts(context, partition)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for part in has.iter().flat_map(|parts| parts.keys()) {
            *counts.entry(part).or_default() += 1;
        }
        // What the same partitions lack has one cause: they were made by hand.
        let mut missing: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
        for (what, number) in counts {
            let lacking = partitions.len() - number;
            if lacking == 0 || lacking > 2 || number < 3 && !(number == 2 && lacking == 1) {
                continue;
            }
            let without = has.iter().enumerate().filter(|(_, parts)| !parts.contains_key(what));
            missing.entry(without.map(|(at, _)| at).collect()).or_default().push(what);
        }
        for (places, what) in missing {
            let number = partitions.len() - places.len();
            // Of three, one may be the odd one out by chance.
            let few = number == 2;
            let without: Vec<&Relation> = places.iter().map(|at| partitions[*at]).collect();
            let names: Vec<String> = without.iter().map(|partition| partition.name.to_string()).collect();
            let step = |what: &&str| {
                let pattern = has.iter().find_map(|parts| parts.get(*what));
                let of = move |name: &String| {
                    pattern.map(|step| FixStep { sql: step.sql.replace("{}", name), ..step.clone() })
                };
                names.iter().filter_map(of).collect::<Vec<_>>()
            };
            let steps: Vec<FixStep> = what.iter().flat_map(step).collect();
            let index = what.iter().all(|what| what.contains("index on"));
            let what = what.join(", the ");
            let mut discovery = context
                .discovery(
                    &UNLIKE,
                    Subject::Relation(without[0].id),
                    format!(
                        "{} of {} {} the {what} that {number} of its siblings have",
                        names.join(" and "),
                        table.name,
                        if names.len() == 1 { "lacks" } else { "lack" }
                    ),
                )
                .severity(if index || few { Severity::Info } else { Severity::Warning })
                .confidence(if few { Confidence::Medium } else { Confidence::High })
                .declared(format!(
                    "{number} of {} partitions have it, and {} itself has not",
                    partitions.len(),
                    table.name
                ))
                .advice("Make it there too, and on the partitioned table for partitions to come:", steps);
            discovery.table = Some(table.id);
            found.push(discovery);
        }
    }
}

/// The words of a name before its last one, where that is one of some: `owner_id`, `OwnerId` and `ownerid` are an owner's.
fn stem_of(column: &Column, last: &[&str]) -> Option<String> {
    let words = words::words(column.name.as_str());
    let (end, stem) = words.split_last().filter(|(_, stem)| !stem.is_empty())?;
    last.contains(&end.as_str()).then(|| stem.join("_"))
}

/// `service_id` and `service_type` of `service_instance`: what the row is, and not what it is about.
fn is_about_itself(table: &Relation, stem: &str) -> bool {
    // entity_updates has rows about entities of any table.
    const ANYTHING: &[&str] =
        &["entity", "object", "resource", "subject", "target", "record", "item", "model", "source", "owner", "parent"];
    if ANYTHING.contains(&stem) {
        return false;
    }
    let own = words::joined(table.name.name.as_str());
    own == stem || *words::singular(&own) == *stem || own.starts_with(&format!("{stem}_"))
}

/// Whether a table of the schema has the name: `room_id` is then a room's, and `room_kind` says which kind of room.
fn names_a_table(context: &SchemaContext, table: &Relation, stem: &str) -> bool {
    let of_schema = context.schema.relations_in(&table.name.schema);
    of_schema.filter(|other| other.is_table()).any(|other| {
        let words = words::joined(other.name.name.as_str());
        *words::singular(&words) == *stem || words == *stem
    })
}

/// The column that says which table an id is of, where the two have no foreign key and no index leads with them.
pub(super) fn kind_without_index<'t>(context: &SchemaContext, table: &'t Relation, id: &Column) -> Option<&'t Column> {
    let stem = stem_of(id, &["id"]).filter(|stem| !is_about_itself(table, stem))?;
    let named = |other: &&Column| {
        // A kind may be what the thing is, and not where it is: of a few words only a type is surely a table.
        stem_of(other, &["type", "kind", "table", "class"]).is_some_and(|other| other == stem)
            && (context.is_text(other) || context.enum_type(other).is_some())
            && (stem_of(other, &["kind", "class"]).is_none() || !names_a_table(context, table, &stem))
    };
    let kind = table.columns.iter().find(named).filter(|_| !keys::is_foreign_key(table, id.id))?;
    let serves = |(_, index): (&Relation, &crate::schema::Index)| {
        let leading: Vec<_> = index.columns.iter().take(2).flatten().copied().collect();
        // Or within something that comes first in every query of the table.
        let within = |first| first == id.id || first != kind.id && index.columns.contains(&Some(id.id));
        let found = leading == [kind.id, id.id] || index.columns.first().copied().flatten().is_some_and(within);
        index.valid && found
    };
    (!context.indexes(table).any(serves)).then_some(kind)
}

pub(super) fn polymorphic(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let hot = hot::unserved(context);
    for table in context.tables() {
        for id in &table.columns {
            let Some(kind) = kind_without_index(context, table, id) else { continue };
            let (text, steps) = steps::create_index(context, table, &format!("{}, {}", kind.name, id.name), "idx");
            let rows = context.rows(table);
            let mut discovery = context
                .discovery(
                    &POLYMORPHIC,
                    Subject::Column(table.id, id.id),
                    format!("no index finds the rows of {} by ({}, {})", table.name, kind.name, id.name),
                )
                .confidence(Confidence::High)
                .declared(format!(
                    "{} says which table {} is about, so there is no foreign key; no index leads with them",
                    kind.name, id.name
                ))
                .advice(text, steps);
            let query = hot.get(&(table.id, id.id)).or(hot.get(&(table.id, kind.id)));
            if let (Some((number, _)), Some(workload)) = (query, context.workload) {
                discovery = discovery.measured(hot::told(&workload.statements[*number], workload));
            }
            if let Some(rows) = rows {
                discovery = discovery.measured(format!("{} rows", numbers::count(rows)));
                if rows < 1000.0 {
                    discovery = discovery.severity(Severity::Info);
                }
            }
            found.push(discovery);
        }
    }
}

/// A table with the columns of another one and nothing else of it, named after it: `CREATE TABLE orders_before_march AS SELECT …`.
fn made_by_query<'a>(context: &SchemaContext<'a>, table: &Relation) -> Option<&'a Relation> {
    // On their way in, kept on purpose, or of each period.
    const MEANT: &[&str] = &[
        "staging", "stage", "import", "load", "raw", "history", "archive", "audit", "log", "change", "delta", "queue",
        "inbox", "outbox", "cache", "template", "export", "new", "next", "event", "version", "snapshot", "summary",
    ];
    let name = table.name.name.as_str().to_lowercase();
    let is_bare = !table.constraints.iter().any(|it| !matches!(it.kind, ConstraintKind::NotNull(_)))
        && context.schema.indexes_of(table.id).next().is_none()
        && table.triggers.is_empty()
        && table.referenced_by.is_empty();
    let alone = table.parents.is_empty() && table.children.is_empty() && !table.is_partition();
    if !is_bare || !alone || table.columns.len() < 2 || words::has_word(&name, MEANT) {
        return None;
    }
    let is_named_after = |other: &Relation| {
        let of = other.name.name.as_str().to_lowercase();
        name.strip_prefix(&of).is_some_and(|rest| rest.starts_with('_'))
            || name.strip_suffix(&of).is_some_and(|rest| rest.ends_with('_'))
    };
    let has_its_columns = |other: &Relation| {
        let same = |column: &Column| {
            other.column(&column.name).is_some_and(|it| it.data_type.written == column.data_type.written)
        };
        table.columns.iter().all(same) && other.columns.len() < table.columns.len() * 2
    };
    let is_original = |other: &Relation| {
        other.id != table.id
            && other.is_table()
            && other.primary_key().is_some()
            && is_named_after(other)
            && has_its_columns(other)
    };
    let original = context.schema.relations_in(&table.name.schema).find(|other| is_original(other))?;
    // One for each period or tenant is a way to partition.
    let prefix = format!("{}_", original.name.name.as_str().to_lowercase());
    let series = context.schema.relations_in(&table.name.schema);
    let series = series.filter(|it| {
        it.is_table() && it.name.name.as_str().to_lowercase().starts_with(&prefix) && it.primary_key().is_none()
    });
    (series.take(3).count() < 3).then_some(original)
}

/// A table without a key that has the columns of another one, all of them and no other.
fn has_same_columns(table: &Relation, other: &Relation) -> bool {
    let same =
        |column: &Column| other.column(&column.name).is_some_and(|it| it.data_type.written == column.data_type.written);
    table.columns.len() >= 3
        && table.columns.len() == other.columns.len()
        && table.primary_key().is_none()
        && other.primary_key().is_some()
        && table.columns.iter().all(same)
}

/// The table that a left-over copy was made of.
pub(crate) fn copy_of<'a>(context: &SchemaContext<'a>, table: &Relation) -> Option<&'a Relation> {
    const MARKS: &[&str] = &["backup", "bak", "bkp", "old", "copy", "tmp", "temp", "orig", "save", "saved", "bck"];
    if let Some(original) = made_by_query(context, table) {
        return Some(original);
    }
    let name = table.name.name.as_str().to_lowercase();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = name.split('_').collect();
    let is_mark = |part: &&str| {
        MARKS.iter().any(|mark| part.strip_prefix(mark).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit())))
    };
    let marked = parts.iter().any(is_mark);
    let dated = parts.last().is_some_and(|last| is_number(last) && last.len() >= 6);
    if !marked && !dated || table.is_partition() || !table.parents.is_empty() || parts.len() < 2 {
        return None;
    }
    let rest: Vec<&str> = parts.iter().filter(|part| !is_mark(part) && !is_number(part)).copied().collect();
    let rest = rest.join("_");
    let of_schema =
        || context.schema.relations_in(&table.name.schema).filter(|other| other.id != table.id && other.is_table());
    let by_name = of_schema().find(|other| other.name.name.as_str().eq_ignore_ascii_case(&rest));
    // `routes_copy_of_march` of `route_stops`: a copy by its name, and by all of its columns.
    let by_columns = || {
        let mut same = of_schema().filter(|other| marked && has_same_columns(table, other));
        same.next().filter(|_| same.next().is_none())
    };
    let original = by_name.or_else(by_columns)?;
    // A table for each month is a way to partition, not a habit of copying.
    let prefix = format!("{rest}_");
    let series = context.schema.relations_in(&table.name.schema).filter(|other| {
        let rest = other.name.name.as_str().strip_prefix(&prefix);
        other.is_table() && rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '_'))
    });
    if !marked && series.take(3).count() == 3 {
        return None;
    }
    let common = table.columns.iter().filter(|column| original.column(&column.name).is_some()).count();
    (common * 4 >= table.columns.len() * 3 && common >= 2 && table.referenced_by.is_empty()).then_some(original)
}

pub(super) fn copies(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables() {
        let Some(original) = copy_of(context, table) else { continue };
        let personal: Vec<&str> =
            table.columns.iter().map(|column| column.name.as_str()).filter(|name| words::personal(name)).collect();
        let holds = if personal.is_empty() { String::new() } else { format!("; it holds {}", personal.join(", ")) };
        let mut discovery = context
            .discovery(
                &COPY,
                Subject::Relation(table.id),
                format!("{} looks like a left-over copy of {}{holds}", table.name, original.name),
            )
            .severity(if personal.is_empty() { Severity::Info } else { Severity::Warning })
            .confidence(Confidence::Medium)
            .declared("its name, and its columns, which are the other table's")
            .related(Subject::Relation(original.id), "what it is a copy of")
            .advice("Keep what is still needed outside the database, then DROP TABLE it.", Vec::new());
        if let Some(facts) = context.table_facts(table) {
            let used = facts.activity.as_ref().map_or(0, |activity| activity.scans());
            let bytes = facts.total_bytes().map(|bytes| format!(", {}", numbers::bytes(bytes))).unwrap_or_default();
            discovery = discovery.measured(format!(
                "{} rows{bytes}, read {used} times since counting began",
                numbers::count(facts.row_estimate().unwrap_or(0.0))
            ));
        }
        found.push(discovery);
    }
}
