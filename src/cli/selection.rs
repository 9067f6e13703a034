//! The options of `check` that say what is judged: what is new, what a command prints, what a baseline knows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use pgassay::collect::changed::{self, News};
use pgassay::collect::{CollectOptions, Collected, Why, collect, find, from_command};
use pgassay::finding::Finding;
use pgassay::git::{Repository, Scope};
use pgassay::migration::{Framework, Migration, TransactionMode, TransactionOverride};
use pgassay::report::Report;
use pgassay::rules::migration::changed_migration;
use pgassay::run::Made;
use pgassay::source::Sources;

use super::baseline::BaselineFiles;

/// What to judge of all that is found.
#[derive(Debug, Default, Args)]
pub struct Selection {
    /// Judge what was added or changed since the merge base of this commit and HEAD, committed or not; older migrations build the schema
    #[arg(long, value_name = "REF", conflicts_with = "staged")]
    since: Option<String>,

    /// Judge what is staged in git, as it is staged; older migrations build the schema
    #[arg(long)]
    staged: bool,

    /// Judge what a command prints, after the migrations: "python manage.py sqlmigrate app 0042" (repeatable)
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
    /// Migrations were found, and none of them is new: a sentence.
    pub nothing_new: Option<String>,
    /// New migrations that could not be read, being code: a sentence each.
    pub unread_news: Vec<String>,
    /// How many came with libraries.
    pub of_libraries: usize,
}

impl Selection {
    /// What is new since a reference; everything where none is given.
    pub fn since(reference: Option<String>) -> Selection {
        Selection { since: reference, ..Selection::default() }
    }

    pub fn scope(&self) -> Option<Scope> {
        let staged = self.staged.then_some(Scope::Staged);
        self.since.clone().map(Scope::Since).or(staged)
    }

    /// Collects the migrations, finds out which are new, and adds what the commands print.
    pub fn collect(
        &self,
        paths: &[PathBuf],
        options: CollectOptions,
        recorded: Option<Made>,
        sources: &mut Sources,
    ) -> anyhow::Result<Selected> {
        let mut options = CollectOptions { with_older: true, ..options };
        let scope = self.scope();
        // A command is enough to judge: without paths, no migrations folder has to be there.
        let prints = !self.from_command.is_empty();
        let wants_files = !paths.is_empty() || recorded.is_none() && (!prints || find(Path::new("")).is_ok());
        let mut selected = Selected {
            collected: Collected::default(),
            one_deploy: scope.is_some(),
            findings: Vec::new(),
            nothing_new: None,
            unread_news: Vec::new(),
            of_libraries: 0,
        };
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
                selected.collected.notes.append(&mut news.notes);
                selected.nothing_new = self.nothing_new(&selected.collected);
                selected.unread_news = self.unread_news(&selected.collected, scope)?;
                selected.unread_news.append(&mut news.unread);
            }
        }
        cut_standard_input(&mut selected.collected, sources);
        if let Some(mut made) = recorded {
            self.add_recorded(&mut made, scope.as_ref(), &mut selected)?;
        }
        self.add_commands(&mut selected.collected, options.transaction, sources)?;
        Ok(selected)
    }

    /// What a command sent, behind the files; what was read of them otherwise is not missed any more.
    fn add_recorded(&self, made: &mut Made, scope: Option<&Scope>, selected: &mut Selected) -> anyhow::Result<()> {
        selected.collected.left_out.retain(|left| !matches!(left.why, Why::Code(..) | Why::Unread(..)));
        selected.collected.empty.clear();
        selected.unread_news.clear();
        selected.of_libraries = made.of_libraries.len();
        selected.collected.notes.extend(super::recorded::note_libraries(made).filter(|_| scope.is_none()));
        if let Some(scope) = scope {
            let differences = super::recorded::mark(made, scope)?;
            let news = News { differences, ..News::default() };
            selected.findings.extend(self.findings(&made.migrations, &news));
        }
        selected.collected.migrations.append(&mut made.migrations);
        selected.nothing_new = scope.and_then(|_| self.nothing_new(&selected.collected));
        Ok(())
    }

    fn nothing_new(&self, collected: &Collected) -> Option<String> {
        let all = collected.migrations.iter().filter(|migration| !migration.framework.is_base());
        let (judged, old): (Vec<&Migration>, Vec<&Migration>) = all.partition(|migration| migration.is_judged());
        if !judged.is_empty() || old.is_empty() {
            return None;
        }
        let against = match &self.since {
            Some(reference) => format!("since {reference}"),
            None => "is staged".to_owned(),
        };
        let plural = if old.len() == 1 { " builds" } else { "s build" };
        Some(format!("nothing new {against}: {} older migration{plural} the schema", old.len()))
    }

    /// New migrations that are code: they will run, and nothing was said of them.
    fn unread_news(&self, collected: &Collected, scope: &Scope) -> anyhow::Result<Vec<String>> {
        let mut news = Vec::new();
        for kind in changed::new_code(&collected.left_out, scope)? {
            news.push(format!("new, and not judged: {}", kind.line()));
        }
        Ok(news)
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
            anyhow::bail!("--from-command runs after one history, and {} were found: name its folder", folders.len());
        }
        let folder = folders.into_iter().next().flatten();
        let mode = match transaction {
            TransactionOverride::PerFile => TransactionMode::Wrapped,
            TransactionOverride::Auto | TransactionOverride::None => TransactionMode::None,
        };
        for command in &self.from_command {
            let printed = from_command(command, mode, sources)?;
            let text = sources.file(printed.file).text.clone();
            let of = |migration: Migration| Migration { folder: folder.clone().or(migration.folder), ..migration };
            match pgassay::run::printed(&text, command, Path::new(""), sources) {
                Some(mut made) => {
                    let note = super::recorded::note_libraries(&made);
                    collected.notes.extend(note.filter(|_| self.scope().is_none()));
                    if let Some(scope) = self.scope().filter(|_| made.placed > 0) {
                        super::recorded::mark(&mut made, &scope)?;
                    }
                    collected.migrations.extend(made.migrations.into_iter().map(of));
                }
                None => collected.migrations.push(of(printed)),
            }
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

/// What a tool printed into standard input is cut as what a command prints.
fn cut_standard_input(collected: &mut Collected, sources: &mut Sources) {
    let is_printed = |migration: &Migration| {
        migration.path == Path::new("<stdin>")
            && migration.framework == Framework::Plain
            && migration.sections.len() == 1
    };
    let Some(place) = collected.migrations.iter().position(is_printed) else { return };
    let text = sources.file(collected.migrations[place].file).text.clone();
    if let Some(made) = pgassay::run::printed(&text, "standard input", Path::new(""), sources) {
        collected.migrations.splice(place..=place, made.migrations);
    }
}

fn mark(collected: &mut Collected, sources: &Sources, scope: &Scope) -> anyhow::Result<News> {
    // Also where no migration is found: a wrong reference must not pass for nothing new.
    if collected.migrations.is_empty() {
        Repository::around(Path::new("."))?.changes(scope, &[])?;
    }
    Ok(changed::mark(&mut collected.migrations, sources, scope)?)
}
