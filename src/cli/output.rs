//! Where output goes: standard output with colours only on a terminal, at the terminal's width.

use std::io;

use pgassay::config::ConfigError;

/// For pipes and files.
const DEFAULT_WIDTH: u16 = 120;

/// Columns of the terminal behind standard output.
pub fn width() -> u16 {
    terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| width.0.max(40))
}

pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Tells on standard error why the run failed; mistakes in a configuration file with their places.
pub fn tell(error: &anyhow::Error) {
    match error.downcast_ref::<ConfigError>() {
        Some(mistakes) => anstream::eprintln!("{}", mistakes.render(width())),
        None => anstream::eprintln!("error: {error:#}"),
    }
}
