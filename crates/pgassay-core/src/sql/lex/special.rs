//! Expressions that PostgreSQL has and sqlparser has not, for our dialect's hooks.
//!
//! In: a parser before or after an operand. Out: a tree that means what was written, or a call that names the columns in it and proves
//! nothing: its name is the construct's own, so that nothing takes it for another.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, TrimWhereField, TypedString, UnaryOperator,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use super::keyword::{QUERY, can_name_column, can_name_function};
use super::own_grammar;
use super::token::nth;
use crate::sql::read::reader::is_word;

pub(super) type Read<T> = Result<T, ParserError>;

fn follows_between(parser: &Parser) -> bool {
    let word = |back: usize| parser.index().checked_sub(back).map(|at| &parser.token_at(at).token);
    let is = |back, words: &[&str]| match word(back) {
        Some(Token::Word(word)) => {
            word.quote_style.is_none() && words.iter().any(|it| word.value.eq_ignore_ascii_case(it))
        }
        _ => false,
    };
    is(1, &["BETWEEN"]) || is(1, &["SYMMETRIC", "ASYMMETRIC"]) && is(2, &["BETWEEN"])
}

/// An expression that begins with the next token; `None` where sqlparser reads it.
pub(super) fn prefix(parser: &mut Parser) -> Option<Read<Expr>> {
    if let Some(constant) = typed_constant(parser) {
        return Some(constant);
    }
    if is(parser, 1, "collate") && ends_item(nth(parser, 2)) {
        return labelled(parser);
    }
    let called = *nth(parser, 1) == Token::LParen;
    match &parser.peek_token_ref().token {
        Token::Word(word) if word.quote_style.is_none() => {
            let lower = word.value.to_ascii_lowercase();
            match lower.as_str() {
                // The lower end is a b_expr, which has no NOT of its own (gram.y).
                "not" if follows_between(parser) => {
                    Some(Err(ParserError::ParserError("expected an expression; NOT needs parentheses here".to_owned())))
                }
                "variadic" => Some(skip(parser, 1).parse_expr()),
                // Only a call of these has a grammar of its own; they may name columns.
                "exists" | "trim" if !called => Some(parser.parse_identifier().map(Expr::Identifier)),
                "trim" => trim_side(parser).map(|side| trim(parser, side)),
                "collation" if is(parser, 1, "FOR") => Some(collation_for(parser)),
                "normalize" if called => normal_form(parser),
                "operator" if called => Some(prefix_operator(parser)),
                "substring" if called => similar_substring(parser),
                name if called && own_grammar::NAMES.contains(&name) => Some(own_grammar::call(parser, name)),
                _ => None,
            }
        }
        Token::LParen if called => query_in_parentheses(parser),
        Token::CustomBinaryOperator(operator) => {
            let name = operator.clone();
            Some(skip(parser, 1).parse_subexpr(OTHER_OPERATOR).map(|operand| call(&name, vec![operand])))
        }
        _ => None,
    }
}

/// `name 'value'`, `schema.type 'value'`, `numeric(3,2) '1'`: a constant of a type (gram.y, `AexprConst`). sqlparser reads those of the
/// types that it knows.
fn typed_constant(parser: &mut Parser) -> Option<Read<Expr>> {
    let Token::Word(word) = nth(parser, 0) else { return None };
    if word.quote_style.is_none() && (!can_name_function(&word.value) || NATIVE.contains(&word.keyword)) {
        return None;
    }
    // `OPERATOR(schema.!!) 'x'` is an operator before a constant.
    if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("operator") {
        return None;
    }
    let mut end = 1;
    while *nth(parser, end) == Token::Period && matches!(nth(parser, end + 1), Token::Word(_)) {
        end += 2;
    }
    if *nth(parser, end) == Token::LParen {
        // A type's modifiers are few.
        end += (1..8).find(|n| *nth(parser, end + n) == Token::RParen)? + 1;
    }
    let string = matches!(
        nth(parser, end),
        Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::DollarQuotedString(_)
    );
    string.then(|| {
        let data_type = parser.parse_data_type()?;
        Ok(Expr::TypedString(TypedString { data_type, value: parser.parse_value()?, uses_odbc_syntax: false }))
    })
}

/// Types whose constants have fields or zones behind them.
const NATIVE: &[Keyword] = &[Keyword::INTERVAL, Keyword::TIME, Keyword::TIMESTAMP, Keyword::BIT];

