//! Statements that read and write rows.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn read(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
