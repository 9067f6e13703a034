//! Starting and stopping a throwaway server.
//!
//! In: an [`Installation`]. Out: a [`Server`] with an empty cluster in a temporary folder, reachable by its Unix socket
//! only, with durability switched off. It is stopped and its folder removed on drop, and also if this process dies.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::confine::{self, Confined, Confinement, Started};
use super::guard::Guard;
use super::{Access, Installation, Session, ShadowError};
use crate::machine::{self, Signal};
use tempfile::TempDir;
use tokio_postgres::config::Host;

/// The superuser of every shadow server.
pub const SUPERUSER: &str = "postgres";

/// A longer folder's socket path may not fit in `sockaddr_un` (104 bytes on macOS, 108 on Linux).
const LONGEST_FOLDER: usize = 70;

/// Durability and background work off: the server is thrown away, and what it does must not depend on timing.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
    ("shared_buffers", "32MB"),
    ("max_connections", "150"),
    // Otherwise CREATE PUBLICATION warns.
    ("wal_level", "logical"),
    ("max_prepared_transactions", "10"),
    // Parallel workers' scans are counted in the worker, not in the session that is watched.
    ("max_parallel_workers_per_gather", "0"),
    ("max_parallel_maintenance_workers", "0"),
    ("jit", "off"),
    // In the folder, where they end with it: a server that is killed would leave those in /dev/shm.
    ("dynamic_shared_memory_type", "mmap"),
    // No statement of a migration fills the disk by sorting.
    ("temp_file_limit", "2GB"),
    ("log_checkpoints", "off"),
    ("lc_messages", "C"),
    ("timezone", "UTC"),
];

/// Settings that older servers do not know, with the first major version that does.
const NEWER_SETTINGS: &[(u16, &str, &str)] = &[
    // Worker processes for a few pages each cost more than the reads.
    (18, "io_method", "sync"),
];

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Configuration parameters besides the defaults, which they override.
    pub settings: Vec<(String, String)>,
    /// How long the server may take until it accepts connections.
    pub start_within: Duration,
    /// The strongest box that it may get.
    pub confinement: Confinement,
}

impl Default for Options {
    fn default() -> Self {
        Options { settings: Vec::new(), start_within: Duration::from_secs(60), confinement: Confinement::default() }
    }
}

