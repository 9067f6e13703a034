//! Which transaction a statement runs in, and what it holds.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::Places;
use super::pending::Pending;
use crate::catalog::LockMode;
use crate::change::Name;
use crate::effect::Prediction;
use crate::schema::{RelationId, Schema, Session, TypeId};
use crate::source::Span;

/// Counts the transaction blocks of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub u32);

/// Who opened the transaction block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionKind {
    /// BEGIN in the file.
    Explicit,
    /// The migration tool.
    Framework,
    /// The server, around the statements of one string.
    Implicit,
}

/// A lock that an earlier statement of the transaction took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    pub relation: Option<RelationId>,
    pub mode: LockMode,
    /// The statement that took it in this mode first.
    pub by: Span,
}

/// An open transaction block.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub id: TransactionId,
    pub kind: TransactionKind,
    pub held: OrdMap<Arc<str>, HeldLock>,
    pub labels: OrdSet<(TypeId, Arc<str>)>,
    /// Deferred triggers that wait for its end.
    pub pending: Pending,
    /// What ROLLBACK goes back to.
    start: Checkpoint,
    savepoints: Vec<(Name, Checkpoint)>,
    /// The session as it would be without SET LOCAL.
    pub lasting: Arc<Session>,
}

impl Transaction {
    pub fn has_savepoint(&self, name: &Name) -> bool {
        self.savepoints.iter().any(|(savepoint, _)| savepoint == name)
    }
}

/// All that a rollback restores.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    schema: Schema,
    session: Arc<Session>,
    lasting: Arc<Session>,
    held: OrdMap<Arc<str>, HeldLock>,
    labels: OrdSet<(TypeId, Arc<str>)>,
    pending: Pending,
    fresh: OrdSet<RelationId>,
}

/// The state that statements change.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub schema: Schema,
    pub session: Arc<Session>,
    pub fresh: OrdSet<RelationId>,
    pub places: Places,
    pub transaction: Option<Transaction>,
    /// The tool has sent its BEGIN and not yet its COMMIT, whatever the file did to the transaction meanwhile.
    tool_began: bool,
    next_transaction: u32,
}

impl World {
    pub fn new(schema: Schema) -> World {
        World {
            schema,
            session: Arc::default(),
            fresh: OrdSet::new(),
            places: Places::default(),
            transaction: None,
            tool_began: false,
            next_transaction: 1,
        }
    }

    /// Opens a block; inside one nothing changes but who is said to have opened it (the server only warns).
    pub fn begin(&mut self, kind: TransactionKind) {
        match &mut self.transaction {
            Some(open) if kind == TransactionKind::Explicit && open.kind == TransactionKind::Implicit => {
                open.kind = kind
            }
            Some(_) => {}
            None => {
                let id = TransactionId(self.next_transaction);
                self.next_transaction += 1;
                self.transaction = Some(Transaction {
                    id,
                    kind,
                    held: OrdMap::new(),
                    labels: OrdSet::new(),
                    pending: Pending::default(),
                    start: self.checkpoint(),
                    savepoints: Vec::new(),
                    lasting: self.session.clone(),
                });
            }
        }
    }

    /// The tool's own BEGIN, sent once.
    pub fn begin_by_tool(&mut self) {
        if !self.tool_began {
            self.tool_began = true;
            self.begin(TransactionKind::Framework);
        }
    }

    /// The tool is done with the file, or with all of them: its COMMIT, or the end of the session.
    pub fn end_by_tool(&mut self) {
        self.tool_began = false;
        self.commit();
    }

    pub fn commit(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.session = transaction.lasting;
            self.schema.end_transaction();
        }
    }

    pub fn rollback(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.schema = transaction.start.schema;
            self.session = transaction.start.session;
            self.fresh = transaction.start.fresh;
        }
    }

    pub fn savepoint(&mut self, name: &Name) {
        let checkpoint = self.checkpoint();
        if let Some(transaction) = &mut self.transaction {
            transaction.savepoints.push((name.clone(), checkpoint));
        }
    }

    pub fn release(&mut self, name: &Name) {
        if let Some(transaction) = &mut self.transaction
            && let Some(at) = transaction.savepoints.iter().rposition(|(savepoint, _)| savepoint == name)
        {
            transaction.savepoints.truncate(at);
        }
    }

    /// Undoes all since the savepoint, which stays; locks taken since are released.
    pub fn rollback_to(&mut self, name: &Name) {
        let Some(transaction) = &mut self.transaction else { return };
        let Some(at) = transaction.savepoints.iter().rposition(|(savepoint, _)| savepoint == name) else { return };
        transaction.savepoints.truncate(at + 1);
        let checkpoint = transaction.savepoints[at].1.clone();
        self.go_back(checkpoint);
    }

    /// Keeps the locks of a statement until the transaction ends; those on relations nobody else sees do not count.
    pub fn hold(&mut self, prediction: &Prediction, by: Span) {
        let fresh = &self.fresh;
        let Some(transaction) = &mut self.transaction else { return };
        for lock in &prediction.locks {
            if lock.relation.is_some_and(|id| fresh.contains(&id)) {
                continue;
            }
            let name: Arc<str> = (*lock.name).into();
            let stronger = transaction.held.get(&name).is_none_or(|held| held.mode < lock.mode);
            if stronger {
                transaction.held.insert(name, HeldLock { relation: lock.relation, mode: lock.mode, by });
            }
        }
    }

    /// Undoes all since the checkpoint, in the same transaction.
    pub fn go_back(&mut self, checkpoint: Checkpoint) {
        if let Some(transaction) = &mut self.transaction {
            transaction.held = checkpoint.held;
            transaction.labels = checkpoint.labels;
            transaction.pending = checkpoint.pending;
            transaction.lasting = checkpoint.lasting;
        }
        self.schema = checkpoint.schema;
        self.session = checkpoint.session;
        self.fresh = checkpoint.fresh;
    }

    pub fn checkpoint(&self) -> Checkpoint {
        let (held, labels, pending, lasting) = match &self.transaction {
            Some(open) => (open.held.clone(), open.labels.clone(), open.pending.clone(), open.lasting.clone()),
            None => (OrdMap::new(), OrdSet::new(), Pending::default(), self.session.clone()),
        };
        Checkpoint {
            schema: self.schema.clone(),
            session: self.session.clone(),
            lasting,
            held,
            labels,
            pending,
            fresh: self.fresh.clone(),
        }
    }
}
