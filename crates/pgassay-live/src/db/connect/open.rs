//! Opening a connection: one host after the other, with and without TLS, until one is as it should be.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::super::DbError;
use super::parameters::Parameters;
use super::passfile;
use super::session::{START_OPTIONS, describe};
use super::tls::{self, Mode};
use crate::machine::by_socket;

/// libpq waits for ever; a tool in a pipeline should not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What writes while a session starts.
const LOGIN_TRIGGER: &str = "; a login event trigger of the database writes at each connection, and pgassay's sessions are read-only from \
    their start. A superuser may leave triggers out: options='-c event_triggers=off' in --db or PGOPTIONS. Or have the trigger's function \
    return where current_setting('application_name') is 'pgassay'";

/// Where libpq's packages look for the socket.
const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// An open connection.
pub(super) struct Opened {
    pub client: Client,
    pub connection: JoinHandle<()>,
    /// Host, port, user and database.
    pub place: String,
    /// The settings of the session could not be given at the start: a pooler hands it on.
    pub pooled: bool,
}

/// One place to try.
#[derive(Debug, Clone)]
struct Place {
    host: String,
    address: Option<IpAddr>,
    port: u16,
}

impl Place {
    fn is_socket(&self) -> bool {
        self.address.is_none() && (self.host.starts_with('/') || self.host.starts_with('@'))
    }
}

/// What kind of server is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    Primary,
    Standby,
}

/// Connects to the first host that answers and is of the wanted kind.
pub(super) async fn open(parameters: &Parameters) -> Result<Opened, DbError> {
    let places = places(parameters)?;
    let mut last = None;
    for wanted in wanted(parameters)? {
        for place in &places {
            match open_place(parameters, place).await {
                Ok(opened) if is(&opened, *wanted).await => return Ok(opened),
                Ok(opened) => {
                    let message = match wanted {
                        Wanted::Standby => "the server is no standby, and target_session_attrs asks for one",
                        _ => "the server is a standby, and target_session_attrs asks for a primary",
                    };
                    last = Some(DbError::Connect { place: opened.place.clone(), message: message.to_owned() });
                }
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.unwrap_or_else(|| DbError::Parameters("no host is named".to_owned())))
}

fn wanted(parameters: &Parameters) -> Result<&'static [Wanted], DbError> {
    match parameters.get("target_session_attrs") {
        None | Some("any") => Ok(&[Wanted::Any]),
        // Our own session is read-only anyway: what counts is the server.
        Some("read-write" | "primary") => Ok(&[Wanted::Primary]),
        Some("read-only" | "standby") => Ok(&[Wanted::Standby]),
        Some("prefer-standby") => Ok(&[Wanted::Standby, Wanted::Any]),
        Some(other) => Err(DbError::Parameters(format!("{other:?} is no value of target_session_attrs"))),
    }
}

async fn is(opened: &Opened, wanted: Wanted) -> bool {
    if wanted == Wanted::Any {
        return true;
    }
    let ask = opened.client.simple_query("SELECT pg_catalog.pg_is_in_recovery()");
    let answer = tokio::time::timeout(CONNECT_TIMEOUT, ask).await.map(Result::unwrap_or_default).unwrap_or_default();
    let standby = answer.iter().any(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
        _ => false,
    });
    standby == (wanted == Wanted::Standby)
}

/// Every host with its address and port; the default where none is named.
fn places(parameters: &Parameters) -> Result<Vec<Place>, DbError> {
    let list = |key: &str| -> Vec<String> {
        let list = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect();
        parameters.get(key).map(list).unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(DbError::Parameters(format!("{count} hosts have {} ports", ports.len())));
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(DbError::Parameters(format!("{} hosts have {} addresses", hosts.len(), addresses.len())));
    }
    let place = |at: usize| -> Result<Place, DbError> {
        let port = ports.get(at).or(ports.first()).filter(|port| !port.is_empty());
        let port = port
            .map_or(Ok(5432), |port| port.parse().map_err(|_| DbError::Parameters(format!("{port:?} is no port"))))?;
        let address = addresses.get(at).filter(|address| !address.is_empty()).map(|address| {
            address.parse().map_err(|_| DbError::Parameters(format!("hostaddr {address:?} is no address")))
        });
        let address = address.transpose()?;
        let named = hosts.get(at).filter(|host| !host.is_empty()).cloned();
        let host = named.or_else(|| address.map(|address: IpAddr| address.to_string()));
        Ok(Place { host: host.unwrap_or_else(|| default_host(port)), address, port })
    };
    let mut places = (0..count).map(place).collect::<Result<Vec<_>, _>>()?;
    if parameters.get("load_balance_hosts") == Some("random") {
        let turn = std::process::id() as usize % places.len();
        places.rotate_left(turn);
    }
    Ok(places)
}

fn default_host(port: u16) -> String {
    let has_socket = |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    SOCKET_FOLDERS.iter().find(has_socket).map_or("localhost", |folder| *folder).to_owned()
}

