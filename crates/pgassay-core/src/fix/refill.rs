//! Rows that a migration gives values before it requires them: others go on writing between the two, so what fills them runs once more.
//!
//! In: the items of a migration. An UPDATE and the proof that follows on it were one transaction. Apart, a row that is written between
//! them fails the proof, and the deploy stops half-way.

use sqlparser::ast::{Statement, TableFactor};

use super::items::{Item, Placed};
use crate::change::{AlterTableActionKind, Change, ConstraintKind, Name, ObjectName, Update};
use crate::finding::FixStep;
use crate::rules::migration::{REQUIRED_COLUMN, UNBATCHED_BACKFILL};
use crate::source::{FileId, SourceFile, Span};
use crate::sql::{SourceTokenKind, read_script, source_tokens};

/// A proof that cannot be had while others write: the record, and why.
pub(super) type Obstacle = (usize, String);

/// Puts the UPDATE again between a constraint that refuses new rows and its validation. `waits` names, of a record, the column that code
/// of today does not write: its proof is a deploy of its own, once code does.
pub(super) fn refill<'u>(
    items: &mut [Placed<'_>],
    changes: &'u [Option<Change>],
    fill: impl Fn(usize, &'u Update) -> Fill<'u>,
    waits: impl Fn(usize) -> Option<String>,
) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for at in 0..items.len() {
        let (before, rest) = items.split_at_mut(at);
        let Some(Placed { record, item: Item::Steps(_, steps) }) = rest.first_mut() else { continue };
        let code = waits(*record);
        let fills: Vec<Fill> = before
            .iter()
            .filter_map(|placed| match changes.get(placed.record) {
                Some(Some(Change::Update(update))) => Some(fill(placed.record, update)),
                _ => None,
            })
            .collect();
        match with_fills(steps, &fills, code.as_deref()) {
            Ok(new) => *steps = new.into(),
            Err(why) => obstacles.push((*record, why)),
        }
    }
    obstacles
}

/// An UPDATE that gives rows their values.
pub(super) struct Fill<'a> {
    /// The statement as it was written.
    pub text: String,
    pub update: &'a Update,
    /// It was found to change too many rows at once, which its second run does not.
    pub is_told: bool,
}

