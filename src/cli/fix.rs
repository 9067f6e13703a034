//! `pgassay fix`: write new migrations anew, so that they run while others work.

mod prove;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use pgassay::check::{Job, check};
use pgassay::collect::CollectOptions;
use pgassay::facts::Timestamp;
use pgassay::finding::{Finding, Severity};
use pgassay::fix::{self, FileChange, Folder, Left, PLAN_FILE, PlanFile, Rewrites, Rewritten, Waiting};
use pgassay::migration::Framework;
use pgassay::prove::Place;
use pgassay::report::Report;
use pgassay::rules::migration::{REQUIRED_COLUMN, UNBATCHED_BACKFILL, UNREADABLE_STATEMENT};
use pgassay::source::Sources;
use pgassay::text::plain;
use similar::TextDiff;

use super::check::{read_base, tell_notes};
use super::in_force::{InForce, Settable};
use super::recorded::RunArguments;
use super::selection::Selection;
use super::{Outcome, output};

/// Write new migrations anew so that they run while others work, in the format of their tool
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no error is left; 1 errors are left that a person has to decide on; 2 the run itself failed."
)]
pub struct Arguments {
    #[command(flatten)]
    settable: Settable,

    /// Rewrite what was added since the merge base of this commit and HEAD; older migrations are never touched
    #[arg(long, value_name = "REF", conflicts_with = "all")]
    since: Option<String>,

    /// Take every migration for new: none of them ran anywhere
    #[arg(long)]
    all: bool,

    /// Print what would be written, as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Run the original and the new form on a throwaway PostgreSQL server, and write nothing where they leave different databases
    #[arg(long)]
    prove: bool,

    #[command(flatten)]
    run: RunArguments,

    /// The folder of the server's initdb and postgres [default: found, the version nearest to --pg-version]
    #[arg(long, value_name = "DIR")]
    pg_bin: Option<PathBuf>,

    /// Write the files of the deploys up to this one; what waits for code is kept in pgassay-plan.json, and taken up by a later run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    deploy: u32,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let in_force = arguments.settable.resolve(None)?;
    let mut sources = Sources::default();
    let job = read(&arguments, &in_force, &mut sources)?;
    let before = check(&job, &sources);
    let mut rewrites = fix::rewrite(&job, &before, &sources);
    fix::settle(&job, &before, &mut rewrites, &sources);
    let mut session = Session { deploy: arguments.deploy as usize, plan: read_plan()?, ..Session::default() };
    session.take_up(&mut rewrites);
    session.write(&job, &mut rewrites, &sources)?;
    let after = fix::verified(&job, &before, &mut rewrites, &sources);
    session.waiting()?;
    let changes = session.changes()?;
    let proved = if arguments.prove { prove::same(&arguments.place(), &job, &rewrites, &sources)? } else { Vec::new() };
    let is_same = proved.iter().all(|proved| proved.is_same());
    if !is_same {
        proved.iter().for_each(|proved| say!("{proved}"));
        say!("nothing is written: the new form does not leave what the original leaves");
        return Ok(Outcome::Findings);
    }
    if arguments.dry_run {
        diff(&changes)?;
    } else {
        changes.iter().try_for_each(apply)?;
    }
    tell(&session, &job, &before, &after, &rewrites);
    proved.iter().for_each(|proved| say!("{proved}"));
    let needs_someone = |(finding, _): &(&Finding, _)| *finding.rule != UNBATCHED_BACKFILL;
    let is_left = left(&job, &before, &after, &rewrites).iter().any(needs_someone);
    output::leave((job, sources, before, after));
    Ok(if is_left { Outcome::Findings } else { Outcome::Clean })
}

impl Arguments {
    fn place(&self) -> Place {
        Place { bin: self.pg_bin.clone(), url: None, superuser: false, guard: std::env::current_exe().ok() }
    }
}

