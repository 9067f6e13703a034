//! The safe way to do what a statement does the blocking way, with the user's own names.
//!
//! Every step is accepted by the target's server in the state that the earlier steps leave; tests run them.

mod alter_table;
mod carried;
mod column;
mod constraint;
mod index;
mod partition;
mod referencing;
mod rename;
mod replaced;
mod required;
mod table;
mod type_change;

pub use index::concurrent_index;
pub use referencing::foreign_key;
pub use rename::instead_of_rename;

use crate::change::AlterTableActionKind::{AddConstraint, DropConstraint};
use crate::change::{Change, IndexTarget, ObjectName};
use crate::effect::{Failure, Work};
use crate::finding::{Advice, FixStep, StepTransaction};
use crate::history::Step;
use crate::migration::Framework;
use crate::rules::context::StepContext;
use crate::schema::{self, Index};

/// What to do instead of the part of the statement that causes a piece of work.
pub fn instead_of(context: &StepContext, work: &Work) -> Advice {
    in_words_of_tool(context, beside_dropped(context, of_statement(context, work)))
}

/// What an earlier statement of the migration took away is missing while the steps run: the reader is told how both go together.
fn beside_dropped(context: &StepContext, advice: Advice) -> Advice {
    if advice.steps.is_empty() {
        return advice;
    }
    let Some(gone) = dropped_before(context) else { return advice };
    let both = match context.change() {
        Some(Change::AlterTable(_)) => "written as one ALTER TABLE with this, it",
        _ => "it",
    };
    let text = format!(
        "{} {gone} is dropped before, and missing while these steps run: {both} can stay until the new one is ready, which is what `pgassay fix` writes.",
        advice.text
    );
    Advice { text: text.trim_start().to_owned(), ..advice }
}

/// A constraint or an index of the same table and kind that the statement makes another of.
fn dropped_before(context: &StepContext) -> Option<String> {
    let steps = context.run.steps.get(..context.index)?;
    let relation = |step: &Step, name: &ObjectName| step.schema.find_relation(name, &step.session).cloned();
    match context.change()? {
        Change::AlterTable(alter) if alter.actions.iter().any(|action| matches!(action.kind, AddConstraint(_))) => {
            let own = relation(context.step, &alter.relation)?.id;
            let added = |gone: &schema::Constraint| {
                alter
                    .actions
                    .iter()
                    .any(|action| matches!(&action.kind, AddConstraint(new) if gone.kind.is_made_by(&new.kind)))
            };
            steps.iter().rev().find_map(|step| {
                let Change::AlterTable(drop) = step.change()? else { return None };
                // Names are looked up where something is dropped: a file may have thousands of statements.
                drop.actions.iter().find(|action| matches!(action.kind, DropConstraint { .. }))?;
                let table = relation(step, &drop.relation).filter(|table| table.id == own)?;
                drop.actions.iter().find_map(|action| match &action.kind {
                    DropConstraint { constraint, .. } if table.constraint(&constraint.name).is_some_and(added) => {
                        Some(constraint.to_string())
                    }
                    _ => None,
                })
            })
        }
        Change::CreateIndex(create) => {
            let table = relation(context.step, &create.table)?;
            let first = match &create.elements.first()?.target {
                IndexTarget::Column(column) => table.column(&column.name)?.id,
                IndexTarget::Expression(_) => return None,
            };
            steps.iter().rev().find_map(|step| {
                let Change::Drop(drop) = step.change()? else { return None };
                let is_like = |gone: &Index| gone.table == table.id && gone.columns.first() == Some(&Some(first));
                let is_it = |name: &ObjectName| relation(step, name).and_then(|it| it.as_index().map(is_like));
                let gone = drop.objects.iter().find(|it| is_it(&it.name) == Some(true))?;
                Some(gone.name.to_string())
            })
        }
        _ => None,
    }
}

/// How the migration's tool is told to run a step outside a transaction.
fn in_words_of_tool(context: &StepContext, advice: Advice) -> Advice {
    let migration = context.run.migration;
    let is_alone = |step: &FixStep| step.transaction == StepTransaction::None;
    if migration.framework == Framework::Plain || !advice.steps.iter().any(is_alone) {
        return advice;
    }
    let words = match migration.outside_transaction() {
        Some(words) => format!("{} runs a step outside a transaction with {words}.", migration.framework),
        None => format!(
            "{} runs every migration in a transaction: run those steps by hand, before the migration that needs them.",
            migration.framework
        ),
    };
    Advice { text: format!("{} {words}", advice.text), ..advice }
}

fn of_statement(context: &StepContext, work: &Work) -> Advice {
    match context.change() {
        Some(Change::AlterTable(alter)) => alter_table::instead_of(context, alter, work),
        Some(Change::CreateIndex(create)) => index::instead_of_create(context, create),
        Some(Change::Reindex(reindex)) => index::instead_of_reindex(context, reindex),
        Some(Change::RefreshMaterializedView(refresh)) => index::instead_of_refresh(context, refresh),
        Some(Change::Vacuum(_) | Change::Cluster(_)) => Advice::text(
            "Leave it out of migrations. Plain VACUUM frees space for reuse while everyone works; pg_repack rewrites a table with only short locks.",
        ),
        Some(Change::AlterDomain(_)) => Advice::text(
            "Add the constraint to the domain NOT VALID, which is instant. Validating it still makes writers of every table that uses the domain wait; \
             a CHECK on each table, added NOT VALID and validated, does not.",
        ),
        Some(Change::CreateTable(create)) => partition::create(context, create),
        _ => window(),
    }
}

fn window() -> Advice {
    Advice::text("There is no way to do this while others work: plan a maintenance window, and set lock_timeout.")
}

/// How to give the rows that are there a value.
pub fn value_for_old_rows(context: &StepContext, failure: &Failure) -> Advice {
    match context.change() {
        Some(Change::AlterTable(alter)) => alter_table::instead_of_part(context, alter, failure.span),
        _ => Advice::text("Give the rows that are there a value first."),
    }
}
