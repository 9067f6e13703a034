//! Liquibase formatted SQL: `--liquibase formatted sql` and changesets.
//!
//! Recognised by that first line. A changelog in YAML, XML or JSON beside the files gives the order, as far as it includes files by
//! name or by folder; otherwise the paths do. Each changeset is one migration: statements are sent one at a time, in a transaction
//! unless it says `runInTransaction:false`. Markers are found line by line, inside of literals too, as Liquibase does.

use std::ops::Range;
use std::path::PathBuf;

use super::changelog;
use super::folder::{File, Folder};
use super::line::{Line, lines, strip_prefix_ignoring_case};
use super::tools::{Entry, Input, Order, Part, Split, Tool, Unit, batch};
use super::variables::{Style, Variables};
use super::{Direction, Framework, TransactionMode};

pub(super) struct Liquibase;

/// How deep changelogs may include each other.
const DEPTH: usize = 8;

/// What stands behind `--` and a word, at the start of a line.
fn marker<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix("--")?.trim_start();
    strip_prefix_ignoring_case(rest, word)
}

fn is_formatted(file: &File) -> bool {
    let first = lines(file.text()).find(|line| !line.text.trim().is_empty());
    first.is_some_and(|line| {
        let rest = marker(line.text, "liquibase").map(str::trim_start);
        rest.is_some_and(|rest| strip_prefix_ignoring_case(rest, "formatted").is_some())
    })
}

impl Tool for Liquibase {
    fn framework(&self) -> Framework {
        Framework::Liquibase
    }

    fn detect(&self, folder: &Folder) -> bool {
        let has_list = folder.own().any(File::is_changelog);
        let is_list = |file: &File| {
            changelog::read(file).is_some_and(|found| !found.includes.is_empty() || !found.changesets.is_empty())
        };
        folder.files.iter().any(|file| file.is_sql() && (file.depth() == 1 || has_list) && is_formatted(file))
            || folder.own().any(|file| file.is_changelog() && is_list(file))
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        let formatted = || folder.files.iter().filter(|file| file.is_sql() && is_formatted(file));
        let files: Vec<&File> = match root_changelog(folder) {
            Some(root) => included(folder, root, DEPTH),
            None => formatted().collect(),
        };
        let mut files: Vec<&File> = if files.is_empty() { formatted().collect() } else { files };
        if root_changelog(folder).is_none() {
            files.sort_by(|a, b| a.relative.cmp(&b.relative));
        }
        for file in files {
            order.entries.push(Entry { name: file.stem().to_owned(), file: file.clone(), direction: None });
        }
        order.note_ignored("liquibase", "no changelog that could be followed includes it", formatted());
        for (path, count) in not_in_files(folder) {
            let plural = if count == 1 { "changeset is" } else { "changesets are" };
            order.unread.push((path, format!("{count} {plural} not SQL files")));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        if !is_formatted(&input.entry.file) {
            return Split::whole(input, TransactionMode::WrappedByDriver);
        }
        let mut reader = Reader::default();
        for line in lines(input.text) {
            reader.read(line);
        }
        reader.close(input.text.len());
        reader.split(input.text)
    }

    fn placeholders(&self, _file: &File) -> Style {
        Style::Braces
    }

    /// `--property name:… value:…` lines.
    fn settings(&self, _folder: &Folder, file: &File) -> Variables {
        let properties = lines(file.text()).filter_map(|line| {
            let rest = marker(line.text, "property")?;
            Some((option(rest, "name")?.to_owned(), option(rest, "value")?.to_owned()))
        });
        properties.collect()
    }
}

/// `name:value` among a marker's options; the value may be quoted.
fn option<'a>(options: &'a str, name: &str) -> Option<&'a str> {
    let mut starts = options.rmatch_indices(':').filter_map(|(colon, _)| {
        let start = colon.checked_sub(name.len())?;
        let is_name = options.get(start..colon)?.eq_ignore_ascii_case(name);
        let is_whole = options[..start].chars().next_back().is_none_or(char::is_whitespace);
        (is_name && is_whole).then(|| options[colon + 1..].trim_start_matches(' '))
    });
    let value = starts.next()?;
    match value.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((quoted, _)) => Some(quoted),
        None => value.split_whitespace().next(),
    }
}

