//! Everything with a name that holds no rows: DROP, COMMENT, GRANT, ALTER of objects, schemas, extensions, publications.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn drop(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn comment(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn grant(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn revoke(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_default_privileges(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn owned(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_schema(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_extension(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_extension(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_publication(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_publication(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_database(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_other(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_object(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
