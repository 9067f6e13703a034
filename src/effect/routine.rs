//! Functions, triggers, rules and policies; DO blocks and other statements made of statements.

use super::Context;
use super::LockMode::{AccessExclusive, AccessShare, ShareRowExclusive};
use super::predictor::Predictor;
use super::view::Depth;
use crate::change::{
    Change, CreateRoutine, CreateRule, CreateTrigger, Do, Expression, Insert, ObjectName, RelationUse,
};
use std::ops::ControlFlow;

use sqlparser::ast::{self, Visit, Visitor};

use crate::schema::{RoutineId, Session, apply};
use crate::sql::Statement;

/// How many calls of functions inside functions are followed.
const DEEPEST_CALL: u8 = 4;

impl Predictor<'_> {
    /// A body in language SQL is parsed, analyzed and rewritten when the function is made (fmgr_sql_validator, pg_proc.c).
    pub fn create_routine(&mut self, create: &CreateRoutine) {
        if !self.context.session.check_function_bodies || create.language != *"sql" {
            return;
        }
        for statement in &create.statements {
            if let Ok(change) = &statement.change {
                self.analyze_body(change);
            }
        }
    }

    fn analyze_body(&mut self, change: &Change) {
        let (target, uses): (Option<&ObjectName>, &[RelationUse]) = match change {
            Change::Insert(insert) => (Some(&insert.table), &insert.uses),
            Change::Update(update) => (Some(&update.table), &update.uses),
            Change::Delete(delete) => (Some(&delete.table), &delete.uses),
            Change::Merge(merge) => (Some(&merge.table), &merge.uses),
            Change::Select(select) => (None, &select.uses),
            _ => return,
        };
        if let Some(name) = target {
            self.write_target(name, Depth::Rewritten, false);
        }
        self.read_uses(uses, Depth::Rewritten, &[]);
    }

    pub fn create_trigger(&mut self, create: &CreateTrigger) {
        let span = create.table.span;
        let from = create.from.as_ref().and_then(|from| Some((self.find(from)?, from.span)));
        if let Some((relation, span)) = from {
            self.lock(&relation, AccessShare, span);
        }
        let Some(table) = self.find(&create.table) else { return };
        self.lock(&table, ShareRowExclusive, span);
        if table.is_partitioned() && create.for_each_row {
            for part in self.family(&table, false) {
                self.lock(&part, ShareRowExclusive, span);
            }
        }
    }

    /// DefineRule (rewriteDefine.c); the actions are analyzed, not run.
    pub fn create_rule(&mut self, create: &CreateRule) {
        if let Some(table) = self.find(&create.table) {
            self.lock(&table, AccessExclusive, create.table.span);
        }
        for change in create.actions.iter().filter_map(|action| action.change.as_ref().ok()) {
            self.analyze_rule_action(change);
        }
    }

    fn analyze_rule_action(&mut self, change: &Change) {
        let (target, uses) = match change {
            Change::Insert(Insert { table, uses, .. }) => (Some(table), uses),
            Change::Update(update) => (Some(&update.table), &update.uses),
            Change::Delete(delete) => (Some(&delete.table), &delete.uses),
            Change::Select(select) => (None, &select.uses),
            _ => return,
        };
        if let Some(name) = target {
            self.write_target(name, Depth::Named, false);
        }
        self.read_uses(uses, Depth::Named, &[]);
    }

    pub fn policy(&mut self, table: &ObjectName, conditions: &[Option<&Expression>]) {
        let Some(relation) = self.find(table) else { return };
        self.lock(&relation, AccessExclusive, table.span);
        for condition in conditions.iter().flatten() {
            for query in subqueries(&condition.tree) {
                self.look_up(&query, condition.span);
            }
        }
    }

    pub fn do_block(&mut self, block: &Do) {
        let changes: Vec<_> =
            block.statements.iter().filter_map(|statement: &Statement| statement.change.as_ref().ok()).collect();
        let session = self.context.session.clone();
        self.run_in_sequence(&changes, &session);
    }

    /// Statements one after the other, each on the schema that the ones before it left. Only what was there before the first is told.
    pub fn run_in_sequence(&mut self, changes: &[&Change], session: &Session) {
        let mut schema = self.schema().clone();
        for change in changes {
            let context = Context { schema: &schema, session, version: self.context.version };
            let mut prediction = super::predict(change, context);
            let made = |id: Option<crate::schema::RelationId>| {
                id.is_some_and(|id| self.relation(id).is_none() && schema.relation(id).is_some_and(|it| it.known))
            };
            let names: Vec<String> =
                schema.relations.values().filter(|it| made(Some(it.id))).map(|it| it.name.to_string()).collect();
            let effect = &mut prediction.effect;
            effect.locks.retain(|name, _| !names.contains(name));
            effect.rewrites.retain(|name| !names.contains(name));
            effect.scans.retain(|name| !names.contains(name));
            let on_made = |work: &super::Work| made(work.relation);
            for work in prediction.work.iter().filter(|work| on_made(work)) {
                effect.index_builds.remove(&work.name);
            }
            prediction.work.retain(|work| !on_made(work));
            prediction.locks.retain(|lock| !made(lock.relation));
            apply(&mut schema, change, session, self.context.version);
            self.absorb(prediction);
        }
    }

    /// EXPLAIN plans and no more, unless ANALYZE runs the statement.
    pub fn explain(&mut self, analyze: bool, change: &Change) {
        if analyze {
            return self.change(change);
        }
        match change {
            Change::Insert(it) => {
                self.write_target(&it.table, Depth::Rewritten, false);
                self.read_uses(&it.uses, Depth::Planned, &[]);
            }
            Change::Update(it) => {
                self.write_target(&it.table, Depth::Planned, it.only);
                self.read_uses(&it.uses, Depth::Planned, &[]);
            }
            Change::Delete(it) => {
                self.write_target(&it.table, Depth::Planned, it.only);
                self.read_uses(&it.uses, Depth::Planned, &[]);
            }
            Change::Merge(it) => {
                self.write_target(&it.table, Depth::Planned, it.only);
                self.read_uses(&it.uses, Depth::Planned, &[]);
            }
            Change::Select(it) => self.read_uses(&it.uses, Depth::Planned, &[]),
            _ => {}
        }
    }

    /// Runs the statements of a function in language SQL.
    pub fn run_routine(&mut self, id: RoutineId) {
        let Some(routine) = self.schema().routines.get(&id) else { return };
        if routine.language != *"sql" {
            return;
        }
        // Functions call each other and themselves: deep enough is deep enough.
        if self.depth >= DEEPEST_CALL {
            return;
        }
        self.depth += 1;
        for change in routine.statements.iter().filter_map(|statement| statement.change.as_ref().ok()) {
            self.change(change);
        }
        self.depth -= 1;
    }
}

/// The queries inside an expression, the outermost first.
fn subqueries(expression: &ast::Expr) -> Vec<ast::Query> {
    struct Queries(Vec<ast::Query>);
    impl Visitor for Queries {
        type Break = ();
        fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
            self.0.push(query.clone());
            ControlFlow::Continue(())
        }
    }
    let mut queries = Queries(Vec::new());
    let _ = expression.visit(&mut queries);
    queries.0
}
