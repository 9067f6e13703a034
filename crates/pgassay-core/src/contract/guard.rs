//! What guarded the rows of a table and no longer does: checks, exclusions, triggers, the write-ahead log.
//!
//! No statement fails by it. What readers could rely on is gone, and rows that were refused, noted elsewhere or kept before are not.

use std::cell::LazyCell;
use std::collections::HashMap;

use super::pair::Pair;
use super::witness::{differs, refused};
use super::{Breakage, BreakageKind, Subject, Witness, body, certain, check, constraint, possible, witness};
use crate::change::{
    Expression, FiringMode, Ident, Name, Persistence, PrintedName, QualifiedName, RuleEvent, TriggerEvent,
};
use crate::schema::{Column, ColumnId, Constraint, ConstraintKind, Relation, Rule, Schema, Trigger};
use crate::text::quoting;

#[deny(clippy::wildcard_enum_match_arm, reason = "a new constraint says what its end means")]
pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    let new: HashMap<&Name, &Constraint> = pair.new.constraints.iter().map(|it| (&it.name, it)).collect();
    let stays = |old: &Constraint| new.get(&old.name).is_some_and(|new| new.enforced && new.kind == old.kind);
    // What the checks say after the migration is worked out once, and only where one is gone.
    let says = LazyCell::new(|| check::enforced(pair.new, &|name| Some(Name::from(name))));
    for constraint in pair.old.constraints.iter().filter(|it| it.enforced && it.local && !stays(it)) {
        match &constraint.kind {
            ConstraintKind::Check { expression, columns } => {
                found.extend(check_dropped(pair, &constraint.name, expression, columns, &says));
            }
            ConstraintKind::Exclude { .. } => found.extend(exclusion_dropped(pair, &constraint.name)),
            // `column`, `unique` and `foreign_key` tell of these.
            ConstraintKind::NotNull(_)
            | ConstraintKind::Unique { .. }
            | ConstraintKind::PrimaryKey { .. }
            | ConstraintKind::ForeignKey(_) => {}
        }
    }
    let triggers: HashMap<&Name, &Trigger> = pair.new.triggers.iter().map(|it| (&it.name, it)).collect();
    let silenced =
        pair.old.triggers.iter().filter_map(|old| trigger_silenced(pair, old, triggers.get(&old.name).copied()));
    found.extend(silenced);
    found.extend(replaced_writes(pair));
    found.extend(foreign_keys_silenced(pair));
    found.extend(unlogged(pair));
}

/// A check that is gone, and not replaced: one that takes more values than before is a change of its own.
fn check_dropped(
    pair: Pair,
    name: &Name,
    expression: &Expression,
    columns: &[ColumnId],
    new: &[check::Conjunct],
) -> Option<Breakage> {
    let kept: Option<Vec<&Column>> = columns.iter().map(|id| unchanged_column(pair, *id)).collect();
    let kept = kept?;
    let about_them = |columns: &[ColumnId]| columns.iter().any(|id| kept.iter().any(|column| column.id == *id));
    let replaced = pair.new.constraints.iter().any(|new| match &new.kind {
        ConstraintKind::Check { columns, .. } => new.enforced && about_them(columns),
        ConstraintKind::NotNull(_)
        | ConstraintKind::Unique { .. }
        | ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => false,
    });
    let parts = check::conjuncts(&expression.tree, &|name| pair.new_name(name));
    let still_holds = |part: &check::Conjunct| {
        let not_null = part.not_null_column().and_then(|name| pair.new.column(name));
        check::implied(part, new) || not_null.is_some_and(|column| column.not_null.enforced())
    };
    if replaced || parts.iter().all(still_holds) {
        return None;
    }
    let text = constraint::one_line(&expression.text);
    Some(possible(
        BreakageKind::CheckDropped,
        pair.part_subject(name),
        part(pair, name),
        format!("check {name} of {} is gone: rows are accepted for which {text} is false", pair.old.name),
        constraint_is_gone(pair.old, name),
    ))
}

/// The column after the migration, where it holds the same values.
fn unchanged_column<'a>(pair: Pair<'a>, id: ColumnId) -> Option<&'a Column> {
    let old = pair.old.column_by_id(id)?;
    pair.successor(id).filter(|new| new.data_type == old.data_type)
}

