//! The observer that runs every migration on a shadow server beside its judging.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::clients::probe::Probe;
use super::clients::queries::Query;
use super::clients::workload::Workload;
use super::clients::{routine, witness};
use super::run::verdict::{Judge, claims_refusal};
use super::run::{Outcome, Runner, compare};
use super::server::ground::Ground;
use super::server::stand_in;
use super::{Cleanup, Place, ProveError, rows};
use crate::change::{PrintedName, QualifiedName};
use crate::check::Observer;
use crate::contract::BreakageKind;
use crate::finding::{Evidence, Finding};
use crate::history::{MigrationRun, Unit};
use crate::migration::Direction;
use crate::report::{Difference, DifferenceField, Observed, Proof, ProvedMigration, Withdrawn};
use crate::rules::migration::observed::BROKEN_ROUTINE;
use crate::shadow::describe;
use crate::source::{FileId, Sources, Span};
use crate::sql::read_script;
use crate::version::PgVersion;

/// What to do besides running the migrations.
#[derive(Clone, Default)]
pub struct Options {
    pub place: Place,
    pub version: PgVersion,
    /// Rows to make up in every table that a migration touches.
    pub seed: Option<usize>,
    /// The DDL of a database, among the sources: it stands for what exists before, instead of a base.
    pub schema: Option<FileId>,
    pub queries: Vec<Query>,
    /// Say in which order schema and code may go out.
    pub rolling: bool,
    /// Say what each history leaves, for [`Prover::catalogs`].
    pub describe: bool,
}

/// Runs migrations on a shadow server. Databases and server are gone when it is dropped.
pub struct Prover {
    /// Dropped before the runtime.
    ground: Ground,
    runner: Option<Runner>,
    runtime: tokio::runtime::Runtime,
    options: Options,
    workload: Workload,
    label: String,
    proof: Proof,
    catalogs: Vec<BTreeSet<String>>,
    failed: Option<ProveError>,
}

impl Prover {
    /// Starts the server.
    ///
    /// # Errors
    /// [`ProveError`] if there is none, or it cannot be used.
    pub fn start(options: Options) -> Result<Prover, ProveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ground = runtime.block_on(Ground::start(&options.place, options.version))?;
        let label = format!("PostgreSQL {}", ground.version());
        let mut proof = Proof { server: label.clone(), ..Proof::default() };
        if ground.major() != options.version.major() {
            let text = format!(
                "run on {label}, judged for PostgreSQL {}: where the two differ, so may what was predicted and what was seen",
                options.version
            );
            proof.notes.push(text);
        }
        proof.notes.extend(ground.unconfined());
        let workload = Workload::new(options.queries.clone());
        Ok(Prover {
            ground,
            runner: None,
            runtime,
            options,
            workload,
            label,
            proof,
            catalogs: Vec::new(),
            failed: None,
        })
    }

    /// What has to go if the process is told to end before the prover is dropped.
    pub fn cleanup(&self) -> Cleanup {
        self.ground.cleanup()
    }

    /// What each history left, in lines that can be compared, where that was asked for; the histories in their order.
    pub fn catalogs(&mut self) -> Vec<BTreeSet<String>> {
        std::mem::take(&mut self.catalogs)
    }

    /// All that was seen.
    ///
    /// # Errors
    /// The first [`ProveError`] on the way: what was seen until then is not all.
    pub fn finish(mut self) -> Result<Proof, ProveError> {
        self.runner = None;
        let Prover { runtime, ground, .. } = &mut self;
        let ended = runtime.block_on(ground.end());
        match self.failed.take() {
            Some(error) => Err(error),
            None => ended.map(|()| std::mem::take(&mut self.proof)),
        }
    }

    fn begin_history(&mut self, base: &[Unit], sources: &Sources) -> Result<(), ProveError> {
        self.runner = None;
        self.workload = Workload::new(self.options.queries.clone());
        let database = self.options.schema.map(|file| read_script(file, sources.file(file)));
        let Prover { runtime, ground, .. } = self;
        let runner = runtime.block_on(async {
            let mut runner = Runner::new(ground).await?;
            if let Some(script) = &database {
                runner.script(ground, script, sources).await?;
            }
            for unit in base {
                for script in &unit.scripts {
                    runner.script(ground, script, sources).await?;
                }
            }
            Ok::<Runner, ProveError>(runner)
        })?;
        self.runner = Some(runner);
        Ok(())
    }

    fn run(
        &mut self,
        run: &MigrationRun,
        sources: &Sources,
        findings: &mut Vec<Finding>,
    ) -> Result<BTreeMap<usize, Observed>, ProveError> {
        let Some(mut runner) = self.runner.take() else { return Ok(BTreeMap::new()) };
        let Prover { runtime, ground, workload, options, proof, label, .. } = self;
        let mut work = Work { runner: &mut runner, ground, workload, options, proof, label };
        let observed = match run.judged {
            true => runtime.block_on(work.judged(run, sources, findings)),
            false => runtime.block_on(work.older(run, sources)).map(|()| BTreeMap::new()),
        };
        self.runner = Some(runner);
        observed
    }

    fn end_history(&mut self) -> Result<Vec<Finding>, ProveError> {
        let Some(mut runner) = self.runner.take() else { return Ok(Vec::new()) };
        let Prover { runtime, ground, workload, options, proof, label, catalogs, .. } = self;
        runtime.block_on(async {
            if let Some(error) = runner.commit().await? {
                proof.notes.push(format!("the last COMMIT was refused: {error}"));
            }
            if options.describe {
                runner.session.batch_execute("DISCARD ALL").await?;
                catalogs.push(describe(&runner.session).await?);
            }
            let found = workload.end(&runner, label, proof, options.rolling).await?;
            for note in std::mem::take(&mut runner.notes) {
                add(&mut proof.notes, note);
            }
            for role in ground.stand_in_roles(&runner.session).await? {
                add(&mut proof.notes, stand_in::role_note(&role));
            }
            Ok(found)
        })
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        self.runner = None;
        let Prover { runtime, ground, .. } = self;
        // Told by `finish`, where it was called.
        let _ = runtime.block_on(ground.end());
    }
}

