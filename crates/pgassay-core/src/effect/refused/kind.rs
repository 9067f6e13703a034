//! Which kinds of relation an action of ALTER TABLE is for (`ATPrepCmd` and `ATSimplePermissions`, tablecmds.c).

use super::super::predictor::Predictor;
use crate::change::{AlterTable, AlterTableAction, AlterTableActionKind, FiringMode, TriggerSelection};
use crate::schema::{Relation, RelationKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    View,
    MaterializedView,
    Index,
    CompositeType,
    ForeignTable,
    Sequence,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::View => "view",
            Kind::MaterializedView => "materialized view",
            Kind::Index => "index",
            Kind::CompositeType => "composite type",
            Kind::ForeignTable => "foreign table",
            Kind::Sequence => "sequence",
        }
    }
}

impl Predictor<'_> {
    /// Says so where the relation is of a kind that does not take an action.
    pub(super) fn refuse_kind(&mut self, alter: &AlterTable) -> bool {
        let Some(found) = self.find(&alter.relation) else { return false };
        let Some(relation) = self.relation(found.id).filter(|it| it.known).cloned() else { return false };
        let Some(kind) = kind_of(&relation) else { return false };
        let other = alter.actions.iter().find_map(|action| {
            let (says, takers) = self.takers(&action.kind)?;
            (!takers.contains(&kind)).then_some((action, says, takers))
        });
        let Some((action, says, takers)) = other else { return false };
        self.refuse_action_on(action, &relation, says, takers);
        true
    }

    fn refuse_action_on(&mut self, action: &AlterTableAction, relation: &Relation, says: &str, takers: &[Kind]) {
        let name = relation.name.name.as_str();
        let message = match self.at_least(15) {
            true => format!("ALTER action {says} cannot be performed on relation \"{name}\""),
            false => format!("\"{name}\" is not a {}", either(takers)),
        };
        self.refused(action.span, &relation.name, message);
    }

    /// The server's name of an action, and the kinds that take it; `None` where it says something else, or takes all kinds.
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new action says what it is for")]
    fn takers(&self, action: &AlterTableActionKind) -> Option<(&'static str, &'static [Kind])> {
        use AlterTableActionKind::*;
        use Kind::{CompositeType, ForeignTable, Index, MaterializedView, Sequence, Table, View};
        const ROWS: &[Kind] = &[Table, ForeignTable];
        Some(match action {
            AddColumn { .. } => ("ADD COLUMN", &[Table, CompositeType, ForeignTable]),
            DropColumn { .. } => ("DROP COLUMN", &[Table, CompositeType, ForeignTable]),
            SetDataType { .. } => ("ALTER COLUMN ... SET DATA TYPE", &[Table, CompositeType, ForeignTable]),
            SetDefault { .. } | DropDefault { .. } => ("ALTER COLUMN ... SET DEFAULT", &[Table, View, ForeignTable]),
            SetNotNull { .. } => ("ALTER COLUMN ... SET NOT NULL", ROWS),
            DropNotNull { .. } => ("ALTER COLUMN ... DROP NOT NULL", ROWS),
            SetExpression { .. } => ("ALTER COLUMN ... SET EXPRESSION", ROWS),
            DropExpression { .. } => ("ALTER COLUMN ... DROP EXPRESSION", ROWS),
            AddIdentity { .. } => ("ALTER COLUMN ... ADD IDENTITY", &[Table, View, ForeignTable]),
            SetIdentity { .. } => ("ALTER COLUMN ... SET IDENTITY", &[Table, View, ForeignTable]),
            DropIdentity { .. } => ("ALTER COLUMN ... DROP IDENTITY", &[Table, View, ForeignTable]),
            SetStatistics { .. } => {
                ("ALTER COLUMN ... SET STATISTICS", &[Table, MaterializedView, Index, ForeignTable])
            }
            SetColumnOptions { reset, .. } => (
                if *reset { "ALTER COLUMN ... RESET" } else { "ALTER COLUMN ... SET" },
                &[Table, MaterializedView, ForeignTable],
            ),
            SetStorage { .. } => ("ALTER COLUMN ... SET STORAGE", &[Table, MaterializedView, ForeignTable]),
            SetCompression { .. } => ("ALTER COLUMN ... SET COMPRESSION", &[Table, MaterializedView]),
            AddConstraint(_) => ("ADD CONSTRAINT", ROWS),
            AlterConstraint { .. } => ("ALTER CONSTRAINT", ROWS),
            ValidateConstraint { .. } => ("VALIDATE CONSTRAINT", ROWS),
            DropConstraint { .. } => ("DROP CONSTRAINT", ROWS),
            Inherit { .. } => ("INHERIT", ROWS),
            NoInherit { .. } => ("NO INHERIT", ROWS),
            OfType { .. } => ("OF", &[Table]),
            NotOf => ("NOT OF", &[Table]),
            SetTrigger { trigger, mode } => (set_trigger(trigger, *mode), ROWS),
            SetRule { mode: FiringMode::Disabled, .. } => ("DISABLE RULE", &[Table]),
            SetRule { .. } => ("ENABLE RULE", &[Table]),
            SetRowSecurity { enabled: true } => ("ENABLE ROW SECURITY", &[Table]),
            SetRowSecurity { enabled: false } => ("DISABLE ROW SECURITY", &[Table]),
            ForceRowSecurity { forced: true } => ("FORCE ROW SECURITY", &[Table]),
            ForceRowSecurity { forced: false } => ("NO FORCE ROW SECURITY", &[Table]),
            ReplicaIdentity(_) => ("REPLICA IDENTITY", &[Table, MaterializedView]),
            ClusterOn { .. } => ("CLUSTER ON", &[Table, MaterializedView]),
            SetWithoutCluster => ("SET WITHOUT CLUSTER", &[Table, MaterializedView]),
            SetWithoutOids => ("SET WITHOUT OIDS", ROWS),
            SetAccessMethod { .. } => ("SET ACCESS METHOD", &[Table, MaterializedView]),
            SetTablespace { .. } => ("SET TABLESPACE", &[Table, MaterializedView, Index]),
            SetLogged => ("SET LOGGED", &[Table, Sequence]),
            SetUnlogged => ("SET UNLOGGED", &[Table, Sequence]),
            SetOptions { .. } => ("SET", &[Table, View, MaterializedView, Index]),
            ResetOptions { .. } => ("RESET", &[Table, View, MaterializedView, Index]),
            SetForeignOptions { column: None } => ("OPTIONS", &[ForeignTable]),
            RenameRelation { .. }
            | RenameColumn { .. }
            | RenameConstraint { .. }
            | SetSchema { .. }
            | OwnerTo { .. }
            | AttachPartition { .. }
            | DetachPartition { .. }
            | AttachIndexPartition { .. }
            | SetForeignOptions { column: Some(_) }
            | DependsOnExtension { .. } => return None,
        })
    }
}

