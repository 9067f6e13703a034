//! Uniqueness: keys that are new refuse duplicates, keys that are gone leave ON CONFLICT without its target.
//!
//! Unique constraints and unique indexes are one thing here: the index does the work.

use super::pair::Pair;
use super::witness::{self, differs, insert, refused};
use super::{Breakage, BreakageKind, Context, certain, check, possible, values};
use crate::change::{IndexTarget, Name, PrintedName};
use crate::schema::{ColumnId, Constraint, ConstraintKind, Index, Relation, RelationId, Schema};

/// A rule that no two rows agree on these columns.
struct Key<'a> {
    name: &'a Name,
    columns: Vec<ColumnId>,
    /// Normal texts of the expressions among the elements.
    expressions: Vec<String>,
    /// The AND-ed parts of the index's WHERE.
    predicate: Option<Vec<check::Conjunct>>,
    index: Option<&'a Index>,
    nulls_not_distinct: bool,
    /// ON CONFLICT can use it.
    arbiter: bool,
    deferrable: bool,
    primary: bool,
}

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    let Pair { context, old, new } = pair;
    if pair.same() && context.after.has_keys_of(context.before, new.id) {
        return;
    }
    let rename = |name: &str| pair.new_name(name);
    let old_keys = keys(context.before, old, &rename);
    let new_keys = keys(context.after, new, &|name| Some(Name::from(name)));
    for key in &new_keys {
        found.extend(added(pair, key, &old_keys));
    }
    for key in &old_keys {
        found.extend(lost_target(pair, key, &new_keys));
    }
    exclusions(pair, found);
    found.extend(renamed(pair));
}

/// A key under another name: `ON CONFLICT ON CONSTRAINT` names it, and code that knows an error by its constraint.
fn renamed(pair: Pair) -> impl Iterator<Item = Breakage> {
    let index_of = |kind: &ConstraintKind| match kind {
        ConstraintKind::Unique { index, .. }
        | ConstraintKind::PrimaryKey { index, .. }
        | ConstraintKind::Exclude { index } => Some(*index),
        _ => None,
    };
    let new_name = move |old: &Constraint| {
        let index = index_of(&old.kind)?;
        let now = pair.new.constraints.iter().find(|new| index_of(&new.kind) == Some(index))?;
        let taken = pair.new.constraints.iter().any(|new| new.name == old.name);
        (now.name != old.name && !taken && old.local).then(|| now.name.clone())
    };
    pair.old.constraints.iter().filter_map(move |old| {
        let now = new_name(old)?;
        let table = &pair.old.name;
        let insert = insert(pair.context.before, pair.old, &[], 1);
        let answer = format!(
            "constraint {} for table {} does not exist",
            witness::quoted(&old.name),
            witness::quoted(&table.name)
        );
        Some(possible(
            BreakageKind::ConflictTargetDropped,
            pair.part_subject(&now),
            PrintedName::part(table, &old.name),
            format!(
                "constraint {} of {table} is now called {now}: ON CONFLICT ON CONSTRAINT {} fails, and errors name the new one",
                old.name, old.name
            ),
            refused(format!("{insert} ON CONFLICT ON CONSTRAINT {} DO NOTHING", old.name), "42704", answer),
        ))
    })
}

/// Whether the new primary key refuses rows that no key refused before.
pub(super) fn reports_primary_key(pair: Pair) -> bool {
    let old_keys = keys(pair.context.before, pair.old, &|name| pair.new_name(name));
    let new_keys = keys(pair.context.after, pair.new, &|name| Some(Name::from(name)));
    new_keys.iter().any(|key| key.primary && added(pair, key, &old_keys).is_some())
}

