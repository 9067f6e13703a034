//! What can go wrong with a live database. No message holds a password or a whole connection string.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The connection string, an environment variable, the service file or the password file is wrong.
    #[error("{0}")]
    Parameters(String),

    #[error("{path} could not be read: {message}", path = .path.display())]
    File { path: PathBuf, message: String },

    /// `place` names host, port, user and database.
    #[error("could not connect to {place}: {message}")]
    Connect { place: String, message: String },

    #[error("{place} is refused: {reason}")]
    Refused { place: String, reason: String },

    /// The connection was there, and went away.
    #[error("the connection to {place} was lost while reading {part}: {message}")]
    Lost { place: String, part: &'static str, message: String },

    /// The server answered a query with an error.
    #[error("{place}: {part} could not be read: {message}")]
    Query { place: String, part: &'static str, code: String, message: String },

    /// An answer of the server has another shape than asked for.
    #[error("{place}: the server's answer about {part} was not understood: {message}")]
    Answer { place: String, part: &'static str, message: String },

    #[error("the schema of {place} could not be built; this is a mistake in pgassay, please report it")]
    Build { place: String },

    /// What planning a statement could run, in words that follow "it".
    #[error(
        "the statement was not planned, because it {0}, and planning could run that with your role's rights; --run-functions plans it all the same"
    )]
    UserCode(String),

    #[error("{path}: {message}", path = .path.display())]
    Snapshot { path: PathBuf, message: String },
}

impl DbError {
    /// The SQLSTATE, where the server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            DbError::Query { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What the server says, without where; of other errors, all.
    pub fn message(&self) -> String {
        match self {
            DbError::Query { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }
}

/// The message of a server's error, or of the connection's.
pub(crate) fn server_message(error: &tokio_postgres::Error) -> (Option<String>, String) {
    match error.as_db_error() {
        Some(server) => (Some(server.code().code().to_owned()), server.message().to_owned()),
        None => (None, error.to_string()),
    }
}
