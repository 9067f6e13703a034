//! Where every object of a schema is defined: the statement, column or constraint of the text that made it.
//!
//! In: the schema before and after a statement, and the statement. Out: [`Places`], a map from objects to spans. An object that a
//! rollback undid keeps its place; nobody asks for it, and whatever takes its id next takes the place too.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use crate::change::{
    AlterTableActionKind, Change, ColumnDefinition, Constraint as AddedConstraint, ConstraintKind as AddedKind, Ident,
    Name,
};
use crate::contract::Subject;
use crate::schema::{ColumnId, Constraint, ConstraintKind, Relation, RelationId, Routine, Schema, Session};
use crate::source::Span;

/// The places of relations, columns, constraints and routines. Costs next to nothing to copy.
#[derive(Debug, Clone, Default)]
pub struct Places {
    defined: OrdMap<Subject, Span>,
    changed: OrdMap<RelationId, Span>,
    granted: OrdMap<RelationId, Span>,
    types: OrdMap<(RelationId, ColumnId), Span>,
}

impl Places {
    /// Where an object is defined; for a part that is not followed by itself, its relation's place.
    pub fn of(&self, subject: &Subject) -> Option<Span> {
        let whole = || match subject {
            Subject::Column(id, _) | Subject::Part(id, _) => self.defined.get(&Subject::Relation(*id)).copied(),
            _ => None,
        };
        self.defined.get(subject).copied().or_else(whole)
    }

    /// Where a column's type is written.
    pub fn type_of(&self, table: RelationId, column: ColumnId) -> Option<Span> {
        self.types.get(&(table, column)).copied()
    }

    /// The last statement that changed a relation.
    pub fn last_change(&self, id: RelationId) -> Option<Span> {
        self.changed.get(&id).copied()
    }

    /// The last statement that changed a relation's privileges.
    pub fn last_grant(&self, id: RelationId) -> Option<Span> {
        self.granted.get(&id).copied()
    }

    /// Notes what a statement made and changed.
    pub fn record(&mut self, before: &Schema, after: &Schema, change: &Change, statement: Span) {
        let parts = Parts::of(change);
        for item in before.relations.diff(&after.relations) {
            match item {
                DiffItem::Add(_, new) => self.relation(None, new, &parts, statement),
                DiffItem::Update { old: (_, old), new: (_, new) } => self.relation(Some(old), new, &parts, statement),
                DiffItem::Remove(..) => {}
            }
        }
        for item in before.routines.diff(&after.routines) {
            let (id, changed) = match item {
                DiffItem::Add(id, _) => (id, true),
                DiffItem::Update { old: (_, old), new: (id, new) } => (id, !is_same_but_for_owner(old, new)),
                DiffItem::Remove(..) => continue,
            };
            if changed {
                self.defined.insert(Subject::Routine(*id), parts.name.unwrap_or(statement));
            }
        }
        for item in before.namespaces.diff(&after.namespaces) {
            let (name, changed) = match item {
                DiffItem::Add(name, _) => (name, true),
                DiffItem::Update { old: (_, old), new: (name, new) } => (name, old.privileges != new.privileges),
                DiffItem::Remove(..) => continue,
            };
            if changed {
                self.defined.insert(Subject::Schema(name.clone()), statement);
            }
        }
    }

    /// As [`Places::record`], of what was kept before the statement.
    pub fn record_since(&mut self, before: &Before, after: &Schema, change: &Change, statement: Span) {
        let (newest, altered) = match before {
            Before::Whole(before) => return self.record(before, after, change, statement),
            Before::Additions { newest, altered } => (newest, altered),
        };
        let parts = Parts::of(change);
        if let Some(old) = altered
            && let Some(new) = after.relation(old.id)
        {
            self.relation(Some(old), new, &parts, statement);
        }
        // A table comes before its indexes, whose places are those of its constraints.
        let behind = newest.map_or(Bound::Unbounded, Bound::Excluded);
        for (_, new) in after.relations.range((behind, Bound::Unbounded)) {
            self.relation(None, new, &parts, statement);
        }
    }

    fn relation(&mut self, old: Option<&Relation>, new: &Relation, parts: &Parts, statement: Span) {
        self.changed.insert(new.id, statement);
        if old.is_none() {
            let place = match new.as_index() {
                Some(index) => {
                    let of_constraint = index.constraint.as_ref().map(|name| Subject::Part(index.table, name.clone()));
                    of_constraint.and_then(|subject| self.defined.get(&subject).copied())
                }
                None => parts.name,
            };
            self.defined.insert(Subject::Relation(new.id), place.unwrap_or(statement));
        }
        let mut columns = InOrder::of(old.into_iter().flat_map(|old| &old.columns));
        for column in &new.columns {
            let before = columns.find(|it| it.id == column.id);
            if before.is_none_or(|before| before.data_type != column.data_type) {
                let part = parts.column(&column.name);
                self.defined.insert(Subject::Column(new.id, column.id), part.map_or(statement, |part| part.span));
                if let Some(written) = part.and_then(|part| part.data_type) {
                    self.types.insert((new.id, column.id), written);
                }
            }
        }
        let mut constraints = InOrder::of(old.into_iter().flat_map(|old| &old.constraints));
        for constraint in &new.constraints {
            if constraints.find(|it| it.name == constraint.name).is_none() {
                let place = parts.constraint(new, constraint).unwrap_or(statement);
                self.defined.insert(Subject::Part(new.id, constraint.name.clone()), place);
            }
        }
        if old.map_or(!new.privileges.is_empty(), |old| old.privileges != new.privileges) {
            self.granted.insert(new.id, statement);
        }
    }
}

/// Parts that are asked for in about the order in which they are: each is found where the last one ended.
struct InOrder<'a, T> {
    all: Vec<&'a T>,
    next: usize,
}

