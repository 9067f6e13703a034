//! Judging a migration again and again on a history that is replayed once: what an editor asks for, and `fix`.
//!
//! In: a history, then a place in it and the migrations that follow. Out: the same [`Report`] that [`check`](super::check) gives of them.

use super::{Job, Lots, Observer, hear, judge_all, judge_observed, schema_before, settle};
use crate::history::{History, Options, Replayer, read};
use crate::report::Report;
use crate::source::Sources;
use crate::stack::with_stack;

/// Where a history begins.
pub struct Beginning {
    /// Nothing ran yet.
    pub replayer: Replayer,
    /// So many of the first migrations decided whether the history makes everything that exists: if one of them changes, it begins anew.
    pub looked_at: usize,
}

/// What exists before the first migration of a history. The runs that the replayer makes come with the steps of older migrations too.
pub fn begin(job: &Job, history: &History, sources: &Sources) -> Beginning {
    with_stack(|| {
        let base = if job.live.is_some() { Vec::new() } else { read(&history.base, sources, false) };
        let mut lots = Lots::new(&history.migrations, &[], sources);
        let schema = schema_before(job, &base, &history.migrations, &mut lots);
        let options = Options { version: job.version, one_deploy: job.one_deploy, older_steps: true };
        Beginning { replayer: Replayer::new(schema, options), looked_at: lots.ahead() }
    })
}

/// Judges the migrations of the job as they run after what the replayer ran, which has run them too afterwards. They are of one history;
/// the job's base is not read.
pub fn check_after(
    job: &Job,
    replayer: &mut Replayer,
    sources: &Sources,
    observer: Option<&mut dyn Observer>,
) -> Report {
    with_stack(|| {
        let mut report = Report::new(job.version);
        let mut lots = Lots::new(&job.migrations, &job.findings, sources);
        let mut around = job.findings.clone();
        let all = match observer {
            Some(observer) => {
                observer.begin(&[], sources);
                let all = judge_observed(job, &mut lots, replayer, sources, observer);
                around.extend(observer.end(sources));
                all
            }
            None => judge_all(job, &mut lots, replayer, sources),
        };
        hear(&mut report, all, around, lots, &job.migrations);
        settle(job, &mut report, sources);
        report
    })
}
