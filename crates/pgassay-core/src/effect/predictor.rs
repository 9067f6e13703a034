//! What every arm of the prediction needs: finding relations, recording locks, work and failures.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::call::Call;
use super::view::Depth;
use super::{Context, FailsWhen, Failure, InTransactionBlock, Lock, Prediction, Work, WorkKind};
use crate::apply::apply;
use crate::catalog;
use crate::catalog::LockMode;
use crate::change::{Change, Expression, ObjectName, PrintedName, QualifiedName};
use crate::expression::Scope;
use crate::schema::{Relation, RelationId, RelationKind, RoutineId, Schema};
use crate::source::Span;

/// Collects the prediction of one statement.
pub(super) struct Predictor<'a> {
    pub context: Context<'a>,
    pub out: Prediction,
    /// The condition on the rows of the one table that is read or written.
    pub condition: Option<Arc<sqlparser::ast::Expr>>,
    /// How deep in function bodies the prediction is.
    pub depth: u8,
    /// Routines whose bodies were run: once is enough, for they may call each other from many places.
    pub ran: BTreeSet<RoutineId>,
    /// Where calls are followed by somebody else: what is called.
    pub calls: Option<Vec<Call>>,
    /// Views that were opened, and how far: each once, for one may name another by many ways, or itself by a detour.
    pub opened: BTreeSet<(RelationId, LockMode, Depth)>,
    /// What will be `out.work`.
    pending: Vec<Pending>,
}

/// Work whose lock is not known before the whole statement is.
struct Pending {
    work: Work,
    /// The table that it works on, as it is printed.
    table: String,
}

/// Not the identity of any relation: what a partial history never saw made.
const STUB: RelationId = RelationId(0);

impl<'a> Predictor<'a> {
    pub fn new(context: Context<'a>) -> Predictor<'a> {
        Predictor {
            context,
            out: Prediction::default(),
            condition: None,
            depth: 0,
            ran: BTreeSet::new(),
            calls: None,
            opened: BTreeSet::new(),
            pending: Vec::new(),
        }
    }

    /// The prediction, its locks with the strongest of a relation first.
    pub fn finish(mut self) -> Prediction {
        for Pending { mut work, table } in self.pending {
            work.under = self.out.effect.locks.get(&table).copied().unwrap_or(work.under);
            self.out.work.push(work);
        }
        self.out.locks.sort_by(|a, b| a.name.cmp(&b.name).then(b.mode.cmp(&a.mode)));
        self.out
    }

    pub fn schema(&self) -> &'a Schema {
        self.context.schema
    }

    pub fn at_least(&self, major: u16) -> bool {
        self.context.version.at_least(major)
    }

    /// The schema after the change; names of new indexes come from there.
    pub fn after(&self, change: &Change) -> Schema {
        let mut schema = self.context.schema.clone();
        apply(&mut schema, change, self.context.session, self.context.version);
        schema
    }

    pub fn scope(&self, relation: Option<&'a Relation>) -> Scope<'a> {
        let Context { schema, session, version } = self.context;
        Scope { schema, session, version, relation, value: None }
    }

    /// The relation a name means. What a partial history does not know is a table of which nothing is known; what a complete
    /// schema does not have, and what belongs to the system, is `None`.
    pub fn find(&self, name: &ObjectName) -> Option<Arc<Relation>> {
        if let Some(found) = self.schema().find_relation(name, self.context.session) {
            return Some(found.clone());
        }
        let schema = name.schema.as_ref().map(|schema| schema.as_str());
        if self.schema().lacks(name, self.context.session) || catalog::is_system_relation(schema, name.name.as_str()) {
            return None;
        }
        Some(Arc::new(stub(self.schema().qualify(name, self.context.session))))
    }

    pub fn relation(&self, id: RelationId) -> Option<&'a Arc<Relation>> {
        self.context.schema.relation(id)
    }

    /// The relation and everything that inherits from it or is a partition of it.
    pub fn family(&self, relation: &Relation, only: bool) -> Vec<Arc<Relation>> {
        let own = match self.relation(relation.id) {
            Some(found) => found.clone(),
            None => Arc::new(relation.clone()),
        };
        let children = if only { Vec::new() } else { self.schema().children_closure(relation.id) };
        std::iter::once(own).chain(children.into_iter().filter_map(|id| self.relation(id).cloned())).collect()
    }

