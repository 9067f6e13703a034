//! What takes a step back: each thing that it makes is dropped, if it is there. What cannot be taken back has no inverse.

use crate::change::{AlterTableActionKind, Change, ObjectKind};
use crate::finding::FixStep;
use crate::rules::migration::{DROPPED_DATA, DROPPED_OBJECT, LOST_DEFAULT};
use crate::source::{FileId, SourceFile, Sources};
use crate::sql::read_script;

/// Of the steps of one migration, the last first.
pub(super) fn of_steps(steps: &[&FixStep]) -> Vec<String> {
    steps.iter().rev().flat_map(|step| of(&step.sql)).collect()
}

pub(super) fn of(sql: &str) -> Vec<String> {
    let source = SourceFile::new("step", sql);
    let changes: Vec<Change> =
        read_script(FileId(0), &source).statements.into_iter().filter_map(|statement| statement.change.ok()).collect();
    // Something is gone: nothing here brings it back.
    if changes.iter().any(takes_away) {
        return Vec::new();
    }
    changes.iter().rev().flat_map(undo).collect()
}

/// The statements of a text, without their semicolons.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("step", sql));
    let script = read_script(file, sources.file(file));
    script.statements.iter().map(|statement| sources.slice(statement.span).to_owned()).collect()
}

/// The rules that speak of what a statement takes away.
pub(super) fn rules_of_loss(sql: &str) -> Vec<&'static str> {
    use AlterTableActionKind::*;
    let source = SourceFile::new("step", sql);
    let statements = read_script(FileId(0), &source).statements;
    let mut rules: Vec<&'static str> = Vec::new();
    for change in statements.iter().filter_map(|statement| statement.change.as_ref().ok()) {
        match change {
            Change::AlterTable(alter) => rules.extend(alter.actions.iter().filter_map(|action| match &action.kind {
                DropColumn { .. } => Some(DROPPED_DATA.name),
                DropDefault { .. } | DropIdentity { .. } => Some(LOST_DEFAULT.name),
                _ => None,
            })),
            Change::Drop(drop) if drop.kind == ObjectKind::Table => rules.push(DROPPED_DATA.name),
            Change::Drop(drop) if drop.kind == ObjectKind::View => rules.push(DROPPED_OBJECT.name),
            _ => {}
        }
    }
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn takes_away(change: &Change) -> bool {
    use AlterTableActionKind::*;
    match change {
        Change::AlterTable(alter) => alter.actions.iter().any(|action| {
            matches!(
                action.kind,
                DropColumn { .. } | RenameRelation { .. } | RenameColumn { .. } | RenameConstraint { .. }
            )
        }),
        Change::Drop(_) => true,
        _ => false,
    }
}

fn undo(change: &Change) -> Vec<String> {
    match change {
        Change::CreateIndex(create) => {
            let Some(name) = &create.name else { return Vec::new() };
            let schema = create.table.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            let concurrently = if create.concurrently { "CONCURRENTLY " } else { "" };
            vec![format!("DROP INDEX {concurrently}IF EXISTS {schema}{name}")]
        }
        Change::AlterTable(alter) => {
            let table = &alter.relation;
            let only = if alter.only { "ONLY " } else { "" };
            let undone = alter.actions.iter().rev().filter_map(|action| match &action.kind {
                AlterTableActionKind::AddColumn { column, .. } => {
                    Some(format!("DROP COLUMN IF EXISTS {}", column.name))
                }
                AlterTableActionKind::AddConstraint(added) if !added.inline => {
                    added.name.as_ref().map(|name| format!("DROP CONSTRAINT IF EXISTS {name}"))
                }
                _ => None,
            });
            undone.map(|action| format!("ALTER TABLE IF EXISTS {only}{table} {action}")).collect()
        }
        Change::CreateTrigger(create) => {
            vec![format!("DROP TRIGGER IF EXISTS {} ON {}", create.name, create.table)]
        }
        Change::CreateRoutine(create) if create.arguments.is_empty() => {
            let kind = if create.procedure { "PROCEDURE" } else { "FUNCTION" };
            vec![format!("DROP {kind} IF EXISTS {}()", create.name)]
        }
        Change::CreateSequence(create) => vec![format!("DROP SEQUENCE IF EXISTS {}", create.name)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_is_made_is_dropped() {
        assert_eq!(of("CREATE INDEX CONCURRENTLY a ON s.t (x);"), ["DROP INDEX CONCURRENTLY IF EXISTS s.a"]);
        assert_eq!(
            of("ALTER TABLE s.t ADD CONSTRAINT c CHECK (x > 0) NOT VALID;"),
            ["ALTER TABLE IF EXISTS s.t DROP CONSTRAINT IF EXISTS c"]
        );
        assert_eq!(of("ALTER TABLE t VALIDATE CONSTRAINT c;"), [""; 0]);
        assert_eq!(of("ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN b int;"), [""; 0]);
        assert_eq!(
            of("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"),
            ["DROP TRIGGER IF EXISTS g ON t"]
        );
    }
}
