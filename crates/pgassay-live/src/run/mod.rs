//! Any tool's migrations: the team's own command runs against a shadow server, and what it really sends is recorded.
//!
//! In: a shell command and a shadow server. Out: [`Recording`]: every statement with its parameters, order, session and error; from it
//! [`Recording::migrations`] makes the migrations, cut where the tool writes what it ran. The command reaches the server through a
//! [`proxy`] on the loopback interface, for which it alone has the password; the server itself stays on its socket. Judges nothing.

mod command;
mod cut;
mod literal;
mod own_table;
mod place;
mod printed;
mod proxy;
mod record;
mod session;

pub use command::{RunError, RunOptions, record};
pub use place::Made;
pub use printed::printed;
pub use record::{Parameter, Recording, Sent};
