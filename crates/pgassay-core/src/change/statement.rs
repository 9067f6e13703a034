//! A statement with its place: the change it asks for, or why it could not be read.

use std::sync::Arc;

use super::Change;
use crate::source::Span;

/// One SQL statement of a file, a DO block or a function body.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// From the first token to the last, without the semicolon and without comments around it.
    pub span: Span,
    pub change: Result<Change, Unreadable>,
    /// Stands under IF, CASE, LOOP or EXCEPTION of a PL/pgSQL block: it may run or not.
    pub conditional: bool,
    /// The forms in it that not every supported server reads.
    pub newer: Vec<Newer>,
    /// What the server gets, where psql puts the values of variables into the text of the file.
    pub sent: Option<Arc<str>>,
}

impl Statement {
    /// Whether psql runs it, and the server never gets its text.
    pub fn is_psql_command(&self) -> bool {
        match &self.change {
            Ok(Change::Do(block)) => block.language.as_str() == PSQL,
            Ok(_) => false,
            Err(error) => error.kind == UnreadableKind::Command,
        }
    }
}

/// The language of `\gexec`, which is a block whose statements are only known when it runs.
pub const PSQL: &str = "psql";

/// Why a statement could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// In the words of the reader: "expected a column name, found ')'".
    pub message: String,
    /// The token where reading stopped.
    pub span: Span,
    pub kind: UnreadableKind,
}

/// Who would read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableKind {
    /// The server reads it, or refuses it too.
    Text,
    /// The server refuses it, in these words or others: no version's grammar has it.
    Invalid,
    /// The server refuses it: it is written for psql, which does not run it.
    Refused,
    /// psql runs it, and nothing of it reaches the server as it is written.
    Command,
}

impl Unreadable {
    pub fn new(message: impl Into<String>, span: Span) -> Unreadable {
        Unreadable { message: message.into(), span, kind: UnreadableKind::Text }
    }

    /// What no server takes, said in the server's words where it has any.
    pub fn invalid(message: impl Into<String>, span: Span) -> Unreadable {
        Unreadable { kind: UnreadableKind::Invalid, ..Unreadable::new(message, span) }
    }
}

/// A form of a statement that came with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newer {
    pub form: &'static Form,
    pub span: Span,
}

/// What came with a version, and what was there before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// The first major version that has it, or [`Form::NEVER`].
    pub since: u16,
    /// Older servers than this take the words for something else, and run them.
    pub refused_from: u16,
    /// As messages name it.
    pub name: &'static str,
    /// How it is said on older servers, or why it cannot be; a sentence.
    pub before: &'static str,
}

impl Form {
    /// Older servers than [`Form::refused_from`] took it, none since does.
    pub const NEVER: u16 = u16::MAX;
}
