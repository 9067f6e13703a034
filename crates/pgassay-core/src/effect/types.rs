//! Domains, composite types and sequences: what their changes do to tables that use them.

use std::collections::BTreeSet;

use super::FailsWhen;
use super::predictor::Predictor;
use super::type_change::{self, TypeChange};
use crate::catalog::LockMode::{AccessExclusive, AccessShare, Share, ShareUpdateExclusive};
use crate::change::{
    AlterCompositeType, AlterDomain, AlterDomainAction, AttributeAction, ConstraintKind, PrintedName, SequenceOptions,
    SequenceOwner,
};
use crate::schema::{Column, RelationKind, ResolvedType, TypeDefinition, TypeId, rename_column};

impl Predictor<'_> {
    #[deny(clippy::wildcard_enum_match_arm, reason = "a new constraint says what it does")]
    pub fn alter_domain(&mut self, alter: &AlterDomain) {
        let found = self.schema().find_type(&alter.name.schema, &alter.name.name, self.context.session).cloned();
        let Some(found) = found else { return };
        let TypeDefinition::Domain(domain) = &found.definition else { return };
        let (mode, reason, condition) = match &alter.action {
            AlterDomainAction::SetNotNull if !domain.not_null => {
                (Share, "every value of the domain is checked for NULL", None)
            }
            AlterDomainAction::AddConstraint(constraint) if !constraint.not_valid => match &constraint.kind {
                ConstraintKind::Check(check) => (Share, "every value of the domain is checked", Some(check.clone())),
                ConstraintKind::NotNull(_) if !domain.not_null => {
                    (Share, "every value of the domain is checked for NULL", None)
                }
                // Of these a domain takes the first two only, and the first is there already.
                ConstraintKind::NotNull(_)
                | ConstraintKind::Unique(_)
                | ConstraintKind::PrimaryKey(_)
                | ConstraintKind::UsingIndex { .. }
                | ConstraintKind::Exclude { .. }
                | ConstraintKind::ForeignKey(_) => return,
            },
            AlterDomainAction::ValidateConstraint { constraint } => {
                let Some(named) = domain.constraints.iter().find(|it| it.name == constraint.name) else { return };
                let mode = if self.at_least(19) { ShareUpdateExclusive } else { Share };
                (mode, "every value of the domain is checked", Some(named.expression.clone()))
            }
            AlterDomainAction::SetNotNull
            | AlterDomainAction::AddConstraint(_)
            | AlterDomainAction::SetDefault(_)
            | AlterDomainAction::DropDefault
            | AlterDomainAction::DropNotNull
            | AlterDomainAction::DropConstraint { .. }
            | AlterDomainAction::RenameConstraint { .. } => return,
        };
        let mut seen = BTreeSet::new();
        for (table, column) in self.schema().tables_using_type(found.id) {
            let Some(relation) = self.relation(table) else { continue };
            if !matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView(_)) {
                continue;
            }
            if seen.insert(table) {
                self.lock(relation, mode, alter.span);
                self.scan(relation, alter.span, reason);
            }
            let name = relation.column_by_id(column).map(|column| column.name.clone());
            if let Some(name) = name {
                let (wrong, what) = match &condition {
                    None => (format!("{name} IS NULL"), "contains null values"),
                    // An array or a row of the domain is not the value that the condition speaks of.
                    Some(_) if !relation.column_by_id(column).is_some_and(|it| is_plain(it, found.id)) => continue,
                    Some(check) => {
                        let check = rename_column(check, &crate::change::Name::from("value"), &name);
                        (format!("NOT ({})", check.text), "contains values that violate the new constraint")
                    }
                };
                let query = format!("SELECT * FROM {} WHERE {wrong} LIMIT 1", relation.name);
                let message =
                    format!("column \"{}\" of table \"{}\" {what}", name.as_str(), relation.name.name.as_str());
                self.fail_on_rows(
                    relation,
                    FailsWhen::SomeRow { query },
                    alter.span,
                    PrintedName::part(&relation.name, &name),
                    message,
                );
            }
        }
    }

    /// A composite type's change reaches the typed tables made of it (ATTypedTableRecursion, tablecmds.c).
    pub fn alter_composite_type(&mut self, alter: &AlterCompositeType) {
        let found = self.schema().find_type(&alter.name.schema, &alter.name.name, self.context.session);
        let Some(id) = found.map(|it| it.id) else { return };
        let typed: Vec<_> = self.schema().relations.values().filter(|it| it.of_type == Some(id)).cloned().collect();
        // With CASCADE, and without it there is none (find_typed_table_dependencies); children inherit the change.
        let tables: Vec<_> = typed.iter().flat_map(|table| self.family(table, false)).collect();
        for table in tables {
            self.lock(&table, AccessExclusive, alter.name.span);
            for (action, _) in &alter.actions {
                let AttributeAction::SetDataType { attribute, data_type } = action else { continue };
                let Some(column) = table.column(&attribute.name) else { continue };
                if let TypeChange::Rewrite(reason) = type_change::judge(self, &table, column, data_type, None) {
                    self.rewrite(&table, data_type.span, &reason);
                }
            }
        }
    }

    pub fn sequence_owner_lock(&mut self, options: &SequenceOptions) {
        let Some(SequenceOwner::Column { table, .. }) = &options.owned_by else { return };
        if let Some(relation) = self.find(table) {
            self.lock(&relation, AccessShare, table.span);
        }
    }
}

/// A column of the domain itself.
fn is_plain(column: &Column, domain: TypeId) -> bool {
    column.data_type.resolved == ResolvedType::User(domain) && column.data_type.written.array_dimensions == 0
}
