//! CHECK constraints that refuse what was accepted. NOT VALID makes no difference: it spares old rows only.

use std::collections::HashMap;

use sqlparser::ast::Expr;

use super::pair::Pair;
use super::witness::{differs, insert, quoted, refused, written_to};
use super::{Breakage, BreakageKind, certain, check};
use crate::change::{Expression, Name, PrintedName};
use crate::expression::{self, Known, Value, truth};
use crate::schema::{Column, ColumnId, Constraint, ConstraintKind, Relation};

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    refused_defaults(pair, found);
    let old: HashMap<&Name, &Constraint> = pair.old.constraints.iter().map(|it| (&it.name, it)).collect();
    // The same constraint stood there before: nothing to read.
    let unchanged =
        |new: &Constraint| old.get(&new.name).is_some_and(|old| old.kind == new.kind && old.enforced && pair.same());
    let mut changed = pair.new.constraints.iter().filter(|it| it.enforced && !unchanged(it)).peekable();
    if changed.peek().is_none() {
        return;
    }
    let old = check::enforced(pair.old, &|name| pair.new_name(name));
    for constraint in changed {
        if let ConstraintKind::Check { expression, columns } = &constraint.kind {
            found.extend(added(pair, constraint, expression, columns, &old));
        }
    }
}

fn added(
    pair: Pair,
    constraint: &Constraint,
    expression: &Expression,
    columns: &[ColumnId],
    old: &[check::Conjunct],
) -> Option<Breakage> {
    let on_new_columns = !columns.is_empty() && columns.iter().all(|id| pair.origin(*id).is_none());
    if on_new_columns {
        return None;
    }
    let parts = check::conjuncts(&expression.tree, &|name| Some(Name::from(name)));
    let tighter: Vec<check::Conjunct> =
        parts.into_iter().filter(|part| !check::implied(part, old) && !is_not_null(pair, part)).collect();
    if tighter.is_empty() {
        return None;
    }
    let object = PrintedName::part(&pair.old.name, &constraint.name);
    let spares = if constraint.validated { "" } else { " (NOT VALID spares only the rows that are there)" };
    Some(certain(
        BreakageKind::CheckAdded,
        pair.part_subject(&constraint.name),
        object,
        format!(
            "{} now refuses rows unless {}: INSERT and UPDATE of others fail{spares}",
            pair.old.name,
            one_line(&expression.text)
        ),
        witness(pair, constraint, expression, &tighter, old),
    ))
}

fn is_not_null(pair: Pair, part: &check::Conjunct) -> bool {
    let column = part.not_null_column().and_then(|name| pair.new.column(name));
    column.and_then(|column| pair.origin(column.id)).is_some_and(|old| old.not_null.enforced())
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A row that only the new check refuses; where none can be derived, the query that shows which rows it refuses.
fn witness(
    pair: Pair,
    constraint: &Constraint,
    expression: &Expression,
    tighter: &[check::Conjunct],
    old: &[check::Conjunct],
) -> super::Witness {
    let refusal = format!(
        "new row for relation {} violates check constraint {}",
        quoted(written_to(pair.context.after, pair.new)),
        quoted(&constraint.name)
    );
    let before = pair.context.before;
    let row = tighter.iter().find_map(|part| {
        let (column, value) = check::violation(before, pair.old, part, old)?;
        Some((pair.old.column(&column)?.id, value))
    });
    match row {
        Some(given) => refused(insert(before, pair.old, &[given], 1), "23514", refusal),
        None => differs(
            format!("SELECT * FROM {} WHERE NOT ({})", pair.old.name, one_line(&expression.text)),
            format!("rows like these are refused when written: ERROR 23514: {refusal}"),
        ),
    }
}

/// A default that a CHECK refuses, where one of them is new: whoever leaves the column out is refused.
fn refused_defaults(pair: Pair, found: &mut Vec<Breakage>) {
    for constraint in pair.new.constraints.iter().filter(|it| it.enforced) {
        let ConstraintKind::Check { expression, columns } = &constraint.kind else { continue };
        let refuses = |columns: &[ColumnId], relation: &Relation| {
            let of_columns = columns.iter().filter_map(|id| relation.column_by_id(*id));
            let given: Vec<&Column> = of_columns.filter(|it| it.default.is_some()).collect();
            truth(&expression.tree, &Defaults(&given)) == Some(false)
        };
        let was_there =
            pair.same() && pair.old.constraints.iter().any(|old| old.kind == constraint.kind && old.enforced);
        if !refuses(columns, pair.new) || was_there && refuses(columns, pair.old) {
            continue;
        }
        let list: Vec<&Name> =
            columns.iter().filter_map(|id| pair.new.column_by_id(*id)).map(|column| &column.name).collect();
        let names = list.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
        let table = &pair.old.name;
        let message = format!(
            "the default of {table}.{names} is refused by {}: every INSERT that leaves {names} out fails",
            constraint.name
        );
        let answer = format!(
            "new row for relation {} violates check constraint {}",
            quoted(written_to(pair.context.after, pair.new)),
            quoted(&constraint.name)
        );
        let object = PrintedName::part(table, &constraint.name);
        let sql = insert(pair.context.before, pair.old, &[], 1);
        let (kind, subject) = (BreakageKind::CheckAdded, pair.part_subject(&constraint.name));
        found.push(certain(kind, subject, object, message, refused(sql, "23514", answer)));
    }
}

/// A row that has the defaults of these columns, and of the others nothing that is known.
struct Defaults<'a>(&'a [&'a Column]);

impl Known for Defaults<'_> {
    fn value(&self, part: &Expr) -> Value {
        let Expr::Identifier(ident) = part else { return Value::Unknown };
        let name = Name::of_ident(ident);
        let column = self.0.iter().find(|column| column.name == name && column.identity.is_none());
        let default = column.and_then(|column| column.default.as_ref());
        default.map_or(Value::Unknown, |default| expression::value(&default.tree, &expression::Constants))
    }
}
