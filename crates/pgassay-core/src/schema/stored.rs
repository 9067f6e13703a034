//! Where values of a type are stored: in columns, as elements of arrays, as attributes of rows, under domains.

use std::sync::Arc;

use super::{Column, ColumnType, Relation, ResolvedType, Schema, TypeDefinition, TypeId};

impl Schema {
    /// Stored columns whose type is one that is asked for.
    pub fn stored_columns(
        &self,
        is_it: impl Fn(&ColumnType) -> bool,
    ) -> impl Iterator<Item = (&Arc<Relation>, &Column)> {
        let stored = |it: &&Arc<Relation>| it.is_table() || it.as_view().is_some() && it.has_storage();
        self.relations
            .values()
            .filter(stored)
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
            .filter(move |(_, column)| is_it(&column.data_type))
    }

    /// The columns that store values of a composite type, those of tables made of it included.
    pub fn columns_of(&self, id: TypeId) -> impl Iterator<Item = (&Arc<Relation>, &Column)> {
        self.stored_columns(move |of| self.reaches(of, ResolvedType::User(id)))
    }

    /// Whether values of a type are or have values of another: as elements, attributes, columns of a row, or under a domain.
    pub fn reaches(&self, of: &ColumnType, wanted: ResolvedType) -> bool {
        self.search(of, wanted, &mut Vec::new())
    }

    fn search(&self, of: &ColumnType, wanted: ResolvedType, seen: &mut Vec<ResolvedType>) -> bool {
        if of.resolved == wanted {
            return true;
        }
        if seen.contains(&of.resolved) {
            return false;
        }
        seen.push(of.resolved);
        match of.resolved {
            ResolvedType::User(id) => match self.types.get(&id).map(|it| &it.definition) {
                Some(TypeDefinition::Composite(fields)) => {
                    fields.iter().any(|(_, field)| self.search(field, wanted, seen))
                }
                Some(TypeDefinition::Domain(domain)) => self.search(&domain.base, wanted, seen),
                _ => false,
            },
            ResolvedType::Row(id) => self
                .relation(id)
                .is_some_and(|row| row.columns.iter().any(|it| self.search(&it.data_type, wanted, seen))),
            ResolvedType::BuiltIn | ResolvedType::Unknown => false,
        }
    }
}
