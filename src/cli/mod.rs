//! The command line: the board, and the same engine as plain lines for scripts.

mod args;
mod batch;
mod build;
mod canary;
mod changes;
mod commits;
mod completions;
mod config;
mod copy_image;
mod delete_pod;
mod demo;
mod doctor;
mod history;
mod image;
mod logs;
mod man;
mod output;
mod pause;
mod promotion;
mod record;
mod release;
mod restart;
mod restore;
mod resume_sync;
mod rollback;
mod scale;
mod session;
mod set_image;
mod snapshot;
mod status;
mod weight;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self as settings, Config};
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
    let load = || settings::load(overrides.clone(), &variable).map_err(|error| error.failure());
    match args.verb {
        None => tui::run(load()?).map(|()| 0),
        Some(Verb::Demo(demo)) => demo::run(load()?, &overrides, &demo),
        Some(Verb::Status(args)) => headless(load()?, async |c| status::run(&c, &args).await),
        Some(Verb::History(args)) => headless(load()?, async |c| history::run(&c, &args).await),
        Some(Verb::Logs(args)) => headless(load()?, async |c| logs::run(&c, &args).await),
        Some(Verb::Rollback(args)) => headless(load()?, async |c| rollback::run(&c, args).await),
        Some(Verb::Promote(args)) => headless(load()?, async |c| {
            let verb = match (&args.to, args.full) {
                (Some(_), _) => return promotion::run(&c, args).await,
                (None, true) => plan::Verb::PromoteFull,
                (None, false) => plan::Verb::Promote,
            };
            canary::run(&c, verb, (args.git, args.release)).await
        }),
        Some(Verb::Retry(args)) => headless(load()?, async |c| {
            pause::run(&c, plan::Verb::Retry, args).await
        }),
        Some(Verb::Abort(args)) => headless(load()?, async |c| {
            canary::run(&c, plan::Verb::Abort, (args.git, args.release)).await
        }),
        Some(Verb::Pause(args)) => headless(load()?, async |c| {
            pause::run(&c, plan::Verb::Pause, args).await
        }),
        Some(Verb::Resume(args)) => headless(load()?, async |c| {
            pause::run(&c, plan::Verb::Resume, args).await
        }),
        Some(Verb::Restart(args)) => headless(load()?, async |c| restart::run(&c, args).await),
        Some(Verb::Scale(args)) => headless(load()?, async |c| scale::run(&c, args).await),
        Some(Verb::Weight(args)) => headless(load()?, async |c| weight::run(&c, args).await),
        Some(Verb::SetImage(args)) => headless(load()?, async |c| set_image::run(&c, args).await),
        Some(Verb::Build(args)) => headless(load()?, async |c| build::run(&c, args).await),
        Some(Verb::CopyImage(args)) => headless(load()?, async |c| copy_image::run(&c, args).await),
        Some(Verb::Record(args)) => headless(load()?, async |c| record::run(&c, &args).await),
        Some(Verb::Changes(args)) => headless(load()?, async |c| changes::run(&c, &args).await),
        Some(Verb::ResumeSync(args)) => {
            headless(load()?, async |c| resume_sync::run(&c, args).await)
        }
        Some(Verb::DeletePod(args)) => headless(load()?, async |c| delete_pod::run(&c, args).await),
        Some(Verb::Snapshot(args)) => headless(load()?, async |c| snapshot::run(&c, &args).await),
        Some(Verb::Restore(args)) => {
            let overrides = match &args.env {
                Some(name) => restore::into_environment(&load()?, name, overrides)?,
                None => overrides,
            };
            let config = settings::load(overrides, &variable).map_err(|error| error.failure())?;
            headless(config, async |c| restore::run(&c, &args).await)
        }
        Some(Verb::Doctor(args)) => headless(load()?, async |c| doctor::run(&c, &args).await),
        // For those whose settings are broken as well.
        Some(Verb::Config(args)) => config::run(&overrides, &variable, &args),
        Some(Verb::Completions(args)) => completions::run(&args),
        Some(Verb::Man) => man::run(),
    }
}

fn headless(config: Config, verb: impl AsyncFnOnce(Config) -> Outcome) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    let outcome = runtime.block_on(verb(config));
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
