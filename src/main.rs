//! The command line: parses the arguments, runs a command, sets the exit code.

mod cli;
mod lsp;
mod mcp;
mod project;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
