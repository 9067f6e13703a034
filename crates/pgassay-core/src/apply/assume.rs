//! What a statement of a partial history must have met: the relations, columns, types, routines and schemas that it changes.
//!
//! Without it, nothing could be said of what clients lose by a migration whose past is not known.

use std::sync::Arc;

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::index::unseen as unseen_index;
use super::sequence::plain_sequence;
use crate::catalog;
use crate::catalog::Volatility;
use crate::change::{
    AlterDomain, AlterEnumAction, AlterObject, AlterTable, AlterTableActionKind, Argument, ArgumentMode, Change,
    ConstraintKind, Drop, Expression, Grant, GrantObjects, Ident, IndexTarget, Name, ObjectKind, ObjectName,
    ObjectReference, Query, ReindexTarget, RelationKeyword,
};
use crate::schema::{
    Column, ColumnId, ColumnType, Domain, IdentityKind, Index, Namespace, NotNull, Privilege, Relation, RelationId,
    RelationKind, Routine, RoutineId, Schema, Seen, Session, Type, TypeDefinition, TypeId, View,
};
use crate::source::Span;

/// Something that was there before, though nothing in the history made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumed {
    Relation(RelationId),
    Column(RelationId, ColumnId),
    Privilege(RelationId, Privilege),
    Type(TypeId),
    Routine(RoutineId),
    Namespace(Name),
}

impl Schema {
    /// Makes what a change needs and an incomplete schema lacks. What a complete schema lacks does not exist.
    pub fn assume(&mut self, change: &Change, session: &Session) -> Vec<Assumed> {
        if self.complete {
            return Vec::new();
        }
        let mut assumptions = Assumptions { schema: self, session, made: Vec::new() };
        assumptions.change(change);
        assumptions.made
    }

    /// Takes over, under the same ids, what was assumed later: it was there at this time too.
    pub fn adopt(&mut self, from: &Schema, assumed: &[Assumed]) {
        for assumed in assumed {
            match assumed {
                Assumed::Relation(id) => {
                    if let (Some(relation), None) = (from.relation(*id), self.relation(*id)) {
                        self.insert_relation(Relation::clone(relation));
                    }
                }
                Assumed::Column(id, column) => {
                    let found = from.relation(*id).and_then(|relation| relation.column_by_id(*column)).cloned();
                    if let (Some(found), Some(relation)) = (found, self.edit(*id))
                        && relation.column_by_id(*column).is_none()
                    {
                        relation.next_column = relation.next_column.max(column.0.saturating_add(1));
                        relation.columns.push(found);
                    }
                }
                Assumed::Privilege(id, privilege) => {
                    if let Some(relation) = self.edit(*id).filter(|it| !it.privileges.contains(privilege)) {
                        relation.privileges.push(privilege.clone());
                    }
                }
                Assumed::Type(id) => {
                    if let (Some(found), None) = (from.types.get(id), self.types.get(id)) {
                        self.insert_type(Type::clone(found));
                    }
                }
                Assumed::Routine(id) => {
                    if let (Some(routine), None) = (from.routines.get(id), self.routines.get(id)) {
                        self.insert_routine(Routine::clone(routine));
                    }
                }
                Assumed::Namespace(name) => {
                    self.namespaces.entry(name.clone()).or_insert_with(|| Arc::new(Namespace::default()));
                }
            }
        }
    }
}

struct Assumptions<'a> {
    schema: &'a mut Schema,
    session: &'a Session,
    made: Vec<Assumed>,
}

