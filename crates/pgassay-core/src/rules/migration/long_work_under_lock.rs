//! Long work while an earlier statement's lock is still held.

use crate::catalog::LockMode;
use crate::change::{Change, PrintedName};
use crate::effect::WorkKind;
use crate::finding::{Advice, Category, Cause, Evidence, Finding, Severity};
use crate::history::HeldLock;
use crate::rules::context::{StepContext, who_waits};
use crate::rules::{Example, Rule};
use crate::schema::{Relation, RelationKind};
use crate::source::Span;

use super::{unbatched_backfill, validate_in_same_transaction, walked_rows};

pub static RULE: Rule = Rule {
    name: "long-work-under-lock",
    category: Category::Blocking,
    severity: Severity::Error,
    summary: "Long work runs in a transaction that already holds a strong lock",
    explanation: "A lock is held until its transaction ends. An ALTER TABLE that takes an instant still keeps everyone out for as long as later statements of the same transaction run: a backfill, a validation, a copy of rows. Commit the schema change first.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN total_cents bigint;\n\
            UPDATE orders SET total_cents = total * 100;\nCOMMIT;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, total int);",
        migration: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN total_cents bigint;\n\
            UPDATE orders SET total_cents = total * 100 WHERE id = 1;\nCOMMIT;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    let Some((span, what)) = long_work(context) else { return };
    let Some((name, held)) = strongest_held(context) else { return };
    let message =
        format!("{what} while {} on {name} is held: {} until the transaction ends", held.mode, who_waits(held.mode));
    let mut finding = RULE.finding(span, message);
    finding.related.push((held.by, format!("takes {} on {name}", held.mode)));
    let held_on = match context.relation(held.relation) {
        Some(relation) => PrintedName::described(&relation.name, name),
        None => PrintedName::other(name),
    };
    finding.object = Some(held_on.clone());
    finding.cause = Some(Cause::Lock { relation: held_on, lock: held.mode });
    finding
        .evidence
        .push(Evidence::declared("the two statements share a transaction, and locks are held until it ends"));
    finding.advice = Advice::text(match context.change() {
        Some(Change::Update(_) | Change::Delete(_)) => {
            "Commit the schema change first; then change the rows in batches of a few thousand, each in its own transaction."
        }
        _ => "Put the long work into a transaction of its own, before or after the schema change.",
    });
    finding.advice.walk = walked_rows::walked(context).map(Box::new);
    findings.push(finding);
}

/// Work of this statement that grows with the rows and that no other rule tells of.
fn long_work(context: &StepContext) -> Option<(Span, String)> {
    if validate_in_same_transaction::applies(context) {
        return None;
    }
    if let Some(found) = many_rows(context) {
        return Some(found);
    }
    let scans = context.shared_work().find(|work| work.kind == WorkKind::Scan && !work.under.blocks_writes());
    scans.map(|work| (work.span, format!("reads all of {}", work.name)))
}

/// Rows of a whole table that others use, changed or copied by one statement.
pub fn many_rows(context: &StepContext) -> Option<(Span, String)> {
    match unbatched_backfill::touches_many_rows(context) {
        Some(span) => Some((span, "changes rows of a whole table".to_owned())),
        None => copies_rows(context),
    }
}

/// INSERT … SELECT and CREATE TABLE AS from tables that others use.
fn copies_rows(context: &StepContext) -> Option<(Span, String)> {
    let reads_shared = || context.shared_locks().any(|lock| lock.mode == LockMode::AccessShare);
    match context.change()? {
        Change::Insert(insert) if insert.rows.is_none() && reads_shared() => {
            Some((insert.table.span, format!("copies rows into {}", insert.table)))
        }
        Change::CreateTableAs(create) if !create.with_no_data && reads_shared() => {
            Some((create.name.span, format!("copies rows into {}", create.name)))
        }
        _ => None,
    }
}

fn strongest_held<'r>(context: &StepContext<'r>) -> Option<(&'r str, &'r HeldLock)> {
    // The statements of a called routine have the place of the call.
    let earlier = |held: &HeldLock| held.by != context.step.span() || context.step.is_called();
    // Nobody but another REFRESH writes a materialized view.
    let hinders = |held: &HeldLock| {
        let is_view = |relation: &Relation| matches!(relation.kind, RelationKind::MaterializedView(_));
        held.mode >= LockMode::Share
            && (held.mode.blocks_reads() || !context.relation(held.relation).is_some_and(is_view))
    };
    let held = context.step.held.iter().filter(|(_, held)| hinders(held) && earlier(held));
    held.max_by_key(|(_, held)| held.mode).map(|(name, held)| (&**name, held))
}
