//! What the model says of a history, statement by statement.

use pgassay::apply::{apply, missing_relations, unknown_columns, unnamed_subquery};
use pgassay::change::{Change, Statement};
use pgassay::effect::{Context, Effect, FailsWhen, predict_statement};
use pgassay::schema::{Schema, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

/// The model's state.
#[derive(Clone)]
pub struct World {
    pub schema: Schema,
    pub session: Session,
    pub version: PgVersion,
}

/// What is predicted of one statement.
pub struct Said {
    /// Why it is refused whatever the rows are.
    pub refusals: Vec<String>,
    /// Rows may make the server refuse it.
    pub may_fail: bool,
    pub effect: Effect,
}

impl World {
    pub fn new(version: PgVersion) -> World {
        World {
            schema: Schema::new(true),
            session: Session { time_zone: Some("UTC".into()), ..Session::default() },
            version,
        }
    }

    /// What is said of a statement; the state stays.
    pub fn predict(&self, text: &str) -> Said {
        let mut said = Said { refusals: Vec::new(), may_fail: false, effect: Effect::default() };
        let mut world = self.clone();
        for statement in statements(text) {
            world.judge(&statement, &mut said);
        }
        said
    }

    /// Goes on to the state behind a statement that ran.
    pub fn run(&mut self, text: &str) {
        let mut said = Said { refusals: Vec::new(), may_fail: false, effect: Effect::default() };
        for statement in statements(text) {
            self.judge(&statement, &mut said);
        }
    }

    fn judge(&mut self, statement: &Statement, said: &mut Said) {
        let change = match &statement.change {
            Ok(change) => change,
            Err(unreadable) => return said.refusals.push(format!("unreadable: {unreadable}")),
        };
        for newer in &statement.newer {
            if !self.version.at_least(newer.form.since) && self.version.at_least(newer.form.refused_from) {
                said.refusals.push(format!("too new: {}", newer.form.name));
            }
        }
        let context = Context { schema: &self.schema, session: &self.session, version: self.version };
        let prediction = predict_statement(change, statement.span, context);
        for failure in &prediction.failures {
            match failure.when {
                FailsWhen::Always => said.refusals.push(failure.message.clone()),
                FailsWhen::AnyRow | FailsWhen::SomeRow { .. } => said.may_fail = true,
                FailsWhen::InTransactionBlock | FailsWhen::OutsideTransactionBlock => {}
            }
        }
        said.effect.merge(prediction.effect);
        if let Change::Do(block) = change {
            for inner in block.code.statements.iter().filter(|it| !it.conditional) {
                let mut part = Said { refusals: Vec::new(), may_fail: false, effect: Effect::default() };
                self.judge(inner, &mut part);
                said.refusals.extend(part.refusals);
                said.may_fail |= part.may_fail;
            }
            return;
        }
        let unknown = unknown_columns(&self.schema, change, &self.session, self.version, statement.span);
        let missing = missing_relations(&self.schema, change, &self.session, self.version);
        let applied = apply(&mut self.schema, change, &self.session, self.version);
        let problems = applied.problems.into_iter().chain(unknown).chain(missing);
        let problems = problems.chain(unnamed_subquery(change, self.version, statement.span));
        said.refusals.extend(problems.map(|problem| problem.message));
    }
}

fn statements(text: &str) -> Vec<Statement> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("history", text));
    read_script(file, sources.file(file)).statements
}
