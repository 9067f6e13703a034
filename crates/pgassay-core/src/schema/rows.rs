//! Which tables are known to hold no rows, or few: those that the migration itself made or emptied, and what it put into them row by
//! row, until something else may have filled them.

use std::ops::ControlFlow;

use sqlparser::ast;

use super::{ObjectId, Relation, RelationId, RelationKind, Schema, Session};
use crate::catalog;
use crate::change::{Access, Change, Name, ObjectKind, ObjectName, Select};
use crate::version::PgVersion;
use crate::walk;

/// So many rows written out one by one are few beside any table that is worth a warning.
const FEW: usize = 1000;

/// What is known of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// Nothing is stored: it is new, or TRUNCATE gave it new storage.
    Storage,
    /// DELETE took the rows; their space is still read by a scan.
    Rows,
    /// No more than this many rows, which VALUES put into new storage.
    Few(usize),
}

/// Tables that are known to hold no rows, or few. Any other may hold many; those that a statement filled, and none emptied since, are
/// told apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownEmpty(imbl::OrdMap<RelationId, Empty>, imbl::OrdSet<RelationId>);

impl Schema {
    /// Nothing is known of rows any more: time passed, or a statement did more than can be told.
    pub fn forget_rows(&mut self) {
        self.empty = KnownEmpty::default();
    }

    /// Whether a table and the partitions and children below it hold no row for certain.
    pub fn holds_no_rows(&self, table: &Relation) -> bool {
        self.is_empty(table, |empty| !matches!(empty, Empty::Few(_)))
    }

    /// Whether a table and what is below it hold so few rows that looking each of them up elsewhere is no work.
    pub fn holds_few_rows(&self, table: &Relation) -> bool {
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
            Change::Insert(insert) if insert.uses.iter().any(|it| it.access == Access::Write) => self.forget_rows(),
            Change::Select(select) if self.only_reads(select, session) => {}
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
        let (target, rows) = match change {
            // Its query may call what fills others; its own table is new.
            Change::CreateTableAs(create) => (Some(&create.name), None),
            // In a loop it may run often.
            Change::Insert(insert) => (Some(&insert.table), insert.rows.filter(|_| certain)),
            Change::Copy(copy) => (copy.table.as_ref(), None),
            _ => (None, None),
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
            let had = match self.empty.0.get(&relation.id) {
                Some(Empty::Storage) => Some(0),
                Some(Empty::Few(had)) => Some(*had),
                Some(Empty::Rows) | None => None,
            };
            match had.zip(rows).map(|(had, rows)| had + rows).filter(|now| *now <= FEW) {
                Some(now) => self.empty.0.insert(relation.id, Empty::Few(now)),
                None => self.empty.0.remove(&relation.id),
            };
            open.extend(relation.children.iter().filter_map(|child| self.relation(*child)).cloned());
        }
    }

    /// Whether a SELECT runs nothing that may write: functions of the server alone, over tables.
    fn only_reads(&self, select: &Select, session: &Session) -> bool {
        let reads = |name: &ObjectName| {
            let system = catalog::is_system_relation(name.schema.as_ref().map(Name::as_str), name.name.as_str());
            let table =
                |found: &Relation| matches!(found.kind, RelationKind::Table | RelationKind::PartitionedTable(_));
            system || self.find_relation(name, session).is_some_and(|found| table(found))
        };
        let own_operators = self.others.iter().any(|(kind, _)| *kind == ObjectKind::Operator);
        let writes = |function: &ast::Function| {
            let Some(last) = function.name.0.last().and_then(|part| part.as_ident()) else { return true };
            let name = Name::of_ident(last);
            let of_server = PgVersion::all().any(|version| !catalog::functions(name.as_str(), version).is_empty());
            !of_server || self.routines.values().any(|routine| routine.name.name == name)
        };
        let calls = walk::visit_expressions(&*select.tree.0, |part| match part {
            ast::Expr::Function(function) if writes(function) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        // A function in FROM is no expression of the tree.
        let from = walk::visit_relations(&*select.tree.0, |name| {
            let last = name.0.last().and_then(|part| part.as_ident()).map(Name::of_ident);
            let known = last.is_some_and(|last| select.uses.iter().any(|used| used.relation.name == last));
            if known { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        !own_operators
            && select.uses.iter().all(|used| used.access != Access::Write && reads(&used.relation))
            && calls.is_continue()
            && from.is_continue()
    }

    fn has_triggers(&self, table: &ObjectName, session: &Session) -> bool {
        self.find_relation(table, session).is_none_or(|table| !table.triggers.is_empty() || !table.rules.is_empty())
    }
}
