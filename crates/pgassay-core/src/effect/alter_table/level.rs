//! The lock an action of ALTER TABLE asks for (`AlterTableGetLockLevel`, tablecmds.c).

use crate::catalog::LockMode::{self, AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use crate::change::{AlterTableActionKind, ConstraintKind, StorageOption};
use crate::schema::{Relation, RelationKind};

#[deny(clippy::wildcard_enum_match_arm, reason = "a new action says its lock")]
pub(super) fn of(action: &AlterTableActionKind, relation: &Relation) -> LockMode {
    use AlterTableActionKind::*;
    let of_options_alone = matches!(action, SetOptions { .. } | ResetOptions { .. });
    if matches!(relation.kind, RelationKind::View(_)) && !of_options_alone {
        return AccessExclusive;
    }
    match action {
        SetStatistics { .. } | SetColumnOptions { .. } | ClusterOn { .. } | SetWithoutCluster => ShareUpdateExclusive,
        ValidateConstraint { .. } | AttachPartition { .. } => ShareUpdateExclusive,
        DetachPartition { concurrently: true, .. } | DetachPartition { finalize: true, .. } => ShareUpdateExclusive,
        SetTrigger { .. } => ShareRowExclusive,
        AddConstraint(constraint) if matches!(constraint.kind, ConstraintKind::ForeignKey(_)) => ShareRowExclusive,
        SetOptions { options } | ResetOptions { options } => of_options(options),
        AddColumn { .. }
        | DropColumn { .. }
        | SetDataType { .. }
        | SetDefault { .. }
        | DropDefault { .. }
        | SetNotNull { .. }
        | DropNotNull { .. }
        | SetExpression { .. }
        | DropExpression { .. }
        | AddIdentity { .. }
        | SetIdentity { .. }
        | DropIdentity { .. }
        | SetStorage { .. }
        | SetCompression { .. }
        | AddConstraint(_)
        | AlterConstraint { .. }
        | DropConstraint { .. }
        | RenameRelation { .. }
        | RenameColumn { .. }
        | RenameConstraint { .. }
        | SetSchema { .. }
        | OwnerTo { .. }
        | DetachPartition { .. }
        | AttachIndexPartition { .. }
        | Inherit { .. }
        | NoInherit { .. }
        | OfType { .. }
        | NotOf
        | SetRule { .. }
        | SetRowSecurity { .. }
        | ForceRowSecurity { .. }
        | ReplicaIdentity(_)
        | SetWithoutOids
        | SetAccessMethod { .. }
        | SetTablespace { .. }
        | SetLogged
        | SetUnlogged
        | SetForeignOptions { .. }
        | DependsOnExtension { .. } => AccessExclusive,
    }
}

/// The lock that storage parameters ask for (reloptions.c).
fn of_options(options: &[StorageOption]) -> LockMode {
    let weak = |name: &str| {
        let name = name.strip_prefix("toast.").unwrap_or(name);
        name.starts_with("autovacuum_")
            || name.starts_with("vacuum_")
            || matches!(name, "fillfactor" | "toast_tuple_target" | "parallel_workers" | "log_autovacuum_min_duration")
    };
    let all_weak = options.iter().all(|option| weak(&option.name));
    if all_weak { ShareUpdateExclusive } else { AccessExclusive }
}

/// Whether an action makes an index.
pub(super) fn adds_index(action: &AlterTableActionKind) -> bool {
    let AlterTableActionKind::AddConstraint(constraint) = action else { return false };
    matches!(
        constraint.kind,
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. }
    )
}
