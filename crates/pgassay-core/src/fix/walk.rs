//! Which rewritings hold: a history is run once, each migration judged where it stands, first as it was written and then as it was
//! rewritten. What is worse than the original is taken back, and so is what a later migration cannot do without.
//!
//! Every place of the history is kept, so that it is run again from where something was taken back and not from its beginning.

use super::Rewrites;
use super::verify::{as_migration, is_bad, leave};
use crate::check::{Job, begin, check_after};
use crate::finding::{Category, Finding, Severity};
use crate::history::{History, Replayer, Unit, read, separate};
use crate::migration::{Age, Migration};
use crate::report::Report;
use crate::rules::migration::REQUIRED_COLUMN;
use crate::source::Sources;

/// Takes back the rewriting of every migration that fails in its new form, or has more that blocks, and of what a later one needs at once.
pub fn settle(job: &Job, before: &Report, rewrites: &mut Rewrites, sources: &Sources) {
    for mut history in separate(&job.base, &job.migrations) {
        let folder = history.migrations.first().and_then(|migration| migration.folder.clone());
        let theirs = job.migrations.iter().enumerate().filter(|(_, migration)| migration.folder == folder);
        let mut places: Vec<usize> = theirs.map(|(place, _)| place).collect();
        if !rewrites.rewritten.iter().any(|own| places.contains(&own.migration)) {
            continue;
        }
        if job.one_deploy {
            places.sort_by_key(|place| job.migrations[*place].age == Age::New);
            history.migrations.sort_by_key(|migration| migration.age == Age::New);
        }
        let mut walk = Walk {
            places,
            units: read(&history.migrations, sources, false),
            states: vec![begin(job, &history, sources).replayer],
            history,
            job: Job { base: Vec::new(), migrations: Vec::new(), findings: Vec::new(), ..job.clone() },
            texts: sources.clone(),
            before,
            rewrites: &mut *rewrites,
        };
        walk.run();
    }
}

struct Walk<'a> {
    /// The places of the history's migrations in the job.
    places: Vec<usize>,
    history: History,
    /// Its migrations as they were written.
    units: Vec<Unit>,
    /// Where the history stands before each migration, with what was settled of those before it.
    states: Vec<Replayer>,
    /// How to judge; its migrations are those of the moment.
    job: Job,
    texts: Sources,
    before: &'a Report,
    rewrites: &'a mut Rewrites,
}

