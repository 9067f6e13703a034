//! Foreign keys: new ones refuse rows without a parent, changed actions turn deletes into errors or into losses.

use super::pair::Pair;
use super::witness::{differs, insert, quoted, refused};
use super::{Breakage, BreakageKind, certain, guard, possible, values};
use crate::change::PrintedName;
use crate::change::ReferentialAction::{self, Cascade, NoAction, Restrict, SetDefault, SetNull};
use crate::schema::{ColumnId, Constraint, ForeignKey, Relation};

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    for (constraint, key) in pair.new.foreign_keys().filter(|(it, _)| it.enforced && it.local) {
        let mut olds = pair.old.foreign_keys().filter(|(it, _)| it.enforced);
        match olds.find(|(_, old)| equal(pair, old, key)) {
            Some((_, old)) => found.extend(action_changed(pair, constraint, old, Some(key))),
            None => found.extend(added(pair, constraint, key)),
        }
    }
    for (constraint, old) in pair.old.foreign_keys().filter(|(it, _)| it.enforced && it.local) {
        let kept = pair.new.foreign_keys().any(|(it, new)| it.enforced && equal(pair, old, new));
        let whole = old.columns.iter().all(|id| pair.successor(*id).is_some());
        if !kept && whole && pair.context.after.relation(old.referenced).is_some() {
            found.extend(action_changed(pair, constraint, old, None).or_else(|| dropped(pair, constraint, old)));
        }
    }
}

/// The same columns refer to the same columns of what clients see as the same table.
fn equal(pair: Pair, old: &ForeignKey, new: &ForeignKey) -> bool {
    let successors: Option<Vec<ColumnId>> = old.columns.iter().map(|id| Some(pair.successor(*id)?.id)).collect();
    let name_before = pair.context.before.relation(old.referenced).map(|it| &it.name);
    let name_after = pair.context.after.relation(new.referenced).map(|it| &it.name);
    successors.is_some_and(|it| it == new.columns)
        && (old.referenced == new.referenced || name_before == name_after)
        && (old.referenced != new.referenced || old.referenced_columns == new.referenced_columns)
}

fn added(pair: Pair, constraint: &Constraint, key: &ForeignKey) -> Option<Breakage> {
    let parent = pair.context.after.relation(key.referenced)?;
    let origins: Vec<ColumnId> = key.columns.iter().filter_map(|id| Some(pair.origin(*id)?.id)).collect();
    // A row with NULL in one of the columns is not looked up (MATCH SIMPLE), and a new column is NULL for today's clients.
    let new_is_null = origins.len() < key.columns.len() && !key.match_full;
    if origins.is_empty() || new_is_null {
        return None;
    }
    let columns = names(pair.new, &key.columns);
    let spares = if constraint.validated { "" } else { " (NOT VALID spares only the rows that are there)" };
    let answer = format!(
        "insert or update on table {} violates foreign key constraint {}",
        quoted(&pair.new.name.name),
        quoted(&constraint.name)
    );
    let given: Vec<(ColumnId, String)> = origins
        .iter()
        .filter_map(|id| pair.old.column_by_id(*id))
        .map(|it| (it.id, values::literal(pair.context.before, &it.data_type, 999_998, values::Purpose::Assign)))
        .collect();
    let deletes = match key.on_delete {
        NoAction | Restrict => format!("and so do deletes in {} that leave rows behind", parent.name.name),
        action @ (Cascade | SetNull | SetDefault) => {
            format!("and a delete in {} {}", parent.name.name, outcome(action, "DELETE", pair.old.name.to_string()))
        }
    };
    Some(certain(
        BreakageKind::ForeignKeyAdded,
        pair.part_subject(&constraint.name),
        PrintedName::part(&pair.old.name, &constraint.name),
        format!(
            "{columns} of {} must now exist in {}: INSERT and UPDATE of other values fail, {deletes}{spares}",
            pair.old.name, parent.name
        ),
        refused(insert(pair.context.before, pair.old, &given, 1), "23503", answer),
    ))
}

