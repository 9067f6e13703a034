//! Flyway: `V<version>__<description>.sql`, `R__<description>.sql`, `U<version>__…` for undo and `B<version>__…` for a baseline.
//!
//! Recognised by a `V…__….sql`, or by the place `db/migration`. Where the project's settings give versioned migrations another prefix, or
//! none, that counts in place of `V`. Looks into folders below. Versions compare number by number, repeatable
//! migrations come last by description. A migration runs in a transaction unless a statement that Flyway knows to refuse one is in it,
//! or a `.sql.conf` beside it says so.

use std::cmp::Ordering;

use super::flyway_settings::{Settings, properties};
use super::folder::{File, Folder};
use super::order::number;
use super::read::read;
use super::scan::{Piece, pieces};
use super::tools::{Entry, Input, Order, Split, Tool, Translation};
use super::variables::{Style, Variables};
use super::{Direction, Framework, TransactionMode};
use crate::source::{SourceFile, Substitution};

pub(super) struct Flyway;

/// What a file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name<'a> {
    kind: Kind,
    version: &'a str,
    description: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Versioned,
    Undo,
    Repeatable,
    Baseline,
}

/// What a file's name says, in the prefixes and the separator of the project.
fn parse<'a>(file: &'a File, settings: &Settings) -> Option<Name<'a>> {
    let stem = settings.suffixes.iter().find_map(|suffix| file.name().strip_suffix(suffix.as_str()))?;
    let Settings { versioned, undo, repeatable, baseline, separator, .. } = settings;
    let kinds =
        [(undo, Kind::Undo), (repeatable, Kind::Repeatable), (baseline, Kind::Baseline), (versioned, Kind::Versioned)];
    kinds.into_iter().find_map(|(prefix, kind)| {
        let rest = stem.strip_prefix(prefix.as_str())?;
        let (version, description) = rest.split_once(separator.as_str()).unwrap_or((rest, ""));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let valid = match kind {
            Kind::Repeatable => version.is_empty() && rest.contains(separator.as_str()),
            // Without a prefix a number alone is any file.
            Kind::Versioned if prefix.is_empty() => {
                rest.contains(separator.as_str()) && version.split(['.', '_']).all(is_number)
            }
            _ => version.split(['.', '_']).all(is_number),
        };
        valid.then_some(Name { kind, version, description })
    })
}

fn stem<'a>(file: &'a File, settings: &Settings) -> &'a str {
    let stems = settings.suffixes.iter().filter_map(|suffix| file.name().strip_suffix(suffix.as_str()));
    stems.into_iter().next().unwrap_or_else(|| file.stem())
}

/// Part by part; a missing part counts as zero.
fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.split(['.', '_']), right.split(['.', '_']));
    loop {
        let (x, y) = (a.next(), b.next());
        if x.is_none() && y.is_none() {
            return Ordering::Equal;
        }
        let step = number(x.unwrap_or("0"), y.unwrap_or("0"));
        if step != Ordering::Equal {
            return step;
        }
    }
}

impl Tool for Flyway {
    fn framework(&self) -> Framework {
        Framework::Flyway
    }

