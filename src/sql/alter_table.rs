//! ALTER TABLE, and ALTER of the other relations.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn alter_table(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_foreign_table(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_view(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_materialized_view(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_index(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_sequence(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