/// Gone, and no other foreign key takes its columns; where deletes did more than fail, that is what is told.
fn dropped(pair: Pair, constraint: &Constraint, key: &ForeignKey) -> Option<Breakage> {
    let parent = pair.context.before.relation(key.referenced)?;
    let now: Vec<ColumnId> = key.columns.iter().filter_map(|id| Some(pair.successor(*id)?.id)).collect();
    if pair.new.foreign_keys().any(|(it, new)| it.enforced && new.columns.iter().any(|id| now.contains(id))) {
        return None;
    }
    let columns = names(pair.old, &key.columns);
    Some(possible(
        BreakageKind::ForeignKeyDropped,
        pair.part_subject(&constraint.name),
        PrintedName::part(&pair.old.name, &constraint.name),
        format!(
            "foreign key {} of {} is gone: {columns} may hold what {} does not have, and rows there can be deleted while others refer \
             to them",
            constraint.name, pair.old.name, parent.name
        ),
        guard::constraint_is_gone(pair.old, &constraint.name),
    ))
}

fn names(relation: &Relation, columns: &[ColumnId]) -> String {
    let names = columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|it| it.name.to_string());
    names.collect::<Vec<_>>().join(", ")
}

/// `new` is `None` when the key itself is gone.
fn action_changed(pair: Pair, constraint: &Constraint, old: &ForeignKey, new: Option<&ForeignKey>) -> Option<Breakage> {
    let deletes = (old.on_delete, new.map(|it| it.on_delete));
    let updates = (old.on_update, new.map(|it| it.on_update));
    let ((before, after), verb) =
        [(deletes, "DELETE"), (updates, "UPDATE")].into_iter().find(|((before, after), _)| differ(*before, *after))?;
    let parent = pair.context.before.relation(old.referenced)?;
    let child = &pair.old.name;
    let sql = statement(verb, parent, old);
    let does = |action| outcome(action, verb, child.to_string());
    let object = PrintedName::part(child, &constraint.name);
    let kind = BreakageKind::ForeignKeyActionChanged;
    let subject = pair.part_subject(&constraint.name);
    let restricts = after == Some(Restrict) && pair.context.version.at_least(18);
    Some(match after {
        Some(NoAction | Restrict) => certain(
            kind,
            subject,
            object,
            format!("{verb} of a row of {} that {child} refers to now fails; it {} before", parent.name, does(before)),
            refused(
                sql,
                // Restrict has an error of its own since 18 (ri_ReportViolation, ri_triggers.c).
                if restricts { "23001" } else { "23503" },
                format!(
                    "update or delete on table {} violates {}foreign key constraint {} on table {}",
                    quoted(&parent.name.name),
                    if restricts { "RESTRICT setting of " } else { "" },
                    quoted(&constraint.name),
                    quoted(&pair.new.name.name)
                ),
            ),
        ),
        Some(after) => possible(
            kind,
            subject,
            object,
            format!("{verb} of a row of {} now {}; it {} before", parent.name, does(after), does(before)),
            differs(sql, format!("now {}", does(after))),
        ),
        None => possible(
            kind,
            subject,
            object,
            format!(
                "{verb} of a row of {} now leaves the rows of {child} behind; it {} before",
                parent.name,
                does(before)
            ),
            differs(sql, format!("leaves the rows of {child} as they are")),
        ),
    })
}

fn differ(before: ReferentialAction, after: Option<ReferentialAction>) -> bool {
    let refuses = |action| matches!(action, NoAction | Restrict);
    match after {
        Some(after) => before != after && !(refuses(before) && refuses(after)),
        None => !refuses(before),
    }
}

fn outcome(action: ReferentialAction, verb: &str, child: String) -> String {
    match action {
        NoAction | Restrict => "failed".to_owned(),
        Cascade if verb == "DELETE" => format!("deletes the rows of {child} too"),
        Cascade => format!("changes the rows of {child} too"),
        SetNull => format!("sets the columns of {child} to NULL"),
        SetDefault => format!("sets the columns of {child} to their defaults"),
    }
}

fn statement(verb: &str, parent: &Relation, key: &ForeignKey) -> String {
    let referenced = key.referenced_columns.first().and_then(|id| parent.column_by_id(*id));
    match (verb, referenced) {
        ("UPDATE", Some(column)) => format!("UPDATE {0} SET {1} = {1}", parent.name, column.name),
        ("UPDATE", None) => format!("SELECT * FROM {} FOR UPDATE", parent.name),
        _ => format!("DELETE FROM {}", parent.name),
    }
}
