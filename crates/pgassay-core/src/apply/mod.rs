//! Applying a change: what exists afterwards, and why PostgreSQL would refuse.

mod alter_table;
mod assume;
mod attach;
mod attribute;
mod column;
mod constraint;
mod domain;
mod drop;
mod event_trigger;
mod extension;
mod index;
mod inherit;
mod like;
mod looked_up;
mod namespace;
mod object;
mod partition;
mod privilege;
mod publication;
mod rename;
mod resolve;
mod routine;
mod sequence;
mod statistics;
mod storage;
mod table;
mod table_as;
mod trigger;
mod types;
mod unknown;
mod unnamed;
mod view;

pub use assume::Assumed;
pub use unknown::{missing_relations, unknown_columns};
pub use unnamed::unnamed_subquery;

use std::sync::Arc;

use crate::change::{Change, PrintedName};
use crate::schema::{Object, ObjectId, Schema, Session};
use crate::source::Span;
use crate::version::PgVersion;

/// What a change made of the schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    pub created: Vec<ObjectId>,
    /// With everything that CASCADE took along, the named objects first.
    pub dropped: Vec<ObjectId>,
    /// What goes along with what a statement drops and does not name; parts of what goes itself are left out.
    pub taken: Vec<Object>,
    /// Why the server refuses the statement. The schema is changed as far as it makes sense, so that what follows can be judged.
    pub problems: Vec<Problem>,
    /// How many of the problems are types that do not exist.
    pub missing_types: usize,
}

/// A reason for the server to refuse the statement whatever the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The name or part that is refused.
    pub span: Span,
    /// Printed name of the object.
    pub object: PrintedName,
    /// In the server's terms: `relation "public.t" does not exist`.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Names something that does not exist. Only told of a complete schema, or of a relation whose columns are known.
    Missing,
    /// Makes something that exists.
    Duplicate,
    /// Drops or changes something that others need, without CASCADE.
    Dependent,
    /// Refused for another reason: wrong kind of object, inherited column, a second primary key …
    Invalid,
}

/// Applies one change. Transaction control and settings are not changes of the schema: `history` follows them.
pub fn apply(schema: &mut Schema, change: &Change, session: &Session, version: PgVersion) -> Applied {
    let mut applier = Applier { schema, session, version, applied: Applied::default() };
    applier.change(change);
    applier.grant_defaults();
    applier.applied
}

/// One change at work: the schema it changes, and what there is to say about it.
struct Applier<'a> {
    schema: &'a mut Schema,
    session: &'a Session,
    version: PgVersion,
    applied: Applied,
}

impl Applier<'_> {
    fn change(&mut self, change: &Change) {
        match change {
            Change::Call(call) => self.call(&call.procedure),
            Change::CreateTable(create) => self.create_table(create),
            Change::CreateTableAs(create) => self.create_table_as(create),
            Change::AlterTable(alter) => self.alter_table(alter),
            Change::Truncate(truncate) => self.tables_named(truncate.tables.iter().map(|(table, _)| table)),
            Change::LockTable(lock) => self.tables_named(lock.tables.iter().map(|(table, _)| table)),
            Change::CreateIndex(create) => self.create_index(create),
            Change::Reindex(reindex) => self.reindex(reindex),
            Change::Cluster(cluster) => self.cluster(cluster),
            Change::Vacuum(vacuum) => self.tables_named(&vacuum.tables),
            Change::Analyze(analyze) => self.tables_named(&analyze.tables),
            Change::CreateStatistics(create) => self.create_statistics(create),
            Change::CreateView(create) => self.create_view(create),
            Change::CreateMaterializedView(create) => self.create_materialized_view(create),
            Change::RefreshMaterializedView(refresh) => self.refresh_materialized_view(refresh),
            Change::CreateSequence(create) => self.create_sequence(create),
            Change::AlterSequence(alter) => self.alter_sequence(alter),
            Change::CreateType(create) => self.create_type(create),
            Change::AlterEnum(alter) => self.alter_enum(alter),
            Change::AlterCompositeType(alter) => self.alter_composite_type(alter),
            Change::CreateDomain(create) => self.create_domain(create),
            Change::AlterDomain(alter) => self.alter_domain(alter),
            Change::CreateRoutine(create) => self.create_routine(create),
            Change::AlterRoutine(alter) => self.alter_routine(alter),
            Change::CreateTrigger(create) => self.create_trigger(create),
            Change::CreateEventTrigger(create) => self.create_event_trigger(create),
            Change::CreateRule(create) => self.create_rule(create),
            Change::CreatePolicy(create) => self.create_policy(create),
            Change::AlterPolicy(alter) => self.alter_policy(alter),
            Change::CreateSchema(create) => self.create_schema(create),
            Change::CreateExtension(create) => self.create_extension(create),
            Change::AlterExtension(alter) => self.alter_extension(alter),
            Change::CreatePublication(create) => self.create_publication(create),
            Change::AlterPublication(alter) => self.alter_publication(alter),
            Change::CreateOther(create) => self.create_other(create),
            Change::Drop(drop) => self.drop(drop),
            Change::AlterObject(alter) => self.alter_object(alter),
            Change::Comment(comment) => self.comment(comment),
            Change::AlterDefaultPrivileges(grant) => {
                Arc::make_mut(&mut self.schema.default_privileges).push(grant.clone())
            }
            Change::Grant(grant) => self.grant(grant),
            Change::Owned(owned) => self.owned(owned),
            Change::Do(block) => self.do_block(block),
            Change::Explain { analyze: true, change } => self.change(change),
            Change::Insert(insert) => self.tables_named([&insert.table]),
            Change::Update(update) => self.tables_named([&update.table]),
            Change::Delete(delete) => self.tables_named([&delete.table]),
            Change::Merge(merge) => self.tables_named([&merge.table]),
            Change::Copy(copy) => self.tables_named(&copy.table),
            Change::CreateDatabase(_)
            | Change::Explain { analyze: false, .. }
            | Change::Select(_)
            | Change::Transaction(_)
            | Change::Set(_)
            | Change::Reset(_)
            | Change::Prepare { .. }
            | Change::Deallocate(_)
            | Change::DeclareCursor { .. }
            | Change::Nothing(_) => {}
            Change::Execute(name) => {
                if let Some(prepared) = self.session.prepared.get(&name.name).cloned() {
                    self.change(&prepared);
                }
            }
        }
    }

    /// The statements of a block in order, under the settings it makes itself. What stands under a condition may not run:
    /// its refusals are not told.
    fn do_block(&mut self, block: &crate::change::Do) {
        // Text that is put together when the block runs may make and drop anything.
        self.schema.complete &= block.code.dynamic.is_empty();
        let mut session = self.session.clone();
        for statement in &block.code.statements {
            let Ok(change) = &statement.change else { continue };
            match change {
                Change::Set(set) => session.set(set),
                Change::Reset(reset) => session.reset(reset, self.session),
                _ => {
                    let made = apply(self.schema, change, &session, self.version);
                    self.applied.created.extend(made.created);
                    self.applied.dropped.extend(made.dropped);
                    if !statement.conditional {
                        self.applied.problems.extend(made.problems);
                    }
                }
            }
        }
    }
}