fn set_trigger(trigger: &TriggerSelection, mode: FiringMode) -> &'static str {
    match (trigger, mode) {
        (TriggerSelection::All, FiringMode::Disabled) => "DISABLE TRIGGER ALL",
        (TriggerSelection::User, FiringMode::Disabled) => "DISABLE TRIGGER USER",
        (TriggerSelection::Named(_), FiringMode::Disabled) => "DISABLE TRIGGER",
        (TriggerSelection::All, _) => "ENABLE TRIGGER ALL",
        (TriggerSelection::User, _) => "ENABLE TRIGGER USER",
        (TriggerSelection::Named(_), _) => "ENABLE TRIGGER",
    }
}

/// An index of a partitioned table takes less than others.
fn kind_of(relation: &Relation) -> Option<Kind> {
    Some(match &relation.kind {
        RelationKind::Table | RelationKind::PartitionedTable(_) => Kind::Table,
        RelationKind::ForeignTable => Kind::ForeignTable,
        RelationKind::View(_) => Kind::View,
        RelationKind::MaterializedView(_) => Kind::MaterializedView,
        RelationKind::Index(index) if index.partitioned => return None,
        RelationKind::Index(_) => Kind::Index,
        RelationKind::Sequence(_) => Kind::Sequence,
    })
}

/// `table, view, or foreign table`.
fn either(kinds: &[Kind]) -> String {
    let nouns: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
    match &nouns[..] {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} or {other}"),
        [first @ .., last] => format!("{}, or {last}", first.join(", ")),
    }
}