fn exclusion_dropped(pair: Pair, name: &Name) -> Option<Breakage> {
    let stands = pair.new.constraints.iter().any(|it| matches!(it.kind, ConstraintKind::Exclude { .. }));
    (!stands).then(|| {
        possible(
            BreakageKind::ExclusionDropped,
            pair.part_subject(name),
            part(pair, name),
            format!("exclusion constraint {name} of {} is gone: rows that conflict are accepted", pair.old.name),
            constraint_is_gone(pair.old, name),
        )
    })
}

pub(super) fn constraint_is_gone(table: &Relation, name: &Name) -> Witness {
    differs(
        format!(
            "SELECT count(*) FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
            quoting::literal(&table.name.to_string()),
            quoting::literal(name.as_str())
        ),
        "answers 0 instead of 1: nothing refuses such rows any more",
    )
}

fn part(pair: Pair, name: &Name) -> PrintedName {
    PrintedName::part(&pair.old.name, name)
}

/// Whether it fires in the sessions of clients: replicas apart, those are in session_replication_role = origin.
fn fires(mode: FiringMode) -> bool {
    matches!(mode, FiringMode::Enabled | FiringMode::Always)
}

fn function_name<'a>(schema: &'a Schema, trigger: &Trigger) -> Option<&'a QualifiedName> {
    trigger.function.and_then(|id| schema.routines.get(&id)).map(|routine| &routine.name)
}

/// A trigger that is switched off, or gone while no other calls the same function at the same events.
fn trigger_silenced(pair: Pair, old: &Trigger, named: Option<&Trigger>) -> Option<Breakage> {
    if !fires(old.mode) {
        return None;
    }
    let table = &pair.old.name;
    let same_work = |new: &&Trigger| {
        fires(new.mode)
            && function_name(pair.context.after, new) == function_name(pair.context.before, old)
            && new.timing == old.timing
            && old.events.iter().all(|event| answers(&new.events, event))
            && (new.condition.is_none() || pair.same_expression(old.condition.as_ref(), new.condition.as_ref()))
    };
    if pair.new.triggers.iter().any(|new| same_work(&new)) {
        return None;
    }
    if let Some(new) = named.filter(|new| fires(new.mode)) {
        return fires_less(pair, old, new);
    }
    let witness = differs(
        format!(
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = {}::regclass AND tgname = {}",
            quoting::literal(&table.to_string()),
            quoting::literal(old.name.as_str())
        ),
        match named {
            Some(_) => "answers that it is off instead of O",
            None => "answers no row: it is gone",
        },
    );
    let (subject, object) = (pair.part_subject(&old.name), part(pair, &old.name));
    Some(match named {
        Some(_) => certain(
            BreakageKind::TriggerDisabled,
            subject,
            object,
            format!("trigger {} of {table} stays switched off: what it did at every write is not done", old.name),
            witness,
        ),
        None => possible(
            BreakageKind::TriggerDropped,
            subject,
            object,
            format!("trigger {} of {table} is gone: what it did at every write is not done any more", old.name),
            witness,
        ),
    })
}

/// Whether a trigger of these events fires at one.
fn answers(events: &[TriggerEvent], asked: &TriggerEvent) -> bool {
    let columns = |list: &[Ident]| list.iter().map(|it| it.name.clone()).collect::<Vec<Name>>();
    events.iter().any(|event| match (event, asked) {
        (TriggerEvent::Update(new), TriggerEvent::Update(old)) => {
            let (new, old) = (columns(new), columns(old));
            new.is_empty() || !old.is_empty() && old.iter().all(|column| new.contains(column))
        }
        (event, asked) => event == asked,
    })
}

/// A trigger made anew, under its name, that does its work at fewer writes.
fn fires_less(pair: Pair, old: &Trigger, new: &Trigger) -> Option<Breakage> {
    // Another function is other work: what it does is not compared.
    if function_name(pair.context.after, new) != function_name(pair.context.before, old) {
        return None;
    }
    let lost: Vec<&str> =
        old.events.iter().filter(|event| !answers(&new.events, event)).map(body::event_name).collect();
    let narrowed = new.condition.as_ref().filter(|it| !pair.same_expression(old.condition.as_ref(), Some(it)));
    let what = match (&lost[..], narrowed) {
        ([], None) if new.timing == old.timing && new.for_each_row == old.for_each_row => return None,
        ([], None) => "fires at another time than before".to_owned(),
        ([], Some(condition)) => format!("fires only where {}", constraint::one_line(&condition.text)),
        (lost, _) => format!("does not fire at {} any more", lost.join(" and ")),
    };
    let table = &pair.old.name;
    Some(possible(
        BreakageKind::TriggerDropped,
        pair.part_subject(&old.name),
        part(pair, &old.name),
        format!("trigger {} of {table} {what}: what it did at those writes is not done", old.name),
        differs(
            format!(
                "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = {}::regclass AND tgname = {}",
                quoting::literal(&table.to_string()),
                quoting::literal(old.name.as_str())
            ),
            "answers another definition",
        ),
    ))
}

