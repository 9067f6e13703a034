//! Bodies of routines and blocks: PL/pgSQL, and statements that are put together as text.

pub(super) mod dynamic;
mod embedded;
mod loops;
pub(super) mod plpgsql;
pub(super) mod routine_body;
pub(super) mod variables;