impl<'a, T> InOrder<'a, T> {
    fn of(all: impl Iterator<Item = &'a T>) -> InOrder<'a, T> {
        InOrder { all: all.collect(), next: 0 }
    }

    fn find(&mut self, is: impl Fn(&T) -> bool) -> Option<&'a T> {
        let (passed, rest) = self.all.split_at(self.next);
        match rest.iter().position(|part| is(part)) {
            Some(at) => {
                self.next += at + 1;
                rest.get(at).copied()
            }
            None => passed.iter().copied().find(|part| is(part)),
        }
    }
}

/// What has to be kept of the schema before a statement, to tell afterwards what the statement made.
pub enum Before {
    Whole(Box<Schema>),
    /// The statement only adds: a schema that is kept would make every change a copy.
    Additions {
        newest: Option<RelationId>,
        /// The table that gets a constraint.
        altered: Option<Arc<Relation>>,
    },
}

impl Before {
    pub fn of(schema: &Schema, change: &Change, session: &Session) -> Before {
        let whole = || Before::Whole(Box::new(schema.clone()));
        let altered = match change {
            Change::CreateTable(_) | Change::CreateIndex(_) | Change::Comment(_) => None,
            Change::AlterTable(alter) if alter.actions.iter().all(|action| only_adds(&action.kind)) => {
                match schema.find_relation(&alter.relation, session) {
                    // What a parent gets, its children get too.
                    Some(table) if !table.children.is_empty() => return whole(),
                    table => table.cloned(),
                }
            }
            _ => return whole(),
        };
        Before::Additions { newest: schema.relations.get_max().map(|(id, _)| *id), altered }
    }
}

/// Takes and changes nothing that has a place.
fn only_adds(action: &AlterTableActionKind) -> bool {
    matches!(action, AlterTableActionKind::AddConstraint(_) | AlterTableActionKind::OwnerTo { .. })
}

/// Whose a routine is, and who may call it, is not what it does.
fn is_same_but_for_owner(old: &Routine, new: &Routine) -> bool {
    let ownerless =
        |routine: &Routine| Routine { owner: None, privileges: crate::schema::List::default(), ..routine.clone() };
    ownerless(old) == ownerless(new)
}

/// The parts of a statement that define something.
#[derive(Default)]
struct Parts<'c> {
    name: Option<Span>,
    columns: Vec<ColumnPart<'c>>,
    constraints: Vec<&'c AddedConstraint>,
}

/// A column that is defined, or whose type is.
struct ColumnPart<'c> {
    name: &'c Name,
    span: Span,
    data_type: Option<Span>,
}

impl<'c> ColumnPart<'c> {
    fn of(column: &'c ColumnDefinition) -> ColumnPart<'c> {
        let data_type = column.data_type.as_ref().map(|data_type| data_type.span);
        ColumnPart { name: &column.name.name, span: column.span, data_type }
    }
}

impl<'c> Parts<'c> {
    fn of(change: &'c Change) -> Parts<'c> {
        match change {
            Change::CreateTable(create) => Parts {
                name: Some(create.name.span),
                columns: create.columns.iter().map(ColumnPart::of).collect(),
                constraints: create.constraints.iter().collect(),
            },
            Change::CreateTableAs(create) => Parts { name: Some(create.name.span), ..Parts::default() },
            Change::CreateRoutine(create) => Parts { name: Some(create.name.span), ..Parts::default() },
            Change::AlterTable(alter) => {
                let mut parts = Parts::default();
                for action in &alter.actions {
                    match &action.kind {
                        AlterTableActionKind::AddColumn { column, .. } => {
                            parts.columns.push(ColumnPart::of(column));
                        }
                        AlterTableActionKind::SetDataType { column, data_type, .. } => {
                            let data_type = Some(data_type.span);
                            parts.columns.push(ColumnPart { name: &column.name, span: action.span, data_type });
                        }
                        AlterTableActionKind::AddConstraint(constraint) => parts.constraints.push(constraint),
                        _ => {}
                    }
                }
                parts
            }
            _ => Parts::default(),
        }
    }

    fn column(&self, name: &Name) -> Option<&ColumnPart<'c>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// By name, where it was written; else the first unnamed one that makes such a constraint.
    fn constraint(&self, table: &Relation, made: &Constraint) -> Option<Span> {
        let named = self.constraints.iter().find(|it| it.name.as_ref().is_some_and(|name| name.name == made.name));
        let unnamed = || self.constraints.iter().find(|it| it.name.is_none() && makes(it, table, &made.kind));
        named.or_else(unnamed).map(|constraint| constraint.span)
    }
}

fn makes(added: &AddedConstraint, table: &Relation, made: &ConstraintKind) -> bool {
    let same = |idents: &[Ident], ids: &[ColumnId]| {
        idents.len() == ids.len()
            && idents.iter().zip(ids).all(|(ident, id)| table.column(&ident.name).is_some_and(|it| it.id == *id))
    };
    match (&added.kind, made) {
        (AddedKind::NotNull(column), ConstraintKind::NotNull(id)) => same(std::slice::from_ref(column), &[*id]),
        (AddedKind::Check(one), ConstraintKind::Check { expression, .. }) => one.text == expression.text,
        (AddedKind::Unique(key), ConstraintKind::Unique { columns, .. })
        | (AddedKind::PrimaryKey(key), ConstraintKind::PrimaryKey { columns, .. }) => same(&key.columns, columns),
        (AddedKind::ForeignKey(key), ConstraintKind::ForeignKey(made)) => same(&key.columns, &made.columns),
        (AddedKind::Exclude { .. }, ConstraintKind::Exclude { .. }) => true,
        _ => false,
    }
}
