//! Deferred triggers that wait for the end of the transaction, and the statements that the server refuses while they do.
//!
//! In: the statements of one transaction. Out: the failures of `CheckTableNotInUse` (tablecmds.c): a table with waiting events can be
//! neither altered nor emptied, indexed, clustered or dropped. What only the rows can tell comes with the query that tells.

use std::collections::BTreeMap;

use crate::change::{
    AlterTable, AlterTableActionKind, Change, Delete, FiringMode, Insert, Name, ObjectName, PrintedName,
    ReferentialAction, TransactionControl, TriggerEvent, TriggerTiming, Update,
};
use crate::effect::{FailsWhen, Failure};
use crate::schema::{ColumnId, Constraint, ForeignKey, ObjectId, Relation, RelationId, Schema, Session, Trigger};
use crate::source::Span;

/// Events that wait, and which constraints SET CONSTRAINTS has deferred or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    all: Option<bool>,
    named: BTreeMap<Name, bool>,
    waiting: BTreeMap<(RelationId, Name), FailsWhen>,
}

/// What a statement does to rows of a table.
#[derive(Clone, Copy)]
enum Event<'a> {
    Insert,
    Update(&'a [ColumnId]),
    Delete,
}

/// How certain it is that an event waits once the statement met a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queued {
    Always,
    /// A WHEN, or whether the key really changes, decides.
    ByValues,
}

impl Pending {
    /// SET CONSTRAINTS: from now on, and for what waits already.
    pub fn set(&mut self, control: &TransactionControl) {
        let TransactionControl::Constraints { names, deferred } = control else { return };
        if names.is_empty() {
            (self.all, self.named) = (Some(*deferred), BTreeMap::new());
        }
        for name in names {
            self.named.insert(name.name.clone(), *deferred);
        }
        if !deferred {
            let fires = |constraint: &Name| names.is_empty() || names.iter().any(|name| name.name == *constraint);
            self.waiting.retain(|(_, constraint), _| !fires(constraint));
        }
    }

    /// Notes the events that a statement leaves behind.
    pub fn follow(&mut self, change: &Change, schema: &Schema, session: &Session) {
        if session.replica_role {
            return;
        }
        match change {
            Change::Insert(insert) => self.insert(insert, schema, session),
            Change::Update(update) => self.update(update, schema, session),
            Change::Delete(delete) => self.delete(delete, schema, session),
            _ => {}
        }
    }

    fn insert(&mut self, insert: &Insert, schema: &Schema, session: &Session) {
        let Some(table) = plain_table(&insert.table, schema, session) else { return };
        let skips = insert.on_conflict.is_some() || table.triggers.iter().any(|it| it.timing != TriggerTiming::After);
        let (Some(1..), false) = (insert.rows, skips) else { return };
        self.queue(table, schema, Event::Insert, |_| FailsWhen::Always);
    }

    fn update(&mut self, update: &Update, schema: &Schema, session: &Session) {
        let Some(table) = plain_table(&update.table, schema, session).filter(|_| update.uses.is_empty()) else {
            return;
        };
        let assigned: Vec<ColumnId> =
            update.columns.iter().filter_map(|column| table.column(&column.name)).map(|column| column.id).collect();
        let condition = update.predicate.as_ref().map(|it| &*it.text);
        self.queue(table, schema, Event::Update(&assigned), |queued| rows(table, condition, queued));
    }

    fn delete(&mut self, delete: &Delete, schema: &Schema, session: &Session) {
        let Some(table) = plain_table(&delete.table, schema, session).filter(|_| delete.uses.is_empty()) else {
            return;
        };
        let condition = delete.predicate.as_ref().map(|it| &*it.text);
        self.queue(table, schema, Event::Delete, |queued| rows(table, condition, queued));
    }

    fn queue(&mut self, table: &Relation, schema: &Schema, event: Event, when: impl Fn(Queued) -> FailsWhen) {
        if schema.holds_no_rows(table) && !matches!(event, Event::Insert) {
            return;
        }
        let mut found: Vec<(Name, Queued)> = Vec::new();
        for (constraint, key) in table.foreign_keys().filter(|_| !table.system_triggers_off) {
            let queued = self.is_deferred(constraint).then(|| checks_child(key, event)).flatten();
            found.extend(queued.map(|queued| (constraint.name.clone(), queued)));
        }
        for (_, constraint) in schema.foreign_keys_to(table.id).filter(|_| !table.system_triggers_off) {
            let crate::schema::ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            let queued = self.is_deferred(constraint).then(|| checks_parent(key, event)).flatten();
            found.extend(queued.map(|queued| (constraint.name.clone(), queued)));
        }
        for trigger in table.triggers.iter().filter(|it| it.constraint && it.mode == FiringMode::Enabled) {
            let waits = trigger.deferrable && self.mode(&trigger.name, trigger.initially_deferred);
            if waits && fires(trigger, table, event) {
                let queued = if trigger.condition.is_some() { Queued::ByValues } else { Queued::Always };
                found.push((trigger.name.clone(), queued));
            }
        }
        for (name, queued) in found {
            let at = (table.id, name);
            // What is certain already stays so.
            if self.waiting.get(&at) != Some(&FailsWhen::Always) {
                self.waiting.insert(at, when(queued));
            }
        }
    }

    fn is_deferred(&self, constraint: &Constraint) -> bool {
        constraint.deferrable && constraint.enforced && self.mode(&constraint.name, constraint.initially_deferred)
    }

    fn mode(&self, name: &Name, initially: bool) -> bool {
        self.named.get(name).copied().or(self.all).unwrap_or(initially)
    }

