//! Parameters that are compared with nothing, and still have a usual value: a page of rows, and what an UPDATE writes.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// What a parameter of a statement is given for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// `LIMIT $1`: a page.
    Rows,
    /// `OFFSET $1`: the first page.
    Start,
    /// `SET column = $1`.
    Column(String),
}

/// Of a parameter by its number; `None` if it is given for something else.
pub(super) fn given(text: &str, number: usize) -> Option<Given> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().ok()?;
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let wanted = format!("${number}");
    let mut found =
        tokens.iter().enumerate().filter(|(_, token)| matches!(token, Token::Placeholder(name) if *name == wanted));
    found.find_map(|(at, _)| {
        let before = tokens[..at].iter().rposition(|token| *token != Token::LParen)?;
        match &tokens[before] {
            Token::Word(word) if is_any(&word.value, &["limit", "first", "next"]) => Some(Given::Rows),
            Token::Word(word) if word.value.eq_ignore_ascii_case("offset") => Some(Given::Start),
            Token::Eq => match &tokens[..before] {
                [.., Token::Word(column)] => Some(Given::Column(match column.quote_style {
                    Some(_) => column.value.clone(),
                    None => column.value.to_lowercase(),
                })),
                _ => None,
            },
            _ => None,
        }
    })
}

fn is_any(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_written_columns_have_usual_values() {
        let text = "UPDATE t SET a = $1, \"B\" = ($2) WHERE c IN (SELECT c FROM t WHERE d = $3 LIMIT $4 OFFSET $5)";
        assert_eq!(given(text, 1), Some(Given::Column("a".to_owned())));
        assert_eq!(given(text, 2), Some(Given::Column("B".to_owned())));
        assert_eq!(given(text, 4), Some(Given::Rows));
        assert_eq!(given(text, 5), Some(Given::Start));
        assert_eq!(given("SELECT f($1) FROM t FETCH FIRST $2 ROWS ONLY", 1), None);
        assert_eq!(given("SELECT f($1) FROM t FETCH FIRST $2 ROWS ONLY", 2), Some(Given::Rows));
    }
}
