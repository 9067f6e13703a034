//! Indexes, with their partitions.

use std::collections::BTreeSet;

use super::{Applier, ObjectId};
use crate::catalog;
use crate::change::{
    Cluster, CreateIndex, Expression, Ident, IndexElement, IndexTarget, Name, ObjectKind, ObjectName, PrintedName,
    QualifiedName, Reindex, ReindexTarget, TypeName,
};
use crate::schema::{
    ColumnId, ColumnType, Constraint, ConstraintKind, Index, Object, Relation, RelationId, RelationKind, ResolvedType,
    TypeDefinition, naming,
};
use crate::source::Span;

/// What an index is for: it decides its name, and whether a constraint comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexRole {
    Plain,
    PrimaryKey,
    Unique,
    Exclude,
}

/// A constraint's marks that its index constraint takes over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deferral {
    pub deferrable: bool,
    pub initially_deferred: bool,
}

impl Applier<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        let Some(table) = self.relation(&create.table, false) else { return };
        if !self.can_have_index(table, &create.table) {
            return;
        }
        if create.concurrently && self.schema.relation(table).is_some_and(|it| it.is_partitioned()) {
            let message =
                format!("cannot create index on partitioned table \"{}\" concurrently", self.short_name(table));
            return self.invalid(create.table.span, self.full_name(table), message);
        }
        let schema = self.full_name(table).schema;
        if let Some(name) = &create.name {
            let name_at = QualifiedName { schema, name: name.name.clone() };
            if !self.free_for_relation(&name_at, create.if_not_exists, name.span) {
                return;
            }
        }
        let mut index = self.index_on(table, create.method.clone(), &create.elements, &create.include);
        index.unique = create.unique;
        index.nulls_not_distinct = create.nulls_not_distinct;
        self.give_predicate(table, &mut index, create.predicate.clone());
        let name = create.name.as_ref().map(|name| name.name.clone());
        let id = self.build_index(table, index, name, IndexRole::Plain, Deferral::default(), create.only);
        if let Some(relation) = self.schema.edit(id) {
            relation.options = create.storage.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
            relation.tablespace = create.tablespace.as_ref().map(|it| it.name.clone());
        }
        self.applied.created.push(ObjectId::Relation(id));
    }

    fn can_have_index(&mut self, id: RelationId, name: &ObjectName) -> bool {
        let Some(relation) = self.schema.relation(id) else { return false };
        match relation.kind {
            RelationKind::Table | RelationKind::PartitionedTable(_) | RelationKind::MaterializedView(_) => true,
            _ if !relation.known => true,
            _ => {
                let message = format!("cannot create index on relation \"{}\"", name.name.as_str());
                self.invalid(name.span, name, message);
                false
            }
        }
    }

    /// An index as written, with its columns resolved.
    pub(super) fn index_on(
        &mut self,
        table: RelationId,
        method: Name,
        elements: &[IndexElement],
        include: &[Ident],
    ) -> Index {
        let mut mentions = BTreeSet::new();
        let mut columns = Vec::with_capacity(elements.len());
        for element in elements {
            element.collation.iter().for_each(|collation| self.check_collation(collation));
            columns.push(match &element.target {
                IndexTarget::Column(column) => {
                    let id = self.column(table, column);
                    if element.operator_class.is_none() {
                        id.into_iter().for_each(|id| self.need_operator_class(table, id, &method, column.span));
                    }
                    id
                }
                IndexTarget::Expression(expression) => {
                    self.check_columns(table, expression);
                    mentions.extend(self.expression_columns(table, expression));
                    let relation = self.schema.relation(table).map(|it| &**it);
                    let of = crate::expression::type_of(&expression.tree, self.scope(relation));
                    if let Some(of) = of.filter(|_| element.operator_class.is_none()) {
                        let path = PrintedName::from(self.full_name(table));
                        self.need_class_of(&of, &method, expression.span, path);
                    }
                    None
                }
            });
        }
        Index {
            table,
            method,
            unique: false,
            primary: false,
            nulls_not_distinct: false,
            elements: elements.to_vec(),
            columns,
            include: self.columns(table, include),
            predicate: None,
            mentions: mentions.into_iter().collect(),
            valid: true,
            constraint: None,
            partitioned: false,
        }
    }

    /// A column of a type of pg_catalog needs a default operator class of the method (`GetDefaultOpClass`, indexcmds.c), from the
    /// server or an extension.
    fn need_operator_class(&mut self, table: RelationId, id: ColumnId, method: &Name, span: Span) {
        let Some(column) = self.schema.relation(table).and_then(|it| it.column_by_id(id)) else { return };
        let of = column.data_type.clone();
        let path = self.column_path(table, &self.column_names(table, &[id]).remove(0));
        self.need_class_of(&of, method, span, path);
    }

    /// The indexes of a column that has another type now, where no class was written.
    pub(super) fn need_classes_again(&mut self, table: RelationId, id: ColumnId, span: Span) {
        let of_it: Vec<Name> = self
            .schema
            .indexes_of(table)
            .filter_map(|index| index.as_index())
            .filter(|index| {
                let at = index.columns.iter().position(|column| *column == Some(id));
                at.is_some_and(|at| index.elements.get(at).is_none_or(|element| element.operator_class.is_none()))
            })
            .map(|index| index.method.clone())
            .collect();
        if let Some(method) = of_it.first() {
            self.need_operator_class(table, id, method, span);
        }
    }

    fn need_class_of(&mut self, of: &ColumnType, method: &Name, span: Span, object: PrintedName) {
        const METHODS: &[&str] = &["btree", "hash", "gist", "gin", "spgist", "brin"];
        let base = self.schema.base_type(of).clone();
        let Some(stored) = self.class_type(&base) else { return };
        let own_classes = self.schema.others.iter().any(|(kind, _)| *kind == ObjectKind::OperatorClass);
        if !METHODS.contains(&method.as_str()) || own_classes || !self.schema.complete {
            return;
        }
        let of_extension =
            self.schema.extensions.keys().any(|extension| match catalog::extension(extension.as_str()) {
                Some(contents) => {
                    !contents.complete || contents.default_operator_class(method.as_str(), &stored).is_some()
                }
                None => true,
            });
        if of_extension || catalog::default_operator_class(method.as_str(), &stored).is_some() {
            return;
        }
        // Messages quote no type.
        let bare = TypeName { modifiers: Vec::new(), other_modifiers: Vec::new(), ..TypeName::clone(&base.written) };
        let bare = bare.to_string().replace('"', "");
        let message =
            format!("data type {bare} has no default operator class for access method \"{}\"", method.as_str());
        self.invalid(span, object, message);
    }

    /// The type as operator classes are declared for it, where all of them are known.
    fn class_type(&self, base: &ColumnType) -> Option<String> {
        let name = base.written.name.as_str();
        let is_array = base.written.array_dimensions > 0;
        match base.resolved {
            ResolvedType::BuiltIn => {
                catalog::built_in_type(name)?;
                Some(if is_array { format!("_{name}") } else { name.to_owned() })
            }
            ResolvedType::User(_) if is_array => Some("anyarray".to_owned()),
            ResolvedType::User(id) => match self.schema.types.get(&id)?.definition {
                TypeDefinition::Enum(_) => Some("anyenum".to_owned()),
                TypeDefinition::Composite(_) => Some("record".to_owned()),
                _ => None,
            },
            ResolvedType::Row(_) | ResolvedType::Unknown => None,
        }
    }

    pub(super) fn give_predicate(&mut self, table: RelationId, index: &mut Index, predicate: Option<Expression>) {
        if let Some(predicate) = &predicate {
            self.check_columns(table, predicate);
            let mentioned = self.expression_columns(table, predicate);
            index.mentions =
                index.mentions.iter().copied().chain(mentioned).collect::<BTreeSet<_>>().into_iter().collect();
        }
        index.predicate = predicate;
    }

    /// Makes the index, its constraint, and those of all partitions (`DefineIndex`, indexcmds.c).
    pub(super) fn build_index(
        &mut self,
        table: RelationId,
        mut index: Index,
        name: Option<Name>,
        role: IndexRole,
        deferral: Deferral,
        only: bool,
    ) -> RelationId {
        let of = self.full_name(table);
        let name = name.unwrap_or_else(|| self.choose_index_name(table, &index, role));
        let partitions = self.partitions_of(table);
        index.table = table;
        index.primary = role == IndexRole::PrimaryKey;
        index.unique |= matches!(role, IndexRole::PrimaryKey | IndexRole::Unique);
        index.partitioned = self.schema.relation(table).is_some_and(|it| it.is_partitioned());
        index.valid = !only || partitions.is_empty();
        index.constraint = (role != IndexRole::Plain).then(|| name.clone());
        let id = RelationId(self.schema.next_id());
        let targets = self.index_targets(&index);
        let made = QualifiedName { schema: of.schema, name: name.clone() };
        self.schema.add_index(table, Relation::new(id, made, RelationKind::Index(index.clone())));
        self.schema.dependencies.set(Object::Relation(id), targets);
        self.index_constraint(table, id, &index, name, role, deferral);
        if !only {
            for partition in partitions {
                self.index_partition(table, id, &index, partition, role, deferral);
            }
        }
        id
    }

    fn index_constraint(
        &mut self,
        table: RelationId,
        id: RelationId,
        index: &Index,
        name: Name,
        role: IndexRole,
        deferral: Deferral,
    ) {
        let columns: Vec<ColumnId> = index.columns.iter().flatten().copied().collect();
        if role == IndexRole::PrimaryKey {
            for column in &columns {
                self.set_not_null_below(table, *column);
            }
        }
        let kind = match role {
            IndexRole::Plain => return,
            IndexRole::PrimaryKey => ConstraintKind::PrimaryKey { columns, index: id },
            IndexRole::Unique => ConstraintKind::Unique { columns, index: id },
            IndexRole::Exclude => ConstraintKind::Exclude { index: id },
        };
        let constraint = Constraint {
            deferrable: deferral.deferrable || deferral.initially_deferred,
            initially_deferred: deferral.initially_deferred,
            ..Constraint::new(name, kind)
        };
        self.schema.add_constraint(table, constraint);
    }

    fn index_targets(&self, index: &Index) -> Vec<crate::schema::ObjectId> {
        let expressions = index.elements.iter().filter_map(|element| match &element.target {
            IndexTarget::Expression(expression) => Some(expression),
            IndexTarget::Column(_) => None,
        });
        expressions.chain(&index.predicate).flat_map(|it| self.expression_targets(Some(index.table), it)).collect()
    }

    /// `ChooseIndexName`.
    fn choose_index_name(&self, table: RelationId, index: &Index, role: IndexRole) -> Name {
        let of = self.full_name(table);
        let columns = || {
            let include = self.column_names(table, &index.include);
            naming::name_addition(&naming::index_column_names(&index.elements, &include))
        };
        let choose = |middle: Option<&str>, label, constraint| {
            self.schema.choose_relation_name(&of.name, middle, label, &of.schema, constraint)
        };
        match role {
            IndexRole::PrimaryKey => choose(None, "pkey", true),
            IndexRole::Exclude => choose(Some(&columns()), "excl", true),
            IndexRole::Unique => choose(Some(&columns()), "key", true),
            IndexRole::Plain => choose(Some(&columns()), "idx", false),
        }
    }

    /// Partitions only: indexes do not reach inheritance children.
    pub(super) fn partitions_of(&self, table: RelationId) -> Vec<RelationId> {
        match self.schema.relation(table) {
            Some(relation) if relation.is_partitioned() => relation.children.clone(),
            _ => Vec::new(),
        }
    }

    /// Gives a partition its part of an index: one that fits and is free is attached, else a new one is made.
    pub(super) fn index_partition(
        &mut self,
        table: RelationId,
        parent: RelationId,
        index: &Index,
        partition: RelationId,
        role: IndexRole,
        deferral: Deferral,
    ) {
        if self.schema.relation(partition).is_some_and(|it| it.kind == RelationKind::ForeignTable) {
            return;
        }
        let mapped = self.map_index(table, index, partition);
        let fits = |it: &Relation| {
            it.parents.is_empty()
                && it.as_index().is_some_and(|other| same_index(other, &mapped, role != IndexRole::Plain))
        };
        let existing = self.schema.indexes_of(partition).find(|it| fits(it)).map(|it| it.id);
        let child = existing.unwrap_or_else(|| self.build_index(partition, mapped, None, role, deferral, false));
        self.attach_index(parent, child);
    }

    pub(super) fn attach_index(&mut self, parent: RelationId, child: RelationId) {
        if let Some(relation) = self.schema.edit(child)
            && !relation.parents.contains(&parent)
        {
            relation.parents.push(parent);
        }
        if let Some(relation) = self.schema.edit(parent)
            && !relation.children.contains(&child)
        {
            relation.children.push(child);
        }
        let owner = self.schema.constraint_of_index(child).map(|(table, constraint)| (table, constraint.name.clone()));
        if let Some((table, name)) = owner
            && let Some(constraint) = self.schema.edit(table).and_then(|it| it.constraint_mut(&name))
        {
            constraint.local = false;
        }
    }

    /// The same index for another table of the family: columns are matched by name.
    pub(super) fn map_index(&self, table: RelationId, index: &Index, to: RelationId) -> Index {
        Index {
            table: to,
            columns: index.columns.iter().map(|it| it.and_then(|column| self.same_column(table, column, to))).collect(),
            include: self.same_columns(table, &index.include, to),
            mentions: self.same_columns(table, &index.mentions, to),
            ..index.clone()
        }
    }

    pub(super) fn reindex(&mut self, reindex: &Reindex) {
        match &reindex.target {
            ReindexTarget::Index(name) | ReindexTarget::Table(name) => self.tables_named([name]),
            ReindexTarget::Schema(name) if !self.namespace_exists(&name.name) => {
                self.missing(name.span, name, format!("schema \"{}\" does not exist", name.name.as_str()));
            }
            ReindexTarget::Schema(_) | ReindexTarget::Database(_) | ReindexTarget::System(_) => {}
        }
        let ReindexTarget::Index(name) = &reindex.target else { return };
        // A rebuild makes an index valid that a failed concurrent build left behind.
        let id = self.schema.find_relation(name, self.session).map(|relation| relation.id);
        if let Some(RelationKind::Index(index)) = id.and_then(|id| self.schema.edit(id)).map(|it| &mut it.kind)
            && !index.partitioned
        {
            index.valid = true;
        }
    }

    pub(super) fn cluster(&mut self, cluster: &Cluster) {
        let Some(table) = &cluster.table else { return };
        self.tables_named([table]);
        let Some(id) = self.schema.find_relation(table, self.session).map(|relation| relation.id) else { return };
        if let Some(index) = &cluster.index {
            let index = self.index_named(id, index);
            if let (Some(index), Some(relation)) = (index, self.schema.edit(id)) {
                relation.clustered_on = Some(index);
            }
        }
    }

    /// An index of a table, by its name in the table's schema.
    pub(super) fn index_named(&mut self, table: RelationId, index: &Ident) -> Option<RelationId> {
        let at = QualifiedName { schema: self.full_name(table).schema, name: index.name.clone() };
        let found = self.schema.relation_at(&at).map(|relation| relation.id);
        if found.is_none() && self.is_known(table) {
            let message =
                format!("index \"{}\" for table \"{}\" does not exist", index.name.as_str(), self.short_name(table));
            self.missing(index.span, index, message);
        }
        found
    }
}

