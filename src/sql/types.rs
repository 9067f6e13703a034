//! CREATE and ALTER of types and domains.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_type(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_domain(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_type(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_domain(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
