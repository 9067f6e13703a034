//! Why nothing could be proved.

use crate::shadow::{ServerError, ShadowError};

/// The shadow could not be used. What a migration or a query does wrong on it is no error here, but a finding.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    Shadow(#[from] ShadowError),

    #[error("{what} could not be made on the server: {error}")]
    Refused { what: String, error: Box<ServerError> },

    /// Whoever writes the migrations could do anything on the server of `--shadow-url`.
    #[error(
        "--shadow-url connects as {0}, a superuser: what migrations lead to could then reach all of that server and its machine. Give a role that may \
         only make databases (CREATE ROLE shadow LOGIN CREATEDB), or --allow-superuser-shadow where the server is there for this alone"
    )]
    Superuser(String),

    /// What was made on a server of others and is still there.
    #[error("left behind on the server of --shadow-url: {0}")]
    LeftBehind(String),

    /// By a function, a trigger or a catalog: statements that are about the server are not run there.
    #[error(
        "the server of --shadow-url is not as it was: {0}. Something that a migration led to changed it, or somebody else did meanwhile; \
         set it back, and prove these migrations on a throwaway server"
    )]
    Changed(String),

    #[error("a runtime for the shadow's connections could not be made: {0}")]
    Runtime(#[from] std::io::Error),
}

impl From<tokio_postgres::Error> for ProveError {
    fn from(error: tokio_postgres::Error) -> ProveError {
        ProveError::Shadow(ShadowError::Connection(error))
    }
}
