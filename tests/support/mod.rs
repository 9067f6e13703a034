//! What the tests that need PostgreSQL share: the case files, the servers to run them on, and running them.
//!
//! Each test crate (and `examples/observe.rs`) includes this module and uses a part of it.
#![allow(dead_code)]

pub mod cases;
pub mod runner;
pub mod servers;
pub mod world;
