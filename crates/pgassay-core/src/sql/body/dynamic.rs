//! The text of EXECUTE, where it is put together from literals and variables whose values are known.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::variables::Variables;
use crate::change::{Name, Reach};
use crate::sql::lex::literal::Literal;
use crate::sql::read::reader::Reader;
use crate::text::quoting::literal;

/// The value of `'…'`, `'…' || '…'`, `format('…', 'literal', …)`, `quote_ident('…')` between the next token and a position.
pub(in crate::sql) fn evaluate(reader: &mut Reader, end: usize, variables: &Variables) -> Option<Literal> {
    let mut value = concatenation(reader, variables)?;
    // Parentheses around it are gone already; a type does not change it.
    if reader.take(&Token::DoubleColon) {
        reader.type_name().ok()?;
    }
    if reader.position() != end {
        return None;
    }
    value.make_offsets();
    Some(value)
}

/// The elements of `ARRAY['…', …]`, or of a variable that is such an array, between the next token and a position.
pub(in crate::sql) fn elements(reader: &mut Reader, end: usize, variables: &Variables) -> Option<Vec<Literal>> {
    let elements = match reader.take_word("ARRAY") {
        true => {
            reader.expect(&Token::LBracket).ok()?;
            let mut elements = vec![concatenation(reader, variables)?];
            while reader.take(&Token::Comma) {
                elements.push(concatenation(reader, variables)?);
            }
            reader.expect(&Token::RBracket).ok()?;
            elements
        }
        false => variables.array(&reader.ident_or_any_keyword().ok()?.name)?.to_vec(),
    };
    if reader.take(&Token::DoubleColon) {
        reader.type_name().ok()?;
    }
    if reader.position() != end {
        return None;
    }
    Some(
        elements
            .into_iter()
            .map(|mut it| {
                it.make_offsets();
                it
            })
            .collect(),
    )
}

fn concatenation(reader: &mut Reader, variables: &Variables) -> Option<Literal> {
    let mut value = term(reader, variables)?;
    while reader.take(&Token::StringConcat) {
        value.append(&term(reader, variables)?);
    }
    Some(value)
}

fn term(reader: &mut Reader, variables: &Variables) -> Option<Literal> {
    if reader.take(&Token::LParen) {
        let value = concatenation(reader, variables)?;
        return reader.take(&Token::RParen).then_some(value);
    }
    for (function, quote) in [("quote_ident", 'I'), ("quote_literal", 'L')] {
        if reader.at_word(function) {
            reader.advance();
            let value = term(reader, variables)?;
            return Some(value.with_value(&quoted(&value.value, quote)?));
        }
    }
    match reader.take_word("format") {
        true => format(reader, variables),
        false => variable(reader, variables).or_else(|| reader.literal().ok()),
    }
}

/// The value of a variable or parameter.
fn variable(reader: &mut Reader, variables: &Variables) -> Option<Literal> {
    let name = match reader.peek() {
        Token::Word(word) if word.quote_style.is_some() => Name::new(&word.value),
        Token::Word(word) => Name::folded(&word.value),
        Token::Placeholder(name) => Name::new(name),
        _ => return None,
    };
    // An element of an array that is known, such as TG_ARGV.
    if let (Token::LBracket, Token::Number(at, _), Token::RBracket) =
        (reader.peek_nth(1), reader.peek_nth(2), reader.peek_nth(3))
    {
        let element = at.parse::<usize>().ok().and_then(|at| variables.array(&name)?.get(at.checked_sub(1)?));
        let value = element.or_else(|| variables.value(&Name::new(&format!("{}[{at}]", name.as_str()))))?.clone();
        (0..4).for_each(|_| reader.advance());
        return Some(value);
    }
    let value = variables.value(&name)?.clone();
    reader.advance();
    Some(value)
}

/// `format(text, arguments)` with %I, %L, %s and %% (manual, 9.4.1).
fn format(reader: &mut Reader, variables: &Variables) -> Option<Literal> {
    let arguments = reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            let found = concatenation(reader, variables);
            found.ok_or_else(|| reader.error("a literal"))
        })
    });
    let arguments = arguments.ok()?;
    let (pattern, arguments) = arguments.split_first()?;
    let mut next = 0;
    let mut value = pattern.with_value("");
    let mut from = 0;
    while let Some(found) = pattern.value.get(from..)?.find('%') {
        let at = from + found;
        value.append(&pattern.part(from, at));
        let place = pattern.part(at, at + 1);
        let mut kind = at + 1;
        // `%2$I` names its argument, and those after it go on from there.
        let digits = pattern.value[kind..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && pattern.value[kind + digits..].starts_with('$') {
            next = pattern.value[kind..kind + digits].parse::<usize>().ok()?.checked_sub(1)?;
            kind += digits + 1;
        }
        let how = *pattern.value.as_bytes().get(kind)?;
        if how == b'%' {
            value.append(&place);
        } else {
            let argument = &arguments.get(next)?.value;
            next += 1;
            let text = match how {
                b's' => argument.to_string(),
                b'I' | b'L' => quoted(argument, char::from(how))?,
                _ => return None,
            };
            value.append(&place.with_value(&text));
        }
        from = kind + 1;
    }
    value.append(&pattern.part(from, pattern.value.len()));
    Some(value)
}

fn quoted(text: &str, how: char) -> Option<String> {
    Some(match how {
        'I' => Name::new(text).to_string(),
        _ if text.contains('\\') => return None,
        _ => literal(text),
    })
}

/// The words of a text that takes rows or objects away, where its beginning is known and says so.
pub(in crate::sql) fn removes(reader: &mut Reader, variables: &Variables) -> Option<Arc<str>> {
    while reader.at_word("format") || reader.at(&Token::LParen) {
        reader.advance();
    }
    let beginning = term(reader, variables)?;
    let mut words = beginning.value.split_whitespace().map(str::to_ascii_uppercase);
    match (words.next()?.as_str(), words.next()?.as_str()) {
        ("DROP", what @ ("TABLE" | "SCHEMA" | "VIEW" | "MATERIALIZED" | "TYPE" | "OWNED")) => {
            Some(format!("DROP {what}").into())
        }
        ("DELETE", "FROM") => Some("DELETE FROM".into()),
        ("TRUNCATE", _) => Some("TRUNCATE".into()),
        _ => None,
    }
}

/// What a text may change whose beginning alone is known.
pub(in crate::sql) fn reach(reader: &mut Reader) -> Reach {
    const ROWS: [&str; 17] = [
        "select", "insert", "update", "delete", "merge", "with", "values", "table", "copy", "analyze", "refresh",
        "grant", "revoke", "comment", "lock", "set", "notify",
    ];
    while reader.at_word("format") || reader.at(&Token::LParen) {
        reader.advance();
    }
    let Ok(beginning) = reader.literal() else { return Reach::All };
    let words: Vec<String> = beginning.value.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
    // A text of one word may go on as anything: SELECT may be followed by several statements too, but seldom is.
    match words.first().map(String::as_str) {
        Some(word) if ROWS.contains(&word) && !beginning.value.contains(';') => Reach::Nothing,
        Some("create") if words.get(1).is_some_and(|next| next != "or") => Reach::More,
        _ => Reach::All,
    }
}
