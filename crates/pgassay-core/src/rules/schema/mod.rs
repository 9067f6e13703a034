//! Rules about schemas: what is wrong with what exists, whatever made it.
//!
//! In: a [`SchemaContext`]. Out: [`Discovery`]s, turned into findings here: those of one table that say the same stand in one finding, and
//! every finding gets its place, the locks of its steps, and its area. `audit` asks about a whole schema, `check` about what a migration
//! added.

pub(crate) mod ask;
mod bookings;
mod books;
mod bounds;
mod discouraged_types;
mod duplicate_constraint;
mod enum_text;
mod foreign_key_index;
mod foreign_key_types;
mod growth;
mod hot;
mod idempotency;
mod index_shape;
pub(crate) mod index_use;
mod json;
mod key_range;
mod missing_foreign_key;
mod missing_primary_key;
mod mistyped_reference;
mod modules;
mod money;
mod nullability;
mod operations;
pub(crate) mod partitions;
pub(super) mod permissions;
mod personal;
mod query_index;
mod queues;
mod redundant_index;
mod row_security;
mod row_security_roles;
mod silenced_trigger;
mod soft_delete;
mod table_bloat;
mod uniqueness;
mod unvalidated_constraint;
mod vacuum;
mod values;

pub use ask::context::{Discovery, Group, LeftAlone, SchemaContext};
pub(crate) use ask::example::measured;
pub use books::UNLOGGED as UNLOGGED_MONEY;
pub use discouraged_types::RULE as DISCOURAGED_TYPES;
pub use duplicate_constraint::RULE as DUPLICATE_CONSTRAINT;
pub use enum_text::RULE as ENUM_IN_TEXT;
pub use foreign_key_index::RULE as FOREIGN_KEY_WITHOUT_INDEX;
pub use growth::KEY as KEY_RUNS_OUT;
pub use hot::NO_INDEX as HOT_QUERY_WITHOUT_INDEX;
pub use index_shape::LOW_VALUE as LOW_VALUE_INDEX;
pub use key_range::BEHIND as SEQUENCE_BEHIND_ROWS;
pub use missing_foreign_key::RULE as MISSING_FOREIGN_KEY;
pub(crate) use missing_foreign_key::references;
pub use money::{FLOAT as MONEY_IN_FLOAT, UNGUARDED as UNGUARDED_AMOUNT};
pub use operations::LOGGING as SILENT_LOG;
pub use partitions::COPY as LEFT_OVER_COPY;
pub use permissions::PUBLIC as PUBLIC_GRANT;
pub use personal::{PERSONAL as PERSONAL_DATA_WITHOUT_AREA, SECRET as PLAINTEXT_SECRET};
pub use query_index::RULE as INDEX_DEFEATED;
pub use redundant_index::PREFIX as PREFIX_INDEX;
pub use silenced_trigger::RULE as SILENCED_TRIGGER;
pub use soft_delete::RULE as SOFT_DELETE_UNIQUENESS;
pub use vacuum::{AGE as TRANSACTION_ID_AGE, HELD_BACK as VACUUM_HELD_BACK};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::ordmap::DiffItem;
use rayon::prelude::*;

use super::{Check, Entry, Rule, RuleOptions};
use crate::area::Areas;
use crate::contract::Subject;
use crate::finding::{Advice, Finding};
use crate::history::{MigrationRun, Step};
use crate::schema::{Column, RelationId, Schema};
use crate::source::Span;

/// What a schema rule needs to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The schema alone: it also judges what a migration adds.
    Schema,
    /// The schema alone, but as a whole: a migration is not the place to say it.
    WholeSchema,
    /// Statistics or the workload.
    Facts,
}

