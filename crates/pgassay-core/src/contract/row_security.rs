//! Row security: rows that roles saw or wrote and now do not, and rows that it kept from them and now does not.

use std::collections::HashMap;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use super::pair::Pair;
use super::witness::{differs, select};
use super::{Breakage, BreakageKind, Grade, Subject, certain, possible};
use crate::change::{Expression, Name, PrintedName, RuleEvent};
use crate::schema::{List, Policy, Relation};

pub(super) fn diff(pair: Pair, found: &mut Vec<Breakage>) {
    opened(pair, found);
    if !pair.new.row_security {
        return;
    }
    if !pair.old.row_security {
        found.extend(enabled(pair));
        return;
    }
    if pair.new.force_row_security && !pair.old.force_row_security && !passes_all(pair.new) {
        found.push(possible(
            BreakageKind::RowSecurityEnabled,
            Subject::Relation(pair.new.id),
            &pair.old.name,
            format!(
                "row security of {} now holds for its owner too: the owner sees only what the policies pass",
                pair.old.name
            ),
            differs(select(pair.old, "*"), "answers the owner only the rows that a policy passes"),
        ));
    }
    // One that stays as it is lets through what it did: of thousands of policies few change.
    let (old, new) = (by_name(&pair.old.policies), by_name(&pair.new.policies));
    if !passes_all(pair.new) {
        let changed = pair.old.policies.iter().filter(|policy| new.get(&policy.name) != Some(policy));
        found.extend(changed.filter_map(|old| policy_changed(pair, old)));
    }
    let changed = pair.new.policies.iter().filter(|policy| old.get(&policy.name) != Some(policy));
    found.extend(changed.filter_map(|new| restricted(pair, new)));
}

fn by_name(policies: &List<Policy>) -> HashMap<&Name, &Policy> {
    policies.iter().map(|policy| (&policy.name, policy)).collect()
}

/// What kept rows from roles, and does not any more.
fn opened(pair: Pair, found: &mut Vec<Breakage>) {
    if !pair.old.row_security || passes_all(pair.old) {
        return;
    }
    let name = &pair.old.name;
    let shown = |what: String| differs(select(pair.old, "*"), what);
    if !pair.new.row_security {
        return found.push(certain(
            BreakageKind::RowSecurityDisabled,
            Subject::Relation(pair.new.id),
            name,
            format!("row security of {name} is off: every role with a privilege on it sees and writes all rows"),
            shown("answers rows that the policies hid".to_owned()),
        ));
    }
    if passes_all(pair.new) {
        let open = pair.new.policies.iter().find(|policy| !policy.restrictive && is_open(policy));
        return found.extend(open.map(|policy| {
            certain(
                BreakageKind::PolicyLoosened,
                pair.part_subject(&policy.name),
                PrintedName::part(name, &policy.name),
                format!("policy {} of {name} lets every role see and write every row", policy.name),
                shown("answers rows that the policies hid".to_owned()),
            )
        }));
    }
    if let Some(policy) = shows_all(pair.new).filter(|_| shows_all(pair.old).is_none()) {
        return found.push(certain(
            BreakageKind::PolicyLoosened,
            pair.part_subject(&policy.name),
            PrintedName::part(name, &policy.name),
            format!("policy {} of {name} lets every role see every row", policy.name),
            shown("answers rows that the policies hid".to_owned()),
        ));
    }
    let gone = |old: &&Policy| {
        old.restrictive && !is_open(old) && !pair.new.policies.iter().any(|new| new.restrictive && new.name == old.name)
    };
    let same = |old: &Policy| {
        pair.new.policies.iter().any(|new| {
            new.restrictive
                && same_rows(pair, old, new)
                && (new.command.is_none() || new.command == old.command)
                && (is_public(new) || old.roles.iter().all(|role| new.roles.contains(role)))
        })
    };
    for old in pair.old.policies.iter().filter(gone).filter(|old| !same(old)) {
        found.push(possible(
            BreakageKind::PolicyLoosened,
            pair.part_subject(&old.name),
            PrintedName::part(name, &old.name),
            format!(
                "restrictive policy {} of {name} is gone: roles see and write the rows that it kept from them",
                old.name
            ),
            shown("answers rows that the policy hid".to_owned()),
        ));
    }
    if pair.old.force_row_security && !pair.new.force_row_security {
        found.push(possible(
            BreakageKind::RowSecurityDisabled,
            Subject::Relation(pair.new.id),
            name,
            format!("row security of {name} no longer holds for its owner: the owner sees and writes all rows"),
            shown("answers the owner rows that the policies hid".to_owned()),
        ));
    }
}

fn enabled(pair: Pair) -> Option<Breakage> {
    if passes_all(pair.new) {
        return None;
    }
    let name = &pair.old.name;
    let subject = Subject::Relation(pair.new.id);
    let any = pair.new.policies.iter().any(|policy| !policy.restrictive);
    let who = if pair.new.force_row_security { "every role but superusers" } else { "every role but the owner" };
    Some(if any {
        let message = format!("row security of {name} is on: {who} sees and writes only the rows that a policy passes");
        let witness = differs(select(pair.old, "*"), format!("answers {who} only the rows that a policy passes"));
        possible(BreakageKind::RowSecurityEnabled, subject, name, message, witness)
    } else {
        let message = format!(
            "row security of {name} is on and no policy lets a row through: {who} sees no rows and can write none"
        );
        let witness = differs(select(pair.old, "*"), format!("answers no rows to {who}"));
        certain(BreakageKind::RowSecurityEnabled, subject, name, message, witness)
    })
}

