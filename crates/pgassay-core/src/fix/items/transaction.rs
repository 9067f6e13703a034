//! Which statements of a file share a transaction, by its tool, its markers and what it opens itself.

use crate::change::{Change, TransactionControl};
use crate::fix::Ways;
use crate::migration::{Framework, Migration, TransactionMode};

/// Whether the file opens a transaction of its own around all that it does. What it does with transactions otherwise is its own affair.
pub(super) fn own_block(changes: &[Option<Change>]) -> Result<bool, String> {
    use TransactionControl::{Begin, Characteristics, Commit, Constraints};
    let controls: Vec<&TransactionControl> = changes
        .iter()
        .filter_map(|change| match change {
            Some(Change::Transaction(Characteristics | Constraints { .. })) => None,
            Some(Change::Transaction(control)) => Some(control),
            _ => None,
        })
        .collect();
    match controls.as_slice() {
        [] => Ok(false),
        [Begin, Commit { chain: false }] => Ok(true),
        _ => Err("the file opens and ends transactions itself: take it apart by hand".to_owned()),
    }
}

/// The only BEGIN and COMMIT of a file, wherever they are: what is before and after them are settings, or commits by itself.
pub(super) fn is_outer(changes: &[Option<Change>], at: usize) -> bool {
    matches!(
        changes.get(at),
        Some(Some(Change::Transaction(TransactionControl::Begin | TransactionControl::Commit { .. })))
    )
}

/// Whether each statement commits by itself.
pub(super) fn sends_apart(migration: &Migration) -> bool {
    sends_each(migration) || Ways::of(migration).in_file && is_one_by_one(migration)
}

fn is_one_by_one(migration: &Migration) -> bool {
    migration.sections.iter().any(|section| section.transaction == TransactionMode::None)
}

/// Whether each statement of the file commits by itself, as its own marker wants it.
fn sends_each(migration: &Migration) -> bool {
    let is_alone = migration.sections.iter().all(|section| !section.transaction.is_opened_by_tool());
    is_alone && Ways::of(migration).unwrapped && (is_one_by_one(migration) || migration.framework == Framework::Goose)
}
