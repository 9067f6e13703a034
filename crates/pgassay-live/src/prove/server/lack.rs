//! Statements that need what an extension brings that is not installed, where its stand-in is not enough.
//!
//! In: the server's refusal of a statement of which nothing of the kind was predicted. Out: an index on nothing in the place of one that
//! needs an access method or operator class; for anything else a note. Neither is a finding: it says nothing of the migration.

use super::ground::Ground;
use super::stand_in::{self, Missing};
use crate::change::{Change, Statement};
use crate::history::Step;
use crate::prove::ProveError;
use crate::prove::run::{Outcome, Runner, place};
use crate::shadow::ServerError;
use crate::source::{Sources, Span};

/// What was made in the place of something that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) enum StandIn {
    /// Nothing.
    None,
    /// The statement can be run again.
    Complete,
    /// An extension, in the place of the statement that makes it.
    Extension,
}

impl Runner {
    /// The refusal, if an extension that has a stand-in may be the reason: the prediction knows of none.
    pub fn for_want_of_extension(&self, step: &Step<'_>, outcome: &Outcome) -> Option<ServerError> {
        let expected = !step.applied.problems.is_empty() || step.change().is_none();
        let error = outcome.error.as_ref().filter(|error| stand_in::may_be_for_want_of(error))?;
        (!self.lacking.is_empty() && !expected).then(|| error.clone())
    }

    /// An index has one that stands in; anything else is not run.
    pub async fn without_extension(
        &mut self,
        ground: &mut Ground,
        step: &Step<'_>,
        error: &ServerError,
        sources: &Sources,
        watch: bool,
    ) -> Result<Outcome, ProveError> {
        let predicted = step.prediction.effect.index_builds.first().map(String::as_str);
        if let Some(index) = stand_in::index(step.change(), predicted) {
            let outcome = self.watched(ground, step, &index, sources, watch).await?;
            if outcome.error.is_none() {
                self.note(self.on_nothing(step.span(), error, sources));
                return Ok(outcome);
            }
        }
        self.note(self.left_out(step.span(), error, sources));
        Ok(Outcome { not_run: true, ..Outcome::default() })
    }

    /// As [`Runner::without_extension`], for a statement of the base.
    async fn base_without_extension(
        &mut self,
        statement: &Statement,
        error: &ServerError,
        sources: &Sources,
    ) -> Result<(), ProveError> {
        let index = stand_in::index(statement.change.as_ref().ok(), None);
        if let Some(index) = index
            && self.send(&index).await?.is_none()
        {
            self.note(self.on_nothing(statement.span, error, sources));
            return Ok(());
        }
        self.has_left_out = true;
        self.note(self.left_out(statement.span, error, sources));
        Ok(())
    }

    /// Makes what stands in for something that the server says is missing.
    pub async fn stand_in(&mut self, ground: &mut Ground, missing: Missing<'_>) -> Result<StandIn, ProveError> {
        let (text, made) = match missing {
            Missing::Role(name) => (stand_in::role(ground, &name).await?, StandIn::Complete),
            Missing::Database(name) => (stand_in::database(ground, &name).await?, StandIn::Complete),
            Missing::Extension(create) => {
                let text = stand_in::extension(&self.session, create).await?;
                self.lacking.insert(create.name.name.to_string());
                (text, StandIn::Extension)
            }
        };
        self.note(text);
        Ok(made)
    }

    /// A statement of the base that the server refuses, and for which nothing stands in.
    pub async fn refused_base(
        &mut self,
        statement: &Statement,
        error: &ServerError,
        sources: &Sources,
    ) -> Result<(), ProveError> {
        if !self.lacking.is_empty() && stand_in::may_be_for_want_of(error) {
            return self.base_without_extension(statement, error, sources).await;
        }
        self.note(format!("a statement of the base was refused, {}: {error}", place(statement.span, sources)));
        Ok(())
    }

    /// A block that makes an extension which is not installed: what stands in is made, and the block runs without that statement.
    pub async fn without_making_extension(
        &mut self,
        step: &Step<'_>,
        sql: &str,
        error: &ServerError,
    ) -> Result<Option<String>, ProveError> {
        let Some(Change::Do(block)) = step.change() else { return Ok(None) };
        let making = block.code.statements.iter().find_map(|statement| match &statement.change {
            Ok(Change::CreateExtension(create)) => {
                let quoted = format!("\"{}\"", create.name.name.as_str());
                let named = error.message.contains(&quoted) || error.message.contains(create.name.name.as_str());
                let is_here = step.span().contains(statement.span);
                (named && is_here && !self.lacking.contains(&create.name.name.to_string()))
                    .then_some((create, statement.span))
            }
            _ => None,
        });
        let Some((create, span)) = making else { return Ok(None) };
        let text = stand_in::extension(&self.session, create).await?;
        self.lacking.insert(create.name.name.to_string());
        self.note(text);
        let base = step.span().start;
        let (start, end) = ((span.start - base) as usize, (span.end - base) as usize);
        let (Some(before), Some(behind)) = (sql.get(..start), sql.get(end..)) else { return Ok(None) };
        // Valid as a statement of PL/pgSQL and as the text of EXECUTE.
        Ok(Some(format!("{before}SET LOCAL application_name TO DEFAULT{behind}")))
    }

    fn on_nothing(&self, span: Span, error: &ServerError, sources: &Sources) -> String {
        format!("{}: an index on nothing takes its place{}", place(span, sources), self.want(error))
    }

    fn left_out(&self, span: Span, error: &ServerError, sources: &Sources) -> String {
        format!("{} was not run{}", place(span, sources), self.want(error))
    }

    fn want(&self, error: &ServerError) -> String {
        let lacking: Vec<&str> = self.lacking.iter().map(String::as_str).collect();
        format!(", for want of an extension ({}): {error}", lacking.join(", "))
    }
}
