//! What keeps a throwaway server, and with it whoever writes the migrations, from the machine.
//!
//! In: the server's installation and folder, and the user that it runs as. Out: its programs started in a box, the strongest that this machine
//! has, and why not in a stronger one. A superuser of PostgreSQL may run programs and read files; here there is nothing to find.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Installation;
#[cfg(target_os = "linux")]
use super::landlock;
use crate::machine;

/// How a throwaway server is kept from its machine, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Confinement {
    /// Not at all: it may do what the user may do that it runs as.
    Nothing,
    /// By Landlock: it reads files of the system and writes its own, runs no other program, and reaches no TCP port and no other process.
    Landlock,
    /// In namespaces: besides, it sees no other file and no other process, and what it started ends with it.
    #[default]
    Namespaces,
}

/// A user namespace of one's own gives the right to make the others (user_namespaces(7)). Loopback is down in a new network namespace;
/// sockets in folders are reached all the same.
const UNSHARE: &[&str] =
    &["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--net", "--"];

/// The statistics collector talks to its server over loopback, and counts nothing without it (pgstat_init, pgstat.c of 14).
const COLLECTOR_UNTIL: u16 = 14;

/// What of the system a server needs: programs, libraries, names of users, time zones. Nothing that a secret may be in.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld-musl-x86_64.path",
    "/etc/ld-musl-aarch64.path",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// Variables that name folders of the server's own.
const FOLDERS: &[&str] = &["LD_LIBRARY_PATH", "TZDIR", "ICU_DATA"];

/// A server's box: what is in it, and how strong it is.
#[derive(Debug, Clone)]
pub(super) struct Confined {
    pub strength: Confinement,
    /// Why it is no stronger.
    pub hindrances: Vec<String>,
    major: u16,
    bin: PathBuf,
    shown: Vec<PathBuf>,
    ids: Option<(u32, u32)>,
}

/// A program that was started. A boxed one is told what to do by the names of signals.
#[derive(Debug)]
pub(super) struct Started {
    pub child: Child,
    pub is_boxed: bool,
}

impl Confined {
    /// The strongest box that this machine has for a server, up to that strength. It is tried in the server's folder, by a process of the
    /// group that ends with it.
    pub fn strongest(
        installation: &Installation,
        ids: Option<(u32, u32)>,
        up_to: Confinement,
        folder: &Path,
        group: i32,
    ) -> Confined {
        let mut confined = Confined {
            strength: Confinement::Namespaces,
            hindrances: Vec::new(),
            major: installation.major(),
            bin: installation.bin().to_owned(),
            shown: shown(installation.bin()),
            ids,
        };
        if up_to < Confinement::Namespaces {
            confined.strength = Confinement::Landlock;
        } else if let Some(why) = confined.hindrance(folder, group) {
            confined.hindrances.push(format!("no namespaces: {why}"));
            confined.strength = Confinement::Landlock;
        }
        if up_to < Confinement::Landlock {
            confined.strength = Confinement::Nothing;
        } else if confined.strength == Confinement::Landlock
            && let Some(why) = without_landlock()
        {
            confined.hindrances.push(format!("no Landlock: {why}"));
            confined.strength = Confinement::Nothing;
        }
        confined
    }

    /// The same box, with another program's folder in sight.
    pub fn showing(&self, program: &Path) -> Confined {
        let mut shown = shown(program.parent().unwrap_or(program));
        shown.extend(self.shown.iter().filter(|path| !shown.contains(path)).cloned().collect::<Vec<_>>());
        Confined { shown, ..self.clone() }
    }

