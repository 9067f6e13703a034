//! Parameters as drivers write them, with the numbers that the server knows: `:name`, `%s`, `%(name)s`, `?`, `@name` and `$name` become `$1`.

/// Words after which a value comes.
const BEFORE_VALUES: &[&str] = &[
    "like",
    "ilike",
    "in",
    "limit",
    "offset",
    "between",
    "and",
    "or",
    "values",
    "select",
    "when",
    "then",
    "else",
    "interval",
    "where",
    "on",
    "by",
    "any",
    "all",
    "to",
    "returning",
    "distinct",
    "set",
    "not",
    "is",
    "as",
    "using",
    "case",
];

/// A statement with its parameters numbered; as it is if it has numbered ones already.
pub fn numbered(text: &str) -> String {
    let mut reader = Reader { text, at: 0, result: String::new(), names: Vec::new(), positional: 0 };
    while reader.at < text.len() {
        reader.step();
    }
    match reader.names.is_empty() && reader.positional == 0 {
        true => text.to_owned(),
        false => reader.result,
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    result: String,
    names: Vec<String>,
    positional: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn step(&mut self) {
        let skipped = skipped(self.rest());
        if skipped > 0 {
            return self.copy(skipped);
        }
        match parameter(self.rest(), &self.text[..self.at]) {
            Some((Placeholder::Named(name), length)) => {
                let place = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    self.names.push(name);
                    self.names.len() - 1
                });
                self.result.push_str(&format!("${}", self.positional + place + 1));
                self.at += length;
            }
            Some((Placeholder::Positional, length)) => {
                self.positional += 1;
                self.result.push_str(&format!("${}", self.positional + self.names.len()));
                self.at += length;
            }
            None => self.copy(self.rest().chars().next().map_or(1, char::len_utf8)),
        }
    }

    fn copy(&mut self, length: usize) {
        self.result.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }
}

enum Placeholder {
    Named(String),
    Positional,
}

/// Bytes of a literal, a quoted name, a comment or a dollar-quoted text that begins here.
fn skipped(rest: &str) -> usize {
    let until = |start: usize, end: &str| rest[start..].find(end).map_or(rest.len(), |at| start + at + end.len());
    match rest.as_bytes() {
        [b'\'', ..] => until(1, "'"),
        [b'"', ..] => until(1, "\""),
        [b'-', b'-', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'$', ..] => {
            let tag = name_of(&rest[1..]);
            match rest[1 + tag.len()..].starts_with('$') {
                true => {
                    let open = format!("${tag}$");
                    until(open.len(), &open)
                }
                false => 0,
            }
        }
        _ => 0,
    }
}

fn parameter(rest: &str, before: &str) -> Option<(Placeholder, usize)> {
    if let Some(found) = sqlc(rest, before) {
        return Some(found);
    }
    let follows_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ')' || c == ']');
    let named = |sign: usize| {
        let name = name_of(&rest[sign..]);
        (!name.is_empty()).then(|| (Placeholder::Named(name.to_owned()), sign + name.len()))
    };
    match rest.as_bytes() {
        // `::text` is a cast, `[1:2]` a slice, `:=` an assignment.
        [b':', ..] if !before.ends_with(':') && !follows_name => named(1),
        // `@>` and `@@` are operators, and `@ x` is one.
        [b'@', ..] if !before.ends_with(['@', '<', '|', '-', '?']) && !follows_name => named(1),
        [b'$', ..] if !follows_name => named(1),
        [b'%', b's', ..]
            if !rest[2..].starts_with(|c: char| c.is_alphanumeric() || c == '_') && value_comes(before) =>
        {
            Some((Placeholder::Positional, 2))
        }
        [b'%', b'(', ..] => {
            let end = rest.find(")s")?;
            let name = &rest[2..end];
            (name_of(name) == name).then(|| (Placeholder::Named(name.to_owned()), end + 2))
        }
        // Else it is the operator of jsonb.
        // `@?` asks a document by a path.
        [b'?', ..] if before.ends_with('@') => None,
        [b'?', next, ..] if !b"|&?-#".contains(next) && value_comes(before) => Some((Placeholder::Positional, 1)),
        [b'?'] if value_comes(before) => Some((Placeholder::Positional, 1)),
        _ => None,
    }
}

/// `sqlc.arg(name)`, `sqlc.narg('name')`, `sqlc.slice(name)`.
fn sqlc(rest: &str, before: &str) -> Option<(Placeholder, usize)> {
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let start = ["sqlc.arg(", "sqlc.narg(", "sqlc.slice("].iter().find(|start| rest.starts_with(**start))?;
    let end = rest.find(')')?;
    let name = rest[start.len()..end].trim().trim_matches(['\'', '"']);
    (!name.is_empty() && name_of(name) == name).then(|| (Placeholder::Named(name.to_owned()), end + 1))
}

/// A name that does not begin with a digit.
fn name_of(text: &str) -> &str {
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    if starts { &text[..end] } else { "" }
}

/// After an operator, a comma, an opening parenthesis or one of the words, there is no operator.
fn value_comes(before: &str) -> bool {
    let before = before.trim_end();
    let word = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(before, |at| {
        let next = before[at..].chars().next().map_or(1, char::len_utf8);
        &before[at + next..]
    });
    match word.is_empty() {
        true => before.ends_with(|c: char| "(,=<>+-*/|%~![&@".contains(c)),
        false => BEFORE_VALUES.iter().any(|known| known.eq_ignore_ascii_case(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn what_drivers_write_becomes_a_number() {
        let wanted = "SELECT a FROM t WHERE b = $1 AND c LIKE $2 LIMIT $3";
        for text in [
            "SELECT a FROM t WHERE b = ? AND c LIKE ? LIMIT ?",
            "SELECT a FROM t WHERE b = %s AND c LIKE %s LIMIT %s",
            "SELECT a FROM t WHERE b = :b AND c LIKE :pattern LIMIT :n",
            "SELECT a FROM t WHERE b = @b AND c LIKE @pattern LIMIT @n",
            "SELECT a FROM t WHERE b = $b AND c LIKE $pattern LIMIT $n",
            "SELECT a FROM t WHERE b = %(b)s AND c LIKE %(pattern)s LIMIT %(n)s",
            "SELECT a FROM t WHERE b = sqlc.arg(b) AND c LIKE sqlc.narg('pattern') LIMIT sqlc.arg('n')",
        ] {
            assert_eq!(numbered(text), wanted);
        }
    }

    #[test]
    fn one_name_is_one_parameter() {
        assert_eq!(numbered("SELECT :a, :b, :a"), "SELECT $1, $2, $1");
    }

    #[test]
    fn operators_casts_and_texts_stay() {
        for text in [
            "SELECT a::text, b[1:2], now() - '1:00' FROM t WHERE c ? 'key' AND d ?| array['x'] AND e @> $1 AND f @@ g AND h @? '$.k ? (@ == 17)'",
            "SELECT $$ :a ? %s $$, $tag$ @b $tag$, \"%s\" -- :c\n FROM t /* ? */",
            "SELECT a % s, 5 % 2, @ b, x @-@ y FROM t WHERE meta ? key",
        ] {
            assert_eq!(numbered(text), text);
        }
    }
}
