//! Columns that are gone, renamed, required, or take other values than before.

use super::fill::{self, Filled, filled};
use super::pair::Pair;
use super::witness::{differs, insert, is_required, quoted, refused, select, written_to};
use super::{Breakage, BreakageKind, Grade, Subject, certain, check, possible, type_change, unique, values};
use crate::change::{Name, TriggerTiming};
use crate::schema::{Column, Constraint, ConstraintKind, IdentityKind, Relation, ResolvedType};
use crate::text::quoting;

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    for old in &pair.old.columns {
        match pair.by_name(old) {
            Some(new) => {
                found.extend(another(pair, old, new));
                compare(pair, old, new, found);
            }
            None => found.extend(gone(pair, old)),
        }
    }
    if pair.new.is_table() && pair.old.is_table() {
        found.extend(pair.new.columns.iter().filter_map(|new| required(pair, new)));
    } else if !pair.old.is_table() {
        found.extend(reordered(pair));
    }
}

/// The name is that of a new column, while the old one lives on under another: clients meet none of its values.
fn another(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    let kept = pair.new.column_by_id(old.id).filter(|_| pair.same() && new.id != old.id)?;
    let is_new = pair.old.column_by_id(new.id).is_none() && new.generated.is_none();
    // Columns that were there took each other's names.
    let swapped = pair.old.column_by_id(new.id).is_some() && pair.old.column(&kept.name).is_some();
    let object = pair.column_object(old);
    let what = if is_new { "find none of them" } else { "meet those of another" };
    (is_new || swapped).then(|| {
        possible(
            BreakageKind::ColumnRenamed,
            pair.column_subject(old),
            &object,
            format!(
                "{object} is another column now: the values are in {}, and clients that read {} {what}",
                kept.name, old.name
            ),
            differs(select(pair.old, &old.name), "answers values of another column"),
        )
    })
}

fn gone(pair: Pair, old: &Column) -> Option<Breakage> {
    // A table that an earlier statement had to have is made: which of the two fails is not known, and neither drops a column.
    if !(pair.new.known && pair.old.known || pair.same()) {
        return None;
    }
    let object = pair.column_object(old);
    let subject = pair.column_subject(old);
    let sql = select(pair.old, &old.name);
    let witness = refused(sql, "42703", format!("column {} does not exist", quoted(&old.name)));
    let renamed = pair.new.column_by_id(old.id).filter(|_| pair.same());
    if renamed.is_some_and(|new| takes_over(pair, old, new)) {
        return None;
    }
    Some(match renamed {
        Some(new) => certain(
            BreakageKind::ColumnRenamed,
            subject,
            &object,
            format!("{object} is now called {}: every statement that uses the old name fails", new.name),
            witness,
        ),
        None => {
            let kind = match pair.old.is_table() {
                true => BreakageKind::ColumnDropped,
                false => BreakageKind::ViewColumnsChanged,
            };
            certain(kind, subject, &object, format!("{object} is gone: every statement that uses it fails"), witness)
        }
    })
}

/// A column that a trigger has filled for the time being takes the place of another that goes: clients use the name that it gets.
fn takes_over(pair: Pair, old: &Column, new: &Column) -> bool {
    let replaced = pair.old.column(&new.name).is_some_and(|it| pair.new.column_by_id(it.id).is_none());
    let mut triggers = pair.old.triggers.iter().filter(|it| it.for_each_row && it.timing == TriggerTiming::Before);
    replaced
        && triggers.any(|trigger| {
            let routine = trigger.function.and_then(|id| pair.context.before.routines.get(&id));
            routine.is_some_and(|routine| fill::assigns(routine, &old.name))
        })
}

/// A view whose columns are the same but stand in another order: `SELECT *` and INSERT without a list mix them up.
fn reordered(pair: Pair) -> Option<Breakage> {
    let kept = |column: &&Column| pair.new.column(&column.name).is_some();
    let before: Vec<&Name> = pair.old.columns.iter().filter(kept).map(|it| &it.name).collect();
    let after: Vec<&Name> =
        pair.new.columns.iter().filter(|it| pair.old.column(&it.name).is_some()).map(|it| &it.name).collect();
    if before == after {
        return None;
    }
    let list = |names: &[&Name]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    Some(possible(
        BreakageKind::ViewColumnsChanged,
        Subject::Relation(pair.new.id),
        &pair.old.name,
        format!(
            "{} {} has its columns in another order: clients that read by position get other values",
            pair.old.noun(),
            pair.old.name
        ),
        differs(select(pair.old, "*"), format!("answers the columns as {} instead of {}", list(&after), list(&before))),
    ))
}

