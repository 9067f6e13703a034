//! Rules for SQL/JSON (manual, 9.16); see [`crate::sql::repair`].

use sqlparser::tokenizer::Token;

use super::Rewrite;
use crate::sql::lex::keyword::QUERY;

/// `JSON_TABLE(…)` in FROM keeps its values and loses the clauses behind them.
pub(super) fn json_table(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "JSON_TABLE") || *rewrite.token(at + 1) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 1)?;
    // A name that is no key word: sqlparser has a rule of its own for it.
    rewrite.put(at, Token::make_word("json_table_function", None));
    rewrite.keep(at + 1);
    let query = rewrite.is_any(at + 2, QUERY);
    if query {
        rewrite.put(at + 1, Token::LParen);
    }
    let (mut offset, mut depth) = (at + 2, 0usize);
    while offset < close {
        match rewrite.token(offset) {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 {
            rewrite.keep(offset);
            offset += 1;
            continue;
        }
        if rewrite.is_all(offset, &["FORMAT", "JSON"]) {
            offset += if rewrite.is(offset + 2, "ENCODING") { 4 } else { 2 };
        } else if ends_values(rewrite, offset, query) {
            break;
        } else {
            match rewrite.token(offset) {
                Token::Colon => rewrite.put(offset, Token::Comma),
                Token::Word(_) if rewrite.is(offset, "VALUE") => rewrite.put(offset, Token::Comma),
                _ => rewrite.keep(offset),
            }
            offset += 1;
        }
    }
    if query {
        rewrite.put(close, Token::RParen);
    }
    rewrite.keep(close);
    Some(close + 1)
}

/// Whether the clauses behind the values begin here.
fn ends_values(rewrite: &Rewrite, at: usize, query: bool) -> bool {
    let after_value =
        !matches!(rewrite.before(at), Token::Comma | Token::Colon) && !rewrite.is(at.saturating_sub(1), "VALUE");
    let clauses = ["RETURNING", "PASSING", "COLUMNS", "ABSENT", "KEEP", "OMIT", "ERROR", "EMPTY", "DEFAULT"];
    let unique = rewrite.is_any(at, &["WITH", "WITHOUT"])
        && rewrite.is_any(at + 1, &["UNIQUE", "WRAPPER", "CONDITIONAL", "UNCONDITIONAL", "ARRAY"]);
    let on = rewrite.is_any(at, &["NULL", "TRUE", "FALSE", "UNKNOWN"]) && rewrite.is(at + 1, "ON") && after_value;
    let ordered = !query && rewrite.is_all(at, &["ORDER", "BY"]);
    rewrite.is_any(at, &clauses) || unique || on || ordered || (rewrite.is(at, "AS") && !query)
}