/// Rules about schemas, worst first.
pub const ALL: &[Entry] = &[
    Entry::schema(&personal::SECRET, Needs::Schema, personal::secrets),
    Entry::schema(&permissions::SECURITY_DEFINER, Needs::Schema, permissions::security_definer),
    Entry::schema(&permissions::ROW_SECURITY, Needs::Schema, permissions::row_security),
    Entry::schema(&permissions::PUBLIC, Needs::Schema, permissions::public_grants),
    Entry::schema(&row_security::OWN_TABLE, Needs::WholeSchema, row_security::own_table),
    Entry::schema(&row_security::NO_POLICY, Needs::WholeSchema, row_security::no_policy),
    Entry::schema(&row_security::ALWAYS_TRUE, Needs::WholeSchema, row_security::always_true),
    Entry::schema(&row_security::VIEW, Needs::Schema, row_security::views),
    Entry::schema(&row_security_roles::BYPASSED, Needs::Facts, row_security_roles::bypassed),
    Entry::schema(&books::UNLOGGED, Needs::WholeSchema, books::unlogged),
    Entry::schema(&books::CASCADE, Needs::WholeSchema, books::cascade),
    Entry::schema(&idempotency::EVENT, Needs::Schema, idempotency::events),
    Entry::schema(&queues::RETRY, Needs::Schema, queues::retries),
    Entry::schema(&money::UNGUARDED, Needs::Schema, money::unguarded),
    Entry::schema(&personal::PERSONAL, Needs::WholeSchema, personal::personal),
    Entry::schema(&key_range::BEHIND, Needs::Facts, key_range::behind),
    Entry::schema(&modules::RULE, Needs::Schema, modules::check),
    Entry::schema(&missing_primary_key::RULE, Needs::Schema, missing_primary_key::check),
    Entry::schema(&soft_delete::RULE, Needs::Schema, soft_delete::check),
    Entry::schema(&unvalidated_constraint::RULE, Needs::WholeSchema, unvalidated_constraint::check),
    Entry::schema(&silenced_trigger::RULE, Needs::WholeSchema, silenced_trigger::check),
    Entry::schema(&foreign_key_types::RULE, Needs::Schema, foreign_key_types::check),
    Entry::schema(&missing_foreign_key::RULE, Needs::Schema, missing_foreign_key::check),
    Entry::schema(&duplicate_constraint::RULE, Needs::Schema, duplicate_constraint::check),
    Entry::schema(&partitions::UNLIKE, Needs::WholeSchema, partitions::unlike),
    Entry::schema(&uniqueness::IN_FACT, Needs::Facts, uniqueness::in_fact),
    Entry::schema(&uniqueness::EMAIL, Needs::WholeSchema, uniqueness::emails),
    Entry::schema(&bounds::RULE, Needs::WholeSchema, bounds::check),
    Entry::schema(&nullability::RULE, Needs::Schema, nullability::check),
    Entry::schema(&json::RULE, Needs::Schema, json::check),
    Entry::schema(&money::FLOAT, Needs::Schema, money::float),
    Entry::schema(&enum_text::RULE, Needs::Schema, enum_text::check),
    Entry::schema(&values::RULE, Needs::Facts, values::check),
    Entry::schema(&discouraged_types::RULE, Needs::Schema, discouraged_types::check),
    Entry::schema(&index_shape::INVALID, Needs::WholeSchema, index_shape::invalid),
    Entry::schema(&hot::NO_INDEX, Needs::Facts, hot::without_index),
    Entry::schema(&foreign_key_index::RULE, Needs::Schema, foreign_key_index::check),
    Entry::schema(&partitions::POLYMORPHIC, Needs::WholeSchema, partitions::polymorphic),
    Entry::schema(&hot::COSTLY, Needs::Facts, hot::costly),
    Entry::schema(&row_security::PER_ROW, Needs::WholeSchema, row_security::per_row),
    Entry::schema(&queues::UNINDEXED, Needs::Schema, queues::unindexed),
    Entry::schema(&redundant_index::DUPLICATE, Needs::Schema, redundant_index::duplicates),
    Entry::schema(&redundant_index::PREFIX, Needs::Schema, redundant_index::prefixes),
    Entry::schema(&index_shape::LOW_VALUE, Needs::Schema, index_shape::low_value),
    Entry::schema(&index_shape::TIME_FIRST, Needs::Schema, index_shape::time_first),
    Entry::schema(&query_index::RULE, Needs::Facts, query_index::check),
    Entry::schema(&growth::KEY, Needs::Facts, growth::runs_out),
    Entry::schema(&growth::RANDOM, Needs::Facts, growth::random_keys),
    Entry::schema(&growth::WIDE, Needs::Facts, growth::wide),
    Entry::schema(&index_use::UNUSED, Needs::Facts, index_use::unused),
    Entry::schema(&index_use::BLOATED, Needs::Facts, index_use::bloated),
    Entry::schema(&vacuum::VACUUM_OFF, Needs::Schema, vacuum::vacuum_off),
    Entry::schema(&vacuum::AGE, Needs::Facts, vacuum::age),
    Entry::schema(&vacuum::VACUUM_BEHIND, Needs::Facts, vacuum::vacuum_behind),
    Entry::schema(&table_bloat::RULE, Needs::Facts, table_bloat::check),
    Entry::schema(&partitions::COPY, Needs::WholeSchema, partitions::copies),
    Entry::schema(&vacuum::HELD_BACK, Needs::Facts, vacuum::held_back),
    Entry::schema(&vacuum::STALE, Needs::Facts, vacuum::stale),
    Entry::schema(&operations::STATEMENTS, Needs::Facts, operations::statements),
    Entry::schema(&operations::TIMEOUTS, Needs::Facts, operations::timeouts),
    Entry::schema(&operations::LOGGING, Needs::Facts, operations::logging),
];