/// A new column that INSERTs of today do not list and that has no value of its own.
fn required(pair: Pair, new: &Column) -> Option<Breakage> {
    let schema = pair.context.after;
    let may_have_been = !pair.old.known && !pair.same();
    if pair.origin(new.id).is_some() || may_have_been || has_value_of_its_own(pair, new, false) {
        return None;
    }
    let object = pair.column_object(new);
    let subject = pair.column_subject(new);
    let table = written_to(schema, pair.new);
    let (what, code, answer) = match (is_required(schema, new), check_against_null(pair.new, new)) {
        (true, _) => ("NOT NULL".to_owned(), "23502", null_in(new, table)),
        (false, Some(check)) => {
            let answer = format!("new row for relation {} violates check constraint {}", quoted(table), quoted(check));
            (format!("not to be NULL (check constraint {check})"), "23514", answer)
        }
        (false, None) => return None,
    };
    let message = format!("{object} is new, {what} and has no default: every INSERT that does not list it fails");
    let witness = refused(insert(pair.context.before, pair.old, &[], 1), code, answer);
    unless_filled(pair, new, certain(BreakageKind::RequiredColumn, subject, &object, message, witness))
}

/// A breakage of INSERTs that leave a column out, where no trigger gives it a value first.
fn unless_filled(pair: Pair, column: &Column, breakage: Breakage) -> Option<Breakage> {
    match filled(pair.context.after, pair.new, &column.name) {
        Filled::No => Some(breakage),
        Filled::By => None,
        Filled::Perhaps(trigger) => {
            let message = format!("{}, unless the trigger {} gives it a value", breakage.message, trigger.name);
            Some(Breakage { grade: Grade::Possible, message, ..breakage })
        }
    }
}

/// The CHECK that keeps NULL out of a column that has no expression.
fn check_against_null<'a>(table: &'a Relation, column: &Column) -> Option<&'a Name> {
    if column.generated.is_some() {
        return None;
    }
    let refuses = |constraint: &&Constraint| match &constraint.kind {
        ConstraintKind::Check { expression, .. } if constraint.enforced => {
            let parts = check::conjuncts(&expression.tree, &|name| Some(Name::from(name)));
            check::says_not_null(&parts, &column.name)
        }
        _ => false,
    };
    table.constraints.iter().find(refuses).map(|constraint| &constraint.name)
}

/// As executor/execMain.c says it.
fn null_in(column: &Column, table: &Name) -> String {
    format!("null value in column {} of relation {} violates not-null constraint", quoted(&column.name), quoted(table))
}

fn compare(pair: Pair, old: &Column, new: &Column, found: &mut Vec<Breakage>) {
    found.extend(type_change::diff(pair, old, new));
    if !pair.old.is_table() || !pair.new.is_table() {
        return;
    }
    let generated = became_generated(pair, old, new);
    let writable = generated.is_none();
    found.extend(generated);
    if writable && old.generated.is_none() {
        let default = default_dropped(pair, old, new);
        found.extend(identity_always(pair, old, new));
        found.extend(not_null_added(pair, old, new, default.is_some()));
        found.extend(default);
    } else if writable && new.generated.is_none() {
        found.extend(expression_dropped(pair, old, new));
    }
    found.extend(not_null_dropped(pair, old, new));
}

fn became_generated(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if old.generated.is_some() || new.generated.is_none() {
        return None;
    }
    let object = pair.column_object(old);
    let value = values::literal(pair.context.before, &old.data_type, 0, values::Purpose::Assign);
    let message = if pair.same() && old.id == new.id {
        format!("{object} is now generated: INSERT and UPDATE that give it a value fail")
    } else {
        format!(
            "{object} is now a generated column under the old name: reads go on, INSERT and UPDATE that give it a value fail"
        )
    };
    Some(certain(
        BreakageKind::ColumnGenerated,
        pair.column_subject(old),
        &object,
        message,
        refused(
            insert(pair.context.before, pair.old, &[(old.id, value)], 1),
            "428C9",
            format!("cannot insert a non-DEFAULT value into column {}", quoted(&old.name)),
        ),
    ))
}

fn expression_dropped(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if new.default.is_some() {
        return None;
    }
    let object = pair.column_object(old);
    let sql = insert(pair.context.before, pair.old, &[], 1);
    Some(if new.not_null.enforced() {
        let message = format!("{object} is no longer generated and is NOT NULL: INSERTs that do not list it fail");
        let witness = refused(sql, "23502", null_in(new, written_to(pair.context.after, pair.new)));
        let breakage = certain(BreakageKind::DefaultDropped, pair.column_subject(old), &object, message, witness);
        return unless_filled(pair, new, breakage);
    } else {
        let message =
            format!("{object} is no longer generated: new rows have NULL there unless the client gives a value");
        let witness = differs(format!("{sql} RETURNING {}", old.name), "answers NULL instead of the computed value");
        possible(BreakageKind::DefaultDropped, pair.column_subject(old), &object, message, witness)
    })
}

fn has_value_of_its_own(pair: Pair, column: &Column, before: bool) -> bool {
    let schema = if before { pair.context.before } else { pair.context.after };
    column.default.is_some() || column.identity.is_some() || values::domain_has_default(schema, &column.data_type)
}

