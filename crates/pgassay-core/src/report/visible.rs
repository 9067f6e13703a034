//! Output that cannot be used against its reader.
//!
//! Names, comments and data come from a repository or a database. What a terminal obeys (escape sequences), what shows text in another order
//! than it is read (bidirectional overrides), and lines that a CI runner takes for commands are made visible here, on the way out: no
//! renderer can forget it. In: bytes of a document. Out: the same without any of these, but for colours of our own.

use std::io::{self, Write};

use crate::rules::PAGES;
use crate::text::plain::is_hidden;

/// What a document is, and so how a character is shown that may not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// U+FFFD stands in, and no line is a command to a CI runner. With `colours`, those of ours stay, and links to our pages.
    Text { colours: bool },
    /// The same, but lines may be commands: they are ours.
    Commands,
    /// `\u202e`: a program that reads it gets the name as it is.
    Json,
}

/// A writer that hands on whole lines, many at a time.
pub struct Visible<W: Write> {
    out: W,
    kind: Kind,
    lines: Vec<u8>,
    /// Where the last whole line of them ends.
    whole: usize,
}

/// As much is kept before it is handed on.
const LOT: usize = 64 * 1024;

/// A longer line is handed on in parts.
const LONGEST_LINE: usize = 1 << 20;

impl<W: Write> Visible<W> {
    pub fn new(out: W, kind: Kind) -> Visible<W> {
        Visible { out, kind, lines: Vec::new(), whole: 0 }
    }

    fn hand_on(&mut self, length: usize) -> io::Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        let written = self.write_lines(&lines[..length]);
        lines.drain(..length);
        (self.lines, self.whole) = (lines, 0);
        written
    }

    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.kind == Kind::Json && is_plain(lines) {
            return self.out.write_all(lines);
        }
        lines.split_inclusive(|byte| *byte == b'\n').try_for_each(|line| self.line(line))
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match std::str::from_utf8(line) {
            Ok(text) if !needs(text, self.kind) => self.out.write_all(line),
            Ok(text) => self.out.write_all(visible(text, self.kind).as_bytes()),
            Err(_) => self.out.write_all(visible(&String::from_utf8_lossy(line), self.kind).as_bytes()),
        }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only what is new is searched: a long line comes in many small parts.
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            self.whole = self.lines.len() + end + 1;
        }
        self.lines.extend_from_slice(bytes);
        if self.lines.len() < LOT {
            return Ok(bytes.len());
        }
        if self.whole > 0 {
            self.hand_on(self.whole)?;
        } else if self.lines.len() > LONGEST_LINE {
            // Not within a character.
            let mut end = self.lines.len() - 4;
            while end > 0 && self.lines[end] & 0xC0 == 0x80 {
                end -= 1;
            }
            self.hand_on(end)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(self.lines.len())?;
        self.out.flush()
    }
}

/// A text as it may be shown.
pub fn visible(text: &str, kind: Kind) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if kind != Kind::Json && kind != Kind::Commands && is_command(line) {
            shown.push('\u{FFFD}');
        }
        push(line, kind, &mut shown);
    }
    match kind {
        // The runner obeys it anywhere in a line.
        Kind::Text { .. } if shown.contains("##[") => shown.replace("##[", "##\u{FFFD}["),
        _ => shown,
    }
}

fn push(line: &str, kind: Kind, shown: &mut String) {
    let mut rest = line;
    loop {
        // All of our own sequences begin with a hidden character.
        let plain = rest.find(is_hidden).unwrap_or(rest.len());
        shown.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(character) = rest.chars().next() else { break };
        let own = || colour(rest).or_else(|| link(rest, PAGES));
        if let (Kind::Text { colours: true }, Some(length)) = (kind, own()) {
            shown.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        // A line end of Windows.
        let ends_line = character == '\r' && rest.starts_with("\r\n");
        match kind {
            _ if ends_line => shown.push(character),
            Kind::Json => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
            }
            Kind::Text { .. } | Kind::Commands => shown.push('\u{FFFD}'),
        }
        rest = &rest[character.len_utf8()..];
    }
}

