//! What the model knows when a statement of a case file starts.

use pgassay::apply::{Problem, apply};
use pgassay::change::{Change, Set, Statement};
use pgassay::effect::{Context, Effect, FailsWhen, predict};
use pgassay::schema::{Schema, Session};
use pgassay::source::{FileId, SourceFile, Sources, Span};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

#[derive(Clone)]
pub struct World {
    schema: Schema,
    session: Session,
    version: PgVersion,
}

impl World {
    pub fn new(version: PgVersion) -> World {
        let mut session = Session::default();
        let span = Span::new(FileId(0), 0, 0);
        session.set(&Set { parameter: "timezone".into(), values: vec!["UTC".into()], local: false, span });
        World { schema: Schema::new(true), session, version }
    }

    pub fn run(&mut self, text: &str) -> Result<(), String> {
        statements(text).into_iter().try_for_each(|statement| self.step(statement).map(drop))
    }

    /// Why the server refuses it, if it does.
    fn step(&mut self, statement: Statement) -> Result<Vec<Problem>, String> {
        match statement.change.map_err(|error| error.to_string())? {
            Change::Set(set) => self.session.set(&set),
            Change::Reset(reset) => self.session.reset(&reset, &Session::default()),
            change @ (Change::Prepare { .. } | Change::Deallocate(_)) => self.session.prepare(&change),
            Change::Do(block) => {
                block.code.statements.into_iter().try_for_each(|statement| self.step(statement).map(drop))?;
            }
            change => return Ok(apply(&mut self.schema, &change, &self.session, self.version).problems),
        }
        Ok(Vec::new())
    }

    pub fn predict(&self, text: &str) -> Result<Effect, String> {
        let mut effect = Effect::default();
        for statement in statements(text) {
            let change = statement.change.map_err(|error| error.to_string())?;
            effect.merge(predict(&change, self.context()).effect);
        }
        Ok(effect)
    }

    /// Whether the server refuses the text whatever the rows are, or cannot read it.
    #[allow(dead_code)]
    pub fn refuses(&self, text: &str) -> bool {
        statements(text).into_iter().any(|statement| {
            let Ok(change) = &statement.change else { return true };
            let failures = predict(change, self.context()).failures;
            failures.iter().any(|failure| failure.when == FailsWhen::Always)
                || !self.clone().step(statement).is_ok_and(|problems| problems.is_empty())
        })
    }

    fn context(&self) -> Context<'_> {
        Context { schema: &self.schema, session: &self.session, version: self.version }
    }
}

fn statements(text: &str) -> Vec<Statement> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("case", text));
    read_script(file, sources.file(file)).statements
}
