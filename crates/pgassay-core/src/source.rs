//! Source files and places in them.
//!
//! A [`Span`] is a range of bytes in one file; lines and columns (1-based, columns counted in characters) are worked out
//! only when something is shown.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

/// One input text: a file, or standard input.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name shown to the user: the path as given, or `<stdin>`.
    pub name: String,
    /// The text without a byte order mark; line ends are kept as they are.
    pub text: Arc<str>,
    /// The text as it was written; `text` itself where nothing was replaced.
    original: Arc<str>,
    /// What differs between the two, in order.
    replaced: Vec<Replaced>,
    /// Byte offset of the start of every line of `original`.
    line_starts: Vec<u32>,
    /// Of a text that was recorded while another file ran: the line there that what starts at an offset comes from.
    lines_elsewhere: Vec<(u32, u32)>,
    /// The characters of `original` in front of each of its blocks; counted when a place on a long line is first asked for.
    blocks: OnceLock<Vec<u32>>,
}

/// Bytes of a text whose characters are counted once.
const BLOCK: usize = 256;

/// A part of a text to replace: a placeholder and its value. Offsets are those of the text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    pub start: u32,
    pub end: u32,
    pub value: String,
}

/// A value in [`SourceFile::text`], and the placeholder that it stands for.
#[derive(Debug, Clone, Copy)]
struct Replaced {
    start: u32,
    end: u32,
    original_start: u32,
    original_end: u32,
}

/// A file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in a file; `end` is the first byte after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span that covers both; they are of the same file.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A place as a reader counts: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// The characters that start in some bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

impl SourceFile {
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceFile {
        let text: Arc<str> = text.into();
        let starts = text.match_indices('\n').map(|(at, _)| at as u32 + 1);
        let mut line_starts: Vec<u32> = std::iter::once(0).chain(starts).collect();
        line_starts.shrink_to_fit();
        let (original, replaced, lines_elsewhere) = (text.clone(), Vec::new(), Vec::new());
        SourceFile {
            name: name.into(),
            line_starts,
            original,
            replaced,
            text,
            lines_elsewhere,
            blocks: OnceLock::new(),
        }
    }

    /// A text that was recorded while the file of that name ran. `lines` says, in order, which line of that file what starts at an offset
    /// of the text comes from: that is its place.
    pub fn recorded(name: impl Into<String>, text: impl Into<Arc<str>>, lines: Vec<(u32, u32)>) -> SourceFile {
        SourceFile { lines_elsewhere: lines, ..SourceFile::new(name, text) }
    }

    /// A file with placeholders replaced: `text` holds the values, places are those of the file as it was written.
    /// The substitutions are in order and do not overlap.
    pub fn substituted(
        name: impl Into<String>,
        original: impl Into<Arc<str>>,
        substitutions: &[Substitution],
    ) -> SourceFile {
        let mut file = SourceFile::new(name, original);
        if substitutions.is_empty() {
            return file;
        }
        let mut text = String::with_capacity(file.original.len());
        let mut copied = 0;
        for substitution in substitutions {
            text.push_str(file.original.get(copied..substitution.start as usize).unwrap_or_default());
            let start = text.len() as u32;
            text.push_str(&substitution.value);
            file.replaced.push(Replaced {
                start,
                end: text.len() as u32,
                original_start: substitution.start,
                original_end: substitution.end,
            });
            copied = substitution.end as usize;
        }
        text.push_str(file.original.get(copied..).unwrap_or_default());
        file.text = text.into();
        file
    }

    /// The text as it was written, before placeholders were replaced.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The bytes of [`SourceFile::original`] that a span of `text` stands for. A placeholder is not cut: a part of its value
    /// stands for all of it.
    pub fn original_range(&self, span: Span) -> std::ops::Range<usize> {
        let start = self.original_offset(span.start);
        let inside = self.replaced.iter().find(|part| part.start < span.end && span.end <= part.end);
        let end = inside.map_or_else(|| self.original_offset(span.end), |part| part.original_end);
        start as usize..end as usize
    }

    /// Where an offset of `text` is in the text as it was written; inside of a value, where its placeholder starts.
    fn original_offset(&self, offset: u32) -> u32 {
        match self.replaced.iter().rev().find(|part| part.start <= offset) {
            None => offset,
            Some(part) if offset < part.end => part.original_start,
            Some(part) => part.original_end + (offset - part.end),
        }
    }

    /// The line and column of a byte offset. An offset inside a character counts as its start.
    pub fn position(&self, offset: u32) -> Position {
        self.original_position(self.original_offset(offset))
    }

