//! The command line: the board, and the same engine as plain lines for scripts.

mod args;
mod demo;
mod doctor;
mod history;
mod output;
mod pause;
mod release;
mod restart;
mod rollback;
mod session;
mod status;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config;
use crate::domain::{Failure, FailureKind};
use crate::{plan, text, tui};

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
    let overrides = args.overrides();
    let config = config::load(overrides.clone(), &variable).map_err(|error| error.failure())?;
    match args.verb {
        None => tui::run(config).map(|()| 0),
        Some(Verb::Demo(demo)) => demo::run(config, &overrides, &demo),
        Some(Verb::Status(args)) => headless(|| status::run(&config, &args)),
        Some(Verb::History(args)) => headless(|| history::run(&config, &args)),
        Some(Verb::Rollback(args)) => headless(|| rollback::run(&config, args)),
        Some(Verb::Pause(args)) => headless(|| pause::run(&config, plan::Verb::Pause, args)),
        Some(Verb::Resume(args)) => headless(|| pause::run(&config, plan::Verb::Resume, args)),
        Some(Verb::Restart(args)) => headless(|| restart::run(&config, args)),
        Some(Verb::Doctor(args)) => headless(|| doctor::run(&config, &args)),
    }
}

fn headless<F: Future<Output = Outcome>>(verb: impl FnOnce() -> F) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    let outcome = runtime.block_on(verb());
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