fn is_off(options: &str, name: &str) -> bool {
    option(options, name).is_some_and(|value| value.eq_ignore_ascii_case("false"))
}

/// The changelog that includes the others: one that is called so, or the only one.
fn root_changelog(folder: &Folder) -> Option<&File> {
    let lists: Vec<&File> = folder.own().filter(|file| file.is_changelog()).collect();
    let is_root = |file: &&&File| ["master", "root", "main"].iter().any(|word| file.name().contains(word));
    let named = lists.iter().find(is_root);
    named.or_else(|| lists.first().filter(|_| lists.len() == 1)).copied()
}

/// The SQL files that a changelog includes, in order. A changelog that is no list of includes gives none.
fn included<'a>(folder: &'a Folder, changelog: &File, depth: usize) -> Vec<&'a File> {
    let mut files = Vec::new();
    let Some(found) = changelog::read(changelog) else { return files };
    for path in &found.includes {
        let path = path.as_str();
        let found = resolve(folder, changelog, path);
        let all = folder.files.iter().filter(|file| {
            let below = changelog.relative.with_file_name(path.trim_end_matches('/'));
            file.is_sql() && (file.relative.starts_with(&below) || ends_with_folder(file, path))
        });
        match found {
            Some(file) if file.is_sql() => files.push(file),
            Some(file) if depth > 0 && file.is_changelog() => files.extend(included(folder, file, depth - 1)),
            Some(_) => {}
            None => {
                let mut below: Vec<&File> = all.collect();
                below.sort_by(|a, b| a.relative.cmp(&b.relative));
                files.extend(below);
            }
        }
    }
    files
}

/// A path in a changelog counts from the changelog, or from a root that is not known here.
fn resolve<'a>(folder: &'a Folder, changelog: &File, path: &str) -> Option<&'a File> {
    let beside = changelog.relative.with_file_name(path);
    let path = path.trim_start_matches("classpath:").trim_start_matches("./");
    let same_end = |file: &&File| file.path.ends_with(path);
    folder.file(beside).or_else(|| folder.files.iter().find(same_end))
}

fn ends_with_folder(file: &File, path: &str) -> bool {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    !path.is_empty() && file.path.ancestors().skip(1).any(|above| above.ends_with(path))
}

/// Changelogs that are followed from one on, itself among them.
fn followed<'a>(folder: &'a Folder, changelog: &'a File, depth: usize) -> Vec<&'a File> {
    let mut files = vec![changelog];
    let includes = changelog::read(changelog).map(|found| found.includes).unwrap_or_default();
    for path in &includes {
        let below = changelog.relative.with_file_name(path.trim_end_matches('/'));
        let is_list = |file: &&File| {
            file.is_changelog() || ["xml", "yaml", "yml", "json"].iter().any(|it| file.has_extension(it))
        };
        let found = match resolve(folder, changelog, path) {
            Some(file) => vec![file],
            None => folder.files.iter().filter(|file| file.relative.starts_with(&below)).collect(),
        };
        for file in found.into_iter().filter(is_list).filter(|file| depth > 0 && file.path != changelog.path) {
            files.extend(followed(folder, file, depth - 1));
        }
    }
    files
}

/// What a project's changelogs do without SQL files.
fn not_in_files(folder: &Folder) -> Vec<(PathBuf, usize)> {
    let Some(root) = root_changelog(folder) else { return Vec::new() };
    let count = |file: &&File| {
        changelog::read(file).map_or(0, |found| found.changesets.iter().filter(|it| !it.is_in_files()).count())
    };
    let all = followed(folder, root, DEPTH);
    all.iter().map(|file| (file.path.clone(), count(file))).filter(|(_, count)| *count > 0).collect()
}

