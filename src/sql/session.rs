//! Transactions, settings, DO blocks.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn do_block(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn transaction(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn set(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn reset(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
