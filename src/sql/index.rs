//! CREATE INDEX, CREATE STATISTICS, REINDEX, CLUSTER, VACUUM, ANALYZE.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_index(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_statistics(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn reindex(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn cluster(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn vacuum(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn analyze(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