    fn original_position(&self, offset: u32) -> Position {
        if !self.lines_elsewhere.is_empty() {
            let after = self.lines_elsewhere.partition_point(|(start, _)| *start <= offset);
            return Position { line: self.lines_elsewhere[after.saturating_sub(1)].1, column: 1 };
        }
        let offset = (offset as usize).min(self.original.len());
        let line = self.line_starts.partition_point(|start| *start as usize <= offset) - 1;
        let start = self.line_starts[line] as usize;
        let column = if offset - start <= BLOCK {
            characters(self.original.as_bytes().get(start..offset).unwrap_or_default())
        } else {
            self.characters_before(offset) - self.characters_before(start)
        };
        Position { line: line as u32 + 1, column: column as u32 + 1 }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let bytes = self.original.as_bytes();
        let blocks = self.blocks.get_or_init(|| {
            let mut before = 0;
            let mut counted = vec![0];
            for block in bytes.chunks(BLOCK) {
                before += characters(block) as u32;
                counted.push(before);
            }
            counted
        });
        let block = offset / BLOCK;
        let rest = bytes.get(block * BLOCK..offset).unwrap_or_default();
        blocks.get(block).map_or(0, |before| *before as usize) + characters(rest)
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The file with asterisks in the place of some parts; every place stays where it is. A placeholder keeps its name, its value does not
    /// show.
    fn without(&self, parts: &[Span]) -> SourceFile {
        let stars = |text: &str, ranges: &mut dyn Iterator<Item = std::ops::Range<usize>>| -> Arc<str> {
            let mut bytes = text.as_bytes().to_vec();
            for range in ranges {
                bytes.get_mut(range).unwrap_or_default().fill(b'*');
            }
            String::from_utf8(bytes).unwrap_or_default().into()
        };
        let text = stars(&self.text, &mut parts.iter().map(|part| part.range()));
        let original = match self.replaced.is_empty() {
            true => text.clone(),
            false => {
                let written = parts.iter().filter(|part| !self.is_placeholder(**part));
                stars(&self.original, &mut written.map(|part| self.original_range(*part)))
            }
        };
        SourceFile { text, original, blocks: OnceLock::new(), ..self.clone() }
    }

    /// Whether the text is not the one that was written.
    pub fn is_substituted(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// Whether a part of the text is the value of a placeholder, or has one in it.
    pub fn is_placeholder(&self, span: Span) -> bool {
        self.replaced.iter().any(|part| part.start < span.end && span.start < part.end)
    }
}

/// A value and the line of the file that gives it, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    pub value: T,
    pub line: u32,
}

/// All files of a run.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// The number of a file whose text is yet to come; empty until [`Sources::fill`].
    pub fn reserve(&mut self) -> FileId {
        self.add(SourceFile::new("", ""))
    }

    /// Gives the file of a reserved number.
    pub fn fill(&mut self, reserved: FileId, file: SourceFile) {
        self.files[reserved.0 as usize] = file;
    }

    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index as u32), file))
    }

    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).slice(span)
    }

    /// Puts asterisks in the place of what `find` finds in each file, given with the span of all its text.
    pub fn hide(&mut self, find: impl Fn(&SourceFile, Span) -> Vec<Span> + Sync) {
        self.files.par_iter_mut().enumerate().for_each(|(index, file)| {
            let parts = find(file, Span::new(FileId(index as u32), 0, file.text.len()));
            if !parts.is_empty() {
                *file = file.without(&parts);
            }
        });
    }

    /// First character and first character after the span.
    pub fn positions(&self, span: Span) -> (Position, Position) {
        let file = self.file(span.file);
        let range = file.original_range(span);
        (file.original_position(range.start as u32), file.original_position(range.end as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_long_line_count_characters() {
        let text = format!("-- first\n{}x", "é, ö; 注 ".repeat(300));
        let file = SourceFile::new("a.sql", text.as_str());
        for (at, _) in text.char_indices() {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let column = text[line..at].chars().count() as u32 + 1;
            assert_eq!(file.position(at as u32).column, column, "{at}");
        }
    }

    #[test]
    fn places_are_those_of_the_text_as_it_was_written() {
        let original = "alter table ${s}.orders\n  add n int;";
        let substitution = Substitution { start: 12, end: 16, value: "shop".repeat(3) };
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::substituted("a.sql", original, &[substitution]));
        let text = sources.file(file).text.clone();
        assert_eq!(&*text, "alter table shopshopshop.orders\n  add n int;");

        let place = |part: &str| {
            let start = text.find(part).unwrap();
            let (from, to) = sources.positions(Span::new(file, start, start + part.len()));
            (from.line, from.column, to.line, to.column)
        };
        assert_eq!(place("orders"), (1, 18, 1, 24));
        assert_eq!(place("shopshopshop"), (1, 13, 1, 17));
        assert_eq!(place("opsh"), (1, 13, 1, 17));
        assert_eq!(place("add"), (2, 3, 2, 6));
    }
}