impl Walk<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.history.migrations.len() {
            self.states.truncate(at + 1);
            let original = vec![self.history.migrations[at].clone()];
            let (report, replayer) = self.judged(self.states[at].clone(), original);
            if let Some((culprit, why)) = self.taken_away(at, &report) {
                self.leave(culprit, &why);
                at = culprit;
                continue;
            }
            let replayer = self.settled(at).unwrap_or(replayer);
            self.states.push(replayer);
            at += 1;
        }
    }

    /// What is found in these migrations from a state on, and the state after them.
    fn judged(&mut self, mut state: Replayer, migrations: Vec<Migration>) -> (Report, Replayer) {
        self.job.migrations = migrations;
        let report = check_after(&self.job, &mut state, &self.texts, None);
        (report, state)
    }

    /// Chooses how a migration is rewritten, and runs it; nothing where it stays as it was written.
    fn settled(&mut self, at: usize) -> Option<Replayer> {
        loop {
            let place = self.rewriting(at)?;
            let pieces = self.rewrites.rewritten[place].pieces.clone();
            let original = &self.history.migrations[at];
            let texts = &mut self.texts;
            let migrations = pieces.iter().map(|piece| as_migration(original, piece, texts)).collect();
            let (report, replayer) = self.judged(self.states[at].clone(), migrations);
            if !self.is_worse(at, &report) {
                return Some(replayer);
            }
            let own = &mut self.rewrites.rewritten[place];
            match own.patient.take() {
                Some((pieces, later)) => (own.pieces, own.later) = (pieces, later),
                None => {
                    let why = self.why_worse(&report);
                    self.leave(at, &why);
                }
            }
        }
    }

    /// The earlier migration whose rewriting makes this one fail, and why; it did not fail before.
    fn taken_away(&mut self, at: usize, report: &Report) -> Option<(usize, String)> {
        let known: Vec<String> =
            self.findings_before(at).filter(|it| is_failure(it)).map(|it| it.message.clone()).collect();
        let new: Vec<&Finding> =
            report.findings.iter().filter(|it| is_failure(it) && !known.contains(&it.message)).collect();
        new.into_iter().find_map(|failure| {
            let culprit = self.culprit(at, &failure.message)?;
            let name = self.history.migrations[at].path.display();
            Some((culprit, format!("a later migration needs what it does: {name}: {}", failure.message)))
        })
    }

    /// A migration whose rewriting makes a later one fail so, whatever follows it. The nearest are tried first.
    fn culprit(&mut self, at: usize, failure: &str) -> Option<usize> {
        let rewritten: Vec<usize> = (0..at).filter(|earlier| self.rewriting(*earlier).is_some()).collect();
        // It fails where the first `fails` of them are rewritten.
        let mut fails = rewritten.len();
        let mut last = 1;
        let mut runs = loop {
            let first = rewritten.len().checked_sub(last).or((fails > 0).then_some(0))?;
            if !self.fails(at, failure, rewritten[first]) {
                break first;
            }
            fails = first;
            last *= 2;
        };
        while fails - runs > 1 {
            let middle = runs.midpoint(fails);
            if self.fails(at, failure, rewritten[middle]) {
                fails = middle;
            } else {
                runs = middle;
            }
        }
        rewritten.get(runs).copied()
    }

    /// Whether a migration fails so where those from a place on are as they were written.
    fn fails(&mut self, at: usize, failure: &str, from: usize) -> bool {
        let mut replayer = self.states[from].clone();
        for unit in &self.units[from..at] {
            replayer.run(unit);
        }
        let (report, _) = self.judged(replayer, vec![self.history.migrations[at].clone()]);
        report.findings.iter().any(|it| is_failure(it) && it.message == failure)
    }

    /// The place of a migration's rewriting.
    fn rewriting(&self, at: usize) -> Option<usize> {
        self.rewrites.rewritten.iter().position(|own| own.migration == self.places[at])
    }

    fn leave(&mut self, at: usize, why: &str) {
        if let Some(place) = self.rewriting(at) {
            leave(self.rewrites, place, why);
        }
    }

    /// What was found in a migration as it was written, with all others as they were.
    fn findings_before(&self, at: usize) -> impl Iterator<Item = &Finding> {
        let sections = &self.history.migrations[at].sections;
        self.before.findings.iter().filter(move |it| sections.iter().any(|section| section.span.contains(it.span)))
    }

    fn is_worse(&self, at: usize, report: &Report) -> bool {
        let kinds: [fn(&Finding) -> bool; 3] = [
            |it| it.category == Category::Failing,
            |it| it.category == Category::Blocking,
            |it| *it.rule == REQUIRED_COLUMN,
        ];
        kinds.iter().any(|is_one| {
            let counted = |it: &&Finding| it.severity == Severity::Error && is_one(it);
            report.findings.iter().filter(counted).count() > self.findings_before(at).filter(counted).count()
        })
    }

    /// The last thing that is new and bad, else the last that is bad.
    fn why_worse(&self, report: &Report) -> String {
        let is_new = |it: &&&Finding| !self.before.findings.iter().any(|old| old.message == it.message);
        let mut bad = report.findings.iter().filter(|it| is_bad(it));
        let worst = bad.clone().rfind(|it| is_new(&it)).or_else(|| bad.next_back());
        match worst {
            Some(finding) => format!("its steps would not run here: {}", finding.message),
            None => "its steps would not run here".to_owned(),
        }
    }
}

fn is_failure(finding: &Finding) -> bool {
    finding.severity == Severity::Error && finding.category == Category::Failing
}
