//! Table and column constraints.
