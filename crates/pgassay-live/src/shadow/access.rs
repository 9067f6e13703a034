//! How to reach a server: our own by its socket, or one that the user names.
//!
//! In: connection parameters. Out: [`Session`]s. Knows no password but by the parameters, and never shows them.

use std::str::FromStr;

use tokio_postgres::{Client, Config, NoTls};

use super::ShadowError;

/// The way to a server, whatever database is asked for.
#[derive(Clone)]
pub struct Access {
    config: Config,
}

impl Access {
    pub fn new(config: Config) -> Access {
        Access { config }
    }

    /// Reads a connection string or URL.
    ///
    /// # Errors
    /// [`ShadowError::Url`] if it is none; the text, which may hold a password, is not repeated.
    pub fn from_url(url: &str) -> Result<Access, ShadowError> {
        Config::from_str(url).map(Access::new).map_err(|_| ShadowError::Url)
    }

    /// The same, with sessions that bear this name.
    pub fn named(mut self, label: &str) -> Access {
        self.config.application_name(label);
        self
    }

    /// The name that its sessions bear.
    pub fn label(&self) -> &str {
        self.config.get_application_name().unwrap_or_default()
    }

    /// The database that the parameters name; PostgreSQL's own choice otherwise.
    pub fn database(&self) -> String {
        let named = self.config.get_dbname().or(self.config.get_user());
        named.unwrap_or("postgres").to_owned()
    }

    /// Opens a session in a database. Must run in a tokio runtime.
    ///
    /// # Errors
    /// [`ShadowError::Connection`] if the database does not exist or the server is not there.
    pub async fn connect(&self, database: &str) -> Result<Session, ShadowError> {
        let mut config = self.config.clone();
        config.dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        let connection = tokio::spawn(async move {
            // An error of the connection reaches whoever waits for an answer on the client.
            let _ = connection.await;
        });
        Ok(Session { client, connection })
    }
}

/// A connection to a shadow server: a [`Client`] by dereference.
pub struct Session {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
}

impl Session {
    /// Says goodbye to the server and waits until the connection is closed.
    pub async fn close(self) {
        drop(self.client);
        let _ = self.connection.await;
    }
}

impl std::ops::Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
