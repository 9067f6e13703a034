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
mod table;
mod type_change;

pub use index::concurrent_index;
pub use referencing::foreign_key;
pub use rename::instead_of_rename;

use crate::change::Change;
use crate::effect::{Failure, Work};
use crate::finding::{Advice, FixStep, StepTransaction};
use crate::migration::Framework;
use crate::rules::context::StepContext;

/// What to do instead of the part of the statement that causes a piece of work.
pub fn instead_of(context: &StepContext, work: &Work) -> Advice {
    in_words_of_tool(context, of_statement(context, work))
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