async fn open_place(parameters: &Parameters, place: &Place) -> Result<Opened, DbError> {
    let mut mode = Mode::of(parameters)?;
    if place.is_socket() {
        // "sslmode is ignored for Unix domain socket communication."
        mode = Mode::Disable;
    }
    let name = name(parameters, place);
    let (config, unused_file) = config(parameters, place, mode)?;
    let limit = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
    // Allow and prefer try the other way when the first one fails.
    let tries: &[SslMode] = match mode {
        Mode::Disable => &[SslMode::Disable],
        Mode::Allow => &[SslMode::Disable, SslMode::Require],
        Mode::Prefer => &[SslMode::Prefer, SslMode::Disable],
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => &[SslMode::Require],
    };
    let mut first_error = None;
    for ssl_mode in tries {
        let mut config = config.clone();
        config.ssl_mode(*ssl_mode);
        // As libpq has it, all of a host's start counts: the way there, TLS, authentication, until it is ready.
        let opened = tokio::time::timeout(limit, open_with_settings(&config, parameters, mode)).await;
        let Ok(opened) = opened else {
            let message = format!("timeout expired: no session within {} s (connect_timeout)", limit.as_secs());
            return Err(DbError::Connect { place: name, message });
        };
        match opened {
            Ok((client, connection, pooled)) => return Ok(Opened { client, connection, place: name, pooled }),
            Err(OpenError::Parameters(error)) => return Err(error),
            Err(OpenError::Server(error)) => {
                // No use in a second try with the same password, and the server may count them.
                let hopeless =
                    error.code().is_some_and(|code| code.code().starts_with("28P") || code.code() == "3D000");
                first_error.get_or_insert(error);
                if hopeless {
                    break;
                }
            }
        }
    }
    let mut message = first_error.as_ref().map(describe).unwrap_or_default();
    if config.get_password().is_none() && first_error.as_ref().is_some_and(wants_password) {
        message.push_str("; no password was given: set PGPASSWORD, or put it into the password file");
    }
    if first_error.as_ref().is_some_and(|error| error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)) {
        message.push_str(LOGIN_TRIGGER);
    }
    if let Some(problem) = unused_file {
        message.push_str("; ");
        message.push_str(&problem);
    }
    Err(DbError::Connect { place: name, message })
}

fn wants_password(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("password") || error.code().is_some_and(|code| code.code().starts_with("28"))
}

/// As messages call it.
fn name(parameters: &Parameters, place: &Place) -> String {
    format!(
        "database \"{}\" on {} port {} as user \"{}\"",
        parameters.database(),
        place.host,
        place.port,
        parameters.user()
    )
}

/// The second value says why the password file is not used.
fn config(parameters: &Parameters, place: &Place, mode: Mode) -> Result<(Config, Option<String>), DbError> {
    let mut config = Config::new();
    config.user(parameters.user()).dbname(parameters.database()).port(place.port).application_name("pgassay");
    if place.host.starts_with('/') {
        by_socket(&mut config, Path::new(&place.host));
    } else {
        config.host(&place.host);
    }
    if let Some(address) = place.address {
        config.hostaddr(address);
    }
    let mut problem = None;
    match parameters.get("password") {
        Some(password) => _ = config.password(password),
        None => {
            let (password, unused) = passfile::password(parameters, &place.host, place.port)?;
            if let Some(password) = password {
                config.password(password);
            }
            problem = unused;
        }
    }
    let timeout = match parameters.get("connect_timeout").map(str::parse::<u64>) {
        Some(Ok(0)) | None => CONNECT_TIMEOUT,
        Some(Ok(seconds)) => Duration::from_secs(seconds),
        Some(Err(_)) => return Err(DbError::Parameters("connect_timeout is no number of seconds".to_owned())),
    };
    config.connect_timeout(timeout);
    config.channel_binding(match parameters.get("channel_binding") {
        Some("disable") => ChannelBinding::Disable,
        None | Some("prefer") => ChannelBinding::Prefer,
        Some("require") => ChannelBinding::Require,
        Some(other) => return Err(DbError::Parameters(format!("{other:?} is no value of channel_binding"))),
    });
    if parameters.get("sslnegotiation") == Some("direct") && mode >= Mode::Require {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    Ok((config, problem))
}

enum OpenError {
    Parameters(DbError),
    Server(tokio_postgres::Error),
}

/// Asks for a read-only session at once; where a pooler refuses such options, without them.
async fn open_with_settings(
    config: &Config,
    parameters: &Parameters,
    mode: Mode,
) -> Result<(Client, JoinHandle<()>, bool), OpenError> {
    let own = parameters.get("options").map(|options| format!("{options} ")).unwrap_or_default();
    let mut with_options = config.clone();
    with_options.options(format!("{own}{START_OPTIONS}"));
    match start(&with_options, parameters, mode).await {
        Ok((client, connection)) => Ok((client, connection, false)),
        Err(OpenError::Server(error)) if refuses_options(&error) => {
            let mut plain = config.clone();
            if !own.is_empty() {
                plain.options(own.trim_end());
            }
            start(&plain, parameters, mode).await.map(|(client, connection)| (client, connection, true))
        }
        Err(error) => Err(error),
    }
}

/// PgBouncer: `unsupported startup parameter: options`, or `… in options: …`. A server that is none of ours does not know all of them
/// (undefined_object).
fn refuses_options(error: &tokio_postgres::Error) -> bool {
    describe(error).contains("startup parameter") || error.code() == Some(&SqlState::UNDEFINED_OBJECT)
}

async fn start(config: &Config, parameters: &Parameters, mode: Mode) -> Result<(Client, JoinHandle<()>), OpenError> {
    // An error of the connection reaches whoever waits for an answer on the client.
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(OpenError::Server)?;
        return Ok((client, tokio::spawn(async move { drop(connection.await) })));
    }
    let connector = tls::connector(parameters, mode).map_err(OpenError::Parameters)?;
    let (client, connection) = config.connect(connector).await.map_err(OpenError::Server)?;
    Ok((client, tokio::spawn(async move { drop(connection.await) })))
}
