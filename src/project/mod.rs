//! A project as an editor and an agent see it: its configuration, its histories, the texts that are not saved yet, and what is known of its
//! database.
//!
//! In: a [`Setup`], and texts. Out: for a file, or a text of no file, the [`Report`] that `pgassay check` gives of it, and what each of its
//! statements does. Reads files and, where one is named, a snapshot; connects to nothing and writes nothing.

mod change;
mod explanation;
mod text;
mod track;
mod watch;
pub mod words;

pub use explanation::{Explanation, FindingLine};
pub use text::{Kind, named_relations, targets};

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pgassay::baseline::Baseline;
use pgassay::check::Job;
use pgassay::collect::{CollectOptions, Collected, collect, coverage, find};
use pgassay::config::Settings;
use pgassay::db::{Database, applied, snapshot};
use pgassay::facts::Live;
use pgassay::history::{Completeness, History, Places, separate};
use pgassay::migration::{Direction, Framework, Migration, NotRead, Section, TransactionMode, TransactionOverride};
use pgassay::report::Report;
use pgassay::schema::{ColumnId, RelationId, Schema, Session};
use pgassay::source::{FileId, SourceFile, Sources, Span};
use pgassay::version::PgVersion;

use track::Track;
use watch::judge;

/// What the command line and the configuration file say of a project.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Absolute. All other paths count from here on.
    pub root: PathBuf,
    pub config: Option<PathBuf>,
    /// `None`: nobody says.
    pub version: Option<PgVersion>,
    pub paths: Vec<PathBuf>,
    pub base: Vec<PathBuf>,
    pub baseline: Option<PathBuf>,
    pub framework: Option<Framework>,
    pub transaction: TransactionOverride,
    /// The line that keeps a migration out of a transaction.
    pub no_transaction: Option<String>,
    pub completeness: Completeness,
    pub strict: bool,
    pub variables: pgassay::collect::Variables,
    pub settings: Settings,
    /// A command sends the migrations, and is recorded by `check`; it is not run here.
    pub records: bool,
    pub snapshot: Option<PathBuf>,
}

/// A project, read.
pub struct Project {
    pub setup: Setup,
    pub sources: Sources,
    /// Without migrations: each question brings its own.
    declared: Job,
    /// The same on the database of the snapshot.
    live: Option<Job>,
    options: CollectOptions,
    collected: Collected,
    tracks: Vec<Pair>,
    baseline: Option<Baseline>,
    /// By the path without links: the path as it was found, and the files of `sources`.
    files: HashMap<PathBuf, (PathBuf, Vec<FileId>)>,
    /// Of texts that are in no history, by their names.
    alone: HashMap<String, FileId>,
    /// What stands in the way of a whole answer: a sentence each.
    pub troubles: Vec<String>,
}

/// A history as it was written, and as it goes on where the database is.
struct Pair {
    declared: Track,
    live: Option<Track>,
}

/// A text judged.
pub struct Judged {
    pub report: Report,
    pub statements: Vec<At>,
}

/// A statement, and what is there when it starts.
#[derive(Clone)]
pub struct At {
    pub explanation: Explanation,
    pub schema: Schema,
    pub session: Arc<Session>,
    pub after: Schema,
    pub places: Places,
}

impl Judged {
    /// Of what is not judged.
    pub fn nothing(version: PgVersion) -> Judged {
        Judged { report: Report::new(version), statements: Vec::new() }
    }
}

impl Project {
    /// Reads the project from the working directory, which is its root. What cannot be read is among [`Project::troubles`].
    pub fn open(setup: Setup, texts: &HashMap<PathBuf, Arc<str>>) -> Project {
        let mut sources = Sources::default();
        let options = CollectOptions {
            framework: setup.framework,
            transaction: setup.transaction,
            no_transaction: setup.no_transaction.clone(),
            variables: setup.variables.clone(),
            contents: texts.clone(),
            remembers: true,
            ..CollectOptions::default()
        };
        let mut troubles = Vec::new();
        let base = read_base(&setup, &mut sources, &mut troubles);
        // Nothing found is no trouble here: a file may be judged alone.
        let found = || find(Path::new("")).map(|found| found.folders).unwrap_or_default();
        let paths = if setup.paths.is_empty() { found() } else { setup.paths.clone() };
        let collected = match paths.as_slice() {
            [] => Collected::default(),
            paths => collect(paths, &options, &mut sources),
        };
        troubles.extend(collected.errors.iter().map(ToString::to_string));
        let database = setup.snapshot.as_ref().and_then(|path| match snapshot::read(path) {
            Ok(reading) => Some(Database::new(reading, &mut sources)),
            Err(error) => {
                troubles.push(format!("the snapshot {} could not be read: {error}", path.display()));
                None
            }
        });
        let baseline = setup.baseline.as_ref().and_then(|path| read_baseline(path, &mut troubles));
        Project::assemble(Parts { setup, sources, options, base, collected, database, baseline, troubles })
    }

