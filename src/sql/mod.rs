//! Text to statements.
//!
//! In: the text of a file. Out: [`Script`]: every statement with its span, and either the [`Change`] it asks for or the reason
//! why it could not be read; comments that speak to pgassay. Knows no schema and does no I/O.

mod alter_column;
mod alter_object;
mod alter_table;
mod column;
mod command;
mod constraint;
mod copy;
mod create_other;
mod data;
mod dialect;
mod dynamic;
mod element;
mod foreign;
mod grant;
mod index;
mod keyword;
mod lexis;
mod literal;
mod maintenance;
mod newer;
mod normal;
mod object;
mod operator;
mod partition;
mod plpgsql;
mod publication;
mod reader;
mod reader_ddl;
mod reference;
mod repair;
mod repair_clause;
mod repair_json;
mod repair_operator;
mod role;
mod routine;
mod schema;
mod script;
mod secret;
mod sequence;
mod session;
mod set_config;
mod setting;
mod split;
mod statement;
mod table;
mod token;
mod trigger;
mod type_name;
mod types;
mod uses;
mod view;

#[cfg(test)]
mod ddl_tests;
#[cfg(test)]
mod testing;

pub use keyword::can_name_column;
pub use normal::normalize;
pub use plpgsql::read_plpgsql_body;
pub use script::{read_in_lots, read_script, read_section};
pub use secret::{hide_secrets, secrets};
pub use token::{string_constants, tree_span};
pub use uses::relation_uses;

use crate::change::Statement;
use crate::source::Span;

/// A file split into statements.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub statements: Vec<Statement>,
    /// Every comment, in order; the text without its marks is for the reader of directives.
    pub comments: Vec<Span>,
    /// psql's backslash commands: each is skipped by the reader.
    pub meta_commands: Vec<Span>,
}
