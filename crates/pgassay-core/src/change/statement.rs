//! A statement with its place: the change it asks for, or why it could not be read.

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
}

/// Why a statement could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// In the words of the reader: "expected a column name, found ')'".
    pub message: String,
    /// The token where reading stopped.
    pub span: Span,
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
    /// The first major version that has it.
    pub since: u16,
    /// Older servers than this take the words for something else, and run them.
    pub refused_from: u16,
    /// As messages name it.
    pub name: &'static str,
    /// How it is said on older servers, or why it cannot be; a sentence.
    pub before: &'static str,
}
