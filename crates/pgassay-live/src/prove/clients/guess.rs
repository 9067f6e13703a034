//! What the types of a query's parameters may be, guessed from what the server refuses.
//!
//! In: a text with `$n` for constants, and the server's error with its place in it. Out: guesses, best first; the server says which one
//! is right. Nothing here asks it.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::shadow::ServerError;

/// Types to try where nothing tells more, the most likely first.
const USUAL: &[&str] = &[
    "text",
    "integer",
    "bigint",
    "numeric",
    "interval",
    "timestamptz",
    "boolean",
    "jsonb",
    "uuid",
    "text[]",
    "date",
    "bytea",
];

/// Words behind which an operand ends.
const ENDS: &[&str] = &[
    "and",
    "or",
    "then",
    "else",
    "end",
    "when",
    "case",
    "group",
    "order",
    "limit",
    "offset",
    "from",
    "where",
    "having",
    "union",
    "returning",
    "on",
    "join",
    "left",
    "inner",
    "as",
    "select",
    "set",
    "between",
    "asc",
    "desc",
    "is",
    "in",
];

/// What to try next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guess {
    /// Types of some parameters.
    Types(Vec<(usize, String)>),
    /// Another text.
    Text(String),
}

/// A token with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    start: usize,
    end: usize,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Parameter(usize),
    /// In lower case.
    Word(String),
    Open,
    Close,
    Comma,
    /// An operator of comparison.
    Compares,
    Other(String),
}

/// The tokens of a text; none where it cannot be told apart.
fn pieces(text: &str) -> Vec<Piece> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location() else { return Vec::new() };
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    // Lines and columns count from 1, columns in characters.
    let byte = |at: sqlparser::tokenizer::Location| {
        let line = usize::try_from(at.line).ok().and_then(|line| starts.get(line.checked_sub(1)?)).copied()?;
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        let rest = text.get(line..)?;
        Some(line + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
    };
    let piece = |token: sqlparser::tokenizer::TokenWithSpan| {
        let what = match token.token {
            Token::Whitespace(_) | Token::EOF => return None,
            Token::Placeholder(name) => match name.strip_prefix('$').and_then(|digits| digits.parse().ok()) {
                Some(number) if number <= 65_535 => What::Parameter(number),
                _ => What::Other(name),
            },
            Token::Word(word) if word.quote_style.is_none() => What::Word(word.value.to_ascii_lowercase()),
            Token::LParen | Token::LBracket => What::Open,
            Token::RParen | Token::RBracket => What::Close,
            Token::Comma => What::Comma,
            Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => What::Compares,
            other => What::Other(other.to_string()),
        };
        Some(Piece { start: byte(token.span.start)?, end: byte(token.span.end)?, what })
    };
    tokens.into_iter().filter_map(piece).collect()
}

/// The first word, in lower case; `(` where a query begins with that.
pub(super) fn first_word(text: &str) -> String {
    match pieces(text).into_iter().next().map(|piece| piece.what) {
        Some(What::Word(word)) => word,
        Some(What::Open) => "(".to_owned(),
        _ => String::new(),
    }
}

/// Whether a COPY is from or to the client.
pub(super) fn copies_to_client(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(&piece.what, What::Word(word) if word == "stdin" || word == "stdout"))
}

/// The highest number of a parameter.
pub(super) fn highest_parameter(text: &str) -> usize {
    let number = |piece: Piece| match piece.what {
        What::Parameter(number) => Some(number),
        _ => None,
    };
    pieces(text).into_iter().filter_map(number).max().unwrap_or(0)
}

/// The name and the number of arguments of the function that the error is about.
pub(super) fn function_of(error: &ServerError) -> Option<(String, usize)> {
    let rest = error.message.strip_prefix("function ").or_else(|| error.message.strip_prefix("procedure "))?;
    let (name, arguments) = rest.split_once('(')?;
    let arguments = arguments.split(')').next()?;
    let name = name.rsplit('.').next()?.trim_matches('"');
    Some((name.to_owned(), if arguments.is_empty() { 0 } else { arguments.split(',').count() }))
}

