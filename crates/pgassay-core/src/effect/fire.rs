//! What else runs when rows are read or written: rules, triggers, policies, and the bound of a partition.

use std::sync::Arc;

use super::call::Call;
use super::predictor::Predictor;
use super::view::Depth;
use crate::catalog::LockMode::{AccessShare, RowExclusive};
use crate::change::{Name, RuleEvent, TriggerEvent, TriggerTiming};
use crate::expression;
use crate::schema::{Relation, Trigger};
use crate::source::Span;
use crate::sql::Parameter;

impl Predictor<'_> {
    pub fn fire_rules(&mut self, table: &Relation, event: RuleEvent, span: Span) {
        for rule in table.rules.iter().filter(|rule| rule.event == event) {
            for (id, _) in &rule.uses {
                if *id != table.id {
                    self.lock_id(*id, RowExclusive, span);
                }
            }
        }
    }

    /// Triggers run their functions; whether a WHEN holds is for the rows to say, so it is taken to.
    ///
    /// `rows`: a row is written for certain.
    pub fn fire_triggers(
        &mut self,
        table: &Arc<Relation>,
        event: RuleEvent,
        assigned: &[Name],
        rows: bool,
        span: Span,
    ) {
        // A BEFORE trigger may leave the row out.
        let passes = !table.triggers.iter().any(|it| it.for_each_row && it.timing != TriggerTiming::After);
        // They fire in the order of their names (manual, 39.1).
        let is_first = |trigger: &Trigger| {
            let earlier = |it: &Trigger| it.for_each_row && it.timing != TriggerTiming::After && it.name < trigger.name;
            trigger.timing == TriggerTiming::Before && !table.triggers.iter().any(earlier)
        };
        let mut calls: Vec<Call> = Vec::new();
        for part in self.family(table, !table.is_partitioned()) {
            let own = part.id == table.id;
            for trigger in part.triggers.iter().filter(|it| (own || it.for_each_row) && fires_on(it, event, assigned)) {
                let certain = own && rows && (passes || is_first(trigger)) && trigger.condition.is_none();
                if let Some(routine) =
                    trigger.function.filter(|_| trigger.mode.fires(self.context.session.replica_role))
                {
                    let call = Call { routine, parameters: variables(trigger, &part, event), certain };
                    if !calls.iter().any(|known| known.is_like(&call)) {
                        calls.push(call);
                    }
                }
            }
        }
        calls.into_iter().for_each(|call| self.call_or_note(call, span));
    }

    /// A row written to a partition by name is held against the bounds of all tables above it (`generate_partition_qual`,
    /// partcache.c).
    pub fn read_partition_bound(&mut self, table: &Relation, span: Span) {
        if table.is_partition() {
            for above in self.schema().parents_closure(table.id) {
                self.lock_id(above, AccessShare, span);
            }
        }
    }

    /// Policies read what their conditions name. The session is taken to be a superuser's until it becomes another role; the owner
    /// is under policies only where they are forced.
    ///
    /// False: no policy lets the role see a row, so the table is not read.
    pub fn read_policies(&mut self, table: &Relation, command: Option<RuleEvent>, depth: Depth, span: Span) -> bool {
        let Some(role) = self.context.session.role.as_ref().filter(|_| table.row_security) else { return true };
        if table.owner.as_ref() == Some(role) && !table.force_row_security {
            return true;
        }
        let Some(known) = self.relation(table.id) else { return true };
        let (mut read, mut allowed) = (Vec::new(), !known.known);
        for policy in &known.policies {
            let of_command = [None, command, Some(RuleEvent::Select)].contains(&policy.command);
            let of_role = policy.roles.is_empty() || policy.roles.iter().any(|it| it == role || *it == "public");
            if of_command && of_role {
                allowed |= !policy.restrictive;
                for condition in policy.using.iter().chain(&policy.with_check) {
                    let uses = expression::analyze_expression(&condition.tree, self.scope(Some(known))).uses;
                    read.extend(uses.into_iter().map(|(id, _)| id).filter(|id| *id != table.id));
                }
            }
        }
        for id in read {
            if let Some(relation) = self.relation(id).cloned() {
                let outer = self.condition.take();
                self.read(&relation, AccessShare, depth, false, span);
                self.condition = outer;
            }
        }
        allowed
    }
}

/// What a trigger's function is told of its call (manual, "Trigger Functions", PL/pgSQL).
fn variables(trigger: &Trigger, table: &Relation, event: RuleEvent) -> Vec<Parameter> {
    let op = match event {
        RuleEvent::Insert => "INSERT",
        RuleEvent::Update => "UPDATE",
        RuleEvent::Delete => "DELETE",
        RuleEvent::Select => "SELECT",
    };
    let when = match trigger.timing {
        TriggerTiming::Before => "BEFORE",
        TriggerTiming::After => "AFTER",
        TriggerTiming::InsteadOf => "INSTEAD OF",
    };
    let count = trigger.arguments.len().to_string();
    let named = [
        ("tg_op", op),
        ("tg_when", when),
        ("tg_level", if trigger.for_each_row { "ROW" } else { "STATEMENT" }),
        ("tg_name", trigger.name.as_str()),
        ("tg_table_name", table.name.name.as_str()),
        ("tg_relname", table.name.name.as_str()),
        ("tg_table_schema", table.name.schema.as_str()),
        ("tg_nargs", &count),
    ];
    let arguments = trigger.arguments.iter().enumerate().map(|(at, value)| (format!("tg_argv[{at}]"), value.clone()));
    let named = named.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    named.chain(arguments).map(|(name, value)| Parameter { name: Some(Name::new(&name)), value: Some(value) }).collect()
}

fn fires_on(trigger: &Trigger, event: RuleEvent, assigned: &[Name]) -> bool {
    trigger.events.iter().any(|it| match (it, event) {
        (TriggerEvent::Insert, RuleEvent::Insert) | (TriggerEvent::Delete, RuleEvent::Delete) => true,
        (TriggerEvent::Update(columns), RuleEvent::Update) => {
            columns.is_empty() || columns.iter().any(|column| assigned.contains(&column.name))
        }
        _ => false,
    })
}
