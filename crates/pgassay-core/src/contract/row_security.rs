//! Row security: rows that roles saw or wrote and now do not, and rows that it kept from them and now does not.

use std::collections::HashMap;

use sqlparser::ast::{BinaryOperator, Expr};

use super::pair::Pair;
use super::witness::{differs, select};
use super::{Breakage, BreakageKind, Grade, Subject, Witness, certain, check, constraint, possible};
use crate::change::{Expression, Name, PrintedName, RuleEvent};
use crate::expression::{Constants, truth};
use crate::schema::{List, Policy, Relation};
use crate::text::quoting;

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
    let (old, new) = (by_name(&pair.old.policies), &pair.new.policies);
    let changed = new.iter().filter(|policy| old.get(&policy.name) != Some(policy));
    found.extend(changed.filter_map(|policy| loosened(pair, policy)));
    restrictive_gone(pair, found);
    open_to_owner(pair, found);
}

/// Restrictive policies that are gone, and no other passes the same rows in their place.
fn restrictive_gone(pair: Pair, found: &mut Vec<Breakage>) {
    let name = &pair.old.name;
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
            differs(select(pair.old, "*"), "answers rows that the policy hid"),
        ));
    }
}

/// A new owner whom policies held for, and an owner whom they were forced on.
fn open_to_owner(pair: Pair, found: &mut Vec<Breakage>) {
    let name = &pair.old.name;
    let shown = |what: String| differs(select(pair.old, "*"), what);
    if let Some(owner) = pair.new.owner.as_ref().filter(|new| pair.old.owner.as_ref() != Some(new)) {
        let held = is_held(pair, owner) && !pair.new.force_row_security;
        found.extend(held.then(|| {
            certain(
                BreakageKind::RowSecurityDisabled,
                Subject::Relation(pair.new.id),
                name,
                format!(
                    "{owner} owns {name} from now on, and row security does not hold for the owner: it sees and writes all rows"
                ),
                shown(format!("answers {owner} rows that the policies hid")),
            )
        }));
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

fn passes_using(policy: &Policy) -> bool {
    passes(policy.using.as_ref())
}

/// Whether a policy's condition is missing, or true whatever the row is.
fn passes(condition: Option<&Expression>) -> bool {
    condition.is_none_or(|it| truth(&it.tree, &Constants) == Some(true))
}

fn is_public(policy: &Policy) -> bool {
    policy.roles.is_empty() || policy.roles.iter().any(|role| *role == "public")
}

fn is_open(policy: &Policy) -> bool {
    passes_using(policy) && passes(policy.with_check.as_ref())
}

/// Whether a role read or wrote the table as one that the policies are for, by itself or as a member of one.
fn is_held(pair: Pair, role: &Name) -> bool {
    let roles = pair.context.before.roles_of(role);
    pair.old.policies.iter().any(|policy| policy.roles.iter().any(|it| roles.contains(it)))
        || pair.old.privileges.iter().any(|privilege| roles.contains(&privilege.grantee))
}

/// Whether two policies pass the same rows; a policy follows the columns that it names when those are renamed.
fn same_rows(pair: Pair, old: &Policy, new: &Policy) -> bool {
    pair.same_expression(old.using.as_ref(), new.using.as_ref())
        && pair.same_expression(old.with_check.as_ref(), new.with_check.as_ref())
}

/// A permissive policy that is gone, or passes other rows, commands or roles.
fn policy_changed(pair: Pair, old: &Policy) -> Option<Breakage> {
    if old.restrictive {
        return None;
    }
    let name = &pair.old.name;
    let covers = |new: &&Policy| {
        let rows = is_open(new) || same_rows(pair, old, new) || is_wider(pair, old, new);
        !new.restrictive && covers_command(new, old) && covers_roles(new, old) && rows
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
    let answers = match kept {
        Some(_) => "answers other rows to the roles of the policy",
        None => "answers fewer rows to the roles of the policy",
    };
    Some(Breakage {
        kind: BreakageKind::PolicyTightened,
        grade: if last { Grade::Certain } else { Grade::Possible },
        subject: pair.part_subject(&old.name),
        object: PrintedName::part(name, &old.name),
        message,
        witness: differs(select(pair.old, "*"), answers),
    })
}

fn covers_command(new: &Policy, old: &Policy) -> bool {
    new.command.is_none() || new.command == old.command
}

fn covers_roles(new: &Policy, old: &Policy) -> bool {
    is_public(new) || !is_public(old) && old.roles.iter().all(|role| new.roles.contains(role))
}

/// Whether a policy passes every row that the other did, and others as well.
fn is_wider(pair: Pair, old: &Policy, new: &Policy) -> bool {
    let conditions = |of: &Policy| [of.using.clone(), of.with_check.clone().or(of.using.clone())];
    let pairs = conditions(old).into_iter().zip(conditions(new));
    let passes = |(old, new): (Option<Expression>, Option<Expression>)| match (&old, &new) {
        (_, None) => true,
        (None, Some(new)) => passes(Some(new)),
        (Some(old), Some(new)) => {
            pair.same_expression(Some(old), Some(new)) || passes(Some(new)) || follows(pair, old, new)
        }
    };
    pairs.into_iter().all(passes) && !same_rows(pair, old, new)
}

/// Whether one condition follows from another: it is one with fewer parts joined by AND, or with more joined by OR.
fn follows(pair: Pair, old: &Expression, new: &Expression) -> bool {
    let renamed = |name: &str| pair.new_name(name);
    let same = |name: &str| Some(Name::from(name));
    let text = |part: &Expr, rename: &dyn Fn(&str) -> Option<Name>| check::normal_text(part, rename);
    let old_parts = check::conjuncts(&old.tree, &renamed);
    let fewer = check::conjuncts(&new.tree, &same).iter().all(|part| check::implied(part, &old_parts));
    let new_ways: Vec<String> = alternatives(&new.tree).into_iter().map(|part| text(part, &same)).collect();
    let mut old_ways = alternatives(&old.tree).into_iter().map(|part| text(part, &renamed));
    fewer || old_ways.all(|way| new_ways.contains(&way))
}

/// What OR joins.
fn alternatives(condition: &Expr) -> Vec<&Expr> {
    let (mut found, mut left) = (Vec::new(), vec![condition]);
    while let Some(next) = left.pop() {
        match next {
            Expr::Nested(inner) => left.push(inner),
            Expr::BinaryOp { left: one, op: BinaryOperator::Or, right } => left.extend([&**right, &**one]),
            other => found.push(other),
        }
    }
    found
}

/// A permissive policy, new or changed, by which its roles see or write rows that others kept from them.
fn loosened(pair: Pair, new: &Policy) -> Option<Breakage> {
    let kept_from = |old: &&Policy| {
        // A role that only the policies for everybody held is meant to see more than they show.
        let same_roles = is_public(new) || new.roles.iter().any(|role| old.roles.contains(role));
        !old.restrictive && same_roles && (old.command.is_none() || new.command.is_none() || old.command == new.command)
    };
    let before: Vec<&Policy> = pair.old.policies.iter().filter(kept_from).collect();
    if new.restrictive || before.is_empty() {
        return None;
    }
    let name = &pair.old.name;
    let roles = match is_public(new) {
        true => "every role".to_owned(),
        false => new.roles.iter().map(Name::to_string).collect::<Vec<_>>().join(", "),
    };
    let does = |reads: bool, writes: bool| match (reads, writes) {
        (true, true) => "see and write",
        (true, false) => "see",
        _ => "write",
    };
    let reads = matches!(new.command, None | Some(RuleEvent::Select));
    let writes = new.command != Some(RuleEvent::Select);
    let (kind, subject) = (BreakageKind::PolicyLoosened, pair.part_subject(&new.name));
    let object = PrintedName::part(name, &new.name);
    let witness = differs(select(pair.old, "*"), format!("answers {roles} rows that the policies hid"));
    let all = |of: &Policy, reads: bool| match reads {
        true => passes_using(of),
        false => passes(of.with_check.as_ref().or(of.using.as_ref())),
    };
    let hidden =
        pair.new.policies.iter().any(|it| it.restrictive && !is_open(it) && (is_public(it) || !is_public(new)));
    let open = |reads: bool| {
        let had = before.iter().any(|old| covers_roles(old, new) && covers_command(old, new) && all(old, reads));
        all(new, reads) && !had && !hidden
    };
    let (sees, writes_all) = (reads && open(true), writes && open(false));
    if sees || writes_all {
        let message = format!("policy {} of {name} lets {roles} {} every row", new.name, does(sees, writes_all));
        let witness = if sees { witness } else { check_of(pair, new) };
        return Some(certain(kind, subject, object, message, witness));
    }
    let old = before.iter().find(|old| old.name == new.name && is_wider(pair, old, new))?;
    let message = format!(
        "policy {} of {name} lets {roles} {} rows that it kept from them{}",
        new.name,
        does(reads, writes),
        old.using.as_ref().map(|it| format!(" (before: {})", constraint::one_line(&it.text))).unwrap_or_default()
    );
    Some(possible(kind, subject, object, message, witness))
}

/// What new rows are checked for; no statement works before that a policy refused.
fn check_of(pair: Pair, policy: &Policy) -> Witness {
    let quoted = |name: &Name| quoting::literal(name.as_str());
    let (schema, table) = (quoted(&pair.old.name.schema), quoted(&pair.old.name.name));
    let sql = format!(
        "SELECT coalesce(with_check, qual) FROM pg_policies WHERE schemaname = {schema} AND tablename = {table} AND policyname = {}",
        quoted(&policy.name)
    );
    differs(sql, "answers a condition that every new row passes")
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
