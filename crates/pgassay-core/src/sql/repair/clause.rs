//! Rules for clauses and operators; see [`crate::sql::repair`].

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::Rewrite;
use crate::sql::kept;

/// `(f(x)).*` is `(f(x))`, and `t.*::type` is `t::type`.
pub(super) fn star_of_value(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let star = *rewrite.token(at) == Token::Period && *rewrite.token(at + 1) == Token::Mul;
    let of_value = matches!(rewrite.before(at), Token::RParen | Token::RBracket);
    (star && (of_value || *rewrite.token(at + 2) == Token::DoubleColon)).then_some(at + 2)
}

/// `FROM t *` is `FROM t`.
pub(super) fn star_of_table(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if *rewrite.token(at) != Token::Mul || rewrite.defines {
        return None;
    }
    let mut name = at.checked_sub(1)?;
    while name >= 2 && *rewrite.token(name - 1) == Token::Period {
        name -= 2;
    }
    let named = matches!(rewrite.token(name), Token::Word(_));
    (named && name > 0 && rewrite.is_any(name - 1, &["FROM", "JOIN", "UPDATE", "USING", "ONLY"])).then_some(at + 1)
}

/// FOR NO KEY UPDATE and FOR KEY SHARE lock rows as FOR UPDATE and FOR SHARE do; OF takes one relation.
pub(super) fn row_lock(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "FOR") {
        return None;
    }
    let skipped = if rewrite.is_all(at + 1, &["NO", "KEY", "UPDATE"]) {
        2
    } else if rewrite.is_all(at + 1, &["KEY", "SHARE"]) {
        1
    } else if rewrite.is_all(at + 1, &["READ", "ONLY"]) {
        return Some(at + 3);
    } else if rewrite.is_any(at + 1, &["UPDATE", "SHARE"]) {
        0
    } else {
        return None;
    };
    let strength = at + 1 + skipped;
    let (mut tables, mut end) = (Vec::new(), strength + 1);
    if rewrite.is(end, "OF") {
        loop {
            tables.push(end + 1);
            end = rewrite.name_end(end + 1);
            if *rewrite.token(end) != Token::Comma {
                break;
            }
        }
    }
    if skipped == 0 && tables.len() < 2 {
        return None;
    }
    // One clause for each relation.
    for table in tables.iter().map(Some).chain(tables.is_empty().then_some(None)) {
        rewrite.keep(at);
        rewrite.keep(strength);
        if let Some(table) = table {
            rewrite.put_word(strength, "OF");
            (*table..rewrite.name_end(*table)).for_each(|part| rewrite.keep(part));
        }
    }
    Some(end)
}

/// `RETURNING WITH (OLD AS o, NEW AS n) o.a`, 18+: other names for the row before and after, which are written as these.
pub(super) fn returned_rows(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is_all(at, &["RETURNING", "WITH"]) {
        return None;
    }
    let close = rewrite.closing(at + 2)?;
    let mut names: Vec<(Token, &str)> = Vec::new();
    let mut part = at + 3;
    while part < close {
        let row = ["OLD", "NEW"].into_iter().find(|row| rewrite.is(part, row) && rewrite.is(part + 1, "AS"))?;
        names.push((rewrite.token(part + 2).clone(), row));
        if part + 3 < close && *rewrite.token(part + 3) != Token::Comma {
            return None;
        }
        part += 4;
    }
    rewrite.keep(at);
    let mut depth = 0usize;
    let mut next = close + 1;
    while *rewrite.token(next) != Token::EOF {
        match rewrite.token(next) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            _ => {}
        }
        let qualifies = *rewrite.token(next + 1) == Token::Period && *rewrite.before(next) != Token::Period;
        match names.iter().find(|(name, _)| qualifies && same_name(name, rewrite.token(next))) {
            Some((_, row)) => rewrite.put_word(next, row),
            None => rewrite.keep(next),
        }
        next += 1;
    }
    Some(next)
}

