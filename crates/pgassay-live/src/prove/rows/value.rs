//! Values to try for a column: expressions over the number of the row.

use super::matching;
use crate::text::quoting::literal;

/// What is known of a column's type below all domains.
pub(in crate::prove) struct Kind {
    /// As `format_type` names it, without modifiers.
    pub base: String,
    /// The column's own type with modifiers.
    pub full: String,
    pub is_enum: bool,
    /// `pg_type.typcategory`.
    pub category: String,
    pub modifier: i32,
    pub labels: Vec<String>,
}

/// What to try.
pub(in crate::prove) struct Values {
    /// Best first.
    pub all: Vec<String>,
    /// So many at the front are what the conditions name.
    pub named: usize,
}

/// For the row of number `n`. `conditions` are the checks that speak of the column: the values they name are likely to be accepted.
/// Of what they compare with `column`, that alone; where nothing is, anything they name.
pub(in crate::prove) fn candidates(kind: &Kind, column: &str, conditions: &str, n: &str) -> Values {
    let (mut found, mut named) = (Vec::new(), Vec::new());
    let mut literals = literals(conditions);
    let is_own = |literal: &Literal| literal.of.as_deref().is_none_or(|of| of == column);
    if literals.iter().any(is_own) {
        literals.retain(is_own);
    }
    let (numbers, texts): (Vec<Literal>, Vec<Literal>) = literals.into_iter().partition(|it| it.is_number);
    let values = |literals: Vec<Literal>| {
        let mut values: Vec<String> = literals.into_iter().map(|it| it.value).collect();
        values.dedup();
        values
    };
    let (texts, numbers) = (values(texts), values(numbers));
    if kind.is_enum {
        named.push(one_of(&kind.labels, n));
        named.extend(kind.labels.iter().map(|label| literal(label)));
    } else if matches!(kind.base.as_str(), "json" | "jsonb") {
        found = usual(kind, n);
        // `doc ? 'version'` names a key.
        let keys: Vec<String> =
            texts.iter().map(|text| format!("{}: 1", serde_json::Value::from(text.as_str()))).collect();
        if !keys.is_empty() {
            named.push(literal(&format!("{{{}}}", keys.join(", "))));
        }
    } else {
        if kind.category == "S" {
            for pattern in patterns(conditions) {
                let samples = matching::samples(&pattern);
                if !samples.is_empty() {
                    named.push(one_of(&samples, n));
                }
            }
        }
        if !texts.is_empty() {
            // A pattern of LIKE fits itself, but only once.
            let patterns = texts.iter().filter(|text| kind.category == "S" && text.contains('%'));
            named.extend(patterns.map(|text| literal(text).replace('%', &format!("' || {n} || '"))));
            named.push(one_of(&texts, n));
        }
        named.extend(texts.iter().map(|text| literal(text)));
        if kind.category == "N" {
            for number in &numbers {
                found.extend([
                    number.clone(),
                    format!("{number} + 1"),
                    format!("{number} - 1"),
                    format!("{number} + {n}"),
                ]);
            }
        }
        // A check on a number often allows the usual one; a check on a text with literals seldom does.
        found.splice(0..0, usual(kind, n)).for_each(drop);
        if kind.category == "S" {
            let lengths =
                numbers.iter().filter_map(|number| number.parse::<usize>().ok()).filter(|length| *length <= 200);
            found.extend(lengths.map(|length| format!("pg_catalog.rpad({n}::text, {length}, 'x')")));
        }
    }
    named.dedup();
    found.dedup();
    let cast = |value: String| match text_length(kind) {
        Some(length) => format!("pg_catalog.right(({value})::text, {length})::{}", kind.full),
        None => format!("({value})::{}", kind.full),
    };
    let count = named.len();
    Values { all: named.into_iter().chain(found).map(cast).collect(), named: count.max(1) }
}

/// The length of varchar(n) and char(n).
fn text_length(kind: &Kind) -> Option<i32> {
    let is_text = matches!(kind.base.as_str(), "character varying" | "character" | "bpchar");
    (is_text && kind.modifier > 4).then_some(kind.modifier - 4)
}

fn one_of(values: &[String], n: &str) -> String {
    let list: Vec<String> = values.iter().map(|value| literal(value)).collect();
    format!("(ARRAY[{}])[{n} % {} + 1]", list.join(", "), values.len().max(1))
}

