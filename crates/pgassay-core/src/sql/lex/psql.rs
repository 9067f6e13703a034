//! psql's backslash commands (manual, psql, "Meta-Commands"): where one ends, and what it means for the statements around it.
//!
//! In: text and the offset of a backslash outside of strings and comments. Out: [`Command`]. Runs nothing and opens no file.

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
    /// `\set name value`.
    Set(String, String),
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
            let path = arguments.trim_matches('\'').replace("\'\'", "\'");
            Meaning::Include(Include { path, from_here: matches!(name, "ir" | "include_relative") })
        }
        "c" | "connect" if connects_elsewhere(arguments) => {
            Meaning::Unread("psql goes on in another database, or as another role, from here".to_owned())
        }
        "!" => Meaning::Unread("the shell runs this command, and what it does is not known".to_owned()),
        "gexec" => Meaning::RunsResult,
        "copy" => copied_query(text, name_end, line_end).map_or(Meaning::Display, Meaning::Query),
        "gdesc" | "r" | "reset" => Meaning::Dismiss,
        "set" if is_autocommit_off(arguments) => Meaning::Unread(
            "psql commits nothing by itself from here: what is open at the end is rolled back".to_owned(),
        ),
        "set" => match arguments.split_once(char::is_whitespace) {
            Some((name, value)) => Meaning::Set(name.to_owned(), value.trim().trim_matches('\'').to_owned()),
            None => Meaning::Display,
        },
        "if" => Meaning::If(arguments.to_owned()),
        "elif" => Meaning::ElseIf(arguments.to_owned()),
        "else" => Meaning::Else,
        "endif" => Meaning::EndIf,
        "q" | "quit" => Meaning::Quit,
        _ => Meaning::Display,
    };
    Command { range, behind, meaning }
}

fn is_autocommit_off(arguments: &str) -> bool {
    let mut words = arguments.split_whitespace();
    words.next() == Some("AUTOCOMMIT") && words.next().and_then(|value| truth(value, |_| None)) == Some(false)
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
            (Meaning::Set("a".into(), "b\\\\c".into()), "\\set a 'b\\\\c'", "\\gexec")
        );
        assert_eq!(meaning("\\;SELECT 2"), (Meaning::Display, "\\;", "SELECT 2"));
        assert_eq!(meaning("\\q\r\nSELECT 1"), (Meaning::Quit, "\\q", "\r\nSELECT 1"));
        assert_eq!(meaning("\\gexec -- all"), (Meaning::RunsResult, "\\gexec -- all", ""));
    }

    #[test]
    fn what_runs_elsewhere_says_so() {
        let include = |path: &str, from_here| Meaning::Include(Include { path: path.to_owned(), from_here });
        assert_eq!(meaning("\\ir drop_users.sql\n").0, include("drop_users.sql", true));
        assert_eq!(meaning("\\i 'a b\'\'.sql' \\echo x").0, include("a b'.sql", false));
        assert!(matches!(meaning("\\c other\n").0, Meaning::Unread(_)));
        assert_eq!(meaning("\\c - -\n").0, Meaning::Display);
        assert!(matches!(meaning("\\!rm x \\\\ y").0, Meaning::Unread(_)));
        assert!(matches!(meaning("\\! rm x").0, Meaning::Unread(_)));
        assert_eq!(meaning("\\copy (DELETE FROM t RETURNING f(1)) to 'x'").0, Meaning::Query(7..35));
        assert_eq!(meaning("\\copy t from x.csv").0, Meaning::Display);
    }
}
