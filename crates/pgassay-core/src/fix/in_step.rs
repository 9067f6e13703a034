//! A column that an UPDATE of the migration fills from another one, which goes once code does without it: running code writes the other
//! one until then, so a trigger fills the new one as the UPDATE does, and goes in the deploy that drops what it reads.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{AssignmentTarget, Expr, Statement, TableFactor, Value};

use super::items::{Item, Placed};
use super::refill::changes_of_step;
use crate::change::{AlterTableActionKind, Change, ColumnDefinition, Name, ObjectName, TypeName, Update};
use crate::finding::FixStep;
use crate::schema::make_object_name;
use crate::walk::visit_expressions;

/// Puts a trigger before each UPDATE that reads a column of its table which waits to be dropped, and takes it away where that is. What
/// reads such a column in another way is why the migration cannot be taken apart.
pub(super) fn keep(
    items: &mut Vec<Placed<'_>>,
    changes: &[Option<Change>],
    text: impl Fn(usize) -> String,
) -> Result<(), String> {
    let mut made: Vec<Trigger> = Vec::new();
    for at in 0..items.len() {
        let Some(Placed { item: Item::Steps(_, steps), .. }) = items.get(at) else { continue };
        let Some((step, table, column)) = waiting_drop(steps) else { continue };
        let before: BTreeSet<usize> = items.get(..at).unwrap_or_default().iter().map(|it| it.record).collect();
        let is_made = |record: &usize| made.iter().any(|trigger| trigger.record == *record);
        let readers = before.into_iter().filter(|it| reads(changes.get(*it), &table, &column) && !is_made(it));
        let triggers: Option<Vec<Trigger>> =
            readers.map(|reader| Trigger::of(reader, changes, &table, &text(reader))).collect();
        let triggers = triggers.ok_or_else(|| {
            format!(
                "what running code writes to {column} after it was read here would be lost: keep both in step by hand"
            )
        })?;
        if let Some(Placed { item: Item::Steps(_, steps), .. }) = items.get_mut(at) {
            *steps = with_removal(steps, step, &triggers).into();
        }
        made.extend(triggers);
    }
    for trigger in made {
        if let Some(at) = items.iter().position(|it| it.record == trigger.record) {
            items.insert(at, Placed { record: trigger.record, item: Item::Steps(String::new(), trigger.make.into()) });
        }
    }
    Ok(())
}

/// The first step that drops a column in a later deploy.
fn waiting_drop(steps: &[FixStep]) -> Option<(usize, ObjectName, Name)> {
    let first = steps.iter().position(|step| step.code_before.is_some())?;
    steps.iter().enumerate().skip(first).find_map(|(at, step)| {
        changes_of_step(&step.sql).into_iter().find_map(|change| {
            let Change::AlterTable(alter) = change else { return None };
            let dropped = alter.actions.iter().find_map(|action| match &action.kind {
                AlterTableActionKind::DropColumn { column, .. } => Some(column.name.clone()),
                _ => None,
            })?;
            Some((at, alter.relation.clone(), dropped))
        })
    })
}

/// The steps with the triggers gone at the beginning of the deploy that drops what they read.
fn with_removal(steps: &[FixStep], drop: usize, triggers: &[Trigger]) -> Vec<FixStep> {
    let deploy = (0..=drop).rev().find(|at| steps[*at].code_before.is_some()).unwrap_or(drop);
    let mut new = steps.to_vec();
    let code = new[deploy].code_before.take();
    let gone: Vec<FixStep> = triggers.iter().flat_map(|trigger| trigger.remove.iter().cloned()).collect();
    new.splice(deploy..deploy, gone);
    new[deploy].code_before = code;
    new
}

/// Whether a statement takes values from a column of a table into another place.
fn reads(change: Option<&Option<Change>>, table: &ObjectName, column: &Name) -> bool {
    let Some(Some(change)) = change else { return false };
    let (tree, uses, own) = match change {
        Change::Update(update) if update.columns.iter().all(|it| it.name == *column) => return false,
        Change::Update(update) => (&update.tree, &update.uses, Some(&update.table)),
        Change::Insert(insert) => (&insert.tree, &insert.uses, None),
        Change::Merge(merge) => (&merge.tree, &merge.uses, Some(&merge.table)),
        _ => return false,
    };
    let is_named = own.is_some_and(|own| is_one(own, table)) || uses.iter().any(|it| is_one(&it.relation, table));
    is_named && columns_in(&*tree.0).contains(column)
}