/// `MERGE INTO t USING a JOIN b ON … ON …` joins in parentheses: the last ON before WHEN is the statement's own.
pub(super) fn merged_join(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "USING") || !(0..at).any(|before| rewrite.is_all(before, &["MERGE", "INTO"])) {
        return None;
    }
    let (mut next, mut joins, mut condition) = (at + 1, false, None);
    while !rewrite.is(next, "WHEN") {
        match rewrite.token(next) {
            Token::EOF => return None,
            Token::LParen | Token::LBracket => next = rewrite.closing(next)?,
            _ if rewrite.is(next, "JOIN") => joins = true,
            _ if rewrite.is(next, "ON") => condition = Some(next),
            // CASE … WHEN is no WHEN of the statement.
            _ if rewrite.is(next, "CASE") => return None,
            _ => {}
        }
        next += 1;
    }
    let condition = condition.filter(|_| joins)?;
    rewrite.keep(at);
    rewrite.put(at + 1, Token::LParen);
    (at + 1..condition).for_each(|part| rewrite.keep(part));
    rewrite.put(condition - 1, Token::RParen);
    Some(condition)
}

/// Whether two tokens spell one name.
fn same_name(one: &Token, other: &Token) -> bool {
    let folded = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    };
    folded(one).is_some_and(|name| folded(other) == Some(name))
}

/// `'1 day'::interval PRECEDING` is `'1 day' PRECEDING`.
pub(super) fn frame_bound(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let cast = *rewrite.token(at) == Token::DoubleColon && matches!(rewrite.token(at + 1), Token::Word(_));
    (cast && rewrite.is_any(at + 2, &["PRECEDING", "FOLLOWING"])).then_some(at + 2)
}

/// `SELECT` of no columns selects NULL.
pub(super) fn empty_select(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let ends = matches!(rewrite.token(at + 1), Token::EOF | Token::RParen)
        || rewrite.is_any(at + 1, &["UNION", "INTERSECT", "EXCEPT", "WHERE", "LIMIT", "ORDER", "INTO", "OFFSET"]);
    if !rewrite.is(at, "SELECT") || !ends {
        return None;
    }
    rewrite.keep(at);
    rewrite.put_word(at, "NULL");
    Some(at + 1)
}

/// TABLESAMPLE method (…) [REPEATABLE (…)] reads the same relation.
pub(super) fn table_sample(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let end = rewrite.is(at, "TABLESAMPLE").then(|| rewrite.name_end(at + 1))?;
    let end = rewrite.closing(end)? + 1;
    if rewrite.is(end, "REPEATABLE") { Some(rewrite.closing(end + 1)? + 1) } else { Some(end) }
}

/// GROUP BY ALL|DISTINCT sets, and sets inside sets.
pub(super) fn grouping(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if rewrite.is_all(at, &["GROUP", "BY"]) && rewrite.is_any(at + 2, &["ALL", "DISTINCT"]) {
        rewrite.keep(at);
        rewrite.keep(at + 1);
        return Some(at + 3);
    }
    let nested = matches!(rewrite.before(at), Token::LParen | Token::Comma);
    let close = rewrite.is_all(at, &["GROUPING", "SETS"]).then(|| rewrite.closing(at + 2)).flatten()?;
    if !nested {
        return None;
    }
    // All of the sets in it, whatever the depth: they are sets of the outermost list.
    let mut opened: Vec<usize> = vec![close];
    let mut offset = at + 3;
    while offset < close {
        if rewrite.is_all(offset, &["GROUPING", "SETS"]) {
            opened.extend(rewrite.closing(offset + 2));
            offset += 3;
            continue;
        }
        if !opened.contains(&offset) {
            rewrite.keep(offset);
        }
        offset += 1;
    }
    Some(close + 1)
}

/// `WITH recursive AS (…)` names a query; `x::enum` and `x::set` name types.
pub(super) fn word_as_name(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let query = rewrite.is_all(at, &["WITH", "RECURSIVE"])
        && (rewrite.is(at + 2, "AS") || *rewrite.token(at + 2) == Token::LParen);
    let data_type = *rewrite.token(at) == Token::DoubleColon && rewrite.is_any(at + 1, &["ENUM", "SET"]);
    if !query && !data_type {
        return None;
    }
    let name = rewrite.token(at + 1).to_string().to_lowercase();
    rewrite.keep(at);
    rewrite.put(at + 1, Token::make_word(&name, Some('"')));
    Some(at + 2)
}

