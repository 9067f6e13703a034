//! The text of one statement to tokens that know their place.
//!
//! In: [`Text`], SQL and where it came from. Out: sqlparser's tokens without spaces and comments. The location of a token holds the
//! byte offset in the text as its column, on line 1, so every span in a tree that sqlparser builds is a range of bytes.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Word};

use super::dialect::Postgres;
use crate::change::{Name, Unreadable};
use crate::source::{FileId, Span};

pub(in crate::sql) static DIALECT: Postgres = Postgres;

/// SQL text and its place in a file: a slice of the file, or the value of a string literal in it.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub origin: Origin<'a>,
}

/// How offsets in a text become offsets in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// The text begins at this offset and is the same byte for byte.
    Slice(usize),
    /// The offset in the file of every byte of the text, and of the end.
    Mapped(&'a [u32]),
    /// All of it stands for one place: the text is kept elsewhere.
    At(Span),
}

impl<'a> Text<'a> {
    pub fn span(&self, start: usize, end: usize) -> Span {
        match self.origin {
            Origin::Slice(base) => Span::new(self.file, base + start, base + end),
            Origin::Mapped(offsets) => {
                let at = |index: usize| offsets.get(index).or(offsets.last()).copied().unwrap_or_default();
                // The end is taken from the last byte, so that a doubled quote behind it stays outside.
                let last = if end > start { at(end - 1) + 1 } else { at(end) };
                Span { file: self.file, start: at(start), end: last.max(at(start)) }
            }
            Origin::At(place) => place,
        }
    }

    /// A part of the text, with its place.
    pub fn part(&self, start: usize, end: usize) -> Text<'a> {
        let origin = match self.origin {
            Origin::Slice(base) => Origin::Slice(base + start),
            Origin::Mapped(offsets) => Origin::Mapped(offsets.get(start..).unwrap_or_default()),
            Origin::At(place) => Origin::At(place),
        };
        Text { file: self.file, text: self.text.get(start..end).unwrap_or_default(), origin }
    }
}

/// The start and end of a token in bytes of the text.
pub(in crate::sql) fn bytes_of(token: &TokenWithSpan) -> (usize, usize) {
    let offset = |location: Location| (location.line as usize).saturating_sub(1);
    (offset(token.span.start), offset(token.span.end))
}

/// The span that a tree of sqlparser's gives to one of its parts, as a place in the file; `None` where it has none.
pub fn tree_span(file: FileId, span: sqlparser::tokenizer::Span) -> Option<Span> {
    let known = span.start.line > 0 && span.end.line > 0;
    known.then_some(Span { file, start: span.start.column as u32, end: span.end.column as u32 })
}

/// The span that [`bytes_of`] and [`tree_span`] read.
fn token_span(text: &Text, start: usize, end: usize) -> sqlparser::tokenizer::Span {
    let place = text.span(start, end);
    let location = |offset: usize, place: u32| Location { line: offset as u64 + 1, column: place.into() };
    sqlparser::tokenizer::Span { start: location(start, place.start), end: location(end, place.end) }
}

/// The string constants in a piece of a file, each with its place; nothing where the piece is no SQL.
pub fn string_constants(place: Span, text: &str) -> Vec<(String, Span)> {
    let text = Text { file: place.file, text, origin: Origin::Slice(place.start as usize) };
    let strings = tokenize(&text).unwrap_or_default().into_iter().filter_map(|token| {
        let (start, end) = bytes_of(&token);
        match token.token {
            Token::SingleQuotedString(value) | Token::EscapedStringLiteral(value) => {
                Some((value, text.span(start, end)))
            }
            _ => None,
        }
    });
    strings.collect()
}

/// A word, a name in quotes or a sign of SQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexeme {
    pub span: Span,
    pub kind: LexemeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LexemeKind {
    /// A key word or a name, folded unless it is in quotes.
    Word { name: Name, quoted: bool },
    /// `.`, `(`, `,`, an operator.
    Sign(String),
    /// A number or a string.
    Literal,
}

