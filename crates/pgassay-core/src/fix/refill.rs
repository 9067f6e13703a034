//! Rows that a migration gives values before it requires them: others go on writing between the two, so what fills them runs once more.
//!
//! In: the items of a migration. An UPDATE and the proof that follows on it were one transaction. Apart, a row that is written between
//! them fails the proof, and the deploy stops half-way.

use sqlparser::ast::Statement;

use super::items::{Item, Placed};
use crate::change::{AlterTableActionKind, Change, ConstraintKind, Name, ObjectName, Update};
use crate::finding::FixStep;
use crate::rules::migration::REQUIRED_COLUMN;
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// A proof that cannot be had while others write: the record, and why.
pub(super) type Obstacle = (usize, String);

/// Puts the UPDATE again between a constraint that refuses new rows and its validation. `waits` names, of a record, the column that code
/// of today does not write: its proof is a deploy of its own, once code does.
pub(super) fn refill(
    items: &mut [Placed<'_>],
    changes: &[Option<Change>],
    text: impl Fn(usize) -> String,
    waits: impl Fn(usize) -> Option<String>,
) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for at in 0..items.len() {
        let (before, rest) = items.split_at_mut(at);
        let Some(Placed { record, item: Item::Steps(_, steps) }) = rest.first_mut() else { continue };
        let code = waits(*record);
        let mut fills: Vec<(usize, &Update)> = Vec::new();
        for placed in before.iter().filter(|it| matches!(it.item, Item::Keep(_) | Item::Apart(_))) {
            if let Some(Some(Change::Update(update))) = changes.get(placed.record) {
                fills.push((placed.record, update));
            }
        }
        let fills: Vec<Fill> = fills.into_iter().map(|(record, update)| Fill { text: text(record), update }).collect();
        match with_fills(steps, &fills, code.as_deref()) {
            Ok(new) => *steps = new.into(),
            Err(why) => obstacles.push((*record, why)),
        }
    }
    obstacles
}

struct Fill<'a> {
    /// The statement as it was written.
    text: String,
    update: &'a Update,
}

fn with_fills(steps: &[FixStep], fills: &[Fill], code: Option<&str>) -> Result<Vec<FixStep>, String> {
    let mut new: Vec<FixStep> = Vec::new();
    let mut proofs: Vec<Proof> = Vec::new();
    let mut waits = code;
    for step in steps {
        let changes = changes(&step.sql);
        let own: Vec<Proof> = changes.iter().flat_map(proofs_of).collect();
        if let Some((column, proof)) = waits.and_then(|column| Some((column, own.iter().find(|it| it.names(column))?)))
        {
            new.extend(once_written(step, column, again(fills, proof)?));
            waits = None;
        } else {
            let name = changes.iter().find_map(validated);
            let proof = name.and_then(|name| proofs.iter().find(|it| it.name == name));
            if let Some(proof) = proof.filter(|proof| !code.is_some_and(|column| proof.names(column))) {
                new.extend(again(fills, proof)?.into_iter().map(FixStep::own));
            }
            new.push(step.clone());
        }
        proofs.extend(own);
    }
    Ok(new)
}

/// The step that refuses rows without a value, in a deploy after the code that gives it; before it, the rows that older code added.
fn once_written(step: &FixStep, column: &str, fills: Vec<String>) -> Vec<FixStep> {
    let code = format!("all running code writes {column}");
    let sql = format!("-- pgassay: allow({}) {code}\n{}", REQUIRED_COLUMN.name, step.sql);
    let mut deploy: Vec<FixStep> = fills.into_iter().map(FixStep::own).collect();
    deploy.push(FixStep { sql, ..step.clone() });
    if let Some(first) = deploy.first_mut() {
        first.code_before = Some(code);
    }
    deploy
}

/// A constraint that is added NOT VALID.
struct Proof {
    name: Name,
    table: ObjectName,
    /// The rows that fail it.
    condition: String,
}

impl Proof {
    /// Whether a word of the condition is the column.
    fn names(&self, column: &str) -> bool {
        let bare = column.trim_matches('"');
        let words = self.condition.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        words.into_iter().any(|word| word == bare) || column.starts_with('"') && self.condition.contains(column)
    }
}

fn changes(sql: &str) -> Vec<Change> {
    let source = SourceFile::new("step", sql);
    read_script(FileId(0), &source).statements.into_iter().filter_map(|statement| statement.change.ok()).collect()
}

fn proofs_of(change: &Change) -> Vec<Proof> {
    let Change::AlterTable(alter) = change else { return Vec::new() };
    let proofs = alter.actions.iter().filter_map(|action| {
        let AlterTableActionKind::AddConstraint(added) = &action.kind else { return None };
        let condition = match &added.kind {
            ConstraintKind::NotNull(column) => format!("{column} IS NULL"),
            ConstraintKind::Check(expression) => match expression.text.strip_suffix(" IS NOT NULL") {
                Some(column) if !column.contains([' ', '(']) => format!("{column} IS NULL"),
                _ => format!("({}) IS FALSE", expression.text),
            },
            _ => return None,
        };
        Some(Proof { name: added.name.as_ref()?.name.clone(), table: alter.relation.clone(), condition })
    });
    proofs.collect()
}

fn validated(change: &Change) -> Option<Name> {
    let Change::AlterTable(alter) = change else { return None };
    alter.actions.iter().find_map(|action| match &action.kind {
        AlterTableActionKind::ValidateConstraint { constraint } => Some(constraint.name.clone()),
        _ => None,
    })
}

/// The UPDATEs of columns that the condition names, of those rows only that still fail it.
fn again(fills: &[Fill], proof: &Proof) -> Result<Vec<String>, String> {
    let is_of_it = |fill: &&Fill| {
        fill.update.table.name == proof.table.name
            && fill.update.columns.iter().any(|column| proof.names(&column.to_string()))
    };
    fills.iter().filter(is_of_it).map(|fill| fill.again(&proof.condition)).collect()
}

impl Fill<'_> {
    fn again(&self, condition: &str) -> Result<String, String> {
        self.written_again(condition).ok_or_else(|| {
            "rows that others write after its UPDATE would fail the proof, and the UPDATE has a form that is not written again: take it apart by hand"
                .to_owned()
        })
    }

    fn written_again(&self, condition: &str) -> Option<String> {
        let source = SourceFile::new("step", &*self.text);
        let statement = read_script(FileId(0), &source).statements.into_iter().next()?;
        let Ok(Change::Update(update)) = &statement.change else { return None };
        let Statement::Update(tree) = &*update.tree.0 else { return None };
        // Another table's column may have the name.
        if tree.from.is_some() {
            return None;
        }
        let offset = statement.span.start as usize;
        let mut text = self.text.get(statement.span.range())?.to_owned();
        match &update.predicate {
            Some(predicate) => {
                let range = predicate.span.range();
                let range = range.start.checked_sub(offset)?..range.end.checked_sub(offset)?;
                let new = format!("({}) AND {condition}", text.get(range.clone())?);
                text.replace_range(range, &new);
            }
            None if tree.returning.is_some() => return None,
            None => text.push_str(&format!("\nWHERE {condition}")),
        }
        Some(text)
    }
}
