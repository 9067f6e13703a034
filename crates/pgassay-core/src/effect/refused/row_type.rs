//! Types whose values are rows: tables have them in columns, as elements and attributes, or are made of them. What a change of the type
//! would have to do to what is stored is refused (`find_composite_type_dependencies` and `find_typed_table_dependencies`, tablecmds.c).

use super::super::predictor::Predictor;
use crate::change::{
    AlterCompositeType, AlterTable, AlterTableAction, AlterTableActionKind, AttributeAction, Persistence,
};
use crate::schema::{ColumnType, Domain, Relation, ResolvedType, Schema, TypeDefinition, TypeId};

impl Predictor<'_> {
    /// ALTER TYPE of a composite type: typed tables follow with CASCADE, and a stored row cannot have an attribute's type changed.
    pub(super) fn refuse_alter_composite(&mut self, alter: &AlterCompositeType) {
        let found = self.schema().find_type(&alter.name.schema, &alter.name.name, self.context.session);
        let Some(found) = found.filter(|it| matches!(it.definition, TypeDefinition::Composite(_))) else { return };
        let (id, name) = (found.id, found.name.name.as_str().to_owned());
        if !alter.cascade && self.schema().relations.values().any(|it| it.of_type == Some(id)) {
            let message = format!("cannot alter type \"{name}\" because it is the type of a typed table");
            return self.refused(alter.name.span, &alter.name, message);
        }
        let retyped = |(action, _): &&(AttributeAction, _)| matches!(action, AttributeAction::SetDataType { .. });
        let Some((AttributeAction::SetDataType { attribute, .. }, _)) = alter.actions.iter().find(retyped) else {
            return;
        };
        let span = attribute.span;
        if let Some(column) = stored_column(self.schema(), |of| self.schema().reaches(of, ResolvedType::User(id))) {
            let message = format!("cannot alter type \"{name}\" because column \"{column}\" uses it");
            self.refused(span, name.as_str(), message);
        }
    }

    /// A column that stores rows of the table, where an action makes values anew (ATRewriteTables).
    pub(super) fn refuse_stored_rows(
        &mut self,
        alter: &AlterTable,
        action: &AlterTableAction,
        table: &Relation,
        later: &Relation,
    ) -> bool {
        if !makes_values(&action.kind, table, later, self.schema()) {
            return false;
        }
        let rows: Vec<_> = self.family(table, alter.only).into_iter().filter(|it| !it.is_partitioned()).collect();
        for made in rows {
            let row = ResolvedType::Row(made.id);
            if let Some(column) = stored_column(self.schema(), |of| self.schema().reaches(of, row)) {
                let name = made.name.name.as_str();
                let what = if matches!(made.kind, crate::schema::RelationKind::ForeignTable) {
                    "foreign table"
                } else {
                    "table"
                };
                let message = format!("cannot alter {what} \"{name}\" because column \"{column}\" uses its row type");
                self.refused(action.span, &table.name, message);
                return true;
            }
        }
        false
    }

    /// A stored column that has values of the type within others: in an array or a row, as `table.column`.
    pub(super) fn column_holding(&self, id: TypeId) -> Option<String> {
        let (schema, wanted) = (self.schema(), ResolvedType::User(id));
        stored_column(schema, |of| {
            let element = of.resolved == wanted && of.written.array_dimensions > 0;
            let in_row = match of.resolved {
                ResolvedType::User(row) => match schema.types.get(&row).map(|it| &it.definition) {
                    Some(TypeDefinition::Composite(fields)) => {
                        fields.iter().any(|(_, field)| schema.reaches(field, wanted))
                    }
                    _ => false,
                },
                ResolvedType::Row(row) => schema
                    .relation(row)
                    .is_some_and(|row| row.columns.iter().any(|it| schema.reaches(&it.data_type, wanted))),
                ResolvedType::BuiltIn | ResolvedType::Unknown => false,
            };
            element || in_row
        })
    }
}

/// The first stored column of such a type, as `table.column`.
fn stored_column(schema: &Schema, is_it: impl Fn(&ColumnType) -> bool) -> Option<String> {
    let (table, column) = schema.stored_columns(is_it).next()?;
    Some(format!("{}.{}", table.name.name.as_str(), column.name.as_str()))
}

/// Whether an action gives every row a value or makes the table anew.
fn makes_values(kind: &AlterTableActionKind, table: &Relation, later: &Relation, schema: &Schema) -> bool {
    match kind {
        AlterTableActionKind::AddColumn { column, .. } => {
            let Some(made) = later.column(&column.name.name) else { return false };
            let computed = made.generated.as_ref().is_some_and(|it| it.stored);
            let constrained = match made.data_type.resolved {
                ResolvedType::User(id) if made.data_type.written.array_dimensions == 0 => {
                    matches!(schema.types.get(&id).map(|it| &it.definition),
                        Some(TypeDefinition::Domain(domain)) if gives_or_checks(domain))
                }
                _ => false,
            };
            made.default.is_some() || made.identity.is_some() || computed || constrained
        }
        AlterTableActionKind::SetDataType { .. } => true,
        AlterTableActionKind::SetLogged => table.persistence == Persistence::Unlogged,
        AlterTableActionKind::SetUnlogged => table.persistence == Persistence::Permanent,
        _ => false,
    }
}

fn gives_or_checks(domain: &Domain) -> bool {
    domain.not_null || !domain.constraints.is_empty() || domain.default.is_some()
}
