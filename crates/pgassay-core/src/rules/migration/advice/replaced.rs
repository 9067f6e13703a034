//! ALTER TABLE that takes something away and puts something in its place: one command, so nobody sees the table without either.
//!
//! What takes long is built first, under another name; then one transaction takes away and puts in place; what it could not check is
//! validated after it.

use super::alter_table::{self, Group};
use super::column::{self, NewColumn};
use super::constraint;
use super::table::Table;
use super::type_change::{self, Way};
use crate::change::{
    AlterTable, AlterTableAction, AlterTableActionKind, ColumnDefinition, Constraint, ConstraintKind, Ident, Name,
};
use crate::finding::{Advice, FixStep};
use crate::schema;

const TOGETHER: &str =
    "What the statement takes away stays until the step that puts the new in its place: one transaction does both.";

/// What a statement takes away.
#[derive(Default)]
pub(super) struct Gone<'a> {
    pub constraints: Vec<&'a Name>,
    pub columns: Vec<&'a Name>,
    /// Columns that lose a default, an identity, an expression or NOT NULL.
    properties: Vec<&'a Name>,
}

impl<'a> Gone<'a> {
    pub fn of(groups: &[Group<'a>]) -> Gone<'a> {
        use AlterTableActionKind::*;
        let mut gone = Gone::default();
        for action in groups.iter().flat_map(|group| group.actions) {
            match &action.kind {
                DropConstraint { constraint, .. } => gone.constraints.push(&constraint.name),
                DropColumn { column, .. } => gone.columns.push(&column.name),
                DropDefault { column } | DropNotNull { column } => gone.properties.push(&column.name),
                DropIdentity { column, .. } | DropExpression { column, .. } => gone.properties.push(&column.name),
                _ => {}
            }
        }
        gone
    }

    pub fn is_empty(&self) -> bool {
        self.constraints.is_empty() && self.columns.is_empty() && self.properties.is_empty()
    }
}

/// The parts of the way, in the order in which they run.
#[derive(Default)]
struct Parts {
    /// Builds and proofs, under names that nobody uses.
    before: Vec<FixStep>,
    /// Actions that take away.
    away: Vec<String>,
    /// Statements that let new columns take the place of old ones.
    swap: Vec<String>,
    /// Actions that put in place.
    place: Vec<String>,
    /// Statements that give what was built before its name.
    names: Vec<String>,
    after: Vec<FixStep>,
}

impl Parts {
    fn steps(self, table: &Table) -> Vec<FixStep> {
        let alter = |actions: Vec<String>| format!("ALTER TABLE {} {};", table.name, actions.join(", "));
        let mut steps = self.before;
        let mut last: Vec<String> = Vec::new();
        if self.swap.is_empty() {
            let actions: Vec<String> = self.away.into_iter().chain(self.place).collect();
            last.extend((!actions.is_empty()).then(|| alter(actions)));
        } else {
            last.extend((!self.away.is_empty()).then(|| alter(self.away)));
            last.extend(self.swap);
            last.extend((!self.place.is_empty()).then(|| alter(self.place)));
        }
        last.extend(self.names);
        steps.extend((!last.is_empty()).then(|| FixStep::own(last.join("\n"))));
        steps.extend(self.after);
        steps
    }
}

/// The steps for the whole statement; the text is that of the part that is told.
pub(super) fn instead_of(table: &Table, alter: &AlterTable, groups: &[Group], gone: &Gone) -> Advice {
    let mut plan =
        Plan { table, alter, gone, swapped: swapped(groups), parts: Parts::default(), told: None, obstacle: None };
    for group in groups {
        plan.group(group);
    }
    let Plan { parts, told, obstacle, .. } = plan;
    let text = told.unwrap_or_default();
    match obstacle {
        Some(obstacle) => Advice::text(format!(
            "{obstacle} Keep it one command in a maintenance window, or give the new one another name and drop the old one when nobody uses it."
        )),
        None => Advice::steps(format!("{text} {TOGETHER}").trim_start(), parts.steps(table)),
    }
}

struct Plan<'a, 'g> {
    table: &'a Table<'a>,
    alter: &'a AlterTable,
    gone: &'a Gone<'g>,
    swapped: Vec<Name>,
    parts: Parts,
    told: Option<String>,
    /// Why there are no steps.
    obstacle: Option<String>,
}

impl Plan<'_, '_> {
    fn group(&mut self, group: &Group) {
        let Some(first) = group.actions.first() else { return };
        let text = self.table.context.text(first.span).to_owned();
        if takes_away(&first.kind) {
            return self.parts.away.push(text);
        }
        if !group.blocks && !group.causes {
            let waits = self.follows(first) || self.is_of_swapped(first);
            return if waits { self.parts.place.push(text) } else { self.plain(text) };
        }
        let told = match &first.kind {
            AlterTableActionKind::AddConstraint(added) => self.constraint(added),
            AlterTableActionKind::SetDataType { column, data_type, collation, using } => {
                let way =
                    type_change::way(self.table, column, data_type, collation.as_ref(), using.as_ref(), self.gone);
                self.swap(way)
            }
            AlterTableActionKind::AddColumn { column, .. } if self.gone.columns.contains(&&column.name.name) => {
                self.column_again(group.actions, column)
            }
            _ => {
                let advice = alter_table::replace(self.table, self.alter, group.actions);
                if advice.steps.is_empty() {
                    self.obstacle.get_or_insert(advice.text.clone());
                }
                let when = match self.is_of_swapped(first) {
                    true => &mut self.parts.after,
                    false => &mut self.parts.before,
                };
                when.extend(advice.steps);
                advice.text
            }
        };
        if group.causes || self.told.is_none() {
            self.told = Some(told);
        }
    }

    /// Neither blocks nor depends on what is taken away.
    fn plain(&mut self, text: String) {
        self.parts.before.push(FixStep::own(format!("ALTER TABLE {} {text};", self.table.name)));
    }

    /// Whether an action is on a column whose place another one takes: it is meant for that one.
    fn is_of_swapped(&self, action: &AlterTableAction) -> bool {
        use AlterTableActionKind::*;
        match &action.kind {
            SetNotNull { column }
            | SetDefault { column, .. }
            | AddIdentity { column, .. }
            | SetIdentity { column, .. }
            | SetStatistics { column, .. }
            | SetColumnOptions { column, .. }
            | SetStorage { column, .. }
            | SetCompression { column, .. } => self.swapped.contains(&column.name),
            _ => false,
        }
    }

    /// Whether an action can only run once something is gone.
    fn follows(&self, action: &AlterTableAction) -> bool {
        use AlterTableActionKind::*;
        match &action.kind {
            AddConstraint(_) => !self.gone.constraints.is_empty(),
            AddColumn { column, .. } => self.gone.columns.contains(&&column.name.name),
            SetDefault { column, .. } | AddIdentity { column, .. } | SetNotNull { column } => {
                self.gone.properties.contains(&&column.name)
            }
            _ => false,
        }
    }

    fn constraint(&mut self, added: &Constraint) -> String {
        let columns = key_columns(added);
        let again = columns.iter().find(|it| self.gone.columns.contains(&&it.name) || self.swapped.contains(&it.name));
        if let Some(column) = again {
            self.obstacle = Some(format!("The column {column} is new by the same statement that builds its key."));
            return String::new();
        }
        let beside_old = match &added.kind {
            ConstraintKind::Check(expression) => {
                let mut changed = self.gone.columns.iter().copied().chain(&self.swapped);
                !changed.any(|column| type_change::mentions(expression, column))
            }
            _ => true,
        };
        match constraint::parts(self.table, self.alter, added, beside_old) {
            Some(parts) => {
                self.parts.before.extend(parts.before);
                self.parts.place.extend(parts.action);
                self.parts.names.extend(parts.renames);
                self.parts.after.extend(parts.after);
                parts.text.to_owned()
            }
            None => {
                self.obstacle = Some(format!(
                    "The new constraint {} cannot be built beside the one that it replaces.",
                    self.table.constraint_name(self.alter, added)
                ));
                String::new()
            }
        }
    }

    fn swap(&mut self, way: Result<Way, Advice>) -> String {
        match way {
            // Each would copy an index over both for itself.
            Ok(_) if !self.parts.swap.is_empty() => {
                self.obstacle = Some("The statement changes two columns and takes something away.".to_owned());
                String::new()
            }
            Ok(way) => {
                self.parts.before.extend(way.before);
                self.parts.swap.extend(way.swap);
                self.parts.after.extend(way.after);
                way.text
            }
            Err(advice) => {
                self.obstacle = Some(advice.text);
                String::new()
            }
        }
    }

    /// DROP COLUMN and ADD COLUMN of one name: the new column is filled under another.
    fn column_again(&mut self, group: &[AlterTableAction], definition: &ColumnDefinition) -> String {
        let name = &definition.name.name;
        if group.len() > 1 || definition.generated.is_some() || definition.identity.is_some() {
            self.obstacle =
                Some(format!("The new {name} cannot be filled beside the old one with all that is written on it."));
            return String::new();
        }
        let new = self.table.free_column(name, "new");
        let beside =
            ColumnDefinition { name: Ident { name: new.clone(), ..definition.name.clone() }, ..definition.clone() };
        let kind = AlterTableActionKind::AddColumn { column: beside.clone(), if_not_exists: false };
        let alter = AlterTable {
            actions: group.iter().map(|action| AlterTableAction { kind: kind.clone(), ..action.clone() }).collect(),
            ..self.alter.clone()
        };
        let made =
            column::add(&NewColumn { table: self.table, alter: &alter, definition: &beside, constraints: Vec::new() });
        if made.steps.is_empty() {
            self.obstacle = Some(made.text);
            return String::new();
        }
        self.parts.before.extend(made.steps);
        // The old column goes with what else is taken away.
        self.parts.swap.push(format!("ALTER TABLE {} RENAME COLUMN {new} TO {name};", self.table.name));
        self.parts.swap.extend(self.not_null_name(name, &new));
        format!("Fill the new {name} under another name before it takes the old one's place. {}", made.text)
    }

    /// 18 names NOT NULL constraints, here after a column whose name was for the time being.
    fn not_null_name(&self, name: &Name, new: &Name) -> Option<String> {
        if !self.table.version.at_least(18) {
            return None;
        }
        let after = self.table.after?;
        let id = after.column(name)?.id;
        let kind = schema::ConstraintKind::NotNull(id);
        let made = &after.constraints.iter().find(|it| it.kind == kind)?.name;
        let helper = self.table.free_constraint(new, "not_null");
        (helper != *made).then(|| format!("ALTER TABLE {} RENAME CONSTRAINT {helper} TO {made};", self.table.name))
    }
}

/// The default of a column that changes its type goes to the new column, and a key that is dropped and added alike stays.
pub(super) fn carried_by_swap(table: &Table, alter: &AlterTable, swapped: &[Name], action: &AlterTableAction) -> bool {
    use AlterTableActionKind::*;
    let again = |name: &Name| same_again(table, alter, swapped, name);
    match &action.kind {
        SetDefault { column, .. } | DropDefault { column } => swapped.contains(&column.name),
        DropConstraint { constraint, .. } => again(&constraint.name),
        AddConstraint(added) => added.name.as_ref().is_some_and(|name| again(&name.name)),
        _ => false,
    }
}

/// Columns whose type changes by a rewrite: another column takes their place.
pub(super) fn swapped(groups: &[Group]) -> Vec<Name> {
    let heavy = groups.iter().filter(|group| group.blocks || group.causes);
    let types = heavy.flat_map(|group| group.actions).filter_map(|action| match &action.kind {
        AlterTableActionKind::SetDataType { column, .. } => Some(column.name.clone()),
        _ => None,
    });
    types.collect()
}

/// Dropped and added as it was, because a column of it changes its type.
fn same_again(table: &Table, alter: &AlterTable, swapped: &[Name], name: &Name) -> bool {
    let dropped = alter.actions.iter().any(
        |action| matches!(&action.kind, AlterTableActionKind::DropConstraint { constraint, .. } if constraint.name == *name),
    );
    dropped
        && alter.actions.iter().any(|action| match &action.kind {
            AlterTableActionKind::AddConstraint(added) => {
                added.name.as_ref().is_some_and(|it| it.name == *name)
                    && key_columns(added).iter().any(|column| swapped.contains(&column.name))
                    && is_like(table, name, added)
            }
            _ => false,
        })
}

fn takes_away(kind: &AlterTableActionKind) -> bool {
    use AlterTableActionKind::*;
    matches!(
        kind,
        DropColumn { .. }
            | DropConstraint { .. }
            | DropDefault { .. }
            | DropNotNull { .. }
            | DropIdentity { .. }
            | DropExpression { .. }
    )
}

fn key_columns(added: &Constraint) -> &[Ident] {
    match &added.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => &key.columns,
        ConstraintKind::ForeignKey(key) => &key.columns,
        _ => &[],
    }
}

/// Whether the table's constraint is the key that is added.
fn is_like(table: &Table, name: &Name, added: &Constraint) -> bool {
    let Some(relation) = table.relation else { return false };
    let Some(old) = relation.constraint(name) else { return false };
    let columns = match (&old.kind, &added.kind) {
        (schema::ConstraintKind::PrimaryKey { columns, .. }, ConstraintKind::PrimaryKey(key))
        | (schema::ConstraintKind::Unique { columns, .. }, ConstraintKind::Unique(key))
            if key.include.is_empty() && key.storage.is_empty() && !key.nulls_not_distinct =>
        {
            columns
        }
        _ => return false,
    };
    let names = columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| &column.name);
    names.eq(key_columns(added).iter().map(|column| &column.name))
        && (old.deferrable, old.initially_deferred) == (added.deferrable, added.initially_deferred)
}