/// Printable ASCII, tabs and line ends.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
}

fn needs(text: &str, kind: Kind) -> bool {
    !is_plain(text.as_bytes()) && text.contains(is_hidden)
        || kind != Kind::Json && (text.contains("::") || text.contains("##["))
}

/// GitHub's runner reads a line as a command where it begins with `::`, blanks aside.
fn is_command(line: &str) -> bool {
    line.trim_start_matches(|c: char| c.is_whitespace() || is_hidden(c)).starts_with("::")
}

/// Bytes of a sequence that sets a colour or a weight, at the start of the text: `ESC [ 1 ; 31 m` (ECMA-48, SGR).
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// Bytes of a sequence that begins a link to one of our pages, or that ends a link, at the start of the text: `ESC ] 8 ; ; URI ESC \`.
fn link(text: &str, pages: Option<&str>) -> Option<usize> {
    let address = text.strip_prefix("\u{1b}]8;;")?;
    let end = address.find("\u{1b}\\")?;
    let is_ours = |address: &str| {
        pages.is_some_and(|pages| address.starts_with(pages) && address.chars().all(|c| c.is_ascii_graphic()))
    };
    (end == 0 || is_ours(&address[..end])).then_some("\u{1b}]8;;".len() + end + "\u{1b}\\".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[&str], kind: Kind) -> String {
        let mut bytes = Vec::new();
        let mut out = Visible::new(&mut bytes, kind);
        parts.iter().for_each(|part| out.write_all(part.as_bytes()).unwrap());
        out.flush().unwrap();
        drop(out);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        let text = Kind::Text { colours: false };
        assert_eq!(written(&["a\u{1b}]0;title\u{7}b\u{9b}31m\n"], text), "a\u{FFFD}]0;title\u{FFFD}b\u{FFFD}31m\n");
        assert_eq!(written(&["a\u{202e}b", "\u{2066}c\rd\r\n"], text), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\r\n");
        assert_eq!(written(&["größe\t漢字 👩\n"], text), "größe\t漢字 👩\n");
    }

    #[test]
    fn colours_of_ours_stay() {
        let text = Kind::Text { colours: true };
        assert_eq!(
            written(&["\u{1b}[1;31mred\u{1b}[0m \u{1b}]52;c;x\u{7}\u{1b}[2J"], text),
            "\u{1b}[1;31mred\u{1b}[0m \u{FFFD}]52;c;x\u{FFFD}\u{FFFD}[2J"
        );
    }

    #[test]
    fn links_lead_to_our_pages_only() {
        let pages = Some("https://example.com/docs");
        let ours = "\u{1b}]8;;https://example.com/docs/rules/a.md\u{1b}\\a";
        assert_eq!(link(ours, pages), Some(ours.len() - 1));
        assert_eq!(link("\u{1b}]8;;\u{1b}\\ b", None), Some(7));
        for other in [
            "\u{1b}]8;;https://evil.example/\u{1b}\\",
            "\u{1b}]8;;https://example.com/docs\u{1b}[2J\u{1b}\\",
            "\u{1b}]0;x\u{7}",
        ] {
            assert_eq!(link(other, pages), None, "{other:?}");
        }
        assert_eq!(link(ours, None), None);
    }

    #[test]
    fn no_line_is_a_command() {
        let text = Kind::Text { colours: false };
        assert_eq!(
            written(&["a::b\n  ::stop-commands::x\n##[error]"], text),
            "a::b\n\u{FFFD}  ::stop-commands::x\n##\u{FFFD}[error]"
        );
        assert_eq!(written(&["::error title=x::a\n"], Kind::Commands), "::error title=x::a\n");
    }

    #[test]
    fn programs_get_names_as_they_are() {
        let json = serde_json::json!({ "name": "a\u{202e}b\u{9b}\u{E0041}" });
        let shown = written(&[&json.to_string()], Kind::Json);
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
    }

    #[test]
    fn a_long_line_is_whole() {
        let long = "ü".repeat(LONGEST_LINE);
        assert_eq!(written(&[&long, "é"], Kind::Text { colours: false }), format!("{long}é"));
    }
}