    fn detect(&self, folder: &Folder) -> bool {
        let settings = Settings::of(folder);
        if !folder.files.iter().any(|file| file.name().contains(&settings.separator)) {
            return false;
        }
        let is_versioned = |file: &File| parse(file, &settings).is_some_and(|name| name.kind == Kind::Versioned);
        let is_default_place = folder.path.ends_with("db/migration");
        folder.files.iter().any(|file| is_versioned(file) && (is_default_place || file.depth() == 1))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let settings = Settings::of(folder);
        let all: Vec<(Name<'_>, &File)> =
            folder.files.iter().filter_map(|file| Some((parse(file, &settings)?, file))).collect();
        let mut chosen: Vec<(Name<'_>, &File)> = Vec::new();
        for (name, file) in &all {
            if name.kind == Kind::Baseline && !stands_for_lost(*name, &all) {
                let message = "is a baseline: the migrations up to its version are read instead".to_owned();
                order.notes.push((file.path.clone(), message));
            } else {
                chosen.push((*name, *file));
            }
        }
        chosen.sort_by(|(a, _), (b, _)| {
            let repeatable = |name: &Name<'_>| name.kind == Kind::Repeatable;
            repeatable(a).cmp(&repeatable(b)).then_with(|| {
                if repeatable(a) { a.description.cmp(b.description) } else { compare_versions(a.version, b.version) }
            })
        });
        for (name, file) in chosen {
            let direction = if name.kind == Kind::Undo { Direction::Down } else { Direction::Up };
            let mut file = file.clone();
            if file.text.is_none() {
                match read(&file.path) {
                    Ok(read) => (file.text, file.byte_order_mark) = (Some(read.text.into()), read.byte_order_mark),
                    Err(error) => order.errors.push(error),
                }
            }
            let name = stem(&file, &settings).to_owned();
            order.entries.push(Entry { name, file, direction: Some(direction), listed: None });
        }
        order.note_duplicates("flyway", |entry| parse(&entry.file, &settings).map(key).unwrap_or_default());
        let others = folder.files.iter().filter(|file| file.is_sql() && parse(file, &settings).is_none());
        let (callbacks, ignored): (Vec<&File>, Vec<&File>) =
            others.partition(|file| is_callback(stem(file, &settings)));
        order.unread.extend(
            callbacks
                .into_iter()
                .map(|file| (file.path.clone(), "a callback is run besides the migrations".to_owned())),
        );
        order.note_ignored("flyway", "its name is not that of a migration", ignored.into_iter());
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let settings = Settings::of(input.folder);
        let statements = pieces(input.text, 0..input.text.len());
        let alone = statements.iter().filter(|piece| refuses_transaction(piece)).count();
        let told = script_setting(input).or((!settings.execute_in_transaction).then_some(false));
        let is_mixed = told.is_none() && alone > 0 && alone < statements.len() && !settings.mixed;
        let wrapped = told.unwrap_or(alone == 0 || is_mixed);
        let transaction = match (wrapped, settings.group) {
            (true, true) => TransactionMode::Shared,
            (true, false) => TransactionMode::WrappedByDriver,
            (false, _) => TransactionMode::None,
        };
        let mut split = Split::whole(input, transaction);
        split.schema = settings.schema.clone();
        if let Some(first) = statements.iter().find(|piece| is_mixed && refuses_transaction(piece)) {
            let start = first.range.end - input.text[first.range.clone()].trim_start().len();
            let message =
                "flyway refuses to mix this with transactional statements in one migration (mixed is false)".to_owned();
            split.notes.push((start..first.range.end, message));
        }
        split
    }

    /// Placeholders between marks of the project's own.
    fn translate(&self, input: &Input<'_>, variables: &Variables) -> Option<Translation> {
        let Settings { placeholder: (prefix, suffix), .. } = Settings::of(input.folder);
        if prefix == "${" {
            return None;
        }
        let mut substitutions = Vec::new();
        let mut from = 0;
        while let Some(at) = input.text.get(from..).and_then(|rest| rest.find(&prefix)).map(|at| from + at) {
            let start = at + prefix.len();
            let Some(length) = input.text.get(start..).and_then(|rest| rest.find(&suffix)) else { break };
            let name = input.text.get(start..start + length).unwrap_or_default().trim();
            let end = start + length + suffix.len();
            let value = variables.get(name).map(str::to_owned);
            from = if value.is_some() { end } else { start };
            substitutions.extend(value.map(|value| Substitution { start: at as u32, end: end as u32, value }));
        }
        let source = SourceFile::substituted("file", input.text, &substitutions);
        let split = self.split(&Input { text: &source.text, ..*input });
        Some(Translation { substitutions, split })
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Braces
    }

    fn settings(&self, folder: &Folder, _file: &File) -> Variables {
        Settings::of(folder).placeholders
    }
}

/// `afterMigrate`, `beforeEachMigrate__grants`: SQL that runs at an event of Flyway's.
fn is_callback(stem: &str) -> bool {
    let event = stem.strip_prefix("before").or_else(|| stem.strip_prefix("after"));
    stem == "createSchema" || event.is_some_and(|event| event.starts_with(|letter: char| letter.is_ascii_uppercase()))
}

/// A baseline counts where the migrations up to it are gone.
fn stands_for_lost(baseline: Name<'_>, all: &[(Name<'_>, &File)]) -> bool {
    let before = |name: &Name<'_>| compare_versions(name.version, baseline.version).is_le();
    !all.iter().any(|(name, _)| name.kind == Kind::Versioned && before(name))
}

/// What two files of one version share.
fn key(name: Name<'_>) -> String {
    match name.kind {
        Kind::Repeatable => format!("R{}", name.description),
        _ => {
            let parts: Vec<&str> = name.version.split(['.', '_']).map(|part| part.trim_start_matches('0')).collect();
            let end = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
            format!("{:?} {}", name.kind, parts[..end].join("."))
        }
    }
}

/// Flyway's own list (PostgreSQLParser.java), which is not PostgreSQL's: REINDEX … CONCURRENTLY is not on it.
fn refuses_transaction(piece: &Piece) -> bool {
    let words: Vec<&str> = piece.words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["CREATE" | "DROP", "DATABASE" | "TABLESPACE" | "SUBSCRIPTION", ..]
            | ["CREATE" | "DROP", "INDEX", "CONCURRENTLY", ..]
            | ["CREATE" | "DROP", "UNIQUE", "INDEX", "CONCURRENTLY", ..]
            | ["REINDEX", "SCHEMA" | "DATABASE" | "SYSTEM", ..]
            | ["REINDEX", "VERBOSE", "SCHEMA" | "DATABASE" | "SYSTEM", ..]
            | ["ALTER", "SYSTEM", ..]
            | ["DISCARD", "ALL", ..]
            | ["VACUUM", ..]
    )
}

/// `executeInTransaction` of the `.sql.conf` beside the script.
fn script_setting(input: &Input<'_>) -> Option<bool> {
    let name = format!("{}.conf", input.entry.file.name());
    let conf = input.folder.file(input.entry.file.relative.with_file_name(name))?;
    properties(conf.text()).find(|(key, _)| *key == "executeInTransaction").map(|(_, value)| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_number_by_number() {
        let mut versions = ["1.10", "2", "1_2", "1.2.1", "001"];
        versions.sort_by(|a, b| compare_versions(a, b));
        assert_eq!(versions, ["001", "1_2", "1.2.1", "1.10", "2"]);
        assert_eq!(compare_versions("1.0", "1"), Ordering::Equal);
    }
}
