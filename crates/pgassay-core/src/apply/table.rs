//! CREATE TABLE in all its forms.

use super::constraint::Birth;
use super::{Applier, ObjectId, ProblemKind};
use crate::change::{
    self, ColumnDefinition, ConstraintKind, CreateTable, LikeClause, Name, ObjectName, Persistence, QualifiedName,
};
use crate::schema::{Column, NotNull, PartitionKey, Relation, RelationId, RelationKind, TypeDefinition};
use crate::source::Span;

/// A column or a LIKE clause, where it stands.
enum Element<'c> {
    Column(&'c ColumnDefinition),
    Like(&'c LikeClause),
}

impl Applier<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let name = self.new_table_name(&create.name, create.persistence);
        if !self.free_for_relation(&name, create.if_not_exists, create.name.span) {
            return;
        }
        let kind = if create.foreign_server.is_some() { RelationKind::ForeignTable } else { RelationKind::Table };
        let id = RelationId(self.schema.next_id());
        let mut relation = Relation::new(id, name, kind);
        relation.persistence = create.persistence;
        relation.options = create.options.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
        relation.tablespace =
            create.tablespace.as_ref().map(|it| it.name.clone()).or(self.session.default_tablespace.clone());
        relation.access_method =
            create.access_method.as_ref().map(|it| it.name.clone()).or(self.session.default_access_method.clone());
        relation.owner = self.session.role.clone();
        relation.server = create.foreign_server.as_ref().map(|it| it.name.clone());
        self.schema.insert_relation(relation);
        self.applied.created.push(ObjectId::Relation(id));

        for parent in &create.inherits {
            self.inherit_definition(id, parent);
        }
        if let Some(of_type) = &create.of_type {
            self.columns_of_type(id, of_type);
        }
        let partition_of = create.partition_of.as_ref().and_then(|(parent, bound)| {
            let of = self.relation(parent, false)?;
            self.partition_definition(id, of, bound, parent);
            Some(of)
        });
        self.create_columns(id, create);
        if let Some(key) = &create.partition_by {
            self.set_partition_key(id, key);
        }
        self.create_constraints(id, create, partition_of);
        if create.until_commit {
            self.schema.drop_at_commit(id);
        }
    }

    fn new_table_name(&mut self, name: &ObjectName, persistence: Persistence) -> QualifiedName {
        if persistence == Persistence::Temporary {
            return QualifiedName { schema: Name::from("pg_temp"), name: name.name.clone() };
        }
        self.new_name(name)
    }

    /// Whether a name is free for a relation; says so when it is not. A stub of that name gives way.
    pub(super) fn free_for_relation(&mut self, name: &QualifiedName, if_not_exists: bool, span: Span) -> bool {
        if let Some(existing) = self.schema.relation_at(name) {
            let stub = (!existing.known).then_some(existing.id);
            if let Some(stub) = stub.filter(|_| !if_not_exists && !self.schema.complete) {
                self.schema.remove(&crate::schema::Object::Relation(stub));
                return true;
            }
        } else if !self.schema.relation_name_taken(name) {
            return true;
        }
        if !if_not_exists {
            let message = format!("relation \"{}\" already exists", name.name.as_str());
            self.duplicate(span, name, message);
        }
        false
    }

    /// Columns and LIKE clauses in the order of the statement.
    fn create_columns(&mut self, id: RelationId, create: &CreateTable) {
        let columns = create.columns.iter().map(|column| (column.span.start, Element::Column(column)));
        let likes = create.like.iter().map(|like| (like.source.span.start, Element::Like(like)));
        let mut elements: Vec<_> = columns.chain(likes).collect();
        elements.sort_by_key(|(at, _)| *at);
        let inherited = self.schema.relation(id).map_or(0, |relation| relation.columns.len());
        for (_, element) in elements {
            match element {
                Element::Column(column) => self.create_column(id, column, inherited, create),
                Element::Like(like) => self.like_columns(id, like),
            }
        }
    }

    /// A column of the statement; one that a parent or the type gave already is merged with it.
    fn create_column(&mut self, id: RelationId, definition: &ColumnDefinition, inherited: usize, create: &CreateTable) {
        let relation = self.schema.relation(id);
        let given =
            relation.and_then(|it| it.columns.iter().take(inherited).find(|it| it.name == definition.name.name));
        let Some(given) = given.map(|column| column.id) else {
            if create.partition_of.is_some() || create.of_type.is_some() {
                _ = self.column(id, &definition.name);
            } else {
                self.add_definition(id, definition);
            }
            return;
        };
        self.give_column_attributes(id, given, definition);
        if create.partition_of.is_none()
            && let Some(column) = self.schema.edit(id).and_then(|it| it.column_mut(given))
        {
            column.local = true;
        }
    }

    fn columns_of_type(&mut self, id: RelationId, name: &ObjectName) {
        let Some(found) = self.schema.find_type(&name.schema, &name.name, self.session).cloned() else {
            self.missing_type(name.span, name, &super::resolve::plain(name));
            if let Some(relation) = self.schema.edit(id) {
                relation.known = false;
            }
            return;
        };
        let TypeDefinition::Composite(attributes) = &found.definition else {
            let message = format!("type {} is not a composite type", super::resolve::plain(name));
            return self.invalid(name.span, name, message);
        };
        for (attribute, data_type) in attributes {
            let column = Column::new(attribute.clone(), data_type.clone());
            if let Some(column) = self.schema.edit(id).map(|relation| relation.push_column(column)) {
                self.schema.link_column(id, column);
            }
        }
        if let Some(relation) = self.schema.edit(id) {
            relation.of_type = Some(found.id);
        }
    }

    pub(super) fn set_partition_key(&mut self, id: RelationId, key: &change::PartitionKey) {
        let columns = self.columns(id, key.columns());
        let key = PartitionKey { strategy: key.strategy, elements: key.elements.clone(), columns };
        if let Some(relation) = self.schema.edit(id) {
            relation.kind = RelationKind::PartitionedTable(key);
        }
    }

    /// In the server's order: checks with the table, then what LIKE and the parent bring, keys with the primary key first,
    /// foreign keys last (`transformCreateStmt`, parse_utilcmd.c).
    fn create_constraints(&mut self, id: RelationId, create: &CreateTable, partition_of: Option<RelationId>) {
        let mut constraints: Vec<&change::Constraint> = create.constraints.iter().collect();
        constraints.sort_by_key(|constraint| match &constraint.kind {
            ConstraintKind::NotNull(_) | ConstraintKind::Check(_) => 0,
            ConstraintKind::PrimaryKey(_) | ConstraintKind::UsingIndex { primary_key: true, .. } => 1,
            ConstraintKind::Unique(_) | ConstraintKind::UsingIndex { .. } | ConstraintKind::Exclude { .. } => 2,
            ConstraintKind::ForeignKey(_) => 3,
        });
        let indexes =
            constraints.partition_point(|it| matches!(it.kind, ConstraintKind::NotNull(_) | ConstraintKind::Check(_)));
        for constraint in &constraints[..indexes] {
            self.add_constraint(id, constraint, Birth::WithTable, false);
        }
        if let Some(parent) = partition_of {
            self.clone_from_parent(parent, id);
        }
        for like in &create.like {
            self.like_parts(id, like);
        }
        let mut made: Vec<&change::Constraint> = Vec::new();
        for constraint in &constraints[indexes..] {
            // The same key twice is made once (`transformIndexConstraints`).
            if constraint.name.is_some() || !made.iter().any(|other| same_key(other, constraint)) {
                self.add_constraint(id, constraint, Birth::WithTable, false);
                made.push(constraint);
            }
        }
        self.primary_key_columns(id);
    }

    /// Columns of a primary key that came with the table are NOT NULL.
    fn primary_key_columns(&mut self, id: RelationId) {
        let primary = self.schema.relation(id).and_then(|it| it.primary_key()).map(|it| it.kind.clone());
        let Some(crate::schema::ConstraintKind::PrimaryKey { columns, .. }) = primary else { return };
        for column in columns {
            self.set_not_null(id, column, None, NotNull::Yes);
        }
    }
}

fn same_key(one: &change::Constraint, other: &change::Constraint) -> bool {
    let (ConstraintKind::Unique(one) | ConstraintKind::PrimaryKey(one)) = &one.kind else { return false };
    let ConstraintKind::Unique(other) = &other.kind else { return false };
    let names = |columns: &[change::Ident]| -> Vec<Name> { columns.iter().map(|it| it.name.clone()).collect() };
    names(&one.columns) == names(&other.columns)
        && names(&one.include) == names(&other.include)
        && one.nulls_not_distinct == other.nulls_not_distinct
}

impl Applier<'_> {
    /// Says that something other than a relation takes the name of a new type.
    pub(super) fn free_for_type(&mut self, name: &QualifiedName, span: Span) -> bool {
        let taken = self.schema.type_name_taken(name);
        if taken && self.schema.complete {
            let message = format!("type \"{}\" already exists", name.name.as_str());
            self.problem(ProblemKind::Duplicate, span, name, message);
        }
        !taken
    }
}
