//! Files to statements: splitting, tokens, reading, and a second try with the constructs rewritten that sqlparser lacks.

use rayon::prelude::*;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::lex::lexer::Rules;
use super::lex::split::{Piece, PieceKind, Sender, Split, split};
use super::lex::token::{Origin, Text, bytes_of, tokenize};
use super::newer::newer;
use super::read::reader::Reader;
use super::read::statement::read_statement;
use super::{Include, Script, misspelt, repair};
use crate::change::{
    Change, Code, Do, Dynamic, Flow, Name, Newer, PSQL, Reach, Statement, TransactionControl, Unreadable,
};
use crate::source::{FileId, SourceFile, Span};
use crate::stack;

/// Reads every statement of a file. Never fails: a statement that cannot be read says so itself.
pub fn read_script(file: FileId, source: &SourceFile) -> Script {
    read_section(source, Span::new(file, 0, source.text.len()), Sender::Psql)
}

/// As [`read_script`], of a part of the file: what a migration tool runs of it.
pub fn read_section(source: &SourceFile, section: Span, sender: Sender) -> Script {
    let whole = Text::whole(section.file, &source.text);
    let text = whole.part(section.start as usize, section.end as usize);
    let Split { pieces, comments, meta_commands, .. } = split(text.text, text.rules, sender);
    let spans = |ranges: Vec<std::ops::Range<usize>>| -> Vec<Span> {
        ranges.into_iter().map(|range| text.span(range.start, range.end)).collect()
    };
    let statements = if pieces.len() < MANY {
        pieces.iter().map(|piece| read_piece(&text, piece)).collect()
    } else {
        pieces.par_iter().map(|piece| read_piece(&text, piece)).collect()
    };
    let includes = includes_of(&text, &pieces);
    Script { statements, comments: spans(comments), meta_commands: spans(meta_commands), includes }
}

/// The comments in a body: a string constant, with its quotes, at its place in a file.
pub fn comments_of_body(place: Span, constant: &str) -> Vec<Span> {
    let quote = match constant.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(end) => end + 2,
        None => constant.find('\'').map_or(0, |at| at + 1),
    };
    let close = if constant.starts_with('$') { quote } else { 1 };
    let end = constant.len().saturating_sub(close);
    let Some(inside) = constant.get(quote..end) else { return Vec::new() };
    let start = place.start as usize + quote;
    let found = split(inside, Rules::default(), Sender::Plain).comments;
    found.into_iter().map(|range| Span::new(place.file, start + range.start, start + range.end)).collect()
}

/// The files whose statements psql runs from a part of a file; reads no statement.
pub fn includes(source: &SourceFile, section: Span) -> Vec<Include> {
    let whole = Text::whole(section.file, &source.text);
    let text = whole.part(section.start as usize, section.end as usize);
    if !text.text.contains("\\i") {
        return Vec::new();
    }
    includes_of(&text, &split(text.text, text.rules, Sender::Psql).pieces)
}

fn includes_of(text: &Text, pieces: &[Piece]) -> Vec<Include> {
    let include = |(statement, piece): (usize, &Piece)| match &piece.kind {
        PieceKind::Include(include) => Some(Include {
            statement,
            command: text.span(piece.range.start, piece.range.end),
            path: include.path.clone(),
            from_here: include.from_here,
        }),
        PieceKind::Statement | PieceKind::RunsResult | PieceKind::Begins => None,
    };
    pieces.iter().enumerate().filter_map(include).collect()
}

/// As [`read_script`], of a text too long to be kept as statements: the DDL of a whole database. Hands the statements on in lots, in
/// their order; while one lot is at work the next is read.
pub fn read_in_lots(file: FileId, source: &SourceFile, mut take: impl FnMut(Vec<Statement>) + Send) {
    let text = Text::whole(file, &source.text);
    let pieces = split(text.text, text.rules, Sender::Psql).pieces;
    let read = |lot: Option<&[Piece]>| -> Vec<Statement> {
        lot.unwrap_or_default().par_iter().map(|piece| read_piece(&text, piece)).collect()
    };
    let mut lots = pieces.chunks(MANY);
    let mut next = read(lots.next());
    while !next.is_empty() {
        let lot = std::mem::take(&mut next);
        ((), next) = rayon::join(|| take(lot), || read(lots.next()));
    }
}

