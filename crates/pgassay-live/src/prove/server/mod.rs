//! Where databases are made and dropped: a shadow or a server that was named, and what stands in for what it lacks.

pub(super) mod cleanup;
pub(super) mod ground;
pub(super) mod lack;
pub(super) mod shared;
pub(super) mod stand_in;
mod stand_in_extension;