/// The default or identity that INSERTs without the column relied on.
fn default_dropped(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if !has_value_of_its_own(pair, old, true) || has_value_of_its_own(pair, new, false) || is_null(old) {
        return None;
    }
    let object = pair.column_object(old);
    let what = if old.identity.is_some() { "is no longer an identity column" } else { "has no default any more" };
    let sql = insert(pair.context.before, pair.old, &[], 1);
    let subject = pair.column_subject(old);
    Some(if new.not_null.enforced() {
        let message = format!("{object} {what} and is NOT NULL: INSERTs that do not list it fail");
        let witness = refused(sql, "23502", null_in(new, written_to(pair.context.after, pair.new)));
        return unless_filled(pair, new, certain(BreakageKind::DefaultDropped, subject, &object, message, witness));
    } else {
        let message = format!("{object} {what}: INSERTs that do not list it store NULL");
        let witness = differs(format!("{sql} RETURNING {}", old.name), "answers NULL instead of the default");
        possible(BreakageKind::DefaultDropped, subject, &object, message, witness)
    })
}

/// `DEFAULT NULL` is no default.
fn is_null(column: &Column) -> bool {
    column.identity.is_none() && column.default.as_ref().is_some_and(|it| it.is_null())
}

fn identity_always(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if new.identity != Some(IdentityKind::Always) || old.identity == Some(IdentityKind::Always) {
        return None;
    }
    let object = pair.column_object(old);
    let value = values::literal(pair.context.before, &old.data_type, 0, values::Purpose::Assign);
    let had_value = has_value_of_its_own(pair, old, true);
    Some(Breakage {
        kind: BreakageKind::IdentityAlways,
        // With a default before, most INSERTs leave the column out.
        grade: if had_value { Grade::Possible } else { Grade::Certain },
        subject: pair.column_subject(old),
        message: format!("{object} is now GENERATED ALWAYS AS IDENTITY: INSERTs that give it a value fail"),
        witness: refused(
            insert(pair.context.before, pair.old, &[(old.id, value)], 1),
            "428C9",
            format!("cannot insert a non-DEFAULT value into column {}", quoted(&old.name)),
        ),
        object,
    })
}

fn not_null_added(pair: Pair, old: &Column, new: &Column, default_dropped: bool) -> Option<Breakage> {
    let was_free = old.not_null == crate::schema::NotNull::No;
    if !was_free || !new.not_null.enforced() || new.generated.is_some() || in_new_primary_key(pair, new) {
        return None;
    }
    let checks = check::enforced(pair.old, &|name| Some(Name::from(name)));
    if check::says_not_null(&checks, &old.name) {
        return None;
    }
    let object = pair.column_object(old);
    let subject = pair.column_subject(old);
    let has_default = has_value_of_its_own(pair, new, false);
    if has_default || default_dropped {
        let sql = insert(pair.context.before, pair.old, &[(old.id, "NULL".to_owned())], 1);
        let message = format!("{object} is now NOT NULL: INSERT and UPDATE that set it to NULL fail");
        let answer = null_in(new, written_to(pair.context.after, pair.new));
        return Some(possible(BreakageKind::NotNullAdded, subject, &object, message, refused(sql, "23502", answer)));
    }
    let sql = insert(pair.context.before, pair.old, &[], 1);
    let message = match old.data_type.resolved {
        // Nothing made it: whether it has a default is not known.
        ResolvedType::Unknown if !pair.old.known => {
            format!(
                "{object} is now NOT NULL: INSERTs that set it to NULL, or leave it out where it has no default, fail"
            )
        }
        _ => format!("{object} is now NOT NULL and has no default: INSERTs that leave it out or set it to NULL fail"),
    };
    let answer = null_in(new, written_to(pair.context.after, pair.new));
    let witness = refused(sql, "23502", answer);
    unless_filled(pair, new, certain(BreakageKind::NotNullAdded, subject, &object, message, witness))
}

/// ADD PRIMARY KEY makes its columns NOT NULL: the key's breakage says so, if there is one.
fn in_new_primary_key(pair: Pair, new: &Column) -> bool {
    let key = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } => columns.contains(&new.id),
        _ => false,
    };
    pair.new.primary_key().is_some_and(key) && pair.old.primary_key().is_none() && unique::reports_primary_key(pair)
}

fn not_null_dropped(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if !old.not_null.enforced() || new.not_null != crate::schema::NotNull::No {
        return None;
    }
    let checks = check::enforced(pair.new, &|name| Some(Name::from(name)));
    if check::says_not_null(&checks, &new.name) {
        return None;
    }
    let object = pair.column_object(old);
    Some(possible(
        BreakageKind::NotNullDropped,
        pair.column_subject(old),
        &object,
        format!("{object} may now be NULL: clients that read it as always present can fail"),
        differs(
            format!(
                "SELECT attnotnull FROM pg_attribute WHERE attrelid = {}::regclass AND attname = {}",
                quoting::literal(&pair.old.name.to_string()),
                quoting::literal(old.name.as_str())
            ),
            "answers false instead of true: rows with NULL can come",
        ),
    ))
}
