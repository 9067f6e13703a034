//! What every framework's file provides, and the list of them.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{File, Folder};
use super::line::lines;
use super::liquibase::ListedFile;
use super::order::{leading_digits, number};
use super::read::ReadError;
use super::scan::pieces;
use super::variables::{Style, Variables, substitutions};
use super::{
    Direction, Framework, TransactionMode, atlas, db_migrate, dbmate, diesel, drizzle, flyway, golang_migrate, goose,
    graphile_migrate, hasura, liquibase, mybatis, node_pg_migrate, plain, play, pop, postgrator, postgres_migrations,
    prisma, rambler, refinery, shmig, sqitch, sql_migrate, sqlx, structure_sql, supabase, tern, yoyo,
};
use crate::source::{SourceFile, Substitution};

/// A file's text as it is sent, with its parts: placeholders are replaced, and what is not SQL is translated.
pub(super) fn parts_of(
    tool: &dyn Tool,
    folder: &Folder,
    entry: &Entry,
    text: Arc<str>,
    variables: &Variables,
) -> (SourceFile, Split) {
    let name = entry.file.path.to_string_lossy();
    let variables = variables.or(&tool.settings(folder, &entry.file));
    if let Some(translation) = tool.translate(&Input { entry, text: &text, folder }, &variables) {
        let source = SourceFile::substituted(name, text, &translation.substitutions);
        return (source, translation.split);
    }
    let found = substitutions(&text, 0..text.len(), tool.placeholders(&entry.file), &variables);
    let mut source = SourceFile::substituted(name, text, &found);
    let mut split = tool.split(&Input { entry, text: &source.text, folder });
    if let Some(masked) = split.masked.take().filter(|masked| masked.len() == source.text.len()) {
        source.text = masked.into();
    }
    (source, split)
}

/// One migration tool.
pub(super) trait Tool: Sync {
    fn framework(&self) -> Framework;

    /// Whether this folder itself, not one above or below it, is what the tool would be pointed at.
    fn detect(&self, folder: &Folder) -> bool;

    /// The files that the tool runs from this folder, in its order.
    fn order(&self, folder: &Folder) -> Order;

    /// The parts of a file that run, up and down, and how they reach the server.
    fn split(&self, input: &Input<'_>) -> Split;

    /// Whether the tool fails on a byte order mark: it sends it to the server, which takes it for a part of the first word, or does
    /// not find its own marker behind it.
    fn fails_on_byte_order_mark(&self) -> bool {
        false
    }

    /// A file that is not SQL, as the SQL that the tool sends for it.
    fn translate(&self, _input: &Input<'_>, _variables: &Variables) -> Option<Translation> {
        None
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::None
    }

    /// Values that the tool's own settings, or the file's, give to placeholders.
    fn settings(&self, _folder: &Folder, _file: &File) -> Variables {
        Variables::default()
    }
}

/// All tools, the surest to recognise first: a folder belongs to the first that says yes.
pub(super) static TOOLS: &[&dyn Tool] = &[
    &drizzle::Drizzle,
    &atlas::Atlas,
    &sqitch::Sqitch,
    &prisma::Prisma,
    &liquibase::Liquibase,
    &goose::Goose,
    &sql_migrate::SqlMigrate,
    &tern::Tern,
    &graphile_migrate::GraphileMigrate,
    &dbmate::Dbmate,
    &mybatis::Mybatis,
    &shmig::Shmig,
    &rambler::Rambler,
    &play::Play,
    &postgrator::Postgrator,
    &supabase::Supabase,
    &refinery::Refinery,
    &flyway::Flyway,
    &hasura::Hasura,
    &diesel::Diesel,
    &node_pg_migrate::NodePgMigrate,
    &postgres_migrations::PostgresMigrations,
    &sqlx::Sqlx,
    &db_migrate::DbMigrate,
    &yoyo::Yoyo,
    &pop::Pop,
    &golang_migrate::GolangMigrate,
    &structure_sql::StructureSql,
];

pub(super) fn tool(framework: Framework) -> &'static dyn Tool {
    TOOLS.iter().copied().find(|tool| tool.framework() == framework).unwrap_or(&plain::Plain)
}

/// The files of a folder that a tool runs.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub entries: Vec<Entry>,
    /// What a user should know of a file or of the folder: one that is not run, two of one version.
    pub notes: Vec<(PathBuf, String)>,
    /// Files that it runs and that are not read, with what is in them.
    pub unread: Vec<(PathBuf, String)>,
    /// SQL files that it does not run.
    pub not_run: Vec<PathBuf>,
    /// Folders that are the tool's, and hold SQL that is no migration.
    pub known: Vec<PathBuf>,
    /// The tool's own lists of files that cannot be read.
    pub errors: Vec<ReadError>,
}

/// A file that a tool runs.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The tool's name for it.
    pub name: String,
    pub file: File,
    /// Where the file's name or folder says it; otherwise its text does.
    pub direction: Option<Direction>,
    /// What a list of files says of it.
    pub listed: Option<Listed>,
}

impl Entry {
    /// A file in the direction that its text says.
    pub fn new(name: &str, file: &File) -> Entry {
        Entry { name: name.to_owned(), file: file.clone(), direction: None, listed: None }
    }
}

/// What a list of files says of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    /// The list itself: its own migrations between two files that it names, counted from the top.
    Run(usize),
    /// How a file of SQL is sent.
    File(ListedFile),
}

/// What a tool splits.
pub(super) struct Input<'a> {
    pub entry: &'a Entry,
    /// With placeholders replaced.
    pub text: &'a str,
    /// Where the file stands; of a file by itself, the folder around it as far as it is known.
    pub folder: &'a Folder,
}

