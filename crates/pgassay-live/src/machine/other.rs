//! Where there is no POSIX: refusals, and what makes no difference.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::process::{Child, Command};

/// The signals that are sent on Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(u8);

impl Signal {
    pub const INT: Signal = Signal(2);
    pub const QUIT: Signal = Signal(3);
}

/// Never made: there are no sockets in folders.
pub(crate) type Socket = std::net::TcpStream;

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this needs Unix"))
}

pub(crate) fn connect(_socket: &Path) -> io::Result<Socket> {
    unsupported()
}

/// libpq's Unix sockets in a folder are not among what tokio-postgres has here; the folder's name is no host, which the connection will say.
pub(crate) fn by_socket<'c>(config: &'c mut tokio_postgres::Config, folder: &Path) -> &'c mut tokio_postgres::Config {
    config.host(folder.display().to_string())
}

pub(crate) fn is_root() -> bool {
    false
}

pub(crate) fn ourselves() -> (u32, u32) {
    (0, 0)
}

pub(crate) fn owner(_file: &Metadata) -> (u32, u32) {
    (0, 0)
}

pub(crate) fn mode(_file: &Metadata) -> u32 {
    0o777
}

pub(crate) fn give(_path: &Path, _ids: (u32, u32)) -> io::Result<()> {
    unsupported()
}

pub(crate) fn run_as(_command: &mut Command, _ids: (u32, u32)) {}

pub(crate) fn in_group(command: &mut Command, _group: i32) -> &mut Command {
    command
}

pub(crate) fn send(_child: &Child, _signal: Signal) -> io::Result<()> {
    unsupported()
}

pub(crate) fn end_group(_child: &Child) -> io::Result<()> {
    unsupported()
}

pub(crate) fn read_at(_file: &File, _bytes: &mut [u8], _place: u64) -> io::Result<()> {
    unsupported()
}

pub(crate) fn write_at(_file: &File, _bytes: &[u8], _place: u64) -> io::Result<()> {
    unsupported()
}
