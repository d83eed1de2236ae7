//! `rolldeck completions SHELL`: what a shell completes.

use clap::CommandFactory;

use super::Outcome;
use super::args::{Args, Completions};
use super::output;

pub fn run(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    let mut command = Args::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    output::verbatim(&script)?;
    Ok(0)
}