/// Names in an error that the statement behind it is likely to hold: what is quoted, the function, the types of the operands.
pub(super) fn names_in(error: &ServerError) -> Vec<String> {
    let quoted = error.message.split('"').skip(1).step_by(2).filter(|name| !name.is_empty()).map(str::to_owned);
    let arguments = error.message.split_once('(').and_then(|(_, rest)| rest.split(')').next()).unwrap_or_default();
    let function = function_of(error).map(|(name, _)| name);
    let taken = arguments.split(", ").filter(|name| function.is_some() && !matches!(*name, "" | "unknown"));
    let taken: Vec<String> = taken.map(str::to_owned).collect();
    quoted.chain(function).chain(taken).chain(named_types(error)).collect()
}

/// What may help. `at` is the place of the error in the text, in bytes; `signatures` are the types that functions of the name in the
/// error take.
pub(super) fn guesses(text: &str, error: &ServerError, at: Option<usize>, signatures: &[Vec<String>]) -> Vec<Guess> {
    let query = Query { text, pieces: pieces(text) };
    let mut found = match error.code.as_str() {
        "42601" => query.grammar(at),
        // indeterminate_datatype, ambiguous_parameter
        "42P18" | "42P08" => named_parameter(&error.message)
            .map(|number| query.of_types(&[number], &named_types(error)))
            .unwrap_or_default(),
        // undefined_function, ambiguous_function
        "42883" | "42725" if !error.message.starts_with("operator") => query.function(at, signatures),
        // the same of operators, datatype_mismatch, invalid_text_representation, cannot_coerce
        "42883" | "42725" | "42804" | "22P02" | "42846" => query.operator(at, &named_types(error)),
        // grouping_error, invalid_column_reference: what was one constant has two numbers.
        "42803" | "42P10" => query.merged(),
        _ => Vec::new(),
    };
    found.dedup();
    found
}

struct Query<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
}

