//! The text of one statement to tokens that know their place.
//!
//! In: [`Text`], SQL and where it came from. Out: sqlparser's tokens without spaces and comments. The location of a token holds the
//! byte offset in the text as its column, on line 1, so every span in a tree that sqlparser builds is a range of bytes.

use sqlparser::ast::DollarQuotedString;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::dialect::Postgres;
use super::keyword;
use super::lexer::{self, Lexeme, Quoting, Rules, Unclosed, lexeme};
use crate::change::{Name, Unreadable};
use crate::source::{FileId, Span};

pub(in crate::sql) static DIALECT: Postgres = Postgres;

/// SQL text and its place in a file: a slice of the file, or the value of a string literal in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub origin: Origin<'a>,
    /// The settings under which it is read.
    pub rules: Rules,
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
    /// The text of a whole file.
    pub fn whole(file: FileId, text: &'a str) -> Text<'a> {
        Text { file, text, origin: Origin::Slice(0), rules: Rules::default() }
    }

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
        Text { text: self.text.get(start..end).unwrap_or_default(), origin, ..*self }
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
    let text = Text { origin: Origin::Slice(place.start as usize), ..Text::whole(place.file, text) };
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
pub struct SourceToken {
    pub span: Span,
    pub kind: SourceTokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceTokenKind {
    /// A key word or a name, folded unless it is in quotes.
    Word { name: Name, quoted: bool },
    /// `.`, `(`, `,`, an operator.
    Sign(String),
    /// A number or a string.
    Literal,
}

/// The words and signs of a piece of a file, up to the first place that is no SQL (a string without an end, while it is typed).
pub fn source_tokens(place: Span, text: &str) -> Vec<SourceToken> {
    let whole = Text { file: place.file, text, origin: Origin::Slice(place.start as usize), rules: Rules::default() };
    let tokens = match tokenize(&whole) {
        Ok(tokens) => tokens,
        Err(unreadable) => {
            let end = (unreadable.span.start.saturating_sub(place.start) as usize).min(text.len());
            let readable = Text { text: text.get(..end).unwrap_or_default(), ..whole };
            tokenize(&readable).unwrap_or_default()
        }
    };
    let located = |token: TokenWithSpan| {
        let (start, end) = bytes_of(&token);
        let kind = match token.token {
            Token::Word(word) => match word.quote_style {
                None => SourceTokenKind::Word { name: Name::folded(&word.value), quoted: false },
                Some(_) => SourceTokenKind::Word { name: Name::new(&word.value), quoted: true },
            },
            Token::EOF => return None,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) => {
                SourceTokenKind::Literal
            }
            Token::DollarQuotedString(_) | Token::UnicodeStringLiteral(_) => SourceTokenKind::Literal,
            sign => SourceTokenKind::Sign(sign.to_string()),
        };
        Some(SourceToken { span: whole.span(start, end), kind })
    };
    tokens.into_iter().filter_map(located).collect()
}

/// The token `n` places after the next one. There are no spaces among the tokens, so it is found at once however far it is; sqlparser's own
/// `peek_nth_token_ref` walks there.
pub(in crate::sql) fn nth<'a>(parser: &'a Parser, n: usize) -> &'a Token {
    &parser.token_at(parser.index() + n).token
}

/// Cuts a text into tokens; spaces and comments are left out.
pub(in crate::sql) fn tokenize(text: &Text) -> Result<Vec<TokenWithSpan>, Unreadable> {
    let bytes = text.text.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len() / 6 + 4);
    let mut at = 0;
    while at < bytes.len() {
        let (lexeme, mut end) = lexeme(bytes, at, text.rules);
        // A character that no token begins with is taken whole.
        while !text.text.is_char_boundary(end) {
            end += 1;
        }
        let found = match with_escape_character(text, lexeme, at, end) {
            None => token(lexeme, &text.text[at..end]),
            Some((token, behind)) => {
                end = behind;
                token.map(Some)
            }
        };
        if let Some(token) = found.map_err(|error| error.at(text, at, end))? {
            tokens.push(TokenWithSpan { token, span: token_span(text, at, end) });
        }
        at = end;
    }
    Ok(tokens)
}