/// FETCH FIRST (expression) ROWS: how many rows is not known here.
pub(super) fn fetch_expression(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let fetches = rewrite.is(at, "FETCH") && rewrite.is_any(at + 1, &["FIRST", "NEXT"]);
    let close = fetches.then(|| rewrite.closing(at + 2)).flatten()?;
    rewrite.keep(at);
    rewrite.keep(at + 1);
    rewrite.put(at + 2, Token::Placeholder("$0".to_owned()));
    Some(close + 1)
}

/// `ON CONFLICT (lower(a), b text_pattern_ops) WHERE c`: more than columns, kept in a name (`kept::INFERENCE`).
pub(super) fn conflict_target(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is_all(at, &["ON", "CONFLICT"]) || *rewrite.token(at + 2) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 2)?;
    let end = (close..rewrite.tokens.len()).find(|offset| rewrite.is_all(*offset, &["DO"]))?;
    let predicate = rewrite.is(close + 1, "WHERE");
    if end != close + 1 && !predicate {
        return None;
    }
    (at..at + 2).for_each(|offset| rewrite.keep(offset));
    ["ON", "CONSTRAINT"].into_iter().for_each(|word| rewrite.put_word(at, word));
    rewrite.put(at + 2, Token::make_word(kept::INFERENCE, None));
    rewrite.keep(at + 2);
    let mut element = at + 3;
    while element < close {
        element = conflict_element(rewrite, element, close)?;
    }
    rewrite.keep(close);
    if predicate {
        rewrite.put(close + 1, Token::Period);
        rewrite.put(close + 1, Token::make_word(kept::PREDICATE, None));
        rewrite.put(close + 1, Token::LParen);
        (close + 2..end).for_each(|offset| rewrite.keep(offset));
        rewrite.put(end - 1, Token::RParen);
    }
    Some(end)
}

/// One element with the comma after it (gram.y, `index_elem`); its operator class is its alias. Gives where the next one begins.
fn conflict_element(rewrite: &mut Rewrite, at: usize, close: usize) -> Option<usize> {
    let mut end = match rewrite.token(at) {
        Token::LParen => rewrite.closing(at)? + 1,
        _ => rewrite.name_end(at),
    };
    if *rewrite.token(end) == Token::LParen {
        end = rewrite.closing(end)? + 1;
    }
    if rewrite.is(end, "COLLATE") {
        end = rewrite.name_end(end + 1);
    }
    (at..end).for_each(|offset| rewrite.keep(offset));
    if end < close && matches!(rewrite.token(end), Token::Word(_)) {
        let class = rewrite.name_end(end);
        rewrite.put_word(end, "AS");
        rewrite.keep(class - 1);
        end = class;
    }
    if end < close && *rewrite.token(end) != Token::Comma {
        return None;
    }
    if end < close {
        rewrite.keep(end);
    }
    Some(end + 1)
}

/// `SET a[i] = …`, `INSERT INTO t (a[i])`: a part of the column `a`, with what says which (`kept::ELEMENT`).
pub(super) fn assigned_element(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let writes = rewrite.is_any(0, &["UPDATE", "INSERT", "WITH", "MERGE", "EXPLAIN"]);
    if *rewrite.token(at) != Token::LBracket
        || !writes
        || !matches!(rewrite.before(at), Token::Word(_) | Token::RBracket)
    {
        return None;
    }
    let (mut end, mut slice, mut subscripts) = (at, false, Vec::new());
    loop {
        match rewrite.token(end) {
            Token::LBracket => {
                let close = rewrite.closing(end)?;
                slice |= subscript(rewrite, end + 1, close, &mut subscripts);
                end = close + 1;
            }
            Token::Period if matches!(rewrite.token(end + 1), Token::Word(_)) => {
                slice = true;
                end += 2;
            }
            _ => break,
        }
    }
    if !matches!(rewrite.token(end), Token::Eq | Token::Comma | Token::RParen) {
        return None;
    }
    rewrite.put(at, Token::Period);
    rewrite.put(at, Token::make_word(if slice { kept::SLICE } else { kept::ELEMENT }, None));
    rewrite.put(at, Token::LParen);
    for (n, subscript) in subscripts.into_iter().enumerate() {
        if n > 0 {
            rewrite.put(subscript.start, Token::Comma);
        }
        subscript.for_each(|offset| rewrite.keep(offset));
    }
    rewrite.put(end - 1, Token::RParen);
    Some(end)
}

