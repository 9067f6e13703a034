//! What stands among migrations and is not read, and the ledger of it for the report.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::code::{CodeTool, Language};
use super::code_command::{command, command_or_yours};
use super::folder::{Folder, is_sql, other_ending};
use super::{Collected, Direction, Framework, Migration};
use crate::migration::{Coverage, NotRead, ReadHistory};

/// A file that stands among migrations and is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub path: PathBuf,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A migration in another language than SQL.
    Code(Language, Option<&'static CodeTool>),
    /// For another server.
    OtherServer(String),
    /// A way back, as its name or a mark in it says.
    Down,
    /// What the tool runs, in a form that is not read.
    Unread(Framework, String),
    /// SQL that the folder's tool does not run.
    NotRun(Framework),
    /// There is one for PostgreSQL alone.
    GivesWay,
    /// Git is told to ignore it.
    Ignored,
    /// Rows to try things with, and tests.
    Trial,
    /// Put away, as its folder's name says.
    PutAway,
    /// SQL by another ending than that of the files beside it.
    Ending(String),
}

/// What stands beside the migrations of a folder and no tool was shown: files that git ignores, and SQL under another ending.
pub(super) fn beside(folder: &Folder) -> Vec<LeftOut> {
    let other = folder.files.iter().filter(|file| !file.is_sql()).filter_map(|file| {
        let ending = other_ending(&file.path)?;
        Some(LeftOut { path: file.path.clone(), why: Why::Ending(ending.to_owned()) })
    });
    let mut left: Vec<LeftOut> = other.collect();
    let known: HashSet<&Path> = folder.files.iter().map(|file| file.path.as_path()).collect();
    let folders: BTreeSet<&Path> =
        folder.files.iter().filter(|file| file.is_sql()).filter_map(|file| file.path.parent()).collect();
    for entry in folders.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
        let path = entry.path();
        if (is_sql(&path) || other_ending(&path).is_some()) && !known.contains(path.as_path()) && path.is_file() {
            left.push(LeftOut { path, why: Why::Ignored });
        }
    }
    left.sort_by(|a, b| a.path.cmp(&b.path));
    left
}

/// How many files of a kind are named.
const EXAMPLES: usize = 3;

/// What was read of all that was found.
pub fn coverage(collected: &Collected, migrations: &[Migration]) -> Coverage {
    Coverage { read: histories(collected, migrations), not_read: not_read(&collected.left_out), ..Coverage::default() }
}

fn histories(collected: &Collected, migrations: &[Migration]) -> Vec<ReadHistory> {
    let mut by_history: BTreeMap<(PathBuf, &'static str), (usize, usize)> = BTreeMap::new();
    for migration in migrations.iter().filter(|migration| migration.direction == Direction::Up) {
        // The history of numbered folders is one, whatever each of them looks like.
        let own = migration.folder.clone().unwrap_or_else(|| migration.path.clone());
        let tool = collected
            .frameworks
            .iter()
            .find(|found| found.folder == own)
            .map_or(migration.framework.name(), |found| found.framework.name());
        let count = by_history.entry((own, tool)).or_default();
        if migration.is_judged() { count.0 += 1 } else { count.1 += 1 }
    }
    let history = |((folder, tool), (judged, only_read)): ((PathBuf, &'static str), (usize, usize))| ReadHistory {
        tool: if tool == "plain" { "plain SQL" } else { tool },
        folder: folder.display().to_string(),
        judged,
        only_read,
    };
    by_history.into_iter().map(history).collect()
}

pub(super) fn not_read(left_out: &[LeftOut]) -> Vec<NotRead> {
    let mut kinds: Vec<(&Why, Vec<&Path>)> = Vec::new();
    for left in left_out {
        match kinds.iter_mut().find(|(why, _)| **why == left.why) {
            Some((_, paths)) => paths.push(&left.path),
            None => kinds.push((&left.why, vec![&left.path])),
        }
    }
    kinds.into_iter().map(|(why, paths)| why.not_read(&paths)).collect()
}

impl Why {
    fn not_read(&self, paths: &[&Path]) -> NotRead {
        let files = paths.len();
        let (one, many) = match files {
            1 => ("", "is"),
            _ => ("s", "are"),
        };
        let (reason, what) = match self {
            Why::Code(language, tool) => {
                let tool = tool.map(|tool| format!(" ({})", tool.name)).unwrap_or_default();
                ("code", format!("{files} {} migration{one}{tool} {many} not read", language.name))
            }
            Why::OtherServer(server) => ("other-server", format!("{files} file{one} for {server} {many} left out")),
            Why::Down => ("down", format!("{files} down migration{one} {many} left out (read with --down)")),
            Why::Unread(framework, what) => ("code", format!("{framework}: {what} and not read")),
            Why::NotRun(framework) => ("not-run", format!("{framework} does not run {files} SQL file{one}")),
            Why::GivesWay => {
                ("superseded", format!("{files} file{one} {many} left out: one for PostgreSQL takes its place"))
            }
            Why::Trial => ("trial", format!("{files} file{one} of seeds, fixtures or tests {many} left out")),
            Why::PutAway => ("put-away", format!("{files} archived file{one} {many} left out")),
            Why::Ignored => ("ignored", format!("{files} SQL file{one} that git ignores {many} not read")),
            Why::Ending(ending) => ("ending", format!("{files} .{ending} file{one} beside .sql files {many} not read")),
        };
        let advice = match self {
            Why::Code(language, tool) => {
                let folder = paths[0].parent().unwrap_or(Path::new(""));
                let command = command_or_yours(tool.map(|tool| command(folder, *language, tool)));
                Some(format!("judge what they send: pgassay check --run \"{command}\""))
            }
            Why::Unread(Framework::Liquibase, _) => {
                Some("judge what they send: pgassay check --run \"liquibase update\", or --from-command \"liquibase update-sql\"".to_owned())
            }
            Why::PutAway => Some("if they build what exists, give their folder with --base".to_owned()),
            _ => None,
        };
        let examples = paths.iter().take(EXAMPLES).map(|path| path.display().to_string()).collect();
        NotRead {
            reason,
            what,
            files,
            examples,
            advice,
            is_gap: matches!(self, Why::Code(..) | Why::NotRun(_) | Why::Unread(..) | Why::Ignored | Why::Ending(_)),
        }
    }
}
