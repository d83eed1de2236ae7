//! The command line: the board, and the same engine as plain lines for scripts.

mod args;
mod doctor;
mod history;
mod output;
mod rollback;
mod session;
mod status;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Config};
use crate::domain::{Failure, FailureKind};
use crate::{text, tui};

use args::{Args, Verb};

/// What a verb comes to: an exit code that is not a failure of ours, or a failure.
type Outcome = Result<u8, Failure>;

pub fn main() -> ExitCode {
    // Another provider cannot be there: this is the first thing that happens.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match run(args) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version go to stdout and are no failure; clap says the rest.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn run(args: Args) -> Outcome {
    let variable = |name: &str| std::env::var(name).ok();
    let config = config::load(args.overrides(), &variable).map_err(|error| error.failure())?;
    match args.verb {
        None => tui::run(config).map(|()| 0),
        Some(verb) => headless(verb, &config),
    }
}

fn headless(verb: Verb, config: &Config) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    let outcome = runtime.block_on(async {
        match verb {
            Verb::Status(args) => status::run(config, &args).await,
            Verb::History(args) => history::run(config, &args).await,
            Verb::Rollback(args) => rollback::run(config, args).await,
            Verb::Doctor(args) => doctor::run(config, &args).await,
        }
    });
    runtime.shutdown_background();
    outcome
}

fn complain(failure: &Failure) {
    output::aside(&failure.sentence);
    let mut err = io::stderr().lock();
    for hint in &failure.hints {
        let _ = writeln!(err, "  {}", text::escape(hint));
    }
}