/// A running throwaway server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    postgres: Started,
    folder: TempDir,
    guard: Guard,
    user: Option<User>,
    confined: Confined,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts the server on it; it accepts connections on return.
    ///
    /// # Errors
    /// [`ShadowError`] if there is no user to run it as, or initdb or the server fail (with their output).
    pub fn start(installation: &Installation, options: &Options) -> Result<Server, ShadowError> {
        machine::throwaway_servers().map_err(ShadowError::Unsupported)?;
        let user = unprivileged_user()?;
        let (guard, folder) = temporary_folder(user)?;
        let ids = user.map(|user| (user.uid, user.gid));
        // One that is asked to listen has somebody outside to hear.
        let listens = options.settings.iter().any(|(name, value)| name == "listen_addresses" && !value.is_empty());
        let strongest = if listens { Confinement::Nothing } else { options.confinement };
        let confined = Confined::strongest(installation, ids, strongest, folder.path(), guard.group());
        let place = Place { installation, folder: folder.path(), group: guard.group(), confined: &confined };
        place.initdb()?;
        let postgres = place.launch(options)?;
        let mut server = Server { installation: installation.clone(), postgres, folder, guard, user, confined };
        server.wait_until_ready(options.start_within)?;
        Ok(server)
    }

    /// The installation that runs.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The temporary folder that it lives below.
    pub fn parent(&self) -> Option<&Path> {
        self.folder.path().parent()
    }

    /// The user that it runs as, where that is not the one who started it.
    pub fn runs_as(&self) -> Option<&'static str> {
        self.user.map(|user| user.name)
    }

    /// How it is kept from the machine, and why no better.
    pub fn confinement(&self) -> (Confinement, &[String]) {
        (self.confined.strength, &self.confined.hindrances)
    }

    /// How to connect to a database of this server as superuser.
    pub fn config(&self, database: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        machine::by_socket(&mut config, self.folder.path()).user(SUPERUSER).dbname(database);
        config
    }

    /// The same as libpq takes it, for programs of PostgreSQL's own.
    pub fn connection_string(&self, database: &str) -> String {
        let config = self.config(database);
        let host = config.get_hosts().iter().map(|host| match host {
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
            Host::Tcp(name) => name.clone(),
        });
        let host = host.collect::<Vec<_>>().join(",");
        let port = config.get_ports().first().copied().unwrap_or(5432);
        format!("host={host} port={port} user={SUPERUSER} dbname={database}")
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// The way to this server, as superuser.
    pub fn access(&self) -> Access {
        Access::new(self.config(SUPERUSER))
    }

    /// Opens a session in a database, as superuser. Must run in a tokio runtime.
    ///
    /// # Errors
    /// [`ShadowError::Connection`] if the database does not exist or the server is gone.
    pub async fn connect(&self, database: &str) -> Result<Session, ShadowError> {
        self.access().connect(database).await
    }

    /// The folder of the cluster.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Shuts the server down in order, hands the folder of the cluster to `while_stopped`, and starts it again. No session may be open.
    ///
    /// # Errors
    /// [`ShadowError`] if it does not stop or start. What `while_stopped` returns is handed on; the server is started in any case.
    pub fn restart<T>(&mut self, options: &Options, while_stopped: impl FnOnce(&Path) -> T) -> Result<T, ShadowError> {
        // SIGINT is the fast shutdown: everything is written to the files.
        let told = self.postgres.signal(Signal::INT);
        // `wait` would close its input, whose end stops it at once.
        let orders = self.postgres.child.stdin.take();
        let ended = told.and_then(|()| self.postgres.child.wait());
        drop(orders);
        if ended.is_err() {
            return Err(ShadowError::Stopped { log: self.log() });
        }
        let result = while_stopped(&self.data());
        let (folder, group) = (self.folder.path(), self.guard.group());
        let place = Place { installation: &self.installation, folder, group, confined: &self.confined };
        self.postgres = place.launch(options)?;
        self.wait_until_ready(options.start_within)?;
        Ok(result)
    }

    /// The eighth line of postmaster.pid says `ready` once connections are accepted (src/include/utils/pidfile.h).
    fn wait_until_ready(&mut self, limit: Duration) -> Result<(), ShadowError> {
        let started = Instant::now();
        let pid_file = self.data().join("postmaster.pid");
        loop {
            let status = fs::read_to_string(&pid_file).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            if !matches!(self.postgres.child.try_wait(), Ok(None)) {
                return Err(ShadowError::Stopped { log: self.log() });
            }
            if started.elapsed() > limit {
                return Err(ShadowError::NotReady { waited: started.elapsed(), log: self.log() });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The folder that its box shows.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The user and group that it runs as, where those are not ours.
    pub(super) fn ids(&self) -> Option<(u32, u32)> {
        self.user.map(|user| (user.uid, user.gid))
    }

    /// A command for another program, in a box like the server's and ended with it.
    pub(super) fn boxed(&self, program: &Path) -> (std::process::Command, Confined) {
        let confined = self.confined.showing(program);
        let mut command = confined.command(program, self.folder());
        machine::in_group(command.env_clear().envs(confine::environment()), self.guard.group());
        (command, confined)
    }

    /// The end of the server's log.
    pub fn log(&self) -> String {
        tail(&fs::read_to_string(self.folder.path().join("log")).unwrap_or_default(), 20)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT is the immediate shutdown: it also ends the server's children, which SIGKILL would leave behind.
        let told = self.postgres.signal(Signal::QUIT).is_ok();
        let asked = Instant::now();
        while told && asked.elapsed() < STOPPED_WITHIN && matches!(self.postgres.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.postgres.child.kill();
        let _ = self.postgres.child.wait();
        // The fields go in order: first the folder, then the guard. If we die before, the guard does what is left.
    }
}

/// How long a server may take to stop at once.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

impl Started {
    /// Sends a signal to the program.
    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.is_boxed {
            // Its process is not ours to see: the first one of the box passes the signal on.
            let name = if signal == Signal::INT { "INT" } else { "QUIT" };
            let orders = self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            return writeln!(orders, "{name}");
        }
        machine::send(&self.child, signal)
    }
}

/// How well throwaway servers of an installation are kept from this machine, and why no better.
pub fn confinement(installation: &Installation) -> (Confinement, Vec<String>) {
    let made = unprivileged_user().and_then(|user| Ok((user, temporary_folder(user)?)));
    let (user, (guard, folder)) = match made {
        Ok(made) => made,
        Err(error) => return (Confinement::Nothing, vec![error.to_string()]),
    };
    let ids = user.map(|user| (user.uid, user.gid));
    let confined = Confined::strongest(installation, ids, Confinement::default(), folder.path(), guard.group());
    (confined.strength, confined.hindrances)
}

/// The user and group the server runs as, where it cannot run as ourselves.
#[derive(Debug, Clone, Copy)]
struct User {
    name: &'static str,
    uid: u32,
    gid: u32,
}

/// `None` if we are not root and need no other user.
fn unprivileged_user() -> Result<Option<User>, ShadowError> {
    if !machine::is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = ["postgres", "nobody"].iter().find_map(|name| passwd.lines().find_map(|line| read_user(line, name)));
    found.map(Some).ok_or(ShadowError::NoUnprivilegedUser)
}

/// Reads a line of passwd(5) if it is for that user.
fn read_user(line: &str, name: &'static str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [login, _, uid, gid, ..] = fields[..] else { return None };
    // macOS writes nobody's ids as -2.
    let id = |text: &str| text.parse::<i64>().ok().map(|id| id as u32);
    (login == name).then_some(User { name, uid: id(uid)?, gid: id(gid)? })
}

/// Folders in which the server's may be made, the best first.
fn temporary_parents() -> Vec<PathBuf> {
    let named = std::env::temp_dir();
    let usual = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
    let others: Vec<PathBuf> = usual.into_iter().filter(|usual| *usual != named).collect();
    std::iter::once(named).chain(others).collect()
}

/// Why no server can live below a folder.
fn hindrance(parent: &Path, user: Option<User>) -> Option<io::Error> {
    if parent.as_os_str().len() > LONGEST_FOLDER {
        let text = format!("its path is longer than {LONGEST_FOLDER} bytes, too long for one of a socket in it");
        return Some(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    // root may go anywhere, the user that runs the server may not.
    let User { uid, gid, .. } = user?;
    let is_closed = |folder: &&Path| {
        let Ok(metadata) = folder.metadata() else { return false };
        let owner = machine::owner(&metadata);
        let bit = match (owner.0 == uid, owner.1 == gid) {
            (true, _) => 0o100,
            (_, true) => 0o010,
            _ => 0o001,
        };
        machine::mode(&metadata) & bit == 0
    };
    let closed = parent.ancestors().find(is_closed)?;
    let text = format!("{} is closed to the user that runs the server", closed.display());
    Some(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// A path in the folder that nothing has yet.
fn temporary_path(parent: &Path) -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    parent.join(format!("pgassay-{}-{number}-{nanoseconds:x}", std::process::id()))
}

/// Makes the server's folder in the first place that allows it, and what cleans up behind it.
fn temporary_folder(user: Option<User>) -> Result<(Guard, TempDir), ShadowError> {
    let mut tried = Vec::new();
    for parent in temporary_parents() {
        let path = temporary_path(&parent);
        let made = match hindrance(&parent, user) {
            Some(hindrance) => Err(hindrance),
            None => {
                // Before there is anything to clean up.
                let guard = Guard::start(&path);
                make_folder(&path, user).map(|folder| (guard, folder))
            }
        };
        match made {
            Ok(made) => return Ok(made),
            Err(error) => tried.push(format!("{}: {error}", parent.display())),
        }
    }
    Err(ShadowError::NoFolder { tried: tried.join("\n  ") })
}

/// Makes the folder; it must not be there.
fn make_folder(path: &Path, user: Option<User>) -> io::Result<TempDir> {
    let parent = path.parent().unwrap_or(Path::new("/tmp"));
    let name = path.file_name().unwrap_or_default();
    let folder = tempfile::Builder::new().prefix(name).rand_bytes(0).tempdir_in(parent)?;
    let root = confine::root(folder.path());
    fs::create_dir(&root)?;
    if let Some(User { uid, gid, .. }) = user {
        machine::give(folder.path(), (uid, gid))?;
        machine::give(&root, (uid, gid))?;
    }
    Ok(folder)
}

/// Where a server is made, and what its programs are started in.
struct Place<'a> {
    installation: &'a Installation,
    folder: &'a Path,
    /// The process group.
    group: i32,
    confined: &'a Confined,
}

impl Place<'_> {
    /// A command for one of the server's programs.
    fn command(&self, program: &str) -> std::process::Command {
        let mut command = self.confined.command(&self.installation.bin().join(program), self.folder);
        machine::in_group(command.env_clear().envs(confine::environment()), self.group);
        command
    }

    fn initdb(&self) -> Result<(), ShadowError> {
        let pid_file = self.folder.join("initdb.pid");
        let made = self.make_cluster(&pid_file);
        let _ = fs::remove_file(&pid_file);
        made
    }

    fn make_cluster(&self, pid_file: &Path) -> Result<(), ShadowError> {
        let major = self.installation.major();
        let run = |locale: &[&str]| {
            let mut command = self.command("initdb");
            command
                .args(["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"])
                .args(["--username", SUPERUSER])
                // The default since 18; pages that are written while the server is stopped have none.
                .args((major >= 18).then_some("--no-data-checksums"))
                .args(locale)
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
            let output = self.confined.spawn(&mut command, self.folder, true).and_then(|mut started| {
                // For the guard; what is in a box ends with it, and its shared memory too.
                if !started.is_boxed {
                    let _ = fs::write(pid_file, started.child.id().to_string());
                }
                // Its end would be the program's.
                let _orders = started.child.stdin.take();
                started.child.wait_with_output()
            });
            output.map_err(|source| ShadowError::Launch { program: self.installation.bin().join("initdb"), source })
        };
        // The order of code points with Unicode's character classes: the same on every machine.
        let unicode: &[&str] = match major {
            17.. => &["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
            _ => &["--locale=C.UTF-8"],
        };
        if run(unicode)?.status.success() {
            return Ok(());
        }
        // Systems without the locale C.UTF-8 have C at least. A failed initdb has removed what it made.
        let output = run(&["--locale=C"])?;
        if output.status.success() {
            return Ok(());
        }
        Err(ShadowError::Initdb { output: tail(&String::from_utf8_lossy(&output.stderr), 20) })
    }

    fn launch(&self, options: &Options) -> Result<Started, ShadowError> {
        let major = self.installation.major();
        let failed = |source: io::Error| ShadowError::Folder { folder: self.folder.to_owned(), source };
        let log = File::create(self.folder.join("log")).map_err(failed)?;
        let settings = SETTINGS.iter().map(|(name, value)| (*name, *value));
        let newer = NEWER_SETTINGS.iter().filter(|(since, ..)| major >= *since);
        let settings = settings.chain(newer.map(|(_, name, value)| (*name, *value)));
        let given = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut command = self.command("postgres");
        command
            .args(["-D", "data", "-k"])
            .arg(self.folder)
            .args(settings.chain(given).flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]))
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log);
        let started = self.confined.spawn(&mut command, self.folder, false);
        started.map_err(|source| ShadowError::Launch { program: self.installation.bin().join("postgres"), source })
    }
}

/// The last lines of a text.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
