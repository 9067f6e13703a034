//! Calls with a grammar of their own: those of SQL/JSON and XML.

use sqlparser::ast::{Expr, WindowType};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::keyword::QUERY;
use super::special::{self, Read, is, is_any, skip};
use super::token::nth;

/// Words that make a call of their own grammar when `(` follows (gram.y, `func_expr_common_subexpr`).
pub(super) const NAMES: &[&str] = &[
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_value",
    "xmlattributes",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
];

/// Clauses that are words, the longer of two that begin alike first.
const FIXED: &[&[&str]] = &[
    &["FORMAT", "JSON", "ENCODING"],
    &["FORMAT", "JSON"],
    &["ABSENT", "ON", "NULL"],
    &["NULL", "ON", "NULL"],
    &["WITH", "UNIQUE", "KEYS"],
    &["WITHOUT", "UNIQUE", "KEYS"],
    &["WITH", "UNIQUE"],
    &["WITHOUT", "UNIQUE"],
    &["WITHOUT", "ARRAY", "WRAPPER"],
    &["WITHOUT", "WRAPPER"],
    &["WITH", "CONDITIONAL", "ARRAY", "WRAPPER"],
    &["WITH", "CONDITIONAL", "WRAPPER"],
    &["WITH", "UNCONDITIONAL", "ARRAY", "WRAPPER"],
    &["WITH", "UNCONDITIONAL", "WRAPPER"],
    &["WITH", "ARRAY", "WRAPPER"],
    &["WITH", "WRAPPER"],
    &["KEEP", "QUOTES"],
    &["OMIT", "QUOTES"],
    &["ON", "SCALAR", "STRING"],
    &["ON", "EMPTY"],
    &["ON", "ERROR"],
    &["PASSING", "BY", "REF"],
    &["PASSING", "BY", "VALUE"],
    &["PASSING"],
    &["BY", "REF"],
    &["BY", "VALUE"],
    &["PRESERVE", "WHITESPACE"],
    &["STRIP", "WHITESPACE"],
    &["NO", "INDENT"],
    &["INDENT"],
    &["VERSION", "NO", "VALUE"],
    &["VERSION"],
    &["STANDALONE", "NO", "VALUE"],
    &["STANDALONE", "NO"],
    &["STANDALONE", "YES"],
    &["ORDER", "BY"],
    &["NULLS", "FIRST"],
    &["NULLS", "LAST"],
    &["ASC"],
    &["DESC"],
    &["EMPTY", "ARRAY"],
    &["EMPTY", "OBJECT"],
];

/// A call with a grammar of its own: the values in it are its arguments, its clauses are read over.
pub(super) fn call(parser: &mut Parser, name: &str) -> Read<Expr> {
    let mut found = special::call(name, arguments(parser, name)?);
    let Expr::Function(function) = &mut found else { return Ok(found) };
    if parser.parse_keyword(Keyword::FILTER) {
        parser.expect_token(&Token::LParen)?;
        parser.expect_keyword(Keyword::WHERE)?;
        function.filter = Some(Box::new(parser.parse_expr()?));
        parser.expect_token(&Token::RParen)?;
    }
    if parser.parse_keyword(Keyword::OVER) {
        function.over = Some(match parser.consume_token(&Token::LParen) {
            true => WindowType::WindowSpec(parser.parse_window_spec()?),
            false => WindowType::NamedWindow(parser.parse_identifier()?),
        });
    }
    Ok(found)
}

fn arguments(parser: &mut Parser, name: &str) -> Read<Vec<Expr>> {
    skip(parser, 1).expect_token(&Token::LParen)?;
    let mut values = Vec::new();
    if is_any(parser, 0, QUERY) && name.starts_with("json") {
        values.push(Expr::Subquery(parser.parse_query()?));
    }
    if (name == "xmlelement" || name == "xmlpi") && is(parser, 0, "NAME") {
        skip(parser, 2);
    }
    if is_any(parser, 0, &["CONTENT", "DOCUMENT"]) && (name == "xmlparse" || name == "xmlserialize") {
        skip(parser, 1);
    }
    while !parser.consume_token(&Token::RParen) {
        if is(parser, 0, "RETURNING") || (is(parser, 0, "AS") && name == "xmlserialize") {
            skip(parser, 1).parse_data_type()?;
        } else if is(parser, 0, "DEFAULT") {
            values.push(skip(parser, 1).parse_expr()?);
        } else if let Some(words) = clause(parser, name, values.is_empty()) {
            skip(parser, words);
        } else {
            values.push(parser.parse_expr()?);
        }
    }
    Ok(values)
}

/// The length of a clause, or of a mark between values, that begins with the next token.
fn clause(parser: &Parser, name: &str, first: bool) -> Option<usize> {
    let at = |words: &[&str]| words.iter().enumerate().all(|(n, word)| is(parser, n, word));
    if matches!(nth(parser, 0), Token::Comma | Token::Colon) {
        return Some(1);
    }
    if is_any(parser, 0, &["NULL", "ERROR", "EMPTY", "TRUE", "FALSE", "UNKNOWN"]) && is(parser, 1, "ON") {
        return Some(1 + if is(parser, 2, "NULL") { 2 } else { 0 });
    }
    // A label may be any word.
    if is(parser, 0, "AS") && name != "xmlserialize" {
        return Some(2);
    }
    if !first && is(parser, 0, "VALUE") {
        return Some(1);
    }
    let fixed = FIXED.iter().find(|words| at(words))?;
    // A column may be called as a clause begins; it stands first, or behind a comma.
    if first && fixed.len() == 1 {
        return None;
    }
    Some(fixed.len() + usize::from(fixed.last() == Some(&"ENCODING")))
}
