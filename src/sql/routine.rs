//! Functions, procedures, triggers, rules and policies.

use super::reader::{Reader, Result};
use crate::change::Change;

pub(super) fn create_routine(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_routine(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_trigger(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_rule(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn create_policy(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}

pub(super) fn alter_policy(reader: &mut Reader) -> Result<Change> {
    Err(reader.error("a statement that is read already"))
}