/// So many statements are read in parallel.
const MANY: usize = 500;

/// Reads the statements of a text that stands inside a file: a function body, EXECUTE of a literal.
pub(super) fn read_text(text: &Text) -> Vec<Statement> {
    split(text.text, text.rules, Sender::Plain).pieces.iter().map(|piece| read_piece(text, piece)).collect()
}

fn read_piece(text: &Text, piece: &Piece) -> Statement {
    let text = &Text { rules: piece.rules, ..*text };
    let span = text.span(piece.range.start, piece.range.end);
    let sent = with_values(text, piece);
    if piece.kind == PieceKind::Begins {
        let change = Ok(Change::Transaction(TransactionControl::Begin));
        let sent = Some("BEGIN".into());
        return Statement { span, change, conditional: piece.conditional, newer: Vec::new(), sent };
    }
    if piece.kind == PieceKind::RunsResult {
        let code = Code {
            flow: vec![Flow::Dynamic(Dynamic { place: span, reach: Reach::All, removes: None })],
            dynamic: vec![span],
            ..Code::default()
        };
        let change = Ok(Change::Do(Do { language: Name::new(PSQL), code, body: span }));
        return Statement { span, change, conditional: piece.conditional, newer: Vec::new(), sent: None };
    }
    let (change, newer) = match &piece.problem {
        Some(problem) => {
            let span = text.span(problem.range.start, problem.range.end);
            (Err(Unreadable { kind: problem.kind, ..Unreadable::new(&*problem.message, span) }), Vec::new())
        }
        None => {
            let data = piece.data.as_ref().map(|range| text.span(range.start, range.end));
            match &sent {
                Some(Sent { text: sent, places }) => {
                    read_sent(Text { text: sent, origin: Origin::Mapped(places), ..*text }, data)
                }
                None => read_sent(text.part(piece.range.start, piece.range.end), data),
            }
        }
    };
    Statement { span, change, conditional: piece.conditional, newer, sent: sent.map(|sent| sent.text.into()) }
}

fn read_sent(text: Text, copy_data: Option<Span>) -> (Result<Change, Unreadable>, Vec<Newer>) {
    match tokenize(&text) {
        Ok(tokens) => {
            let newer = newer(&text, &tokens);
            (read_tokens(text, tokens, copy_data), newer)
        }
        Err(error) => (Err(error), Vec::new()),
    }
}

/// What psql sends of a statement with variables: its text, and for every byte of it, and for its end, the offset in the file.
struct Sent {
    text: String,
    places: Vec<u32>,
}

fn with_values(text: &Text, piece: &Piece) -> Option<Sent> {
    if piece.values.is_empty() {
        return None;
    }
    let mut sent = Sent { text: String::new(), places: Vec::new() };
    let mut at = piece.range.start;
    for (range, value) in &piece.values {
        sent.copy(text, at..range.start);
        sent.text.push_str(value);
        let (start, last) = (text.span(range.start, range.start).start, text.span(range.end - 1, range.end - 1).start);
        let places = (0..value.len()).map(|byte| if byte > 0 && byte + 1 == value.len() { last } else { start });
        sent.places.extend(places);
        at = range.end;
    }
    sent.copy(text, at..piece.range.end);
    sent.places.push(text.span(piece.range.end, piece.range.end).start);
    Some(sent)
}

impl Sent {
    fn copy(&mut self, text: &Text, range: std::ops::Range<usize>) {
        self.places.extend(range.clone().map(|at| text.span(at, at).start));
        self.text.push_str(text.text.get(range).unwrap_or_default());
    }
}

/// Reads one statement from its tokens; when that fails, once more with its tokens repaired.
pub(super) fn read_tokens(
    text: Text,
    tokens: Vec<TokenWithSpan>,
    copy_data: Option<Span>,
) -> Result<Change, Unreadable> {
    match chain_longer_than(&tokens, LONGEST_EXPRESSION) {
        Some((start, end)) => {
            let message = format!("an expression has more than {LONGEST_EXPRESSION} operators");
            Err(Unreadable::new(message, text.span(start, end)))
        }
        None if chain_longer_than(&tokens, SHORT_EXPRESSION).is_some() => {
            stacker::grow(stack::DEEPEST, || read_or_repair(text, tokens, copy_data))
        }
        None => read_or_repair(text, tokens, copy_data),
    }
}

