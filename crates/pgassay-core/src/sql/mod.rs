//! Text to statements.
//!
//! In: the text of a file. Out: [`Script`]: every statement with its span, and either the [`Change`](crate::change::Change) it asks for or the reason
//! why it could not be read; comments that speak to pgassay. Knows no schema and does no I/O.

mod body;
pub(crate) mod kept;
mod lex;
mod misspelt;
mod newer;
mod read;
mod repair;
mod script;
mod secret;

#[cfg(test)]
mod ddl_tests;
pub use body::routine_body::{Parameter, read_routine_body, read_statement_at};
pub use lex::cutter::{Cut, Cutter, Part};
pub use lex::keyword::can_name_column;
pub use lex::normal::normalize;
pub use lex::split::Sender;
pub use lex::token::{SourceToken, SourceTokenKind, source_tokens, string_constants, tree_span};
pub use read::uses::relation_uses;
pub use script::{comments_of_body, includes, read_in_lots, read_script, read_section};
pub use secret::{hide_secrets, secrets};

use crate::change::Statement;
use crate::source::Span;

/// A file split into statements.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub statements: Vec<Statement>,
    /// Every comment, in order; the text without its marks is for the reader of directives.
    pub comments: Vec<Span>,
    /// psql's backslash commands.
    pub meta_commands: Vec<Span>,
    pub includes: Vec<Include>,
}

/// A command of psql that runs the statements of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Which of the script's statements it is: unreadable, unless the file's take its place.
    pub statement: usize,
    pub command: Span,
    /// As it is written.
    pub path: String,
    /// From the folder of the file that it stands in, not from the folder that psql runs in.
    pub from_here: bool,
}