/// A file in parts.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub units: Vec<Unit>,
    /// The text with everything that is not SQL blanked out, of the same length; only where markers stand inside of the SQL.
    pub masked: Option<String>,
    /// With the place that each is about.
    pub notes: Vec<(Range<usize>, String)>,
    /// The schema that the tool makes, and puts first in the search_path; not where that is the server's own.
    pub schema: Option<String>,
}

/// SQL that a tool makes of a file, as substitutions in it, and the parts of that SQL.
#[derive(Debug, Default)]
pub(super) struct Translation {
    pub substitutions: Vec<Substitution>,
    pub split: Split,
}

/// What becomes one [`Migration`](super::Migration).
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Where it is not the entry's.
    pub name: Option<String>,
    pub direction: Direction,
    pub parts: Vec<Part>,
    /// As [`Split::masked`], for this unit alone.
    pub masked: Option<String>,
    /// The tool may pass it over.
    pub conditional: bool,
}

impl Unit {
    /// Parts that are called as the entry is.
    pub fn new(direction: Direction, parts: Vec<Part>) -> Unit {
        Unit { name: None, direction, parts, masked: None, conditional: false }
    }
}

/// What becomes one [`Section`](super::Section).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub range: Range<usize>,
    pub transaction: TransactionMode,
}

impl Split {
    /// The whole file, in the direction that its name says.
    pub fn whole(input: &Input<'_>, transaction: TransactionMode) -> Split {
        let direction = input.entry.direction.unwrap_or(Direction::Up);
        Split::default().with(direction, vec![Part { range: 0..input.text.len(), transaction }])
    }

    /// The parts below marks that begin a line each: up to the next mark, in the direction and way that a mark says.
    pub fn by_marks(text: &str, mark: impl Fn(&str) -> Option<(Direction, TransactionMode)>) -> Split {
        let (mut up, mut down): (Vec<Part>, Vec<Part>) = (Vec::new(), Vec::new());
        let mut open: Option<Direction> = None;
        for line in lines(text) {
            let found = mark(line.text);
            open = found.map(|(direction, _)| direction).or(open);
            let parts = match open {
                Some(Direction::Up) => &mut up,
                Some(Direction::Down) => &mut down,
                None => continue,
            };
            match (found, parts.last_mut()) {
                (Some((_, transaction)), _) => parts.push(Part { range: line.next..line.next, transaction }),
                (None, Some(part)) => part.range.end = line.next,
                (None, None) => {}
            }
        }
        let directions = [(Direction::Up, up), (Direction::Down, down)];
        let there = directions.into_iter().filter(|(_, parts)| !parts.is_empty());
        there.fold(Split::default(), |split, (direction, parts)| split.with(direction, parts))
    }

    /// How many parts go in a direction.
    pub fn parts(&self, direction: Direction) -> usize {
        self.units.iter().filter(|unit| unit.direction == direction).map(|unit| unit.parts.len()).sum()
    }

    pub fn with(mut self, direction: Direction, parts: Vec<Part>) -> Split {
        self.units.push(Unit::new(direction, parts));
        self
    }
}

/// Statements sent as one batch of the extended protocol, with one Sync behind them all.
///
/// A statement that may not run in a transaction block is accepted as the first one and takes effect by itself; behind another one
/// it fails, alone or not (`PreventInTransactionBlock` in xact.c: "cannot be executed within a pipeline").
pub(super) fn batch(text: &str, range: Range<usize>) -> Vec<Part> {
    let statements = pieces(text, range.clone());
    match statements.as_slice() {
        [first, second, ..] if first.runs_alone() => vec![
            Part { range: range.start..second.range.start, transaction: TransactionMode::None },
            Part { range: second.range.start..range.end, transaction: TransactionMode::Wrapped },
        ],
        _ => vec![Part { range, transaction: TransactionMode::OneString }],
    }
}

impl Order {
    /// By the number that each name begins with; says so where two files have one.
    pub fn by_number(tool: &str, entries: impl Iterator<Item = Entry>) -> Order {
        let mut order = Order { entries: entries.collect(), ..Order::default() };
        order.entries.sort_by(|a, b| number(leading_digits(&a.name), leading_digits(&b.name)));
        order.note_duplicates(tool, |entry| leading_digits(&entry.name).trim_start_matches('0').to_owned());
        order
    }

    /// Says so where two files of one direction have one version; `version` gives a key to compare.
    pub fn note_duplicates(&mut self, tool: &str, version: impl Fn(&Entry) -> String) {
        let mut versions: HashMap<(bool, String), &Path> = HashMap::new();
        for entry in &self.entries {
            let key = (entry.direction == Some(Direction::Down), version(entry));
            match versions.entry(key) {
                Slot::Vacant(slot) => {
                    slot.insert(&entry.file.path);
                }
                Slot::Occupied(twin) => {
                    let message = format!("{tool} takes this for the same version as {}", twin.get().display());
                    self.notes.push((entry.file.path.clone(), message));
                }
            }
        }
    }

    /// Says so for every SQL file of the folder itself that is not in the order.
    pub fn note_ignored<'a>(&mut self, tool: &str, why: &str, files: impl Iterator<Item = &'a File>) {
        let run: HashSet<&Path> = self.entries.iter().map(|entry| entry.file.path.as_path()).collect();
        for file in files.filter(|file| !run.contains(file.path.as_path())) {
            self.notes.push((file.path.clone(), format!("{tool} does not run this file: {why}")));
            self.not_run.push(file.path.clone());
        }
    }
}
