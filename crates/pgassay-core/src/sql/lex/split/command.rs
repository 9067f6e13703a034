//! The commands of psql between the statements: what they set, send and leave out.

use super::{Current, PieceKind, Problem, Scanner};
use crate::change::UnreadableKind;
use crate::sql::lex::psql::{self, Branches, Command, Meaning};

impl Scanner<'_> {
    /// A backslash that begins a line, or one of psql's commands that send what was typed so far.
    pub(super) fn is_meta_command(&self) -> bool {
        let before = self.bytes[..self.at].iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
        let begins_line = before.is_none_or(|before| matches!(self.bytes[before], b'\n' | b'\r' | b';'));
        let sends = ["g", ";", "crosstabview", "watch", "bind", "parse"];
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        begins_line || self.at == self.behind_command || sends.iter().any(|command| rest.starts_with(command))
    }

    pub(super) fn meta_command(&mut self) {
        let Command { range, behind, meaning } = psql::command(&self.text[..self.bytes.len()], self.at);
        self.at = behind;
        // Another may follow on the line.
        self.behind_command = behind;
        if meaning == Meaning::Dismiss {
            self.current = Current::default();
        }
        self.finish(None);
        match meaning {
            Meaning::Unread(message) => {
                let problem = Problem { message, range: range.clone(), kind: UnreadableKind::Command };
                self.add(range.clone(), Some(problem), PieceKind::Statement);
            }
            Meaning::Include(mut include) => {
                if let Some(path) = psql::joined(&include.path, |name| self.variables.get(name).cloned()) {
                    include.path = path;
                }
                // What the file sets is set from here on.
                self.variables.clear();
                let message = format!("psql runs the statements of {} here, and they were not read", include.path);
                let problem = Problem { message, range: range.clone(), kind: UnreadableKind::Command };
                self.add(range.clone(), Some(problem), PieceKind::Include(include));
            }
            Meaning::RunsResult => self.add(range.clone(), None, PieceKind::RunsResult),
            Meaning::Query(query) => self.add(query, None, PieceKind::Statement),
            Meaning::Autocommit(on) if self.runs() == Some(true) => self.autocommit_off = !on,
            Meaning::Autocommit(on) if self.runs().is_none() && on == self.autocommit_off => {
                let message = "psql may not commit on its own from here".to_owned();
                let problem = Problem { message, range: range.clone(), kind: UnreadableKind::Command };
                self.add(range.clone(), Some(problem), PieceKind::Statement);
            }
            Meaning::Set(name, arguments) => self.set(name, &arguments),
            Meaning::SetsUnknown if self.runs() != Some(false) => self.variables.clear(),
            Meaning::If(condition) => {
                let holds = psql::truth(&condition, |name| self.variables.get(name).cloned());
                self.conditions.push(Branches::opened(holds));
            }
            Meaning::ElseIf(condition) => {
                let holds = psql::truth(&condition, |name| self.variables.get(name).cloned());
                self.next_branch(holds);
            }
            Meaning::Else => self.next_branch(Some(true)),
            Meaning::EndIf => drop(self.conditions.pop()),
            // What stands under a condition may be left without an end to the rest.
            Meaning::Quit if self.runs() == Some(true) => self.at = self.bytes.len(),
            Meaning::Quit | Meaning::Display | Meaning::Dismiss => {}
            Meaning::SetsUnknown | Meaning::Autocommit(_) => {}
        }
        self.found.meta_commands.push(range);
    }

    /// `\set`: the variable's value is known where the command runs for certain, and says it.
    fn set(&mut self, name: String, arguments: &str) {
        let value = psql::joined(arguments, |name| self.variables.get(name).cloned());
        match (self.runs(), value) {
            (Some(false), _) => {}
            (Some(true), Some(value)) => drop(self.variables.insert(name, value)),
            _ => drop(self.variables.remove(&name)),
        }
    }

    fn next_branch(&mut self, holds: Option<bool>) {
        if let Some(open) = self.conditions.last_mut() {
            *open = open.next(holds);
        }
    }

    /// Whether psql runs what comes next, where the conditions around it are known.
    pub(super) fn runs(&self) -> Option<bool> {
        let mut all = Some(true);
        for branch in self.conditions.iter().map(|open| open.runs()) {
            match branch {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// A backslash that reaches the server, whose grammar has none.
    pub(super) fn refused_command(&mut self) {
        let line = self.text.get(self.at..).unwrap_or_default().lines().next().unwrap_or_default();
        let name: String = line.chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        let message = format!(
            "{name} is for psql, which does not run this file: the server gets it (syntax error at or near \"\\\")"
        );
        self.set_problem(message, self.at..self.at + name.len(), UnreadableKind::Refused);
        self.token(self.at + 1);
    }
}