fn keys<'a>(schema: &'a Schema, relation: &'a Relation, rename: &dyn Fn(&str) -> Option<Name>) -> Vec<Key<'a>> {
    let indexes = relation.indexes.iter().filter_map(|id| schema.relation(*id)).filter_map(|relation_of_index| {
        let index = relation_of_index.as_index()?;
        let own = index.unique && !is_exclusion(relation, relation_of_index.id);
        own.then(|| key_of(relation, relation_of_index, index, rename))
    });
    // A stub's key has no index in the schema.
    let bare = relation.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Unique { columns, index } | ConstraintKind::PrimaryKey { columns, index }
            if !relation.indexes.contains(index) || schema.relation(*index).is_none() =>
        {
            Some(Key {
                name: &constraint.name,
                columns: columns.clone(),
                expressions: Vec::new(),
                predicate: None,
                index: None,
                nulls_not_distinct: false,
                arbiter: !constraint.deferrable,
                deferrable: constraint.deferrable,
                primary: matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }),
            })
        }
        _ => None,
    });
    indexes.chain(bare).collect()
}

fn is_exclusion(table: &Relation, index: RelationId) -> bool {
    table.constraints.iter().any(|it| matches!(it.kind, ConstraintKind::Exclude { index: own } if own == index))
}

fn key_of<'a>(
    table: &'a Relation,
    relation: &'a Relation,
    index: &'a Index,
    rename: &dyn Fn(&str) -> Option<Name>,
) -> Key<'a> {
    let expressions = index.elements.iter().filter_map(|element| match &element.target {
        IndexTarget::Expression(expression) => Some(check::normal_text(&expression.tree, rename)),
        IndexTarget::Column(_) => None,
    });
    let constraint = index.constraint.as_ref().and_then(|name| table.constraint(name));
    Key {
        name: constraint.map_or(&relation.name.name, |it| &it.name),
        columns: index.columns.iter().flatten().copied().collect(),
        expressions: expressions.collect(),
        predicate: index.predicate.as_ref().map(|it| check::conjuncts(&it.tree, rename)),
        index: Some(index),
        nulls_not_distinct: index.nulls_not_distinct,
        arbiter: index.valid && !constraint.is_some_and(|it| it.deferrable),
        deferrable: constraint.is_some_and(|it| it.deferrable),
        primary: index.primary,
    }
}

fn added(pair: Pair, key: &Key, old_keys: &[Key]) -> Option<Breakage> {
    let origins: Vec<Option<ColumnId>> = key.columns.iter().map(|id| pair.origin(*id).map(|it| it.id)).collect();
    let on_old: Vec<ColumnId> = origins.iter().flatten().copied().collect();
    let mentions_old = key.index.is_some_and(|it| it.mentions.iter().any(|id| pair.origin(*id).is_some()));
    let nothing_old = on_old.is_empty() && (key.expressions.is_empty() || !mentions_old);
    // Rows of today's clients have NULL in the new column: never equal.
    let new_is_null = key.columns.iter().any(|id| {
        pair.origin(*id).is_none()
            && !key.nulls_not_distinct
            && pair.new.column_by_id(*id).is_none_or(|it| it.default.is_none() && !it.not_null.enforced())
    });
    if nothing_old || new_is_null || old_keys.iter().any(|old| guarantees(old, key, &on_old)) || inherited(pair, key) {
        return None;
    }
    let list = column_list(pair.new, key);
    let noun = if key.primary { "primary key" } else { "unique key" };
    let not_null =
        if key.primary && on_old.iter().any(|id| is_nullable(pair.old, *id)) { ", and NULL in it" } else { "" };
    let scope = if key.predicate.is_some() { " (among the rows of the index's WHERE)" } else { "" };
    Some(certain(
        BreakageKind::UniqueAdded,
        pair.part_subject(key.name),
        PrintedName::part(&pair.old.name, key.name),
        format!(
            "{} has a new {noun} on {list}: INSERT and UPDATE that repeat a value{not_null} fail{scope}",
            pair.old.name
        ),
        duplicate(pair, key, &on_old),
    ))
}

fn is_nullable(relation: &Relation, id: ColumnId) -> bool {
    relation.column_by_id(id).is_some_and(|column| !column.not_null.enforced())
}

/// The old key allows no duplicates that the new one would refuse.
fn guarantees(old: &Key, new: &Key, new_on_old: &[ColumnId]) -> bool {
    old.columns.iter().all(|id| new_on_old.contains(id))
        && old.expressions.iter().all(|text| new.expressions.contains(text))
        && entails(&new.predicate, &old.predicate)
        && (old.nulls_not_distinct || !new.nulls_not_distinct)
}

