//! Stack for whoever walks or drops the deepest tree that an expression may be read into.

/// Bytes that walking the deepest tree may need.
pub const DEEPEST: usize = 64 << 20;

/// Bytes of stack that spare a thread from taking one of its own for every migration.
pub const ROOMY: usize = 2 * DEEPEST;

/// A long chain of operators is a deep tree, and whoever walks or drops it needs stack, whatever thread this is.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(DEEPEST, ROOMY, work)
}
