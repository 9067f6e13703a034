//! Cuts a text into statements.
//!
//! In: SQL as psql, or a tool that sends it on, is fed it. Out: the range of every statement, comments and psql commands. It reads every byte once, and never
//! fails: what is wrong with a statement is kept with it.

mod command;

use std::collections::BTreeMap;

use super::copy_data;
use super::lexer::{Lexeme, Rules, Unclosed, lexeme};
use super::psql::{self, Branches, Control, Include};
use super::string_setting;
use crate::change::UnreadableKind;

/// A range of bytes in the text.
pub(super) type Range = std::ops::Range<usize>;

#[derive(Debug, Default)]
pub(in crate::sql) struct Split {
    pub pieces: Vec<Piece>,
    pub comments: Vec<Range>,
    pub meta_commands: Vec<Range>,
    /// The settings under which what follows the text is read.
    pub rules: Rules,
    /// What begins the first string, name or comment that does not end in the text.
    pub unclosed: Option<Range>,
    /// The last statement has no semicolon.
    pub is_open: bool,
}

/// What sends a text to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sender {
    /// psql: it runs backslash commands, and sends the rows behind COPY … FROM stdin.
    #[default]
    Psql,
    /// A tool that sends the rows behind COPY … FROM stdin, and has no commands.
    CopyData,
    /// A tool that sends all of it.
    Plain,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sql) struct Piece {
    /// From its first token to its last, without the semicolon.
    pub range: Range,
    /// The rows behind COPY … FROM stdin.
    pub data: Option<Range>,
    /// It is COPY … FROM stdin.
    pub takes_rows: bool,
    /// Why it cannot be read, where the scanner knows already.
    pub problem: Option<Problem>,
    /// The settings under which it is read.
    pub rules: Rules,
    /// It is under psql's `\if`.
    pub conditional: bool,
    /// What psql puts in the place of its variables, in order.
    pub values: Vec<(Range, String)>,
    pub kind: PieceKind,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sql) enum PieceKind {
    #[default]
    Statement,
    /// BEGIN, which psql sends before a statement where AUTOCOMMIT is off.
    Begins,
    /// `\gexec`, which runs what the query before it returns.
    RunsResult,
    Include(Include),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Problem {
    pub message: String,
    pub range: Range,
    pub kind: UnreadableKind,
}

/// How often scanning starts again behind an unclosed string: each time may read to the end of the text.
const RESUMPTIONS: usize = 16;

/// Bytes in which a placeholder has to be closed.
const LONGEST_PLACEHOLDER: usize = 200;

pub(in crate::sql) fn split(text: &str, rules: Rules, sender: Sender) -> Split {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), rules, sender, ..Scanner::default() };
    scanner.run();
    scanner.found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Other,
    Copy,
    Create,
    CreateRule,
}

/// What is known of the statement that is being scanned.
#[derive(Debug, Default)]
struct Current {
    start: Option<usize>,
    end: usize,
    kind: Kind,
    words: usize,
    last_word: Range,
    parentheses: usize,
    brackets: usize,
    /// BEGIN ATOMIC and CASE that are open.
    blocks: usize,
    from_stdin: bool,
    /// It may change how the text behind it is read.
    sets_strings: bool,
    problem: Option<Problem>,
    values: Vec<(Range, String)>,
}

