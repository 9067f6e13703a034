//! New migrations, rewritten so that they can run while others work.
//!
//! In: what was judged and what was found, and the texts of the migrations' folders. Out: the files to write, in the format of the tool
//! that runs them, and the deploys that have to wait for code. Writes nothing itself, and touches no migration that ran before.
//!
//! A migration is taken apart into [`Piece`]s: what it keeps, and the steps of its findings in place of the statements that they are
//! about. Each piece becomes a migration of its own.

mod append;
mod batches;
mod code;
mod files;
mod held;
mod in_step;
mod inverse;
mod items;
mod joined;
mod journal;
mod later_code;
mod limit;
mod liquibase;
mod moves;
mod number;
mod original;
mod pieces;
mod place;
mod plan_file;
mod refill;
mod sqitch;
mod sums;
mod text;
mod unqualified;
mod verify;
mod walk;

pub use append::allowed;
use code::CodeTool;
pub use files::{FileChange, Folder, write};
pub use plan_file::{PLAN_FILE, PlanFile, Waiting, WrongPlan};
pub use verify::{replaced, verified};
pub use walk::settle;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::check::{Job, check};
use crate::finding::Finding;
use crate::migration::{Age, Direction, Framework, Migration, TransactionMode};
use crate::report::Report;
use crate::source::Sources;

/// What becomes one migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Each with the comments before it, and without a semicolon at its end.
    pub statements: Vec<String>,
    /// Outside of any transaction that the tool opens: one statement, or what was written so.
    pub alone: bool,
    /// The statements commit together. Otherwise they do what they did: a tool that opens no transaction commits each.
    pub together: bool,
    /// What takes it back, in the order in which it runs.
    pub down: Vec<String>,
}

/// Pieces that go out when the code is ready for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// What the running code must do before: "no running code reads or writes note".
    pub once: String,
    pub pieces: Vec<Piece>,
}

/// A migration and what takes its place.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// Its place in the job.
    pub migration: usize,
    /// What goes out now; nothing where all of it has to wait.
    pub pieces: Vec<Piece>,
    /// Where nothing but a limit is missing: the statement that sets it, put before the first one.
    pub limit: Option<String>,
    /// The deploys after it, in their order.
    pub later: Vec<Later>,
    /// The same with all that comes after something which waits waiting, too; for what cannot do without.
    pub patient: Option<(Vec<Piece>, Vec<Later>)>,
    /// Findings that it answers: their places in the report.
    pub fixed: Vec<usize>,
}

/// A finding that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its place in the report.
    pub finding: usize,
    pub why: String,
}

/// What can be done about a report.
#[derive(Debug, Clone, Default)]
pub struct Rewrites {
    pub rewritten: Vec<Rewritten>,
    pub left: Vec<Left>,
}

/// How a migration's tool takes migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ways {
    /// A statement can run outside of a transaction.
    pub alone: bool,
    /// All pending migrations are one transaction: what has to commit first is a deploy of its own.
    pub shared: bool,
    /// The file's statements commit one by one, so that all pieces can stay in it, with BEGIN and COMMIT.
    pub in_file: bool,
    /// The file's own marker keeps the tool from opening a transaction: what it keeps stays so.
    pub unwrapped: bool,
}

impl Ways {
    pub fn of(migration: &Migration) -> Ways {
        if CodeTool::of(migration).is_some() {
            return Ways { alone: true, shared: false, in_file: true, unwrapped: false };
        }
        let mode = migration.sections.first().map_or(TransactionMode::Wrapped, |section| section.transaction);
        let one_by_one = Ways::in_file(migration.framework) && !mode.is_opened_by_tool();
        let by_marker = migration.framework != Framework::NodePgMigrate && migration.outside_transaction().is_some();
        let has_marker = !matches!(
            migration.framework,
            Framework::Plain
                | Framework::Sqitch
                | Framework::Shmig
                | Framework::Play
                | Framework::Rambler
                | Framework::Prisma
                | Framework::GolangMigrate
                | Framework::Postgrator
                | Framework::Supabase
        );
        Ways {
            alone: one_by_one || by_marker,
            shared: mode.is_shared(),
            in_file: one_by_one,
            unwrapped: has_marker && !mode.is_opened_by_tool(),
        }
    }

    /// Whether the tool's files commit statement by statement, unless someone says otherwise.
    fn in_file(framework: Framework) -> bool {
        matches!(
            framework,
            Framework::Plain | Framework::Sqitch | Framework::Shmig | Framework::Play | Framework::Rambler
        )
    }
}

