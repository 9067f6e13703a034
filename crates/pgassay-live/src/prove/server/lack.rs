//! Statements that need what an extension brings that is not installed, where its stand-in is not enough.
//!
//! In: the server's refusal of a statement of which nothing of the kind was predicted. Out: an index on nothing in the place of one that
//! needs an access method or operator class; for anything else a note. Neither is a finding: it says nothing of the migration.

use super::ground::Ground;
use super::stand_in;
use crate::change::Statement;
use crate::history::Step;
use crate::prove::ProveError;
use crate::prove::run::{Outcome, Runner, place};
use crate::shadow::ServerError;
use crate::source::{Sources, Span};

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
    pub async fn base_without_extension(
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
