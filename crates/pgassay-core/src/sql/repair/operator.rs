//! Rules for operators, aliases and calls; see [`crate::sql::repair`].

use sqlparser::tokenizer::Token;

use super::Rewrite;
use crate::change::Name;
use crate::sql::kept::ADDED_COLUMNS;

/// SEARCH … SET c and CYCLE … SET c … USING d behind a WITH query: of both, the columns that they add.
pub(super) fn search_and_cycle(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let search = rewrite.is_all(at, &["SEARCH"]) && rewrite.is_any(at + 1, &["DEPTH", "BREADTH"]);
    let cycle = rewrite.is(at, "CYCLE") && matches!(rewrite.token(at + 1), Token::Word(_));
    if !(search || cycle) || *rewrite.before(at) != Token::RParen {
        return None;
    }
    let name_after = |from: usize, word: &str| {
        (from..rewrite.tokens.len()).find(|offset| rewrite.is(*offset, word)).map(|offset| offset + 1)
    };
    let mut names = vec![name_after(at, "SET")?];
    let mut end = names[0] + 1;
    if search && rewrite.is(end, "CYCLE") {
        names.push(name_after(end, "SET")?);
        end = names[1] + 1;
    }
    if cycle || names.len() > 1 {
        names.push(name_after(end, "USING")?);
        end = names[names.len() - 1] + 1;
    }
    let name = |at: &usize| match rewrite.token(*at) {
        Token::Word(word) if word.quote_style.is_some() => Some(Name::new(&word.value)),
        Token::Word(word) => Some(Name::folded(&word.value)),
        _ => None,
    };
    let names: Vec<Name> = names.iter().map(name).collect::<Option<_>>()?;
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    rewrite.put_word(at, "FROM");
    rewrite.put(at, Token::make_word(&names.join(&ADDED_COLUMNS.to_string()), Some('"')));
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
