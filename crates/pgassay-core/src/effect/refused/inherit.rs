//! Tables below others, by inheritance or partitioning, and typed tables: what only the parent or the type may change.

use super::super::predictor::Predictor;
use crate::change::{
    AlterTable, AlterTableAction, AlterTableActionKind, ColumnDefinition, CreateTable, Ident, Name, ObjectName,
    ReplicaIdentity,
};
use crate::expression;
use crate::schema::{ColumnType, Constraint, ConstraintKind, NotNull, Relation, RelationKind};

impl Predictor<'_> {
    /// The parents of INHERITS (`MergeAttributes`, tablecmds.c).
    pub(super) fn refuse_inherits(&mut self, create: &CreateTable) -> bool {
        let Some(first) = create.inherits.first() else { return false };
        if create.partition_by.is_some() {
            self.refused(first.span, &create.name, "cannot create partitioned table as inheritance child");
            return true;
        }
        let mut seen = Vec::new();
        let mut inherited: Vec<(Name, ColumnType)> = Vec::new();
        let own = create.columns.iter().filter_map(|column| Some((&column.name, column.data_type.as_ref()?)));
        let own: Vec<(Name, ColumnType)> =
            own.map(|(name, of)| (name.name.clone(), expression::resolve_type(of, self.scope(None)))).collect();
        for written in &create.inherits {
            let Some(parent) = self.find(written).map(|it| it.id).and_then(|id| self.relation(id).cloned()) else {
                return false;
            };
            let name = parent.name.name.as_str();
            let message = if !parent.is_table() {
                Some(format!("inherited relation \"{name}\" is not a table or foreign table"))
            } else if seen.contains(&parent.id) {
                Some(format!("relation \"{name}\" would be inherited from more than once"))
            } else {
                let unlike = parent.columns.iter().filter(|it| parent.known && !it.name.as_str().is_empty()).find_map(
                    |column| {
                        let differs = |other: &&(Name, ColumnType)| {
                            other.0 == column.name && !is_alike(&other.1, &column.data_type)
                        };
                        let name = column.name.as_str();
                        let of_parent = inherited
                            .iter()
                            .find(differs)
                            .map(|_| format!("inherited column \"{name}\" has a type conflict"));
                        of_parent.or_else(|| {
                            own.iter().find(differs).map(|_| format!("column \"{name}\" has a type conflict"))
                        })
                    },
                );
                inherited.extend(parent.columns.iter().map(|it| (it.name.clone(), it.data_type.clone())));
                unlike
            };
            if let Some(message) = message {
                self.refused(written.span, written, message);
                return true;
            }
            seen.push(parent.id);
        }
        false
    }

    /// What LIKE takes columns of (`transformTableLikeClause`, parse_utilcmd.c).
    pub(super) fn refuse_like(&mut self, create: &CreateTable) -> bool {
        for like in &create.like {
            let Some(source) = self.find(&like.source).map(|it| it.id).and_then(|id| self.relation(id).cloned()) else {
                continue;
            };
            let message = if matches!(source.kind, RelationKind::Index(_) | RelationKind::Sequence(_)) {
                format!("relation \"{}\" is invalid in LIKE clause", source.name.name.as_str())
            } else {
                let twice = create.columns.iter().find(|column| source.column(&column.name.name).is_some());
                let Some(column) = twice.filter(|_| create.inherits.is_empty()) else { continue };
                format!("column \"{}\" specified more than once", column.name.name.as_str())
            };
            self.refused(like.source.span, &like.source, message);
            return true;
        }
        false
    }

    /// A typed table has the columns of its type (ATPrepAddColumn, ATExecDropColumn, ATPrepAlterColumnType, tablecmds.c).
    pub(super) fn refuse_typed(&mut self, action: &AlterTableAction, table: &Relation) -> bool {
        use AlterTableActionKind::{AddColumn, DropColumn, Inherit, SetDataType};
        let message = match &action.kind {
            _ if table.of_type.is_none() => return false,
            AddColumn { .. } => "cannot add column to typed table",
            DropColumn { .. } => "cannot drop column from typed table",
            SetDataType { .. } => "cannot alter column type of typed table",
            Inherit { .. } => "cannot change inheritance of typed table",
            _ => return false,
        };
        self.refused(action.span, &table.name, message);
        true
    }

    /// Since 17 a partition's identity is its parent's (ATExecAddIdentity, ATExecSetIdentity, ATExecDropIdentity, tablecmds.c).
    pub(super) fn refuse_identity_of_partition(&mut self, table: &Relation, column: &Ident, does: &str) -> bool {
        let refused = table.is_partition() && self.at_least(17);
        if refused {
            self.refused(column.span, &column.name, format!("cannot {does} of a partition"));
        }
        refused
    }

    /// ATExecDropNotNull (tablecmds.c): a partition's NOT NULL goes with its parent's; since 18 an inherited one is kept everywhere.
    pub(super) fn refuse_drop_not_null(&mut self, table: &Relation, column: &Ident) {
        let Some(own) = table.column(&column.name).filter(|it| it.not_null.enforced()) else { return };
        let id = own.id;
        // ATExecDropNotNull and, since 18, dropconstraint_internal (tablecmds.c).
        let identifies = matches!(table.replica_identity, ReplicaIdentity::UsingIndex(_));
        if identifies && self.schema().replica_columns(table).is_some_and(|columns| columns.contains(&id)) {
            let message = format!("column \"{}\" is in index used as replica identity", column.name.as_str());
            return self.refused(column.span, &column.name, message);
        }
        let demanded = self.is_demanded(table, &column.name);
        if demanded && table.is_partition() {
            let message = format!("column \"{}\" is marked NOT NULL in parent table", column.name.as_str());
            return self.refused(column.span, &column.name, message);
        }
        let is_it = |it: &&Constraint| it.kind == ConstraintKind::NotNull(id);
        let constraint = table.constraints.iter().find(is_it).filter(|_| demanded && self.at_least(18));
        if let Some(constraint) = constraint {
            let message = kept(constraint, table);
            self.refused(column.span, &column.name, message);
        }
    }

    /// CHECK, and since 18 NOT NULL, has the name that a parent gives it (`rename_constraint_internal`, tablecmds.c).
    pub(super) fn refuse_renamed_constraint(&mut self, table: &Relation, constraint: &Ident) {
        let Some(found) = table.constraint(&constraint.name) else { return };
        let inherited = match &found.kind {
            ConstraintKind::Check { .. } => table.parents.iter().filter_map(|id| self.relation(*id)).any(|parent| {
                let theirs = parent.constraint(&constraint.name);
                theirs.is_some_and(|it| matches!(it.kind, ConstraintKind::Check { .. }) && !it.no_inherit)
            }),
            ConstraintKind::NotNull(id) => {
                let column = table.column_by_id(*id).map(|it| it.name.clone());
                self.at_least(18) && column.is_some_and(|column| self.is_demanded(table, &column))
            }
            _ => false,
        };
        if inherited {
            let message = format!("cannot rename inherited constraint \"{}\"", constraint.name.as_str());
            self.refused(constraint.span, &constraint.name, message);
        }
    }

    /// Whether the column is NOT NULL in a parent.
    pub(super) fn is_demanded(&self, table: &Relation, column: &Name) -> bool {
        let mut parents = table.parents.iter().filter_map(|id| self.relation(*id));
        parents.any(|parent| parent.column(column).is_some_and(|it| it.not_null.enforced()))
    }

    /// The columns of that name that children have already (ATExecAddColumn, tablecmds.c).
    pub(super) fn refuse_children_of_another_type(
        &mut self,
        alter: &AlterTable,
        table: &Relation,
        later: &Relation,
        added: &ColumnDefinition,
    ) {
        // What the same statement drops is gone from the children too.
        let drops = |kind: &AlterTableActionKind| matches!(kind, AlterTableActionKind::DropColumn { column, .. } if column.name == added.name.name);
        if alter.actions.iter().any(|action| drops(&action.kind)) {
            return;
        }
        let Some(column) = later.column(&added.name.name) else { return };
        let children = table.children.iter().filter_map(|id| self.relation(*id).cloned());
        let other = |child: &std::sync::Arc<Relation>| {
            let own = child.column(&column.name).map(|it| &it.data_type);
            own.is_some_and(|own| is_certainly_another(own, &column.data_type))
        };
        if let Some(child) = children.into_iter().find(other) {
            let (child, column) = (child.name.name.as_str(), column.name.as_str());
            let message = format!("child table \"{child}\" has different type for column \"{column}\"");
            self.refused(added.name.span, column, message);
        }
    }

    /// INHERIT (ATPrepAddInherit, MergeAttributesIntoExisting, tablecmds.c); columns that are missing are reported by `apply`.
    pub(super) fn refuse_inherit(&mut self, table: &Relation, parent: &ObjectName) {
        if table.is_partitioned() {
            return self.refused(parent.span, &table.name, "cannot change inheritance of partitioned table");
        }
        if table.is_partition() {
            return self.refused(parent.span, &table.name, "cannot change inheritance of a partition");
        }
        let Some(above) = self.find(parent).and_then(|it| self.relation(it.id)).cloned() else { return };
        if above.columns.iter().all(|column| table.column(&column.name).is_some()) {
            self.refuse_merge(&above, table, parent);
        }
    }

    /// What ATTACH PARTITION and INHERIT want of the child (MergeAttributesIntoExisting, MergeConstraintsIntoExisting, tablecmds.c).
    pub(super) fn refuse_merge(&mut self, parent: &Relation, child: &Relation, place: &ObjectName) -> bool {
        let name = child.name.name.as_str();
        for column in &parent.columns {
            let label = column.name.as_str();
            let Some(own) = child.column(&column.name) else {
                let message = format!("child table is missing column \"{label}\"");
                self.refused(place.span, place, message);
                return true;
            };
            if is_certainly_another(&own.data_type, &column.data_type) {
                let message = format!("child table \"{name}\" has different type for column \"{label}\"");
                self.refused(place.span, place, message);
                return true;
            }
            if column.not_null.enforced() && own.not_null == NotNull::No {
                let message = match self.at_least(17) {
                    true => format!("column \"{label}\" in child table \"{name}\" must be marked NOT NULL"),
                    false => format!("column \"{label}\" in child table must be marked NOT NULL"),
                };
                self.refused(place.span, place, message);
                return true;
            }
        }
        let wanted =
            parent.constraints.iter().filter(|it| matches!(it.kind, ConstraintKind::Check { .. }) && !it.no_inherit);
        if let Some(missing) = wanted.into_iter().find(|it| child.constraint(&it.name).is_none()) {
            let message = format!("child table is missing constraint \"{}\"", missing.name.as_str());
            self.refused(place.span, place, message);
            return true;
        }
        false
    }
}

/// A constraint that a parent brought stays as long as the parent has it (dropconstraint_internal, tablecmds.c).
pub(super) fn kept(constraint: &Constraint, table: &Relation) -> String {
    let (constraint, table) = (constraint.name.as_str(), table.name.name.as_str());
    format!("cannot drop inherited constraint \"{constraint}\" of relation \"{table}\"")
}

fn is_certainly_another(one: &ColumnType, other: &ColumnType) -> bool {
    !expression::is_same_type(one, other) && expression::are_known([one, other])
}

/// Whether two columns may be merged: of one type, modifiers included. What is not known may.
fn is_alike(one: &ColumnType, other: &ColumnType) -> bool {
    !expression::are_known([one, other])
        || one.written.name.as_str().starts_with("serial")
        || expression::is_same_type(one, other)
}
