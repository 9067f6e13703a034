//! Rules about migrations.

pub(in crate::rules) mod advice;
mod blocking_index_build;
mod blocking_rewrite;
mod blocking_scan;
pub(super) mod breaking;
mod cancelled_concurrent_build;
pub mod changed_migration;
mod dropped_data;
pub mod ended_transaction;
mod enum_value_before_commit;
pub(super) mod fails_on_rows;
pub(super) mod guards;
pub mod lock_behind_transaction;
mod long_work_under_lock;
mod loss;
mod many_locks_in_transaction;
mod missing_lock_timeout;
pub(super) mod narrowed_data;
mod not_rerunnable;
pub mod observed;
pub mod out_of_order_migration;
mod reading;
pub(super) mod refused_statement;
mod removed_rows;
mod restarted_sequence;
mod retry_skips_invalid_index;
mod secret_in_migration;
pub(super) mod transaction_forbidden;
mod unbalanced_transaction;
mod unbatched_backfill;
mod unmodelled_call;
mod unseen;
mod validate_in_same_transaction;
mod written_catalog;

pub use long_work_under_lock::many_rows;
pub use missing_lock_timeout::{LockWait, lock_wait};
pub use reading::{ALLOW_WITHOUT_REASON, DYNAMIC_STATEMENT, UNKNOWN_RULE, UNREADABLE_STATEMENT, UNUSED_SUPPRESSION};
pub use refused_statement::REFUSED_STATEMENT;

use super::Rule;

/// Rules about migrations, worst first.
pub const ALL: &[&Rule] = &[
    &blocking_rewrite::RULE,
    &blocking_scan::RULE,
    &blocking_index_build::RULE,
    &long_work_under_lock::RULE,
    &validate_in_same_transaction::RULE,
    &unbatched_backfill::RULE,
    &missing_lock_timeout::RULE,
    &lock_behind_transaction::RULE,
    &many_locks_in_transaction::RULE,
    &unmodelled_call::RULE,
    &dropped_data::RULE,
    &removed_rows::RULE,
    &narrowed_data::RULE,
    &written_catalog::RULE,
    &guards::LOST_DURABILITY,
    &breaking::DROPPED_OBJECT,
    &breaking::RENAMED_OBJECT,
    &breaking::CHANGED_TYPE,
    &breaking::REQUIRED_COLUMN,
    &breaking::TIGHTENED_CONSTRAINT,
    &breaking::LOST_DEFAULT,
    &restarted_sequence::RULE,
    &breaking::NULLABLE_AGAIN,
    &breaking::LOST_CONFLICT_TARGET,
    &breaking::CHANGED_FOREIGN_KEY_ACTION,
    &breaking::CHANGED_ROUTINE,
    &breaking::CHANGED_VIEW,
    &breaking::REVOKED_PRIVILEGE,
    &breaking::ROW_SECURITY,
    &guards::LOST_REPLICA_IDENTITY,
    &guards::LOST_CONSTRAINT,
    &guards::LOST_TRIGGER,
    &guards::EXPOSED_ROWS,
    &secret_in_migration::RULE,
    &observed::BROKEN_QUERY,
    &observed::BROKEN_ROUTINE,
    &observed::REFUSED_BY_SERVER,
    &observed::SLOWER_PLAN,
    &refused_statement::MISSING_OBJECT,
    &refused_statement::DUPLICATE_OBJECT,
    &refused_statement::DEPENDENT_OBJECT,
    &refused_statement::REFUSED_STATEMENT,
    &transaction_forbidden::RULE,
    &unbalanced_transaction::RULE,
    &ended_transaction::RULE,
    &enum_value_before_commit::RULE,
    &fails_on_rows::FAILS_ON_ROWS,
    &fails_on_rows::MAY_FAIL_ON_ROWS,
    &changed_migration::RULE,
    &out_of_order_migration::RULE,
    &retry_skips_invalid_index::RULE,
    &cancelled_concurrent_build::RULE,
    &not_rerunnable::RULE,
    &reading::UNREADABLE_STATEMENT,
    &reading::DYNAMIC_STATEMENT,
    &reading::UNKNOWN_RULE,
    &reading::UNUSED_SUPPRESSION,
    &reading::ALLOW_WITHOUT_REASON,
];
