//! String literals that hold SQL: function bodies, DO blocks, EXECUTE.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::token::{Origin, Text};
use super::{FileId, Span};

/// The value of a string literal and where each byte of it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub value: Arc<str>,
    /// What is between the quotes.
    pub span: Span,
    file: FileId,
    offsets: Option<Vec<u32>>,
}

impl Literal {
    /// The value as text to read statements from.
    pub(super) fn text(&self) -> Text<'_> {
        let origin = match &self.offsets {
            None => Origin::Slice(self.span.start as usize),
            Some(offsets) => Origin::Mapped(offsets),
        };
        Text { file: self.file, text: &self.value, origin }
    }
}

impl Reader<'_> {
    /// A string literal with the places of its bytes.
    pub(super) fn literal(&mut self) -> Result<Literal> {
        let (start, end) = self.bytes_at(self.position());
        let dollar_tag = match self.peek() {
            Token::DollarQuotedString(quoted) => Some(quoted.tag.as_ref().map_or(0, String::len) + 2),
            _ => None,
        };
        let value = self.string_literal()?;
        let raw = self.text.text.get(start..end).unwrap_or_default();
        let quote = dollar_tag.unwrap_or_else(|| raw.find('\'').unwrap_or(0) + 1);
        let closing = dollar_tag.unwrap_or(1);
        let inside = (start + quote, end.saturating_sub(closing).max(start + quote));
        let span = self.text.span(inside.0, inside.1);
        let same =
            matches!(self.text.origin, Origin::Slice(_)) && self.text.text.get(inside.0..inside.1) == Some(&value);
        if same {
            return Ok(Literal { value, span, file: self.text.file, offsets: None });
        }
        let local = if dollar_tag.is_some() { (inside.0..=inside.1).collect() } else { offsets(raw, &value, start) };
        let offsets = local.into_iter().map(|offset| self.text.span(offset, offset).start).collect();
        Ok(Literal { value, span, file: self.text.file, offsets: Some(offsets) })
    }
}

/// The offset of every byte of the value, and of its end; all at the start where the escapes are not understood.
fn offsets(raw: &str, value: &str, start: usize) -> Vec<usize> {
    let escapes = raw.starts_with(['e', 'E']);
    let mut found = Vec::with_capacity(value.len() + 1);
    let mut decoded = String::with_capacity(value.len());
    let open = raw.find('\'').unwrap_or(0) + 1;
    let mut letters = raw[open..].char_indices().map(|(at, letter)| (start + open + at, letter)).peekable();
    while let Some((at, letter)) = letters.next() {
        let letter = match letter {
            '\\' if escapes => match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, 'r')) => '\r',
                Some((_, other)) => other,
                None => break,
            },
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => '\'',
            '\'' => {
                // The end, or a break between two parts of the string.
                while letters.next_if(|(_, next)| next.is_whitespace()).is_some() {}
                if letters.next_if(|(_, next)| *next == '\'').is_none() {
                    found.push(at);
                    break;
                }
                continue;
            }
            letter => letter,
        };
        decoded.push(letter);
        found.extend((0..letter.len_utf8()).map(|byte| at + byte));
    }
    if decoded == value { found } else { vec![start; value.len() + 1] }
}