fn usual(kind: &Kind, n: &str) -> Vec<String> {
    let texts = |list: &[&str]| list.iter().map(|text| text.replace("{n}", n)).collect::<Vec<String>>();
    if kind.category == "A" {
        let element = kind.full.trim_end_matches("[]").to_owned();
        return vec![literal("{}"), format!("ARRAY[NULL]::{element}[]")];
    }
    match kind.base.as_str() {
        "smallint" => texts(&["{n} % 32000", "0", "1", "-1"]),
        "integer" | "bigint" | "oid" => texts(&["{n}", "0", "1", "-{n}", "100"]),
        "numeric" => texts(&["{n}", "{n} % 10", "0", "0.5", "100"]),
        "real" | "double precision" => texts(&["{n}", "0", "0.5", "-{n}"]),
        "money" => texts(&["{n}"]),
        "boolean" => texts(&["{n} % 2 = 0", "true", "false"]),
        "uuid" => texts(&["pg_catalog.md5({n}::text)"]),
        "date" => texts(&["date '2024-01-01' + ({n} % 1000)::int", "CURRENT_DATE"]),
        "timestamp without time zone" | "timestamp with time zone" => texts(&[
            "timestamp '2024-01-01' + {n} * interval '1 hour'",
            "pg_catalog.now()",
            "timestamp '2124-01-01' + {n} * interval '1 hour'",
        ]),
        "time without time zone" | "time with time zone" => texts(&["time '00:00' + {n} * interval '1 second'"]),
        "interval" => texts(&["{n} * interval '1 hour'", "interval '0'"]),
        "json" | "jsonb" => texts(&["'{\"example\": 1}'", "'{}'", "'[]'", "'\"example\"'"]),
        "bytea" => texts(&[
            "pg_catalog.decode(pg_catalog.md5({n}::text), 'hex')",
            "pg_catalog.decode(pg_catalog.md5({n}::text) || pg_catalog.md5({n}::text), 'hex')",
        ]),
        "inet" => texts(&["'192.0.2.' || {n} % 256"]),
        "cidr" => texts(&["'10.' || {n} % 256 || '.0.0/16'"]),
        "macaddr" => texts(&["'08:00:2b:01:02:' || pg_catalog.lpad(pg_catalog.to_hex({n} % 256), 2, '0')"]),
        "xml" => texts(&["'<example>' || {n} || '</example>'"]),
        "tsvector" => texts(&["pg_catalog.to_tsvector('simple', 'example ' || {n})"]),
        "point" => texts(&["pg_catalog.point({n}, 0)"]),
        "int4range" | "int8range" | "numrange" => texts(&["'[' || {n} || ',' || {n} + 1 || ')'", "'empty'"]),
        "daterange" | "tsrange" | "tstzrange" => texts(&["'[2024-01-01,2024-02-01)'", "'empty'"]),
        "bit" => vec![literal(&"0".repeat(usize::try_from(kind.modifier).unwrap_or(1).clamp(1, 1000)))],
        "bit varying" => texts(&["'1'", "''"]),
        "macaddr8" => texts(&["'08:00:2b:ff:fe:01:02:' || pg_catalog.lpad(pg_catalog.to_hex({n} % 256), 2, '0')"]),
        "pg_lsn" => texts(&["'0/' || pg_catalog.to_hex({n})"]),
        "jsonpath" => texts(&["'$'"]),
        "tsquery" => texts(&["'example'"]),
        "box" | "lseg" | "path" | "polygon" => texts(&["'(0,0),(' || {n} || ',1)'"]),
        "line" => texts(&["'{1,1,' || {n} || '}'"]),
        "circle" => texts(&["'<(0,0),' || {n} || '>'"]),
        "int4multirange" | "int8multirange" | "nummultirange" => {
            texts(&["'{[' || {n} || ',' || {n} + 1 || ')}'", "'{}'"])
        }
        "datemultirange" | "tsmultirange" | "tstzmultirange" => texts(&["'{[2024-01-01,2024-02-01)}'", "'{}'"]),
        "ltree" => texts(&["'example.n' || {n}", "'0'"]),
        "hstore" => texts(&["'example=>' || {n}"]),
        "\"char\"" => texts(&["'a'"]),
        // A composite of NULLs is not NULL itself.
        _ if kind.category == "C" => vec![format!("pg_catalog.jsonb_populate_record(NULL::{}, '{{}}')", kind.full)],
        _ if kind.category == "S" => texts(&[
            "'example ' || {n}",
            "'example' || {n}",
            "'example' || {n} || '@example.com'",
            "'https://example.com/' || {n}",
            "pg_catalog.upper(pg_catalog.to_hex({n}))",
            "pg_catalog.md5({n}::text)",
            "pg_catalog.lpad({n}::text, 10, '0')",
            "'a'",
            "''",
        ]),
        _ => texts(&["NULL", "''", "'0'"]),
    }
}