/// The words and signs of a piece of a file, up to the first place that is no SQL (a string without an end, while it is typed).
pub fn lexemes(place: Span, text: &str) -> Vec<Lexeme> {
    let whole = Text { file: place.file, text, origin: Origin::Slice(place.start as usize) };
    let tokens = match tokenize(&whole) {
        Ok(tokens) => tokens,
        Err(unreadable) => {
            let end = (unreadable.span.start.saturating_sub(place.start) as usize).min(text.len());
            let readable = Text { text: text.get(..end).unwrap_or_default(), ..whole.clone() };
            tokenize(&readable).unwrap_or_default()
        }
    };
    let lexeme = |token: TokenWithSpan| {
        let (start, end) = bytes_of(&token);
        let kind = match token.token {
            Token::Word(word) => match word.quote_style {
                None => LexemeKind::Word { name: Name::folded(&word.value), quoted: false },
                Some(_) => LexemeKind::Word { name: Name::new(&word.value), quoted: true },
            },
            Token::EOF => return None,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) => LexemeKind::Literal,
            Token::DollarQuotedString(_) | Token::UnicodeStringLiteral(_) => LexemeKind::Literal,
            sign => LexemeKind::Sign(sign.to_string()),
        };
        Some(Lexeme { span: whole.span(start, end), kind })
    };
    tokens.into_iter().filter_map(lexeme).collect()
}

/// Cuts a text into tokens; spaces and comments are left out.
pub(in crate::sql) fn tokenize(text: &Text) -> Result<Vec<TokenWithSpan>, Unreadable> {
    let mut tokens = Vec::with_capacity(text.text.len() / 6 + 4);
    let outcome = Tokenizer::new(&DIALECT, text.text).tokenize_with_location_into_buf(&mut tokens);
    let mut cursor = Cursor { bytes: text.text.as_bytes(), at: 0, line: 1, column: 1 };
    if let Err(error) = outcome {
        let at = cursor.advance(error.location);
        return Err(Unreadable { message: first_letter_lower(&error.message), span: text.span(at, at) });
    }
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() / 2 + 1);
    for mut token in tokens {
        let start = cursor.advance(token.span.start);
        let end = cursor.advance(token.span.end);
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        token.span = token_span(text, start, end);
        push(&mut kept, token, text);
    }
    Ok(kept)
}

/// Adds a token, joined with those before it where PostgreSQL's lexer reads one token and sqlparser's several.
fn push(kept: &mut Vec<TokenWithSpan>, token: TokenWithSpan, text: &Text) {
    if join_string(kept, &token, text) || join_unicode_identifier(kept, &token, text) {
        return;
    }
    split_operator(kept, token, text);
}

/// Strings with only a line break between them are one string (manual, 4.1.2.1).
fn join_string(kept: &mut [TokenWithSpan], token: &TokenWithSpan, text: &Text) -> bool {
    let (Some(last), Token::SingleQuotedString(more)) = (kept.last_mut(), &token.token) else { return false };
    let (start, end) = (bytes_of(last).0, bytes_of(last).1);
    let between = text.text.get(end..bytes_of(token).0).unwrap_or_default();
    let (Token::SingleQuotedString(value) | Token::EscapedStringLiteral(value) | Token::UnicodeStringLiteral(value)) =
        &mut last.token
    else {
        return false;
    };
    if !between.contains(['\n', '\r']) {
        return false;
    }
    value.push_str(more);
    last.span = token_span(text, start, bytes_of(token).1);
    true
}