impl Query<'_> {
    fn numbers(pieces: &[Piece]) -> Vec<usize> {
        let mut found = Vec::new();
        for piece in pieces {
            if let What::Parameter(number) = piece.what
                && !found.contains(&number)
            {
                found.push(number);
            }
        }
        found
    }

    /// Every way to give these parameters these types, else the usual ones.
    fn of_types(&self, numbers: &[usize], likely: &[String]) -> Vec<Guess> {
        let types: Vec<&str> = likely.iter().map(String::as_str).chain(USUAL.iter().copied()).collect();
        let all = |name: &str| Guess::Types(numbers.iter().map(|number| (*number, name.to_owned())).collect());
        let mut found: Vec<Guess> = types.iter().map(|name| all(name)).collect();
        if let [first, second] = numbers {
            // A time and a span, in either order.
            for (one, other) in
                types.iter().take(likely.len()).flat_map(|name| [(*name, "interval"), ("interval", *name)])
            {
                found.push(Guess::Types(vec![(*first, one.to_owned()), (*second, other.to_owned())]));
            }
        }
        if numbers.len() > 1 {
            let alone = |number: usize, name: &str| Guess::Types(vec![(number, name.to_owned())]);
            found.extend(numbers.iter().flat_map(|number| types.iter().map(|name| alone(*number, name))));
        }
        found
    }

    /// `interval $1` to `CAST($1 AS interval)`, `extract($1 FROM c)` to `date_part($1, c)`: the grammar wants a constant there.
    fn grammar(&self, at: Option<usize>) -> Vec<Guess> {
        let Some(place) = self.pieces.iter().position(|piece| Some(piece.start) == at) else { return Vec::new() };
        let What::Parameter(number) = self.pieces[place].what else { return Vec::new() };
        let piece = &self.pieces[place];
        let replaced = |start: usize, end: usize, by: &str| {
            Guess::Text(format!("{}{by}{}", &self.text[..start], &self.text[end..]))
        };
        let mut found = Vec::new();
        let word = |at: usize| match self.pieces.get(at).map(|piece| &piece.what) {
            Some(What::Word(word)) => Some(word.as_str()),
            _ => None,
        };
        if place >= 2
            && word(place - 2) == Some("extract")
            && let (Some("from"), Some(from)) = (word(place + 1), self.pieces.get(place + 1))
        {
            found.push(replaced(self.pieces[place - 2].start, from.end, &format!("date_part(${number},")));
        }
        // The longest name of a type first: `timestamp with time zone`.
        let fields = ["year", "month", "day", "hour", "minute", "second", "to"];
        let fields = (place + 1..).take_while(|at| word(*at).is_some_and(|word| fields.contains(&word))).last();
        let end = fields.map_or(piece.end, |last| self.pieces[last].end);
        let names_type = |at: usize| match &self.pieces[at].what {
            What::Word(word) => !ENDS.contains(&word.as_str()),
            What::Other(sign) => sign == ".",
            _ => false,
        };
        let longest = (0..place).rev().take_while(|at| names_type(*at)).take(5).count();
        for length in (1..=longest).rev() {
            let start = self.pieces[place - length].start;
            let name = self.text[start..piece.start].trim();
            found.push(replaced(start, end, &format!("CAST(${number} AS {name})")));
        }
        // A path of JSON_TABLE.
        found.push(replaced(piece.start, piece.end, "'$'"));
        found
    }

    /// The arguments that are parameters get the types of a function of that name.
    fn function(&self, at: Option<usize>, signatures: &[Vec<String>]) -> Vec<Guess> {
        let Some(open) = self.pieces.iter().position(|piece| Some(piece.start) >= at && piece.what == What::Open)
        else {
            return Vec::new();
        };
        let close = self.matching(open);
        let arguments = self.arguments(open, close);
        let of = |signature: &Vec<String>| {
            let typed = arguments.iter().zip(signature).filter_map(|(number, name)| Some(((*number)?, name.clone())));
            Guess::Types(typed.collect())
        };
        let mut found: Vec<Guess> = signatures.iter().map(of).filter(|it| *it != Guess::Types(Vec::new())).collect();
        found.extend(self.of_types(&Self::numbers(&self.pieces[open..close]), &[]));
        found
    }

    /// For each argument between these parentheses the parameter that it is.
    fn arguments(&self, open: usize, close: usize) -> Vec<Option<usize>> {
        let mut found = Vec::new();
        let mut depth = 0;
        let mut argument: Vec<&What> = Vec::new();
        let number = |argument: &[&What]| match argument {
            [What::Parameter(number)] => Some(*number),
            _ => None,
        };
        for piece in self.pieces.get(open + 1..close).unwrap_or_default() {
            match piece.what {
                What::Comma if depth == 0 => found.push(number(&std::mem::take(&mut argument))),
                ref what => {
                    depth += i32::from(*what == What::Open) - i32::from(*what == What::Close);
                    argument.push(what);
                }
            }
        }
        found.push(number(&argument));
        found
    }

    /// The place of the parenthesis that closes the one at a place, or the end.
    fn matching(&self, open: usize) -> usize {
        let mut depth = 0;
        for (at, piece) in self.pieces.iter().enumerate().skip(open) {
            depth += i32::from(piece.what == What::Open) - i32::from(piece.what == What::Close);
            if depth == 0 {
                return at;
            }
        }
        self.pieces.len()
    }

    /// The parameters beside the place get the type of the other side.
    fn operator(&self, at: Option<usize>, likely: &[String]) -> Vec<Guess> {
        let Some(at) = at else { return self.of_types(&Self::numbers(&self.pieces), likely) };
        let place = self.pieces.iter().rposition(|piece| piece.start <= at).unwrap_or(0);
        // Of a datatype_mismatch the place is that of the expression itself.
        let on_operand =
            !matches!(self.pieces.get(place).map(|it| &it.what), Some(What::Compares | What::Other(_) | What::Word(_)));
        let right = self.operand(place + usize::from(!on_operand)..self.pieces.len());
        let left = self.operand_before(place);
        let mut found = Vec::new();
        let mut groups = vec![Self::numbers(&self.pieces[right.clone()]), Self::numbers(&self.pieces[left.clone()])];
        groups.push(Self::numbers(&self.pieces[left.start..right.end.max(left.start)]));
        // What is compared may have its constants elsewhere: in VALUES, in a subquery.
        groups.extend(Self::numbers(&self.pieces).into_iter().take(12).map(|number| vec![number]));
        for group in groups.iter().filter(|group| !group.is_empty()) {
            found.extend(
                self.of_types(group, likely).into_iter().filter(|guess| !found.contains(guess)).collect::<Vec<_>>(),
            );
        }
        found
    }

    /// From its first token to the one behind it.
    fn operand(&self, within: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let mut depth = 0;
        for at in within.clone() {
            match &self.pieces[at].what {
                What::Open => depth += 1,
                What::Close if depth == 0 => return within.start..at,
                What::Close => depth -= 1,
                What::Comma | What::Compares if depth == 0 => return within.start..at,
                What::Word(word) if depth == 0 && ENDS.contains(&word.as_str()) => return within.start..at,
                _ => {}
            }
        }
        within
    }

    fn operand_before(&self, end: usize) -> std::ops::Range<usize> {
        let mut depth = 0;
        for at in (0..end).rev() {
            match &self.pieces[at].what {
                What::Close => depth += 1,
                What::Open if depth == 0 => return at + 1..end,
                What::Open => depth -= 1,
                What::Comma | What::Compares if depth == 0 => return at + 1..end,
                What::Word(word) if depth == 0 && ENDS.contains(&word.as_str()) => return at + 1..end,
                _ => {}
            }
        }
        0..end
    }

    /// Parameters with the same words around them become one: `GROUP BY date_trunc($2, c)` means that of the list.
    fn merged(&self) -> Vec<Guess> {
        let around = |place: usize| {
            let before = &self.pieces[place.saturating_sub(2)..place];
            let after = self.pieces.get(place + 1);
            (before.iter().map(|it| it.what.clone()).collect::<Vec<_>>(), after.map(|it| it.what.clone()))
        };
        let mut places: Vec<(usize, usize)> = Vec::new();
        let mut merges: Vec<(usize, usize)> = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate() {
            let What::Parameter(number) = piece.what else { continue };
            let same = places.iter().find(|(earlier, _)| around(*earlier) == around(place));
            match same {
                Some((_, earlier)) if *earlier != number => merges.push((place, *earlier)),
                _ => places.push((place, number)),
            }
        }
        if merges.is_empty() {
            return Vec::new();
        }
        let with = |merges: &[(usize, usize)]| {
            let mut text = self.text.to_owned();
            for (place, number) in merges.iter().rev() {
                text.replace_range(self.pieces[*place].start..self.pieces[*place].end, &format!("${number}"));
            }
            Guess::Text(text)
        };
        std::iter::once(with(&merges)).chain(merges.iter().map(|merge| with(&[*merge]))).collect()
    }
}

