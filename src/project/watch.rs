//! One judgement of a history, with the replayer where it stood at its end.

use std::collections::BTreeMap;

use super::{At, Explanation, FindingLine, Judged};
use pgassay::baseline::Baseline;
use pgassay::check::{Job, Observer, check_after};
use pgassay::facts::Live;
use pgassay::finding::Finding;
use pgassay::history::{MigrationRun, Replayer, Unit};
use pgassay::report::Observed;
use pgassay::source::Sources;

pub(super) fn judge(job: &Job, mut replayer: Replayer, sources: &Sources, baseline: Option<&Baseline>) -> Judged {
    let mut watcher = Watcher { live: job.live.as_ref(), statements: Vec::new() };
    let mut report = check_after(job, &mut replayer, sources, Some(&mut watcher));
    if let Some(baseline) = baseline {
        baseline.apply(&mut report, sources);
    }
    let mut statements = watcher.statements;
    for statement in &mut statements {
        let span = statement.explanation.span;
        let here = report.findings.iter().filter(|finding| span.contains(finding.span));
        statement.explanation.findings = here.map(FindingLine::of).collect();
    }
    Judged { report, statements }
}

/// Keeps what every statement does.
pub(super) struct Watcher<'a> {
    live: Option<&'a Live>,
    statements: Vec<At>,
}

impl Observer for Watcher<'_> {
    fn begin(&mut self, _base: &[Unit], _sources: &Sources) {}

    fn migration(
        &mut self,
        run: &MigrationRun,
        sources: &Sources,
        _findings: &mut Vec<Finding>,
    ) -> BTreeMap<usize, Observed> {
        let top: Vec<usize> = (0..run.steps.len()).filter(|at| run.steps[*at].block.is_none()).collect();
        for (number, at) in top.iter().enumerate() {
            let step = &run.steps[*at];
            let after = top.get(number + 1).map_or(&run.after, |next| &run.steps[*next].schema);
            self.statements.push(At {
                explanation: Explanation::of(run, *at, self.live, sources),
                schema: step.schema.clone(),
                session: step.session.clone(),
                after: after.clone(),
                places: run.places.clone(),
            });
        }
        BTreeMap::new()
    }

    fn end(&mut self, _sources: &Sources) -> Vec<Finding> {
        Vec::new()
    }
}
