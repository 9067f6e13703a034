//! Running the command: what it is told of the server, how long it may take, and what becomes of its output.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::record::Recording;
use crate::machine::{end_group, in_group};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot run `{command}`: {source}")]
    Start { command: String, source: io::Error },
    #[error("the command could not be given a way to the shadow server: {0}")]
    Door(io::Error),
    #[error("`{command}` failed ({status}){}{}", after_colon(tail), if *connected { "" } else { WAYS })]
    Failed { command: String, status: ExitStatus, connected: bool, tail: String },
    #[error("`{command}` did not end within {} s{}", limit.as_secs(), after_colon(tail))]
    TooLong { command: String, limit: Duration, tail: String },
    #[error("`{command}` sent nothing to the server{}{WAYS}", after_colon(tail))]
    Nothing { command: String, tail: String },
}

/// How a command finds the server.
const WAYS: &str = "\nIt did not connect to the throwaway server, which DATABASE_URL, PGHOST and PGPORT name. A project that reads variables of its own \
    gets them in the command: DB_HOST={host} DB_PORT={port} DB_USER={user} DB_PASSWORD={password} DB_NAME={dbname} …, or {url}";

fn after_colon(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!(":\n{tail}") }
}

/// Where the command is run, and against what.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The socket of the server.
    pub socket: PathBuf,
    pub user: String,
    pub database: String,
    pub limit: Duration,
    /// Is handed every line that the command says.
    pub tell: fn(&str),
}

/// How much of what the command said is kept for an error, in lines.
const TAIL_LINES: usize = 20;

/// How long sessions may stay open after the command has ended.
const CLOSING: Duration = Duration::from_secs(2);

/// Runs a command against the server and records what it sends. What it says is handed on.
pub fn record(command: &str, options: &RunOptions) -> Result<Recording, RunError> {
    let proxy = Proxy::start(&options.socket, secret()).map_err(RunError::Door)?;
    let address = Address::new(&proxy, options).map_err(RunError::Door)?;
    let start = |source| RunError::Start { command: command.to_owned(), source };
    let mut child = address.shell(command).spawn().map_err(start)?;
    let tail = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        child.stdout.take().map(|stream| show(stream, tail.clone(), &proxy.password, options.tell)),
        child.stderr.take().map(|stream| show(stream, tail.clone(), &proxy.password, options.tell)),
    ];
    let status = wait(&mut child, options.limit);
    // Whoever it left running goes with it, and closes what is read.
    let _ = end_group(&child);
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    proxy.stop(CLOSING);
    let tail = tail.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
    let command = command.to_owned();
    match status {
        None => Err(RunError::TooLong { command, limit: options.limit, tail }),
        Some(status) => {
            let recording = proxy.recorder.take();
            let connected = recording.sessions > 0;
            match (status.success(), connected) {
                (false, _) => Err(RunError::Failed { command, status, connected, tail }),
                (true, false) => Err(RunError::Nothing { command, tail }),
                (true, true) => Ok(recording),
            }
        }
    }
}

/// What the command is told.
struct Address {
    url: String,
    port: u16,
    password: String,
    user: String,
    database: String,
    passfile: tempfile::NamedTempFile,
}

impl Address {
    fn new(proxy: &Proxy, options: &RunOptions) -> io::Result<Address> {
        let (user, database, password) = (options.user.clone(), options.database.clone(), proxy.password.clone());
        // Made with mode 0600, without which libpq does not read it.
        let mut passfile = tempfile::Builder::new().prefix("pgassay-pass-").tempfile()?;
        writeln!(passfile, "*:{}:*:*:{password}", proxy.port)?;
        let url = format!("postgres://{user}:{password}@127.0.0.1:{}/{database}?sslmode=disable", proxy.port);
        passfile.flush()?;
        Ok(Address { url, port: proxy.port, password, user, database, passfile })
    }

    fn shell(&self, command: &str) -> Command {
        let port = self.port.to_string();
        let values = [
            ("{url}", self.url.as_str()),
            ("{host}", "127.0.0.1"),
            ("{port}", &port),
            ("{dbname}", &self.database),
            ("{user}", &self.user),
            ("{password}", &self.password),
        ];
        let text = values.iter().fold(command.to_owned(), |text, (name, value)| text.replace(name, value));
        let mut shell = Command::new("sh");
        shell.args(["-c", &text]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        in_group(&mut shell, 0);
        for name in [
            "PGSERVICE",
            "PGSERVICEFILE",
            "PGHOSTADDR",
            "PGOPTIONS",
            "PGSSLROOTCERT",
            "PGREQUIREAUTH",
            "PGCHANNELBINDING",
        ] {
            shell.env_remove(name);
        }
        let passfile: OsString = self.passfile.path().into();
        shell.env("PGPASSFILE", passfile);
        shell.env("DATABASE_URL", &self.url).env("PGHOST", "127.0.0.1").env("PGPORT", &port).env("PGUSER", &self.user);
        shell.env("PGPASSWORD", &self.password).env("PGDATABASE", &self.database).env("PGSSLMODE", "disable");
        shell
    }
}

/// A word that nobody guesses.
fn secret() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Keys of RandomState come from the system's source of random numbers.
    (0..4).map(|_| format!("{:016x}", RandomState::new().build_hasher().finish())).collect()
}

/// Passes a stream on line by line, and keeps its last lines.
fn show(
    stream: impl Read + Send + 'static,
    tail: Arc<Mutex<Vec<String>>>,
    password: &str,
    tell: fn(&str),
) -> thread::JoinHandle<()> {
    let password = password.to_owned();
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).replace(&password, "********");
            tell(&line);
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.push(line);
            if tail.len() > TAIL_LINES {
                tail.remove(0);
            }
        }
    })
}

/// `None`: it took too long, and was ended.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            _ if started.elapsed() > limit => {
                // Nobody may be left in it.
                let _ = end_group(child);
                let _ = child.wait();
                return None;
            }
            _ => thread::sleep(Duration::from_millis(20)),
        }
    }
}
