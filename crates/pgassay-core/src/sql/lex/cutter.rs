//! Cuts a script into what psql sends to the server and what it does by itself, line by line: a dump may be larger than memory.
//!
//! In: lines. Out: a [`Cut`] whenever a statement or a command ends with its line. Reads no statement and runs no command. The rows of COPY are
//! not for it: whoever sends the statement takes them, up to the line `\\.`.

use super::lexer::Rules;
use super::split::{Piece, PieceKind, Range, Sender, split};

/// Some lines of a script, with what they hold in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    pub text: String,
    pub parts: Vec<Part>,
}

/// A range of a [`Cut`]'s text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Statement(Range),
    /// COPY … FROM stdin: its rows follow the text.
    TakesRows(Range),
    /// A command of psql's, from its backslash on.
    Command(Range),
    /// A statement that begins on the line of COPY … FROM stdin and does not end there, so that its rest follows the rows.
    Divided(Range),
}

impl Part {
    pub fn range(&self) -> Range {
        let (Part::Statement(range) | Part::TakesRows(range) | Part::Command(range) | Part::Divided(range)) = self;
        range.clone()
    }
}

#[derive(Debug, Default)]
pub struct Cutter {
    text: String,
    rules: Rules,
    /// What closes the string or comment that is open at the end of the text.
    closing: Option<String>,
}

impl Cutter {
    /// Takes one more line, with its end.
    pub fn line(&mut self, line: &str) -> Option<Cut> {
        self.text.push_str(line);
        let may_end = match &self.closing {
            Some(closing) => line.contains(closing.as_str()),
            None => line.contains([';', '\\']),
        };
        if may_end { self.cut(false) } else { None }
    }

    /// What is left at the end of the script: psql sends a statement without a semicolon, too.
    pub fn end(&mut self) -> Option<Cut> {
        self.cut(true)
    }

    fn cut(&mut self, at_end: bool) -> Option<Cut> {
        let found = split(&self.text, self.rules, Sender::Psql);
        let takes_rows = found.pieces.iter().any(|piece| piece.takes_rows);
        let is_open = found.is_open || found.unclosed.is_some();
        if is_open && !at_end && !takes_rows {
            self.closing = found.unclosed.map(|opening| closing(&self.text[opening]));
            return None;
        }
        let last = found.pieces.last().map(|piece| piece.range.start);
        let commands = found.meta_commands;
        // What a command holds is not sent as it stands there.
        let is_sent = |piece: &Piece| {
            piece.kind != PieceKind::Begins && !commands.iter().any(|command| command.contains(&piece.range.start))
        };
        let statements = found.pieces.into_iter().filter(is_sent).map(|piece| {
            match is_open && takes_rows && !at_end && Some(piece.range.start) == last {
                true => Part::Divided(piece.range),
                false if piece.takes_rows => Part::TakesRows(piece.range),
                false => Part::Statement(piece.range),
            }
        });
        let mut parts: Vec<Part> = statements.collect();
        parts.extend(commands.into_iter().map(Part::Command));
        parts.sort_by_key(|part| part.range().start);
        (self.rules, self.closing) = (found.rules, None);
        let text = std::mem::take(&mut self.text);
        Some(Cut { text, parts }).filter(|cut| !cut.parts.is_empty())
    }
}

/// What has to come on a line before what was opened can end.
fn closing(opening: &str) -> String {
    if opening == "/*" { "*/".to_owned() } else { opening.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each part with a mark of its kind, a `|` wherever something was handed out.
    fn cuts(script: &str) -> String {
        let mut cutter = Cutter::default();
        let mut out = String::new();
        let mut show = |cut: Option<Cut>| {
            let Some(cut) = cut else { return };
            for part in &cut.parts {
                let mark = match part {
                    Part::Statement(_) => "",
                    Part::TakesRows(_) => "<",
                    Part::Command(_) => "!",
                    Part::Divided(_) => "?",
                };
                out.push_str(&format!("{mark}{};", &cut.text[part.range()]));
            }
            out.push('|');
        };
        for line in script.split_inclusive('\n') {
            show(cutter.line(line));
        }
        show(cutter.end());
        out
    }

    #[test]
    fn statements_are_handed_out_when_they_end() {
        assert_eq!(
            cuts("SELECT 1;\nSELECT\n2; SELECT 3;\n-- a;\nSELECT 4"),
            "SELECT 1;|SELECT\n2;SELECT 3;|SELECT 4;|"
        );
        assert_eq!(cuts("DO $a$\nb; $b$ ;\n$a$;\n"), "DO $a$\nb; $b$ ;\n$a$;|");
        assert_eq!(cuts("/* ;\n/* ; */ ;\n*/ SELECT ';\n';\n"), "SELECT ';\n';|");
        assert_eq!(cuts("SELECT 1; SELECT\n2;\n"), "SELECT 1;SELECT\n2;|");
    }

    #[test]
    fn commands_are_no_statements() {
        assert_eq!(
            cuts("\\restrict x\n\\! rm -rf x\nSELECT 1 \\g |rm\n"),
            "!\\restrict x;|!\\! rm -rf x;|SELECT 1;!\\g |rm;|"
        );
        assert_eq!(
            cuts("\\copy (SELECT 1;) to program 'x'\nSELECT '\n\\! x\n';"),
            "!\\copy (SELECT 1;) to program 'x';|SELECT '\n\\! x\n';|"
        );
        assert_eq!(cuts("\\i other.sql\n\\c other\n"), "!\\i other.sql;|!\\c other;|");
    }

    #[test]
    fn rows_are_left_to_the_sender() {
        assert_eq!(cuts("SELECT 1; COPY t FROM stdin;\n"), "SELECT 1;<COPY t FROM stdin;|");
        assert_eq!(cuts("COPY t FROM stdin; SELECT\n"), "<COPY t FROM stdin;?SELECT;|");
        assert_eq!(cuts("COPY t TO stdout;\n"), "COPY t TO stdout;|");
    }

    #[test]
    fn settings_hold_for_what_follows() {
        assert_eq!(
            cuts("SET standard_conforming_strings = off;\nSELECT '\\';\n';\n"),
            "SET standard_conforming_strings = off;|SELECT '\\';\n';|"
        );
    }
}
