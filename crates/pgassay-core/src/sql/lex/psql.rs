//! psql's backslash commands (manual, psql, "Meta-Commands"): where one ends, and what it means for the statements around it.
//!
//! In: text and the offset of a backslash outside of strings and comments. Out: [`Command`]. Runs nothing and opens no file.

use super::lexer;
use super::split::Range;

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// From its backslash to its last argument.
    pub range: Range,
    /// Where the text goes on.
    pub behind: usize,
    pub meaning: Meaning,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It changes what psql shows, or sends what was typed so far.
    Display,
    /// It does what this text cannot say; why.
    Unread(String),
    /// The statements of a file.
    Include(Include),
    /// What the query before it returns is run.
    RunsResult,
    /// `\copy (query) TO …`: the query.
    Query(Range),
    /// What was typed so far is not run: it is described, or thrown away.
    Dismiss,
    /// `\set name value`: the name, and the arguments as they are written.
    Set(String, String),
    /// `\set AUTOCOMMIT`.
    Autocommit(bool),
    /// Variables have other values from here, which the text does not give.
    SetsUnknown,
    /// The argument.
    If(String),
    ElseIf(String),
    Else,
    EndIf,
    Quit,
}

/// The branches of an `\if` that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branches {
    /// Whether the branch at hand runs, where that is known.
    runs: Option<bool>,
    /// Whether one of those before it runs.
    ran: Option<bool>,
}

impl Branches {
    pub(super) fn opened(condition: Option<bool>) -> Branches {
        Branches { runs: condition, ran: Some(false) }
    }

    /// `\elif condition`, or `\else` with one that holds.
    pub(super) fn next(self, condition: Option<bool>) -> Branches {
        let ran = match (self.ran, self.runs) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        let runs = match (ran, condition) {
            (Some(true), _) | (_, Some(false)) => Some(false),
            (Some(false), condition) => condition,
            (None, _) => None,
        };
        Branches { runs, ran }
    }

    pub(super) fn runs(self) -> Option<bool> {
        self.runs
    }
}

/// What psql takes for true and false (`ParseVariableBool`, variables.c), or the variable that is asked for.
pub(super) fn truth(argument: &str, value: impl Fn(&str) -> Option<String>) -> Option<bool> {
    let argument = argument.trim();
    let argument = match argument.strip_prefix(':') {
        Some(name) => match name.strip_prefix("{?").and_then(|name| name.strip_suffix('}')) {
            // Unset here, it may be given by whoever runs psql.
            Some(asked) => return value(asked).map(|_| true),
            None => value(name.trim_matches(['\'', '"']))?,
        },
        None => argument.trim_matches('\'').to_owned(),
    };
    match argument.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// `\i file`, `\ir file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Include {
    pub path: String,
    /// From the folder of the file that it stands in, not from the folder that psql runs in.
    pub from_here: bool,
}

/// The command whose backslash is at an offset.
pub(super) fn command(text: &str, at: usize) -> Command {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) == Some(&b';') {
        return Command { range: at..at + 2, behind: at + 2, meaning: Meaning::Display };
    }
    let line_end = line_end(bytes, at);
    let name_end =
        at + 1 + text[at + 1..line_end].find(|c: char| c.is_whitespace() || c == '\\').unwrap_or(line_end - at - 1);
    // `\!` needs no space before the command of the shell.
    let name = if bytes.get(at + 1) == Some(&b'!') { "!" } else { &text[at + 1..name_end] };
    let whole_line = matches!(name, "!" | "copy");
    let (end, behind) = if whole_line { (line_end, line_end) } else { arguments_end(bytes, name_end, line_end) };
    let range = at..at + text[at..end].trim_end().len();
    let arguments = text.get(name_end..range.end).unwrap_or_default().trim();
    let meaning = match name {
        "i" | "include" | "ir" | "include_relative" => {
            let path = arguments.to_owned();
            Meaning::Include(Include { path, from_here: matches!(name, "ir" | "include_relative") })
        }
        "c" | "connect" if connects_elsewhere(arguments) => {
            Meaning::Unread("psql goes on in another database, or as another role, from here".to_owned())
        }
        "!" => Meaning::Unread("the shell runs this command, and what it does is not known".to_owned()),
        "gexec" => Meaning::RunsResult,
        "copy" => copied_query(text, name_end, line_end).map_or(Meaning::Display, Meaning::Query),
        "gdesc" | "r" | "reset" => Meaning::Dismiss,
        "set" if autocommit(arguments).is_some() => Meaning::Autocommit(autocommit(arguments) == Some(true)),
        "set" if !arguments.is_empty() => {
            let (name, value) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
            Meaning::Set(name.to_owned(), value.trim().to_owned())
        }
        "unset" | "getenv" | "prompt" | "gset" => Meaning::SetsUnknown,
        "if" => Meaning::If(arguments.to_owned()),
        "elif" => Meaning::ElseIf(arguments.to_owned()),
        "else" => Meaning::Else,
        "endif" => Meaning::EndIf,
        "q" | "quit" => Meaning::Quit,
        _ => Meaning::Display,
    };
    Command { range, behind, meaning }
}