/// `could not determine data type of parameter $2`, `inconsistent types deduced for parameter $1`.
fn named_parameter(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("parameter $")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The types that the error names and a parameter may have: those of `bigint = text`, of `text versus bigint` in the detail, of
/// `column "a" is of type bigint but expression is of type text`, of `CASE types integer and text cannot be matched`.
fn named_types(error: &ServerError) -> Vec<String> {
    let message = error.message.as_str();
    let mut names: Vec<&str> = Vec::new();
    if let Some((one, other)) =
        error.detail.as_deref().and_then(|detail| detail.trim_end_matches('.').split_once(" versus "))
    {
        names.extend([one, other]);
    }
    if let Some((_, rest)) = message.split_once("is of type ") {
        names.extend(rest.split(" but ").next());
    } else if let Some((_, rest)) = message.split_once("must be type ") {
        names.extend(rest.split(", not").next());
    } else if let Some((_, rest)) = message.split_once(" types ") {
        names.extend(rest.trim_end_matches(" cannot be matched").split(" and "));
    } else if message.starts_with("operator ")
        && let Some((_, operands)) = message.split_once(": ")
    {
        let is_sign = |word: &str| word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c));
        let sign = operands.split(' ').find(|word| !word.is_empty() && is_sign(word)).unwrap_or("=");
        names.extend(operands.splitn(2, sign).map(str::trim));
    }
    // What was only made of a constant says least.
    let mut found: Vec<String> = Vec::new();
    let (weak, strong): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| matches!(*name, "text" | "text[]" | "integer"));
    for name in strong.into_iter().chain(weak).filter(|name| !matches!(*name, "" | "unknown" | "record")) {
        if !found.iter().any(|it| it == name) {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> ServerError {
        ServerError { code: code.to_owned(), message: message.to_owned(), ..ServerError::default() }
    }

    fn texts(text: &str, at: &str, code: &str) -> Vec<String> {
        let found = guesses(text, &error(code, ""), text.find(at), &[]);
        let text = |guess| match guess {
            Guess::Text(text) => Some(text),
            Guess::Types(_) => None,
        };
        found.into_iter().filter_map(text).collect()
    }

    #[test]
    fn what_the_grammar_does_not_take_is_written_as_a_cast() {
        assert!(
            texts("SELECT now() - interval $1 day", "$1", "42601")
                .contains(&"SELECT now() - CAST($1 AS interval)".to_owned())
        );
        assert_eq!(texts("SELECT EXTRACT($2 FROM c) FROM t", "$2", "42601")[0], "SELECT date_part($2, c) FROM t");
        let zone = texts("SELECT timestamp with time zone $1", "$1", "42601");
        assert_eq!(zone[0], "SELECT CAST($1 AS timestamp with time zone)");
    }

    #[test]
    fn the_other_side_tells_the_type() {
        let text = "SELECT id FROM t WHERE a = $3 AND id = ANY (ARRAY[$1, $2]) AND b = $4";
        let at = text.find("= ANY");
        let found = guesses(text, &error("42883", "operator does not exist: bigint = text"), at, &[]);
        assert_eq!(found[0], Guess::Types(vec![(1, "bigint".to_owned()), (2, "bigint".to_owned())]));
    }

    #[test]
    fn parameters_of_one_constant_become_one() {
        let text = "SELECT date_trunc($1, at), $3 FROM t WHERE c = $2 GROUP BY date_trunc($4, at)";
        assert_eq!(
            texts(text, "at", "42803")[0],
            "SELECT date_trunc($1, at), $3 FROM t WHERE c = $2 GROUP BY date_trunc($1, at)"
        );
    }

    #[test]
    fn functions_tell_what_they_take() {
        let text = "SELECT area($1, x, $2)";
        let signature = ["integer", "text", "date"].map(str::to_owned).to_vec();
        let not_unique = error("42725", "function area(unknown, text, unknown) is not unique");
        assert_eq!(function_of(&not_unique), Some(("area".to_owned(), 3)));
        let found = guesses(text, &not_unique, text.find("area"), &[signature]);
        assert_eq!(found[0], Guess::Types(vec![(1, "integer".to_owned()), (2, "date".to_owned())]));
    }

    #[test]
    fn strings_and_comments_hold_no_parameters() {
        assert_eq!(highest_parameter("SELECT $q$ $8 $q$, '$9', E'it\\'s $7', $2 -- $6\n/* $5 */"), 2);
        assert_eq!(highest_parameter("SELECT a FROM t WHERE b NOT IN ($1 /*, ... */)"), 1);
    }
}
