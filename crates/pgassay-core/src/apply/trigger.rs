//! Triggers, rules and policies.

use super::{Applier, ProblemKind};
use crate::change::{AlterPolicy, BORN, CreatePolicy, CreateRule, CreateTrigger, Expression, Ident};
use crate::schema::{Object, ObjectId as Target, Policy, RelationId, Rule, Trigger};

impl Applier<'_> {
    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) {
        let Some(table) = self.relation(&create.table, false) else { return };
        let functions = self.find_routines(&create.function);
        if functions.is_empty() && !self.is_foreign_routine(&create.function) {
            let name = super::resolve::plain(&create.function);
            self.missing(create.function.span, &create.function, format!("function {name}() does not exist"));
        }
        // A trigger's function has no arguments.
        let function = functions.iter().copied().find(|id| self.takes(*id, &[], true)).or(functions.first().copied());
        let name = &create.name;
        let exists =
            self.schema.relation(table).is_some_and(|it| it.triggers.iter().any(|other| other.name == name.name));
        if exists && !create.or_replace {
            let message = format!(
                "trigger \"{}\" for relation \"{}\" already exists",
                name.name.as_str(),
                self.short_name(table)
            );
            return self.problem(ProblemKind::Duplicate, name.span, self.column_path(table, &name.name), message);
        }
        let trigger = Trigger {
            name: name.name.clone(),
            timing: create.timing,
            events: create.events.clone(),
            for_each_row: create.for_each_row,
            condition: create.condition.clone(),
            function,
            arguments: create.arguments.clone(),
            constraint: create.constraint,
            deferrable: create.deferrable,
            initially_deferred: create.initially_deferred,
            mode: BORN,
        };
        self.put_trigger(table, trigger.clone());
        if create.for_each_row {
            for partition in self.partitions_of(table) {
                self.clone_trigger(table, &trigger, partition);
            }
        }
    }

    fn put_trigger(&mut self, table: RelationId, trigger: Trigger) {
        let object = Object::Trigger(table, trigger.name.clone());
        let targets = trigger.function.map(Target::Routine).into_iter().collect();
        self.edit_relation(table, |it| {
            it.triggers.retain(|other| other.name != trigger.name);
            it.triggers.push(trigger);
        });
        self.schema.dependencies.set(object, targets);
    }

    /// Row triggers of a partitioned table are on each partition too.
    pub(super) fn clone_trigger(&mut self, parent: RelationId, trigger: &Trigger, partition: RelationId) {
        self.put_trigger(partition, trigger.clone());
        for below in self.partitions_of(partition) {
            if below != parent {
                self.clone_trigger(partition, trigger, below);
            }
        }
    }

    /// Whether a table has the trigger; says so when it does not.
    pub(super) fn has_trigger(&mut self, table: RelationId, name: &Ident, if_exists: bool) -> bool {
        let Some(relation) = self.schema.relation(table) else { return false };
        let found = relation.triggers.iter().any(|it| it.name == name.name);
        if !found && !if_exists && relation.known {
            let message =
                format!("trigger \"{}\" for table \"{}\" does not exist", name.name.as_str(), self.short_name(table));
            self.missing(name.span, self.column_path(table, &name.name), message);
        }
        found
    }

    pub(super) fn create_rule(&mut self, create: &CreateRule) {
        let Some(table) = self.relation(&create.table, false) else { return };
        let name = &create.name;
        let exists = self.schema.relation(table).is_some_and(|it| it.rules.iter().any(|other| other.name == name.name));
        if exists && !create.or_replace {
            let message =
                format!("rule \"{}\" for relation \"{}\" already exists", name.name.as_str(), self.short_name(table));
            return self.problem(ProblemKind::Duplicate, name.span, self.column_path(table, &name.name), message);
        }
        let mut uses = Vec::new();
        for action in &create.actions {
            if let Ok(change) = &action.change
                && let Some(tree) = super::routine::tree_of(change)
            {
                uses.extend(crate::expression::analyze_statement(tree, self.scope(None)).uses);
            }
        }
        let rows = create.actions.iter().filter_map(|it| it.change.as_ref().ok()).filter_map(super::routine::tree_of);
        let mut rows: Vec<_> = rows.flat_map(crate::expression::row_columns).collect();
        rows.extend(create.condition.iter().flat_map(|it| crate::expression::row_columns(&*it.tree)));
        let columns = rows.iter().filter_map(|(_, name)| self.column_id(table, name.as_ref()?)).collect();
        uses.push((table, columns));
        let targets = uses.iter().map(|(id, _)| Target::Relation(*id)).collect();
        let (event, instead, conditional) = (create.event, create.instead, create.condition.is_some());
        let rule = Rule { name: name.name.clone(), event, instead, conditional, mode: BORN, uses };
        self.edit_relation(table, |it| {
            it.rules.retain(|other| other.name != rule.name);
            it.rules.push(rule);
        });
        self.schema.dependencies.set(Object::Rule(table, name.name.clone()), targets);
    }

    pub(super) fn create_policy(&mut self, create: &CreatePolicy) {
        let Some(table) = self.relation(&create.table, false) else { return };
        let name = &create.name;
        let exists =
            self.schema.relation(table).is_some_and(|it| it.policies.iter().any(|other| other.name == name.name));
        if exists {
            let message =
                format!("policy \"{}\" for table \"{}\" already exists", name.name.as_str(), self.short_name(table));
            return self.problem(ProblemKind::Duplicate, name.span, self.column_path(table, &name.name), message);
        }
        let mut policy = Policy {
            name: name.name.clone(),
            command: create.command,
            restrictive: create.restrictive,
            roles: create.roles.iter().map(|role| role.name.clone()).collect(),
            using: create.using.clone(),
            with_check: create.with_check.clone(),
            uses: Vec::new(),
        };
        self.link_policy(table, &mut policy);
        self.edit_relation(table, |it| it.policies.push(policy));
    }

    /// The columns of its own table and the routines that a policy names.
    fn link_policy(&mut self, table: RelationId, policy: &mut Policy) {
        let expressions: Vec<&Expression> = policy.using.iter().chain(&policy.with_check).collect();
        expressions.iter().for_each(|expression| self.check_columns(table, expression));
        let mut columns: Vec<_> = expressions.iter().flat_map(|it| self.expression_columns(table, it)).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut targets: Vec<Target> =
            expressions.iter().flat_map(|it| self.expression_targets(Some(table), it)).collect();
        targets.push(Target::Relation(table));
        policy.uses = vec![(table, columns)];
        for expression in expressions {
            let relation = self.schema.relation(table).map(|relation| &**relation);
            for (id, columns) in crate::expression::analyze_expression(&expression.tree, self.scope(relation)).uses {
                if id != table {
                    targets.push(Target::Relation(id));
                    policy.uses.push((id, columns));
                }
            }
        }
        self.schema.dependencies.set(Object::Policy(table, policy.name.clone()), targets);
    }

    pub(super) fn alter_policy(&mut self, alter: &AlterPolicy) {
        let Some(table) = self.relation(&alter.table, false) else { return };
        let Some(relation) = self.schema.relation(table) else { return };
        let Some(mut policy) = relation.policies.iter().find(|it| it.name == alter.name.name).cloned() else {
            if relation.known {
                let (name, table) = (alter.name.name.as_str(), alter.table.name.as_str());
                let message = format!("policy \"{name}\" for table \"{table}\" does not exist");
                self.missing(alter.name.span, &alter.name, message);
            }
            return;
        };
        if let Some(roles) = &alter.roles {
            policy.roles = roles.iter().map(|role| role.name.clone()).collect();
        }
        policy.using = alter.using.clone().or(policy.using);
        policy.with_check = alter.with_check.clone().or(policy.with_check);
        self.link_policy(table, &mut policy);
        self.edit_relation(table, |it| {
            it.policies.change(|it| it.name == policy.name, |it| *it = policy.clone());
        });
    }
}
