//! Functions, triggers, rules and policies; DO blocks and other statements made of statements.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use imbl::ordmap::DiffItem;

use super::call::Call;
use super::predictor::Predictor;
use super::view::Depth;
use super::{Context, Prediction, WorkKind};
use crate::catalog::LockMode::{AccessExclusive, AccessShare, ShareRowExclusive};
use crate::change::{
    Change, CreateRoutine, CreateRule, CreateTrigger, Do, Expression, Ident, ObjectName, PrintedName, QualifiedName,
    RelationUse, Statement,
};
use std::ops::ControlFlow;

use sqlparser::ast::{self, Visitor};

use crate::apply::apply;
use crate::schema::{Relation, Schema, Session};
use crate::source::Span;
use crate::sql::read_routine_body;

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
                self.analyze(change);
            }
        }
    }

    /// A statement is analyzed and rewritten, and goes no further: the body of a function, PREPARE.
    pub fn analyze(&mut self, change: &Change) {
        if let Some((target, _, uses)) = parts(change) {
            if let Some(name) = target {
                self.write_target(name, Depth::Rewritten, false);
            }
            self.read_uses(uses, Depth::Rewritten, &[]);
        }
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
        if let Some(condition) = &create.condition {
            self.look_up_subqueries(condition);
        }
        for change in create.actions.iter().filter_map(|action| action.change.as_ref().ok()) {
            self.analyze_rule_action(change);
        }
    }

    fn analyze_rule_action(&mut self, change: &Change) {
        if let Some((target, _, uses)) = parts(change) {
            if let Some(name) = target {
                self.write_target(name, Depth::Named, false);
            }
            self.read_uses(uses, Depth::Named, &[]);
        }
    }

    pub fn policy(&mut self, table: &ObjectName, conditions: &[Option<&Expression>]) {
        let Some(relation) = self.find(table) else { return };
        self.lock(&relation, AccessExclusive, table.span);
        conditions.iter().flatten().for_each(|condition| self.look_up_subqueries(condition));
    }

    fn look_up_subqueries(&mut self, condition: &Expression) {
        for query in subqueries(&condition.tree) {
            self.look_up(&query, condition.span);
        }
    }

    pub fn do_block(&mut self, block: &Do) {
        let changes: Vec<_> =
            block.code.statements.iter().filter_map(|statement: &Statement| statement.change.as_ref().ok()).collect();
        let session = self.context.session.clone();
        self.run_in_sequence(&changes, &session);
    }

    /// Statements one after the other, each on the schema that the ones before it left. Only what was there before the first is told.
    pub fn run_in_sequence(&mut self, changes: &[&Change], session: &Session) {
        let mut schema = self.schema().clone();
        for change in changes {
            let context = Context { schema: &schema, session, version: self.context.version };
            let mut inner = Predictor::new(context);
            inner.depth = self.depth;
            inner.ran = std::mem::take(&mut self.ran);
            inner.change(change);
            self.ran = std::mem::take(&mut inner.ran);
            let mut prediction = inner.finish();
            self.leave_out_new(&mut prediction, &schema);
            apply(&mut schema, change, session, self.context.version);
            self.absorb(prediction);
        }
    }

    /// Takes out of a part's prediction what an earlier part made; what one renamed gets its old name.
    fn leave_out_new(&self, prediction: &mut Prediction, schema: &Schema) {
        self.call_by_old_names(prediction, schema);
        let made = |id: Option<crate::schema::RelationId>| {
            id.is_some_and(|id| self.relation(id).is_none() && schema.relation(id).is_some_and(|it| it.known))
        };
        let added = self.schema().relations.diff(&schema.relations).filter_map(|item| match item {
            DiffItem::Add(_, added) if added.known => Some(added.name.to_string()),
            _ => None,
        });
        let names: HashSet<String> = added.collect();
        let effect = &mut prediction.effect;
        effect.locks.retain(|name, _| !names.contains(name));
        effect.rewrites.retain(|name| !names.contains(name));
        effect.scans.retain(|name| !names.contains(name));
        let on_made = |work: &super::Work| made(work.relation);
        for work in prediction.work.iter().filter(|work| on_made(work)) {
            effect.index_builds.remove(&*work.name);
        }
        prediction.work.retain(|work| !on_made(work));
        prediction.locks.retain(|lock| !made(lock.relation));
    }

    /// What an earlier statement of the same command renamed is told by the name it had before.
    fn call_by_old_names(&self, prediction: &mut Prediction, now: &Schema) {
        let renamed = |item| match item {
            DiffItem::Update { old: (_, before), new: (_, it) } => {
                let (before, it): (&Arc<Relation>, &Arc<Relation>) = (before, it);
                (before.name != it.name).then(|| (it.name.clone(), before.name.clone()))
            }
            _ => None,
        };
        let names: BTreeMap<QualifiedName, QualifiedName> =
            self.schema().relations.diff(&now.relations).filter_map(renamed).collect();
        if names.is_empty() {
            return;
        }
        let printed: BTreeMap<String, String> =
            names.iter().map(|(now, before)| (now.to_string(), before.to_string())).collect();
        let old = |name: String| printed.get(&name).cloned().unwrap_or(name);
        let effect = &mut prediction.effect;
        effect.locks = std::mem::take(&mut effect.locks).into_iter().map(|(name, mode)| (old(name), mode)).collect();
        effect.rewrites = std::mem::take(&mut effect.rewrites).into_iter().map(old).collect();
        effect.scans = std::mem::take(&mut effect.scans).into_iter().map(old).collect();
        let locks = prediction.locks.iter_mut().map(|lock| &mut lock.name);
        let work = prediction.work.iter_mut().filter(|work| work.kind != WorkKind::IndexBuild);
        for name in locks.chain(work.map(|work| &mut work.name)) {
            if let Some(before) = name.object().and_then(|now| names.get(&now)) {
                *name = PrintedName::from(before);
            }
        }
    }

    /// EXPLAIN plans and no more, unless ANALYZE runs the statement.
    pub fn explain(&mut self, analyze: bool, change: &Change) {
        if analyze { self.change(change) } else { self.plan(change) }
    }

    /// A statement is planned and not run. Without a plan of its own nothing is touched.
    pub fn plan(&mut self, change: &Change) {
        match change {
            Change::CreateTableAs(create) => {
                create.query.iter().for_each(|query| self.read_query_to(query, Depth::Planned));
            }
            Change::CreateMaterializedView(create) => self.read_query_to(&create.query, Depth::Planned),
            Change::DeclareCursor { change, .. } => self.plan(change),
            Change::Execute(name) => {
                if let Some(prepared) = self.prepared(name) {
                    self.plan(&prepared);
                }
            }
            _ => {
                let Some((target, only, uses)) = parts(change) else { return };
                if let Some(name) = target {
                    // The plan of an INSERT opens no partition.
                    let depth = if matches!(change, Change::Insert(_)) { Depth::Rewritten } else { Depth::Planned };
                    self.write_target(name, depth, only);
                }
                self.read_uses(uses, Depth::Planned, &[]);
            }
        }
    }

    pub fn prepared(&self, name: &Ident) -> Option<Arc<Change>> {
        self.context.session.prepared.get(&name.name).cloned()
    }

    /// Runs the statements of a function in language SQL or PL/pgSQL; what they do is told at the call.
    pub fn run_routine(&mut self, call: &Call, at: Span) {
        let Some(routine) = self.schema().routines.get(&call.routine) else { return };
        // Functions call each other and themselves: deep enough is deep enough.
        if self.depth >= DEEPEST_CALL || !self.ran.insert(call.routine) {
            return;
        }
        let Some(code) = read_routine_body(routine.language.as_str(), &routine.body, &call.parameters, at) else {
            return;
        };
        let changes: Vec<_> = code.statements.iter().filter_map(|statement| statement.change.as_ref().ok()).collect();
        let session = self.context.session.clone();
        let mut inner = Predictor::new(self.context);
        inner.depth = self.depth + 1;
        inner.ran = std::mem::take(&mut self.ran);
        inner.run_in_sequence(&changes, &session);
        self.ran = std::mem::take(&mut inner.ran);
        let mut done = inner.finish();
        // Whether a row breaks something depends on what the function is called with.
        done.failures.clear();
        self.absorb(done);
    }
}

/// What statements do together, each with the schema that it met: only what was there before the first is told.
pub fn in_sequence<'s>(before: Context, parts: impl IntoIterator<Item = (Prediction, &'s Schema)>) -> Prediction {
    let mut whole = Predictor::new(before);
    for (mut prediction, schema) in parts {
        whole.leave_out_new(&mut prediction, schema);
        whole.absorb(prediction);
    }
    whole.finish()
}

/// What a statement that reads or writes rows writes to, whether ONLY that, and what it reads.
fn parts(change: &Change) -> Option<(Option<&ObjectName>, bool, &[RelationUse])> {
    Some(match change {
        Change::Insert(insert) => (Some(&insert.table), false, &insert.uses),
        Change::Update(update) => (Some(&update.table), update.only, &update.uses),
        Change::Delete(delete) => (Some(&delete.table), delete.only, &delete.uses),
        Change::Merge(merge) => (Some(&merge.table), merge.only, &merge.uses),
        Change::Select(select) => (None, false, &select.uses),
        _ => return None,
    })
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
    let _ = crate::walk::walk(expression, &mut queries);
    queries.0
}