/// The migrations, of which only the new ones may be rewritten.
fn read(arguments: &Arguments, in_force: &InForce, sources: &mut Sources) -> anyhow::Result<Job> {
    let paths = &in_force.paths.value;
    let names_files = !paths.is_empty() && paths.iter().all(|path| path.is_file());
    if arguments.since.is_none() && !arguments.all && !names_files {
        bail!(
            "it is not known which migrations are new: give --since REF, name their files, or --all where none of them ran anywhere"
        );
    }
    let base = read_base(in_force, sources)?;
    let options = CollectOptions {
        framework: in_force.framework.value,
        transaction: in_force.transaction.value,
        no_transaction: in_force.no_transaction.value.clone(),
        variables: in_force.variables(),
        ..CollectOptions::default()
    };
    let recorded = match &in_force.run.value {
        Some(command) => {
            let bin = arguments.pg_bin.as_deref();
            Some(arguments.run.record(command, in_force.pg_version.value, &base, bin, sources)?)
        }
        None => None,
    };
    let selected = Selection::since(arguments.since.clone()).collect(paths, options, recorded, sources)?;
    let collected = selected.collected;
    tell_notes(&collected);
    if let Some(error) = collected.errors.first() {
        bail!("the migrations could not be read: {error}");
    }
    if let Some((path, found)) = collected.empty.first() {
        bail!("{}: {found}", path.display());
    }
    if let Some(nothing) = &selected.nothing_new {
        say!("note: {nothing}");
    }
    let (dumps, migrations): (Vec<_>, Vec<_>) =
        collected.migrations.into_iter().partition(|migration| migration.framework.is_base());
    Ok(Job {
        base: base.into_iter().chain(dumps).collect(),
        migrations,
        version: in_force.pg_version.value,
        completeness: in_force.history.value,
        one_deploy: selected.one_deploy,
        findings: selected.findings,
        strict: in_force.strict.value,
        settings: in_force.settings.clone(),
        live: None,
    })
}

