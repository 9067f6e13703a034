//! Rules for clauses and operators; see [`crate::sql::repair`].

use sqlparser::tokenizer::Token;

use super::Rewrite;

/// `f(VARIADIC a)` is `f(a)`.
pub(super) fn variadic(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let argument = matches!(rewrite.before(at), Token::LParen | Token::Comma);
    (rewrite.is(at, "VARIADIC") && argument).then_some(at + 1)
}

/// `OPERATOR(schema.+)` is `+`.
pub(super) fn operator(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "OPERATOR") || *rewrite.token(at + 1) != Token::LParen {
        return None;
    }
    let end = rewrite.closing(at + 1)?;
    rewrite.keep(end - 1);
    Some(end + 1)
}

/// `(f(x)).*` is `(f(x))`; `t.*` that is compared or cast is `t`.
pub(super) fn star_of_value(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if *rewrite.token(at) != Token::Period || *rewrite.token(at + 1) != Token::Mul {
        return None;
    }
    let of_value = matches!(rewrite.before(at), Token::RParen | Token::RBracket);
    let used = matches!(
        rewrite.token(at + 2),
        Token::DoubleColon | Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq
    ) || rewrite.is_any(at + 2, &["IS", "IN"])
        || matches!(
            rewrite.before(at.saturating_sub(1)),
            Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq
        );
    (of_value || used).then_some(at + 2)
}

