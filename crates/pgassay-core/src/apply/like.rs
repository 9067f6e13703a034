//! CREATE TABLE (LIKE source INCLUDING …).

use super::Applier;
use super::index::Deferral;
use super::partition::index_role;
use crate::change::{Identity, LikeClause, Name, ObjectName, SequenceOptions};
use crate::schema::{Column, ColumnType, ConstraintKind, IdentityKind, Relation, RelationId, TypeDefinition};

impl Applier<'_> {
    /// The source's columns, with NOT NULL always and the rest as INCLUDING says (`transformTableLikeClause`).
    pub(super) fn like_columns(&mut self, table: RelationId, like: &LikeClause) {
        if let Some(attributes) = self.composite_attributes(&like.source) {
            for (name, data_type) in attributes {
                self.like_column(table, &Column::new(name, data_type), like);
            }
            return;
        }
        let Some(source) = self.relation(&like.source, false) else { return self.forget_columns(table) };
        let Some(source) = self.schema.relation(source).cloned() else { return };
        for column in &source.columns {
            self.like_column(table, column, like);
        }
        if !source.known {
            self.forget_columns(table);
        }
    }

    /// A composite type can stand for a table too.
    fn composite_attributes(&self, name: &ObjectName) -> Option<Vec<(Name, ColumnType)>> {
        if self.schema.find_relation(name, self.session).is_some() {
            return None;
        }
        match &self.schema.find_type(&name.schema, &name.name, self.session)?.definition {
            TypeDefinition::Composite(attributes) => Some(attributes.clone()),
            _ => None,
        }
    }

    /// The list of columns is not known to be whole.
    pub(super) fn forget_columns(&mut self, table: RelationId) {
        if let Some(relation) = self.schema.edit(table) {
            relation.known = false;
        }
    }

    fn like_column(&mut self, table: RelationId, source: &Column, like: &LikeClause) {
        let options = like.including;
        let mut column = Column::new(source.name.clone(), source.data_type.clone());
        column.collation = source.collation.clone();
        column.comment = source.comment.clone().filter(|_| options.comments);
        column.generated = source.generated.clone().filter(|_| options.generated);
        let Some(id) = self.schema.edit(table).map(|relation| relation.push_column(column)) else { return };
        self.schema.link_column(table, id);
        if source.default.is_some() && options.defaults {
            self.set_default(table, id, source.default.clone());
        }
        if source.not_null.enforced() {
            self.set_not_null(table, id, None, source.not_null);
        }
        if let Some(kind) = source.identity.filter(|_| options.identity) {
            let always = kind == IdentityKind::Always;
            let identity = Identity { always, options: SequenceOptions::default(), span: like.source.span };
            self.give_identity(table, id, &identity);
        }
    }

    /// Checks, indexes and statistics of the source (`expandTableLikeClause`).
    pub(super) fn like_parts(&mut self, table: RelationId, like: &LikeClause) {
        let source = self.schema.find_relation(&like.source, self.session).cloned();
        let Some(source) = source else { return };
        if like.including.constraints {
            self.like_checks(table, &source);
        }
        if like.including.indexes {
            self.like_indexes(table, &source, like.including.comments);
        }
    }

    fn like_checks(&mut self, table: RelationId, source: &Relation) {
        for constraint in source.constraints.iter().filter(|it| matches!(it.kind, ConstraintKind::Check { .. })) {
            let mut copy = constraint.clone();
            copy.no_inherit = false;
            self.inherit_check(source.id, &copy, table);
            if let Some(made) = self.schema.edit(table).and_then(|it| it.constraint_mut(&constraint.name)) {
                made.local = true;
                made.no_inherit = constraint.no_inherit;
            }
        }
    }

    fn like_indexes(&mut self, table: RelationId, source: &Relation, comments: bool) {
        for id in &source.indexes {
            let Some(relation) = self.schema.relation(*id).cloned() else { continue };
            let Some(index) = relation.as_index() else { continue };
            let owner = self.schema.constraint_of_index(*id).map(|(_, constraint)| constraint);
            let deferral = owner.map_or(Deferral::default(), |it| Deferral {
                deferrable: it.deferrable,
                initially_deferred: it.initially_deferred,
            });
            let role = index_role(owner.map(|it| &it.kind));
            let mapped = self.map_index(source.id, index, table);
            let made = self.build_index(table, mapped, None, role, deferral, false);
            if let Some(made) = self.schema.edit(made).filter(|_| comments) {
                made.comment = relation.comment.clone();
            }
        }
    }
}
