//! Partition keys and bounds.

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{Expression, PartitionBound, PartitionKey, PartitionStrategy};

/// `PARTITION BY strategy (elements)`.
pub(super) fn key(reader: &mut Reader) -> Result<PartitionKey> {
    let start = reader.position();
    reader.expect_words(&["PARTITION", "BY"])?;
    let strategy = match reader.take_any_word(&["LIST", "RANGE", "HASH"]) {
        Some("LIST") => PartitionStrategy::List,
        Some("RANGE") => PartitionStrategy::Range,
        Some(_) => PartitionStrategy::Hash,
        None => return Err(reader.error("LIST, RANGE or HASH")),
    };
    let elements = reader.parenthesized(|reader| reader.comma_separated(Reader::index_element))?;
    Ok(PartitionKey { strategy, elements, span: reader.span_from(start) })
}

/// `FOR VALUES …`, or `DEFAULT`.
pub(super) fn bound(reader: &mut Reader) -> Result<PartitionBound> {
    if reader.take_word("DEFAULT") {
        return Ok(PartitionBound::Default);
    }
    if !reader.take_word("FOR") {
        return Err(reader.error("FOR VALUES or DEFAULT"));
    }
    reader.expect_word("VALUES")?;
    match reader.take_any_word(&["IN", "FROM", "WITH"]) {
        Some("IN") => Ok(PartitionBound::List(expressions(reader)?)),
        Some("FROM") => {
            let from = expressions(reader)?;
            reader.expect_word("TO")?;
            Ok(PartitionBound::Range { from, to: expressions(reader)? })
        }
        Some(_) => hash(reader),
        None => Err(reader.error("IN, FROM or WITH")),
    }
}

fn expressions(reader: &mut Reader) -> Result<Vec<Expression>> {
    reader.parenthesized(|reader| reader.comma_separated(Reader::expression))
}

/// `(MODULUS m, REMAINDER r)`, in either order.
fn hash(reader: &mut Reader) -> Result<PartitionBound> {
    let (mut modulus, mut remainder) = (None, None);
    reader.expect(&Token::LParen)?;
    loop {
        if modulus.is_none() && reader.take_word("MODULUS") {
            modulus = Some(number(reader)?);
        } else if remainder.is_none() && reader.take_word("REMAINDER") {
            remainder = Some(number(reader)?);
        } else {
            return Err(reader.error("MODULUS and REMAINDER, each once"));
        }
        if !reader.take(&Token::Comma) {
            break;
        }
    }
    match (modulus, remainder) {
        (Some(modulus), Some(remainder)) => {
            reader.expect(&Token::RParen)?;
            Ok(PartitionBound::Hash { modulus, remainder })
        }
        (None, _) => Err(reader.error("',' and MODULUS")),
        (_, None) => Err(reader.error("',' and REMAINDER")),
    }
}

fn number(reader: &mut Reader) -> Result<u32> {
    let start = reader.position();
    let number = reader.integer()?;
    u32::try_from(number).map_err(|_| {
        reader.restore(start);
        reader.error("a number from 0 to 4294967295")
    })
}