/// `U&"d\0061t"` is one identifier.
fn join_unicode_identifier(kept: &mut Vec<TokenWithSpan>, token: &TokenWithSpan, text: &Text) -> bool {
    let Token::Word(word) = &token.token else { return false };
    let [.., first, second] = kept.as_slice() else { return false };
    let starts = matches!(&first.token, Token::Word(u) if u.quote_style.is_none() && u.value.eq_ignore_ascii_case("u"));
    let touching = bytes_of(first).1 == bytes_of(second).0 && bytes_of(second).1 == bytes_of(token).0;
    if word.quote_style != Some('"') || !starts || !touching || second.token != Token::Ampersand {
        return false;
    }
    let start = bytes_of(first).0;
    let name = Word { value: unescape_unicode(&word.value), ..word.clone() };
    kept.truncate(kept.len() - 2);
    kept.push(TokenWithSpan { token: Token::Word(name), span: token_span(text, start, bytes_of(token).1) });
    true
}

/// `\0061` and `\+000061` to the character; what is no escape stays as it is.
fn unescape_unicode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            out.push('\\');
            rest = after;
            continue;
        }
        let (skip, length) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let code = rest.get(skip..skip + length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = &rest[skip + length..];
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    out
}

/// An operator of several characters ends in `+` or `-` only when it has one of `~!@#%^&|`?` in it (manual, 4.1.3): `=-` is two.
fn split_operator(kept: &mut Vec<TokenWithSpan>, token: TokenWithSpan, source: &Text) {
    let start = bytes_of(&token).0;
    let text = match &token.token {
        Token::CustomBinaryOperator(text) => text.clone(),
        _ => return kept.push(token),
    };
    let trimmed = text.trim_end_matches(['+', '-']);
    if trimmed.len() == text.len() || text.contains(|c| "~!@#%^&|`?".contains(c)) {
        return kept.push(token);
    }
    let head = &text[..trimmed.len().max(1)];
    kept.push(TokenWithSpan { token: operator(head), span: token_span(source, start, start + head.len()) });
    for (index, sign) in text[head.len()..].char_indices() {
        let at = start + head.len() + index;
        let token = if sign == '-' { Token::Minus } else { Token::Plus };
        kept.push(TokenWithSpan { token, span: token_span(source, at, at + 1) });
    }
}

fn operator(text: &str) -> Token {
    match text {
        "=" => Token::Eq,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "<>" => Token::Neq,
        "+" => Token::Plus,
        "-" => Token::Minus,
        "*" => Token::Mul,
        "/" => Token::Div,
        _ => Token::CustomBinaryOperator(text.to_string()),
    }
}

fn first_letter_lower(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Walks once over the text to turn lines and columns into bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    column: u64,
}

impl Cursor<'_> {
    fn advance(&mut self, to: Location) -> usize {
        while self.at < self.bytes.len() && (self.line, self.column) < (to.line, to.column) {
            if self.bytes[self.at] == b'\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
            self.at += 1;
            while self.at < self.bytes.len() && (self.bytes[self.at] as i8) < -0x40 {
                self.at += 1;
            }
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(String, &str)> {
        let source = Text { file: FileId(0), text, origin: Origin::Slice(0) };
        let tokens = tokenize(&source).unwrap();
        tokens
            .iter()
            .map(|token| {
                let (start, end) = bytes_of(token);
                (token.token.to_string(), &text[start..end])
            })
            .collect()
    }

    #[test]
    fn places_are_bytes_also_behind_wide_characters() {
        let found = tokens("SELECT 'é', -- ß\n ünï\r\n /* x */ FROM");
        let texts: Vec<&str> = found.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, ["SELECT", "'é'", ",", "ünï", "FROM"]);
    }

    #[test]
    fn strings_over_lines_are_one_and_on_one_line_are_two() {
        assert_eq!(tokens("'a'\n 'b'"), [("'ab'".to_string(), "'a'\n 'b'")]);
        assert_eq!(tokens("'a' 'b'").len(), 2);
    }

    #[test]
    fn unicode_identifiers_are_words() {
        assert_eq!(tokens(r#"U&"d\0061t""#), [("\"dat\"".to_string(), r#"U&"d\0061t""#)]);
    }

    #[test]
    fn a_sign_behind_an_operator_is_its_own_token() {
        let found = tokens("a>=-1");
        let texts: Vec<&str> = found.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, ["a", ">=", "-", "1"]);
    }
}