/// Rewrites every new migration that has findings with a way out.
pub fn rewrite(job: &Job, report: &Report, sources: &Sources) -> Rewrites {
    let mut found = Rewrites::default();
    let by_file = findings_by_migration(job, report);
    let joined = joined::joined(job, report, sources, by_file.keys().copied());
    let judged = joined.as_ref().map(|joined| check(&joined.job, &joined.sources));
    let in_joined = judged.as_ref().map(|judged| findings_by_migration_of(joined.as_ref().map(|it| &it.job), judged));
    for (place, findings) in by_file {
        let Some(migration) = job.migrations.get(place) else { continue };
        let refused = joined.as_ref().and_then(|joined| joined.refused.get(&place));
        let as_joined = joined.as_ref().zip(judged.as_ref()).filter(|(joined, _)| joined.migrations.contains(&place));
        let read = match (cannot_be_written(migration), refused, as_joined) {
            (Some(why), ..) => Err(why),
            (None, Some(why), _) => Err(why.clone()),
            (None, None, Some((joined, judged))) => {
                let own = in_joined.as_ref().and_then(|all| all.get(&place)).map_or(&[][..], Vec::as_slice);
                match joined.job.migrations.get(place) {
                    Some(migration) => items::read(migration, judged, own, &joined.sources)
                        .map(|read| items::of_original(read, judged, report, &findings)),
                    None => continue,
                }
            }
            (None, None, None) => items::read(migration, report, &findings, sources),
        };
        match read {
            Ok(read) => found.add(place, migration, read),
            Err(why) => found.left.extend(findings.iter().map(|finding| Left { finding: *finding, why: why.clone() })),
        }
    }
    found.left.extend(of_what_ran(job, report));
    found
}

impl Rewrites {
    fn add(&mut self, place: usize, migration: &Migration, read: items::Items) {
        self.left.extend(read.left.iter().cloned());
        if !read.is_changed {
            return;
        }
        let ways = Ways::of(migration);
        let (pieces, later) = pieces::assemble(&read, ways);
        let patient = (!later.is_empty()).then(|| pieces::assemble_patiently(&read, ways));
        let limit = read.limit.filter(|_| read.is_limit_only);
        self.rewritten.push(Rewritten { migration: place, pieces, limit, later, patient, fixed: read.fixed });
    }
}

/// Why nothing can take a migration's place.
fn cannot_be_written(migration: &Migration) -> Option<String> {
    let why = match migration.framework {
        Framework::GraphileMigrate => {
            "graphile-migrate knows its files by hashes: write the steps into current.sql, and commit each"
        }
        Framework::Liquibase if migration.path.extension().is_none_or(|it| !it.eq_ignore_ascii_case("sql")) => {
            "its changeset is not SQL: write the steps as `sql` changes in changesets of their own"
        }
        Framework::DbMigrate => {
            "each of its SQL files is run by one in JavaScript: make those with `db-migrate create --sql-file`, and write the steps into them"
        }
        _ => return None,
    };
    Some(why.to_owned())
}

/// Findings of migrations that are judged because they are not what ran.
fn of_what_ran(job: &Job, report: &Report) -> Vec<Left> {
    let why = "the migration ran before with another text: what ran is not written anew";
    let all = report.findings.iter().enumerate();
    let theirs = all.filter(|(_, finding)| {
        job.migrations.iter().any(|migration| {
            migration.age == Age::Changed && migration.sections.iter().any(|it| it.span.contains(finding.span))
        })
    });
    theirs.map(|(finding, _)| Left { finding, why: why.to_owned() }).collect()
}

fn findings_by_migration_of(job: Option<&Job>, report: &Report) -> BTreeMap<usize, Vec<usize>> {
    job.map(|job| findings_by_migration(job, report)).unwrap_or_default()
}

/// The findings of each migration that may be rewritten, by their places.
fn findings_by_migration(job: &Job, report: &Report) -> BTreeMap<usize, Vec<usize>> {
    let mut by_migration: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, finding) in report.findings.iter().enumerate() {
        let owner = job.migrations.iter().position(|migration| {
            is_rewritable(migration) && migration.sections.iter().any(|section| section.span.contains(finding.span))
        });
        if let Some(owner) = owner {
            by_migration.entry(owner).or_default().push(at);
        }
    }
    by_migration
}

/// Only what never ran.
pub fn is_rewritable(migration: &Migration) -> bool {
    migration.direction == Direction::Up && migration.age == Age::New && !migration.framework.is_base()
}

/// Whether all that takes its place stays in its file.
pub fn stays_in_file(migration: &Migration) -> bool {
    Ways::of(migration).in_file
}

/// Whether its tool's list names it, so that something stays in its place while all of it waits.
pub fn is_listed(migration: &Migration) -> bool {
    matches!(migration.framework, Framework::Sqitch | Framework::Drizzle) || CodeTool::of(migration).is_some()
}

/// What is left of a report that someone has to decide on.
pub fn needs_a_person(finding: &Finding) -> bool {
    use crate::finding::{Category, Severity};
    finding.severity == Severity::Error && matches!(finding.category, Category::Breaking | Category::DataLoss)
}

/// Where a deploy's files go, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub changes: Vec<FileChange>,
    /// The new migrations' files, in their order.
    pub paths: Vec<PathBuf>,
}
