//! The text of EXECUTE, where it is put together from literals only.

use sqlparser::tokenizer::Token;

use crate::change::Name;
use crate::sql::lex::literal::Literal;
use crate::sql::read::reader::Reader;

/// The value of `'…'`, `'…' || '…'`, `format('…', 'literal', …)`, `quote_ident('…')` between the next token and a position.
pub(super) fn evaluate(reader: &mut Reader, end: usize) -> Option<Literal> {
    let mut value = concatenation(reader)?;
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

fn concatenation(reader: &mut Reader) -> Option<Literal> {
    let mut value = term(reader)?;
    while reader.take(&Token::StringConcat) {
        value.append(&term(reader)?);
    }
    Some(value)
}

fn term(reader: &mut Reader) -> Option<Literal> {
    if reader.take(&Token::LParen) {
        let value = concatenation(reader)?;
        return reader.take(&Token::RParen).then_some(value);
    }
    for (function, quote) in [("quote_ident", 'I'), ("quote_literal", 'L')] {
        if reader.at_word(function) {
            reader.advance();
            let value = term(reader)?;
            return Some(value.with_value(&quoted(&value.value, quote)?));
        }
    }
    match reader.take_word("format") {
        true => format(reader),
        false => reader.literal().ok(),
    }
}

/// `format(text, arguments)` with %I, %L, %s and %% (manual, 9.4.1).
fn format(reader: &mut Reader) -> Option<Literal> {
    let arguments = reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            let found = concatenation(reader);
            found.ok_or_else(|| reader.error("a literal"))
        })
    });
    let arguments = arguments.ok()?;
    let (pattern, arguments) = arguments.split_first()?;
    let mut arguments = arguments.iter();
    let mut value = pattern.with_value("");
    let mut from = 0;
    while let Some(found) = pattern.value.get(from..)?.find('%') {
        let at = from + found;
        value.append(&pattern.part(from, at));
        let place = pattern.part(at, at + 1);
        match pattern.value.as_bytes().get(at + 1)? {
            b'%' => value.append(&place),
            b's' => value.append(&place.with_value(&arguments.next()?.value)),
            b'I' => value.append(&place.with_value(&quoted(&arguments.next()?.value, 'I')?)),
            b'L' => value.append(&place.with_value(&quoted(&arguments.next()?.value, 'L')?)),
            _ => return None,
        }
        from = at + 2;
    }
    value.append(&pattern.part(from, pattern.value.len()));
    Some(value)
}

fn quoted(text: &str, how: char) -> Option<String> {
    Some(match how {
        'I' => Name::new(text).to_string(),
        _ if text.contains('\\') => return None,
        _ => format!("'{}'", text.replace('\'', "''")),
    })
}
