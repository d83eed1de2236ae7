//! `rolldeck man`: the man page, made of what can be typed.

use std::io;

use clap::CommandFactory;

use crate::domain::{Failure, FailureKind};

use super::Outcome;
use super::args::Args;
use super::output;

pub fn run() -> Outcome {
    let broken = |why: io::Error| Failure::new(FailureKind::Internal, why.to_string());
    let mut page = Vec::new();
    let mut command = Args::command();
    command.build();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(broken)?;
    for verb in command.get_subcommands() {
        verb_section(verb, &mut page).map_err(broken)?;
    }
    output::verbatim(&page)?;
    Ok(0)
}

/// Its arguments below its own heading: one page holds all verbs.
fn verb_section(verb: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    use io::Write as _;
    if verb.get_name() == "help" {
        return Ok(());
    }
    writeln!(page, ".SH \"{}\"", verb.get_name().to_uppercase())?;
    if let Some(about) = verb.get_about() {
        writeln!(page, "{}", roff(&about.to_string()))?;
    }
    let own = verb.get_arguments().filter(|arg| !arg.is_global_set());
    for argument in own.filter(|arg| arg.get_id() != "help") {
        writeln!(page, ".TP\n{}", roff(&argument.to_string()))?;
        let help = argument.get_help().map(ToString::to_string);
        writeln!(page, "{}", roff(&help.unwrap_or_default()))?;
    }
    Ok(())
}

/// Text that roff takes for text.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.chars().next() {
        Some('.' | '\'') => format!("\\&{text}"),
        Some(_) | None => text,
    }
}