/// The last parts of all names in a tree.
fn columns_in(tree: &impl sqlparser::ast::Visit) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let _ = visit_expressions(tree, |node| {
        match node {
            Expr::Identifier(ident) => drop(found.insert(Name::of_ident(ident))),
            Expr::CompoundIdentifier(path) => found.extend(path.last().map(Name::of_ident)),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// What fills a row as an UPDATE does.
struct Trigger {
    /// The UPDATE.
    record: usize,
    make: Vec<FixStep>,
    remove: Vec<FixStep>,
}

impl Trigger {
    /// Of an UPDATE that sets columns of a row from others of the same row; `None` of any other.
    fn of(record: usize, changes: &[Option<Change>], table: &ObjectName, text: &str) -> Option<Trigger> {
        let Some(Some(Change::Update(update))) = changes.get(record) else { return None };
        let Statement::Update(tree) = &*update.tree.0 else { return None };
        let TableFactor::Table { alias, .. } = &tree.table.relation else { return None };
        let is_of_row = tree.from.is_none() && tree.table.joins.is_empty() && update.uses.is_empty();
        if !is_of_row || !is_one(&update.table, table) {
            return None;
        }
        let row = alias.as_ref().map_or_else(|| update.table.name.to_string(), |alias| alias.name.to_string());
        let row = format!("FROM (SELECT NEW.*) AS {row}");
        let squeezed = squeeze(text);
        let mut values: Vec<String> = Vec::new();
        let mut read: BTreeSet<Name> = BTreeSet::new();
        for assignment in &tree.assignments {
            let AssignmentTarget::ColumnName(_) = &assignment.target else { return None };
            let printed = assignment.value.to_string();
            // What was not read as it is written is not written again.
            if !squeezed.contains(&squeeze(&printed))
                || matches!(&assignment.value, Expr::Value(it) if matches!(it.value, Value::Placeholder(_)))
            {
                return None;
            }
            values.push(printed);
            read.extend(columns_in(&assignment.value));
        }
        if let Some(selection) = &tree.selection {
            read.extend(columns_in(selection));
        }
        let targets: Vec<&Name> = update.columns.iter().map(|column| &column.name).collect();
        read.retain(|name| !targets.contains(&name));
        let first = *targets.first()?;
        if values.len() != targets.len() || read.is_empty() {
            return None;
        }
        let name = make_object_name(update.table.name.as_str(), Some(first.as_str()), "sync");
        let function = match &table.schema {
            Some(schema) => format!("{schema}.{name}"),
            None => name.to_string(),
        };
        let body =
            Body { update, targets: &targets, values: &values, read: &read, row: &row, changes: &changes[..record] };
        let make = vec![
            FixStep::any(format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;")),
            FixStep::own(format!(
                "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();"
            )),
        ];
        let remove = vec![
            FixStep::any(format!("DROP TRIGGER {name} ON {table};")),
            FixStep::any(format!("DROP FUNCTION {function}();")),
        ];
        Some(Trigger { record, make, remove })
    }
}

struct Body<'a> {
    update: &'a Update,
    targets: &'a [&'a Name],
    values: &'a [String],
    /// The columns that the values and the condition are made of.
    read: &'a BTreeSet<Name>,
    row: &'a str,
    /// What the migration does before.
    changes: &'a [Option<Change>],
}

impl std::fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Body { update, targets, values, read, row, .. } = self;
        // A new column has its default where code does not know of it.
        let fresh: Vec<(&Name, String)> =
            targets.iter().filter_map(|name| Some((*name, self.new_default(name)?))).collect();
        let of = |record: &str| read.iter().map(|name| format!("{record}.{name}")).collect::<Vec<_>>().join(", ");
        write!(f, "BEGIN\n    IF TG_OP = 'INSERT' THEN\n        ")?;
        let given: Vec<String> = fresh
            .iter()
            .map(|(name, default)| match default.as_str() {
                "NULL" => format!("NEW.{name} IS NOT NULL"),
                default => format!("NEW.{name} IS DISTINCT FROM {default}"),
            })
            .collect();
        match given.is_empty() {
            true => write!(f, "NULL;")?,
            false => write!(f, "IF {} THEN RETURN NEW; END IF;", given.join(" OR "))?,
        }
        write!(f, "\n    ELSIF ROW({})::text = ROW({})::text THEN RETURN NEW;", of("NEW"), of("OLD"))?;
        if !fresh.is_empty() {
            write!(f, "\n    ELSE")?;
            for (name, default) in &fresh {
                write!(f, " NEW.{name} := {default};")?;
            }
        }
        write!(f, "\n    END IF;\n    ")?;
        let into: Vec<String> = targets.iter().map(|name| format!("NEW.{name}")).collect();
        let fill = format!("SELECT {} INTO {} {row};", values.join(", "), into.join(", "));
        match &update.predicate {
            Some(predicate) => {
                write!(f, "IF (SELECT {} {row}) THEN\n        {fill}\n    END IF;", predicate.text)?;
            }
            None => write!(f, "{fill}")?,
        }
        write!(f, "\n    RETURN NEW;\nEND")
    }
}

impl Body<'_> {
    /// The constant that a column of the migration has by default.
    fn new_default(&self, name: &Name) -> Option<String> {
        let column: &ColumnDefinition = self.changes.iter().flatten().find_map(|change| {
            let Change::AlterTable(alter) = change else { return None };
            let actions = alter.actions.iter().filter(|_| is_one(&alter.relation, &self.update.table));
            actions.into_iter().find_map(|action| match &action.kind {
                AlterTableActionKind::AddColumn { column, .. } if column.name.name == *name => Some(column),
                _ => None,
            })
        })?;
        match &column.default {
            None if column.identity.is_none() && column.generated.is_none() => Some("NULL".to_owned()),
            // A value of json is none that can be known again.
            Some(default) if !default.text.contains('(') && !column.data_type.as_ref().is_some_and(is_document) => {
                Some(default.text.to_string())
            }
            _ => None,
        }
    }
}

/// Whether a type has no `=`.
fn is_document(data_type: &TypeName) -> bool {
    ["json", "xml"].contains(&data_type.name.as_str())
}

/// Whether two names may be of one table, with a schema or without.
fn is_one(a: &ObjectName, b: &ObjectName) -> bool {
    a.name == b.name && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
}

/// Without spaces, in lower case.
fn squeeze(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect()
}
