//! The table that a statement alters: its printed name, what it looks like before and after, and free names on it.

use crate::change::{
    AlterTable, AlterTableActionKind, Constraint, ConstraintKind, Ident, Name, ObjectName, QualifiedName, TriggerTiming,
};
use crate::finding::{FixStep, Walk};
use crate::rules::context::StepContext;
use crate::schema::{self, Column, Relation, Schema, make_object_name};
use crate::version::PgVersion;

pub(super) struct Table<'r> {
    pub context: StepContext<'r>,
    /// As SQL.
    pub name: String,
    pub base: Name,
    pub relation: Option<&'r Relation>,
    /// The table when the statement has run, which knows the names that the server makes up.
    pub after: Option<&'r Relation>,
    pub version: PgVersion,
}

impl<'r> Table<'r> {
    pub fn new(context: &StepContext<'r>, written: &ObjectName) -> Table<'r> {
        let step = context.step;
        let found = step.schema.find_relation(written, &step.session).map(|relation| &**relation);
        let after = found.and_then(|found| schema_after(context).relation(found.id)).map(|relation| &**relation);
        Table {
            context: *context,
            name: print_relation(context, written),
            base: written.name.clone(),
            relation: found,
            after,
            version: context.run.version,
        }
    }

    pub fn schema(&self) -> &'r Schema {
        &self.context.step.schema
    }

    pub fn is_partitioned(&self) -> bool {
        self.relation.is_some_and(Relation::is_partitioned)
    }

