//! Columns: as CREATE TABLE and ADD COLUMN define them, with the sequences of serial and identity.

use super::storage::unless_default;
use super::{Applier, ProblemKind};
use crate::change::{ColumnDefinition, Expression, Ident, Identity, Name, QualifiedName, SequenceOptions, TypeName};
use crate::schema::{Column, ColumnId, Generated, IdentityKind, NotNull, Object, RelationId, naming};

impl Applier<'_> {
    /// Appends a column as defined; its constraints other than NOT NULL are changes of their own.
    pub(super) fn define_column(&mut self, table: RelationId, definition: &ColumnDefinition) -> Option<ColumnId> {
        let (data_type, serial) = match &definition.data_type {
            Some(written) => match serial_base(written) {
                Some(base) => (self.resolve_type(&base), true),
                None => (self.column_type(written), false),
            },
            None => (crate::schema::ColumnType::unknown(definition.span), false),
        };
        definition.collation.iter().for_each(|collation| self.check_collation(collation));
        let sequence_type = data_type.written.name.clone();
        let mut column = Column::new(definition.name.name.clone(), data_type);
        column.collation = definition.collation.as_ref().map(|collation| collation.name.clone());
        column.storage = definition.storage.as_ref().and_then(|storage| unless_default(&storage.name));
        column.compression = definition.compression.as_ref().and_then(|method| unless_default(&method.name));
        let id = self.schema.edit(table)?.push_column(column);
        self.schema.link_column(table, id);
        self.give_column_attributes(table, id, definition);
        if serial {
            let sequence = self.serial_sequence(table, id, &definition.name.name, sequence_type);
            self.set_default_text(table, id, &sequence, definition);
            self.set_not_null(table, id, definition.not_null_name.as_ref(), NotNull::Yes);
        }
        Some(id)
    }

    /// What a definition says beyond name and type; also over inherited columns.
    pub(super) fn give_column_attributes(&mut self, table: RelationId, id: ColumnId, definition: &ColumnDefinition) {
        if let Some(default) = &definition.default {
            self.set_default(table, id, Some(default.clone()));
        }
        if let Some(generated) = &definition.generated {
            // Before 18 only STORED is read; the word is required there.
            let stored = generated.stored || !self.version.at_least(18);
            let made = Generated { expression: generated.expression.clone(), stored };
            let targets = self.expression_targets(Some(table), &made.expression);
            if let Some(column) = self.schema.edit(table).and_then(|it| it.column_mut(id)) {
                column.generated = Some(made);
            }
            self.schema.dependencies.set(Object::Default(table, id), targets);
        }
        if definition.not_null.is_some() {
            self.set_not_null(table, id, definition.not_null_name.as_ref(), NotNull::Yes);
        }
        if let Some(identity) = &definition.identity {
            self.give_identity(table, id, identity);
        }
    }

    pub(super) fn give_identity(&mut self, table: RelationId, id: ColumnId, identity: &Identity) {
        let Some(column) = self.schema.relation(table).and_then(|it| it.column_by_id(id)) else { return };
        let (name, data_type) = (column.name.clone(), column.data_type.written.name.clone());
        self.owned_sequence(table, id, &name, data_type, Some(&identity.options));
        if let Some(column) = self.schema.edit(table).and_then(|it| it.column_mut(id)) {
            column.identity = Some(if identity.always { IdentityKind::Always } else { IdentityKind::ByDefault });
        }
        self.set_not_null(table, id, None, NotNull::Yes);
    }

    fn serial_sequence(&mut self, table: RelationId, id: ColumnId, column: &Name, data_type: Name) -> QualifiedName {
        let sequence = self.owned_sequence(table, id, column, data_type, None);
        self.full_name(sequence)
    }

    /// `nextval('schema.t_a_seq'::regclass)`, as serial sets it.
    fn set_default_text(
        &mut self,
        table: RelationId,
        id: ColumnId,
        sequence: &QualifiedName,
        definition: &ColumnDefinition,
    ) {
        let default = crate::schema::rewrite::nextval(sequence, definition.span);
        self.set_default(table, id, Some(default));
    }

    /// The sequence of a serial or identity column (`generateSerialExtraStmts`, parse_utilcmd.c).
    fn owned_sequence(
        &mut self,
        table: RelationId,
        id: ColumnId,
        column: &Name,
        data_type: Name,
        identity: Option<&SequenceOptions>,
    ) -> RelationId {
        let of = self.full_name(table);
        let name = match identity.and_then(|options| options.name.as_ref()) {
            Some(named) => self.schema.qualify(named, self.session),
            None => {
                let name = self.schema.choose_relation_name(&of.name, Some(column.as_str()), "seq", &of.schema, false);
                QualifiedName { schema: of.schema, name }
            }
        };
        let options = identity.cloned().unwrap_or_default();
        let sequence = self.insert_sequence(name, &options, data_type, identity.is_some());
        self.schema.own_sequence(sequence, Some((table, id)));
        sequence
    }

    /// Sets, or with `None` drops, the default of one column, with the edges of its expression.
    pub(super) fn set_default(&mut self, table: RelationId, id: ColumnId, default: Option<Expression>) {
        // A NULL is kept where it is that of a domain, whose own default it stands in for (AddRelationNewConstraints, heap.c).
        let column = self.schema.relation(table).and_then(|it| it.column_by_id(id));
        let of_domain = column.is_some_and(|it| !std::ptr::eq(self.schema.base_type(&it.data_type), &it.data_type));
        let default = default.filter(|default| of_domain || !crate::schema::rewrite::is_null(&default.tree));
        let targets = default.as_ref().map(|default| self.expression_targets(None, default)).unwrap_or_default();
        self.schema.dependencies.set(Object::Default(table, id), targets);
        if let Some(column) = self.schema.edit(table).and_then(|it| it.column_mut(id)) {
            column.default = default;
        }
    }

    /// Marks a column NOT NULL; from 18 on with its constraint.
    pub(super) fn set_not_null(&mut self, table: RelationId, id: ColumnId, name: Option<&Ident>, state: NotNull) {
        let Some(relation) = self.schema.edit(table) else { return };
        let Some(column) = relation.column_mut(id) else { return };
        if column.not_null != NotNull::Yes {
            column.not_null = state;
        }
        if self.version.at_least(18) {
            self.name_not_null(table, id, name.map(|name| name.name.clone()), state == NotNull::Yes);
        }
    }

    pub(super) fn add_definition(&mut self, table: RelationId, definition: &ColumnDefinition) -> Option<ColumnId> {
        if self.column_id(table, &definition.name.name).is_none() {
            return self.define_column(table, definition);
        }
        let name = &definition.name;
        let message = format!("column \"{}\" specified more than once", name.name.as_str());
        self.problem(ProblemKind::Duplicate, name.span, self.column_path(table, &name.name), message);
        None
    }

    /// The column's name in another table of the same family.
    pub(super) fn same_column(&self, from: RelationId, id: ColumnId, to: RelationId) -> Option<ColumnId> {
        let name = &self.schema.relation(from)?.column_by_id(id)?.name;
        self.column_id(to, name)
    }

    pub(super) fn same_columns(&self, from: RelationId, ids: &[ColumnId], to: RelationId) -> Vec<ColumnId> {
        ids.iter().filter_map(|id| self.same_column(from, *id, to)).collect()
    }

    pub(super) fn column_names(&self, table: RelationId, ids: &[ColumnId]) -> Vec<Name> {
        let relation = self.schema.relation(table);
        ids.iter().filter_map(|id| Some(relation?.column_by_id(*id)?.name.clone())).collect()
    }

    pub(super) fn joined_names(&self, table: RelationId, ids: &[ColumnId]) -> String {
        naming::name_addition(&self.column_names(table, ids))
    }
}

/// The integer type behind serial and its kin.
fn serial_base(written: &TypeName) -> Option<TypeName> {
    if written.schema.is_some() || written.array_dimensions > 0 {
        return None;
    }
    let base = match written.name.as_str() {
        "serial" | "serial4" => "int4",
        "bigserial" | "serial8" => "int8",
        "smallserial" | "serial2" => "int2",
        _ => return None,
    };
    Some(TypeName { name: Name::from(base), ..written.clone() })
}