/// What the rules say of a whole schema, each on a thread of its own.
pub fn discover(context: &SchemaContext) -> Vec<Discovery> {
    let of_rule = |entry: &Entry| {
        let mut found = Vec::new();
        if let Check::Schema(check, _) = entry.check {
            check(context, &mut found);
        }
        found
    };
    super::REGISTRY.par_iter().flat_map_iter(of_rule).collect()
}

fn run(context: &SchemaContext, wanted: impl Fn(&Rule, Needs) -> bool) -> Vec<Discovery> {
    let mut found = Vec::new();
    for entry in &super::REGISTRY {
        if let Check::Schema(check, needs) = entry.check
            && wanted(entry.rule, needs)
        {
            check(context, &mut found);
        }
    }
    found
}

/// What a migration adds: what the rules say of the schema after it and did not say of the one before.
pub fn check_added(migration: &MigrationRun, areas: &Areas, options: &RuleOptions) -> Vec<Finding> {
    let scope = changed_tables(&migration.before, &migration.after);
    let (before, after) = (&migration.before, &migration.after);
    if scope.is_empty() && before.routines.ptr_eq(&after.routines) && before.namespaces == after.namespaces {
        return Vec::new();
    }
    let left_alone = columns_left_alone(&scope, &migration.before, &migration.after);
    let context = |schema, scope, left_alone| SchemaContext {
        scope: Some(scope),
        left_alone,
        earlier: Some(&migration.before),
        ..SchemaContext::of(schema, migration.version, &migration.places, areas, options)
    };
    let static_rules = |_: &Rule, needs| needs == Needs::Schema;
    let after = context(&migration.after, &scope, Some(&left_alone));
    let mut found = run(&after, static_rules);
    let (old, spoke) = old_subjects(&found, &migration.before);
    if !spoke.is_empty() {
        let same_rules = |rule: &Rule, needs| spoke.contains(rule.name) && static_rules(rule, needs);
        let before = run(&context(&migration.before, &old, None), same_rules);
        let known: BTreeSet<(&str, Subject)> =
            before.into_iter().map(|it| (it.finding.rule.name, it.subject)).collect();
        found.retain(|it| !known.contains(&(it.finding.rule.name, it.subject.clone())));
    }
    let inside = |span: &Span| migration.migration.sections.iter().any(|section| section.span.contains(*span));
    let placed = group(found).into_iter().filter_map(|mut discovery| {
        let own = discovery.place.or_else(|| migration.places.of(&discovery.subject));
        // What it made wrong is older than the migration: the statement that did it stands for it.
        if !own.as_ref().is_some_and(inside) {
            discovery.place = Some(cause(migration, &after, &discovery).filter(inside)?);
        }
        let is_new = |table: RelationId| migration.before.relation(table).is_none();
        if let Some(text) = discovery.when_new.take().filter(|_| discovery.table.is_some_and(is_new)) {
            discovery.finding.advice = Advice::text(text);
        }
        place(&after, discovery)
    });
    placed.collect()
}

/// The statement behind which a rule says for the first time what it says behind the whole migration.
fn cause(migration: &MigrationRun, after: &SchemaContext, discovery: &Discovery) -> Option<Span> {
    let steps: Vec<&Step> = migration.steps.iter().filter(|step| !step.is_block()).collect();
    let behind = |at: usize| steps.get(at + 1).map_or(&migration.after, |next| &next.schema);
    if let Subject::Schema(name) = &discovery.subject {
        let changes =
            |(at, step): &(usize, &&Step)| step.schema.namespaces.get(name) != behind(*at).namespaces.get(name);
        return steps.iter().enumerate().rfind(changes).map(|(_, step)| step.span());
    }
    let table = discovery.table?;
    let scope = BTreeSet::from([table]);
    let own_rule = |rule: &Rule, needs| rule.name == discovery.finding.rule.name && needs == Needs::Schema;
    let says_it = |(at, step): &(usize, &&Step)| {
        let (old, new) = (step.schema.relation(table), behind(*at).relation(table));
        let changed = !matches!((old, new), (Some(old), Some(new)) if Arc::ptr_eq(old, new));
        let context = SchemaContext { schema: behind(*at), scope: Some(&scope), ..*after };
        changed && run(&context, own_rule).iter().any(|found| found.subject == discovery.subject)
    };
    let first = steps.iter().enumerate().find(says_it).map(|(_, step)| step.span());
    first.or_else(|| migration.places.last_change(table))
}

