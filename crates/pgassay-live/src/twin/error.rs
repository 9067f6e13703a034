//! What can go wrong around a twin.

use std::path::PathBuf;

use crate::db::planner::CaptureError;
use crate::shadow::ShadowError;

#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    #[error(transparent)]
    Shadow(#[from] ShadowError),

    #[error(transparent)]
    Capture(#[from] CaptureError),

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
            TwinError::Capture(error) => error.code(),
            TwinError::Refused { code, .. } => code.as_deref(),
            TwinError::Shadow(ShadowError::Connection(error)) => error.as_db_error().map(|it| it.code().code()),
            _ => None,
        }
    }
}