/// What is wrong with a token.
struct Wrong(&'static str);

impl Wrong {
    fn at(self, text: &Text, start: usize, end: usize) -> Unreadable {
        Unreadable::new(self.0.to_string(), text.span(start, end))
    }
}

const BAD_ESCAPE: Wrong = Wrong("invalid Unicode escape: expected \\XXXX or \\+XXXXXX");

/// sqlparser's token for a lexeme; none for spaces and comments.
fn token(lexeme: Lexeme, raw: &str) -> Result<Option<Token>, Wrong> {
    Ok(Some(match lexeme {
        Lexeme::Space | Lexeme::LineComment | Lexeme::BlockComment => return Ok(None),
        Lexeme::Word => keyword::word(raw),
        Lexeme::QuotedName => quoted(lexer::name_value(raw)),
        Lexeme::UnicodeName => quoted(unicode(&lexer::name_value(raw), '\\')?),
        Lexeme::String(Quoting::Unicode) => Token::UnicodeStringLiteral(unicode(&string(raw, Quoting::Unicode), '\\')?),
        Lexeme::String(Quoting::Standard) => Token::SingleQuotedString(string(raw, Quoting::Standard)),
        Lexeme::String(Quoting::Escapes) => Token::EscapedStringLiteral(string(raw, Quoting::Escapes)),
        Lexeme::String(Quoting::National) => Token::NationalStringLiteral(string(raw, Quoting::National)),
        Lexeme::String(Quoting::Bits) => Token::SingleQuotedByteStringLiteral(string(raw, Quoting::Bits)),
        Lexeme::String(Quoting::Hexadecimal) => Token::HexStringLiteral(string(raw, Quoting::Hexadecimal)),
        Lexeme::DollarString(opening) => {
            let tag = raw.get(1..opening - 1).filter(|tag| !tag.is_empty()).map(str::to_owned);
            let value = raw.get(opening..raw.len() - opening).unwrap_or_default().to_owned();
            Token::DollarQuotedString(DollarQuotedString { value, tag })
        }
        Lexeme::Number => Token::Number(number(raw), false),
        Lexeme::Parameter => Token::Placeholder(raw.to_owned()),
        Lexeme::Operator => operator(raw),
        Lexeme::Symbol => symbol(raw),
        Lexeme::Unclosed(Unclosed::Comment) => return Err(Wrong("the comment that begins here is never closed")),
        Lexeme::Unclosed(Unclosed::QuotedName) => {
            return Err(Wrong("the quoted name that begins here is never closed"));
        }
        Lexeme::Unclosed(_) => return Err(Wrong("the string that begins here is never closed")),
    }))
}

fn quoted(value: String) -> Token {
    Token::make_word(&value, Some('"'))
}

fn string(raw: &str, quoting: Quoting) -> String {
    // What is written between the quotes, in nearly all of them.
    let inside = raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''));
    match inside.filter(|inside| quoting == Quoting::Standard && !inside.contains('\'')) {
        Some(inside) => inside.to_owned(),
        None => String::from_utf8_lossy(&lexer::string_value(raw, quoting).bytes).into_owned(),
    }
}

fn unicode(text: &str, escape: char) -> Result<String, Wrong> {
    lexer::unicode_value(text, escape).ok_or(BAD_ESCAPE)
}

/// `U&'…' UESCAPE 'c'` and `U&"…" UESCAPE 'c'` are one token (parser.c, base_yylex): it, and its end.
fn with_escape_character(
    text: &Text,
    lexeme: Lexeme,
    start: usize,
    end: usize,
) -> Option<(Result<Token, Wrong>, usize)> {
    let is_name = lexeme == Lexeme::UnicodeName;
    if !is_name && lexeme != Lexeme::String(Quoting::Unicode) {
        return None;
    }
    let (_, word) =
        next_token(text, end).filter(|(_, word)| text.text[word.clone()].eq_ignore_ascii_case("uescape"))?;
    let (_, character) = next_token(text, word.end).filter(|(lexeme, _)| matches!(lexeme, Lexeme::String(_)))?;
    let escape = text.text[character.clone()].trim_matches('\'').chars().next()?;
    let raw = &text.text[start..end];
    let token = match is_name {
        true => unicode(&lexer::name_value(raw), escape).map(quoted),
        false => unicode(&string(raw, Quoting::Unicode), escape).map(Token::UnicodeStringLiteral),
    };
    Some((token, character.end))
}