fn same_index(existing: &Index, wanted: &Index, constraint: bool) -> bool {
    existing.method == wanted.method
        && existing.unique == wanted.unique
        && existing.nulls_not_distinct == wanted.nulls_not_distinct
        && existing.columns == wanted.columns
        && existing.include.len() == wanted.include.len()
        && existing.predicate == wanted.predicate
        && existing.elements.iter().zip(&wanted.elements).all(|(one, other)| same_element(one, other))
        && (!constraint || existing.constraint.is_some())
}

fn same_element(one: &IndexElement, other: &IndexElement) -> bool {
    let expressions = match (&one.target, &other.target) {
        (IndexTarget::Expression(one), IndexTarget::Expression(other)) => one == other,
        (IndexTarget::Column(_), IndexTarget::Column(_)) => true,
        _ => false,
    };
    let name = |name: &Option<ObjectName>| name.as_ref().map(|it| it.name.clone());
    expressions
        && one.descending == other.descending
        && name(&one.operator_class) == name(&other.operator_class)
        && name(&one.collation) == name(&other.collation)
}

/// An index that was never seen made: its table is not known.
pub(super) fn unseen() -> Index {
    Index {
        table: RelationId(0),
        method: Name::from("btree"),
        unique: false,
        primary: false,
        nulls_not_distinct: false,
        elements: Vec::new(),
        columns: Vec::new(),
        include: Vec::new(),
        predicate: None,
        mentions: Vec::new(),
        valid: true,
        constraint: None,
        partitioned: false,
    }
}