/// The regular expressions that a condition as the server prints it demands.
fn patterns(condition: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, operator) in ["~ '", "~* '"].iter().flat_map(|sign| condition.match_indices(sign)) {
        if condition[..at].ends_with(['!', '~']) {
            continue;
        }
        found.extend(texts(&condition[at + operator.len() - 1..]).into_iter().next());
    }
    found
}

/// The string literals of a condition as the server prints it.
pub(in crate::prove) fn texts(condition: &str) -> Vec<String> {
    literals(condition).into_iter().filter(|it| !it.is_number).map(|it| it.value).collect()
}

/// A constant of a condition.
#[derive(Debug, PartialEq)]
struct Literal {
    value: String,
    is_number: bool,
    /// The column that was named last before it: what it is compared with.
    of: Option<String>,
}

/// The string and number literals of a condition as the server prints it.
fn literals(text: &str) -> Vec<Literal> {
    let mut found: Vec<Literal> = Vec::new();
    let mut of: Option<String> = None;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '\'' || c == '"' || c.is_ascii_alphanumeric() || c == '_') {
        let is_type = rest[..at].ends_with("::");
        let behind = &rest[at..];
        let end = match behind.as_bytes()[0] {
            quote @ (b'\'' | b'"') => {
                // One that never closes ends what can be read.
                let Some(end) = closing(behind, char::from(quote)) else { break };
                let inner = &behind[1..end - 1];
                if quote == b'\'' {
                    let value = inner.replace("''", "'");
                    // `'5'::numeric` is a number.
                    let is_number = !value.is_empty() && value.parse::<f64>().is_ok();
                    found.push(Literal { value, is_number, of: of.clone() });
                } else if !is_type {
                    of = Some(behind[..end].to_owned());
                }
                end
            }
            first => {
                let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || (is_type && c == ' ');
                let end = behind.find(|c| !inside(c)).unwrap_or(behind.len());
                let word = &behind[..end];
                if first.is_ascii_digit() {
                    if word.parse::<f64>().is_ok() {
                        found.push(Literal { value: word.to_owned(), is_number: true, of: of.clone() });
                    }
                } else if !is_type && !behind[end..].starts_with('(') && !first.is_ascii_uppercase() {
                    // Keywords are printed in capitals.
                    of = Some(word.to_owned());
                }
                end
            }
        };
        rest = &behind[end..];
    }
    found
}

/// Behind the quote that closes the one at the start; a doubled one is part of the text.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut end = 1;
    loop {
        end += text[end..].find(quote)? + 1;
        if !text[end..].starts_with(quote) {
            return Some(end);
        }
        end += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::literals;

    #[test]
    fn literals_are_read_from_what_the_server_prints() {
        let read = |text: &str| -> Vec<(String, bool, Option<String>)> {
            literals(text).into_iter().map(|it| (it.value, it.is_number, it.of)).collect()
        };
        let literal = |value: &str, is_number: bool, of: &str| {
            (value.to_owned(), is_number, (!of.is_empty()).then(|| of.to_owned()))
        };
        assert_eq!(
            read(
                "CHECK (((a1 >= 5) AND ((s)::text = ANY (ARRAY['it''s'::character varying, 'b'::text])) AND (lower(x) < '7.5'::numeric)))"
            ),
            [
                literal("5", true, "a1"),
                literal("it's", false, "s"),
                literal("b", false, "s"),
                literal("7.5", true, "x")
            ]
        );
        assert_eq!(read("FOR VALUES IN ('eu')"), [literal("eu", false, "")]);
        assert_eq!(read("\"Odd 'name'\" > 0 AND 'open"), [literal("0", true, "\"Odd 'name'\"")]);
    }
}