fn read_or_repair(text: Text, tokens: Vec<TokenWithSpan>, copy_data: Option<Span>) -> Result<Change, Unreadable> {
    let (mut tokens, mut stopped, first) = match read_once(text, tokens, copy_data) {
        Ok(change) => return Ok(change),
        Err(failed) => (failed.tokens, failed.at, failed.error),
    };
    if let Some(refused) = misspelt::refused(text, &tokens) {
        return Err(refused);
    }
    let mut tries = (MOST_TOKENS / tokens.len().max(1)).clamp(FEWEST_TRIES, MOST_TRIES);
    'next: loop {
        let here = tokens.partition_point(|token| bytes_of(token).0 < stopped);
        for at in nearest(here, tokens.len()) {
            let Some(repaired) = repair::repair_at(&tokens, at) else { continue };
            tries -= 1;
            match read_once(text, repaired.clone(), copy_data) {
                Ok(change) => return Ok(change),
                Err(_) if tries == 0 => return Err(first),
                // It helped: what comes next is another place.
                Err(next) if next.at > stopped => {
                    (tokens, stopped) = (repaired, next.at);
                    continue 'next;
                }
                Err(_) => {}
            }
        }
        return Err(first);
    }
}

/// How often one statement is read again, and how many tokens are read for it, so that a long one costs no more than many short ones.
const MOST_TRIES: usize = 200;
const FEWEST_TRIES: usize = 8;
const MOST_TOKENS: usize = 400_000;

/// How far before and after the token where reading stopped a clause may begin that is the cause.
const NEAR: usize = 40;

/// The tokens around one, those before it first, by their distance.
fn nearest(here: usize, tokens: usize) -> impl Iterator<Item = usize> {
    let before = (0..NEAR).filter_map(move |distance| here.checked_sub(distance));
    before.chain(here + 1..here + NEAR).filter(move |at| *at < tokens)
}

/// A statement that could not be read: its tokens, and where reading stopped in bytes of the text.
struct Stopped {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    error: Unreadable,
}

/// Reads the tokens as they are.
fn read_once(text: Text, tokens: Vec<TokenWithSpan>, copy_data: Option<Span>) -> Result<Change, Box<Stopped>> {
    let mut reader = Reader::new(text, tokens);
    reader.copy_data = copy_data;
    read_statement(&mut reader).map_err(|error| {
        let at = reader.stopped();
        Box::new(Stopped { tokens: reader.parser.into_tokens(), at, error })
    })
}

/// A chain of operators makes a tree as deep as it is long, and whoever walks it needs stack for every one.
const LONGEST_EXPRESSION: usize = 1200;

/// Up to here any thread's stack will do; beyond it, a stack of its own is taken.
const SHORT_EXPRESSION: usize = 50;

/// Words that stand between, or behind, the parts of a chain.
const CHAINED: &[Keyword] = &[
    Keyword::AND,
    Keyword::OR,
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::JOIN,
    Keyword::AT,
    Keyword::IS,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::SIMILAR,
    Keyword::BETWEEN,
    Keyword::IN,
    Keyword::COLLATE,
];

/// The operator that is one too many, in bytes of the text.
fn chain_longer_than(tokens: &[TokenWithSpan], longest: usize) -> Option<(usize, usize)> {
    let (mut outer, mut here) = (Vec::new(), 0usize);
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket => outer.push(std::mem::take(&mut here)),
            Token::RParen | Token::RBracket => here = outer.pop().unwrap_or_default(),
            Token::Comma | Token::SemiColon => here = 0,
            Token::Word(word) => {
                here += usize::from(word.quote_style.is_none() && CHAINED.contains(&word.keyword));
            }
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Period | Token::Placeholder(_) => {}
            _ => here += 1,
        }
        if here > longest {
            return Some(bytes_of(token));
        }
    }
    None
}

impl Reader<'_> {
    /// Reads the statements from the next token up to a position: the actions of a rule, the body of BEGIN ATOMIC.
    pub(super) fn statements_until(&mut self, end: usize) -> Vec<Statement> {
        let start = self.position();
        if end <= start {
            return Vec::new();
        }
        let (first, last) = (self.bytes_at(start).0, self.bytes_at(end - 1).1);
        self.restore(end);
        read_text(&self.text.part(first, last))
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
