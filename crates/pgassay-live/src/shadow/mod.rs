//! A throwaway PostgreSQL server, and watching on it what a statement really does.
//!
//! In: an installed server's binaries, SQL to build a schema, one statement. Out: an [`Observation`], which holds the
//! same [`Effect`](crate::effect::Effect) that the model predicts, and the server's error if it refused the statement.
//! Knows nothing of migrations, rules or output.

mod access;
mod confine;
mod describe;
mod error;
mod guard;
mod in_step;
mod installation;
#[cfg(target_os = "linux")]
mod landlock;
mod observe;
mod outside;
mod picture;
pub(crate) mod protocol;
mod relations;
mod script;
mod server;
mod tool;
mod wire;

pub use access::{Access, Session};
pub use confine::Confinement;
pub use describe::describe;
pub use error::ShadowError;
pub use installation::{Installation, installed};
pub(crate) use observe::send_with_rows;
pub use observe::{Observation, ServerError, observe_in_block, refusal};
pub use outside::{observe_outside_block, observe_outside_block_in};
pub use picture::{Picture, Watched};
pub use script::{Refusals, ScriptError};
pub use server::{Options, SUPERUSER, Server, confinement};