    /// Why the server refuses a statement on tables with waiting events; `dropped` is what it drops.
    pub fn refuses(
        &self,
        change: &Change,
        dropped: &[ObjectId],
        place: Span,
        schema: &Schema,
        session: &Session,
    ) -> Option<Failure> {
        if self.waiting.is_empty() {
            return None;
        }
        let (verb, tables, span) = touched(change, dropped, place, schema, session)?;
        let mut found: Option<(&RelationId, &Name, &FailsWhen)> = None;
        for ((table, constraint), when) in self.waiting.iter().filter(|((table, _), _)| tables.contains(table)) {
            if found.is_none_or(|(_, _, other)| weight(when) > weight(other)) {
                found = Some((table, constraint, when));
            }
        }
        let (table, constraint, when) = found?;
        let table = schema.relation(*table)?;
        let message = format!(
            "cannot {verb} \"{}\" because it has pending trigger events: {constraint} is deferred, and rows of this transaction wait for it; \
             SET CONSTRAINTS ALL IMMEDIATE before it settles them",
            table.name.name.as_str()
        );
        Some(Failure { when: when.clone(), span, object: PrintedName::from(&table.name), message })
    }
}

fn weight(when: &FailsWhen) -> u8 {
    match when {
        FailsWhen::Always => 2,
        FailsWhen::AnyRow => 1,
        _ => 0,
    }
}

/// A table whose rows are its own: those of a partitioned one go to a partition that is not known here.
fn plain_table<'a>(name: &ObjectName, schema: &'a Schema, session: &Session) -> Option<&'a Relation> {
    let table = schema.find_relation(name, session)?;
    let plain = table.known && table.is_table() && !table.is_partitioned() && table.children.is_empty();
    let plain = plain && table.rules.is_empty() && !schema.is_doubtful(table);
    plain.then_some(&**table)
}

/// When a statement on the rows of a table leaves an event behind.
fn rows(table: &Relation, condition: Option<&str>, queued: Queued) -> FailsWhen {
    match (condition, queued) {
        (None, Queued::Always) => FailsWhen::AnyRow,
        (condition, _) => {
            let name = &table.name;
            let condition = condition.map(|it| format!(" WHERE {it}")).unwrap_or_default();
            FailsWhen::SomeRow { query: format!("SELECT * FROM {name}{condition} LIMIT 1") }
        }
    }
}

/// `RI_FKey_fk_upd_check_required` (ri_triggers.c): an INSERT always waits, an UPDATE where the key changes.
fn checks_child(key: &ForeignKey, event: Event) -> Option<Queued> {
    match event {
        Event::Insert => Some(Queued::Always),
        Event::Update(columns) => columns.iter().any(|it| key.columns.contains(it)).then_some(Queued::ByValues),
        Event::Delete => None,
    }
}

/// Only NO ACTION can wait (`createForeignKeyActionTriggers`, tablecmds.c).
fn checks_parent(key: &ForeignKey, event: Event) -> Option<Queued> {
    match event {
        Event::Insert => None,
        Event::Update(columns) => {
            let changes = columns.iter().any(|it| key.referenced_columns.contains(it));
            (changes && key.on_update == ReferentialAction::NoAction).then_some(Queued::ByValues)
        }
        Event::Delete => (key.on_delete == ReferentialAction::NoAction).then_some(Queued::Always),
    }
}

fn fires(trigger: &Trigger, table: &Relation, event: Event) -> bool {
    trigger.events.iter().any(|on| match (on, event) {
        (TriggerEvent::Insert, Event::Insert) | (TriggerEvent::Delete, Event::Delete) => true,
        (TriggerEvent::Update(of), Event::Update(assigned)) => {
            let named =
                |id: &ColumnId| table.column_by_id(*id).is_some_and(|it| of.iter().any(|of| of.name == it.name));
            of.is_empty() || assigned.iter().any(named)
        }
        _ => false,
    })
}

/// The tables that a statement must find at rest, the words of the server's message, and the place.
fn touched(
    change: &Change,
    dropped: &[ObjectId],
    place: Span,
    schema: &Schema,
    session: &Session,
) -> Option<(&'static str, Vec<RelationId>, Span)> {
    let find = |name: &ObjectName| schema.find_relation(name, session).map(|it| it.id);
    match change {
        Change::AlterTable(alter) if is_checked(alter) => {
            Some(("ALTER TABLE", find(&alter.relation).into_iter().collect(), alter.relation.span))
        }
        Change::CreateIndex(create) => {
            Some(("CREATE INDEX", find(&create.table).into_iter().collect(), create.table.span))
        }
        Change::Truncate(truncate) => {
            Some(("TRUNCATE", truncate.tables.iter().filter_map(|(name, _)| find(name)).collect(), place))
        }
        Change::Cluster(cluster) => {
            let table = cluster.table.as_ref()?;
            Some(("CLUSTER", find(table).into_iter().collect(), table.span))
        }
        _ if !dropped.is_empty() => {
            let relation = |object: &ObjectId| match object {
                ObjectId::Relation(id) => Some(*id),
                ObjectId::Type(_) | ObjectId::Routine(_) => None,
            };
            Some(("DROP TABLE", dropped.iter().filter_map(relation).collect(), place))
        }
        _ => None,
    }
}

/// Renames and SET SCHEMA do not ask.
fn is_checked(alter: &AlterTable) -> bool {
    use AlterTableActionKind::{RenameColumn, RenameConstraint, RenameRelation, SetSchema};
    alter.actions.iter().any(|action| {
        !matches!(action.kind, RenameColumn { .. } | RenameConstraint { .. } | RenameRelation { .. } | SetSchema { .. })
    })
}
