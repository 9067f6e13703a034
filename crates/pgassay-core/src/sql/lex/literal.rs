//! String literals that hold SQL: function bodies, DO blocks, EXECUTE.

use std::sync::Arc;

use super::lexer::{self, Lexeme, Quoting, Rules, lexeme};
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
    rules: Rules,
}

impl Literal {
    /// A value that stands for a place as a whole.
    pub(in crate::sql) fn at(value: Arc<str>, place: Span) -> Literal {
        Literal { value, span: place, file: place.file, offsets: None, whole: true, rules: Rules::default() }
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
        Text { file: self.file, text: &self.value, origin, rules: self.rules }
    }
}

impl Reader<'_> {
    /// A string literal with the places of its bytes.
    pub(in crate::sql) fn literal(&mut self) -> Result<Literal> {
        let (start, end) = self.bytes_at(self.position());
        let value = self.string_literal()?;
        let raw = self.text.text.get(start..end).unwrap_or_default();
        if let Origin::At(place) = self.text.origin {
            return Ok(Literal::at(value, place));
        }
        let (inside, local) = match lexeme(raw.as_bytes(), 0, self.text.rules).0 {
            Lexeme::DollarString(opening) => (start + opening..end - opening, None),
            Lexeme::String(quoting) => {
                let quote = raw.find('\'').unwrap_or_default() + 1;
                let inside = start + quote..end.saturating_sub(1).max(start + quote);
                let same = self.text.text.get(inside.clone()) == Some(&value);
                let offsets = (!same).then(|| offsets(raw, &value, quoting).iter().map(|at| start + at).collect());
                (inside, offsets)
            }
            _ => return Err(self.error("a string")),
        };
        let span = self.text.span(inside.start, inside.end);
        let rules = self.text.rules;
        if local.is_none() && matches!(self.text.origin, Origin::Slice(_)) {
            return Ok(Literal { value, span, file: self.text.file, offsets: None, whole: false, rules });
        }
        let local: Vec<usize> = local.unwrap_or_else(|| (inside.start..=inside.end).collect());
        let offsets = local.into_iter().map(|offset| self.text.span(offset, offset).start).collect();
        Ok(Literal { value, span, file: self.text.file, offsets: Some(offsets), whole: false, rules })
    }
}

/// The offset of every byte of the value in the text of the constant, and of its end; all at the start where Unicode escapes or
/// bytes that are no character make it another one.
fn offsets(raw: &str, value: &str, quoting: Quoting) -> Vec<usize> {
    let found = lexer::string_value(raw, quoting);
    if found.bytes == value.as_bytes() { found.offsets } else { vec![0; value.len() + 1] }
}
