//! How to reach a server: our own by its socket, or one that the user names.
//!
//! In: connection parameters. Out: [`Session`]s. Knows no password but by the parameters, and never shows them.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

use super::ShadowError;
use super::in_step::InStep;
#[cfg(unix)]
use crate::machine;

/// libpq waits for ever; a tool in a pipeline should not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The port of a server that says nothing else.
const PORT: u16 = 5432;

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
        let mut last = None;
        for place in self.places()? {
            let opened = match place.open(&config).await {
                Ok(stream) => config.connect_raw(InStep::new(stream), NoTls).await.map_err(ShadowError::from),
                Err(error) => Err(error),
            };
            let (client, connection) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    last = Some(error);
                    continue;
                }
            };
            let connection = tokio::spawn(async move {
                // An error of the connection reaches whoever waits for an answer on the client.
                let _ = connection.await;
            });
            let session = Session { client, connection, place, config: config.clone() };
            if config.get_target_session_attrs() != TargetSessionAttrs::ReadWrite || session.writes().await? {
                return Ok(session);
            }
            last = Some(ShadowError::Unreachable {
                place: session.place.name(),
                source: io::Error::other("it is read-only"),
            });
        }
        Err(last.unwrap_or(ShadowError::Url))
    }

    /// Every host with its port, in the order of the parameters.
    fn places(&self) -> Result<Vec<Place>, ShadowError> {
        let (hosts, addresses, ports) = (self.config.get_hosts(), self.config.get_hostaddrs(), self.config.get_ports());
        let count = hosts.len().max(addresses.len());
        if count == 0 || ports.len() > 1 && ports.len() != count {
            return Err(ShadowError::Url);
        }
        let place = |at: usize| {
            let host = match addresses.get(at) {
                Some(address) => Host::Tcp(address.to_string()),
                None => hosts.get(at)?.clone(),
            };
            Some(Place { host, port: ports.get(at).or(ports.first()).copied().unwrap_or(PORT) })
        };
        (0..count).map(place).collect::<Option<_>>().ok_or(ShadowError::Url)
    }
}

/// A server's address.
#[derive(Debug, Clone)]
struct Place {
    host: Host,
    port: u16,
}

/// What a session runs over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Place {
    fn name(&self) -> String {
        match &self.host {
            Host::Tcp(host) => format!("{host} port {}", self.port),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{} port {}", folder.display(), self.port),
        }
    }

    async fn open(&self, config: &Config) -> Result<Box<dyn Stream>, ShadowError> {
        let limit = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        let opened = tokio::time::timeout(limit, self.stream()).await;
        opened
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| ShadowError::Unreachable { place: self.name(), source })
    }

    async fn stream(&self) -> io::Result<Box<dyn Stream>> {
        match &self.host {
            Host::Tcp(host) => {
                let stream = TcpStream::connect((host.as_str(), self.port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Host::Unix(folder) => Ok(Box::new(machine::open(&folder.join(format!(".s.PGSQL.{}", self.port))).await?)),
        }
    }
}

/// A connection to a shadow server: a [`Client`] by dereference.
pub struct Session {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
    place: Place,
    config: Config,
}

impl Session {
    /// Asks the server to give up what the session runs.
    pub(super) async fn cancel(&self) -> Result<(), ShadowError> {
        let stream = self.place.open(&self.config).await?;
        Ok(self.client.cancel_token().cancel_query_raw(stream, NoTls).await?)
    }

    async fn writes(&self) -> Result<bool, ShadowError> {
        let answer = self.client.simple_query("SHOW transaction_read_only").await?;
        Ok(answer.iter().filter_map(super::relations::row).any(|row| row.get(0) == Some("off")))
    }

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