/// Everybody sees and writes everything: a permissive `USING (true)` for all commands and PUBLIC, and nothing restrictive.
fn passes_all(relation: &Relation) -> bool {
    let open = |policy: &Policy| policy.command.is_none() && is_open(policy) && is_public(policy);
    relation.policies.iter().any(|policy| !policy.restrictive && open(policy))
        && !relation.policies.iter().any(|policy| policy.restrictive && !is_open(policy))
}

/// A policy by which every role sees every row, whatever it may write.
fn shows_all(relation: &Relation) -> Option<&Policy> {
    let reads = |policy: &Policy| matches!(policy.command, None | Some(RuleEvent::Select));
    let hides = |policy: &Policy| policy.restrictive && reads(policy) && !passes_using(policy);
    let shows = |policy: &&Policy| !policy.restrictive && reads(policy) && is_public(policy) && passes_using(policy);
    let hidden = relation.policies.iter().any(hides);
    relation.policies.iter().find(|policy| !hidden && shows(policy))
}

fn passes_using(policy: &Policy) -> bool {
    policy.using.as_ref().is_none_or(|it| is_true(&it.tree))
}

fn is_public(policy: &Policy) -> bool {
    policy.roles.is_empty() || policy.roles.iter().any(|role| *role == "public")
}

fn is_open(policy: &Policy) -> bool {
    let is_true = |it: &Option<Expression>| it.as_ref().is_none_or(|it| is_true(&it.tree));
    is_true(&policy.using) && is_true(&policy.with_check)
}

/// Whether two policies pass the same rows; a policy follows the columns that it names when those are renamed.
fn same_rows(pair: Pair, old: &Policy, new: &Policy) -> bool {
    pair.same_expression(old.using.as_ref(), new.using.as_ref())
        && pair.same_expression(old.with_check.as_ref(), new.with_check.as_ref())
}

/// True whatever the row is, as far as constants tell.
fn is_true(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_true(inner),
        Expr::Value(value) => value.value == Value::Boolean(true),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => is_false(expr),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => is_true(left) || is_true(right),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => is_true(left) && is_true(right),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            is_constant(left) && left.to_string() == right.to_string()
        }
        _ => false,
    }
}

fn is_false(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_false(inner),
        Expr::Value(value) => value.value == Value::Boolean(false),
        _ => false,
    }
}

fn is_constant(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if !matches!(value.value, Value::Null | Value::Placeholder(_)))
}

/// A permissive policy that is gone, or passes other rows, commands or roles.
fn policy_changed(pair: Pair, old: &Policy) -> Option<Breakage> {
    if old.restrictive {
        return None;
    }
    let name = &pair.old.name;
    let covers = |new: &&Policy| {
        !new.restrictive
            && (new.command.is_none() || new.command == old.command)
            && (is_public(new) || !is_public(old) && old.roles.iter().all(|role| new.roles.contains(role)))
            && (is_open(new) || same_rows(pair, old, new))
    };
    if pair.new.policies.iter().any(|new| covers(&new)) {
        return None;
    }
    let kept = pair.new.policies.iter().find(|new| new.name == old.name);
    let last = kept.is_none() && !pair.new.policies.iter().any(|policy| !policy.restrictive);
    let message = match kept {
        Some(_) => format!("policy {} of {name} passes other rows, commands or roles than before", old.name),
        None if last => {
            format!("policy {} of {name} was the last one that let rows through: only the owner sees any", old.name)
        }
        None => format!(
            "policy {} of {name} is gone: the rows that only it let through are no longer there for its roles",
            old.name
        ),
    };
    Some(Breakage {
        kind: BreakageKind::PolicyTightened,
        grade: if last { Grade::Certain } else { Grade::Possible },
        subject: pair.part_subject(&old.name),
        object: PrintedName::part(name, &old.name),
        message,
        witness: differs(select(pair.old, "*"), "answers fewer rows to the roles of the policy"),
    })
}

fn restricted(pair: Pair, new: &Policy) -> Option<Breakage> {
    let same = pair
        .old
        .policies
        .iter()
        .filter(|old| old.restrictive)
        .any(|old| same_rows(pair, old, new) && old.command == new.command);
    if !new.restrictive || is_open(new) || same {
        return None;
    }
    let name = &pair.old.name;
    let passes = new.using.as_ref().or(new.with_check.as_ref()).map(|it| it.text.to_string()).unwrap_or_default();
    Some(possible(
        BreakageKind::PolicyTightened,
        pair.part_subject(&new.name),
        PrintedName::part(name, &new.name),
        format!("restrictive policy {} of {name} hides rows and refuses writes unless {passes}", new.name),
        differs(select(pair.old, "*"), format!("answers only rows for which {passes}")),
    ))
}