/// One changeset while it is read.
struct Changeset {
    name: String,
    options: String,
    range: Range<usize>,
    /// What goes back, without its markers.
    rollback: Vec<Range<usize>>,
}

#[derive(Default)]
struct Reader {
    changesets: Vec<Changeset>,
    /// Lines that Liquibase is told to leave out.
    ignored: Vec<Range<usize>>,
    /// How many more lines are left out; all until the end marker where it is the largest number.
    ignoring: usize,
    in_rollback: bool,
}

impl Reader {
    fn read(&mut self, line: Line<'_>) {
        if self.ignoring > 0 {
            let ends = marker(line.text, "ignoreLines:").is_some_and(|rest| rest.trim() == "end");
            self.ignoring =
                if ends { 0 } else { self.ignoring.saturating_sub(usize::from(self.ignoring != usize::MAX)) };
            return self.ignored.push(line.range());
        }
        if let Some(rest) = marker(line.text, "ignoreLines:") {
            let count = rest.trim();
            self.ignoring = if count == "start" { usize::MAX } else { count.parse().unwrap_or_default() };
        } else if let Some(rest) = marker(line.text, "changeset").filter(|rest| rest.starts_with([' ', '\t'])) {
            self.close(line.start);
            self.open(rest.trim(), line);
        } else if let Some(changeset) = self.changesets.last_mut() {
            read_rollback(changeset, &mut self.in_rollback, line);
        }
    }

    /// `author:id options`; both may be quoted.
    fn open(&mut self, rest: &str, line: Line<'_>) {
        let (author, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let rest = rest.trim_start();
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (id, options) = quoted.or_else(|| rest.split_once(char::is_whitespace)).unwrap_or((rest, ""));
        self.changesets.push(Changeset {
            name: format!("{}:{id}", author.trim().trim_matches('"')),
            options: options.to_owned(),
            range: line.next..line.next,
            rollback: Vec::new(),
        });
        self.in_rollback = false;
    }

    fn close(&mut self, end: usize) {
        if let Some(last) = self.changesets.last_mut() {
            last.range.end = end;
        }
    }

    fn split(self, text: &str) -> Split {
        let mut split = Split::default();
        let mut masked = text.to_owned();
        for range in &self.ignored {
            mask(&mut masked, range.clone());
        }
        for changeset in &self.changesets {
            if let Some(why) = skipped(&changeset.options) {
                split
                    .notes
                    .push((changeset.range.clone(), format!("liquibase does not run {}: {why}", changeset.name)));
                continue;
            }
            let parts = parts(changeset, &mut masked);
            let name = Some(changeset.name.clone());
            split.units.push(Unit { name: name.clone(), direction: Direction::Up, parts, masked: None });
            if !changeset.rollback.is_empty() {
                split.units.push(Unit { name, ..rollback(changeset, text) });
            }
        }
        split.masked = (masked != text).then_some(masked);
        split
    }
}

/// `--rollback SQL`, or a block comment that starts with `liquibase rollback`.
fn read_rollback(changeset: &mut Changeset, in_rollback: &mut bool, line: Line<'_>) {
    let code = line.text.trim();
    if *in_rollback {
        *in_rollback = !code.ends_with("*/");
        let end = line.start + line.text.trim_end().trim_end_matches("*/").len();
        return changeset.rollback.push(line.start..end);
    }
    let block =
        code.strip_prefix("/*").map(str::trim_start).and_then(|rest| strip_prefix_ignoring_case(rest, "liquibase"));
    if block.is_some_and(|rest| rest.trim().eq_ignore_ascii_case("rollback")) {
        *in_rollback = true;
    } else if let Some(sql) = marker(line.text, "rollback ").map(str::trim) {
        let is_word = ["not required", "empty"].iter().any(|word| sql.eq_ignore_ascii_case(word));
        if !is_word && strip_prefix_ignoring_case(sql, "changesetid:").is_none() {
            let end = line.start + line.text.trim_end().len();
            changeset.rollback.push(end - sql.len()..end);
        }
    }
}

/// Why a changeset does not run on PostgreSQL.
fn skipped(options: &str) -> Option<&'static str> {
    let databases = option(options, "dbms").unwrap_or_default();
    let mut names = databases.split(',').map(str::trim).filter(|name| !name.is_empty()).peekable();
    let is_listed = names.peek().is_none()
        || names.clone().any(|name| matches!(name, "postgresql" | "all"))
        || names.clone().all(|name| name.starts_with('!')) && !names.clone().any(|name| name == "!postgresql");
    match option(options, "ignore") {
        Some(value) if value.eq_ignore_ascii_case("true") => Some("it is ignored"),
        _ if !is_listed => Some("its dbms is another"),
        _ => None,
    }
}

