//! As POSIX has it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, getegid, geteuid, kill_process, kill_process_group};

/// A connection to a server's socket in a folder.
pub(crate) type Socket = std::os::unix::net::UnixStream;

pub(crate) fn connect(socket: &Path) -> io::Result<Socket> {
    Socket::connect(socket)
}

/// The same, without waiting for it.
pub(crate) async fn open(socket: &Path) -> io::Result<tokio::net::UnixStream> {
    tokio::net::UnixStream::connect(socket).await
}

/// Connects by the server's socket in a folder.
pub(crate) fn by_socket<'c>(config: &'c mut tokio_postgres::Config, folder: &Path) -> &'c mut tokio_postgres::Config {
    config.host_path(folder)
}

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// Our user and group.
pub(crate) fn ourselves() -> (u32, u32) {
    (geteuid().as_raw(), getegid().as_raw())
}

/// The user and group of a file.
pub(crate) fn owner(file: &Metadata) -> (u32, u32) {
    (file.uid(), file.gid())
}

/// Who may do what with a file: chmod(1).
pub(crate) fn mode(file: &Metadata) -> u32 {
    file.mode()
}

pub(crate) fn give(path: &Path, (uid, gid): (u32, u32)) -> io::Result<()> {
    std::os::unix::fs::chown(path, Some(uid), Some(gid))
}

/// Lets a program run as another user.
pub(crate) fn run_as(command: &mut Command, (uid, gid): (u32, u32)) {
    command.uid(uid).gid(gid);
}

/// Starts a program in a process group; 0 is one of its own.
pub(crate) fn in_group(command: &mut Command, group: i32) -> &mut Command {
    command.process_group(group)
}

pub(crate) fn send(child: &Child, signal: Signal) -> io::Result<()> {
    Ok(kill_process(pid(child)?, signal)?)
}

/// Ends a program that leads a group, with all of it.
pub(crate) fn end_group(child: &Child) -> io::Result<()> {
    Ok(kill_process_group(pid(child)?, Signal::KILL)?)
}

fn pid(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::NotFound.into())
}

pub(crate) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    file.read_exact_at(bytes, place)
}

pub(crate) fn write_at(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    file.write_all_at(bytes, place)
}
