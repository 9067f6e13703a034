//! What can go wrong around a twin.

use std::path::PathBuf;

use crate::shadow::ShadowError;

#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    #[error(transparent)]
    Shadow(#[from] ShadowError),

    #[error("{part} could not be read from the database: {message}")]
    Capture { part: &'static str, code: Option<String>, message: String },

    #[error("the server's answer about {part} was not understood: {message}")]
    Answer { part: &'static str, message: String },

    #[error("the twin refused {part}: {message}")]
    Refused { part: String, code: Option<String>, message: String },

    #[error("the file {} of the twin could not be written: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },

    #[error("the database has pages of {0} bytes; a twin can only be built of one with pages of 8192")]
    BlockSize(u32),
}

impl TwinError {
    /// The SQLSTATE, where a server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            TwinError::Capture { code, .. } | TwinError::Refused { code, .. } => code.as_deref(),
            TwinError::Shadow(ShadowError::Connection(error)) => error.as_db_error().map(|it| it.code().code()),
            _ => None,
        }
    }
}

/// The message of a server's error, or of the connection's.
pub(super) fn message(error: &tokio_postgres::Error) -> (Option<String>, String) {
    match error.as_db_error() {
        Some(server) => (Some(server.code().code().to_owned()), server.message().to_owned()),
        None => (None, error.to_string()),
    }
}
