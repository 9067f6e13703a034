//! What the model says of a history, text by text.

use pgassay::contract::Breakage;
use pgassay::effect::{Effect, FailsWhen};
use pgassay::history::{MigrationRun, Options, Replayer, Step, Unit, read};
use pgassay::migration::Migration;
use pgassay::schema::Schema;
use pgassay::source::{SourceFile, Sources};
use pgassay::version::PgVersion;

/// The model's state.
#[derive(Clone)]
pub struct World {
    replayer: Replayer,
    pub version: PgVersion,
}

/// What is predicted of one text.
#[derive(Default)]
pub struct Said {
    /// Why it is refused whatever the rows are.
    pub refusals: Vec<String>,
    /// Rows may make the server refuse it.
    pub may_fail: bool,
    pub effect: Effect,
    /// What clients lose.
    pub breakages: Vec<Breakage>,
}

impl World {
    pub fn new(version: PgVersion) -> World {
        let options = Options { version, one_deploy: false, older_steps: false };
        World { replayer: Replayer::new(Schema::new(true), options), version }
    }

    pub fn schema(&self) -> &Schema {
        self.replayer.schema()
    }

    /// What is said of a text; the state stays.
    pub fn predict(&self, text: &str) -> Said {
        self.clone().run(text)
    }

    /// Goes on to the state after a text that ran.
    pub fn run(&mut self, text: &str) -> Said {
        let unit = unit(text);
        said(&self.replayer.run(&unit), self.version)
    }
}

/// The text as a migration of its own, on a session with the server's time zone.
fn unit(text: &str) -> Unit {
    let text = format!("SET timezone = 'UTC';\n{text}");
    let mut sources = Sources::default();
    let length = text.len();
    let file = sources.add(SourceFile::new("history", text));
    read(&[Migration::plain("history", file, length)], &sources, true).remove(0)
}

fn said(run: &MigrationRun, version: PgVersion) -> Said {
    let mut said = Said::default();
    run.steps.iter().for_each(|step| judge(step, version, &mut said));
    said.breakages = run.breakages.iter().map(|(breakage, _)| breakage.clone()).collect();
    said
}

fn judge(step: &Step, version: PgVersion, said: &mut Said) {
    if let Err(unreadable) = &step.statement.change {
        return said.refusals.push(format!("unreadable: {unreadable}"));
    }
    said.effect.merge(step.prediction.effect.clone());
    let mut refusals = Vec::new();
    for newer in &step.statement.newer {
        if !version.at_least(newer.form.since) && version.at_least(newer.form.refused_from) {
            refusals.push(format!("too new: {}", newer.form.name));
        }
    }
    for failure in &step.prediction.failures {
        match failure.when {
            FailsWhen::Always => refusals.push(failure.message.clone()),
            FailsWhen::AnyRow | FailsWhen::SomeRow { .. } => said.may_fail = true,
            FailsWhen::InTransactionBlock | FailsWhen::OutsideTransactionBlock => {}
        }
    }
    refusals.extend(step.applied.problems.iter().map(|problem| problem.message.clone()));
    if step.conditional { said.may_fail |= !refusals.is_empty() } else { said.refusals.extend(refusals) }
}