fn read_plan() -> anyhow::Result<Option<PlanFile>> {
    let path = Path::new(PLAN_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{PLAN_FILE} could not be read"))?;
    Ok(Some(PlanFile::read(&text).with_context(|| format!("{PLAN_FILE} could not be taken up"))?))
}

/// What one run writes.
#[derive(Default)]
struct Session {
    deploy: usize,
    /// The plan file as it was.
    plan: Option<PlanFile>,
    /// The deploys that go on waiting.
    kept: Vec<Waiting>,
    changes: BTreeMap<PathBuf, FileChange>,
    /// The new files, by the migration that they come from.
    paths: Vec<(PathBuf, Vec<PathBuf>)>,
    /// Deploys of the plan file that were taken up, or why not.
    taken: Vec<Result<String, String>>,
}

impl Session {
    /// Deploys that were asked for by number go out now.
    fn take_up(&mut self, rewrites: &mut Rewrites) {
        for own in &mut rewrites.rewritten {
            let now = own.later.len().min(self.deploy - 1);
            for later in own.later.drain(..now) {
                own.pieces.extend(later.pieces.iter().map(|piece| fix::allowed(piece, &later.once)));
            }
        }
    }

    /// The files of each folder's migrations; what cannot be written stays as it is.
    fn write(&mut self, job: &Job, rewrites: &mut Rewrites, sources: &Sources) -> anyhow::Result<()> {
        let mut by_folder: BTreeMap<(Option<PathBuf>, Framework), Vec<usize>> = BTreeMap::new();
        for (at, own) in rewrites.rewritten.iter().enumerate() {
            let Some(migration) = job.migrations.get(own.migration) else { continue };
            by_folder.entry((migration.folder.clone(), migration.framework)).or_default().push(at);
        }
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        for mut places in by_folder.into_values() {
            let migrations = places.iter().filter_map(|at| job.migrations.get(rewrites.rewritten[*at].migration));
            let roots: BTreeSet<&Path> = migrations.map(|migration| root_of(&migration.path)).collect();
            let mut folder = Folder::new();
            roots.into_iter().try_for_each(|root| read_folder(root, 3, &mut folder))?;
            // Where the numbers do not reach, the last that needs some gives way.
            loop {
                let own: Vec<&Rewritten> = places.iter().map(|at| &rewrites.rewritten[*at]).collect();
                match fix::write(job, sources, &own, &folder) {
                    Ok((written, waiting)) => {
                        self.note(job, &own, &written.paths);
                        self.add(written.changes);
                        self.kept.extend(waiting.into_iter().map(|it| Waiting { next: self.deploy + 1, ..it }));
                        break;
                    }
                    Err(why) => {
                        let widest = places.iter().rposition(|at| rewrites.rewritten[*at].pieces.len() != 1);
                        let Some(at) = widest.or(places.len().checked_sub(1)) else { break };
                        refused.insert(places.remove(at), why);
                    }
                }
            }
        }
        for (at, why) in refused.into_iter().rev() {
            let own = rewrites.rewritten.remove(at);
            rewrites.left.extend(own.fixed.iter().map(|finding| Left { finding: *finding, why: why.clone() }));
        }
        Ok(())
    }

    fn note(&mut self, job: &Job, own: &[&Rewritten], paths: &[PathBuf]) {
        let mut paths = paths.iter();
        for own in own {
            let Some(migration) = job.migrations.get(own.migration) else { continue };
            let is_one = migration.framework == Framework::Liquibase || fix::stays_in_file(migration);
            let number = if own.limit.is_some() {
                1
            } else if is_one {
                own.pieces.len().min(1)
            } else {
                own.pieces.len()
            };
            let number = number.max(usize::from(fix::is_listed(migration)));
            self.paths.push((migration.path.clone(), paths.by_ref().take(number).cloned().collect()));
        }
    }

    fn add(&mut self, changes: Vec<FileChange>) {
        for change in changes {
            self.changes.insert(change.path.clone(), change);
        }
    }

    /// The deploys of the plan file that are asked for.
    fn waiting(&mut self) -> anyhow::Result<()> {
        let Some(plan) = self.plan.clone() else { return Ok(()) };
        let now = now();
        for mut waiting in plan.plans {
            while waiting.next <= self.deploy && !waiting.deploys.is_empty() {
                let mut folder = Folder::new();
                read_folder(root_of(&waiting.migration), 3, &mut folder)?;
                for change in self.changes.values() {
                    match &change.new {
                        Some(text) => folder.insert(change.path.clone(), text.clone()),
                        None => folder.remove(&change.path),
                    };
                }
                let number = waiting.next;
                match waiting.take(&folder, &now) {
                    Ok(written) => {
                        let names: Vec<String> = written.paths.iter().map(|path| path.display().to_string()).collect();
                        self.taken.push(Ok(format!(
                            "deploy {number} of {}: {}",
                            waiting.migration.display(),
                            names.join(", ")
                        )));
                        self.add(written.changes);
                    }
                    Err(why) => {
                        self.taken.push(Err(why));
                        break;
                    }
                }
            }
            if !waiting.deploys.is_empty() {
                self.kept.push(waiting);
            }
        }
        Ok(())
    }

    /// All files, with the plan of what waits.
    fn changes(&self) -> anyhow::Result<Vec<FileChange>> {
        let mut changes: Vec<FileChange> = self.changes.values().cloned().collect();
        let mut plan = PlanFile::default();
        plan.plans.clone_from(&self.kept);
        let old = self.plan.as_ref().map(PlanFile::print).transpose()?;
        let new = if self.kept.is_empty() { None } else { Some(plan.print()?) };
        if old != new {
            changes.push(FileChange { path: PathBuf::from(PLAN_FILE), old, new });
        }
        Ok(changes)
    }
}

/// The folder that holds a migration's files and those of the others: Sqitch's are below its plan.
fn root_of(path: &Path) -> &Path {
    if let Some(planned) = path.ancestors().skip(1).find(|it| it.join("sqitch.plan").is_file()) {
        return planned;
    }
    let own = path.parent().unwrap_or(Path::new(""));
    let is_folder = path.file_name().is_some_and(|name| name == "up.sql" || name == "migration.sql");
    if is_folder { own.parent().unwrap_or(own) } else { own }
}

/// The texts of a folder's files; what is no text is no migration.
fn read_folder(path: &Path, depth: usize, folder: &mut Folder) -> anyhow::Result<()> {
    let shown = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let entries = std::fs::read_dir(shown).with_context(|| format!("{} could not be read", shown.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("{} could not be read", shown.display()))?;
        let inside = path.join(entry.file_name());
        let kind = entry.file_type().with_context(|| format!("{} could not be read", inside.display()))?;
        if kind.is_dir() && depth > 1 {
            read_folder(&inside, depth - 1, folder)?;
        } else if kind.is_file()
            && let Ok(text) = std::fs::read_to_string(&inside)
        {
            folder.insert(inside, text);
        }
    }
    Ok(())
}

/// 14 digits, in UTC.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let shown = Timestamp(since.map_or(0.0, |it| it.as_secs_f64())).to_string();
    shown.chars().filter(char::is_ascii_digit).collect()
}

fn diff(changes: &[FileChange]) -> anyhow::Result<()> {
    let mut out = output::stdout(false);
    for FileChange { path, old, new } in changes {
        let name = |prefix: &str, is_there: bool| {
            if is_there { format!("{prefix}/{}", path.display()) } else { "/dev/null".to_owned() }
        };
        let (before, after) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
        let text = TextDiff::from_lines(before, after);
        let shown = text.unified_diff().header(&name("a", old.is_some()), &name("b", new.is_some())).to_string();
        write!(out, "{}", plain::visible(&shown))?;
    }
    Ok(out.flush()?)
}

