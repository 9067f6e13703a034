//! Which tables are known to hold no rows: those that the migration itself made or emptied, until something may have filled them.

use super::{ObjectId, Relation, RelationId, RelationKind, Schema, Session};
use crate::change::{Change, ObjectName};

/// What is known of a table without rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// Nothing is stored: it is new, or TRUNCATE gave it new storage.
    Storage,
    /// DELETE took the rows; their space is still read by a scan.
    Rows,
}

/// Tables that are known to be empty. Any other may hold rows; those that a statement filled, and none emptied since, are told apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownEmpty(imbl::OrdMap<RelationId, Empty>, imbl::OrdSet<RelationId>);

impl Schema {
    /// Nothing is known of rows any more: time passed, or a statement did more than can be told.
    pub fn forget_rows(&mut self) {
        self.empty = KnownEmpty::default();
    }

    /// Whether a table and the partitions and children below it hold no row for certain.
    pub fn holds_no_rows(&self, table: &Relation) -> bool {
        self.is_empty(table, |_| true)
    }

    /// Whether a statement put rows into the table, and none is known to have taken them out.
    pub fn was_filled(&self, table: RelationId) -> bool {
        self.empty.1.contains(&table)
    }

    /// Whether reading the whole table is no work: nothing is stored.
    pub fn stores_nothing(&self, table: &Relation) -> bool {
        self.is_empty(table, |empty| empty == Empty::Storage)
    }

    fn is_empty(&self, table: &Relation, enough: fn(Empty) -> bool) -> bool {
        let own = table.is_partitioned() || self.empty.0.get(&table.id).is_some_and(|empty| enough(*empty));
        own && table.children.iter().filter_map(|child| self.relation(*child)).all(|child| self.is_empty(child, enough))
    }

    /// Follows what a change does to rows. `certain` is false for a statement that may not run.
    pub fn follow_rows(&mut self, change: &Change, created: &[ObjectId], session: &Session, certain: bool) {
        match change {
            Change::CreateTable(_) if certain => {
                for created in created {
                    if let ObjectId::Relation(id) = created
                        && self.relation(*id).is_some_and(|relation| matches!(relation.kind, RelationKind::Table))
                    {
                        self.empty.0.insert(*id, Empty::Storage);
                    }
                }
            }
            Change::CreateTableAs(create) if certain && !create.with_no_data && !created.is_empty() => {
                self.filled(change, session, certain);
            }
            Change::Truncate(truncate) if certain => {
                for (table, only) in &truncate.tables {
                    self.mark(table, *only, session, Empty::Storage);
                }
            }
            Change::Delete(delete) if certain && delete.predicate.is_none() && delete.uses.is_empty() => {
                match self.has_triggers(&delete.table, session) {
                    true => self.forget_rows(),
                    false => self.mark(&delete.table, delete.only, session, Empty::Rows),
                }
            }
            Change::Insert(_)
            | Change::Update(_)
            | Change::Delete(_)
            | Change::Merge(_)
            | Change::Select(_)
            | Change::Copy(_)
            | Change::Call(_)
            | Change::Do(_)
            | Change::Explain { analyze: true, .. } => self.filled(change, session, certain),
            _ => {}
        }
    }

    fn mark(&mut self, table: &ObjectName, only: bool, session: &Session, how: Empty) {
        let Some(found) = self.find_relation(table, session).cloned() else { return };
        let mut open = vec![found];
        while let Some(relation) = open.pop() {
            self.empty.1.remove(&relation.id);
            if matches!(relation.kind, RelationKind::Table) && self.empty.0.get(&relation.id) != Some(&Empty::Storage) {
                self.empty.0.insert(relation.id, how);
            }
            if !only {
                open.extend(relation.children.iter().filter_map(|child| self.relation(*child)).cloned());
            }
        }
    }

    /// An INSERT fills its table and what is below; whatever can run code of the user's may fill any.
    fn filled(&mut self, change: &Change, session: &Session, certain: bool) {
        let target = match change {
            // Its query may call what fills others; its own table is new.
            Change::CreateTableAs(create) => Some(&create.name),
            Change::Insert(insert) => Some(&insert.table),
            Change::Copy(copy) => copy.table.as_ref(),
            _ => None,
        };
        let Some(target) = target.filter(|target| !self.has_triggers(target, session)) else {
            self.forget_rows();
            return;
        };
        let Some(found) = self.find_relation(target, session).cloned() else { return };
        if certain && matches!(found.kind, RelationKind::Table) {
            self.empty.1.insert(found.id);
        }
        let mut open = vec![found];
        while let Some(relation) = open.pop() {
            self.empty.0.remove(&relation.id);
            open.extend(relation.children.iter().filter_map(|child| self.relation(*child)).cloned());
        }
    }

    fn has_triggers(&self, table: &ObjectName, session: &Session) -> bool {
        self.find_relation(table, session).is_none_or(|table| !table.triggers.is_empty() || !table.rules.is_empty())
    }
}
