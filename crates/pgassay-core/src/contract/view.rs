//! Views: which of them take writes, and those that stand in for a table.

use sqlparser::ast;

use super::pair::Pair;
use super::witness::refused;
use super::{Breakage, BreakageKind, Subject, certain, check, possible, witness};
use crate::change::{Name, PrintedName, RuleEvent, TriggerEvent, TriggerTiming};
use crate::expression::{self, Shown};
use crate::schema::{Index, Relation, RelationKind, Schema};
use crate::text::quoting;
use crate::version::PgVersion;
use crate::walk;

/// Views on views on views, further than anybody builds them.
const DEEPEST_VIEW: usize = 64;

/// Writes worked before and do not now: a view got a query that is not updatable, or took a table's place without one.
pub(super) fn writes_refused(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    let version = context.version;
    if !takes_writes(context.before, old, version) || takes_writes(context.after, new, version) || !new.known {
        return None;
    }
    let name = &old.name;
    let (what, code, answer) = match new.kind {
        RelationKind::MaterializedView(_) => {
            ("a materialized view", "42809", format!("cannot change materialized view {}", witness::quoted(&name.name)))
        }
        _ => (
            "a view that is not updatable",
            "55000",
            format!("cannot insert into view {}", witness::quoted(&name.name)),
        ),
    };
    let message = if old.is_table() {
        format!("{name} is now {what}: reads go on, INSERT, UPDATE and DELETE fail")
    } else {
        format!(
            "view {name} is now {}: INSERT, UPDATE and DELETE on it fail",
            what.trim_start_matches("a view that is ")
        )
    };
    let sql = witness::insert(context.before, old, &first_columns(old), 1);
    let subject = Subject::Relation(new.id);
    Some(certain(BreakageKind::WritesRefused, subject, name, message, refused(sql, code, answer)))
}

/// A view has no required columns of its own: its first one makes the INSERT readable.
fn first_columns(relation: &Relation) -> Vec<(crate::schema::ColumnId, String)> {
    if relation.is_table() {
        return Vec::new();
    }
    relation.columns.first().map(|column| (column.id, "DEFAULT".to_owned())).into_iter().collect()
}

/// INSERT works: a table, an automatically updatable view (manual, CREATE VIEW, "Updatable Views"), or one with an INSTEAD OF
/// trigger or rule.
fn takes_writes(schema: &Schema, relation: &Relation, version: PgVersion) -> bool {
    let mut at = relation;
    // Views can name each other in a circle.
    for _ in 0..DEEPEST_VIEW {
        let RelationKind::View(view) = &at.kind else { return at.is_table() };
        if has_instead(at) {
            return true;
        }
        if expression::takes_no_writes(&view.query.tree, schema, version) {
            return false;
        }
        let Some(beneath) = expression::relation_beneath(schema, view) else { return true };
        // A view without a plain column takes DELETE only.
        let shown = expression::columns_shown(view, at, beneath);
        if shown.is_some_and(|all| all.iter().all(|it| *it == Shown::Computed)) {
            return false;
        }
        at = beneath;
    }
    false
}

fn has_instead(relation: &Relation) -> bool {
    let trigger = relation
        .triggers
        .iter()
        .any(|it| it.timing == TriggerTiming::InsteadOf && it.events.contains(&TriggerEvent::Insert));
    trigger || relation.rules.iter().any(|rule| rule.instead && rule.event == RuleEvent::Insert)
}