    /// The partitioned tables that a partition is under, nearest first.
    pub fn partitioned_above(&self, id: RelationId) -> Vec<RelationId> {
        let above = self.schema().parents_closure(id);
        above.into_iter().filter(|id| self.relation(*id).is_some_and(|it| it.is_partitioned())).collect()
    }

    pub fn lock(&mut self, relation: &Relation, mode: LockMode, span: Span) {
        let known = self.context.schema.relation(relation.id).is_some();
        if !relation.is_queryable() || !(known || relation.id == STUB) {
            return;
        }
        let name = PrintedName::from(&relation.name);
        self.out.effect.lock(name.to_string(), mode);
        let lock = Lock { relation: known.then_some(relation.id), name, mode, span };
        let held = |it: &Lock| it.name == lock.name && it.mode == lock.mode && it.span == lock.span;
        if !self.out.locks.iter().any(held) {
            self.out.locks.push(lock);
        }
    }

    pub fn lock_id(&mut self, id: RelationId, mode: LockMode, span: Span) {
        if let Some(relation) = self.relation(id) {
            self.lock(relation, mode, span);
        }
    }

    /// Locks a relation and all its descendants.
    pub fn lock_family(&mut self, id: RelationId, mode: LockMode, span: Span) {
        self.lock_id(id, mode, span);
        for child in self.schema().children_closure(id) {
            self.lock_id(child, mode, span);
        }
    }