impl Assumptions<'_> {
    fn change(&mut self, change: &Change) {
        match change {
            Change::AlterTable(alter) => self.alter_table(alter),
            Change::Drop(drop) => self.drop(drop),
            Change::AlterObject(alter) => self.alter_object(alter),
            Change::AlterEnum(alter) => {
                let labels = match &alter.action {
                    AlterEnumAction::RenameValue { from, .. } => vec![from.clone()],
                    AlterEnumAction::AddValue { .. } => Vec::new(),
                };
                self.user_type(&alter.name, TypeDefinition::Enum(labels));
            }
            Change::AlterDomain(AlterDomain { name, .. }) => self.user_type(name, unseen_domain(name.span)),
            Change::CreateIndex(create) => {
                let Some(table) = self.relation(&create.table, RelationKind::Table) else { return };
                for element in &create.elements {
                    if let IndexTarget::Column(column) = &element.target {
                        self.column(table, column, |_| {});
                    }
                }
            }
            Change::Reindex(reindex) => {
                if let ReindexTarget::Index(index) = &reindex.target {
                    self.index(index);
                }
            }
            Change::Grant(grant) if grant.revoke && !grant.option_only => self.revoke(grant),
            _ => {}
        }
    }

    /// A relation by that name, made up where there is none.
    fn relation(&mut self, name: &ObjectName, kind: RelationKind) -> Option<RelationId> {
        if let Some(found) = self.schema.find_relation(name, self.session) {
            return Some(found.id);
        }
        let schema = name.schema.as_ref().map(Name::as_str);
        let of_system =
            catalog::is_system_relation(schema, name.name.as_str()) || name.name.as_str().starts_with("pg_");
        if of_system || self.schema.is_gone(name, self.session) {
            return None;
        }
        let id = RelationId(self.schema.next_id());
        let mut relation = Relation::new(id, self.schema.qualify(name, self.session), kind);
        relation.known = false;
        self.schema.insert_relation(relation);
        self.made.push(Assumed::Relation(id));
        Some(id)
    }

    /// An index by that name, with a table of which no more is known than that the index is on it.
    fn index(&mut self, name: &ObjectName) {
        if self.schema.find_relation(name, self.session).is_some() {
            return;
        }
        let of_index = Name::new(&format!("the table of {}", name.name.as_str()));
        let Some(table) = self.relation(&ObjectName { name: of_index, ..name.clone() }, RelationKind::Table) else {
            return;
        };
        let Some(index) = self.relation(name, RelationKind::Index(Index { table, ..unseen_index() })) else { return };
        if let Some(table) = self.schema.edit(table) {
            table.indexes.push(index);
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        if alter.object == RelationKeyword::Index {
            self.index(&alter.relation);
        }
        let kind = match alter.object {
            RelationKeyword::Table => RelationKind::Table,
            RelationKeyword::View | RelationKeyword::MaterializedView => match unseen_view(alter.relation.span) {
                Some(view) if alter.object == RelationKeyword::View => RelationKind::View(view),
                Some(view) => RelationKind::MaterializedView(view),
                None => RelationKind::Table,
            },
            RelationKeyword::ForeignTable => RelationKind::ForeignTable,
            RelationKeyword::Sequence => RelationKind::Sequence(plain_sequence()),
            RelationKeyword::Index => RelationKind::Index(unseen_index()),
        };
        let Some(id) = self.relation(&alter.relation, kind) else { return };
        let added: Vec<&Name> = alter.actions.iter().filter_map(|action| added_column(&action.kind)).collect();
        for action in &alter.actions {
            self.action(id, &action.kind, &added);
        }
    }

    /// Says more of a relation that this statement made up.
    fn made_with(&mut self, id: RelationId, change: impl FnOnce(&mut Relation)) {
        if self.made.contains(&Assumed::Relation(id))
            && let Some(relation) = self.schema.edit(id)
        {
            change(relation);
        }
    }

    /// `added` are the columns that the same statement adds.
    fn action(&mut self, id: RelationId, action: &AlterTableActionKind, added: &[&Name]) {
        use AlterTableActionKind::*;
        match action {
            SetNotNull { column } => self.column(id, column, |column| column.not_null = NotNull::No),
            DropNotNull { column } => self.column(id, column, |column| column.not_null = NotNull::Yes),
            DropIdentity { column, if_exists: false } => self.column(id, column, |column| {
                column.identity = Some(IdentityKind::ByDefault);
                column.not_null = NotNull::Yes;
            }),
            DropDefault { column } => self.column(id, column, |it| it.default = unseen_expression(column)),
            RenameColumn { column, .. }
            | DropColumn { column, .. }
            | SetDataType { column, .. }
            | SetDefault { column, .. }
            | AddIdentity { column, .. } => self.column(id, column, |_| {}),
            AddConstraint(constraint) if !constraint.inline => {
                let columns = match &constraint.kind {
                    ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => &key.columns,
                    ConstraintKind::ForeignKey(key) => &key.columns,
                    ConstraintKind::NotNull(column) => {
                        if !added.contains(&&column.name) {
                            self.column(id, column, |column| column.not_null = NotNull::No);
                        }
                        return;
                    }
                    _ => return,
                };
                for column in columns.iter().filter(|column| !added.contains(&&column.name)) {
                    self.column(id, column, |_| {});
                }
            }
            // What is switched off was on.
            SetRowSecurity { enabled: false } => self.made_with(id, |relation| relation.row_security = true),
            ForceRowSecurity { forced: false } => self.made_with(id, |relation| {
                relation.row_security = true;
                relation.force_row_security = true;
            }),
            DetachPartition { partition, .. } => {
                let Some(partition) = self.relation(partition, RelationKind::Table) else { return };
                if self.made.contains(&Assumed::Relation(partition)) {
                    if let Some(relation) = self.schema.edit(partition) {
                        relation.parents.push(id);
                        relation.bound = Some(crate::change::PartitionBound::Default);
                    }
                    if let Some(parent) = self.schema.edit(id) {
                        parent.children.push(partition);
                    }
                    self.schema.add_bound(id, partition);
                }
            }
            _ => {}
        }
    }

    /// A column of a relation whose columns are not all known.
    fn column(&mut self, id: RelationId, name: &Ident, what: impl FnOnce(&mut Column)) {
        let Some(relation) = self.schema.edit(id).filter(|it| !it.known && it.column(&name.name).is_none()) else {
            return;
        };
        let mut column = Column::new(name.name.clone(), ColumnType::unknown(name.span));
        column.not_null = NotNull::Unknown;
        what(&mut column);
        let column = relation.push_column(column);
        self.made.push(Assumed::Column(id, column));
    }

    fn drop(&mut self, drop: &Drop) {
        for object in &drop.objects {
            self.object(drop.kind, object);
        }
    }

    fn alter_object(&mut self, alter: &AlterObject) {
        self.object(alter.kind, &alter.object);
    }

    fn object(&mut self, kind: ObjectKind, object: &ObjectReference) {
        match kind {
            ObjectKind::View | ObjectKind::MaterializedView => {
                let Some(view) = unseen_view(object.span) else { return };
                let of_kind = match kind {
                    ObjectKind::View => RelationKind::View(view),
                    _ => RelationKind::MaterializedView(view),
                };
                self.relation(&object.name, of_kind);
            }
            ObjectKind::ForeignTable => {
                self.relation(&object.name, RelationKind::ForeignTable);
            }
            ObjectKind::Sequence => {
                self.relation(&object.name, RelationKind::Sequence(plain_sequence()));
            }
            ObjectKind::Index => self.index(&object.name),
            ObjectKind::Type => self.user_type(&object.name, TypeDefinition::Base),
            ObjectKind::Domain => self.user_type(&object.name, unseen_domain(object.span)),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => self.routine(kind, object),
            ObjectKind::Schema if object.name.schema.is_none() => {
                let name = &object.name.name;
                if !self.schema.namespaces.contains_key(name) {
                    self.schema.namespaces.insert(name.clone(), Arc::new(Namespace::default()));
                    self.made.push(Assumed::Namespace(name.clone()));
                }
            }
            _ => {}
        }
    }

    fn user_type(&mut self, name: &ObjectName, definition: TypeDefinition) {
        let in_catalog = name.schema.is_none() && catalog::built_in_type(name.name.as_str()).is_some();
        if in_catalog || self.schema.find_type(&name.schema, &name.name, self.session).is_some() {
            return;
        }
        let id = TypeId(self.schema.next_id());
        let name = self.schema.qualify(name, self.session);
        let made = Type {
            id,
            name,
            definition,
            known: false,
            owner: None,
            privileges: crate::schema::List::default(),
            comment: None,
        };
        self.schema.insert_type(made);
        self.made.push(Assumed::Type(id));
    }

    fn routine(&mut self, kind: ObjectKind, object: &ObjectReference) {
        if self.schema.find_routines(&object.name, self.session).next().is_some() {
            return;
        }
        let arguments = object.arguments.iter().flatten().map(|data_type| Argument {
            mode: ArgumentMode::In,
            name: None,
            data_type: data_type.clone(),
            default: None,
        });
        let id = RoutineId(self.schema.next_id());
        let routine = Routine {
            id,
            name: self.schema.qualify(&object.name, self.session),
            seen: if object.arguments.is_some() { Seen::Arguments } else { Seen::Name },
            procedure: kind == ObjectKind::Procedure,
            arguments: arguments.collect(),
            returns: None,
            returns_table: Vec::new(),
            language: Name::from("sql"),
            volatility: Volatility::Volatile,
            strict: false,
            security_definer: false,
            settings: Vec::new(),
            may_change_schema: false,
            body: "".into(),
            code: crate::schema::Kept::default(),
            statements: Arc::from([]),
            atomic: false,
            uses: Vec::new(),
            owner: None,
            privileges: crate::schema::List::default(),
            comment: None,
        };
        self.schema.insert_routine(routine);
        self.made.push(Assumed::Routine(id));
    }

    /// What is revoked was granted.
    fn revoke(&mut self, grant: &Grant) {
        let GrantObjects::Named { kind: ObjectKind::Table, objects } = &grant.objects else { return };
        let mut revoked: Vec<Name> =
            grant.privileges.iter().filter(|(_, columns)| columns.is_empty()).map(|(name, _)| name.clone()).collect();
        if grant.privileges.is_empty() {
            revoked = ["select", "insert", "update", "delete"].into_iter().map(Name::from).collect();
        }
        for object in objects {
            let Some(id) = self.relation(&object.name, RelationKind::Table) else { continue };
            let Some(relation) = self.schema.edit(id).filter(|it| !it.known) else { continue };
            for grantee in &grant.grantees {
                for privilege in &revoked {
                    let held = Privilege {
                        grantee: grantee.name.clone(),
                        privilege: privilege.clone(),
                        column: None,
                        grantable: Default::default(),
                    };
                    if !relation.privileges.contains(&held) {
                        relation.privileges.push(held.clone());
                        self.made.push(Assumed::Privilege(id, held));
                    }
                }
            }
        }
    }
}

fn added_column(action: &AlterTableActionKind) -> Option<&Name> {
    match action {
        AlterTableActionKind::AddColumn { column, .. } => Some(&column.name.name),
        _ => None,
    }
}

fn unseen_domain(span: Span) -> TypeDefinition {
    let base = ColumnType::unknown(span);
    TypeDefinition::Domain(Domain {
        base,
        default: None,
        not_null: false,
        not_null_name: None,
        constraints: Vec::new(),
    })
}

/// A default of which nothing is known but that it is there.
fn unseen_expression(column: &Ident) -> Option<Expression> {
    let tree = Arc::new(ast::Expr::Identifier(ast::Ident::new("unknown")));
    Some(Expression { span: column.span, text: "unknown".into(), tree })
}

fn unseen_view(span: Span) -> Option<View> {
    let tree = Parser::new(&PostgreSqlDialect {}).try_with_sql("SELECT 1").ok()?.parse_query().ok()?;
    let query = Query { span, text: "SELECT 1".into(), tree: Arc::from(tree) };
    Some(View { query, uses: Vec::new(), routines: Vec::new(), types: Vec::new(), populated: true })
}
