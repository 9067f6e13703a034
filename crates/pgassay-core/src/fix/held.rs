//! What a migration takes away and makes again is there until the new one is: it goes in the transaction that puts the new one in its
//! place, after all that takes long.

use std::borrow::Cow;

use super::items::{Item, Placed};
use super::joined::{changes_rows, is_same};
use crate::change::{AlterTableActionKind, Change, ConstraintKind, Drop, Name, ObjectKind, ObjectName, TriggerTiming};
use crate::finding::FixStep;
use crate::report::StatementRecord;
use crate::schema::make_object_name;
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// Why something cannot be held back: the statement that takes it away, and the reason.
pub(super) type Obstacle = (usize, String);

/// Moves every DROP whose successor comes later behind what is built for it.
pub(super) fn hold(
    items: &mut Vec<Placed<'_>>,
    records: &[&StatementRecord],
    changes: &[Option<Change>],
) -> Result<(), Obstacle> {
    // The last first: what is moved stays behind those before it.
    for at in (0..items.len()).rev() {
        let Some(placed) = items.get(at).filter(|it| matches!(it.item, Item::Keep(_))) else { continue };
        let record = placed.record;
        let Some(Some(Change::Drop(drop))) = changes.get(record) else { continue };
        if drop.kind == ObjectKind::Index {
            hold_index(items, at, drop, records, changes)?;
        } else if let Some(last) = made_again(items, at, drop, changes) {
            let waits = items
                .get(at..last)
                .is_some_and(|all| all.iter().any(|it| !matches!(it.item, Item::Keep(_) | Item::Setting(..))));
            if waits {
                let held = items.remove(at);
                items.insert(last - 1, held);
            }
        }
    }
    Ok(())
}

/// A proof waits for the triggers that the migration makes on its table: what one of them writes into a new row may be what the constraint
/// wants, and the two committed together.
pub(super) fn after_triggers(items: &mut Vec<Placed<'_>>, changes: &[Option<Change>]) {
    // The last first: what is moved stays in its order.
    for at in (0..items.len()).rev() {
        let Some(placed) = items.get(at).filter(|it| matches!(it.item, Item::Steps(..))) else { continue };
        let Some(Some(Change::AlterTable(alter))) = changes.get(placed.record) else { continue };
        if !alter.actions.iter().all(|action| asks_rows(&action.kind)) {
            continue;
        }
        let fills = |it: &Placed| match changes.get(it.record) {
            Some(Some(Change::CreateTrigger(trigger))) => {
                let writes = trigger.timing == TriggerTiming::Before && trigger.for_each_row;
                matches!(it.item, Item::Keep(_)) && writes && is_same(&trigger.table, &alter.relation)
            }
            _ => false,
        };
        let last = (at + 1..items.len()).rfind(|place| items.get(*place).is_some_and(fills));
        if let Some(last) = last {
            let proof = items.remove(at);
            items.insert(last, proof);
        }
    }
}

/// Whether it asks something of rows, and makes nothing that other statements name.
fn asks_rows(kind: &AlterTableActionKind) -> bool {
    match kind {
        AlterTableActionKind::SetNotNull { .. } => true,
        AlterTableActionKind::AddConstraint(added) => {
            matches!(added.kind, ConstraintKind::Check(_) | ConstraintKind::NotNull(_))
        }
        _ => false,
    }
}

fn hold_index(
    items: &mut Vec<Placed<'_>>,
    at: usize,
    drop: &Drop,
    records: &[&StatementRecord],
    changes: &[Option<Change>],
) -> Result<(), Obstacle> {
    let Some(own) = items.get(at).map(|it| it.record) else { return Ok(()) };
    let builds = |it: &Placed| {
        let is_built = matches!(it.item, Item::Steps(..) | Item::Alone(_));
        is_built && makes_index(changes.get(it.record)) && share_a_table(records, own, it.record)
    };
    let Some(last) = (at + 1..items.len()).rfind(|place| items.get(*place).is_some_and(builds)) else { return Ok(()) };
    let between = items.get(at + 1..last).unwrap_or_default();
    let tables: Vec<&ObjectName> =
        items.get(last).into_iter().filter_map(|it| table_of(changes.get(it.record))).collect();
    let writes = |it: &Placed| {
        let change = changes.get(it.record).and_then(Option::as_ref);
        change.is_some_and(|change| tables.iter().any(|table| changes_rows(change, table)))
    };
    if between.iter().any(writes) {
        let why = "rows change between the DROP INDEX and the index that takes its place: take it apart by hand";
        return Err((own, why.to_owned()));
    }
    let mut after = Vec::new();
    for place in at + 1..=last {
        let Some(item) = items.get_mut(place) else { continue };
        let Some(Some(Change::CreateIndex(create))) = changes.get(item.record) else { continue };
        let Some(name) = create.name.as_ref().map(|it| &it.name) else { continue };
        let Some(dropped) = drop.objects.iter().find(|it| it.name.name == *name) else { continue };
        let built = make_object_name(name.as_str(), None, "new");
        let is_named = match &mut item.item {
            Item::Steps(_, steps) => rename_step(steps, &built),
            Item::Alone(text) => renamed(text, &built).map(|new| *text = new).is_some(),
            _ => false,
        };
        if !is_named {
            return Err((
                own,
                "the new index has the name of the one that it replaces: give it another one".to_owned(),
            ));
        }
        let schema = dropped.name.schema.as_ref().or(create.table.schema.as_ref());
        let schema = schema.map(|schema| format!("{schema}.")).unwrap_or_default();
        after.push(Placed { record: own, item: Item::Keep(format!("ALTER INDEX {schema}{built} RENAME TO {name}")) });
    }
    let held = items.remove(at);
    for placed in after.into_iter().rev() {
        items.insert(last, placed);
    }
    items.insert(last, held);
    Ok(())
}