fn with_fills(steps: &[FixStep], fills: &[Fill], code: Option<&str>) -> Result<Vec<FixStep>, String> {
    let mut new: Vec<FixStep> = Vec::new();
    let mut proofs: Vec<Proof> = Vec::new();
    let mut waits = code;
    for step in steps {
        let changes = changes_of_step(&step.sql);
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
    /// The column that it wants a value in, where that is all.
    column: Option<String>,
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

/// What a step of an advice asks for.
pub(super) fn changes_of_step(sql: &str) -> Vec<Change> {
    let source = SourceFile::new("step", sql);
    read_script(FileId(0), &source).statements.into_iter().filter_map(|statement| statement.change.ok()).collect()
}

fn proofs_of(change: &Change) -> Vec<Proof> {
    let Change::AlterTable(alter) = change else { return Vec::new() };
    let proofs = alter.actions.iter().filter_map(|action| {
        let AlterTableActionKind::AddConstraint(added) = &action.kind else { return None };
        let (column, condition) = match &added.kind {
            ConstraintKind::NotNull(column) => (Some(column.to_string()), format!("{column} IS NULL")),
            ConstraintKind::Check(expression) => match expression.text.strip_suffix(" IS NOT NULL") {
                Some(column) if !column.contains([' ', '(', '.']) => {
                    (Some(column.to_owned()), format!("{column} IS NULL"))
                }
                _ => (None, format!("({}) IS FALSE", expression.text)),
            },
            _ => return None,
        };
        Some(Proof { name: added.name.as_ref()?.name.clone(), table: alter.relation.clone(), column, condition })
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
    fills.iter().filter(is_of_it).map(|fill| fill.again(proof)).collect()
}

impl Fill<'_> {
    fn again(&self, proof: &Proof) -> Result<String, String> {
        let allowed = |text: String| match self.is_told {
            true => format!("-- pgassay: allow({}) rows written since it ran\n{text}", UNBATCHED_BACKFILL.name),
            false => text,
        };
        self.written_again(proof).map(allowed).ok_or_else(|| {
            "rows that others write after its UPDATE would fail the proof, and the UPDATE has a form that is not written again: take it apart by hand"
                .to_owned()
        })
    }

    fn written_again(&self, proof: &Proof) -> Option<String> {
        let source = SourceFile::new("step", &*self.text);
        let statement = read_script(FileId(0), &source).statements.into_iter().next()?;
        let Ok(Change::Update(update)) = &statement.change else { return None };
        let Statement::Update(tree) = &*update.tree.0 else { return None };
        let condition = match tree.from {
            None => proof.condition.clone(),
            Some(_) => of_target(tree, update, proof)?,
        };
        let offset = statement.span.start as usize;
        let text = self.text.get(statement.span.range())?;
        // Nobody reads what comes back.
        let end = if tree.returning.is_some() { returning(text)? } else { text.len() };
        let mut text = text.get(..end)?.trim_end().to_owned();
        match &update.predicate {
            Some(predicate) => {
                let range = predicate.span.range();
                let range = range.start.checked_sub(offset)?..range.end.checked_sub(offset)?;
                let own = text.get(range.clone())?;
                if own != condition {
                    let new = format!("({own}) AND {condition}");
                    text.replace_range(range, &new);
                }
            }
            None => text.push_str(&format!("\nWHERE {condition}")),
        }
        Some(text)
    }
}

/// The condition where other tables are named beside the one that changes: a column of theirs may have the same name.
fn of_target(tree: &sqlparser::ast::Update, update: &Update, proof: &Proof) -> Option<String> {
    let TableFactor::Table { alias, .. } = &tree.table.relation else { return None };
    let target = match alias {
        Some(alias) => alias.name.to_string(),
        None => update.table.name.to_string(),
    };
    Some(match &proof.column {
        Some(column) => format!("{target}.{column} IS NULL"),
        None => format!(
            "({target}.tableoid, {target}.ctid) IN (SELECT tableoid, ctid FROM {} WHERE {})",
            update.table, proof.condition
        ),
    })
}

/// Where RETURNING begins.
fn returning(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut found = None;
    for token in source_tokens(Span::new(FileId(0), 0, text.len()), text) {
        match &token.kind {
            SourceTokenKind::Sign(sign) if sign == "(" => depth += 1,
            SourceTokenKind::Sign(sign) if sign == ")" => depth -= 1,
            SourceTokenKind::Word { name, quoted: false } if depth == 0 && name.as_str() == "returning" => {
                found = Some(token.span.start as usize);
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(sql: &str, column: Option<&str>) -> Option<String> {
        let source = SourceFile::new("step", sql);
        let Ok(Change::Update(update)) = read_script(FileId(0), &source).statements.remove(0).change else {
            return None;
        };
        let condition = column.map_or("(a > 0) IS FALSE".to_owned(), |it| format!("{it} IS NULL"));
        let proof =
            Proof { name: Name::new("p"), table: update.table.clone(), column: column.map(str::to_owned), condition };
        Fill { text: sql.to_owned(), update: &update, is_told: false }.written_again(&proof)
    }

    #[test]
    fn only_rows_that_still_fail_the_proof_are_filled_again() {
        let null = |sql: &str| again(sql, Some("a"));
        assert_eq!(null("UPDATE t SET a = 1").as_deref(), Some("UPDATE t SET a = 1\nWHERE a IS NULL"));
        assert_eq!(
            null("UPDATE t SET a = b.a FROM b WHERE b.id = t.id OR b.all").as_deref(),
            Some("UPDATE t SET a = b.a FROM b WHERE (b.id = t.id OR b.all) AND t.a IS NULL")
        );
        assert_eq!(
            null("UPDATE s.t AS x SET a = b.a FROM b WHERE b.id = x.id").as_deref(),
            Some("UPDATE s.t AS x SET a = b.a FROM b WHERE (b.id = x.id) AND x.a IS NULL")
        );
        assert_eq!(
            null("UPDATE t SET a = (SELECT 'returning'::text) RETURNING id, a").as_deref(),
            Some("UPDATE t SET a = (SELECT 'returning'::text)\nWHERE a IS NULL")
        );
        assert_eq!(
            null("UPDATE t SET a = 1 WHERE id > 3 RETURNING *").as_deref(),
            Some("UPDATE t SET a = 1 WHERE (id > 3) AND a IS NULL")
        );
        assert_eq!(
            again("UPDATE t SET a = 1 FROM b WHERE b.id = t.id", None).as_deref(),
            Some(
                "UPDATE t SET a = 1 FROM b WHERE (b.id = t.id) AND (t.tableoid, t.ctid) IN (SELECT tableoid, ctid FROM t WHERE (a > 0) IS FALSE)"
            )
        );
    }
}
