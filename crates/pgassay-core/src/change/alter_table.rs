//! ALTER TABLE, and the forms that ALTER VIEW, INDEX, SEQUENCE … share with it.

use super::{
    ColumnDefinition, Constraint, ConstraintKind, Expression, Ident, Identity, Name, ObjectName, PartitionBound,
    SequenceOptions, StorageOption, TypeName,
};
use crate::source::Span;

/// ALTER TABLE | VIEW | MATERIALIZED VIEW | INDEX | SEQUENCE | FOREIGN TABLE with the actions they share.
/// SEQUENCE's own options are [`super::Change::AlterSequence`].
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    /// The word behind ALTER; PostgreSQL accepts ALTER TABLE for most of the others.
    pub object: RelationKeyword,
    pub relation: ObjectName,
    pub if_exists: bool,
    pub only: bool,
    /// In the order of the statement. Inline constraints of ADD COLUMN follow it as AddConstraint with `inline` set.
    pub actions: Vec<AlterTableAction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKeyword {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Sequence,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTableAction {
    pub kind: AlterTableActionKind,
    /// The words of this action.
    pub span: Span,
}

// Most actions of real migrations are ADD COLUMN, the largest: a box would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableActionKind {
    AddColumn {
        column: ColumnDefinition,
        if_not_exists: bool,
    },
    DropColumn {
        column: Ident,
        if_exists: bool,
        cascade: bool,
    },
    SetDataType {
        column: Ident,
        data_type: TypeName,
        collation: Option<ObjectName>,
        using: Option<Expression>,
    },
    SetDefault {
        column: Ident,
        default: Expression,
    },
    DropDefault {
        column: Ident,
    },
    SetNotNull {
        column: Ident,
    },
    DropNotNull {
        column: Ident,
    },
    /// ALTER COLUMN … SET EXPRESSION AS, 17+.
    SetExpression {
        column: Ident,
        expression: Expression,
    },
    DropExpression {
        column: Ident,
        if_exists: bool,
    },
    AddIdentity {
        column: Ident,
        identity: Identity,
    },
    /// SET GENERATED, RESTART, SET START … of an identity column.
    SetIdentity {
        column: Ident,
        always: Option<bool>,
        options: SequenceOptions,
    },
    DropIdentity {
        column: Ident,
        if_exists: bool,
    },
    /// `column` may be the number of an index column.
    SetStatistics {
        column: Ident,
        target: i32,
    },
    /// SET (…) or RESET (…) of a column's n_distinct options.
    SetColumnOptions {
        column: Ident,
        options: Vec<StorageOption>,
        reset: bool,
    },
    SetStorage {
        column: Ident,
        storage: Ident,
    },
    SetCompression {
        column: Ident,
        method: Ident,
    },

    AddConstraint(Constraint),
    /// `ALTER CONSTRAINT … [NOT] DEFERRABLE | [NOT] ENFORCED | [NO] INHERIT`.
    AlterConstraint {
        constraint: Ident,
        deferrable: Option<bool>,
        enforced: Option<bool>,
        inherit: Option<bool>,
    },
    ValidateConstraint {
        constraint: Ident,
    },
    DropConstraint {
        constraint: Ident,
        if_exists: bool,
        cascade: bool,
    },

    RenameRelation {
        new_name: Ident,
    },
    RenameColumn {
        column: Ident,
        new_name: Ident,
    },
    RenameConstraint {
        constraint: Ident,
        new_name: Ident,
    },
    SetSchema {
        schema: Ident,
    },
    OwnerTo {
        owner: Ident,
    },

    AttachPartition {
        partition: ObjectName,
        bound: PartitionBound,
    },
    DetachPartition {
        partition: ObjectName,
        concurrently: bool,
        finalize: bool,
    },
    /// ALTER INDEX … ATTACH PARTITION index.
    AttachIndexPartition {
        index: ObjectName,
    },
    Inherit {
        parent: ObjectName,
    },
    NoInherit {
        parent: ObjectName,
    },
    OfType {
        type_name: ObjectName,
    },
    NotOf,

    /// ENABLE/DISABLE TRIGGER, with REPLICA and ALWAYS.
    SetTrigger {
        trigger: TriggerSelection,
        mode: FiringMode,
    },
    SetRule {
        rule: Ident,
        mode: FiringMode,
    },
    SetRowSecurity {
        enabled: bool,
    },
    ForceRowSecurity {
        forced: bool,
    },
    ReplicaIdentity(ReplicaIdentity),

    ClusterOn {
        index: Ident,
    },
    SetWithoutCluster,
    SetWithoutOids,
    SetAccessMethod {
        method: Option<Ident>,
    },
    SetTablespace {
        tablespace: Ident,
        nowait: bool,
    },
    SetLogged,
    SetUnlogged,
    SetOptions {
        options: Vec<StorageOption>,
    },
    ResetOptions {
        options: Vec<StorageOption>,
    },
    /// FOREIGN TABLE's and its columns' OPTIONS (…).
    SetForeignOptions {
        column: Option<Ident>,
    },
    /// `[NO] DEPENDS ON EXTENSION`.
    DependsOnExtension {
        extension: Ident,
        no: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerSelection {
    All,
    User,
    Named(Ident),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiringMode {
    Enabled,
    Disabled,
    Replica,
    Always,
}

impl FiringMode {
    /// Whether a trigger or rule in this mode fires; `replica`: session_replication_role is replica.
    pub fn fires(self, replica: bool) -> bool {
        match self {
            FiringMode::Disabled => false,
            FiringMode::Always => true,
            FiringMode::Enabled => !replica,
            FiringMode::Replica => replica,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaIdentity {
    Default,
    Full,
    Nothing,
    UsingIndex(Ident),
}

impl AlterTableActionKind {
    /// When the server does it, among the actions of one command, however that is written: a constraint may name a column that is added
    /// after it (`AlterTablePass`, tablecmds.c).
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says when it is done")]
    pub fn pass(&self) -> u8 {
        use AlterTableActionKind::*;
        match self {
            DropColumn { .. }
            | DropConstraint { .. }
            | DropNotNull { .. }
            | DropExpression { .. }
            | DropIdentity { .. } => 0,
            DropDefault { .. } => 0,
            SetDataType { .. } => 1,
            SetExpression { .. } => 2,
            AddColumn { .. } => 3,
            SetNotNull { .. } => 5,
            AddConstraint(constraint) => match constraint.kind {
                ConstraintKind::NotNull(_) => 5,
                ConstraintKind::Check(_) => 4,
                ConstraintKind::UsingIndex { .. } => 6,
                ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => 7,
                ConstraintKind::ForeignKey(_) => 8,
            },
            SetDefault { .. } | AddIdentity { .. } | SetIdentity { .. } => 8,
            SetStatistics { .. }
            | SetColumnOptions { .. }
            | SetStorage { .. }
            | SetCompression { .. }
            | AlterConstraint { .. }
            | ValidateConstraint { .. }
            | RenameRelation { .. }
            | RenameColumn { .. }
            | RenameConstraint { .. }
            | SetSchema { .. }
            | OwnerTo { .. }
            | AttachPartition { .. }
            | DetachPartition { .. }
            | AttachIndexPartition { .. }
            | Inherit { .. }
            | NoInherit { .. }
            | OfType { .. }
            | NotOf
            | SetTrigger { .. }
            | SetRule { .. }
            | SetRowSecurity { .. }
            | ForceRowSecurity { .. }
            | ReplicaIdentity(_)
            | ClusterOn { .. }
            | SetWithoutCluster
            | SetWithoutOids
            | SetAccessMethod { .. }
            | SetTablespace { .. }
            | SetLogged
            | SetUnlogged
            | SetOptions { .. }
            | ResetOptions { .. }
            | SetForeignOptions { .. }
            | DependsOnExtension { .. } => 9,
        }
    }

    /// The kebab-case name used in JSON.
    pub fn name(&self) -> &'static str {
        use AlterTableActionKind::*;
        match self {
            AddColumn { .. } => "add-column",
            DropColumn { .. } => "drop-column",
            SetDataType { .. } => "set-data-type",
            SetDefault { .. } => "set-default",
            DropDefault { .. } => "drop-default",
            SetNotNull { .. } => "set-not-null",
            DropNotNull { .. } => "drop-not-null",
            SetExpression { .. } => "set-expression",
            DropExpression { .. } => "drop-expression",
            AddIdentity { .. } => "add-identity",
            SetIdentity { .. } => "set-identity",
            DropIdentity { .. } => "drop-identity",
            SetStatistics { .. } => "set-statistics",
            SetColumnOptions { .. } => "set-column-options",
            SetStorage { .. } => "set-storage",
            SetCompression { .. } => "set-compression",
            AddConstraint(constraint) => constraint.kind.add_name(),
            AlterConstraint { .. } => "alter-constraint",
            ValidateConstraint { .. } => "validate-constraint",
            DropConstraint { .. } => "drop-constraint",
            RenameRelation { .. } => "rename-relation",
            RenameColumn { .. } => "rename-column",
            RenameConstraint { .. } => "rename-constraint",
            SetSchema { .. } => "set-schema",
            OwnerTo { .. } => "set-owner",
            AttachPartition { .. } => "attach-partition",
            DetachPartition { .. } => "detach-partition",
            AttachIndexPartition { .. } => "attach-index-partition",
            Inherit { .. } => "inherit",
            NoInherit { .. } => "no-inherit",
            OfType { .. } => "of-type",
            NotOf => "not-of",
            SetTrigger { mode: FiringMode::Disabled, .. } => "disable-trigger",
            SetTrigger { .. } => "enable-trigger",
            SetRule { mode: FiringMode::Disabled, .. } => "disable-rule",
            SetRule { .. } => "enable-rule",
            SetRowSecurity { enabled: true } => "enable-row-security",
            SetRowSecurity { enabled: false } => "disable-row-security",
            ForceRowSecurity { .. } => "force-row-security",
            ReplicaIdentity(_) => "replica-identity",
            ClusterOn { .. } => "cluster-on",
            SetWithoutCluster => "set-without-cluster",
            SetWithoutOids => "set-without-oids",
            SetAccessMethod { .. } => "set-access-method",
            SetTablespace { .. } => "set-tablespace",
            SetLogged => "set-logged",
            SetUnlogged => "set-unlogged",
            SetOptions { .. } => "set-options",
            ResetOptions { .. } => "reset-options",
            SetForeignOptions { .. } => "set-foreign-options",
            DependsOnExtension { .. } => "depends-on-extension",
        }
    }
}

impl AlterTable {
    /// The columns' and constraints' table as one name for messages.
    pub fn relation_name(&self) -> &Name {
        &self.relation.name
    }
}