impl Observer for Prover {
    fn begin(&mut self, base: &[Unit], sources: &Sources) {
        if self.failed.is_none()
            && let Err(error) = self.begin_history(base, sources)
        {
            self.failed = Some(error);
        }
    }

    fn migration(
        &mut self,
        run: &MigrationRun,
        sources: &Sources,
        findings: &mut Vec<Finding>,
    ) -> BTreeMap<usize, Observed> {
        // A way back does not run after its way forth.
        if self.failed.is_some() || run.migration.direction == Direction::Down {
            return BTreeMap::new();
        }
        match self.run(run, sources, findings) {
            Ok(observed) => observed,
            Err(error) => {
                self.failed = Some(error);
                BTreeMap::new()
            }
        }
    }

    fn end(&mut self, _: &Sources) -> Vec<Finding> {
        if self.failed.is_some() {
            return Vec::new();
        }
        match self.end_history() {
            Ok(findings) => findings,
            Err(error) => {
                self.failed = Some(error);
                Vec::new()
            }
        }
    }
}

/// One migration's turn.
struct Work<'p> {
    runner: &'p mut Runner,
    ground: &'p mut Ground,
    workload: &'p mut Workload,
    options: &'p Options,
    proof: &'p mut Proof,
    label: &'p str,
}

impl Work<'_> {
    /// Runs a migration that builds the schema only.
    async fn older(&mut self, run: &MigrationRun<'_>, sources: &Sources) -> Result<(), ProveError> {
        self.runner.prepare(run).await?;
        let outcomes = self.runner.migration(self.ground, run, sources, false).await?;
        for (index, outcome) in outcomes {
            if let Some(error) = outcome.error {
                let line = sources.positions(run.steps[index].span()).0.line;
                let name = &sources.file(run.migration.file).name;
                add(&mut self.proof.notes, format!("an older statement was refused, {name}:{line}: {error}"));
            }
        }
        Ok(())
    }

    async fn judged(
        &mut self,
        run: &MigrationRun<'_>,
        sources: &Sources,
        findings: &mut Vec<Finding>,
    ) -> Result<BTreeMap<usize, Observed>, ProveError> {
        let started = Instant::now();
        self.runner.prepare(run).await?;
        self.workload.begin(self.runner, self.proof).await?;
        let tables = touched(run);
        // What touches nothing that was there breaks nothing.
        let may_break = !tables.is_empty() || !run.breakages.is_empty();
        let (functions, triggers) = match may_break {
            true => (routine::functions(self.runner, &tables).await?, routine::triggers(self.runner, &tables).await?),
            false => Default::default(),
        };
        let witnesses = witness::before(self.runner, run, findings).await?;
        if let Some(rows) = self.options.seed {
            self.seed(&tables, rows).await?;
        }

        let had_left_out = self.runner.has_left_out;
        let outcomes = self.runner.migration(self.ground, run, sources, true).await?;

        // Where a statement did not run, what it takes away is still there.
        let ran = |(_, outcome): &(usize, Outcome)| !outcome.not_run && (outcome.error.is_none() || outcome.on_rows);
        let all_ran = outcomes.iter().all(ran) && self.runner.refused.is_none() && !had_left_out;
        let mut withdrawn = witness::after(self.runner, run, findings, witnesses, self.label, all_ran).await?;
        let by_witness = withdrawn.len();
        let claims: Vec<(Span, String)> =
            findings.iter().filter(|it| claims_refusal(it)).map(|it| (it.span, it.message.clone())).collect();
        let judge =
            Judge { run, outcomes: &outcomes, server: self.label, earlier: self.runner.refused.clone(), sources };
        withdrawn.extend(judge.correct(findings));
        let diverged = self.runner.refused.is_some() || had_left_out;
        self.runner.refused = self.runner.refused.take().or(judge.first_refusal());
        if let Some(note) = judge.note_of_part() {
            add(&mut self.proof.notes, note);
        }
        self.routines(run, &tables, &functions, &triggers, findings).await?;
        findings.extend(self.workload.after(self.runner, run, self.label, sources).await?);
        findings.sort_by_key(|finding| (finding.span.file, finding.span.start, std::cmp::Reverse(finding.severity)));

        let mut differences: Vec<Difference> = Vec::new();
        let mut behind = diverged;
        for (index, outcome) in &outcomes {
            differences.extend(compare::differences(run, *index, outcome, &claims, behind));
            behind |= outcome.not_run || outcome.error.is_some() && !outcome.on_rows;
        }
        differences.extend(withdrawn[..by_witness].iter().map(unbroken));
        self.proof.migrations.push(ProvedMigration {
            name: run.migration.name.clone(),
            file: sources.file(run.migration.file).name.clone(),
            statements: outcomes.len(),
            differences: differences.len(),
            milliseconds: started.elapsed().as_millis() as u64,
        });
        self.proof.differences.extend(differences);
        self.proof.withdrawn.extend(withdrawn);
        Ok(outcomes.into_iter().map(|(index, outcome)| (index, observed(outcome))).collect())
    }

    async fn seed(&mut self, tables: &[String], rows: usize) -> Result<(), ProveError> {
        let open = self.runner.is_open();
        if !open {
            self.runner.session.batch_execute("BEGIN").await?;
        }
        let filled = {
            let probe = Probe::within(self.runner);
            rows::fill(&probe, tables, rows::Rows::from_one(rows)).await?
        };
        if !open {
            self.runner.session.batch_execute("COMMIT").await?;
            for table in &filled.tables {
                self.runner.session.batch_execute(&format!("ANALYZE {table}")).await?;
            }
        }
        self.runner.has_made_up(&filled.tables).await?;
        for text in filled.failed {
            add(&mut self.proof.notes, text);
        }
        Ok(())
    }

    /// What the migration broke that no statement names: seen, and told once where reading the bodies found it too.
    async fn routines(
        &self,
        run: &MigrationRun<'_>,
        tables: &[String],
        functions: &routine::State,
        triggers: &routine::State,
        findings: &mut Vec<Finding>,
    ) -> Result<(), ProveError> {
        if functions.is_empty() && triggers.is_empty() {
            return Ok(());
        }
        for (name, error) in routine::broken(functions, &routine::functions(self.runner, tables).await?) {
            let message = format!("the function {name} no longer works: {error}");
            let read = found_by_reading(run, findings, |object| names_routine(&name, object));
            match read {
                Some(finding) => finding.evidence.push(self.tried(&message)),
                None => findings.extend(self.routine(run, None, message, name)),
            }
        }
        for (name, error) in routine::broken(triggers, &routine::triggers(self.runner, tables).await?) {
            let table =
                name.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).map(|(_, table)| table.to_owned());
            let object = table.clone().unwrap_or_else(|| name.clone());
            let message = format!("{name} no longer works: {error}");
            let on_table = |printed: &PrintedName| {
                printed.part_name().is_some() && printed.object().is_some_and(|it| it.to_string() == object)
            };
            match found_by_reading(run, findings, on_table) {
                Some(finding) => finding.evidence.push(self.tried(&message)),
                None => findings.extend(self.routine(run, table.as_deref(), message, object)),
            }
        }
        Ok(())
    }

    fn tried(&self, message: &str) -> Evidence {
        Evidence::observed(format!("{message} (tried on {} before and after the migration)", self.label))
    }

    fn routine(&self, run: &MigrationRun, table: Option<&str>, message: String, object: String) -> Option<Finding> {
        let takes = |mode: &crate::catalog::LockMode| *mode > crate::catalog::LockMode::RowExclusive;
        let locks_it = |step: &&crate::history::Step| {
            step.block.is_none()
                && step
                    .prediction
                    .effect
                    .locks
                    .iter()
                    .any(|(name, mode)| table.is_none_or(|table| table == name) && takes(mode))
        };
        let step = run.steps.iter().find(locks_it).or(run.steps.first())?;
        let mut finding = BROKEN_ROUTINE.finding(step.span(), message);
        // A routine comes with its arguments.
        let name = object.split('(').next().and_then(|name| name.parse::<QualifiedName>().ok());
        finding.object = Some(match name {
            Some(name) => PrintedName::described(&name, object),
            None => PrintedName::other(object),
        });
        finding.evidence.push(Evidence::observed(format!("tried on {} before and after the migration", self.label)));
        Some(finding)
    }
}