    /// A column of the table before the statement.
    pub fn column(&self, name: &Name) -> Option<&'r Column> {
        self.relation.and_then(|relation| relation.column(name))
    }

    /// The schema that helpers of the table go to, with its dot; nothing where it is not known.
    pub fn prefix(&self) -> String {
        self.name.strip_suffix(&self.base.to_string()).unwrap_or_default().to_owned()
    }

    /// A name in the table's schema, as SQL.
    pub fn beside(&self, name: &Name) -> String {
        format!("{}{name}", self.prefix())
    }

    /// A name for a constraint made of the table's, a column's and a word, that no constraint has.
    pub fn free_constraint(&self, column: &Name, word: &str) -> Name {
        let taken = |name: &Name| {
            [self.relation, self.after].into_iter().flatten().any(|table| table.constraint(name).is_some())
        };
        self.free(column, word, taken)
    }

    /// A name for a relation, function or trigger made likewise.
    pub fn free_object(&self, column: &Name, word: &str) -> Name {
        let Some(table) = self.relation else { return self.free(column, word, |_| false) };
        let schema = schema_after(&self.context);
        self.free(column, word, |name| {
            let name = QualifiedName { schema: table.name.schema.clone(), name: name.clone() };
            schema.relation_at(&name).is_some() || schema.routines_at(&name).next().is_some()
        })
    }

    /// A name for a BEFORE trigger that fires after all that are there: they fire in the order of their names, and what they write is
    /// what it has to see.
    pub fn last_trigger(&self, usual: &Name) -> Name {
        let Some(table) = self.relation else { return usual.clone() };
        let below = self.schema().children_closure(table.id);
        let tables = below.iter().filter_map(|id| self.schema().relation(*id)).chain(self.schema().relation(table.id));
        let before = tables
            .flat_map(|table| &table.triggers)
            .filter(|trigger| trigger.for_each_row && trigger.timing == TriggerTiming::Before);
        let Some(last) = before.map(|trigger| trigger.name.as_str()).max() else { return usual.clone() };
        let prefixed = format!("zz_{}", usual.as_str());
        let mut fitting =
            [usual.as_str().to_owned(), prefixed].into_iter().filter(|name| name.as_str() > last && name.len() < 64);
        Name::new(&fitting.next().unwrap_or_else(|| format!("{last}_")))
    }

    /// A name for an index that is to become this constraint's: the constraint's own, unless a relation has it.
    pub fn free_relation(&self, name: &Name) -> Name {
        let taken = |name: &Name| {
            let schema = self.relation.map(|table| table.name.schema.clone());
            schema.is_some_and(|schema| {
                self.schema().relation_at(&QualifiedName { schema, name: name.clone() }).is_some()
            })
        };
        let mut found = name.clone();
        let mut number = 0;
        while taken(&found) && number < 1000 {
            let word = if number == 0 { "new".to_owned() } else { format!("new{number}") };
            found = make_object_name(name.as_str(), None, &word);
            number += 1;
        }
        found
    }

    fn free(&self, column: &Name, word: &str, taken: impl Fn(&Name) -> bool) -> Name {
        let mut name = make_object_name(self.base.as_str(), Some(column.as_str()), word);
        let mut number = 0;
        while taken(&name) && number < 1000 {
            number += 1;
            name = make_object_name(self.base.as_str(), Some(column.as_str()), &format!("{word}{number}"));
        }
        name
    }

    /// A name for a new column.
    pub fn free_column(&self, column: &Name, word: &str) -> Name {
        let mut name = make_object_name(column.as_str(), None, word);
        while self.column(&name).is_some() && name.as_str().len() < 63 {
            name = make_object_name(name.as_str(), None, word);
        }
        name
    }

    /// A batch of a backfill: repeated until it changes no row. The condition stands twice, because a row may have changed since the
    /// inner query saw it, and because a ctid says nothing of the partition.
    pub fn batch(&self, column: &Name, value: &str, condition: &str) -> FixStep {
        let Table { name, .. } = self;
        let key = self.single_key();
        let (key, order) = match &key {
            Some(key) => (key.to_string(), format!(" ORDER BY {key}")),
            None => ("ctid".to_owned(), String::new()),
        };
        let change = format!("UPDATE {name} SET {column} = {value} WHERE {condition}");
        let step = FixStep::batch(format!(
            "{change} AND {key} IN (SELECT {key} FROM {name} WHERE {condition}{order} LIMIT 5000);"
        ));
        FixStep { walk: self.walk(change), ..step }
    }

    fn walk(&self, change: String) -> Option<Walk> {
        let relation = self.relation.filter(|relation| relation.known)?;
        let key: Vec<String> = match relation.primary_key().map(|it| &it.kind) {
            Some(schema::ConstraintKind::PrimaryKey { columns, .. }) => {
                columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|it| it.name.to_string()).collect()
            }
            _ => Vec::new(),
        };
        // Pages are those of one table.
        let is_one = relation.has_storage() && relation.children.is_empty();
        (!key.is_empty() || is_one).then(|| Walk { table: self.name.clone(), change, key, row: None })
    }

    /// The column of a primary key of one column.
    fn single_key(&self) -> Option<&'r Name> {
        let schema::ConstraintKind::PrimaryKey { columns, .. } = &self.relation?.primary_key()?.kind else {
            return None;
        };
        let [only] = columns.as_slice() else { return None };
        self.relation?.column_by_id(*only).map(|column| &column.name)
    }

    /// The name a constraint of the statement has: as written, else the one that the server makes up.
    pub fn constraint_name(&self, alter: &AlterTable, constraint: &Constraint) -> Name {
        if let Some(written) = &constraint.name {
            return written.name.clone();
        }
        let unnamed = alter.actions.iter().filter_map(|action| match &action.kind {
            AlterTableActionKind::AddConstraint(other) if other.name.is_none() && same_kind(other, constraint) => {
                Some(other)
            }
            _ => None,
        });
        let position = unnamed.clone().position(|other| other.span == constraint.span).unwrap_or(0);
        let written = |name: &Name| {
            alter.actions.iter().any(|action| {
                matches!(&action.kind, AlterTableActionKind::AddConstraint(other) if other.name.as_ref().is_some_and(|it| it.name == *name))
            })
        };
        let made = self.after.into_iter().flat_map(|after| &after.constraints).filter(|made| {
            self.relation.is_none_or(|before| before.constraint(&made.name).is_none())
                && made.kind.is_made_by(&constraint.kind)
                && !written(&made.name)
        });
        let mut made: Vec<&Name> = made.map(|made| &made.name).collect();
        if made.len() != unnamed.count() {
            made.clear();
        }
        made.get(position).map_or_else(|| self.usual_name(constraint), |name| (*name).clone())
    }

    fn usual_name(&self, constraint: &Constraint) -> Name {
        let joined =
            |columns: &[Ident]| columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join("_");
        let name = |columns: Option<&str>, label: &str| make_object_name(self.base.as_str(), columns, label);
        match &constraint.kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::UsingIndex { .. } => name(None, "pkey"),
            ConstraintKind::Unique(key) => name(Some(&joined(&key.columns)), "key"),
            ConstraintKind::ForeignKey(key) => name(Some(&joined(&key.columns)), "fkey"),
            ConstraintKind::NotNull(column) => name(Some(column.name.as_str()), "not_null"),
            ConstraintKind::Check(_) => name(None, "check"),
            ConstraintKind::Exclude { .. } => name(None, "excl"),
        }
    }
}

fn same_kind(a: &Constraint, b: &Constraint) -> bool {
    std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind)
}

impl schema::ConstraintKind {
    pub(super) fn is_made_by(&self, written: &ConstraintKind) -> bool {
        use schema::ConstraintKind as Made;
        matches!(
            (self, written),
            (Made::Check { .. }, ConstraintKind::Check(_))
                | (Made::NotNull(_), ConstraintKind::NotNull(_))
                | (Made::Unique { .. }, ConstraintKind::Unique(_))
                | (Made::PrimaryKey { .. }, ConstraintKind::PrimaryKey(_))
                | (Made::ForeignKey(_), ConstraintKind::ForeignKey(_))
                | (Made::Exclude { .. }, ConstraintKind::Exclude { .. })
        )
    }
}

/// The schema when the statement has run.
pub(super) fn schema_after<'r>(context: &StepContext<'r>) -> &'r Schema {
    context.run.steps.get(context.index + 1).map_or(&context.run.after, |next| &next.schema)
}

/// With its schema where it is known; in a partial history, as written.
pub(super) fn print_relation(context: &StepContext, written: &ObjectName) -> String {
    match context.step.schema.find_relation(written, &context.step.session) {
        Some(found) if found.known => found.name.to_string(),
        _ if context.step.schema.complete => context.step.schema.qualify(written, &context.step.session).to_string(),
        _ => written.to_string(),
    }
}
