//! What can go wrong around a shadow server, each with what to do next.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::ServerError;

/// The shadow server could not be found, started, reached or watched. A statement that the server refuses is not an
/// error here: see [`Observation::error`](super::Observation::error).
#[derive(Debug, thiserror::Error)]
pub enum ShadowError {
    #[error(
        "no PostgreSQL server is installed where pgassay looks. Install one (Debian: apt-get install postgresql; \
         macOS: brew install postgresql@17), name the folder of initdb and postgres with --pg-bin, or a server where databases can be made \
         with --shadow-url"
    )]
    NoServer,

    #[error("{} is not a folder with working `initdb` and `postgres` binaries: name the server's bin folder", .0.display())]
    NotAServer(PathBuf),

    #[error(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as. \
         Run pgassay as an ordinary user, or create the user `postgres`"
    )]
    NoUnprivilegedUser,

    #[error("{0}: name a server where databases can be made with --shadow-url")]
    Unsupported(&'static str),

    #[error("could not run {}: {source}. The user that runs the server must be able to read and execute it", program.display())]
    Launch { program: PathBuf, source: io::Error },

    #[error("no folder for the server could be made. Point TMPDIR at one that it can live in. Tried:\n  {tried}")]
    NoFolder { tried: String },

    #[error("could not use the server's folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },

    #[error("initdb failed:\n{output}")]
    Initdb { output: String },

    #[error("the server stopped while it started:\n{log}")]
    Stopped { log: String },

    #[error("the server was not ready after {waited:?}; its log says:\n{log}")]
    NotReady { waited: Duration, log: String },

    #[error("--shadow-url is not a connection string or URL that PostgreSQL's clients know")]
    Url,

    #[error(
        "the shadow server ran out of what it needs, which says nothing of the migrations: {0}. \
         Give the temporary folder more room, or point TMPDIR at another"
    )]
    Exhausted(Box<ServerError>),

    #[error("could not reach the shadow server at {place}: {source}")]
    Unreachable { place: String, source: io::Error },

    #[error("the statement was still running after {after:?} and was cancelled")]
    TooSlow { after: Duration },

    #[error("{program} is not installed beside a PostgreSQL server: {instead}")]
    NoProgram { program: &'static str, instead: &'static str },

    #[error("{}: {source}", archive.display())]
    Archive { archive: PathBuf, source: io::Error },

    #[error("talking to the shadow server failed: {}", describe(.0))]
    Connection(#[from] tokio_postgres::Error),
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refused) => format!("{} (SQLSTATE {})", refused.message(), refused.code().code()),
        None => error.to_string(),
    }
}