/// The next token behind spaces and comments.
fn next_token(text: &Text, mut at: usize) -> Option<(Lexeme, std::ops::Range<usize>)> {
    let bytes = text.text.as_bytes();
    while at < bytes.len() {
        let (found, end) = lexeme(bytes, at, text.rules);
        if !matches!(found, Lexeme::Space | Lexeme::LineComment | Lexeme::BlockComment) {
            return Some((found, at..end)).filter(|_| text.text.is_char_boundary(end));
        }
        at = end;
    }
    None
}

/// A number in the spelling that every version reads: decimal, without underscores.
fn number(raw: &str) -> String {
    let digits = raw.replace('_', "");
    let radix = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => return digits,
    };
    // A number that is too long for the machine stays as it is: it is a constant all the same.
    u128::from_str_radix(&digits[2..], radix).map_or(digits, |value| value.to_string())
}

fn symbol(raw: &str) -> Token {
    match raw {
        "," => Token::Comma,
        "(" => Token::LParen,
        ")" => Token::RParen,
        "[" => Token::LBracket,
        "]" => Token::RBracket,
        "{" => Token::LBrace,
        "}" => Token::RBrace,
        "." => Token::Period,
        ";" => Token::SemiColon,
        ":" => Token::Colon,
        "::" => Token::DoubleColon,
        ":=" => Token::Assignment,
        "\\" => Token::Backslash,
        // `..` of a FOR loop has no token of its own.
        ".." => Token::CustomBinaryOperator("..".to_owned()),
        _ => Token::Char(raw.chars().next().unwrap_or_default()),
    }
}

/// The operators that sqlparser has a token for; every other one is its own text.
fn operator(raw: &str) -> Token {
    match raw {
        "=" => Token::Eq,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "<>" | "!=" => Token::Neq,
        "+" => Token::Plus,
        "-" => Token::Minus,
        "*" => Token::Mul,
        "/" => Token::Div,
        "%" => Token::Mod,
        "^" => Token::Caret,
        "||" => Token::StringConcat,
        "&" => Token::Ampersand,
        "|" => Token::Pipe,
        "#" => Token::Sharp,
        "##" => Token::DoubleSharp,
        "~" => Token::Tilde,
        "~*" => Token::TildeAsterisk,
        "!~" => Token::ExclamationMarkTilde,
        "!~*" => Token::ExclamationMarkTildeAsterisk,
        "~~" => Token::DoubleTilde,
        "~~*" => Token::DoubleTildeAsterisk,
        "!~~" => Token::ExclamationMarkDoubleTilde,
        "!~~*" => Token::ExclamationMarkDoubleTildeAsterisk,
        "<<" => Token::ShiftLeft,
        ">>" => Token::ShiftRight,
        "&&" => Token::Overlap,
        "!" => Token::ExclamationMark,
        "!!" => Token::DoubleExclamationMark,
        "@" => Token::AtSign,
        "^@" => Token::CaretAt,
        "|/" => Token::PGSquareRoot,
        "||/" => Token::PGCubeRoot,
        "=>" => Token::RArrow,
        "->" => Token::Arrow,
        "->>" => Token::LongArrow,
        "#>" => Token::HashArrow,
        "#>>" => Token::HashLongArrow,
        "@-@" => Token::AtDashAt,
        "?-" => Token::QuestionMarkDash,
        "&<" => Token::AmpersandLeftAngleBracket,
        "&>" => Token::AmpersandRightAngleBracket,
        "&<|" => Token::AmpersandLeftAngleBracketVerticalBar,
        "|&>" => Token::VerticalBarAmpersandRightAngleBracket,
        "<->" => Token::TwoWayArrow,
        "<^" => Token::LeftAngleBracketCaret,
        ">^" => Token::RightAngleBracketCaret,
        "?#" => Token::QuestionMarkSharp,
        "?-|" => Token::QuestionMarkDashVerticalBar,
        "?||" => Token::QuestionMarkDoubleVerticalBar,
        "~=" => Token::TildeEqual,
        "<<|" => Token::ShiftLeftVerticalBar,
        "|>>" => Token::VerticalBarShiftRight,
        "@>" => Token::AtArrow,
        "<@" => Token::ArrowAt,
        "#-" => Token::HashMinus,
        "@?" => Token::AtQuestion,
        "@@" => Token::AtAt,
        "?" => Token::Question,
        "?&" => Token::QuestionAnd,
        "?|" => Token::QuestionPipe,
        _ => Token::CustomBinaryOperator(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(String, &str)> {
        let source = Text::whole(FileId(0), text);
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
