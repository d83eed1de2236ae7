//! Installs the TLS provider, runs the command line, and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    rolldeck::cli::main()
}