    fn assemble(parts: Parts) -> Project {
        let Parts { setup, sources, options, base, mut collected, database, baseline, troubles } = parts;
        let up = |migration: &Migration| migration.direction == Direction::Up;
        let all = std::mem::take(&mut collected.migrations);
        let (dumps, migrations): (Vec<_>, Vec<_>) =
            all.into_iter().filter(up).partition(|migration| migration.framework.is_base());
        let base: Vec<Migration> = base.into_iter().chain(dumps).collect();
        let mut settings = setup.settings.clone();
        settings.options.version_assumed = setup.version.is_none() && database.is_none();
        let mut pending = migrations.clone();
        if let Some(database) = &database {
            applied::mark(&mut pending, &database.applied);
        }
        let version = setup.version.or(database.as_ref().map(|database| database.version));
        let version = version.unwrap_or_else(PgVersion::assumed);
        let live = database.map(Database::live);
        let mut files: HashMap<PathBuf, (PathBuf, Vec<FileId>)> = HashMap::new();
        for migration in &migrations {
            let (_, known) = files.entry(full(&migration.path)).or_insert_with(|| (migration.path.clone(), Vec::new()));
            let own = std::iter::once(migration.file).chain(migration.sections.iter().map(|section| section.span.file));
            own.for_each(|file| {
                if !known.contains(&file) {
                    known.push(file);
                }
            });
        }
        let live_tracks =
            separate(&base, &pending).into_iter().map(|history| live.is_some().then(|| Track::new(history)));
        let declared = separate(&base, &migrations).into_iter().map(Track::new);
        let tracks = declared.zip(live_tracks).map(|(declared, live)| Pair { declared, live }).collect();
        let (completeness, strict) = (setup.completeness, setup.strict);
        let declared = Job { base, version, completeness, strict, settings, ..Job::default() };
        let live = live.map(|live| Job { live: Some(live), ..declared.clone() });
        Project {
            setup,
            sources,
            declared,
            live,
            options,
            collected,
            tracks,
            baseline,
            files,
            alone: HashMap::new(),
            troubles,
        }
    }

    /// Whether a file, by its path without links, stands among the migrations and is not one that runs: a way back, one for another server.
    pub fn is_left_out(&self, path: &Path) -> bool {
        let is_own = |left: &PathBuf| left.file_name() == path.file_name() && full(&self.setup.root.join(left)) == path;
        self.collected.left_out.iter().any(|left| is_own(&left.path))
    }

    /// What stands among the migrations and was not read: a sentence each.
    pub fn left_out(&self) -> Vec<String> {
        let recorded = self.setup.records.then(|| {
            "what the command sends that the configuration names: none is run here; pgassay check runs it".to_owned()
        });
        let read = coverage(&self.collected, &[]);
        let unread: Vec<String> = read.gaps().map(NotRead::line).collect();
        recorded.into_iter().chain(unread).collect()
    }

    /// Whether the file, by its path without links, is in one of the histories.
    pub fn has(&self, path: &Path) -> bool {
        self.collected.has(path)
    }