/// Whether every row of one index's WHERE is one of the other's (`predicate_implied_by`, predtest.c).
fn entails(one: &Option<Vec<check::Conjunct>>, other: &Option<Vec<check::Conjunct>>) -> bool {
    let Some(other) = other else { return true };
    let one = one.as_deref().unwrap_or_default();
    other.iter().all(|part| {
        // What is compared with a value is not NULL.
        let compared = |column: &Name| one.iter().any(|it| it.tests(column));
        check::implied(part, one) || part.not_null_column().is_some_and(compared)
    })
}

/// A partition's index that belongs to its parent's: told of the parent.
fn inherited(pair: Pair, key: &Key) -> bool {
    let own = pair.new.constraint(key.name);
    let by_index = || {
        let mut indexes = pair.new.indexes.iter().filter_map(|id| pair.context.after.relation(*id));
        indexes.any(|it| it.name.name == *key.name && !it.parents.is_empty())
    };
    own.is_some_and(|it| !it.local) || (pair.new.is_partition() && by_index())
}

fn column_list(relation: &Relation, key: &Key) -> String {
    let names = key.columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|it| it.name.to_string());
    let expressions = key.index.into_iter().flat_map(|index| &index.elements).filter_map(|it| match &it.target {
        IndexTarget::Expression(expression) => Some(format!("({})", expression.text)),
        IndexTarget::Column(_) => None,
    });
    format!("({})", names.chain(expressions).collect::<Vec<_>>().join(", "))
}

fn duplicate(pair: Pair, key: &Key, on_old: &[ColumnId]) -> super::Witness {
    let before = pair.context.before;
    let mut columns: Vec<ColumnId> = on_old.to_vec();
    columns.extend(key.index.into_iter().flat_map(|it| &it.mentions).filter_map(|id| Some(pair.origin(*id)?.id)));
    columns.dedup();
    let checks = check::of_table(pair.old);
    let given: Vec<(ColumnId, String)> = columns
        .iter()
        .filter_map(|id| pair.old.column_by_id(*id))
        .filter(|column| column.generated.is_none())
        .map(|column| (column.id, witness::fitting(before, pair.old, &checks, column, 0)))
        .collect();
    let sql = insert(before, pair.old, &given, 2);
    if key.predicate.is_some() {
        let after = format!("refused where both rows fit the index's WHERE: ERROR 23505: {}", duplicate_key(key.name));
        return differs(sql, after);
    }
    // The server names the index of the partition that the row goes to.
    let parts = pair.new.children.iter().filter_map(|id| pair.context.after.relation(*id));
    let part = parts.filter(|part| part.name.name == *witness::written_to(before, pair.old)).find_map(|part| {
        let primary = key.index.is_some_and(|index| index.primary);
        let own = pair.context.after.indexes_of(part.id).find(|made| {
            made.as_index().is_some_and(|index| index.unique && index.primary == primary)
                && pair.context.before.relation(made.id).is_none()
        });
        own.map(|made| made.name.name.clone())
    });
    if let Some(part) = part.filter(|_| pair.new.is_partitioned()) {
        return refused(sql, "23505", duplicate_key(&part));
    }
    refused(sql, "23505", duplicate_key(key.name))
}

fn duplicate_key(name: &Name) -> String {
    format!("duplicate key value violates unique constraint {}", witness::quoted(name))
}

