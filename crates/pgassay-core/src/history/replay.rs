//! The walk over migrations, statement by statement.

use std::sync::Arc;

use imbl::OrdSet;

use super::code::CodeOf;
use super::guard;
use super::inside;
use super::left_path::LeftPath;
use super::transaction::{TransactionKind, World};
use super::{MigrationRun, Places, Step};
use crate::apply::{Applied, apply, missing_relations, unknown_columns, unnamed_subquery};
use crate::change::{AlterEnumAction, Change, Code, Do, Name, Set, Statement};
use crate::effect::{self, Call, Context, Prediction};
use crate::migration::{Age, Migration, TransactionMode};
use crate::schema::{ObjectId, Schema, Session, TypeDefinition};
use crate::source::Span;
use crate::sql::{Script, read_routine_body};
use crate::version::PgVersion;

/// A migration with its statements.
#[derive(Debug, Clone)]
pub struct Unit {
    pub migration: Migration,
    /// One script for every section of the migration.
    pub scripts: Vec<Script>,
    pub judged: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub version: PgVersion,
    /// The new migrations go out together, behind all others: what an earlier one of them made is as new to clients as what the same
    /// migration made. Otherwise every migration is a deploy of its own.
    pub one_deploy: bool,
    /// The runs of migrations that are not judged come with their steps too; each keeps the schema as it was there.
    pub older_steps: bool,
}

/// Runs the migrations in order from `base`, hands every run to `visit`, and returns the schema at the end.
pub fn replay<'a>(
    units: &'a [Unit],
    base: Schema,
    options: Options,
    mut visit: impl FnMut(MigrationRun<'a>),
) -> Schema {
    let mut replayer = Replayer::new(base, options);
    units.iter().for_each(|unit| visit(replayer.run(unit)));
    replayer.end()
}

/// As [`replay`], of migrations that come one at a time. A copy costs next to nothing: a place in a history to go on from again.
#[derive(Clone)]
pub struct Replayer {
    world: World,
    options: Options,
    /// What clients know while the migrations of one deploy run.
    deployed: Option<Schema>,
    left: Option<LeftPath>,
}

impl Replayer {
    pub fn new(base: Schema, options: Options) -> Replayer {
        Replayer { world: World::new(base), options, deployed: None, left: None }
    }

    /// Runs the next migration.
    pub fn run<'a>(&mut self, unit: &'a Unit) -> MigrationRun<'a> {
        let Replayer { world, options, deployed, left } = self;
        if !is_shared(unit) {
            world.end_by_tool();
            world.schema.end_session();
        }
        let goes_on = options.one_deploy && unit.migration.age == Age::New;
        if !goes_on || deployed.is_none() {
            world.fresh = OrdSet::new();
            world.schema.forget_rows();
            *deployed = goes_on.then(|| world.schema.clone());
        }
        let replay = Replay {
            world,
            version: options.version,
            judged: unit.judged,
            keeps_steps: unit.judged || options.older_steps,
            deployed: deployed.as_mut(),
            before: Schema::new(false),
            steps: Vec::new(),
            block_is_alone: false,
            subtransactions: 0,
            opens_batch: false,
            changed: Vec::new(),
            fires: None,
            told: Vec::new(),
        };
        let before = left.take().filter(|left| left.reaches(&unit.migration));
        let run = replay.migration(unit, before.as_ref());
        *left = LeftPath::of(unit, before.as_ref(), &run, &self.world.session);
        run
    }

    /// The schema after all that ran.
    pub fn schema(&self) -> &Schema {
        &self.world.schema
    }

    /// Where what exists is defined.
    pub fn places(&self) -> &Places {
        &self.world.places
    }

    /// The schema at the end.
    pub fn end(mut self) -> Schema {
        self.world.commit();
        self.world.schema
    }
}

