//! Helpers of the unit tests.

use super::reader::{Reader, Result};
use crate::source::FileId;
use crate::sql::lex::token::{Text, tokenize};

/// Reads from a text that stands at the start of a file.
pub(in crate::sql) fn read<T>(text: &str, read: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
    let text = Text::whole(FileId(0), text);
    let tokens = tokenize(&text)?;
    read(&mut Reader::new(text, tokens))
}