/// `INSERT … ON CONFLICT (columns)` finds its unique index by exactly these columns (infer_arbiter_indexes, plancat.c).
fn lost_target(pair: Pair, key: &Key, new_keys: &[Key]) -> Option<Breakage> {
    let successors: Option<Vec<ColumnId>> = key.columns.iter().map(|id| pair.successor(*id).map(|it| it.id)).collect();
    // With one of its columns gone, that is the breakage.
    let successors = successors?;
    let named_by_clients =
        key.columns.iter().all(|id| pair.old.column_by_id(*id).is_some_and(|it| pair.by_name(it).is_some()));
    let same_set = |new: &Key| {
        new.columns.len() == successors.len()
            && successors.iter().all(|id| new.columns.contains(id))
            && key.expressions.iter().all(|text| new.expressions.contains(text))
            && new.expressions.len() == key.expressions.len()
    };
    let replaced = |new: &Key| new.arbiter && same_set(new) && entails(&key.predicate, &new.predicate);
    if !key.arbiter
        || !named_by_clients
        || new_keys.iter().any(replaced)
        || belongs_to_parent(pair.context, pair.old, key)
    {
        return None;
    }
    let list = column_list(pair.old, key);
    let deferrable = new_keys.iter().find(|new| !new.arbiter && new.deferrable && same_set(new));
    let predicate = key.index.and_then(|it| it.predicate.as_ref()).map(|it| format!(" WHERE {}", it.text));
    let first = insert(pair.context.before, pair.old, &given_for(pair, key), 1);
    let sql = format!("{first} ON CONFLICT {list}{} DO NOTHING", predicate.unwrap_or_default());
    if let Some(now) = deferrable {
        let message =
            format!("the key on {list} of {} is deferrable now: INSERT … ON CONFLICT {list} fails", pair.old.name);
        let answer = "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
        return Some(certain(
            BreakageKind::ConflictTargetDropped,
            pair.part_subject(now.name),
            PrintedName::part(&pair.old.name, now.name),
            message,
            refused(sql, "55000", answer),
        ));
    }
    Some(possible(
        BreakageKind::ConflictTargetDropped,
        pair.part_subject(key.name),
        PrintedName::part(&pair.old.name, key.name),
        format!(
            "no unique index on {list} of {} is left: INSERT … ON CONFLICT {list} fails, and duplicates are accepted",
            pair.old.name
        ),
        refused(sql, "42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification"),
    ))
}

fn given_for(pair: Pair, key: &Key) -> Vec<(ColumnId, String)> {
    let checks = check::of_table(pair.old);
    key.columns
        .iter()
        .filter_map(|id| pair.old.column_by_id(*id))
        .filter(|column| column.generated.is_none() && column.identity.is_none())
        .map(|column| (column.id, witness::fitting(pair.context.before, pair.old, &checks, column, 0)))
        .collect()
}

fn belongs_to_parent(context: &Context, old: &Relation, key: &Key) -> bool {
    let mut indexes = old.indexes.iter().filter_map(|id| context.before.relation(*id));
    indexes.any(|it| {
        !it.parents.is_empty() && it.as_index().is_some_and(|index| std::ptr::eq(index, key.index.unwrap_or(index)))
    }) && old.is_partition()
}

fn exclusions(pair: Pair, found: &mut Vec<Breakage>) {
    let Pair { context, old, new } = pair;
    for constraint in &new.constraints {
        let ConstraintKind::Exclude { index } = constraint.kind else { continue };
        let kept = |it: &crate::schema::Constraint| {
            matches!(it.kind, ConstraintKind::Exclude { index: own } if own == index) || it.name == constraint.name
        };
        let columns: Vec<ColumnId> = context
            .after
            .relation(index)
            .and_then(|it| it.as_index())
            .map(|it| it.columns.iter().flatten().chain(&it.mentions).copied().collect())
            .unwrap_or_default();
        let only_new = !columns.is_empty() && columns.iter().all(|id| pair.origin(*id).is_none());
        if !constraint.local || only_new || old.constraints.iter().any(kept) {
            continue;
        }
        let given: Vec<(ColumnId, String)> = columns
            .iter()
            .filter_map(|id| pair.origin(*id))
            .map(|it| (it.id, values::literal(context.before, &it.data_type, 0, values::Purpose::Assign)))
            .collect();
        let answer =
            format!("conflicting key value violates exclusion constraint {}", witness::quoted(&constraint.name));
        found.push(certain(
            BreakageKind::ExclusionAdded,
            pair.part_subject(&constraint.name),
            PrintedName::part(&old.name, &constraint.name),
            format!("{} now refuses rows that conflict with others under {}", old.name, constraint.name),
            refused(insert(context.before, old, &given, 2), "23P01", answer),
        ));
    }
}