    /// The heap is read from the first to the last block.
    pub fn scan(&mut self, relation: &Relation, span: Span, reason: &str) {
        let stored = matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView(_));
        let existed = relation.id == STUB || self.relation(relation.id).is_some();
        if stored && existed && self.out.effect.scans.insert(relation.name.to_string()) {
            self.work(WorkKind::Scan, relation, PrintedName::from(&relation.name), span, reason);
        }
    }

    /// New storage for a table, with all its indexes; the old storage is read unless it is thrown away.
    pub fn rewrite(&mut self, relation: &Relation, span: Span, reason: &str) {
        if !matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView(_)) {
            return;
        }
        self.new_storage(relation, span, reason);
        self.scan(relation, span, reason);
        self.rebuild_all(relation, span, "the table is rewritten");
    }

    pub fn new_storage(&mut self, relation: &Relation, span: Span, reason: &str) {
        if self.out.effect.rewrites.insert(relation.name.to_string()) {
            self.work(WorkKind::Rewrite, relation, PrintedName::from(&relation.name), span, reason);
        }
    }

    pub fn rebuild_all(&mut self, relation: &Relation, span: Span, reason: &str) {
        for index in self.schema().indexes_of(relation.id) {
            self.build(relation, &index.name, span, reason);
        }
    }

    /// An index is built or rebuilt, by a name it has after the statement.
    pub fn build(&mut self, table: &Relation, index: &QualifiedName, span: Span, reason: &str) {
        if self.out.effect.index_builds.insert(index.to_string()) {
            self.work(WorkKind::IndexBuild, table, PrintedName::from(index), span, reason);
        }
    }

    /// The indexes of a table of which nothing is known are built or rebuilt.
    pub fn build_unseen(&mut self, table: &Relation, span: Span, reason: &str) {
        let name = format!("the indexes of {}", table.name);
        if self.out.effect.index_builds.insert(name.clone()) {
            let name = PrintedName::described(&table.name, name);
            self.work(WorkKind::IndexBuild, table, name, span, reason);
        }
    }

    /// In a partial history: tables that it does not show get new storage.
    pub fn rewrite_unseen(&mut self, which: &str, reason: &str, span: Span) {
        if self.schema().complete {
            return;
        }
        let (name, under) = (PrintedName::other(which), LockMode::AccessExclusive);
        self.out.effect.lock(which.to_owned(), under);
        self.out.locks.push(Lock { relation: None, name: name.clone(), mode: under, span });
        self.out.effect.rewrites.insert(which.to_owned());
        let work = Work { kind: WorkKind::Rewrite, relation: None, name, under, span, reason: reason.to_owned() };
        self.pending.push(Pending { work, table: which.to_owned() });
    }

    fn work(&mut self, kind: WorkKind, relation: &Relation, name: PrintedName, span: Span, reason: &str) {
        let id = self.relation(relation.id).map(|found| found.id);
        let under = LockMode::AccessShare;
        let work = Work { kind, relation: id, name, under, span, reason: reason.to_owned() };
        self.pending.push(Pending { work, table: relation.name.to_string() });
    }

    /// Builds the indexes that the change adds to tables that were there before; each build reads its table.
    pub fn build_new_indexes(&mut self, tables: &[Arc<Relation>], after: &Schema, span: Span, reason: &str) {
        for table in tables {
            for index in new_indexes(table, after) {
                if index.has_storage() {
                    self.scan(table, span, reason);
                    self.build(table, &index.name, span, reason);
                }
            }
        }
    }

    /// Takes back the builds of indexes that the statement drops: drops are a pass before the rewrite (AT_PASS_DROP, tablecmds.c).
    pub fn forget_dropped_indexes(&mut self, tables: &[Arc<Relation>], after: &Schema) {
        for table in tables {
            for index in self.schema().indexes_of(table.id).filter(|index| after.relation(index.id).is_none()) {
                let name = index.name.to_string();
                self.out.effect.index_builds.remove(&name);
                self.pending.retain(|it| it.work.kind != WorkKind::IndexBuild || *it.work.name != *name);
            }
        }
    }

    /// Adds what another statement of the same command does.
    pub fn absorb(&mut self, other: Prediction) {
        self.out.effect.merge(other.effect);
        for work in other.work {
            let table = work.relation.map(|id| self.schema().relation_name(id)).filter(|name| !name.is_empty());
            let table = table.unwrap_or_else(|| work.name.to_string());
            self.pending.push(Pending { work, table });
        }
        self.out.locks.extend(other.locks);
        self.out.failures.extend(other.failures);
    }

    /// The server refuses the statement in a transaction block.
    pub fn forbid_in_transaction(&mut self, span: Span, object: impl Into<PrintedName>, command: &str) {
        self.out.effect.in_transaction_block = InTransactionBlock::Forbidden;
        let message = format!("{command} cannot run inside a transaction block");
        self.fail(FailsWhen::InTransactionBlock, span, object, message);
    }

    /// A failure that takes a row of the table.
    pub fn fail_on_rows(
        &mut self,
        table: &Relation,
        when: FailsWhen,
        span: Span,
        object: impl Into<PrintedName>,
        message: String,
    ) {
        if !self.schema().holds_no_rows(table) {
            self.fail(when, span, object, message);
        }
    }

    pub fn fail(&mut self, when: FailsWhen, span: Span, object: impl Into<PrintedName>, message: String) {
        let failure = Failure { when, span, object: object.into(), message };
        if !self.out.failures.contains(&failure) {
            self.out.failures.push(failure);
        }
    }
}

/// Indexes that the table has after the change and had not before.
pub(super) fn new_indexes<'s>(table: &Relation, after: &'s Schema) -> Vec<&'s Arc<Relation>> {
    let had: BTreeSet<RelationId> = table.indexes.iter().copied().collect();
    let has = match after.relation(table.id) {
        Some(found) => Some(found),
        None => after.relation_at(&table.name),
    };
    has.into_iter()
        .flat_map(|it| &it.indexes)
        .filter(|id| !had.contains(id))
        .filter_map(|id| after.relation(*id))
        .collect()
}

/// Rows that break a CHECK: NULL passes.
pub(super) fn violating_rows(relation: &Relation, check: &Expression) -> String {
    violating(&rows_of(relation), check)
}

/// The same of rows that something else than a table gives.
pub(super) fn violating(rows: &str, check: &Expression) -> String {
    format!("SELECT * FROM {rows} WHERE NOT ({}) LIMIT 1", check.text)
}

/// The rows of the table itself: its inheritance children are told apart.
pub(super) fn rows_of(relation: &Relation) -> String {
    let only = !relation.children.is_empty() && !relation.is_partitioned();
    format!("{}{}", if only { "ONLY " } else { "" }, relation.name)
}

fn stub(name: QualifiedName) -> Relation {
    Relation { known: false, ..Relation::new(STUB, name, RelationKind::Table) }
}