fn makes_index(change: Option<&Option<Change>>) -> bool {
    match change {
        Some(Some(Change::CreateIndex(_))) => true,
        Some(Some(Change::AlterTable(alter))) => alter.actions.iter().any(|action| match &action.kind {
            AlterTableActionKind::AddConstraint(added) => {
                matches!(added.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_))
            }
            _ => false,
        }),
        _ => false,
    }
}

fn table_of(change: Option<&Option<Change>>) -> Option<&ObjectName> {
    match change?.as_ref()? {
        Change::CreateIndex(create) => Some(&create.table),
        Change::AlterTable(alter) => Some(&alter.relation),
        _ => None,
    }
}

/// An index's table is locked by what drops the index.
fn share_a_table(records: &[&StatementRecord], a: usize, b: usize) -> bool {
    let locks = |at: usize| records.get(at).map(|record| &record.effect.locks);
    let (Some(a), Some(b)) = (locks(a), locks(b)) else { return false };
    a.iter().any(|(name, _)| b.iter().any(|(other, _)| name == other))
}

/// The only step builds the index: it gets another name for the time being.
fn rename_step(steps: &mut Cow<'_, [FixStep]>, name: &Name) -> bool {
    let [only] = &**steps else { return false };
    let Some(sql) = renamed(&only.sql, name) else { return false };
    *steps = Cow::Owned(vec![FixStep { sql, ..only.clone() }]);
    true
}

fn renamed(sql: &str, new: &Name) -> Option<String> {
    let source = SourceFile::new("step", sql);
    let statement = read_script(FileId(0), &source).statements.into_iter().next()?;
    let Ok(Change::CreateIndex(create)) = &statement.change else { return None };
    let mut text = sql.to_owned();
    text.replace_range(create.name.as_ref()?.span.range(), &new.to_string());
    Some(text)
}

/// The place of the item that makes again what a DROP takes away, where that is of a kind that is made in an instant.
fn made_again(items: &[Placed], at: usize, drop: &Drop, changes: &[Option<Change>]) -> Option<usize> {
    let again = |place: usize| {
        let placed = items.get(place).filter(|it| matches!(it.item, Item::Keep(_)))?;
        changes.get(placed.record)?.as_ref().filter(|change| makes_again(change, drop)).map(|_| place)
    };
    (at + 1..items.len()).find_map(again)
}

fn makes_again(change: &Change, drop: &Drop) -> bool {
    let named = |kind: ObjectKind, name: &ObjectName| {
        drop.kind == kind && drop.objects.iter().any(|it| is_same(&it.name, name))
    };
    let on = |kind: ObjectKind, name: &Name, table: &ObjectName| {
        let is_it = |it: &crate::change::ObjectReference| {
            it.name.name == *name && it.on.as_ref().is_some_and(|on| is_same(on, table))
        };
        drop.kind == kind && drop.objects.iter().any(is_it)
    };
    match change {
        Change::CreateView(view) => named(ObjectKind::View, &view.name),
        Change::CreateTrigger(trigger) => on(ObjectKind::Trigger, &trigger.name.name, &trigger.table),
        Change::CreatePolicy(policy) => on(ObjectKind::Policy, &policy.name.name, &policy.table),
        Change::CreateRoutine(routine) => [ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Routine]
            .iter()
            .any(|kind| named(*kind, &routine.name)),
        _ => false,
    }
}