/// A variable that is asked for: `:name`, `:'name'` or `:"name"`.
pub(super) struct Asked<'a> {
    pub name: &'a str,
    pub end: usize,
    quote: Option<u8>,
}

/// The variable whose colon is at an offset.
pub(super) fn asked(text: &str, at: usize) -> Option<Asked<'_>> {
    let bytes = text.as_bytes();
    let byte = *bytes.get(at + 1)?;
    let quote = matches!(byte, b'\'' | b'"').then_some(byte);
    let start = at + 1 + usize::from(quote.is_some());
    let end = lexer::word_end(bytes, start);
    let closed = match quote {
        Some(quote) => end > start && bytes.get(end) == Some(&quote),
        None => lexer::begins_word(byte),
    };
    closed.then(|| Asked { name: &text[start..end], end: end + usize::from(quote.is_some()), quote })
}

impl Asked<'_> {
    /// What psql writes in its place: the value as it is, as a string constant or as a name in quotes.
    pub(super) fn written(&self, value: &str) -> String {
        match self.quote {
            None => value.to_owned(),
            Some(b'"') => format!("\"{}\"", value.replace('"', "\"\"")),
            // PQescapeLiteral.
            Some(_) if value.contains('\\') => {
                format!(" E'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
            }
            Some(_) => format!("'{}'", value.replace('\'', "''")),
        }
    }
}

/// What psql makes of the arguments of a command: one after the other, without their quotes, with the values of variables
/// (psqlscanslash.l); `None` where the text does not tell.
pub(super) fn joined(arguments: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut found = String::new();
    let mut at = 0;
    while let Some(next) = arguments[at..].chars().next() {
        match next {
            '`' => return None,
            '\'' => at = quoted_argument(arguments, at, &mut found)?,
            ':' => match asked(arguments, at) {
                Some(asked) => {
                    found.push_str(&asked.written(&value(asked.name)?));
                    at = asked.end;
                }
                None => {
                    found.push(next);
                    at += 1;
                }
            },
            _ => {
                if !next.is_whitespace() {
                    found.push(next);
                }
                at += next.len_utf8();
            }
        }
    }
    Some(found)
}

/// Behind the argument in single quotes that begins at an offset; `None` where it is not closed, or has an escape by number.
fn quoted_argument(arguments: &str, at: usize, found: &mut String) -> Option<usize> {
    let mut letters = arguments[at + 1..].char_indices().map(|(n, letter)| (at + 1 + n, letter)).peekable();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
                found.push('\'');
            }
            '\'' => return Some(place + 1),
            '\\' => match letters.next()?.1 {
                'n' => found.push('\n'),
                't' => found.push('\t'),
                'r' => found.push('\r'),
                'b' | 'f' | 'x' | '0'..='7' => return None,
                other => found.push(other),
            },
            _ => found.push(letter),
        }
    }
    None
}

/// What `\set AUTOCOMMIT` sets.
fn autocommit(arguments: &str) -> Option<bool> {
    let value = arguments.strip_prefix("AUTOCOMMIT")?;
    value.starts_with(char::is_whitespace).then(|| truth(value, |_| None)).flatten()
}

/// What a statement is to psql, which begins a transaction block where AUTOCOMMIT is off (`command_no_begin`, common.c).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// It opens a block, or is followed by one.
    Begins,
    Ends,
    /// It can't run in a block.
    Alone,
    Other,
}

pub(super) fn control(statement: &str) -> Control {
    let words: Vec<String> = statement
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(5)
        .map(str::to_ascii_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["begin", ..] | ["start", "transaction", ..] => Control::Begins,
        ["rollback", "to", ..] | ["rollback", "work" | "transaction", "to", ..] => Control::Other,
        ["commit" | "rollback", "prepared", ..] => Control::Alone,
        ["commit" | "end" | "rollback" | "abort", ref rest @ ..] => {
            let chains = rest.ends_with(&["and", "chain"]);
            if chains { Control::Begins } else { Control::Ends }
        }
        ["prepare", "transaction", ..] => Control::Ends,
        ["reindex", "table" | "index", ref rest @ ..] if !rest.contains(&"concurrently") => Control::Other,
        ["vacuum" | "reindex", ..] | ["alter", "system", ..] | ["discard", "all"] | ["cluster"] => Control::Alone,
        ["create" | "drop", "database" | "tablespace", ..] | ["create" | "drop", "index", "concurrently", ..] => {
            Control::Alone
        }
        ["create", "unique", "index", "concurrently", ..] => Control::Alone,
        _ => Control::Other,
    }
}

