//! The options of `check` that say what is judged: what is new, what a command prints, what a baseline knows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use pgassay::collect::changed::{self, News};
use pgassay::collect::{CollectOptions, Collected, collect, find, from_command};
use pgassay::finding::Finding;
use pgassay::git::{Repository, Scope};
use pgassay::migration::{Migration, TransactionMode, TransactionOverride};
use pgassay::report::Report;
use pgassay::rules::migration::changed_migration;
use pgassay::source::Sources;

use super::baseline::BaselineFiles;

/// What to judge of all that is found.
#[derive(Debug, Args)]
pub struct Selection {
    /// Judge what was added or changed since the merge base of this commit and HEAD, committed or not; older migrations build the schema
    #[arg(long, value_name = "REF", conflicts_with = "staged")]
    since: Option<String>,

    /// Judge what is staged in git, as it is staged; older migrations build the schema
    #[arg(long)]
    staged: bool,

    /// Judge what a command prints, behind the migrations: "python manage.py sqlmigrate app 0042" (repeatable)
    #[arg(long, value_name = "COMMAND")]
    from_command: Vec<String>,

    #[command(flatten)]
    baseline: BaselineFiles,
}

/// The migrations of a run, with their age.
pub struct Selected {
    pub collected: Collected,
    /// The new migrations go out together.
    pub one_deploy: bool,
    /// What is wrong with migrations that ran before.
    pub findings: Vec<Finding>,
}

impl Selection {
    fn scope(&self) -> Option<Scope> {
        let staged = self.staged.then_some(Scope::Staged);
        self.since.clone().map(Scope::Since).or(staged)
    }

    /// Collects the migrations, finds out which are new, and adds what the commands print.
    pub fn collect(
        &self,
        paths: &[PathBuf],
        options: CollectOptions,
        sources: &mut Sources,
    ) -> anyhow::Result<Selected> {
        let mut options = CollectOptions { with_older: true, ..options };
        let scope = self.scope();
        // A command is enough to judge: without paths, no migrations folder has to be there.
        let wants_files = !paths.is_empty() || self.from_command.is_empty() || find(Path::new("")).is_ok();
        let mut selected =
            Selected { collected: Collected::default(), one_deploy: scope.is_some(), findings: Vec::new() };
        if wants_files {
            let untouched = sources.clone();
            selected.collected = collect(paths, &options, sources);
            if let Some(scope) = &scope {
                let mut news = mark(&mut selected.collected, sources, scope)?;
                if !news.staged.is_empty() {
                    *sources = untouched;
                    options.contents = std::mem::take(&mut news.staged);
                    selected.collected = collect(paths, &options, sources);
                    news = mark(&mut selected.collected, sources, scope)?;
                }
                selected.findings = self.findings(&selected.collected.migrations, &news);
                selected.collected.notes.extend(news.notes);
            }
        }
        self.add_commands(&mut selected.collected, options.transaction, sources)?;
        Ok(selected)
    }

    fn findings(&self, migrations: &[Migration], news: &News) -> Vec<Finding> {
        let against = match &self.since {
            Some(reference) => format!("the merge base with {reference}"),
            None => "the last commit".to_owned(),
        };
        let finding = |difference: &pgassay::migration::Difference| {
            let migration = migrations.get(difference.migration)?;
            changed_migration::finding(migration, difference.span, &difference.kind, &against)
        };
        news.differences.iter().filter_map(finding).collect()
    }

    fn add_commands(
        &self,
        collected: &mut Collected,
        transaction: TransactionOverride,
        sources: &mut Sources,
    ) -> anyhow::Result<()> {
        let folders: BTreeSet<Option<PathBuf>> = collected
            .migrations
            .iter()
            .filter(|migration| !migration.framework.is_base())
            .map(|migration| migration.folder.clone())
            .collect();
        if !self.from_command.is_empty() && folders.len() > 1 {
            anyhow::bail!("--from-command runs behind one history, and {} were found: name its folder", folders.len());
        }
        let folder = folders.into_iter().next().flatten();
        let mode = match transaction {
            TransactionOverride::PerFile => TransactionMode::Wrapped,
            TransactionOverride::Auto | TransactionOverride::None => TransactionMode::None,
        };
        for command in &self.from_command {
            let printed = from_command(command, mode, sources)?;
            collected.migrations.push(Migration { folder: folder.clone(), ..printed });
        }
        Ok(())
    }

    /// Writes the baseline, then leaves out what the other one, if there is one, knows.
    pub fn apply_baseline(
        &self,
        baseline: Option<&Path>,
        report: &mut Report,
        migrations: &[Migration],
        sources: &Sources,
    ) -> anyhow::Result<()> {
        self.baseline.apply(baseline, report, migrations, sources)
    }
}

fn mark(collected: &mut Collected, sources: &Sources, scope: &Scope) -> anyhow::Result<News> {
    // Also where no migration is found: a wrong reference must not pass for nothing new.
    if collected.migrations.is_empty() {
        Repository::around(Path::new("."))?.changes(scope)?;
    }
    Ok(changed::mark(&mut collected.migrations, sources, scope)?)
}