/// Whether the transaction of the migration before goes on.
fn is_shared(unit: &Unit) -> bool {
    unit.migration.sections.iter().all(|section| section.transaction.is_shared())
}

/// How many calls of functions inside functions are followed.
const DEEPEST_CALL: u8 = 4;

/// A statement that ran: of the file, or of the code of a routine that was called.
#[derive(Debug, Clone)]
pub enum Ran<'a> {
    Written(&'a Statement),
    Called(Arc<Code>, usize),
}

impl std::ops::Deref for Ran<'_> {
    type Target = Statement;

    fn deref(&self) -> &Statement {
        match self {
            Ran::Written(statement) => statement,
            Ran::Called(code, index) => &code.statements[*index],
        }
    }
}

/// Where a statement runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// The step of the statement of the file that it is part of.
    pub block: Option<usize>,
    pub conditional: bool,
    /// Calls that it is inside of.
    pub depth: u8,
}

pub(super) struct Replay<'w, 'a> {
    pub world: &'w mut World,
    pub(super) version: PgVersion,
    pub(super) judged: bool,
    pub(super) keeps_steps: bool,
    /// What clients know: the schema before the deploy that this migration is a part of, where that is not the one before it.
    pub(super) deployed: Option<&'w mut Schema>,
    /// The schema before the migration, with all that its statements prove to have been there.
    pub(super) before: Schema,
    pub steps: Vec<Step<'a>>,
    /// The DO block at work is a transaction of its own, which it may end.
    pub(super) block_is_alone: bool,
    /// How many blocks with an EXCEPTION clause are open.
    pub subtransactions: u32,
    /// The statement is the first of a batch: it is in no transaction block yet.
    pub(super) opens_batch: bool,
    /// The steps that may have taken something from clients, and the schema after each.
    pub(super) changed: Vec<(usize, Schema)>,
    /// The event trigger whose function runs.
    pub(super) fires: Option<Name>,
    /// Event triggers of which a text that is not known was told in this migration.
    pub(super) told: Vec<Name>,
}

