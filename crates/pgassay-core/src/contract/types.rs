//! Types: gone, renamed, with fewer labels or attributes, and domains that refuse more.

use imbl::ordmap::DiffItem;

use super::witness::{differs, refused};
use super::{Breakage, BreakageKind, Context, Subject, certain, check, possible, type_change};
use crate::change::{Name, PrintedName};
use crate::schema::{ColumnType, Domain, Type, TypeDefinition};
use crate::text::quoting;

pub(super) fn diff(context: &Context, found: &mut Vec<Breakage>) {
    for item in context.before.types.diff(&context.after.types) {
        let old = match item {
            DiffItem::Add(..) => continue,
            DiffItem::Update { old: (_, old), .. } | DiffItem::Remove(_, old) => old,
        };
        if old.name.schema == "pg_temp" || context.namespace_is_gone(&old.name.schema) {
            continue;
        }
        match context.after.type_at(&old.name) {
            Some(new) => compare(context, old, new, found),
            None => found.push(gone(context, old)),
        }
    }
}

/// How the server prints a type of the default search_path in messages.
fn shown(found: &Type) -> String {
    if found.name.schema == "public" { found.name.name.to_string() } else { found.name.to_string() }
}

fn gone(context: &Context, old: &Type) -> Breakage {
    let name = &old.name;
    let witness = refused(
        format!("SELECT NULL::{name}"),
        "42704",
        format!("type \"{}.{}\" does not exist", name.schema.as_str(), name.name.as_str()),
    );
    let subject = Subject::Type(old.id);
    match context.after.types.get(&old.id) {
        Some(new) => {
            let message = format!("type {name} is now {}: casts and parameters of the old name fail", new.name);
            certain(BreakageKind::TypeRenamed, subject, name, message, witness)
        }
        None => {
            let message = format!("type {name} is gone: casts to it and parameters of it fail");
            certain(BreakageKind::TypeDropped, subject, name, message, witness)
        }
    }
}

fn compare(context: &Context, old: &Type, new: &Type, found: &mut Vec<Breakage>) {
    match (&old.definition, &new.definition) {
        (TypeDefinition::Enum(before), TypeDefinition::Enum(after)) => {
            for (position, label) in before.iter().enumerate().filter(|(_, label)| !after.contains(label)) {
                // RENAME VALUE keeps the position and the number of labels.
                let renamed = after.get(position).filter(|it| before.len() == after.len() && !before.contains(it));
                found.push(label_lost(old, new, label, renamed.map(|it| &**it)));
            }
        }
        (TypeDefinition::Domain(before), TypeDefinition::Domain(after)) => {
            domain(context, old, new, before, after, found);
        }
        (TypeDefinition::Composite(before), TypeDefinition::Composite(after)) => {
            found.extend(before.iter().filter_map(|it| attribute(context, old, new, it, after)));
            found.extend(wider(old, new, before, after));
        }
        (TypeDefinition::Range { subtype: before }, TypeDefinition::Range { subtype: after })
            if before == after || before.is_none() || after.is_none() => {}
        (TypeDefinition::Base, TypeDefinition::Base) | (TypeDefinition::Shell, TypeDefinition::Shell) => {}
        (
            TypeDefinition::Enum(_)
            | TypeDefinition::Domain(_)
            | TypeDefinition::Composite(_)
            | TypeDefinition::Range { .. }
            | TypeDefinition::Base
            | TypeDefinition::Shell,
            _,
        ) => {
            let message =
                format!("type {} is another kind of type now: values and casts of the old one fail", old.name);
            let witness = differs(format!("SELECT NULL::{}", old.name), "answers a value of another kind");
            found.push(certain(BreakageKind::TypeDropped, Subject::Type(new.id), &old.name, message, witness));
        }
    }
}

fn label_lost(old: &Type, new: &Type, label: &str, renamed: Option<&str>) -> Breakage {
    let witness = refused(
        format!("SELECT {}::{}", quoting::literal(label), old.name),
        "22P02",
        format!("invalid input value for enum {}: \"{label}\"", shown(new)),
    );
    let subject = Subject::Type(new.id);
    let object = PrintedName::described(&old.name, format!("{}.'{label}'", old.name));
    match renamed {
        Some(other) => certain(
            BreakageKind::EnumValueRenamed,
            subject,
            object,
            format!(
                "'{label}' of {} is now called '{other}': statements with the old label fail, and reads answer the new one",
                old.name
            ),
            witness,
        ),
        None => certain(
            BreakageKind::EnumValueRemoved,
            subject,
            object,
            format!("{} has no value '{label}' any more: statements that use it fail", old.name),
            witness,
        ),
    }
}

fn attribute(
    context: &Context,
    old: &Type,
    new: &Type,
    (name, data_type): &(Name, ColumnType),
    after: &[(Name, ColumnType)],
) -> Option<Breakage> {
    let object = PrintedName::part(&old.name, name);
    let subject = Subject::Type(new.id);
    let sql = format!("SELECT (NULL::{}).{name}", old.name);
    let Some((_, now)) = after.iter().find(|(it, _)| it == name) else {
        let answer = format!("column {} not found in data type {}", super::witness::quoted(name), shown(new));
        let message = format!("{} has no attribute {name} any more: statements that name it fail", old.name);
        return Some(certain(BreakageKind::CompositeChanged, subject, object, message, refused(sql, "42703", answer)));
    };
    if !type_change::reads_differently(context.before, context.after, data_type, now) {
        return None;
    }
    let message = format!("attribute {name} of {} changes from {} to {}", old.name, data_type.written, now.written);
    let witness = differs(
        format!("SELECT pg_typeof((NULL::{}).{name})", old.name),
        format!("answers {} instead of {}", now.written, data_type.written),
    );
    Some(possible(BreakageKind::CompositeChanged, subject, object, message, witness))
}

