//! Policies that read their own table, directly or in a ring: every statement of a role that they hold for fails
//! (`fireRIRrules`, rewriteHandler.c).

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Visitor};

use super::pair::Pair;
use super::witness::{quoted, refused, select};
use super::{Breakage, BreakageKind, Subject, certain};
use crate::change::{Name, PrintedName, RuleEvent};
use crate::schema::{Policy, Relation, RelationId, Schema};

/// The policies recurse now, and did not before.
pub(super) fn begun(pair: Pair) -> Option<Breakage> {
    let Pair { context, old, new } = pair;
    let policy = recurses(context.after, new)?;
    if old.row_security && recurses(context.before, old).is_some() {
        return None;
    }
    let name = &old.name;
    Some(certain(
        BreakageKind::PolicyTightened,
        Subject::Part(new.id, policy.clone()),
        PrintedName::part(name, &policy),
        format!(
            "policy {policy} of {name} reads the table that it protects: every statement of a role that row security holds for fails \
             with infinite recursion"
        ),
        refused(
            select(old, "*"),
            "42P17",
            format!("infinite recursion detected in policy for relation {}", quoted(&new.name.name)),
        ),
    ))
}

/// The first policy by which the table's policies come back to it.
fn recurses(schema: &Schema, table: &Relation) -> Option<Name> {
    if !table.row_security {
        return None;
    }
    // A policy for INSERT, UPDATE or DELETE that reads its own table meets the policies for SELECT there, and not itself.
    let selects = |policy: &&Policy| matches!(policy.command, None | Some(RuleEvent::Select));
    let leads_back = |policy: &&Policy| {
        let mut seen = BTreeSet::new();
        let mut open = read_by(schema, policy);
        while let Some(id) = open.pop() {
            if id == table.id {
                return true;
            }
            let Some(read) = schema.relation(id).filter(|it| it.row_security && seen.insert(id)) else { continue };
            open.extend(read.policies.iter().filter(selects).flat_map(|policy| read_by(schema, policy)));
        }
        false
    };
    table.policies.iter().filter(selects).find(leads_back).map(|policy| policy.name.clone())
}

/// The tables that the subqueries of a policy name. What functions read is theirs.
fn read_by(schema: &Schema, policy: &Policy) -> Vec<RelationId> {
    struct Tables(Vec<(Option<Name>, Name)>);
    impl Visitor for Tables {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
            if let ast::TableFactor::Table { name, args: None, .. } = factor {
                let parts: Vec<Name> = name.0.iter().filter_map(|part| part.as_ident()).map(Name::of_ident).collect();
                match &parts[..] {
                    [name] => self.0.push((None, name.clone())),
                    [.., schema, name] => self.0.push((Some(schema.clone()), name.clone())),
                    [] => {}
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut tables = Tables(Vec::new());
    for expression in policy.using.iter().chain(&policy.with_check) {
        let _ = crate::walk::walk(&*expression.tree, &mut tables);
    }
    let named = |id: &RelationId| {
        schema.relation(*id).is_some_and(|relation| {
            let means = |(schema, name): &(Option<Name>, Name)| {
                *name == relation.name.name && schema.as_ref().is_none_or(|schema| *schema == relation.name.schema)
            };
            tables.0.iter().any(means)
        })
    };
    policy.uses.iter().map(|(id, _)| *id).filter(named).collect()
}