fn apply(change: &FileChange) -> anyhow::Result<()> {
    let FileChange { path, old, new } = change;
    let failed = || format!("{} could not be written", path.display());
    let Some(text) = new else {
        std::fs::remove_file(path).with_context(failed)?;
        if let Some(folder) = path.parent() {
            // Of a tool with a folder for each migration; one that holds something else stays.
            let _ = std::fs::remove_dir(folder);
        }
        return Ok(());
    };
    if old.is_none() && path.exists() {
        bail!("{} is there already: nothing is written over it", path.display());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, text).with_context(failed)
}

/// What stays for a person: errors of the new form that nobody looked at, those that could not be answered, and what was not read.
fn left<'r>(
    job: &Job,
    before: &'r Report,
    after: &'r Report,
    rewrites: &Rewrites,
) -> Vec<(&'r Finding, Option<String>)> {
    let why = |finding: &Finding| {
        rewrites.left.iter().find_map(|left| {
            let original = before.findings.get(left.finding)?;
            (original.rule == finding.rule && original.message == finding.message).then(|| left.why.clone())
        })
    };
    let stays = |finding: &&Finding| {
        finding.severity == Severity::Error
            || *finding.rule == UNREADABLE_STATEMENT
            || *finding.rule == UNBATCHED_BACKFILL && why(finding).is_some()
    };
    let now = after.findings.iter().filter(stays).map(|finding| (finding, why(finding)));
    // What is in a deploy that waits is not judged yet: what was said of the original holds, unless a step or the code before it answers it.
    let is_told =
        |finding: &Finding| after.findings.iter().any(|it| it.rule == finding.rule && it.message == finding.message);
    let waits = |at: usize, finding: &Finding| {
        rewrites.rewritten.iter().filter(|own| !own.later.is_empty() && !own.fixed.contains(&at)).any(|own| {
            let migration = job.migrations.get(own.migration);
            migration.is_some_and(|it| it.sections.iter().any(|section| section.span.contains(finding.span)))
        })
    };
    let later = before.findings.iter().enumerate().filter(|(at, finding)| {
        finding.severity == Severity::Error
            && *finding.rule != REQUIRED_COLUMN
            && !is_told(finding)
            && waits(*at, finding)
    });
    now.chain(later.map(|(_, finding)| (finding, why(finding)))).collect()
}

fn tell(session: &Session, job: &Job, before: &Report, after: &Report, rewrites: &Rewrites) {
    for own in &rewrites.rewritten {
        let Some(migration) = job.migrations.get(own.migration) else { continue };
        let rules: BTreeSet<&str> =
            own.fixed.iter().filter_map(|at| before.findings.get(*at)).map(|finding| finding.rule.name).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        say!("{}: {}", migration.path.display(), rules.join(", "));
        let written = session.paths.iter().find(|(path, _)| *path == migration.path);
        for path in written.into_iter().flat_map(|(_, paths)| paths) {
            say!("    {}", path.display());
        }
        for (number, later) in own.later.iter().enumerate() {
            say!(
                "    deploy {}, once {}: {} in {PLAN_FILE}",
                session.deploy + 1 + number,
                later.once,
                plain::counted(later.pieces.len(), "migration")
            );
        }
    }
    for taken in &session.taken {
        match taken {
            Ok(text) => say!("{text}"),
            Err(why) => say!("not taken up: {why}"),
        }
    }
    for waiting in session.plan.iter().flat_map(|plan| &plan.plans) {
        if let Some(later) = waiting.deploys.first().filter(|_| waiting.next > session.deploy) {
            say!(
                "waiting: deploy {} of {}, once {} (--deploy {})",
                waiting.next,
                waiting.migration.display(),
                later.once,
                waiting.next
            );
        }
    }
    let left = left(job, before, after, rewrites);
    for (finding, why) in &left {
        say!("left: {}[{}] {}", finding.severity, finding.rule, plain::one_line(&finding.message));
        match why {
            Some(why) => say!("    {why}"),
            None if !finding.advice.text.is_empty() => say!("    {}", plain::one_line(&finding.advice.text)),
            None => {}
        }
    }
    if rewrites.rewritten.is_empty() && session.taken.is_empty() && left.is_empty() {
        say!("nothing to fix in {}", plain::counted(before.summary.files, "new migration"));
    }
}