/// More attributes: whoever writes all of a row's attributes writes too few.
fn wider(old: &Type, new: &Type, before: &[(Name, ColumnType)], after: &[(Name, ColumnType)]) -> Option<Breakage> {
    let added = after.iter().map(|(name, _)| name).rev().find(|name| before.iter().all(|(it, _)| it != *name))?;
    if after.len() <= before.len() || before.is_empty() {
        return None;
    }
    let row = format!("({})", ",".repeat(before.len() - 1));
    let message = format!(
        "{} has {} attributes instead of {}: rows that name a value for each of the old ones, '(…)' and ROW(…), fail",
        old.name,
        after.len(),
        before.len()
    );
    let witness = refused(
        format!("SELECT {}::{}", quoting::literal(&row), old.name),
        "22P02",
        format!("malformed record literal: \"{row}\""),
    );
    let object = PrintedName::part(&old.name, added);
    Some(possible(BreakageKind::CompositeChanged, Subject::Type(new.id), object, message, witness))
}

/// The checks of a domain that are gone, and do not follow from those that it has.
fn lost_checks(old: &Type, new: &Type, before: &Domain, after: &Domain) -> Vec<Breakage> {
    let as_written = |text: &str| Some(Name::from(text));
    let parts = |of: &Domain| -> Vec<check::Conjunct> {
        of.constraints.iter().flat_map(|it| check::conjuncts(&it.expression.tree, &as_written)).collect()
    };
    let now = parts(after);
    let gone = before.constraints.iter().filter(|old| !after.constraints.iter().any(|new| new.name == old.name));
    let lost = gone.filter(|old| {
        check::conjuncts(&old.expression.tree, &as_written).iter().any(|part| !check::implied(part, &now))
    });
    lost.map(|constraint| {
        let name = &old.name;
        let text = super::constraint::one_line(&constraint.expression.text);
        let sql = format!(
            "SELECT count(*) FROM pg_constraint WHERE contypid = {}::regtype AND conname = {}",
            quoting::literal(&name.to_string()),
            quoting::literal(constraint.name.as_str())
        );
        possible(
            BreakageKind::CheckDropped,
            Subject::Type(new.id),
            PrintedName::part(name, &constraint.name),
            format!(
                "check {} of domain {name} is gone: values are accepted for which {text} is false",
                constraint.name
            ),
            differs(sql, "answers 0 instead of 1: nothing refuses such values any more"),
        )
    })
    .collect()
}

fn domain(context: &Context, old: &Type, new: &Type, before: &Domain, after: &Domain, found: &mut Vec<Breakage>) {
    let name = &old.name;
    let subject = || Subject::Type(new.id);
    if after.not_null && !before.not_null {
        let message = format!("domain {name} now refuses NULL");
        let answer = format!("domain {} does not allow null values", shown(new));
        let witness = refused(format!("SELECT NULL::{name}"), "23502", answer);
        found.push(certain(BreakageKind::DomainTightened, subject(), name, message, witness));
    }
    if type_change::reads_differently(context.before, context.after, &before.base, &after.base) {
        let message = format!("domain {name} is over {} instead of {}", after.base.written, before.base.written);
        let witness = differs(format!("SELECT NULL::{name}"), format!("answers a {}", after.base.written));
        found.push(certain(BreakageKind::DomainTightened, subject(), name, message, witness));
    }
    if before.not_null && !after.not_null {
        let message = format!("domain {name} takes NULL from now on: readers find NULL where there was always a value");
        let sql =
            format!("SELECT typnotnull FROM pg_type WHERE oid = {}::regtype", quoting::literal(&name.to_string()));
        let witness = differs(sql, "answers f instead of t: NULL is taken");
        found.push(possible(BreakageKind::NotNullDropped, subject(), name, message, witness));
    }
    found.extend(lost_checks(old, new, before, after));
    let as_written = |text: &str| Some(Name::from(text));
    let old_parts: Vec<check::Conjunct> =
        before.constraints.iter().flat_map(|it| check::conjuncts(&it.expression.tree, &as_written)).collect();
    for constraint in &after.constraints {
        let parts = check::conjuncts(&constraint.expression.tree, &as_written);
        let tighter: Vec<&check::Conjunct> = parts.iter().filter(|part| !check::implied(part, &old_parts)).collect();
        if tighter.is_empty() {
            continue;
        }
        let answer =
            format!("value for domain {} violates check constraint \"{}\"", shown(new), constraint.name.as_str());
        let value =
            tighter.iter().find_map(|part| check::violating_value(context.before, &before.base, part, &old_parts));
        let witness = match value {
            Some(value) => refused(format!("SELECT {value}::{name}"), "23514", answer),
            None => differs(
                format!("SELECT NULL::{name}"),
                format!("values for which {} is false are refused: ERROR 23514: {answer}", constraint.expression.text),
            ),
        };
        let message = format!("domain {name} now refuses values unless {}", constraint.expression.text);
        found.push(certain(BreakageKind::DomainTightened, subject(), name, message, witness));
    }
}