/// A view of this name that shows other rows than before: it has another condition, or stands in for a table with one.
pub(super) fn rows_changed(pair: Pair) -> Option<Breakage> {
    let (old, new) = (pair.old, pair.new);
    let name = &old.name;
    if let (RelationKind::View(_) | RelationKind::MaterializedView(_), true) = (&old.kind, new.is_table())
        && pair.context.before.relation(new.id).is_none()
    {
        let message =
            format!("{} {name} is now a table of its own: readers no longer find the view's rows", old.noun());
        let witness = witness::differs(
            format!("SELECT relkind FROM pg_class WHERE oid = {}::regclass", quoting::literal(&name.to_string())),
            "answers r: what it showed is not in it",
        );
        return Some(certain(BreakageKind::ViewRowsChanged, Subject::Relation(new.id), name, message, witness));
    }
    let RelationKind::View(view) = &new.kind else { return None };
    let now = one_select(&view.query.tree)?;
    let (before, what) = match &old.kind {
        RelationKind::View(before) => {
            let before = one_select(&before.query.tree)?;
            // What another FROM shows is not compared.
            let from = |select: &ast::Select| select.from.iter().map(ToString::to_string).collect::<Vec<_>>();
            if from(before) != from(now) {
                return None;
            }
            (before.selection.as_ref(), format!("view {name} now shows"))
        }
        _ if old.is_table() && expression::relation_beneath(pair.context.after, view)?.id == old.id => {
            (None, format!("{name} is now a view that shows"))
        }
        _ => return None,
    };
    let plain = |name: &str| Some(Name::from(name));
    let parts = |condition: Option<&ast::Expr>| {
        condition.map(|it| check::conjuncts(&unqualified(it), &plain)).unwrap_or_default()
    };
    let (was, is) = (parts(before), parts(now.selection.as_ref()));
    let narrower = is.iter().any(|part| !check::implied(part, &was));
    let wider = was.iter().any(|part| !check::implied(part, &is));
    let condition = now.selection.as_ref().map(ToString::to_string).unwrap_or_default();
    let (message, after) = match (narrower, wider) {
        (true, false) => {
            (format!("{what} only rows for which {condition}: readers no longer find the others"), "fewer")
        }
        (true, true) => (format!("{what} the rows for which {condition}: others than before"), "other"),
        (false, true) => (format!("{what} rows that its condition left out before"), "more"),
        (false, false) => return None,
    };
    let witness = witness::differs(witness::select(old, "*"), format!("answers {after} rows"));
    Some(possible(BreakageKind::ViewRowsChanged, Subject::Relation(new.id), name, message, witness))
}

/// A materialized view had rows to read, and is empty in the way that the server refuses to read (WITH NO DATA).
pub(super) fn unpopulated(pair: Pair) -> Option<Breakage> {
    let is_populated = |relation: &Relation| match &relation.kind {
        RelationKind::MaterializedView(view) => view.populated,
        _ => true,
    };
    if !is_populated(pair.old) || is_populated(pair.new) {
        return None;
    }
    let name = &pair.old.name;
    Some(certain(
        BreakageKind::ViewUnpopulated,
        Subject::Relation(pair.new.id),
        name,
        format!("{} {name} has no data until a REFRESH: every query that reads it fails", pair.new.noun()),
        refused(
            witness::select(pair.old, "*"),
            "55000",
            format!("materialized view {} has not been populated", witness::quoted(&name.name)),
        ),
    ))
}

/// REFRESH … CONCURRENTLY needs a unique index that is gone.
pub(super) fn lost_refresh(pair: Pair) -> Option<Breakage> {
    let (RelationKind::MaterializedView(_), RelationKind::MaterializedView(_)) = (&pair.old.kind, &pair.new.kind)
    else {
        return None;
    };
    let Pair { context, old, new } = pair;
    let key = context.before.indexes_of(old.id).find(|it| it.as_index().is_some_and(Index::identifies_rows))?;
    if !new.known || context.after.indexes_of(new.id).any(|it| it.as_index().is_some_and(Index::identifies_rows)) {
        return None;
    }
    let name = &old.name;
    Some(possible(
        BreakageKind::ConflictTargetDropped,
        Subject::Part(new.id, key.name.name.clone()),
        PrintedName::part(name, &key.name.name),
        format!("{name} has no unique index any more: REFRESH MATERIALIZED VIEW CONCURRENTLY fails"),
        refused(
            format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name}"),
            "55000",
            format!(
                "cannot refresh materialized view \"{}.{}\" concurrently",
                name.schema.as_str(),
                name.name.as_str()
            ),
        ),
    ))
}

/// A query of one SELECT whose rows are those of its FROM that pass its WHERE.
fn one_select(query: &ast::Query) -> Option<&ast::Select> {
    match &*query.body {
        ast::SetExpr::Select(select) => Some(select),
        ast::SetExpr::Query(inner) => one_select(inner),
        _ => None,
    }
}

/// Columns without the table's name, where the FROM is the same.
fn unqualified(condition: &ast::Expr) -> ast::Expr {
    let mut tree = condition.clone();
    let _: std::ops::ControlFlow<()> = walk::visit_expressions_mut(&mut tree, |node| {
        if let ast::Expr::CompoundIdentifier(path) = node
            && let [_, column] = &path[..]
        {
            let column = column.clone();
            *node = ast::Expr::Identifier(column);
        }
        std::ops::ControlFlow::Continue(())
    });
    tree
}