    /// The files of the histories, without links.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    pub fn version(&self) -> PgVersion {
        self.declared.version
    }

    pub fn live(&self) -> Option<&Live> {
        self.live.as_ref().and_then(|job| job.live.as_ref())
    }

    pub fn migrations(&self) -> usize {
        self.tracks.iter().map(|pair| pair.declared.history.migrations.len()).sum()
    }

    /// The folders of the histories with their tools and the number of their migrations.
    pub fn histories(&self) -> Vec<(PathBuf, Framework, usize)> {
        let histories = self.tracks.iter().map(|pair| &pair.declared.history.migrations);
        histories
            .filter_map(|migrations| {
                let first = migrations.first()?;
                Some((first.folder.clone().unwrap_or_else(|| first.path.clone()), first.framework, migrations.len()))
            })
            .collect()
    }

    /// Judges a file as it is now, on what comes before it in its history; `None` for a file of none.
    pub fn judge_file(&mut self, path: &Path) -> Option<Judged> {
        let (shown, _) = self.files.get(path)?;
        let pair = self.tracks.iter_mut().find(|pair| place(&pair.declared, shown).is_some())?;
        let waits = |live: &Track| {
            place(live, shown).is_some_and(|range| live.history.migrations[range].iter().any(is_pending))
        };
        let (track, job) = match (&mut pair.live, &mut self.live) {
            (Some(track), Some(job)) if waits(track) => (track, job),
            _ => (&mut pair.declared, &mut self.declared),
        };
        let range = place(track, shown)?;
        job.migrations = track.history.migrations[range.clone()].to_vec();
        let replayer = track.before(range.start, job, &self.sources);
        Some(judge(job, replayer, &self.sources, self.baseline.as_ref()))
    }

    /// Judges a text as if it came after all migrations of a history, in the transaction that most of them run in; without a history,
    /// alone.
    pub fn judge_text(&mut self, name: &str, text: &str) -> Judged {
        let file = self.add_alone(name, text);
        let span = Span::new(file, 0, text.len());
        let Some(best) = self.closest(span, text) else { return self.judge_alone(name, text) };
        let pair = &mut self.tracks[best];
        let migrations = &pair.declared.history.migrations;
        let last = migrations.last();
        let migration = Migration {
            folder: last.and_then(|last| last.folder.clone()),
            framework: last.map_or(Framework::Plain, |last| last.framework),
            sections: vec![Section { span, transaction: usual_mode(migrations), conditional: false }],
            ..Migration::plain(name, file, text.len())
        };
        let (track, job) = match (&mut pair.live, &mut self.live) {
            (Some(track), Some(job)) => (track, job),
            _ => (&mut pair.declared, &mut self.declared),
        };
        job.migrations = vec![migration];
        let replayer = track.end(job, &self.sources);
        judge(job, replayer, &self.sources, self.baseline.as_ref())
    }

    /// The place of a text in the sources; the same for the same name.
    fn add_alone(&mut self, name: &str, text: &str) -> FileId {
        let id = match self.alone.get(name) {
            Some(id) => *id,
            None => self.sources.reserve(),
        };
        self.alone.insert(name.to_owned(), id);
        self.sources.fill(id, SourceFile::new(name, text));
        id
    }

    /// Judges a text by itself: nothing is known of what exists but the base.
    pub fn judge_alone(&mut self, name: &str, text: &str) -> Judged {
        let file = self.add_alone(name, text);
        let migration = Migration::plain(name, file, text.len());
        let base = self.declared.base.iter().filter(|dump| dump.folder.is_none()).cloned().collect();
        let mut track = Track::new(History { base, migrations: vec![migration.clone()] });
        self.declared.migrations = vec![migration];
        let replayer = track.before(0, &self.declared, &self.sources);
        judge(&self.declared, replayer, &self.sources, self.baseline.as_ref())
    }

    /// The history that knows most of the relations that a text names.
    fn closest(&mut self, span: Span, text: &str) -> Option<usize> {
        if self.tracks.len() < 2 {
            return (!self.tracks.is_empty()).then_some(0);
        }
        let (job, sources) = (&self.declared, &self.sources);
        let known = |pair: &mut Pair| {
            let schema = pair.declared.end(job, sources).schema().clone();
            targets(span, text, &schema, &Session::default()).len()
        };
        let numbers: Vec<usize> = self.tracks.iter_mut().map(known).collect();
        let most = numbers.iter().max().copied()?;
        numbers.iter().position(|number| *number == most)
    }

    /// The schema after all migrations of each history, or after those up to and with a file.
    pub fn schemas(&mut self, up_to: Option<&Path>) -> Vec<(Schema, Places)> {
        let up_to = up_to.map(|path| self.files.get(path).map_or(path, |(shown, _)| shown));
        let mut found = Vec::new();
        for pair in &mut self.tracks {
            let at = match up_to {
                None => pair.declared.history.migrations.len(),
                Some(path) => match place(&pair.declared, path) {
                    Some(range) => range.end,
                    None => continue,
                },
            };
            let replayer = pair.declared.before(at, &self.declared, &self.sources);
            found.push((replayer.schema().clone(), replayer.places().clone()));
        }
        found
    }

    /// The statements of the history of a file that made, changed or dropped something.
    pub fn touches(&mut self, path: &Path, relation: RelationId, column: Option<ColumnId>) -> Vec<Span> {
        let Some((shown, _)) = self.files.get(path) else { return Vec::new() };
        let pair = self.tracks.iter_mut().find(|pair| place(&pair.declared, shown).is_some());
        pair.map(|pair| pair.declared.touches(relation, column, &self.declared, &self.sources)).unwrap_or_default()
    }

    /// Whether a file comes before another one of its history: then a change of it may break the other.
    pub fn is_before(&self, path: &Path, other: &Path) -> bool {
        let (Some((path, _)), Some((other, _))) = (self.files.get(path), self.files.get(other)) else { return false };
        self.tracks.iter().any(|pair| match (place(&pair.declared, path), place(&pair.declared, other)) {
            (Some(path), Some(other)) => path.start < other.start,
            _ => false,
        })
    }

    /// The tool that runs a file.
    pub fn tool_of(&self, path: &Path) -> Option<Framework> {
        let (shown, _) = self.files.get(path)?;
        let range = |pair: &Pair| place(&pair.declared, shown).map(|range| range.start);
        let found = self.tracks.iter().find_map(|pair| Some(&pair.declared.history.migrations[range(pair)?]))?;
        Some(found.framework)
    }

    /// Whether a file is the last of its history.
    pub fn is_last(&self, path: &Path) -> Option<bool> {
        let (shown, _) = self.files.get(path)?;
        self.tracks
            .iter()
            .find_map(|pair| Some(place(&pair.declared, shown)?.end == pair.declared.history.migrations.len()))
    }

    /// All that the histories hold, for an audit.
    pub fn audit_job(&self) -> pgassay::audit::AuditJob {
        let migrations = self.tracks.iter().flat_map(|pair| pair.declared.history.migrations.clone()).collect();
        pgassay::audit::AuditJob {
            base: self.declared.base.clone(),
            migrations,
            version: self.declared.version,
            completeness: self.declared.completeness,
            settings: self.declared.settings.clone(),
            facts: self.live().map(|live| live.facts.clone()),
            ..Default::default()
        }
    }

    /// The full path of a file of the sources.
    pub fn path_of(&self, file: FileId) -> PathBuf {
        full(&self.setup.root.join(&self.sources.file(file).name))
    }
}