/// The finding of a body that was read with the schema before and after, about such an object.
fn found_by_reading<'f>(
    run: &MigrationRun,
    findings: &'f mut [Finding],
    is_it: impl Fn(&PrintedName) -> bool,
) -> Option<&'f mut Finding> {
    let broken = run.breakages.iter().map(|(breakage, _)| breakage);
    let mut broken = broken.filter(|it| it.kind == BreakageKind::RoutineBroken && is_it(&it.object));
    let message = broken.next()?.message.clone();
    // One cause is one finding: the others are in its evidence.
    let tells = |finding: &&mut Finding| {
        finding.message == message || finding.evidence.iter().any(|it| it.text.contains(&message))
    };
    findings.iter_mut().filter(|finding| *finding.rule == BROKEN_ROUTINE).find(tells)
}

/// Whether `regprocedure` calls this object so: without its schema where the search_path finds it.
fn names_routine(signature: &str, object: &PrintedName) -> bool {
    let called = signature.split('(').next().unwrap_or_default();
    object.part_name().is_none()
        && object.object().is_some_and(|it| [it.to_string(), it.name.to_string()].iter().any(|name| name == called))
}

/// The tables that the statements lock and that may have been there before.
fn touched(run: &MigrationRun) -> Vec<String> {
    let locks = run.steps.iter().flat_map(|step| step.prediction.effect.locks.keys());
    let names: BTreeSet<String> = locks.cloned().collect();
    names.into_iter().collect()
}

fn observed(outcome: Outcome) -> Observed {
    Observed {
        effect: outcome.watched.as_ref().map(compare::added).unwrap_or_default().into(),
        error: outcome.error.map(|error| error.to_string()),
        milliseconds: outcome.took.as_millis() as u64,
    }
}

fn unbroken(withdrawn: &Withdrawn) -> Difference {
    let span: Span = withdrawn.span;
    Difference {
        span,
        field: DifferenceField::Breakage,
        predicted: withdrawn.message.clone(),
        observed: withdrawn.reason.clone(),
    }
}

fn add(notes: &mut Vec<String>, text: String) {
    if !notes.contains(&text) {
        notes.push(text);
    }
}
