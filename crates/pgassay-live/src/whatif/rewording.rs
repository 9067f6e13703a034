//! Other words for a query that means the same to a planner, and what the errors of a server say of its parameters.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// `could not determine data type of parameter $2`, `inconsistent types deduced for parameter $1`.
pub(super) fn quoted_parameter(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("parameter $")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The type that the server's refusal asks for.
pub(super) fn expected_type(message: &str) -> Option<String> {
    let between = |start: &str, end: &str| {
        let (_, rest) = message.split_once(start)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    if is_exact(message) {
        // `column "n" is of type integer but expression is of type text`, `argument of LIMIT must be type bigint, not type text`
        return between("is of type ", " but expression").or_else(|| between("must be type ", ", not type"));
    }
    // `function sum(text) does not exist`
    if message.starts_with("function ") && message.contains("(text") {
        return Some("numeric".to_owned());
    }
    // `operator does not exist: bigint = text`: the type of the other operand.
    let (_, operands) = message.split_once(": ")?;
    operands.contains(' ').then(|| first_operand(operands).map(str::to_owned))?
}

/// The refusal names the type and nothing else would do.
pub(super) fn is_exact(message: &str) -> bool {
    message.contains("must be type ") || message.contains(" but expression is of type ")
}

/// `… parameter $1: text versus bigint`
pub(super) fn other_type(message: &str) -> Option<&str> {
    message.split_once(" versus ").map(|(_, rest)| rest.trim())
}

/// The left side of `timestamp with time zone > interval`.
fn first_operand(text: &str) -> Option<&str> {
    let words = text.split(' ');
    let mut length = 0;
    for word in words {
        if !word.is_empty() && word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) {
            return text.get(..length).map(str::trim_end).filter(|it| !it.is_empty());
        }
        length += word.len() + 1;
    }
    None
}

/// Places of `$n` outside quotes and comments, with n.
pub(super) fn parameters(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += 1;
                }
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b'$' => {
                let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
                let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
                if let (Ok(number), false) = (digits.parse(), inside) {
                    found.push((at, number));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found.into_iter()
}

/// Types that stand before a constant: the grammar takes no parameter there.
const LITERAL_TYPES: &[&str] =
    &["interval", "timestamptz", "timestamp", "date", "time", "jsonb", "json", "uuid", "inet", "numeric"];

/// `interval $1` to `$1::interval`, `extract($1 FROM c)` to `date_part($1, c)`.
pub(super) fn cast_literals(text: &str) -> String {
    let mut result = text.to_owned();
    let places: Vec<(usize, usize)> = parameters(text).collect();
    for (at, number) in places.into_iter().rev() {
        let before = result[..at].trim_end();
        let word_start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |place| place + 1);
        let word = before[word_start..].to_lowercase();
        let end = at + 1 + number.to_string().len();
        if LITERAL_TYPES.contains(&word.as_str()) && before.len() < at {
            result.replace_range(word_start..end, &format!("${number}::{word}"));
        } else if before.to_lowercase().ends_with("extract(")
            && let Some(rest) = result[end..].trim_start().get(..5)
            && rest.eq_ignore_ascii_case("from ")
        {
            let start = before.len() - "extract(".len();
            let skipped = result[end..].len() - result[end..].trim_start().len() + 5;
            result.replace_range(start..end + skipped, &format!("date_part(${number}, "));
        }
    }
    result
}

/// `LIMIT $3` to `LIMIT 10`: of a parameter the planner assumes a tenth of all rows. The number of the parameter that is gone is returned too.
pub(super) fn with_limit(text: &str, rows: Option<f64>) -> (String, Option<usize>) {
    let unchanged = || (text.to_owned(), None);
    let Some(rows) = rows else { return unchanged() };
    let rows = limit_of(rows);
    let places: Vec<(usize, usize)> = parameters(text).collect();
    let limit = places.iter().rev().find(|(at, _)| {
        let before = text[..*at].trim_end();
        before.len() < *at
            && before.len() >= 5
            && before.get(before.len() - 5..).is_some_and(|word| word.eq_ignore_ascii_case("limit"))
    });
    let Some((at, number)) = limit else { return unchanged() };
    if places.iter().filter(|(_, other)| other == number).count() > 1 {
        return unchanged();
    }
    let after = &text[at + 1 + number.to_string().len()..];
    (format!("{}{rows}{after}", &text[..*at]), Some(*number))
}

/// Pages that people ask for.
const PAGES: &[f64] = &[10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 250.0, 500.0, 1000.0];

/// The LIMIT of calls that return so many rows on average: that many, if it is a whole number. Else some returned fewer than they might have.
pub(super) fn limit_of(rows: f64) -> f64 {
    let whole = rows.round();
    if rows <= 1.0 || (rows - whole).abs() <= whole * 0.01 {
        return whole.max(1.0);
    }
    PAGES.iter().copied().find(|page| *page >= rows).unwrap_or(rows.ceil())
}

/// `SELECT a / $1 … GROUP BY a / 10` to `SELECT a / 10 … GROUP BY a / 10`: of a constant that stands in several places pg_stat_statements may replace
/// one only, and then the server does not see that both are the same.
pub(super) fn with_constants_of_groups(text: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).with_unescape(false).tokenize() else {
        return text.to_owned();
    };
    let is_word =
        |token: &Token, name: &str| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(name));
    let solid: Vec<usize> = (0..tokens.len()).filter(|at| !matches!(tokens[*at], Token::Whitespace(_))).collect();
    let group = solid.windows(2).position(|pair| is_word(&tokens[pair[0]], "group") && is_word(&tokens[pair[1]], "by"));
    let Some(group) = group else { return text.to_owned() };
    let mut changed = tokens.clone();
    for key in keys_of_groups(&tokens, &solid[group + 2..]) {
        let constant = |at: &usize| matches!(tokens[*at], Token::Number(..) | Token::SingleQuotedString(_));
        // A constant by itself is the number of a column.
        if key.len() < 2 || !key.iter().any(constant) {
            continue;
        }
        for start in 0..group.saturating_sub(key.len() - 1) {
            let window = &solid[start..start + key.len()];
            let alike = |(here, there): (&usize, &usize)| {
                tokens[*here] == tokens[*there] || (constant(there) && matches!(tokens[*here], Token::Placeholder(_)))
            };
            if window.iter().zip(&key).all(alike) {
                for (here, there) in window.iter().zip(&key) {
                    changed[*here] = tokens[*there].clone();
                }
            }
        }
    }
    if changed == tokens {
        return text.to_owned();
    }
    changed.iter().map(ToString::to_string).collect()
}

/// The places of the tokens of each key, up to the next clause.
fn keys_of_groups(tokens: &[Token], after: &[usize]) -> Vec<Vec<usize>> {
    const ENDS: &[&str] =
        &["having", "order", "limit", "offset", "union", "except", "intersect", "window", "fetch", "for"];
    let mut keys = vec![Vec::new()];
    let mut depth = 0_usize;
    for at in after {
        match &tokens[*at] {
            Token::Comma if depth == 0 => {
                keys.push(Vec::new());
                continue;
            }
            Token::Word(word) if depth == 0 && ENDS.iter().any(|end| word.value.eq_ignore_ascii_case(end)) => break,
            Token::SemiColon => break,
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            _ => {}
        }
        if let Some(key) = keys.last_mut() {
            key.push(*at);
        }
    }
    keys.retain(|key| !key.is_empty());
    keys
}

pub(super) fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let skipped = match rest {
            it if it.starts_with("/*") => it.find("*/").map(|end| &it[end + 2..]),
            it if it.starts_with("--") => it.find('\n').map(|end| &it[end + 1..]),
            _ => None,
        };
        match skipped {
            Some(skipped) => rest = skipped.trim_start(),
            None => return rest,
        }
    }
}
