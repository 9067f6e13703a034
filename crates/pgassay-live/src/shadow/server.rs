//! Starting and stopping a throwaway server.
//!
//! In: an [`Installation`]. Out: a [`Server`] with an empty cluster in a temporary folder, reachable by its Unix socket
//! only, with durability switched off. It is stopped and its folder removed on drop, and also if this process dies.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::confine;
use super::guard::Guard;
use super::{Access, Installation, Session, ShadowError};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

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
}

impl Default for Options {
    fn default() -> Self {
        Options { settings: Vec::new(), start_within: Duration::from_secs(60) }
    }
}

/// A running throwaway server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    postgres: Child,
    folder: TempDir,
    guard: Guard,
    user: Option<User>,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts the server on it; it accepts connections on return.
    ///
    /// # Errors
    /// [`ShadowError`] if there is no user to run it as, or initdb or the server fail (with their output).
    pub fn start(installation: &Installation, options: &Options) -> Result<Server, ShadowError> {
        let user = unprivileged_user()?;
        let (guard, folder) = temporary_folder(user)?;
        let group = guard.group();
        initdb(installation, folder.path(), user, group)?;
        let postgres = launch(installation, folder.path(), options, user, group)?;
        let mut server = Server { installation: installation.clone(), postgres, folder, guard, user };
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

    /// How to connect to a database of this server as superuser.
    pub fn config(&self, database: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.folder.path()).user(SUPERUSER).dbname(database);
        config
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
        let pid = i32::try_from(self.postgres.id()).ok().and_then(Pid::from_raw);
        if pid.is_none_or(|pid| kill_process(pid, Signal::INT).is_err()) || self.postgres.wait().is_err() {
            return Err(ShadowError::Stopped { log: self.log() });
        }
        let result = while_stopped(&self.data());
        self.postgres = launch(&self.installation, self.folder.path(), options, self.user, self.guard.group())?;
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
            if !matches!(self.postgres.try_wait(), Ok(None)) {
                return Err(ShadowError::Stopped { log: self.log() });
            }
            if started.elapsed() > limit {
                return Err(ShadowError::NotReady { waited: started.elapsed(), log: self.log() });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The end of the server's log.
    pub fn log(&self) -> String {
        tail(&fs::read_to_string(self.folder.path().join("log")).unwrap_or_default(), 20)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT is the immediate shutdown: it also ends the server's children, which SIGKILL would leave behind.
        let pid = i32::try_from(self.postgres.id()).ok().and_then(Pid::from_raw);
        match pid.map(|pid| kill_process(pid, Signal::QUIT)) {
            Some(Ok(())) => {}
            _ => drop(self.postgres.kill()),
        }
        let _ = self.postgres.wait();
        // The fields go in order: first the folder, then the guard. If we die before, the guard does what is left.
    }
}

/// Why throwaway servers are not cut off from the network here; None if they are.
pub fn not_confined() -> Option<&'static str> {
    let user = unprivileged_user().ok()?;
    confine::hindrance(user.map(|user| (user.uid, user.gid)))
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
    if !geteuid().is_root() {
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
        let bit = match (metadata.uid() == uid, metadata.gid() == gid) {
            (true, _) => 0o100,
            (_, true) => 0o010,
            _ => 0o001,
        };
        metadata.mode() & bit == 0
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
    if let Some(User { uid, gid, .. }) = user {
        chown(folder.path(), Some(uid), Some(gid))?;
    }
    Ok(folder)
}

/// What the server's programs get of our environment: where libraries and programs are. The rest may hold secrets, which a migration could
/// read, or say how PostgreSQL is to behave.
const ENVIRONMENT: &[&str] = &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZDIR", "ICU_DATA"];

/// A command for one of the server's programs, to run as the right user.
fn command(installation: &Installation, program: &str, folder: &Path, user: Option<User>, confined: bool) -> Command {
    let program = installation.bin().join(program);
    let mut command = match confined {
        true => confine::command(&program, installation.major(), user.map(|user| (user.uid, user.gid))),
        false => Command::new(program),
    };
    command.current_dir(folder).stdin(Stdio::null()).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    if let Some(User { uid, gid, .. }) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn initdb(installation: &Installation, folder: &Path, user: Option<User>, group: i32) -> Result<(), ShadowError> {
    let pid_file = folder.join("initdb.pid");
    let made = make_cluster(installation, folder, user, group, &pid_file);
    let _ = fs::remove_file(&pid_file);
    made
}

fn make_cluster(
    installation: &Installation,
    folder: &Path,
    user: Option<User>,
    group: i32,
    pid_file: &Path,
) -> Result<(), ShadowError> {
    let run = |locale: &[&str]| {
        command(installation, "initdb", folder, user, true)
            .args(["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"])
            .args(["--username", SUPERUSER])
            // The default since 18; pages that are written while the server is stopped have none.
            .args((installation.major() >= 18).then_some("--no-data-checksums"))
            .args(locale)
            .process_group(group)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .and_then(|child| {
                // For the guard.
                let _ = fs::write(pid_file, child.id().to_string());
                child.wait_with_output()
            })
            .map_err(|source| ShadowError::Launch { program: installation.bin().join("initdb"), source })
    };
    // The order of code points with Unicode's character classes: the same on every machine.
    let unicode: &[&str] = match installation.major() {
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

fn launch(
    installation: &Installation,
    folder: &Path,
    options: &Options,
    user: Option<User>,
    group: i32,
) -> Result<Child, ShadowError> {
    let program = installation.bin().join("postgres");
    let failed = |source: io::Error| ShadowError::Folder { folder: folder.to_owned(), source };
    let log = File::create(folder.join("log")).map_err(failed)?;
    let settings = SETTINGS.iter().map(|(name, value)| (*name, *value));
    let newer = NEWER_SETTINGS.iter().filter(|(since, ..)| installation.major() >= *since);
    let settings = settings.chain(newer.map(|(_, name, value)| (*name, *value)));
    let given = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // One that is asked to listen has somebody outside to hear.
    let listens = |(name, value): &(String, String)| name == "listen_addresses" && !value.is_empty();
    command(installation, "postgres", folder, user, !options.settings.iter().any(listens))
        .args(["-D", "data", "-k"])
        .arg(folder)
        .args(settings.chain(given).flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]))
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .process_group(group)
        .spawn()
        .map_err(|source| ShadowError::Launch { program, source })
}

/// The last lines of a text.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
