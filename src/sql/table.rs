//! CREATE TABLE, CREATE TABLE AS, CREATE FOREIGN TABLE, TRUNCATE, LOCK.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_table(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_foreign_table(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn truncate(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn lock_table(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