/// An expression reads the same without its COLLATE.
pub(super) fn collate(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let collates = rewrite.is(at, "COLLATE") && matches!(rewrite.token(at + 1), Token::Word(_)) && !rewrite.defines;
    collates.then(|| rewrite.name_end(at + 1))
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

/// `TRIM(BOTH FROM x)` is `TRIM(x)`.
pub(super) fn trim_from(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let sides = ["BOTH", "LEADING", "TRAILING"];
    if rewrite.is_any(at, &sides) && rewrite.is(at + 1, "FROM") && *rewrite.before(at) == Token::LParen {
        return Some(at + 2);
    }
    let empty = rewrite.is(at, "FROM") && *rewrite.before(at) == Token::LParen && at >= 2 && rewrite.is(at - 2, "TRIM");
    empty.then_some(at + 1)
}

/// FOR NO KEY UPDATE and FOR KEY SHARE lock rows as FOR UPDATE and FOR SHARE do; OF takes one relation.
pub(super) fn row_lock(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "FOR") {
        return None;
    }
    let skipped = match () {
        () if rewrite.is_all(at + 1, &["NO", "KEY", "UPDATE"]) => 2,
        () if rewrite.is_all(at + 1, &["KEY", "SHARE"]) => 1,
        () if rewrite.is_all(at + 1, &["READ", "ONLY"]) => return Some(at + 3),
        () if rewrite.is_any(at + 1, &["UPDATE", "SHARE"]) => 0,
        () => return None,
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

/// `name 'value'`, `interval(3) '1 day'`, `numeric(3,2) '1'`: a constant of a type, without its type.
pub(super) fn typed_literal(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if rewrite.defines || !matches!(rewrite.token(at), Token::Word(_)) {
        return None;
    }
    let begins_value = match rewrite.before(at) {
        Token::Word(_) => BEFORE_VALUE.iter().any(|word| crate::sql::read::reader::is_word(rewrite.before(at), word)),
        Token::RParen
        | Token::RBracket
        | Token::EOF
        | Token::Period
        | Token::Number(..)
        | Token::SingleQuotedString(_) => false,
        _ => true,
    };
    if !begins_value || rewrite.is_any(at, BEFORE_VALUE) {
        return None;
    }
    let mut end = rewrite.name_end(at);
    if *rewrite.token(end) == Token::LParen {
        end = rewrite.closing(end)? + 1;
    }
    let is_string = matches!(
        rewrite.token(end),
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::DollarQuotedString(_)
    );
    is_string.then_some(end)
}

const BEFORE_VALUE: &[&str] = &[
    "SELECT",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "THEN",
    "ELSE",
    "WHEN",
    "BETWEEN",
    "ON",
    "HAVING",
    "DISTINCT",
    "LIKE",
    "ILIKE",
    "FROM",
    "BY",
    "LIMIT",
    "OFFSET",
    "CASE",
    "IN",
    "VALUES",
    "TO",
    "ALL",
    "ANY",
    "IS",
    "ESCAPE",
    "RETURNING",
    "AS",
];

/// `SUBSTRING(x SIMILAR p ESCAPE e)` is `SUBSTRING(x, p, e)`.
pub(super) fn substring_similar(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let in_substring = |rewrite: &Rewrite| {
        let mut depth = 0usize;
        (0..at).rev().find_map(|offset| match rewrite.token(offset) {
            Token::RParen => {
                depth += 1;
                None
            }
            Token::LParen if depth == 0 => Some(offset > 0 && rewrite.is(offset - 1, "SUBSTRING")),
            Token::LParen => {
                depth -= 1;
                None
            }
            _ => None,
        })
    };
    let separates = (rewrite.is(at, "SIMILAR") && !rewrite.is(at + 1, "TO")) || rewrite.is(at, "ESCAPE");
    if !separates || in_substring(rewrite) != Some(true) {
        return None;
    }
    rewrite.put(at, Token::Comma);
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
    if nested && rewrite.is_all(at, &["GROUPING", "SETS"]) {
        return Some(at + 2);
    }
    None
}

/// ON CONFLICT (expressions) WHERE …: without a target when it is more than columns.
pub(super) fn conflict_target(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is_all(at, &["ON", "CONFLICT"]) || *rewrite.token(at + 2) != Token::LParen {
        return None;
    }
    let close = rewrite.closing(at + 2)?;
    let end = (close..rewrite.tokens.len()).find(|offset| rewrite.is_all(*offset, &["DO"]))?;
    let plain = (at + 3..close).all(|offset| match (offset - at) % 2 {
        1 => matches!(rewrite.token(offset), Token::Word(_)),
        _ => *rewrite.token(offset) == Token::Comma,
    });
    let kept = if plain { at..close + 1 } else { at..at + 2 };
    kept.for_each(|offset| rewrite.keep(offset));
    Some(end)
}

/// `SET a[1] = …`, `INSERT INTO t (a[1])`: the column is `a`.
pub(super) fn assigned_element(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    let writes = rewrite.is_any(0, &["UPDATE", "INSERT", "WITH", "MERGE", "EXPLAIN"]);
    if *rewrite.token(at) != Token::LBracket
        || !writes
        || !matches!(rewrite.before(at), Token::Word(_) | Token::RBracket)
    {
        return None;
    }
    let mut end = at;
    while *rewrite.token(end) == Token::LBracket {
        end = rewrite.closing(end)? + 1;
    }
    while *rewrite.token(end) == Token::Period && matches!(rewrite.token(end + 1), Token::Word(_)) {
        end += 2;
        while *rewrite.token(end) == Token::LBracket {
            end = rewrite.closing(end)? + 1;
        }
    }
    matches!(rewrite.token(end), Token::Eq | Token::Comma | Token::RParen).then_some(end)
}

/// WHERE CURRENT OF cursor.
pub(super) fn current_of(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    if !rewrite.is(at, "WHERE") || !rewrite.is_all(at + 1, &["CURRENT", "OF"]) {
        return None;
    }
    rewrite.keep(at);
    rewrite.put_word(at + 1, "TRUE");
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

/// `x AT LOCAL`.
pub(super) fn at_local(rewrite: &mut Rewrite, at: usize) -> Option<usize> {
    rewrite.is_all(at, &["AT", "LOCAL"]).then_some(at + 2)
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
    let collation = rewrite.is_all(at, &["COLLATION", "FOR"]) && *rewrite.token(at + 2) == Token::LParen;
    collation.then_some(at + 2)
}