/// A changeset's statements; an end delimiter of its own becomes a semicolon in the masked text.
fn parts(changeset: &Changeset, masked: &mut String) -> Vec<Part> {
    let options = &changeset.options;
    let (range, delimiter) = (changeset.range.clone(), option(options, "endDelimiter").unwrap_or(";"));
    let delimiter = delimiter.trim_start_matches("\\n").trim_start_matches("\\s*");
    let in_transaction = !is_off(options, "runInTransaction");
    let cuts =
        if delimiter == ";" || delimiter.is_empty() { Vec::new() } else { cut(masked, range.clone(), delimiter) };
    let as_one = is_off(options, "splitStatements");
    match (in_transaction, as_one) {
        (true, true) => return vec![Part { range, transaction: TransactionMode::WrappedString }],
        (true, false) => return vec![Part { range, transaction: TransactionMode::WrappedByDriver }],
        (false, true) => return batch(masked, range),
        (false, false) => {}
    }
    if cuts.is_empty() {
        return vec![Part { range, transaction: TransactionMode::None }];
    }
    let starts = std::iter::once(range.start).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([range.end]);
    starts
        .zip(ends)
        .flat_map(|(start, end)| batch(masked, start..end))
        .filter(|part| !masked[part.range.clone()].trim().is_empty())
        .collect()
}

/// Replaces delimiters by semicolons and returns where each ends.
fn cut(masked: &mut String, range: Range<usize>, delimiter: &str) -> Vec<usize> {
    let found: Vec<usize> = masked[range.clone()].match_indices(delimiter).map(|(at, _)| range.start + at).collect();
    for at in &found {
        let is_closed = masked[range.start..*at].trim_end().ends_with(';');
        mask(masked, *at..at + delimiter.len());
        if !is_closed {
            masked.replace_range(*at..at + 1, ";");
        }
    }
    found.into_iter().map(|at| at + delimiter.len()).collect()
}

/// Blanks a range out, byte by byte, so that every place stays where it is.
fn mask(text: &mut String, range: Range<usize>) {
    let blank: String = text[range.clone()]
        .bytes()
        .map(|byte| if byte == b'\n' || byte == b'\r' { char::from(byte) } else { ' ' })
        .collect();
    text.replace_range(range, &blank);
}

/// A changeset's way back: the text with everything but the rollback blanked out.
fn rollback(changeset: &Changeset, text: &str) -> Unit {
    let mut masked = text.to_owned();
    mask(&mut masked, 0..text.len());
    for range in &changeset.rollback {
        masked.replace_range(range.clone(), &text[range.clone()]);
    }
    let first = changeset.rollback.first().map_or(0, |range| range.start);
    let last = changeset.rollback.last().map_or(first, |range| range.end);
    let transaction = if is_off(&changeset.options, "runInTransaction") {
        TransactionMode::None
    } else {
        TransactionMode::WrappedByDriver
    };
    let parts = vec![Part { range: first..last, transaction }];
    Unit { name: None, direction: Direction::Down, parts, masked: Some(masked) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_whole_names() {
        assert_eq!(option("rollbackEndDelimiter:/ endDelimiter:// x:1", "endDelimiter"), Some("//"));
        assert_eq!(option("context:\"a b\" dbms:mysql", "context"), Some("a b"));
    }
}
