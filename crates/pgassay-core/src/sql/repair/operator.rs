//! Rules for operators, aliases and calls; see [`crate::sql::repair`].

use sqlparser::tokenizer::Token;

use super::Rewrite;
use crate::sql::lex::token::bytes_of;

/// `x ISNULL` is `x IS NULL`.
pub(super) fn is_null(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is_any(at, &["ISNULL", "NOTNULL"]) {
        return None;
    }
    let words: &[&str] = if rewrite.is(at, "ISNULL") { &["IS", "NULL"] } else { &["IS", "NOT", "NULL"] };
    words.iter().for_each(|word| rewrite.put_word(at, word));
    Some(at + 1)
}

/// SEARCH … SET c and CYCLE … SET c … USING d behind a WITH query.
pub(super) fn search_and_cycle(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let search = rewrite.is_all(at, &["SEARCH"]) && rewrite.is_any(at + 1, &["DEPTH", "BREADTH"]);
    let cycle = rewrite.is(at, "CYCLE") && matches!(rewrite.token(at + 1), Token::Word(_));
    if !(search || cycle) || *rewrite.before(at) != Token::RParen {
        return None;
    }
    let mut end = (at..rewrite.tokens.len()).find(|offset| rewrite.is(*offset, "SET"))? + 2;
    if cycle || rewrite.is(end, "CYCLE") {
        end = (end..rewrite.tokens.len()).find(|offset| rewrite.is(*offset, "USING"))? + 2;
    }
    Some(end)
}

/// `JOIN t USING (i) AS x`.
pub(super) fn join_alias(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "USING") || *rewrite.token(at + 1) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 1)?;
    if !rewrite.is(close + 1, "AS") {
        return None;
    }
    (at..=close).for_each(|offset| rewrite.keep(offset));
    Some(close + 3)
}

/// `f() AS (a int)`, `f() AS t (a int)`, `f() t (a int)`: columns with types become columns without.
pub(super) fn typed_columns(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let open = (at..at + 3).find(|offset| *rewrite.token(*offset) == Token::LParen)?;
    let alias = match open - at {
        1 => rewrite.is(at, "AS"),
        2 => rewrite.is(at, "AS"),
        _ => false,
    };
    let typed = matches!((rewrite.token(open + 1), rewrite.token(open + 2)), (Token::Word(_), Token::Word(_)));
    if !alias
        || !typed
        || *rewrite.before(at) != Token::RParen
        || rewrite.is_any(open + 1, &["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"])
    {
        return None;
    }
    if open == at + 2 {
        (at..open).for_each(|offset| rewrite.keep(offset));
    }
    Some(rewrite.closing(open)? + 1)
}

/// `IN ((SELECT …), …)` is a list, not a query.
pub(super) fn list_of_queries(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "IN") || *rewrite.token(at + 1) != Token::LParen || *rewrite.token(at + 2) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 2)?;
    if *rewrite.token(close + 1) != Token::Comma {
        return None;
    }
    rewrite.keep(at);
    rewrite.keep(at + 1);
    rewrite.put_word(at, "NULL");
    rewrite.put(at, Token::Comma);
    Some(at + 2)
}

/// Any operator before ANY or ALL reads as `=`.
pub(super) fn any_operator(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let compares = is_operator(rewrite.token(at)) && rewrite.is_any(at + 1, &["ANY", "ALL", "SOME"]);
    if !compares || *rewrite.token(at + 2) != Token::LParen {
        return None;
    }
    rewrite.put(at, Token::Eq);
    Some(at + 1)
}

/// Operators that touch are one: `===`, `|@|`. One that has no value before it is left out.
pub(super) fn custom_operator(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let mut end = at;
    while is_operator(rewrite.token(end)) && (end == at || touches(rewrite, end)) {
        end += 1;
    }
    let prefix = matches!(rewrite.before(at), Token::LParen | Token::Comma | Token::EOF)
        || (at > 0 && rewrite.is_any(at - 1, &["SELECT", "WHERE", "AND", "OR", "THEN", "ELSE", "WHEN"]));
    let custom = matches!(rewrite.token(at), Token::CustomBinaryOperator(_));
    if prefix && (custom || end > at + 1) && !matches!(rewrite.token(at), Token::Mul | Token::Minus | Token::Plus) {
        return Some(end);
    }
    if end < at + 2 || prefix {
        return None;
    }
    let text: String = (at..end).map(|offset| rewrite.token(offset).to_string()).collect();
    rewrite.put(at, Token::CustomBinaryOperator(text));
    Some(end)
}

fn touches(rewrite: &Rewrite, at: usize) -> bool {
    let (Some(before), Some(here)) = (rewrite.tokens.get(at.wrapping_sub(1)), rewrite.tokens.get(at)) else {
        return false;
    };
    let sign = matches!(here.token, Token::Minus | Token::Plus);
    bytes_of(before).1 == bytes_of(here).0 && !sign
}

fn is_operator(token: &Token) -> bool {
    let text = token.to_string();
    !text.is_empty() && text.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) && !matches!(token, Token::Placeholder(_))
}

const XML: &[&str] = &[
    "XMLELEMENT",
    "XMLFOREST",
    "XMLPARSE",
    "XMLPI",
    "XMLROOT",
    "XMLSERIALIZE",
    "XMLATTRIBUTES",
    "XMLTABLE",
    "XMLEXISTS",
];

/// XMLELEMENT (NAME …), XMLSERIALIZE (CONTENT … AS type) …: a call with the values in them.
pub(super) fn xml(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if rewrite.is(at, "IS") {
        let not = usize::from(rewrite.is(at + 1, "NOT"));
        if !rewrite.is(at + 1 + not, "DOCUMENT") {
            return None;
        }
        ["IS", "NOT", "NULL"].iter().for_each(|word| rewrite.put_word(at, word));
        return Some(at + 2 + not);
    }
    if !rewrite.is_any(at, XML) || *rewrite.token(at + 1) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 1)?;
    rewrite.put(at, Token::make_word("xml_function", None));
    rewrite.keep(at + 1);
    rewrite.put_word(at, "NULL");
    let mut offset = at + 2;
    while offset < close {
        // Subqueries and calls are values; words around them are XML's.
        let call = matches!(rewrite.token(offset), Token::Word(_)) && *rewrite.token(offset + 1) == Token::LParen;
        let open = offset + usize::from(call);
        match rewrite.closing(open) {
            Some(end) if *rewrite.token(open) == Token::LParen && rewrite.is_any(open + 1, &["SELECT", "WITH"]) => {
                rewrite.put(offset, Token::Comma);
                (open..=end).for_each(|inside| rewrite.keep(inside));
                offset = end + 1;
            }
            _ => offset += 1,
        }
    }
    rewrite.keep(close);
    Some(close + 1)
}