impl<'a> Replay<'_, 'a> {
    fn migration(mut self, unit: &'a Unit, left: Option<&LeftPath>) -> MigrationRun<'a> {
        if !is_shared(unit) {
            // Every migration is taken to start on a session as the tool's connection opens it, or as the one before left it.
            let left = left.map(|left| left.search_path.clone());
            let mut started = Session::started(&self.world.schema);
            if let Some(schema) = &unit.migration.schema {
                self.world.schema.namespaces.entry(schema.clone()).or_default();
                started = started.with_first(schema);
            }
            self.world.session = Arc::new(match left {
                Some(path) => started.with_path(path),
                None => started,
            });
        }
        self.before = self.world.schema.clone();
        for (section, script) in unit.migration.sections.iter().zip(&unit.scripts) {
            let is_batch =
                section.transaction == TransactionMode::OneString && unit.migration.framework.sends_batches();
            self.section(section.transaction, is_batch, script);
        }
        let after = self.world.schema.clone();
        let breakages = if self.judged { self.net_losses(&after) } else { Vec::new() };
        MigrationRun {
            migration: &unit.migration,
            scripts: &unit.scripts,
            judged: unit.judged,
            version: self.version,
            steps: self.steps,
            before: self.before,
            after,
            places: self.world.places.clone(),
            search_path_from: left.map(|left| left.from.clone()),
            breakages,
        }
    }

    fn section(&mut self, mode: TransactionMode, is_batch: bool, script: &'a Script) {
        let one_string = mode.is_one_string() && script.statements.len() > 1;
        if mode.is_opened_by_tool() {
            self.world.begin_by_tool();
        }
        for (at, statement) in script.statements.iter().enumerate() {
            self.opens_batch = is_batch && at == 0;
            if !self.keeps_steps {
                self.steps.clear();
            }
            // After a COMMIT inside the string the server opens the next implicit block (exec_simple_query, postgres.c).
            if one_string {
                self.world.begin(TransactionKind::Implicit);
            }
            if mode == TransactionMode::WrappedByDriver {
                self.world.begin(TransactionKind::Framework);
            }
            let place = Place { conditional: statement.conditional, ..Place::default() };
            self.statement(Ran::Written(statement), place);
        }
        if !mode.is_shared() {
            self.world.end_by_tool();
        }
    }

    pub(super) fn statement(&mut self, statement: Ran<'a>, place: Place) {
        let ran = statement.clone();
        let Ok(change) = &ran.change else {
            // What it would have made is not known.
            self.world.schema.complete = false;
            self.world.schema.disturb();
            self.world.schema.forget_rows();
            self.push(statement, place, Prediction::default());
            return;
        };
        let assumed = self.world.schema.assume(change, &self.world.session);
        if !assumed.is_empty() {
            self.before.adopt(&self.world.schema, &assumed);
            if let Some(deployed) = &mut self.deployed {
                deployed.adopt(&self.world.schema, &assumed);
            }
        }
        let before = self.world.schema.clone();
        let context = Context { schema: &before, session: &self.world.session, version: self.version };
        let (mut prediction, calls) = match self.judged || self.may_call(change) {
            true => effect::predict_without_calls(change, statement.span, context),
            false => (Prediction::default(), Vec::new()),
        };
        prediction.confine_to(statement.span);
        prediction.failures.retain(|failure| !before.doubts_object(&failure.object));
        let span = statement.span;
        let index = self.push(statement, place, if self.judged { prediction } else { Prediction::default() });
        let unnamed = unnamed_subquery(change, self.version, span);
        match change {
            Change::Do(body) => self.block(body, index, place),
            Change::Transaction(control) => {
                self.refuse_control(control, index);
                // A block ends no transaction but its own.
                let open = self.world.transaction.as_ref();
                let own = open.is_none_or(|open| open.kind == TransactionKind::Implicit);
                if place.block.is_none() {
                    self.control(control);
                } else if own {
                    self.control(control);
                    self.world.begin(TransactionKind::Implicit);
                }
            }
            Change::Set(set) => self.set(set),
            Change::Prepare { .. } | Change::Deallocate(_) => {
                self.tell_unknown_columns(change, index, &before);
                Arc::make_mut(&mut self.world.session).prepare(change);
                if let Some(open) = &mut self.world.transaction {
                    Arc::make_mut(&mut open.lasting).prepare(change);
                }
            }
            Change::Reset(reset) => {
                let defaults = Session::started(&self.before);
                Arc::make_mut(&mut self.world.session).reset(reset, &defaults);
                if let Some(open) = &mut self.world.transaction {
                    Arc::make_mut(&mut open.lasting).reset(reset, &defaults);
                }
            }
            _ => self.apply(change, index, &before),
        }
        self.wait(change, index, span, &before);
        if self.world.transaction.is_none() {
            self.world.schema.end_transaction();
        }
        if !effect::unmodelled_calls(change, &before, &self.steps[index].session).is_empty() {
            // What it made of the tables is not known.
            self.world.schema.disturb();
            self.world.schema.forget_rows();
        }
        if self.judged {
            self.steps[index].applied.problems.extend(unnamed);
        }
        self.writes_inside(change, index, span, place);
        if place.depth < DEEPEST_CALL && !self.finds_nothing(change, &before) {
            self.calls(calls, index, span, place);
        }
        self.fire_event_triggers(change, index, &before, place);
    }

    /// Deferred triggers wait until the transaction ends: what a statement leaves waiting, and what is refused for it.
    fn wait(&mut self, change: &Change, index: usize, span: Span, before: &Schema) {
        let (step, session) = (&mut self.steps[index], &self.world.session);
        let Some(open) = &mut self.world.transaction else { return };
        let failure = open.pending.refuses(change, &step.applied.dropped, span, before, session);
        step.prediction.failures.extend(failure.filter(|failure| !before.doubts_object(&failure.object)));
        if !step.conditional {
            open.pending.follow(change, before, session);
        }
    }

    /// Notes what a statement writes besides what its first word says: it is applied and predicted as a whole.
    fn writes_inside(&mut self, change: &Change, index: usize, span: Span, place: Place) {
        if !self.judged {
            return;
        }
        let Some(code) = inside::writes(change, &self.world.session, span) else { return };
        let (code, number) = (Arc::new(code.clone()), code.statements.len());
        for at in 0..number {
            let part = Place { block: Some(place.block.unwrap_or(index)), ..place };
            let met = self.steps[index].schema.clone();
            if let Ok(write) = &code.statements[at].change {
                self.wait(write, index, span, &met);
            }
            let inner = self.push(Ran::Called(code.clone(), at), part, Prediction::default());
            self.steps[inner].schema = met;
        }
    }

    /// Whether the WHERE of a query without tables is known not to hold: `SELECT f() WHERE NOT EXISTS (SELECT … FROM pg_class …)`.
    fn finds_nothing(&self, change: &Change, before: &Schema) -> bool {
        let Change::Select(select) = change else { return false };
        let sqlparser::ast::Statement::Query(query) = &*select.tree.0 else { return false };
        let sqlparser::ast::SetExpr::Select(select) = &*query.body else { return false };
        let condition = select.selection.as_ref().filter(|_| select.from.is_empty());
        condition.is_some_and(|it| guard::decide(it, before, &self.world.session, self.version) == Some(false))
    }

    /// Whether following the calls of an older migration's statement can change the schema.
    fn may_call(&self, change: &Change) -> bool {
        let calls = matches!(
            change,
            Change::Select(_)
                | Change::Call(_)
                | Change::Insert(_)
                | Change::Update(_)
                | Change::Delete(_)
                | Change::Merge(_)
                | Change::Explain { analyze: true, .. }
                | Change::Execute(_)
                | Change::CreateTableAs(_)
                | Change::CreateMaterializedView(_)
                | Change::RefreshMaterializedView(_)
                | Change::DeclareCursor { .. }
                | Change::Copy(_)
                | Change::AlterTable(_)
        );
        calls && self.world.schema.routines.values().any(|routine| routine.may_change_schema)
    }

    /// Runs what a statement calls, as steps of their own at its place.
    pub(super) fn calls(&mut self, calls: Vec<Call>, index: usize, span: Span, place: Place) {
        for call in calls {
            let Some(routine) = self.world.schema.routines.get(&call.routine).cloned() else { continue };
            if !self.judged && !routine.may_change_schema {
                continue;
            }
            let language = routine.language.as_str();
            let Some(code) = read_routine_body(language, &routine.body, &call.parameters, span) else { continue };
            let place = Place {
                block: Some(place.block.unwrap_or(index)),
                conditional: place.conditional || !call.certain,
                depth: place.depth + 1,
            };
            let alone = self.world.transaction.is_none();
            if alone {
                self.world.begin(TransactionKind::Implicit);
            }
            // A procedure that CALL runs may end the transaction, unless it was there before or the procedure has settings of its own.
            let called = matches!(self.steps[index].statement.change, Ok(Change::Call(_)));
            let may_end = called && routine.settings.is_empty() && (alone || self.block_is_alone);
            let was_alone = std::mem::replace(&mut self.block_is_alone, may_end);
            let session = self.world.session.clone();
            for (parameter, value) in &routine.settings {
                let values = vec![value.clone()];
                self.set(&Set { parameter: parameter.clone(), values, local: true, span });
            }
            self.code(&CodeOf::Called(Arc::new(code)), place);
            self.block_is_alone = was_alone;
            if !routine.settings.is_empty() {
                self.world.session = session;
            }
            if alone {
                self.world.commit();
            }
        }
    }

    pub(super) fn push(&mut self, statement: Ran<'a>, place: Place, prediction: Prediction) -> usize {
        let open = self.world.transaction.as_ref();
        self.steps.push(Step {
            statement,
            block: place.block,
            conditional: place.conditional,
            prediction,
            applied: Applied::default(),
            dynamic: Vec::new(),
            session: self.world.session.clone(),
            transaction: open.map(|open| (open.id, open.kind)),
            held: open.map(|open| open.held.clone()).unwrap_or_default(),
            fresh: self.world.fresh.clone(),
            uncommitted_labels: open.map(|open| open.labels.clone()).unwrap_or_default(),
            schema: self.world.schema.clone(),
        });
        self.steps.len() - 1
    }

    fn apply(&mut self, change: &Change, index: usize, before: &Schema) {
        let mut applied = apply(&mut self.world.schema, change, &self.world.session, self.version);
        let step = &self.steps[index];
        self.world.schema.follow_rows(change, &applied.created, &self.world.session, !step.conditional);
        self.world.places.record(before, &self.world.schema, change, step.statement.span);
        self.world.hold(&step.prediction, step.statement.span);
        for created in &applied.created {
            if let ObjectId::Relation(id) = created {
                self.world.fresh.insert(*id);
            }
        }
        applied.problems.retain(|problem| !before.doubts_object(&problem.object));
        self.world.schema.note_certainty(before, !step.conditional);
        self.note_label(change, before);
        if self.judged {
            self.changed.push((index, self.world.schema.clone()));
        }
        self.steps[index].applied = applied;
        self.tell_unknown_columns(change, index, before);
    }

    fn tell_unknown_columns(&mut self, change: &Change, index: usize, before: &Schema) {
        if self.judged && !before.is_disturbed() {
            let missing = missing_relations(before, change, &self.world.session, self.version);
            self.steps[index].applied.problems.extend(missing);
        }
        if self.judged && !before.is_disturbed() && self.steps[index].block.is_none() {
            let span = self.steps[index].statement.span;
            let unknown = unknown_columns(before, change, &self.world.session, self.version, span);
            self.steps[index].applied.problems.extend(unknown);
        }
    }

    /// A DO block is one transaction; its statements run one after the other in the block's.
    fn block(&mut self, body: &Do, index: usize, place: Place) {
        let alone = self.world.transaction.is_none();
        self.block_is_alone = alone;
        if alone {
            self.world.begin(TransactionKind::Implicit);
        }
        let (before, session) = (self.world.schema.clone(), self.world.session.clone());
        let code = match self.steps[index].statement {
            Ran::Written(Statement { change: Ok(Change::Do(written)), .. }) => CodeOf::Written(&written.code),
            _ => CodeOf::Called(Arc::new(body.code.clone())),
        };
        self.code(&code, Place { block: Some(place.block.unwrap_or(index)), ..place });
        if self.judged && place.block.is_none() {
            let context = Context { schema: &before, session: &session, version: self.version };
            let parts = self.steps[index + 1..].iter().map(|step| (step.prediction.clone(), &step.schema));
            let whole = effect::in_sequence(context, parts);
            self.steps[index].prediction = whole;
        }
        if alone {
            self.world.commit();
        }
    }

    /// A label added to an enum that existed before the transaction cannot be used before it commits.
    fn note_label(&mut self, change: &Change, before: &Schema) {
        let Change::AlterEnum(alter) = change else { return };
        let AlterEnumAction::AddValue { value, .. } = &alter.action else { return };
        let Some(found) = before.find_type(&alter.name.schema, &alter.name.name, &self.world.session) else { return };
        let id = found.id;
        let is_there = matches!(&found.definition, TypeDefinition::Enum(labels) if labels.contains(value));
        if let Some(open) = self.world.transaction.as_mut().filter(|_| !is_there) {
            open.labels.insert((id, value.clone()));
        }
    }
}