/// INSTEAD rules that are new on a table: the writes of clients do what the rule says, or nothing.
fn replaced_writes(pair: Pair) -> impl Iterator<Item = Breakage> {
    let before: Vec<&Name> = pair.old.rules.iter().filter(|it| it.instead).map(|it| &it.name).collect();
    let replaces = move |rule: &&Rule| {
        rule.instead && rule.event != RuleEvent::Select && fires(rule.mode) && !before.contains(&&rule.name)
    };
    let rules = pair.new.rules.iter().filter(replaces);
    rules.map(move |rule| {
        let table = &pair.old.name;
        let (event, sql) = match rule.event {
            RuleEvent::Insert => ("INSERT", witness::insert(pair.context.before, pair.old, &[], 1)),
            RuleEvent::Update => ("UPDATE", format!("UPDATE {table} SET {}", first_column_kept(pair.old))),
            RuleEvent::Delete | RuleEvent::Select => ("DELETE", format!("DELETE FROM {table}")),
        };
        let sql = format!("{sql} RETURNING 1");
        // RewriteQuery (rewriteHandler.c): a rule may have a RETURNING of its own.
        let witness = match rule.uses.iter().all(|(id, _)| *id == pair.new.id) {
            true => {
                let answer = format!("cannot perform {event} RETURNING on relation {}", witness::quoted(&table.name));
                refused(sql, "0A000", answer)
            }
            false => differs(sql, "answers what the rule returns, or is refused"),
        };
        let which = if rule.conditional { "some" } else { "every" };
        let message = format!(
            "rule {} does something else in place of {which} {event} on {table}: the rows are not written",
            rule.name
        );
        let (kind, subject) = (BreakageKind::WritesReplaced, pair.part_subject(&rule.name));
        let build = if rule.conditional { possible } else { certain };
        build(kind, subject, part(pair, &rule.name), message, witness)
    })
}

fn first_column_kept(table: &Relation) -> String {
    let column = table.columns.iter().find(|it| it.generated.is_none());
    column.map_or_else(String::new, |it| format!("{0} = {0}", it.name))
}

/// DISABLE TRIGGER ALL reaches the triggers by which the server checks foreign keys.
fn foreign_keys_silenced(pair: Pair) -> Option<Breakage> {
    if pair.old.system_triggers_off || !pair.new.system_triggers_off {
        return None;
    }
    let table = &pair.old.name;
    let own = pair.new.foreign_keys().next().is_some();
    if !own && pair.new.referenced_by.is_empty() {
        return None;
    }
    let what = match (own, pair.new.referenced_by.is_empty()) {
        (true, true) => format!("the foreign keys of {table} are"),
        (true, false) => format!("the foreign keys of {table}, and those that refer to it, are"),
        (false, _) => format!("the foreign keys that refer to {table} are"),
    };
    Some(certain(
        BreakageKind::ForeignKeysSilenced,
        Subject::Relation(pair.new.id),
        table,
        format!(
            "{what} not checked any more: DISABLE TRIGGER ALL switched their triggers off, and nothing switches them on"
        ),
        differs(
            format!(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = {}::regclass AND tgisinternal AND tgenabled = 'D'",
                quoting::literal(&table.to_string())
            ),
            "answers how many are off instead of 0",
        ),
    ))
}

fn unlogged(pair: Pair) -> Option<Breakage> {
    if pair.old.persistence != Persistence::Permanent || pair.new.persistence != Persistence::Unlogged {
        return None;
    }
    let table = &pair.old.name;
    Some(certain(
        BreakageKind::Unlogged,
        Subject::Relation(pair.new.id),
        table,
        format!(
            "{table} is unlogged: after a crash it is empty, and standbys and backups of the log do not have its rows"
        ),
        differs(
            format!(
                "SELECT relpersistence FROM pg_class WHERE oid = {}::regclass",
                quoting::literal(&table.to_string())
            ),
            "answers u instead of p: its writes are not in the write-ahead log",
        ),
    ))
}
