//! Connecting as libpq does: where to, as whom, with which TLS.
//!
//! In: a connection string, the environment, the service file and the password file. Out: a [`Session`], which runs everything in one
//! READ ONLY transaction with limits on time and waiting.

mod open;
mod parameters;
mod parse;
mod passfile;
mod rows;
mod session;
mod tls;

pub use parameters::Parameters;
pub(in crate::db) use rows::Rows;
pub(crate) use session::AnyText;
pub use session::{Limits, Parameter, Row, Session};
