//! JSON_TABLE and XMLTABLE (manual, 9.16.4 and 9.15.3.3): calls in FROM that list the columns they give.
//!
//! Each becomes a call with everything that is computed in it as arguments, and an alias that defines its columns with their types:
//! `JSON_TABLE(d, '$' PASSING x AS v COLUMNS (n int PATH '$.n' DEFAULT y ON EMPTY)) AS j` is
//! `json_table_function(d, '$', x, '$.n', y) AS j (n int)`.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::Rewrite;
use crate::sql::lex::keyword::can_name_column;

pub(super) fn table_function(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    // Names that are no key words: sqlparser has rules of its own for those.
    let (call, alias) = match () {
        () if rewrite.is(at, "JSON_TABLE") => ("json_table_function", "json_table"),
        () if rewrite.is(at, "XMLTABLE") => ("xml_table_function", "xmltable"),
        () => return None,
    };
    let close = (*rewrite.token(at + 1) == Token::LParen).then(|| rewrite.closing(at + 1)).flatten()?;
    let mut found = Found::default();
    found.head(rewrite, at + 2, close)?;
    rewrite.put(at, Token::make_word(call, None));
    rewrite.keep(at + 1);
    for (n, value) in found.values.iter().enumerate() {
        if n > 0 {
            rewrite.put(value.start, Token::Comma);
        }
        value.clone().for_each(|offset| rewrite.keep(offset));
    }
    rewrite.keep(close);
    let ordinal = rewrite.is_all(close + 1, &["WITH", "ORDINALITY"]);
    let after = close + if ordinal { 3 } else { 1 };
    (close + 1..after).for_each(|offset| rewrite.keep(offset));
    found.alias(rewrite, after, alias)
}

/// What a call computes, and the columns that it gives, as offsets of tokens.
#[derive(Default)]
struct Found {
    values: Vec<Range<usize>>,
    columns: Vec<Column>,
}

struct Column {
    name: usize,
    /// FOR ORDINALITY has none.
    data_type: Option<Range<usize>>,
}

/// Where a value or a type ends, at the depth that it began in.
const CLAUSES: &[&str] =
    &["PASSING", "COLUMNS", "FORMAT", "AS", "BY", "PATH", "ON", "EXISTS", "KEEP", "OMIT", "DEFAULT"];

impl Found {
    /// The values up to COLUMNS, and the columns.
    fn head(&mut self, rewrite: &Rewrite, start: usize, close: usize) -> Option<()> {
        let mut at = start;
        while at < close {
            if rewrite.is(at, "COLUMNS") {
                let list = at + 1;
                return match rewrite.token(list) {
                    Token::LParen => self.columns(rewrite, list + 1, rewrite.closing(list)?),
                    _ => self.columns(rewrite, list, close),
                };
            }
            at = match () {
                () if *rewrite.token(at) == Token::Comma => at + 1,
                () if rewrite.is(at, "PASSING") && at > start => at + 1,
                () if rewrite.is(at, "BY") && rewrite.is_any(at + 1, &["REF", "VALUE"]) => at + 2,
                () if rewrite.is(at, "AS") => at + 2,
                () if rewrite.is_all(at, &["FORMAT", "JSON", "ENCODING"]) => at + 4,
                () if rewrite.is_all(at, &["FORMAT", "JSON"]) => at + 2,
                () if rewrite.is(at, "XMLNAMESPACES") => self.namespaces(rewrite, at + 1)?,
                () => self.value(rewrite, at, close),
            };
        }
        None
    }

    /// `('uri' AS name, DEFAULT 'uri')`.
    fn namespaces(&mut self, rewrite: &Rewrite, open: usize) -> Option<usize> {
        let close = rewrite.closing(open)?;
        let mut at = open + 1;
        while at < close {
            at = match () {
                () if *rewrite.token(at) == Token::Comma || rewrite.is(at, "DEFAULT") => at + 1,
                () if rewrite.is(at, "AS") => at + 2,
                () => self.value(rewrite, at, close),
            };
        }
        Some(close + 1)
    }

    /// An expression, up to the comma or the clause behind it.
    fn value(&mut self, rewrite: &Rewrite, start: usize, close: usize) -> usize {
        let end = end_of(rewrite, start, close, CLAUSES);
        self.values.push(start..end);
        end
    }

    fn columns(&mut self, rewrite: &Rewrite, start: usize, close: usize) -> Option<()> {
        let mut at = start;
        while at < close {
            at = self.column(rewrite, at, close)?;
        }
        Some(())
    }

