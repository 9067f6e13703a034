//! CREATE SEQUENCE and the options of sequences.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_sequence(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
