//! Places as editors count them: lines from 0, characters in units of UTF-16 or bytes; and files as URIs.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::{Position, Range, TextDocumentContentChangeEvent, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pgassay::source::{FileId, SourceFile, Span};

/// What a character of a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
}

/// A text with its lines.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub fn of(text: &'t str, encoding: Encoding) -> Lines<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts, encoding }
    }

    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = &self.text[self.starts[line]..offset];
        let character = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
        };
        Position { line: line as u32, character: character as u32 }
    }

    /// The byte at a position; a place behind the end of its line is the end of the line, one behind the last line the end.
    pub fn offset(&self, position: Position) -> usize {
        let Some(start) = self.starts.get(position.line as usize).copied() else { return self.text.len() };
        let end = self.starts.get(position.line as usize + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text[start..end].trim_end_matches('\r');
        let mut units = position.character as usize;
        for (at, letter) in line.char_indices() {
            let width = match self.encoding {
                Encoding::Utf8 => letter.len_utf8(),
                Encoding::Utf16 => letter.len_utf16(),
            };
            // A place inside of a character is its start.
            if units < width {
                return start + at;
            }
            units -= width;
        }
        start + line.len()
    }

    pub fn range(&self, bytes: std::ops::Range<usize>) -> Range {
        Range { start: self.position(bytes.start), end: self.position(bytes.end) }
    }

    /// The range of a span of a file whose text as it was written this is.
    pub fn of_span(&self, file: &SourceFile, span: Span) -> Range {
        self.range(file.original_range(span))
    }
}

/// The offset in the text that is judged of a byte of the text as it was written: they differ where placeholders were replaced.
pub fn judged_offset(file: &SourceFile, id: FileId, byte: usize) -> u32 {
    let (mut low, mut high) = (0, file.text.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        match file.original_range(Span::new(id, middle, middle)).start <= byte {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low as u32
}

/// The text after a change.
pub fn changed(text: &str, change: TextDocumentContentChangeEvent, encoding: Encoding) -> String {
    let Some(range) = change.range else { return change.text };
    let lines = Lines::of(text, encoding);
    let (start, end) = (lines.offset(range.start), lines.offset(range.end));
    let (start, end) = (start.min(end), end.max(start));
    format!("{}{}{}", &text[..start], change.text, &text[end..])
}

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The path of a file's URI; none for another scheme.
pub fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = &rest[rest.find('/')?..];
    let path = percent_decode_str(path).decode_utf8().ok()?;
    // `/C:/project` on Windows.
    let drive = path.as_bytes().get(2) == Some(&b':') && path.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic);
    Some(PathBuf::from(if drive { &path[1..] } else { &path }))
}

pub fn uri_of(path: &Path) -> Option<Uri> {
    let path = path.to_str()?.replace('\\', "/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::from_str(&format!("file://{slash}{}", utf8_percent_encode(&path, PLAIN))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_in_units_of_utf_16() {
        let text = "a é 𝄞 b\r\nç;";
        let lines = Lines::of(text, Encoding::Utf16);
        for (at, _) in text.char_indices().filter(|(_, letter)| !matches!(letter, '\r' | '\n')) {
            assert_eq!(lines.offset(lines.position(at)), at);
        }
        let b = lines.position(text.find('b').unwrap());
        assert_eq!((b.line, b.character), (0, 7));
        assert_eq!(lines.offset(Position { line: 0, character: 5 }), text.find('𝄞').unwrap());
        assert_eq!(lines.offset(Position { line: 0, character: 99 }), text.find('\r').unwrap());
        assert_eq!(lines.offset(Position { line: 7, character: 0 }), text.len());
        let bytes = Lines::of(text, Encoding::Utf8);
        assert_eq!(bytes.position(text.find('b').unwrap()).character, 10);
    }

    #[test]
    fn changes_are_applied_where_they_are() {
        let event = |line, from, to, text: &str| TextDocumentContentChangeEvent {
            range: Some(Range { start: Position { line, character: from }, end: Position { line, character: to } }),
            range_length: None,
            text: text.to_owned(),
        };
        assert_eq!(changed("𝄞𝄞\nab", event(0, 2, 4, "x"), Encoding::Utf16), "𝄞x\nab");
        assert_eq!(changed("a\nb", event(9, 5, 2, "c"), Encoding::Utf16), "a\nbc");
    }

    #[test]
    fn paths_with_any_letter_go_there_and_back() {
        let path = Path::new("/tmp/a b/ü#%/1.sql");
        let uri = uri_of(path).unwrap();
        assert!(!uri.as_str().contains(' ') && !uri.as_str().contains('#'));
        assert_eq!(path_of(&uri).unwrap(), path);
        assert_eq!(path_of(&Uri::from_str("untitled:Untitled-1").unwrap()), None);
    }
}