/// `((SELECT 1) UNION SELECT 2)`; `None` where only something in the parentheses is a query.
fn query_in_parentheses(parser: &mut Parser) -> Option<Read<Expr>> {
    let first = (2..).find(|n| *nth(parser, *n) != Token::LParen)?;
    if !is_any(parser, first, QUERY) {
        return None;
    }
    let query = parser.maybe_parse(|parser| {
        parser.expect_token(&Token::LParen)?;
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        Ok(query)
    });
    query.map(|query| query.map(Expr::Subquery)).transpose()
}

/// How tightly an operator without a rule of its own binds (sqlparser's number for PostgreSQL's "any other operator").
const OTHER_OPERATOR: u8 = 70;

/// As BETWEEN binds.
const BETWEEN: u8 = 60;

/// What follows an operand; `None` where sqlparser reads it.
pub(super) fn infix(parser: &mut Parser, operand: &Expr) -> Option<Read<Expr>> {
    let negated = usize::from(is(parser, 1, "NOT"));
    if is(parser, 0, "IS") && is(parser, 1 + negated, "DOCUMENT") {
        skip(parser, 2 + negated);
        let tested = call("is document", vec![operand.clone()]);
        return Some(Ok(if negated == 1 { not(tested) } else { tested }));
    }
    if is(parser, 0, "AT") && is(parser, 1, "LOCAL") {
        skip(parser, 2);
        return Some(Ok(call("timezone", vec![operand.clone()])));
    }
    if is(parser, 0, "ISNULL") {
        skip(parser, 1);
        return Some(Ok(Expr::IsNull(Box::new(operand.clone()))));
    }
    if is(parser, 0, "NOTNULL") {
        skip(parser, 1);
        return Some(Ok(Expr::IsNotNull(Box::new(operand.clone()))));
    }
    if is(parser, negated_at(parser), "BETWEEN") && is_any(parser, negated_at(parser) + 1, &["SYMMETRIC", "ASYMMETRIC"])
    {
        return Some(between(parser, operand));
    }
    in_list(parser, operand).or_else(|| with_array(parser, operand))
}

/// Whether the next token begins what [`infix`] reads, and as which of sqlparser's operators it binds.
pub(super) fn binds_as(parser: &Parser) -> Option<Keyword> {
    if is(parser, 0, "AT") && is(parser, 1, "LOCAL") {
        Some(Keyword::AT)
    } else if is(parser, 0, "ISNULL") || is(parser, 0, "NOTNULL") {
        Some(Keyword::IS)
    } else {
        None
    }
}

/// Whether the next word is the name of what was selected: it would be an operator, and has no operand behind it.
pub(super) fn is_label(parser: &Parser) -> bool {
    // MATCH is an operator to the parser only.
    const OPERATORS: &[&str] =
        &["and", "or", "between", "in", "is", "like", "ilike", "similar", "collate", "operator", "not", "match"];
    ends_item(nth(parser, 1)) && OPERATORS.iter().any(|word| is(parser, 0, word))
}

/// Whether an item of a select list ends before this token.
fn ends_item(next: &Token) -> bool {
    match next {
        Token::EOF | Token::Comma | Token::RParen | Token::SemiColon => true,
        next => is_word(next, "FROM"),
    }
}

/// `SELECT x collate`, a label: after a name or a literal sqlparser takes it for the operator.
fn labelled(parser: &mut Parser) -> Option<Read<Expr>> {
    match nth(parser, 0) {
        Token::Word(word) if word.quote_style.is_some() || can_name_column(&word.value) => {
            Some(parser.parse_identifier().map(Expr::Identifier))
        }
        Token::Number(..) | Token::SingleQuotedString(_) => Some(parser.parse_value().map(Expr::Value)),
        _ => None,
    }
}

pub(super) fn is(parser: &Parser, n: usize, word: &str) -> bool {
    is_word(nth(parser, n), word)
}

pub(super) fn is_any(parser: &Parser, n: usize, words: &[&str]) -> bool {
    words.iter().any(|word| is(parser, n, word))
}

pub(super) fn skip<'a, 'b>(parser: &'a mut Parser<'b>, tokens: usize) -> &'a mut Parser<'b> {
    (0..tokens).for_each(|_| parser.advance_token());
    parser
}

/// A call of a name that no function has, or of the function that the construct is.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(Span::empty(), name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `trim(BOTH FROM x)`, as the server prints `trim(x)`, and `trim(FROM x)`: the side, which sqlparser reads only before characters.
fn trim_side(parser: &Parser) -> Option<Option<TrimWhereField>> {
    let side = match nth(parser, 2) {
        word if is_word(word, "BOTH") => TrimWhereField::Both,
        word if is_word(word, "LEADING") => TrimWhereField::Leading,
        word if is_word(word, "TRAILING") => TrimWhereField::Trailing,
        word if is_word(word, "FROM") => return Some(None),
        _ => return None,
    };
    is(parser, 3, "FROM").then_some(Some(side))
}

