//! Where output goes: standard output with colours only on a terminal, at the terminal's width; and files, whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use pgassay::collect::repository;
use pgassay::config::ConfigError;
use pgassay::report::Paths;
use pgassay::report::visible::{Kind, visible};

/// Columns for pipes and files.
pub const FILE_WIDTH: u16 = 120;

/// Columns of the terminal behind standard output.
pub fn width() -> u16 {
    terminal_size::terminal_size().map_or(FILE_WIDTH, |(width, _)| width.0.max(40))
}

/// Whether standard output takes colours: a terminal that knows them, or one told to.
pub fn is_styled() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Where links lead, in a terminal that follows them.
pub fn pages() -> Option<&'static str> {
    pgassay::rules::PAGES.filter(|_| supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout))
}

/// Standard output for a whole report. Where colours are written, they reach a terminal in its own way; else nothing is looked through.
pub fn stdout(styled: bool) -> Box<dyn Write> {
    match styled {
        true => Box::new(BufWriter::new(anstream::stdout())),
        false => Box::new(BufWriter::with_capacity(1 << 16, io::stdout())),
    }
}

/// Leaves a value as it is at the end of a command: the process ends soon, and taking a large schema or a long report apart would only
/// cost time.
pub fn leave<T>(value: T) {
    std::mem::forget(value);
}

pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Says something on standard error.
pub fn say(text: &str) {
    anstream::eprintln!("{}", visible(text, Kind::Text { colours: false }));
}

/// Tells on standard error why the run failed; mistakes in a configuration file with their places.
pub fn tell(error: &anyhow::Error) {
    match error.downcast_ref::<ConfigError>() {
        Some(mistakes) => anstream::eprintln!("{}", visible(&mistakes.render(width()), Kind::Text { colours: true })),
        None => say(&format!("error: {error:#}")),
    }
}

/// Where the run happens: the working directory, and the repository around it (or the working directory itself).
pub fn paths() -> Paths {
    let Ok(working_directory) = std::env::current_dir() else { return Paths::default() };
    let root = working_directory.ancestors().find(|folder| folder.join(".git").exists());
    let name = |folder: &Path| folder.to_str().map(str::to_owned);
    Paths { root: name(root.unwrap_or(&working_directory)), working_directory: name(&working_directory) }
}

/// Puts what `write` writes into a file. A reader sees the old content or the new one, never a part; what is no regular file
/// (a pipe, `/dev/stderr`) is written to as it is.
pub fn replace_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A link stays, and the file that it leads to is replaced; but one that leads out of the repository is replaced itself.
    let leaves = repository::leaves(path).is_some();
    let target = if leaves { path.to_owned() } else { path.canonicalize().unwrap_or_else(|_| path.to_owned()) };
    if let Some(out) = target.parent().and_then(repository::leaves) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("its folder {}", repository::refusal(&out)),
        ));
    }
    if !leaves && target.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !leaves && target.exists() && !target.is_file() {
        let mut out = BufWriter::new(std::fs::OpenOptions::new().write(true).open(&target)?);
        write(&mut out)?;
        return out.flush();
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(new_file(folder)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    // A link is replaced by the file, and what it leads to is left alone.
    if let Ok(earlier) = target.symlink_metadata()
        && !earlier.is_symlink()
    {
        file.as_file().set_permissions(earlier.permissions())?;
    }
    file.persist(&target).map(drop).map_err(|error| error.error)
}

/// A temporary file with the permissions of an ordinary one: other steps of a job read it, perhaps as other users.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pgassay-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
