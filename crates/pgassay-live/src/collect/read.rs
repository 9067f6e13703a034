//! Bytes to text: UTF-8, with or without a byte order mark; line ends stay as they are.

use std::path::{Path, PathBuf};

use super::repository;
use crate::source::Position;

/// A file or folder that could not be read. The others are read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", path.display(), place(position))]
pub struct ReadError {
    pub path: PathBuf,
    /// Where in the file; the column counts characters.
    pub position: Option<Position>,
    pub message: String,
}

fn place(position: &Option<Position>) -> String {
    position.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default()
}

/// A file's text without its byte order mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub text: String,
    pub byte_order_mark: bool,
}

pub(super) fn read(path: &Path) -> Result<Text, ReadError> {
    if let Some(target) = repository::leaves(path) {
        return Err(ReadError { path: path.to_owned(), position: None, message: repository::refusal(&target) });
    }
    let bytes = std::fs::read(path).map_err(|error| ReadError::io(path, &error))?;
    decode(path, bytes)
}

/// `path` is only for the error.
pub(super) fn decode(path: &Path, bytes: Vec<u8>) -> Result<Text, ReadError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let message = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "is UTF-16; save it as UTF-8".to_owned(),
            _ => format!("is not UTF-8: byte 0x{:02X}", bytes.get(valid).copied().unwrap_or_default()),
        };
        ReadError { path: path.to_owned(), position: Some(position_after(&bytes[..valid])), message }
    })?;
    let byte_order_mark = text.starts_with('\u{FEFF}');
    if byte_order_mark {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(Text { text, byte_order_mark })
}

/// The place just behind bytes that are valid UTF-8. A byte order mark takes no column.
fn position_after(valid: &[u8]) -> Position {
    let text = std::str::from_utf8(valid).unwrap_or_default().trim_start_matches('\u{FEFF}');
    let line = text.matches('\n').count() as u32 + 1;
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Position { line, column: last_line.chars().count() as u32 + 1 }
}

impl ReadError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> ReadError {
        ReadError { path: path.to_owned(), position: None, message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place_of_a_byte_that_is_not_utf_8() {
        let error = decode(Path::new("a.sql"), b"\xEF\xBB\xBFselect 1;\r\n-- caf\xC3\xA9 \xE9\n".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "a.sql:2:9: is not UTF-8: byte 0xE9");
    }

    #[test]
    fn drops_the_byte_order_mark_and_keeps_line_ends() {
        let text = decode(Path::new("a.sql"), b"\xEF\xBB\xBFselect 1;\r\n".to_vec()).unwrap();
        assert_eq!(text, Text { text: "select 1;\r\n".to_owned(), byte_order_mark: true });
    }
}