fn trim(parser: &mut Parser, side: Option<TrimWhereField>) -> Read<Expr> {
    skip(parser, 3 + usize::from(side.is_some()));
    let expr = Box::new(parser.parse_expr()?);
    let more = if parser.consume_token(&Token::Comma) {
        Some(parser.parse_comma_separated(Parser::parse_expr)?)
    } else {
        None
    };
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Trim { trim_where: side, trim_what: None, expr, trim_characters: more })
}

/// `COLLATION FOR (x)`.
fn collation_for(parser: &mut Parser) -> Read<Expr> {
    skip(parser, 2).expect_token(&Token::LParen)?;
    let operand = parser.parse_expr()?;
    parser.expect_token(&Token::RParen)?;
    Ok(call("pg_collation_for", vec![operand]))
}

/// `normalize(x, NFD)`: the form is a word, and a string to the function (gram.y, `unicode_normal_form`).
fn normal_form(parser: &mut Parser) -> Option<Read<Expr>> {
    let form = |parser: &Parser| {
        let forms = ["NFC", "NFD", "NFKC", "NFKD"];
        forms.into_iter().find(|form| is(parser, 0, form) && *nth(parser, 1) == Token::RParen)
    };
    let read = parser.maybe_parse(|parser| {
        let text = skip(parser, 2).parse_expr()?;
        parser.expect_token(&Token::Comma)?;
        let Some(form) = form(parser) else { return parser.expected("a normal form", parser.peek_token()) };
        skip(parser, 2);
        let form = Expr::Value(sqlparser::ast::Value::SingleQuotedString(form.to_owned()).into());
        Ok(call("normalize", vec![text, form]))
    });
    read.transpose()
}

/// `OPERATOR(schema.-) x`.
fn prefix_operator(parser: &mut Parser) -> Read<Expr> {
    skip(parser, 2);
    let mut name = String::new();
    while !parser.consume_token(&Token::RParen) {
        let token = parser.next_token();
        match token.token {
            Token::EOF => return parser.expected("an operator", token),
            // What stood before it is the schema.
            Token::Period => name.clear(),
            part => name.push_str(&part.to_string()),
        }
    }
    Ok(call(&name, vec![parser.parse_subexpr(OTHER_OPERATOR)?]))
}

/// `substring(x SIMILAR p ESCAPE e)` is `substring(x, p, e)` (gram.y, `substr_list`).
fn similar_substring(parser: &mut Parser) -> Option<Read<Expr>> {
    let read = |parser: &mut Parser| {
        skip(parser, 2);
        // SIMILAR would be read as an operator with the operand.
        let text = parser.parse_subexpr(OTHER_OPERATOR)?;
        parser.expect_keyword(Keyword::SIMILAR)?;
        let pattern = parser.parse_expr()?;
        parser.expect_keyword(Keyword::ESCAPE)?;
        let escape = parser.parse_expr()?;
        parser.expect_token(&Token::RParen)?;
        Ok(call("substring", vec![text, pattern, escape]))
    };
    let mut depth = 0usize;
    for n in 1.. {
        match nth(parser, n) {
            Token::LParen => depth += 1,
            Token::RParen if depth <= 1 => return None,
            Token::RParen => depth -= 1,
            Token::EOF => return None,
            word if depth == 1 && is_word(word, "SIMILAR") && !is(parser, n + 1, "TO") => return Some(read(parser)),
            _ => {}
        }
    }
    None
}

fn negated_at(parser: &Parser) -> usize {
    usize::from(is(parser, 0, "NOT"))
}

/// `x [NOT] BETWEEN SYMMETRIC a AND b`: with the bounds in either order, so nothing is known of one of them.
fn between(parser: &mut Parser, operand: &Expr) -> Read<Expr> {
    let negated = parser.parse_keyword(Keyword::NOT);
    let symmetric = is(parser, 1, "SYMMETRIC");
    skip(parser, 2);
    let low = parser.parse_subexpr(BETWEEN)?;
    parser.expect_keyword(Keyword::AND)?;
    let high = parser.parse_subexpr(BETWEEN)?;
    let expr = operand.clone();
    Ok(match (symmetric, negated) {
        (false, negated) => Expr::Between { expr: Box::new(expr), negated, low: Box::new(low), high: Box::new(high) },
        (true, false) => call("between symmetric", vec![expr, low, high]),
        (true, true) => not(call("between symmetric", vec![expr, low, high])),
    })
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) }
}

