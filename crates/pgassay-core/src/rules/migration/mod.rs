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
mod listed_rows;
mod literals;
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
mod walked_rows;
mod written_catalog;

pub use blocking_index_build::RULE as BLOCKING_INDEX_BUILD;
pub use blocking_rewrite::RULE as BLOCKING_REWRITE;
pub use blocking_scan::RULE as BLOCKING_SCAN;
pub use breaking::{DROPPED_OBJECT, LOST_DEFAULT, RENAMED_OBJECT, REQUIRED_COLUMN};
pub use dropped_data::RULE as DROPPED_DATA;
pub use enum_value_before_commit::RULE as ENUM_VALUE_BEFORE_COMMIT;
pub use fails_on_rows::FAILS_ON_ROWS;
pub use long_work_under_lock::{RULE as LONG_WORK_UNDER_LOCK, many_rows};
pub use missing_lock_timeout::{LockWait, RULE as MISSING_LOCK_TIMEOUT, lock_wait};
pub use reading::{ALLOW_WITHOUT_REASON, DYNAMIC_STATEMENT, UNKNOWN_RULE, UNREADABLE_STATEMENT, UNUSED_SUPPRESSION};
pub use refused_statement::{DEPENDENT_OBJECT, DUPLICATE_OBJECT, MISSING_OBJECT, REFUSED_STATEMENT};
pub use transaction_forbidden::RULE as TRANSACTION_FORBIDDEN;
pub use unbatched_backfill::RULE as UNBATCHED_BACKFILL;
pub use validate_in_same_transaction::RULE as VALIDATE_IN_SAME_TRANSACTION;

use super::Entry;

/// Rules about migrations, worst first.
pub const ALL: &[Entry] = &[
    Entry::step(&blocking_rewrite::RULE, blocking_rewrite::check),
    Entry::step(&blocking_scan::RULE, blocking_scan::check),
    Entry::step(&blocking_index_build::RULE, blocking_index_build::check),
    Entry::step(&long_work_under_lock::RULE, long_work_under_lock::check),
    Entry::step(&validate_in_same_transaction::RULE, validate_in_same_transaction::check),
    Entry::step(&unbatched_backfill::RULE, unbatched_backfill::check),
    Entry::migration(&missing_lock_timeout::RULE, missing_lock_timeout::check),
    Entry::outside(&lock_behind_transaction::RULE),
    Entry::migration(&many_locks_in_transaction::RULE, many_locks_in_transaction::check),
    Entry::step(&unmodelled_call::RULE, unmodelled_call::check),
    // Before the rules about what clients lose, which leave out what it has reported.
    Entry::step(&dropped_data::RULE, dropped_data::check),
    Entry::step(&removed_rows::RULE, removed_rows::check),
    Entry::step(&narrowed_data::RULE, narrowed_data::check),
    Entry::step(&written_catalog::RULE, written_catalog::check),
    Entry::migration(&guards::LOST_DURABILITY, guards::lost_durability),
    Entry::migration(&breaking::DROPPED_OBJECT, breaking::dropped_object),
    Entry::migration(&breaking::RENAMED_OBJECT, breaking::renamed_object),
    Entry::migration(&breaking::CHANGED_TYPE, breaking::changed_type),
    Entry::migration(&breaking::REQUIRED_COLUMN, breaking::required_column),
    Entry::migration(&breaking::TIGHTENED_CONSTRAINT, breaking::tightened_constraint),
    Entry::migration(&breaking::LOST_DEFAULT, breaking::lost_default),
    Entry::step(&restarted_sequence::RULE, restarted_sequence::check),
    Entry::migration(&breaking::NULLABLE_AGAIN, breaking::nullable_again),
    Entry::migration(&breaking::LOST_CONFLICT_TARGET, breaking::lost_conflict_target),
    Entry::migration(&breaking::CHANGED_FOREIGN_KEY_ACTION, breaking::changed_foreign_key_action),
    Entry::migration(&breaking::CHANGED_ROUTINE, breaking::changed_routine),
    Entry::migration(&breaking::CHANGED_VIEW, breaking::changed_view),
    Entry::migration(&breaking::REVOKED_PRIVILEGE, breaking::revoked_privilege),
    Entry::migration(&breaking::ROW_SECURITY, breaking::row_security),
    Entry::migration(&guards::LOST_REPLICA_IDENTITY, guards::lost_replica_identity),
    Entry::migration(&guards::LOST_CONSTRAINT, guards::lost_constraint),
    Entry::migration(&guards::LOST_TRIGGER, guards::lost_trigger),
    Entry::migration(&guards::EXPOSED_ROWS, guards::exposed_rows),
    Entry::migration(&secret_in_migration::RULE, secret_in_migration::check),
    Entry::outside(&observed::BROKEN_QUERY),
    Entry::migration(&observed::BROKEN_ROUTINE, observed::broken_routine),
    Entry::outside(&observed::REFUSED_BY_SERVER),
    Entry::outside(&observed::SLOWER_PLAN),
    Entry::step(&refused_statement::MISSING_OBJECT, refused_statement::missing_object),
    Entry::step(&refused_statement::DUPLICATE_OBJECT, refused_statement::duplicate_object),
    Entry::step(&refused_statement::DEPENDENT_OBJECT, refused_statement::dependent_object),
    Entry::step(&refused_statement::REFUSED_STATEMENT, refused_statement::refused_statement),
    Entry::step(&transaction_forbidden::RULE, transaction_forbidden::check),
    Entry::migration(&unbalanced_transaction::RULE, unbalanced_transaction::check),
    Entry::outside(&ended_transaction::RULE),
    Entry::step(&enum_value_before_commit::RULE, enum_value_before_commit::check),
    Entry::step(&fails_on_rows::FAILS_ON_ROWS, fails_on_rows::any_row),
    Entry::step(&fails_on_rows::MAY_FAIL_ON_ROWS, fails_on_rows::some_row),
    Entry::outside(&changed_migration::RULE),
    Entry::outside(&out_of_order_migration::RULE),
    Entry::step(&retry_skips_invalid_index::RULE, retry_skips_invalid_index::check),
    Entry::step(&cancelled_concurrent_build::RULE, cancelled_concurrent_build::check),
    Entry::migration(&not_rerunnable::RULE, not_rerunnable::check),
    Entry::reading(&reading::UNREADABLE_STATEMENT),
    Entry::reading(&reading::DYNAMIC_STATEMENT),
    Entry::reading(&reading::UNKNOWN_RULE),
    Entry::reading(&reading::UNUSED_SUPPRESSION),
    Entry::reading(&reading::ALLOW_WITHOUT_REASON),
];