    /// A command for a program of the server, in its folder.
    pub fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = match self.strength {
            Confinement::Namespaces => {
                let needs_loopback = self.major <= COLLECTOR_UNTIL;
                let keeps_network = needs_loopback && !has_own_loopback(self.ids);
                let mut command = Command::new("unshare");
                command.args(UNSHARE.iter().filter(|flag| !keeps_network || **flag != "--net"));
                command.args(["/bin/sh", "-c", include_str!("box.sh"), "pgassay-box"]).arg(folder);
                let (uid, gid) = self.ids.unwrap_or_else(machine::ourselves);
                let loopback = if needs_loopback && !keeps_network { "yes" } else { "no" };
                command.args([&uid.to_string(), &gid.to_string(), loopback, &self.shown.len().to_string()]);
                command.args(&self.shown).arg(program).stdin(Stdio::piped());
                command
            }
            Confinement::Landlock | Confinement::Nothing => {
                let mut command = Command::new(program);
                command.stdin(Stdio::null());
                command
            }
        };
        if let Some(ids) = self.ids {
            machine::run_as(&mut command, ids);
        }
        command.current_dir(folder);
        command
    }

    /// Starts it. `runs_programs` says that the program itself starts others, as initdb does.
    pub fn spawn(&self, command: &mut Command, folder: &Path, runs_programs: bool) -> io::Result<Started> {
        #[cfg(target_os = "linux")]
        if self.strength == Confinement::Landlock {
            let mut shown = self.shown.clone();
            if self.major <= COLLECTOR_UNTIL {
                // The collector looks for localhost by name.
                shown.push(PathBuf::from("/etc/hosts"));
            }
            let child = landlock::spawn(command, folder, &shown, (!runs_programs).then_some(&*self.bin))?;
            return Ok(Started { child, is_boxed: false });
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (folder, runs_programs, &self.bin);
        Ok(Started { child: command.spawn()?, is_boxed: self.strength == Confinement::Namespaces })
    }

    /// Why there is no box of namespaces for this installation; found out once.
    fn hindrance(&self, folder: &Path, group: i32) -> Option<String> {
        static FOUND: Mutex<BTreeMap<PathBuf, Option<String>>> = Mutex::new(BTreeMap::new());
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(self.bin.clone()).or_insert_with(|| self.attempt(folder, group).err()).clone()
    }

    /// Runs the server's program in a box, only to ask for its version.
    fn attempt(&self, folder: &Path, group: i32) -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err("only Linux has them".to_owned());
        }
        let mut command = self.command(&self.bin.join("postgres"), folder);
        machine::in_group(command.arg("--version").env_clear().envs(environment()), group);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("unshare could not be run: {error}"))?;
        // Its end would be the program's.
        let orders = child.stdin.take();
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        drop(orders);
        match output.status.success() {
            true => Ok(()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(said.lines().next().unwrap_or("unshare failed").trim().to_owned())
            }
        }
    }
}

/// Whether loopback can be made in a network namespace: with `ip` of iproute2.
fn has_own_loopback(ids: Option<(u32, u32)>) -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let script = "PATH=$PATH:/usr/sbin:/sbin; exec ip link set lo up";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--", "/bin/sh", "-c", script]);
        command.env_clear().envs(environment());
        if let Some(ids) = ids {
            machine::run_as(&mut command, ids);
        }
        let made = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        made.is_ok_and(|status| status.success())
    })
}

/// Where the box's file system is put together.
pub(super) fn root(folder: &Path) -> PathBuf {
    folder.join("root")
}

/// What the server's programs get of our environment: where libraries and programs are. The rest may hold secrets, which a migration could
/// read, or say how PostgreSQL is to behave.
pub(super) fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    let kept = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZDIR", "ICU_DATA"];
    kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// The files and folders that may be read.
fn shown(bin: &Path) -> Vec<PathBuf> {
    let mut shown: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    let mut add = |path: &Path| {
        let covered = shown.iter().any(|shown| path.starts_with(shown));
        if path.is_absolute() && path.parent().is_some() && !covered {
            shown.push(path.to_owned());
        }
    };
    // Homebrew's programs look for their libraries and files in other folders of its cellar, by links in its prefix.
    match bin.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "Cellar")) {
        Some(cellar) => cellar.parent().into_iter().for_each(&mut add),
        None => bin.parent().into_iter().for_each(&mut add),
    }
    // Where it was configured with folders elsewhere.
    if let Ok(output) = Command::new(bin.join("pg_config"))
        .args(["--sharedir", "--pkglibdir", "--libdir"])
        .stdin(Stdio::null())
        .output()
    {
        String::from_utf8_lossy(&output.stdout).lines().for_each(|line| add(Path::new(line.trim())));
    }
    for folders in FOLDERS.iter().filter_map(std::env::var_os) {
        std::env::split_paths(&folders).for_each(|folder| add(&folder));
    }
    shown
}

#[cfg(target_os = "linux")]
fn without_landlock() -> Option<String> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    FOUND.get_or_init(landlock::hindrance).clone()
}

#[cfg(not(target_os = "linux"))]
fn without_landlock() -> Option<String> {
    Some("only Linux has it".to_owned())
}
