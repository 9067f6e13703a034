//! Liquibase formatted SQL: `--liquibase formatted sql` and changesets.
//!
//! Each changeset is one migration: statements are sent one at a time, in a transaction unless it says `runInTransaction:false`. Markers
//! are found line by line, inside of literals too, as Liquibase does.

use std::ops::Range;

use super::change::Cutting;
use super::choice::{Choice, is_for_postgresql};
use crate::collect::folder::File;
use crate::collect::line::{Line, lines, strip_prefix_ignoring_case};
use crate::collect::tools::{Part, Split, Unit, batch};
use crate::collect::variables::Variables;
use crate::collect::{Direction, TransactionMode};

/// What stands behind `--` and a word, at the start of a line.
fn marker<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix("--")?.trim_start();
    strip_prefix_ignoring_case(rest, word)
}

pub(super) fn is_formatted(file: &File) -> bool {
    let first = lines(file.text()).find(|line| !line.text.trim().is_empty());
    first.is_some_and(|line| {
        let rest = marker(line.text, "liquibase").map(str::trim_start);
        rest.is_some_and(|rest| strip_prefix_ignoring_case(rest, "formatted").is_some())
    })
}

/// A file in its changesets.
pub(super) fn split(text: &str, choice: &Choice) -> Split {
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.read(line);
    }
    reader.close(text.len());
    reader.split(text, choice)
}

/// `--property name:… value:…` lines.
pub(super) fn properties(text: &str) -> Variables {
    let properties = lines(text).filter_map(|line| {
        let rest = marker(line.text, "property")?;
        Some((option(rest, "name")?.to_owned(), option(rest, "value")?.to_owned()))
    });
    properties.collect()
}

/// The contexts that changesets of a file have.
pub(super) fn contexts(text: &str) -> impl Iterator<Item = &str> {
    let options = lines(text).filter_map(|line| marker(line.text, "changeset"));
    options.map(context).filter(|context| !context.is_empty())
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

/// One changeset while it is read.
struct Changeset {
    name: String,
    options: String,
    range: Range<usize>,
    /// What goes back, without its markers.
    rollback: Vec<Range<usize>>,
    /// Its preconditions may let it pass.
    conditional: bool,
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
            if let Some(options) = marker(line.text, "preconditions ") {
                let passes = |when: &str| option(options, when).is_some_and(|it| !it.eq_ignore_ascii_case("halt"));
                changeset.conditional |= passes("onFail") || passes("onError");
            }
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
            conditional: false,
        });
        self.in_rollback = false;
    }

    fn close(&mut self, end: usize) {
        if let Some(last) = self.changesets.last_mut() {
            last.range.end = end;
        }
    }

    fn split(self, text: &str, choice: &Choice) -> Split {
        let mut split = Split::default();
        let mut masked = text.to_owned();
        for range in &self.ignored {
            mask(&mut masked, range.clone());
        }
        for changeset in &self.changesets {
            if let Some(why) = skipped(&changeset.options, choice) {
                split
                    .notes
                    .push((changeset.range.clone(), format!("liquibase does not run {}: {why}", changeset.name)));
                continue;
            }
            let parts = Manner::of_options(&changeset.options).cut_parts(&mut masked, changeset.range.clone());
            let (name, conditional) = (Some(changeset.name.clone()), changeset.conditional);
            split.units.push(Unit { name: name.clone(), conditional, ..Unit::new(Direction::Up, parts) });
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

/// Why a changeset does not run on PostgreSQL, or in the runs that the project's settings choose.
fn skipped(options: &str, choice: &Choice) -> Option<&'static str> {
    let says = |name: &str| option(options, name).unwrap_or_default();
    if says("ignore").eq_ignore_ascii_case("true") {
        return Some("it is ignored");
    }
    if !is_for_postgresql(says("dbms")) {
        return Some("its dbms is another");
    }
    if !choice.runs_context(context(options)) {
        return Some("its context is not among those that are run");
    }
    (!choice.runs_labels(says("labels"))).then_some("its labels are not among those that are run")
}

fn context(options: &str) -> &str {
    option(options, "contextFilter").or_else(|| option(options, "context")).unwrap_or_default()
}

/// How a changeset's text is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manner {
    pub in_transaction: bool,
    /// As one string.
    pub as_one: bool,
    /// What ends a statement, where it is not a semicolon.
    pub delimiter: Option<String>,
}

/// What ends a statement, where it is not a semicolon. The line that it stands on by itself may be a part of its pattern.
pub(super) fn delimiter(given: Option<&str>) -> Option<&str> {
    let own = given?.trim().trim_start_matches("\\n").trim_start_matches("\\s*").trim_end_matches("\\s*").trim();
    Some(own).filter(|own| !own.is_empty() && *own != ";")
}

impl Manner {
    pub fn of(cutting: &Cutting) -> Manner {
        Manner { in_transaction: true, as_one: cutting.as_one, delimiter: cutting.delimiter.clone() }
    }

    fn of_options(options: &str) -> Manner {
        Manner {
            in_transaction: !is_off(options, "runInTransaction"),
            as_one: is_off(options, "splitStatements"),
            delimiter: option(options, "endDelimiter").map(str::to_owned),
        }
    }

    /// The text with its delimiters as semicolons; a delimiter keeps its length.
    pub fn masked(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        if let Some(delimiter) = delimiter(self.delimiter.as_deref()) {
            cut(&mut masked, 0..text.len(), delimiter);
        }
        masked
    }

    /// The parts of a text whose statements end with semicolons.
    pub fn parts(&self, text: &str, range: Range<usize>) -> Vec<Part> {
        match (self.in_transaction, self.as_one) {
            (true, true) => vec![Part { range, transaction: TransactionMode::WrappedString }],
            (true, false) => vec![Part { range, transaction: TransactionMode::WrappedByDriver }],
            (false, true) => batch(text, range),
            (false, false) => vec![Part { range, transaction: TransactionMode::None }],
        }
    }

    /// A whole file that a changeset names.
    pub fn unit(&self, name: &str, text: &str) -> Unit {
        let mut masked = text.to_owned();
        let parts = self.cut_parts(&mut masked, 0..text.len());
        let masked = (masked != text).then_some(masked);
        Unit { name: Some(name.to_owned()), masked, ..Unit::new(Direction::Up, parts) }
    }

    /// As [`Manner::parts`], of a text whose delimiters are made semicolons.
    fn cut_parts(&self, masked: &mut String, range: Range<usize>) -> Vec<Part> {
        let cuts = match delimiter(self.delimiter.as_deref()) {
            Some(delimiter) => cut(masked, range.clone(), delimiter),
            None => Vec::new(),
        };
        if cuts.is_empty() || self.in_transaction || self.as_one {
            return self.parts(masked, range);
        }
        let starts = std::iter::once(range.start).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([range.end]);
        starts
            .zip(ends)
            .flat_map(|(start, end)| batch(masked, start..end))
            .filter(|part| !masked[part.range.clone()].trim().is_empty())
            .collect()
    }
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
    Unit { masked: Some(masked), ..Unit::new(Direction::Down, parts) }
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
