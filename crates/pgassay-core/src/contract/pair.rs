//! A relation before, and the one that clients find under its name after.

use super::{Context, Subject};
use crate::change::{Expression, Name, PrintedName};
use crate::schema::{Column, ColumnId, Relation, rename_column};

#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub context: &'a Context<'a>,
    pub old: &'a Relation,
    pub new: &'a Relation,
}

impl<'a> Pair<'a> {
    /// Not another object that took over the name.
    pub fn same(&self) -> bool {
        self.old.id == self.new.id
    }

    /// The column after the migration that the old column's name reaches.
    pub fn by_name(&self, column: &Column) -> Option<&'a Column> {
        self.new.column(&column.name)
    }

    /// Where the old column's values are now: under its name, else under the name it was given.
    pub fn successor(&self, id: ColumnId) -> Option<&'a Column> {
        let old = self.old.column_by_id(id)?;
        self.new.column(&old.name).or_else(|| self.new.column_by_id(id).filter(|_| self.same()))
    }

    /// The column before the migration whose values a column after it holds; `None` for a new column.
    pub fn origin(&self, id: ColumnId) -> Option<&'a Column> {
        let new = self.new.column_by_id(id)?;
        self.old.column(&new.name).or_else(|| self.old.column_by_id(id).filter(|_| self.same()))
    }

    /// What the old column's name is in the schema after, for comparing expressions.
    pub fn new_name(&self, old: &str) -> Option<Name> {
        let id = self.old.column(&Name::from(old))?.id;
        self.successor(id).map(|column| column.name.clone())
    }

    /// Whether an expression of the table says the same, columns by the names that they have now.
    pub fn same_expression(&self, old: Option<&Expression>, new: Option<&Expression>) -> bool {
        let (old, new) = match (old, new) {
            (None, None) => return true,
            (Some(old), Some(new)) => (old, new),
            _ => return false,
        };
        let renamed = self.old.columns.iter().filter_map(|column| {
            let now = self.new.column_by_id(column.id).filter(|_| self.same())?;
            (now.name != column.name).then_some((&column.name, &now.name))
        });
        let mut expression = old.clone();
        for (before, now) in renamed {
            expression = rename_column(&expression, before, now);
        }
        expression == *new || expression.tree.to_string() == new.tree.to_string()
    }

    pub fn column_subject(&self, column: &Column) -> Subject {
        if self.same() { Subject::Column(self.old.id, column.id) } else { Subject::Relation(self.new.id) }
    }

    pub fn part_subject(&self, name: &Name) -> Subject {
        Subject::Part(self.new.id, name.clone())
    }

    pub fn column_object(&self, column: &Column) -> PrintedName {
        PrintedName::part(&self.old.name, &column.name)
    }
}