struct Parts {
    setup: Setup,
    sources: Sources,
    options: CollectOptions,
    base: Vec<Migration>,
    collected: Collected,
    database: Option<Database>,
    baseline: Option<Baseline>,
    troubles: Vec<String>,
}

fn read_base(setup: &Setup, sources: &mut Sources, troubles: &mut Vec<String>) -> Vec<Migration> {
    if setup.base.is_empty() {
        return Vec::new();
    }
    let options = CollectOptions { variables: setup.variables.clone(), ..CollectOptions::default() };
    let collected = collect(&setup.base, &options, sources);
    troubles.extend(collected.errors.iter().map(|error| format!("the base could not be read: {error}")));
    let up = collected.migrations.into_iter().filter(|migration| migration.direction == Direction::Up);
    up.map(|migration| Migration { folder: None, ..migration }).collect()
}

fn read_baseline(path: &Path, troubles: &mut Vec<String>) -> Option<Baseline> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    match text.and_then(|text| Baseline::parse(&text).map_err(|error| error.to_string())) {
        Ok(baseline) => Some(baseline),
        Err(error) => {
            troubles.push(format!("the baseline {} could not be read: {error}", path.display()));
            None
        }
    }
}

/// A path without links; of a file that is not there yet, its folder's.
pub fn full(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        match (path.parent().and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

/// Where the migrations of a file are, by the path as it was found.
fn place(track: &Track, path: &Path) -> Option<std::ops::Range<usize>> {
    let migrations = &track.history.migrations;
    let start = migrations.iter().position(|migration| migration.path == path)?;
    let length = migrations[start..].iter().take_while(|migration| migration.path == path).count();
    Some(start..start + length)
}

/// Not yet on the database that the snapshot is of.
fn is_pending(migration: &Migration) -> bool {
    !migration.sections.is_empty()
}

/// The transaction that most migrations run in.
fn usual_mode(migrations: &[Migration]) -> TransactionMode {
    let mut numbers: BTreeMap<TransactionMode, usize> = BTreeMap::new();
    for section in migrations.iter().flat_map(|migration| &migration.sections) {
        *numbers.entry(section.transaction).or_default() += 1;
    }
    let most = numbers.into_iter().max_by_key(|(_, number)| *number);
    most.map_or(TransactionMode::None, |(mode, _)| mode)
}