/// Whether `\c` names a database or a role; `-` is the one at hand.
fn connects_elsewhere(arguments: &str) -> bool {
    arguments.split_whitespace().take(2).any(|argument| argument != "-")
}

/// psql reads lines that end in LF.
fn line_end(bytes: &[u8], at: usize) -> usize {
    let end = at + bytes[at..].iter().take_while(|byte| **byte != b'\n').count();
    if end > at && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

/// Where the arguments end, and where the text goes on: at the end of the line, behind `\\`, or at the next command.
fn arguments_end(bytes: &[u8], start: usize, line_end: usize) -> (usize, usize) {
    let mut at = start;
    let mut quote = None;
    while at < line_end {
        match (quote, bytes[at]) {
            (None, b'\\') if bytes.get(at + 1) == Some(&b'\\') => return (at, at + 2),
            (None, b'\\') => return (at, at),
            (None, opening @ (b'\'' | b'"' | b'`')) => quote = Some(opening),
            (Some(opening), byte) if byte == opening => quote = None,
            _ => {}
        }
        at += 1;
    }
    (line_end, line_end)
}

/// The inside of the parentheses of `\copy (query) TO …`.
fn copied_query(text: &str, start: usize, line_end: usize) -> Option<Range> {
    let rest = &text[start..line_end];
    let open = start + rest.len() - rest.trim_start().len();
    if text.as_bytes().get(open) != Some(&b'(') {
        return None;
    }
    let close = text[open..line_end].rfind(')')? + open;
    (close > open + 1).then_some(open + 1..close)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> (Meaning, &str, &str) {
        let found = command(text, 0);
        (found.meaning, &text[found.range], &text[found.behind..])
    }

    #[test]
    fn commands_end_with_their_arguments() {
        assert_eq!(meaning("\\echo x \\\\ DROP TABLE t;"), (Meaning::Display, "\\echo x", " DROP TABLE t;"));
        assert_eq!(
            meaning("\\set a 'b\\\\c' \\gexec"),
            (Meaning::Set("a".into(), "'b\\\\c'".into()), "\\set a 'b\\\\c'", "\\gexec")
        );
        assert_eq!(meaning("\\;SELECT 2"), (Meaning::Display, "\\;", "SELECT 2"));
        assert_eq!(meaning("\\q\r\nSELECT 1"), (Meaning::Quit, "\\q", "\r\nSELECT 1"));
        assert_eq!(meaning("\\gexec -- all"), (Meaning::RunsResult, "\\gexec -- all", ""));
    }

    #[test]
    fn what_runs_elsewhere_says_so() {
        let include = |path: &str, from_here| Meaning::Include(Include { path: path.to_owned(), from_here });
        assert_eq!(meaning("\\ir drop_users.sql\n").0, include("drop_users.sql", true));
        assert_eq!(meaning("\\i 'a b\'\'.sql' \\echo x").0, include("'a b\'\'.sql'", false));
        assert!(matches!(meaning("\\c other\n").0, Meaning::Unread(_)));
        assert_eq!(meaning("\\c - -\n").0, Meaning::Display);
        assert!(matches!(meaning("\\!rm x \\\\ y").0, Meaning::Unread(_)));
        assert!(matches!(meaning("\\! rm x").0, Meaning::Unread(_)));
        assert_eq!(meaning("\\copy (DELETE FROM t RETURNING f(1)) to 'x'").0, Meaning::Query(7..35));
        assert_eq!(meaning("\\copy t from x.csv").0, Meaning::Display);
    }

    #[test]
    fn arguments_are_joined_as_psql_joins_them() {
        let value = |name: &str| (name == "a").then(|| "it's".to_owned());
        let joined = |text| joined(text, value);
        assert_eq!(joined("'b c' d"), Some("b cd".to_owned()));
        assert_eq!(joined(":a.x :'a'"), Some("it's.x'it''s'".to_owned()));
        assert_eq!(joined("'it''s\\n'"), Some("it's\n".to_owned()));
        assert_eq!(joined("a: 1"), Some("a:1".to_owned()));
        for unknown in [":b", "a::b", "`date`", "'open"] {
            assert_eq!(joined(unknown), None, "{unknown}");
        }
    }
}
