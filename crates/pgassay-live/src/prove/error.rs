//! Why nothing could be proved.

use crate::shadow::{ServerError, ShadowError};

/// The shadow could not be used. What a migration or a query does wrong on it is no error here, but a finding.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    Shadow(#[from] ShadowError),

    #[error("{what} could not be made on the server: {error}")]
    Refused { what: String, error: Box<ServerError> },

    #[error("a runtime for the shadow's connections could not be made: {0}")]
    Runtime(#[from] std::io::Error),
}

impl From<tokio_postgres::Error> for ProveError {
    fn from(error: tokio_postgres::Error) -> ProveError {
        ProveError::Shadow(ShadowError::Connection(error))
    }
}
