//! CREATE VIEW, CREATE MATERIALIZED VIEW, REFRESH.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_view(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_materialized_view(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn refresh_materialized_view(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
