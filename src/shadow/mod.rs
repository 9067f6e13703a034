//! A throwaway PostgreSQL server, and watching on it what a statement really does.
//!
//! In: an installed server's binaries, SQL to build a schema, one statement. Out: an [`Observation`], which holds the
//! same [`Effect`](crate::effect::Effect) that the model predicts, and the server's error if it refused the statement.
//! Knows nothing of migrations, rules or output.

mod error;
mod installation;
mod observe;
mod outside;
mod relations;
mod server;

pub use error::ShadowError;
pub use installation::{Installation, installed};
pub use observe::{Observation, ServerError, observe_in_block};
pub use outside::observe_outside_block;
pub use server::{Options, Server, Session};
