//! Statements that the server refuses whatever the rows are, beyond what `schema::apply` says of names that are missing or taken: the
//! types and the volatility of expressions, keys, partitions, identities, routines.
//!
//! In: a change and the schema before it. Out: failures of the prediction. Only what is certain is said: a type, a function or an
//! extension that is not known refuses nothing.

mod alter_table;
mod column_type;
mod conflict;
mod constants;
mod constraint;
mod event_trigger;
mod expressions;
mod grant;
mod inherit;
mod kind;
mod only;
mod output;
mod partition;
mod publication;
mod retype;
mod routine;
mod row_type;
mod rows;
mod rule;
mod setting;
mod system_column;
mod table;
mod trigger;
mod view;
mod view_definition;

use sqlparser::tokenizer;

use super::FailsWhen;
use super::predictor::Predictor;
use crate::change::{Change, Expression, Persistence, PrintedName};
use crate::expression::{self, Place, Scope};
use crate::schema::{Relation, Schema};
use crate::source::Span;
use crate::sql::tree_span;

impl Predictor<'_> {
    /// Adds the reasons for which the server refuses a statement.
    pub fn refuse(&mut self, change: &Change, span: Span) {
        let before = self.out.failures.len();
        self.refuse_read(change, span);
        if self.out.failures.len() == before {
            self.refuse_constants(change);
        }
    }

    /// The same, of what only prepares, declares or explains a statement, too.
    fn refuse_read(&mut self, change: &Change, span: Span) {
        if self.refuse_without_schema(change) {
            return;
        }
        match change {
            Change::CreateTable(create) => self.refuse_create_table(change, create),
            Change::CreateTableAs(create) => {
                if let Some(query) = &create.query {
                    self.refuse_query(&query.tree, query.span);
                    self.refuse_made(&create.name, &create.columns, query, output::Made::Rows);
                }
            }
            Change::AlterTable(alter) => self.refuse_alter_table(change, alter),
            Change::CreateIndex(create) => self.refuse_create_index(create),
            Change::Reindex(reindex) => self.refuse_reindexed(reindex),
            Change::CreateView(create) => {
                self.refuse_view(create);
                self.refuse_query(&create.query.tree, create.query.span);
                self.refuse_made(&create.name, &create.columns, &create.query, output::Made::View);
            }
            Change::CreateMaterializedView(create) => {
                self.refuse_materialized_view(create);
                self.refuse_query(&create.query.tree, create.query.span);
                self.refuse_made(&create.name, &create.columns, &create.query, output::Made::Rows);
            }
            Change::CreateDomain(create) => self.refuse_domain(create),
            Change::CreateSchema(create) => {
                // IsReservedName (catalog.c).
                let named = create.name.as_ref().filter(|it| it.name.as_str().starts_with("pg_"));
                if let Some(name) = named {
                    let message = format!("unacceptable schema name \"{}\"", name.name.as_str());
                    self.refused(name.span, &name.name, message);
                }
            }
            Change::AlterDomain(alter) => self.refuse_alter_domain(alter),
            Change::AlterCompositeType(alter) => self.refuse_alter_composite(alter),
            Change::CreateStatistics(create) => self.refuse_statistics(create),
            Change::CreatePolicy(create) => {
                self.refuse_command_of_policy(create);
                self.refuse_policy(&create.table, &create.using, &create.with_check);
            }
            Change::AlterPolicy(alter) => {
                self.refuse_altered_policy(alter);
                self.refuse_policy(&alter.table, &alter.using, &alter.with_check);
            }
            Change::CreateTrigger(create) => self.refuse_trigger(create),
            Change::CreateEventTrigger(create) => self.refuse_event_trigger(create),
            Change::CreateRoutine(create) => self.refuse_routine(create),
            Change::CreateRule(create) => {
                self.refuse_rule(create);
                create.actions.iter().for_each(|action| {
                    if let Ok(change) = &action.change {
                        self.refuse_missing_relations(change, action.span);
                    }
                });
            }
            Change::CreateSequence(create) => self.refuse_sequence(&create.name, &create.options),
            Change::AlterSequence(alter) => self.refuse_altered_sequence(alter),
            Change::Cluster(cluster) => self.refuse_cluster(cluster),
            Change::Call(call) => self.refuse_called_function(&call.procedure),
            Change::CreateType(create) => self.refuse_type(create),
            Change::Truncate(truncate) => {
                self.refuse_truncated_kind(truncate);
                self.refuse_truncate(truncate);
            }
            Change::LockTable(lock) => self.refuse_locked_kind(lock),
            Change::Copy(copy) => self.refuse_copied(copy),
            Change::Drop(drop) => {
                self.refuse_drop(drop);
                self.refuse_drop_of_other_kind(drop);
            }
            Change::Insert(insert) => {
                self.refuse_statement(&insert.tree.0, span);
                self.refuse_inserted(insert);
                self.refuse_unpopulated(&insert.uses);
                self.refuse_own_values(insert);
                self.refuse_nulls(insert);
                self.refuse_conflict_target(insert);
                self.refuse_unrouted(insert);
                self.refuse_outside_of_partition(insert);
            }
            Change::Update(update) => {
                self.refuse_statement(&update.tree.0, span);
                self.refuse_updated(update);
                self.refuse_own_assignments(update);
                self.refuse_unidentified(&update.table, publication::Write::Update);
            }
            Change::Delete(delete) => {
                self.refuse_statement(&delete.tree.0, span);
                self.refuse_write(&delete.table, crate::change::RuleEvent::Delete, &[]);
                self.refuse_unidentified(&delete.table, publication::Write::Delete);
            }
            Change::Merge(merge) => {
                self.refuse_statement(&merge.tree.0, span);
                self.refuse_merged(&merge.table);
            }
            Change::Select(select) => {
                self.refuse_statement(&select.tree.0, span);
                self.refuse_unpopulated(&select.uses);
                self.refuse_no_sequence(&select.tree.0, span);
            }
            Change::Grant(grant) | Change::AlterDefaultPrivileges(grant) => self.refuse_grant(grant, span),
            Change::Set(set) => self.refuse_setting(set),
            Change::Prepare { change, .. } | Change::DeclareCursor { change, .. } | Change::Explain { change, .. } => {
                self.refuse_read(change, span);
            }
            _ => {}
        }
    }

    /// A new object without a schema in its name while the search_path is empty (`RangeVarGetCreationNamespace`, namespace.c).
    fn refuse_without_schema(&mut self, change: &Change) -> bool {
        let is_lasting = |persistence: Persistence| persistence != Persistence::Temporary;
        let name = match change {
            Change::CreateTable(create) if is_lasting(create.persistence) => &create.name,
            Change::CreateTableAs(create) if is_lasting(create.persistence) => &create.name,
            Change::CreateView(create) if !create.temporary => &create.name,
            Change::CreateMaterializedView(create) => &create.name,
            Change::CreateSequence(create) if is_lasting(create.persistence) => &create.name,
            Change::CreateType(create) => &create.name,
            Change::CreateDomain(create) => &create.name,
            Change::CreateRoutine(create) => &create.name,
            _ => return false,
        };
        if name.schema.as_ref().is_some_and(|schema| *schema == "pg_catalog") {
            let message = format!("permission denied to create \"pg_catalog.{}\"", name.name.as_str());
            let relation = matches!(
                change,
                Change::CreateTable(_)
                    | Change::CreateTableAs(_)
                    | Change::CreateView(_)
                    | Change::CreateMaterializedView(_)
            );
            if relation {
                self.refused(name.span, name, message);
                return true;
            }
        }
        let is_nowhere = name.schema.is_none() && self.context.session.search_path.iter().all(|it| *it == "pg_temp");
        if is_nowhere {
            self.refused(name.span, name, "no schema has been selected to create in");
        }
        is_nowhere
    }

    pub(super) fn refused(&mut self, span: Span, object: impl Into<PrintedName>, message: impl Into<String>) {
        self.fail(FailsWhen::Always, span, object, message.into());
    }

    /// A part of a tree as a place in the file: within `whole`, or that where it has none.
    fn place_of(&self, at: tokenizer::Span, whole: Span) -> Span {
        tree_span(whole.file, at).filter(|span| whole.contains(*span)).unwrap_or(whole)
    }

    /// What refuses an expression in its place.
    fn refuse_expression(&mut self, expression: &Expression, place: Place, scope: Scope) -> bool {
        let found = expression::refusals(&expression.tree, place, scope);
        let Some(first) = found.first() else { return false };
        let span = self.place_of(first.span, expression.span);
        self.refused(span, "", first.message.clone());
        true
    }

    /// The scope of an expression over a relation of another state of the schema.
    fn scope_on<'s>(&self, schema: &'s Schema, relation: Option<&'s Relation>) -> Scope<'s>
    where
        Self: 's,
    {
        Scope { schema, relation, ..self.scope(None) }
    }
}