#[derive(Debug, Default)]
struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    current: Current,
    found: Split,
    rules: Rules,
    sender: Sender,
    /// Where the command before ended.
    behind_command: usize,
    /// How many `\if` are open.
    conditions: Vec<Branches>,
    /// What `\set` gave variables, but where it may not have run.
    variables: BTreeMap<String, String>,
    /// psql commits nothing by itself.
    autocommit_off: bool,
    in_block: bool,
    resumptions: usize,
    /// No `\.` line stands behind this offset.
    no_data_end_behind: Option<usize>,
    /// Rows of COPY begin behind this line: where the line ends, and where the rows do.
    rows: Option<(usize, usize)>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        loop {
            while self.at < self.bytes.len() {
                self.step();
            }
            // psql reads the rows first and then goes on with the rest of the line.
            let Some((_, behind)) = self.rows.take() else { break };
            (self.at, self.bytes) = (behind, self.text.as_bytes());
        }
        self.found.is_open = self.current.start.is_some();
        self.finish(None);
        self.found.rules = self.rules;
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// Reads one token, comment or space.
    fn step(&mut self) {
        match (self.byte(0), self.byte(1)) {
            (b';', _) => return self.semicolon(),
            (b'\\', _) if self.sender != Sender::Psql => return self.refused_command(),
            (b'\\', _) if self.is_meta_command() => return self.meta_command(),
            (b':', _) => return self.colon(),
            (b'{', b'{') => return self.placeholder("}}", 2),
            (b'$', b'{') => return self.placeholder("}", 2),
            _ => {}
        }
        let (lexeme, end) = lexeme(self.bytes, self.at, self.rules);
        match lexeme {
            Lexeme::Space => self.at = end,
            Lexeme::LineComment | Lexeme::BlockComment => {
                self.found.comments.push(self.at..end);
                self.at = end;
            }
            Lexeme::Word => self.word(end),
            Lexeme::QuotedName | Lexeme::UnicodeName => self.quoted_name(end),
            Lexeme::String(_) | Lexeme::DollarString(_) => self.string(end),
            Lexeme::Symbol => self.symbol(end),
            Lexeme::Number | Lexeme::Parameter | Lexeme::Operator => self.token(end),
            Lexeme::Unclosed(what) => self.unclosed(what),
        }
    }

    /// Takes everything up to an offset as one token.
    fn token(&mut self, end: usize) {
        self.current.start.get_or_insert(self.at);
        self.current.end = end;
        self.at = end;
    }

    fn symbol(&mut self, end: usize) {
        let current = &mut self.current;
        match self.bytes[self.at] {
            b'(' => current.parentheses += 1,
            b')' => current.parentheses = current.parentheses.saturating_sub(1),
            b'[' => current.brackets += 1,
            b']' => current.brackets = current.brackets.saturating_sub(1),
            _ => {}
        }
        self.token(end);
    }

    fn word(&mut self, end: usize) {
        let range = self.at..end;
        let last = std::mem::replace(&mut self.current.last_word, range.clone());
        let adjacent = last.end == self.current.end;
        match self.current.words {
            0 if self.is_word(&range, "copy") => self.current.kind = Kind::Copy,
            0 if self.is_word(&range, "create") => self.current.kind = Kind::Create,
            1..=3 if self.current.kind == Kind::Create && self.is_word(&range, "rule") => {
                self.current.kind = Kind::CreateRule;
            }
            _ => {}
        }
        match self.current.kind {
            Kind::Create => self.count_blocks(&last, &range, adjacent),
            Kind::Copy if self.current.parentheses == 0 && adjacent => {
                self.current.from_stdin |= self.is_word(&range, "stdin") && self.is_word(&last, "from");
            }
            _ => {}
        }
        let resets = self.current.words == 0 && ["reset", "discard"].iter().any(|word| self.is_word(&range, word));
        self.current.sets_strings |= resets || self.is_word(&range, string_setting::NAME);
        self.current.words += 1;
        self.token(end);
    }

    /// Counts BEGIN ATOMIC … END, and the CASE … END in it. Behind a dot or AS every word is a name.
    fn count_blocks(&mut self, last: &Range, word: &Range, adjacent: bool) {
        let names =
            self.bytes.get(self.current.end.wrapping_sub(1)) == Some(&b'.') || (adjacent && self.is_word(last, "as"));
        if self.current.blocks == 0 {
            let begins = adjacent && self.is_word(word, "atomic") && self.is_word(last, "begin");
            self.current.blocks = usize::from(begins);
        } else if self.is_word(word, "case") && !names {
            self.current.blocks += 1;
        } else if self.is_word(word, "end") && !names {
            self.current.blocks -= 1;
        }
    }

    fn is_word(&self, range: &Range, word: &str) -> bool {
        self.bytes.get(range.clone()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn string(&mut self, end: usize) {
        self.current.sets_strings |= self.is_word(&(self.at + 1..end - 1), string_setting::NAME);
        self.token(end);
    }

    fn quoted_name(&mut self, end: usize) {
        let inside = &self.text[self.at..end];
        if let Some(open) = inside.find("${") {
            let close = inside[open..].find('}').map_or(inside.len(), |close| open + close + 1);
            self.set_placeholder_problem(self.at + open..self.at + close);
        }
        self.current.sets_strings |= self.is_word(&(self.at + 1..end - 1), string_setting::NAME);
        self.token(end);
    }

    /// `${name}`, `{{ name }}`: a migration tool would have put a value here.
    fn placeholder(&mut self, close: &str, opening: usize) {
        let near = self.bytes.len().min(self.at + LONGEST_PLACEHOLDER);
        let line = self.bytes[self.at + opening..near].split(|byte| *byte == b'\n').next().unwrap_or_default();
        match line.windows(close.len()).position(|window| window == close.as_bytes()) {
            Some(found) => {
                let end = self.at + opening + found + close.len();
                self.set_placeholder_problem(self.at..end);
                self.token(end);
            }
            None => self.token(self.at + 1),
        }
    }

    fn set_placeholder_problem(&mut self, range: Range) {
        let name = self.text.get(range.clone()).unwrap_or_default();
        let message = format!("the placeholder {name} has no value");
        self.set_problem(message, range, UnreadableKind::Text);
    }

    fn set_problem(&mut self, message: String, range: Range, kind: UnreadableKind) {
        self.current.problem.get_or_insert(Problem { message, range, kind });
    }

    /// `::`, `:=`, `a[1:2]`, or a variable of psql: `:name`, `:'name'`, `:"name"`.
    fn colon(&mut self) {
        if matches!(self.byte(1), b':' | b'=') {
            return self.token(self.at + 2);
        }
        let asked = psql::asked(self.text, self.at).filter(|asked| asked.end <= self.bytes.len());
        let Some(asked) = asked else { return self.token(self.at + 1) };
        let (range, end) = (self.at..asked.end, asked.end);
        // A value that ends a statement is more than a part of one.
        if let Some(value) = self.variables.get(asked.name).filter(|value| !value.contains(';')) {
            self.current.values.push((range, asked.written(value)));
            return self.token(end);
        }
        let behind_value = self.at == self.current.end && self.current.start.is_some();
        let free = !behind_value || matches!(self.bytes.get(self.at.wrapping_sub(1)), Some(b'(' | b',' | b'=' | b'.'));
        if self.current.brackets > 0 || !free {
            return self.token(self.at + 1);
        }
        let message = format!("the psql variable {} has no value", &self.text[range.clone()]);
        self.set_problem(message, range, UnreadableKind::Text);
        self.token(end);
    }

    fn semicolon(&mut self) {
        let current = &self.current;
        if current.blocks > 0 || (current.kind == Kind::CreateRule && current.parentheses > 0) {
            return self.token(self.at + 1);
        }
        let data = self.current.from_stdin && self.sender != Sender::Plain;
        self.at += 1;
        let data = if data && self.current.problem.is_none() { self.copy_data() } else { None };
        self.finish(data);
    }

    /// The rows from the next line to the line `\.`; none when there is no such line.
    fn copy_data(&mut self) -> Option<Range> {
        if self.no_data_end_behind.is_some_and(|offset| offset <= self.at) {
            return None;
        }
        let line_end = self.at + self.bytes[self.at..].iter().take_while(|byte| **byte != b'\n').count();
        let (line_end, start) = match self.rows {
            Some((line_end, behind)) => (line_end, copy_data::next_line(self.text.as_bytes(), behind)),
            None => (line_end, copy_data::next_line(self.bytes, line_end)),
        };
        let Some((end, behind)) = copy_data::end(self.text, start) else {
            self.no_data_end_behind = Some(self.at);
            return None;
        };
        self.rows = Some((line_end, behind));
        self.bytes = &self.text.as_bytes()[..line_end];
        Some(start..end)
    }

    fn add(&mut self, range: Range, problem: Option<Problem>, kind: PieceKind) {
        let runs = self.runs();
        if runs == Some(false) {
            return;
        }
        let (rules, conditional, values) = (self.rules, runs.is_none(), Vec::new());
        let (data, takes_rows) = (None, false);
        self.found.pieces.push(Piece { range, data, takes_rows, problem, rules, conditional, values, kind });
    }

    /// The statement cannot be read; scanning goes on behind the next semicolon that ends a line.
    fn unclosed(&mut self, what: Unclosed) {
        let (what, opening) = match what {
            Unclosed::Comment => ("comment", 2),
            Unclosed::String => ("string", 1),
            Unclosed::QuotedName => ("quoted identifier", 1),
            Unclosed::DollarString(opening) => ("dollar-quoted string", opening),
        };
        let opening = self.at..self.at + opening;
        self.found.unclosed.get_or_insert(opening.clone());
        self.current.start.get_or_insert(self.at);
        self.set_problem(format!("the {what} that begins here is never closed"), opening, UnreadableKind::Invalid);
        self.resumptions += 1;
        let resume = if self.resumptions > RESUMPTIONS { None } else { statement_end(self.bytes, self.at) };
        self.at = resume.unwrap_or(self.bytes.len());
        let end = self.text[..self.at].trim_end_matches(|c: char| c.is_whitespace() || c == ';').len();
        self.current.end = end.max(self.current.start.unwrap_or_default() + 1);
        self.finish(None);
    }

    fn finish(&mut self, data: Option<Range>) {
        let current = std::mem::take(&mut self.current);
        let Some(start) = current.start else { return };
        let range = start..current.end;
        let rules = self.rules;
        if current.sets_strings {
            self.rules = string_setting::behind(&self.text[range.clone()], rules);
        }
        let runs = self.runs();
        if runs == Some(false) {
            return;
        }
        let control = psql::control(&self.text[range.clone()]);
        if self.autocommit_off && !self.in_block && control == Control::Other {
            self.add(start..start, None, PieceKind::Begins);
            self.in_block = true;
        }
        match control {
            Control::Begins => self.in_block = true,
            Control::Ends => self.in_block = false,
            Control::Alone | Control::Other => {}
        }
        let (problem, conditional, values) = (current.problem, runs.is_none(), current.values);
        let (takes_rows, kind) = (current.from_stdin, PieceKind::Statement);
        self.found.pieces.push(Piece { range, data, takes_rows, problem, rules, conditional, values, kind });
    }
}

/// Behind the next semicolon that ends a line.
fn statement_end(bytes: &[u8], start: usize) -> Option<usize> {
    let ends = |window: &[u8]| matches!(window, [b';', b'\n' | b'\r']);
    bytes.get(start..)?.windows(2).position(ends).map(|length| start + length + 1)
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