/// Of the tables whose keys and indexes the migration left as they were, the columns that it left so too.
fn columns_left_alone(scope: &BTreeSet<RelationId>, before: &Schema, after: &Schema) -> LeftAlone {
    let of_table = |id: &RelationId| {
        let (old, new) = (before.relation(*id)?, after.relation(*id)?);
        let unchanged = |column: &&Column| old.column_by_id(column.id) == Some(*column);
        let all = || (*id, new.columns.iter().filter(unchanged).map(|column| column.id).collect());
        after.has_keys_of(before, *id).then(all)
    };
    scope.iter().filter_map(of_table).collect()
}

/// The tables, and the rules, of what may have been said of the schema before too: its subject was there.
fn old_subjects(found: &[Discovery], before: &Schema) -> (BTreeSet<RelationId>, BTreeSet<&'static str>) {
    let was_there = |subject: &Subject| match subject {
        Subject::Relation(id) | Subject::Part(id, _) => before.relation(*id).is_some(),
        Subject::Column(id, column) => before.relation(*id).is_some_and(|it| it.column_by_id(*column).is_some()),
        Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => true,
    };
    let old = found.iter().filter(|it| was_there(&it.subject));
    old.map(|it| (it.table, it.finding.rule.name)).fold(Default::default(), |(mut tables, mut rules), (table, rule)| {
        tables.extend(table);
        rules.insert(rule);
        (tables, rules)
    })
}

/// Tables that a migration made or changed, or whose indexes it did.
fn changed_tables(before: &Schema, after: &Schema) -> BTreeSet<RelationId> {
    let mut changed = BTreeSet::new();
    for item in before.relations.diff(&after.relations) {
        let relation = match item {
            DiffItem::Add(_, relation)
            | DiffItem::Remove(_, relation)
            | DiffItem::Update { new: (_, relation), .. } => relation,
        };
        changed.insert(relation.as_index().map_or(relation.id, |index| index.table));
    }
    changed
}

/// Puts what one rule says of one table's columns into one finding.
pub fn group(found: Vec<Discovery>) -> Vec<Discovery> {
    let mut grouped: Vec<Discovery> = Vec::new();
    let mut heads: BTreeMap<(&'static str, Option<RelationId>, String), usize> = BTreeMap::new();
    for discovery in found {
        let Some(Group { head, item }) = discovery.group.clone() else {
            grouped.push(discovery);
            continue;
        };
        let key = (discovery.finding.rule.name, discovery.table, head.clone());
        match heads.get(&key) {
            None => {
                heads.insert(key, grouped.len());
                let mut first = discovery;
                first.finding.message = format!("{head} {item}");
                grouped.push(first);
            }
            Some(at) => join(&mut grouped[*at], discovery, &item),
        }
    }
    grouped
}

fn join(first: &mut Discovery, other: Discovery, item: &str) {
    first.finding.message.push_str(&format!(", {item}"));
    match other.place {
        Some(place) => first.finding.related.push((place, item.to_owned())),
        None => first.related.push((other.subject, item.to_owned())),
    }
    first.finding.severity = first.finding.severity.max(other.finding.severity);
    for evidence in other.finding.evidence {
        if !first.finding.evidence.contains(&evidence) {
            first.finding.evidence.push(evidence);
        }
    }
    if !first.finding.advice.text.contains(&other.finding.advice.text) {
        first.finding.advice.text.push_str(&format!("; {}", other.finding.advice.text));
    }
    first.finding.advice.steps.extend(other.finding.advice.steps);
}

/// The finding with its place, the cost of its steps and its area; none for what is not defined in the text at hand.
pub fn place(context: &SchemaContext, discovery: Discovery) -> Option<Finding> {
    let mut finding = discovery.finding;
    finding.span = discovery.place.or_else(|| context.places.of(&discovery.subject))?;
    for (subject, label) in discovery.related {
        if let Some(span) = context.places.of(&subject).filter(|span| *span != finding.span) {
            finding.related.push((span, label));
        }
    }
    ask::steps::tell_costs(&mut finding.advice.steps, context);
    Some(finding)
}