/// The expressions between brackets: one, or the ends of a slice, either of which may be left out. Says whether it is a slice.
fn subscript(rewrite: &Rewrite, start: usize, close: usize, out: &mut Vec<Range<usize>>) -> bool {
    let mut depth = 0usize;
    let colon = (start..close).find(|offset| {
        match rewrite.token(*offset) {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *rewrite.token(*offset) == Token::Colon
    });
    let second = colon.map(|colon| colon + 1..close);
    let ends = [Some(start..colon.unwrap_or(close)), second].into_iter().flatten();
    out.extend(ends.filter(|end| !end.is_empty()));
    colon.is_some()
}

/// WHERE CURRENT OF cursor.
pub(super) fn current_of(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "WHERE") || !rewrite.is_all(at + 1, &["CURRENT", "OF"]) {
        return None;
    }
    rewrite.keep(at);
    // Which row that is nobody knows: a call that proves nothing, and not every row.
    rewrite.put(at + 1, Token::make_word("current_of", None));
    [Token::LParen, Token::RParen].into_iter().for_each(|token| rewrite.put(at + 2, token));
    Some(at + 4)
}

/// `ROWS FROM (f(), g())` is `(SELECT f(), g())`.
pub(super) fn rows_from(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is_all(at, &["ROWS", "FROM"]) || *rewrite.token(at + 2) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 2)?;
    rewrite.keep(at + 2);
    rewrite.put_word(at, "SELECT");
    let mut offset = at + 3;
    while offset < close {
        let typed = rewrite.is(offset, "AS").then(|| rewrite.closing(offset + 1)).flatten();
        match typed {
            Some(end) => offset = end + 1,
            None => {
                rewrite.keep(offset);
                offset += 1;
            }
        }
    }
    rewrite.keep(close);
    let ordinal = rewrite.is_all(close + 1, &["WITH", "ORDINALITY"]);
    Some(close + 1 + if ordinal { 2 } else { 0 })
}

/// `TABLE t` in a query is `SELECT * FROM t`.
pub(super) fn table_query(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let begins = matches!(rewrite.before(at), Token::LParen | Token::EOF)
        || (at > 0 && rewrite.is_any(at - 1, &["UNION", "ALL", "EXCEPT", "INTERSECT", "DISTINCT", "AS"]));
    if !rewrite.is(at, "TABLE") || !begins || !matches!(rewrite.token(at + 1), Token::Word(_)) {
        return None;
    }
    rewrite.put_word(at, "SELECT");
    rewrite.put(at, Token::Mul);
    rewrite.put_word(at, "FROM");
    Some(at + 1)
}

/// OVERRIDING … VALUE, EXCLUDE … of a window frame, DEFAULT VALUES of MERGE, COLLATION FOR (…).
pub(super) fn left_out(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if rewrite.is(at, "OVERRIDING") && rewrite.is(at + 2, "VALUE") {
        return Some(at + 3);
    }
    if rewrite.is(at, "EXCLUDE") {
        let kinds: [&[&str]; 4] = [&["CURRENT", "ROW"], &["NO", "OTHERS"], &["GROUP"], &["TIES"]];
        return kinds.iter().find(|kind| rewrite.is_all(at + 1, kind)).map(|kind| at + 1 + kind.len());
    }
    if rewrite.is_all(at, &["DEFAULT", "VALUES"]) && rewrite.is(0, "MERGE") {
        rewrite.keep(at + 1);
        [Token::LParen, Token::make_keyword("NULL"), Token::RParen]
            .into_iter()
            .for_each(|token| rewrite.put(at, token));
        return Some(at + 2);
    }
    // In FROM; as an expression it is read whole.
    if rewrite.is_all(at, &["COLLATION", "FOR"]) && *rewrite.token(at + 2) == Token::LParen {
        rewrite.put(at, Token::make_word("pg_collation_for", None));
        return Some(at + 2);
    }
    None
}
