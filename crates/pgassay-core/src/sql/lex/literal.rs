//! String literals that hold SQL: function bodies, DO blocks, EXECUTE.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::token::{Origin, Text};
use crate::source::{FileId, Span};
use crate::sql::read::reader::{Reader, Result};

/// The value of a string literal and where each byte of it stands in the file.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Literal {
    pub value: Arc<str>,
    /// What is between the quotes.
    pub span: Span,
    file: FileId,
    offsets: Option<Vec<u32>>,
    /// It stands for the place as a whole, as all of the text that it is from does.
    whole: bool,
}

impl Literal {
    /// A value that stands for a place as a whole.
    pub(in crate::sql) fn at(value: Arc<str>, place: Span) -> Literal {
        Literal { value, span: place, file: place.file, offsets: None, whole: true }
    }

    /// A part of the value.
    pub(in crate::sql) fn part(&self, start: usize, end: usize) -> Literal {
        let mut part = self.clone();
        part.make_offsets();
        part.value = self.value.get(start..end).unwrap_or_default().into();
        part.offsets = part.offsets.map(|offsets| offsets.get(start..=end).unwrap_or_default().to_vec());
        part
    }

    /// Another value in the same place.
    pub(in crate::sql) fn with_value(&self, value: &str) -> Literal {
        let mut start = self.clone();
        start.make_offsets();
        if self.whole {
            return Literal::at(value.into(), self.span);
        }
        let first = start.offsets.as_ref().and_then(|offsets| offsets.first()).copied().unwrap_or(self.span.start);
        Literal { value: value.into(), offsets: Some(vec![first; value.len() + 1]), ..self.clone() }
    }

    pub(in crate::sql) fn append(&mut self, more: &Literal) {
        if self.whole || more.whole {
            *self = Literal::at(
                format!("{}{}", self.value, more.value).into(),
                if self.whole { self.span } else { more.span },
            );
            return;
        }
        let mut more = more.clone();
        more.make_offsets();
        self.make_offsets();
        self.value = format!("{}{}", self.value, more.value).into();
        self.span = self.span.to(more.span);
        if let (Some(offsets), Some(more)) = (&mut self.offsets, more.offsets) {
            offsets.pop();
            offsets.extend(more);
        }
    }

    /// Gives every byte its place, so that pieces can be put together.
    pub(in crate::sql) fn make_offsets(&mut self) {
        if self.offsets.is_none() && !self.whole {
            self.offsets = Some((self.span.start..=self.span.start + self.value.len() as u32).collect());
        }
    }

    /// The value as text to read statements from.
    pub(in crate::sql) fn text(&self) -> Text<'_> {
        let origin = match &self.offsets {
            None if self.whole => Origin::At(self.span),
            None => Origin::Slice(self.span.start as usize),
            Some(offsets) => Origin::Mapped(offsets),
        };
        Text { file: self.file, text: &self.value, origin }
    }
}

impl Reader<'_> {
    /// A string literal with the places of its bytes.
    pub(in crate::sql) fn literal(&mut self) -> Result<Literal> {
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
        if let Origin::At(place) = self.text.origin {
            return Ok(Literal::at(value, place));
        }
        let same =
            matches!(self.text.origin, Origin::Slice(_)) && self.text.text.get(inside.0..inside.1) == Some(&value);
        if same {
            return Ok(Literal { value, span, file: self.text.file, offsets: None, whole: false });
        }
        let local = if dollar_tag.is_some() { (inside.0..=inside.1).collect() } else { offsets(raw, &value, start) };
        let offsets = local.into_iter().map(|offset| self.text.span(offset, offset).start).collect();
        Ok(Literal { value, span, file: self.text.file, offsets: Some(offsets), whole: false })
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