    /// One column with the comma behind it, or the columns of NESTED.
    fn column(&mut self, rewrite: &Rewrite, at: usize, close: usize) -> Option<usize> {
        let nested = rewrite.is(at, "NESTED")
            && (rewrite.is(at + 1, "PATH") || matches!(rewrite.token(at + 1), Token::SingleQuotedString(_)));
        if nested {
            let list = (at..close).find(|offset| rewrite.is(*offset, "COLUMNS"))? + 1;
            let path = at + 1 + usize::from(rewrite.is(at + 1, "PATH"));
            self.values.push(path..path + 1);
            let end = rewrite.closing(list)?;
            self.columns(rewrite, list + 1, end)?;
            return Some(end + 1 + usize::from(*rewrite.token(end + 1) == Token::Comma));
        }
        if !matches!(rewrite.token(at), Token::Word(_)) {
            return None;
        }
        if rewrite.is_all(at + 1, &["FOR", "ORDINALITY"]) {
            self.columns.push(Column { name: at, data_type: None });
            return Some(at + 3 + usize::from(*rewrite.token(at + 3) == Token::Comma));
        }
        let end = type_end(rewrite, at + 1, close);
        self.columns.push(Column { name: at, data_type: Some(at + 1..end) });
        self.options(rewrite, end, close)
    }

    /// What follows a column's type: its path and its defaults are computed.
    fn options(&mut self, rewrite: &Rewrite, start: usize, close: usize) -> Option<usize> {
        let mut at = start;
        while at < close && *rewrite.token(at) != Token::Comma {
            at = match () {
                () if rewrite.is_any(at, &["PATH", "DEFAULT"]) => {
                    let stops =
                        ["PATH", "DEFAULT", "ON", "WITH", "WITHOUT", "KEEP", "OMIT", "ERROR", "EMPTY", "NOT", "NULL"];
                    // NULL may be the default itself.
                    let end = end_of(rewrite, at + 1, close, &stops).max(at + 2).min(close);
                    self.values.push(at + 1..end);
                    end
                }
                () => at + 1,
            };
        }
        Some(at + 1)
    }

    /// The alias after the call, with the columns and their types; those that the alias renames have its names.
    fn alias(&self, rewrite: &mut Rewrite, after: usize, unnamed: &str) -> Option<usize> {
        let at = after + usize::from(rewrite.is(after, "AS"));
        let named = match rewrite.token(at) {
            Token::Word(word) => at > after || word.quote_style.is_some() || can_name_column(&word.value),
            _ => false,
        };
        let (mut end, mut renamed) = (after, Vec::new());
        rewrite.put_word(after.saturating_sub(1), "AS");
        if named {
            rewrite.keep(at);
            end = at + 1;
            if *rewrite.token(end) == Token::LParen {
                let close = rewrite.closing(end)?;
                renamed = (end + 1..close).filter(|offset| matches!(rewrite.token(*offset), Token::Word(_))).collect();
                end = close + 1;
            }
        } else {
            rewrite.put(after.saturating_sub(1), Token::make_word(unnamed, None));
        }
        let last = end.saturating_sub(1);
        for (n, column) in self.columns.iter().enumerate() {
            rewrite.put(last, if n == 0 { Token::LParen } else { Token::Comma });
            rewrite.keep(*renamed.get(n).unwrap_or(&column.name));
            match &column.data_type {
                Some(data_type) => data_type.clone().for_each(|offset| rewrite.keep(offset)),
                None => rewrite.put_word(last, "INTEGER"),
            }
        }
        if !self.columns.is_empty() {
            rewrite.put(last, Token::RParen);
        }
        Some(end)
    }
}

/// The first of the words, or the first comma, outside of brackets.
fn end_of(rewrite: &Rewrite, start: usize, close: usize, stops: &[&str]) -> usize {
    let mut at = start;
    while at < close {
        match rewrite.token(at) {
            Token::LParen | Token::LBracket => at = rewrite.closing(at).unwrap_or(close),
            Token::Comma => break,
            _ if at > start && rewrite.is_any(at, stops) => break,
            _ => {}
        }
        at += 1;
    }
    at.min(close)
}

/// `timestamp with time zone` has a word in it that begins a clause elsewhere.
fn type_end(rewrite: &Rewrite, start: usize, close: usize) -> usize {
    const STOPS: &[&str] = &[
        "EXISTS", "FORMAT", "PATH", "KEEP", "OMIT", "ERROR", "NULL", "NOT", "TRUE", "FALSE", "UNKNOWN", "EMPTY",
        "DEFAULT",
    ];
    let stops = [STOPS, &["WITH", "WITHOUT"]].concat();
    let mut end = end_of(rewrite, start, close, &stops);
    while rewrite.is_any(end, &["WITH", "WITHOUT"]) && rewrite.is(end + 1, "TIME") {
        end = end_of(rewrite, end, close, &stops);
    }
    end
}