/// `x [NOT] IN ((SELECT …), …)`: a list whose first item is a query, not a query.
fn in_list(parser: &mut Parser, operand: &Expr) -> Option<Read<Expr>> {
    let negated = is(parser, 0, "NOT");
    let at = usize::from(negated);
    if !is(parser, at, "IN") || *nth(parser, at + 1) != Token::LParen || *nth(parser, at + 2) != Token::LParen {
        return None;
    }
    let list = parser.maybe_parse(|parser| {
        skip(parser, at + 2);
        let list = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        if list.len() < 2 { Err(ParserError::ParserError("a query".to_owned())) } else { Ok(list) }
    });
    match list {
        Ok(Some(list)) => Some(Ok(Expr::InList { expr: Box::new(operand.clone()), list, negated })),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Any operator before ANY, ALL or SOME; sqlparser reads those that compare and match.
fn with_array(parser: &mut Parser, operand: &Expr) -> Option<Read<Expr>> {
    if let Some((length, operator)) = matching(parser) {
        return Some(compared(parser, operand, length, operator));
    }
    let length = match nth(parser, 0) {
        compares if is_any(parser, 3, &["VALUES", "TABLE"]) && comparison(compares).is_some() => 1,
        Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => return None,
        Token::Tilde | Token::TildeAsterisk | Token::ExclamationMarkTilde => return None,
        Token::ExclamationMarkTildeAsterisk | Token::DoubleTilde | Token::DoubleTildeAsterisk => return None,
        Token::ExclamationMarkDoubleTilde | Token::ExclamationMarkDoubleTildeAsterisk => return None,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("operator") => {
            let close = (1..12).find(|n| *nth(parser, *n) == Token::RParen)?;
            close + 1
        }
        operator if operator.to_string().chars().all(|letter| "~!@#^&|`?+-*/%<>=".contains(letter)) => 1,
        _ => return None,
    };
    if !is_any(parser, length, &["ANY", "ALL", "SOME"]) || *nth(parser, length + 1) != Token::LParen {
        return None;
    }
    let name: String = match length {
        1 => nth(parser, 0).to_string(),
        _ => (2..length - 1).map(|n| nth(parser, n).to_string()).collect(),
    };
    let compare_op = comparison(nth(parser, 0)).unwrap_or(BinaryOperator::Custom(name));
    Some(compared(parser, operand, length, compare_op))
}

/// `x [NOT] LIKE ANY (array)`: how many words the operator has, and which it is (gram.y, `subquery_Op`).
fn matching(parser: &Parser) -> Option<(usize, BinaryOperator)> {
    let at = usize::from(is(parser, 0, "NOT"));
    let operator = match (at == 1, is(parser, at, "LIKE"), is(parser, at, "ILIKE")) {
        (false, true, _) => BinaryOperator::PGLikeMatch,
        (false, _, true) => BinaryOperator::PGILikeMatch,
        (true, true, _) => BinaryOperator::PGNotLikeMatch,
        (true, _, true) => BinaryOperator::PGNotILikeMatch,
        _ => return None,
    };
    let all = is_any(parser, at + 1, &["ANY", "ALL", "SOME"]) && *nth(parser, at + 2) == Token::LParen;
    all.then_some((at + 1, operator))
}

/// An operator of so many tokens, before ANY, ALL or SOME.
fn compared(parser: &mut Parser, operand: &Expr, length: usize, compare_op: BinaryOperator) -> Read<Expr> {
    let (all, is_some) = (is(parser, length, "ALL"), is(parser, length, "SOME"));
    skip(parser, length + 1);
    array(parser).map(|right| {
        let (left, right) = (Box::new(operand.clone()), Box::new(right));
        match all {
            true => Expr::AllOp { left, compare_op, right },
            false => Expr::AnyOp { left, compare_op, right, is_some },
        }
    })
}

fn comparison(token: &Token) -> Option<BinaryOperator> {
    Some(match token {
        Token::Eq => BinaryOperator::Eq,
        Token::Neq => BinaryOperator::NotEq,
        Token::Lt => BinaryOperator::Lt,
        Token::LtEq => BinaryOperator::LtEq,
        Token::Gt => BinaryOperator::Gt,
        Token::GtEq => BinaryOperator::GtEq,
        _ => return None,
    })
}

/// `(query)` or `(array)`.
fn array(parser: &mut Parser) -> Read<Expr> {
    parser.expect_token(&Token::LParen)?;
    let right = match is_any(parser, 0, QUERY) {
        true => Expr::Subquery(parser.parse_query()?),
        false => parser.parse_expr()?,
    };
    parser.expect_token(&Token::RParen)?;
    Ok(right)
}

#[cfg(test)]
#[path = "special_tests.rs"]
mod tests;
